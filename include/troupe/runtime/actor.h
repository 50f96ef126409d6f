/*
 * actor - spawn, send, stop: the untyped core under protocol.h
 *
 *   sender --tell--> [ mailbox ] --one at a time--> handler(ctx, self, message)
 *
 * Use the functions that TR_PROTOCOL and TR_ACTOR make (protocol.h); they check
 * types and call these. Come here to build a protocol of your own kind.
 *
 * Threads   any; inside a handler pass its ctx, elsewhere the system.
 * Progress  a send is wait-free but for the allocation of the message and the
 *           wake-up of a sleeping worker. A handler runs to its end; it must
 *           not block.
 * Order     messages from one sender to one actor arrive in the order of the
 *           sends; nothing is promised between different senders. What the
 *           sender did before the send is visible to the handler. One handler
 *           of an actor runs at a time, each sees what the one before did.
 * Memory    a message's payload is moved bytewise into the mailbox and dropped,
 *           with its type's drop, after its handler - take out with TR_MOVE
 *           what should live on. Mailboxes are bounded in messages and bytes.
 */
#ifndef TROUPE_RUNTIME_ACTOR_H
#define TROUPE_RUNTIME_ACTOR_H

#include <troupe/mem/pool.h>
#include <troupe/mem/type.h>
#include <troupe/runtime/system.h>

TR_BEGIN_DECLS

typedef struct tr_protocol tr_protocol;

/* One kind of message. Made by TR_PROTOCOL; constant. */
struct tr_message_type {
    size_t size;
    void (*drop)(void *payload); /* NULL: plain data */
    const tr_protocol *protocol;
    uint32_t tag;         /* its place in the protocol's list */
    uint32_t flags;       /* TR_NOT_SEND: refused by every send */
    uint16_t align;       /* at most 64 */
    uint16_t offset_;     /* of the payload in its block */
    uint16_t pool_class_; /* the block's */
    const char *name;
    const char *answer_name; /* NULL: not an ask */
    size_t answer_size;
    size_t answer_align;
    void (*answer_drop)(void *answer);
};

/*
 * The members that say how a message's block is laid out: behind a header of 16
 * bytes, of an ask 32, the payload at a multiple of its alignment.
 */
#define TR_TELL_HEADER_ ((size_t)16)
#define TR_ASK_HEADER_ ((size_t)32)
#define TR_OFFSET_(align, header) ((align) > (header) ? (size_t)(align) : (header))
#define TR_BLOCK_ALIGN_(align) ((align) > 16 ? (size_t)(align) : (size_t)16)
#define TR_BLOCK_SIZE_(size, align, header)                                                        \
    ((TR_OFFSET_(align, header) + (size) + TR_BLOCK_ALIGN_(align) - 1) & ~(TR_BLOCK_ALIGN_(align) - 1))
#define TR_BLOCK_CLASS_(size, align, header)                                                       \
    ((uint16_t)((align) > TR_POOL_MAX_ALIGN                                                        \
                    ? TR_POOL_CLASS_COUNT                                                          \
                    : TR_POOL_CLASS_OF(TR_BLOCK_SIZE_(size, align, header))))
#define TR_MESSAGE_BLOCK_(size_, align_, header)                                                   \
    .size = (size_), .align = (align_), .offset_ = (uint16_t)TR_OFFSET_(align_, header),           \
    .pool_class_ = TR_BLOCK_CLASS_(size_, align_, header)

struct tr_protocol {
    const char *name;
    uint32_t message_count;
    const tr_message_type *const *messages;
};

/* Where the answer to an ask goes; see ask.h. */
typedef struct tr_reply {
    struct tri_answer *to_;
} tr_reply;

typedef void (*tr_handler)(tr_ctx *ctx, void *self, void *payload, tr_reply reply);

/* How an actor ended. */
typedef enum tr_exit_reason {
    TR_EXIT_NORMAL,   /* tr_stop_self */
    TR_EXIT_SHUTDOWN, /* tr_stop, or the system stopped */
    TR_EXIT_FAILED,   /* tr_fail: status and text say why */
    TR_EXIT_PANIC,    /* a handler panicked: text says where and why */
} tr_exit_reason;

typedef struct tr_exit {
    tr_exit_reason reason;
    tr_status status; /* TR_OK, what tr_fail was given, or TR_PANICKED */
    char text[320];   /* empty, or one line */
} tr_exit;

/* "normal", "shutdown", "failed", "panic". */
TR_API const char *tr_exit_reason_name(tr_exit_reason reason);

/* What kind of actor this is. Made by TR_ACTOR; constant. */
typedef struct tr_behaviour {
    const char *name;
    const tr_protocol *protocol;
    size_t state_size;
    size_t state_align; /* at most 4096 */
    const tr_handler *handlers; /* by tag */
    /* Run before the first message, and after the last; the latter is not run
     * when the actor panicked. A stop hook that panics is reported and changes
     * nothing: the actor's exit stays what it was. Both may be NULL. */
    void (*start)(tr_ctx *ctx, void *self);
    void (*stop)(tr_ctx *ctx, void *self, const tr_exit *why);
    /* Destroys the state at the very end, however the actor ended. May be NULL. */
    void (*drop)(void *self);
} tr_behaviour;

/* Zero in any field asks for the default. */
typedef struct tr_spawn_options {
    uint32_t mailbox_messages; /* the system's */
    uint32_t mailbox_bytes;    /* the system's */
    unsigned pin;              /* n: only worker n (counted from 1) runs it; 0: any */
} tr_spawn_options;

/*
 * Make an actor. *state (behaviour->state_size bytes) is moved into it on
 * success; NULL means zeroes. options may be NULL. Its start hook runs on a
 * worker, before its first message; messages may be sent to it at once.
 * TR_NOMEM; TR_LIMIT: max_actors are alive; TR_SHUTDOWN; TR_INVALID: options out
 * of range. On failure the caller keeps *state.
 */
TR_API TR_MUST_USE tr_status tr_spawn(tr_from from, const tr_behaviour *behaviour, void *state,
                                      const tr_spawn_options *options, tr_pid *ret_pid);

/*
 * Send: move type->size bytes from *payload into the mailbox of `to`.
 * TR_DEAD: it ended; TR_FULL: its mailbox has no room: hold back or drop (while
 * another sender is being refused this may come one message early); TR_NOMEM;
 * TR_SHUTDOWN; TR_INVALID: `to` is TR_PID_NONE, the type is TR_NOT_SEND, or the
 * payload is larger than the whole mailbox may be. On failure the caller keeps
 * *payload, as it was.
 * Whether `to` speaks the type's protocol is found out by its worker: a message
 * that it does not understand becomes a dead letter with reason TR_INVALID, and
 * the actor goes on.
 */
TR_API TR_MUST_USE tr_status tr_try_tell(tr_from from, tr_pid to, const tr_message_type *type, void *payload);

/*
 * As tr_try_tell, but *payload is consumed in any case: what cannot be delivered
 * becomes a dead letter and is dropped at once (Erlang's `!`). The status is for
 * whoever wants to know.
 */
TR_API tr_status tr_tell(tr_from from, tr_pid to, const tr_message_type *type, void *payload);

/*
 * The usual case of both, for the typed calls: in a handler, where the caller
 * writes type->size bytes to, at once. The message is sent by then. NULL: nothing
 * was sent; tr_tell says why, or does it.
 */
TR_API void *tr_tell_place_(tr_from from, tr_pid to, const tr_message_type *type);

/*
 * Ask an actor to stop: after its current handler and before anything queued,
 * with reason TR_EXIT_SHUTDOWN. TR_DEAD: it has ended already; TR_INVALID: no
 * pid. Allocates nothing.
 */
TR_API tr_status tr_stop(tr_from from, tr_pid pid);

/* This actor stops after the current handler, with reason TR_EXIT_NORMAL. */
TR_API void tr_stop_self(tr_ctx *ctx);

/* As tr_stop_self with reason TR_EXIT_FAILED, a status and a printf text. */
TR_API void tr_fail(tr_ctx *ctx, tr_status status, const char *format, ...) TR_PRINTF(3, 4);

/* The actor whose handler this is. */
TR_API tr_pid tr_self(const tr_ctx *ctx);

/* The system it runs in. */
TR_API tr_system *tr_ctx_system(const tr_ctx *ctx);

/* Is the actor alive? It may end right after. */
TR_API bool tr_is_alive(tr_from from, tr_pid pid);

/*
 * Wait, outside of actors, until the actor has ended; *ret_exit (may be NULL)
 * says how. TR_DEAD: it had ended before, how is not known any more (Erlang's
 * noproc); TR_TIMEOUT: it still lives; TR_NOMEM. On a worker it panics.
 */
TR_API TR_MUST_USE tr_status tr_join(tr_system *system, tr_pid pid, uint64_t timeout, tr_exit *ret_exit);

TR_END_DECLS

#endif
