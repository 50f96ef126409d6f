/*
 * ask - see <troupe/runtime/ask.h>, and answer.h for the race of answer and
 *       timeout
 *
 * A reply is a borrowed pointer while its handler runs: the message in hand
 * owns the reference, and the runtime gives it up after the handler. Keeping the
 * reply moves that reference to the caller.
 */
#include "runtime/answer.h"
#include "runtime/send.h"
#include "runtime/system_block.h"

tr_status tr_ask_wait(tr_system *system, tr_pid to, const tr_message_type *type, void *question,
                      uint64_t timeout, void *ret_answer)
{
    if (tri_worker_self != NULL) {
        if (type->drop != NULL)
            type->drop(question); /* consumed in any case */
        tr_panic("asking %s and waiting would block a worker", type->name);
    }
    bool refused = timeout == 0 || (type->flags & TR_NOT_SEND) != 0;
    tr_status status = refused ? TR_INVALID : TR_OK;
    tri_answer *answer = NULL;
    if (status == TR_OK) {
        answer = tri_answer_new(type->answer_size, type->answer_align);
        status = answer != NULL ? tri_send_ask(system, to, type, question, answer) : TR_NOMEM;
    }
    if (status == TR_OK)
        return tri_answer_wait(answer, timeout, type->answer_size, ret_answer);

    if (answer != NULL) {
        tri_answer_unref(answer);
        tri_answer_unref(answer);
    }
    if (type->drop != NULL)
        type->drop(question);
    return status;
}

void tr_reply_answer(tr_reply reply, const tr_message_type *type, void *value)
{
    tri_answer *answer = reply.to_;
    bool kept = answer->kept;
    if (tri_answer_is_done(answer))
        tr_panic("%s was answered twice", type->name);
    bool taken = tri_answer_complete(answer, TR_OK, type, value);
    if (kept)
        tri_answer_unref(answer);
    if (!taken && type->answer_drop != NULL)
        type->answer_drop(value); /* the asker did not wait for it */
}

tr_reply tr_reply_keep(tr_reply reply)
{
    tri_worker *worker = tri_worker_self;
    if (worker == NULL || worker->in_hand == NULL ||
        tri_message_answer(worker->in_hand) != reply.to_ || worker->reply_kept)
        tr_panic("a reply is kept once, by the handler it was given to");
    worker->reply_kept = true;
    reply.to_->kept = reply.to_->taken = true;
    return reply;
}

void tr_reply_drop(tr_reply reply)
{
    TR_ASSERT(reply.to_->kept);
    tri_answer_complete(reply.to_, TR_BROKEN, NULL, NULL);
    tri_answer_unref(reply.to_);
}
