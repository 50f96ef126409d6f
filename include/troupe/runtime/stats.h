/*
 * stats - what a running system does, read from outside at no cost to it
 *
 * Every counter has one writer (a worker) and is read with a relaxed load: a
 * snapshot is exact once the system is idle, and a moment's blur while it runs.
 * `troupe stat` shows the same numbers for running programs.
 */
#ifndef TROUPE_RUNTIME_STATS_H
#define TROUPE_RUNTIME_STATS_H

#include <troupe/mem/pool.h>
#include <troupe/runtime/system.h>

TR_BEGIN_DECLS

typedef enum tr_worker_state {
    TR_WORKER_RUNNING,   /* has an actor, or is between two */
    TR_WORKER_SEARCHING, /* looks for work at the others */
    TR_WORKER_PARKED,    /* sleeps */
} tr_worker_state;

typedef struct tr_worker_stats {
    tr_worker_state state;
    uint32_t queue;       /* actors ready to run on this worker */
    uint64_t activations; /* turns given to actors */
    uint64_t messages;    /* handled */
    uint64_t sent;        /* by handlers on this worker */
    uint64_t spawned;     /* by handlers on this worker */
    uint64_t ended;       /* actors that ended on this worker */
    uint64_t panics;
    uint64_t stolen;      /* actors taken from other workers */
    uint64_t parks;       /* times it went to sleep */
    uint64_t wakes;       /* other workers that it woke */
} tr_worker_stats;

/* The actors of one behaviour. */
typedef struct tr_kind_stats {
    char name[48];
    uint64_t actors;
    uint64_t queued;  /* messages in their mailboxes */
    uint64_t longest; /* the longest of these mailboxes */
} tr_kind_stats;

typedef struct tr_system_stats {
    char name[48];
    uint64_t uptime;       /* ns */
    uint32_t workers;
    uint32_t kinds;        /* behaviours with a live actor */
    uint64_t actors;       /* alive */
    uint64_t spawned;
    uint64_t ended;
    uint64_t messages;     /* handled */
    uint64_t queued;       /* in mailboxes now */
    uint64_t injected;     /* actors made ready from outside, waiting for a worker */
    uint64_t dead_letters;
    uint64_t panics;
    tr_pool_stats memory;  /* of the whole process */
} tr_system_stats;

/* Totals. O(workers + slots ever used). */
TR_API void tr_system_get_stats(tr_system *system, tr_system_stats *ret_stats);

/* Worker `index` (0 ..); TR_INVALID when there is none. O(1). */
TR_API TR_MUST_USE tr_status tr_system_get_worker_stats(tr_system *system, unsigned index,
                                                        tr_worker_stats *ret_stats);

/* Up to `capacity` behaviours, those with the most actors first; gives how many
 * were written. O(slots ever used). */
TR_API size_t tr_system_get_kind_stats(tr_system *system, tr_kind_stats *ret_kinds, size_t capacity);

TR_END_DECLS

#endif
