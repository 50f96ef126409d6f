/*
 * mutex - a lock in one word: free, locked, or locked with somebody waiting
 *
 *     FREE --CAS--> LOCKED --swap--> FREE                   nobody waits: no system call
 *                     |
 *                     '--swap by a waiter--> CONTENDED --swap--> FREE, and a wake
 *
 *  1. Who has slept locks by swapping CONTENDED in: it cannot know whether others
 *     sleep still, so its unlock wakes one. A word that says CONTENDED for
 *     nobody (a waiter gave up) costs one wake too many, never one too few.
 *  2. A waiter that was woken tries before it looks at its deadline: a wake it
 *     was given is never lost with it.
 */
#include <troupe/mem/mutex.h>

#include "mem/futex.h"
#include "mem/lock.h"

#define SPINS 100

/* Is it free, or likely to be soon? */
static void spin(tr_lock_core *lock)
{
    for (unsigned i = 0; i < SPINS; i++) {
        /* relaxed: a hint; taking it is an acquire */
        if (tr_load_relaxed(&lock->word_) != TRI_MUTEX_LOCKED)
            return;
        tr_cpu_relax();
    }
}

bool tri_mutex_contend(tr_lock_core *lock, uint64_t deadline)
{
    spin(lock);
    if (tri_mutex_try(lock))
        return true;
    for (bool in_time = true;;) {
        /* edge mutex (acquire): with tri_mutex_unlock; carries what the lock guards */
        if (tr_swap_acquire(&lock->word_, TRI_MUTEX_CONTENDED) == TRI_MUTEX_FREE)
            return true; /* 1., 2. */
        if (!in_time)
            return false;
        in_time = tri_futex_wait(&lock->word_, TRI_MUTEX_CONTENDED, deadline);
    }
}

void tri_mutex_unlock_contended(tr_lock_core *lock)
{
    (void)tri_futex_wake(&lock->word_, 1);
}

tr_hold tr_mutex_lock_or_panic_(tr_lock_core *lock, const tr_site *at)
{
    tr_hold hold;
    tri_lock_check_order(lock, at);
    (void)tri_mutex_lock(lock, TR_FOREVER);
    if (TR_UNLIKELY(tri_lock_taken(lock, TR_HOLD_MUTEX_, at, &hold) != TR_OK))
        tri_lock_refuse(hold);
    return hold;
}

tr_status tr_mutex_lock_until_(tr_lock_core *lock, uint64_t deadline, const tr_site *at,
                               tr_hold *ret_hold)
{
    tri_lock_check_order(lock, at);
    if (!tri_mutex_lock(lock, deadline))
        return TR_TIMEOUT;
    return tri_lock_taken(lock, TR_HOLD_MUTEX_, at, ret_hold);
}

tr_status tr_mutex_try_lock_(tr_lock_core *lock, const tr_site *at, tr_hold *ret_hold)
{
    if (!tri_mutex_try(lock))
        return TR_WOULD_BLOCK;
    return tri_lock_taken(lock, TR_HOLD_MUTEX_, at, ret_hold);
}

/* -- without a value: clang sees the pairs, not what is inside of them --------------- */

TR_NO_THREAD_SAFETY_ANALYSIS void tr_mutex_acquire_(tr_mutex *m, const tr_site *at)
{
    tri_lock_check_order(&m->lock_, at);
    (void)tri_mutex_lock(&m->lock_, TR_FOREVER);
    tri_lock_check_taken(&m->lock_, at);
}

TR_NO_THREAD_SAFETY_ANALYSIS bool tr_mutex_try_acquire_(tr_mutex *m, const tr_site *at)
{
    if (!tri_mutex_try(&m->lock_))
        return false;
    tri_lock_check_taken(&m->lock_, at);
    return true;
}

TR_NO_THREAD_SAFETY_ANALYSIS void tr_mutex_release(tr_mutex *m)
{
    tri_lock_check_released(&m->lock_);
    tri_mutex_unlock(&m->lock_);
}
