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
 * linker keeps one copy, so that its address identifies it.
 */
#define TR_SHARED_DATA __attribute__((weak, visibility("default")))

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
