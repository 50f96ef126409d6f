/*
 * inject - see inject.h
 *
 * 1. count >= the number of actors that a consumer can find: it is raised after
 *    the enqueue and lowered after the dequeue, by the one who did it. So a
 *    consumer that sees 0 may miss an actor whose producer has not yet looked at
 *    the idle word - and will, seeing the consumer parked (tri_idle_park). A
 *    consumer may be quicker than the producer's count, which then wraps below 0
 *    for a moment: not 0, so nobody parks on it.
 */
#include "runtime/inject.h"

void tri_inject_init(tri_inject *inject)
{
    cds_wfcq_init(&inject->head, &inject->tail);
    ck_spinlock_fas_init(&inject->lock);
    tr_atomic_init(&inject->count, 0);
}

void tri_inject_push(tri_inject *inject, tri_actor *actor)
{
    cds_wfcq_node_init(&actor->link.inject_node);
    cds_wfcq_enqueue(&inject->head, &inject->tail, &actor->link.inject_node);
    /* edge park (seq_cst): with tri_inject_has_work in the last look before parking */
    tr_fetch_add_seq_cst(&inject->count, 1);
}

tri_actor *tri_inject_take(tri_inject *inject)
{
    if (!tri_inject_has_work(inject) || !ck_spinlock_fas_trylock(&inject->lock))
        return NULL;
    /* WOULDBLOCK: the producer of the oldest is between its two stores; what it
     * enqueues is not lost, since its count comes after. */
    struct cds_wfcq_node *node = __cds_wfcq_dequeue_nonblocking(&inject->head, &inject->tail);
    ck_spinlock_fas_unlock(&inject->lock);
    if (node == NULL || node == CDS_WFCQ_WOULDBLOCK)
        return NULL;
    /* edge park (seq_cst): lowered by whoever took it */
    tr_fetch_sub_seq_cst(&inject->count, 1);
    return caa_container_of(node, tri_actor, link.inject_node);
}
