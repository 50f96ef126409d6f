/*
 * urcu/system.h as ThreadSanitizer sees it: shared accesses are C11 atomics
 *
 * liburcu reads and writes shared words through volatile and orders them with
 * inline assembly; the tool takes the first for data races and cannot see the
 * second. Each load here is an acquire, each store a release, which is what the
 * algorithms rely on around them. See ../README.md.
 */
#ifndef _URCU_SYSTEM_H
#define _URCU_SYSTEM_H

/* Expands inside headers that are not held to our warnings. */
#pragma GCC system_header

#include <urcu/arch.h>
#include <urcu/compiler.h>

#define _CMM_LOAD_SHARED(p) __atomic_load_n(&(p), __ATOMIC_ACQUIRE)
#define CMM_LOAD_SHARED(p) _CMM_LOAD_SHARED(p)

/* Gives the stored value, as the original does. */
#define CMM_STORE_SHARED(x, v)                                                                     \
    __extension__({                                                                                \
        __typeof__(x) cmm_stored_ = (v);                                                           \
        __atomic_store_n(&(x), cmm_stored_, __ATOMIC_RELEASE);                                     \
        cmm_stored_;                                                                               \
    })
#define _CMM_STORE_SHARED(x, v) ((void)CMM_STORE_SHARED(x, v))

#endif
