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
 * 5. Nobody starves in overflow: the old list is taken from at every
 *    TRI_OLD_EVERY-th refill, and when it is empty all that is new then becomes
 *    the old list, oldest first. Each actor is turned round once at most.
 */
#include "runtime/run_queue.h"

void tri_run_queue_init(tri_run_queue *q)
{
    tr_atomic_init(&q->head, 0);
    tr_atomic_init(&q->tail, 0);
    tr_atomic_init(&q->overflow_count, 0);
    q->overflow_new = NULL;
    q->overflow_old = NULL;
    q->refills = 0;
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

static bool has_overflow(tri_run_queue *q)
{
    /* relaxed: the owner's own word */
    return tr_load_relaxed(&q->overflow_count) != 0;
}

static void put_overflow(tri_run_queue *q, tri_actor *actor)
{
    actor->link.next = q->overflow_new;
    q->overflow_new = actor;
    tr_count_add(&q->overflow_count, 1);
}

void tri_run_queue_push(tri_run_queue *q, tri_actor *actor)
{
    /* relaxed: the owner's own word */
    uint64_t tail = tr_load_relaxed(&q->tail);
    /* edge ring-head (acquire): with the CAS of pop and steal; the places below head are free */
    uint64_t head = tr_load_acquire(&q->head);
    if (TR_LIKELY(!has_overflow(q) && tail - head < TRI_RING))
        put(q, tail, actor);
    else
        put_overflow(q, actor);
}

/* All that is new becomes old: the oldest first. */
static void turn_round(tri_run_queue *q)
{
    while (q->overflow_new != NULL) {
        tri_actor *actor = q->overflow_new;
        q->overflow_new = actor->link.next;
        actor->link.next = q->overflow_old;
        q->overflow_old = actor;
    }
}

/* The list to refill from; there is overflow. */
static tri_actor **choose_overflow(tri_run_queue *q)
{
    bool old = ++q->refills % TRI_OLD_EVERY == 0 || q->overflow_new == NULL;
    if (old && q->overflow_old == NULL)
        turn_round(q);
    return old ? &q->overflow_old : &q->overflow_new;
}

/* The ring is empty: put some of the overflow there, where thieves see them too. */
static void refill(tri_run_queue *q)
{
    /* relaxed: the owner's own word */
    uint64_t tail = tr_load_relaxed(&q->tail);
    tri_actor **list = choose_overflow(q);
    uint32_t most = list == &q->overflow_old ? TRI_REFILL_OLD : TRI_REFILL;
    for (uint32_t n = 0; n < most && *list != NULL; n++) {
        tri_actor *actor = *list;
        *list = actor->link.next;
        tr_count_add(&q->overflow_count, (uint32_t)-1);
        put(q, tail++, actor);
    }
}

uint32_t tri_run_queue_claim(tri_run_queue *q, tri_actor **ret_actors, uint32_t most)
{
    for (;;) {
        /* relaxed: the owner's own word */
        uint64_t tail = tr_load_relaxed(&q->tail);
        /* edge ring-head (acquire): with the CAS of steal */
        uint64_t head = tr_load_acquire(&q->head);
        if (head == tail) {
            if (TR_LIKELY(!has_overflow(q)))
                return 0;
            refill(q);
            continue;
        }
        uint64_t half = (tail - head + 1) / 2;
        uint32_t n = half < most ? (uint32_t)half : most;
        for (uint32_t i = 0; i < n; i++)
            /* relaxed: the owner wrote it */
            ret_actors[i] = tr_load_relaxed(&q->ring[(head + i) % TRI_RING]);
        /* edge ring-head (acq_rel): with the CAS of steal; one of us gets the places */
        if (tr_cas_acq_rel(&q->head, &head, head + n))
            return n;
    }
}

tri_actor *tri_run_queue_pop(tri_run_queue *q)
{
    tri_actor *actor;
    return tri_run_queue_claim(q, &actor, 1) != 0 ? actor : NULL;
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
