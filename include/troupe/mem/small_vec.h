/*
 * small_vec - a vec whose first N elements lie inside of it (SmallVec)
 *
 *     | len 2 | cap - | a | b | . |              up to N: no memory
 *     | len 5 | cap 8 | block ----|--> | a | b | c | d | e | . |
 *
 * Use it where a few elements are usual and many possible: then the usual case
 * allocates nothing. It is as large as N elements also when they are elsewhere,
 * and each access asks where they are; a vec is right where that is rare.
 *
 *     TR_SMALL_VEC(edges, edge, 4)             makes edges and its calls
 *     TR_AUTO_VALUE(edges) e = edges_new();
 *     edges_push(&e, (edge){ .to = 3 });
 *     TR_SMALL_VEC_EACH(edges, one, &e) visit(one->to);
 *
 * Each call is the vec's of its name (vec.h), with its panics, drops, failures
 * and threads. It is moved by assignment too, which moves what lies inside: so
 * a pointer to an element is valid until the next change or move.
 */
#ifndef TROUPE_MEM_SMALL_VEC_H
#define TROUPE_MEM_SMALL_VEC_H

#include <troupe/mem/vec.h>

TR_BEGIN_DECLS

/* How a small vec type lies in memory, for the untyped core. */
typedef struct tr_small_shape {
    const tr_type *type;
    size_t inside; /* N */
    size_t offset; /* of the elements inside, or of the pointer to the block */
} tr_small_shape;

/* What each begins with. */
typedef struct tr_small_vec {
    size_t len;
    size_t block_cap_; /* 0: the elements lie inside */
} tr_small_vec;

/* Each is the typed call of its name below. */
TR_API void *tr_small_vec_data(const tr_small_vec *v, const tr_small_shape *shape);
TR_API TR_MUST_USE tr_status tr_small_vec_try_reserve(tr_small_vec *v, const tr_small_shape *shape,
                                                      size_t additional);
TR_API void tr_small_vec_shrink_to_fit(tr_small_vec *v, const tr_small_shape *shape);
TR_API TR_MUST_USE tr_status tr_small_vec_try_insert(tr_small_vec *v, const tr_small_shape *shape, size_t at,
                                                     const void *value);
TR_API void tr_small_vec_remove(tr_small_vec *v, const tr_small_shape *shape, size_t at, void *ret_value);
TR_API void tr_small_vec_swap_remove(tr_small_vec *v, const tr_small_shape *shape, size_t at,
                                     void *ret_value);
TR_API void tr_small_vec_truncate(tr_small_vec *v, const tr_small_shape *shape, size_t len);
TR_API TR_MUST_USE tr_status tr_small_vec_try_extend(tr_small_vec *v, const tr_small_shape *shape,
                                                     const void *from, size_t n);
TR_API void tr_small_vec_retain(tr_small_vec *v, const tr_small_shape *shape, tr_vec_keep keep, void *arg);
TR_API TR_MUST_USE tr_status tr_small_vec_try_clone(tr_small_vec *copy, const tr_small_shape *shape,
                                                    const tr_small_vec *from);
TR_API bool tr_small_vec_eq(const tr_small_vec *a, const tr_small_shape *shape, const tr_small_vec *b);
TR_API uint64_t tr_small_vec_hash(const tr_small_vec *v, const tr_small_shape *shape);
TR_API void tr_small_vec_drop(tr_small_vec *v, const tr_small_shape *shape);
TR_API TR_MUST_USE tr_status tr_small_vec_try_into_vec(tr_small_vec *v, const tr_small_shape *shape,
                                                       tr_vec *ret_vec);
TR_API void tr_small_vec_from_vec(tr_small_vec *v, const tr_small_shape *shape, tr_vec *from);

TR_END_DECLS

/* V: up to N elements of T inside; flags of T as the fourth argument, as TR_VEC. */
#define TR_SMALL_VEC(V, T, N, ...)                                                                 \
    TR_SMALL_TYPE_(V, T, N)                                                                        \
    TR_SMALL_ONE_(V, T, N)                                                                         \
    TR_SMALL_MANY_(V, T)                                                                           \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_try_clone, .eq = V##_eq, .hash = V##_hash,           \
            .flags = (__VA_ARGS__ + 0u))                                                           \
    TR_FLAGS_OF_(V, T)

/* As TR_VEC_EACH; V is the type. */
#define TR_SMALL_VEC_EACH(V, item, vec)                                                            \
    for (size_t item##_at_ = 0, item##_on_ = 1; item##_on_ && item##_at_ < (vec)->len;             \
         item##_at_++)                                                                             \
        for (__typeof__(V##_data(vec)) item = (item##_on_ = 0, V##_data(vec) + item##_at_);        \
             !item##_on_; item##_on_ = 1)

/*
 * Beside the vec's calls: data (the elements, wherever they are), is_spilled (in a
 * block?), and V_into_vec(v, &vec), V_from_vec(&vec) for a vec of T in its untyped
 * form: the block goes over; what lies inside gets one. The source is empty then.
 */
#define TR_SMALL_TYPE_(V, T, N)                                                                    \
    typedef struct V {                                                                             \
        union {                                                                                    \
            struct {                                                                               \
                size_t len;                                                                        \
                size_t block_cap_;                                                                 \
            };                                                                                     \
            tr_small_vec untyped;                                                                  \
        };                                                                                         \
        union {                                                                                    \
            T inside_[N];                                                                          \
            T *block_;                                                                             \
        };                                                                                         \
    } V;                                                                                           \
    TR_UNUSED static const tr_small_shape V##_shape_ = { tr_type_of(T), (N), offsetof(V, inside_) };\
    TR_VEC_CALL_ V V##_new(void)                                                                   \
    {                                                                                              \
        V made;                                                                                    \
        made.untyped = (tr_small_vec){ 0, 0 };                                                     \
        return made;                                                                               \
    }                                                                                              \
    TR_VEC_CALL_ size_t V##_cap(const V *v)                                                        \
    {                                                                                              \
        return sizeof(T) == 0 ? SIZE_MAX : v->block_cap_ != 0 ? v->block_cap_ : (N);               \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_is_spilled(const V *v)                                                   \
    {                                                                                              \
        return v->block_cap_ != 0;                                                                 \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_data(const V *v)                                                           \
    {                                                                                              \
        return v->block_cap_ != 0 ? v->block_ : (T *)(uintptr_t)v->inside_;                        \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_reserve(V *v, size_t additional)                                           \
    {                                                                                              \
        return tr_small_vec_try_reserve(&v->untyped, &V##_shape_, additional);                     \
    }                                                                                              \
    TR_VEC_CALL_ void V##_reserve(V *v, size_t additional)                                         \
    {                                                                                              \
        tr_vec_must_(V##_try_reserve(v, additional), tr_type_of(T), v->len + additional);          \
    }                                                                                              \
    TR_VEC_CALL_ void V##_shrink_to_fit(V *v)                                                      \
    {                                                                                              \
        tr_small_vec_shrink_to_fit(&v->untyped, &V##_shape_);                                      \
    }

#define TR_SMALL_ONE_(V, T, N)                                                                     \
    TR_VEC_CALL_ T *V##_get(const V *v, size_t at)                                                 \
    {                                                                                              \
        return at < v->len ? V##_data(v) + at : NULL;                                              \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_at(const V *v, size_t at)                                                  \
    {                                                                                              \
        if (TR_UNLIKELY(at >= v->len))                                                             \
            tr_vec_index_panic_(tr_type_of(T), at, v->len);                                        \
        return V##_data(v) + at;                                                                   \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_first(const V *v)                                                          \
    {                                                                                              \
        return V##_get(v, 0);                                                                      \
    }                                                                                              \
    TR_VEC_CALL_ T *V##_last(const V *v)                                                           \
    {                                                                                              \
        return V##_get(v, v->len - 1);                                                             \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_push(V *v, T value)                                                        \
    {                                                                                              \
        if (TR_UNLIKELY(v->len == (v->block_cap_ != 0 ? v->block_cap_ : (N)))) {                   \
            const tr_status status = V##_try_reserve(v, 1);                                        \
            if (status != TR_OK)                                                                   \
                return status;                                                                     \
        }                                                                                          \
        V##_data(v)[v->len++] = value;                                                             \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_VEC_CALL_ void V##_push(V *v, T value)                                                      \
    {                                                                                              \
        tr_vec_must_(V##_try_push(v, value), tr_type_of(T), v->len + 1);                           \
    }                                                                                              \
    TR_VEC_TRY_ V##_pop(V *v, T *ret_value)                                                        \
    {                                                                                              \
        if (v->len == 0)                                                                           \
            return TR_EMPTY;                                                                       \
        *ret_value = V##_data(v)[--v->len];                                                        \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_insert(V *v, size_t at, T value)                                           \
    {                                                                                              \
        return tr_small_vec_try_insert(&v->untyped, &V##_shape_, at, &value);                      \
    }                                                                                              \
    TR_VEC_CALL_ void V##_insert(V *v, size_t at, T value)                                         \
    {                                                                                              \
        tr_vec_must_(V##_try_insert(v, at, value), tr_type_of(T), v->len + 1);                     \
    }                                                                                              \
    TR_VEC_CALL_ T V##_remove(V *v, size_t at)                                                     \
    {                                                                                              \
        T removed;                                                                                 \
        tr_small_vec_remove(&v->untyped, &V##_shape_, at, &removed);                               \
        return removed;                                                                            \
    }                                                                                              \
    TR_VEC_CALL_ T V##_swap_remove(V *v, size_t at)                                                \
    {                                                                                              \
        T removed;                                                                                 \
        tr_small_vec_swap_remove(&v->untyped, &V##_shape_, at, &removed);                          \
        return removed;                                                                            \
    }

#define TR_SMALL_MANY_(V, T)                                                                       \
    TR_VEC_CALL_ void V##_truncate(V *v, size_t len)                                               \
    {                                                                                              \
        tr_small_vec_truncate(&v->untyped, &V##_shape_, len);                                      \
    }                                                                                              \
    TR_VEC_CALL_ void V##_clear(V *v)                                                              \
    {                                                                                              \
        tr_small_vec_truncate(&v->untyped, &V##_shape_, 0);                                        \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_extend(V *v, const T *from, size_t n)                                      \
    {                                                                                              \
        return tr_small_vec_try_extend(&v->untyped, &V##_shape_, from, n);                         \
    }                                                                                              \
    TR_VEC_CALL_ void V##_extend(V *v, const T *from, size_t n)                                    \
    {                                                                                              \
        tr_vec_must_(V##_try_extend(v, from, n), tr_type_of(T), v->len + n);                       \
    }                                                                                              \
    TR_VEC_CALL_ void V##_retain(V *v, bool (*keep)(T * element, void *arg), void *arg)            \
    {                                                                                              \
        tr_small_vec_retain(&v->untyped, &V##_shape_, (tr_vec_keep)keep, arg);                     \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_clone(V *copy, const V *from)                                              \
    {                                                                                              \
        return tr_small_vec_try_clone(&copy->untyped, &V##_shape_, &from->untyped);                \
    }                                                                                              \
    TR_VEC_CALL_ V V##_clone(const V *from)                                                        \
    {                                                                                              \
        V copy = V##_new();                                                                        \
        tr_vec_must_(V##_try_clone(&copy, from), tr_type_of(T), from->len);                        \
        return copy;                                                                               \
    }                                                                                              \
    TR_VEC_CALL_ bool V##_eq(const V *a, const V *b)                                               \
    {                                                                                              \
        return tr_small_vec_eq(&a->untyped, &V##_shape_, &b->untyped);                             \
    }                                                                                              \
    TR_VEC_CALL_ uint64_t V##_hash(const V *v)                                                     \
    {                                                                                              \
        return tr_small_vec_hash(&v->untyped, &V##_shape_);                                        \
    }                                                                                              \
    TR_VEC_CALL_ void V##_drop(V *v)                                                               \
    {                                                                                              \
        tr_small_vec_drop(&v->untyped, &V##_shape_);                                               \
    }                                                                                              \
    TR_VEC_TRY_ V##_try_into_vec(V *v, tr_vec *ret_vec)                                            \
    {                                                                                              \
        return tr_small_vec_try_into_vec(&v->untyped, &V##_shape_, ret_vec);                       \
    }                                                                                              \
    TR_VEC_CALL_ void V##_into_vec(V *v, tr_vec *ret_vec)                                          \
    {                                                                                              \
        tr_vec_must_(V##_try_into_vec(v, ret_vec), tr_type_of(T), v->len);                         \
    }                                                                                              \
    TR_VEC_CALL_ V V##_from_vec(tr_vec *from)                                                      \
    {                                                                                              \
        V made;                                                                                    \
        tr_small_vec_from_vec(&made.untyped, &V##_shape_, from);                                   \
        return made;                                                                               \
    }

#endif
