/*
 * barrier - who arrives is counted under a mutex; the last one opens the round
 *
 *  1. A waiter reads its round under the mutex, before the last one of that round
 *     can change it, and sleeps only while it is the same.
 *  2. The next round cannot end before each waiter of this one has come again, so
 *     a slow sleeper never finds its own number anew.
 */
#include <troupe/mem/barrier.h>

#include "mem/futex.h"

bool tr_barrier_wait(tr_barrier *barrier)
{
    tr_mutex_acquire(&barrier->mutex_);
    const uint32_t round = tr_load_relaxed(&barrier->round_); /* relaxed: under the mutex */
    const bool leader = ++barrier->arrived_ >= barrier->parties_;
    if (leader) {
        barrier->arrived_ = 0;
        /* edge barrier (release): with the load below; carries what all did before,
         * which came to the leader through the mutex */
        tr_store_release(&barrier->round_, round + 1);
    }
    tr_mutex_release(&barrier->mutex_);

    if (leader)
        (void)tri_futex_wake(&barrier->round_, TRI_FUTEX_ALL);
    /* edge barrier (acquire): with the store above; carries what all did before */
    else
        while (tr_load_acquire(&barrier->round_) == round)
            (void)tri_futex_wait(&barrier->round_, round, TR_FOREVER);
    return leader;
}
