/*
 * object_pool - values of one type that come and go, from memory of their own
 *
 *     | live | free | live | free | ... |   a chunk; further ones twice as large
 *               '---------------'--> the next to be got
 *
 *     tr_object_pool pool = tr_object_pool_new(particle);
 *     particle *p = tr_object_pool_get(particle, &pool, .x = 1);
 *     tr_object_pool_put(&pool, p);             dropped, its place is free
 *     tr_object_pool_drop(&pool);
 *
 * Use it for many small values of one type that one owner makes and drops in any
 * order, and that should lie close together, or be limited in number. What is
 * dropped all at once goes into an arena (arena.h); buffers between threads into a
 * buffer pool (buffer_pool.h). A Box costs twice as much, and may go to another thread.
 *
 * A value stays where it is until it is put back. get prefers the place that was
 * put back last. Chunks are kept until the pool is dropped.
 *
 * Panics   in every build: a get of another type than the pool's, a drop of the
 *          pool while values are out. In checked builds: a put of what is not out
 *          (put twice, or never got here).
 * Threads  one at a time, as the values: pools of several threads are apart.
 * Progress get and put are O(1), but for the allocator and the value's drop; in
 *          checked builds put is O(chunks), of which there are few.
 * Memory   checked builds overwrite what is put back, but for its first word. A
 *          value takes a pointer's size at least.
 */
#ifndef TROUPE_MEM_OBJECT_POOL_H
#define TROUPE_MEM_OBJECT_POOL_H

#include <troupe/mem/allocator.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

/* Its members are the calls'. It may be moved as a struct. */
typedef struct tr_object_pool {
    const tr_type *type_;
    tr_allocator *allocator_; /* NULL: the global one */
    struct tri_object_chunk *chunks_;
    void *free_;
    size_t limit_;
    size_t chunk_objects_; /* in the next chunk */
    size_t capacity_;
    size_t out_;
    size_t most_out_;
    uint64_t gets_;
} tr_object_pool;

typedef struct tr_object_pool_options {
    tr_allocator *allocator; /* must outlive the pool; NULL: the global one */
    size_t first_chunk;      /* objects in the first chunk; 0: as many as fit 1 KiB, at least 8 */
    size_t limit;            /* objects that may be out at a time; 0: no limit */
} tr_object_pool_options;

/* An empty pool for values of type T; allocates nothing yet. options NULL: all 0. */
#define tr_object_pool_new(T) tr_object_pool_new_of(tr_type_of(T), NULL)
TR_API tr_object_pool tr_object_pool_new_of(const tr_type *type,
                                            const tr_object_pool_options *options);

/* Free its memory. While values are out it panics, and the pool stays as it is. */
TR_API void tr_object_pool_drop(tr_object_pool *pool);

/* Make room for n more values, so that the next n gets cannot fail. TR_NOMEM, or
 * TR_LIMIT when the pool's limit is below that; then nothing changed. */
TR_API TR_MUST_USE tr_status tr_object_pool_reserve(tr_object_pool *pool, size_t n);

/* A new T in the pool, the caller's until it is put back: members as in tr_box. No
 * memory, or the limit reached: tr_out_of_memory; the try form gives NULL, and the
 * value is still the caller's. */
#define tr_object_pool_get(T, pool, ...)                                                           \
    ((T *)tr_object_pool_get_of((pool), tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
#define tr_object_pool_try_get(T, pool, ...)                                                       \
    ((T *)tr_object_pool_try_get_of((pool), tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
TR_API void *tr_object_pool_get_of(tr_object_pool *pool, const tr_type *type, const void *value);
TR_API TR_MUST_USE void *tr_object_pool_try_get_of(tr_object_pool *pool, const tr_type *type,
                                                   const void *value);

/* Drop the value and take its place back, also when the drop panics. NULL is
 * ignored. */
TR_API void tr_object_pool_put(tr_object_pool *pool, void *object);

/* Move the value out to *ret_value instead of dropping it, and take its place
 * back; ret_value has room for a T. */
TR_API void tr_object_pool_take(tr_object_pool *pool, void *object, void *ret_value);

typedef struct tr_object_pool_stats {
    size_t out;      /* values got and not put back */
    size_t most_out; /* the largest `out` has ever been */
    size_t capacity; /* values there is room for */
    size_t chunks;
    uint64_t gets; /* successful ones */
} tr_object_pool_stats;

/* As it is now. */
TR_API tr_object_pool_stats tr_object_pool_get_stats(const tr_object_pool *pool);

TR_END_DECLS

#endif
