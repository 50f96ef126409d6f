/*
 * limbo - the dead wait for a grace period before their slot lives again
 *
 *     actor ends -> dead -> waiting -------------- over --> mailbox emptied,
 *                                \                          slot is free
 *                                 `-- worker rests --RCU--> ripe --^
 *
 * Somebody may have resolved the pid just before the end, and still push. After
 * a grace period nobody can; what arrived meanwhile is discarded then.
 *
 * Who can hold a resolved pid? A worker of the system, until its next quiescent
 * state, which it counts in a word of its own; and a thread from outside, which
 * is counted while it is inside a call. So a busy worker finds out itself that a
 * grace period is over, mostly within some turns, and its slots are used again
 * while they are in the cache. When it goes to rest first, or threads from
 * outside are never all out, it leaves the rest to liburcu, whose helper thread
 * takes 10 ms and more.
 */
#ifndef RUNTIME_LIMBO_H
#define RUNTIME_LIMBO_H

#include "runtime/actor_block.h"

#define TRI_LIMBO_BATCH 64u     /* dead that are worth a grace period at once */
#define TRI_LIMBO_PATIENCE 16u  /* housekeepings that fewer dead wait for company */
#define TRI_LIMBO_TRIES 4096u   /* housekeepings before liburcu is asked */

typedef struct tri_worker tri_worker;

typedef struct tri_limbo {
    tri_actor *dead;     /* their grace period has not begun */
    uint32_t dead_count;
    uint32_t steps;      /* since something changed here */
    tri_actor *waiting;  /* for the grace period that has begun */
    unsigned passed;     /* workers before this one have been quiescent since */
    uint64_t *seen;      /* each worker's quiet word when it began */
} tri_limbo;

/* A word that counts quiescent states by two; odd: parked, so always quiescent. */
#define TRI_QUIET_STEP 2u

/* The actor is dead: its pid word is 0 and its state destroyed. */
static inline void tri_limbo_add(tri_limbo *limbo, tri_actor *actor)
{
    actor->link.next = limbo->dead;
    limbo->dead = actor;
    limbo->dead_count++;
}

/*
 * Look after the dead, between turns: bury those whose grace period is over,
 * begin the next one. What the drops of discarded messages send becomes ready
 * here: look at the queues after.
 */
void tri_limbo_step(tri_worker *worker);

/* The worker goes to rest: what cannot be buried now is left to liburcu. */
void tri_limbo_rest(tri_worker *worker);

/* Bury what liburcu has finished with. As tri_limbo_step, look at the queues. */
void tri_limbo_collect(tri_worker *worker);

#endif
