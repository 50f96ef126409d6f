/*
 * message - see message.h
 */
#include "runtime/message.h"

#include "runtime/answer.h"

#include <troupe/mem/panic.h>

static tr_layout layout_of(const tr_message_type *type)
{
    return (tr_layout){ .size = type->offset_ + type->size, .align = TR_BLOCK_ALIGN_(type->align) };
}

TR_NOINLINE tri_message *tri_message_new_slow(const tr_message_type *type)
{
    tri_message *message = tr_alloc(layout_of(type));
    if (message != NULL)
        message->type = type;
    return message;
}

TR_NOINLINE void tri_message_free_slow(tri_message *message)
{
    tr_dealloc(message, layout_of(message->type));
}

static void drop_payload(void *arg)
{
    tri_message *message = arg;
    message->type->drop(tri_message_payload(message));
}

void tri_message_discard(tri_message *message, tr_status reason)
{
    tri_answer *answer = tri_message_answer(message);
    if (answer != NULL) {
        tri_answer_complete(answer, reason, NULL, NULL);
        tri_answer_unref(answer);
    }
    if (message->type->drop != NULL) {
        /* The panic hook has reported it; there is no actor left to blame. */
        tr_status ignored = tr_catch(drop_payload, message, NULL);
        (void)ignored;
    }
}
