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

/* Most states are a few words: copied without a call. */
static inline void copy_state(unsigned char *to, const unsigned char *from, size_t size)
{
    if (size >= 8 && size <= 16) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size > 16 && size <= 32) {
        memcpy(to, from, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else {
        memcpy(to, from, size);
    }
}

/* The state: in the slot if it fits, else a block of its own. False: no memory. */
static inline bool make_state(tri_actor *actor, const tr_behaviour *behaviour, const void *state)
{
    size_t size = behaviour->state_size;
    if (TR_UNLIKELY(size > TRI_INLINE_STATE)) {
        actor->boxed_state = tr_alloc((tr_layout){ size, behaviour->state_align });
        if (actor->boxed_state == NULL)
            return false;
    }
    void *place = tri_actor_state(actor, behaviour);
    if (TR_LIKELY(state != NULL))
        copy_state(place, state, size);
    else
        memset(place, 0, size);
    return true;
}

/* Who counts what it sends to the actor by a plain store: a worker + 1. */
static inline uint16_t home_of(uint64_t limit, unsigned worker)
{
    bool exact = limit >> 32 < TRI_EXACT_MESSAGES || (uint32_t)limit < TRI_EXACT_BYTES;
    return exact ? TRI_EXACT : (uint16_t)worker;
}

/* Fill in the rest, and publish it: from here on it may run, and end. */
static inline tr_pid publish(tri_slots *slots, tri_actor *actor, const tr_behaviour *behaviour,
                             uint64_t limit, unsigned pin, unsigned home)
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
    tr_store_relaxed(&actor->own, 0);
    /* relaxed: as above */
    tr_store_relaxed(&actor->ceiling, tri_mailbox_ceiling(0, limit, 0, TRI_LOOK_MESSAGES));
    /* relaxed: as above */
    tr_store_relaxed(&actor->home, home_of(limit, home));
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
    tr_pid pid = tri_slot_pid(slots, actor);
    /* edge pid (release): with tri_pid_resolve; carries the actor (1) */
    tr_store_release(&actor->pid, pid.bits);
    return pid;
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
 * that is left. Workers that count at one moment may pass the limit by their credits.
 */
static TR_NOINLINE bool may_spawn(tr_system *system, uint32_t *ret_credit)
{
    if (system->max_actors <= TRI_EXACT_LIMIT)
        return take_place(system);
    uint64_t alive = tri_system_alive(system);
    if (alive >= system->max_actors)
        return false;
    uint64_t share = (system->max_actors - alive - 1) / (system->worker_count + 1);
    *ret_credit = (uint32_t)(share < TRI_SPAWN_CREDIT ? share : TRI_SPAWN_CREDIT);
    return true;
}

/* -- from a worker ---------------------------------------------------------------- */

/* The slot, if there was one, was not used after all: its generation is skipped. */
static TR_NOINLINE tr_status undo(tr_system *system, tri_slot_cache *cache, tri_actor *actor)
{
    tri_actor_leave_place(system);
    if (actor == NULL)
        return TR_LIMIT;
    tri_slot_give(&system->slots, cache, actor);
    return TR_NOMEM;
}

static inline tr_status spawn_inside(tri_worker *worker, const tr_behaviour *behaviour,
                                     const void *state, uint64_t limit, unsigned pin, tr_pid *ret_pid)
{
    tr_system *system = worker->ctx.sender.system;
    /* edge stopping (seq_cst): with tr_system_stop; what we miss is found (2) */
    if (TR_UNLIKELY(tr_load_seq_cst(&system->stopping)))
        return TR_SHUTDOWN;
    if (TR_LIKELY(worker->spawn_credit != 0))
        worker->spawn_credit--;
    else if (!may_spawn(system, &worker->spawn_credit))
        return TR_LIMIT;
    tri_actor *actor = tri_slot_take(&system->slots, &worker->slots);
    if (TR_UNLIKELY(actor == NULL || !make_state(actor, behaviour, state)))
        return undo(system, &worker->slots, actor);
    tr_count_add(&worker->counters.spawned, 1);
    *ret_pid = publish(&system->slots, actor, behaviour, limit, pin, worker->index + 1);
    /* The start hook runs before anybody's message. */
    if (behaviour->start != NULL)
        tri_worker_schedule(worker, actor);
    return TR_OK;
}

/* -- from outside ------------------------------------------------------------------ */

/* The actor has a start hook. */
static void make_ready(tr_system *system, tri_actor *actor, unsigned pin)
{
    if (pin != 0) {
        tri_worker_schedule_pinned(&system->workers[pin - 1], actor);
    } else {
        tri_inject_push(&system->inject, actor);
        tri_idle_notify(system);
    }
}

static tri_actor *take_outside(tr_system *system)
{
    ck_spinlock_fas_lock_eb(&system->outside_lock);
    tri_actor *actor = tri_slot_take(&system->slots, &system->outside_slots);
    ck_spinlock_fas_unlock(&system->outside_lock);
    return actor;
}

static tr_status undo_outside(tr_system *system, tri_actor *actor)
{
    ck_spinlock_fas_lock_eb(&system->outside_lock);
    tr_status status = undo(system, &system->outside_slots, actor);
    ck_spinlock_fas_unlock(&system->outside_lock);
    return status;
}

/* Between tri_outside_enter and leave: a system that stops waits for us. */
static tr_status spawn_outside(tr_system *system, const tr_behaviour *behaviour, const void *state,
                               uint64_t limit, unsigned pin, tr_pid *ret_pid)
{
    /* edge stopping (seq_cst): with tr_system_stop; counted, then looked */
    if (tr_load_seq_cst(&system->stopping))
        return TR_SHUTDOWN;
    uint32_t no_credit;
    if (!may_spawn(system, &no_credit))
        return TR_LIMIT;
    tri_actor *actor = take_outside(system);
    if (actor == NULL || !make_state(actor, behaviour, state))
        return undo_outside(system, actor);
    /* relaxed: a statistic */
    tr_fetch_add_relaxed(&system->outside_spawned, 1);
    *ret_pid = publish(&system->slots, actor, behaviour, limit, pin, pin);
    if (behaviour->start != NULL)
        make_ready(system, actor, pin);
    return TR_OK;
}

/* -- from either --------------------------------------------------------------------- */

static tr_status resolve_options(const tr_system *system, const tr_spawn_options *options,
                                 uint64_t *ret_limit, unsigned *ret_pin)
{
    uint32_t messages = options->mailbox_messages != 0 ? options->mailbox_messages
                                                       : system->mailbox_messages;
    uint32_t bytes = options->mailbox_bytes != 0 ? options->mailbox_bytes : system->mailbox_bytes;
    if (options->pin > system->worker_count || bytes > TRI_MAILBOX_BYTES_MAX)
        return TR_INVALID;
    *ret_limit = tri_mailbox_limit(messages, bytes);
    *ret_pin = options->pin;
    return TR_OK;
}

tr_status tr_spawn(tr_from from, const tr_behaviour *behaviour, void *state,
                   const tr_spawn_options *options, tr_pid *ret_pid)
{
    const tri_sender *sender = tri_from_sender(from);
    tr_system *system = sender->system;
    tri_worker *worker = tri_sender_worker(sender);
    uint64_t limit = system->mailbox_limit;
    unsigned pin = 0;
    if (options != NULL) {
        tr_status status = resolve_options(system, options, &limit, &pin);
        if (status != TR_OK)
            return status;
    }
    if (TR_LIKELY(worker != NULL))
        return spawn_inside(worker, behaviour, state, limit, pin, ret_pid);
    tri_outside_enter(system);
    tr_status status = spawn_outside(system, behaviour, state, limit, pin, ret_pid);
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
    tr_store_relaxed(&ctx->actor->control, (uint16_t)TRI_CONTROL_STOP);
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
