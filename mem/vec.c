/*
 * vec - room for elements, and moving them in and out
 *
 *     | data | len | cap |      [0, len) are values, [len, cap) is memory
 *
 * Invariants
 *  1. len <= cap; data is NULL exactly while cap is 0. For elements of size 0
 *     cap is 0 or SIZE_MAX, data NULL or dangling: so that the typed push tests
 *     len == cap for every type.
 *  2. While a drop, a clone or another function of the user's runs, len is the
 *     number of leading elements that are whole: a panic, or a look at the vec,
 *     finds nothing twice. What was cut off is put back by a cleanup.
 *  3. The block's layout follows from type and cap.
 *
 * Edges: an impossible capacity is TR_INVALID before any memory is asked for.
 */
#include <troupe/mem/vec.h>

#include "mem/owned.h"
#include "mem/vec_parts.h"

/* -- values ---------------------------------------------------------------- */

/* Values [next, end) are still to be dropped. */
struct drops {
    const tr_type *type;
    void *values;
    size_t next;
    size_t end;
};

/* In the body and, after a panic, in the cleanup. A value counts as dropped
 * before its drop is called. */
static void drop_rest(struct drops *drops)
{
    while (drops->next < drops->end) {
        const size_t offset = drops->type->size * drops->next++;
        drops->type->drop((char *)drops->values + offset);
    }
}

void tri_drop_values(const tr_type *type, void *values, size_t n)
{
    if (type->drop == NULL)
        return;
    __attribute__((cleanup(drop_rest))) struct drops drops = {
        .type = type,
        .values = values,
        .end = n,
    };
    drop_rest(&drops);
}

static void drop_copies(struct drops *drops)
{
    tri_drop_values(drops->type, drops->values, drops->end);
}

static void copy_bytes(const tr_type *type, void *copies, const void *values, size_t stride,
                       size_t n)
{
    if (stride == type->size) {
        tri_move_bytes(copies, values, type->size * n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        memcpy((char *)copies + type->size * i, (const char *)values + stride * i, type->size);
}

tr_status tri_clone_values(const tr_type *type, void *copies, const void *values, size_t stride,
                           size_t n)
{
    if (type->clone == NULL) {
        copy_bytes(type, copies, values, stride, n);
        return TR_OK;
    }
    __attribute__((cleanup(drop_copies))) struct drops made = { .type = type, .values = copies };
    for (size_t i = 0; i < n; i++) {
        const tr_status status =
            type->clone((char *)copies + type->size * i, (const char *)values + stride * i);
        if (status != TR_OK)
            return status;
        made.end = i + 1;
    }
    made.end = 0; /* they are all wanted */
    return TR_OK;
}

/* -- what the plain forms do instead of answering -------------------------- */

void tr_vec_index_panic_(const tr_type *type, size_t at, size_t len)
{
    tr_panic("index %zu is out of bounds of %zu elements of %s", at, len, type->name);
}

void tri_check_range(size_t start, size_t end, size_t len)
{
    if (TR_UNLIKELY(start > end))
        tr_panic("range %zu to %zu ends before it starts", start, end);
    if (TR_UNLIKELY(end > len))
        tr_panic("range %zu to %zu is out of bounds of %zu elements", start, end, len);
}

void tr_vec_fail_(tr_status status, const tr_type *type, size_t n)
{
    const tr_layout element = { .size = type->size, .align = type->align };
    tr_layout layout = element;
    if (status == TR_INVALID)
        tr_panic("capacity overflow: elements of %s", type->name);
    if (status != TR_NOMEM)
        tr_panic("a clone of %s failed: %s", type->name, tr_status_name(status));
    if (tr_layout_array(element, n, &layout) != TR_OK)
        layout = element; /* n is about what was asked for, for a message only */
    tr_out_of_memory(layout);
}

/* -- room ------------------------------------------------------------------ */

/* Rust's: a small element is seldom alone, and an allocator rounds up to 8. */
static size_t min_cap(size_t size)
{
    return size == 1 ? 8 : size <= 1024 ? 4 : 1;
}

static tr_layout layout_of(const tr_type *type, size_t n)
{
    return (tr_layout){ .size = type->size * n, .align = type->align };
}

/* Exactly cap elements, cap >= len; 0 frees the block. Size is not 0. */
static tr_status set_cap(tr_vec *v, const tr_type *type, size_t cap)
{
    tr_layout layout;
    if (tr_layout_array(layout_of(type, 1), cap, &layout) != TR_OK)
        return TR_INVALID;
    void *block = v->cap != 0 ? tr_realloc(v->data, layout_of(type, v->cap), layout.size)
                              : tr_alloc(layout);
    if (block == NULL)
        return TR_NOMEM;
    v->data = cap != 0 ? block : NULL;
    v->cap = cap;
    return TR_OK;
}

size_t tr_vec_cap(const tr_vec *v, const tr_type *type)
{
    return type->size == 0 ? SIZE_MAX : v->cap;
}

static tr_status reserve(tr_vec *v, const tr_type *type, size_t additional, bool exact)
{
    size_t cap;
    if (v->cap - v->len >= additional)
        return TR_OK;
    if (__builtin_add_overflow(v->len, additional, &cap))
        return TR_INVALID;
    if (type->size == 0) {
        v->data = tr_layout_dangling(layout_of(type, 1));
        v->cap = SIZE_MAX;
        return TR_OK;
    }
    if (!exact) {
        /* cap is at most PTRDIFF_MAX bytes, so its double fits. */
        cap = cap < v->cap * 2 ? v->cap * 2 : cap;
        cap = cap < min_cap(type->size) ? min_cap(type->size) : cap;
    }
    return set_cap(v, type, cap);
}

tr_status tr_vec_try_reserve(tr_vec *v, const tr_type *type, size_t additional)
{
    return reserve(v, type, additional, false);
}

tr_status tr_vec_try_reserve_exact(tr_vec *v, const tr_type *type, size_t additional)
{
    return reserve(v, type, additional, true);
}

void tr_vec_grow_(tr_vec *v, const tr_type *type)
{
    tr_vec_must_(tr_vec_try_reserve(v, type, 1), type, v->len + 1);
}

void tr_vec_shrink_to(tr_vec *v, const tr_type *type, size_t cap)
{
    if (cap < v->len)
        cap = v->len;
    if (type->size == 0 || cap >= v->cap)
        return;
    const tr_status status = set_cap(v, type, cap);
    (void)status; /* no memory to save memory: stay */
}

/* -- one element ----------------------------------------------------------- */

tr_status tr_vec_try_insert(tr_vec *v, const tr_type *type, size_t at, const void *value)
{
    if (TR_UNLIKELY(at > v->len))
        tr_panic("insertion index %zu is out of bounds of %zu elements of %s", at, v->len,
                 type->name);
    const tr_status status = tr_vec_try_reserve(v, type, 1);
    if (status != TR_OK)
        return status;
    tri_vec_move(v, type, at + 1, at, v->len - at);
    tri_move_bytes(tri_vec_slot(v, type, at), value, type->size);
    v->len++;
    return TR_OK;
}

static void check_index(const tr_vec *v, const tr_type *type, size_t at)
{
    if (TR_UNLIKELY(at >= v->len))
        tr_vec_index_panic_(type, at, v->len);
}

void tr_vec_remove(tr_vec *v, const tr_type *type, size_t at, void *ret_value)
{
    check_index(v, type, at);
    tri_move_bytes(ret_value, tri_vec_slot(v, type, at), type->size);
    v->len--;
    tri_vec_move(v, type, at, at + 1, v->len - at);
}

void tr_vec_swap_remove(tr_vec *v, const tr_type *type, size_t at, void *ret_value)
{
    check_index(v, type, at);
    tri_move_bytes(ret_value, tri_vec_slot(v, type, at), type->size);
    v->len--;
    tri_vec_move(v, type, at, v->len, 1);
}

void tr_vec_truncate(tr_vec *v, const tr_type *type, size_t len)
{
    if (len >= v->len)
        return;
    const size_t n = v->len - len;
    v->len = len; /* invariant 2 */
    tri_drop_values(type, tri_vec_slot(v, type, len), n);
}

void tr_vec_swap(tr_vec *v, const tr_type *type, size_t a, size_t b)
{
    check_index(v, type, a);
    check_index(v, type, b);
    tri_vec_swap(v, type, a, b);
}

void tr_vec_reverse(tr_vec *v, const tr_type *type)
{
    for (size_t i = 0; i < v->len / 2; i++)
        tr_vec_swap(v, type, i, v->len - 1 - i);
}

/* -- the whole ------------------------------------------------------------- */

static void free_block(tr_vec *v, const tr_type *type)
{
    if (type->size != 0 && v->cap != 0)
        tr_dealloc(v->data, layout_of(type, v->cap));
    *v = (tr_vec){ NULL, 0, 0 };
}

/* A vec taken from its owner, to be freed when its elements are dropped. */
struct leaving {
    tr_vec vec;
    const tr_type *type;
};

static void free_leaving(struct leaving *leaving)
{
    free_block(&leaving->vec, leaving->type);
}

void tr_vec_drop(tr_vec *v, const tr_type *type)
{
    __attribute__((cleanup(free_leaving))) struct leaving leaving = { .vec = *v, .type = type };
    *v = (tr_vec){ NULL, 0, 0 };
    tri_drop_values(type, leaving.vec.data, leaving.vec.len);
}

tr_status tr_vec_try_clone(tr_vec *copy, const tr_type *type, const tr_vec *from)
{
    __attribute__((cleanup(free_leaving))) struct leaving made = { .type = type };
    tr_status status = tr_vec_try_reserve_exact(&made.vec, type, from->len);
    if (status == TR_OK)
        status = tri_clone_values(type, made.vec.data, from->data, type->size, from->len);
    if (status != TR_OK)
        return status;
    *copy = TR_TAKE(made.vec);
    copy->len = from->len;
    return TR_OK;
}

bool tr_vec_eq(const tr_vec *a, const tr_type *type, const tr_vec *b)
{
    if (a->len != b->len)
        return false;
    for (size_t i = 0; i < a->len; i++)
        if (!tri_values_eq(type, tri_vec_slot(a, type, i), tri_vec_slot(b, type, i)))
            return false;
    return true;
}

void *tr_vec_find(const tr_vec *v, const tr_type *type, const void *value)
{
    for (size_t i = 0; i < v->len; i++)
        if (tri_values_eq(type, tri_vec_slot(v, type, i), value))
            return tri_vec_slot(v, type, i);
    return NULL;
}

uint64_t tr_vec_hash(const tr_vec *v, const tr_type *type)
{
    uint64_t hash = tri_hash_bytes(TRI_HASH_START, &v->len, sizeof v->len);
    if (type->hash == NULL)
        return tri_hash_bytes(hash, v->data, type->size * v->len);
    for (size_t i = 0; i < v->len; i++) {
        const uint64_t one = type->hash(tri_vec_slot(v, type, i));
        hash = tri_hash_bytes(hash, &one, sizeof one);
    }
    return hash;
}

tr_status tr_vec_try_into_box(tr_vec *v, const tr_type *type, void **ret_box)
{
    void *box = tr_box_array_of(type, v->len, false);
    if (box == NULL)
        return TR_NOMEM; /* its header may also be what no memory could hold */
    tri_move_bytes(box, v->data, type->size * v->len);
    free_block(v, type);
    *ret_box = box;
    return TR_OK;
}

tr_status tr_vec_try_from_box(void *box, const tr_type *type, tr_vec *ret_vec)
{
    tr_vec made = { NULL, 0, 0 };
    if (box == NULL) {
        *ret_vec = made;
        return TR_OK;
    }
    tri_owned *owned = tri_owned_of(box);
    if (TR_UNLIKELY(tri_owned_kind(owned) != TRI_KIND_BOX || tri_owned_type(owned) != type))
        tr_panic("%p is no Box of %s", box, type->name);
    const size_t len = tri_owned_length(owned);
    const tr_status status = tr_vec_try_reserve_exact(&made, type, len);
    if (status != TR_OK)
        return status;
    tri_move_bytes(made.data, box, type->size * len);
    made.len = len;
    tri_owned_free(owned);
    *ret_vec = made;
    return TR_OK;
}
