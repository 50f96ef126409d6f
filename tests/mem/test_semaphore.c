/*
 * test_semaphore - permits are never more than there are, none is lost, close wakes all
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/mem/semaphore.h>

#include "tests/mem/panics.h"

typedef TR_ATOMIC(unsigned) counter;

struct crowd {
    tr_semaphore slots;
    counter inside, most, done, late;
    size_t rounds;
};

static void note_most(struct crowd *c, unsigned inside)
{
    unsigned most = tr_load_relaxed(&c->most);
    while (inside > most && !tr_cas_relaxed(&c->most, &most, inside))
        ;
}

static void enter_and_leave(unsigned index, void *arg)
{
    struct crowd *c = arg;
    for (size_t i = 0; i < c->rounds; i++) {
        TR_PERMIT permit = { 0 };
        const bool timed = (i + index) % 4 == 0;
        const tr_status s =
            timed ? tr_semaphore_acquire_until(&c->slots, tr_now() + i % 7 * 1000, &permit)
                  : tr_semaphore_acquire(&c->slots, &permit);
        if (s != TR_OK) {
            tr_fetch_add_relaxed(&c->late, 1);
            continue;
        }
        note_most(c, tr_fetch_add_relaxed(&c->inside, 1) + 1);
        if (i % 4 == 0)
            (void)sched_yield();
        tr_fetch_sub_relaxed(&c->inside, 1);
        tr_fetch_add_relaxed(&c->done, 1);
    }
}

static void test_que_06_at_most_five_are_inside(void **state)
{
    (void)state;
    struct crowd c = { .slots = TR_SEMAPHORE_INIT(5), .rounds = test_scale(2000) };
    test_threads_run(16, enter_and_leave, &c);
    assert_int_equal(tr_semaphore_available(&c.slots), 5);
    assert_true(tr_load_relaxed(&c.most) <= 5);
    assert_int_equal(tr_load_relaxed(&c.done) + tr_load_relaxed(&c.late), 16 * c.rounds);
    print_message("at most %u inside, %u not in time\n", tr_load_relaxed(&c.most),
                  tr_load_relaxed(&c.late));
}

static void test_semaphore_permits_are_taken_and_given_back(void **state)
{
    (void)state;
    tr_semaphore s = TR_SEMAPHORE_INIT(1);
    TR_PERMIT first = { 0 };
    TR_PERMIT second = { 0 };
    assert_int_equal(tr_semaphore_try_acquire(&s, &first), TR_OK);
    assert_int_equal(tr_semaphore_try_acquire(&s, &second), TR_WOULD_BLOCK);
    const uint64_t deadline = tr_now() + TR_MILLISECONDS(5);
    assert_int_equal(tr_semaphore_acquire_until(&s, deadline, &second), TR_TIMEOUT);
    assert_true(tr_now() >= deadline);
    assert_null(second.semaphore_);
    tr_permit_drop(&first);
    tr_permit_drop(&first);
    assert_int_equal(tr_semaphore_available(&s), 1);
    assert_int_equal(tr_semaphore_acquire_until(&s, 0, &second), TR_OK);
    tr_permit_forget(&second);
    assert_int_equal(tr_semaphore_available(&s), 0);
    tr_semaphore_add(&s, 3);
    assert_int_equal(tr_semaphore_available(&s), 3);
}

static void add_one(void *arg)
{
    tr_semaphore_add((tr_semaphore *)arg, 1);
}

static void test_que_06_add_beyond_the_most_panics_and_adds_none(void **state)
{
    (void)state;
    tr_semaphore s = TR_SEMAPHORE_INIT(0);
    tr_semaphore_add(&s, TR_SEMAPHORE_MOST);
    assert_panics(add_one, &s, "are too many");
    assert_int_equal(tr_semaphore_available(&s), TR_SEMAPHORE_MOST);
}

static void panic_with_permit(void *arg)
{
    TR_PERMIT permit = { 0 };
    TR_MUST(tr_semaphore_acquire((tr_semaphore *)arg, &permit));
    tr_panic("inside");
}

static void test_semaphore_panic_gives_the_permit_back(void **state)
{
    (void)state;
    tr_semaphore s = TR_SEMAPHORE_INIT(1);
    assert_panics(panic_with_permit, &s, "inside");
    assert_int_equal(tr_semaphore_available(&s), 1);
}

struct closing {
    tr_semaphore s;
    counter sent_away;
};

static void wait_for_the_end(unsigned index, void *arg)
{
    struct closing *c = arg;
    TR_PERMIT permit = { 0 };
    const tr_status s =
        index % 2 == 0 ? tr_semaphore_acquire(&c->s, &permit)
                       : tr_semaphore_acquire_until(&c->s, tr_now() + TR_SECONDS(50), &permit);
    if (s == TR_DISCONNECTED)
        tr_fetch_add_relaxed(&c->sent_away, 1); /* relaxed: read after the join */
}

static void test_que_06_close_sends_all_waiters_away(void **state)
{
    (void)state;
    struct closing c = { .s = TR_SEMAPHORE_INIT(1) };
    TR_PERMIT permit = { 0 };
    test_threads waiters;
    assert_int_equal(tr_semaphore_acquire(&c.s, &permit), TR_OK);
    assert_false(tr_semaphore_is_closed(&c.s));
    test_threads_start(&waiters, 8, wait_for_the_end, &c);
    TEST_UNTIL((tr_load_relaxed(&c.s.word_) & (1u << 30)) != 0); /* somebody sleeps */
    tr_semaphore_close(&c.s);
    test_threads_join(&waiters);
    assert_int_equal(tr_load_relaxed(&c.sent_away), 8);
    assert_true(tr_semaphore_is_closed(&c.s));
    tr_permit_drop(&permit);
    assert_int_equal(tr_semaphore_try_acquire(&c.s, &permit), TR_DISCONNECTED);
    assert_int_equal(tr_semaphore_available(&c.s), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_que_06_at_most_five_are_inside),
        TEST(test_semaphore_permits_are_taken_and_given_back),
        TEST(test_que_06_add_beyond_the_most_panics_and_adds_none),
        TEST(test_semaphore_panic_gives_the_permit_back),
        TEST(test_que_06_close_sends_all_waiters_away),
    };
    return TEST_RUN(tests);
}
