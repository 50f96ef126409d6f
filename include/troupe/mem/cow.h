/*
 * cow - a borrowed value that is cloned when it is first written (Cow)
 *
 *     borrowed ---to_mut---> owned        the clone; the source is untouched
 *     owned ------to_mut---> owned        nothing
 *
 * Use it for what is usually passed through and seldom changed. Three kinds:
 *     TR_COW(T)        T_cow: a described value       (Cow<T>)
 *     TR_COW_VEC(V, T) V_cow: elements of T, or a V   (Cow<[T]>)
 *     tr_cow_str       text, or a tr_string           (Cow<str>)
 *
 *     tr_cow_str name = tr_cow_str_borrowed(TR_STR("hello"));
 *     tr_string_push(tr_cow_str_to_mut(&name), '!');       cloned here
 *     tr_cow_str_drop(&name);
 *
 * A Cow is a plain struct: moved by assignment (TR_TAKE), passed by value to
 * give it away. All zero is an owned zero value. What was borrowed must outlive
 * every Cow that borrows it, clones included, until it is owned.
 *
 * Memory  the clone's, at the first to_mut or into_owned of a borrowed one; else
 *         none. Out of memory: tr_out_of_memory, a clone that fails otherwise
 *         panics; the try_ forms answer the clone's status and change nothing.
 * Threads as the value.
 */
#ifndef TROUPE_MEM_COW_H
#define TROUPE_MEM_COW_H

#include <troupe/mem/string.h>
#include <troupe/mem/vec.h>

TR_BEGIN_DECLS

/* Clone one value of the type, or n elements, for the macros below. */
TR_API TR_MUST_USE tr_status tr_cow_clone_(const tr_type *type, void *copy, const void *value);
TR_API TR_MUST_USE tr_status tr_cow_clone_slice_(const tr_type *type, tr_vec *copy, const void *values,
                                                 size_t n);
TR_API bool tr_cow_eq_(const tr_type *type, const void *a, const void *b);
TR_API uint64_t tr_cow_hash_(const tr_type *type, const void *value);

/* -- text -------------------------------------------------------------------- */

typedef struct tr_cow_str {
    const char *borrowed_; /* NULL: owned */
    size_t borrowed_len_;
    tr_string owned_;
} tr_cow_str;

/* Borrow a text; nothing is allocated. */
static inline tr_cow_str tr_cow_str_borrowed(tr_str text)
{
    return (tr_cow_str){ .borrowed_ = text.len != 0 ? text.data : "", .borrowed_len_ = text.len,
                         .owned_ = { { NULL, 0, 0 } } };
}

/* Own a string, which is moved in. */
static inline tr_cow_str tr_cow_str_owned(tr_string string)
{
    return (tr_cow_str){ .borrowed_ = NULL, .borrowed_len_ = 0, .owned_ = string };
}

/* Does it borrow still? */
static inline bool tr_cow_str_is_borrowed(const tr_cow_str *cow)
{
    return cow->borrowed_ != NULL;
}

/* The text, as long as the Cow is not changed. */
static inline tr_str tr_cow_str_get(const tr_cow_str *cow)
{
    return cow->borrowed_ != NULL ? (tr_str){ cow->borrowed_, cow->borrowed_len_ }
                                  : tr_string_str(&cow->owned_);
}

/* The owned string to write to, cloned if it was borrowed. */
TR_API tr_string *tr_cow_str_to_mut(tr_cow_str *cow);
TR_API TR_MUST_USE tr_status tr_cow_str_try_to_mut(tr_cow_str *cow, tr_string **ret_string);
/* The owned string moved out; the Cow is an owned empty one afterwards. */
TR_API tr_string tr_cow_str_into_owned(tr_cow_str *cow);
TR_API TR_MUST_USE tr_status tr_cow_str_try_into_owned(tr_cow_str *cow, tr_string *ret_string);
/* A borrowed one is borrowed again, an owned one cloned. */
TR_API TR_MUST_USE tr_status tr_cow_str_try_clone(tr_cow_str *copy, const tr_cow_str *from);
/* By what they hold, however they hold it. */
TR_API bool tr_cow_str_eq(const tr_cow_str *a, const tr_cow_str *b);
TR_API uint64_t tr_cow_str_hash(const tr_cow_str *cow);
TR_API void tr_cow_str_drop(tr_cow_str *cow);

/*
 * The bytes as text: borrowed when they are UTF-8, else a copy in which each
 * fault is a U+FFFD (as String::from_utf8_lossy). TR_NOMEM, TR_INVALID (too long).
 */
TR_API TR_MUST_USE tr_status tr_cow_str_try_lossy(const void *bytes, size_t n, tr_cow_str *ret_cow);

TR_END_DECLS

TR_TYPE(tr_cow_str, .drop = tr_cow_str_drop, .clone = tr_cow_str_try_clone, .eq = tr_cow_str_eq,
        .hash = tr_cow_str_hash)

/* What several threads must not use at a time may not be borrowed across them. */
#define TR_COW_FLAGS_(flags) ((flags) | (((flags) & TR_NOT_SHARE) != 0 ? TR_NOT_SEND : 0u))

/* -- a value ------------------------------------------------------------------ */

/*
 * T_cow, described. T must be described, and all zero be a value of it that needs
 * no drop. The calls are those of tr_cow_str: T_cow_borrowed(const T *),
 * _owned(T), _is_borrowed, _get -> const T *, _to_mut -> T *, _try_to_mut,
 * _into_owned -> T, _try_into_owned, _try_clone, _eq, _hash, _drop. Flags of T, here
 * and below, come last, as with TR_VEC.
 */
#define TR_COW(T, ...)                                                                             \
    TR_COW_MAKE_(T##_cow, T)                                                                       \
    TR_COW_OWN_(T##_cow, T)                                                                        \
    TR_TYPE(T##_cow, .drop = T##_cow_drop, .clone = T##_cow_try_clone, .eq = T##_cow_eq,           \
            .hash = T##_cow_hash, .flags = TR_COW_FLAGS_(__VA_ARGS__ + 0u))                        \
    TR_FLAGS_OF_(T##_cow, T)

#define TR_COW_MAKE_(C, T)                                                                         \
    typedef struct C {                                                                             \
        const T *borrowed_; /* NULL: owned */                                                      \
        T owned_;                                                                                  \
    } C;                                                                                           \
    TR_UNUSED static inline C C##_borrowed(const T *value)                                         \
    {                                                                                              \
        C cow;                                                                                     \
        __builtin_memset(&cow, 0, sizeof cow);                                                     \
        cow.borrowed_ = value;                                                                     \
        return cow;                                                                                \
    }                                                                                              \
    TR_UNUSED static inline C C##_owned(T value)                                                   \
    {                                                                                              \
        return (C){ .borrowed_ = NULL, .owned_ = value };                                          \
    }                                                                                              \
    TR_UNUSED static inline bool C##_is_borrowed(const C *cow)                                     \
    {                                                                                              \
        return cow->borrowed_ != NULL;                                                             \
    }                                                                                              \
    TR_UNUSED static inline const T *C##_get(const C *cow)                                         \
    {                                                                                              \
        return cow->borrowed_ != NULL ? cow->borrowed_ : &cow->owned_;                             \
    }                                                                                              \
    TR_UNUSED static inline bool C##_eq(const C *a, const C *b)                                    \
    {                                                                                              \
        return tr_cow_eq_(tr_type_of(T), C##_get(a), C##_get(b));                                  \
    }                                                                                              \
    TR_UNUSED static inline uint64_t C##_hash(const C *cow)                                        \
    {                                                                                              \
        return tr_cow_hash_(tr_type_of(T), C##_get(cow));                                          \
    }                                                                                              \
    TR_UNUSED static inline void C##_drop(C *cow)                                                  \
    {                                                                                              \
        C old = TR_TAKE(*cow);                                                                     \
        if (old.borrowed_ == NULL && tr_type_of(T)->drop != NULL)                                  \
            tr_type_of(T)->drop(&old.owned_);                                                      \
    }

/* Of both forms: the value, taken out of the Cow. */
#define TR_COW_INTO_OWNED_(C, T)                                                                   \
    TR_UNUSED TR_MUST_USE static inline tr_status C##_try_into_owned(C *cow, T *ret_value)         \
    {                                                                                              \
        T *value = NULL;                                                                           \
        const tr_status status = C##_try_to_mut(cow, &value);                                      \
        if (status == TR_OK)                                                                       \
            *ret_value = TR_TAKE(*value);                                                          \
        return status;                                                                             \
    }                                                                                              \
    TR_UNUSED static inline T C##_into_owned(C *cow)                                               \
    {                                                                                              \
        T *value = C##_to_mut(cow);                                                                \
        return TR_TAKE(*value);                                                                    \
    }

#define TR_COW_OWN_(C, T)                                                                          \
    TR_UNUSED TR_MUST_USE static inline tr_status C##_try_to_mut(C *cow, T **ret_value)            \
    {                                                                                              \
        if (cow->borrowed_ != NULL) {                                                              \
            const tr_status status = tr_cow_clone_(tr_type_of(T), &cow->owned_, cow->borrowed_);   \
            if (status != TR_OK)                                                                   \
                return status;                                                                     \
            cow->borrowed_ = NULL;                                                                 \
        }                                                                                          \
        *ret_value = &cow->owned_;                                                                 \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED static inline T *C##_to_mut(C *cow)                                                  \
    {                                                                                              \
        T *value = NULL;                                                                           \
        tr_vec_must_(C##_try_to_mut(cow, &value), tr_type_of(T), 1);                               \
        return value;                                                                              \
    }                                                                                              \
    TR_COW_INTO_OWNED_(C, T)                                                                       \
    TR_UNUSED TR_MUST_USE static inline tr_status C##_try_clone(C *copy, const C *from)            \
    {                                                                                              \
        C made = *from;                                                                            \
        tr_status status = TR_OK;                                                                  \
        if (from->borrowed_ == NULL)                                                               \
            status = tr_cow_clone_(tr_type_of(T), &made.owned_, &from->owned_);                    \
        if (status == TR_OK)                                                                       \
            *copy = made;                                                                          \
        return status;                                                                             \
    }

/* -- elements ------------------------------------------------------------------ */

/*
 * V_cow over a vec type V of elements T: as TR_COW(V), and borrows n elements
 * from anywhere: V_cow_slice(const T *, n). V_cow_get gives a V to read.
 */
#define TR_COW_VEC(V, T, ...)                                                                      \
    typedef struct V##_cow {                                                                       \
        V value_;                                                                                  \
        bool is_borrowed_; /* then value_ is a view: it has no block of its own */                 \
    } V##_cow;                                                                                     \
    TR_COW_VEC_MAKE_(V##_cow, V, T)                                                                \
    TR_COW_VEC_OWN_(V##_cow, V, T)                                                                 \
    TR_TYPE(V##_cow, .drop = V##_cow_drop, .clone = V##_cow_try_clone, .eq = V##_cow_eq,           \
            .hash = V##_cow_hash, .flags = TR_COW_FLAGS_(__VA_ARGS__ + 0u))                        \
    TR_FLAGS_OF_(V##_cow, V)

#define TR_COW_VEC_MAKE_(C, V, T)                                                                  \
    TR_UNUSED static inline C C##_slice(const T *elements, size_t n)                               \
    {                                                                                              \
        return (C){ .value_ = { .untyped = { (void *)(uintptr_t)elements, n, 0 } },                \
                    .is_borrowed_ = true };                                                        \
    }                                                                                              \
    TR_UNUSED static inline C C##_borrowed(const V *v)                                             \
    {                                                                                              \
        return C##_slice(v->data, v->len);                                                         \
    }                                                                                              \
    TR_UNUSED static inline C C##_owned(V v)                                                       \
    {                                                                                              \
        return (C){ .value_ = v, .is_borrowed_ = false };                                          \
    }                                                                                              \
    TR_UNUSED static inline bool C##_is_borrowed(const C *cow)                                     \
    {                                                                                              \
        return cow->is_borrowed_;                                                                  \
    }                                                                                              \
    TR_UNUSED static inline const V *C##_get(const C *cow)                                         \
    {                                                                                              \
        return &cow->value_;                                                                       \
    }                                                                                              \
    TR_UNUSED static inline bool C##_eq(const C *a, const C *b)                                    \
    {                                                                                              \
        return V##_eq(&a->value_, &b->value_);                                                     \
    }                                                                                              \
    TR_UNUSED static inline uint64_t C##_hash(const C *cow)                                        \
    {                                                                                              \
        return V##_hash(&cow->value_);                                                             \
    }                                                                                              \
    TR_UNUSED static inline void C##_drop(C *cow)                                                  \
    {                                                                                              \
        C old = TR_TAKE(*cow);                                                                     \
        if (!old.is_borrowed_)                                                                     \
            V##_drop(&old.value_);                                                                 \
    }

#define TR_COW_VEC_OWN_(C, V, T)                                                                   \
    TR_UNUSED TR_MUST_USE static inline tr_status C##_try_to_mut(C *cow, V **ret_value)            \
    {                                                                                              \
        if (cow->is_borrowed_) {                                                                   \
            const tr_status status = tr_cow_clone_slice_(tr_type_of(T), &cow->value_.untyped,      \
                                                         cow->value_.data, cow->value_.len);       \
            if (status != TR_OK)                                                                   \
                return status;                                                                     \
            cow->is_borrowed_ = false;                                                             \
        }                                                                                          \
        *ret_value = &cow->value_;                                                                 \
        return TR_OK;                                                                              \
    }                                                                                              \
    TR_UNUSED static inline V *C##_to_mut(C *cow)                                                  \
    {                                                                                              \
        V *value = NULL;                                                                           \
        tr_vec_must_(C##_try_to_mut(cow, &value), tr_type_of(T), cow->value_.len);                 \
        return value;                                                                              \
    }                                                                                              \
    TR_COW_INTO_OWNED_(C, V)                                                                       \
    TR_UNUSED TR_MUST_USE static inline tr_status C##_try_clone(C *copy, const C *from)            \
    {                                                                                              \
        C made = *from;                                                                            \
        tr_status status = TR_OK;                                                                  \
        if (!from->is_borrowed_)                                                                   \
            status = V##_try_clone(&made.value_, &from->value_);                                   \
        if (status == TR_OK)                                                                       \
            *copy = made;                                                                          \
        return status;                                                                             \
    }

#endif
