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

#include <troupe/channels/mpsc.h>
#include <troupe/mem/allocator.h>
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

/* The payload's distance from the start of the block, in bytes. */
static inline size_t tri_payload_offset(const tr_message_type *type)
{
    size_t header = tri_message_is_ask(type) ? sizeof(tri_ask_message) : sizeof(tri_message);
    return type->align > header ? type->align : header;
}

static inline tr_layout tri_message_layout(const tr_message_type *type)
{
    size_t align = type->align > 16 ? type->align : 16;
    return (tr_layout){ .size = tri_payload_offset(type) + type->size, .align = align };
}

static inline void *tri_message_payload(tri_message *message)
{
    return (char *)message + tri_payload_offset(message->type);
}

/* Where the answer to `message` goes; NULL for a tell. */
static inline tri_answer *tri_message_answer(const tri_message *message)
{
    return tri_message_is_ask(message->type) ? ((const tri_ask_message *)message)->answer : NULL;
}

/* A block with *payload moved into it; NULL: no memory, nothing changed. */
tri_message *tri_message_new(const tr_message_type *type, const void *payload, tri_answer *answer);

/* Free the block; the payload has been dropped, or moved out, before. */
static inline void tri_message_free(tri_message *message)
{
    tr_dealloc(message, tri_message_layout(message->type));
}

/*
 * The message reached nobody: its ask, if it is one, completes with `reason`,
 * its payload is dropped. The block stays, for tri_message_free. A panic of the
 * payload's drop is caught here.
 */
void tri_message_discard(tri_message *message, tr_status reason);

#endif
