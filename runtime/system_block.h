/*
 * system_block - a running system in memory
 */
#ifndef RUNTIME_SYSTEM_BLOCK_H
#define RUNTIME_SYSTEM_BLOCK_H

#include "mem/pool_blocks.h"
#include "runtime/inject.h"
#include "runtime/worker.h"

#define TRI_MAILBOX_BYTES_MAX (1u << 30)

typedef struct tri_stats_socket tri_stats_socket;

struct tr_system {
    tri_sender sender; /* first: a tr_from may be a system */
    char name[48];
    uint64_t started; /* ns, as tr_now */
    uint32_t max_actors;
    uint64_t held_back; /* of a mailbox's room, by the workers: see actor_block.h */
    uint32_t mailbox_messages;
    uint32_t mailbox_bytes;
    uint64_t mailbox_limit; /* the two as a limit word */
    void (*on_dead_letter)(const tr_dead_letter *letter, void *arg);
    void *on_dead_letter_arg;
    unsigned worker_count;
    unsigned worker_threads; /* that were created; less when start failed half-way */
    tri_worker *workers;
    uint64_t *quiet_seen; /* worker_count words for each worker's limbo */
    tri_stats_socket *stats_socket; /* NULL: none */

    TR_ATOMIC(bool) stopping; /* takes nothing new */
    TR_ATOMIC(bool) ending;   /* workers leave */
    tri_slots slots;
    tri_inject inject;
    tri_idle idle;

    /* What threads from outside share. */
    TR_CACHE_ALIGNED ck_spinlock_fas_t outside_lock;
    tri_slot_cache outside_slots; /* under outside_lock */
    TR_ATOMIC(uint64_t) outside_spawned;
    TR_ATOMIC(uint32_t) living; /* when max_actors is at most TRI_EXACT_LIMIT */
    TR_ATOMIC(uint64_t) outside_dead_letters;
};

/* A thread from outside begins, and ends, a send, stop or spawn: it reads pids,
 * and the system is not quiet meanwhile. */
static inline void tri_outside_enter(tr_system *system)
{
    tri_rcu_enter();
    tri_idle_enter(&system->idle);
}

static inline void tri_outside_leave(tr_system *system)
{
    tri_idle_leave(&system->idle);
    tri_rcu_leave();
    tri_pool_pause(); /* it may not come again for long, and others free what it sent */
}

static inline const tri_sender *tri_from_sender(tr_from from)
{
    /* both begin with one */
    return (const tri_sender *)(const void *)from.system;
}

/*
 * Count a message that reached nobody and tell the hook, whose panics end here.
 * worker: the calling one, or NULL; letter->from is filled in by the caller.
 */
void tri_dead_letter(tr_system *system, tri_worker *worker, const tr_dead_letter *letter);

/* Up to this limit the living are counted in one word, exactly; above it, by the
 * workers' counters, so that no spawn touches what others write. */
#define TRI_EXACT_LIMIT 65536u

/* An actor has ended, or was not made after all: its place is free. */
static inline void tri_actor_leave_place(tr_system *system)
{
    if (system->max_actors <= TRI_EXACT_LIMIT)
        /* relaxed: a count orders nothing */
        tr_fetch_sub_relaxed(&system->living, 1);
}

/* Actors alive: exact when all is quiet. */
uint64_t tri_system_alive(tr_system *system);

#endif
