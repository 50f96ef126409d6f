/*
 * idle - see idle.h
 *
 * 1. word's parked is the number of workers whose park word went from AWAKE to
 *    PARKED and was not taken away from there; whoever takes it away (the worker
 *    itself, or a notifier) lowers parked in the same step of the protocol.
 * 2. A notified worker counts as searching from the moment of the notification,
 *    so that a second producer does not wake a second worker for the same work.
 */
#include "runtime/idle.h"

#include "runtime/steal.h"
#include "runtime/system_block.h"

#include <errno.h>
#include <time.h>

#define PARKED ((uint64_t)1)
#define SEARCHING ((uint64_t)1 << 16)
#define CHANGE ((uint64_t)1 << 32)

tr_status tri_idle_init(tri_idle *idle)
{
    tr_atomic_init(&idle->word, 0);
    tr_atomic_init(&idle->waiters, 0);
    tr_atomic_init(&idle->watched, false);
    tr_atomic_init(&idle->no_backlog_before, 0);
    tr_atomic_init(&idle->outside, 0);
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&idle->lock, NULL) != 0)
        return TR_NOMEM;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&idle->quiet, &attributes);
    pthread_condattr_destroy(&attributes);
    if (failed) {
        pthread_mutex_destroy(&idle->lock);
        return TR_NOMEM;
    }
    return TR_OK;
}

void tri_idle_fini(tri_idle *idle)
{
    pthread_cond_destroy(&idle->quiet);
    pthread_mutex_destroy(&idle->lock);
}

bool tri_idle_wants_wake(tri_idle *idle)
{
    /* edge park (seq_cst): with tri_idle_park; the work was made visible before */
    uint64_t word = tr_load_seq_cst(&idle->word);
    return tri_idle_parked(word) != 0 && tri_idle_searching(word) == 0;
}

/* Take `worker` out of its sleep; false: it is not asleep (any more). */
static bool notify(tri_idle *idle, tri_worker *worker)
{
    uint32_t expected = TRI_PARK_PARKED;
    /* edge park (seq_cst): with tri_idle_park; one party takes PARKED away */
    if (tr_load_seq_cst(&worker->park) != expected ||
        /* edge park (seq_cst): as above */
        !tr_cas_seq_cst(&worker->park, &expected, TRI_PARK_NOTIFIED))
        return false;
    /* edge park (seq_cst): it searches from here on (2) */
    tr_fetch_add_seq_cst(&idle->word, SEARCHING + CHANGE - PARKED);
    tr_parker_unpark(&worker->parker);
    return true;
}

bool tri_idle_notify(tr_system *system)
{
    if (!tri_idle_wants_wake(&system->idle))
        return false;
    for (unsigned i = 0; i < system->worker_threads; i++)
        if (notify(&system->idle, &system->workers[i]))
            return true;
    return false;
}

void tri_idle_notify_worker(tri_worker *worker)
{
    (void)notify(&worker->ctx.sender.system->idle, worker);
}

bool tri_idle_start_search(tri_idle *idle, uint32_t workers)
{
    /* relaxed: a limit that may be passed by one is good enough */
    uint32_t searching = tri_idle_searching(tr_load_relaxed(&idle->word));
    if (searching * 2 >= workers)
        return false;
    /* edge park (seq_cst): producers see a searcher and wake nobody */
    tr_fetch_add_seq_cst(&idle->word, SEARCHING + CHANGE);
    return true;
}

bool tri_idle_stop_search(tri_idle *idle)
{
    /* edge park (seq_cst): from here on producers wake somebody again */
    uint64_t before = tr_fetch_add_seq_cst(&idle->word, CHANGE - SEARCHING);
    return tri_idle_searching(before) == 1;
}

/* It may have become quiet: the last worker has parked, or the last thread from
 * outside has left. Tell the threads that wait for that; they look themselves. */
static void announce_quiet(tri_idle *idle)
{
    /* edge quiet (seq_cst): with tri_idle_wait; it counts itself, then looks at word */
    if (tr_load_seq_cst(&idle->waiters) == 0)
        return;
    pthread_mutex_lock(&idle->lock);
    pthread_cond_broadcast(&idle->quiet);
    pthread_mutex_unlock(&idle->lock);
}

void tri_idle_leave(tri_idle *idle)
{
    /* edge quiet (seq_cst): with is_quiet; what was made ready is queued by now */
    if (tr_fetch_sub_seq_cst(&idle->outside, 1) == 1)
        announce_quiet(idle);
}

/* Is it us who looks again now and then at what does not pay to steal now? */
static bool begin_watch(tri_idle *idle)
{
    bool expected = false;
    /* relaxed: one of the parked is chosen, nothing is handed over */
    return tr_cas_relaxed(&idle->watched, &expected, true);
}

/* Sleep for a while; false: nobody has notified, and the worker is not parked any more. */
static bool watch(tri_worker *worker, uint64_t leave)
{
    tri_idle *idle = &worker->ctx.sender.system->idle;
    tr_status status = tr_parker_park_until(&worker->parker, tr_now() + TRI_WATCH);
    /* relaxed: as in begin_watch */
    tr_store_relaxed(&idle->watched, false);
    if (status == TR_OK)
        return true;
    uint32_t expected = TRI_PARK_PARKED;
    /* edge park (seq_cst): with notify; one party takes PARKED away */
    if (!tr_cas_seq_cst(&worker->park, &expected, TRI_PARK_AWAKE)) {
        tr_parker_park(&worker->parker); /* its unpark is under way */
        return true;
    }
    /* edge park (seq_cst): undone */
    tr_fetch_add_seq_cst(&idle->word, CHANGE + CHANGE - leave);
    return false;
}

tri_park_end tri_idle_park(tri_worker *worker, bool searching)
{
    tr_system *system = worker->ctx.sender.system;
    tri_idle *idle = &system->idle;
    uint64_t leave = searching ? PARKED + CHANGE - SEARCHING : PARKED + CHANGE;

    /* edge park (seq_cst): with notify; announced, then looked once more */
    tr_store_seq_cst(&worker->park, TRI_PARK_PARKED);
    /* edge park (seq_cst): with tri_idle_wants_wake */
    uint64_t word = tr_fetch_add_seq_cst(&idle->word, leave) + leave;
    tri_loot loot = tri_steal_look(worker);
    if (tri_worker_has_duty(worker) || loot == TRI_LOOT_NOW) {
        uint32_t expected = TRI_PARK_PARKED;
        /* edge park (seq_cst): with notify; one party takes PARKED away */
        if (tr_cas_seq_cst(&worker->park, &expected, TRI_PARK_AWAKE)) {
            /* edge park (seq_cst): undone */
            tr_fetch_add_seq_cst(&idle->word, CHANGE + CHANGE - leave);
            return TRI_PARK_REFUSED;
        }
    } else if (tri_idle_parked(word) == system->worker_count) {
        announce_quiet(idle);
    }
    /* Parked online, a worker would stop every grace period. */
    TR_DCHECK(worker->outbox.target == NULL);
    tri_worker_lie_down(worker);
    tri_rcu_offline();
    bool woken = true;
    if (loot != TRI_LOOT_NONE && begin_watch(idle))
        woken = watch(worker, leave);
    else
        tr_parker_park(&worker->parker);
    tri_rcu_online();
    tri_worker_wake_up(worker);
    /* relaxed: this worker's word until it parks again; notifiers look for PARKED only */
    tr_store_relaxed(&worker->park, TRI_PARK_AWAKE);
    return woken ? TRI_PARK_WOKEN : TRI_PARK_WATCHED;
}

/* All parked, nothing queued, and nothing changed while we looked. */
static bool is_quiet(tr_system *system)
{
    /* edge quiet (seq_cst): with announce_quiet */
    uint64_t word = tr_load_seq_cst(&system->idle.word);
    if (tri_idle_parked(word) != system->worker_count)
        return false;
    /* edge quiet (seq_cst): with tri_idle_enter and tri_idle_leave */
    if (tr_load_seq_cst(&system->idle.outside) != 0 || tri_inject_has_work(&system->inject))
        return false;
    for (unsigned i = 0; i < system->worker_count; i++)
        /* edge park (seq_cst): what the owner has not seen yet */
        if (tr_load_seq_cst(&system->workers[i].inbox) != NULL)
            return false;
    /* edge quiet (seq_cst): nobody has woken in between */
    return tr_load_seq_cst(&system->idle.word) == word;
}

tr_status tri_idle_wait(tr_system *system, uint64_t deadline)
{
    tri_idle *idle = &system->idle;
    struct timespec until = { .tv_sec = (time_t)(deadline / 1000000000u),
                              .tv_nsec = (long)(deadline % 1000000000u) };
    tr_status status = TR_OK;
    pthread_mutex_lock(&idle->lock);
    /* edge quiet (seq_cst): with announce_quiet; counted, then looked */
    tr_fetch_add_seq_cst(&idle->waiters, 1);
    while (!is_quiet(system)) {
        int error = deadline == TR_FOREVER ? pthread_cond_wait(&idle->quiet, &idle->lock)
                                           : pthread_cond_timedwait(&idle->quiet, &idle->lock, &until);
        if (error == ETIMEDOUT) {
            status = is_quiet(system) ? TR_OK : TR_TIMEOUT;
            break;
        }
    }
    /* relaxed: a waiter fewer is never waited for */
    tr_fetch_sub_relaxed(&idle->waiters, 1);
    pthread_mutex_unlock(&idle->lock);
    return status;
}
