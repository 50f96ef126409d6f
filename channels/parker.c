/*
 * parker - a token on top of concurrencykit's event count
 *
 *            63                                1   0
 *   word_   | tokens left since init            | asleep |   = struct ck_ec64
 *   taken_  | tokens taken, as of the last park |            there is a token if
 *                                                            they differ
 *
 *   unpark   word += 2; asleep was set? -> clear it, futex wake
 *   park     tokens != taken? -> take.  else spin, set asleep (only if no token
 *            has come), futex wait, look again
 *
 * 1. asleep is set only by the sleeper, inside park, by a CAS that fails once a
 *    token has come; park never returns with it set. So unpark outside of park
 *    makes no system call.
 * 2. Setting asleep and adding a token are RMWs on one word, so one is first: a
 *    token before it makes the CAS fail, a token after it finds asleep set and
 *    wakes. That is why no store-load order between two words is needed here.
 * 3. An unpark that found asleep set clears it, and that is its last access; the
 *    futex call after it uses the address as a name only. An unpark that found
 *    it clear has made its last access already. So the sleeper waits after
 *    a token came until asleep is clear, and may then free the parker.
 * 4. In that wait it may sleep again: the unpark that has not cleared asleep yet
 *    will still make its futex call.
 * 5. A late clear of one unpark can hit the next park, if another unpark had let
 *    the previous one return. Its futex call follows, and every wake-up looks
 *    again and sets asleep anew: nothing is lost.
 *
 * Edge token: from tr_parker_unpark (release) to take_token (acquire); carries
 * all the waker did. Additions are RMWs, so merged tokens carry all wakers.
 *
 * What is ck's: the spinning, the loop around the futex and the wake. The addition
 * is made here because ck's orders only stores before it on arm64. ck sleeps
 * in growing slices for a second, for the sake of its single-producer mode,
 * which can lose the flag; ours is the multi-producer mode, where the flag is an
 * atomic bit, so wait_whole() makes it one sleep.
 */
#include <troupe/channels/parker.h>
#include <troupe/mem/panic.h>

#include <ck_ec.h>
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ASLEEP ((uint64_t)1)
#define ONE_TOKEN ((uint64_t)2)

_Static_assert(sizeof(struct ck_ec64) == sizeof(uint64_t), "word_ is an event count");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the futex is the low half of word_");

/* -- what ck_ec asks of the operating system -------------------------------------- */

static int get_time(const struct ck_ec_ops *ops, struct timespec *ret_now)
{
    (void)ops;
    return clock_gettime(CLOCK_MONOTONIC, ret_now);
}

/* Sleep while the low half of *word is that of expected. May return early. A
 * signal, a wake and the deadline all look alike: the caller looks again. */
static void futex_wait(const uint64_t *word, uint64_t expected, const struct timespec *deadline)
{
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, (uint32_t)expected, deadline, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

static void wait64(const struct ck_ec_wait_state *state, const uint64_t *word, uint64_t expected,
                   const struct timespec *deadline)
{
    (void)state;
    futex_wait(word, expected, deadline);
}

/* The word may be freed already: a private futex is found by address alone. */
static void wake64(const struct ck_ec_ops *ops, const uint64_t *word)
{
    (void)ops;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static const struct ck_ec_ops os = {
    .gettime = get_time,
    .wait64 = wait64,
    .wake64 = wake64,
};

/* Called before each sleep: to the real deadline, not to the end of a slice. */
static int wait_whole(const struct ck_ec_wait_state *state, struct timespec *deadline)
{
    *deadline = *(const struct timespec *)state->data;
    return 0;
}

/* ck's own way of saying never. */
static const struct timespec never = { .tv_sec = sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX };

static struct timespec to_timespec(uint64_t ns)
{
    if (ns == TR_FOREVER)
        return never;
    return (struct timespec){
        .tv_sec = (time_t)(ns / 1000000000u),
        .tv_nsec = (long)(ns % 1000000000u),
    };
}

/* -- park ----------------------------------------------------------------------------- */

static struct ck_ec64 *event_count(tr_parker *p)
{
    return (struct ck_ec64 *)&p->word_;
}

static bool take_token(tr_parker *p)
{
    /* edge token (acquire): with tr_parker_unpark; carries all the waker did */
    uint64_t word = tr_load_acquire(&p->word_);

    while (word & ASLEEP && word / ONE_TOKEN != p->taken_) { /* 3. */
        futex_wait(&event_count(p)->counter, word, NULL);    /* 4. */
        /* edge token (acquire): with tr_parker_unpark; as above */
        word = tr_load_acquire(&p->word_);
    }
    if (word / ONE_TOKEN == p->taken_)
        return false;
    p->taken_ = word / ONE_TOKEN;
    return true;
}

/* Clear asleep (1.), unless a token came first. */
static bool withdraw(tr_parker *p)
{
    uint64_t asleep = p->taken_ * ONE_TOKEN | ASLEEP;

    /* relaxed: nothing is handed over; a token is taken by take_token */
    return tr_cas_relaxed(&p->word_, &asleep, p->taken_ * ONE_TOKEN) ||
           asleep / ONE_TOKEN == p->taken_;
}

tr_status tr_parker_park_until(tr_parker *p, uint64_t deadline)
{
    if (take_token(p))
        return TR_OK;

    struct timespec until = to_timespec(deadline);
    do {
        /* A zero in tv_sec is the past for ck, which is what it means here too. */
        int r = ck_ec64_wait_pred_slow(event_count(p), &os, p->taken_, wait_whole, &until, &until);
        if (r != 0 && withdraw(p))
            return TR_TIMEOUT;
    } while (!take_token(p));
    return TR_OK;
}

void tr_parker_park(tr_parker *p)
{
    tr_status s = tr_parker_park_until(p, TR_FOREVER);

    TR_ASSERT(s == TR_OK);
}

/* -- the rest -------------------------------------------------------------------------- */

void tr_parker_init(tr_parker *p)
{
    tr_atomic_init(&p->word_, 0);
    p->taken_ = 0;
}

void tr_parker_fini(tr_parker *p)
{
    /* relaxed: a check of the caller, who has made it exclusive */
    TR_ASSERT((tr_load_relaxed(&p->word_) & ASLEEP) == 0);
}

void tr_parker_unpark(tr_parker *p)
{
    /* edge token (release): with take_token; carries all this thread did */
    if (tr_fetch_add_release(&p->word_, ONE_TOKEN) & ASLEEP)
        ck_ec64_wake(event_count(p), &os);
}
