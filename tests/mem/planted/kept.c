/*
 * kept - wrong: a pointer is used after the quiescent state that gave it up
 *
 *   reader  load p, 1 ......... wait 2, [wrong: quiescent], use p, offline, wait 3
 *   writer  wait 1, unlink p, call(p, free), 2
 *   helper                                          free p, 3
 */
#include "tests/mem/planted/planted.h"

static void *reader(void *wrong)
{
    tri_rcu_register();
    /* edge cell (acquire): with writer; carries the payload */
    struct node *p = tr_load_acquire(&cell);
    step_reached(1);
    step_await(2);
    if (wrong)
        tri_rcu_quiescent();
    use(p);
    tri_rcu_offline();
    step_await(3);
    tri_rcu_unregister();
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
