/*
 * rcu_model - numbered grace periods as ThreadSanitizer's tokens
 *
 *   token[]     a ring; release(token[n]) by every section that end(n), and all
 *               later ones, must come after
 *   folded      what end(1 .. done) acquired, so that end(s) walks done+1 .. s
 *
 * 1. A section stores into token[L + 1] where L is seq at its opening. A period
 *    that began later has s > L, so its end walks that token or finds it folded.
 * 2. done is raised only after the release of folded, and read before its
 *    acquire: who reads done = d acquires everything up to d.
 * 3. When period s has ended, all sections with L < s are closed, because it
 *    waited for them; so folding token[1 .. s] misses none.
 *
 * seq and done need the order of their program text against liburcu's own
 * accesses and each other, yet must add no edge that ThreadSanitizer sees.
 * liburcu's cmm_smp_mb is an instruction it does not know of: the only use of a
 * fence in troupe, and only in this build.
 *
 * Two things blur it, both towards silence, never towards a false report: the
 * ring wraps (a slot is shared by periods SLOTS apart), and a late end acquires
 * what later, already ended periods have folded.
 */
#include "mem/rcu.h"

#include <troupe/mem/atomic.h>

#ifdef TRI_RCU_MODEL

#include <sanitizer/tsan_interface.h>

/* Exported by the run-time library of every compiler, declared by none. */
void __tsan_ignore_thread_begin(void);
void __tsan_ignore_thread_end(void);

/* Enough that a period has ended long before its slot comes round. */
#define SLOTS 8192u

static uint64_t token[SLOTS];
static uint64_t folded;
static uint64_t called; /* every callback releases it when it is through */
static TR_ATOMIC(unsigned long) seq = TR_ATOMIC_INIT(1);
static TR_ATOMIC(unsigned long) done;
static _Thread_local unsigned long opened;

void tri_model_open(void)
{
    /* relaxed: must give the tool no edge */
    opened = tr_load_relaxed(&seq);
    cmm_smp_mb(); /* read before anything the section reads */
}

void tri_model_close(void)
{
    __tsan_release(&token[(opened + 1) % SLOTS]);
}

unsigned long tri_model_begin(void)
{
    cmm_smp_mb(); /* whoever opens after this sees what the writer unlinked */
    /* relaxed: must give the tool no edge */
    return tr_fetch_add_relaxed(&seq, 1) + 1;
}

void tri_model_end(unsigned long period)
{
    /* relaxed: must give the tool no edge; 2. is kept by the barriers */
    unsigned long d = tr_load_relaxed(&done);

    cmm_smp_mb();
    __tsan_acquire(&folded);
    if (d >= period)
        return;
    if (period - d > SLOTS)
        d = period - SLOTS;
    while (d < period)
        __tsan_acquire(&token[++d % SLOTS]);
    __tsan_release(&folded);
    cmm_smp_mb();
    /* relaxed: as above */
    d = tr_load_relaxed(&done);
    while (d < period && !tr_cas_relaxed(&done, &d, period))
        ;
}

void tri_model_call(void *head)
{
    __tsan_release(head);
}

void tri_model_call_begin(void *head)
{
    __tsan_acquire(head);
}

void tri_model_call_end(void)
{
    __tsan_release(&called);
}

/* liburcu counts the barrier's callbacks in a block that one thread allocates
 * and another frees; their order is in code the tool does not see. */
void tri_model_barrier_begin(void)
{
    __tsan_ignore_thread_begin();
}

void tri_model_barrier_end(void)
{
    __tsan_ignore_thread_end();
    __tsan_acquire(&called);
}

#endif
