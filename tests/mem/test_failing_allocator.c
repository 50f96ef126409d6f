/*
 * test_failing_allocator - the named requests fail, and no others
 */
#include "tests/support/test.h"

#include <troupe/mem/failing_allocator.h>

static const tr_layout eight = { .size = 8, .align = 8 };

/* n requests of 8 bytes, freed at once; bit i of the result: request i failed. */
static unsigned ask(tr_allocator *allocator, unsigned n)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < n; i++) {
        void *block =
            i % 2 == 0 ? tr_alloc_from(allocator, eight) : tr_alloc_zeroed_from(allocator, eight);
        refused |= (unsigned)(block == NULL) << i;
        tr_dealloc_from(allocator, block, eight);
    }
    return refused;
}

static void test_failing_allocator_at_first_fails_nothing(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, NULL);
    assert_int_equal(ask(&failing.base, 10), 0);
    assert_int_equal(tr_failing_allocator_requests(&failing), 10);
    assert_int_equal(tr_failing_allocator_failed(&failing), 0);
}

static void test_failing_allocator_fails_the_nth_and_those_behind(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, tr_global_allocator());
    tr_failing_allocator_fail(&failing, 1, 1);
    assert_int_equal(ask(&failing.base, 8), 0x01);
    tr_failing_allocator_fail(&failing, 3, 1);
    assert_int_equal(ask(&failing.base, 8), 0x04);
    tr_failing_allocator_fail(&failing, 3, 2);
    assert_int_equal(ask(&failing.base, 8), 0x0c);
    assert_int_equal(tr_failing_allocator_failed(&failing), 2);
    tr_failing_allocator_fail(&failing, 6, UINT64_MAX);
    assert_int_equal(ask(&failing.base, 8), 0xe0);
    tr_failing_allocator_fail(&failing, UINT64_MAX, UINT64_MAX);
    assert_int_equal(ask(&failing.base, 8), 0);
    tr_failing_allocator_fail(&failing, 2, 0);
    assert_int_equal(ask(&failing.base, 8), 0);
}

static void test_failing_allocator_failed_realloc_leaves_the_block(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, tr_global_allocator());
    uint64_t *block = tr_alloc_from(&failing.base, eight);
    *block = 42;
    tr_failing_allocator_fail(&failing, 1, 2);
    assert_null(tr_realloc_from(&failing.base, block, eight, 64));
    assert_null(tr_realloc_from(&failing.base, block, eight, 4)); /* a shrink can fail too */
    assert_int_equal(*block, 42);
    block = tr_realloc_from(&failing.base, block, eight, 64);
    assert_int_equal(*block, 42);
    tr_dealloc_from(&failing.base, block, (tr_layout){ .size = 64, .align = 8 });
    assert_int_equal(tr_failing_allocator_requests(&failing), 3);
}

static void test_failing_allocator_does_not_count_what_never_comes(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, NULL);
    tr_failing_allocator_fail(&failing, 1, UINT64_MAX);
    const tr_layout nothing = { .size = 0, .align = 16 };
    assert_ptr_equal(tr_alloc_from(&failing.base, nothing), tr_layout_dangling(nothing));
    assert_int_equal(tr_failing_allocator_requests(&failing), 0);
}

/* -- threads ---------------------------------------------------------------- */

struct crowd {
    tr_failing_allocator failing;
    size_t rounds;
    TR_ATOMIC(uint64_t) refused;
};

static void ask_often(unsigned index, void *arg)
{
    (void)index;
    struct crowd *crowd = arg;
    for (size_t i = 0; i < crowd->rounds; i++)
        /* relaxed: read after the join */
        tr_fetch_add_relaxed(&crowd->refused, ask(&crowd->failing.base, 1));
}

static void test_failing_allocator_stress_fails_exactly_so_many(void **state)
{
    (void)state;
    struct crowd crowd = { .rounds = test_scale(5000) + 100 };
    tr_failing_allocator_init(&crowd.failing, tr_global_allocator());
    tr_failing_allocator_fail(&crowd.failing, 50, 77);
    test_threads_run(4, ask_often, &crowd);
    assert_int_equal(tr_load_relaxed(&crowd.refused), 77); /* relaxed: after the join */
    assert_int_equal(tr_failing_allocator_failed(&crowd.failing), 77);
    assert_int_equal(tr_failing_allocator_requests(&crowd.failing), 4 * crowd.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_failing_allocator_at_first_fails_nothing),
        TEST(test_failing_allocator_fails_the_nth_and_those_behind),
        TEST(test_failing_allocator_failed_realloc_leaves_the_block),
        TEST(test_failing_allocator_does_not_count_what_never_comes),
        TEST(test_failing_allocator_stress_fails_exactly_so_many),
    };
    return TEST_RUN(tests);
}
