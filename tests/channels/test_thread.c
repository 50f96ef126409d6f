/*
 * test_thread - what a thread returns, how it fails, and its token
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/channels/thread.h>
#include <troupe/mem/atomic.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/mutex.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

typedef TR_ATOMIC(unsigned) counter;

TR_MUTEX(int)

static tr_thread *spawn(void *(*f)(void *arg), void *arg)
{
    tr_thread *t = NULL;
    assert_int_equal(tr_thread_spawn(f, arg, &t), TR_OK);
    return t;
}

/* -- CND-09 ------------------------------------------------------------------------- */

static int answer = 1234;

static void *give_answer(void *arg)
{
    tr_thread_park();
    return arg;
}

static void test_cnd_09_join_gives_what_the_thread_returned(void **state)
{
    (void)state;
    void *value = NULL;
    tr_thread *t = spawn(give_answer, &answer);
    assert_false(tr_thread_is_finished(t));
    tr_thread_unpark(t);
    TEST_UNTIL(tr_thread_is_finished(t));
    assert_int_equal(tr_thread_join(&t, &value, NULL), TR_OK);
    assert_null(t);
    assert_int_equal(*(int *)value, 1234);
}

static void *fail_with_text(void *arg)
{
    tr_panic("job %s failed", (const char *)arg);
}

static void test_cnd_09_join_of_a_panicked_thread_says_why(void **state)
{
    (void)state;
    tr_panic_info why = { .message = "" };
    void *value = &answer;
    tr_set_panic_hook(panics_ignore);
    tr_thread *t = spawn(fail_with_text, "seven");
    assert_int_equal(tr_thread_join(&t, &value, &why), TR_PANICKED);
    tr_set_panic_hook(NULL);
    assert_string_equal(why.message, "job seven failed");
    assert_ptr_equal(value, &answer); /* untouched */
}

static void *fail_under_lock(void *arg)
{
    int_mutex *share = arg;
    TR_AUTO(int_mutex) mutex = share;
    TR_GUARD(int_mutex_guard) g = tr_lock(mutex);
    *g.value = -1;
    tr_panic("under the lock");
}

static void test_mtx_05_join_of_the_holder_fails_and_the_poison_is_seen(void **state)
{
    (void)state;
    tr_set_panic_hook(panics_ignore);
    for (size_t i = 0; i < test_scale(50); i++) {
        int_mutex *mutex = tr_arc(int_mutex, TR_MUTEX_OF(int, 1));
        tr_thread *t = spawn(fail_under_lock, tr_arc_clone(mutex));
        assert_int_equal(tr_thread_join(&t, NULL, NULL), TR_PANICKED);
        assert_true(tr_is_poisoned(mutex));
        assert_int_equal(tr_strong_count(mutex), 1);
        tr_drop(mutex);
    }
    tr_set_panic_hook(NULL);
}

static void *count(void *arg)
{
    tr_fetch_add_release((counter *)arg, 1); /* the last access to the test's stack */
    return NULL;
}

static void test_thread_detached_ones_end_by_themselves(void **state)
{
    (void)state;
    counter counted = TR_ATOMIC_INIT(0);
    const unsigned threads = 20;
    for (unsigned i = 0; i < threads; i++) {
        tr_thread *t = spawn(count, &counted);
        tr_drop(t);
    }
    TEST_UNTIL(tr_load_acquire(&counted) == threads);
    TEST_UNTIL(test_live_blocks() == 0); /* each has dropped its own share */
}

static void test_thread_handles_may_be_many_and_are_joined_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < test_scale(50); i++) {
        counter counted = TR_ATOMIC_INIT(0);
        tr_thread *t = spawn(count, &counted);
        tr_thread *other = tr_arc_clone(t);
        assert_int_equal(tr_thread_join(&t, NULL, NULL), TR_OK);
        assert_true(tr_thread_is_finished(other));
        tr_thread_unpark(other); /* gone: harmless */
        tr_drop(other);
        assert_int_equal(tr_load_relaxed(&counted), 1);
    }
}

static void join(void *arg)
{
    (void)!tr_thread_join((tr_thread **)arg, NULL, NULL);
}

static void test_thread_second_join_panics(void **state)
{
    (void)state;
    counter counted = TR_ATOMIC_INIT(0);
    tr_thread *t = spawn(count, &counted);
    tr_thread *other = tr_arc_clone(t);
    assert_int_equal(tr_thread_join(&t, NULL, NULL), TR_OK);
    assert_panics(join, &other, "joined twice");
    tr_drop(other);
    tr_thread *me = tr_thread_current();
    assert_panics(join, &me, "was not spawned");
    tr_drop(me);
}

static void *join_oneself(void *arg)
{
    tr_thread *me = tr_thread_current();
    tr_panic_info *info = arg;
    (void)!tr_catch(join, &me, info);
    tr_drop(me);
    return NULL;
}

static void test_thread_that_joins_itself_panics(void **state)
{
    (void)state;
    tr_panic_info info = { .message = "" };
    tr_set_panic_hook(panics_ignore);
    tr_thread *t = spawn(join_oneself, &info);
    assert_int_equal(tr_thread_join(&t, NULL, NULL), TR_OK);
    tr_set_panic_hook(NULL);
    assert_string_equal(info.message, "a thread joins itself");
}

static void test_thread_without_memory_is_not_started(void **state)
{
    (void)state;
    counter counted = TR_ATOMIC_INIT(0);
    tr_thread *t = NULL;
    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status status = tr_thread_spawn(count, &counted, &t);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_null(t);
    assert_int_equal(tr_load_relaxed(&counted), 0);
}

/* -- park --------------------------------------------------------------------------------- */

static void test_thread_unparked_before_parks_once(void **state)
{
    (void)state;
    tr_thread *me = tr_thread_current();
    tr_thread_unpark(me);
    tr_thread_unpark(me);
    tr_thread_park();
    assert_int_equal(tr_thread_park_until(0), TR_TIMEOUT);
    const uint64_t deadline = tr_now() + TR_MILLISECONDS(2);
    assert_int_equal(tr_thread_park_until(deadline), TR_TIMEOUT);
    assert_true(tr_now() >= deadline);
    tr_drop(me);
}

struct turns {
    TR_ATOMIC(unsigned) turn;
    tr_thread *partner; /* main's handle */
    size_t rounds;
};

static void *answer_turns(void *arg)
{
    struct turns *t = arg;
    for (size_t i = 0; i < t->rounds; i++) {
        while (tr_load_acquire(&t->turn) != 1)
            tr_thread_park();
        tr_store_release(&t->turn, 0);
        tr_thread_unpark(t->partner);
    }
    return NULL;
}

static void test_thread_park_hand_over_loses_no_token(void **state)
{
    (void)state;
    struct turns t = { .partner = tr_thread_current(), .rounds = test_scale(2000) };
    tr_thread *other = spawn(answer_turns, &t);
    for (size_t i = 0; i < t.rounds; i++) {
        tr_store_release(&t.turn, 1);
        tr_thread_unpark(other);
        while (tr_load_acquire(&t.turn) != 0)
            tr_thread_park();
    }
    assert_int_equal(tr_thread_join(&other, NULL, NULL), TR_OK);
    tr_drop(t.partner);
    assert_int_equal(tr_load_relaxed(&t.turn), 0);
}

/* Threads that troupe did not start: each makes its handle and leaves none. */
static void park_for_a_moment(unsigned index, void *arg)
{
    (void)index;
    tr_thread *me = tr_thread_current();
    tr_thread_unpark(me);
    tr_thread_park();
    tr_drop(me);
    tr_fetch_add_relaxed((counter *)arg, 1); /* relaxed: read after the join */
}

static void test_thread_foreign_threads_have_a_token_too(void **state)
{
    (void)state;
    counter parked = TR_ATOMIC_INIT(0);
    test_threads_run(8, park_for_a_moment, &parked);
    assert_int_equal(tr_load_relaxed(&parked), 8);
}

/* The handle of main outlives the tests: made before the first is counted. */
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cnd_09_join_gives_what_the_thread_returned),
        TEST(test_cnd_09_join_of_a_panicked_thread_says_why),
        TEST(test_mtx_05_join_of_the_holder_fails_and_the_poison_is_seen),
        TEST(test_thread_detached_ones_end_by_themselves),
        TEST(test_thread_handles_may_be_many_and_are_joined_once),
        TEST(test_thread_second_join_panics),
        TEST(test_thread_that_joins_itself_panics),
        TEST(test_thread_without_memory_is_not_started),
        TEST(test_thread_unparked_before_parks_once),
        TEST(test_thread_park_hand_over_loses_no_token),
        TEST(test_thread_foreign_threads_have_a_token_too),
    };
    tr_thread *me = tr_thread_current();
    tr_drop(me);
    return TEST_RUN(tests);
}
