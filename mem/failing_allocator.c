/*
 * failing_allocator - each request takes a number; some numbers fail
 *
 * Invariant: a request's number is taken by one fetch_add, so each of several
 * threads' requests has its own, and exactly `count_` of them fail.
 *
 * relaxed (all accesses): each is a count and orders nothing; who sets the plan
 * or needs exact sums is alone with it.
 */
#include <troupe/mem/failing_allocator.h>

static bool fails(tr_failing_allocator *failing)
{
    /* relaxed: see above */
    const uint64_t number = tr_fetch_add_relaxed(&failing->requests_, 1) + 1;
    const uint64_t first = tr_load_relaxed(&failing->first_); /* relaxed: see above */
    const uint64_t count = tr_load_relaxed(&failing->count_); /* relaxed: see above */
    if (number < first || number - first >= count)
        return false;
    tr_fetch_add_relaxed(&failing->failed_, 1); /* relaxed: see above */
    return true;
}

static void *failing_alloc(tr_allocator *self, tr_layout layout)
{
    tr_failing_allocator *failing = (tr_failing_allocator *)self;
    return fails(failing) ? NULL : tr_alloc_from(failing->inner_, layout);
}

static void *failing_alloc_zeroed(tr_allocator *self, tr_layout layout)
{
    tr_failing_allocator *failing = (tr_failing_allocator *)self;
    return fails(failing) ? NULL : tr_alloc_zeroed_from(failing->inner_, layout);
}

static void *failing_realloc(tr_allocator *self, void *block, tr_layout old_layout, size_t new_size)
{
    tr_failing_allocator *failing = (tr_failing_allocator *)self;
    return fails(failing) ? NULL : tr_realloc_from(failing->inner_, block, old_layout, new_size);
}

static void failing_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_dealloc_from(((tr_failing_allocator *)self)->inner_, block, layout);
}

void tr_failing_allocator_init(tr_failing_allocator *failing, tr_allocator *inner)
{
    failing->base = (tr_allocator){
        .name = "failing",
        .alloc = failing_alloc,
        .alloc_zeroed = failing_alloc_zeroed,
        .realloc = failing_realloc,
        .dealloc = failing_dealloc,
    };
    failing->inner_ = inner != NULL ? inner : tr_libc_allocator();
    tr_failing_allocator_fail(failing, 1, 0);
}

void tr_failing_allocator_fail(tr_failing_allocator *failing, uint64_t n, uint64_t count)
{
    tr_store_relaxed(&failing->first_, n);     /* relaxed: see above */
    tr_store_relaxed(&failing->count_, count); /* relaxed: see above */
    tr_store_relaxed(&failing->requests_, 0);  /* relaxed: see above */
    tr_store_relaxed(&failing->failed_, 0);    /* relaxed: see above */
}

uint64_t tr_failing_allocator_requests(const tr_failing_allocator *failing)
{
    return tr_load_relaxed(&failing->requests_); /* relaxed: see above */
}

uint64_t tr_failing_allocator_failed(const tr_failing_allocator *failing)
{
    return tr_load_relaxed(&failing->failed_); /* relaxed: see above */
}
