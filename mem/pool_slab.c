/*
 * pool_slab - cold memory: chunks, their regions, and slabs of 64 blocks
 *
 *   system -map-> chunk -> region (64 KiB, one class) -> slab -> bin -> blocks
 *          <-unmap-  when all 15 regions are unused      ^
 *                    region unused when all its slabs    free mask, full again
 *
 * Everything here belongs to the heap's holder: no access is atomic.
 *
 * I1  A block is in exactly one place: out (the program has it), a hot stack,
 *     a bin's mask, a parcel or letter on its way home, or its slab's mask.
 * I2  A slab is in its bin's list exactly while slab->free != 0.
 * I3  region->empty_slabs counts the slabs with free == ~0; when all are, the
 *     region belongs to no class, and none of its slabs is in a list.
 * I4  A chunk is in heap->open exactly while it has used and unused regions;
 *     without a used one it is heap->spare or unmapped. So a chunk whose blocks
 *     are all in their slabs is gone, but for one per heap.
 *
 * Freed blocks are not touched: their state is the mask. A bin takes the whole
 * mask of a slab at once, so handing out a block touches neither slab nor block.
 *
 * Edges  None of its own; a heap's memory passes from holder to holder by the
 *        edge `heap` (pool_heap.c), blocks from thread to thread by the edge
 *        `inbox` (pool_remote.c).
 *
 * Regions of one size waste address space where 64 KiB is no multiple of the
 * slab (the 640-byte class: 24 KiB of each), never memory: those pages are not
 * touched. In exchange an address leads to its slab by arithmetic alone.
 */
#include "mem/pool_types.h"

#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define POOL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_ASAN 1
#endif
#endif
#ifdef POOL_ASAN
#include <sanitizer/lsan_interface.h>
#endif

#define ALL_FREE UINT64_MAX
#define REGIONS_UNUSED ((uint32_t)((1u << TRI_REGION_COUNT) - 2u)) /* all but the header */

/* -- chunks --------------------------------------------------------------- */

/* 1 MiB, aligned to it; NULL when the system has none. The kernel places maps
 * below each other, so after one odd start the first try succeeds. */
static void *map_chunk(void)
{
    const int protection = PROT_READ | PROT_WRITE;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char *p = mmap(NULL, TRI_CHUNK_BYTES, protection, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (tri_chunk_of(p) == (tri_chunk *)p)
        return p;
    munmap(p, TRI_CHUNK_BYTES);
    p = mmap(NULL, 2 * TRI_CHUNK_BYTES, protection, flags, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    char *const chunk = (char *)tri_chunk_of(p + TRI_CHUNK_BYTES - 1);
    const size_t before = (size_t)(chunk - p);
    if (before > 0)
        munmap(p, before);
    if (before < TRI_CHUNK_BYTES)
        munmap(chunk + TRI_CHUNK_BYTES, TRI_CHUNK_BYTES - before);
    return chunk;
}

static tri_chunk *chunk_create(tri_heap *heap)
{
    tri_chunk *const chunk = map_chunk();
    if (chunk == NULL)
        return NULL;
    chunk->heap = heap;
    chunk->unused = REGIONS_UNUSED;
    heap->chunks++;
    tr_count_add(&heap->counts.chunk_bytes, TRI_CHUNK_BYTES);
#ifdef POOL_ASAN
    /* What the program hangs into a block is not leaked. */
    __lsan_register_root_region(chunk, TRI_CHUNK_BYTES);
#endif
    return chunk;
}

static void chunk_destroy(tri_chunk *chunk)
{
    tri_heap *const heap = chunk->heap;
#ifdef POOL_ASAN
    __lsan_unregister_root_region(chunk, TRI_CHUNK_BYTES);
#endif
    if (munmap(chunk, TRI_CHUNK_BYTES) != 0) {
        /* The system cannot split its map now (ENOMEM): keep the addresses for
         * good, give the pages back. */
        madvise(chunk, TRI_CHUNK_BYTES, MADV_DONTNEED);
    }
    heap->chunks--;
    tr_count_add(&heap->counts.chunk_bytes, -(uint64_t)TRI_CHUNK_BYTES);
}

static void chunk_link(tri_chunk *chunk)
{
    tri_heap *const heap = chunk->heap;
    chunk->prev = NULL;
    chunk->next = heap->open;
    if (heap->open != NULL)
        heap->open->prev = chunk;
    heap->open = chunk;
}

static void chunk_unlink(tri_chunk *chunk)
{
    tri_heap *const heap = chunk->heap;
    if (chunk->prev != NULL)
        chunk->prev->next = chunk->next;
    else
        heap->open = chunk->next;
    if (chunk->next != NULL)
        chunk->next->prev = chunk->prev;
}

/* A chunk with an unused region, in heap->open. */
static tri_chunk *chunk_open(tri_heap *heap)
{
    if (heap->open != NULL)
        return heap->open;
    tri_chunk *chunk = heap->spare;
    heap->spare = NULL;
    if (chunk == NULL)
        chunk = chunk_create(heap);
    if (chunk != NULL)
        chunk_link(chunk);
    return chunk;
}

void tri_slab_drop_spare(tri_heap *heap)
{
    if (heap->spare != NULL)
        chunk_destroy(heap->spare);
    heap->spare = NULL;
}

/* -- slabs in their bin's list -------------------------------------------- */

static void slab_link(tri_bin *bin, tri_slab *slab)
{
    slab->prev_ = NULL;
    slab->next_ = bin->slabs;
    if (bin->slabs != NULL)
        bin->slabs->prev_ = slab;
    bin->slabs = slab;
}

static void slab_unlink(tri_bin *bin, tri_slab *slab)
{
    if (slab->prev_ != NULL)
        slab->prev_->next_ = slab->next_;
    else
        bin->slabs = slab->next_;
    if (slab->next_ != NULL)
        slab->next_->prev_ = slab->prev_;
}

/* -- regions -------------------------------------------------------------- */

/* Cut an unused region into slabs of the class; false: no memory. */
static bool region_open(tri_heap *heap, unsigned pool_class)
{
    tri_chunk *const chunk = chunk_open(heap);
    if (chunk == NULL)
        return false;
    const size_t r = (size_t)__builtin_ctz(chunk->unused);
    chunk->unused &= chunk->unused - 1;
    if (chunk->unused == 0)
        chunk_unlink(chunk);

    tri_bin *const bin = &heap->bins[pool_class];
    const size_t slab_bytes = TRI_SLAB_BLOCKS * (size_t)bin->block_size;
    const size_t slabs = tri_class_slabs[pool_class];
    chunk->regions[r] = (tri_region){
        .pool_class = (uint16_t)pool_class,
        .slabs = (uint16_t)slabs,
        .empty_slabs = (uint16_t)slabs,
    };
    for (size_t s = slabs; s-- > 0;) { /* the last first: the list is in address order */
        tri_slab *const slab = &chunk->slabs[s][r];
        slab->free = ALL_FREE;
        slab->first = (char *)chunk + r * TRI_REGION_BYTES + s * slab_bytes;
        slab_link(bin, slab);
    }
    return true;
}

/* All slabs of the region are empty (I3). */
static void region_close(tri_chunk *chunk, size_t r)
{
    tri_heap *const heap = chunk->heap;
    tri_bin *const bin = &heap->bins[chunk->regions[r].pool_class];
    for (size_t s = 0; s < chunk->regions[r].slabs; s++)
        slab_unlink(bin, &chunk->slabs[s][r]);
    if (chunk->unused == 0)
        chunk_link(chunk);
    chunk->unused |= 1u << r;
    if (chunk->unused != REGIONS_UNUSED)
        return;
    chunk_unlink(chunk);
    if (heap->spare == NULL)
        heap->spare = chunk;
    else
        chunk_destroy(chunk);
}

/* -- blocks --------------------------------------------------------------- */

bool tri_slab_take(tri_heap *heap, unsigned pool_class)
{
    tri_bin *const bin = &heap->bins[pool_class];
    TR_DCHECK(bin->mask == 0);
    /* The inbox first: what comes home was in use a moment ago, the rest of the
     * bin is cold, and a region never used is colder. */
    tri_remote_drain(heap);
    if (bin->slabs == NULL && !region_open(heap, pool_class))
        return false;
    tri_slab *const slab = bin->slabs;
    slab_unlink(bin, slab);
    if (slab->free == ALL_FREE)
        tri_chunk_of(slab->first)->regions[tri_region_of(slab->first)].empty_slabs--;
    bin->mask = slab->free;
    bin->first = slab->first;
    bin->taken = slab;
    slab->free = 0;
    return true;
}

void tri_slab_give(tri_heap *heap, tri_slab *slab, uint64_t mask)
{
    TR_DCHECK((slab->free & mask) == 0); /* I1: else freed twice */
    tri_chunk *const chunk = tri_chunk_of(slab);
    const size_t r = tri_region_of(slab->first);
    tri_region *const region = &chunk->regions[r];
    if (slab->free == 0)
        slab_link(&heap->bins[region->pool_class], slab);
    slab->free |= mask;
    if (slab->free == ALL_FREE && ++region->empty_slabs == region->slabs)
        region_close(chunk, r);
}

void tri_slab_spill(tri_heap *heap, unsigned pool_class, uint32_t n)
{
    tri_bin *const bin = &heap->bins[pool_class];
    tri_slab *slab = NULL;
    uint64_t mask = 0;
    for (uint32_t i = 0; i < n; i++) { /* neighbours of one slab together */
        const size_t number = tri_block_number(bin->hot[i], pool_class);
        tri_slab *const its = tri_slab_of(bin->hot[i], number);
        if (its != slab) {
            if (slab != NULL)
                tri_slab_give(heap, slab, mask);
            slab = its;
            mask = 0;
        }
        TR_DCHECK((mask & tri_block_bit(number)) == 0); /* I1: else freed twice */
        mask |= tri_block_bit(number);
    }
    if (slab != NULL)
        tri_slab_give(heap, slab, mask);
    bin->hot_count -= n;
    for (uint32_t i = 0; i < bin->hot_count; i++)
        bin->hot[i] = bin->hot[i + n];
}

void tri_slab_spill_all(tri_heap *heap)
{
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c++) {
        tri_bin *const bin = &heap->bins[c];
        tri_slab_spill(heap, c, bin->hot_count);
        const uint64_t mask = bin->mask;
        bin->mask = 0;
        if (mask != 0)
            tri_slab_give(heap, bin->taken, mask);
    }
}
