/*
 * rc - a value with many owners on one thread, and Weak references to it
 *
 *     | descriptor | strong 2 | weak 1 | value |
 *                     ^    ^      ^
 *        node *a -----'    |      '--- tr_rc_weak up = tr_rc_downgrade(a)
 *        node *b = tr_rc_clone(a)
 *
 * As std::rc::Rc: the last tr_drop destroys the value. It is an Arc (arc.h)
 * without locked operations, for graphs that one thread builds, walks and drops:
 * a local of a function or of one handler. Not for the state of an actor, which
 * moves from thread to thread with its turns: use an Arc there.
 *
 * Owners that reach each other in a circle keep each other alive for good. Point
 * back with a Weak: children are owned, parents are not.
 *
 * A long chain must not be dropped by recursion. Its drop takes the next one out
 * and goes on as long as tr_rc_into_box gives a Box.
 *
 * Threads  one: the thread that made the Rc. Checked builds panic when another
 *          one clones, drops, downgrades, upgrades or converts it. What holds an
 *          Rc is TR_NOT_SEND: see TR_RC_TYPE.
 * Progress every call is a few plain instructions.
 * Memory   as arc.h: the value dies with the last owner, its block with the last
 *          Weak. Above INT32_MAX owners or Weaks a clone aborts the process,
 *          downgrade and upgrade panic.
 *
 * Given anything but an Rc, these calls panic.
 */
#ifndef TROUPE_MEM_RC_H
#define TROUPE_MEM_RC_H

#include <troupe/mem/box.h>

TR_BEGIN_DECLS

/* A new Rc with one owner, the caller; else as tr_box and tr_try_box. */
#define tr_rc(T, ...) ((T *)tr_rc_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
#define tr_try_rc(T, ...) ((T *)tr_try_rc_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))

/* One more owner of the same value; the result is dropped on its own. */
#define tr_rc_clone(p) ((__typeof__(p))tr_rc_clone_owned(p))

/* Turn the Box p into an Rc in place (no copy, cannot fail), as Rc::from(Box);
 * p is NULL afterwards. */
#define tr_rc_from_box(p)                                                                          \
    ({                                                                                             \
        __typeof__(p) tr_box_ = TR_MOVE(p);                                                        \
        (__typeof__(p))tr_rc_share_box(tr_box_);                                                   \
    })

/*
 * Give up this share; the last owner gets the value as a Box, the others NULL
 * (as Rc::into_inner). p is NULL afterwards. Weaks do not keep it: they fail to
 * upgrade from then on. Only with Weaks left the value moves to a new block (out
 * of memory: the value is dropped, then tr_out_of_memory).
 */
#define tr_rc_into_box(p)                                                                          \
    ({                                                                                             \
        __typeof__(p) tr_share_ = TR_MOVE(p);                                                      \
        (__typeof__(p))tr_rc_unshare(tr_share_);                                                   \
    })

/* As tr_rc_into_box for the only owner; else NULL, and p is kept (as
 * Rc::try_unwrap). p is kept also when tr_out_of_memory does not return here. */
#define tr_rc_try_unwrap(p) ((__typeof__(p))tr_rc_try_unshare((void *)&(p)))

/* A pointer to write through if nobody else, strong or Weak, can reach the
 * value; else NULL (as Rc::get_mut). Ownership is unchanged. */
#define tr_rc_get_mut(p) ((__typeof__(p))tr_rc_get_mut_owned(p))

/*
 * Make p unique and give a pointer to write through (as Rc::make_mut): a shared
 * value is cloned and p then points at the copy; one with Weaks only moves away
 * from them. NULL: no memory or the clone failed, p is as before.
 */
#define tr_rc_make_mut(p) ((__typeof__(p))tr_rc_make_mut_owned((void *)&(p)))

/* The value as a Box: itself for its only owner, else a clone (as
 * Rc::unwrap_or_clone); p is NULL then. NULL: as tr_rc_make_mut. */
#define tr_rc_unwrap_or_clone(p) ((__typeof__(p))tr_rc_unwrap_or_clone_owned((void *)&(p)))

/* Are both shares of one value (not: of equal ones)? As Rc::ptr_eq. */
static inline bool tr_rc_ptr_eq(const void *a, const void *b)
{
    return a == b;
}

/*
 * A Weak reference to an Rc: keeps the block, not the value. A type of its own, so
 * that it cannot be taken for an Arc's, which may cross threads. Copy it only
 * with tr_rc_weak_clone. TR_RC_WEAK_NEW is the empty one (as Weak::new).
 */
typedef struct tr_rc_weak {
    void *target_;
} tr_rc_weak;

#define TR_RC_WEAK_NEW ((tr_rc_weak){ NULL })

/* A new Weak to what the caller owns a share of, which stays as it is. */
TR_API tr_rc_weak tr_rc_downgrade(const void *owned);
/* One more Weak to the same; of an empty one an empty one. */
TR_API tr_rc_weak tr_rc_weak_clone(tr_rc_weak weak);
/* weak is TR_RC_WEAK_NEW afterwards. Fit for a cleanup attribute. */
TR_API void tr_rc_weak_drop(tr_rc_weak *weak);

/*
 * A new owner of the value, or NULL when it is gone, not made yet
 * (tr_rc_new_cyclic), or weak is empty. T must be the type the Rc was made with;
 * another one panics.
 */
#define tr_rc_upgrade(T, weak) ((T *)tr_rc_upgrade_weak((weak), tr_type_of(T)))

/* Both are 0 when the value is gone. Of an Rc: tr_strong_count, tr_weak_count. */
TR_API size_t tr_rc_weak_strong_count(tr_rc_weak weak);
TR_API size_t tr_rc_weak_weak_count(tr_rc_weak weak);
/* Do both refer to the same block? Two empty ones do. */
static inline bool tr_rc_weak_ptr_eq(tr_rc_weak a, tr_rc_weak b)
{
    return a.target_ == b.target_;
}

/*
 * A value that holds Weaks to itself, as Rc::new_cyclic: allocates, then calls
 * init(T *value, tr_rc_weak me, void *arg), which fills in the uninitialised
 * *value and keeps `me` only as tr_rc_weak_clone(me). `me` upgrades once init has
 * returned TR_OK.
 * TR_OK: *ret_rc is the first owner. TR_NOMEM; or what init returned: *value is
 * then not dropped, so init must leave nothing in it (nor when it panics).
 */
#define tr_rc_new_cyclic(T, init, arg, ret_rc)                                                     \
    ({                                                                                             \
        tr_status (*const tr_init_)(T *, tr_rc_weak, void *) = (init);                             \
        T **const tr_ret_ = (ret_rc);                                                              \
        tr_rc_new_cyclic_of(tr_type_of(T), (tr_rc_cyclic_init)(void (*)(void))tr_init_, (arg),     \
                            (void *)tr_ret_);                                                      \
    })
typedef tr_status (*tr_rc_cyclic_init)(void *value, tr_rc_weak me, void *arg);

/* The untyped forms. `variable` is the address of a `T *`. */
TR_API TR_MUST_USE tr_status tr_rc_new_cyclic_of(const tr_type *type, tr_rc_cyclic_init init,
                                                 void *arg, void *ret_variable);
TR_API void *tr_rc_of(const tr_type *type, const void *init);
TR_API void *tr_try_rc_of(const tr_type *type, const void *init);
TR_API void *tr_rc_clone_owned(const void *owned);
TR_API void *tr_rc_share_box(void *box);
TR_API void *tr_rc_unshare(void *owned);
TR_API void *tr_rc_try_unshare(void *variable);
TR_API void *tr_rc_get_mut_owned(const void *owned);
TR_API void *tr_rc_make_mut_owned(void *variable);
TR_API void *tr_rc_unwrap_or_clone_owned(void *variable);
TR_API void *tr_rc_upgrade_weak(tr_rc_weak weak, const tr_type *type);

/*
 * NAME is a share of an Rc of T as a type with a descriptor, for what stores
 * values by descriptor (tr_box, containers, a struct with a field of it):
 *
 *     TR_RC_TYPE(node_rc, node)          node_rc is `node *`
 *
 * Its drop gives the share up, its clone is tr_rc_clone. It stays on its thread:
 * every send refuses it. A struct that has one must say .flags = TR_RC_FLAGS.
 */
#define TR_RC_FLAGS (TR_NOT_SEND | TR_NOT_SHARE)
#define TR_RC_TYPE(NAME, T)                                                                        \
    typedef T *NAME;                                                                               \
    TR_UNUSED static inline void NAME##_drop_(NAME *share)                                         \
    {                                                                                              \
        tr_drop(*share);                                                                           \
    }                                                                                              \
    TR_UNUSED static inline tr_status NAME##_clone_(NAME *copy, NAME const *share)                 \
    {                                                                                              \
        *copy = *share != NULL ? tr_rc_clone(*share) : NULL;                                       \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_TYPE(NAME, .drop = NAME##_drop_, .clone = NAME##_clone_, .flags = TR_RC_FLAGS)

static inline tr_status tr_rc_weak_clone_(tr_rc_weak *copy, const tr_rc_weak *weak)
{
    *copy = tr_rc_weak_clone(*weak);
    return TR_OK;
}

/* The descriptor of a Weak. */
TR_TYPE(tr_rc_weak, .drop = tr_rc_weak_drop, .clone = tr_rc_weak_clone_, .flags = TR_RC_FLAGS)

TR_END_DECLS

#endif
