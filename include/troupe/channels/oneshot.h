/*
 * oneshot - one value, once, from one sender to one receiver
 *
 *   answer_sender --send, consumed--> [ value ] --recv--> answer_receiver
 *
 *     TR_ONESHOT(answer, int)
 *
 *     answer_sender tx;
 *     answer_receiver rx;
 *     TR_MUST(answer_oneshot(&tx, &rx));
 *     int v = 42;
 *     if (answer_send(&tx, &v) != TR_OK) ...nobody waits any more, v is ours   one thread
 *     if (answer_recv(rx, &v) == TR_OK) ...                                    the other
 *     answer_receiver_drop(&rx);
 *
 * Use it for a reply between threads (between actors: ask.h). As tokio's oneshot:
 * a successful send consumes the sender, a sender dropped without a send breaks
 * the promise (TR_DISCONNECTED), and a receiver that no longer wants the value
 * closes, which the sender can ask before it computes one.
 *
 * Threads            send  sender_drop  recv  close  receiver_drop
 *          The sender's calls and the receiver's calls meet at any time; each of
 *          the two handles is used by one thread at a time.
 * Progress send, drops, close and try_recv never wait. recv spins for about a
 *          microsecond, then sleeps in the kernel.
 * Order    what a thread did before its send or drop is visible after the recv
 *          that tells of it.
 * Memory   one block, freed by the side that goes last. A value that was sent and
 *          not received is dropped with the receiver.
 */
#ifndef TROUPE_CHANNELS_ONESHOT_H
#define TROUPE_CHANNELS_ONESHOT_H

#include <troupe/channels/select.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

typedef struct tr_oneshot tr_oneshot;

/*
 * What TR_ONESHOT(answer, int) makes:
 *
 *   answer_oneshot(&tx, &rx)            TR_NOMEM
 *   answer_send(&tx, &v)                TR_OK: moved, tx is empty now.
 *                                       TR_DISCONNECTED: closed or dropped; v and
 *                                       tx are as they were
 *   answer_sender_drop(&tx)             accepts an empty handle, as below
 *   answer_is_closed(tx)                would a send fail? true stays true
 *
 * TR_DISCONNECTED: dropped without a send, or closed, or taken already.
 *   answer_try_recv(rx, &v)             TR_EMPTY: not yet
 *   answer_recv(rx, &v)
 *   answer_recv_until(rx, deadline, &v) TR_TIMEOUT; rx can be used again
 *   answer_recv_timeout(rx, ns, &v)
 *   answer_close(rx)                    no send succeeds any more; one that has
 *                                       already can still be received
 *   answer_receiver_drop(&rx)
 */
#define TR_ONESHOT(NAME, T)                                                                        \
    typedef struct NAME##_sender {                                                                 \
        tr_oneshot *oneshot_;                                                                      \
    } NAME##_sender;                                                                               \
    typedef struct NAME##_receiver {                                                               \
        tr_oneshot *oneshot_;                                                                      \
    } NAME##_receiver;                                                                             \
    TR_ONESHOT_SENDER_(NAME, T)                                                                    \
    TR_ONESHOT_RECEIVER_(NAME, T)

/* -- the untyped forms ---------------------------------------------------------------- */

/* A oneshot with its two handles, both the same pointer. */
TR_API TR_MUST_USE tr_status tr_oneshot_create(const tr_type *type, tr_oneshot **ret_oneshot);
/* Move *value to the receiver and consume the sender: *sender is NULL then. */
TR_API TR_MUST_USE tr_status tr_oneshot_send(tr_oneshot **sender, const void *value);
/* Drop the sender; NULL is accepted, and left behind. */
TR_API void tr_oneshot_drop_sender(tr_oneshot **sender);
/* Has the receiver closed, or gone? */
TR_API bool tr_oneshot_is_closed(const tr_oneshot *sender);
/* Move the value into *ret_value, if it is there. */
TR_API TR_MUST_USE tr_status tr_oneshot_try_recv(tr_oneshot *receiver, void *ret_value);
/* The same, waiting until the deadline (absolute, as tr_now) or TR_FOREVER. */
TR_API TR_MUST_USE tr_status tr_oneshot_recv_until(tr_oneshot *receiver, uint64_t deadline,
                                                   void *ret_value);
/* Refuse a value that has not been sent yet. */
TR_API void tr_oneshot_close(tr_oneshot *receiver);
/* Drop the receiver, and the value if it is there; NULL as above. */
TR_API void tr_oneshot_drop_receiver(tr_oneshot **receiver);

/* -- the parts -------------------------------------------------------------------------- */

#define TR_ONESHOT_SENDER_(NAME, T)                                                                \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_oneshot(NAME##_sender *ret_sender,        \
                                                                 NAME##_receiver *ret_receiver)    \
    {                                                                                              \
        tr_oneshot *oneshot_ = NULL;                                                               \
        tr_status status_ = tr_oneshot_create(tr_type_of(T), &oneshot_);                           \
        if (status_ == TR_OK) {                                                                    \
            ret_sender->oneshot_ = oneshot_;                                                       \
            ret_receiver->oneshot_ = oneshot_;                                                     \
        }                                                                                          \
        return status_;                                                                            \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send(NAME##_sender *sender, T *value)     \
    {                                                                                              \
        return tr_oneshot_send(&sender->oneshot_, value);                                          \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_sender_drop(NAME##_sender *sender)                         \
    {                                                                                              \
        tr_oneshot_drop_sender(&sender->oneshot_);                                                 \
    }                                                                                              \
    TR_UNUSED static inline bool NAME##_is_closed(NAME##_sender sender)                            \
    {                                                                                              \
        return tr_oneshot_is_closed(sender.oneshot_);                                              \
    }

#define TR_ONESHOT_RECEIVER_(NAME, T)                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_try_recv(NAME##_receiver receiver,        \
                                                                  T *ret_value)                    \
    {                                                                                              \
        return tr_oneshot_try_recv(receiver.oneshot_, ret_value);                                  \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv(NAME##_receiver receiver,            \
                                                              T *ret_value)                        \
    {                                                                                              \
        return tr_oneshot_recv_until(receiver.oneshot_, TR_FOREVER, ret_value);                    \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_until(                               \
        NAME##_receiver receiver, uint64_t deadline, T *ret_value)                                 \
    {                                                                                              \
        return tr_oneshot_recv_until(receiver.oneshot_, deadline, ret_value);                      \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_timeout(                             \
        NAME##_receiver receiver, uint64_t timeout, T *ret_value)                                  \
    {                                                                                              \
        return tr_oneshot_recv_until(receiver.oneshot_, tr_from_now_(timeout), ret_value);         \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_close(NAME##_receiver receiver)                            \
    {                                                                                              \
        tr_oneshot_close(receiver.oneshot_);                                                       \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_receiver_drop(NAME##_receiver *receiver)                   \
    {                                                                                              \
        tr_oneshot_drop_receiver(&receiver->oneshot_);                                             \
    }

TR_END_DECLS

#endif
