/*
 * urcu/uatomic.h as ThreadSanitizer sees it: every operation is a builtin
 *
 * liburcu documents add_return, sub_return, xchg and cmpxchg as full barriers:
 * they are seq_cst. add, sub, and, or, inc and dec promise no order without the
 * cmm_smp_mb__before and after macros, which are fences the tool cannot see;
 * so these are seq_cst too and the macros do nothing. See ../README.md.
 */
#ifndef _URCU_UATOMIC_H
#define _URCU_UATOMIC_H

/* Expands inside headers that are not held to our warnings. */
#pragma GCC system_header

#include <urcu/compiler.h>
#include <urcu/system.h>

#define UATOMIC_HAS_ATOMIC_BYTE
#define UATOMIC_HAS_ATOMIC_SHORT

#define uatomic_read(addr) CMM_LOAD_SHARED(*(addr))
#define uatomic_set(addr, v) ((void)CMM_STORE_SHARED(*(addr), (v)))

#define uatomic_xchg(addr, v)                                                                      \
    __extension__({                                                                                \
        __typeof__(*(addr)) ua_new_ = (__typeof__(*(addr)))(v);                                    \
        __atomic_exchange_n((addr), ua_new_, __ATOMIC_SEQ_CST);                                    \
    })

/* Gives the value found, which is `old` exactly if `_new` was stored. */
#define uatomic_cmpxchg(addr, old, _new)                                                           \
    __extension__({                                                                                \
        __typeof__(*(addr)) ua_found_ = (__typeof__(*(addr)))(old);                                \
        __typeof__(*(addr)) ua_next_ = (__typeof__(*(addr)))(_new);                                \
        __atomic_compare_exchange_n((addr), &ua_found_, ua_next_, 0, __ATOMIC_SEQ_CST,             \
                                    __ATOMIC_SEQ_CST);                                             \
        ua_found_;                                                                                 \
    })

#define uatomic_add_return(addr, v)                                                                \
    __atomic_add_fetch((addr), (__typeof__(*(addr)))(v), __ATOMIC_SEQ_CST)
#define uatomic_sub_return(addr, v)                                                                \
    __atomic_sub_fetch((addr), (__typeof__(*(addr)))(v), __ATOMIC_SEQ_CST)

#define uatomic_add(addr, v) ((void)uatomic_add_return((addr), (v)))
#define uatomic_sub(addr, v) ((void)uatomic_sub_return((addr), (v)))
#define uatomic_inc(addr) uatomic_add((addr), 1)
#define uatomic_dec(addr) uatomic_sub((addr), 1)
#define uatomic_and(addr, mask)                                                                    \
    ((void)__atomic_fetch_and((addr), (__typeof__(*(addr)))(mask), __ATOMIC_SEQ_CST))
#define uatomic_or(addr, mask)                                                                     \
    ((void)__atomic_fetch_or((addr), (__typeof__(*(addr)))(mask), __ATOMIC_SEQ_CST))

#define cmm_smp_mb__before_uatomic_and() cmm_barrier()
#define cmm_smp_mb__after_uatomic_and() cmm_barrier()
#define cmm_smp_mb__before_uatomic_or() cmm_barrier()
#define cmm_smp_mb__after_uatomic_or() cmm_barrier()
#define cmm_smp_mb__before_uatomic_add() cmm_barrier()
#define cmm_smp_mb__after_uatomic_add() cmm_barrier()
#define cmm_smp_mb__before_uatomic_sub() cmm_barrier()
#define cmm_smp_mb__after_uatomic_sub() cmm_barrier()
#define cmm_smp_mb__before_uatomic_inc() cmm_barrier()
#define cmm_smp_mb__after_uatomic_inc() cmm_barrier()
#define cmm_smp_mb__before_uatomic_dec() cmm_barrier()
#define cmm_smp_mb__after_uatomic_dec() cmm_barrier()

#endif
