/*
 * lock - what the locks share behind their headers; private to the library
 */
#ifndef TROUPE_MEM_LOCK_PRIVATE_H
#define TROUPE_MEM_LOCK_PRIVATE_H

#include <troupe/mem/lock.h>

/* condition_ */
enum {
    TRI_LOCK_SOUND = 0,
    TRI_LOCK_POISONED = 1,
    TRI_LOCK_EMPTIED = 2,
};

#define TRI_MUTEX_FREE 0u
#define TRI_MUTEX_LOCKED 1u
#define TRI_MUTEX_CONTENDED 2u /* locked, and somebody may sleep on it */

/* Lock, unlock: the word alone, no poison, no checks. */
bool tri_mutex_contend(tr_lock_core *lock, uint64_t deadline);
void tri_mutex_unlock_contended(tr_lock_core *lock);

static inline bool tri_mutex_try(tr_lock_core *lock)
{
    uint32_t free = TRI_MUTEX_FREE;
    /* edge mutex (acquire): with tri_mutex_unlock; carries what the lock guards */
    return tr_cas_acquire(&lock->word_, &free, TRI_MUTEX_LOCKED);
}

static inline bool tri_mutex_lock(tr_lock_core *lock, uint64_t deadline)
{
    return TR_LIKELY(tri_mutex_try(lock)) || tri_mutex_contend(lock, deadline);
}

static inline void tri_mutex_unlock(tr_lock_core *lock)
{
    /* edge mutex (release): with tri_mutex_try and tri_mutex_contend; carries what
     * the lock guards */
    if (TR_UNLIKELY(tr_swap_release(&lock->word_, TRI_MUTEX_FREE) == TRI_MUTEX_CONTENDED))
        tri_mutex_unlock_contended(lock);
}

void tri_read_unlock(tr_lock_core *lock);
void tri_write_unlock(tr_lock_core *lock);

/* -- checked builds: which locks this thread holds ---------------------------------- */

#ifdef TR_CHECKED
/* Before it waits for a lock: panics on a lock it holds, and on a wrong rank. */
void tri_lock_check_order(const tr_lock_core *lock, const tr_site *at);
void tri_lock_check_taken(tr_lock_core *lock, const tr_site *at);
void tri_lock_check_released(const tr_lock_core *lock);
#else
#define tri_lock_check_order(lock, at) ((void)(at))
#define tri_lock_check_taken(lock, at) ((void)(at))
#define tri_lock_check_released(lock) ((void)0)
#endif

/* How messages call the lock. */
const char *tri_lock_name(const tr_lock_core *lock);

/* What every taken lock does: fill in the hold, tell of poison. An emptied lock is
 * let go of and panics. */
TR_MUST_USE tr_status tri_lock_condition(tr_hold hold);

TR_MUST_USE static inline tr_status tri_lock_taken(tr_lock_core *lock, uintptr_t kind,
                                                   const tr_site *at, tr_hold *ret_hold)
{
    tri_lock_check_taken(lock, at);
    const uintptr_t unwinding = tr_panicking() ? TR_HOLD_UNWINDING_ : 0;
    *ret_hold = (tr_hold){ .lock_ = lock, .how_ = kind | unwinding };
    /* relaxed: written under the lock, which this thread holds now */
    if (TR_LIKELY(tr_load_relaxed(&lock->condition_) == TRI_LOCK_SOUND))
        return TR_OK;
    return tri_lock_condition(*ret_hold);
}

/* For the forms that give a guard or panic: let go of hold and panic. */
TR_NORETURN void tri_lock_refuse(tr_hold hold);

#endif
