/*
 * waiter - what a channel calls to suspend a party and to wake it
 *
 *   channel          +--> tr_thread_waiter    parks a thread (here)
 *     | tr_waiter ---+
 *     v              +--> the runtime's       suspends an actor
 *   { wake, wait_until }
 *
 * A channel knows waiters, not schedulers, so it works inside and outside of
 * the runtime. The waiter belongs to the party that waits and usually lives on
 * its stack; the channel keeps only a pointer to it, in a list under the
 * channel's own lock:
 *
 *   the party that waits                      the party that wakes
 *   lock; nothing there?
 *     put &w into the list; unlock            lock; take &w out of the list; unlock
 *   tr_waiter_wait_until(&w, deadline) <----- tr_waiter_wake(&w)
 *   TR_OK: w is free again                    from here on w may be gone
 *
 *   TR_TIMEOUT: lock; is &w still in the list?
 *     yes: take it out; unlock; give TR_TIMEOUT
 *     no:  a waker has it and will wake it: unlock, and wait again with TR_FOREVER
 *
 * Who takes a waiter out of the list owns the right to wake it, once. That one
 * rule makes the rest hold: for each wait there is at most one wake, the waiter
 * lives until that wake is through, and a timeout loses no wake.
 *
 * Threads  wake: any thread, one per time the waiter was put into a list.
 *          wait_until: the party that owns it.
 * Progress wake never blocks and runs no code of the woken party.
 * Order    what the waker did before wake is visible after wait_until gave TR_OK.
 * Memory   none allocated.
 */
#ifndef TROUPE_CHANNELS_WAITER_H
#define TROUPE_CHANNELS_WAITER_H

#include <troupe/channels/parker.h>
#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_waiter tr_waiter;

/* What an implementation promises. */
typedef struct tr_waiter_ops {
    /*
     * Let the wait that is or will be made on w return TR_OK. As soon as the
     * other side can see that, w may be gone: the implementation touches it no
     * more (or keeps the other side from returning until it is through).
     */
    void (*wake)(tr_waiter *w);

    /*
     * Return TR_OK once wake was called, then w is as new; TR_TIMEOUT when
     * deadline (absolute, as tr_now) passed first. Any other status means that
     * the wait was given up for a reason of the implementation; as after
     * TR_TIMEOUT the caller has to take w out of the channel's list.
     */
    tr_status (*wait_until)(tr_waiter *w, uint64_t deadline);
} tr_waiter_ops;

/* The first member of an implementation's own struct. */
struct tr_waiter {
    const tr_waiter_ops *ops;
};

/* Wake the party; w must not be touched afterwards. */
static inline void tr_waiter_wake(tr_waiter *w)
{
    w->ops->wake(w);
}

/* Suspend the calling party until w is woken or the deadline passed. */
static inline TR_MUST_USE tr_status tr_waiter_wait_until(tr_waiter *w, uint64_t deadline)
{
    return w->ops->wait_until(w, deadline);
}

/* A waiter that parks the thread which calls wait_until. */
typedef struct tr_thread_waiter {
    tr_waiter waiter;
    tr_parker parker_;
} tr_thread_waiter;

/* For any thread; the one that waits is the one that calls wait_until. */
TR_API void tr_thread_waiter_init(tr_thread_waiter *tw);

/* In no list, and no waker has it. */
TR_API void tr_thread_waiter_fini(tr_thread_waiter *tw);

TR_END_DECLS

#endif
