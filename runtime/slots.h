/*
 * slots - where actors live, and how a pid finds its actor
 *
 *     pid { node | generation | index }
 *                                 |
 *     base + index * 256 --> [ pid word | ... ]   equal? it lives. else: dead.
 *
 * One range of addresses is reserved at start, readable, so that any number may
 * be resolved; parts of it are made writable as slots are first used.
 *
 * Resolving a pid is arithmetic and one comparison, done where a grace period
 * (limbo.h) waits for us: on a worker between two of its quiescent states, else
 * between tri_outside_enter and leave. So long the slot found is not given to
 * another actor, and a sender may push into the mailbox of an actor that dies at
 * that moment (what it pushes is found after the grace period).
 *
 * Free slots wait in caches, one a worker, that trade whole segments with the
 * shared list: as Bonwick's magazines. A cache is an array of indices, so that
 * taking and giving touch no slot; the one given last is taken first.
 */
#ifndef RUNTIME_SLOTS_H
#define RUNTIME_SLOTS_H

#include "runtime/actor_block.h"

#include <ck_spinlock.h>

#define TRI_SEGMENT 32u
#define TRI_SLOT_CACHE (4 * TRI_SEGMENT)

#define TRI_LAST_GENERATION ((1u << TR_PID_GENERATION_BITS) - 1)

typedef struct tri_slots {
    tri_actor *base;
    uint32_t capacity;              /* slots; slot 0 is never used, so no pid is 0 */
    /* Apart from what every send reads. */
    TR_CACHE_ALIGNED TR_ATOMIC(uint32_t) used; /* slots below this have been handed out once */
    TR_ATOMIC(uint32_t) writable;   /* slots below this are more than address space */
    ck_spinlock_fas_t lock;
    uint32_t segments;              /* segments of free slots: the first's index; under lock */
} tri_slots;

/* Owned by one worker (or used under a lock of its own). */
typedef struct tri_slot_cache {
    uint32_t count;
    uint32_t free[TRI_SLOT_CACHE]; /* indices */
} tri_slot_cache;

tr_status tri_slots_init(tri_slots *slots, uint32_t capacity);
void tri_slots_fini(tri_slots *slots);

/* The cache is empty: get some. It stays empty when all slots are taken. */
void tri_slots_refill(tri_slots *slots, tri_slot_cache *cache);

/* The cache is full: give up a segment. */
void tri_slots_spill(tri_slots *slots, tri_slot_cache *cache);

/* A slot for a new actor: its generation is set, its pid word is 0. NULL: all
 * slots are taken. */
static inline tri_actor *tri_slot_take(tri_slots *slots, tri_slot_cache *cache)
{
    if (TR_UNLIKELY(cache->count == 0)) {
        tri_slots_refill(slots, cache);
        if (cache->count == 0)
            return NULL;
    }
    return &slots->base[cache->free[--cache->count]];
}

/* Back again, a grace period after its actor's death. A slot whose generations
 * are used up is retired. */
static inline void tri_slot_give(tri_slots *slots, tri_slot_cache *cache, tri_actor *actor)
{
    if (TR_UNLIKELY(actor->generation == TRI_LAST_GENERATION))
        return;
    actor->generation++;
    if (TR_UNLIKELY(cache->count == TRI_SLOT_CACHE))
        tri_slots_spill(slots, cache);
    cache->free[cache->count++] = (uint32_t)(actor - slots->base);
}

static inline tr_pid tri_pid_make(uint32_t index, uint32_t generation)
{
    return (tr_pid){ (uint64_t)generation << TR_PID_INDEX_BITS | index };
}

/* The pid of the actor that lives in the slot, or lived there last, or will next. */
static inline tr_pid tri_slot_pid(const tri_slots *slots, const tri_actor *actor)
{
    return tri_pid_make((uint32_t)(actor - slots->base), actor->generation);
}

static inline uint32_t tri_pid_index(tr_pid pid)
{
    return (uint32_t)pid.bits & ((1u << TR_PID_INDEX_BITS) - 1);
}

/* The live actor behind pid, or NULL. On a worker, or between tri_outside_enter and
 * leave; the result is good until the worker is quiescent, or the leave. */
static inline tri_actor *tri_pid_resolve(const tri_slots *slots, tr_pid pid)
{
    uint32_t index = tri_pid_index(pid);
    if (TR_UNLIKELY(index >= slots->capacity || pid.bits == 0))
        return NULL;
    tri_actor *actor = &slots->base[index];
    /* edge pid (acquire): with the release in publish of spawn.c; carries the actor's fields */
    return TR_LIKELY(tr_load_acquire(&actor->pid) == pid.bits) ? actor : NULL;
}

#endif
