/*
 * pool_blocks - the pools' hot entry points, for allocator.c
 *
 * The same functions as the allocator that tr_pool_allocator gives, without the
 * detour through its function pointers.
 *
 * Threads  any; a block may be freed by another thread than its maker.
 * Progress lock-free; nobody waits for anybody (mmap and munmap aside).
 * Memory   layouts are valid and their size is not 0. NULL means no memory, and
 *          then nothing has changed. dealloc and realloc take the layout that
 *          the block was made with (or last resized to), and a block, not NULL.
 */
#ifndef TROUPE_MEM_POOL_BLOCKS_H
#define TROUPE_MEM_POOL_BLOCKS_H

#include <troupe/mem/allocator.h>

/* NULL while the pools are the global allocator. */
typedef TR_ATOMIC(tr_allocator *) tri_allocator_word;
extern __attribute__((visibility("hidden"))) tri_allocator_word tri_global_allocator;

static inline bool tri_pools_are_global(void)
{
    /* relaxed: only compared with NULL */
    return TR_LIKELY(tr_load_relaxed(&tri_global_allocator) == NULL);
}

void *tri_pool_alloc(tr_layout layout);
void *tri_pool_alloc_zeroed(tr_layout layout);
void *tri_pool_realloc(void *block, tr_layout old_layout, size_t new_size);
void tri_pool_dealloc(void *block, tr_layout layout);

/*
 * The thread may stay away from the pools for long: if it has much memory, others
 * take in what comes home to it meanwhile, so that the memory of a burst goes
 * back to the system when its last block is freed. Two locked operations, the
 * second at its next block; none while it has no more than one chunk.
 */
void tri_pool_pause(void);

#endif
