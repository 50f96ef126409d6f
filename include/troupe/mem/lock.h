/*
 * lock - what Mutex and RwLock have in common: the guard, the rank, the poison
 *
 *     TR_GUARD(account_mutex_guard) g = tr_lock(&bank);     locked
 *     g.value->balance += 5;
 *                                                           unlocked at the scope's end
 *
 * A guard is the right to touch what its lock guards. TR_GUARD lets go of it at
 * the end of the scope, also when a panic unwinds; a guard that a panic releases
 * poisons its lock (a read guard does not), since what it guards may be half
 * changed. A guard is moved, not copied: tr_guard_move leaves an empty one.
 *
 * Rank: a lock may be given a name and a rank. Checked builds of the library
 * (-Dchecked=true) then panic when a thread that holds a lock of some rank waits
 * for one of the same or of a lower rank, naming both: locks are taken in
 * rising order, so that no circle of waiting threads can close. They panic also
 * when a thread waits for a lock that it holds itself (naming where it took
 * it), and when a guard is released on another thread than it was taken on.
 *
 * Threads  a guard belongs to the thread that locked.
 * Memory   a guard is three words in the caller's frame; nothing is allocated. A
 *          lock must not be dropped while a guard of it is alive: the memory would go
 *          under the guard, so this aborts the process, naming the lock.
 */
#ifndef TROUPE_MEM_LOCK_H
#define TROUPE_MEM_LOCK_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/thread_safety.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

/* A name for messages, and a place in the order of locking: higher is later.
 * Rank 0 is outside of the order. It must outlive its locks. */
typedef struct tr_lock_rank {
    const char *name;
    uint32_t rank;
} tr_lock_rank;

/* A place in the source: what checked builds name. */
typedef struct tr_site {
    const char *file;
    int line;
} tr_site;

#define TR_HERE_                                                                                   \
    ({                                                                                             \
        static const tr_site tr_site_ = { __FILE__, __LINE__ };                                    \
        &tr_site_;                                                                                 \
    })

/* The untyped lock under a Mutex or an RwLock; its state is in word_. */
typedef struct tr_lock_core {
    TR_ATOMIC(uint32_t) word_;
    TR_ATOMIC(uint8_t) condition_; /* sound 0, poisoned, or emptied by into_inner */
    const tr_type *type_;
    const tr_lock_rank *rank_;
    TR_ATOMIC(const tr_site *) held_at_; /* checked builds: by the last holder */
} tr_lock_core;

/* How a guard holds its lock: 0 for an empty guard, else one of the first three. */
enum {
    TR_HOLD_MUTEX_ = 1,
    TR_HOLD_READ_ = 2,
    TR_HOLD_WRITE_ = 3,
    TR_HOLD_KIND_ = 3,
    TR_HOLD_UNWINDING_ = 4, /* the thread was panicking when it locked */
};

/* Two whole words, which travel in registers. */
typedef struct tr_hold {
    tr_lock_core *lock_;
    uintptr_t how_;
} tr_hold;

/* One type for each kind of guard, so that one kind does not pass for another. */
#define TR_HOLD_TYPE_(name)                                                                        \
    typedef struct name {                                                                          \
        tr_hold hold_;                                                                             \
    } name;
TR_HOLD_TYPE_(tr_mutex_hold)
TR_HOLD_TYPE_(tr_read_hold)
TR_HOLD_TYPE_(tr_write_hold)
TR_HOLD_TYPE_(tr_mapped_mutex_hold)
TR_HOLD_TYPE_(tr_mapped_read_hold)
TR_HOLD_TYPE_(tr_mapped_write_hold)

/* All guards lie like this. value is NULL when the guard is empty. */
#define TR_GUARD_TYPE_(name, pointer, hold)                                                        \
    typedef struct name {                                                                          \
        pointer value;                                                                             \
        hold hold_;                                                                                \
    } name;

typedef struct tr_any_guard_ {
    void *value;
    tr_hold hold_;
} tr_any_guard_;

/* A guard variable of type G, empty unless initialised, released when its scope
 * ends, however it ends. */
#define TR_GUARD(G) TR_UNUSED __attribute__((cleanup(tr_guard_auto_drop_))) G

/* Let go of the lock now. The guard is empty then; an empty one is accepted. */
#define tr_guard_drop(guard) tr_guard_auto_drop_((1 ? (guard) : TR_A_GUARD_(guard)))

/* The guard, for its new owner; the variable is empty afterwards. */
#define tr_guard_move(guard)                                                                       \
    ({                                                                                             \
        __typeof__(*(guard)) *tr_moved_ = (guard);                                                 \
        __typeof__(*(guard)) tr_guard_ = *tr_moved_;                                               \
        *tr_moved_ = (__typeof__(*(guard))){ .value = NULL };                                      \
        tr_guard_;                                                                                 \
    })

/*
 * Narrow a guard to a part of what it guards, as MutexGuard::map: gives a G (of
 * the mapped kind that belongs to the guard: a mutex's guard gives a
 * `part_mapped_mutex_guard`) that holds the lock from now on; the guard is empty
 * then. part is evaluated first and is a pointer into what is guarded; when it
 * is NULL the guard stays as it was and the result is empty (filter_map).
 *
 *     TR_GUARD(int_mapped_mutex_guard) b =
 *         tr_guard_map(int_mapped_mutex_guard, &g, &g.value->balance);
 */
#define tr_guard_map(G, guard, part)                                                               \
    ({                                                                                             \
        G tr_mapped_ = { .value = (part) };                                                        \
        if (tr_mapped_.value != NULL) {                                                            \
            tr_mapped_.hold_ = TR_MAP_HOLD_((guard)->hold_);                                       \
            *(guard) = (__typeof__(*(guard))){ .value = NULL };                                    \
        }                                                                                          \
        tr_mapped_;                                                                                \
    })

/* Is the lock poisoned now? Without its guard the answer may be old at once. */
#define tr_is_poisoned(m) tr_lock_is_poisoned_(&(m)->lock_)

/* What is guarded is in order again: forget the poison (clear_poison). */
#define tr_clear_poison(m) tr_lock_clear_poison_(&(m)->lock_)

/*
 * The value without locking, for who is the only one to know the lock (get_mut).
 * TR_OK: *ret_value points at it. TR_POISONED: *ret_poisoned does, unless
 * ret_poisoned is NULL; *ret_value is untouched.
 */
#define tr_get_mut(m, ret_value, ret_poisoned)                                                     \
    tr_status_told_(({                                                                             \
        __typeof__(m) tr_m_ = (m);                                                                 \
        __typeof__(tr_m_->value_) **tr_poisoned_ = (ret_poisoned);                                 \
        const tr_status tr_status_ = tr_lock_get_mut_(&tr_m_->lock_);                              \
        if (tr_status_ == TR_OK)                                                                   \
            *(ret_value) = &tr_m_->value_;                                                         \
        else if (tr_poisoned_ != NULL)                                                             \
            *tr_poisoned_ = &tr_m_->value_;                                                        \
        tr_status_;                                                                                \
    }))

/*
 * Move the value out of its lock, for who is the only one to know the lock; it
 * is not dropped (into_inner). The lock is empty then: its drop does nothing, and
 * locking it panics. TR_OK: the value is in *ret_value. TR_POISONED: it is in
 * *ret_poisoned or, if that is NULL, still in the lock.
 */
#define tr_into_inner(m, ret_value, ret_poisoned)                                                  \
    tr_status_told_(({                                                                             \
        __typeof__(m) tr_m_ = (m);                                                                 \
        __typeof__(tr_m_->value_) *tr_value_ = (ret_value);                                        \
        __typeof__(tr_m_->value_) *tr_poisoned_ = (ret_poisoned);                                  \
        tr_lock_into_inner_(&tr_m_->lock_, &tr_m_->value_, tr_value_, tr_poisoned_);               \
    }))

/* The untyped forms; call the macros. */
TR_API void tr_hold_release_(tr_lock_core *lock, uintptr_t how);
TR_API bool tr_lock_is_poisoned_(const tr_lock_core *lock);
TR_API void tr_lock_clear_poison_(tr_lock_core *lock);
TR_API void tr_lock_drop_(tr_lock_core *lock, void *value);
TR_API TR_MUST_USE tr_status tr_lock_get_mut_(tr_lock_core *lock);
TR_API TR_MUST_USE tr_status tr_lock_into_inner_(tr_lock_core *lock, const void *value,
                                                 void *ret_value, void *ret_poisoned);

/* -- the parts ----------------------------------------------------------------- */

/* guard is any guard type: its hold must be one of ours. */
#define TR_A_GUARD_(guard) (&(__typeof__(*(guard))){ .hold_.hold_.lock_ = NULL })

static inline void tr_guard_auto_drop_(void *guard)
{
    /* word by word, as they were written: a wider load would wait for the stores */
    char *hold = (char *)guard + offsetof(tr_any_guard_, hold_);
    tr_lock_core *lock;
    uintptr_t how;
    __builtin_memcpy(&how, hold + offsetof(tr_hold, how_), sizeof how);
    if (how == 0)
        return;
    __builtin_memcpy(&lock, hold + offsetof(tr_hold, lock_), sizeof lock);
    __builtin_memset(guard, 0, sizeof(tr_any_guard_));
    tr_hold_release_(lock, how);
}

#define TR_SECOND_(first, second, ...) (second)

/* Checked builds look before main whether flags of T were forgotten in V. */
#ifdef TR_CHECKED
#define TR_CHECK_FLAGS_(V, T, which)                                                               \
    __attribute__((constructor)) static void V##_check_flags_(void)                                \
    {                                                                                              \
        if ((tr_type_of(T)->flags & (which) & ~tr_type_of(V)->flags) != 0)                         \
            tr_panic(#V " lacks flags of " #T ": name them where " #V " is made");                 \
    }
#else
#define TR_CHECK_FLAGS_(V, T, which)
#endif

/* So that the status of a macro cannot be ignored either. */
TR_MUST_USE static inline tr_status tr_status_told_(tr_status status)
{
    return status;
}

/* Give the guard to its variable: to the one for a poisoned lock if it is so. */
#define TR_HAND_OVER_(status, guard, ret_guard, ret_poisoned)                                      \
    tr_status_told_(({                                                                             \
        __typeof__(guard) *tr_other_ = (ret_poisoned);                                             \
        if ((status) == TR_OK)                                                                     \
            *(ret_guard) = (guard);                                                                \
        else if ((status) == TR_POISONED && tr_other_ != NULL)                                     \
            *tr_other_ = (guard);                                                                  \
        else if ((status) == TR_POISONED)                                                          \
            tr_guard_drop(&(guard));                                                               \
        status;                                                                                    \
    }))

#define TR_MAP_HOLD_FUNCTION_(from, to)                                                            \
    static inline to tr_map_##from##_(from hold)                                                   \
    {                                                                                              \
        return (to){ hold.hold_ };                                                                 \
    }
TR_MAP_HOLD_FUNCTION_(tr_mutex_hold, tr_mapped_mutex_hold)
TR_MAP_HOLD_FUNCTION_(tr_read_hold, tr_mapped_read_hold)
TR_MAP_HOLD_FUNCTION_(tr_write_hold, tr_mapped_write_hold)
TR_MAP_HOLD_FUNCTION_(tr_mapped_mutex_hold, tr_mapped_mutex_hold)
TR_MAP_HOLD_FUNCTION_(tr_mapped_read_hold, tr_mapped_read_hold)
TR_MAP_HOLD_FUNCTION_(tr_mapped_write_hold, tr_mapped_write_hold)

#define TR_MAP_HOLD_(hold)                                                                         \
    (_Generic((hold),                                                                              \
         tr_mutex_hold: tr_map_tr_mutex_hold_,                                                     \
         tr_read_hold: tr_map_tr_read_hold_,                                                       \
         tr_write_hold: tr_map_tr_write_hold_,                                                     \
         tr_mapped_mutex_hold: tr_map_tr_mapped_mutex_hold_,                                       \
         tr_mapped_read_hold: tr_map_tr_mapped_read_hold_,                                         \
         tr_mapped_write_hold: tr_map_tr_mapped_write_hold_)((hold)))

/* Nobody ever holds it: what is marked with it is reached through guards only. */
struct TR_CAPABILITY("guard") tr_a_guard {
    char unused;
};
extern const struct tr_a_guard tr_a_guard_of_this_lock;

TR_END_DECLS

#endif
