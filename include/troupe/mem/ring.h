/*
 * ring - the last so many values, first in, first out, in one block
 *
 *     | d | . | a | b | c |        capacity 5: front a, back d
 *           ^   ^
 *         back  front
 *
 * Use it for bytes between a socket and a parser, or the newest of a series. For
 * two threads use a bounded channel; for a queue that grows, a vec or a list.
 *
 *     TR_RING(int)                              makes int_ring and its calls
 *     TR_AUTO_VALUE(int_ring) r = int_ring_with_capacity(3);
 *     if (int_ring_try_push(&r, 1) == TR_FULL) ...
 *
 * The capacity is exact; the block is the next power of two, so that a place is a
 * mask away. Values move in and out bytewise, as with vec.h. Dropped from front
 * to back. Moved as a struct is assigned; all zero is a ring of capacity 0.
 *
 * Threads one at a time.
 * Progress O(1) a value; slices go by at most two copies.
 * Memory  one block, made at the start. Capacity 0, or an impossible one:
 *         TR_INVALID, and the plain form panics.
 */
#ifndef TROUPE_MEM_RING_H
#define TROUPE_MEM_RING_H

#include <troupe/mem/vec.h>

TR_BEGIN_DECLS

typedef struct tr_ring {
    void *data_;
    size_t mask_; /* places - 1 */
    size_t cap_;
    size_t front_, back_; /* run on; the places are these under the mask */
} tr_ring;

/* Two runs of places that follow each other, for the untyped core. */
typedef struct tr_ring_runs {
    void *first;
    size_t first_len;
    void *second;
    size_t second_len;
} tr_ring_runs;

/* Each is the typed call of its name below, for elements of `type`. */
TR_API TR_MUST_USE tr_status tr_ring_try_with_capacity(const tr_type *type, size_t cap, tr_ring *ret_ring);
TR_API tr_ring tr_ring_with_capacity(const tr_type *type, size_t cap);
TR_API size_t tr_ring_push_slice(tr_ring *r, const tr_type *type, const void *values, size_t n);
TR_API size_t tr_ring_pop_slice(tr_ring *r, const tr_type *type, void *ret_values, size_t n);
TR_API tr_ring_runs tr_ring_values(const tr_ring *r, const tr_type *type);
TR_API tr_ring_runs tr_ring_room(const tr_ring *r, const tr_type *type);
TR_API void tr_ring_filled(tr_ring *r, size_t n);
TR_API void tr_ring_skip(tr_ring *r, const tr_type *type, size_t n);
TR_API TR_MUST_USE tr_status tr_ring_try_clone(tr_ring *copy, const tr_type *type, const tr_ring *from);
TR_API bool tr_ring_eq(const tr_ring *a, const tr_type *type, const tr_ring *b);
TR_API uint64_t tr_ring_hash(const tr_ring *r, const tr_type *type);
TR_API void tr_ring_drop(tr_ring *r, const tr_type *type);

TR_END_DECLS

/*
 * T_ring. try_push: TR_FULL, the value stays the caller's. push_over takes the
 * oldest out to make room: true, *ret_old. pop: TR_EMPTY. get: the value `at`
 * places behind the front, or NULL. The slices move as many as fit or are there
 * and say how many. values and room: what lies in the ring, and where more may be
 * written, each as at most two runs; then `filled` adds n values written there,
 * and `skip` drops n from the front (panics: there are not so many). Flags of T come
 * second, as with TR_VEC.
 */
#define TR_RING(T, ...)                                                                            \
    TR_RING_MAKE_(T##_ring, T)                                                                     \
    TR_RING_ONE_(T##_ring, T)                                                                      \
    TR_RING_RUNS_(T##_ring, T)                                                                     \
    TR_TYPE(T##_ring, .drop = T##_ring_drop, .clone = T##_ring_try_clone, .eq = T##_ring_eq,       \
            .hash = T##_ring_hash, .flags = (__VA_ARGS__ + 0u))                                    \
    TR_FLAGS_OF_(T##_ring, T)

#define TR_RING_MAKE_(R, T)                                                                        \
    typedef struct R {                                                                             \
        tr_ring untyped;                                                                           \
    } R;                                                                                           \
    typedef struct R##_runs {                                                                      \
        T *first;                                                                                  \
        size_t first_len;                                                                          \
        T *second;                                                                                 \
        size_t second_len;                                                                         \
    } R##_runs;                                                                                    \
    TR_VEC_TRY_ R##_try_with_capacity(size_t cap, R *ret_ring)                                     \
    {                                                                                              \
        return tr_ring_try_with_capacity(tr_type_of(T), cap, &ret_ring->untyped);                  \
    }                                                                                              \
    TR_VEC_CALL_ R R##_with_capacity(size_t cap)                                                   \
    {                                                                                              \
        return (R){ tr_ring_with_capacity(tr_type_of(T), cap) };                                   \
    }                                                                                              \
    TR_VEC_CALL_ size_t R##_cap(const R *r)                                                        \
    {                                                                                              \
        return r->untyped.cap_;                                                                    \
    }                                                                                              \
    TR_VEC_CALL_ size_t R##_len(const R *r)                                                        \
    {                                                                                              \
        return r->untyped.back_ - r->untyped.front_;                                               \
    }                                                                                              \
    TR_VEC_TRY_ R##_try_clone(R *copy, const R *from)                                              \
    {                                                                                              \
        return tr_ring_try_clone(&copy->untyped, tr_type_of(T), &from->untyped);                   \
    }                                                                                              \
    TR_VEC_CALL_ bool R##_eq(const R *a, const R *b)                                               \
    {                                                                                              \
        return tr_ring_eq(&a->untyped, tr_type_of(T), &b->untyped);                                \
    }                                                                                              \
    TR_VEC_CALL_ uint64_t R##_hash(const R *r)                                                     \
    {                                                                                              \
        return tr_ring_hash(&r->untyped, tr_type_of(T));                                           \
    }                                                                                              \
    TR_VEC_CALL_ void R##_drop(R *r)                                                               \
    {                                                                                              \
        tr_ring_drop(&r->untyped, tr_type_of(T));                                                  \
    }

#define TR_RING_ONE_(R, T)                                                                         \
    TR_VEC_CALL_ T *R##_get(const R *r, size_t at)                                                 \
    {                                                                                              \
        return at < R##_len(r) ? (T *)r->untyped.data_ + ((r->untyped.front_ + at) & r->untyped.mask_)\
                               : NULL;                                                             \
    }                                                                                              \
    TR_VEC_TRY_ R##_try_push(R *r, T value)                                                        \
    {                                                                                              \
        if (R##_len(r) == r->untyped.cap_)                                                         \
            return TR_FULL;                                                                        \
        ((T *)r->untyped.data_)[r->untyped.back_++ & r->untyped.mask_] = value;                    \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_VEC_TRY_ R##_pop(R *r, T *ret_value)                                                        \
    {                                                                                              \
        if (R##_len(r) == 0)                                                                       \
            return TR_EMPTY;                                                                       \
        *ret_value = ((T *)r->untyped.data_)[r->untyped.front_++ & r->untyped.mask_];              \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED TR_MUST_USE static inline bool R##_push_over(R *r, T value, T *ret_old)              \
    {                                                                                              \
        const bool full = R##_len(r) == r->untyped.cap_ && R##_pop(r, ret_old) == TR_OK;           \
        TR_MUST(R##_try_push(r, value));                                                           \
        return full;                                                                               \
    }

#define TR_RING_RUNS_(R, T)                                                                        \
    TR_VEC_CALL_ size_t R##_push_slice(R *r, T *values, size_t n)                                  \
    {                                                                                              \
        return tr_ring_push_slice(&r->untyped, tr_type_of(T), values, n);                          \
    }                                                                                              \
    TR_VEC_CALL_ size_t R##_pop_slice(R *r, T *ret_values, size_t n)                               \
    {                                                                                              \
        return tr_ring_pop_slice(&r->untyped, tr_type_of(T), ret_values, n);                       \
    }                                                                                              \
    TR_VEC_CALL_ R##_runs R##_values(const R *r)                                                   \
    {                                                                                              \
        const tr_ring_runs runs = tr_ring_values(&r->untyped, tr_type_of(T));                      \
        return (R##_runs){ (T *)runs.first, runs.first_len, (T *)runs.second, runs.second_len };   \
    }                                                                                              \
    TR_VEC_CALL_ R##_runs R##_room(const R *r)                                                     \
    {                                                                                              \
        const tr_ring_runs runs = tr_ring_room(&r->untyped, tr_type_of(T));                        \
        return (R##_runs){ (T *)runs.first, runs.first_len, (T *)runs.second, runs.second_len };   \
    }                                                                                              \
    TR_VEC_CALL_ void R##_filled(R *r, size_t n)                                                   \
    {                                                                                              \
        tr_ring_filled(&r->untyped, n);                                                            \
    }                                                                                              \
    TR_VEC_CALL_ void R##_skip(R *r, size_t n)                                                     \
    {                                                                                              \
        tr_ring_skip(&r->untyped, tr_type_of(T), n);                                               \
    }

#endif
