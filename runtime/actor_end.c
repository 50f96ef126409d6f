/*
 * actor_end - see actor_end.h
 *
 * 1. Once the pid word is 0 no new sender finds the actor; one that found it
 *    before may still push until the grace period is over. Its message lies there
 *    until the burial, and a handler that blocks puts that off. So who waits for
 *    an answer looks at the pid again after its push: the end takes all that was
 *    pushed before its detach, and a push after that sees the pid word 0.
 * 2. From the end on the mailbox is never idle: its tail is the stub or a node,
 *    without the tag. So no push makes a dead actor ready.
 * 3. The hooks run inside the worker's boundary, as handlers do; worker->end_stage
 *    says which one it is. When it panics that is reported, and the end goes on
 *    behind it. Drops of messages have a boundary of their own.
 */
#include "runtime/actor_end.h"

#include "runtime/answer.h"
#include "runtime/system_block.h"
#include "runtime/watch.h"

#include <sched.h>

static void free_node(tri_actor *actor, tr_mpsc_node *node)
{
    if (!tri_actor_owns_node(actor, node))
        tri_message_free((tri_message *)node);
}

/* A message that the dead actor will not handle. `why` is NULL when the reason
 * of its end is not known any more. */
static void discard(tri_worker *worker, tri_actor *actor, tr_pid pid, tr_mpsc_node *node,
                    const tr_exit *why)
{
    if (tri_actor_owns_node(actor, node))
        return;
    tri_message *message = (tri_message *)node;
    if (tri_watch_is(message)) {
        tri_watch_complete(message, why);
        return;
    }
    tr_dead_letter letter = { .to = pid, .from = TR_PID_NONE, .type = message->type, .reason = TR_DEAD };
    tri_dead_letter(worker->ctx.sender.system, worker, &letter);
    tri_message_discard(message, TR_DEAD);
}

/*
 * Discard all behind `at`, which is settled, and leave the stub in its place. A
 * push that is half done is waited for: it lacks one store, and what was pushed
 * behind it may be waited for.
 */
static void empty_mailbox(tri_worker *worker, tri_actor *actor, tr_pid pid, tr_mpsc_node *at,
                          const tr_exit *why)
{
    for (;;) {
        tr_mpsc_node *next;
        tr_status status = tr_mpsc_next(&actor->mailbox, at, &next);
        if (status == TR_OK) {
            free_node(actor, at);
            at = next;
            discard(worker, actor, pid, at, why);
        } else if (status == TR_BUSY) {
            sched_yield();
        } else if (tr_mpsc_detach(&actor->mailbox, at)) {
            free_node(actor, at);
            return;
        }
    }
}

static TR_NOINLINE void tell_watchers(tri_actor *actor, const tr_exit *why)
{
    tri_answer *watcher = actor->watchers;
    actor->watchers = NULL;
    while (watcher != NULL) {
        tri_answer *next = watcher->next;
        tri_answer_complete_exit(watcher, why);
        tri_answer_unref(watcher);
        watcher = next;
    }
}

static inline void flush(tri_worker *worker)
{
    if (worker->outbox.target != NULL)
        tri_outbox_flush(worker);
}

/* -- the stages of an end ---------------------------------------------------------- */

/* Behind the drop hook: nothing of the user's is left but messages. */
static inline void leave(tri_worker *worker, tri_actor *actor, const tr_behaviour *behaviour)
{
    if (TR_UNLIKELY(behaviour->state_size > TRI_INLINE_STATE))
        tr_dealloc(actor->boxed_state, (tr_layout){ behaviour->state_size, behaviour->state_align });

    /* Mostly nothing is behind the last message. */
    if (TR_LIKELY(tr_mpsc_detach(&actor->mailbox, worker->at)))
        free_node(actor, worker->at);
    else
        empty_mailbox(worker, actor, tri_slot_pid(&worker->ctx.sender.system->slots, actor),
                      worker->at, &worker->exit);
    if (TR_UNLIKELY(actor->watchers != NULL))
        tell_watchers(actor, &worker->exit);
    worker->exit_is_set = false;
    worker->end_stage = TRI_END_NOT;
    flush(worker); /* what drops sent */
    tri_limbo_add(&worker->limbo, actor);
}

/* Behind the stop hook: the pid is dead, the state dropped. */
static inline void die(tri_worker *worker, tri_actor *actor, const tr_behaviour *behaviour)
{
    flush(worker);
    /* Counted first: who sees it dead may spawn another in its place. */
    tr_count_add(&worker->counters.ended, 1);
    tri_actor_leave_place(worker->ctx.sender.system);
    /* edge pid-end (release): with tr_is_alive; who sees the actor dead sees what it did */
    tr_store_release(&actor->pid, 0);
    if (behaviour->drop != NULL) {
        worker->end_stage = TRI_END_DROP;
        behaviour->drop(tri_actor_state(actor, behaviour));
    }
    leave(worker, actor, behaviour);
}

void tri_actor_end(tri_worker *worker)
{
    tri_actor *actor = worker->ctx.actor;
    const tr_behaviour *behaviour = tri_actor_behaviour(actor);
    if (behaviour->stop != NULL && worker->exit.reason != TR_EXIT_PANIC) {
        worker->end_stage = TRI_END_STOP_HOOK;
        behaviour->stop(&worker->ctx, tri_actor_state(actor, behaviour), &worker->exit);
    }
    die(worker, actor, behaviour);
}

void tri_actor_end_go_on(tri_worker *worker)
{
    tri_actor *actor = worker->ctx.actor;
    const tr_behaviour *behaviour = tri_actor_behaviour(actor);
    if (worker->end_stage == TRI_END_STOP_HOOK)
        die(worker, actor, behaviour);
    else
        leave(worker, actor, behaviour);
}

void tri_actor_discard_late(tri_worker *worker, tri_actor *actor)
{
    tri_slots *slots = &worker->ctx.sender.system->slots;
    empty_mailbox(worker, actor, tri_slot_pid(slots, actor), &actor->mailbox.stub, NULL);
}
