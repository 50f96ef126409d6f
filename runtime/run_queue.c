/*
 * run_queue - see run_queue.h
 *
 * 1. head <= tail <= head + TRI_RING. Places head .. tail-1 hold actors.
 * 2. A place is written by the owner only while it is outside of head .. tail-1.
 * 3. Whoever moves head from h to h+n owns the actors of places h .. h+n-1. A
 *    thief reads the places before its CAS: had the owner reused one of them,
 *    head would have moved past it (1, 2), and the CAS fails.
 * 4. Everything in overflow entered after everything in the ring; the owner
 *    refills the ring from it only when the ring is empty.
 */
#include "runtime/run_queue.h"

void tri_run_queue_init(tri_run_queue *q)
{
    tr_atomic_init(&q->head, 0);
    tr_atomic_init(&q->tail, 0);
    tr_atomic_init(&q->overflow_count, 0);
    q->overflow_first = NULL;
    q->overflow_last = NULL;
    for (uint32_t i = 0; i < TRI_RING; i++)
        tr_atomic_init(&q->ring[i], (tri_actor *)NULL);
}

/* Into the ring, which has a free place at `tail`. */
static void put(tri_run_queue *q, uint64_t tail, tri_actor *actor)
{
    /* relaxed: published by tail */
    tr_store_relaxed(&q->ring[tail % TRI_RING], actor);
    /* edge ring-tail (release): with tri_run_queue_steal; carries the place and the actor */
    tr_store_release(&q->tail, tail + 1);
}

static void put_overflow(tri_run_queue *q, tri_actor *actor)
{
    actor->link.next = NULL;
    if (q->overflow_last != NULL)
        q->overflow_last->link.next = actor;
    else
        q->overflow_first = actor;
    q->overflow_last = actor;
    tr_count_add(&q->overflow_count, 1);
}

void tri_run_queue_push(tri_run_queue *q, tri_actor *actor)
{
    /* relaxed: the owner's own word */
    uint64_t tail = tr_load_relaxed(&q->tail);
    /* edge ring-head (acquire): with the CAS of pop and steal; the places below head are free */
    uint64_t head = tr_load_acquire(&q->head);
    if (TR_LIKELY(q->overflow_first == NULL && tail - head < TRI_RING))
        put(q, tail, actor);
    else
        put_overflow(q, actor);
}

/* The ring is empty: fill half of it from overflow, so that thieves see it too. */
static void refill(tri_run_queue *q)
{
    /* relaxed: the owner's own word */
    uint64_t tail = tr_load_relaxed(&q->tail);
    for (uint32_t n = 0; n < TRI_RING / 2 && q->overflow_first != NULL; n++) {
        tri_actor *actor = q->overflow_first;
        q->overflow_first = actor->link.next;
        if (q->overflow_first == NULL)
            q->overflow_last = NULL;
        tr_count_add(&q->overflow_count, (uint32_t)-1);
        put(q, tail++, actor);
    }
}

tri_actor *tri_run_queue_pop(tri_run_queue *q)
{
    for (;;) {
        /* relaxed: the owner's own word */
        uint64_t tail = tr_load_relaxed(&q->tail);
        /* edge ring-head (acquire): with the CAS of steal */
        uint64_t head = tr_load_acquire(&q->head);
        if (head == tail) {
            if (TR_LIKELY(q->overflow_first == NULL))
                return NULL;
            refill(q);
            continue;
        }
        /* relaxed: the owner wrote it */
        tri_actor *actor = tr_load_relaxed(&q->ring[head % TRI_RING]);
        /* edge ring-head (acq_rel): with the CAS of steal; one of us gets the place */
        if (tr_cas_acq_rel(&q->head, &head, head + 1))
            return actor;
    }
}

tri_actor *tri_run_queue_steal(tri_run_queue *thief, tri_run_queue *victim, uint32_t *ret_taken)
{
    /* relaxed: the thief's own word */
    uint64_t to = tr_load_relaxed(&thief->tail);
    /* edge ring-head (acquire): with the CAS of pop and of other thieves */
    uint64_t head = tr_load_acquire(&victim->head);
    for (;;) {
        /* edge ring-tail (acquire): with put; carries the places and the actors */
        uint64_t tail = tr_load_acquire(&victim->tail);
        if (tail <= head)
            return NULL;
        uint64_t n = (tail - head + 1) / 2;
        if (n > TRI_RING / 2) { /* head is stale: more than the ring can hold */
            /* edge ring-head (acquire): as above */
            head = tr_load_acquire(&victim->head);
            continue;
        }
        /* The last of them is the one to run; the others go behind our tail,
         * where nobody sees them until it moves. */
        for (uint64_t i = 0; i < n; i++) {
            /* relaxed: ordered by tail's acquire; a torn set fails the CAS below */
            tri_actor *actor = tr_load_relaxed(&victim->ring[(head + i) % TRI_RING]);
            /* relaxed: published by tail below */
            tr_store_relaxed(&thief->ring[(to + i) % TRI_RING], actor);
        }
        /* edge ring-head (acq_rel): with pop and put: frees the places, owns the actors */
        if (!tr_cas_acq_rel(&victim->head, &head, head + n))
            continue;
        *ret_taken = (uint32_t)n;
        /* relaxed: written above by this thread */
        tri_actor *mine = tr_load_relaxed(&thief->ring[(to + n - 1) % TRI_RING]);
        /* edge ring-tail (release): with tri_run_queue_steal by others */
        tr_store_release(&thief->tail, to + n - 1);
        return mine;
    }
}
