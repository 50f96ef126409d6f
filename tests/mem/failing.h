/*
 * failing - an allocator whose nth allocation fails, and all after it
 *
 *     failing_allocator failing;
 *     failing_install(&failing, 0);      every allocation fails
 *     ... assert that nothing changed ...
 *     failing_remove(&failing);
 *
 * In front of the allocator that was global; frees always go through.
 */
#ifndef TROUPE_TESTS_MEM_FAILING_H
#define TROUPE_TESTS_MEM_FAILING_H

#include <troupe/mem/allocator.h>

typedef struct failing_allocator {
    tr_allocator base;
    tr_allocator *inner;
    uint64_t left; /* allocations that still succeed */
} failing_allocator;

static void *failing_alloc(tr_allocator *self, tr_layout layout)
{
    failing_allocator *failing = (failing_allocator *)self;
    if (failing->left == 0)
        return NULL;
    failing->left--;
    return tr_alloc_from(failing->inner, layout);
}

static void failing_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_dealloc_from(((failing_allocator *)self)->inner, block, layout);
}

/* No alloc_zeroed and no realloc: those made of these two fail with them. */
static inline void failing_install(failing_allocator *failing, uint64_t successes)
{
    *failing = (failing_allocator){
        .base = { .name = "failing", .alloc = failing_alloc, .dealloc = failing_dealloc },
        .inner = tr_global_allocator(),
        .left = successes,
    };
    tr_set_global_allocator(&failing->base);
}

static inline void failing_remove(failing_allocator *failing)
{
    tr_set_global_allocator(failing->inner);
}

#endif
