/*
 * actor_end - how an actor ends
 *
 *     stop hook -> pid is dead -> state dropped -> mailbox emptied, askers and
 *     watchers told -> limbo -> (a grace period) -> emptied again -> slot free
 */
#ifndef RUNTIME_ACTOR_END_H
#define RUNTIME_ACTOR_END_H

#include "runtime/worker.h"

/*
 * End the worker's running actor. worker->exit says why; worker->at is its
 * position, a node that has been settled.
 */
void tri_actor_end(tri_worker *worker);

/* A hook panicked, as worker->end_stage says: the rest of the end. */
void tri_actor_end_go_on(tri_worker *worker);

/* The grace period is over: discard what arrived after the end. */
void tri_actor_discard_late(tri_worker *worker, tri_actor *actor);

#endif
