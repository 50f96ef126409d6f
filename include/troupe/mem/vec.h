/*
 * vec - values side by side that may grow, as Vec<T>
 *
 *     | data | len 3 | cap 4 |           what you hold, by value
 *        '--> | a | b | c | . |          one block; none while cap is 0
 *
 *     TR_VEC(point)                      makes point_vec and its calls
 *
 *     TR_AUTO_VALUE(point_vec) v = point_vec_new();
 *     point_vec_push(&v, (point){ .x = 1 });
 *     TR_VEC_EACH(p, &v)
 *         p->x++;
 *
 * TR_VEC(T) needs T described (TR_TYPE, or scalars.h) and describes T_vec, so a
 * vec goes into a Box, an Arc, a message or another vec. data, len and cap are
 * there to be read; writing through data is fine, len and cap are the calls'.
 * All zero is an empty vec. A vec is moved as a struct is assigned: then only
 * one of the two may be used, see TR_TAKE.
 *
 * Values move in and out bytewise: what is pushed belongs to the vec, what is
 * popped or removed to the caller. Ranges are [start, end).
 *
 * Panics  an index or a range out of bounds, a length that no memory could hold
 *         ("capacity overflow"); in a call of yours (drop, clone, keep, compare)
 *         they leave a valid vec: every value in it or dropped, none twice.
 * Memory  out of memory: tr_out_of_memory. The try_ forms answer TR_NOMEM, or
 *         TR_INVALID for a capacity overflow, or what the type's clone answered;
 *         then nothing has changed and what was passed stays the caller's.
 *         Growth doubles, from 8 elements of 1 byte, 4 of up to 1024, 1 of more.
 *         Elements of size 0 need no memory; their cap is SIZE_MAX.
 * Threads as the values: one thread writes, or several read.
 *
 * The calls, for V = point_vec and T = point, are in the TR_VEC_ blocks below.
 */
#ifndef TROUPE_MEM_VEC_H
#define TROUPE_MEM_VEC_H

#include <troupe/mem/box.h>
#include <troupe/mem/cell.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/scalars.h>

TR_BEGIN_DECLS

/* A variable of a value type V that has a V_drop and is dropped when its scope
 * ends, however it ends. For pointers: TR_AUTO. */
#define TR_AUTO_VALUE(V) TR_UNUSED __attribute__((cleanup(V##_drop))) V

/* The value of a variable whose empty state is all zero, which it has afterwards
 * (as std::mem::take): for vecs, strings, bytes. */
#define TR_TAKE(variable)                                                                          \
    ({                                                                                             \
        __typeof__(variable) *tr_from_ = &(variable);                                              \
        __typeof__(variable) tr_taken_ = *tr_from_;                                                \
        __builtin_memset(tr_from_, 0, sizeof *tr_from_);                                           \
        tr_taken_;                                                                                 \
    })

/* T_vec. A T that has flags (TR_NOT_SEND) gives them on as the second argument:
 * TR_VEC(node_rc, TR_RC_FLAGS). Forgotten ones end a checked build at its start. */
#define TR_VEC(T, ...) TR_VEC_NAMED(T##_vec, T, ##__VA_ARGS__)

/* The same under a name of your own; as two headers must do that both need a vec
 * of int, since a type cannot be made twice. */
#define TR_VEC_NAMED(V, T, ...)                                                                    \
    TR_VEC_TYPE_(V, T)                                                                             \
    TR_VEC_ROOM_(V, T)                                                                             \
    TR_VEC_READ_(V, T)                                                                             \
    TR_VEC_WRITE_(V, T)                                                                            \
    TR_VEC_SLICES_(V, T)                                                                           \
    TR_VEC_RANGES_(V, T)                                                                           \
    TR_VEC_CHOOSE_(V, T)                                                                           \
    TR_VEC_ORDER_(V, T)                                                                            \
    TR_VEC_WHOLE_(V, T)                                                                            \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_try_clone, .eq = V##_eq, .hash = V##_hash,           \
            .flags = (__VA_ARGS__ + 0u))                                                           \
    TR_FLAGS_OF_(V, T)

/* A vec of these values, moved in, as vec![a, b, c]: TR_VEC_OF(int_vec, 1, 2). */
#define TR_VEC_OF(V, ...)                                                                          \
    ({                                                                                             \
        __typeof__(*((V *)NULL)->data) tr_items_[] = { __VA_ARGS__ };                              \
        V tr_made_ = V##_new();                                                                    \
        V##_splice(&tr_made_, 0, 0, tr_items_, sizeof tr_items_ / sizeof tr_items_[0]);            \
        tr_made_;                                                                                  \
    })

/*
 * For each element in index order, `item` pointing at it; break and continue
 * work. The body may push and remove: the loop goes on with the next index of
 * what the vec is then.
 */
#define TR_VEC_EACH(item, vec)                                                                     \
    for (size_t item##_at_ = 0, item##_on_ = 1; item##_on_ && item##_at_ < (vec)->len;             \
         item##_at_++)                                                                             \
        for (__typeof__((vec)->data) item = (item##_on_ = 0, &(vec)->data[item##_at_]);            \
             !item##_on_; item##_on_ = 1)

/* -- the untyped core: a vec whose element type is told in each call -------- */

typedef struct tr_vec {
    void *data; /* NULL while there is no block */
    size_t len;
    size_t cap; /* elements there is memory for; see tr_vec_cap */
} tr_vec;

/* What a drain has still to do; the vec is cut to [0, start) meanwhile. */
typedef struct tr_vec_drain {
    tr_vec *vec_;
    const tr_type *type_;
    size_t start_;
    size_t next_, end_; /* not yet taken out */
    size_t tail_, len_; /* [tail_, len_) comes back behind start_ */
} tr_vec_drain;

/* The element functions that callers write. */
typedef bool (*tr_vec_keep)(void *element, void *arg);
typedef bool (*tr_vec_same)(void *later, void *earlier, void *arg);
typedef int (*tr_vec_compare)(const void *a, const void *b, void *arg);

/* Each is the typed call of its name in the blocks below, for elements of `type`. */
TR_API size_t tr_vec_cap(const tr_vec *v, const tr_type *type);
TR_API TR_MUST_USE tr_status tr_vec_try_reserve(tr_vec *v, const tr_type *type, size_t additional);
TR_API TR_MUST_USE tr_status tr_vec_try_reserve_exact(tr_vec *v, const tr_type *type, size_t additional);
TR_API void tr_vec_shrink_to(tr_vec *v, const tr_type *type, size_t cap);
TR_API TR_MUST_USE tr_status tr_vec_try_insert(tr_vec *v, const tr_type *type, size_t at, const void *value);
TR_API void tr_vec_remove(tr_vec *v, const tr_type *type, size_t at, void *ret_value);
TR_API void tr_vec_swap_remove(tr_vec *v, const tr_type *type, size_t at, void *ret_value);
TR_API void tr_vec_truncate(tr_vec *v, const tr_type *type, size_t len);
TR_API void tr_vec_swap(tr_vec *v, const tr_type *type, size_t a, size_t b);
TR_API void tr_vec_reverse(tr_vec *v, const tr_type *type);
TR_API TR_MUST_USE tr_status tr_vec_try_extend(tr_vec *v, const tr_type *type, const void *from, size_t n);
TR_API TR_MUST_USE tr_status tr_vec_try_append(tr_vec *v, const tr_type *type, tr_vec *from);
TR_API TR_MUST_USE tr_status tr_vec_try_resize(tr_vec *v, const tr_type *type, size_t len, const void *value);
TR_API TR_MUST_USE tr_status tr_vec_try_splice(tr_vec *v, const tr_type *type, size_t start, size_t end,
                                               const void *items, size_t n);
TR_API TR_MUST_USE tr_status tr_vec_try_split_off(tr_vec *v, const tr_type *type, size_t at, tr_vec *ret_tail);
TR_API void tr_vec_retain(tr_vec *v, const tr_type *type, tr_vec_keep keep, void *arg);
/* same NULL: the type's eq. */
TR_API void tr_vec_dedup(tr_vec *v, const tr_type *type, tr_vec_same same, void *arg);
TR_API TR_MUST_USE tr_status tr_vec_try_sort(tr_vec *v, const tr_type *type, tr_vec_compare compare, void *arg);
TR_API void tr_vec_sort_unstable(tr_vec *v, const tr_type *type, tr_vec_compare compare, void *arg);
TR_API bool tr_vec_binary_search(const tr_vec *v, const tr_type *type, const void *key,
                                 tr_vec_compare compare, void *arg, size_t *ret_at);
TR_API void *tr_vec_find(const tr_vec *v, const tr_type *type, const void *value);
TR_API TR_MUST_USE tr_status tr_vec_try_clone(tr_vec *copy, const tr_type *type, const tr_vec *from);
TR_API bool tr_vec_eq(const tr_vec *a, const tr_type *type, const tr_vec *b);
TR_API uint64_t tr_vec_hash(const tr_vec *v, const tr_type *type);
TR_API void tr_vec_drop(tr_vec *v, const tr_type *type);
TR_API TR_MUST_USE tr_status tr_vec_try_into_box(tr_vec *v, const tr_type *type, void **ret_box);
TR_API TR_MUST_USE tr_status tr_vec_try_from_box(void *box, const tr_type *type, tr_vec *ret_vec);
TR_API tr_vec_drain tr_vec_drain_range(tr_vec *v, const tr_type *type, size_t start, size_t end);
TR_API bool tr_vec_drain_next(tr_vec_drain *drain, void *ret_value);
TR_API bool tr_vec_drain_next_back(tr_vec_drain *drain, void *ret_value);
TR_API void tr_vec_drain_drop(tr_vec_drain *drain);

/* For the plain forms: make room for one more, and what they do with a failure
 * to have room for n elements. */
TR_API void tr_vec_grow_(tr_vec *v, const tr_type *type);
TR_API TR_NORETURN void tr_vec_fail_(tr_status status, const tr_type *type, size_t n);
TR_API TR_NORETURN void tr_vec_index_panic_(const tr_type *type, size_t at, size_t len);

static inline void tr_vec_must_(tr_status status, const tr_type *type, size_t n)
{
    if (TR_UNLIKELY(status != TR_OK))
        tr_vec_fail_(status, type, n);
}

TR_END_DECLS

/* -- the typed calls -------------------------------------------------------- */

#define TR_VEC_CALL_ TR_UNUSED static inline
#define TR_VEC_TRY_ TR_UNUSED TR_MUST_USE static inline tr_status

#define TR_VEC_TYPE_(V, T)                                                                         \
    typedef union V {                                                                              \
        struct {                                                                                   \
            T *data;                                                                               \
            size_t len;                                                                            \
            size_t cap;                                                                            \
        };                                                                                         \
        tr_vec untyped;                                                                            \
    } V;                                                                                           \
    typedef struct V##_drain {                                                                     \
        tr_vec_drain untyped;                                                                      \
    } V##_drain;                                                                                   \
    TR_VEC_CALL_ V V##_new(void)                                                                   \
    {                                                                                              \
        return (V){ .untyped = { NULL, 0, 0 } };                                                   \
    }

/*
 * Memory. reserve leaves room for at least `additional` more elements, amortised;
 * reserve_exact for so many and no more. shrink_to keeps at least `cap`; when
 * there is no memory to move to, the vec stays as it was.
 */
#define TR_VEC_ROOM_(V, T)                                                                         \
    TR_VEC_CALL_ size_t V##_cap(const V *v)                                                        \
    {                                                                                              \
        return sizeof(T) == 0 ? SIZE_MAX : v->cap;                                                 \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_reserve(V *v, size_t additional)                                           \
    {                                                                                              \
        return tr_vec_try_reserve(&v->untyped, tr_type_of(T), additional);                         \
    }                                                                                              \
    TR_VEC_CALL_ void V##_reserve(V *v, size_t additional)                                         \
    {                                                                                              \
        tr_vec_must_(V##_try_reserve(v, additional), tr_type_of(T), v->len + additional);          \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_reserve_exact(V *v, size_t additional)                                     \
    {                                                                                              \
        return tr_vec_try_reserve_exact(&v->untyped, tr_type_of(T), additional);                   \
    }                                                                                              \
    TR_VEC_CALL_ void V##_reserve_exact(V *v, size_t additional)                                   \
    {                                                                                              \
        tr_vec_must_(V##_try_reserve_exact(v, additional), tr_type_of(T), v->len + additional);    \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_with_capacity(size_t cap, V *ret_vec)                                      \
    {                                                                                              \
        V made = V##_new();                                                                        \
        const tr_status status = V##_try_reserve_exact(&made, cap);                                \
        if (status == TR_OK)                                                                       \
            *ret_vec = made;                                                                       \
        return status;                                                                             \
    }                                                                                              \
    TR_VEC_CALL_ V V##_with_capacity(size_t cap)                                                   \
    {                                                                                              \
        V made = V##_new();                                                                        \
        V##_reserve_exact(&made, cap);                                                             \
        return made;                                                                               \
    }                                                                                              \
    TR_VEC_CALL_ void V##_shrink_to(V *v, size_t cap)                                              \
    {                                                                                              \
        tr_vec_shrink_to(&v->untyped, tr_type_of(T), cap);                                         \
    }                                                                                              \
    TR_VEC_CALL_ void V##_shrink_to_fit(V *v)                                                      \
    {                                                                                              \
        tr_vec_shrink_to(&v->untyped, tr_type_of(T), 0);                                           \
    }

/* One element, which stays the vec's. at panics where get, first and last give
 * NULL. find: the first one that the type's eq calls equal, or NULL. */
#define TR_VEC_READ_(V, T)                                                                         \
    TR_VEC_CALL_ T *V##_get(const V *v, size_t at)                                                 \
    {                                                                                              \
        return at < v->len ? &v->data[at] : NULL;                                                  \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_at(const V *v, size_t at)                                                  \
    {                                                                                              \
        if (TR_UNLIKELY(at >= v->len))                                                             \
            tr_vec_index_panic_(tr_type_of(T), at, v->len);                                        \
        return &v->data[at];                                                                       \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_first(const V *v)                                                          \
    {                                                                                              \
        return V##_get(v, 0);                                                                      \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_last(const V *v)                                                           \
    {                                                                                              \
        return V##_get(v, v->len - 1);                                                             \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_find(const V *v, const T *value)                                           \
    {                                                                                              \
        return (T *)tr_vec_find(&v->untyped, tr_type_of(T), value);                                \
    }

/*
 * One element in or out. pop: TR_EMPTY when there is none. remove closes the gap
 * in order, swap_remove with the last element. truncate to more than len does
 * nothing; what goes is dropped in index order.
 */
#define TR_VEC_WRITE_(V, T)                                                                        \
    TR_VEC_CALL_ void V##_push(V *v, T value)                                                      \
    {                                                                                              \
        if (TR_UNLIKELY(v->len == v->cap))                                                         \
            tr_vec_grow_(&v->untyped, tr_type_of(T));                                              \
        v->data[v->len++] = value;                                                                 \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_push(V *v, T value)                                                        \
    {                                                                                              \
        const tr_status status = V##_try_reserve(v, 1);                                            \
        if (status == TR_OK)                                                                       \
            v->data[v->len++] = value;                                                             \
        return status;                                                                             \
    }                                                                                              \
    TR_VEC_TRY_ V##_pop(V *v, T *ret_value)                                                        \
    {                                                                                              \
        if (v->len == 0)                                                                           \
            return TR_EMPTY;                                                                       \
        *ret_value = v->data[--v->len];                                                            \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_insert(V *v, size_t at, T value)                                           \
    {                                                                                              \
        return tr_vec_try_insert(&v->untyped, tr_type_of(T), at, &value);                          \
    }                                                                                              \
    TR_VEC_CALL_ void V##_insert(V *v, size_t at, T value)                                         \
    {                                                                                              \
        tr_vec_must_(V##_try_insert(v, at, value), tr_type_of(T), v->len + 1);                     \
    }                                                                                              \
    TR_VEC_CALL_ T V##_remove(V *v, size_t at)                                                     \
    {                                                                                              \
        T removed;                                                                                 \
        tr_vec_remove(&v->untyped, tr_type_of(T), at, &removed);                                   \
        return removed;                                                                            \
    }                                                                                              \
    TR_VEC_CALL_ T V##_swap_remove(V *v, size_t at)                                                \
    {                                                                                              \
        T removed;                                                                                 \
        tr_vec_swap_remove(&v->untyped, tr_type_of(T), at, &removed);                              \
        return removed;                                                                            \
    }                                                                                              \
    TR_VEC_CALL_ void V##_truncate(V *v, size_t len)                                               \
    {                                                                                              \
        tr_vec_truncate(&v->untyped, tr_type_of(T), len);                                          \
    }                                                                                              \
    TR_VEC_CALL_ void V##_clear(V *v)                                                              \
    {                                                                                              \
        tr_vec_truncate(&v->untyped, tr_type_of(T), 0);                                            \
    }                                                                                              \
    TR_VEC_CALL_ void V##_swap(V *v, size_t a, size_t b)                                           \
    {                                                                                              \
        tr_vec_swap(&v->untyped, tr_type_of(T), a, b);                                             \
    }                                                                                              \
    TR_VEC_CALL_ void V##_reverse(V *v)                                                            \
    {                                                                                              \
        tr_vec_reverse(&v->untyped, tr_type_of(T));                                                \
    }

/*
 * Many elements in. extend clones n elements (they may be the vec's own); append
 * moves all of `from`, which is empty afterwards and keeps its block. resize
 * truncates, or adds clones of *value.
 */
#define TR_VEC_SLICES_(V, T)                                                                       \
    TR_VEC_TRY_ V##_try_extend(V *v, const T *from, size_t n)                                      \
    {                                                                                              \
        return tr_vec_try_extend(&v->untyped, tr_type_of(T), from, n);                             \
    }                                                                                              \
    TR_VEC_CALL_ void V##_extend(V *v, const T *from, size_t n)                                    \
    {                                                                                              \
        tr_vec_must_(V##_try_extend(v, from, n), tr_type_of(T), v->len + n);                       \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_append(V *v, V *from)                                                      \
    {                                                                                              \
        return tr_vec_try_append(&v->untyped, tr_type_of(T), &from->untyped);                      \
    }                                                                                              \
    TR_VEC_CALL_ void V##_append(V *v, V *from)                                                    \
    {                                                                                              \
        tr_vec_must_(V##_try_append(v, from), tr_type_of(T), v->len + from->len);                  \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_resize(V *v, size_t len, const T *value)                                   \
    {                                                                                              \
        return tr_vec_try_resize(&v->untyped, tr_type_of(T), len, value);                          \
    }                                                                                              \
    TR_VEC_CALL_ void V##_resize(V *v, size_t len, const T *value)                                 \
    {                                                                                              \
        tr_vec_must_(V##_try_resize(v, len, value), tr_type_of(T), len);                           \
    }

/*
 * A range out. splice drops [start, end) and moves n items (not the vec's own)
 * to its place, also when one of the drops panics. split_off gives [at, len).
 *
 * drain_range takes elements out one by one, from either end, then closes the
 * gap: when it is dropped, with what was not taken, in order. Leave the vec alone
 * meanwhile: it is cut to [0, start).
 *     TR_AUTO_VALUE(point_vec_drain) d = point_vec_drain_range(&v, 1, 3);
 *     for (point p; point_vec_drain_next(&d, &p);) ...
 */
#define TR_VEC_RANGES_(V, T)                                                                       \
    TR_VEC_TRY_ V##_try_splice(V *v, size_t start, size_t end, T *items, size_t n)                 \
    {                                                                                              \
        return tr_vec_try_splice(&v->untyped, tr_type_of(T), start, end, items, n);                \
    }                                                                                              \
    TR_VEC_CALL_ void V##_splice(V *v, size_t start, size_t end, T *items, size_t n)               \
    {                                                                                              \
        tr_vec_must_(V##_try_splice(v, start, end, items, n), tr_type_of(T), v->len + n);          \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_split_off(V *v, size_t at, V *ret_tail)                                    \
    {                                                                                              \
        return tr_vec_try_split_off(&v->untyped, tr_type_of(T), at, &ret_tail->untyped);           \
    }                                                                                              \
    TR_VEC_CALL_ V V##_split_off(V *v, size_t at)                                                  \
    {                                                                                              \
        V tail = V##_new();                                                                        \
        tr_vec_must_(V##_try_split_off(v, at, &tail), tr_type_of(T), v->len - at);                 \
        return tail;                                                                               \
    }                                                                                              \
    TR_VEC_CALL_ V##_drain V##_drain_range(V *v, size_t start, size_t end)                         \
    {                                                                                              \
        return (V##_drain){ tr_vec_drain_range(&v->untyped, tr_type_of(T), start, end) };          \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_drain_next(V##_drain *drain, T *ret_value)                               \
    {                                                                                              \
        return tr_vec_drain_next(&drain->untyped, ret_value);                                      \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_drain_next_back(V##_drain *drain, T *ret_value)                          \
    {                                                                                              \
        return tr_vec_drain_next_back(&drain->untyped, ret_value);                                 \
    }                                                                                              \
    TR_VEC_CALL_ void V##_drain_drop(V##_drain *drain)                                             \
    {                                                                                              \
        tr_vec_drain_drop(&drain->untyped);                                                        \
    }

/*
 * Elements out by what they are, in one pass, dropped as they are found. retain
 * keeps those for which keep says true; dedup drops each that equals the one
 * kept before it. The vec looks empty to the functions it calls.
 */
#define TR_VEC_CHOOSE_(V, T)                                                                       \
    TR_VEC_CALL_ void V##_retain(V *v, bool (*keep)(T * element, void *arg), void *arg)            \
    {                                                                                              \
        tr_vec_retain(&v->untyped, tr_type_of(T), (tr_vec_keep)keep, arg);                         \
    }                                                                                              \
    TR_VEC_CALL_ void V##_dedup(V *v)                                                              \
    {                                                                                              \
        tr_vec_dedup(&v->untyped, tr_type_of(T), NULL, NULL);                                      \
    }                                                                                              \
    TR_VEC_CALL_ void V##_dedup_by(V *v, bool (*same)(T * later, T * earlier, void *arg), void *arg) \
    {                                                                                              \
        tr_vec_dedup(&v->untyped, tr_type_of(T), (tr_vec_same)same, arg);                          \
    }

/*
 * Order by a function that answers below, equal or above 0, as qsort's. sort_by
 * is stable, needs memory above 32 elements (of size_t, not of T), and moves
 * nothing before the last comparison; sort_unstable_by needs none.
 * binary_search in a vec so ordered: *ret_at is an equal element's index (true)
 * or where key belongs (false); `a` is the element.
 */
#define TR_VEC_ORDER_(V, T)                                                                        \
    TR_VEC_TRY_ V##_try_sort_by(V *v, int (*compare)(const T *a, const T *b, void *arg), void *arg) \
    {                                                                                              \
        return tr_vec_try_sort(&v->untyped, tr_type_of(T), (tr_vec_compare)compare, arg);          \
    }                                                                                              \
    TR_VEC_CALL_ void V##_sort_by(V *v, int (*compare)(const T *a, const T *b, void *arg), void *arg) \
    {                                                                                              \
        tr_vec_must_(V##_try_sort_by(v, compare, arg), tr_type_of(size_t), 2 * v->len);           \
    }                                                                                              \
    TR_VEC_CALL_ void V##_sort_unstable_by(V *v, int (*compare)(const T *a, const T *b, void *arg), \
                                           void *arg)                                              \
    {                                                                                              \
        tr_vec_sort_unstable(&v->untyped, tr_type_of(T), (tr_vec_compare)compare, arg);            \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_binary_search(const V *v, const T *key,                                  \
                                        int (*compare)(const T *a, const T *b, void *arg),         \
                                        void *arg, size_t *ret_at)                                 \
    {                                                                                              \
        return tr_vec_binary_search(&v->untyped, tr_type_of(T), key, (tr_vec_compare)compare, arg, \
                                    ret_at);                                                       \
    }

/*
 * The whole. A clone's cap is its len. drop leaves an empty vec that may be used
 * again. A Box's block differs from a vec's by its header, so into_box and
 * from_box move the elements bytewise to a new block; v is empty, box is NULL
 * afterwards. from_box takes any Box of T; for an Arc it panics.
 */
#define TR_VEC_WHOLE_(V, T)                                                                        \
    TR_VEC_TRY_ V##_try_clone(V *copy, const V *from)                                              \
    {                                                                                              \
        return tr_vec_try_clone(&copy->untyped, tr_type_of(T), &from->untyped);                    \
    }                                                                                              \
    TR_VEC_CALL_ V V##_clone(const V *from)                                                        \
    {                                                                                              \
        V copy = V##_new();                                                                        \
        tr_vec_must_(V##_try_clone(&copy, from), tr_type_of(T), from->len);                        \
        return copy;                                                                               \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_eq(const V *a, const V *b)                                               \
    {                                                                                              \
        return tr_vec_eq(&a->untyped, tr_type_of(T), &b->untyped);                                 \
    }                                                                                              \
    TR_VEC_CALL_ uint64_t V##_hash(const V *v)                                                     \
    {                                                                                              \
        return tr_vec_hash(&v->untyped, tr_type_of(T));                                            \
    }                                                                                              \
    TR_VEC_CALL_ void V##_drop(V *v)                                                               \
    {                                                                                              \
        tr_vec_drop(&v->untyped, tr_type_of(T));                                                   \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_into_box(V *v, T **ret_box)                                                \
    {                                                                                              \
        void *box;                                                                                 \
        const tr_status status = tr_vec_try_into_box(&v->untyped, tr_type_of(T), &box);            \
        if (status == TR_OK)                                                                       \
            *ret_box = (T *)box;                                                                   \
        return status;                                                                             \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_into_box(V *v)                                                             \
    {                                                                                              \
        T *box = NULL;                                                                             \
        tr_vec_must_(V##_try_into_box(v, &box), tr_type_of(T), v->len);                            \
        return box;                                                                                \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_from_box(T **box, V *ret_vec)                                              \
    {                                                                                              \
        const tr_status status = tr_vec_try_from_box(*box, tr_type_of(T), &ret_vec->untyped);      \
        if (status == TR_OK)                                                                       \
            *box = NULL;                                                                           \
        return status;                                                                             \
    }                                                                                              \
    TR_VEC_CALL_ V V##_from_box(T **box)                                                           \
    {                                                                                              \
        V made = V##_new();                                                                        \
        const size_t n = *box != NULL ? tr_array_len(*box) : 0;                                    \
        tr_vec_must_(V##_try_from_box(box, &made), tr_type_of(T), n);                              \
        return made;                                                                               \
    }

#endif
