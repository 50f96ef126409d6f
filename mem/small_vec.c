/*
 * small_vec - lends its elements to the core of vec
 *
 *     small   | len | block_cap_ | inside, or the block's address |
 *                 lend |                       ^ give_back: len
 *     vec     | data | len | cap |   a view of either place
 *
 * Invariants
 *  1. block_cap_ is 0 while the elements lie inside: at most `inside` of them.
 *  2. What is lent has room for what is done with it, so the core of vec never
 *     moves it to another block: growth is done here, before.
 *  3. While lent, len is 0: a function of the user's finds an empty one. The
 *     cleanup gives back what vec.c's rules leave, after a panic too.
 */
#include <troupe/mem/small_vec.h>

#include "mem/vec_parts.h"

static void *inside_of(const tr_small_vec *v, const tr_small_shape *shape)
{
    return (void *)((uintptr_t)v + shape->offset);
}

static void *block_of(const tr_small_vec *v, const tr_small_shape *shape)
{
    void *block;
    memcpy(&block, inside_of(v, shape), sizeof block);
    return block;
}

static void set_block(tr_small_vec *v, const tr_small_shape *shape, const tr_vec *block)
{
    v->block_cap_ = block->cap;
    memcpy(inside_of(v, shape), &block->data, sizeof block->data);
}

void *tr_small_vec_data(const tr_small_vec *v, const tr_small_shape *shape)
{
    return v->block_cap_ != 0 ? block_of(v, shape) : inside_of(v, shape);
}

/* -- lending ---------------------------------------------------------------- */

static tr_vec view_of(const tr_small_vec *v, const tr_small_shape *shape)
{
    return (tr_vec){
        .data = tr_small_vec_data(v, shape),
        .len = v->len,
        .cap = v->block_cap_ != 0 ? v->block_cap_ : shape->inside,
    };
}

struct lent {
    tr_vec vec;
    tr_small_vec *owner;
};

static void give_back(struct lent *lent)
{
    lent->owner->len = lent->vec.len;
}

static struct lent lend(tr_small_vec *v, const tr_small_shape *shape)
{
    const struct lent lent = { .vec = view_of(v, shape), .owner = v };
    v->len = 0;
    return lent;
}

#define LENT(name, v, shape) __attribute__((cleanup(give_back))) struct lent name = lend((v), (shape))

/* -- room ------------------------------------------------------------------- */

/* From inside into a block for `cap` elements. */
static tr_status spill(tr_small_vec *v, const tr_small_shape *shape, size_t cap)
{
    tr_vec block = { NULL, 0, 0 };
    const tr_status status = tr_vec_try_reserve_exact(&block, shape->type, cap);
    if (status != TR_OK)
        return status;
    tri_move_bytes(block.data, inside_of(v, shape), shape->type->size * v->len);
    set_block(v, shape, &block);
    return TR_OK;
}

tr_status tr_small_vec_try_reserve(tr_small_vec *v, const tr_small_shape *shape, size_t additional)
{
    tr_vec vec = view_of(v, shape);
    size_t cap;
    if (vec.cap - vec.len >= additional)
        return TR_OK;
    if (v->block_cap_ != 0) {
        const tr_status status = tr_vec_try_reserve(&vec, shape->type, additional);
        if (status == TR_OK)
            set_block(v, shape, &vec);
        return status;
    }
    if (__builtin_add_overflow(v->len, additional, &cap))
        return TR_INVALID;
    return spill(v, shape, cap < 2 * shape->inside ? 2 * shape->inside : cap);
}

void tr_small_vec_shrink_to_fit(tr_small_vec *v, const tr_small_shape *shape)
{
    if (v->block_cap_ == 0)
        return;
    tr_vec vec = view_of(v, shape);
    if (vec.len > shape->inside) {
        tr_vec_shrink_to(&vec, shape->type, 0);
        set_block(v, shape, &vec);
        return;
    }
    tri_move_bytes(inside_of(v, shape), vec.data, shape->type->size * vec.len);
    v->block_cap_ = 0;
    vec.len = 0; /* the elements live on; only the block goes */
    tr_vec_drop(&vec, shape->type);
}

/* -- one element, and many ---------------------------------------------------- */

tr_status tr_small_vec_try_insert(tr_small_vec *v, const tr_small_shape *shape, size_t at,
                                  const void *value)
{
    const tr_status status = tr_small_vec_try_reserve(v, shape, 1);
    if (status != TR_OK)
        return status;
    LENT(lent, v, shape);
    return tr_vec_try_insert(&lent.vec, shape->type, at, value);
}

void tr_small_vec_remove(tr_small_vec *v, const tr_small_shape *shape, size_t at, void *ret_value)
{
    LENT(lent, v, shape);
    tr_vec_remove(&lent.vec, shape->type, at, ret_value);
}

void tr_small_vec_swap_remove(tr_small_vec *v, const tr_small_shape *shape, size_t at,
                              void *ret_value)
{
    LENT(lent, v, shape);
    tr_vec_swap_remove(&lent.vec, shape->type, at, ret_value);
}

void tr_small_vec_truncate(tr_small_vec *v, const tr_small_shape *shape, size_t len)
{
    LENT(lent, v, shape);
    tr_vec_truncate(&lent.vec, shape->type, len);
}

tr_status tr_small_vec_try_extend(tr_small_vec *v, const tr_small_shape *shape, const void *from,
                                  size_t n)
{
    const uintptr_t offset = (uintptr_t)from - (uintptr_t)tr_small_vec_data(v, shape);
    const bool own = offset < v->len * shape->type->size;
    const tr_status status = tr_small_vec_try_reserve(v, shape, n);
    if (status != TR_OK)
        return status;
    LENT(lent, v, shape);
    if (own)
        from = (const char *)lent.vec.data + offset;
    return tr_vec_try_extend(&lent.vec, shape->type, from, n);
}

void tr_small_vec_retain(tr_small_vec *v, const tr_small_shape *shape, tr_vec_keep keep, void *arg)
{
    LENT(lent, v, shape);
    tr_vec_retain(&lent.vec, shape->type, keep, arg);
}

/* -- the whole ---------------------------------------------------------------- */

struct leaving {
    tr_vec block;
    const tr_type *type;
};

static void free_block(struct leaving *leaving)
{
    leaving->block.len = 0;
    tr_vec_drop(&leaving->block, leaving->type);
}

void tr_small_vec_drop(tr_small_vec *v, const tr_small_shape *shape)
{
    const tr_vec vec = view_of(v, shape);
    __attribute__((cleanup(free_block))) struct leaving leaving = { .type = shape->type };
    if (v->block_cap_ != 0)
        leaving.block = vec;
    *v = (tr_small_vec){ 0, 0 };
    tri_drop_values(shape->type, vec.data, vec.len);
}

tr_status tr_small_vec_try_clone(tr_small_vec *copy, const tr_small_shape *shape,
                                 const tr_small_vec *from)
{
    const tr_vec originals = view_of(from, shape);
    if (originals.len > shape->inside) {
        tr_vec block = { NULL, 0, 0 };
        const tr_status status = tr_vec_try_clone(&block, shape->type, &originals);
        if (status == TR_OK)
            tr_small_vec_from_vec(copy, shape, &block);
        return status;
    }
    const tr_status status = tri_clone_values(shape->type, inside_of(copy, shape), originals.data,
                                              shape->type->size, originals.len);
    if (status == TR_OK)
        *copy = (tr_small_vec){ .len = originals.len, .block_cap_ = 0 };
    return status;
}

bool tr_small_vec_eq(const tr_small_vec *a, const tr_small_shape *shape, const tr_small_vec *b)
{
    const tr_vec left = view_of(a, shape), right = view_of(b, shape);
    return tr_vec_eq(&left, shape->type, &right);
}

uint64_t tr_small_vec_hash(const tr_small_vec *v, const tr_small_shape *shape)
{
    const tr_vec vec = view_of(v, shape);
    return tr_vec_hash(&vec, shape->type);
}

tr_status tr_small_vec_try_into_vec(tr_small_vec *v, const tr_small_shape *shape, tr_vec *ret_vec)
{
    if (v->block_cap_ == 0 && v->len != 0) {
        const tr_status status = spill(v, shape, v->len);
        if (status != TR_OK)
            return status;
    }
    *ret_vec = v->block_cap_ != 0 ? view_of(v, shape) : (tr_vec){ NULL, 0, 0 };
    *v = (tr_small_vec){ 0, 0 };
    return TR_OK;
}

void tr_small_vec_from_vec(tr_small_vec *v, const tr_small_shape *shape, tr_vec *from)
{
    const tr_vec block = TR_TAKE(*from);
    *v = (tr_small_vec){ .len = block.len, .block_cap_ = 0 };
    if (block.cap != 0)
        set_block(v, shape, &block);
}
