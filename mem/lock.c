/*
 * lock - guards let go, poison, values dropped; and the checks of checked builds
 *
 *     tr_hold_release_   poison if this panic began under the guard, then unlock
 *
 * Invariants
 *  1. condition_ is written with the lock held for writing, or by who is the only
 *     one to know the lock; only clearing the poison is allowed to anybody.
 *  2. A guard poisons when its thread panics now and did not when it locked: a
 *     destructor that locks while a panic unwinds does not poison.
 *  3. Checked builds: `held` is the stack of this thread's locks. When it
 *     is full, further locks are not recorded, and nothing is concluded from
 *     a lock that is missing there (`lost`).
 *
 * Edges: dropping a lock that is held aborts in every build, get_mut and into_inner
 * of one panic; where Rust's compiler refuses, these are the last chance.
 */
#include "mem/lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *tri_lock_name(const tr_lock_core *lock)
{
    if (lock->rank_ != NULL)
        return lock->rank_->name;
    return lock->type_ != NULL ? lock->type_->name : "(no name)";
}

/* -- checked builds ---------------------------------------------------------------- */

#ifdef TR_CHECKED
#define MOST_HELD 64

struct holding {
    const tr_lock_core *lock;
    const tr_site *at;
};

static _Thread_local struct holding held[MOST_HELD];
static _Thread_local unsigned held_count;
static _Thread_local bool lost;

static uint32_t rank_of(const tr_lock_core *lock)
{
    return lock->rank_ != NULL ? lock->rank_->rank : 0;
}

void tri_lock_check_order(const tr_lock_core *lock, const tr_site *at)
{
    for (unsigned i = held_count; i-- > 0;) {
        const struct holding *h = &held[i];
        if (h->lock == lock)
            tr_panic("deadlock: %s is locked at %s:%d by the thread that locked it at %s:%d",
                     tri_lock_name(lock), at->file, at->line, h->at->file, h->at->line);
        if (rank_of(lock) != 0 && rank_of(h->lock) >= rank_of(lock))
            tr_panic("lock order: %s (rank %u) at %s:%d under %s (rank %u), taken at %s:%d",
                     tri_lock_name(lock), rank_of(lock), at->file, at->line,
                     tri_lock_name(h->lock), rank_of(h->lock), h->at->file, h->at->line);
    }
}

void tri_lock_check_taken(tr_lock_core *lock, const tr_site *at)
{
    tr_store_relaxed(&lock->held_at_, at); /* relaxed: for messages; a site is constant */
    if (held_count == MOST_HELD) {
        lost = true;
        return;
    }
    held[held_count++] = (struct holding){ .lock = lock, .at = at };
}

void tri_lock_check_released(const tr_lock_core *lock)
{
    for (unsigned i = held_count; i-- > 0;) {
        if (held[i].lock != lock)
            continue;
        memmove(&held[i], &held[i + 1], (held_count - i - 1) * sizeof held[0]);
        held_count--;
        return;
    }
    if (lost)
        return;
    /* relaxed: for a message; a site is constant */
    const tr_site *site = tr_load_relaxed(&lock->held_at_);
    tr_panic("%s, locked at %s:%d, is unlocked by a thread that does not hold it",
             tri_lock_name(lock), site != NULL ? site->file : "?", site != NULL ? site->line : 0);
}
#endif

/* -- guards -------------------------------------------------------------------------- */

static void unlock(tr_hold hold)
{
    tri_lock_check_released(hold.lock_);
    const uintptr_t kind = hold.how_ & TR_HOLD_KIND_;
    if (TR_LIKELY(kind == TR_HOLD_MUTEX_))
        tri_mutex_unlock(hold.lock_);
    else if (kind == TR_HOLD_READ_)
        tri_read_unlock(hold.lock_);
    else
        tri_write_unlock(hold.lock_);
}

void tr_hold_release_(tr_lock_core *lock, uintptr_t how)
{
    if (TR_UNLIKELY(tr_panicking()) && (how & TR_HOLD_UNWINDING_) == 0 &&
        (how & TR_HOLD_KIND_) != TR_HOLD_READ_)
        /* relaxed: read under the lock by who must know; see tr_lock_is_poisoned_ */
        tr_store_relaxed(&lock->condition_, TRI_LOCK_POISONED);
    unlock((tr_hold){ lock, how });
}

tr_status tri_lock_condition(tr_hold hold)
{
    /* relaxed: as in tri_lock_taken */
    if (tr_load_relaxed(&hold.lock_->condition_) == TRI_LOCK_EMPTIED) {
        unlock(hold);
        tr_panic("the value of %s was moved out of its lock", tri_lock_name(hold.lock_));
    }
    return TR_POISONED;
}

void tri_lock_refuse(tr_hold hold)
{
    unlock(hold);
    tr_panic("%s is poisoned: a thread panicked while it was locked", tri_lock_name(hold.lock_));
}

/* -- poison --------------------------------------------------------------------------- */

bool tr_lock_is_poisoned_(const tr_lock_core *lock)
{
    /* relaxed: an answer without the lock is a hint; after a join it is certain */
    return tr_load_relaxed(&lock->condition_) == TRI_LOCK_POISONED;
}

void tr_lock_clear_poison_(tr_lock_core *lock)
{
    uint8_t poisoned = TRI_LOCK_POISONED;
    /* relaxed: what was mended is carried by the lock itself */
    (void)tr_cas_relaxed(&lock->condition_, &poisoned, TRI_LOCK_SOUND);
}

/* -- the only one to know the lock ------------------------------------------------------ */

/* With "while locked" and where, as far as it is known. */
static void describe_held(const tr_lock_core *lock, const char *what, char *text, size_t size)
{
    /* relaxed: for a message; a site is constant */
    const tr_site *site = tr_load_relaxed(&lock->held_at_);
    if (site == NULL)
        (void)snprintf(text, size, "%s of %s while it is locked (a checked build says where)",
                       what, tri_lock_name(lock));
    else
        (void)snprintf(text, size, "%s of %s while it is locked at %s:%d", what,
                       tri_lock_name(lock), site->file, site->line);
}

static bool is_held(const tr_lock_core *lock)
{
    /* edge mutex (acquire): with tri_mutex_unlock; carries what the lock guards, to
     * an owner who knows only by the lock that the others have gone */
    return tr_load_acquire(&lock->word_) != 0;
}

/* The memory goes under the guard: a panic would let the program go on with it. */
static TR_NORETURN void die_of_drop(const tr_lock_core *lock)
{
    char text[300];
    describe_held(lock, "drop", text, sizeof text - 12);
    (void)strcat(text, ": aborting\n");
    (void)!write(STDERR_FILENO, text, strlen(text));
    abort();
}

void tr_lock_drop_(tr_lock_core *lock, void *value)
{
    if (TR_UNLIKELY(is_held(lock)))
        die_of_drop(lock);
    /* relaxed: the caller is the only one to know the lock */
    if (tr_load_relaxed(&lock->condition_) != TRI_LOCK_EMPTIED && lock->type_ != NULL &&
        lock->type_->drop != NULL)
        lock->type_->drop(value);
}

tr_status tr_lock_get_mut_(tr_lock_core *lock)
{
    if (TR_UNLIKELY(is_held(lock))) {
        char text[200];
        describe_held(lock, "get_mut", text, sizeof text);
        tr_panic("%s", text);
    }
    /* relaxed: the caller is the only one to know the lock */
    const uint8_t condition = tr_load_relaxed(&lock->condition_);
    if (condition == TRI_LOCK_EMPTIED)
        tr_panic("the value of %s was moved out of its lock", tri_lock_name(lock));
    return condition == TRI_LOCK_SOUND ? TR_OK : TR_POISONED;
}

tr_status tr_lock_into_inner_(tr_lock_core *lock, const void *value, void *ret_value,
                              void *ret_poisoned)
{
    const tr_status status = tr_lock_get_mut_(lock);
    void *to = status == TR_OK ? ret_value : ret_poisoned;
    if (to == NULL)
        return status;
    memcpy(to, value, lock->type_->size);
    /* relaxed: the caller is the only one to know the lock */
    tr_store_relaxed(&lock->condition_, TRI_LOCK_EMPTIED);
    return status;
}
