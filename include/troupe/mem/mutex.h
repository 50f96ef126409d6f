/*
 * mutex - a value that one thread at a time may touch, and its lock
 *
 *     typedef struct account { long balance; } account;
 *     TR_TYPE(account)
 *     TR_MUTEX(account)                  account_mutex, account_mutex_guard ...
 *
 *     static account_mutex bank = TR_MUTEX_INIT(account, .balance = 100);
 *
 *     TR_GUARD(account_mutex_guard) g = tr_lock(&bank);
 *     g.value->balance -= 5;             unlocked at the scope's end
 *
 * As std::sync::Mutex: the value can be reached through a guard only (clang's
 * -Wthread-safety rejects anything else), and a panic while it is locked poisons
 * it. A poisoned mutex is locked nevertheless; the guard then arrives in a
 * variable of its own:
 *
 *     TR_GUARD(account_mutex_guard) g = { 0 };
 *     tr_mutex_lock(&bank, &g, NULL)     TR_POISONED: not locked, g empty
 *     tr_mutex_lock(&bank, &g, &bad)     TR_POISONED: locked, the guard in bad
 *     tr_mutex_lock(&bank, &g, &g)       locked in any case
 *
 * Many threads share a mutex as a static variable or in an Arc,
 * tr_arc(account_mutex, TR_MUTEX_OF(account, .balance = 100)). An actor needs none
 * for its own state; in a handler lock only what is held for moments, since a
 * handler that waits for a lock keeps its worker from other actors.
 *
 * Threads  any, any time; a guard stays on its thread. Locking what the thread
 *          has locked already never ends; a checked build panics (lock.h). A
 *          signal handler must not lock.
 * Progress lock spins for a few microseconds, then sleeps in the kernel. Not
 *          fair: who comes just when it is unlocked may be first.
 * Order    what was done under the lock is visible to who locks it next.
 * Memory   32 bytes beside the value. It may be moved (bytewise) while no
 *          thread uses it.
 *
 * Known limit: the names are T_mutex ..., so TR_MUTEX(T) may stand only once in
 * what a file includes, as TR_TYPE(T). The flags of T, if it has any, are said
 * again: TR_MUTEX(point_cell, TR_NOT_SHARE). A mutex of what may move to other
 * threads may move and be shared, even if T may not be shared; else neither.
 */
#ifndef TROUPE_MEM_MUTEX_H
#define TROUPE_MEM_MUTEX_H

#include <troupe/mem/lock.h>
#include <troupe/mem/scalars.h>

TR_BEGIN_DECLS

/*
 * The mutex of the described type T: the types T_mutex, T_mutex_guard and
 * T_mapped_mutex_guard, and T_mutex's own descriptor, whose drop drops the
 * value. The second argument are T's flags.
 */
#define TR_MUTEX(T, ...)                                                                           \
    TR_GUARD_TYPE_(T##_mutex_guard, T *, tr_mutex_hold)                                            \
    TR_GUARD_TYPE_(T##_mapped_mutex_guard, T *, tr_mapped_mutex_hold)                              \
    typedef struct T##_mutex {                                                                     \
        tr_lock_core lock_;                                                                        \
        T value_ TR_GUARDED_BY(tr_a_guard_of_this_lock);                                           \
        __extension__ T##_mutex_guard guard_[0];                                                   \
    } T##_mutex;                                                                                   \
    TR_NO_THREAD_SAFETY_ANALYSIS TR_UNUSED static inline void T##_mutex_drop_(T##_mutex *mutex)    \
    {                                                                                              \
        tr_lock_drop_(&mutex->lock_, &mutex->value_);                                              \
    }                                                                                              \
    TR_TYPE(T##_mutex, .drop = T##_mutex_drop_,                                                    \
            .flags = TR_MUTEX_FLAGS_(TR_SECOND_(0, ##__VA_ARGS__, 0u)))                            \
    TR_CHECK_FLAGS_(T##_mutex, T, TR_NOT_SEND)

#define TR_MUTEX_FLAGS_(flags) (((flags) & TR_NOT_SEND) != 0 ? TR_NOT_SEND | TR_NOT_SHARE : 0u)

/* An unlocked mutex, also for static variables; the value as in tr_box. */
#define TR_MUTEX_INIT(T, ...) { TR_MUTEX_OF_RANKED(T, NULL, ##__VA_ARGS__) }
/* rank: a `const tr_lock_rank *`. */
#define TR_MUTEX_INIT_RANKED(T, rank, ...) { TR_MUTEX_OF_RANKED(T, rank, ##__VA_ARGS__) }

/* The same for tr_box and tr_arc, without the braces. */
#define TR_MUTEX_OF(T, ...) TR_MUTEX_OF_RANKED(T, NULL, ##__VA_ARGS__)
#define TR_MUTEX_OF_RANKED(T, rank, ...)                                                           \
    .lock_ = { .type_ = tr_type_of(T), .rank_ = (rank) }, .value_ = (T) { __VA_ARGS__ }

/* Lock and give the guard; a poisoned mutex panics (lock().unwrap()). */
#define tr_lock(m)                                                                                 \
    ({                                                                                             \
        __typeof__(m) tr_m_ = (m);                                                                 \
        const tr_hold tr_h_ = tr_mutex_lock_or_panic_(&tr_m_->lock_, TR_HERE_);                    \
        (__typeof__(tr_m_->guard_[0])){                                                            \
            .value = &tr_m_->value_,                                                               \
            .hold_.hold_ = { tr_h_.lock_, tr_h_.how_ },                                            \
        };                                                                                         \
    })

/*
 * Lock. TR_OK: *ret_guard is the guard. TR_POISONED: *ret_poisoned is, or, when
 * ret_poisoned is NULL, the mutex is not locked. Both may be one variable.
 * What they held before is overwritten: they must be empty ({ 0 }).
 */
#define tr_mutex_lock(m, ret_guard, ret_poisoned)                                                  \
    tr_mutex_lock_until(m, TR_FOREVER, ret_guard, ret_poisoned)

/* As tr_mutex_lock until deadline (absolute, as tr_now): TR_TIMEOUT when it is
 * reached first. A mutex that is free is locked also when it is past. */
#define tr_mutex_lock_until(m, deadline, ret_guard, ret_poisoned)                                  \
    TR_MUTEX_LOCKING_(m, ret_guard, ret_poisoned,                                                  \
                      tr_mutex_lock_until_(&tr_m_->lock_, (deadline), TR_HERE_, &tr_g_.hold_.hold_))

/* As tr_mutex_lock; TR_WOULD_BLOCK at once when anybody holds it, the caller too. */
#define tr_mutex_try_lock(m, ret_guard, ret_poisoned)                                              \
    TR_MUTEX_LOCKING_(m, ret_guard, ret_poisoned,                                                  \
                      tr_mutex_try_lock_(&tr_m_->lock_, TR_HERE_, &tr_g_.hold_.hold_))

/* Store new_value, move the old one to *ret_old. TR_POISONED: nothing is done. */
#define tr_mutex_replace(m, new_value, ret_old)                                                    \
    tr_status_told_(({                                                                             \
        __typeof__(m) tr_to_ = (m);                                                                \
        __typeof__(tr_to_->value_) tr_new_ = (new_value);                                          \
        __typeof__(tr_to_->guard_[0]) tr_guard_ = { .value = NULL };                               \
        const tr_status tr_done_ = tr_mutex_lock(tr_to_, &tr_guard_, NULL);                        \
        if (tr_done_ == TR_OK) {                                                                   \
            *(ret_old) = *tr_guard_.value;                                                         \
            *tr_guard_.value = tr_new_;                                                            \
            tr_guard_drop(&tr_guard_);                                                             \
        }                                                                                          \
        tr_done_;                                                                                  \
    }))

/* Store new_value; the old one is dropped, after unlocking, so its destructor may
 * lock. TR_POISONED: nothing is done, new_value is the caller's still. */
#define tr_mutex_set(m, new_value)                                                                 \
    tr_status_told_(({                                                                             \
        __typeof__(m) tr_set_ = (m);                                                               \
        __typeof__(tr_set_->value_) tr_old_;                                                       \
        const tr_status tr_stored_ = tr_mutex_replace(tr_set_, new_value, &tr_old_);               \
        if (tr_stored_ == TR_OK && tr_set_->lock_.type_->drop != NULL)                             \
            tr_set_->lock_.type_->drop(&tr_old_);                                                  \
        tr_stored_;                                                                                \
    }))

/* The untyped forms; call the macros. */
TR_API tr_hold tr_mutex_lock_or_panic_(tr_lock_core *lock, const tr_site *at);
TR_API TR_MUST_USE tr_status tr_mutex_lock_until_(tr_lock_core *lock, uint64_t deadline,
                                                  const tr_site *at, tr_hold *ret_hold);
TR_API TR_MUST_USE tr_status tr_mutex_try_lock_(tr_lock_core *lock, const tr_site *at,
                                                tr_hold *ret_hold);

#define TR_MUTEX_LOCKING_(m, ret_guard, ret_poisoned, call)                                        \
    tr_status_told_(({                                                                             \
        __typeof__(m) tr_m_ = (m);                                                                 \
        __typeof__(tr_m_->guard_[0]) tr_g_ = { .value = &tr_m_->value_ };                          \
        const tr_status tr_status_ = (call);                                                       \
        TR_HAND_OVER_(tr_status_, tr_g_, ret_guard, ret_poisoned);                                 \
    }))

/*
 * A mutex without a value, for data that stands elsewhere, say in several static
 * variables marked TR_GUARDED_BY(it); clang checks them. It has no guard and no
 * poison: acquire and release are the caller's to pair, and a panic between
 * them leaves it locked. Prefer TR_MUTEX.
 */
typedef struct TR_CAPABILITY("mutex") tr_mutex {
    tr_lock_core lock_;
} tr_mutex;

TR_TYPE(tr_mutex)

#define TR_BARE_MUTEX_INIT { .lock_ = { .type_ = NULL } }
/* rank: a `const tr_lock_rank *`. */
#define TR_BARE_MUTEX_INIT_RANKED(rank) { .lock_ = { .rank_ = (rank) } }

/* Lock, if need be wait; as tr_lock. */
#define tr_mutex_acquire(m) tr_mutex_acquire_((m), TR_HERE_)
/* true: locked. Never waits. */
#define tr_mutex_try_acquire(m) tr_mutex_try_acquire_((m), TR_HERE_)
/* Unlock what this thread locked. */
TR_API void tr_mutex_release(tr_mutex *m) TR_RELEASES(*m);

TR_API void tr_mutex_acquire_(tr_mutex *m, const tr_site *at) TR_ACQUIRES(*m);
TR_API TR_MUST_USE bool tr_mutex_try_acquire_(tr_mutex *m, const tr_site *at)
    TR_TRY_ACQUIRES(true, *m);

TR_END_DECLS

#endif
