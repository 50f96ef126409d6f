/*
 * pool_types - what the pools are made of, shared by pool*.c
 *
 *   heap (one per thread)                        chunk (1 MiB, aligned to it)
 *   +------------------------+                   +---------------------------+
 *   | bins[class]            |   slabs with a    | heap          (never      |
 *   |   hot stack            |   free block      |                changes)   |
 *   |   mask of current slab |<------------------| regions[16]   class       |
 *   |   list of slabs        |                   | slabs[64][16] free masks  |
 *   | parcels[64]{slab,mask} | to other heaps    +------------ 64 KiB -------+
 *   | inbox <- masks <- other threads            | region 1: slab slab slab  |
 *   +------------------------+                   | ...                       |
 *                                                | region 15                 |
 *                                                +---------------------------+
 *
 * pool.c         entry points, classes, libc blocks
 * pool_slab.c    chunks, regions, slabs: cold memory
 * pool_remote.c  parcels and the inbox: the way home
 * pool_heap.c    which thread has which heap; flush, statistics
 */
#ifndef TROUPE_MEM_POOL_TYPES_H
#define TROUPE_MEM_POOL_TYPES_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/pool.h>

#define TRI_CHUNK_BYTES ((size_t)1 << 20)
#define TRI_REGION_BYTES ((size_t)1 << 16)
#define TRI_REGION_COUNT (TRI_CHUNK_BYTES / TRI_REGION_BYTES) /* number 0 is the header */
#define TRI_SLAB_BLOCKS 64u
#define TRI_SLABS_PER_REGION 64u /* at most: those of the 16-byte class */
#define TRI_HOT_PLACES 20224u /* of all hot stacks together: see tri_class_hot */
#define TRI_PARCELS 64u
#define TRI_PARCEL_BYTES (256u * 1024u) /* foreign bytes freed from flush to flush, at most */
#define TRI_CLASS_UNIT 16u /* bytes; every class size is a multiple */

typedef struct tri_heap tri_heap;
typedef struct tri_chunk tri_chunk;
typedef struct tri_slab tri_slab;

/* 64 blocks of one class after each other. Read and written by the heap's
 * holder only; other threads use no more than its address. */
struct tri_slab {
    uint64_t free;   /* bit i: block i is free and in no stack, bin or parcel */
    char *first;     /* block 0 */
    tri_slab *next_; /* in the bin's list while free != 0 */
    tri_slab *prev_;
};

/* 64 KiB of slabs of one class. */
typedef struct tri_region {
    uint16_t pool_class;
    uint16_t slabs;       /* how many */
    uint16_t empty_slabs; /* of these, how many have every block free */
} tri_region;

/* The first region of each chunk. */
struct tri_chunk {
    /* Read by every thread that frees a block of the chunk; never changes. */
    tri_heap *heap;

    /* The heap's holder only. */
    TR_CACHE_ALIGNED tri_chunk *next; /* in heap->open while 1 to 14 regions are unused */
    tri_chunk *prev;
    uint32_t unused; /* bit r: region r belongs to no class */
    tri_region regions[TRI_REGION_COUNT];
    /* Slab s of region r is slabs[s][r]: classes with few slabs to a region
     * then share the header's first pages. */
    TR_CACHE_ALIGNED tri_slab slabs[TRI_SLABS_PER_REGION][TRI_REGION_COUNT];
};
_Static_assert(sizeof(tri_chunk) <= TRI_REGION_BYTES, "the header fits its region");

/* What a heap keeps of one class. */
typedef struct tri_bin {
    TR_CACHE_ALIGNED uint32_t hot_count;
    uint32_t hot_limit;
    void **hot; /* freed lately, the newest last */
    uint64_t block_size;
    uint64_t mask;    /* free blocks of the current slab, taken out of its own mask */
    char *first;      /* block 0 of the current slab */
    tri_slab *slabs;  /* slabs with a free block, in the order of use */
    tri_slab *taken;  /* the current slab; NULL before the first */
} tri_bin;

/* Foreign blocks of one slab that this thread freed and has not sent home. */
typedef struct tri_parcel {
    tri_slab *slab; /* NULL: unused */
    uint64_t mask;
    void *carrier; /* one of the blocks */
} tri_parcel;

/* A parcel under way: written into its carrier. */
typedef struct tri_letter tri_letter;
struct tri_letter {
    tri_letter *next;
    uint64_t mask;
};
_Static_assert(sizeof(tri_letter) <= TRI_CLASS_UNIT, "a letter fits the smallest block");

/* Who may touch the fields of a heap that belong to its holder. */
typedef enum tri_heap_state {
    TRI_HEAP_ORPHAN,   /* nobody: take it by CAS */
    TRI_HEAP_HELD,     /* the thread whose tri_heap_mine it is */
    TRI_HEAP_BORROWED, /* a thread that makes it an orphan within one call */
    TRI_HEAP_RESTING,  /* nobody: it is kept for a thread that is quiet */
    TRI_HEAP_LENT,     /* a thread that lets it rest again within one call */
} tri_heap_state;

/* Written by the holder, read by anybody. */
typedef struct tri_counts {
    TR_ATOMIC(uint64_t) allocs;
    TR_ATOMIC(uint64_t) frees;
    TR_ATOMIC(uint64_t) remote_frees;
    TR_ATOMIC(uint64_t) chunk_bytes;
    TR_ATOMIC(uint64_t) large_allocs;
    TR_ATOMIC(uint64_t) large_frees;
} tri_counts;

struct tri_heap {
    /* Any thread. */
    TR_CACHE_ALIGNED TR_ATOMIC(tri_letter *) inbox;
    TR_ATOMIC(int) state; /* tri_heap_state */
    tri_heap *next;       /* in the list of all heaps; never changes */

    /* The holder. */
    TR_CACHE_ALIGNED tri_counts counts;
    size_t parcel_bytes; /* foreign bytes freed since the parcels were flushed */
    TR_CACHE_ALIGNED tri_parcel parcels[TRI_PARCELS];
    tri_chunk *open;  /* chunks with used and unused regions */
    tri_chunk *spare; /* one without a used region, or NULL */
    size_t chunks;    /* mapped now */
    tri_bin bins[TR_POOL_CLASS_COUNT];
    void *hot_places[TRI_HOT_PLACES];
};

/* The heap that the thread holds, NULL when it has none (yet, or any more).
 * initial-exec: one load, also from the shared library. */
extern _Thread_local tri_heap *tri_heap_mine __attribute__((tls_model("initial-exec")));

static inline tri_chunk *tri_chunk_of(const void *p)
{
    return (tri_chunk *)((uintptr_t)p & ~(uintptr_t)(TRI_CHUNK_BYTES - 1));
}

static inline size_t tri_region_of(const void *p)
{
    return ((uintptr_t)p & (TRI_CHUNK_BYTES - 1)) / TRI_REGION_BYTES;
}

/* Depth of a class's hot stack, in blocks: no more than 256 KiB of them. Those of up
 * to 64 bytes are the deepest: messages come in thousands. */
static inline uint32_t tri_class_hot(unsigned pool_class)
{
    return pool_class < 4 ? 4096u : 1024u >> pool_class / 4;
}

/* Slabs of a class in one region. */
extern const uint16_t tri_class_slabs[TR_POOL_CLASS_COUNT];

/* 2^32 / block size, rounded up: see tri_block_number. */
extern const uint32_t tri_class_inverse[TR_POOL_CLASS_COUNT];

/* The number of a block in its region. The offset is a multiple of the size s
 * and below 2^16, the inverse is less than 1 above 2^32/s: the product is less
 * than 2^16 above number * 2^32, so the shift is exact. */
static inline size_t tri_block_number(const void *block, unsigned pool_class)
{
    const uint64_t offset = (uintptr_t)block & (TRI_REGION_BYTES - 1);
    return (size_t)(offset * tri_class_inverse[pool_class] >> 32);
}

static inline tri_slab *tri_slab_of(const void *block, size_t number)
{
    return &tri_chunk_of(block)->slabs[number / TRI_SLAB_BLOCKS][tri_region_of(block)];
}

static inline uint64_t tri_block_bit(size_t number)
{
    return UINT64_C(1) << (number % TRI_SLAB_BLOCKS);
}

/* The next block of the current slab, in address order; its mask is not 0. */
static inline void *tri_bin_take(tri_bin *bin)
{
    const size_t number = (size_t)__builtin_ctzll(bin->mask);
    bin->mask &= bin->mask - 1;
    return bin->first + number * bin->block_size;
}

/* -- pool_slab.c: all for the heap's holder ------------------------------- */

/* Give the bin a current slab (its mask is 0 now). False: no memory. */
bool tri_slab_take(tri_heap *heap, unsigned pool_class);
/* Free blocks back into their slab; may unmap the chunk. */
void tri_slab_give(tri_heap *heap, tri_slab *slab, uint64_t mask);
/* The oldest n hot blocks of a bin back into their slabs. */
void tri_slab_spill(tri_heap *heap, unsigned pool_class, uint32_t n);
/* Every hot block and every current slab, of all bins. */
void tri_slab_spill_all(tri_heap *heap);
/* Unmap the spare chunk, if any. */
void tri_slab_drop_spare(tri_heap *heap);

/* -- pool_remote.c -------------------------------------------------------- */

/* Note that a block of another heap is free. The calling thread holds `heap`. */
void tri_remote_free(tri_heap *heap, void *block, unsigned pool_class);
/* Send a block home at once; needs no heap. */
void tri_remote_free_now(void *block, unsigned pool_class);
/* Send all parcels. */
void tri_remote_flush(tri_heap *heap);
/* Take in the inbox; false when it was empty. The holder only. */
bool tri_remote_drain(tri_heap *heap);

/* -- pool_heap.c ---------------------------------------------------------- */

/* The thread's heap, made or adopted when it has none. NULL: it cannot keep one,
 * for it is ending, or there is no memory. */
tri_heap *tri_heap_keep(void);
/* A heap for one call of such a thread; NULL: no memory. */
tri_heap *tri_heap_borrow(void);
/* Give up a heap that this thread holds or borrowed. */
void tri_heap_return(tri_heap *heap);
/* Take in the inbox of a heap that nobody holds; does nothing otherwise. After a
 * push on the inbox: either this sees it, or whoever has the heap does. */
void tri_heap_sweep(tri_heap *heap);
/* The calling thread's heap is others' to tidy until its next block. */
void tri_heap_rest(void);
/* What threads without a heap count: many writers. */
extern tri_counts tri_heap_strays;

#endif
