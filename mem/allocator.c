/*
 * allocator - the way to the global allocator, and two that are always there
 *
 *     tr_alloc --> global is NULL ? tri_pool_alloc          a direct call
 *                                 : global->alloc           through the table
 *
 * Invariants
 *  1. tri_global_allocator is NULL exactly while the pools are the global allocator, so
 *     that the usual case costs one load and one branch.
 *  2. An allocator's functions never see size 0, and never an invalid layout
 *     from a caller that kept the contract (TR_DCHECK).
 *
 * Edges: size 0 is the dangling address on the way in and a no-op on the way
 * out; a new size that no layout can have is answered with NULL before the
 * allocator is asked.
 */
#include <troupe/mem/allocator.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <troupe/mem/panic.h>
#include <troupe/mem/pool.h>

#include "mem/pool_blocks.h"

tri_allocator_word tri_global_allocator = TR_ATOMIC_INIT(NULL);
static TR_ATOMIC(tr_oom_handler) oom_handler = TR_ATOMIC_INIT(NULL);

static tr_allocator *load_global(void)
{
    /* edge allocator (acquire): with tr_set_global_allocator; carries the
     * state of the new allocator. */
    return tr_load_acquire(&tri_global_allocator);
}

static tr_layout resized(tr_layout layout, size_t size)
{
    return (tr_layout){ .size = size, .align = layout.align };
}

/* -- what a table without alloc_zeroed or realloc gets -------------------- */

static void *zeroed_by_alloc(tr_allocator *allocator, tr_layout layout)
{
    void *block = allocator->alloc(allocator, layout);
    if (block != NULL)
        memset(block, 0, layout.size);
    return block;
}

static void *realloc_by_copy(tr_allocator *allocator, void *block, tr_layout old_layout,
                             size_t new_size)
{
    void *fresh = allocator->alloc(allocator, resized(old_layout, new_size));
    if (fresh == NULL)
        return NULL;
    memcpy(fresh, block, old_layout.size < new_size ? old_layout.size : new_size);
    allocator->dealloc(allocator, block, old_layout);
    return fresh;
}

/* -- from a given allocator ----------------------------------------------- */

void *tr_alloc_from(tr_allocator *allocator, tr_layout layout)
{
    TR_DCHECK(tr_layout_is_valid(layout));
    if (layout.size == 0)
        return tr_layout_dangling(layout);
    return allocator->alloc(allocator, layout);
}

void *tr_alloc_zeroed_from(tr_allocator *allocator, tr_layout layout)
{
    TR_DCHECK(tr_layout_is_valid(layout));
    if (layout.size == 0)
        return tr_layout_dangling(layout);
    if (allocator->alloc_zeroed == NULL)
        return zeroed_by_alloc(allocator, layout);
    return allocator->alloc_zeroed(allocator, layout);
}

void *tr_realloc_from(tr_allocator *allocator, void *block, tr_layout old_layout, size_t new_size)
{
    const tr_layout new_layout = resized(old_layout, new_size);

    TR_DCHECK(tr_layout_is_valid(old_layout));
    if (!tr_layout_is_valid(new_layout))
        return NULL;
    if (old_layout.size == 0 || block == NULL)
        return tr_alloc_from(allocator, new_layout);
    if (new_size == 0) {
        tr_dealloc_from(allocator, block, old_layout);
        return tr_layout_dangling(new_layout);
    }
    if (allocator->realloc == NULL)
        return realloc_by_copy(allocator, block, old_layout, new_size);
    return allocator->realloc(allocator, block, old_layout, new_size);
}

void tr_dealloc_from(tr_allocator *allocator, void *block, tr_layout layout)
{
    TR_DCHECK(tr_layout_is_valid(layout));
    if (block != NULL && layout.size != 0)
        allocator->dealloc(allocator, block, layout);
}

/* -- from the global one -------------------------------------------------- */

void *tr_alloc(tr_layout layout)
{
    tr_allocator *allocator = load_global();
    if (TR_UNLIKELY(allocator != NULL || layout.size == 0))
        return tr_alloc_from(allocator, layout);
    TR_DCHECK(tr_layout_is_valid(layout));
    return tri_pool_alloc(layout);
}

void *tr_alloc_zeroed(tr_layout layout)
{
    tr_allocator *allocator = load_global();
    if (TR_UNLIKELY(allocator != NULL || layout.size == 0))
        return tr_alloc_zeroed_from(allocator, layout);
    TR_DCHECK(tr_layout_is_valid(layout));
    return tri_pool_alloc_zeroed(layout);
}

/* Rare enough to go through the table, whose edges it shares. */
void *tr_realloc(void *block, tr_layout old_layout, size_t new_size)
{
    return tr_realloc_from(tr_global_allocator(), block, old_layout, new_size);
}

void tr_dealloc(void *block, tr_layout layout)
{
    tr_allocator *allocator = load_global();
    if (TR_UNLIKELY(allocator != NULL || layout.size == 0 || block == NULL)) {
        tr_dealloc_from(allocator, block, layout);
        return;
    }
    TR_DCHECK(tr_layout_is_valid(layout));
    tri_pool_dealloc(block, layout);
}

tr_allocator *tr_global_allocator(void)
{
    tr_allocator *allocator = load_global();
    return allocator != NULL ? allocator : tr_pool_allocator();
}

void tr_set_global_allocator(tr_allocator *allocator)
{
    if (allocator == tr_pool_allocator())
        allocator = NULL;
    /* edge allocator (release): with load_global; carries the state of the
     * new allocator. */
    tr_store_release(&tri_global_allocator, allocator);
}

/* -- libc ----------------------------------------------------------------- */

/* malloc aligns every block to this much, so only more needs posix_memalign. */
static bool malloc_aligns(size_t align)
{
    return align <= _Alignof(max_align_t);
}

static void *libc_alloc(tr_allocator *self, tr_layout layout)
{
    (void)self;
    if (malloc_aligns(layout.align))
        return malloc(layout.size);
    void *block;
    return posix_memalign(&block, layout.align, layout.size) == 0 ? block : NULL;
}

static void *libc_alloc_zeroed(tr_allocator *self, tr_layout layout)
{
    return malloc_aligns(layout.align) ? calloc(1, layout.size) : zeroed_by_alloc(self, layout);
}

static void *libc_realloc(tr_allocator *self, void *block, tr_layout old_layout, size_t new_size)
{
    if (malloc_aligns(old_layout.align))
        return realloc(block, new_size);
    return realloc_by_copy(self, block, old_layout, new_size);
}

static void libc_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    (void)self;
    (void)layout;
    free(block);
}

tr_allocator *tr_libc_allocator(void)
{
    static tr_allocator libc = {
        .name = "libc",
        .alloc = libc_alloc,
        .alloc_zeroed = libc_alloc_zeroed,
        .realloc = libc_realloc,
        .dealloc = libc_dealloc,
    };
    return &libc;
}

/* -- counting ------------------------------------------------------------- */

/* relaxed (all counters): each counts on its own and orders nothing; a reader
 * that needs exact sums has joined the counting threads. */

static void *count_alloc(tr_counting_allocator *counting, void *block, tr_layout layout)
{
    if (block == NULL)
        return NULL;
    tr_fetch_add_relaxed(&counting->allocs, 1);               /* relaxed: see above */
    tr_fetch_add_relaxed(&counting->live_bytes, layout.size); /* relaxed: see above */
    return block;
}

static void *counting_alloc(tr_allocator *self, tr_layout layout)
{
    tr_counting_allocator *counting = (tr_counting_allocator *)self;
    return count_alloc(counting, tr_alloc_from(counting->inner_, layout), layout);
}

static void *counting_alloc_zeroed(tr_allocator *self, tr_layout layout)
{
    tr_counting_allocator *counting = (tr_counting_allocator *)self;
    return count_alloc(counting, tr_alloc_zeroed_from(counting->inner_, layout), layout);
}

static void *counting_realloc(tr_allocator *self, void *block, tr_layout old_layout,
                              size_t new_size)
{
    tr_counting_allocator *counting = (tr_counting_allocator *)self;
    void *fresh = tr_realloc_from(counting->inner_, block, old_layout, new_size);
    if (fresh == NULL)
        return NULL;
    tr_fetch_add_relaxed(&counting->reallocs, 1); /* relaxed: see above */
    /* relaxed: see above; a shrink adds a negative number modulo 2^64 */
    tr_fetch_add_relaxed(&counting->live_bytes, (uint64_t)new_size - old_layout.size);
    return fresh;
}

static void counting_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_counting_allocator *counting = (tr_counting_allocator *)self;
    tr_dealloc_from(counting->inner_, block, layout);
    tr_fetch_add_relaxed(&counting->deallocs, 1);             /* relaxed: see above */
    tr_fetch_sub_relaxed(&counting->live_bytes, layout.size); /* relaxed: see above */
}

void tr_counting_allocator_init(tr_counting_allocator *counting, tr_allocator *inner)
{
    counting->base = (tr_allocator){
        .name = "counting",
        .alloc = counting_alloc,
        .alloc_zeroed = counting_alloc_zeroed,
        .realloc = counting_realloc,
        .dealloc = counting_dealloc,
    };
    counting->inner_ = inner != NULL ? inner : tr_libc_allocator();
    tr_atomic_init(&counting->allocs, 0);
    tr_atomic_init(&counting->reallocs, 0);
    tr_atomic_init(&counting->deallocs, 0);
    tr_atomic_init(&counting->live_bytes, 0);
}

uint64_t tr_counting_live(const tr_counting_allocator *counting)
{
    /* relaxed: see above; deallocs first, so that blocks which come and go
     * between the two loads make the answer too large, never negative. */
    const uint64_t deallocs = tr_load_relaxed(&counting->deallocs);
    return tr_load_relaxed(&counting->allocs) - deallocs; /* relaxed: see above */
}

/* -- out of memory -------------------------------------------------------- */

void tr_set_oom_handler(tr_oom_handler handler)
{
    /* edge oom (release): with tr_out_of_memory; carries what the handler uses. */
    tr_store_release(&oom_handler, handler);
}

void tr_out_of_memory(tr_layout layout)
{
    /* edge oom (acquire): with tr_set_oom_handler; carries what the handler uses. */
    const tr_oom_handler handler = tr_load_acquire(&oom_handler);
    if (handler != NULL)
        handler(layout);

    /* No stdio stream: its first use may allocate. */
    char line[96];
    const int n = snprintf(line, sizeof line, "out of memory: %zu bytes aligned to %zu\n",
                           layout.size, layout.align);
    if (n > 0)
        (void)!write(STDERR_FILENO, line, (size_t)n);
    abort();
}
