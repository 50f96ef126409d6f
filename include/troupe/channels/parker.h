/*
 * parker - one thread sleeps until another says so
 *
 *   any thread --unpark--> [ token ] --park--> the one thread that sleeps here
 *                           0 or 1
 *
 * unpark leaves a token, park waits for one and takes it; tokens do not add up
 * (as std::thread::park and unpark, but without spurious returns: park gives
 * TR_OK only for a token). It carries no reason, so the sleeper looks at its
 * condition again:
 *
 *     sleeper: while (!ready) tr_parker_park(&p);
 *     waker:   ready = true; tr_parker_unpark(&p);
 *
 * Use it to build something that blocks a thread. To wait in a channel, use
 * waiter.h, which works for threads and actors.
 *
 * Threads            unpark  park  init/fini   x: the caller keeps the pair apart
 *          unpark       -      -       x       -: any two threads, any time
 *          park         -      x       x
 * Progress unpark is wait-free: one atomic addition, and one futex call only if
 *          the sleeper is asleep. park spins for a few microseconds, then sleeps
 *          in the kernel and costs nothing there.
 * Order    what a thread did before unpark is visible after the park that takes
 *          its token, and so for each unpark whose token was merged into it.
 * Memory   none allocated.
 *
 * Lifetime: park returns only after the unpark it returns for has touched the
 * parker for the last time. So if exactly one unpark comes, the sleeper may
 * destroy the parker as soon as park gave TR_OK: it may live on its stack.
 * Who unparks without being the only one must have another reason to know that
 * the parker still exists (the sleeper joins it, or a reference).
 */
#ifndef TROUPE_CHANNELS_PARKER_H
#define TROUPE_CHANNELS_PARKER_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_parker {
    TR_ATOMIC(uint64_t) word_; /* shared: see parker.c */
    uint64_t taken_;           /* the sleeper's own */
} tr_parker;

/* No token. */
TR_API void tr_parker_init(tr_parker *p);

/* Nobody is parked and no unpark is under way, see Lifetime. */
TR_API void tr_parker_fini(tr_parker *p);

/* Wait for the token and take it. */
TR_API void tr_parker_park(tr_parker *p);

/*
 * As park, until deadline (absolute, as tr_now).
 * TR_OK:      the token was taken; also when it was there and the deadline past.
 * TR_TIMEOUT: the deadline is reached and there was no token; none was taken.
 * A deadline in the past is a poll, TR_FOREVER never times out.
 */
TR_API TR_MUST_USE tr_status tr_parker_park_until(tr_parker *p, uint64_t deadline);

/* Leave a token and wake the sleeper. See Lifetime. */
TR_API void tr_parker_unpark(tr_parker *p);

TR_END_DECLS

#endif
