/*
 * limbo - see limbo.h
 *
 * 1. An actor in limbo has a pid word of 0 and a mailbox that is not idle: no
 *    push into it asks for a worker.
 * 2. A grace period begins with a locked read of every other worker's quiet word
 *    and ends when each has been seen changed, or was odd. A worker changes its
 *    word, by a locked operation, before it can resolve a pid again: if that
 *    comes after our read, it sees the pid word 0; if before, what it resolved
 *    earlier it has let go.
 * 3. And `outside` has been read as 0, by a locked operation, at some moment
 *    since: whoever counts itself after that sees the pid word 0.
 * 4. After the grace period no thread is between resolving the pid and pushing,
 *    so the mailbox does not change any more.
 */
#include "runtime/limbo.h"

#include "runtime/actor_end.h"
#include "runtime/system_block.h"

static inline bool got_something(tri_actor *actor)
{
    tr_mpsc_node *ignored;
    return tr_mpsc_next(&actor->mailbox, &actor->mailbox.stub, &ignored) != TR_EMPTY;
}

static void bury_all(tri_worker *worker, tri_actor *actor)
{
    tri_slots *slots = &worker->ctx.sender.system->slots;
    while (actor != NULL) {
        tri_actor *next = actor->link.next;
        if (TR_UNLIKELY(got_something(actor)))
            tri_actor_discard_late(worker, actor);
        tri_slot_give(slots, &worker->slots, actor);
        actor = next;
    }
    /* What drops sent. */
    tri_outbox_flush(worker);
}

/* -- grace periods of the worker's own ------------------------------------------ */

static void begin(tri_worker *worker)
{
    tri_limbo *limbo = &worker->limbo;
    tr_system *system = worker->ctx.sender.system;
    limbo->waiting = limbo->dead;
    limbo->dead = NULL;
    limbo->dead_count = 0;
    limbo->passed = 0;
    for (unsigned i = 0; i < system->worker_count; i++)
        if (i != worker->index)
            /* edge quiet-word (acq_rel): with tri_worker_quiescent and park; a locked read (2) */
            limbo->seen[i] = tr_fetch_add_acq_rel(&system->workers[i].quiet, 0);
}

/* Is what began over? Goes on where it stopped the last time. */
static bool is_over(tri_worker *worker)
{
    tri_limbo *limbo = &worker->limbo;
    tr_system *system = worker->ctx.sender.system;
    for (; limbo->passed < system->worker_count; limbo->passed++) {
        unsigned i = limbo->passed;
        if (i == worker->index || limbo->seen[i] % TRI_QUIET_STEP != 0)
            continue;
        /* edge quiet-word (acquire): with tri_worker_quiescent and park; what it pushed is there */
        if (tr_load_acquire(&system->workers[i].quiet) == limbo->seen[i])
            return false;
    }
    /* edge quiet (acq_rel): with tri_idle_enter and leave; a locked read (3) */
    return tr_fetch_add_acq_rel(&system->idle.outside, 0) == 0;
}

static void bury_if_over(tri_worker *worker)
{
    tri_limbo *limbo = &worker->limbo;
    if (limbo->waiting == NULL || !is_over(worker))
        return;
    tri_actor *waiting = limbo->waiting;
    limbo->waiting = NULL;
    limbo->steps = 0;
    bury_all(worker, waiting);
}

void tri_limbo_step(tri_worker *worker)
{
    tri_limbo *limbo = &worker->limbo;
    if (TR_LIKELY(limbo->dead == NULL && limbo->waiting == NULL))
        return;
    limbo->steps++;
    bury_if_over(worker);
    if (limbo->waiting != NULL && limbo->steps >= TRI_LIMBO_TRIES)
        tri_limbo_rest(worker);
    bool worth = limbo->dead_count >= TRI_LIMBO_BATCH || limbo->steps >= TRI_LIMBO_PATIENCE;
    if (limbo->waiting == NULL && limbo->dead != NULL && worth) {
        begin(worker);
        bury_if_over(worker);
    }
}

/* -- by liburcu ------------------------------------------------------------------- */

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

static void leave_to_rcu(tri_worker *worker, tri_actor *first)
{
    if (first == NULL)
        return;
    first->limbo.owner = worker;
    tri_rcu_call(&first->limbo.head, ripen);
}

void tri_limbo_rest(tri_worker *worker)
{
    tri_limbo *limbo = &worker->limbo;
    bury_if_over(worker);
    if (limbo->waiting == NULL && limbo->dead != NULL) {
        begin(worker);
        bury_if_over(worker);
    }
    leave_to_rcu(worker, limbo->waiting);
    leave_to_rcu(worker, limbo->dead);
    limbo->waiting = limbo->dead = NULL;
    limbo->dead_count = limbo->steps = 0;
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
        bury_all(worker, batch);
        batch = next_batch;
    }
}
