/*
 * test_call_once - once among many threads, and what a panic leaves behind
 */
#include "tests/support/test.h"

#include <sched.h>

#include <troupe/mem/call_once.h>

#include "tests/mem/panics.h"

typedef TR_ATOMIC(unsigned) counter;

/* -- CND-05 ------------------------------------------------------------------------ */

struct stampede {
    tr_once once;
    counter runs, too_early;
    bool done; /* plain: carried by the once */
};

static void run_slowly(void *arg)
{
    struct stampede *s = arg;
    tr_fetch_add_relaxed(&s->runs, 1); /* relaxed: read after the join */
    for (unsigned i = 0; i < 10; i++)
        (void)sched_yield();
    s->done = true;
}

static void come(unsigned index, void *arg)
{
    struct stampede *s = arg;
    if (index % 2 == 0)
        tr_once_call(&s->once, run_slowly, s);
    else
        tr_once_wait(&s->once);
    if (!s->done)
        tr_fetch_add_relaxed(&s->too_early, 1); /* relaxed: read after the join */
}

static void test_cnd_05_ten_threads_run_it_once_and_see_it_done(void **state)
{
    (void)state;
    const size_t rounds = test_scale(300);
    for (size_t i = 0; i < rounds; i++) {
        struct stampede s = { .once = TR_ONCE_INIT };
        test_threads_run(10, come, &s);
        assert_int_equal(tr_load_relaxed(&s.runs), 1);
        assert_int_equal(tr_load_relaxed(&s.too_early), 0);
        assert_true(tr_once_is_completed(&s.once));
    }
}

/* One barrier, many fresh onces: the threads come at the same moment. */
#define FRESH 2000

struct fresh {
    tr_once onces[FRESH];
    unsigned runs[FRESH]; /* plain: each changed by the once's function only */
    counter wrong;
    size_t count;
};

static void add_run(void *arg)
{
    ++*(unsigned *)arg;
}

static void call_all(unsigned index, void *arg)
{
    (void)index;
    struct fresh *f = arg;
    for (size_t i = 0; i < f->count; i++) {
        tr_once_call(&f->onces[i], add_run, &f->runs[i]);
        if (f->runs[i] != 1)
            tr_fetch_add_relaxed(&f->wrong, 1); /* relaxed: read after the join */
    }
}

static void test_cnd_05_fresh_onces_each_run_once(void **state)
{
    (void)state;
    static struct fresh f;
    f = (struct fresh){ .count = FRESH };
    test_threads_run(10, call_all, &f);
    assert_int_equal(tr_load_relaxed(&f.wrong), 0);
}

/* -- poison ---------------------------------------------------------------------------- */

static void fail_inside(void *arg)
{
    (void)arg;
    tr_panic("the first fails");
}

static void call_failing(void *arg)
{
    tr_once_call((tr_once *)arg, fail_inside, NULL);
}

static unsigned forced, was_poisoned;

static void note_force(void *arg, bool poisoned)
{
    (void)arg;
    forced++;
    was_poisoned += poisoned;
}

static void fail_force(void *arg, bool poisoned)
{
    (void)arg;
    (void)poisoned;
    tr_panic("the force fails");
}

static void call_force_failing(void *arg)
{
    tr_once_call_force((tr_once *)arg, fail_force, NULL);
}

static void wait_for(void *arg)
{
    tr_once_wait((tr_once *)arg);
}

static void test_once_panic_poisons_until_a_force_succeeds(void **state)
{
    (void)state;
    tr_once once = TR_ONCE_INIT;
    unsigned runs = 0;
    forced = was_poisoned = 0;
    assert_panics(call_failing, &once, "the first fails");
    assert_true(tr_once_is_poisoned(&once));
    assert_false(tr_once_is_completed(&once));
    assert_panics(call_failing, &once, "a once is poisoned");
    assert_panics(wait_for, &once, "a once is poisoned");
    assert_panics(call_force_failing, &once, "the force fails");
    assert_true(tr_once_is_poisoned(&once));
    tr_once_call_force(&once, note_force, NULL);
    tr_once_call_force(&once, note_force, NULL);
    assert_int_equal(forced, 1);
    assert_int_equal(was_poisoned, 1);
    assert_true(tr_once_is_completed(&once));
    assert_false(tr_once_is_poisoned(&once));
    tr_once_call(&once, add_run, &runs);
    tr_once_wait(&once);
    assert_int_equal(runs, 0);
}

static void wait_alone(unsigned index, void *arg)
{
    (void)index;
    tr_once_wait((tr_once *)arg);
}

/* Who waits before anybody has called is woken by the call. */
static void test_once_waiters_may_come_before_the_first_call(void **state)
{
    (void)state;
    tr_once once = TR_ONCE_INIT;
    unsigned runs = 0;
    test_threads waiters;
    test_threads_start(&waiters, 3, wait_alone, &once);
    TEST_UNTIL(tr_load_relaxed(&once.state_) != 0); /* somebody is about to sleep */
    tr_once_call(&once, add_run, &runs);
    test_threads_join(&waiters);
    assert_int_equal(runs, 1);
}

static void test_once_force_of_a_fresh_one_is_told_so(void **state)
{
    (void)state;
    tr_once once = TR_ONCE_INIT;
    forced = was_poisoned = 0;
    tr_once_call_force(&once, note_force, NULL);
    assert_int_equal(forced, 1);
    assert_int_equal(was_poisoned, 0);
}

/* The function fails in one thread while others wait: each of them panics. */
struct spoilt {
    tr_once once;
    counter failed, runs;
};

static void fail_slowly(void *arg)
{
    struct spoilt *s = arg;
    tr_fetch_add_relaxed(&s->runs, 1); /* relaxed: read after the join */
    for (unsigned i = 0; i < 20; i++)
        (void)sched_yield();
    tr_panic("spoilt");
}

static void call_spoilt(void *arg)
{
    struct spoilt *s = arg;
    tr_once_call(&s->once, fail_slowly, s);
}

static void come_to_spoilt(unsigned index, void *arg)
{
    (void)index;
    struct spoilt *s = arg;
    if (tr_catch(call_spoilt, s, NULL) == TR_PANICKED)
        tr_fetch_add_relaxed(&s->failed, 1); /* relaxed: read after the join */
}

static void test_once_all_who_wait_learn_of_the_panic(void **state)
{
    (void)state;
    tr_set_panic_hook(panics_ignore);
    for (size_t i = 0; i < test_scale(50); i++) {
        struct spoilt s = { .once = TR_ONCE_INIT };
        test_threads_run(6, come_to_spoilt, &s);
        assert_int_equal(tr_load_relaxed(&s.failed), 6);
        assert_int_equal(tr_load_relaxed(&s.runs), 1);
    }
    tr_set_panic_hook(NULL);
}

/* A force runs on a poisoned once; an ordinary call meanwhile waits for it. */
struct mending {
    tr_once once;
    counter forcing, may_end, mended;
};

static void mend_slowly(void *arg, bool poisoned)
{
    struct mending *m = arg;
    tr_store_release(&m->forcing, poisoned ? 1 : 2);
    while (tr_load_acquire(&m->may_end) == 0)
        (void)sched_yield();
    tr_store_relaxed(&m->mended, 1); /* relaxed: carried by the once */
}

static void mend(unsigned index, void *arg)
{
    struct mending *m = arg;
    if (index == 0) {
        tr_once_call_force(&m->once, mend_slowly, m);
        return;
    }
    while (tr_load_acquire(&m->forcing) == 0)
        (void)sched_yield();
    tr_store_release(&m->may_end, 1);
    tr_once_call(&m->once, fail_inside, NULL); /* neither runs nor panics */
    if (tr_load_relaxed(&m->mended) != 1)
        tr_store_relaxed(&m->forcing, 3);
}

static void test_once_call_waits_for_a_force_under_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < test_scale(100); i++) {
        struct mending m = { .once = TR_ONCE_INIT };
        assert_panics(call_failing, &m.once, "the first fails");
        test_threads_run(3, mend, &m);
        assert_int_equal(tr_load_relaxed(&m.forcing), 1);
        assert_true(tr_once_is_completed(&m.once));
    }
}

static void call_itself(void *arg)
{
    tr_once_call((tr_once *)arg, call_itself, arg);
}

static void test_once_called_by_its_own_function_panics(void **state)
{
    (void)state;
    tr_once once = TR_ONCE_INIT;
    assert_panics(call_itself, &once, "by the function that it runs");
    assert_true(tr_once_is_poisoned(&once));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cnd_05_ten_threads_run_it_once_and_see_it_done),
        TEST(test_cnd_05_fresh_onces_each_run_once),
        TEST(test_once_panic_poisons_until_a_force_succeeds),
        TEST(test_once_waiters_may_come_before_the_first_call),
        TEST(test_once_force_of_a_fresh_one_is_told_so),
        TEST(test_once_all_who_wait_learn_of_the_panic),
        TEST(test_once_call_waits_for_a_force_under_way),
        TEST(test_once_called_by_its_own_function_panics),
    };
    return TEST_RUN(tests);
}
