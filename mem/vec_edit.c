/*
 * vec_edit - many elements at once: in, out, and out by what they are
 *
 *     | kept ... | gap ...... | not looked at ... |
 *     0          write        read                end
 *
 * Invariant
 *  1. Whatever is taken out of the middle, the elements behind it come back by
 *     a cleanup, so also when a function of the user's panics (vec.c, 2).
 *
 * Edges: an element is behind `read` before its drop is called, so that one
 * whose drop panics is not seen again.
 */
#include <troupe/mem/vec.h>

#include "mem/vec_parts.h"

/* -- in --------------------------------------------------------------------- */

tr_status tr_vec_try_extend(tr_vec *v, const tr_type *type, const void *from, size_t n)
{
    const uintptr_t offset = (uintptr_t)from - (uintptr_t)v->data;
    const bool own = v->data != NULL && offset < v->len * type->size;
    tr_status status = tr_vec_try_reserve(v, type, n);
    if (status != TR_OK)
        return status;
    if (own)
        from = (const char *)v->data + offset; /* where the elements are now */
    status = tri_clone_values(type, tri_vec_slot(v, type, v->len), from, type->size, n);
    if (status == TR_OK)
        v->len += n;
    return status;
}

tr_status tr_vec_try_append(tr_vec *v, const tr_type *type, tr_vec *from)
{
    TR_ASSERT(v != from);
    const tr_status status = tr_vec_try_reserve(v, type, from->len);
    if (status != TR_OK)
        return status;
    tri_move_bytes(tri_vec_slot(v, type, v->len), from->data, type->size * from->len);
    v->len += from->len;
    from->len = 0;
    return TR_OK;
}

tr_status tr_vec_try_resize(tr_vec *v, const tr_type *type, size_t len, const void *value)
{
    if (len <= v->len) {
        tr_vec_truncate(v, type, len);
        return TR_OK;
    }
    const size_t n = len - v->len;
    const uintptr_t offset = (uintptr_t)value - (uintptr_t)v->data;
    const bool own = v->data != NULL && offset < v->len * type->size;
    tr_status status = tr_vec_try_reserve(v, type, n);
    if (status != TR_OK)
        return status;
    if (own)
        value = (const char *)v->data + offset;
    status = tri_clone_values(type, tri_vec_slot(v, type, v->len), value, 0, n);
    if (status == TR_OK)
        v->len = len;
    return status;
}

/* -- a range ---------------------------------------------------------------- */

struct splice {
    tr_vec *vec;
    const tr_type *type;
    const void *items;
    size_t n, start, end, len;
};

static void put_in(struct splice *s)
{
    tri_vec_move(s->vec, s->type, s->start + s->n, s->end, s->len - s->end);
    tri_move_bytes(tri_vec_slot(s->vec, s->type, s->start), s->items, s->type->size * s->n);
    s->vec->len = s->len - (s->end - s->start) + s->n;
}

tr_status tr_vec_try_splice(tr_vec *v, const tr_type *type, size_t start, size_t end,
                            const void *items, size_t n)
{
    tri_check_range(start, end, v->len);
    if (n > end - start) {
        const tr_status status = tr_vec_try_reserve(v, type, n - (end - start));
        if (status != TR_OK)
            return status;
    }
    __attribute__((cleanup(put_in), unused)) struct splice splice = {
        .vec = v,
        .type = type,
        .items = items,
        .n = n,
        .start = start,
        .end = end,
        .len = v->len,
    };
    v->len = start;
    tri_drop_values(type, tri_vec_slot(v, type, start), end - start);
    return TR_OK;
}

tr_status tr_vec_try_split_off(tr_vec *v, const tr_type *type, size_t at, tr_vec *ret_tail)
{
    tri_check_range(at, v->len, v->len);
    if (at == 0) {
        *ret_tail = TR_TAKE(*v);
        return TR_OK;
    }
    tr_vec tail = { NULL, 0, 0 };
    const size_t n = v->len - at;
    const tr_status status = tr_vec_try_reserve_exact(&tail, type, n);
    if (status != TR_OK)
        return status;
    tri_move_bytes(tail.data, tri_vec_slot(v, type, at), type->size * n);
    tail.len = n;
    v->len = at;
    *ret_tail = tail;
    return TR_OK;
}

tr_vec_drain tr_vec_drain_range(tr_vec *v, const tr_type *type, size_t start, size_t end)
{
    tri_check_range(start, end, v->len);
    const tr_vec_drain drain = {
        .vec_ = v,
        .type_ = type,
        .start_ = start,
        .next_ = start,
        .end_ = end,
        .tail_ = end,
        .len_ = v->len,
    };
    v->len = start;
    return drain;
}

bool tr_vec_drain_next(tr_vec_drain *drain, void *ret_value)
{
    if (drain->next_ == drain->end_)
        return false;
    const void *slot = tri_vec_slot(drain->vec_, drain->type_, drain->next_++);
    tri_move_bytes(ret_value, slot, drain->type_->size);
    return true;
}

bool tr_vec_drain_next_back(tr_vec_drain *drain, void *ret_value)
{
    if (drain->next_ == drain->end_)
        return false;
    const void *slot = tri_vec_slot(drain->vec_, drain->type_, --drain->end_);
    tri_move_bytes(ret_value, slot, drain->type_->size);
    return true;
}

static void close_drain(tr_vec_drain *drain)
{
    tr_vec *v = drain->vec_;
    TR_DCHECK(v->len == drain->start_);
    tri_vec_move(v, drain->type_, drain->start_, drain->tail_, drain->len_ - drain->tail_);
    v->len = drain->start_ + (drain->len_ - drain->tail_);
}

void tr_vec_drain_drop(tr_vec_drain *drain)
{
    if (drain->vec_ == NULL)
        return;
    __attribute__((cleanup(close_drain))) tr_vec_drain closing = *drain;
    drain->vec_ = NULL; /* a second drop does nothing */
    drain->next_ = drain->end_;
    tri_drop_values(closing.type_, tri_vec_slot(closing.vec_, closing.type_, closing.next_),
                    closing.end_ - closing.next_);
}

/* -- by what they are ------------------------------------------------------- */

struct gap {
    tr_vec *vec;
    const tr_type *type;
    size_t write, read, end;
};

static void close_gap(struct gap *gap)
{
    tri_vec_move(gap->vec, gap->type, gap->write, gap->read, gap->end - gap->read);
    gap->vec->len = gap->write + (gap->end - gap->read);
}

static void keep_next(struct gap *gap)
{
    if (gap->write != gap->read)
        tri_vec_move(gap->vec, gap->type, gap->write, gap->read, 1);
    gap->write++;
    gap->read++;
}

static void drop_next(struct gap *gap)
{
    void *value = tri_vec_slot(gap->vec, gap->type, gap->read++);
    if (gap->type->drop != NULL)
        gap->type->drop(value);
}

void tr_vec_retain(tr_vec *v, const tr_type *type, tr_vec_keep keep, void *arg)
{
    __attribute__((cleanup(close_gap))) struct gap gap = {
        .vec = v,
        .type = type,
        .end = v->len,
    };
    v->len = 0;
    while (gap.read < gap.end) {
        if (keep(tri_vec_slot(v, type, gap.read), arg))
            keep_next(&gap);
        else
            drop_next(&gap);
    }
}

void tr_vec_dedup(tr_vec *v, const tr_type *type, tr_vec_same same, void *arg)
{
    if (v->len < 2)
        return;
    __attribute__((cleanup(close_gap))) struct gap gap = {
        .vec = v,
        .type = type,
        .write = 1,
        .read = 1,
        .end = v->len,
    };
    v->len = 0;
    while (gap.read < gap.end) {
        void *later = tri_vec_slot(v, type, gap.read);
        void *earlier = tri_vec_slot(v, type, gap.write - 1);
        if (same != NULL ? same(later, earlier, arg) : tri_values_eq(type, later, earlier))
            drop_next(&gap);
        else
            keep_next(&gap);
    }
}
