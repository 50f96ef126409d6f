/*
 * base - what every other header starts from: visibility, attributes, C++
 *
 * Include it for the macros below; there is nothing to call here.
 */
#ifndef TROUPE_MEM_BASE_H
#define TROUPE_MEM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define TR_BEGIN_DECLS extern "C" {
#define TR_END_DECLS }
#else
#define TR_BEGIN_DECLS
#define TR_END_DECLS
#endif

/* A public function of libtroupe; everything without it is hidden. */
#define TR_API __attribute__((visibility("default")))

/* The result says whether ownership moved: ignoring it is a compile error. */
#define TR_MUST_USE __attribute__((warn_unused_result))

#define TR_NORETURN __attribute__((noreturn))
#define TR_NOINLINE __attribute__((noinline))
#define TR_UNUSED __attribute__((unused))
#define TR_PRINTF(at, first) __attribute__((format(printf, at, first)))
#define TR_LIKELY(x) __builtin_expect(!!(x), 1)
#define TR_UNLIKELY(x) __builtin_expect(!!(x), 0)

/*
 * Data that a header defines and every file that includes it shares: the
 * linker keeps one copy, so that its address identifies it - also where files
 * of C and C++ meet, hence no inline variable in C++, but the same weak symbol
 * (a const is not external in C++ unless it says so). Its type needs a tag.
 */
#ifdef __cplusplus
#define TR_SHARED_DATA extern __attribute__((weak, visibility("default")))
#else
#define TR_SHARED_DATA __attribute__((weak, visibility("default")))
#endif

/*
 * What C and C++ spell differently. TR_SIZEOF: an empty struct has no bytes in C
 * and one in C++; what describes it must say the same in both. TR_LITERAL: the
 * address of a value that lives until the call it is an argument of returns.
 * TR_BYTEWISE: values of the type are moved by copying their bytes. TR_OPTIONAL:
 * behind a member that an initialiser may leave out without a warning.
 */
#ifdef __cplusplus
#define TR_ALIGNOF(T) alignof(T)
#define TR_SIZEOF(T) (__is_empty(T) ? 0 : sizeof(T))
#define TR_STATIC_ASSERT(...) static_assert(__VA_ARGS__)
#define TR_SAME_TYPE(a, b) __is_same(a, b)
#define TR_LITERAL(T, ...)                                                                         \
    tr_address_of_(({                                                                              \
        _Pragma("GCC diagnostic push")                                                             \
        _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")                         \
        const T tr_init_ = { __VA_ARGS__ };                                                        \
        _Pragma("GCC diagnostic pop")                                                              \
        tr_init_;                                                                                  \
    }))
#define TR_BYTEWISE(T) static_assert(__is_trivially_copyable(T), #T " is not moved by copying its bytes");
#define TR_OPTIONAL = {}
extern "C++" {
template <typename T> static inline const T *tr_address_of_(const T &value)
{
    return &value;
}
}
#else
#define TR_ALIGNOF(T) _Alignof(T)
#define TR_SIZEOF(T) sizeof(T)
#define TR_STATIC_ASSERT(...) _Static_assert(__VA_ARGS__)
#define TR_SAME_TYPE(a, b) __builtin_types_compatible_p(a, b)
#define TR_LITERAL(T, ...) &(T){ __VA_ARGS__ }
#define TR_BYTEWISE(T)
#define TR_OPTIONAL
#endif

/* The unit in which two cores disturb each other. Two lines on the machines
 * whose prefetcher fetches pairs would be 128; measured there is no gain. */
#define TR_CACHE_LINE 64
#define TR_CACHE_ALIGNED __attribute__((aligned(TR_CACHE_LINE)))

/* Durations are unsigned 64-bit nanoseconds everywhere. */
#define TR_NANOSECONDS(n) ((uint64_t)(n))
#define TR_MICROSECONDS(n) ((uint64_t)(n) * 1000u)
#define TR_MILLISECONDS(n) ((uint64_t)(n) * 1000000u)
#define TR_SECONDS(n) ((uint64_t)(n) * 1000000000u)
#define TR_FOREVER UINT64_MAX

#endif
