/*
 * arc - a value with many owners on any threads, and Weak references to it
 *
 *     | descriptor | strong 2 | weak 1 | value |
 *                     ^    ^
 *        chunk *a ----'    '---- chunk *b = tr_arc_clone(a)
 *
 * As std::sync::Arc: the value is immutable while shared; the last tr_drop
 * destroys it. A Box becomes an Arc without a copy (tr_arc_from_box), and the
 * last owner can have it back as a Box (tr_arc_into_box), so one block can be
 * filled by one actor, read by many and come home to be filled again.
 *
 * Threads            clone  drop  downgrade  upgrade: any threads, any time,
 *                    each on a share of its own.
 * Progress           clone and drop are wait-free; upgrade is lock-free.
 * Order              what any owner did before its drop is visible to the
 *                    destructor, and to the winner of get_mut / into_box.
 * Memory             the value dies with the last strong owner, its block with
 *                    the last Weak. Above INT32_MAX owners or Weaks a clone
 *                    aborts the process, downgrade and upgrade panic.
 *
 * Given a Box where an Arc is asked for, these calls panic; the counts of a Box
 * are 1 and 0.
 */
#ifndef TROUPE_MEM_ARC_H
#define TROUPE_MEM_ARC_H

#include <troupe/mem/box.h>

TR_BEGIN_DECLS

/* A new Arc with one owner, the caller; else as tr_box and tr_try_box. */
#define tr_arc(T, ...) ((T *)tr_arc_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
#define tr_try_arc(T, ...) ((T *)tr_try_arc_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))

/* One more owner of the same value; the result is dropped on its own. O(1). */
#define tr_arc_clone(p) ((__typeof__(p))tr_arc_clone_owned(p))

/*
 * n more owners at once: the result is handed out n times, and dropped as often.
 * One atomic operation for all of them, where sending a value to many would take
 * one each. n of 0 changes nothing. Above the limit it aborts, as tr_arc_clone.
 */
#define tr_arc_clone_n(p, n) ((__typeof__(p))tr_arc_clone_n_owned((p), (n)))

/*
 * Turn the Box p into an Arc in place (no copy, cannot fail), as
 * Arc::from(Box). Yields the same address; p is NULL afterwards.
 */
#define tr_arc_from_box(p)                                                                         \
    ({                                                                                             \
        __typeof__(p) tr_box_ = TR_MOVE(p);                                                        \
        (__typeof__(p))tr_arc_share_box(tr_box_);                                                  \
    })

/*
 * Give up this share; whoever is last gets the value as a Box in place, the
 * others NULL. p is NULL afterwards in any case. Among owners that call this
 * at the same time exactly one wins (as Arc::into_inner). Weak references do
 * not keep it: they fail to upgrade from then on - the value then moves to a
 * new block, the only case that allocates (out of memory: tr_out_of_memory).
 */
#define tr_arc_into_box(p)                                                                         \
    ({                                                                                             \
        __typeof__(p) tr_share_ = TR_MOVE(p);                                                      \
        (__typeof__(p))tr_arc_unshare(tr_share_);                                                  \
    })

/*
 * As tr_arc_into_box when the caller is the only owner; else NULL and p is
 * kept as it was (as Arc::try_unwrap). p is kept also when tr_out_of_memory
 * does not return to here.
 */
#define tr_arc_try_unwrap(p) ((__typeof__(p))tr_arc_try_unshare((void *)&(p)))

/* A pointer to write through if nobody else, strong or Weak, can reach the
 * value; else NULL (as Arc::get_mut). Ownership is unchanged. */
#define tr_arc_get_mut(p) ((__typeof__(p))tr_arc_get_mut_owned(p))

/*
 * Make p unique and give a pointer to write through (as Arc::make_mut): a
 * shared value is cloned with its type's clone (p then points at the copy), one
 * with Weak references only moves away from them. NULL: no memory or clone
 * failed, p is as before.
 */
#define tr_arc_make_mut(p) ((__typeof__(p))tr_arc_make_mut_owned((void *)&(p)))

/*
 * The value as a Box, as Arc::unwrap_or_clone: the very value (no clone) for its
 * only owner, else a clone of it; p is NULL then. NULL: no memory or the clone
 * failed, p is as before.
 */
#define tr_arc_unwrap_or_clone(p) ((__typeof__(p))tr_arc_unwrap_or_clone_owned((void *)&(p)))

/*
 * A Weak reference: keeps the block, not the value. Copy it only with
 * tr_weak_clone. TR_WEAK_NEW is the empty one (as Weak::new).
 */
typedef struct tr_weak {
    void *target_;
} tr_weak;

#define TR_WEAK_NEW ((tr_weak){ NULL })

/* A new Weak to what the caller owns a share of, which stays as it is. */
TR_API tr_weak tr_downgrade(const void *owned);
/* One more Weak to the same; of an empty one an empty one. */
TR_API tr_weak tr_weak_clone(tr_weak weak);
/* weak is TR_WEAK_NEW afterwards. */
TR_API void tr_weak_drop(tr_weak *weak);

/*
 * A new owner of the value, or NULL when it is gone (or weak is empty). Never
 * revives a value whose destructor has begun. T must be the type the Arc was
 * made with; another one panics.
 */
#define tr_upgrade(T, weak) ((T *)tr_upgrade_weak((weak), tr_type_of(T)))

/* 0 when the value is gone. tr_weak_weak_count is 0 then too. */
TR_API size_t tr_weak_strong_count(tr_weak weak);
TR_API size_t tr_weak_weak_count(tr_weak weak);
/* Do both refer to the same block? Two empty ones do. */
static inline bool tr_weak_ptr_eq(tr_weak a, tr_weak b)
{
    return a.target_ == b.target_;
}

/*
 * A value that holds Weaks to itself, as Arc::new_cyclic: allocates, then calls
 * init(T *value, tr_weak me, void *arg), which fills in the uninitialised *value
 * and keeps `me` only as tr_weak_clone(me). `me` upgrades, on any thread, once
 * init has returned TR_OK.
 * TR_OK: *ret_arc is the first owner. TR_NOMEM; or what init returned: *value is
 * then not dropped, so init must leave nothing in it (nor when it panics).
 */
#define tr_arc_new_cyclic(T, init, arg, ret_arc)                                                   \
    ({                                                                                             \
        tr_status (*const tr_init_)(T *, tr_weak, void *) = (init);                                \
        T **const tr_ret_ = (ret_arc);                                                             \
        tr_arc_new_cyclic_of(tr_type_of(T), (tr_arc_cyclic_init)(void (*)(void))tr_init_, (arg),   \
                             (void *)tr_ret_);                                                     \
    })
typedef tr_status (*tr_arc_cyclic_init)(void *value, tr_weak me, void *arg);

/* The untyped forms. `variable` is the address of a `T *`. */
TR_API TR_MUST_USE tr_status tr_arc_new_cyclic_of(const tr_type *type, tr_arc_cyclic_init init,
                                                  void *arg, void *ret_variable);
TR_API void *tr_arc_of(const tr_type *type, const void *init);
TR_API void *tr_try_arc_of(const tr_type *type, const void *init);
TR_API void *tr_arc_clone_owned(const void *owned);
TR_API void *tr_arc_clone_n_owned(const void *owned, size_t n);
TR_API void *tr_arc_share_box(void *box);
TR_API void *tr_arc_unshare(void *owned);
TR_API void *tr_arc_try_unshare(void *variable);
TR_API void *tr_arc_get_mut_owned(const void *owned);
TR_API void *tr_arc_make_mut_owned(void *variable);
TR_API void *tr_arc_unwrap_or_clone_owned(void *variable);
TR_API void *tr_upgrade_weak(tr_weak weak, const tr_type *type);

TR_END_DECLS

#endif
