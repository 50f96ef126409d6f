/*
 * buffer_pool - buffers of one size that come back, at most so many
 *
 *     get ---> | data | len 0 | cap 4096 |  ---put---> kept, or its memory freed
 *
 * Use it where bytes come in at a bounded rate (reads, frames): the limit is the
 * backpressure. For bytes that are shared further on use bytes.h; for values of
 * any number the ordinary pools are faster.
 *
 * A buffer's memory is made when it is first got, and kept when it is put back
 * unless `kept` idle ones have theirs already. get prefers the one put last.
 *
 * Threads  get, put: any threads, any time; a buffer may be put by another thread
 *          than got it. create, destroy: one.
 * Progress get and put are lock-free, but for the allocator.
 * Order    what was done with a buffer before put is visible to who gets it next.
 */
#ifndef TROUPE_MEM_BUFFER_POOL_H
#define TROUPE_MEM_BUFFER_POOL_H

#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_buffer_pool tr_buffer_pool;

typedef struct tr_buffer {
    uint8_t *data; /* cap bytes, not cleared */
    size_t len;    /* the user's; 0 when got */
    size_t cap;
} tr_buffer;

typedef struct tr_buffer_pool_options {
    size_t buffer_size; /* bytes, at least 1 */
    size_t buffers;     /* how many may be out at a time, 1 to UINT32_MAX - 1 */
    size_t kept;        /* idle ones that keep their memory; more than buffers: all */
    size_t align;       /* of data, a power of two; 0: TR_CACHE_LINE */
} tr_buffer_pool_options;

/* TR_INVALID: a size that cannot be; TR_NOMEM. The caller owns the pool. */
TR_API TR_MUST_USE tr_status tr_buffer_pool_create(const tr_buffer_pool_options *options,
                                                   tr_buffer_pool **ret_pool);
/* All buffers must be back, else it panics and the pool stays. NULL: nothing. */
TR_API void tr_buffer_pool_destroy(tr_buffer_pool *pool);

/* A buffer, the caller's until it is put back. TR_NOMEM: all are out, or there
 * is no memory for one more; put one back. */
TR_API TR_MUST_USE tr_status tr_buffer_get(tr_buffer_pool *pool, tr_buffer **ret_buffer);

/* Give it back to its pool; one that is back already panics. NULL is ignored. */
TR_API void tr_buffer_put(tr_buffer *buffer);

/* Buffers that are out, as it was at one moment. */
TR_API size_t tr_buffer_pool_out(const tr_buffer_pool *pool);

/* A `tr_buffer *` variable whose buffer is put back when its scope ends. */
#define TR_AUTO_BUFFER TR_UNUSED __attribute__((cleanup(tr_buffer_put_auto_))) tr_buffer *

static inline void tr_buffer_put_auto_(tr_buffer **buffer)
{
    tr_buffer_put(*buffer);
}

TR_END_DECLS

#endif
