/*
 * limbo - see limbo.h
 *
 * 1. An actor in limbo has a pid word of 0 and a mailbox that is not idle: no
 *    push into it asks for a worker.
 * 2. After the batch's grace period no thread is between resolving the pid and
 *    pushing, so the mailbox does not change any more.
 */
#include "runtime/limbo.h"

#include "runtime/actor_end.h"
#include "runtime/system_block.h"

void tri_limbo_add(tri_worker *worker, tri_actor *actor)
{
    actor->link.next = worker->limbo.first;
    worker->limbo.first = actor;
    if (++worker->limbo.count >= TRI_LIMBO_BATCH)
        tri_limbo_close(worker);
}

/* On liburcu's helper thread: hand the batch back to its worker. */
static void ripen(tri_rcu_head *head)
{
    tri_actor *first = caa_container_of(head, tri_actor, limbo.head);
    tri_worker *worker = first->limbo.owner;
    /* relaxed: the CAS below publishes it */
    tri_actor *before = tr_load_relaxed(&worker->ripe);
    do {
        first->limbo.next_batch = before;
        /* edge ripe (seq_cst): with tri_limbo_collect, and as a producer of the edge park */
    } while (!tr_cas_seq_cst(&worker->ripe, &before, first));
    tri_idle_notify_worker(worker);
}

void tri_limbo_close(tri_worker *worker)
{
    tri_actor *first = worker->limbo.first;
    if (first == NULL)
        return;
    worker->limbo.first = NULL;
    worker->limbo.count = 0;
    worker->limbo.in_flight++;
    first->limbo.owner = worker;
    tri_rcu_call(&first->limbo.head, ripen);
}

void tri_limbo_collect(tri_worker *worker)
{
    /* relaxed: a hint; the swap below takes it */
    if (TR_LIKELY(tr_load_relaxed(&worker->ripe) == NULL))
        return;
    /* edge ripe (acquire): with ripen; carries the batches */
    tri_actor *batch = tr_swap_acquire(&worker->ripe, (tri_actor *)NULL);
    while (batch != NULL) {
        tri_actor *next_batch = batch->limbo.next_batch;
        worker->limbo.in_flight--;
        for (tri_actor *actor = batch; actor != NULL;) {
            tri_actor *next = actor->link.next;
            tri_actor_bury(worker, actor);
            actor = next;
        }
        batch = next_batch;
    }
    tri_outbox_flush(worker);
}
