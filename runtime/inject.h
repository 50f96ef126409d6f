/*
 * inject - the queue through which outside threads make actors ready
 *
 *     any thread --enqueue--> [ wfcqueue ] --take, under a spinlock--> a worker
 *                              count: what the last look before parking reads
 *
 * liburcu's wait-free queue: an outside thread never waits for a worker. The
 * worker's side is short and under a lock, because two may come at once.
 */
#ifndef RUNTIME_INJECT_H
#define RUNTIME_INJECT_H

#include "runtime/actor_block.h"

#include <ck_spinlock.h>

typedef struct tri_inject {
    TR_CACHE_ALIGNED struct cds_wfcq_tail tail; /* producers */
    TR_ATOMIC(uint64_t) count;
    TR_CACHE_ALIGNED struct cds_wfcq_head head; /* consumers, under lock */
    ck_spinlock_fas_t lock;
} tri_inject;

void tri_inject_init(tri_inject *inject);

/* Any thread. The caller then sees to it that a worker looks (tri_idle_notify). */
void tri_inject_push(tri_inject *inject, tri_actor *actor);

/* Any worker: the oldest, or NULL (empty, or the lock is taken by another). */
tri_actor *tri_inject_take(tri_inject *inject);

/* A hint; exact when nobody is at it. */
static inline uint64_t tri_inject_length(tri_inject *inject)
{
    /* relaxed: a hint */
    int64_t count = (int64_t)tr_load_relaxed(&inject->count);
    return count > 0 ? (uint64_t)count : 0;
}

static inline bool tri_inject_has_work(tri_inject *inject)
{
    /* edge park (seq_cst): with tri_idle_park; the count was raised before the
     * producer looked for a parked worker */
    return tr_load_seq_cst(&inject->count) != 0;
}

#endif
