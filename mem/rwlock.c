/*
 * rwlock - readers counted in a word, with a bit for each kind that waits
 *
 *      31               30               29       28        0
 *     | WRITERS_WAIT  | READERS_WAIT   | WRITER | readers    |     word_
 *
 *     readers sleep on word_, writers on turn_, which goes up with each wake
 *
 *  1. A reader may come in when there is no WRITER and nobody waits: a waiting
 *     writer holds new readers back, and after its wake so do waiting readers.
 *  2. Who frees the lock (wake_next) wakes one writer, or, when none sleeps, all
 *     readers. It clears the bit of whom it wakes first.
 *  3. A bit is set only while the lock is not free, except READERS_WAIT after a
 *     writer was woken: that one then locks, or finds the lock taken by somebody
 *     whose unlock sees the bit, or gives up and wakes them (leave_queue). So no
 *     sleeper is left without somebody bound to wake it.
 *  4. A writer that has slept cannot know whether others sleep: it locks with
 *     WRITERS_WAIT set. A bit without a sleeper costs a system call.
 *  5. turn_ is read before the word is looked at again, and goes up after
 *     WRITERS_WAIT was cleared: a writer that saw the bit sleeps only if its wake
 *     is still to come.
 *  6. Who was woken tries before it looks at its deadline. A writer that gives up
 *     clears WRITERS_WAIT and wakes all other writers, who set it again: so a
 *     writer that is gone does not hold readers back.
 */
#include <troupe/mem/rwlock.h>

#include "mem/futex.h"
#include "mem/lock.h"

#define WRITER (1u << 29)
#define READERS (WRITER - 1)
#define READERS_WAIT (1u << 30)
#define WRITERS_WAIT (1u << 31)
#define SPINS 100

static uint32_t look(tr_rwlock_core *rw)
{
    return tr_load_relaxed(&rw->lock_.word_); /* relaxed: what follows is a CAS, or a sleep */
}

static bool is_free(uint32_t word)
{
    return (word & (WRITER | READERS)) == 0;
}

static bool admits_reader(uint32_t word)
{
    return (word & (WRITER | READERS_WAIT | WRITERS_WAIT)) == 0;
}

static bool set_bit(tr_rwlock_core *rw, uint32_t word, uint32_t bit)
{
    /* relaxed: a request, nothing is handed over */
    return (word & bit) != 0 || tr_cas_relaxed(&rw->lock_.word_, &word, word | bit);
}

static bool clear_bit(tr_rwlock_core *rw, uint32_t word, uint32_t bit)
{
    /* relaxed: who is woken locks with acquire */
    return tr_cas_relaxed(&rw->lock_.word_, &word, word & ~bit);
}

/* -- waking ---------------------------------------------------------------------------- */

static bool wake_writers(tr_rwlock_core *rw, int n)
{
    /* edge rwlock-turn (release): with wait_to_write; the bit is cleared already (5.) */
    (void)tr_fetch_add_release(&rw->turn_, 1);
    return tri_futex_wake(&rw->turn_, n) > 0;
}

/* The lock was freed and somebody waits, or did. */
static void wake_next(tr_rwlock_core *rw)
{
    for (;;) {
        const uint32_t word = look(rw);
        if (!is_free(word) || word == 0)
            return; /* who has it wakes the next */
        if ((word & WRITERS_WAIT) != 0) {
            if (clear_bit(rw, word, WRITERS_WAIT) && wake_writers(rw, 1))
                return; /* 3. */
        } else if (clear_bit(rw, word, READERS_WAIT)) {
            (void)tri_futex_wake(&rw->lock_.word_, TRI_FUTEX_ALL);
            return;
        }
    }
}

/* 6. */
static void leave_queue(tr_rwlock_core *rw)
{
    /* relaxed: nothing is handed over */
    (void)tr_fetch_and_relaxed(&rw->lock_.word_, ~WRITERS_WAIT);
    (void)wake_writers(rw, TRI_FUTEX_ALL);
    for (;;) {
        const uint32_t word = look(rw);
        if ((word & READERS_WAIT) == 0 || (word & (WRITER | WRITERS_WAIT)) != 0)
            return; /* a writer has it, or waits: it wakes the readers */
        if (clear_bit(rw, word, READERS_WAIT)) {
            (void)tri_futex_wake(&rw->lock_.word_, TRI_FUTEX_ALL);
            return;
        }
    }
}

/* -- locking ----------------------------------------------------------------------------- */

static bool try_read(tr_rwlock_core *rw)
{
    uint32_t word = look(rw);
    while (admits_reader(word)) {
        if (TR_UNLIKELY((word & READERS) == READERS))
            tr_panic("%s has too many readers", tri_lock_name(&rw->lock_));
        /* edge rwlock (acquire): with tri_write_unlock; carries what the lock guards */
        if (tr_cas_acquire(&rw->lock_.word_, &word, word + 1))
            return true;
    }
    return false;
}

/* waiting: bits that this writer leaves set beside those that are. */
static bool try_write(tr_rwlock_core *rw, uint32_t waiting)
{
    uint32_t word = look(rw);
    while (is_free(word))
        /* edge rwlock (acquire): with tri_read_unlock, tri_write_unlock; carries what
         * the lock guards, and that the readers have read it */
        if (tr_cas_acquire(&rw->lock_.word_, &word, word | WRITER | waiting))
            return true;
    return false;
}

static void spin_while(tr_rwlock_core *rw, uint32_t busy)
{
    for (unsigned i = 0; i < SPINS && (look(rw) & busy) != 0; i++)
        tr_cpu_relax();
}

static bool wait_to_read(tr_rwlock_core *rw, uint64_t deadline)
{
    spin_while(rw, WRITER);
    for (bool in_time = true;;) {
        if (try_read(rw))
            return true;
        if (!in_time)
            return false;
        const uint32_t word = look(rw);
        if (!admits_reader(word) && set_bit(rw, word, READERS_WAIT))
            in_time = tri_futex_wait(&rw->lock_.word_, word | READERS_WAIT, deadline);
    }
}

static bool wait_to_write(tr_rwlock_core *rw, uint64_t deadline)
{
    uint32_t others = 0;
    spin_while(rw, WRITER | READERS);
    for (bool in_time = true;;) {
        if (try_write(rw, others))
            return true;
        if (!in_time) {
            leave_queue(rw);
            return false;
        }
        uint32_t word = look(rw);
        if (is_free(word) || !set_bit(rw, word, WRITERS_WAIT))
            continue;
        /* edge rwlock-turn (acquire): with wake_writers; the bit it cleared (5.) */
        const uint32_t turn = tr_load_acquire(&rw->turn_);
        word = look(rw);
        if (is_free(word) || (word & WRITERS_WAIT) == 0)
            continue;
        in_time = tri_futex_wait(&rw->turn_, turn, deadline);
        others = WRITERS_WAIT; /* 4. */
    }
}

/* -- unlocking --------------------------------------------------------------------------- */

void tri_read_unlock(tr_lock_core *lock)
{
    /* edge rwlock (release): with try_write; the reader has read what is guarded */
    const uint32_t word = tr_fetch_sub_release(&lock->word_, 1) - 1;
    if (TR_UNLIKELY(is_free(word) && word != 0))
        wake_next((tr_rwlock_core *)lock);
}

void tri_write_unlock(tr_lock_core *lock)
{
    /* edge rwlock (release): with try_read, try_write; carries what is guarded */
    const uint32_t word = tr_fetch_and_release(&lock->word_, ~WRITER) & ~WRITER;
    if (TR_UNLIKELY(word != 0))
        wake_next((tr_rwlock_core *)lock);
}

tr_read_hold tr_rwlock_downgrade_(tr_write_hold hold)
{
    tr_rwlock_core *rw = (tr_rwlock_core *)hold.hold_.lock_;
    TR_ASSERT((hold.hold_.how_ & TR_HOLD_KIND_) == TR_HOLD_WRITE_);
    /* edge rwlock (release): with try_read; carries what is guarded. One step: to
     * no WRITER and one reader. */
    uint32_t word = tr_fetch_sub_release(&rw->lock_.word_, WRITER - 1) - (WRITER - 1);
    while ((word & READERS_WAIT) != 0 && (word & WRITERS_WAIT) == 0) {
        if (clear_bit(rw, word, READERS_WAIT)) {
            (void)tri_futex_wake(&rw->lock_.word_, TRI_FUTEX_ALL);
            break;
        }
        word = look(rw);
    }
    const uintptr_t unwinding = hold.hold_.how_ & TR_HOLD_UNWINDING_;
    return (tr_read_hold){ { .lock_ = &rw->lock_, .how_ = TR_HOLD_READ_ | unwinding } };
}

/* -- what the header's macros call ------------------------------------------------------- */

static bool read_lock(tr_rwlock_core *rw, uint64_t deadline, const tr_site *at)
{
    tri_lock_check_order(&rw->lock_, at);
    return TR_LIKELY(try_read(rw)) || wait_to_read(rw, deadline);
}

static bool write_lock(tr_rwlock_core *rw, uint64_t deadline, const tr_site *at)
{
    tri_lock_check_order(&rw->lock_, at);
    return TR_LIKELY(try_write(rw, 0)) || wait_to_write(rw, deadline);
}

tr_hold tr_rwlock_read_or_panic_(tr_rwlock_core *lock, const tr_site *at)
{
    tr_hold hold;
    (void)read_lock(lock, TR_FOREVER, at);
    if (TR_UNLIKELY(tri_lock_taken(&lock->lock_, TR_HOLD_READ_, at, &hold) != TR_OK))
        tri_lock_refuse(hold);
    return hold;
}

tr_hold tr_rwlock_write_or_panic_(tr_rwlock_core *lock, const tr_site *at)
{
    tr_hold hold;
    (void)write_lock(lock, TR_FOREVER, at);
    if (TR_UNLIKELY(tri_lock_taken(&lock->lock_, TR_HOLD_WRITE_, at, &hold) != TR_OK))
        tri_lock_refuse(hold);
    return hold;
}

tr_status tr_rwlock_read_until_(tr_rwlock_core *lock, uint64_t deadline, const tr_site *at,
                                tr_hold *ret_hold)
{
    if (!read_lock(lock, deadline, at))
        return TR_TIMEOUT;
    return tri_lock_taken(&lock->lock_, TR_HOLD_READ_, at, ret_hold);
}

tr_status tr_rwlock_write_until_(tr_rwlock_core *lock, uint64_t deadline, const tr_site *at,
                                 tr_hold *ret_hold)
{
    if (!write_lock(lock, deadline, at))
        return TR_TIMEOUT;
    return tri_lock_taken(&lock->lock_, TR_HOLD_WRITE_, at, ret_hold);
}

tr_status tr_rwlock_try_read_(tr_rwlock_core *lock, const tr_site *at, tr_hold *ret_hold)
{
    if (!try_read(lock))
        return TR_WOULD_BLOCK;
    return tri_lock_taken(&lock->lock_, TR_HOLD_READ_, at, ret_hold);
}

tr_status tr_rwlock_try_write_(tr_rwlock_core *lock, const tr_site *at, tr_hold *ret_hold)
{
    if (!try_write(lock, 0))
        return TR_WOULD_BLOCK;
    return tri_lock_taken(&lock->lock_, TR_HOLD_WRITE_, at, ret_hold);
}
