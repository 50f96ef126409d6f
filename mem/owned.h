/*
 * owned - the header in front of every owned value; private to the library
 *
 *     one value      | padding | header 16 | value      |
 *     an array       | padding | length 8 | header 16 | value 0 | value 1 ... |
 *                    ^                                ^
 *                    block, aligned as the value      the owned pointer
 *
 *     header         | descriptor, kind and array flag in its low bits 8 | strong 4 | weak 4 |
 *
 * In checked builds the 16 bits of a descriptor's address that no 64-bit processor
 * uses for programs hold the number of the thread that an Rc belongs to.
 *
 * The value lies max(16, align) behind the start of its block, the first one of
 * an array max(32, align): a power of two, hence a multiple of align. Both
 * are known from the header, so dropping needs nothing but the pointer.
 *
 * Threads  tag and length are written by the only owner, before it shares the
 *          value or after it has become the only one again.
 */
#ifndef TROUPE_MEM_OWNED_PRIVATE_H
#define TROUPE_MEM_OWNED_PRIVATE_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/layout.h>
#include <troupe/mem/type.h>

/* Who owns the value. 0 is none, so that zeroed memory is never taken for one. */
typedef enum tri_kind {
    TRI_KIND_NONE = 0,
    TRI_KIND_BOX = 1,
    TRI_KIND_ARC = 2,
    TRI_KIND_RC = 3,
} tri_kind;

#define TRI_KIND_MASK ((uintptr_t)7)
#define TRI_ARRAY ((uintptr_t)8)
#define TRI_LOW_MASK (TRI_KIND_MASK | TRI_ARRAY)

_Static_assert(_Alignof(tr_type) > TRI_LOW_MASK, "the tag lies in the descriptor's low bits");

#if defined(TR_CHECKED) && UINTPTR_MAX > UINT32_MAX
#define TRI_THREAD_SHIFT 48
#define TRI_THREAD_MASK ((uintptr_t)0xffff << TRI_THREAD_SHIFT)
#else
#define TRI_THREAD_MASK ((uintptr_t)0)
#endif

#define TRI_TAG_MASK (TRI_LOW_MASK | TRI_THREAD_MASK)

typedef struct tri_owned {
    uintptr_t tag;                /* thread | descriptor | TRI_ARRAY | kind */
    TR_ATOMIC(uint32_t) strong;   /* the owners of an Arc or Rc */
    TR_ATOMIC(uint32_t) weak;     /* its Weaks, plus one for all owners together */
} tri_owned;

_Static_assert(sizeof(tri_owned) == 16, "the header is what box.h promises");

/* The number of elements, in front of an array's header. */
typedef struct tri_owned_array {
    uint64_t length;
    tri_owned owned;
} tri_owned_array;

static inline tri_owned *tri_owned_of(const void *value)
{
    return (tri_owned *)((uintptr_t)value - sizeof(tri_owned));
}

static inline void *tri_owned_value(const tri_owned *owned)
{
    return (void *)((uintptr_t)owned + sizeof(tri_owned));
}

static inline tri_kind tri_owned_kind(const tri_owned *owned)
{
    return (tri_kind)(owned->tag & TRI_KIND_MASK);
}

/* The new kind belongs to no thread. */
static inline void tri_owned_set_kind(tri_owned *owned, tri_kind kind)
{
    owned->tag = (owned->tag & ~(TRI_KIND_MASK | TRI_THREAD_MASK)) | (uintptr_t)kind;
}

static inline bool tri_owned_is_array(const tri_owned *owned)
{
    return (owned->tag & TRI_ARRAY) != 0;
}

static inline const tr_type *tri_owned_type(const tri_owned *owned)
{
    return (const tr_type *)(owned->tag & ~TRI_TAG_MASK);
}

static inline size_t tri_owned_length(const tri_owned *owned)
{
    if (!tri_owned_is_array(owned))
        return 1;
    return (size_t)((const tri_owned_array *)((uintptr_t)owned - offsetof(tri_owned_array, owned)))
        ->length;
}

/* How an owned block is made; see tri_owned_create. */
enum {
    TRI_OWNED_ZEROED = 1u << 0, /* the values are zeroed */
    TRI_OWNED_ARRAY = 1u << 1,  /* `length` elements; else one value */
};

/*
 * A block for `length` values of `type` with strong and weak at 1, the values
 * uninitialised or zero. NULL: no memory, or no block can be so large.
 */
tri_owned *tri_owned_create(const tr_type *type, tri_kind kind, size_t length, unsigned flags);

/* A block like the one of `model`, of another kind; uninitialised. */
tri_owned *tri_owned_create_like(const tri_owned *model, tri_kind kind);

/* The layout of its block, for a message about it. */
tr_layout tri_owned_layout(const tr_type *type);

/* Drop each value, in index order; the block stays. When one of the drops
 * panics the rest are dropped while it unwinds. */
void tri_owned_drop_values(tri_owned *owned);

/* Give the block back; its values are gone. */
void tri_owned_free(tri_owned *owned);

/* Move the values bytewise into a block like it. */
void tri_owned_move_values(tri_owned *to, const tri_owned *from);

/* Clone each value into `to`, a block like it. On failure (the status is the
 * clone's) and on a panic of the clone the copies made so far are dropped. */
tr_status tri_owned_clone_values(tri_owned *to, const tri_owned *from);

/* Give up one share of an Arc (arc.c), of an Rc (rc.c). */
void tri_arc_drop(tri_owned *owned);
void tri_rc_drop(tri_owned *owned);

/* Free a block whose values are gone or never were, unless *owned is NULL; a
 * cleanup. */
static inline void tri_owned_free_unused(tri_owned **owned)
{
    if (*owned != NULL)
        tri_owned_free(*owned);
}

/* The caller's variable of type `T *`, for any T. */
static inline void *tri_pointer_load(const void *variable)
{
    void *value;
    __builtin_memcpy(&value, variable, sizeof value);
    return value;
}

static inline void tri_pointer_store(void *variable, const void *value)
{
    __builtin_memcpy(variable, &value, sizeof value);
}

#endif
