/*
 * actor_run - one turn of an actor
 *
 *     position -> next message -> handler -> drop what is left -> next ...
 *        |             |
 *        |             `- none: idle, the actor is no longer ours
 *        `- quantum used up, or a push is half done: back into the queue
 *
 * 1. worker->at is the node taken last, settled unless it is in_hand. Its block
 *    is freed when its successor is known, or the mailbox has taken the stub back.
 * 2. in_hand is the message whose payload still has to be dropped: NULL between
 *    messages, and while the payload's own drop runs.
 * 3. Before a handler runs its message has left the bounds: a request and its
 *    reply fit into mailboxes of one.
 */
#include "runtime/actor_end.h"
#include "runtime/answer.h"
#include "runtime/system_block.h"
#include "runtime/watch.h"

#include <stdio.h>

#define BUSY_SPINS 64

/* The ask in hand was handled: unless its reply was kept, it is over. */
static void settle_answer(tri_worker *worker, tri_answer *answer)
{
    if (worker->reply_kept)
        return;
    tri_answer_complete(answer, TR_BROKEN, NULL, NULL);
    tri_answer_unref(answer);
}

/* Drop what the handler left of the message in hand. */
static void settle(tri_worker *worker)
{
    tri_message *message = worker->in_hand;
    worker->in_hand = NULL;
    tri_answer *answer = tri_message_answer(message);
    if (answer != NULL)
        settle_answer(worker, answer);
    worker->reply_kept = false;
    if (message->type->drop != NULL)
        message->type->drop(tri_message_payload(message));
}

/* A message of another protocol: one of the runtime's own, or a stray. */
static void handle_foreign(tri_worker *worker, tri_actor *actor, tri_message *message)
{
    if (tri_watch_is(message)) {
        tri_watch_accept(actor, message);
        return;
    }
    tri_mailbox_consume(actor, message->type->size);
    tr_dead_letter letter = { .to = tr_self(&worker->ctx),
                              .from = TR_PID_NONE,
                              .type = message->type,
                              .reason = TR_INVALID };
    tri_dead_letter(worker->ctx.sender.system, worker, &letter);
    tri_message_discard(message, TR_INVALID);
    tri_outbox_flush(worker);
}

static void handle(tri_worker *worker, tri_actor *actor, tri_message *message)
{
    const tr_message_type *type = message->type;
    const tr_behaviour *behaviour = tri_actor_behaviour(actor);
    if (TR_UNLIKELY(type->protocol != behaviour->protocol)) {
        /* Not counted as a message of the actor's, but its turn pays for it. */
        worker->turn_end--;
        worker->look_at_clock--;
        handle_foreign(worker, actor, message);
        return;
    }
    tri_mailbox_consume(actor, type->size);
    worker->in_hand = message;
    tr_reply reply = { tri_message_answer(message) };
    behaviour->handlers[type->tag](&worker->ctx, tri_actor_state(actor, behaviour),
                                   tri_message_payload(message), reply);
    tr_count_add(&worker->counters.messages, 1);
    if (type->drop != NULL || reply.to_ != NULL)
        settle(worker);
    else
        worker->in_hand = NULL;
    if (worker->outbox.target != NULL)
        tri_outbox_flush(worker);
}

/* The turn is over; the actor may run elsewhere after this. */
static inline void finish_turn(tri_worker *worker, tri_actor *actor)
{
    int64_t beyond = (int64_t)(tri_worker_effort(worker) - worker->turn_end);
    if (TR_UNLIKELY(beyond > 0))
        actor->debt = (int16_t)(beyond < INT16_MAX ? beyond : INT16_MAX);
    if (TR_UNLIKELY(worker->timing))
        tri_worker_time_turn(worker, actor);
}

static void free_at(tri_worker *worker, tri_actor *actor)
{
    if (!tri_actor_owns_node(actor, worker->at))
        tri_message_free((tri_message *)worker->at);
}

/* The actor goes on later; `position` is where. */
static void suspend(tri_worker *worker, tri_actor *actor, tr_mpsc_node *position)
{
    actor->position = position;
    finish_turn(worker, actor);
    tri_worker_requeue(worker, actor);
}

/* What a program wrote, as one line. */
static void join_lines(char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '\n' || *text == '\r')
            *text = ' ';
}

static void end(tri_worker *worker, tri_actor *actor)
{
    if (!worker->exit_is_set) {
        worker->exit.reason = TR_EXIT_SHUTDOWN;
        worker->exit.status = TR_OK;
        worker->exit.text[0] = '\0';
        worker->exit_is_set = true; /* what the stop hook says comes too late */
    }
    join_lines(worker->exit.text);
    finish_turn(worker, actor);
    tri_actor_end(worker);
}

static bool must_stop(tri_actor *actor)
{
    /* edge control (acquire): with tr_stop; what its caller did comes before the stop hook */
    return (tr_load_acquire(&actor->control) & TRI_CONTROL_STOP) != 0;
}

static void run_start_hook(tri_worker *worker, tri_actor *actor)
{
    /* relaxed: only the actor's worker clears it */
    tr_fetch_and_relaxed(&actor->control, (uint16_t)~TRI_CONTROL_NEW);
    const tr_behaviour *behaviour = tri_actor_behaviour(actor);
    if (behaviour->start != NULL)
        behaviour->start(&worker->ctx, tri_actor_state(actor, behaviour));
    tri_outbox_flush(worker);
}

/* The first node that is still to be handled goes behind the stub, where the
 * next turn starts. */
static void suspend_before(tri_worker *worker, tri_actor *actor, tr_mpsc_node *next)
{
    free_at(worker, actor);
    /* relaxed: handed over with the actor; a producer never writes it, since the
     * stub is not the tail */
    tr_store_relaxed(&actor->mailbox.stub.next, next);
    suspend(worker, actor, &actor->mailbox.stub);
}

/*
 * A turn has room for TRI_QUANTUM messages and sends, and for the messages that
 * wait already, so that a receiver that fell behind catches up. A handler that
 * sent more than there was room for pays in the turns to come: without that the
 * actors which produce would outrun those which consume.
 */
static void begin_turn(tri_worker *worker, tri_actor *actor)
{
    /* relaxed: the worker's own word */
    uint64_t messages = tr_load_relaxed(&worker->counters.messages);
    worker->turn_first = messages;
    worker->turn_end = tri_worker_effort(worker) + TRI_QUANTUM;
    worker->look_at_clock = messages + (worker->timing ? 1 : TRI_FIRST_LOOK);
    if (TR_UNLIKELY(worker->extended))
        worker->extended = false;
    if (TR_UNLIKELY(actor->debt != 0)) {
        worker->turn_end -= (uint64_t)actor->debt;
        actor->debt = 0;
    }
}

/* Is the turn's time used up? Looks at the clock again when, at this pace, half
 * of what is left of the turn will be over. */
static TR_NOINLINE bool time_is_up(tri_worker *worker)
{
    /* relaxed: the worker's own word */
    uint64_t elapsed = tr_now() - tr_load_relaxed(&worker->turn_started);
    if (elapsed >= TRI_TURN_LIMIT) {
        worker->timing = true; /* it was not: look around after this turn */
        return true;
    }
    /* relaxed: the worker's own word */
    uint64_t messages = tr_load_relaxed(&worker->counters.messages);
    uint64_t pace = elapsed / (messages - worker->turn_first + 1) + 1; /* ns a message */
    uint64_t more = (TRI_TURN_LIMIT - elapsed) / pace / 2;
    worker->look_at_clock = messages + (more < TRI_QUANTUM ? more : TRI_QUANTUM) + 1;
    return false;
}

/* Room for the backlog, once a turn; false: there is none. */
static TR_NOINLINE bool extend(tri_worker *worker, tri_actor *actor)
{
    if (worker->extended)
        return false;
    worker->extended = true;
    uint32_t backlog = tri_mailbox_backlog(actor);
    worker->turn_end += backlog < TRI_QUANTUM_EXTRA ? backlog : TRI_QUANTUM_EXTRA;
    return (int64_t)(worker->turn_end - tri_worker_effort(worker)) > 0;
}

/* Is the turn used up before the next message? */
static inline bool turn_is_over(tri_worker *worker, tri_actor *actor)
{
    /* relaxed: the worker's own word */
    if (TR_UNLIKELY(tr_load_relaxed(&worker->counters.messages) >= worker->look_at_clock) &&
        time_is_up(worker))
        return true;
    return TR_UNLIKELY((int64_t)(worker->turn_end - tri_worker_effort(worker)) <= 0) && !extend(worker, actor);
}

void tri_actor_run(tri_worker *worker, tri_actor *actor)
{
    worker->ctx.actor = actor;
    worker->at = actor->position;
    begin_turn(worker, actor);
    tr_count_add(&worker->counters.activations, 1);
    /* relaxed: only the actor's worker sets and clears NEW while it runs */
    if (TR_UNLIKELY(tr_load_relaxed(&actor->control) & TRI_CONTROL_NEW))
        run_start_hook(worker, actor);

    for (int spins = 0;;) {
        if (TR_UNLIKELY(must_stop(actor))) {
            end(worker, actor);
            return;
        }
        tr_mpsc_node *next;
        tr_status status = tr_mpsc_next(&actor->mailbox, worker->at, &next);
        if (TR_LIKELY(status == TR_OK)) {
            if (TR_UNLIKELY(turn_is_over(worker, actor))) {
                suspend_before(worker, actor, next);
                return;
            }
            free_at(worker, actor);
            worker->at = next;
            if (TR_LIKELY(!tri_actor_owns_node(actor, next)))
                handle(worker, actor, (tri_message *)next);
        } else if (status == TR_BUSY) {
            tr_cpu_relax();
            if (++spins > BUSY_SPINS) {
                suspend(worker, actor, worker->at);
                return;
            }
        } else {
            tr_mpsc_node *last = worker->at;
            if (TR_UNLIKELY(actor->position != &actor->mailbox.stub))
                actor->position = &actor->mailbox.stub;
            finish_turn(worker, actor);
            if (tr_mpsc_idle(&actor->mailbox, last)) {
                /* The actor is no longer ours: it may run, even end, elsewhere. */
                if (!tri_actor_owns_node(actor, last))
                    tri_message_free((tri_message *)last);
                return;
            }
        }
    }
}

void tri_actor_panicked(tri_worker *worker, const tr_panic_info *info)
{
    tri_actor *actor = worker->ctx.actor;
    TR_ASSERT(actor != NULL);
    tr_count_add(&worker->counters.panics, 1);
    if (worker->end_stage != TRI_END_NOT) {
        tri_actor_end_go_on(worker);
        return;
    }
    worker->exit_is_set = true;
    worker->exit.reason = TR_EXIT_PANIC;
    worker->exit.status = TR_PANICKED;
    snprintf(worker->exit.text, sizeof worker->exit.text, "%.60s:%d: %s", info->file, info->line,
             info->message);
    /* What was sent before the panic is sent. */
    tri_outbox_flush(worker);
    tri_message *message = worker->in_hand;
    if (message != NULL) {
        tr_count_add(&worker->counters.messages, 1);
        worker->in_hand = NULL;
        if (worker->reply_kept)
            ((tri_ask_message *)message)->answer = NULL; /* somebody else's now */
        tri_message_discard(message, TR_DEAD);
    }
    worker->reply_kept = false;
    end(worker, actor);
}
