/*
 * ring - the untyped core: runs of places and moving slices
 *
 *     front_ and back_ run on and wrap with size_t; place = counter & mask_
 *
 * Invariants
 *  1. back_ - front_ <= cap_ <= mask_ + 1, and mask_ + 1 is a power of two: so
 *     the differences hold also when the counters wrap.
 *  2. While a drop runs, front_ is behind what is being dropped.
 *
 * Edges: cap_ 0 is the zeroed ring only; it is full and empty at once.
 */
#include <troupe/mem/ring.h>

#include "mem/vec_parts.h"

static tr_layout layout_of(const tr_ring *r, const tr_type *type)
{
    return (tr_layout){ .size = type->size * (r->mask_ + 1), .align = type->align };
}

static size_t len_of(const tr_ring *r)
{
    return r->back_ - r->front_;
}

/* -- made and gone ---------------------------------------------------------- */

tr_status tr_ring_try_with_capacity(const tr_type *type, size_t cap, tr_ring *ret_ring)
{
    const tr_layout element = { .size = type->size, .align = type->align };
    tr_layout layout;
    if (cap == 0 || cap > SIZE_MAX / 2 + 1)
        return TR_INVALID;
    size_t places = 1;
    while (places < cap)
        places *= 2;
    if (tr_layout_array(element, places, &layout) != TR_OK)
        return TR_INVALID;
    void *data = tr_alloc(layout);
    if (data == NULL)
        return TR_NOMEM;
    *ret_ring = (tr_ring){ .data_ = data, .mask_ = places - 1, .cap_ = cap };
    return TR_OK;
}

tr_ring tr_ring_with_capacity(const tr_type *type, size_t cap)
{
    tr_ring made = { .data_ = NULL };
    if (TR_UNLIKELY(cap == 0))
        tr_panic("a ring of capacity 0");
    tr_vec_must_(tr_ring_try_with_capacity(type, cap, &made), type, cap);
    return made;
}

static void free_ring(tr_ring *r, const tr_type *type)
{
    if (r->cap_ != 0)
        tr_dealloc(r->data_, layout_of(r, type));
    *r = (tr_ring){ .data_ = NULL };
}

struct leaving {
    tr_ring ring;
    const tr_type *type;
};

static void free_leaving(struct leaving *leaving)
{
    free_ring(&leaving->ring, leaving->type);
}

void tr_ring_drop(tr_ring *r, const tr_type *type)
{
    __attribute__((cleanup(free_leaving))) struct leaving leaving = { .ring = *r, .type = type };
    *r = (tr_ring){ .data_ = NULL };
    tr_ring_skip(&leaving.ring, type, len_of(&leaving.ring));
}

/* -- runs ------------------------------------------------------------------- */

/* The n places from counter `start` on. */
static tr_ring_runs runs_of(const tr_ring *r, const tr_type *type, size_t start, size_t n)
{
    const size_t at = start & r->mask_;
    const size_t to_end = r->mask_ + 1 - at;
    const size_t first = n < to_end ? n : to_end;
    return (tr_ring_runs){
        .first = (void *)((uintptr_t)r->data_ + type->size * at),
        .first_len = first,
        .second = r->data_,
        .second_len = n - first,
    };
}

tr_ring_runs tr_ring_values(const tr_ring *r, const tr_type *type)
{
    return runs_of(r, type, r->front_, len_of(r));
}

tr_ring_runs tr_ring_room(const tr_ring *r, const tr_type *type)
{
    return runs_of(r, type, r->back_, r->cap_ - len_of(r));
}

void tr_ring_filled(tr_ring *r, size_t n)
{
    if (TR_UNLIKELY(n > r->cap_ - len_of(r)))
        tr_panic("%zu values were filled into room for %zu", n, r->cap_ - len_of(r));
    r->back_ += n;
}

/* A run that is dropped last, also when the first one's drop panics. */
struct second {
    const tr_type *type;
    tr_ring_runs runs;
};

static void drop_second(struct second *second)
{
    tri_drop_values(second->type, second->runs.second, second->runs.second_len);
}

void tr_ring_skip(tr_ring *r, const tr_type *type, size_t n)
{
    if (TR_UNLIKELY(n > len_of(r)))
        tr_panic("%zu values are to be skipped, there are %zu", n, len_of(r));
    __attribute__((cleanup(drop_second))) struct second rest = {
        .type = type,
        .runs = runs_of(r, type, r->front_, n),
    };
    r->front_ += n; /* invariant 2 */
    tri_drop_values(type, rest.runs.first, rest.runs.first_len);
}

/* -- slices ----------------------------------------------------------------- */

size_t tr_ring_push_slice(tr_ring *r, const tr_type *type, const void *values, size_t n)
{
    const size_t room = r->cap_ - len_of(r);
    n = n < room ? n : room;
    const tr_ring_runs runs = runs_of(r, type, r->back_, n);
    const uintptr_t rest = (uintptr_t)values + type->size * runs.first_len;
    tri_move_bytes(runs.first, values, type->size * runs.first_len);
    tri_move_bytes(runs.second, (const void *)rest, type->size * runs.second_len);
    r->back_ += n;
    return n;
}

size_t tr_ring_pop_slice(tr_ring *r, const tr_type *type, void *ret_values, size_t n)
{
    const size_t len = len_of(r);
    n = n < len ? n : len;
    const tr_ring_runs runs = runs_of(r, type, r->front_, n);
    const uintptr_t rest = (uintptr_t)ret_values + type->size * runs.first_len;
    tri_move_bytes(ret_values, runs.first, type->size * runs.first_len);
    tri_move_bytes((void *)rest, runs.second, type->size * runs.second_len);
    r->front_ += n;
    return n;
}

/* -- the whole --------------------------------------------------------------- */

static void drop_leaving(struct leaving *leaving)
{
    tr_ring_drop(&leaving->ring, leaving->type);
}

static tr_status clone_run(struct leaving *made, const void *values, size_t n)
{
    tr_ring *r = &made->ring;
    void *places = (void *)((uintptr_t)r->data_ + made->type->size * r->back_);
    const tr_status status = tri_clone_values(made->type, places, values, made->type->size, n);
    if (status == TR_OK)
        r->back_ += n;
    return status;
}

tr_status tr_ring_try_clone(tr_ring *copy, const tr_type *type, const tr_ring *from)
{
    __attribute__((cleanup(drop_leaving))) struct leaving made = { .type = type };
    const tr_ring_runs runs = tr_ring_values(from, type);
    tr_status status = TR_OK;
    if (from->cap_ != 0)
        status = tr_ring_try_with_capacity(type, from->cap_, &made.ring);
    if (status == TR_OK)
        status = clone_run(&made, runs.first, runs.first_len);
    if (status == TR_OK)
        status = clone_run(&made, runs.second, runs.second_len);
    if (status == TR_OK)
        *copy = TR_TAKE(made.ring);
    return status;
}

static const void *value_at(const tr_ring *r, const tr_type *type, size_t at)
{
    return (const void *)((uintptr_t)r->data_ + type->size * ((r->front_ + at) & r->mask_));
}

bool tr_ring_eq(const tr_ring *a, const tr_type *type, const tr_ring *b)
{
    if (len_of(a) != len_of(b))
        return false;
    for (size_t i = 0; i < len_of(a); i++)
        if (!tri_values_eq(type, value_at(a, type, i), value_at(b, type, i)))
            return false;
    return true;
}

uint64_t tr_ring_hash(const tr_ring *r, const tr_type *type)
{
    uint64_t hash = TRI_HASH_START;
    for (size_t i = 0; i < len_of(r); i++) {
        const void *value = value_at(r, type, i);
        const uint64_t one = type->hash != NULL ? type->hash(value)
                                                : tri_hash_bytes(TRI_HASH_START, value, type->size);
        hash = tri_hash_bytes(hash, &one, sizeof one);
    }
    return hash;
}
