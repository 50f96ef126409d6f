/*
 * test_parker - no token is lost, none is made up, and the last touch is the token
 */
#include "tests/support/test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <troupe/channels/parker.h>

/* -- tokens, on one thread ----------------------------------------------------- */

static void test_parker_unparked_before_does_not_block(void **state)
{
    tr_parker p;

    (void)state;
    tr_parker_init(&p);
    tr_parker_unpark(&p);
    tr_parker_park(&p);
    tr_parker_fini(&p);
}

static void test_parker_two_unparks_leave_one_token(void **state)
{
    tr_parker p;

    (void)state;
    tr_parker_init(&p);
    tr_parker_unpark(&p);
    tr_parker_unpark(&p);
    assert_int_equal(tr_parker_park_until(&p, TR_FOREVER), TR_OK);
    assert_int_equal(tr_parker_park_until(&p, 0), TR_TIMEOUT);
    tr_parker_fini(&p);
}

static void test_parker_past_deadline_polls(void **state)
{
    const uint64_t past[] = { 0, 1, tr_now() - 1, tr_now() };
    tr_parker p;

    (void)state;
    tr_parker_init(&p);
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        assert_int_equal(tr_parker_park_until(&p, past[i]), TR_TIMEOUT);
        tr_parker_unpark(&p);
        assert_int_equal(tr_parker_park_until(&p, past[i]), TR_OK);
        assert_int_equal(tr_parker_park_until(&p, past[i]), TR_TIMEOUT);
    }
    tr_parker_fini(&p);
}

static void test_parker_timeout_not_before_deadline(void **state)
{
    const uint64_t waits[] = { 1, TR_MICROSECONDS(10), TR_MICROSECONDS(900), TR_MILLISECONDS(5) };
    tr_parker p;

    (void)state;
    tr_parker_init(&p);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        uint64_t deadline = tr_now() + waits[i];
        assert_int_equal(tr_parker_park_until(&p, deadline), TR_TIMEOUT);
        assert_true(tr_now() >= deadline);
    }
    tr_parker_unpark(&p);
    assert_int_equal(tr_parker_park_until(&p, 0), TR_OK);
    tr_parker_fini(&p);
}

static long times_slept(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
    return usage.ru_nvcsw;
}

/* The event count alone would wake after 2 and 18 ms to look. */
static void test_parker_sleeps_once_until_deadline(void **state)
{
    tr_parker p;

    (void)state;
    tr_parker_init(&p);
    long before = times_slept();
    assert_int_equal(tr_parker_park_until(&p, tr_now() + TR_MILLISECONDS(40)), TR_TIMEOUT);
    assert_int_equal(times_slept() - before, 1);
    tr_parker_fini(&p);
}

/* -- two threads take turns ------------------------------------------------------- */

static struct {
    tr_parker parker[2];
    uint64_t turns; /* plain: the tokens hand it over */
    size_t rounds;
} table;

static void take_turns(unsigned index, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < table.rounds; i++) {
        if (index == 1 || i > 0)
            tr_parker_park(&table.parker[index]);
        table.turns++;
        tr_parker_unpark(&table.parker[1 - index]);
    }
}

static void test_parker_ping_pong_loses_no_wakeup(void **state)
{
    (void)state;
    table.rounds = test_scale(20000);
    table.turns = 0;
    tr_parker_init(&table.parker[0]);
    tr_parker_init(&table.parker[1]);
    test_threads_run(2, take_turns, NULL);
    assert_int_equal(table.turns, 2 * table.rounds);
    assert_int_equal(tr_parker_park_until(&table.parker[0], 0), TR_OK); /* the last turn's */
    assert_int_equal(tr_parker_park_until(&table.parker[1], 0), TR_TIMEOUT);
    tr_parker_fini(&table.parker[0]);
    tr_parker_fini(&table.parker[1]);
}

/* -- many wakers: every unit of work is seen, though tokens merge ------------------- */

#define WAKERS 4

static struct {
    tr_parker parker;
    TR_ATOMIC(size_t) made;
    size_t each;
    size_t parks; /* how often the sleeper went to park */
} pile;

static void work_or_wake(unsigned index, void *unused)
{
    (void)unused;
    if (index == 0) {
        while (tr_load_relaxed(&pile.made) < WAKERS * pile.each) {
            tr_parker_park(&pile.parker);
            pile.parks++;
        }
    } else {
        for (size_t i = 0; i < pile.each; i++) {
            tr_fetch_add_relaxed(&pile.made, 1);
            tr_parker_unpark(&pile.parker);
            if (i % 8 == index)
                sched_yield();
        }
    }
}

static void test_parker_many_wakers_sleeper_sees_all_work(void **state)
{
    (void)state;
    pile.each = test_scale(20000);
    pile.parks = 0;
    tr_atomic_init(&pile.made, 0);
    tr_parker_init(&pile.parker);
    test_threads_run(1 + WAKERS, work_or_wake, NULL);
    assert_int_equal(tr_load_seq_cst(&pile.made), WAKERS * pile.each);
    assert_in_range(pile.parks, 1, WAKERS * pile.each);
    tr_parker_fini(&pile.parker);
}

/* -- timeouts race with tokens -------------------------------------------------------- */

static struct {
    tr_parker parker;
    TR_ATOMIC(size_t) taken;
    size_t tokens;
} race;

/* The waker leaves the next token only when the last was taken, so each is
 * one TR_OK, whatever timeouts lie between. */
static void race_deadlines(unsigned index, void *unused)
{
    (void)unused;
    if (index == 0) {
        for (size_t i = 0, ok = 0; ok < race.tokens; i++) {
            uint64_t deadline = tr_now() + i % 32 * 500;
            if (tr_parker_park_until(&race.parker, deadline) == TR_OK)
                tr_store_release(&race.taken, ++ok);
        }
    } else {
        for (size_t i = 0; i < race.tokens; i++) {
            while (tr_load_acquire(&race.taken) < i)
                sched_yield();
            for (size_t n = i % 64 * 10; n > 0; n--)
                tr_cpu_relax();
            tr_parker_unpark(&race.parker);
        }
    }
}

static void test_parker_timeouts_lose_no_token(void **state)
{
    (void)state;
    race.tokens = test_scale(10000);
    tr_atomic_init(&race.taken, 0);
    tr_parker_init(&race.parker);
    test_threads_run(2, race_deadlines, NULL);
    assert_int_equal(tr_load_seq_cst(&race.taken), race.tokens);
    assert_int_equal(tr_parker_park_until(&race.parker, 0), TR_TIMEOUT);
    tr_parker_fini(&race.parker);
}

/* -- the parker is gone once park returned ---------------------------------------------- */

static struct {
    TR_ATOMIC(tr_parker *) waiting;
    tr_parker *parkers; /* one for each round, looked at when all is over */
    size_t rounds;
} stack;

#define GONE 0xff /* each bit that a late access could clear is set */

static void wake_or_vanish(unsigned index, void *unused)
{
    (void)unused;
    for (size_t i = 0; i < stack.rounds; i++) {
        if (index == 0) {
            tr_parker *p = &stack.parkers[i];
            tr_parker_init(p);
            tr_store_release(&stack.waiting, p);
            tr_parker_park(p);
            tr_parker_fini(p);
            memset(p, GONE, sizeof *p);
        } else {
            tr_parker *p;
            while ((p = tr_swap_acquire(&stack.waiting, NULL)) == NULL)
                sched_yield();
            for (size_t n = i % 128 * 40; n > 0; n--)
                tr_cpu_relax(); /* so that it finds the sleeper spinning or asleep */
            tr_parker_unpark(p);
        }
    }
}

/* An unpark that was stopped between its token and its last access: the sleeper
 * stays, even when its deadline wakes it. */
static struct {
    tr_parker parker;
    TR_ATOMIC(bool) returned;
} half;

#define HALF_SLEEP TR_MILLISECONDS(20)

static void *park_until_ok(void *unused)
{
    while (tr_parker_park_until(&half.parker, tr_now() + HALF_SLEEP) != TR_OK)
        ;
    tr_store_seq_cst(&half.returned, true);
    return unused;
}

static void test_parker_half_done_unpark_keeps_sleeper(void **state)
{
    const uint64_t asleep = 1, asleep_with_token = 3; /* see parker.c */
    uint64_t word;
    pthread_t sleeper;

    (void)state;
    tr_parker_init(&half.parker);
    tr_atomic_init(&half.returned, false);
    assert_int_equal(pthread_create(&sleeper, NULL, park_until_ok, NULL), 0);
    TEST_UNTIL((word = asleep, tr_cas_seq_cst(&half.parker.word_, &word, asleep_with_token)));
    uint64_t deadline = tr_now() + HALF_SLEEP; /* the sleeper's is before it */
    TEST_UNTIL(tr_now() > deadline);
    for (int i = 0; i < 2000; i++)
        sched_yield();
    assert_false(tr_load_seq_cst(&half.returned));
    tr_parker_unpark(&half.parker); /* finds asleep still set: does the rest for both */
    assert_int_equal(pthread_join(sleeper, NULL), 0);
    assert_true(tr_load_seq_cst(&half.returned));
    assert_int_equal(tr_parker_park_until(&half.parker, 0), TR_TIMEOUT);
    tr_parker_fini(&half.parker);
}

static void test_parker_not_touched_after_park_returned(void **state)
{
    (void)state;
    stack.rounds = test_scale(20000);
    stack.parkers = calloc(stack.rounds, sizeof *stack.parkers);
    assert_non_null(stack.parkers);
    tr_atomic_init(&stack.waiting, NULL);
    test_threads_run(2, wake_or_vanish, NULL);
    const unsigned char *byte = (const unsigned char *)stack.parkers;
    size_t touched = 0;
    for (size_t i = 0; i < stack.rounds * sizeof *stack.parkers; i++)
        touched += byte[i] != GONE;
    assert_int_equal(touched, 0);
    free(stack.parkers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_parker_unparked_before_does_not_block),
        TEST(test_parker_two_unparks_leave_one_token),
        TEST(test_parker_past_deadline_polls),
        TEST(test_parker_timeout_not_before_deadline),
        TEST(test_parker_sleeps_once_until_deadline),
        TEST(test_parker_ping_pong_loses_no_wakeup),
        TEST(test_parker_many_wakers_sleeper_sees_all_work),
        TEST(test_parker_timeouts_lose_no_token),
        TEST(test_parker_half_done_unpark_keeps_sleeper),
        TEST(test_parker_not_touched_after_park_returned),
    };
    return TEST_RUN(tests);
}
