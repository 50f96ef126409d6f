/*
 * afterthought - wrong: the payload is written after the node was published
 *
 *   writer  [right: write payload], publish, [wrong: write payload], 1
 *   reader  wait 1, load p, use p
 */
#include "tests/mem/planted/planted.h"

static void *reader(void *wrong)
{
    (void)wrong;
    step_await(1);
    tri_rcu_enter();
    /* edge cell (acquire): with writer; carries the payload */
    use(tr_load_acquire(&cell));
    tri_rcu_leave();
    step_reached(2);
    return NULL;
}

static void writer(bool wrong)
{
    struct node *n = new_node();

    if (!wrong)
        n->payload = 1;
    /* edge cell (release): with reader; carries the payload */
    tr_store_release(&cell, n);
    if (wrong)
        n->payload = 1;
    step_reached(1);
    step_await(2);
    tri_rcu_synchronize();
    free(n);
}

int main(int argc, char **argv)
{
    return planted_run(argc, argv, reader, writer);
}
