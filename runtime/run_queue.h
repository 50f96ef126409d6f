/*
 * run_queue - the actors that are ready on one worker
 *
 *     owner: push ->  [ ring of 256 ]  -> pop: owner
 *                 \                     `-> steal: thieves take half
 *      ring full:  `-> [ overflow ] refills the ring, a few at a time
 *
 * Threads            push  pop  steal  length     x: the caller keeps them apart
 *          push       x     x     -      -        -: any threads, any time
 *          pop        x     x     -      -        push, pop and claim: the owner
 *          steal      -     -     -      -
 * Progress push never waits; pop and steal repeat a compare-and-swap that
 *          failed because another took something: lock-free.
 * Order    first in, first out in the ring. Of what overflows the newest come
 *          first, so that a tree of spawns is worked off branch by branch and
 *          not all alive at once; every TRI_OLD_EVERY-th refill takes some of
 *          the oldest, so that nobody starves. What the owner did before push is
 *          visible to whoever gets the actor.
 * Memory   none: the overflow list goes through the actors.
 */
#ifndef RUNTIME_RUN_QUEUE_H
#define RUNTIME_RUN_QUEUE_H

#include "runtime/actor_block.h"

#define TRI_RING 256u /* a power of two */
#define TRI_OLD_EVERY 8u
/* How many a refill takes: few, so that what they spawn runs, and is gone, before
 * the next few. Of the oldest fewer still: each may be a branch of its own. */
#define TRI_REFILL 16u
#define TRI_REFILL_OLD 8u

typedef struct tri_run_queue {
    /* head: the next to leave; advanced by owner and thieves, by CAS. 64 bits,
     * so that it never comes round within a thief's reach. */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) head;
    /* tail: where the next goes; written by the owner. */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) tail;
    TR_ATOMIC(uint32_t) overflow_count; /* written by the owner */
    tri_actor *overflow_new;            /* owner only: newest first */
    tri_actor *overflow_old;            /* owner only: oldest first; older than all in new */
    uint32_t refills;
    TR_ATOMIC(tri_actor *) ring[TRI_RING];
} tri_run_queue;

void tri_run_queue_init(tri_run_queue *q);

void tri_run_queue_push(tri_run_queue *q, tri_actor *actor);

/*
 * Take the oldest, `most` of them and half of the ring at most, in one step; the
 * number that was taken. 0: the queue is empty.
 */
uint32_t tri_run_queue_claim(tri_run_queue *q, tri_actor **ret_actors, uint32_t most);

/* The oldest, or NULL. */
tri_actor *tri_run_queue_pop(tri_run_queue *q);

/*
 * Move half of the victim's ring (rounded up) into the thief's own queue, which
 * is empty, and give one of them to run; NULL: nothing to take. *ret_taken says
 * how many it was.
 */
tri_actor *tri_run_queue_steal(tri_run_queue *thief, tri_run_queue *victim, uint32_t *ret_taken);

/* Ready actors, overflow included; exact for the owner, a hint for others. */
static inline uint32_t tri_run_queue_length(tri_run_queue *q)
{
    /* relaxed: a hint, or the owner's own words */
    uint64_t tail = tr_load_relaxed(&q->tail);
    /* relaxed: as above */
    uint64_t head = tr_load_relaxed(&q->head);
    /* relaxed: as above */
    return (uint32_t)(tail > head ? tail - head : 0) + tr_load_relaxed(&q->overflow_count);
}

/* Does a thief find something? For the last look before parking. */
static inline bool tri_run_queue_has_work(tri_run_queue *q)
{
    /* edge park (seq_cst): with idle in tri_idle_park; the last look comes after the announcement */
    return tr_load_seq_cst(&q->tail) > tr_load_seq_cst(&q->head);
}

#endif
