/*
 * barrier - n threads wait for each other, again and again
 *
 *     tr_barrier gate = TR_BARRIER_INIT(3);
 *     if (tr_barrier_wait(&gate))      true for one of the three
 *         ...
 *
 * As std::sync::Barrier: the nth wait of a round lets all n go on and is the one
 * that returns true, the leader; then the next round begins. A barrier of 0 or 1
 * never waits and its caller leads.
 *
 * Threads  any, any time; more than n only if they form whole rounds.
 * Progress waiters sleep in the kernel.
 * Order    what each did before its wait is visible to all who were let go by it.
 * Memory   56 bytes, none allocated. It must outlive the last wait's return, the
 *          leader's return says nothing of the others'.
 */
#ifndef TROUPE_MEM_BARRIER_H
#define TROUPE_MEM_BARRIER_H

#include <troupe/mem/mutex.h>

TR_BEGIN_DECLS

typedef struct tr_barrier {
    tr_mutex mutex_;
    uint32_t parties_; /* constant */
    uint32_t arrived_; /* under the mutex */
    TR_ATOMIC(uint32_t) round_; /* changed under the mutex; what waiters sleep on */
} tr_barrier;

#define TR_BARRIER_INIT(n) { .mutex_ = TR_BARE_MUTEX_INIT, .parties_ = (n) }

TR_TYPE(tr_barrier)

/* Wait until n threads have called it in this round. true: the caller leads. */
TR_API bool tr_barrier_wait(tr_barrier *barrier);

TR_END_DECLS

#endif
