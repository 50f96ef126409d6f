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

#include <troupe/mem/layout.h>

void *tri_pool_alloc(tr_layout layout);
void *tri_pool_alloc_zeroed(tr_layout layout);
void *tri_pool_realloc(void *block, tr_layout old_layout, size_t new_size);
void tri_pool_dealloc(void *block, tr_layout layout);

#endif
