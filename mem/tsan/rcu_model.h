/*
 * rcu_model - what a grace period orders, told to ThreadSanitizer
 *
 * liburcu is not instrumented, so the tool sees neither that a grace period
 * waits for readers nor that it follows them, and would report each correct
 * free. One global token ("every quiescent state happens before every end of a
 * grace period") silences that, and with it most real bugs: whoever keeps a
 * pointer across a quiescent state is then ordered before the free by his own
 * next one. So the model is exact. Grace periods are numbered:
 *
 *   seq         4          5          6          7     raised when one begins
 *   reader A    |==== L=4 ====|======= L=5 =======|    section: between two
 *               open          close/open               quiescent states
 *   writer         begin 5 .......... end 5
 *
 * A section that was opened when seq was L comes before the end of grace period
 * s exactly if L < s: A's first section precedes end 5, its second does not. So
 * a pointer that A loaded in the first and uses in the second is reported when
 * it is freed after end 5.
 *
 *   open        L = seq
 *   close       release(token[L + 1])
 *   begin       s = ++seq
 *   end(s)      acquire(token[1 .. s])
 *
 * The traffic on seq is relaxed, which the tool sees as no order at all; what
 * order the model needs itself comes from barriers it does not see. That is the
 * trick: all edges come from the tokens, and those are the true ones.
 *
 * In other builds all of it is nothing.
 */
#ifndef TROUPE_PRIVATE_MEM_TSAN_RCU_MODEL_H
#define TROUPE_PRIVATE_MEM_TSAN_RCU_MODEL_H

#if defined(__SANITIZE_THREAD__)
#define TRI_RCU_MODEL 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TRI_RCU_MODEL 1
#endif
#endif

#ifdef TRI_RCU_MODEL

/* The calling thread's section begins, ends (after online, before offline). */
void tri_model_open(void);
void tri_model_close(void);

/* A grace period begins: its number. It ended, seen by the calling thread. */
unsigned long tri_model_begin(void);
void tri_model_end(unsigned long period);

/* A deferred call is handed over, begins on the helper, ended there. */
void tri_model_call(void *head);
void tri_model_call_begin(void *head);
void tri_model_call_end(void);

/* Around liburcu's barrier. */
void tri_model_barrier_begin(void);
void tri_model_barrier_end(void);

#else

static inline void tri_model_open(void)
{
}
static inline void tri_model_close(void)
{
}
static inline unsigned long tri_model_begin(void)
{
    return 0;
}
static inline void tri_model_end(unsigned long period)
{
    (void)period;
}
static inline void tri_model_barrier_begin(void)
{
}
static inline void tri_model_barrier_end(void)
{
}

#endif

#endif
