/*
 * watch - the latest value, seen by any number of receivers
 *
 *   settings_sender --send--> [ value, version ] <--borrow-- settings_receiver
 *   settings_sender --'                           <--borrow-- settings_receiver
 *
 *     TR_WATCH(settings, config)
 *
 *     settings_sender tx;
 *     settings_receiver rx;
 *     config initial = { .level = 1 };
 *     TR_MUST(settings_watch(&initial, &tx, &rx));
 *
 *     while (settings_changed(&rx) == TR_OK) {
 *         settings_ref r = settings_borrow_and_update(&rx);
 *         use(r.value->level);
 *         settings_ref_drop(&r);
 *     }
 *
 * Use it for configuration and progress: a receiver that looks late sees the
 * newest value and misses those in between. Where each value counts, use
 * channel.h or broadcast.h. As tokio's watch.
 *
 * Threads  any, with a handle each; a receiver is used by one thread at a time.
 *          T must be free to travel and to be shared: making the watch panics else.
 * Progress a borrow is a read lock: it waits for a send under way, and sends wait for
 *          borrows. So keep a borrow short, hold one at a time, and do not send
 *          while you hold one: that waits for ever.
 * Order    what a thread did before its send is visible to a borrow of that value.
 * Memory   one block, with room for two values. A replaced value is dropped by the
 *          thread that replaced it, the last one with the last handle.
 */
#ifndef TROUPE_CHANNELS_WATCH_H
#define TROUPE_CHANNELS_WATCH_H

#include <troupe/channels/select.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

typedef struct tr_watch tr_watch;

/*
 * What TR_WATCH(settings, config) makes:
 *
 *   settings_watch(&v, &tx, &rx)        v is moved; rx has seen it. TR_NOMEM
 *   settings_sender_clone(tx)
 *   settings_sender_drop(&tx)           the last one closes; empty handles are
 *   settings_receiver_drop(&rx)         accepted and left behind
 *   settings_receiver_clone(rx)         has seen what rx has seen
 *   settings_subscribe(tx)              a receiver that has seen the value of now
 *
 *   settings_send(tx, &v)               moves v in, drops the old one.
 *                                       TR_DISCONNECTED: no receivers; v is kept
 *   settings_send_replace(tx, &v)       swaps v and the value, receivers or not
 *   settings_send_if_modified(tx, f, arg)   f(&value, arg) says if it has changed
 *                                       it; gives that
 *   settings_is_closed(tx)              no receivers now
 *   settings_closed_until(tx, deadline) wait for that; TR_TIMEOUT
 *
 *   settings_has_changed(rx)            is there a value rx has not seen?
 *   settings_changed(&rx)               wait for one, and count it as seen.
 *                                       TR_DISCONNECTED: there is none, and no sender
 *   settings_changed_until(&rx, deadline)   TR_TIMEOUT
 *   settings_borrow(rx)                 a look; rx has seen no more than before
 *   settings_borrow_and_update(&rx)     a look; rx has seen this value
 *   settings_sender_borrow(tx)
 *   settings_ref_drop(&r)               ends a look, by the thread that began it
 */
#define TR_WATCH(NAME, T)                                                                          \
    typedef struct NAME##_sender {                                                                 \
        tr_watch *watch_;                                                                          \
    } NAME##_sender;                                                                               \
    typedef struct NAME##_receiver {                                                               \
        tr_watch *watch_;                                                                          \
        uint64_t seen_;                                                                            \
    } NAME##_receiver;                                                                             \
    typedef struct NAME##_ref {                                                                    \
        const T *value;                                                                            \
        tr_watch *watch_;                                                                          \
    } NAME##_ref;                                                                                  \
    TR_WATCH_LIFE_(NAME, T)                                                                        \
    TR_WATCH_SENDER_(NAME, T)                                                                      \
    TR_WATCH_RECEIVER_(NAME, T)

/* -- the untyped forms ---------------------------------------------------------------- */

/* A watch with one sender and one receiver; *value is moved in. */
TR_API TR_MUST_USE tr_status tr_watch_create(const tr_type *type, const void *value,
                                             tr_watch **ret_watch);
/* One more sender; gives the watch. */
TR_API tr_watch *tr_watch_add_sender(tr_watch *watch);
/* One more receiver; gives the version of now, as seen. */
TR_API uint64_t tr_watch_add_receiver(tr_watch *watch);
/* Drop a sender; NULL is accepted, and left behind. */
TR_API void tr_watch_drop_sender(tr_watch **watch);
/* Drop a receiver; as above. */
TR_API void tr_watch_drop_receiver(tr_watch **watch);
/* Replace the value by *value. TR_DISCONNECTED: no receivers, *value is kept. */
TR_API TR_MUST_USE tr_status tr_watch_send(tr_watch *watch, const void *value);
/* Swap *value and the value. */
TR_API void tr_watch_replace(tr_watch *watch, void *value);
/* Let modify work on the value, alone; true is a new version. */
typedef bool tr_watch_modify(void *value, void *arg);
/* The answer is modify's. A panic of modify ends the change without a new version. */
TR_API bool tr_watch_send_if_modified(tr_watch *watch, tr_watch_modify *modify, void *arg);
/* Are there no receivers now? */
TR_API bool tr_watch_is_closed(const tr_watch *watch);
/* Wait until there are none. */
TR_API TR_MUST_USE tr_status tr_watch_closed_until(tr_watch *watch, uint64_t deadline);
/* Is there a version other than `seen`? */
TR_API bool tr_watch_has_changed(const tr_watch *watch, uint64_t seen);
/* Wait for one; *seen is it then. TR_DISCONNECTED: none will come. */
TR_API TR_MUST_USE tr_status tr_watch_changed_until(tr_watch *watch, uint64_t *seen,
                                                    uint64_t deadline);
/* The value, kept as it is until tr_watch_release; *ret_seen, if not NULL, is its
 * version. */
TR_API const void *tr_watch_borrow(tr_watch *watch, uint64_t *ret_seen);
/* End a borrow, on the thread that made it. */
TR_API void tr_watch_release(tr_watch *watch);

/* -- the parts -------------------------------------------------------------------------- */

#define TR_WATCH_LIFE_(NAME, T)                                                                    \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_watch(                                    \
        T *value, NAME##_sender *ret_sender, NAME##_receiver *ret_receiver)                        \
    {                                                                                              \
        tr_watch *watch_ = NULL;                                                                   \
        tr_status status_ = tr_watch_create(tr_type_of(T), value, &watch_);                        \
        if (status_ == TR_OK) {                                                                    \
            *ret_sender = (NAME##_sender){ watch_ };                                               \
            *ret_receiver = (NAME##_receiver){ watch_, 0 };                                        \
        }                                                                                          \
        return status_;                                                                            \
    }                                                                                              \
    TR_UNUSED static inline NAME##_sender NAME##_sender_clone(NAME##_sender sender)                \
    {                                                                                              \
        return (NAME##_sender){ tr_watch_add_sender(sender.watch_) };                              \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_sender_drop(NAME##_sender *sender)                         \
    {                                                                                              \
        tr_watch_drop_sender(&sender->watch_);                                                     \
    }                                                                                              \
    TR_UNUSED static inline NAME##_receiver NAME##_receiver_clone(NAME##_receiver receiver)        \
    {                                                                                              \
        (void)tr_watch_add_receiver(receiver.watch_);                                              \
        return receiver;                                                                           \
    }                                                                                              \
    TR_UNUSED static inline NAME##_receiver NAME##_subscribe(NAME##_sender sender)                 \
    {                                                                                              \
        return (NAME##_receiver){ sender.watch_, tr_watch_add_receiver(sender.watch_) };           \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_receiver_drop(NAME##_receiver *receiver)                   \
    {                                                                                              \
        tr_watch_drop_receiver(&receiver->watch_);                                                 \
    }

#define TR_WATCH_SENDER_(NAME, T)                                                                  \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_send(NAME##_sender sender, T *value)      \
    {                                                                                              \
        return tr_watch_send(sender.watch_, value);                                                \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_send_replace(NAME##_sender sender, T *value)               \
    {                                                                                              \
        tr_watch_replace(sender.watch_, value);                                                    \
    }                                                                                              \
    TR_UNUSED static inline bool NAME##_send_if_modified(                                          \
        NAME##_sender sender, bool (*modify)(T * value, void *arg), void *arg)                     \
    {                                                                                              \
        return tr_watch_send_if_modified(sender.watch_,                                            \
                                         (tr_watch_modify *)(void (*)(void))modify, arg);          \
    }                                                                                              \
    TR_UNUSED static inline bool NAME##_is_closed(NAME##_sender sender)                            \
    {                                                                                              \
        return tr_watch_is_closed(sender.watch_);                                                  \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_closed_until(NAME##_sender sender,        \
                                                                      uint64_t deadline)           \
    {                                                                                              \
        return tr_watch_closed_until(sender.watch_, deadline);                                     \
    }                                                                                              \
    TR_UNUSED static inline NAME##_ref NAME##_sender_borrow(NAME##_sender sender)                  \
    {                                                                                              \
        return (NAME##_ref){ (const T *)tr_watch_borrow(sender.watch_, NULL), sender.watch_ };     \
    }

#define TR_WATCH_RECEIVER_(NAME, T)                                                                \
    TR_UNUSED static inline bool NAME##_has_changed(NAME##_receiver receiver)                      \
    {                                                                                              \
        return tr_watch_has_changed(receiver.watch_, receiver.seen_);                              \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_changed_until(NAME##_receiver *receiver,  \
                                                                       uint64_t deadline)          \
    {                                                                                              \
        return tr_watch_changed_until(receiver->watch_, &receiver->seen_, deadline);               \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status NAME##_changed(NAME##_receiver *receiver)        \
    {                                                                                              \
        return NAME##_changed_until(receiver, TR_FOREVER);                                         \
    }                                                                                              \
    TR_UNUSED static inline NAME##_ref NAME##_borrow(NAME##_receiver receiver)                     \
    {                                                                                              \
        return (NAME##_ref){ (const T *)tr_watch_borrow(receiver.watch_, NULL), receiver.watch_ }; \
    }                                                                                              \
    TR_UNUSED static inline NAME##_ref NAME##_borrow_and_update(NAME##_receiver *receiver)         \
    {                                                                                              \
        const T *value_ = (const T *)tr_watch_borrow(receiver->watch_, &receiver->seen_);          \
        return (NAME##_ref){ value_, receiver->watch_ };                                           \
    }                                                                                              \
    TR_UNUSED static inline void NAME##_ref_drop(NAME##_ref *ref)                                  \
    {                                                                                              \
        if (ref->value != NULL)                                                                    \
            tr_watch_release(ref->watch_);                                                         \
        *ref = (NAME##_ref){ 0 };                                                                  \
    }

TR_END_DECLS

#endif
