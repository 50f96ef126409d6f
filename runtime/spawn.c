/*
 * spawn - making an actor, and what a handler may say about its own
 *
 *     take a slot -> fill it in -> publish the pid -> (start hook: make it ready)
 *
 * 1. Until its pid word is stored nobody finds the actor; with it everything
 *    that spawn wrote is visible to whoever resolves the pid.
 * 2. A system that stops finds each actor, since it looks at the pids until none is
 *    alive, and a worker soon sees that it is stopping. So no spawn pays for a
 *    store that the others see at once.
 * 3. A live actor's control holds NEW only until its start hook runs. From then on
 *    STOP is its only bit, so its own handlers set it by a plain store.
 */
#include "runtime/system_block.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint64_t limit_of(const tr_system *system, const tr_spawn_options *options)
{
    uint32_t messages = options != NULL && options->mailbox_messages != 0 ? options->mailbox_messages
                                                                          : system->mailbox_messages;
    uint32_t bytes = options != NULL && options->mailbox_bytes != 0 ? options->mailbox_bytes
                                                                    : system->mailbox_bytes;
    bool exact = messages < TRI_EXACT_MESSAGES || bytes < TRI_EXACT_BYTES;
    uint64_t limit = (uint64_t)(messages < INT32_MAX ? messages : INT32_MAX) << 32 | bytes;
    return exact ? limit | TRI_LIMIT_IS_EXACT : limit;
}

/* The state: in the slot if it fits, else a block of its own. NULL: no memory. */
static void *make_state(tri_actor *actor, const tr_behaviour *behaviour, const void *state)
{
    tr_layout layout = { behaviour->state_size, behaviour->state_align };
    void *place = actor->inline_state;
    if (layout.size > TRI_INLINE_STATE || layout.align > TR_CACHE_LINE)
        place = tr_alloc(layout);
    if (place == NULL)
        return NULL;
    if (state != NULL)
        memcpy(place, state, layout.size);
    else
        memset(place, 0, layout.size);
    return place;
}

static void fill(tri_actor *actor, const tr_behaviour *behaviour, uint64_t limit, unsigned pin)
{
    bool has_start = behaviour->start != NULL;
    if (has_start)
        tr_mpsc_init_awake(&actor->mailbox);
    else
        tr_mpsc_init(&actor->mailbox);
    /* relaxed: all of these are published by the pid word */
    tr_store_relaxed(&actor->pushed, 0);
    /* relaxed: as above */
    tr_store_relaxed(&actor->first, 0);
    /* relaxed: as above */
    tr_store_relaxed(&actor->floor, 0);
    /* relaxed: as above */
    tr_store_relaxed(&actor->consumed, 0);
    /* relaxed: as above */
    tr_store_relaxed(&actor->behaviour, behaviour);
    /* relaxed: as above */
    tr_store_relaxed(&actor->control, has_start ? TRI_CONTROL_NEW : 0);
    actor->limit = limit;
    actor->pin = (uint16_t)pin;
    actor->position = &actor->mailbox.stub;
    actor->watchers = NULL;
    actor->turn = 0;
    actor->debt = 0;
}

static tri_actor *take_slot(tr_system *system, tri_worker *worker)
{
    if (worker != NULL)
        return tri_slot_take(&system->slots, &worker->slots);
    ck_spinlock_fas_lock_eb(&system->outside_lock);
    tri_actor *actor = tri_slot_take(&system->slots, &system->outside_slots);
    ck_spinlock_fas_unlock(&system->outside_lock);
    return actor;
}

/* The slot was not used after all: its generation is skipped. */
static void give_slot(tr_system *system, tri_worker *worker, tri_actor *actor)
{
    if (worker != NULL) {
        tri_slot_give(&system->slots, &worker->slots, actor);
        return;
    }
    ck_spinlock_fas_lock_eb(&system->outside_lock);
    tri_slot_give(&system->slots, &system->outside_slots, actor);
    ck_spinlock_fas_unlock(&system->outside_lock);
}

/* The actor has a start hook: it runs before anybody's message. */
static void make_ready(tr_system *system, tri_worker *worker, tri_actor *actor)
{
    if (worker != NULL) {
        tri_worker_schedule(worker, actor);
    } else if (actor->pin != 0) {
        tri_worker_schedule_pinned(&system->workers[actor->pin - 1], actor);
    } else {
        tri_inject_push(&system->inject, actor);
        tri_idle_notify(system);
    }
}

static void count_spawned(tr_system *system, tri_worker *worker)
{
    if (worker != NULL)
        tr_count_add(&worker->counters.spawned, 1);
    else
        /* relaxed: a statistic */
        tr_fetch_add_relaxed(&system->outside_spawned, 1);
}

/* Small limits are exact: one shared count. */
static bool take_place(tr_system *system)
{
    /* relaxed: a count orders nothing */
    if (tr_fetch_add_relaxed(&system->living, 1) < system->max_actors)
        return true;
    /* relaxed: undone */
    tr_fetch_sub_relaxed(&system->living, 1);
    return false;
}

/*
 * Is there room for one more? Counting the living means reading every worker's
 * counters, so the answer is good for some spawns: for a fair part of the room
 * that is left. Workers that count at one moment may pass the limit by one each.
 */
static bool may_spawn(tr_system *system, tri_worker *worker)
{
    if (system->max_actors <= TRI_EXACT_LIMIT)
        return take_place(system);
    if (worker != NULL && worker->spawn_credit != 0) {
        worker->spawn_credit--;
        return true;
    }
    uint64_t alive = tri_system_alive(system);
    if (alive >= system->max_actors)
        return false;
    uint64_t share = (system->max_actors - alive - 1) / (system->worker_count + 1);
    if (worker != NULL)
        worker->spawn_credit = (uint32_t)(share < TRI_SPAWN_CREDIT ? share : TRI_SPAWN_CREDIT);
    return true;
}

/* On a worker, or between tri_outside_enter and leave: a system that stops waits
 * for either. */
static tr_status spawn(tr_from from, const tr_behaviour *behaviour, const void *state, uint64_t limit,
                       unsigned pin, tr_pid *ret_pid)
{
    tr_system *system = tri_from_sender(from)->system;
    tri_worker *worker = tri_sender_worker(tri_from_sender(from));
    /* edge stopping (seq_cst): with tr_system_stop; a thread from outside was
     * counted before; what a worker misses is found (2) */
    if (TR_UNLIKELY(tr_load_seq_cst(&system->stopping)))
        return TR_SHUTDOWN;
    if (!may_spawn(system, worker))
        return TR_LIMIT;
    tri_actor *actor = take_slot(system, worker);
    if (actor == NULL) {
        tri_actor_leave_place(system);
        return TR_LIMIT;
    }
    actor->state = make_state(actor, behaviour, state);
    if (actor->state == NULL) {
        tri_actor_leave_place(system);
        give_slot(system, worker, actor);
        return TR_NOMEM;
    }
    fill(actor, behaviour, limit, pin);
    tr_pid pid = tri_slot_pid(&system->slots, actor);
    count_spawned(system, worker);
    /* edge pid (release): with tri_pid_resolve; carries the actor (1) */
    tr_store_release(&actor->pid, pid.bits);
    if (behaviour->start != NULL)
        make_ready(system, worker, actor);
    *ret_pid = pid;
    return TR_OK;
}

tr_status tr_spawn(tr_from from, const tr_behaviour *behaviour, void *state,
                   const tr_spawn_options *options, tr_pid *ret_pid)
{
    tr_system *system = tri_from_sender(from)->system;
    uint64_t limit = limit_of(system, options);
    unsigned pin = options != NULL ? options->pin : 0;
    if (pin > system->worker_count || (uint32_t)limit > TRI_MAILBOX_BYTES_MAX)
        return TR_INVALID;
    if (tri_sender_worker(tri_from_sender(from)) != NULL)
        return spawn(from, behaviour, state, limit, pin, ret_pid);
    tri_outside_enter(system);
    tr_status status = spawn(from, behaviour, state, limit, pin, ret_pid);
    tri_outside_leave(system);
    return status;
}

/* -- what a handler says of its own actor --------------------------------------- */

tr_pid tr_self(const tr_ctx *ctx)
{
    /* relaxed: written by this worker, at its end */
    return (tr_pid){ tr_load_relaxed(&ctx->actor->pid) };
}

tr_system *tr_ctx_system(const tr_ctx *ctx)
{
    return ctx->sender.system;
}

/* The first reason that an actor gives for its end counts. */
static bool leave(tr_ctx *ctx, tr_exit_reason reason, tr_status status)
{
    tri_worker *worker = ctx->sender.worker;
    if (worker->exit_is_set)
        return false;
    worker->exit_is_set = true;
    worker->exit.reason = reason;
    worker->exit.status = status;
    worker->exit.text[0] = '\0';
    /* relaxed: read by this worker, after the handler; tr_stop stores the same (3) */
    tr_store_relaxed(&ctx->actor->control, (uint32_t)TRI_CONTROL_STOP);
    return true;
}

void tr_stop_self(tr_ctx *ctx)
{
    (void)leave(ctx, TR_EXIT_NORMAL, TR_OK);
}

void tr_fail(tr_ctx *ctx, tr_status status, const char *format, ...)
{
    if (!leave(ctx, TR_EXIT_FAILED, status))
        return;
    va_list arguments;
    va_start(arguments, format);
    tr_exit *why = &ctx->sender.worker->exit;
    vsnprintf(why->text, sizeof why->text, format, arguments);
    va_end(arguments);
}

const char *tr_exit_reason_name(tr_exit_reason reason)
{
    switch (reason) {
    case TR_EXIT_NORMAL:
        return "normal";
    case TR_EXIT_SHUTDOWN:
        return "shutdown";
    case TR_EXIT_FAILED:
        return "failed";
    case TR_EXIT_PANIC:
        return "panic";
    }
    return "?";
}
