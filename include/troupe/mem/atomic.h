/*
 * atomic - the only door to atomic memory; the order is in the name
 *
 *     TR_ATOMIC(uint64_t) hits;
 *     tr_fetch_add_relaxed(&hits, 1);      relaxed: a counter orders nothing
 *
 * A TR_ATOMIC(T) is a struct around T, so that a plain read or write of it
 * does not compile. All orders mean what C11 says. There is no fence on
 * purpose: ThreadSanitizer cannot see one, so an ordering that needs a fence
 * could not be checked.
 *
 * Threads  any, any time. Initialise with TR_ATOMIC_INIT or tr_atomic_init
 *          before the second thread can see it.
 * Progress every operation is lock-free for T of 1, 2, 4 and 8 bytes.
 * Order    in the library each ordered access carries a comment
 *          "edge NAME (order): with WHOM; what it carries", each relaxed one
 *          "relaxed: why that is enough". tools/lint finds the rest.
 *
 * A build with -Dstress=true gives the thread up at random before each access
 * (seeded, see tr_stress_seed), so that rare interleavings become common.
 */
#ifndef TROUPE_MEM_ATOMIC_H
#define TROUPE_MEM_ATOMIC_H

#include <troupe/mem/base.h>

/* Aligned to its size also where T alone is not (64 bits on i386). */
#define TR_ATOMIC(T)                                                                               \
    struct {                                                                                       \
        T v_ __attribute__((aligned(sizeof(T))));                                                  \
    }
/* A constant: is TR_ATOMIC(T) lock-free on every processor compiled for? */
#define TR_ATOMIC_IS_LOCK_FREE(T) __atomic_always_lock_free(sizeof(T), 0)
#define TR_ATOMIC_INIT(value) { (value) }

#ifdef TR_STRESS
TR_BEGIN_DECLS
/* Seed the yields of the caller and of every thread that starts after this; 0
 * takes the clock. Without it the seed is the environment's TROUPE_SEED. */
TR_API void tr_stress_seed(uint64_t seed);
TR_API void tri_stress_point(void);
TR_END_DECLS
#define TR_ATOMIC_POINT_() tri_stress_point()
#else
#define TR_ATOMIC_POINT_() ((void)0)
#endif

/* Before publication only: not atomic, orders nothing. */
#define tr_atomic_init(p, value) ((void)((p)->v_ = (value)))

#define tr_load_relaxed(p) (TR_ATOMIC_POINT_(), __atomic_load_n(&(p)->v_, __ATOMIC_RELAXED))
#define tr_load_acquire(p) (TR_ATOMIC_POINT_(), __atomic_load_n(&(p)->v_, __ATOMIC_ACQUIRE))
#define tr_load_seq_cst(p) (TR_ATOMIC_POINT_(), __atomic_load_n(&(p)->v_, __ATOMIC_SEQ_CST))

#define tr_store_relaxed(p, x) (TR_ATOMIC_POINT_(), __atomic_store_n(&(p)->v_, (x), __ATOMIC_RELAXED))
#define tr_store_release(p, x) (TR_ATOMIC_POINT_(), __atomic_store_n(&(p)->v_, (x), __ATOMIC_RELEASE))
#define tr_store_seq_cst(p, x) (TR_ATOMIC_POINT_(), __atomic_store_n(&(p)->v_, (x), __ATOMIC_SEQ_CST))

/* Store x, give the old value. */
#define tr_swap_relaxed(p, x) (TR_ATOMIC_POINT_(), __atomic_exchange_n(&(p)->v_, (x), __ATOMIC_RELAXED))
#define tr_swap_acquire(p, x) (TR_ATOMIC_POINT_(), __atomic_exchange_n(&(p)->v_, (x), __ATOMIC_ACQUIRE))
#define tr_swap_release(p, x) (TR_ATOMIC_POINT_(), __atomic_exchange_n(&(p)->v_, (x), __ATOMIC_RELEASE))
#define tr_swap_acq_rel(p, x) (TR_ATOMIC_POINT_(), __atomic_exchange_n(&(p)->v_, (x), __ATOMIC_ACQ_REL))
#define tr_swap_seq_cst(p, x) (TR_ATOMIC_POINT_(), __atomic_exchange_n(&(p)->v_, (x), __ATOMIC_SEQ_CST))

/* If *p is *expected, store x and give true; else load it into *expected
 * (with the failure order, named second) and give false. Never fails spuriously. */
#define TR_CAS_(p, expected, x, success, failure)                                                  \
    (TR_ATOMIC_POINT_(),                                                                           \
     __atomic_compare_exchange_n(&(p)->v_, (expected), (x), 0, (success), (failure)))
#define tr_cas_relaxed(p, e, x) TR_CAS_(p, e, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_cas_acquire(p, e, x) TR_CAS_(p, e, x, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_cas_release(p, e, x) TR_CAS_(p, e, x, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_cas_acq_rel(p, e, x) TR_CAS_(p, e, x, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_cas_seq_cst(p, e, x) TR_CAS_(p, e, x, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Each gives the OLD value; integers wrap (as std::sync::atomic::fetch_add). */
#define TR_FETCH_(op, p, x, order) (TR_ATOMIC_POINT_(), __atomic_fetch_##op(&(p)->v_, (x), (order)))
#define tr_fetch_add_relaxed(p, x) TR_FETCH_(add, p, x, __ATOMIC_RELAXED)
#define tr_fetch_add_acquire(p, x) TR_FETCH_(add, p, x, __ATOMIC_ACQUIRE)
#define tr_fetch_add_release(p, x) TR_FETCH_(add, p, x, __ATOMIC_RELEASE)
#define tr_fetch_add_acq_rel(p, x) TR_FETCH_(add, p, x, __ATOMIC_ACQ_REL)
#define tr_fetch_add_seq_cst(p, x) TR_FETCH_(add, p, x, __ATOMIC_SEQ_CST)
#define tr_fetch_sub_relaxed(p, x) TR_FETCH_(sub, p, x, __ATOMIC_RELAXED)
#define tr_fetch_sub_acquire(p, x) TR_FETCH_(sub, p, x, __ATOMIC_ACQUIRE)
#define tr_fetch_sub_release(p, x) TR_FETCH_(sub, p, x, __ATOMIC_RELEASE)
#define tr_fetch_sub_acq_rel(p, x) TR_FETCH_(sub, p, x, __ATOMIC_ACQ_REL)
#define tr_fetch_sub_seq_cst(p, x) TR_FETCH_(sub, p, x, __ATOMIC_SEQ_CST)
#define tr_fetch_or_relaxed(p, x) TR_FETCH_(or, p, x, __ATOMIC_RELAXED)
#define tr_fetch_or_acquire(p, x) TR_FETCH_(or, p, x, __ATOMIC_ACQUIRE)
#define tr_fetch_or_release(p, x) TR_FETCH_(or, p, x, __ATOMIC_RELEASE)
#define tr_fetch_or_acq_rel(p, x) TR_FETCH_(or, p, x, __ATOMIC_ACQ_REL)
#define tr_fetch_or_seq_cst(p, x) TR_FETCH_(or, p, x, __ATOMIC_SEQ_CST)
#define tr_fetch_and_relaxed(p, x) TR_FETCH_(and, p, x, __ATOMIC_RELAXED)
#define tr_fetch_and_acquire(p, x) TR_FETCH_(and, p, x, __ATOMIC_ACQUIRE)
#define tr_fetch_and_release(p, x) TR_FETCH_(and, p, x, __ATOMIC_RELEASE)
#define tr_fetch_and_acq_rel(p, x) TR_FETCH_(and, p, x, __ATOMIC_ACQ_REL)
#define tr_fetch_and_seq_cst(p, x) TR_FETCH_(and, p, x, __ATOMIC_SEQ_CST)

/*
 * A statistic with one writer and any number of readers: a load and a store,
 * no locked operation. Two writers lose updates; use tr_fetch_add for those.
 */
#define tr_count_add(p, x)                                                                         \
    __atomic_store_n(&(p)->v_, __atomic_load_n(&(p)->v_, __ATOMIC_RELAXED) + (x), __ATOMIC_RELAXED)

/* Tell the processor that this is a spin loop. */
#if defined(__x86_64__) || defined(__i386__)
#define tr_cpu_relax() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define tr_cpu_relax() __asm__ volatile("yield")
#else
#define tr_cpu_relax() __atomic_signal_fence(__ATOMIC_SEQ_CST)
#endif

#endif
