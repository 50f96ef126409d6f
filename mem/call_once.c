/*
 * call_once - the state of a once, and its sleepers, in one word
 *
 *     NEW ---------> RUNNING --> COMPLETED
 *                     |   ^
 *           (a panic) v   | (force)
 *                    POISONED
 *
 *  1. SLEEPERS is set beside NEW, RUNNING or POISONED by who goes to sleep, and goes
 *     with the change of state that wakes them all.
 *  2. The runner's change of state is in a cleanup: a panic poisons. It knows by
 *     `finished` that the function returned; tr_panicking would be true as well
 *     in a destructor that calls a once while another panic unwinds.
 */
#include <troupe/mem/call_once.h>

#include "mem/futex.h"

enum {
    NEW = 0,
    RUNNING = 1,
    COMPLETED = 2,
    POISONED = 3,
    STATE = 3,
    SLEEPERS = 4,
};

static _Thread_local char this_thread; /* its address names the thread */

struct run {
    tr_once *once;
    void (*f)(void *arg);
    void (*force)(void *arg, bool poisoned);
    void *arg;
    bool finished;
};

/* 1., 2. */
static void end_run(struct run *run)
{
    const uint32_t state = run->finished ? COMPLETED : POISONED;
    tr_store_relaxed(&run->once->runner_, NULL); /* relaxed: compared with one's own address only */
    /* edge once (release): with look; carries what the function did */
    if ((tr_swap_release(&run->once->state_, state) & SLEEPERS) != 0)
        (void)tri_futex_wake(&run->once->state_, TRI_FUTEX_ALL);
}

static void run_now(struct run *started, bool poisoned)
{
    /* relaxed: compared with one's own address only */
    tr_store_relaxed(&started->once->runner_, (const void *)&this_thread);
    __attribute__((cleanup(end_run))) struct run run = *started;
    if (run.f != NULL)
        run.f(run.arg);
    else
        run.force(run.arg, poisoned);
    run.finished = true;
}

static uint32_t look(const tr_once *once)
{
    /* edge once (acquire): with end_run; carries what the function did */
    return tr_load_acquire(&once->state_);
}

static void sleep_on(tr_once *once, uint32_t word)
{
    /* relaxed: compared with one's own address only */
    if (tr_load_relaxed(&once->runner_) == (const void *)&this_thread)
        tr_panic("a once is called by the function that it runs");
    /* relaxed: a request to be woken; nothing is handed over */
    if ((word & SLEEPERS) != 0 || tr_cas_relaxed(&once->state_, &word, word | SLEEPERS))
        (void)tri_futex_wait(&once->state_, word | SLEEPERS, TR_FOREVER);
}

static TR_NORETURN void refuse(void)
{
    tr_panic("a once is poisoned: its function panicked");
}

static void call(struct run *run)
{
    for (;;) {
        uint32_t word = look(run->once);
        const uint32_t state = word & STATE;
        if (state == COMPLETED)
            return;
        if (state == POISONED && run->f != NULL)
            refuse();
        if (state == RUNNING) {
            sleep_on(run->once, word);
            continue;
        }
        /* edge once (acquire): with end_run; what a function that panicked has done */
        if (tr_cas_acquire(&run->once->state_, &word, RUNNING | (word & SLEEPERS))) {
            run_now(run, state == POISONED);
            return;
        }
    }
}

void tr_once_call(tr_once *once, void (*f)(void *arg), void *arg)
{
    if (TR_LIKELY(look(once) == COMPLETED))
        return;
    call(&(struct run){ .once = once, .f = f, .arg = arg });
}

void tr_once_call_force(tr_once *once, void (*f)(void *arg, bool poisoned), void *arg)
{
    if (TR_LIKELY(look(once) == COMPLETED))
        return;
    call(&(struct run){ .once = once, .force = f, .arg = arg });
}

void tr_once_wait(tr_once *once)
{
    for (;;) {
        const uint32_t word = look(once);
        if ((word & STATE) == COMPLETED)
            return;
        if ((word & STATE) == POISONED)
            refuse();
        sleep_on(once, word);
    }
}

bool tr_once_is_completed(const tr_once *once)
{
    return (look(once) & STATE) == COMPLETED;
}

bool tr_once_is_poisoned(const tr_once *once)
{
    return (look(once) & STATE) == POISONED;
}
