/*
 * offline - wrong: a pointer is loaded and used by a thread that is offline
 *
 *   reader  [right: enter], load p, 1, wait 2, use p, [right: leave], wait 3
 *   writer  wait 1, unlink p, call(p, free), 2
 *   helper                                          free p, 3
 */
#include "tests/mem/planted/planted.h"

static void *reader(void *wrong)
{
    if (!wrong)
        tri_rcu_enter();
    /* edge cell (acquire): with writer; carries the payload */
    struct node *p = tr_load_acquire(&cell);
    step_reached(1);
    step_await(2);
    use(p);
    if (!wrong)
        tri_rcu_leave();
    step_await(3);
    return NULL;
}

static void reclaim(tri_rcu_head *head)
{
    free(caa_container_of(head, struct node, rcu));
    step_reached(3);
}

static void writer(bool wrong)
{
    (void)wrong;
    step_await(1);
    /* edge cell (acq_rel): with reader; carries the payload of the new node, none here */
    struct node *old = tr_swap_acq_rel(&cell, NULL);
    tri_rcu_call(&old->rcu, reclaim);
    step_reached(2);
}

int main(int argc, char **argv)
{
    tr_atomic_init(&cell, new_node());
    return planted_run(argc, argv, reader, writer);
}
