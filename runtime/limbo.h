/*
 * limbo - the dead wait for a grace period before their slot lives again
 *
 *     actor ends -> worker's limbo -> batch --RCU--> ripe -> mailbox emptied
 *                                                             -> slot is free
 *
 * Somebody may have resolved the pid just before the end, and still push. After
 * a grace period nobody can; what arrived meanwhile is discarded then. Batches,
 * because one callback for each actor would cost more than the actor.
 */
#ifndef RUNTIME_LIMBO_H
#define RUNTIME_LIMBO_H

#include "runtime/actor_block.h"

#define TRI_LIMBO_BATCH 512u

typedef struct tri_worker tri_worker;

/* A worker's dead whose grace period has not begun. */
typedef struct tri_limbo {
    tri_actor *first;
    uint32_t count;
    uint32_t in_flight; /* batches whose grace period has begun, not collected yet */
} tri_limbo;

/* The actor is dead: its pid word is 0 and its state destroyed. */
void tri_limbo_add(tri_worker *worker, tri_actor *actor);

/* Begin the grace period of what is there, if anything. */
void tri_limbo_close(tri_worker *worker);

/* Are there dead, and no batch on its way? Asked between turns, so that a worker
 * which never rests does not keep its last dead, and who asked them, waiting. */
static inline bool tri_limbo_should_close(const tri_limbo *limbo)
{
    return limbo->first != NULL && limbo->in_flight == 0;
}

/* Empty and free the actors of every batch whose grace period is over. What the
 * drops of discarded messages send becomes ready here: look at the queues after. */
void tri_limbo_collect(tri_worker *worker);

#endif
