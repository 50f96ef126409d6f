/*
 * once - making a value once, for one thread and for many
 *
 *     word     | owner's thread id, while running | waited 1 | state 2 |
 *
 *     empty --cas--> running, owner --swap--> full | empty | poisoned
 *                        |
 *                 others set waited and sleep on the word (futex)
 *
 * Invariants
 *  1. Only the owner of a running word touches the value's memory.
 *  2. A full word is TR_ONCE_FULL_ and nothing else, so that is_full is one
 *     comparison; it never changes while others can reach it.
 *  3. Who sleeps has set `waited` in the very word it sleeps on; who takes the word
 *     out of running wakes all, and they look again. So none sleeps through it.
 *  4. However an initialiser ends, its word leaves running: by a cleanup.
 *
 * Edges: `waited` stays in an empty word for tr_once_lock_wait_, which waits for an
 * initialiser that has not come yet. A full lock may be freed as soon as it is seen
 * full: the wake-up after the swap uses its address as a name only.
 */
#include <troupe/mem/once.h>

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <troupe/mem/panic.h>

#include "mem/futex.h"

#define STATE 3u
#define WAITED 4u
#define OWNER_SHIFT 3 /* thread ids of Linux have 22 bits */

static tr_status make(void *value, const tr_once_how_ *how)
{
    if (how->init == NULL)
        return how->try_init(value, how->arg);
    how->init(value, how->arg);
    return TR_OK;
}

static void check_initialiser(const tr_once_how_ *how)
{
    if (TR_UNLIKELY(how->init == NULL && how->try_init == NULL))
        tr_panic("there is no initialiser");
}

static TR_NORETURN void panic_poisoned(void)
{
    tr_panic("a lazy value is forced that was poisoned: its initialiser panicked");
}

static TR_NORETURN void panic_reentrant(void)
{
    tr_panic("reentrant initialisation: the initialiser needs the value it makes");
}

/* What a value moved in by `set` is made from. */
struct move {
    const void *from;
    size_t size;
    bool moved;
};

static void move_in(void *value, void *arg)
{
    struct move *move = arg;
    memcpy(value, move->from, move->size);
    move->moved = true;
}

/* -- one thread ------------------------------------------------------------ */

struct cell_run {
    uint32_t *once;
    uint32_t next; /* its state when the initialiser is done */
};

static void finish_cell(struct cell_run *run)
{
    *run->once = run->next;
}

tr_status tr_once_cell_run_(uint32_t *once, void *value, const tr_once_how_ *how)
{
    check_initialiser(how);
    switch (*once) {
    case TR_ONCE_FULL_:
        return TR_OK;
    case TR_ONCE_RUNNING_:
        panic_reentrant();
    case TR_ONCE_POISONED_:
        panic_poisoned();
    default:
        break;
    }
    __attribute__((cleanup(finish_cell))) struct cell_run run = {
        .once = once,
        .next = how->poisons ? TR_ONCE_POISONED_ : TR_ONCE_EMPTY_,
    };
    *once = TR_ONCE_RUNNING_;
    const tr_status status = make(value, how);
    run.next = status == TR_OK ? TR_ONCE_FULL_ : TR_ONCE_EMPTY_;
    return status;
}

bool tr_once_cell_set_(uint32_t *once, void *place, const void *value, size_t size)
{
    struct move move = { .from = value, .size = size };
    const tr_once_how_ how = { .init = move_in, .arg = &move };
    (void)tr_once_cell_run_(once, place, &how);
    return move.moved;
}

bool tr_once_cell_empty_(uint32_t *once)
{
    if (TR_UNLIKELY(*once == TR_ONCE_RUNNING_))
        panic_reentrant();
    const bool full = *once == TR_ONCE_FULL_;
    if (full)
        *once = TR_ONCE_EMPTY_;
    return full;
}

/* -- many threads ---------------------------------------------------------- */

static uint32_t running_here(void)
{
    return (uint32_t)syscall(SYS_gettid) << OWNER_SHIFT | TR_ONCE_RUNNING_;
}

/* Sleep until the word is no longer `word` (or for no reason); the word then. */
static uint32_t wait_for_change(tr_once_word_ *once, uint32_t word)
{
    if ((word & WAITED) == 0) {
        /* edge once (acquire): with finish_lock, when the swap fails; carries the
         * value. */
        if (!tr_cas_acquire(&once->word_, &word, word | WAITED))
            return word;
        word |= WAITED; /* invariant 3 */
    }
    (void)tri_futex_wait(&once->word_, word, TR_FOREVER);
    /* edge once (acquire): with finish_lock; carries the value. */
    return tr_load_acquire(&once->word_);
}

struct lock_run {
    tr_once_word_ *once;
    uint32_t next; /* its state when the initialiser is done */
};

static void finish_lock(struct lock_run *run)
{
    tr_once_word_ *once = run->once;
    /* edge once (release): with who finds it full, or empty and tries itself;
     * carries the value, or the end of our use of its memory. */
    const uint32_t old = tr_swap_release(&once->word_, run->next);
    if ((old & WAITED) != 0)
        (void)tri_futex_wake(&once->word_, TRI_FUTEX_ALL);
}

/* For the owner of the running word. */
static tr_status run_initialiser(tr_once_word_ *once, void *value, const tr_once_how_ *how)
{
    __attribute__((cleanup(finish_lock))) struct lock_run run = {
        .once = once,
        .next = how->poisons ? TR_ONCE_POISONED_ : TR_ONCE_EMPTY_,
    };
    const tr_status status = make(value, how);
    run.next = status == TR_OK ? TR_ONCE_FULL_ : TR_ONCE_EMPTY_;
    return status;
}

tr_status tr_once_lock_run_(tr_once_word_ *once, void *value, const tr_once_how_ *how)
{
    check_initialiser(how);
    const uint32_t mine = running_here();
    /* edge once (acquire): with finish_lock; carries the value. */
    uint32_t word = tr_load_acquire(&once->word_);
    for (;;) {
        switch (word & STATE) {
        case TR_ONCE_FULL_:
            return TR_OK;
        case TR_ONCE_POISONED_:
            panic_poisoned();
        case TR_ONCE_RUNNING_:
            if (TR_UNLIKELY((word & ~WAITED) == mine))
                panic_reentrant();
            word = wait_for_change(once, word);
            break;
        default:
            /* edge once (acquire): with finish_lock of one that failed, whose use of
             * the memory is over; or, when the swap fails, of one that did not. */
            if (tr_cas_acquire(&once->word_, &word, mine | (word & WAITED)))
                return run_initialiser(once, value, how);
        }
    }
}

bool tr_once_lock_set_(tr_once_word_ *once, void *place, const void *value, size_t size)
{
    if (tr_once_lock_is_full_(once))
        return false;
    struct move move = { .from = value, .size = size };
    const tr_once_how_ how = { .init = move_in, .arg = &move };
    (void)tr_once_lock_run_(once, place, &how);
    return move.moved;
}

void tr_once_lock_wait_(tr_once_word_ *once)
{
    const uint32_t mine = running_here();
    /* edge once (acquire): with finish_lock; carries the value. */
    uint32_t word = tr_load_acquire(&once->word_);
    while (word != TR_ONCE_FULL_) {
        if (TR_UNLIKELY((word & ~WAITED) == mine))
            panic_reentrant();
        word = wait_for_change(once, word);
    }
}

bool tr_once_lock_empty_(tr_once_word_ *once)
{
    /* relaxed: the caller is alone with it, so it was handed over by means that
     * order what its former users did. */
    const uint32_t word = tr_load_relaxed(&once->word_);
    if (TR_UNLIKELY((word & STATE) == TR_ONCE_RUNNING_))
        panic_reentrant();
    const bool full = word == TR_ONCE_FULL_;
    if (full)
        tr_store_relaxed(&once->word_, TR_ONCE_EMPTY_); /* relaxed: as above */
    return full;
}
