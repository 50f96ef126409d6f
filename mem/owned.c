/*
 * owned - making, dropping and freeing a block with the ownership header
 *
 *     tri_owned_create ... tri_owned_drop_values ... tri_owned_free
 *      block, header          the values' drop          the block
 *
 * Invariants
 *  1. Block start and size follow from the header alone (tag, length).
 *  2. Whatever a drop or clone callback does, panic included, each value is
 *     dropped at most once and no block is lost: what is still to be done is in
 *     a record with a cleanup, which the unwinder runs.
 */
#include "mem/owned.h"

#include <string.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/box.h>
#include <troupe/mem/panic.h>

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* From the start of the block to the first value. */
static size_t value_offset(const tr_type *type, bool array)
{
    /* The array's prefix of 24 is rounded up to a power of two, so that the
     * values stay aligned to 16. */
    return max(array ? 32 : sizeof(tri_owned), type->align);
}

static tr_status block_layout(const tr_type *type, size_t length, bool array, tr_layout *ret_layout)
{
    const tr_layout prefix = {
        .size = value_offset(type, array),
        .align = max(_Alignof(tri_owned_array), type->align),
    };
    const tr_layout element = { .size = type->size, .align = type->align };
    tr_layout values;
    size_t offset;
    const tr_status status = tr_layout_array(element, length, &values);
    if (status != TR_OK)
        return status;
    return tr_layout_extend(prefix, values, ret_layout, &offset);
}

tr_layout tri_owned_layout(const tr_type *type)
{
    tr_layout layout = { .size = type->size, .align = type->align };
    const tr_status status = block_layout(type, 1, false, &layout);
    (void)status; /* a type too large for any block: its own layout says it */
    return layout;
}

tri_owned *tri_owned_create(const tr_type *type, tri_kind kind, size_t length, unsigned flags)
{
    const bool array = (flags & TRI_OWNED_ARRAY) != 0;
    tr_layout layout;
    if (block_layout(type, length, array, &layout) != TR_OK)
        return NULL;
    char *block = (flags & TRI_OWNED_ZEROED) != 0 ? tr_alloc_zeroed(layout) : tr_alloc(layout);
    if (block == NULL)
        return NULL;

    tri_owned *owned = tri_owned_of(block + value_offset(type, array));
    owned->tag = (uintptr_t)type | (array ? TRI_ARRAY : 0) | (uintptr_t)kind;
    tr_atomic_init(&owned->strong, 1);
    tr_atomic_init(&owned->weak, 1);
    if (array)
        ((tri_owned_array *)((char *)owned - offsetof(tri_owned_array, owned)))->length = length;
    return owned;
}

tri_owned *tri_owned_create_like(const tri_owned *model, tri_kind kind)
{
    return tri_owned_create(tri_owned_type(model), kind, tri_owned_length(model),
                            tri_owned_is_array(model) ? TRI_OWNED_ARRAY : 0);
}

void tri_owned_free(tri_owned *owned)
{
    const tr_type *type = tri_owned_type(owned);
    const bool array = tri_owned_is_array(owned);
    const size_t offset = value_offset(type, array);
    /* As block_layout found it; it was checked then. */
    const tr_layout layout = {
        .size = offset + type->size * tri_owned_length(owned),
        .align = max(_Alignof(tri_owned_array), type->align),
    };
#ifdef TR_CHECKED
    tri_owned_set_kind(owned, TRI_KIND_NONE); /* for who drops it again */
#endif
    tr_dealloc((char *)tri_owned_value(owned) - offset, layout);
}

/* -- values --------------------------------------------------------------- */

/* Values [next, end) are still to be dropped. */
struct drops {
    void (*drop)(void *value);
    char *values;
    size_t stride;
    size_t next;
    size_t end;
};

/* In the body of a caller and, after a panic, in its cleanup. A value counts as
 * dropped before its drop is called. */
static void drop_rest(struct drops *drops)
{
    while (drops->next < drops->end)
        drops->drop(drops->values + drops->stride * drops->next++);
}

void tri_owned_drop_values(tri_owned *owned)
{
    const tr_type *type = tri_owned_type(owned);
    if (type->drop == NULL)
        return;
    __attribute__((cleanup(drop_rest))) struct drops drops = {
        .drop = type->drop,
        .values = tri_owned_value(owned),
        .stride = type->size,
        .end = tri_owned_length(owned),
    };
    drop_rest(&drops);
}

void tri_owned_move_values(tri_owned *to, const tri_owned *from)
{
    const size_t size = tri_owned_type(from)->size * tri_owned_length(from);
    memcpy(tri_owned_value(to), tri_owned_value(from), size);
}

static void drop_copies(struct drops *drops)
{
    if (drops->drop != NULL)
        drop_rest(drops);
}

tr_status tri_owned_clone_values(tri_owned *to, const tri_owned *from)
{
    const tr_type *type = tri_owned_type(from);
    if (type->clone == NULL) {
        tri_owned_move_values(to, from);
        return TR_OK;
    }
    const size_t length = tri_owned_length(from);
    const char *originals = tri_owned_value(from);
    __attribute__((cleanup(drop_copies))) struct drops copies = {
        .drop = type->drop,
        .values = tri_owned_value(to),
        .stride = type->size,
    };
    for (size_t i = 0; i < length; i++) {
        const tr_status status =
            type->clone(copies.values + type->size * i, originals + type->size * i);
        if (status != TR_OK)
            return status;
        copies.end = i + 1;
    }
    copies.next = copies.end; /* they are all wanted */
    return TR_OK;
}

/* -- what holds for every owner ------------------------------------------- */

static void free_box(tri_owned **owned)
{
    tri_owned_free(*owned);
}

static void drop_box(tri_owned *owned)
{
    __attribute__((cleanup(free_box), unused)) tri_owned *freed = owned;
    tri_owned_drop_values(owned);
}

void tr_drop_owned(void *value)
{
    if (value == NULL)
        return;
    tri_owned *owned = tri_owned_of(value);
    switch (tri_owned_kind(owned)) {
    case TRI_KIND_BOX:
        drop_box(owned);
        return;
    case TRI_KIND_ARC:
        tri_arc_drop(owned);
        return;
    case TRI_KIND_RC:
        tri_rc_drop(owned);
        return;
    case TRI_KIND_NONE:
    default:
        tr_panic("%p is dropped, but is no owned value (or was dropped before)", value);
    }
}

const tr_type *tr_owned_type(const void *value)
{
    return tri_owned_type(tri_owned_of(value));
}

size_t tr_array_len(const void *value)
{
    return tri_owned_length(tri_owned_of(value));
}
