/*
 * cell - a value that changes while it is shared, on one thread
 *
 *     TR_CELL(int)                      makes int_cell and its calls
 *
 *     struct page { int_cell visits; ... };
 *     int_cell_set(&page->visits, int_cell_get(&page->visits) + 1);
 *
 * As std::cell::Cell. What is shared (an Rc, a read guard of a RefCell) is read
 * only by convention, and by const; a member that is a Cell says that it may
 * change all the same. So its calls take a pointer to const. There is never a
 * pointer into it while others hold it, only values moved in and out: nothing
 * can be pulled away under a reader. Use refcell.h when a reader needs a pointer.
 *
 * TR_CELL(T) needs T described (TR_TYPE, or scalars.h) and describes T_cell. All
 * zero is a Cell of a zero T. Values move in and out bytewise: what is set or
 * replaced belongs to the cell, what is taken to the caller.
 *
 * Threads  one at a time: TR_NOT_SHARE, as Cell is not Sync. It moves if T does.
 */
#ifndef TROUPE_MEM_CELL_H
#define TROUPE_MEM_CELL_H

#include <troupe/mem/panic.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

/* T_cell. A T that has flags (TR_NOT_SEND) gives them on as the second argument:
 * TR_CELL(node_rc, TR_RC_FLAGS). Forgotten ones end a checked build at its start. */
#define TR_CELL(T, ...) TR_CELL_NAMED(T##_cell, T, ##__VA_ARGS__)

/* A Cell that starts with a value: int_cell c = { TR_CELL_OF(10) };
 * tr_rc(int_cell, TR_CELL_OF(10)). A structure's value in braces. */
#define TR_CELL_OF(...) .value_ = __VA_ARGS__

/* The same under a name of your own. */
#define TR_CELL_NAMED(V, T, ...)                                                                   \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
    } V;                                                                                           \
    TR_CELL_CALLS_(V, T)                                                                           \
    TR_CELL_WHOLE_(V, T)                                                                           \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone, .eq = V##_eq, .hash = V##_hash_,              \
            .flags = TR_NOT_SHARE | (__VA_ARGS__ + 0u))                                            \
    TR_FLAGS_OF_(V, T)

/*
 * get        a copy, for types without a drop (Copy); checked builds panic otherwise
 * set        replaces; the old value is dropped after the new one is in place
 * replace    gives the old value
 * take       gives the value and leaves zero, as if T's Default
 * swap       of one and the same cell: nothing
 * update     sets f(old, arg), for types without a drop
 * get_mut    a pointer, for the only one who can reach the cell
 * into_inner as take, when the cell is not used any more
 */
#define TR_CELL_CALLS_(V, T)                                                                       \
    TR_UNUSED static inline T V##_get(const V *cell)                                               \
    {                                                                                              \
        tr_must_be_plain_(tr_type_of(T));                                                          \
        return cell->value_;                                                                       \
    }                                                                                              \
    TR_UNUSED static inline T *V##_get_mut(V *cell)                                                \
    {                                                                                              \
        return &cell->value_;                                                                      \
    }                                                                                              \
    TR_UNUSED static inline T V##_replace(const V *cell, T value)                                  \
    {                                                                                              \
        T *const tr_place_ = &((V *)cell)->value_;                                                 \
        T tr_old_ = *tr_place_;                                                                    \
        *tr_place_ = value;                                                                        \
        return tr_old_;                                                                            \
    }                                                                                              \
    TR_UNUSED static inline void V##_set(const V *cell, T value)                                   \
    {                                                                                              \
        T tr_old_ = V##_replace(cell, value);                                                      \
        tr_value_drop_(tr_type_of(T), &tr_old_);                                                   \
    }                                                                                              \
    TR_UNUSED static inline T V##_take(const V *cell)                                              \
    {                                                                                              \
        T *const tr_place_ = &((V *)cell)->value_;                                                 \
        T tr_old_ = *tr_place_;                                                                    \
        __builtin_memset(tr_place_, 0, sizeof *tr_place_);                                         \
        return tr_old_;                                                                            \
    }                                                                                              \
    TR_UNUSED static inline T V##_into_inner(V *cell)                                              \
    {                                                                                              \
        return V##_take(cell);                                                                     \
    }                                                                                              \
    TR_UNUSED static inline void V##_swap(const V *a, const V *b)                                  \
    {                                                                                              \
        ((V *)a)->value_ = V##_replace(b, a->value_);                                              \
    }                                                                                              \
    TR_UNUSED static inline void V##_update(const V *cell, T (*f)(T old, void *arg), void *arg)    \
    {                                                                                              \
        V##_set(cell, f(V##_get(cell), arg));                                                      \
    }

/* drop, clone (of the value, by its descriptor) and eq (of the values). */
#define TR_CELL_WHOLE_(V, T)                                                                       \
    TR_UNUSED static inline void V##_drop(V *cell)                                                 \
    {                                                                                              \
        tr_value_drop_(tr_type_of(T), &cell->value_);                                              \
    }                                                                                              \
    TR_UNUSED static inline tr_status V##_clone(V *copy, const V *cell)                            \
    {                                                                                              \
        return tr_value_clone_(tr_type_of(T), &copy->value_, &cell->value_);                       \
    }                                                                                              \
    TR_UNUSED static inline bool V##_eq(const V *a, const V *b)                                    \
    {                                                                                              \
        return tr_value_eq_(tr_type_of(T), &a->value_, &b->value_);                                \
    }                                                                                              \
    TR_UNUSED static inline uint64_t V##_hash_(const V *cell)                                      \
    {                                                                                              \
        (void)cell;                                                                                \
        tr_panic("a " #V " has no hash: it may change");                                           \
    }

/* -- what the wrapper types share ------------------------------------------ */

static inline void tr_value_drop_(const tr_type *type, void *value)
{
    if (type->drop != NULL)
        type->drop(value);
}

/* A copy of what owns something would have it dropped twice. */
static inline void tr_must_be_plain_(const tr_type *type)
{
    (void)type;
#ifdef TR_CHECKED
    if (type->drop != NULL)
        tr_panic("a %s has a drop: take or replace it, a get would copy it", type->name);
#endif
}

static inline tr_status tr_value_clone_(const tr_type *type, void *copy, const void *value)
{
    if (type->clone != NULL)
        return type->clone(copy, value);
    __builtin_memcpy(copy, value, type->size);
    return TR_OK;
}

static inline bool tr_value_eq_(const tr_type *type, const void *a, const void *b)
{
    return type->eq != NULL ? type->eq(a, b) : __builtin_memcmp(a, b, type->size) == 0;
}

/* A wrapper must have the flags of what it holds. The compiler cannot read them
 * out of a descriptor, so checked builds look when the program starts. */
#ifdef TR_CHECKED
#define TR_FLAGS_OF_(V, T)                                                                         \
    __attribute__((constructor)) static void V##_check_flags_(void)                                \
    {                                                                                              \
        if ((tr_type_of(T)->flags & ~tr_type_of(V)->flags) != 0)                                   \
            tr_panic(#V " lacks flags of " #T ": name them where " #V " is made");                 \
    }
#else
#define TR_FLAGS_OF_(V, T)
#endif

TR_END_DECLS

#endif
