/*
 * failing - the global allocator says no after so many allocations
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

#include <troupe/mem/failing_allocator.h>

typedef tr_failing_allocator failing_allocator;

/* So many allocations more succeed; UINT64_MAX: all. */
static inline void failing_allow(failing_allocator *failing, uint64_t successes)
{
    const bool all = successes == UINT64_MAX;
    tr_failing_allocator_fail(failing, all ? 1 : successes + 1, all ? 0 : UINT64_MAX);
}

static inline void failing_install(failing_allocator *failing, uint64_t successes)
{
    tr_failing_allocator_init(failing, tr_global_allocator());
    failing_allow(failing, successes);
    tr_set_global_allocator(&failing->base);
}

static inline void failing_remove(failing_allocator *failing)
{
    tr_set_global_allocator(failing->inner_);
}

#endif
