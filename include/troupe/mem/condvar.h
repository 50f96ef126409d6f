/*
 * condvar - wait under a mutex until somebody says that something changed
 *
 *     waiter: TR_GUARD(queue_mutex_guard) g = tr_lock(&m);
 *             TR_MUST(tr_condvar_wait_while(&cv, &g, g.value->length == 0));
 *     waker:  tr_lock, change, unlock;  tr_condvar_notify_one(&cv);
 *
 * As std::sync::Condvar: a wait gives the mutex up and has it again when it
 * returns; it may return for no reason, so it belongs in a loop, which
 * tr_condvar_wait_while is. A notify without a waiter is lost: the state is in
 * the mutex, not here.
 *
 * In all forms the guard holds the mutex afterwards, whatever the status:
 *     TR_OK        woken (wait), or the condition is false (wait_while)
 *     TR_TIMEOUT   the deadline (absolute, as tr_now) passed first
 *     TR_POISONED  a thread panicked meanwhile with the mutex locked
 *
 * Threads  any, any time. One condvar serves one mutex; with another it panics.
 * Progress notify is wait-free, without a system call when nobody waits.
 * Order    through the mutex.
 * Memory   16 bytes, none allocated. Waiters keep it alive: who destroys it has
 *          seen them return.
 */
#ifndef TROUPE_MEM_CONDVAR_H
#define TROUPE_MEM_CONDVAR_H

#include <troupe/mem/mutex.h>

TR_BEGIN_DECLS

typedef struct tr_condvar {
    TR_ATOMIC(uint32_t) turn_;    /* the number of notifies */
    TR_ATOMIC(uint32_t) waiters_; /* changed with the mutex held */
    TR_ATOMIC(tr_lock_core *) mutex_; /* the first one that was waited with */
} tr_condvar;

#define TR_CONDVAR_INIT { .mutex_ = TR_ATOMIC_INIT(NULL) }

TR_TYPE(tr_condvar)

/* Wait for a notify, or for nothing. guard: of a mutex, not a mapped one. */
#define tr_condvar_wait(cv, guard) tr_condvar_wait_until(cv, guard, TR_FOREVER)

/* As tr_condvar_wait, until deadline. */
#define tr_condvar_wait_until(cv, guard, deadline)                                                 \
    tr_condvar_wait_until_((cv), &(guard)->hold_, (deadline), TR_HERE_)

/* Wait as long as the expression `condition` is true; it is evaluated with the
 * mutex locked, at least once. A poisoned mutex ends the waiting. */
#define tr_condvar_wait_while(cv, guard, condition)                                                \
    tr_condvar_wait_while_until(cv, guard, condition, TR_FOREVER)

/* As tr_condvar_wait_while, until deadline: TR_TIMEOUT only if the condition is
 * true still then. */
#define tr_condvar_wait_while_until(cv, guard, condition, deadline)                                \
    tr_status_told_(({                                                                             \
        const uint64_t tr_until_ = (deadline);                                                     \
        tr_status tr_waited_ = TR_OK;                                                              \
        bool tr_unmet_;                                                                            \
        while ((tr_unmet_ = (condition)) && tr_waited_ == TR_OK)                                   \
            tr_waited_ = tr_condvar_wait_until(cv, guard, tr_until_);                              \
        !tr_unmet_ && tr_waited_ == TR_TIMEOUT ? TR_OK : tr_waited_;                               \
    }))

/* Wake at least one of those who wait now, if any; or all of them. */
TR_API void tr_condvar_notify_one(tr_condvar *cv);
TR_API void tr_condvar_notify_all(tr_condvar *cv);

/* Call the macro. */
TR_API TR_MUST_USE tr_status tr_condvar_wait_until_(tr_condvar *cv, tr_mutex_hold *hold,
                                                    uint64_t deadline, const tr_site *at);

TR_END_DECLS

#endif
