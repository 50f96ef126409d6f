/*
 * arena - memory that is handed out by counting up and taken back at once
 *
 *     | a a a a | b b | . | c c c c c | ............... |   the newest chunk
 *                                     ^ next            ^ end
 *     | older chunk, full |
 *
 *     TR_AUTO_VALUE(tr_arena) arena = tr_arena_new();
 *     char *name = tr_arena_printf(&arena, "worker %u", i);
 *     node *root = tr_arena_make(node, &arena, .name = name);
 *     tr_arena_reset(&arena);                   all of it is gone, root dropped
 *
 * Use it for what is made bit by bit and forgotten together: a request, a frame, a
 * parse tree. For values of one type that come and go one by one use
 * object_pool.h; for all others the ordinary pools.
 *
 * When a chunk is full the next one is made, twice as large (up to 1 MiB, and
 * always large enough). A fixed arena has one chunk and no more.
 *
 * It is an allocator, too (&arena.base): what is given back then is reused only if
 * it was the last handed out, and the last can grow where it is.
 *
 * Threads  one at a time.
 * Progress a handful of instructions; the allocator behind it once a chunk.
 * Memory   blocks of size 0 are a dangling address and use nothing. Checked builds
 *          overwrite what is taken back with TR_ARENA_GONE; under AddressSanitizer
 *          touching it is reported, and so is what was never handed out.
 */
#ifndef TROUPE_MEM_ARENA_H
#define TROUPE_MEM_ARENA_H

#include <string.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

#define TR_ARENA_GONE 0xddu /* each byte of what checked builds take back */

/* Its members are the calls', but for base. It may be moved as a struct while nobody
 * uses it as an allocator. */
typedef struct tr_arena {
    tr_allocator base;
    tr_allocator *inner_; /* NULL: the global one */
    struct tri_arena_chunk *chunk_;
    char *next_;
    char *end_;
    struct tri_arena_value *last_; /* of the values to be dropped */
    size_t values_;
    size_t chunk_size_; /* of the next chunk */
    size_t filled_;     /* bytes used in older chunks */
    uint64_t generation_;
    bool fixed_;
} tr_arena;

/* An arena that grows, from the global allocator. Allocates nothing yet. */
TR_API tr_arena tr_arena_new(void);

/* One that grows, from the given allocator (NULL: the global one); its first chunk
 * has room for chunk_size bytes, or a few KiB if that is 0. Allocates nothing. */
TR_API tr_arena tr_arena_new_in(tr_allocator *allocator, size_t chunk_size);

/* One with room for exactly `capacity` bytes (0 is legal), made now and never more.
 * The block behind it is a little larger. TR_NOMEM. */
TR_API TR_MUST_USE tr_status tr_arena_init_fixed(tr_arena *ret_arena, tr_allocator *allocator,
                                                 size_t capacity);

/* Drop the values, the newest first, and free all chunks. The arena is then empty,
 * and usable again unless it is fixed. Fit for a cleanup attribute. */
TR_API void tr_arena_drop(tr_arena *arena);

/*
 * A block, uninitialised, as long as the arena is not reset or rolled back.
 * TR_LAYOUT: no such layout. TR_NOMEM: a fixed arena is full, or no chunk can be
 * had; nothing changed.
 */
TR_API TR_MUST_USE tr_status tr_arena_try_alloc(tr_arena *arena, tr_layout layout,
                                                void **ret_block);
/* The same; no memory is tr_out_of_memory's, an impossible layout panics. */
TR_API void *tr_arena_alloc(tr_arena *arena, tr_layout layout);

/* A new T, dropped (if it has a drop) when the arena is reset or rolled back:
 * tr_arena_make(point, &arena, .x = 1). No memory: tr_out_of_memory; the try form
 * gives NULL, and the value is still the caller's. */
#define tr_arena_make(T, arena, ...)                                                               \
    ((T *)tr_arena_make_of((arena), tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
#define tr_arena_try_make(T, arena, ...)                                                           \
    ((T *)tr_arena_try_make_of((arena), tr_type_of(T), TR_LITERAL(T, __VA_ARGS__)))
TR_API void *tr_arena_make_of(tr_arena *arena, const tr_type *type, const void *value);
TR_API TR_MUST_USE void *tr_arena_try_make_of(tr_arena *arena, const tr_type *type,
                                              const void *value);

/* Text in the arena. NULL: no memory (or printf refused the format). */
TR_API TR_MUST_USE char *tr_arena_strdup(tr_arena *arena, const char *text);
TR_API TR_MUST_USE char *tr_arena_printf(tr_arena *arena, const char *format, ...) TR_PRINTF(2, 3);

/*
 * Take everything back: drop the values, the newest first, keep the largest chunk
 * and free the others. When a drop panics the rest is dropped all the same.
 */
TR_API void tr_arena_reset(tr_arena *arena);

/* Where the arena stands. */
typedef struct tr_arena_mark {
    struct tri_arena_chunk *chunk_;
    char *next_;
    size_t values_;
    uint64_t generation_;
} tr_arena_mark;

/*
 * Take back what was handed out since the mark: drop those values, the newest
 * first, and free the chunks made since. Roll back to marks in the reverse order
 * in which they were taken, to one of them any number of times. A mark from before
 * a reset, of another arena, or whose chunk is gone panics.
 */
TR_API tr_arena_mark tr_arena_checkpoint(const tr_arena *arena);
TR_API void tr_arena_rollback(tr_arena *arena, tr_arena_mark mark);

/* Bytes handed out, padding between them included; bytes there is room for in all
 * chunks together. */
TR_API size_t tr_arena_used(const tr_arena *arena);
TR_API size_t tr_arena_capacity(const tr_arena *arena);

/*
 * A pointer that knows when it has become stale: tr_arena_get gives the block back,
 * or panics when the arena was reset since, in every build. A rollback it does not
 * notice.
 */
typedef struct tr_arena_ref {
    void *block_;
    uint64_t generation_;
} tr_arena_ref;

/* Of a block that the arena gave and still holds. Nobody owns a ref. */
TR_API tr_arena_ref tr_arena_ref_to(const tr_arena *arena, void *block);
/* The block, which stays the arena's. */
TR_API void *tr_arena_get(const tr_arena *arena, tr_arena_ref ref);

TR_END_DECLS

#endif
