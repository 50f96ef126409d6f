/*
 * channel - values move from many senders to one receiver
 *
 *   jobs_sender --.
 *   jobs_sender ----> [ c ][ b ][ a ] --> jobs_receiver
 *   jobs_sender --'    unbounded, bounded, or no room at all (rendezvous)
 *
 *     TR_CHANNEL(jobs, job)                 once, where both sides see it
 *
 *     jobs_sender tx;
 *     jobs_receiver rx;
 *     TR_MUST(jobs_bounded(16, &tx, &rx));
 *     job j = { .n = 1 };                                       one thread
 *     if (jobs_send(tx, &j) != TR_OK) job_drop(&j);             still ours
 *     jobs_sender_drop(&tx);
 *     while (jobs_next(rx, &j)) { ...; job_drop(&j); }          another one
 *     jobs_receiver_drop(&rx);
 *
 * Use it between threads. Between actors, send messages; for one reply, use
 * oneshot.h; for the latest value only, watch.h.
 *
 * A message is moved bytewise: after a send that gave TR_OK the sender's bytes
 * are only bytes; after any other answer the message is still the caller's.
 * Sending, receiving and disconnection are those of std::sync::mpsc and
 * crossbeam-channel: when all senders are gone the receiver still gets what was
 * sent, then TR_DISCONNECTED; when the receiver goes, what is queued is dropped
 * at once and each send gives TR_DISCONNECTED. Channels are never poisoned.
 *
 * Threads            send  recv  clone  sender_drop     x: the caller keeps apart
 *          send       -     -      -         -          -: any two threads
 *          recv       -     x      -         -
 *          One receiver may be used by one thread at a time, and a handle must
 *          not be dropped while another thread uses that same handle; handles
 *          that were cloned are independent. T must not be TR_NOT_SEND: creating
 *          the channel panics then.
 * Progress try_ calls never sleep. They wait only for a sender that has taken its
 *          place in the queue and is about to write to it (a few instructions).
 *          The others spin for about a microsecond, then sleep in the kernel.
 * Order    what a thread did before a send is visible after the receive of that
 *          message; messages of one sender arrive in the order sent. What the
 *          receiver did before it took a message is visible to the send that
 *          found the room (bounded), or that the message came from (rendezvous).
 * Memory   unbounded: a block for every 31 messages. bounded: one block at the
 *          start. Waiting allocates nothing.
 *
 * To drop a handle at the end of a scope, also when a panic unwinds:
 *     __attribute__((cleanup(jobs_sender_drop))) jobs_sender tx = ...;
 */
#ifndef TROUPE_CHANNELS_CHANNEL_H
#define TROUPE_CHANNELS_CHANNEL_H

#include <troupe/channels/select.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

/* A capacity that is never reached. */
#define TR_UNBOUNDED SIZE_MAX

/*
 * What TR_CHANNEL(jobs, job) makes. `job` is one word and has a TR_TYPE.
 *
 *   jobs_unbounded(&tx, &rx)            a channel that is never full
 *   jobs_bounded(capacity, &tx, &rx)    0: a rendezvous, a send waits for its
 *                                       receive. TR_NOMEM; TR_LAYOUT: no block
 *                                       can be so large
 *   jobs_sender_clone(tx)               one more sender of the same channel
 *   jobs_sender_drop(&tx)               NULL handles are accepted, and left
 *   jobs_receiver_drop(&rx)             behind
 *
 * TR_DISCONNECTED: the receiver is gone, give up. TR_NOMEM: (unbounded only) a
 * block could not be had, nothing has changed.
 *   jobs_try_send(tx, &j)               TR_FULL: no room, or nobody waits
 *   jobs_send(tx, &j)                   waits for room
 *   jobs_send_until(tx, &j, deadline)   TR_TIMEOUT; as tr_now. A deadline in the
 *                                       past is one try
 *   jobs_send_timeout(tx, &j, ns)       the same, from now on
 *
 * TR_DISCONNECTED: nothing is queued and all senders are gone, for good.
 *   jobs_try_recv(rx, &j)               TR_EMPTY: nothing there now
 *   jobs_recv(rx, &j)                   waits for a message
 *   jobs_recv_until(rx, deadline, &j)   TR_TIMEOUT
 *   jobs_recv_timeout(rx, ns, &j)
 *   jobs_next(rx, &j)                   for loops: false once disconnected
 *   jobs_try_next(rx, &j)               false once empty or disconnected
 *
 *   jobs_close(rx)                      sends fail from now on, also those that wait;
 *                                       what is queued can still be received
 *
 * A weak sender does not keep the channel connected (as tokio's WeakSender):
 *   jobs_downgrade(tx)                  a jobs_weak_sender
 *   jobs_upgrade(weak, &tx)             TR_DISCONNECTED: no sender is left
 *   jobs_weak_sender_clone(weak), jobs_weak_sender_drop(&weak)
 *
 *   jobs_select_send(tx, &j), jobs_select_recv(rx, &j)       for tr_select
 *   jobs_never()                        a receiver that never gets anything
 */
#define TR_CHANNEL(NAME, T)                                                                        \
    TR_CHANNEL_HANDLES(NAME, T)                                                                    \
    TR_CHANNEL_CALLS(NAME, T)

/*
 * The two halves of it, for a message that holds handles of its own channel:
 * TR_CHANNEL_HANDLES, then the message and its TR_TYPE, then TR_CHANNEL_CALLS.
 */
#define TR_CHANNEL_HANDLES(NAME, T)                                                                \
    typedef struct NAME##_sender {                                                                 \
        tr_channel *channel_;                                                                      \
    } NAME##_sender;                                                                               \
    typedef struct NAME##_receiver {                                                               \
        tr_channel *channel_;                                                                      \
    } NAME##_receiver;                                                                             \
    typedef struct NAME##_weak_sender {                                                            \
        tr_channel *channel_;                                                                      \
    } NAME##_weak_sender;                                                                          \
    TR_UNUSED static inline void NAME##_sender_drop(NAME##_sender *sender)                         \
    {                                                                                              \
        tr_channel_drop_sender(&sender->channel_);                                                 \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_receiver_drop(NAME##_receiver *receiver)                   \
    {                                                                                              \
        tr_channel_drop_receiver(&receiver->channel_);                                             \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_weak_sender_drop(NAME##_weak_sender *weak)                 \
    {                                                                                              \
        tr_channel_drop_weak(&weak->channel_);                                                     \
    }

#define TR_CHANNEL_CALLS(NAME, T)                                                                  \
    TR_CHANNEL_LIFE_(NAME, T)                                                                      \
    TR_CHANNEL_SEND_(NAME, T)                                                                      \
    TR_CHANNEL_RECV_(NAME, T)                                                                      \
    TR_CHANNEL_SELECT_(NAME, T)

/*
 * About a channel, asked with a sender or a receiver of any type. What another
 * thread may change is a snapshot, but len never exceeds the capacity.
 */
#define tr_channel_len(handle) tr_channel_len_of((handle).channel_)
#define tr_channel_capacity(handle) tr_channel_capacity_of((handle).channel_)
/* A rendezvous channel is always empty and always full. */
#define tr_channel_is_empty(handle) (tr_channel_len(handle) == 0)
#define tr_channel_is_full(handle) (tr_channel_len(handle) == tr_channel_capacity(handle))
/* Do both belong to the same channel? All nevers are one. */
#define tr_channel_is_same(a, b) ((a).channel_ == (b).channel_)

/* -- the untyped forms: what the generated calls are made of ---------------------- */

/* A channel with one sender and one receiver, both the same pointer. */
TR_API TR_MUST_USE tr_status tr_channel_create(const tr_type *type, size_t capacity,
                                               tr_channel **ret_channel);
/* One more sender; gives the channel. Above INT32_MAX senders it aborts. */
TR_API tr_channel *tr_channel_add_sender(tr_channel *channel);
/* Drop one sender; the last one disconnects. The pointer is NULL afterwards;
 * NULL is accepted. */
TR_API void tr_channel_drop_sender(tr_channel **channel);
/* Drop the receiver, and at once what is queued; as above. */
TR_API void tr_channel_drop_receiver(tr_channel **channel);

/* Refuse sends from now on; the receiver's. */
TR_API void tr_channel_close(tr_channel *channel);
/* One more weak sender, from a sender or a weak one; gives the channel. */
TR_API tr_channel *tr_channel_add_weak(tr_channel *channel);
/* Drop a weak sender; as above. */
TR_API void tr_channel_drop_weak(tr_channel **channel);
/* Make one more sender if there is one. TR_DISCONNECTED: there is none, for good. */
TR_API TR_MUST_USE tr_status tr_channel_upgrade(tr_channel *channel);

/* Move *message into the channel, as jobs_try_send and jobs_send_until. */
TR_API TR_MUST_USE tr_status tr_channel_try_send(tr_channel *channel, const void *message);
/* The same, waiting for room until the deadline; TR_FOREVER: as jobs_send. */
TR_API TR_MUST_USE tr_status tr_channel_send_until(tr_channel *channel, const void *message,
                                                   uint64_t deadline);
/* Move a message into *ret_message, as jobs_try_recv and jobs_recv_until. */
TR_API TR_MUST_USE tr_status tr_channel_try_recv(tr_channel *channel, void *ret_message);
/* The same, waiting for a message until the deadline; TR_FOREVER: as jobs_recv. */
TR_API TR_MUST_USE tr_status tr_channel_recv_until(tr_channel *channel, uint64_t deadline,
                                                   void *ret_message);

/* Messages queued now; 0 for a rendezvous. */
TR_API size_t tr_channel_len_of(const tr_channel *channel);
/* TR_UNBOUNDED for an unbounded one. */
TR_API size_t tr_channel_capacity_of(const tr_channel *channel);
/* The channel behind every never. */
TR_API tr_channel *tr_channel_never(void);

/* -- the parts --------------------------------------------------------------------- */

#define TR_CHANNEL_LIFE_(NAME, T)                                                                  \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_bounded(                                  \
        size_t capacity, NAME##_sender *ret_sender, NAME##_receiver *ret_receiver)                 \
    {                                                                                              \
        tr_channel *channel_ = NULL;                                                               \
        tr_status status_ = tr_channel_create(tr_type_of(T), capacity, &channel_);                 \
        if (status_ == TR_OK) {                                                                    \
            ret_sender->channel_ = channel_;                                                       \
            ret_receiver->channel_ = channel_;                                                     \
        }                                                                                          \
        return status_;                                                                            \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_unbounded(NAME##_sender *ret_sender,      \
                                                                   NAME##_receiver *ret_receiver)  \
    {                                                                                              \
        return NAME##_bounded(TR_UNBOUNDED, ret_sender, ret_receiver);                             \
    }                                                                                              \
    TR_UNUSED static inline NAME##_sender NAME##_sender_clone(NAME##_sender sender)                \
    {                                                                                              \
        return (NAME##_sender){ tr_channel_add_sender(sender.channel_) };                          \
    }                                                                                              \
    TR_UNUSED static inline NAME##_weak_sender NAME##_downgrade(NAME##_sender sender)              \
    {                                                                                              \
        return (NAME##_weak_sender){ tr_channel_add_weak(sender.channel_) };                       \
    }                                                                                              \
    TR_UNUSED static inline NAME##_weak_sender NAME##_weak_sender_clone(NAME##_weak_sender weak)   \
    {                                                                                              \
        return (NAME##_weak_sender){ tr_channel_add_weak(weak.channel_) };                         \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_upgrade(NAME##_weak_sender weak,          \
                                                                 NAME##_sender *ret_sender)        \
    {                                                                                              \
        const tr_status status_ = tr_channel_upgrade(weak.channel_);                               \
        if (status_ == TR_OK)                                                                      \
            ret_sender->channel_ = weak.channel_;                                                  \
        return status_;                                                                            \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_close(NAME##_receiver receiver)                            \
    {                                                                                              \
        tr_channel_close(receiver.channel_);                                                       \
    }                                                                                              \
    TR_UNUSED static inline NAME##_receiver NAME##_never(void)                                     \
    {                                                                                              \
        return (NAME##_receiver){ tr_channel_never() };                                            \
    }

#define TR_CHANNEL_SEND_(NAME, T)                                                                  \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_try_send(NAME##_sender sender, T *message) \
    {                                                                                              \
        return tr_channel_try_send(sender.channel_, message);                                      \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send(NAME##_sender sender, T *message)    \
    {                                                                                              \
        return tr_channel_send_until(sender.channel_, message, TR_FOREVER);                        \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send_until(                               \
        NAME##_sender sender, T *message, uint64_t deadline)                                       \
    {                                                                                              \
        return tr_channel_send_until(sender.channel_, message, deadline);                          \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send_timeout(                             \
        NAME##_sender sender, T *message, uint64_t timeout)                                        \
    {                                                                                              \
        return tr_channel_send_until(sender.channel_, message, tr_from_now_(timeout));             \
    }

#define TR_CHANNEL_RECV_(NAME, T)                                                                  \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_try_recv(NAME##_receiver receiver,        \
                                                                  T *ret_message)                  \
    {                                                                                              \
        return tr_channel_try_recv(receiver.channel_, ret_message);                                \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv(NAME##_receiver receiver,            \
                                                              T *ret_message)                      \
    {                                                                                              \
        return tr_channel_recv_until(receiver.channel_, TR_FOREVER, ret_message);                  \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_until(                               \
        NAME##_receiver receiver, uint64_t deadline, T *ret_message)                               \
    {                                                                                              \
        return tr_channel_recv_until(receiver.channel_, deadline, ret_message);                    \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_recv_timeout(                             \
        NAME##_receiver receiver, uint64_t timeout, T *ret_message)                                \
    {                                                                                              \
        return tr_channel_recv_until(receiver.channel_, tr_from_now_(timeout), ret_message);       \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool NAME##_next(NAME##_receiver receiver, T *ret_message) \
    {                                                                                              \
        return NAME##_recv(receiver, ret_message) == TR_OK;                                        \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool NAME##_try_next(NAME##_receiver receiver,             \
                                                             T *ret_message)                       \
    {                                                                                              \
        return NAME##_try_recv(receiver, ret_message) == TR_OK;                                    \
    }

#define TR_CHANNEL_SELECT_(NAME, T)                                                                \
    TR_UNUSED static inline tr_select_op NAME##_select_send(NAME##_sender sender, T *message)      \
    {                                                                                              \
        return tr_select_op_of_(sender.channel_, message, true);                                   \
    }                                                                                              \
    TR_UNUSED static inline tr_select_op NAME##_select_recv(NAME##_receiver receiver,              \
                                                            T *ret_message)                        \
    {                                                                                              \
        return tr_select_op_of_(receiver.channel_, ret_message, false);                            \
    }

TR_END_DECLS

#endif
