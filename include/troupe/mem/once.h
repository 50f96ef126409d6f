/*
 * once - a place that is filled once and read from then on
 *
 *     TR_ONCE_LOCK(config)              makes config_once_lock and its calls
 *
 *     static config_once_lock the_config;
 *     const config *c = config_once_lock_get_or_init(&the_config, load, "troupe.conf");
 *
 *                      set, get_or_init             take (by its only user)
 *     empty ---------> being made ---------> full ---------> empty
 *       ^------------------'  the initialiser failed or panicked
 *
 * T_once_cell is for one thread (as std::cell::OnceCell), T_once_lock for any
 * (as std::sync::OnceLock): of threads that come at the same time one runs its
 * initialiser and the others wait for it. Use lazy.h when the initialiser is
 * known where the variable is made.
 *
 * Initialisers fill in an uninitialised T in place. One that needs the very place
 * that it fills would wait for itself: that panics ("reentrant", at the inner
 * call; std's OnceLock may hang there).
 *
 * Both need T described (TR_TYPE, or scalars.h) and describe themselves. All zero
 * is empty. T's own flags, if it has any, are named as TR_CELL's are.
 *
 * Threads  T_once_cell: one at a time (TR_NOT_SHARE). T_once_lock: get, set,
 *          get_or_init, get_or_try_init and wait any, any time; take, into_inner,
 *          get_mut and drop only where nobody else can reach it.
 * Progress get of a full lock is one load. The others may wait (futex) for
 *          another thread's initialiser: not for a handler of an actor when that
 *          takes long.
 * Order    what was done before the lock was filled is visible to who gets it.
 */
#ifndef TROUPE_MEM_ONCE_H
#define TROUPE_MEM_ONCE_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/cell.h>

TR_BEGIN_DECLS

/* T_once_cell; the second argument are T's flags, if it has any. */
#define TR_ONCE_CELL(T, ...) TR_ONCE_CELL_NAMED(T##_once_cell, T, ##__VA_ARGS__)

/* T_once_lock; as above. */
#define TR_ONCE_LOCK(T, ...) TR_ONCE_LOCK_NAMED(T##_once_lock, T, ##__VA_ARGS__)

/* The same under names of your own. */
#define TR_ONCE_CELL_NAMED(V, T, ...)                                                              \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
        uint32_t once_;                                                                            \
    } V;                                                                                           \
    TR_ONCE_CALLS_(V, T, cell)                                                                     \
    TR_ONCE_WHOLE_(V, T, cell)                                                                     \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone, .eq = V##_eq, .hash = V##_hash_,              \
            .flags = TR_NOT_SHARE | (__VA_ARGS__ + 0u))                                            \
    TR_FLAGS_OF_(V, T)

#define TR_ONCE_LOCK_NAMED(V, T, ...)                                                              \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
        tr_once_word_ once_;                                                                       \
    } V;                                                                                           \
    TR_ONCE_CALLS_(V, T, lock)                                                                     \
    TR_ONCE_WHOLE_(V, T, lock)                                                                     \
    TR_UNUSED static inline const T *V##_wait(const V *once)                                       \
    {                                                                                              \
        tr_once_lock_wait_((tr_once_word_ *)&once->once_);                                         \
        return &once->value_;                                                                      \
    }                                                                                              \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone, .eq = V##_eq, .hash = V##_hash_,              \
            .flags = TR_LOCK_FLAGS_(__VA_ARGS__ + 0u))                                             \
    TR_FLAGS_OF_(V, T)

/*
 * get              the value, or NULL
 * get_mut          the same to write through
 * set              true: it was empty, value has been moved in; false: it was full,
 *                  value is the caller's still. Waits for a running initialiser.
 * get_or_init      the value; an empty one is filled by init(&value, arg) first
 * get_or_try_init  the same with an init that may fail: then its status, and the
 *                  next caller tries again
 * take             true: *ret_value is the caller's, and it is empty now
 * into_inner       the same, when it is not used any more
 * wait             (T_once_lock) the value, once another thread has filled it
 *
 * A panic of init leaves it empty. drop, clone and eq are of the value if there
 * is one.
 */
#define TR_ONCE_CALLS_(V, T, KIND)                                                                 \
    TR_UNUSED static inline const T *V##_get(const V *once)                                        \
    {                                                                                              \
        return tr_once_##KIND##_is_full_(&once->once_) ? &once->value_ : NULL;                     \
    }                                                                                              \
    TR_UNUSED static inline T *V##_get_mut(V *once)                                                \
    {                                                                                              \
        return tr_once_##KIND##_is_full_(&once->once_) ? &once->value_ : NULL;                     \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool V##_set(const V *once, T value)                       \
    {                                                                                              \
        V *const tr_once_ = (V *)once;                                                             \
        return tr_once_##KIND##_set_(&tr_once_->once_, &tr_once_->value_, &value, sizeof value);   \
    }                                                                                              \
    TR_UNUSED static inline const T *V##_get_or_init(                                              \
        const V *once, void (*init)(T *value, void *arg), void *arg)                               \
    {                                                                                              \
        V *const tr_once_ = (V *)once;                                                             \
        if (!tr_once_##KIND##_is_full_(&once->once_)) {                                            \
            const tr_once_how_ tr_how_ = { .init = (tr_once_init_)(void (*)(void))init,            \
                                           .arg = arg };                                           \
            (void)tr_once_##KIND##_run_(&tr_once_->once_, &tr_once_->value_, &tr_how_);            \
        }                                                                                          \
        return &once->value_;                                                                      \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline tr_status V##_get_or_try_init(                             \
        const V *once, tr_status (*init)(T *value, void *arg), void *arg, const T **ret_value)     \
    {                                                                                              \
        V *const tr_once_ = (V *)once;                                                             \
        if (!tr_once_##KIND##_is_full_(&once->once_)) {                                            \
            const tr_once_how_ tr_how_ = { .try_init = (tr_once_try_init_)(void (*)(void))init,    \
                                           .arg = arg };                                           \
            const tr_status tr_status_ =                                                           \
                tr_once_##KIND##_run_(&tr_once_->once_, &tr_once_->value_, &tr_how_);              \
            if (tr_status_ != TR_OK)                                                               \
                return tr_status_;                                                                 \
        }                                                                                          \
        *ret_value = &once->value_;                                                                \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool V##_take(V *once, T *ret_value)                       \
    {                                                                                              \
        if (!tr_once_##KIND##_empty_(&once->once_))                                                \
            return false;                                                                          \
        *ret_value = once->value_;                                                                 \
        return true;                                                                               \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool V##_into_inner(V *once, T *ret_value)                 \
    {                                                                                              \
        return V##_take(once, ret_value);                                                          \
    }

#define TR_ONCE_WHOLE_(V, T, KIND)                                                                 \
    TR_UNUSED static inline void V##_drop(V *once)                                                 \
    {                                                                                              \
        if (tr_once_##KIND##_empty_(&once->once_))                                                 \
            tr_value_drop_(tr_type_of(T), &once->value_);                                          \
    }                                                                                              \
    TR_UNUSED static inline tr_status V##_clone(V *copy, const V *once)                            \
    {                                                                                              \
        const T *tr_value_ = V##_get(once);                                                        \
        if (tr_value_ != NULL) {                                                                   \
            const tr_status tr_status_ =                                                           \
                tr_value_clone_(tr_type_of(T), &copy->value_, tr_value_);                          \
            if (tr_status_ != TR_OK)                                                               \
                return tr_status_;                                                                 \
        }                                                                                          \
        tr_once_##KIND##_start_(&copy->once_, tr_value_ != NULL);                                  \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED static inline bool V##_eq(const V *a, const V *b)                                    \
    {                                                                                              \
        const T *tr_a_ = V##_get(a);                                                               \
        const T *tr_b_ = V##_get(b);                                                               \
        if (tr_a_ == NULL || tr_b_ == NULL)                                                        \
            return tr_a_ == tr_b_;                                                                 \
        return tr_value_eq_(tr_type_of(T), tr_a_, tr_b_);                                          \
    }                                                                                              \
    TR_UNUSED static inline uint64_t V##_hash_(const V *once)                                      \
    {                                                                                              \
        (void)once;                                                                                \
        tr_panic("a " #V " has no hash: it may change");                                           \
    }

/* -- the parts ------------------------------------------------------------- */

/* States, the low bits of the word; the rest is once.c's. */
enum {
    TR_ONCE_EMPTY_ = 0,
    TR_ONCE_RUNNING_ = 1,
    TR_ONCE_FULL_ = 2,
    TR_ONCE_POISONED_ = 3, /* lazy.h only */
};

typedef struct tr_once_word_ {
    TR_ATOMIC(uint32_t) word_;
} tr_once_word_;

typedef void (*tr_once_init_)(void *value, void *arg);
typedef tr_status (*tr_once_try_init_)(void *value, void *arg);

/* How the value is made: by one of the two. */
typedef struct tr_once_how_ {
    tr_once_init_ init;
    tr_once_try_init_ try_init;
    void *arg;
    bool poisons; /* after a panic nobody tries again */
} tr_once_how_;

/* Make the value unless it is there; TR_OK: it is. */
TR_API tr_status tr_once_cell_run_(uint32_t *once, void *value, const tr_once_how_ *how);
TR_API tr_status tr_once_lock_run_(tr_once_word_ *once, void *value, const tr_once_how_ *how);
TR_API bool tr_once_cell_set_(uint32_t *once, void *place, const void *value, size_t size);
TR_API bool tr_once_lock_set_(tr_once_word_ *once, void *place, const void *value, size_t size);
TR_API void tr_once_lock_wait_(tr_once_word_ *once);

/* It is empty afterwards; was it full? For its only user. Panics while it is made. */
TR_API bool tr_once_cell_empty_(uint32_t *once);
TR_API bool tr_once_lock_empty_(tr_once_word_ *once);

static inline bool tr_once_cell_is_full_(const uint32_t *once)
{
    return *once == TR_ONCE_FULL_;
}

static inline bool tr_once_lock_is_full_(const tr_once_word_ *once)
{
    /* edge once (acquire): with finish in once.c; carries the value. */
    return TR_LIKELY(tr_load_acquire(&once->word_) == TR_ONCE_FULL_);
}

static inline void tr_once_cell_start_(uint32_t *once, bool full)
{
    *once = full ? TR_ONCE_FULL_ : TR_ONCE_EMPTY_;
}

static inline void tr_once_lock_start_(tr_once_word_ *once, bool full)
{
    tr_atomic_init(&once->word_, full ? TR_ONCE_FULL_ : TR_ONCE_EMPTY_);
}

/* What several threads read at once they may also drop on any: a T that must not
 * move makes a lock that must not be shared. */
#define TR_LOCK_FLAGS_(flags)                                                                      \
    ((flags) | (((flags) & TR_NOT_SEND) != 0 ? (uint32_t)TR_NOT_SHARE : 0u))

TR_END_DECLS

#endif
