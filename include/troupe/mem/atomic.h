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
 * Progress every operation is lock-free for T of 1, 2, 4 and 8 bytes; all but the
 *          loops (max, min, nand, update) are wait-free where the processor's are.
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

/* As above, but may fail although *p is *expected: for loops only. */
#define TR_CAS_WEAK_(p, expected, x, success, failure)                                             \
    (TR_ATOMIC_POINT_(),                                                                           \
     __atomic_compare_exchange_n(&(p)->v_, (expected), (x), 1, (success), (failure)))
#define tr_cas_weak_relaxed(p, e, x) TR_CAS_WEAK_(p, e, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_cas_weak_acquire(p, e, x) TR_CAS_WEAK_(p, e, x, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_cas_weak_release(p, e, x) TR_CAS_WEAK_(p, e, x, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_cas_weak_acq_rel(p, e, x) TR_CAS_WEAK_(p, e, x, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_cas_weak_seq_cst(p, e, x) TR_CAS_WEAK_(p, e, x, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

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
#define tr_fetch_xor_relaxed(p, x) TR_FETCH_(xor, p, x, __ATOMIC_RELAXED)
#define tr_fetch_xor_acquire(p, x) TR_FETCH_(xor, p, x, __ATOMIC_ACQUIRE)
#define tr_fetch_xor_release(p, x) TR_FETCH_(xor, p, x, __ATOMIC_RELEASE)
#define tr_fetch_xor_acq_rel(p, x) TR_FETCH_(xor, p, x, __ATOMIC_ACQ_REL)
#define tr_fetch_xor_seq_cst(p, x) TR_FETCH_(xor, p, x, __ATOMIC_SEQ_CST)

/*
 * Each gives the OLD value and is one atomic step, as those above, but a loop of
 * compare-and-swap: lock-free, not wait-free. Bits of a TR_ATOMIC(bool) also, which
 * those above do not take: nand, and tr_fetch_update.
 */
#define TR_FETCH_LOOP_(p, x, next, success, failure)                                               \
    ({                                                                                             \
        __typeof__(p) tr_p_ = (p);                                                                 \
        const __typeof__(tr_p_->v_) tr_x_ = (x);                                                   \
        __typeof__(tr_p_->v_) tr_old_ = tr_load_relaxed(tr_p_);                                    \
        while (!TR_CAS_WEAK_(tr_p_, &tr_old_, (__typeof__(tr_p_->v_))(next), success, failure))    \
            tr_cpu_relax();                                                                        \
        tr_old_;                                                                                   \
    })
#define TR_FETCH_MAX_(p, x, success, failure)                                                      \
    TR_FETCH_LOOP_(p, x, tr_old_ < tr_x_ ? tr_x_ : tr_old_, success, failure)
#define TR_FETCH_MIN_(p, x, success, failure)                                                      \
    TR_FETCH_LOOP_(p, x, tr_x_ < tr_old_ ? tr_x_ : tr_old_, success, failure)
/* a bool has one bit to turn over, an integer all */
#define TR_FETCH_NAND_(p, x, success, failure)                                                     \
    TR_FETCH_LOOP_(p, x,                                                                           \
                   (tr_old_ & tr_x_) ^                                                             \
                       (__typeof__((p)->v_)) _Generic((p)->v_, bool: 1, default: -1),              \
                   success, failure)
#define tr_fetch_max_relaxed(p, x) TR_FETCH_MAX_(p, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_fetch_max_acquire(p, x) TR_FETCH_MAX_(p, x, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_fetch_max_release(p, x) TR_FETCH_MAX_(p, x, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_fetch_max_acq_rel(p, x) TR_FETCH_MAX_(p, x, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_fetch_max_seq_cst(p, x) TR_FETCH_MAX_(p, x, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define tr_fetch_min_relaxed(p, x) TR_FETCH_MIN_(p, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_fetch_min_acquire(p, x) TR_FETCH_MIN_(p, x, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_fetch_min_release(p, x) TR_FETCH_MIN_(p, x, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_fetch_min_acq_rel(p, x) TR_FETCH_MIN_(p, x, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_fetch_min_seq_cst(p, x) TR_FETCH_MIN_(p, x, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define tr_fetch_nand_relaxed(p, x) TR_FETCH_NAND_(p, x, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_fetch_nand_acquire(p, x) TR_FETCH_NAND_(p, x, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_fetch_nand_release(p, x) TR_FETCH_NAND_(p, x, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_fetch_nand_acq_rel(p, x) TR_FETCH_NAND_(p, x, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_fetch_nand_seq_cst(p, x) TR_FETCH_NAND_(p, x, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/*
 * As std's fetch_update: while the expression `accept` holds for the variable
 * `found`, which has the value of *p, try to store the expression `next`. true:
 * stored, found is the old value. false: refused, found is what stands there. Both
 * expressions may be evaluated several times.
 *
 *     unsigned n;
 *     if (tr_fetch_update_relaxed(&permits, n, n > 0, n - 1)) ...
 */
#define TR_FETCH_UPDATE_(p, found, accept, next, success, failure)                                 \
    ({                                                                                             \
        __typeof__(p) tr_p_ = (p);                                                                 \
        bool tr_stored_ = false;                                                                   \
        (found) = (TR_ATOMIC_POINT_(), __atomic_load_n(&tr_p_->v_, (failure)));                    \
        while ((accept) &&                                                                         \
               !(tr_stored_ = TR_CAS_WEAK_(tr_p_, &(found), (next), success, failure)))            \
            tr_cpu_relax();                                                                        \
        tr_stored_;                                                                                \
    })
#define tr_fetch_update_relaxed(p, found, accept, next)                                            \
    TR_FETCH_UPDATE_(p, found, accept, next, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define tr_fetch_update_acquire(p, found, accept, next)                                            \
    TR_FETCH_UPDATE_(p, found, accept, next, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define tr_fetch_update_release(p, found, accept, next)                                            \
    TR_FETCH_UPDATE_(p, found, accept, next, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define tr_fetch_update_acq_rel(p, found, accept, next)                                            \
    TR_FETCH_UPDATE_(p, found, accept, next, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define tr_fetch_update_seq_cst(p, found, accept, next)                                            \
    TR_FETCH_UPDATE_(p, found, accept, next, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

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
