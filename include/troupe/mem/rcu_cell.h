/*
 * rcu_cell - a value that is read all the time and replaced now and then
 *
 *     TR_RCU(config)                              the type config_rcu
 *     static config_rcu current;                  all zero: empty
 *
 *     reader    TR_RCU_GUARD g = tr_rcu_enter();
 *               const config *c = tr_rcu_read(&current, &g);
 *               ... c->limit ...                  until the scope ends
 *
 *     writer    tr_rcu_set(&current, tr_arc(config, .limit = 7))
 *
 *     cell ---> old  ......... readers finish: a grace period ...... dropped
 *          \--> new
 *
 * Use it for configuration, routes, snapshots: what thousands read for each one
 * that writes. Reading writes nothing that another thread reads. When most
 * accesses write, use mutex.h; for a table of many entries rcu_map.h replaces one
 * entry, where a cell would copy the whole table.
 *
 * The cell owns a share of an Arc, or is empty. What a reader sees lives until its
 * guard ends; to keep it longer, or to send it, take a share (tr_rcu_share).
 *
 * While a guard is open nothing is reclaimed that anybody replaces: keep it for
 * moments, and wait for nothing in it. A guard belongs to its thread and, in an
 * actor, to one run of the handler. Guards nest.
 *
 * Threads  any: workers and others, which need not register. Writers too, at the
 *          same time. fini, and dropping the cell: when nobody knows it any more
 *          (what they read from it may be in use still).
 * Progress enter, leave and read: wait-free (the first enter of a thread that is
 *          no worker takes a lock). share, set, swap: wait-free but for the
 *          allocator. update: lock-free.
 * Order    what a writer did before set is visible to who reads the value; what
 *          a reader did before its guard ended is visible to the value's drop.
 * Memory   32 bytes from set to drop, and the values themselves.
 *
 * Values are dropped on a thread of the library, one after the other, so their type
 * must be free to move and to be shared. The destructor may read and set cells; it
 * must not take long. If it panics, the hook is called, the value's block is freed,
 * and the next value is dropped. What is replaced and not dropped yet when the
 * process ends is not dropped: call tr_rcu_barrier before, if destructors matter.
 */
#ifndef TROUPE_MEM_RCU_CELL_H
#define TROUPE_MEM_RCU_CELL_H

#include <troupe/mem/arc.h>
#include <troupe/mem/atomic.h>
#include <troupe/mem/lock.h>
#include <troupe/mem/panic.h>

TR_BEGIN_DECLS

/* -- reading ------------------------------------------------------------------- */

typedef struct tr_rcu_guard {
    bool open_;
} tr_rcu_guard;

/* Begin to read; the guard goes into a TR_RCU_GUARD variable. */
TR_API TR_MUST_USE tr_rcu_guard tr_rcu_enter(void);

/* End it before the scope does. An ended guard is accepted. What was read under it
 * is gone, unless an outer guard is open. */
TR_API void tr_rcu_leave(tr_rcu_guard *guard);

/* A guard variable, ended when its scope is, also by a panic. */
#define TR_RCU_GUARD TR_UNUSED __attribute__((cleanup(tr_rcu_leave))) tr_rcu_guard

/*
 * Wait until nobody reads what he found before this call. Panics on a thread that
 * would wait for itself: with a guard open, in an actor's handler, in a deferred
 * drop. As synchronize_rcu.
 */
TR_API void tr_rcu_synchronise(void);

/*
 * Wait until all that was replaced or removed before this call has been dropped;
 * not what those destructors replace themselves. For tests and the end of a
 * program. Takes about 10 ms when drops are pending; panics as tr_rcu_synchronise.
 */
TR_API void tr_rcu_barrier(void);

/* -- the cell ------------------------------------------------------------------- */

typedef struct tr_rcu_core {
    TR_ATOMIC(void *) value_; /* the cell's share of an Arc, or NULL */
    TR_ATOMIC(void *) spare_; /* what the drop of the last value needs */
} tr_rcu_core;

/*
 * The cell of the described type T: T_rcu, and its descriptor, so that a cell may
 * itself lie in an Arc or a struct. Once in what a file includes, as TR_TYPE(T).
 */
#define TR_RCU(T)                                                                                  \
    typedef struct T##_rcu {                                                                       \
        tr_rcu_core core_;                                                                         \
        __extension__ T *pointer_[0];                                                              \
    } T##_rcu;                                                                                     \
    TR_UNUSED static inline void T##_rcu_drop_(T##_rcu *tr_cell_)                                  \
    {                                                                                              \
        tr_rcu_fini_(&tr_cell_->core_);                                                            \
    }                                                                                              \
    TR_TYPE(T##_rcu, .drop = T##_rcu_drop_)

/* The value, a `const T *` that is valid until the guard ends; NULL: empty. */
#define tr_rcu_read(cell, guard)                                                                   \
    ({                                                                                             \
        __typeof__(cell) tr_cell_ = (cell);                                                        \
        (const __typeof__(*tr_cell_->pointer_[0]) *)tr_rcu_read_(&tr_cell_->core_, (guard));       \
    })

/* One more owner of the value, to keep or send; needs no guard. NULL: empty. */
#define tr_rcu_share(cell)                                                                         \
    ({                                                                                             \
        __typeof__(cell) tr_cell_ = (cell);                                                        \
        (__typeof__(tr_cell_->pointer_[0]))tr_rcu_share_(&tr_cell_->core_);                        \
    })

/*
 * Replace the value by `value`, an Arc or a Box (which becomes an Arc) or NULL; the
 * old one is dropped after a grace period. TR_OK: the cell owns it. TR_NOMEM:
 * nothing changed, the caller owns it still.
 */
#define tr_rcu_set(cell, value)                                                                    \
    tr_status_told_(({                                                                             \
        __typeof__(cell) tr_cell_ = (cell);                                                        \
        const __typeof__(tr_cell_->pointer_[0]) tr_value_ = (value);                               \
        tr_rcu_set_(&tr_cell_->core_, tr_value_, NULL);                                            \
    }))

/*
 * As tr_rcu_set; *ret_old is a share of the old value, or NULL when there was none.
 * The cell's own share is dropped after a grace period, so the caller's is the
 * only one after tr_rcu_barrier at the soonest.
 */
#define tr_rcu_swap(cell, value, ret_old)                                                          \
    tr_status_told_(({                                                                             \
        __typeof__(cell) tr_cell_ = (cell);                                                        \
        const __typeof__(tr_cell_->pointer_[0]) tr_value_ = (value);                               \
        __typeof__(*tr_cell_->pointer_[0]) **const tr_ret_ = (ret_old);                            \
        tr_rcu_set_(&tr_cell_->core_, tr_value_, (void *)tr_ret_);                                 \
    }))

/*
 * Replace the value by a changed copy: change(T *copy, void *arg) gets a clone and
 * changes it; when somebody else was quicker, again, with a clone of what he
 * wrote, so no update is lost. A guard is open meanwhile.
 * TR_OK: replaced. TR_EMPTY: no value to copy. TR_NOMEM, or what T's clone or
 * change returned (or its panic): nothing changed.
 */
#define tr_rcu_update(cell, change, arg)                                                           \
    tr_status_told_(({                                                                             \
        __typeof__(cell) tr_cell_ = (cell);                                                        \
        tr_status (*const tr_change_)(__typeof__(tr_cell_->pointer_[0]), void *) = (change);       \
        tr_rcu_update_(&tr_cell_->core_, (tr_rcu_change)(void (*)(void))tr_change_, (arg));        \
    }))
typedef tr_status (*tr_rcu_change)(void *copy, void *arg);

/* The end of a cell that nobody else knows: empty, and usable again. Its value is
 * dropped after a grace period. What tr_drop does to a cell in a Box or an Arc. */
#define tr_rcu_fini(cell) tr_rcu_fini_(&(cell)->core_)

/* The untyped forms; call the macros. */
TR_API void *tr_rcu_share_(tr_rcu_core *core);
TR_API TR_MUST_USE tr_status tr_rcu_set_(tr_rcu_core *core, void *value, void *ret_old);
TR_API TR_MUST_USE tr_status tr_rcu_update_(tr_rcu_core *core, tr_rcu_change change, void *arg);
TR_API void tr_rcu_fini_(tr_rcu_core *core);

static inline const void *tr_rcu_read_(const tr_rcu_core *core, const tr_rcu_guard *guard)
{
    (void)guard;
    TR_DCHECK(guard->open_);
    /* edge rcu-cell (acquire): with tr_rcu_set_ and tr_rcu_update_; carries the value */
    return tr_load_acquire(&core->value_);
}

TR_END_DECLS

#endif
