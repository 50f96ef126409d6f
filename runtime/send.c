/*
 * send - see send.h
 *
 * 1. From resolving a pid to the push the sender holds up grace periods: a worker
 *    until its next quiescent state, which is never inside a handler; a thread
 *    from outside between tri_outside_enter and leave.
 * 2. The outbox holds messages to one actor. A message to another one, or the
 *    end of the handler, publishes it first: so all that a handler sends is
 *    published in the order of its sends, and before its next message.
 */
#include "runtime/send.h"

#include "runtime/answer.h"
#include "runtime/system_block.h"

#include <string.h>

/* The actor behind a pid, or why there is none. */
static tr_status resolve(tr_system *system, tr_pid to, tri_actor **ret_actor)
{
    *ret_actor = tri_pid_resolve(&system->slots, to);
    if (TR_LIKELY(*ret_actor != NULL))
        return TR_OK;
    return tr_pid_is_none(to) ? TR_INVALID : TR_DEAD;
}

/* -- from a worker ------------------------------------------------------------- */

void tri_outbox_flush(tri_worker *worker)
{
    tri_outbox *outbox = &worker->outbox;
    tri_actor *target = outbox->target;
    if (target == NULL)
        return;
    uint64_t uncounted = outbox->uncounted & ~TRI_CHAIN_CLOSED;
    outbox->target = NULL;
    outbox->uncounted = TRI_CHAIN_CLOSED;
    bool was_idle = tr_mpsc_push_chain(&target->mailbox, outbox->first, outbox->last);
    if (TR_LIKELY(uncounted != 0)) {
        tr_count_add(&worker->counters.sent, uncounted >> 32);
        tri_mailbox_count(target, uncounted, was_idle, worker->index + 1);
    }
    if (was_idle)
        tri_worker_schedule(worker, target);
}

static inline void append(tri_outbox *outbox, tri_message *message)
{
    /* relaxed: published with the chain */
    tr_store_relaxed(&outbox->last->next, &message->node);
    outbox->last = &message->node;
}

/* Into an empty outbox; `uncounted` as in tri_outbox. */
static inline void begin_chain(tri_outbox *outbox, tri_actor *actor, tr_pid to, tri_message *message,
                               uint64_t uncounted)
{
    outbox->target = actor;
    outbox->first = outbox->last = &message->node;
    outbox->to = to.bits;
    outbox->uncounted = uncounted;
}

/* To a mailbox whose limit is exact, or near: counted now. */
static TR_NOINLINE tr_status put_counted(tri_worker *worker, tri_actor *actor, tr_pid to,
                                         const tr_message_type *type, tri_message **ret_message)
{
    tri_outbox *outbox = &worker->outbox;
    /* What the outbox holds for it, and has not counted, counts first. */
    if (outbox->uncounted != TRI_CHAIN_CLOSED)
        tri_outbox_flush(worker);
    tr_status status = tri_mailbox_reserve(actor, type->size);
    if (TR_UNLIKELY(status != TR_OK))
        return status;
    tri_message *message = tri_message_new(type);
    if (TR_UNLIKELY(message == NULL)) {
        tri_mailbox_unreserve(actor, type->size);
        return TR_NOMEM;
    }
    tr_count_add(&worker->counters.sent, 1);
    if (outbox->target == actor) {
        append(outbox, message);
    } else {
        tri_outbox_flush(worker);
        begin_chain(outbox, actor, to, message, TRI_CHAIN_CLOSED);
    }
    *ret_message = message;
    return TR_OK;
}

/*
 * The first message of a chain, into an empty outbox. Slack is looked at here for
 * the whole of it: TRI_CHAIN_MESSAGES from the pools, whose blocks are small, or
 * one that is not. NULL: there is no slack, no block at hand, or no such actor.
 */
static inline tri_message *put_first(tri_worker *worker, tr_pid to, const tr_message_type *type)
{
    tr_system *system = worker->ctx.sender.system;
    tri_actor *actor = tri_pid_resolve(&system->slots, to);
    if (TR_UNLIKELY(actor == NULL) || TR_UNLIKELY(!tri_mailbox_has_slack(actor, type->size, system->held_back)))
        return NULL;
    tri_message *message = (tri_message *)tri_fast_alloc(type->pool_class_);
    if (TR_UNLIKELY(message == NULL))
        return NULL;
    message->type = type;
    begin_chain(&worker->outbox, actor, to, message, tri_cost(type->size));
    return message;
}

/* The next message of an open chain; NULL: there is none, or no block at hand. */
static inline tri_message *put_next(tri_worker *worker, tr_pid to, const tr_message_type *type)
{
    tri_outbox *outbox = &worker->outbox;
    if (outbox->to != to.bits || outbox->uncounted >= TRI_CHAIN_OPEN)
        return NULL;
    tri_message *message = (tri_message *)tri_fast_alloc(type->pool_class_);
    if (TR_UNLIKELY(message == NULL))
        return NULL;
    message->type = type;
    append(outbox, message);
    outbox->uncounted += tri_cost(type->size);
    return message;
}

/* Whatever is in the way of the other two. */
static TR_NOINLINE tr_status put_slowly(tri_worker *worker, tr_pid to, const tr_message_type *type,
                                        tri_message **ret_message)
{
    tr_system *system = worker->ctx.sender.system;
    tri_actor *actor;
    tr_status status = resolve(system, to, &actor);
    if (TR_UNLIKELY(status != TR_OK))
        return status;
    if (!tri_mailbox_has_slack(actor, type->size, system->held_back)) {
        bool found = tri_mailbox_finds_slack(actor, type->size, system->held_back);
        if (tri_mailbox_backlog(actor) > TRI_OVERLOAD)
            /* What is counted anyway is looked at each time. */
            worker->turn_end -= found ? TRI_OVERLOAD_CHARGE : TRI_OVERLOAD_CHARGE / TRI_LOOK_MESSAGES;
        if (!found)
            return put_counted(worker, actor, to, type, ret_message);
    }
    tri_message *message = tri_message_new(type);
    if (TR_UNLIKELY(message == NULL))
        return TR_NOMEM;
    tri_outbox_flush(worker);
    uint64_t large = type->pool_class_ == TR_POOL_CLASS_COUNT ? TRI_CHAIN_CLOSED : 0; /* stays alone */
    begin_chain(&worker->outbox, actor, to, message, tri_cost(type->size) | large);
    *ret_message = message;
    return TR_OK;
}

/* A message in the outbox whose payload the caller writes at once; NULL: put_slowly. */
static inline tri_message *put(tri_worker *worker, tr_pid to, const tr_message_type *type)
{
    return worker->outbox.target == NULL ? put_first(worker, to, type) : put_next(worker, to, type);
}

/* Apart from tr_tell_place_, which then needs no frame. */
static TR_NOINLINE void *place_slowly(tri_worker *worker, tr_pid to, const tr_message_type *type)
{
    tri_message *message;
    return put_slowly(worker, to, type, &message) == TR_OK ? tri_message_payload(message) : NULL;
}

/* After a message to somebody else. */
static TR_NOINLINE void *place_elsewhere(tri_worker *worker, tr_pid to, const tr_message_type *type)
{
    tri_outbox_flush(worker);
    tri_message *message = put_first(worker, to, type);
    return TR_LIKELY(message != NULL) ? (char *)message + type->offset_ : place_slowly(worker, to, type);
}

void *tr_tell_place_(tr_from from, tr_pid to, const tr_message_type *type)
{
    tri_worker *worker = tri_from_sender(from)->worker;
    if (TR_UNLIKELY(worker == NULL || (type->flags & TR_NOT_SEND) != 0))
        return NULL;
    if (worker->outbox.target != NULL && worker->outbox.to != to.bits)
        return place_elsewhere(worker, to, type);
    tri_message *message = put(worker, to, type);
    return TR_LIKELY(message != NULL) ? (char *)message + type->offset_ : place_slowly(worker, to, type);
}

/* -- from outside ---------------------------------------------------------------- */

/* Push from outside; the actor, if it was idle, is made ready. */
static void push_outside(tr_system *system, tri_actor *actor, tr_mpsc_node *node)
{
    if (!tr_mpsc_push(&actor->mailbox, node))
        return;
    if (actor->pin != 0) {
        tri_worker_schedule_pinned(&system->workers[actor->pin - 1], actor);
    } else {
        tri_inject_push(&system->inject, actor);
        tri_idle_notify(system);
    }
}

/* Resolve, reserve, make, push. */
static tr_status push_new(tr_system *system, tr_pid to, const tr_message_type *type, void *payload,
                          tri_answer *answer, bool exempt)
{
    tri_actor *actor;
    tr_status status = resolve(system, to, &actor);
    if (status == TR_OK && !exempt)
        status = tri_mailbox_reserve(actor, type->size);
    if (status != TR_OK)
        return status;
    tri_message *message = tri_message_new(type);
    if (message == NULL) {
        if (!exempt)
            tri_mailbox_unreserve(actor, type->size);
        return TR_NOMEM;
    }
    if (answer != NULL)
        ((tri_ask_message *)message)->answer = answer;
    memcpy(tri_message_payload(message), payload, type->size);
    push_outside(system, actor, &message->node);
    if (answer != NULL)
        /* edge pid-end (acquire): with tri_actor_end; after the push: see (1) there */
        answer->late = tri_pid_resolve(&system->slots, to) == NULL;
    return TR_OK;
}

static tr_status send_outside(tr_system *system, tr_pid to, const tr_message_type *type, void *payload,
                              tri_answer *answer, bool exempt)
{
    tri_outside_enter(system);
    /* edge stopping (seq_cst): with tr_system_stop; counted, then looked */
    bool refused = tr_load_seq_cst(&system->stopping) && !exempt;
    tr_status status = refused ? TR_SHUTDOWN : push_new(system, to, type, payload, answer, exempt);
    tri_outside_leave(system);
    return status;
}

tr_status tri_send_exempt(tr_system *system, tr_pid to, const tr_message_type *type, tri_answer *answer)
{
    return send_outside(system, to, type, "", answer, true);
}

tr_status tri_send_ask(tr_system *system, tr_pid to, const tr_message_type *type, void *question,
                       tri_answer *answer)
{
    return send_outside(system, to, type, question, answer, false);
}

static tr_status tell_inside(tri_worker *worker, tr_pid to, const tr_message_type *type, void *payload)
{
    tri_message *message = put(worker, to, type);
    tr_status status = TR_LIKELY(message != NULL) ? TR_OK : put_slowly(worker, to, type, &message);
    if (TR_LIKELY(status == TR_OK))
        memcpy(tri_message_payload(message), payload, type->size);
    return status;
}

static tr_status try_tell(tr_from from, tr_pid to, const tr_message_type *type, void *payload)
{
    const tri_sender *sender = tri_from_sender(from);
    tri_worker *worker = tri_sender_worker(sender);
    TR_DCHECK(!tri_message_is_ask(type));
    if (TR_UNLIKELY((type->flags & TR_NOT_SEND) != 0))
        return TR_INVALID;
    if (TR_LIKELY(worker != NULL))
        return tell_inside(worker, to, type, payload);
    return send_outside(sender->system, to, type, payload, NULL, false);
}

tr_status tr_try_tell(tr_from from, tr_pid to, const tr_message_type *type, void *payload)
{
    return try_tell(from, to, type, payload);
}

/* Nobody gets it. */
static TR_NOINLINE void bury_letter(tr_from from, tr_pid to, const tr_message_type *type, void *payload,
                                    tr_status status)
{
    const tri_sender *sender = tri_from_sender(from);
    tri_worker *worker = tri_sender_worker(sender);
    tr_dead_letter letter = { .to = to, .from = TR_PID_NONE, .type = type, .reason = status };
    if (worker != NULL && worker->ctx.actor != NULL)
        letter.from = tr_self(&worker->ctx);
    tri_dead_letter(sender->system, worker, &letter);
    if (type->drop != NULL)
        type->drop(payload);
}

tr_status tr_tell(tr_from from, tr_pid to, const tr_message_type *type, void *payload)
{
    tr_status status = try_tell(from, to, type, payload);
    if (TR_UNLIKELY(status != TR_OK))
        bury_letter(from, to, type, payload, status);
    return status;
}

/* -- stop --------------------------------------------------------------------- */

static void stop_resolved(tr_system *system, tri_worker *worker, tri_actor *actor)
{
    /* edge control (acq_rel): with must_stop in actor_run.c; also: the first to set it owns the note */
    unsigned before = tr_fetch_or_acq_rel(&actor->control, TRI_CONTROL_STOP);
    if (before & TRI_CONTROL_STOP)
        return;
    if (worker == NULL)
        push_outside(system, actor, &actor->stop_note);
    else if (tr_mpsc_push(&actor->mailbox, &actor->stop_note))
        tri_worker_schedule(worker, actor);
}

tr_status tr_stop(tr_from from, tr_pid pid)
{
    const tri_sender *sender = tri_from_sender(from);
    tri_worker *worker = tri_sender_worker(sender);
    tr_system *system = sender->system;
    if (worker == NULL)
        tri_outside_enter(system);
    tri_actor *actor = tri_pid_resolve(&system->slots, pid);
    if (actor != NULL)
        stop_resolved(system, worker, actor);
    if (worker == NULL)
        tri_outside_leave(system);
    if (actor == NULL)
        return tr_pid_is_none(pid) ? TR_INVALID : TR_DEAD;
    return TR_OK;
}

bool tr_is_alive(tr_from from, tr_pid pid)
{
    const tri_sender *sender = tri_from_sender(from);
    tri_rcu_enter();
    /* edge pid-end (acquire): with tri_actor_end; in tri_pid_resolve */
    bool alive = tri_pid_resolve(&sender->system->slots, pid) != NULL;
    tri_rcu_leave();
    return alive;
}
