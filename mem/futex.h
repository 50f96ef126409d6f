/*
 * futex - sleep while a word has a value, wake who sleeps on it; private
 *
 * A wake-up is a hint: look at the word again. All sleepers are threads of this
 * process. The kernel compares the word and goes to sleep as one step against
 * every wake, so a change before the wake is never slept through.
 *
 * Threads  any. tri_futex_wake uses the address as a name only.
 */
#ifndef TROUPE_MEM_FUTEX_PRIVATE_H
#define TROUPE_MEM_FUTEX_PRIVATE_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <troupe/mem/atomic.h>

typedef TR_ATOMIC(uint32_t) tri_futex;

#define TRI_FUTEX_ALL INT_MAX

/* false: deadline (monotonic; TR_FOREVER: none) was reached and nobody woke us. */
static inline bool tri_futex_wait(const void *word, uint32_t expected, uint64_t deadline)
{
    const struct timespec at = {
        .tv_sec = (time_t)(deadline / 1000000000u),
        .tv_nsec = (long)(deadline % 1000000000u),
    };
    const long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                           deadline == TR_FOREVER ? NULL : &at, NULL, FUTEX_BITSET_MATCH_ANY);
    return r == 0 || errno != ETIMEDOUT;
}

/* Wake at most n; how many there were. */
static inline long tri_futex_wake(const void *word, int n)
{
    return syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

#endif
