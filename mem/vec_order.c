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
 *  2. The unstable sort (a quick sort that turns to a heap sort when it divides
 *     badly) only swaps, so between two calls of compare every element is there
 *     once, and needs no memory but a stack of log2(n) frames.
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
            tri_vec_swap(v, type, at, from);
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

static void swap(const struct sort *s, size_t a, size_t b)
{
    tri_vec_swap(s->vec, s->type, a, b);
}

/* The n elements from `start` on are a heap, but for the one at start + at. */
static void sink(const struct sort *s, size_t start, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            return;
        if (child + 1 < n && compare_at(s, start + child, start + child + 1) < 0)
            child++;
        if (compare_at(s, start + at, start + child) >= 0)
            return;
        swap(s, start + at, start + child);
        at = child;
    }
}

static void heap_sort(const struct sort *s, size_t start, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sink(s, start, i, n);
    for (; n > 1; n--) {
        swap(s, start, start + n - 1);
        sink(s, start, 0, n - 1);
    }
}

static void swap_sort(const struct sort *s, size_t start, size_t end)
{
    for (size_t i = start + 1; i < end; i++)
        for (size_t at = i; at > start && compare_at(s, at, at - 1) < 0; at--)
            swap(s, at, at - 1);
}

/* Bring the middle one of three to `start`. */
static void choose_pivot(const struct sort *s, size_t start, size_t end)
{
    const size_t middle = start + (end - start) / 2, last = end - 1;
    if (compare_at(s, middle, start) < 0)
        swap(s, middle, start);
    if (compare_at(s, last, start) < 0)
        swap(s, last, start); /* the least is at start */
    swap(s, start, compare_at(s, middle, last) < 0 ? middle : last);
}

/* The pivot, at start, comes to between what is not above and what is not below
 * it. Equals go to both sides, so that many of them do no harm. */
static size_t partition(const struct sort *s, size_t start, size_t end)
{
    size_t low = start + 1, high = end - 1;
    for (;; low++, high--) {
        while (low <= high && compare_at(s, low, start) < 0)
            low++;
        while (high >= low && compare_at(s, high, start) > 0)
            high--;
        if (low >= high)
            break;
        swap(s, low, high);
    }
    swap(s, start, high);
    return high;
}

/* Halves that are none, `depth` times on the way, show a bad case. */
static void quick_sort(const struct sort *s, size_t start, size_t end, unsigned depth)
{
    while (end - start > SHORT_SORT / 2) {
        if (depth-- == 0) {
            heap_sort(s, start, end - start);
            return;
        }
        choose_pivot(s, start, end);
        const size_t pivot = partition(s, start, end);
        if (pivot - start < end - pivot) {
            quick_sort(s, start, pivot, depth);
            start = pivot + 1;
        } else {
            quick_sort(s, pivot + 1, end, depth);
            end = pivot;
        }
    }
    swap_sort(s, start, end);
}

void tr_vec_sort_unstable(tr_vec *v, const tr_type *type, tr_vec_compare compare, void *arg)
{
    const struct sort sort = { .vec = v, .type = type, .compare = compare, .arg = arg };
    unsigned depth = 0;
    for (size_t n = v->len; n > 1; n /= 2)
        depth += 2;
    if (type->size != 0)
        quick_sort(&sort, 0, v->len, depth);
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
