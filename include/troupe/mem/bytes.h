/*
 * bytes - shared views of one block of bytes, and the one that fills it
 *
 *     tr_bytes_mut b      | filled ....... | room ..... |   one owner, writes
 *     split / split_to    | frame | filled | room ..... |   disjoint parts
 *     freeze              | frame |                         tr_bytes: read by many
 *                             '-- clone, slice, split: O(1), no copy
 *
 * As the crate bytes. All parts hold shares of one Arc, which keeps the block; so
 * a message can carry a slice of what came in from the network, and the block
 * goes back when the last slice is dropped. data and len are there to be read.
 *
 * Both are plain structs, moved by assignment (TR_TAKE); all zero is empty. The
 * numbers (put_u32_be ...) are listed at the end of the file.
 *
 * Panics  a position out of bounds, more to be got than there is, a length that
 *         no memory could hold.
 * Memory  one block each, 32 bytes more than its room; from_vec needs 40 bytes and
 *         no copy. Out of memory: tr_out_of_memory; try_ forms answer TR_NOMEM, or
 *         TR_INVALID for an impossible length, and nothing has changed.
 * Threads different parts of one block may be on any threads: one thread at a
 *         time for each tr_bytes_mut, any number reads a tr_bytes.
 * Order   what was written before freeze, and read before a drop, happens before
 *         the block is written again (try_into_mut, reserve) by who is last.
 */
#ifndef TROUPE_MEM_BYTES_H
#define TROUPE_MEM_BYTES_H

#include <troupe/mem/arc.h>
#include <troupe/mem/vec.h>

TR_BEGIN_DECLS

TR_VEC_NAMED(tr_u8_vec, uint8_t)

typedef struct tr_bytes {
    const uint8_t *data; /* may be NULL when len is 0 */
    size_t len;
    void *keeper_; /* a share of the Arc that keeps them; NULL: nobody need */
} tr_bytes;

typedef struct tr_bytes_mut {
    uint8_t *data;
    size_t len; /* filled */
    size_t cap; /* filled and room; nobody else reaches [data, data + cap) */
    void *keeper_;
} tr_bytes_mut;

/* A string literal's bytes, without its '\0'; never freed. */
#define TR_BYTES(literal) tr_bytes_static("" literal, sizeof("" literal) - 1)

/* -- tr_bytes -------------------------------------------------------------------- */

/* No bytes, no memory. */
static inline tr_bytes tr_bytes_new(void)
{
    return (tr_bytes){ NULL, 0, NULL };
}

/* Bytes that outlive all that is made of them. */
static inline tr_bytes tr_bytes_static(const void *data, size_t n)
{
    return (tr_bytes){ (const uint8_t *)data, n, NULL };
}

/* A copy of n bytes. */
TR_API tr_bytes tr_bytes_copy(const void *data, size_t n);
TR_API TR_MUST_USE tr_status tr_bytes_try_copy(const void *data, size_t n, tr_bytes *ret_bytes);
/* The vec's bytes where they are; the vec is empty afterwards. */
TR_API tr_bytes tr_bytes_from_vec(tr_u8_vec *v);
TR_API TR_MUST_USE tr_status tr_bytes_try_from_vec(tr_u8_vec *v, tr_bytes *ret_bytes);
/* n bytes that the value of `arc` owns; the caller's share of it moves in. */
TR_API tr_bytes tr_bytes_from_owner(void *arc, const void *data, size_t n);

/* One more view of the same. O(1). */
TR_API tr_bytes tr_bytes_clone(const tr_bytes *b);
/* A view of [start, end). O(1). */
TR_API tr_bytes tr_bytes_slice(const tr_bytes *b, size_t start, size_t end);
/* Cut in two at byte `at`: split_to gives the front, b keeps the rest; split_off
 * gives the rest, b keeps the front. O(1). */
TR_API tr_bytes tr_bytes_split_to(tr_bytes *b, size_t at);
TR_API tr_bytes tr_bytes_split_off(tr_bytes *b, size_t at);
/* Forget n bytes in front; all behind `len` (more than there is: nothing). */
TR_API void tr_bytes_advance(tr_bytes *b, size_t n);
TR_API void tr_bytes_truncate(tr_bytes *b, size_t len);

/* Is this the only view of the block? False for static ones; what is true may
 * not turn false behind the caller's back. */
TR_API bool tr_bytes_is_unique(const tr_bytes *b);
/* Write to them again: true, b is empty afterwards, when this is the only view of
 * a block of this file's or from_vec's; else false, b is kept. No copy. */
TR_API TR_MUST_USE bool tr_bytes_try_into_mut(tr_bytes *b, tr_bytes_mut *ret_mut);

/* The members of its descriptor; eq and hash are those of the bytes. */
TR_API void tr_bytes_drop(tr_bytes *b);
TR_API TR_MUST_USE tr_status tr_bytes_try_clone(tr_bytes *copy, const tr_bytes *from);
TR_API bool tr_bytes_eq(const tr_bytes *a, const tr_bytes *b);
TR_API uint64_t tr_bytes_hash(const tr_bytes *b);

/* -- tr_bytes_mut ------------------------------------------------------------------ */

/* No bytes, no memory yet. */
static inline tr_bytes_mut tr_bytes_mut_new(void)
{
    return (tr_bytes_mut){ NULL, 0, 0, NULL };
}

/* Room for so many bytes. */
TR_API tr_bytes_mut tr_bytes_mut_with_capacity(size_t n);
TR_API TR_MUST_USE tr_status tr_bytes_mut_try_with_capacity(size_t n, tr_bytes_mut *ret_mut);

/*
 * Room for `additional` bytes more: what is there; else, when no other part of
 * the block is left, the room in front (once that is as large as what must move)
 * and behind; else a new block, amortised.
 */
TR_API void tr_bytes_mut_reserve(tr_bytes_mut *b, size_t additional);
TR_API TR_MUST_USE tr_status tr_bytes_mut_try_reserve(tr_bytes_mut *b, size_t additional);
/* The same without a new block: is there room now? */
TR_API bool tr_bytes_mut_try_reclaim(tr_bytes_mut *b, size_t additional);

/* Append n bytes, not the buffer's own. */
TR_API void tr_bytes_mut_put(tr_bytes_mut *b, const void *data, size_t n);
TR_API TR_MUST_USE tr_status tr_bytes_mut_try_put(tr_bytes_mut *b, const void *data, size_t n);
/* n times the same byte. */
TR_API void tr_bytes_mut_put_many(tr_bytes_mut *b, uint8_t byte, size_t n);

/* The room behind what is filled, for read(2) and its like, which then says by
 * `filled` how much it put there. */
static inline uint8_t *tr_bytes_mut_room(const tr_bytes_mut *b, size_t *ret_n)
{
    *ret_n = b->cap - b->len;
    return *ret_n != 0 ? b->data + b->len : NULL;
}
TR_API void tr_bytes_mut_filled(tr_bytes_mut *b, size_t n);

/* Forget n bytes in front; all behind `len` (more than there is: nothing). */
TR_API void tr_bytes_mut_advance(tr_bytes_mut *b, size_t n);
TR_API void tr_bytes_mut_truncate(tr_bytes_mut *b, size_t len);
/* Keep the room. */
static inline void tr_bytes_mut_clear(tr_bytes_mut *b)
{
    b->len = 0;
}

/* Give what is filled; b keeps the room. */
TR_API tr_bytes_mut tr_bytes_mut_split(tr_bytes_mut *b);
/* Give the front up to `at` (at most len), b keeps the rest; or give what is from
 * `at` (at most cap) on, b keeps the front. O(1), no copy. */
TR_API tr_bytes_mut tr_bytes_mut_split_to(tr_bytes_mut *b, size_t at);
TR_API tr_bytes_mut tr_bytes_mut_split_off(tr_bytes_mut *b, size_t at);
/* Append `next`, which is empty afterwards: in place if it was split off right
 * behind b, else by a copy. */
TR_API void tr_bytes_mut_unsplit(tr_bytes_mut *b, tr_bytes_mut *next);

/* No more writing: what is filled, to be shared. b is empty afterwards. O(1). */
TR_API tr_bytes tr_bytes_mut_freeze(tr_bytes_mut *b);

/* The members of its descriptor; a clone is a copy of what is filled. */
TR_API void tr_bytes_mut_drop(tr_bytes_mut *b);
TR_API TR_MUST_USE tr_status tr_bytes_mut_try_clone(tr_bytes_mut *copy, const tr_bytes_mut *from);
TR_API bool tr_bytes_mut_eq(const tr_bytes_mut *a, const tr_bytes_mut *b);
TR_API uint64_t tr_bytes_mut_hash(const tr_bytes_mut *b);

/* -- in and out, piece by piece ------------------------------------------------------ */

/* Take n bytes off the front. TR_EMPTY: there are fewer (now); none is taken. */
TR_API TR_MUST_USE tr_status tr_bytes_try_get(tr_bytes *b, void *ret_data, size_t n);
TR_API TR_MUST_USE tr_status tr_bytes_mut_try_get(tr_bytes_mut *b, void *ret_data, size_t n);

TR_API TR_NORETURN void tr_bytes_short_(size_t len, size_t n);

TR_END_DECLS

TR_TYPE(tr_bytes, .drop = tr_bytes_drop, .clone = tr_bytes_try_clone, .eq = tr_bytes_eq,
        .hash = tr_bytes_hash)
TR_TYPE(tr_bytes_mut, .drop = tr_bytes_mut_drop, .clone = tr_bytes_mut_try_clone,
        .eq = tr_bytes_mut_eq, .hash = tr_bytes_mut_hash)

/*
 * Numbers, for N of u8 i8, and of u16 u32 u64 i16 i32 i64 f32 f64 with _be or _le:
 *     tr_bytes_mut_put_N(b, number)                     appended
 *     number = tr_bytes_get_N(b), tr_bytes_mut_get_N    taken off; panics when short
 *     tr_bytes_try_get_N(b, &number), ...               TR_EMPTY, nothing taken
 */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TR_BYTES_be_(bits, raw) (raw)
#define TR_BYTES_le_(bits, raw) __builtin_bswap##bits(raw)
#else
#define TR_BYTES_be_(bits, raw) __builtin_bswap##bits(raw)
#define TR_BYTES_le_(bits, raw) (raw)
#endif
#define TR_BYTES_ne_(bits, raw) (raw)

#define TR_BYTES_PUT_(name, T, bits, order)                                                        \
    TR_UNUSED static inline void tr_bytes_mut_put_##name(tr_bytes_mut *b, T number)                \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        __builtin_memcpy(&raw, &number, sizeof raw);                                               \
        raw = TR_BYTES_##order##_(bits, raw);                                                      \
        if (TR_UNLIKELY(b->cap - b->len < sizeof raw))                                             \
            tr_bytes_mut_reserve(b, sizeof raw);                                                   \
        __builtin_memcpy(b->data + b->len, &raw, sizeof raw);                                      \
        b->len += sizeof raw;                                                                      \
    }

#define TR_BYTES_GET_(B, name, T, bits, order)                                                     \
    TR_UNUSED TR_MUST_USE static inline tr_status B##_try_get_##name(B *b, T *ret_number)          \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        const tr_status status = B##_try_get(b, &raw, sizeof raw);                                 \
        if (status != TR_OK)                                                                       \
            return status;                                                                         \
        raw = TR_BYTES_##order##_(bits, raw);                                                      \
        __builtin_memcpy(ret_number, &raw, sizeof raw);                                            \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED static inline T B##_get_##name(B *b)                                                 \
    {                                                                                              \
        T number = 0;                                                                              \
        if (TR_UNLIKELY(B##_try_get_##name(b, &number) != TR_OK))                                  \
            tr_bytes_short_(b->len, sizeof number);                                                \
        return number;                                                                             \
    }

#define TR_BYTES_NUMBER_(name, T, bits, order)                                                     \
    TR_BYTES_PUT_(name, T, bits, order)                                                            \
    TR_BYTES_GET_(tr_bytes, name, T, bits, order)                                                  \
    TR_BYTES_GET_(tr_bytes_mut, name, T, bits, order)
#define TR_BYTES_BOTH_(name, T, bits)                                                              \
    TR_BYTES_NUMBER_(name##_be, T, bits, be)                                                       \
    TR_BYTES_NUMBER_(name##_le, T, bits, le)

TR_BYTES_NUMBER_(u8, uint8_t, 8, ne)
TR_BYTES_NUMBER_(i8, int8_t, 8, ne)
TR_BYTES_BOTH_(u16, uint16_t, 16)
TR_BYTES_BOTH_(u32, uint32_t, 32)
TR_BYTES_BOTH_(u64, uint64_t, 64)
TR_BYTES_BOTH_(i16, int16_t, 16)
TR_BYTES_BOTH_(i32, int32_t, 32)
TR_BYTES_BOTH_(i64, int64_t, 64)
TR_BYTES_BOTH_(f32, float, 32)
TR_BYTES_BOTH_(f64, double, 64)

#endif
