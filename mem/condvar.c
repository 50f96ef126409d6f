/*
 * condvar - waiters sleep on a number that each notify changes
 *
 *     wait    waiters++, read turn, unlock, sleep while turn is the same, lock, waiters--
 *     notify  turn++, wake if there are waiters
 *
 *  1. turn is read with the mutex held. A notify for a change made after that
 *     unlock changes turn, before the sleep or to end it; so it is not missed.
 *  2. waiters is changed with the mutex held. A notifier who changed the state
 *     under the mutex, after a waiter looked at it, sees that waiter counted.
 *  3. The hold stays the caller's: while it sleeps its mutex is unlocked, but no
 *     panic can begin on this thread there, so no cleanup looks at it.
 */
#include <troupe/mem/condvar.h>

#include "mem/futex.h"
#include "mem/lock.h"

static void bind(tr_condvar *cv, tr_lock_core *mutex, const tr_site *at)
{
    tr_lock_core *bound = NULL;
    /* relaxed: an address to compare; nothing is reached through it */
    if (!tr_cas_relaxed(&cv->mutex_, &bound, mutex) && bound != mutex)
        tr_panic("a condvar is waited on with two mutexes: %s at %s:%d, %s before",
                 tri_lock_name(mutex), at->file, at->line, tri_lock_name(bound));
}

tr_status tr_condvar_wait_until_(tr_condvar *cv, tr_mutex_hold *held, uint64_t deadline,
                                 const tr_site *at)
{
    tr_lock_core *mutex = held->hold_.lock_;
    if ((held->hold_.how_ & TR_HOLD_KIND_) != TR_HOLD_MUTEX_)
        tr_panic("a condvar is waited on with an empty guard at %s:%d", at->file, at->line);
    bind(cv, mutex, at);

    tr_fetch_add_relaxed(&cv->waiters_, 1);            /* relaxed: carried by the mutex (2.) */
    const uint32_t turn = tr_load_relaxed(&cv->turn_); /* relaxed: the kernel compares it (1.) */
    tri_lock_check_released(mutex);
    tri_mutex_unlock(mutex);
    const bool in_time = tri_futex_wait(&cv->turn_, turn, deadline);
    (void)tri_mutex_lock(mutex, TR_FOREVER);
    tr_fetch_sub_relaxed(&cv->waiters_, 1); /* relaxed: carried by the mutex (2.) */

    tri_lock_check_taken(mutex, at);
    if (tr_lock_is_poisoned_(mutex))
        return TR_POISONED;
    return in_time ? TR_OK : TR_TIMEOUT;
}

static void notify(tr_condvar *cv, int n)
{
    (void)tr_fetch_add_relaxed(&cv->turn_, 1); /* relaxed: what changed is carried by the mutex */
    if (tr_load_relaxed(&cv->waiters_) != 0)   /* relaxed: as above (2.) */
        (void)tri_futex_wake(&cv->turn_, n);
}

void tr_condvar_notify_one(tr_condvar *cv)
{
    notify(cv, 1);
}

void tr_condvar_notify_all(tr_condvar *cv)
{
    notify(cv, TRI_FUTEX_ALL);
}
