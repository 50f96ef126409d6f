/*
 * idle - who sleeps, who searches, and who wakes whom
 *
 *     RUNNING --nothing to run--> SEARCHING --nothing found--> PARKED
 *        ^----------found-----------'                            |
 *        ^------------------------- notified (searching) --------'
 *
 * One word counts the parked and the searching workers of a system. Waking a
 * sleeping thread costs as much as hundreds of messages, so nobody is woken
 * while another worker searches already, and a searcher that finds work and
 * leaves some behind wakes the next.
 *
 * A wake-up is not lost, because both sides order a store before a load, seq_cst:
 *     producer   make the work visible;   then look whether somebody is parked
 *     worker     announce that it parks;  then look once more for work
 * and one of the two sees the other. That is the edge "park".
 */
#ifndef RUNTIME_IDLE_H
#define RUNTIME_IDLE_H

#include <pthread.h>

#include <troupe/mem/atomic.h>
#include <troupe/runtime/system.h>

typedef struct tri_worker tri_worker;

/* What a worker's park word says. */
enum {
    TRI_PARK_AWAKE,
    TRI_PARK_PARKED,
    TRI_PARK_NOTIFIED, /* whoever made it so unparks the thread, once */
};

typedef struct tri_idle {
    /* parked | searching << 16 | changes << 32; changes make a snapshot comparable */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) word;
    TR_ATOMIC(uint32_t) waiters; /* threads in tri_idle_wait */
    TR_ATOMIC(bool) watched;     /* a parked worker looks again now and then */
    /* A theft was not worth it: wake nobody for a backlog before this time, ns. */
    TR_ATOMIC(uint64_t) no_backlog_before;
    /* Threads from outside in the middle of making something ready. */
    TR_CACHE_ALIGNED TR_ATOMIC(uint32_t) outside;
    pthread_mutex_t lock;        /* for the condition only */
    pthread_cond_t quiet;        /* every worker has parked */
} tri_idle;

tr_status tri_idle_init(tri_idle *idle);
void tri_idle_fini(tri_idle *idle);

static inline uint32_t tri_idle_parked(uint64_t word)
{
    return (uint32_t)(word & 0xffff);
}

static inline uint32_t tri_idle_searching(uint64_t word)
{
    return (uint32_t)(word >> 16 & 0xffff);
}

/* Would a wake-up help: is somebody parked and nobody searching? */
bool tri_idle_wants_wake(tri_idle *idle);

/* Work was made visible: wake one worker, unless one searches. True: woken. */
bool tri_idle_notify(tr_system *system);

/* Work was made visible that only `worker` can do: wake it if it is parked. */
void tri_idle_notify_worker(tri_worker *worker);

/* May one more worker search? If so it counts as searching from now on. */
bool tri_idle_start_search(tri_idle *idle, uint32_t workers);

/* A searcher found something. True: it was the last one that searched. */
bool tri_idle_stop_search(tri_idle *idle);

typedef enum tri_park_end {
    TRI_PARK_REFUSED, /* there was work after all; the worker counts as it did before */
    TRI_PARK_WOKEN,   /* it was notified, and counts as searching */
    TRI_PARK_WATCHED, /* it is time to look again; the worker counts as it did before */
} tri_park_end;

/*
 * Sleep until notified, unless there is work after all. `searching`: the worker
 * counts as searching. While there is work that does not pay to steal, one of the
 * parked wakes up every TRI_WATCH to look at it again: its owner may be stuck.
 */
tri_park_end tri_idle_park(tri_worker *worker, bool searching);

/*
 * A thread from outside begins, and ends, a call that may make an actor ready.
 * Between taking IDLE away from a mailbox and queueing its actor the work is in
 * nobody's queue: without this count another thread could believe all is quiet.
 */
static inline void tri_idle_enter(tri_idle *idle)
{
    /* edge quiet (seq_cst): with is_quiet; counted before anything is done */
    tr_fetch_add_seq_cst(&idle->outside, 1);
}
void tri_idle_leave(tri_idle *idle);

/* Wait from outside until all workers are parked and nothing is to be done. */
tr_status tri_idle_wait(tr_system *system, uint64_t deadline);

#endif
