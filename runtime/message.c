/*
 * message - see message.h
 */
#include "runtime/message.h"

#include "runtime/answer.h"

#include <string.h>

#include <troupe/mem/panic.h>

tri_message *tri_message_new(const tr_message_type *type, const void *payload, tri_answer *answer)
{
    tri_message *message = tr_alloc(tri_message_layout(type));
    if (TR_UNLIKELY(message == NULL))
        return NULL;
    message->type = type;
    if (answer != NULL)
        ((tri_ask_message *)message)->answer = answer;
    if (type->size != 0)
        memcpy(tri_message_payload(message), payload, type->size);
    return message;
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
