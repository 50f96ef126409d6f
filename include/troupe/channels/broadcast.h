/*
 * broadcast - every receiver gets every value
 *
 *                                    .--> news_receiver     got b last
 *   news_sender --.                 /
 *   news_sender ----> [ e d c | b a ] --> news_receiver     got a last
 *                       a ring of the last `capacity` values
 *
 *     TR_BROADCAST(news, item)          item has a clone, if bytes do not suffice
 *
 *     news_sender tx;
 *     news_receiver rx;
 *     TR_MUST(news_broadcast(16, &tx, &rx));
 *     item i = ...;
 *     if (news_send(tx, &i) != TR_OK) ...no receivers, i is ours
 *
 *     switch (news_recv(&rx, &i)) {
 *     case TR_OK:           a copy of our own
 *     case TR_LAGGED:       rx.lagged values were overwritten before we took them;
 *                           the next receive gives the oldest that is left
 *     case TR_DISCONNECTED: all taken, and no sender is left
 *     }
 *
 * Use it for events that several threads follow. A sender never waits: a receiver
 * that is too slow loses the oldest values and is told how many. To share a large
 * value instead of copying it, broadcast an Arc: a struct with the pointer, whose
 * clone is tr_arc_clone and whose drop is tr_drop. As tokio's broadcast.
 *
 * Threads  any, with a handle each; a receiver is used by one thread at a time.
 *          T must be free to travel and to be shared: creating it panics else.
 * Progress senders exclude each other. Receivers clone side by side; a send waits
 *          for the clones under way. A clone must not use the same broadcast.
 * Order    all receivers get the values in one order; what a thread did before its
 *          send is visible to who received it.
 * Memory   one block, with room for capacity + 1 values. A value is dropped when it
 *          is overwritten, by the thread that overwrites it, or with the last handle.
 */
#ifndef TROUPE_CHANNELS_BROADCAST_H
#define TROUPE_CHANNELS_BROADCAST_H

#include <troupe/channels/select.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

typedef struct tr_broadcast tr_broadcast;

/*
 * What TR_BROADCAST(news, item) makes:
 *
 *   news_broadcast(capacity, &tx, &rx)  TR_INVALID: capacity 0; TR_NOMEM;
 *                                       TR_LAYOUT: no block can be so large
 *   news_sender_clone(tx)
 *   news_sender_drop(&tx)               empty handles are accepted and left behind
 *   news_receiver_drop(&rx)
 *   news_subscribe(tx)                  a receiver of what is sent from now on
 *   news_resubscribe(rx)                the same, from a receiver
 *   news_send(tx, &i)                   TR_DISCONNECTED: no receivers; i is kept
 *   news_receivers(tx)                  how many there are now
 *   news_len(rx)                        values sent that rx has not got; those that
 *                                       it has lost by now are counted
 *
 * TR_LAGGED, TR_DISCONNECTED: see above. Also what the clone of T answers;
 * then nothing was taken.
 *   news_try_recv(&rx, &i)              TR_EMPTY
 *   news_recv(&rx, &i)
 *   news_recv_until(&rx, deadline, &i)  TR_TIMEOUT
 *   news_recv_timeout(&rx, ns, &i)
 */
#define TR_BROADCAST(NAME, T)                                                                      \
    typedef struct NAME##_sender {                                                                 \
        tr_broadcast *broadcast_;                                                                  \
    } NAME##_sender;                                                                               \
    typedef struct NAME##_receiver {                                                               \
        tr_broadcast *broadcast_;                                                                  \
        uint64_t next_;                                                                            \
        uint64_t lagged; /* how many the last TR_LAGGED was about */                               \
    } NAME##_receiver;                                                                             \
    TR_BROADCAST_LIFE_(NAME, T)                                                                    \
    TR_BROADCAST_RECV_(NAME, T)

/* -- the untyped forms ---------------------------------------------------------------- */

/* A broadcast with one sender and one receiver, whose position is 0. */
TR_API TR_MUST_USE tr_status tr_broadcast_create(const tr_type *type, size_t capacity,
                                                 tr_broadcast **ret_broadcast);
/* One more sender; gives the broadcast. */
TR_API tr_broadcast *tr_broadcast_add_sender(tr_broadcast *broadcast);
/* One more receiver; gives the position of the next value. */
TR_API uint64_t tr_broadcast_add_receiver(tr_broadcast *broadcast);
/* Drop a sender; the last one disconnects. NULL is accepted, and left behind. */
TR_API void tr_broadcast_drop_sender(tr_broadcast **broadcast);
/* Drop a receiver; as above. */
TR_API void tr_broadcast_drop_receiver(tr_broadcast **broadcast);
/* Move *value into the ring. TR_DISCONNECTED: no receivers, *value is kept. */
TR_API TR_MUST_USE tr_status tr_broadcast_send(tr_broadcast *broadcast, const void *value);
/* Clone the value at *next into *ret_value and step on. TR_LAGGED: *next is on the
 * oldest value now, *ret_lagged is the distance. */
TR_API TR_MUST_USE tr_status tr_broadcast_try_recv(tr_broadcast *broadcast, uint64_t *next,
                                                   uint64_t *ret_lagged, void *ret_value);
/* The same, waiting for a value until the deadline. */
TR_API TR_MUST_USE tr_status tr_broadcast_recv_until(tr_broadcast *broadcast, uint64_t *next,
                                                     uint64_t deadline, uint64_t *ret_lagged,
                                                     void *ret_value);
/* Receivers there are now. */
TR_API size_t tr_broadcast_receivers(const tr_broadcast *broadcast);
/* Values sent since position next. */
TR_API uint64_t tr_broadcast_len(const tr_broadcast *broadcast, uint64_t next);

/* -- the parts -------------------------------------------------------------------------- */

#define TR_BROADCAST_LIFE_(NAME, T)                                                                \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_broadcast(                                \
        size_t capacity, NAME##_sender *ret_sender, NAME##_receiver *ret_receiver)                 \
    {                                                                                              \
        tr_broadcast *broadcast_ = NULL;                                                           \
        tr_status status_ = tr_broadcast_create(tr_type_of(T), capacity, &broadcast_);             \
        if (status_ == TR_OK) {                                                                    \
            *ret_sender = (NAME##_sender){ broadcast_ };                                           \
            *ret_receiver = (NAME##_receiver){ broadcast_, 0, 0 };                                 \
        }                                                                                          \
        return status_;                                                                            \
    }                                                                                              \
    TR_UNUSED static inline NAME##_sender NAME##_sender_clone(NAME##_sender sender)                \
    {                                                                                              \
        return (NAME##_sender){ tr_broadcast_add_sender(sender.broadcast_) };                      \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_sender_drop(NAME##_sender *sender)                         \
    {                                                                                              \
        tr_broadcast_drop_sender(&sender->broadcast_);                                             \
    }                                                                                              \
    TR_UNUSED static inline NAME##_receiver NAME##_subscribe(NAME##_sender sender)                 \
    {                                                                                              \
        return (NAME##_receiver){ sender.broadcast_,                                               \
                                  tr_broadcast_add_receiver(sender.broadcast_), 0 };               \
    }                                                                                              \
    TR_UNUSED static inline NAME##_receiver NAME##_resubscribe(NAME##_receiver receiver)           \
    {                                                                                              \
        return NAME##_subscribe((NAME##_sender){ receiver.broadcast_ });                           \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_receiver_drop(NAME##_receiver *receiver)                   \
    {                                                                                              \
        tr_broadcast_drop_receiver(&receiver->broadcast_);                                         \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send(NAME##_sender sender, T *value)      \
    {                                                                                              \
        return tr_broadcast_send(sender.broadcast_, value);                                        \
    }                                                                                              \
    TR_UNUSED static inline size_t NAME##_receivers(NAME##_sender sender)                          \
    {                                                                                              \
        return tr_broadcast_receivers(sender.broadcast_);                                          \
    }

#define TR_BROADCAST_RECV_(NAME, T)                                                                \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_try_recv(NAME##_receiver *receiver,       \
                                                                  T *ret_value)                    \
    {                                                                                              \
        return tr_broadcast_try_recv(receiver->broadcast_, &receiver->next_, &receiver->lagged,    \
                                     ret_value);                                                   \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_until(                               \
        NAME##_receiver *receiver, uint64_t deadline, T *ret_value)                                \
    {                                                                                              \
        return tr_broadcast_recv_until(receiver->broadcast_, &receiver->next_, deadline,           \
                                       &receiver->lagged, ret_value);                              \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv(NAME##_receiver *receiver,           \
                                                              T *ret_value)                        \
    {                                                                                              \
        return NAME##_recv_until(receiver, TR_FOREVER, ret_value);                                 \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_timeout(                             \
        NAME##_receiver *receiver, uint64_t timeout, T *ret_value)                                 \
    {                                                                                              \
        return NAME##_recv_until(receiver, tr_from_now_(timeout), ret_value);                      \
    }                                                                                              \
    TR_UNUSED static inline uint64_t NAME##_len(NAME##_receiver receiver)                          \
    {                                                                                              \
        return tr_broadcast_len(receiver.broadcast_, receiver.next_);                              \
    }

TR_END_DECLS

#endif
