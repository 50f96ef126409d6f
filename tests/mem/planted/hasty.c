/*
 * hasty - wrong: a node is freed without a grace period
 *
 *   reader  load p, use p, 1, [wrong: wait 2], offline
 *   writer  wait 1, unlink p, [right: synchronize], free p, 2
 *
 * The wrong reader stays online until the node is freed, as a slow one would;
 * the right one cannot, or the grace period would never end.
 */
#include "tests/mem/planted/planted.h"

static void *reader(void *wrong)
{
    tri_rcu_register();
    /* edge cell (acquire): with writer; carries the payload */
    use(tr_load_acquire(&cell));
    step_reached(1);
    if (wrong)
        step_await(2);
    tri_rcu_offline();
    step_await(2);
    tri_rcu_unregister();
    return NULL;
}

static void writer(bool wrong)
{
    step_await(1);
    /* edge cell (acq_rel): with reader; carries the payload of the new node, none here */
    struct node *old = tr_swap_acq_rel(&cell, NULL);
    if (!wrong)
        tri_rcu_synchronize();
    free(old);
    step_reached(2);
}

int main(int argc, char **argv)
{
    tr_atomic_init(&cell, new_node());
    return planted_run(argc, argv, reader, writer);
}
