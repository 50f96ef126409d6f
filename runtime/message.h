/*
 * message - the block that a payload travels in
 *
 *     | next | type | payload ...                    a tell
 *     | next | type | answer |  -  | payload ...     an ask
 *
 * One block from the pools: 16 bytes of header, so that with a payload of up to
 * 48 bytes it is one cache line. It says itself what it carries: whoever ends
 * up with it, also after its receiver's death, can drop it.
 */
#ifndef RUNTIME_MESSAGE_H
#define RUNTIME_MESSAGE_H

#include "mem/pool_fast.h"

#include <troupe/channels/mpsc.h>
#include <troupe/runtime/actor.h>

typedef struct tri_answer tri_answer;

typedef struct tri_message {
    tr_mpsc_node node; /* first: a node is its message */
    const tr_message_type *type;
} tri_message;

typedef struct tri_ask_message {
    tri_message base;
    tri_answer *answer; /* one reference */
    void *unused;
} tri_ask_message;

static inline bool tri_message_is_ask(const tr_message_type *type)
{
    return type->answer_name != NULL;
}

_Static_assert(sizeof(tri_message) == TR_TELL_HEADER_, "known to every message type");
_Static_assert(sizeof(tri_ask_message) == TR_ASK_HEADER_, "known to every message type");

static inline void *tri_message_payload(tri_message *message)
{
    return (char *)message + message->type->offset_;
}

/* Where the answer to `message` goes; NULL for a tell. */
static inline tri_answer *tri_message_answer(const tri_message *message)
{
    return tri_message_is_ask(message->type) ? ((const tri_ask_message *)message)->answer : NULL;
}

/* Where the pools' fast path does not reach. */
tri_message *tri_message_new_slow(const tr_message_type *type);
void tri_message_free_slow(tri_message *message);

/* A block for a message of this type, its payload not written yet; NULL: no memory. */
static inline tri_message *tri_message_new(const tr_message_type *type)
{
    tri_message *message = (tri_message *)tri_fast_alloc(type->pool_class_);
    if (TR_UNLIKELY(message == NULL))
        return tri_message_new_slow(type);
    message->type = type;
    return message;
}

/* Free the block; the payload has been dropped, or moved out, before. */
static inline void tri_message_free(tri_message *message)
{
    if (TR_UNLIKELY(!tri_fast_dealloc(message, message->type->pool_class_)))
        tri_message_free_slow(message);
}

/*
 * The message reached nobody: its ask, if it is one, completes with `reason`,
 * its payload is dropped. The block stays, for tri_message_free. A panic of the
 * payload's drop is caught here.
 */
void tri_message_discard(tri_message *message, tr_status reason);

#endif
