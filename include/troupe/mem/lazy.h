/*
 * lazy - a value that is made when it is first asked for
 *
 *     TR_LAZY_LOCK(table)               makes table_lazy_lock and its calls
 *
 *     static void fill_table(table *t, void *arg) { ... }
 *     static table_lazy_lock squares = { TR_LAZY_OF(fill_table, NULL) };
 *
 *     const table *t = table_lazy_lock_force(&squares);
 *
 * T_lazy_cell is for one thread (as std::cell::LazyCell), T_lazy_lock for any (as
 * std::sync::LazyLock): of threads that come at the same time one makes the value
 * and the others wait for it.
 *
 * When the initialiser panics, the panic goes on to who forced it, and the lazy is
 * poisoned: each further force panics, also of those who were waiting. What may
 * fail and be tried again is a OnceLock (once.h). An initialiser that forces its
 * own lazy panics ("reentrant").
 *
 * Threads  T_lazy_cell: one at a time (TR_NOT_SHARE). T_lazy_lock: force and get
 *          any, any time; force_mut and drop only where nobody else can reach it.
 * Progress force of what is there is one load; else it may wait, as once.h.
 * Order    what the initialiser did is visible to who forced it or got it.
 */
#ifndef TROUPE_MEM_LAZY_H
#define TROUPE_MEM_LAZY_H

#include <troupe/mem/once.h>

TR_BEGIN_DECLS

/* T_lazy_cell; the second argument are T's flags, if it has any. */
#define TR_LAZY_CELL(T, ...) TR_LAZY_CELL_NAMED(T##_lazy_cell, T, ##__VA_ARGS__)

/* T_lazy_lock; as above. */
#define TR_LAZY_LOCK(T, ...) TR_LAZY_LOCK_NAMED(T##_lazy_lock, T, ##__VA_ARGS__)

/* A lazy's initialiser, init(T *value, void *arg), which fills in an uninitialised
 * T. A constant: fit for static variables. */
#define TR_LAZY_OF(init, arg) .init_ = (init), .arg_ = (arg)

/* The same under names of your own. */
#define TR_LAZY_CELL_NAMED(V, T, ...)                                                              \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
        uint32_t once_;                                                                            \
        void (*init_)(T *value, void *arg);                                                        \
        void *arg_;                                                                                \
    } V;                                                                                           \
    TR_LAZY_CALLS_(V, T, cell)                                                                     \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone_, .flags = TR_NOT_SHARE | (__VA_ARGS__ + 0u))  \
    TR_FLAGS_OF_(V, T)

#define TR_LAZY_LOCK_NAMED(V, T, ...)                                                              \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
        tr_once_word_ once_;                                                                       \
        void (*init_)(T *value, void *arg);                                                        \
        void *arg_;                                                                                \
    } V;                                                                                           \
    TR_LAZY_CALLS_(V, T, lock)                                                                     \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone_, .flags = TR_LOCK_FLAGS_(__VA_ARGS__ + 0u))   \
    TR_FLAGS_OF_(V, T)

/*
 * force      the value, made now if it was not
 * force_mut  the same to write through
 * get        the value if it has been made, else NULL
 * drop       drops the value if it has been made
 * There is no clone: the initialiser may be used up.
 */
#define TR_LAZY_CALLS_(V, T, KIND)                                                                 \
    TR_UNUSED static inline const T *V##_force(const V *lazy)                                      \
    {                                                                                              \
        V *const tr_lazy_ = (V *)lazy;                                                             \
        if (!tr_once_##KIND##_is_full_(&lazy->once_)) {                                            \
            const tr_once_how_ tr_how_ = { .init = (tr_once_init_)(void (*)(void))lazy->init_,     \
                                           .arg = lazy->arg_,                                      \
                                           .poisons = true };                                      \
            (void)tr_once_##KIND##_run_(&tr_lazy_->once_, &tr_lazy_->value_, &tr_how_);            \
        }                                                                                          \
        return &lazy->value_;                                                                      \
    }                                                                                              \
    TR_UNUSED static inline T *V##_force_mut(V *lazy)                                              \
    {                                                                                              \
        (void)V##_force(lazy);                                                                     \
        return &lazy->value_;                                                                      \
    }                                                                                              \
    TR_UNUSED static inline const T *V##_get(const V *lazy)                                        \
    {                                                                                              \
        return tr_once_##KIND##_is_full_(&lazy->once_) ? &lazy->value_ : NULL;                     \
    }                                                                                              \
    TR_UNUSED static inline void V##_drop(V *lazy)                                                 \
    {                                                                                              \
        if (tr_once_##KIND##_empty_(&lazy->once_))                                                 \
            tr_value_drop_(tr_type_of(T), &lazy->value_);                                          \
    }                                                                                              \
    TR_UNUSED static inline tr_status V##_clone_(V *copy, const V *lazy)                           \
    {                                                                                              \
        (void)copy;                                                                                \
        (void)lazy;                                                                                \
        tr_panic("a " #V " has no clone");                                                         \
    }

TR_END_DECLS

#endif
