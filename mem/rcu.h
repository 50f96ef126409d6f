/*
 * rcu - grace periods: read without a lock, free when nobody reads any more
 *
 *   reader        online |--- p = load(cell), use p ---| quiescent |--- ...
 *   writer           old = swap(cell, new)
 *                    call(old, free) ....................................> free(old)
 *                                         a grace period: every thread was
 *                                         offline or quiescent at least once
 *
 * The one door to liburcu's QSBR flavour; nothing else includes it. A thread
 * that is online may hold pointers it loaded from shared cells until its next
 * quiescent state; reading costs nothing at all. The other side of the bargain
 * is that an online thread which never becomes quiescent stops every grace
 * period: a worker goes offline before it parks or does anything that blocks.
 *
 *   worker threads    register .. { quiescent between turns } .. unregister
 *                     offline .. park .. online
 *   all the others    enter .. read .. leave     registers itself when first used,
 *                                                unregisters when the thread ends
 *
 * A thread is online for as long as it has a reason: tri_rcu_online is one,
 * each tri_rcu_enter is one more. So enter nests, and on an online worker it is
 * an addition to a thread-local word.
 *
 * Threads  any. Each call concerns the calling thread, except synchronize, call
 *          and barrier, which concern all.
 * Progress quiescent, online, offline, enter, leave: wait-free (offline and
 *          quiescent may make one futex call, to wake a waiting writer).
 *          call: wait-free but for the first, which starts the helper thread.
 *          synchronize and barrier wait for every online thread.
 * Order    what a thread did before it was quiescent (offline, left) happens
 *          before what follows a grace period that began before that; what a
 *          writer did before it began a grace period is visible to every
 *          reader that comes online or is quiescent after its end.
 * Memory   none but the callers' tri_rcu_head and the helper thread.
 *
 * Under ThreadSanitizer the same functions tell it what a grace period orders
 * (mem/tsan/README.md), so users annotate nothing.
 */
#ifndef TROUPE_PRIVATE_MEM_RCU_H
#define TROUPE_PRIVATE_MEM_RCU_H

#include <troupe/mem/base.h>
#include <troupe/mem/panic.h>

/* liburcu's licence lets its small functions be inlined into any program. */
#ifndef _LGPL_SOURCE
#define _LGPL_SOURCE
#endif
#include <urcu/urcu-qsbr.h>

#include "mem/tsan/rcu_model.h"

/* -- deferred calls ----------------------------------------------------------- */

/*
 * What tri_rcu_call hangs on to: a member of the object that is to be freed.
 * No field is for others; no initialisation is needed.
 */
#ifdef TRI_RCU_MODEL
typedef struct tri_rcu_head {
    struct rcu_head urcu;
    void (*f)(struct tri_rcu_head *);
    unsigned long period; /* the model's grace period that has to end first */
} tri_rcu_head;
#else
typedef struct rcu_head tri_rcu_head;
#endif

/*
 * Call f(head) once a grace period from now is over, on the helper thread, with
 * all signals blocked. From any thread, online or not, also from an f. The
 * object belongs to f from now on. f may enter, and may call this; it must not
 * wait for a grace period (synchronize, barrier) nor panic.
 */
void tri_rcu_call(tri_rcu_head *head, void (*f)(tri_rcu_head *head));

/*
 * Start the helper thread now. The first tri_rcu_call would, but then it may be too
 * late: liburcu aborts the process when there is no memory for the thread.
 */
void tri_rcu_start_helper(void);

/*
 * Wait until every f that was given to tri_rcu_call before this has returned:
 * for the end of a program or of a system, so that nothing is counted as a leak.
 * Takes about 10 ms when calls are pending. Ends the caller's read side as
 * tri_rcu_quiescent does.
 */
void tri_rcu_barrier(void);

/*
 * Wait for a grace period. An online worker may call it: it counts as its
 * quiescent state, so what it had read is gone. Not between enter and leave.
 */
void tri_rcu_synchronize(void);

/* -- the calling thread ------------------------------------------------------------ */

/* Why this thread is online, and whether liburcu knows it. Touched by the
 * thread alone. */
typedef struct tri_rcu_self {
    unsigned online; /* the number of reasons to be online; 0: offline */
    bool registered;
} tri_rcu_self;

/* initial-exec: the address is one addition also in the shared library. 8 bytes
 * fit into the spare static TLS, so the library can still be opened at run time. */
extern __attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local tri_rcu_self
    tri_rcu_self_;

/*
 * Make the calling thread a worker: registered and online until it says
 * otherwise. Unregister it before the thread ends; it may be online or offline,
 * but not between enter and leave.
 */
void tri_rcu_register(void);
void tri_rcu_unregister(void);

/* First use of enter on a thread that is not registered. */
void tri_rcu_register_guest(void);

/* May this thread dereference a pointer from a shared cell now? For assertions. */
static inline bool tri_rcu_is_online(void)
{
    return tri_rcu_self_.online != 0;
}

/* The worker (registered, offline) may read again. */
static inline void tri_rcu_online(void)
{
    TR_DCHECK(tri_rcu_self_.registered && tri_rcu_self_.online == 0);
    urcu_qsbr_thread_online();
    tri_model_open();
    tri_rcu_self_.online = 1;
}

/* The worker reads nothing until tri_rcu_online: what it had loaded is gone. */
static inline void tri_rcu_offline(void)
{
    TR_DCHECK(tri_rcu_self_.online == 1);
    tri_rcu_self_.online = 0;
    tri_model_close();
    urcu_qsbr_thread_offline();
}

/* The worker holds no pointer from a shared cell at this moment. */
static inline void tri_rcu_quiescent(void)
{
    TR_DCHECK(tri_rcu_self_.online == 1);
    tri_model_close();
    urcu_qsbr_quiescent_state();
    tri_model_open();
}

/* From here to the matching leave this thread, whatever it is, may read. */
static inline void tri_rcu_enter(void)
{
    if (TR_UNLIKELY(tri_rcu_self_.online == 0)) {
        if (TR_UNLIKELY(!tri_rcu_self_.registered))
            tri_rcu_register_guest();
        tri_rcu_online();
    } else {
        tri_rcu_self_.online++;
    }
}

static inline void tri_rcu_leave(void)
{
    TR_DCHECK(tri_rcu_self_.online != 0);
    if (TR_UNLIKELY(tri_rcu_self_.online == 1))
        tri_rcu_offline();
    else
        tri_rcu_self_.online--;
}

#endif
