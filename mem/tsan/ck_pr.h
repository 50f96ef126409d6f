/*
 * ck_pr.h as ThreadSanitizer sees it: every operation is a builtin
 *
 * concurrencykit's own is inline assembly. Loads here acquire, stores release,
 * everything that reads and writes is seq_cst; fences remain real instructions,
 * which the tool does not see. So ck's headers mean what they mean on x86-64,
 * where each of these orders is what the instruction gives. See README.md.
 *
 * The feature macros (CK_F_PR_...) are those of the machine, so that ck's
 * headers offer here what they offer elsewhere.
 */
#ifndef CK_PR_H
#define CK_PR_H

/* Expands inside headers that are not held to our warnings. */
#pragma GCC system_header

#include <ck_cc.h>
#include <ck_limits.h>
#include <ck_md.h>
#include <ck_stdbool.h>
#include <ck_stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <gcc/x86_64/ck_f_pr.h>
#elif defined(__aarch64__)
#include <gcc/aarch64/ck_f_pr.h>
#else
#error "ck under ThreadSanitizer: add this machine's ck_f_pr.h"
#endif

/* -- barriers and hints ---------------------------------------------------------- */

CK_CC_INLINE static void ck_pr_barrier(void)
{
    __asm__ __volatile__("" ::: "memory");
}

CK_CC_INLINE static void ck_pr_stall(void)
{
#if defined(__x86_64__)
    __asm__ __volatile__("pause" ::: "memory");
#else
    __asm__ __volatile__("yield" ::: "memory");
#endif
}

CK_CC_INLINE static void ck_pr_rfo(const void *m)
{
    (void)m;
}

/* Assembly, since compilers reject __atomic_thread_fence under this sanitizer. */
CK_CC_INLINE static void tri_pr_full_barrier(void)
{
#if defined(__x86_64__)
    __asm__ __volatile__("mfence" ::: "memory");
#else
    __asm__ __volatile__("dmb ish" ::: "memory");
#endif
}

#define TRI_PR_FENCE(K)                                                                            \
    CK_CC_INLINE static void ck_pr_fence_##K(void)                                                 \
    {                                                                                              \
        tri_pr_full_barrier();                                                                     \
    }                                                                                              \
    CK_CC_INLINE static void ck_pr_fence_strict_##K(void)                                          \
    {                                                                                              \
        tri_pr_full_barrier();                                                                     \
    }
TRI_PR_FENCE(atomic)
TRI_PR_FENCE(atomic_load)
TRI_PR_FENCE(atomic_store)
TRI_PR_FENCE(store_atomic)
TRI_PR_FENCE(load_atomic)
TRI_PR_FENCE(load)
TRI_PR_FENCE(load_store)
TRI_PR_FENCE(load_depends)
TRI_PR_FENCE(store)
TRI_PR_FENCE(store_load)
TRI_PR_FENCE(memory)
TRI_PR_FENCE(acquire)
TRI_PR_FENCE(release)
TRI_PR_FENCE(acqrel)
TRI_PR_FENCE(lock)
TRI_PR_FENCE(unlock)
#undef TRI_PR_FENCE

/* -- operations ------------------------------------------------------------------ */
/* S: ck's suffix, M: what its prototype points at, T: the type that is accessed. */

#define TRI_PR_LOAD_STORE(S, M, T)                                                                 \
    CK_CC_INLINE static T ck_pr_md_load_##S(const M *target)                                       \
    {                                                                                              \
        return __atomic_load_n((const T *)target, __ATOMIC_ACQUIRE);                               \
    }                                                                                              \
    CK_CC_INLINE static void ck_pr_md_store_##S(M *target, T v)                                    \
    {                                                                                              \
        __atomic_store_n((T *)target, v, __ATOMIC_RELEASE);                                        \
    }

#define TRI_PR_SWAP(S, M, T)                                                                       \
    CK_CC_INLINE static T ck_pr_fas_##S(M *target, T v)                                            \
    {                                                                                              \
        return __atomic_exchange_n((T *)target, v, __ATOMIC_SEQ_CST);                              \
    }                                                                                              \
    CK_CC_INLINE static bool ck_pr_cas_##S##_value(M *target, T compare, T set, M *value)          \
    {                                                                                              \
        bool done = __atomic_compare_exchange_n((T *)target, &compare, set, 0, __ATOMIC_SEQ_CST,   \
                                                __ATOMIC_SEQ_CST);                                 \
        *(T *)value = compare;                                                                     \
        return done;                                                                               \
    }                                                                                              \
    CK_CC_INLINE static bool ck_pr_cas_##S(M *target, T compare, T set)                            \
    {                                                                                              \
        return __atomic_compare_exchange_n((T *)target, &compare, set, 0, __ATOMIC_SEQ_CST,        \
                                           __ATOMIC_SEQ_CST);                                      \
    }

#define TRI_PR_BINARY(K, S, M, T)                                                                  \
    CK_CC_INLINE static void ck_pr_##K##_##S(M *target, T v)                                       \
    {                                                                                              \
        (void)__atomic_fetch_##K((T *)target, v, __ATOMIC_SEQ_CST);                                \
    }

/* ck has every one-operand operation in three forms: plain, with the question
 * whether the result is zero as the return value, and as an out-parameter. */
#define TRI_PR_UNARY(K, S, M, RESULT)                                                              \
    CK_CC_INLINE static bool ck_pr_##K##_##S##_is_zero(M *target)                                  \
    {                                                                                              \
        return (RESULT) == 0;                                                                      \
    }                                                                                              \
    CK_CC_INLINE static void ck_pr_##K##_##S##_zero(M *target, bool *zero)                         \
    {                                                                                              \
        *zero = ck_pr_##K##_##S##_is_zero(target);                                                 \
    }                                                                                              \
    CK_CC_INLINE static void ck_pr_##K##_##S(M *target)                                            \
    {                                                                                              \
        (void)ck_pr_##K##_##S##_is_zero(target);                                                   \
    }

#define TRI_PR_ARITHMETIC(S, M, T)                                                                 \
    CK_CC_INLINE static T ck_pr_faa_##S(M *target, T v)                                            \
    {                                                                                              \
        return __atomic_fetch_add((T *)target, v, __ATOMIC_SEQ_CST);                               \
    }                                                                                              \
    TRI_PR_BINARY(add, S, M, T)                                                                    \
    TRI_PR_BINARY(sub, S, M, T)                                                                    \
    TRI_PR_BINARY(and, S, M, T)                                                                    \
    TRI_PR_BINARY(or, S, M, T)                                                                     \
    TRI_PR_BINARY(xor, S, M, T)                                                                    \
    TRI_PR_UNARY(inc, S, M, __atomic_add_fetch((T *)target, (T)1, __ATOMIC_SEQ_CST))               \
    TRI_PR_UNARY(dec, S, M, __atomic_sub_fetch((T *)target, (T)1, __ATOMIC_SEQ_CST))               \
    CK_CC_INLINE static void ck_pr_not_##S(M *target)                                              \
    {                                                                                              \
        (void)__atomic_fetch_xor((T *)target, (T) ~(T)0, __ATOMIC_SEQ_CST);                        \
    }

#define TRI_PR_NEGATE(S, T)                                                                        \
    CK_CC_INLINE static T tri_pr_negate_##S(void *target)                                          \
    {                                                                                              \
        T old = __atomic_load_n((T *)target, __ATOMIC_RELAXED);                                    \
        while (!__atomic_compare_exchange_n((T *)target, &old, (T)(0 - old), 0, __ATOMIC_SEQ_CST,  \
                                            __ATOMIC_RELAXED))                                     \
            ;                                                                                      \
        return old;                                                                                \
    }

#define TRI_PR_BIT(K, OP, MASK, S, M, T)                                                           \
    CK_CC_INLINE static bool ck_pr_##K##_##S(M *target, unsigned int b)                            \
    {                                                                                              \
        T bit = (T)((T)1 << b);                                                                    \
        return (__atomic_fetch_##OP((T *)target, (T)(MASK), __ATOMIC_SEQ_CST) & bit) != 0;         \
    }
#define TRI_PR_BITS(S, M, T)                                                                       \
    TRI_PR_BIT(bts, or, bit, S, M, T)                                                              \
    TRI_PR_BIT(btr, and, ~bit, S, M, T)                                                            \
    TRI_PR_BIT(btc, xor, bit, S, M, T)

#define TRI_PR_INTEGER(S, T)                                                                       \
    TRI_PR_LOAD_STORE(S, T, T)                                                                     \
    TRI_PR_SWAP(S, T, T)                                                                           \
    TRI_PR_ARITHMETIC(S, T, T)                                                                     \
    TRI_PR_NEGATE(S, T)                                                                            \
    TRI_PR_UNARY(neg, S, T, tri_pr_negate_##S(target))

TRI_PR_INTEGER(char, char)
TRI_PR_INTEGER(int, int)
TRI_PR_INTEGER(uint, unsigned int)
TRI_PR_INTEGER(8, uint8_t)
TRI_PR_INTEGER(16, uint16_t)
TRI_PR_INTEGER(32, uint32_t)
TRI_PR_INTEGER(64, uint64_t)
TRI_PR_BITS(int, int, int)
TRI_PR_BITS(uint, unsigned int, unsigned int)
TRI_PR_BITS(16, uint16_t, uint16_t)
TRI_PR_BITS(32, uint32_t, uint32_t)
TRI_PR_BITS(64, uint64_t, uint64_t)

/* Pointers: ck takes void * to a pointer, and integers in its arithmetic. */
CK_CC_INLINE static void *ck_pr_md_load_ptr(const void *target)
{
    return __atomic_load_n((void *const *)target, __ATOMIC_ACQUIRE);
}
CK_CC_INLINE static void ck_pr_md_store_ptr(void *target, const void *v)
{
    __atomic_store_n((const void **)target, v, __ATOMIC_RELEASE);
}
TRI_PR_SWAP(ptr, void, void *)
TRI_PR_ARITHMETIC(ptr, void, uintptr_t)
TRI_PR_NEGATE(ptr, uintptr_t)
TRI_PR_UNARY(neg, ptr, void, tri_pr_negate_ptr(target))
TRI_PR_BITS(ptr, void, uintptr_t)

#ifndef CK_PR_DISABLE_DOUBLE
CK_CC_INLINE static double ck_pr_md_load_double(const double *target)
{
    double v;
    __atomic_load(target, &v, __ATOMIC_ACQUIRE);
    return v;
}
CK_CC_INLINE static void ck_pr_md_store_double(double *target, double v)
{
    __atomic_store(target, &v, __ATOMIC_RELEASE);
}
CK_CC_INLINE static double ck_pr_fas_double(double *target, double v)
{
    double old;
    __atomic_exchange(target, &v, &old, __ATOMIC_SEQ_CST);
    return old;
}
#endif

/* -- two words at once --------------------------------------------------------------- */

/* The builtins of 16 bytes become calls into libatomic, which the tool cannot
 * see into; its own entry points can. gcc declares them itself. */
typedef unsigned __int128 tri_pr_pair;
#ifdef __clang__
extern int __tsan_atomic128_compare_exchange_strong(volatile tri_pr_pair *, tri_pr_pair *,
                                                    tri_pr_pair, int, int);
extern tri_pr_pair __tsan_atomic128_load(const volatile tri_pr_pair *, int);
#endif

CK_CC_INLINE static bool ck_pr_cas_64_2_value(uint64_t target[2], uint64_t compare[2],
                                              uint64_t set[2], uint64_t value[2])
{
    tri_pr_pair found, next;

    memcpy(&found, compare, sizeof found);
    memcpy(&next, set, sizeof next);
    bool done = __tsan_atomic128_compare_exchange_strong((volatile tri_pr_pair *)(void *)target,
                                                         &found, next, __ATOMIC_SEQ_CST,
                                                         __ATOMIC_SEQ_CST) != 0;
    memcpy(value, &found, sizeof found);
    return done;
}
CK_CC_INLINE static bool ck_pr_cas_64_2(uint64_t target[2], uint64_t compare[2], uint64_t set[2])
{
    uint64_t found[2];
    return ck_pr_cas_64_2_value(target, compare, set, found);
}
CK_CC_INLINE static bool ck_pr_cas_ptr_2(void *target, void *compare, void *set)
{
    return ck_pr_cas_64_2((uint64_t *)target, (uint64_t *)compare, (uint64_t *)set);
}
CK_CC_INLINE static bool ck_pr_cas_ptr_2_value(void *target, void *compare, void *set, void *value)
{
    return ck_pr_cas_64_2_value((uint64_t *)target, (uint64_t *)compare, (uint64_t *)set,
                                (uint64_t *)value);
}
CK_CC_INLINE static void ck_pr_load_64_2(const uint64_t target[2], uint64_t v[2])
{
    tri_pr_pair pair = __tsan_atomic128_load((const volatile tri_pr_pair *)(const void *)target,
                                             __ATOMIC_ACQUIRE);
    memcpy(v, &pair, sizeof pair);
}
CK_CC_INLINE static void ck_pr_load_ptr_2(const void *target, void *v)
{
    ck_pr_load_64_2((const uint64_t *)target, (uint64_t *)v);
}

/* -- ck's public names ------------------------------------------------------------------ */

/* sizeof checks the value's type against the target's without storing. */
#define TRI_PR_STORE(DST, VAL, S) ck_pr_md_store_##S(((void)sizeof(*(DST) = (VAL)), (DST)), (VAL))
#define ck_pr_store_ptr(DST, VAL) TRI_PR_STORE((DST), (VAL), ptr)
#define ck_pr_store_ptr_unsafe(DST, VAL) ck_pr_md_store_ptr((DST), (VAL))
#define ck_pr_store_char(DST, VAL) TRI_PR_STORE((DST), (VAL), char)
#define ck_pr_store_int(DST, VAL) TRI_PR_STORE((DST), (VAL), int)
#define ck_pr_store_uint(DST, VAL) TRI_PR_STORE((DST), (VAL), uint)
#define ck_pr_store_8(DST, VAL) TRI_PR_STORE((DST), (VAL), 8)
#define ck_pr_store_16(DST, VAL) TRI_PR_STORE((DST), (VAL), 16)
#define ck_pr_store_32(DST, VAL) TRI_PR_STORE((DST), (VAL), 32)
#define ck_pr_store_64(DST, VAL) TRI_PR_STORE((DST), (VAL), 64)
#define ck_pr_store_double(DST, VAL) TRI_PR_STORE((DST), (VAL), double)

#define ck_pr_load_ptr(SRC) ((CK_CC_TYPEOF(*(SRC), (void *)))ck_pr_md_load_ptr((SRC)))
#define ck_pr_load_char(SRC) ck_pr_md_load_char((SRC))
#define ck_pr_load_int(SRC) ck_pr_md_load_int((SRC))
#define ck_pr_load_uint(SRC) ck_pr_md_load_uint((SRC))
#define ck_pr_load_8(SRC) ck_pr_md_load_8((SRC))
#define ck_pr_load_16(SRC) ck_pr_md_load_16((SRC))
#define ck_pr_load_32(SRC) ck_pr_md_load_32((SRC))
#define ck_pr_load_64(SRC) ck_pr_md_load_64((SRC))
#define ck_pr_load_double(SRC) ck_pr_md_load_double((SRC))

#undef TRI_PR_LOAD_STORE
#undef TRI_PR_SWAP
#undef TRI_PR_BINARY
#undef TRI_PR_UNARY
#undef TRI_PR_ARITHMETIC
#undef TRI_PR_NEGATE
#undef TRI_PR_BIT
#undef TRI_PR_BITS
#undef TRI_PR_INTEGER

#endif
