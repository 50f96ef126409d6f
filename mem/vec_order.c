/*
 * vec_order - sorting and searching
 *
 *     elements   | d | a | c | b |      stay where they are while compared
 *     order      | 1 | 3 | 2 | 0 |      a stable merge sort of their indices
 *                                       then each moves once, along the cycles
 *
 * Invariants
 *  1. The stable sort moves elements only after the last call of compare: one
 *     that panics leaves the vec as it was.
 *  2. The unstable sort (a heap sort) only swaps, so between two calls of compare
 *     every element is there once.
 *  3. A compare that contradicts itself gives some order, never a bad access:
 *     all bounds are on indices, none on what it answers.
 */
#include <troupe/mem/vec.h>

#include <string.h>

#include "mem/vec_parts.h"

#define SHORT_SORT 32 /* indices that lie on the stack, sorted by insertion */

struct sort {
    const tr_vec *vec;
    const tr_type *type;
    tr_vec_compare compare;
    void *arg;
};

static int compare_at(const struct sort *s, size_t a, size_t b)
{
    return s->compare(tri_vec_slot(s->vec, s->type, a), tri_vec_slot(s->vec, s->type, b), s->arg);
}

/* -- stable: the order ------------------------------------------------------ */

static void insertion_sort(const struct sort *s, size_t *order, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const size_t item = order[i];
        size_t at = i;
        for (; at > 0 && compare_at(s, item, order[at - 1]) < 0; at--)
            order[at] = order[at - 1];
        order[at] = item;
    }
}

/* Merge from[0, middle) and from[middle, n) into `to`; equals from the left. */
static void merge(const struct sort *s, const size_t *from, size_t middle, size_t n, size_t *to)
{
    size_t left = 0, right = middle;
    for (size_t i = 0; i < n; i++) {
        const bool take_left =
            right == n || (left < middle && compare_at(s, from[right], from[left]) >= 0);
        to[i] = take_left ? from[left++] : from[right++];
    }
}

/* Runs of SHORT_SORT, then merged from one half of the memory to the other. */
static size_t *merge_sort(const struct sort *s, size_t *order, size_t *other, size_t n)
{
    for (size_t i = 0; i < n; i += SHORT_SORT)
        insertion_sort(s, order + i, n - i < SHORT_SORT ? n - i : SHORT_SORT);
    for (size_t width = SHORT_SORT; width < n; width *= 2) {
        for (size_t i = 0; i < n; i += 2 * width) {
            const size_t both = n - i < 2 * width ? n - i : 2 * width;
            merge(s, order + i, both < width ? both : width, both, other + i);
        }
        size_t *merged = other;
        other = order;
        order = merged;
    }
    return order;
}

/* -- stable: the moves ------------------------------------------------------ */

/* Element order[i] comes to i. Swaps along each cycle: its element rides ahead. */
static void apply(tr_vec *v, const tr_type *type, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        while (order[at] != i) {
            const size_t from = order[at];
            tr_vec_swap(v, type, at, from);
            order[at] = at;
            at = from;
        }
        order[at] = at;
    }
}

struct scratch {
    size_t *indices;
    tr_layout layout;
};

static void free_scratch(struct scratch *scratch)
{
    tr_dealloc(scratch->indices, scratch->layout);
}

static void fill(size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
}

tr_status tr_vec_try_sort(tr_vec *v, const tr_type *type, tr_vec_compare compare, void *arg)
{
    const struct sort sort = { .vec = v, .type = type, .compare = compare, .arg = arg };
    const size_t n = v->len;
    if (n < 2 || type->size == 0)
        return TR_OK;
    if (n <= SHORT_SORT) {
        size_t order[SHORT_SORT];
        fill(order, n);
        insertion_sort(&sort, order, n);
        apply(v, type, order, n);
        return TR_OK;
    }
    __attribute__((cleanup(free_scratch))) struct scratch scratch = { .indices = NULL };
    if (n > SIZE_MAX / 2 ||
        tr_layout_array(tr_layout_of(size_t), 2 * n, &scratch.layout) != TR_OK)
        return TR_NOMEM; /* elements of a byte or so, in half the address space */
    scratch.indices = tr_alloc(scratch.layout);
    if (scratch.indices == NULL)
        return TR_NOMEM;
    fill(scratch.indices, n);
    apply(v, type, merge_sort(&sort, scratch.indices, scratch.indices + n, n), n);
    return TR_OK;
}

/* -- unstable --------------------------------------------------------------- */

/* Let element `at` sink until the heap of the first n is one again. */
static void sink(const struct sort *s, tr_vec *v, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare_at(s, child, child + 1) < 0)
            child++;
        if (compare_at(s, at, child) >= 0)
            return;
        tr_vec_swap(v, s->type, at, child);
        at = child;
    }
}

void tr_vec_sort_unstable(tr_vec *v, const tr_type *type, tr_vec_compare compare, void *arg)
{
    const struct sort sort = { .vec = v, .type = type, .compare = compare, .arg = arg };
    if (type->size == 0)
        return;
    for (size_t i = v->len / 2; i-- > 0;)
        sink(&sort, v, i, v->len);
    for (size_t n = v->len; n > 1; n--) {
        tr_vec_swap(v, type, 0, n - 1);
        sink(&sort, v, 0, n - 1);
    }
}

/* -- searching -------------------------------------------------------------- */

bool tr_vec_binary_search(const tr_vec *v, const tr_type *type, const void *key,
                          tr_vec_compare compare, void *arg, size_t *ret_at)
{
    size_t low = 0, high = v->len;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = compare(tri_vec_slot(v, type, middle), key, arg);
        if (order == 0) {
            *ret_at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_at = low;
    return false;
}
