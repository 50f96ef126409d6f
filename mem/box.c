/*
 * box - making Boxes; owned.c drops them
 *
 * Edges: without an initialiser the value is what the memory held; a type of
 * size 0 still has its header, so every Box is a real block.
 */
#include <troupe/mem/box.h>

#include <string.h>

#include "mem/owned.h"

void *tr_try_box_of(const tr_type *type, const void *init)
{
    tri_owned *owned = tri_owned_create(type, TRI_KIND_BOX, 1, 0);
    if (owned == NULL)
        return NULL;
    if (init != NULL)
        memcpy(tri_owned_value(owned), init, type->size);
    return tri_owned_value(owned);
}

void *tr_box_of(const tr_type *type, const void *init)
{
    void *box = tr_try_box_of(type, init);
    if (TR_UNLIKELY(box == NULL))
        tr_out_of_memory(tri_owned_layout(type));
    return box;
}

void *tr_box_array_of(const tr_type *type, size_t n, bool zeroed)
{
    const unsigned flags = TRI_OWNED_ARRAY | (zeroed ? TRI_OWNED_ZEROED : 0);
    tri_owned *owned = tri_owned_create(type, TRI_KIND_BOX, n, flags);
    return owned != NULL ? tri_owned_value(owned) : NULL;
}
