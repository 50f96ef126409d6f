/*
 * bytes - shares of a block, cut into parts that do not overlap
 *
 *     keeper (Arc) --> | ......... block ......... |
 *                      ^ start   ^ data   ^ + cap  ^ start + size
 *
 * Invariants
 *  1. Every part with bytes of a block holds one share of its keeper.
 *  2. The parts that a tr_bytes_mut may write, [data, data + cap), overlap no
 *     other part. So who finds himself the only owner has the whole block.
 *  3. A tr_bytes_mut's keeper is an array of uint8_t (the block is its elements)
 *     or a tr_u8_vec (its block); a tr_bytes' may be any Arc.
 *
 * The order between threads is the Arc's: a share given up is a release, "am I
 * the only one" an acquire.
 *
 * Edges: a part without bytes needs no share, unless it has room.
 */
#include <troupe/mem/bytes.h>

#include <string.h>

#include "mem/vec_parts.h"

#define MIN_BLOCK 64 /* bytes; a smaller one would soon be too small */

/* -- blocks ---------------------------------------------------------------- */

typedef struct block {
    uint8_t *start;
    size_t size;
} block;

/* The block of a keeper that this file may write to; size 0: a stranger's. */
static block block_of(void *keeper)
{
    const tr_type *type = tr_owned_type(keeper);
    if (type == tr_type_of(uint8_t))
        return (block){ keeper, tr_array_len(keeper) };
    if (type == tr_type_of(tr_u8_vec)) {
        const tr_u8_vec *v = keeper;
        return (block){ v->data, v->cap };
    }
    return (block){ NULL, 0 };
}

static tr_status make_block(size_t size, tr_bytes_mut *ret_mut)
{
    if (size > (size_t)PTRDIFF_MAX - 64) /* with the header */
        return TR_INVALID;
    void *box = tr_box_array_of(tr_type_of(uint8_t), size, false);
    if (box == NULL)
        return TR_NOMEM;
    *ret_mut = (tr_bytes_mut){ .data = box, .cap = size, .keeper_ = tr_arc_share_box(box) };
    return TR_OK;
}

static void must(tr_status status, size_t n)
{
    if (TR_UNLIKELY(status != TR_OK))
        tr_vec_fail_(status, tr_type_of(uint8_t), n);
}

static void *share(void *keeper)
{
    return keeper != NULL ? tr_arc_clone_owned(keeper) : NULL;
}

void tr_bytes_short_(size_t len, size_t n)
{
    tr_panic("%zu bytes are to be taken, there are %zu", n, len);
}

/* -- tr_bytes: made --------------------------------------------------------- */

tr_status tr_bytes_try_copy(const void *data, size_t n, tr_bytes *ret_bytes)
{
    tr_bytes_mut made = tr_bytes_mut_new();
    if (n != 0) {
        const tr_status status = make_block(n, &made);
        if (status != TR_OK)
            return status;
        memcpy(made.data, data, n);
        made.len = n;
    }
    *ret_bytes = tr_bytes_mut_freeze(&made);
    return TR_OK;
}

tr_bytes tr_bytes_copy(const void *data, size_t n)
{
    tr_bytes made = tr_bytes_new();
    must(tr_bytes_try_copy(data, n, &made), n);
    return made;
}

tr_status tr_bytes_try_from_vec(tr_u8_vec *v, tr_bytes *ret_bytes)
{
    if (v->cap == 0) {
        *ret_bytes = tr_bytes_new();
        return TR_OK;
    }
    tr_u8_vec *keeper = tr_try_arc_of(tr_type_of(tr_u8_vec), v);
    if (keeper == NULL)
        return TR_NOMEM;
    *ret_bytes = (tr_bytes){ v->data, v->len, keeper };
    *v = tr_u8_vec_new();
    return TR_OK;
}

tr_bytes tr_bytes_from_vec(tr_u8_vec *v)
{
    tr_bytes made = tr_bytes_new();
    must(tr_bytes_try_from_vec(v, &made), sizeof(tr_u8_vec));
    return made;
}

tr_bytes tr_bytes_from_owner(void *arc, const void *data, size_t n)
{
    return (tr_bytes){ data, n, arc };
}

/* -- tr_bytes: cut ---------------------------------------------------------- */

tr_bytes tr_bytes_clone(const tr_bytes *b)
{
    return (tr_bytes){ b->data, b->len, share(b->keeper_) };
}

tr_status tr_bytes_try_clone(tr_bytes *copy, const tr_bytes *from)
{
    *copy = tr_bytes_clone(from);
    return TR_OK;
}

tr_bytes tr_bytes_slice(const tr_bytes *b, size_t start, size_t end)
{
    tri_check_range(start, end, b->len);
    if (start == end)
        return tr_bytes_new();
    return (tr_bytes){ b->data + start, end - start, share(b->keeper_) };
}

tr_bytes tr_bytes_split_to(tr_bytes *b, size_t at)
{
    if (at == b->len)
        return TR_TAKE(*b);
    const tr_bytes front = tr_bytes_slice(b, 0, at);
    b->data += at;
    b->len -= at;
    return front;
}

tr_bytes tr_bytes_split_off(tr_bytes *b, size_t at)
{
    if (at == 0)
        return TR_TAKE(*b);
    const tr_bytes rest = tr_bytes_slice(b, at, b->len);
    b->len = at;
    return rest;
}

void tr_bytes_advance(tr_bytes *b, size_t n)
{
    tri_check_range(n, b->len, b->len);
    if (n != 0)
        b->data += n;
    b->len -= n;
}

void tr_bytes_truncate(tr_bytes *b, size_t len)
{
    b->len = len < b->len ? len : b->len;
}

/* -- tr_bytes: the whole ---------------------------------------------------- */

bool tr_bytes_is_unique(const tr_bytes *b)
{
    return b->keeper_ != NULL && tr_arc_get_mut_owned(b->keeper_) != NULL;
}

bool tr_bytes_try_into_mut(tr_bytes *b, tr_bytes_mut *ret_mut)
{
    if (!tr_bytes_is_unique(b))
        return false;
    const block whole = block_of(b->keeper_);
    const size_t offset = (size_t)((uintptr_t)b->data - (uintptr_t)whole.start);
    if (whole.size == 0 || offset > whole.size)
        return false;
    *ret_mut = (tr_bytes_mut){
        .data = whole.start + offset,
        .len = b->len,
        .cap = whole.size - offset,
        .keeper_ = b->keeper_,
    };
    *b = tr_bytes_new();
    return true;
}

void tr_bytes_drop(tr_bytes *b)
{
    const tr_bytes old = TR_TAKE(*b);
    tr_drop_owned(old.keeper_);
}

static bool equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

bool tr_bytes_eq(const tr_bytes *a, const tr_bytes *b)
{
    return equal(a->data, a->len, b->data, b->len);
}

uint64_t tr_bytes_hash(const tr_bytes *b)
{
    return tri_hash_bytes(TRI_HASH_START, b->data, b->len);
}

tr_status tr_bytes_try_get(tr_bytes *b, void *ret_data, size_t n)
{
    if (TR_UNLIKELY(b->len < n))
        return TR_EMPTY;
    tri_move_bytes(ret_data, b->data, n);
    tr_bytes_advance(b, n);
    return TR_OK;
}

/* -- tr_bytes_mut: room ------------------------------------------------------ */

tr_status tr_bytes_mut_try_with_capacity(size_t n, tr_bytes_mut *ret_mut)
{
    if (n == 0) {
        *ret_mut = tr_bytes_mut_new();
        return TR_OK;
    }
    return make_block(n, ret_mut);
}

tr_bytes_mut tr_bytes_mut_with_capacity(size_t n)
{
    tr_bytes_mut made = tr_bytes_mut_new();
    must(tr_bytes_mut_try_with_capacity(n, &made), n);
    return made;
}

bool tr_bytes_mut_try_reclaim(tr_bytes_mut *b, size_t additional)
{
    size_t need;
    if (b->cap - b->len >= additional)
        return true;
    if (b->keeper_ == NULL || __builtin_add_overflow(b->len, additional, &need) ||
        tr_arc_get_mut_owned(b->keeper_) == NULL)
        return false;
    const block whole = block_of(b->keeper_); /* all ours: invariant 2 */
    const size_t offset = (size_t)(b->data - whole.start);
    if (whole.size - offset < need) {
        /* What moves must not be more than what was consumed, or a slow
         * consumer would make each byte move many times. */
        if (whole.size < need || offset < b->len)
            return false;
        memcpy(whole.start, b->data, b->len);
        b->data = whole.start;
    }
    b->cap = whole.size - (size_t)(b->data - whole.start);
    return true;
}

tr_status tr_bytes_mut_try_reserve(tr_bytes_mut *b, size_t additional)
{
    size_t need;
    if (tr_bytes_mut_try_reclaim(b, additional))
        return TR_OK;
    if (__builtin_add_overflow(b->len, additional, &need))
        return TR_INVALID;
    size_t size = b->cap > need / 2 ? b->cap * 2 : need;
    size = size < MIN_BLOCK ? MIN_BLOCK : size;
    tr_bytes_mut fresh = tr_bytes_mut_new();
    const tr_status status = make_block(size, &fresh);
    if (status != TR_OK)
        return status;
    tri_move_bytes(fresh.data, b->data, b->len);
    fresh.len = b->len;
    tr_bytes_mut old = *b;
    *b = fresh;
    tr_bytes_mut_drop(&old);
    return TR_OK;
}

void tr_bytes_mut_reserve(tr_bytes_mut *b, size_t additional)
{
    must(tr_bytes_mut_try_reserve(b, additional), b->len + additional);
}

/* -- tr_bytes_mut: in and out ------------------------------------------------ */

tr_status tr_bytes_mut_try_put(tr_bytes_mut *b, const void *data, size_t n)
{
    const tr_status status = tr_bytes_mut_try_reserve(b, n);
    if (status != TR_OK || n == 0)
        return status;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    return TR_OK;
}

void tr_bytes_mut_put(tr_bytes_mut *b, const void *data, size_t n)
{
    must(tr_bytes_mut_try_put(b, data, n), b->len + n);
}

void tr_bytes_mut_put_many(tr_bytes_mut *b, uint8_t byte, size_t n)
{
    tr_bytes_mut_reserve(b, n);
    if (n != 0)
        memset(b->data + b->len, byte, n);
    b->len += n;
}

void tr_bytes_mut_filled(tr_bytes_mut *b, size_t n)
{
    if (TR_UNLIKELY(n > b->cap - b->len))
        tr_panic("%zu bytes were filled into room for %zu", n, b->cap - b->len);
    b->len += n;
}

tr_status tr_bytes_mut_try_get(tr_bytes_mut *b, void *ret_data, size_t n)
{
    if (TR_UNLIKELY(b->len < n))
        return TR_EMPTY;
    tri_move_bytes(ret_data, b->data, n);
    tr_bytes_mut_advance(b, n);
    return TR_OK;
}

void tr_bytes_mut_advance(tr_bytes_mut *b, size_t n)
{
    tri_check_range(n, b->len, b->len);
    if (n != 0)
        b->data += n;
    b->len -= n;
    b->cap -= n;
}

void tr_bytes_mut_truncate(tr_bytes_mut *b, size_t len)
{
    b->len = len < b->len ? len : b->len;
}

/* -- tr_bytes_mut: cut ------------------------------------------------------- */

tr_bytes_mut tr_bytes_mut_split_to(tr_bytes_mut *b, size_t at)
{
    tri_check_range(at, b->len, b->len);
    if (at == 0)
        return tr_bytes_mut_new();
    const tr_bytes_mut front = { b->data, at, at, share(b->keeper_) };
    tr_bytes_mut_advance(b, at);
    return front;
}

tr_bytes_mut tr_bytes_mut_split(tr_bytes_mut *b)
{
    return tr_bytes_mut_split_to(b, b->len);
}

tr_bytes_mut tr_bytes_mut_split_off(tr_bytes_mut *b, size_t at)
{
    tri_check_range(at, b->cap, b->cap);
    if (at == b->cap)
        return tr_bytes_mut_new();
    const size_t filled = b->len > at ? b->len - at : 0;
    const tr_bytes_mut rest = { b->data + at, filled, b->cap - at, share(b->keeper_) };
    b->len -= filled;
    b->cap = at;
    return rest;
}

void tr_bytes_mut_unsplit(tr_bytes_mut *b, tr_bytes_mut *next)
{
    TR_ASSERT(b != next);
    const bool adjoins = b->keeper_ != NULL && b->keeper_ == next->keeper_ &&
                         b->len == b->cap && b->data + b->cap == next->data;
    if (b->len == 0 && next->len != 0) {
        tr_bytes_mut_drop(b);
        *b = TR_TAKE(*next);
        return;
    }
    if (adjoins) {
        b->len += next->len;
        b->cap += next->cap;
    } else {
        tr_bytes_mut_put(b, next->data, next->len);
    }
    tr_bytes_mut_drop(next);
}

tr_bytes tr_bytes_mut_freeze(tr_bytes_mut *b)
{
    tr_bytes_mut old = TR_TAKE(*b);
    if (old.len == 0) {
        tr_bytes_mut_drop(&old);
        return tr_bytes_new();
    }
    return (tr_bytes){ old.data, old.len, old.keeper_ };
}

/* -- tr_bytes_mut: the whole ------------------------------------------------- */

void tr_bytes_mut_drop(tr_bytes_mut *b)
{
    const tr_bytes_mut old = TR_TAKE(*b);
    tr_drop_owned(old.keeper_);
}

tr_status tr_bytes_mut_try_clone(tr_bytes_mut *copy, const tr_bytes_mut *from)
{
    tr_bytes_mut made = tr_bytes_mut_new();
    const tr_status status = tr_bytes_mut_try_with_capacity(from->len, &made);
    if (status != TR_OK)
        return status;
    tri_move_bytes(made.data, from->data, from->len);
    made.len = from->len;
    *copy = made;
    return TR_OK;
}

bool tr_bytes_mut_eq(const tr_bytes_mut *a, const tr_bytes_mut *b)
{
    return equal(a->data, a->len, b->data, b->len);
}

uint64_t tr_bytes_mut_hash(const tr_bytes_mut *b)
{
    return tri_hash_bytes(TRI_HASH_START, b->data, b->len);
}
