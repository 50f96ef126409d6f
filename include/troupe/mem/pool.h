/*
 * pool - per-thread pools of small blocks; the default global allocator
 *
 *   thread A: hot stack <- slab (64 blocks, one bit each) <- 1 MiB chunk
 *                ^
 *   thread B frees A's block: notes the bit in {slab, mask}, and sends the
 *   whole mask home with one compare-and-swap: that is the inbox of A.
 *
 * Allocating and freeing on one thread touches nothing shared. A block freed
 * by another thread goes home in batches. Blocks above TR_POOL_MAX bytes or
 * aligned above TR_POOL_MAX_ALIGN come from libc.
 *
 * Threads   any; a thread's pool is made at its first block. When a thread
 *           ends, its pool waits for the next thread that needs one; blocks
 *           that are still out stay valid.
 * Progress  alloc and free never wait for another thread (they may call mmap).
 * Memory    chunks that become empty go back to the system, all but one per
 *           pool; while a thread is quiet, others see to its pool. With the build option -Dpools=libc every block is malloc's,
 *           so that AddressSanitizer sees each one (the default under ASan).
 */
#ifndef TROUPE_MEM_POOL_H
#define TROUPE_MEM_POOL_H

#include <troupe/mem/allocator.h>

TR_BEGIN_DECLS

#define TR_POOL_MAX 1024u      /* bytes: the largest size class */
#define TR_POOL_MAX_ALIGN 64u  /* bytes */
#define TR_POOL_CLASS_COUNT 20u

/* The pools, as an allocator: what tr_global_allocator gives at start. */
TR_API tr_allocator *tr_pool_allocator(void);

/* Size classes: 16, 32, 48 ... 128 in steps of 16, then four to each power of
 * two (160 192 224 256 320 ... 896 1024), then none. tr_pool_class_of gives the
 * smallest class that holds `size` bytes (1..TR_POOL_MAX), or
 * TR_POOL_CLASS_COUNT when no class does; class_size its block size. */
TR_API unsigned tr_pool_class_of(size_t size);
TR_API size_t tr_pool_class_size(unsigned pool_class);

/* tr_pool_class_of as a constant expression, for an n that is not 0. */
#define TR_POOL_CLASS_OF(n)                                                                        \
    ((n) <= 128    ? ((n) - 1) / 16                                                                \
     : (n) <= 256  ? 8 + ((n) - 129) / 32                                                          \
     : (n) <= 512  ? 12 + ((n) - 257) / 64                                                         \
     : (n) <= 1024 ? 16 + ((n) - 513) / 128                                                        \
                   : TR_POOL_CLASS_COUNT)

/*
 * Send home what this thread freed of others' blocks and take in what others
 * freed of its own, and of threads that have ended; give empty chunks back.
 * Call it before a thread goes idle for long (workers do, and sends from outside
 * of actors do what is needed): until its next block, what others free of its own
 * goes back to the system without it. Once every thread has called it and is
 * quiet, each pool without live blocks has at most one chunk, and none when its
 * thread has ended. O(blocks moved + pools + classes).
 */
TR_API void tr_pool_flush(void);

/* All pools together. Counters are read while threads run: each is exact for
 * some moment, their sum is exact only when the threads are quiet. */
typedef struct tr_pool_stats {
    uint64_t threads;      /* pools that a thread holds now */
    uint64_t allocs;       /* blocks of a class handed out */
    uint64_t frees;        /* ... freed by their own pool's thread (-Dpools=libc: by any) */
    uint64_t remote_frees; /* ... freed by another thread */
    uint64_t chunk_bytes;  /* bytes now mapped from the system */
    uint64_t large_allocs; /* blocks that fit no class, from libc */
    uint64_t large_frees;
} tr_pool_stats;

/* allocs - frees - remote_frees is the number of live blocks. A realloc that
 * moves a block counts as an alloc and a free, one in place not at all. */
TR_API void tr_pool_get_stats(tr_pool_stats *ret_stats);

TR_END_DECLS

#endif
