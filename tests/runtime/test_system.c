/*
 * test_system - start, limits, idleness, stop; nothing stays behind
 */
#include "tests/runtime/probe.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static unsigned live_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    assert_non_null(directory);
    unsigned count = 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count - 2; /* "." and ".." */
}

/* A joined thread leaves /proc a moment after its join. */
static void assert_no_more_threads_than(unsigned before)
{
    TEST_UNTIL(live_threads() <= before);
    assert_int_equal(live_threads(), before);
}

static void test_system_start_and_stop_200_times_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) { /* what is made once and for all is made now */
        tr_system *system = start_system(2);
        (void)dead_probe(system);
        stop_system(system);
    }
    const unsigned threads = live_threads(), descriptors = test_open_descriptors();
    const int64_t blocks = test_live_blocks();
    for (unsigned i = 0; i < 200; i++) {
        tr_system *system = start_system(1 + i % 4);
        if (i % 2 == 0) {
            const probe_ref ref = spawn_probe(system, NULL);
            assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
        }
        stop_system(system);
        assert_int_equal(test_live_blocks(), blocks);
        assert_int_equal(test_open_descriptors(), descriptors);
    }
    assert_no_more_threads_than(threads);
}

static void test_system_with_its_stats_socket_leaves_nothing(void **state)
{
    (void)state;
    const unsigned threads = live_threads();
    for (unsigned i = 0; i < 20; i++) {
        tr_system *system = tr_system_start(NULL);
        assert_int_equal(count_of(system, spawn_probe(system, NULL)), 0);
        stop_system(system);
    }
    assert_no_more_threads_than(threads);
}

static void test_system_config_out_of_range_is_invalid(void **state)
{
    (void)state;
    const tr_config wrong[] = {
        { .workers = 1025 },
        { .workers = UINT32_MAX },
        { .workers = 1, .max_actors = (1u << 28) + 1 },
        { .workers = 1, .max_actors = UINT32_MAX },
        { .workers = 1, .mailbox_bytes = (1u << 30) + 1 },
        { .workers = 1, .mailbox_bytes = UINT32_MAX },
    };
    const unsigned threads = live_threads();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        tr_system *system = (tr_system *)state; /* to see that it is left alone */
        assert_int_equal(tr_system_try_start(&wrong[i], &system), TR_INVALID);
        assert_ptr_equal(system, state);
    }
    assert_no_more_threads_than(threads);
    const tr_config right[] = {
        { .workers = 1, .max_actors = 1, .mailbox_messages = 1, .mailbox_bytes = 1 },
        { .workers = 1, .mailbox_bytes = 1u << 30, .mailbox_messages = UINT32_MAX },
#ifndef __SANITIZE_THREAD__
        { .workers = 1, .max_actors = 1u << 24 },
#endif
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        tr_system *system;
        assert_int_equal(tr_system_try_start(&right[i], &system), TR_OK);
        (void)spawn_probe(system, NULL);
        stop_system(system);
    }
}

static void start_too_many(void *arg)
{
    const tr_config config = { .workers = 1025 };
    *(tr_system **)arg = tr_system_start(&config);
}

static void test_system_start_panics_with_the_reason(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = NULL;
    tr_panic_info info;
    assert_int_equal(tr_catch(start_too_many, (void *)&system, &info), TR_PANICKED);
    assert_non_null(strstr(info.message, "TR_INVALID"));
}

/* -- the environment ----------------------------------------------------------------------- */

static unsigned workers_with(const char *value, unsigned config_workers)
{
    const char *kept = getenv("TROUPE_WORKERS");
    char *copy = kept != NULL ? strdup(kept) : NULL;
    if (value != NULL)
        assert_int_equal(setenv("TROUPE_WORKERS", value, 1), 0);
    else
        assert_int_equal(unsetenv("TROUPE_WORKERS"), 0);
    tr_system *system = start_system(config_workers);
    const unsigned workers = tr_system_workers(system);
    stop_system(system);
    if (copy != NULL)
        assert_int_equal(setenv("TROUPE_WORKERS", copy, 1), 0);
    else
        assert_int_equal(unsetenv("TROUPE_WORKERS"), 0);
    free(copy);
    return workers;
}

static void test_system_workers_come_from_config_then_environment_then_cpus(void **state)
{
    (void)state;
    assert_int_equal(workers_with("3", 0), 3);
    assert_int_equal(workers_with("3", 5), 5);
    cpu_set_t usable;
    assert_int_equal(sched_getaffinity(0, sizeof(usable), &usable), 0);
    assert_int_equal(workers_with(NULL, 0), CPU_COUNT(&usable));
    assert_int_equal(workers_with("", 0), CPU_COUNT(&usable));
}

static void test_system_stats_environment_off_makes_no_descriptors(void **state)
{
    (void)state;
    assert_int_equal(setenv("TROUPE_STATS", "0", 1), 0);
    const unsigned descriptors = test_open_descriptors(), threads = live_threads();
    const tr_config config = { .workers = 2 };
    tr_system *system = tr_system_start(&config);
    assert_int_equal(live_threads(), threads + 2);
    assert_int_equal(test_open_descriptors(), descriptors);
    stop_system(system);
    assert_int_equal(unsetenv("TROUPE_STATS"), 0);
}

/* -- idle ------------------------------------------------------------------------------------ */

static void test_system_wait_idle_times_out_while_a_handler_runs(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    wait_idle(system);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    const uint64_t limits[] = { 0, 1, TR_MILLISECONDS(20) };
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t begin = tr_now();
        assert_int_equal(tr_system_wait_idle(system, limits[i]), TR_TIMEOUT);
        assert_true(tr_now() - begin >= limits[i]);
    }
    gate_await(&held);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(tr_system_wait_idle(system, 0), TR_OK);
    stop_system(system);
    gate_fini(&held);
}

static uint64_t cpu_time(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    const uint64_t micros = (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    return TR_SECONDS(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + TR_MICROSECONDS(micros);
}

/* 10,000 actors with nothing to do cost nothing: what is measured is one second. */
static void test_system_idle_uses_no_processor(void **state)
{
    (void)state;
    tr_system *system = start_system(8);
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(probe_note(system, spawn_probe(system, NULL), (struct note){ 0 }), TR_OK);
    wait_idle(system);
    tr_parker parker;
    tr_parker_init(&parker);
    assert_int_equal(tr_parker_park_until(&parker, tr_now() + TR_MILLISECONDS(50)), TR_TIMEOUT);
    const uint64_t before = cpu_time();
    assert_int_equal(tr_parker_park_until(&parker, tr_now() + TR_SECONDS(1)), TR_TIMEOUT);
    const uint64_t used = cpu_time() - before;
    tr_parker_fini(&parker);
    assert_true(used < TR_MILLISECONDS(10));
    stop_system(system);
}

/* -- stop ---------------------------------------------------------------------------------------- */

static void test_system_stop_times_out_and_can_be_called_again(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { 0 }, idle = { 0 };
    tally t = { 0 }, asked = { 0 };
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_probe(system, &log), other = spawn_probe(system, &idle);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
    assert_int_equal(tr_system_stop(system, TR_MILLISECONDS(5)), TR_TIMEOUT);
    assert_int_equal(tr_system_stop(system, 0), TR_TIMEOUT);

    /* "From the first moment spawns and sends from outside answer TR_SHUTDOWN." */
    struct note note = { .tally = &t }, answer = { .number = 99 };
    struct probe probe = { .log = &log };
    probe_ref fresh = { { 77 } };
    assert_int_equal(probe_try_note(system, ref, &note), TR_SHUTDOWN);
    assert_ptr_equal(note.tally, &t);
    assert_int_equal(tally_dropped(&t), 0);
    assert_int_equal(probe_note(system, ref, note), TR_SHUTDOWN);
    assert_int_equal(tally_dropped(&t), 1);
    assert_int_equal(probe_note(system, other, (struct note){ 0 }), TR_SHUTDOWN);
    assert_int_equal(probe_query_wait(system, ref, (struct query){ answer_not, NULL, &asked }, PATIENCE,
                                      &answer),
                     TR_SHUTDOWN);
    assert_int_equal(answer.number, 99);
    assert_int_equal(tally_dropped(&asked), 1);
    assert_int_equal(probe_try_spawn(system, &probe, NULL, &fresh), TR_SHUTDOWN);
    assert_int_equal(fresh.pid.bits, 77);
    assert_ptr_equal(probe.log, &log);
    gate_open(&held);
    stop_system(system);
    assert_int_equal(tally_handled(&t), 0);
    assert_int_equal(tally_dropped(&t), 2);
    assert_int_equal(log.why.reason, TR_EXIT_SHUTDOWN);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    assert_int_equal(tr_load_relaxed(&idle.stops), 1);
    assert_int_equal(tr_load_relaxed(&idle.drops), 1);
    gate_fini(&held);
}

static void test_system_stop_ends_every_actor_once(void **state)
{
    (void)state;
    enum { N = 500 };
    static struct probe_log logs[N];
    memset(logs, 0, sizeof(logs));
    for (unsigned workers = 1; workers <= 2; workers++) {
        tr_system *system = start_system(workers);
        for (unsigned i = 0; i < N; i++)
            (void)spawn_probe(system, &logs[i]);
        stop_system(system); /* most have not even started */
        for (unsigned i = 0; i < N; i++) {
            assert_int_equal(tr_load_relaxed(&logs[i].drops), workers);
            assert_int_equal(tr_load_relaxed(&logs[i].starts), tr_load_relaxed(&logs[i].stops));
        }
    }
}

/* Stop hooks of the last actors may still send and spawn: it all ends. */
static void spawn_and_send(tr_ctx *ctx, void *arg)
{
    tally *t = arg;
    probe_ref child;
    if (probe_try_spawn(ctx, NULL, NULL, &child) == TR_OK)
        (void)probe_note(ctx, child, (struct note){ .tally = t });
    (void)probe_note(ctx, probe_self(ctx), (struct note){ .tally = t });
}

static void test_system_stop_ends_what_stop_hooks_make(void **state)
{
    (void)state;
    static struct probe_log logs[50];
    memset(logs, 0, sizeof(logs));
    tr_system *system = start_system(2);
    tally t = { 0 };
    for (unsigned i = 0; i < 50; i++) {
        logs[i].on_stop = spawn_and_send;
        logs[i].arg = &t;
        (void)spawn_probe(system, &logs[i]);
    }
    wait_idle(system);
    stop_system(system);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(tr_load_relaxed(&logs[i].stops), 1);
    assert_true(tally_dropped(&t) >= 50 && tally_dropped(&t) <= 100);
}

static void test_system_two_at_once_keep_apart(void **state)
{
    (void)state;
    tr_system *one = start_system(2), *two = start_system(1);
    assert_int_equal(tr_system_workers(one), 2);
    assert_int_equal(tr_system_workers(two), 1);
    const probe_ref in_one = spawn_probe(one, NULL), in_two = spawn_probe(two, NULL);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(probe_note(one, in_one, (struct note){ 0 }), TR_OK);
        assert_int_equal(probe_note(two, in_two, (struct note){ 0 }), TR_OK);
        assert_int_equal(probe_note(two, in_two, (struct note){ 0 }), TR_OK);
    }
    assert_int_equal(count_of(one, in_one), 100);
    assert_int_equal(count_of(two, in_two), 200);
    stop_system(one);
    assert_int_equal(count_of(two, in_two), 200);
    stop_system(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_system_start_and_stop_200_times_leaves_nothing),
        TEST(test_system_with_its_stats_socket_leaves_nothing),
        TEST(test_system_config_out_of_range_is_invalid),
        TEST(test_system_start_panics_with_the_reason),
        TEST(test_system_workers_come_from_config_then_environment_then_cpus),
        TEST(test_system_stats_environment_off_makes_no_descriptors),
        TEST(test_system_wait_idle_times_out_while_a_handler_runs),
        TEST(test_system_idle_uses_no_processor),
        TEST(test_system_stop_times_out_and_can_be_called_again),
        TEST(test_system_stop_ends_every_actor_once),
        TEST(test_system_stop_ends_what_stop_hooks_make),
        TEST(test_system_two_at_once_keep_apart),
    };
    return TEST_RUN(tests);
}
