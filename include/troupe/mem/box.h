/*
 * box - a value on the heap with one owner, and the calls all owners share
 *
 *        16 bytes                      what you hold: a plain T *
 *     | descriptor | strong | weak |   v
 *     | header ................... | T value ... |
 *
 * `point *p = tr_box(point, .x = 1)` is used like any pointer; tr_drop(p)
 * destroys what it points at, be it a Box, or a share of an Rc or Arc (rc.h,
 * arc.h), since the header in front says which. A pointer that did not come from
 * tr_box, tr_rc or tr_arc must not be given to these calls.
 *
 * Ownership in C needs three habits, each one macro:
 *     TR_AUTO(point) p = tr_box(point, .x = 1);   dropped at the scope's end
 *     keep(TR_MOVE(p));                           p is NULL now, keep() owns it
 *     tr_drop(p);                                 destroyed now, p is NULL
 * Autos of one scope are dropped last first, also when a panic unwinds.
 *
 * Threads  a Box belongs to one thread at a time; it may move, if T may.
 * Memory   one block each from the global allocator, 16 bytes more than T (64
 *          for T aligned to 64, and so on). A value of size 0 still has its
 *          header: unlike Rust's, a Box<()> allocates, since tr_drop must be
 *          able to find out what it is given.
 */
#ifndef TROUPE_MEM_BOX_H
#define TROUPE_MEM_BOX_H

#include <troupe/mem/allocator.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

/*
 * A new Box of type T, initialised as T's compound literal would be; what is
 * not named is zero. The caller owns it. Out of memory: tr_out_of_memory.
 */
#define tr_box(T, ...) ((T *)tr_box_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))

/* As tr_box, NULL when there is no memory; then nothing was moved. */
#define tr_try_box(T, ...) ((T *)tr_try_box_of(tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))

/* Uninitialised, as Box::new_uninit: fill it in before its drop runs. NULL when
 * there is no memory. */
#define tr_box_uninit(T) ((T *)tr_try_box_of(tr_type_of(T), NULL))

/*
 * n elements of T in one Box, as Box<[T]>; zeroed, or NULL when there is no
 * memory or n elements cannot exist. tr_drop drops the elements in index order.
 */
#define tr_box_array(T, n) ((T *)tr_box_array_of(tr_type_of(T), (n), true))
/* As tr_box_array but uninitialised. */
#define tr_box_array_uninit(T, n) ((T *)tr_box_array_of(tr_type_of(T), (n), false))

/* The number of elements of a Box made by tr_box_array; 1 for any other. O(1). */
TR_API size_t tr_array_len(const void *owned);

/*
 * Destroy the value and free its block - or, for one of several owners, give up
 * this share. The pointer variable is NULL afterwards; NULL is accepted.
 */
#define tr_drop(p)                                                                                 \
    ({                                                                                             \
        __typeof__(p) *tr_dropped_ = &(p);                                                         \
        __typeof__(p) tr_old_ = *tr_dropped_;                                                      \
        *tr_dropped_ = NULL;                                                                       \
        tr_drop_owned((void *)tr_old_);                                                            \
    })

/* The value of the pointer p, which is NULL afterwards: its new owner is whoever
 * takes the result (as std::mem::take). */
#define TR_MOVE(p)                                                                                 \
    ({                                                                                             \
        __typeof__(p) *tr_moved_ = &(p);                                                           \
        __typeof__(p) tr_value_ = *tr_moved_;                                                      \
        *tr_moved_ = NULL;                                                                         \
        tr_value_;                                                                                 \
    })

/* A `T *` variable that is dropped when its scope ends, however it ends. */
/* clang counts a variable that only its cleanup reads as unused: not this one */
#define TR_AUTO(T) TR_UNUSED __attribute__((cleanup(tr_auto_drop_))) T *

/* How many owners and Weaks the value has; of an Arc as they were at one moment,
 * since others may change them meanwhile. 1 and 0 for a Box. */
TR_API size_t tr_strong_count(const void *owned);
TR_API size_t tr_weak_count(const void *owned);

/* The descriptor of what `owned` points at. */
TR_API const tr_type *tr_owned_type(const void *owned);

/*
 * Give up ownership for good: the block stays allocated and nobody drops it
 * (as std::mem::forget, Box::leak). The pointer stays usable.
 */
#define tr_forget(p) ((void)TR_MOVE(p))

/* The untyped forms. `init` is copied bytewise (moved) into the new value; NULL
 * leaves it uninitialised. tr_box_of never gives NULL, tr_try_box_of may. */
TR_API void *tr_box_of(const tr_type *type, const void *init);
TR_API void *tr_try_box_of(const tr_type *type, const void *init);
TR_API void *tr_box_array_of(const tr_type *type, size_t n, bool zeroed);
TR_API void tr_drop_owned(void *owned);

static inline void tr_auto_drop_(void *variable)
{
    void *owned;
    __builtin_memcpy(&owned, variable, sizeof owned);
    tr_drop_owned(owned);
}

TR_END_DECLS

#endif
