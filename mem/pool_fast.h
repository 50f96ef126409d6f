/*
 * pool_fast - a block whose class is known, without a call
 *
 *   alloc:  hot stack -> mask of the slab -> the block     free:  own block -> hot stack
 *               `- both empty: tr_alloc                       `- another's, or full: tr_dealloc
 *
 * For blocks of which there are millions a second and whose layout never changes:
 * messages. They are the same blocks that tr_alloc gives, from the same pools (or
 * from whatever the global allocator is), and either side may be used to free them.
 *
 * Threads  any; Progress, Memory: as tr_alloc and tr_dealloc.
 */
#ifndef MEM_POOL_FAST_H
#define MEM_POOL_FAST_H

#include "mem/pool_blocks.h"
#include "mem/pool_types.h"

/* May the class's hot stack be used from here? */
static inline bool tri_fast_is_possible(unsigned pool_class)
{
#if defined TR_POOLS_LIBC || defined TR_CHECKED
    return (void)pool_class, false; /* each block is malloc's; or tr_dealloc looks closely */
#else
    return TR_LIKELY(pool_class < TR_POOL_CLASS_COUNT) && TR_LIKELY(tri_pools_are_global());
#endif
}

/* A block of the class; NULL: ask tr_alloc. */
static inline void *tri_fast_alloc(unsigned pool_class)
{
    tri_heap *const heap = tri_heap_mine;
    if (TR_UNLIKELY(heap == NULL) || !tri_fast_is_possible(pool_class))
        return NULL;
    tri_bin *const bin = &heap->bins[pool_class];
    void *block;
    if (TR_LIKELY(bin->hot_count > 0))
        block = bin->hot[--bin->hot_count];
    else if (TR_LIKELY(bin->mask != 0))
        block = tri_bin_take(bin);
    else
        return NULL;
    tr_count_add(&heap->counts.allocs, 1u);
    return block;
}

/* Free a block of the class; false: ask tr_dealloc. */
static inline bool tri_fast_dealloc(void *block, unsigned pool_class)
{
    tri_heap *const heap = tri_heap_mine;
    if (TR_UNLIKELY(heap == NULL) || !tri_fast_is_possible(pool_class) ||
        TR_UNLIKELY(tri_chunk_of(block)->heap != heap))
        return false;
    tri_bin *const bin = &heap->bins[pool_class];
    const uint32_t count = bin->hot_count;
    if (TR_UNLIKELY(count == bin->hot_limit))
        return false;
    bin->hot[count] = block;
    bin->hot_count = count + 1;
    tr_count_add(&heap->counts.frees, 1u);
    return true;
}

#endif
