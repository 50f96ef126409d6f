/*
 * rwlock - a value that many threads may read at a time, or one may write
 *
 *     TR_RWLOCK(routes)        routes_rwlock, routes_read_guard, routes_write_guard ...
 *     static routes_rwlock table = TR_RWLOCK_INIT(routes);
 *
 *     TR_GUARD(routes_read_guard) r = tr_read(&table);      r.value is const
 *     TR_GUARD(routes_write_guard) w = tr_write(&table);
 *
 * As std::sync::RwLock. Use it where reading under the lock takes long; for
 * moments a mutex is cheaper, and what is read all the time and written rarely
 * is best published through an Arc. Poison, guards that arrive in a variable of
 * their own, ranks and moving: as mutex.h and lock.h say; a panic of a reader
 * does not poison.
 *
 * Threads  any, any time; a guard stays on its thread. A thread that has the
 *          lock in any way must not wait for it again, not even to read twice:
 *          if a writer came in between, that is a deadlock. Checked builds panic.
 * Progress as mutex.h. Writers are preferred: a waiting writer holds back new
 *          readers, and try_read answers TR_WOULD_BLOCK then. This is no promise
 *          of an order among those who wait.
 * Order    what was done under the write lock is visible to who locks next; what
 *          was read under a read lock was read before the next writer writes.
 * Memory   40 bytes beside the value. At most 2^29 - 1 readers at a time (more
 *          panics).
 *
 * Known limit: as TR_MUTEX. T's flags are said again, TR_RWLOCK(T, TR_NOT_SHARE); a
 * lock of what must not be shared must not be shared, since its readers share it.
 */
#ifndef TROUPE_MEM_RWLOCK_H
#define TROUPE_MEM_RWLOCK_H

#include <troupe/mem/lock.h>
#include <troupe/mem/scalars.h>

TR_BEGIN_DECLS

typedef struct tr_rwlock_core {
    tr_lock_core lock_;
    TR_ATOMIC(uint32_t) turn_; /* what writers sleep on */
} tr_rwlock_core;

/*
 * The lock of the described type T: the types T_rwlock, T_read_guard,
 * T_write_guard, T_mapped_read_guard, T_mapped_write_guard, and T_rwlock's own
 * descriptor, whose drop drops the value. The second argument are T's flags.
 */
#define TR_RWLOCK(T, ...)                                                                          \
    TR_GUARD_TYPE_(T##_read_guard, const T *, tr_read_hold)                                        \
    TR_GUARD_TYPE_(T##_mapped_read_guard, const T *, tr_mapped_read_hold)                          \
    TR_GUARD_TYPE_(T##_write_guard, T *, tr_write_hold)                                            \
    TR_GUARD_TYPE_(T##_mapped_write_guard, T *, tr_mapped_write_hold)                              \
    typedef struct T##_rwlock {                                                                    \
        __extension__ union {                                                                      \
            tr_lock_core lock_;                                                                    \
            tr_rwlock_core rwlock_;                                                                \
        };                                                                                         \
        T value_ TR_GUARDED_BY(tr_a_guard_of_this_lock);                                           \
        __extension__ T##_read_guard read_guard_[0];                                               \
        __extension__ T##_write_guard write_guard_[0];                                             \
    } T##_rwlock;                                                                                  \
    TR_NO_THREAD_SAFETY_ANALYSIS TR_UNUSED static inline void T##_rwlock_drop_(T##_rwlock *lock)   \
    {                                                                                              \
        tr_lock_drop_(&lock->lock_, &lock->value_);                                                \
    }                                                                                              \
    TR_TYPE(T##_rwlock, .drop = T##_rwlock_drop_,                                                  \
            .flags = TR_RWLOCK_FLAGS_(TR_SECOND_(0, ##__VA_ARGS__, 0u)))                           \
    TR_CHECK_FLAGS_(T##_rwlock, T, TR_NOT_SEND | TR_NOT_SHARE)

#define TR_RWLOCK_FLAGS_(flags)                                                                    \
    (((flags) & TR_NOT_SEND) != 0 ? TR_NOT_SEND | TR_NOT_SHARE : (flags))

/* An unlocked lock, also for static variables; the value as in tr_box. */
#define TR_RWLOCK_INIT(T, ...) { TR_RWLOCK_OF_RANKED(T, NULL, ##__VA_ARGS__) }
/* rank: a `const tr_lock_rank *`. */
#define TR_RWLOCK_INIT_RANKED(T, rank, ...) { TR_RWLOCK_OF_RANKED(T, rank, ##__VA_ARGS__) }

/* The same for tr_box and tr_arc, without the braces. */
#define TR_RWLOCK_OF(T, ...) TR_RWLOCK_OF_RANKED(T, NULL, ##__VA_ARGS__)
#define TR_RWLOCK_OF_RANKED(T, rank, ...)                                                          \
    .rwlock_ = { .lock_ = { .type_ = tr_type_of(T), .rank_ = (rank) } }, .value_ = (T)             \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* Lock to read, or to write, and give the guard; a poisoned lock panics. */
#define tr_read(l) TR_RWLOCK_OR_PANIC_(l, read_guard_, tr_rwlock_read_or_panic_)
#define tr_write(l) TR_RWLOCK_OR_PANIC_(l, write_guard_, tr_rwlock_write_or_panic_)

/*
 * Lock. TR_OK: *ret_guard is the guard. TR_POISONED: *ret_poisoned is, or, when
 * ret_poisoned is NULL, nothing is locked. Both may be one variable. What they
 * held before is overwritten: they must be empty ({ 0 }).
 */
#define tr_rwlock_read(l, ret_guard, ret_poisoned)                                                 \
    tr_rwlock_read_until(l, TR_FOREVER, ret_guard, ret_poisoned)
#define tr_rwlock_write(l, ret_guard, ret_poisoned)                                                \
    tr_rwlock_write_until(l, TR_FOREVER, ret_guard, ret_poisoned)

/* As above until deadline (absolute, as tr_now): TR_TIMEOUT when it is reached
 * first. What is free is locked also when it is past. */
#define tr_rwlock_read_until(l, deadline, ret_guard, ret_poisoned)                                 \
    TR_RWLOCK_LOCKING_(l, read_guard_, ret_guard, ret_poisoned,                                    \
                       tr_rwlock_read_until_(&tr_l_->rwlock_, (deadline), TR_HERE_,                \
                                             &tr_g_.hold_.hold_))
#define tr_rwlock_write_until(l, deadline, ret_guard, ret_poisoned)                                \
    TR_RWLOCK_LOCKING_(l, write_guard_, ret_guard, ret_poisoned,                                   \
                       tr_rwlock_write_until_(&tr_l_->rwlock_, (deadline), TR_HERE_,               \
                                              &tr_g_.hold_.hold_))

/* As above; TR_WOULD_BLOCK at once instead of waiting. */
#define tr_rwlock_try_read(l, ret_guard, ret_poisoned)                                             \
    TR_RWLOCK_LOCKING_(l, read_guard_, ret_guard, ret_poisoned,                                    \
                       tr_rwlock_try_read_(&tr_l_->rwlock_, TR_HERE_, &tr_g_.hold_.hold_))
#define tr_rwlock_try_write(l, ret_guard, ret_poisoned)                                            \
    TR_RWLOCK_LOCKING_(l, write_guard_, ret_guard, ret_poisoned,                                   \
                       tr_rwlock_try_write_(&tr_l_->rwlock_, TR_HERE_, &tr_g_.hold_.hold_))

/*
 * Turn the write guard into a read guard G of the same type's, without a moment
 * in which another could write (RwLockWriteGuard::downgrade); other readers may
 * come in. The write guard is empty then. Never waits.
 */
#define tr_rwlock_downgrade(G, guard)                                                              \
    ({                                                                                             \
        __typeof__(guard) tr_writer_ = (guard);                                                    \
        G tr_reader_ = { .value = tr_writer_->value,                                               \
                         .hold_ = tr_rwlock_downgrade_(tr_writer_->hold_) };                       \
        *tr_writer_ = (__typeof__(*tr_writer_)){ .value = NULL };                                  \
        tr_reader_;                                                                                \
    })

/* Store new_value, move the old one to *ret_old. TR_POISONED: nothing is done. */
#define tr_rwlock_replace(l, new_value, ret_old)                                                   \
    tr_status_told_(({                                                                             \
        __typeof__(l) tr_to_ = (l);                                                                \
        __typeof__(tr_to_->value_) tr_new_ = (new_value);                                          \
        __typeof__(tr_to_->write_guard_[0]) tr_guard_ = { .value = NULL };                         \
        const tr_status tr_done_ = tr_rwlock_write(tr_to_, &tr_guard_, NULL);                      \
        if (tr_done_ == TR_OK) {                                                                   \
            *(ret_old) = *tr_guard_.value;                                                         \
            *tr_guard_.value = tr_new_;                                                            \
            tr_guard_drop(&tr_guard_);                                                             \
        }                                                                                          \
        tr_done_;                                                                                  \
    }))

/* Store new_value; the old one is dropped, after unlocking. TR_POISONED: nothing is
 * done, new_value is the caller's still. */
#define tr_rwlock_set(l, new_value)                                                                \
    tr_status_told_(({                                                                             \
        __typeof__(l) tr_set_ = (l);                                                               \
        __typeof__(tr_set_->value_) tr_old_;                                                       \
        const tr_status tr_stored_ = tr_rwlock_replace(tr_set_, new_value, &tr_old_);              \
        if (tr_stored_ == TR_OK && tr_set_->lock_.type_->drop != NULL)                             \
            tr_set_->lock_.type_->drop(&tr_old_);                                                  \
        tr_stored_;                                                                                \
    }))

/* The untyped forms; call the macros. */
TR_API tr_hold tr_rwlock_read_or_panic_(tr_rwlock_core *lock, const tr_site *at);
TR_API tr_hold tr_rwlock_write_or_panic_(tr_rwlock_core *lock, const tr_site *at);
TR_API TR_MUST_USE tr_status tr_rwlock_read_until_(tr_rwlock_core *lock, uint64_t deadline,
                                                   const tr_site *at, tr_hold *ret_hold);
TR_API TR_MUST_USE tr_status tr_rwlock_write_until_(tr_rwlock_core *lock, uint64_t deadline,
                                                    const tr_site *at, tr_hold *ret_hold);
TR_API TR_MUST_USE tr_status tr_rwlock_try_read_(tr_rwlock_core *lock, const tr_site *at,
                                                 tr_hold *ret_hold);
TR_API TR_MUST_USE tr_status tr_rwlock_try_write_(tr_rwlock_core *lock, const tr_site *at,
                                                  tr_hold *ret_hold);
TR_API tr_read_hold tr_rwlock_downgrade_(tr_write_hold hold);

#define TR_RWLOCK_OR_PANIC_(l, guard_of, call)                                                     \
    ({                                                                                             \
        __typeof__(l) tr_l_ = (l);                                                                 \
        const tr_hold tr_h_ = call(&tr_l_->rwlock_, TR_HERE_);                                     \
        (__typeof__(tr_l_->guard_of[0])){                                                          \
            .value = &tr_l_->value_,                                                               \
            .hold_.hold_ = { tr_h_.lock_, tr_h_.how_ },                                            \
        };                                                                                         \
    })

#define TR_RWLOCK_LOCKING_(l, guard_of, ret_guard, ret_poisoned, call)                             \
    tr_status_told_(({                                                                             \
        __typeof__(l) tr_l_ = (l);                                                                 \
        __typeof__(tr_l_->guard_of[0]) tr_g_ = { .value = &tr_l_->value_ };                        \
        const tr_status tr_status_ = (call);                                                       \
        TR_HAND_OVER_(tr_status_, tr_g_, ret_guard, ret_poisoned);                                 \
    }))

TR_END_DECLS

#endif
