/*
 * test_support - the fixture can fail, and the helpers do what they say
 */
#include "tests/support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <troupe/mem/allocator.h>

static void test_support_block_left_behind_fails_teardown(void **state)
{
    const tr_layout layout = tr_layout_of(uint64_t);
    void *block = tr_alloc(layout);
    assert_non_null(block);
    assert_int_equal(test_live_blocks(), 1);
    assert_int_not_equal(test_teardown(state), 0);
    tr_dealloc(block, layout);
    assert_int_equal(test_live_blocks(), 0);
    assert_int_equal(test_teardown(state), 0);
}

static void test_support_descriptor_left_behind_fails_teardown(void **state)
{
    const unsigned before = test_open_descriptors();
    const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(test_open_descriptors(), before + 1);
    assert_int_not_equal(test_teardown(state), 0);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(test_teardown(state), 0);
}

/* Leaves the environment as it found it. */
static void test_support_scale_follows_environment_never_below_one(void **state)
{
    (void)state;
    const char *text = getenv("TROUPE_STRESS");
    char *kept = text != NULL ? strdup(text) : NULL;

    assert_int_equal(setenv("TROUPE_STRESS", "0.5", 1), 0);
    assert_int_equal(test_scale(100), 50);
    assert_int_equal(test_scale(1), 1);
    assert_int_equal(setenv("TROUPE_STRESS", "3", 1), 0);
    assert_int_equal(test_scale(100), 300);
    assert_int_equal(unsetenv("TROUPE_STRESS"), 0);
    assert_int_equal(test_scale(100), 100);

    if (kept != NULL)
        assert_int_equal(setenv("TROUPE_STRESS", kept, 1), 0);
    free(kept);
}

static void add_index(unsigned index, void *arg)
{
    TR_ATOMIC(uint64_t) *sum = arg;
    tr_fetch_add_relaxed(sum, index + 1);
}

static void test_support_threads_each_run_once_with_their_index(void **state)
{
    (void)state;
    TR_ATOMIC(uint64_t) sum = TR_ATOMIC_INIT(0);
    test_threads_run(8, add_index, &sum);
    assert_int_equal(tr_load_relaxed(&sum), 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8);
}

struct meeting {
    test_barrier middle;
    TR_ATOMIC(uint64_t) arrived;
    TR_ATOMIC(uint64_t) too_early;
};

static void meet(unsigned index, void *arg)
{
    (void)index;
    struct meeting *meeting = arg;
    tr_fetch_add_relaxed(&meeting->arrived, 1);
    test_barrier_wait(&meeting->middle);
    if (tr_load_relaxed(&meeting->arrived) != 4)
        tr_fetch_add_relaxed(&meeting->too_early, 1);
}

static void test_support_barrier_opens_when_all_have_come(void **state)
{
    (void)state;
    struct meeting meeting = { .arrived = TR_ATOMIC_INIT(0), .too_early = TR_ATOMIC_INIT(0) };
    test_barrier_init(&meeting.middle, 4);
    test_threads_run(4, meet, &meeting);
    test_barrier_fini(&meeting.middle);
    assert_int_equal(tr_load_relaxed(&meeting.arrived), 4);
    assert_int_equal(tr_load_relaxed(&meeting.too_early), 0);
}

static void test_support_until_returns_when_the_other_thread_is_done(void **state)
{
    (void)state;
    TR_ATOMIC(uint64_t) sum = TR_ATOMIC_INIT(0);
    test_threads group;
    test_threads_start(&group, 2, add_index, &sum);
    TEST_UNTIL(tr_load_relaxed(&sum) == 3);
    test_threads_join(&group);
    assert_int_equal(tr_load_relaxed(&sum), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_support_block_left_behind_fails_teardown),
        TEST(test_support_descriptor_left_behind_fails_teardown),
        TEST(test_support_scale_follows_environment_never_below_one),
        TEST(test_support_threads_each_run_once_with_their_index),
        TEST(test_support_barrier_opens_when_all_have_come),
        TEST(test_support_until_returns_when_the_other_thread_is_done),
    };
    return TEST_RUN(tests);
}
