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
 * 3. User code (hooks and drops) runs inside a boundary of its own here: one
 *    that panics is reported, and the rest of the end goes on.
 */
#include "runtime/actor_end.h"

#include "runtime/answer.h"
#include "runtime/system_block.h"
#include "runtime/watch.h"

#include <sched.h>

static void run_stop_hook(void *arg)
{
    tri_worker *worker = arg;
    tri_actor *actor = worker->ctx.actor;
    tri_actor_behaviour(actor)->stop(&worker->ctx, actor->state, &worker->exit);
}

static void run_drop(void *arg)
{
    tri_actor *actor = arg;
    tri_actor_behaviour(actor)->drop(actor->state);
}

static void guarded(tri_worker *worker, void (*f)(void *arg), void *arg)
{
    if (tr_catch(f, arg, NULL) != TR_OK)
        tr_count_add(&worker->counters.panics, 1);
}

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

static void tell_watchers(tri_actor *actor, const tr_exit *why)
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

void tri_actor_end(tri_worker *worker)
{
    tri_actor *actor = worker->ctx.actor;
    const tr_behaviour *behaviour = tri_actor_behaviour(actor);
    /* relaxed: nobody else writes it while the actor lives */
    tr_pid pid = { tr_load_relaxed(&actor->pid) };

    if (behaviour->stop != NULL && worker->exit.reason != TR_EXIT_PANIC)
        guarded(worker, run_stop_hook, worker);
    tri_outbox_flush(worker);
    /* Counted first: who sees it dead may spawn another in its place. */
    tr_count_add(&worker->counters.ended, 1);
    tri_actor_leave_place(worker->ctx.sender.system);
    /* edge pid-end (release): with tr_is_alive; who sees the actor dead sees what it did */
    tr_store_release(&actor->pid, 0);
    if (behaviour->drop != NULL)
        guarded(worker, run_drop, actor);
    if (actor->state != actor->inline_state)
        tr_dealloc(actor->state, (tr_layout){ behaviour->state_size, behaviour->state_align });
    actor->state = NULL;

    empty_mailbox(worker, actor, pid, worker->at, &worker->exit);
    tell_watchers(actor, &worker->exit);
    worker->exit_is_set = false;
    /* What drops sent, above. */
    tri_outbox_flush(worker);
    tri_limbo_add(worker, actor);
}

void tri_actor_bury(tri_worker *worker, tri_actor *actor)
{
    tri_slots *slots = &worker->ctx.sender.system->slots;
    tr_mpsc_node *stub = &actor->mailbox.stub, *next;
    if (TR_UNLIKELY(tr_mpsc_next(&actor->mailbox, stub, &next) != TR_EMPTY))
        empty_mailbox(worker, actor, tri_slot_pid(slots, actor), stub, NULL);
    tri_slot_give(slots, &worker->slots, actor);
}
