/*
 * semaphore - permits, sleepers and the end, in one word
 *
 *      31       30         29          0
 *     | CLOSED | SLEEPERS | permits     |
 *
 *  1. SLEEPERS is set by who is about to sleep, with no permit there, by a CAS that
 *     fails when one has come. Who adds permits clears it in the same CAS and wakes
 *     all; those who find none set it again. So no permit lies there beside a sleeper
 *     that nobody is bound to wake.
 *  2. CLOSED is never cleared.
 */
#include <troupe/mem/semaphore.h>

#include <troupe/mem/panic.h>

#include "mem/futex.h"

#define CLOSED (1u << 31)
#define SLEEPERS (1u << 30)

_Static_assert(TR_SEMAPHORE_MOST == SLEEPERS - 1, "the rest of the word counts permits");

static uint32_t permits(uint32_t word)
{
    return word & TR_SEMAPHORE_MOST;
}

tr_status tr_semaphore_try_acquire(tr_semaphore *s, tr_permit *ret_permit)
{
    uint32_t word = tr_load_relaxed(&s->word_); /* relaxed: the CAS below takes */
    for (;;) {
        if ((word & CLOSED) != 0)
            return TR_DISCONNECTED;
        if (permits(word) == 0)
            return TR_WOULD_BLOCK;
        /* edge permit (acquire): with tr_semaphore_add; what its last owner did */
        if (tr_cas_acquire(&s->word_, &word, word - 1)) {
            ret_permit->semaphore_ = s;
            return TR_OK;
        }
    }
}

/* false: the deadline was reached. */
static bool wait_for_change(tr_semaphore *s, uint64_t deadline)
{
    uint32_t word = tr_load_relaxed(&s->word_); /* relaxed: a CAS or the kernel compares it */
    if (permits(word) != 0 || (word & CLOSED) != 0)
        return true;
    /* relaxed: a request to be woken; nothing is handed over */
    if ((word & SLEEPERS) == 0 && !tr_cas_relaxed(&s->word_, &word, word | SLEEPERS))
        return true;
    return tri_futex_wait(&s->word_, word | SLEEPERS, deadline);
}

tr_status tr_semaphore_acquire_until(tr_semaphore *s, uint64_t deadline, tr_permit *ret_permit)
{
    for (bool in_time = true;;) {
        const tr_status status = tr_semaphore_try_acquire(s, ret_permit);
        if (status != TR_WOULD_BLOCK)
            return status;
        if (!in_time)
            return TR_TIMEOUT;
        in_time = wait_for_change(s, deadline);
    }
}

tr_status tr_semaphore_acquire(tr_semaphore *s, tr_permit *ret_permit)
{
    return tr_semaphore_acquire_until(s, TR_FOREVER, ret_permit);
}

void tr_semaphore_add(tr_semaphore *s, uint32_t n)
{
    uint32_t word = tr_load_relaxed(&s->word_); /* relaxed: the CAS below adds */
    do {
        if (n > TR_SEMAPHORE_MOST - permits(word))
            tr_panic("semaphore: %u permits and %u more are too many", permits(word), n);
        /* edge permit (release): with tr_semaphore_try_acquire; what was done under it */
    } while (!tr_cas_release(&s->word_, &word, (word & ~SLEEPERS) + n));
    if ((word & SLEEPERS) != 0)
        (void)tri_futex_wake(&s->word_, TRI_FUTEX_ALL);
}

void tr_permit_drop(tr_permit *permit)
{
    tr_semaphore *s = permit->semaphore_;
    if (s == NULL)
        return;
    permit->semaphore_ = NULL;
    tr_semaphore_add(s, 1);
}

uint32_t tr_semaphore_available(const tr_semaphore *s)
{
    return permits(tr_load_relaxed(&s->word_)); /* relaxed: a number that may be old at once */
}

void tr_semaphore_close(tr_semaphore *s)
{
    /* relaxed: that it is closed is all there is to see */
    const uint32_t word = tr_fetch_or_relaxed(&s->word_, CLOSED);
    if ((word & SLEEPERS) != 0)
        (void)tri_futex_wake(&s->word_, TRI_FUTEX_ALL);
}

bool tr_semaphore_is_closed(const tr_semaphore *s)
{
    return (tr_load_relaxed(&s->word_) & CLOSED) != 0; /* relaxed: as in close */
}
