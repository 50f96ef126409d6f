/*
 * steal - work moves to who has none, if that pays
 *
 *     victim's ring --half of it--> thief's ring --used up--> was it worth it?
 *                                                    no: pause, twice as long each time
 *
 * Worth it is what takes its owner longer than waking somebody costs, or whose
 * owner is stuck; and, by experience, what lasted long enough for each stolen actor
 * and made all workers together faster.
 */
#ifndef RUNTIME_STEAL_H
#define RUNTIME_STEAL_H

#include "runtime/worker.h"

/* Somebody's actor to run, and others behind it in our ring; NULL: nothing that pays. */
tri_actor *tri_steal(tri_worker *worker, uint64_t now);

/* The worker has nothing left: if that was stolen, was it worth it? */
void tri_steal_judge(tri_worker *worker, uint64_t now);

/* What lies in the rings? For the last look before parking. */
typedef enum tri_loot {
    TRI_LOOT_NONE,
    TRI_LOOT_LATER, /* something that does not pay now */
    TRI_LOOT_NOW,
} tri_loot;
tri_loot tri_steal_look(tri_worker *worker);

/* Is what waits in the worker's own ring worth waking somebody for? It has just read the
 * clock. */
bool tri_steal_is_worth_a_wake(tri_worker *worker);

#endif
