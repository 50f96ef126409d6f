/*
 * What `troupe bench` concludes from its runs: the check can fail, and the
 * summary tells the truth about several runs.
 */
#include "tests/support/test.h"

#include "tools/troupe/bench/bench.h"

static bench_result right(uint64_t duration)
{
    bench_result r = { .ops = 10, .duration = duration };
    bench_expect(&r, "messages", 10, 10);
    bench_expect(&r, "sum", 45, 45);
    return r;
}

static void test_bench_check_all_as_expected_is_ok(void **state)
{
    (void)state;
    char text[100];
    const bench_result r = right(1);
    assert_true(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "ok");
}

static void test_bench_check_message_missing_says_expected_and_got(void **state)
{
    (void)state;
    char text[100];
    bench_result r = { 0 };
    bench_expect(&r, "messages", 10, 9);
    bench_expect(&r, "dead letters", 0, 0);
    assert_false(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "messages: expected 10, got 9");
}

static void test_bench_check_message_twice_fails(void **state)
{
    (void)state;
    char text[100];
    bench_result r = { 0 };
    bench_expect(&r, "messages", UINT64_MAX - 1, UINT64_MAX);
    assert_false(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "messages: expected 18446744073709551614, got 18446744073709551615");
}

static void test_bench_check_several_wrong_names_each(void **state)
{
    (void)state;
    char text[100];
    bench_result r = { 0 };
    bench_expect(&r, "messages", 10, 9);
    bench_expect(&r, "reports", 1, 1);
    bench_expect(&r, "sum", 45, 36);
    assert_false(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "messages: expected 10, got 9; sum: expected 45, got 36");
}

static void test_bench_check_text_too_short_is_cut_and_fails(void **state)
{
    (void)state;
    char text[16] = "";
    bench_result r = { 0 };
    for (unsigned i = 0; i < BENCH_FACTS_MAX; i++)
        bench_expect(&r, "messages", 10, 9);
    assert_false(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "messages: expec");
}

static void test_bench_check_nothing_counted_fails(void **state)
{
    (void)state;
    char text[100];
    const bench_result r = { .ops = 10 };
    assert_false(bench_check(&r, text, sizeof text));
    assert_string_equal(text, "nothing was counted");
}

static void test_bench_summarise_odd_number_of_runs_takes_the_middle(void **state)
{
    (void)state;
    bench_result results[] = { right(50), right(10), right(30) };
    bench_summary s = { 0 };
    bench_summarise(results, 3, &s);
    assert_int_equal(s.min, 10);
    assert_int_equal(s.median, 30);
    assert_int_equal(s.max, 50);
    assert_true(s.ok);
    assert_true(bench_ns_per_op(&s, s.median) == 3.0);
}

static void test_bench_summarise_even_number_of_runs_takes_the_mean_of_two(void **state)
{
    (void)state;
    bench_result results[] = { right(50), right(10), right(20), right(30) };
    bench_summary s = { 0 };
    bench_summarise(results, 4, &s);
    assert_int_equal(s.median, 25);
}

/* The first run pays for the memory, those behind it have it already. */
static void test_bench_summarise_memory_is_the_most_of_any_run(void **state)
{
    (void)state;
    bench_result results[] = { right(50), right(10) };
    results[0].bytes_per_actor = 256;
    results[1].bytes_per_actor = 1;
    results[1].peak_rss = 4096;
    bench_summary s = { 0 };
    bench_summarise(results, 2, &s);
    assert_true(s.bytes_per_actor == 256);
    assert_int_equal(s.peak_rss, 4096);
}

static void test_bench_summarise_one_wrong_run_is_not_ok(void **state)
{
    (void)state;
    bench_result results[] = { right(50), right(10), right(30) };
    bench_expect(&results[1], "panics", 0, 1);
    bench_summary s = { 0 };
    bench_summarise(results, 3, &s);
    assert_false(s.ok);
    assert_string_equal(s.check, "panics: expected 0, got 1");
}

static void test_bench_scaled_rounds_and_never_gives_none(void **state)
{
    (void)state;
    assert_int_equal(bench_scaled(&(bench_options){ .size = 1 }, 10000000), 10000000);
    assert_int_equal(bench_scaled(&(bench_options){ .size = 0.01 }, 50), 1);
    assert_int_equal(bench_scaled(&(bench_options){ .size = 0.000001 }, 50), 1);
    assert_int_equal(bench_scaled(&(bench_options){ .size = 0.29 }, 100), 29);
}

static void test_bench_sum_below_matches_a_loop(void **state)
{
    (void)state;
    uint64_t sum = 0;
    for (uint64_t n = 0; n < 100; sum += n++)
        assert_int_equal(bench_sum_below(n), sum);
    assert_int_equal(bench_sum_below(1000000), UINT64_C(499999500000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bench_check_all_as_expected_is_ok),
        TEST(test_bench_check_message_missing_says_expected_and_got),
        TEST(test_bench_check_message_twice_fails),
        TEST(test_bench_check_several_wrong_names_each),
        TEST(test_bench_check_text_too_short_is_cut_and_fails),
        TEST(test_bench_check_nothing_counted_fails),
        TEST(test_bench_summarise_odd_number_of_runs_takes_the_middle),
        TEST(test_bench_summarise_even_number_of_runs_takes_the_mean_of_two),
        TEST(test_bench_summarise_memory_is_the_most_of_any_run),
        TEST(test_bench_summarise_one_wrong_run_is_not_ok),
        TEST(test_bench_scaled_rounds_and_never_gives_none),
        TEST(test_bench_sum_below_matches_a_loop),
    };
    return TEST_RUN(tests);
}
