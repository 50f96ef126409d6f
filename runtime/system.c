/*
 * system - start and stop
 *
 *     start: reserve slots -> make workers -> start their threads -> stats socket
 *     stop:  take nothing new -> stop every actor -> wait until all is quiet
 *            -> workers leave -> the dead are buried -> free
 */
#include "runtime/system_block.h"

#include "mem/rcu.h"
#include "runtime/stats_socket.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/mem/clock.h>

#define DEFAULT_MAX_ACTORS (1u << 22)
/* Slots beyond max_actors: for the dead whose grace period is not over, and for
 * those that wait in the workers' caches. Address space, until they are used. */
#define SPARE_SLOTS (1u << 20)
#define DEFAULT_MAILBOX_MESSAGES 65536u
#define DEFAULT_MAILBOX_BYTES (64u << 20)
#define WORKERS_MAX 1024u
#define LOOK_AGAIN TR_MILLISECONDS(1) /* for actors that a stop has missed */
#define MAX_ACTORS (1u << (TR_PID_INDEX_BITS - 1))

/* -- configuration ------------------------------------------------------------- */

static unsigned usable_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

/* $TROUPE_WORKERS; 0 when unset, more than WORKERS_MAX when it is no number. */
static unsigned workers_from_environment(void)
{
    const char *text = getenv("TROUPE_WORKERS");
    if (text == NULL || *text == '\0')
        return 0;
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    bool is_number = *end == '\0' && errno == 0 && text[0] != '-';
    return is_number && value != 0 && value <= WORKERS_MAX ? (unsigned)value : WORKERS_MAX + 1;
}

static tr_status resolve_config(const tr_config *given, tr_config *ret_config)
{
    tr_config config = given != NULL ? *given : (tr_config){ 0 };
    if (config.workers == 0)
        config.workers = workers_from_environment();
    if (config.workers == 0)
        config.workers = usable_cpus();
    if (config.max_actors == 0)
        config.max_actors = DEFAULT_MAX_ACTORS;
    if (config.mailbox_messages == 0)
        config.mailbox_messages = DEFAULT_MAILBOX_MESSAGES;
    if (config.mailbox_bytes == 0)
        config.mailbox_bytes = DEFAULT_MAILBOX_BYTES;
    if (config.name == NULL)
        config.name = program_invocation_short_name;
    if (config.workers > WORKERS_MAX || config.max_actors > MAX_ACTORS ||
        config.mailbox_bytes > TRI_MAILBOX_BYTES_MAX)
        return TR_INVALID;
    *ret_config = config;
    return TR_OK;
}

/* -- start ------------------------------------------------------------------------ */

static void init_worker(tr_system *system, tri_worker *worker, unsigned index)
{
    memset(worker, 0, sizeof *worker);
    worker->ctx.sender = (tri_sender){ .system = system, .worker = worker };
    worker->index = index;
    worker->random = 0x9e3779b97f4a7c15u * (index + 1);
    worker->steal_backoff = TRI_STEAL_BACKOFF;
    worker->timing = true;
    worker->outbox.uncounted = TRI_CHAIN_CLOSED;
    tr_atomic_init(&worker->turn_started, system->started);
    worker->limbo.seen = &system->quiet_seen[(size_t)index * system->worker_count];
    tr_atomic_init(&worker->quiet, 1); /* not running yet: as parked */
    tr_atomic_init(&worker->park, TRI_PARK_AWAKE);
    tr_atomic_init(&worker->counters.state, TR_WORKER_RUNNING);
    tri_run_queue_init(&worker->queue);
    tr_parker_init(&worker->parker);
}

static tr_layout workers_layout(const tr_system *system)
{
    return (tr_layout){ sizeof(tri_worker) * system->worker_count, _Alignof(tri_worker) };
}

static tr_layout quiet_seen_layout(const tr_system *system)
{
    size_t words = (size_t)system->worker_count * system->worker_count;
    return (tr_layout){ sizeof(uint64_t) * words, _Alignof(uint64_t) };
}

static void free_system(tr_system *system)
{
    for (unsigned i = 0; i < system->worker_count; i++)
        tr_parker_fini(&system->workers[i].parker);
    tr_dealloc(system->workers, workers_layout(system));
    tr_dealloc(system->quiet_seen, quiet_seen_layout(system));
    tri_slots_fini(&system->slots);
    tri_idle_fini(&system->idle);
    tr_dealloc(system, tr_layout_of(tr_system));
}

static tr_status make_system(const tr_config *config, tr_system **ret_system)
{
    tr_system *system = tr_alloc_zeroed(tr_layout_of(tr_system));
    if (system == NULL)
        return TR_NOMEM;
    system->sender.system = system;
    snprintf(system->name, sizeof system->name, "%s", config->name);
    system->started = tr_now();
    system->max_actors = config->max_actors;
    system->held_back = tri_held_back(config->workers);
    system->mailbox_messages = config->mailbox_messages;
    system->mailbox_bytes = config->mailbox_bytes;
    system->mailbox_limit = tri_mailbox_limit(config->mailbox_messages, config->mailbox_bytes);
    system->on_dead_letter = config->on_dead_letter;
    system->on_dead_letter_arg = config->on_dead_letter_arg;
    system->worker_count = config->workers;
    ck_spinlock_fas_init(&system->outside_lock);
    tri_inject_init(&system->inject);

    tr_status status = tri_idle_init(&system->idle);
    if (status != TR_OK)
        goto no_idle;
    /* Slot 0 is never used. */
    status = tri_slots_init(&system->slots, config->max_actors + 1 + SPARE_SLOTS);
    if (status != TR_OK)
        goto no_slots;
    system->workers = tr_alloc(workers_layout(system));
    system->quiet_seen = tr_alloc(quiet_seen_layout(system));
    if (system->workers == NULL || system->quiet_seen == NULL) {
        status = TR_NOMEM;
        goto no_workers;
    }
    for (unsigned i = 0; i < system->worker_count; i++)
        init_worker(system, &system->workers[i], i);
    *ret_system = system;
    return TR_OK;

no_workers:
    tr_dealloc(system->workers, workers_layout(system));
    tr_dealloc(system->quiet_seen, quiet_seen_layout(system));
    tri_slots_fini(&system->slots);
no_slots:
    tri_idle_fini(&system->idle);
no_idle:
    tr_dealloc(system, tr_layout_of(tr_system));
    return status;
}

/* Let the workers leave, wait for them, bury what died last, free all. */
static void end_system(tr_system *system)
{
    /* edge ending (seq_cst): with next_actor, and a producer of the edge park */
    tr_store_seq_cst(&system->ending, true);
    for (unsigned i = 0; i < system->worker_threads; i++)
        tri_idle_notify_worker(&system->workers[i]);
    for (unsigned i = 0; i < system->worker_threads; i++)
        pthread_join(system->workers[i].thread, NULL);
    /* A thread from outside may be on its way out of its last call; and every
     * grace period that a worker began has to end. The workers' threads are gone,
     * so their dead are buried here. */
    tri_rcu_synchronize();
    tri_rcu_barrier();
    for (unsigned i = 0; i < system->worker_threads; i++)
        tri_limbo_collect(&system->workers[i]);
    free_system(system);
}

static tr_status start_threads(tr_system *system)
{
    tri_rcu_start_helper(); /* an actor must be able to die when memory is exhausted */
    for (unsigned i = 0; i < system->worker_count; i++) {
        tri_worker *worker = &system->workers[i];
        if (pthread_create(&worker->thread, NULL, tri_worker_main, worker) != 0)
            return TR_LIMIT;
        char name[16]; /* as long as the kernel allows */
        snprintf(name, sizeof name, "troupe-%hu", (unsigned short)i);
        pthread_setname_np(worker->thread, name);
        system->worker_threads++;
    }
    return TR_OK;
}

tr_status tr_system_try_start(const tr_config *given, tr_system **ret_system)
{
    tr_config config;
    tr_system *system;
    tr_status status = resolve_config(given, &config);
    if (status == TR_OK)
        status = make_system(&config, &system);
    if (status != TR_OK)
        return status;
    status = start_threads(system);
    if (status != TR_OK) {
        end_system(system);
        return status;
    }
    /* Without the socket `troupe stat` does not see the system; it runs all the same. */
    if (!config.no_stats_socket &&
        tri_stats_socket_start(system, system->name, &system->stats_socket) != TR_OK)
        system->stats_socket = NULL;
    *ret_system = system;
    return TR_OK;
}

tr_system *tr_system_start(const tr_config *config)
{
    tr_system *system;
    TR_MUST(tr_system_try_start(config, &system));
    return system;
}

/* -- stop --------------------------------------------------------------------------- */

static uint64_t deadline_after(uint64_t timeout)
{
    uint64_t now = tr_now();
    return timeout < TR_FOREVER - now ? now + timeout : TR_FOREVER;
}

uint64_t tri_system_alive(tr_system *system)
{
    /* relaxed: exact when all is quiet, which its callers have waited for */
    uint64_t ended = 0, spawned = tr_load_relaxed(&system->outside_spawned);
    for (unsigned i = 0; i < system->worker_count; i++) {
        tri_counters *counters = &system->workers[i].counters;
        /* relaxed: as above */
        ended += tr_load_relaxed(&counters->ended);
        /* relaxed: as above */
        spawned += tr_load_relaxed(&counters->spawned);
    }
    return spawned > ended ? spawned - ended : 0;
}

static void stop_every_actor(tr_system *system)
{
    /* edge slots-used (acquire): with refill_fresh in slots.c */
    uint32_t used = tr_load_acquire(&system->slots.used);
    for (uint32_t i = 1; i < used; i++) {
        /* relaxed: tr_stop resolves it; what is missed is seen by the next look */
        tr_pid pid = { tr_load_relaxed(&system->slots.base[i].pid) };
        if (!tr_pid_is_none(pid))
            (void)tr_stop(system, pid);
    }
}

/*
 * A worker that is in a spawn may have missed `stopping`, and its actor's pid our
 * look at them. Such an actor may be one that never rests, so the pids are looked
 * at again, at ever longer intervals: in all that takes at most as long as waiting.
 */
static uint64_t next_look(uint64_t started)
{
    uint64_t now = tr_now(), pause = now - started;
    return now + (pause > LOOK_AGAIN ? pause : LOOK_AGAIN);
}

/* Also a worker of another system: it would not run its own actors meanwhile. */
static void must_be_outside(const char *call)
{
    if (tri_worker_self != NULL)
        tr_panic("%s would block a worker", call);
}

tr_status tr_system_wait_idle(tr_system *system, uint64_t timeout)
{
    must_be_outside("tr_system_wait_idle");
    return tri_idle_wait(system, deadline_after(timeout));
}

tr_status tr_system_stop(tr_system *system, uint64_t timeout)
{
    must_be_outside("tr_system_stop");
    uint64_t deadline = deadline_after(timeout), started = tr_now();
    /* edge stopping (seq_cst): with tr_spawn; a thread from outside that missed it is counted */
    tr_store_seq_cst(&system->stopping, true);
    for (;;) {
        stop_every_actor(system);
        uint64_t look = next_look(started);
        tr_status status = tri_idle_wait(system, look < deadline ? look : deadline);
        if (status == TR_OK && tri_system_alive(system) == 0)
            break;
        if (status != TR_OK && look >= deadline)
            return status;
    }
    if (system->stats_socket != NULL)
        tri_stats_socket_stop(system->stats_socket);
    end_system(system);
    return TR_OK;
}

unsigned tr_system_workers(const tr_system *system)
{
    return system->worker_count;
}
