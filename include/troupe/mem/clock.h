/*
 * clock - the one time that deadlines are given in
 *
 *     uint64_t deadline = tr_now() + TR_MILLISECONDS(5);
 *
 * Nanoseconds of CLOCK_MONOTONIC: it never goes back, does not follow changes
 * of the date, and stands still while the machine is suspended. A deadline is
 * a point in this time; TR_FOREVER is the one that never comes.
 *
 * Threads  any, any time.
 * Progress wait-free; 15 to 30 ns (read in user space, no system call).
 */
#ifndef TROUPE_MEM_CLOCK_H
#define TROUPE_MEM_CLOCK_H

#include <troupe/mem/base.h>

TR_BEGIN_DECLS

/* Now. Differences are durations in ns; the value alone has no meaning. */
TR_API uint64_t tr_now(void);

TR_END_DECLS

#endif
