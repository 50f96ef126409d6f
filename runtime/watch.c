/*
 * watch - see watch.h; and tr_join, which is a watch from outside
 */
#include "runtime/watch.h"

#include "runtime/answer.h"
#include "runtime/send.h"
#include "runtime/system_block.h"

static const tr_protocol runtime_protocol = { .name = "troupe" };

/* Of no actor's protocol: the runtime handles it itself. It has an answer, so that its
 * message has the form of an ask. */
const tr_message_type tri_watch_type = {
    .name = "watch",
    TR_MESSAGE_BLOCK_(0, 1, TR_ASK_HEADER_),
    .protocol = &runtime_protocol,
    .answer_name = "tr_exit",
    .answer_size = sizeof(tr_exit),
    .answer_align = _Alignof(tr_exit),
};

/* Watchers that gave up are let go when others come: a few looked at for each new
 * one, so that they do not pile up on an actor that never ends. */
static void let_go_of_the_abandoned(tri_actor *actor)
{
    tri_answer **link = &actor->watchers;
    for (int looks = 0; *link != NULL && looks < 4; looks++) {
        tri_answer *watcher = *link;
        if (tri_answer_is_abandoned(watcher)) {
            *link = watcher->next;
            tri_answer_unref(watcher);
        } else {
            link = &watcher->next;
        }
    }
}

void tri_watch_accept(tri_actor *actor, tri_message *message)
{
    let_go_of_the_abandoned(actor);
    tri_answer *answer = tri_message_answer(message);
    answer->taken = true;
    answer->next = actor->watchers;
    actor->watchers = answer;
}

void tri_watch_complete(tri_message *message, const tr_exit *why)
{
    tri_answer *answer = tri_message_answer(message);
    if (why != NULL)
        tri_answer_complete_exit(answer, why);
    else
        tri_answer_complete(answer, TR_DEAD, NULL, NULL);
    tri_answer_unref(answer);
}

tr_status tr_join(tr_system *system, tr_pid pid, uint64_t timeout, tr_exit *ret_exit)
{
    if (tri_worker_self != NULL)
        tr_panic("tr_join would block a worker");
    tri_answer *answer = tri_answer_new(sizeof(tr_exit), _Alignof(tr_exit));
    if (answer == NULL)
        return TR_NOMEM;
    tr_status status = tri_send_exempt(system, pid, &tri_watch_type, answer);
    if (status != TR_OK) {
        tri_answer_unref(answer);
        tri_answer_unref(answer);
        return status;
    }
    tr_exit ended;
    status = tri_answer_wait(answer, timeout, sizeof ended, &ended);
    if (status == TR_OK && ret_exit != NULL)
        *ret_exit = ended;
    return status;
}
