/*
 * test_spawn - actors come to be: state, hooks, limits
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* -- state ---------------------------------------------------------------------- */

/* A state that is larger than what fits inline, and one that must lie far apart. */
struct wide {
    unsigned char bytes[1000];
};
struct aligned64 {
    _Alignas(64) uint64_t n;
};
struct aligned4096 {
    _Alignas(4096) uint64_t n;
};
struct empty {};

struct seen {
    uint64_t sum;
    uint64_t address;
};

#define LOOK(P, TELL, ASK) ASK(P, look, struct nothing, struct seen)

TR_PROTOCOL(wide, LOOK)
TR_PROTOCOL(aligned64, LOOK)
TR_PROTOCOL(aligned4096, LOOK)
TR_PROTOCOL(empty, LOOK)

#define ANSWER_LOOK(P)                                                                             \
    static void P##_on_look(tr_ctx *ctx, struct P *self, struct nothing *m, P##_look_reply reply)  \
    {                                                                                              \
        (void)ctx, (void)m;                                                                        \
        const unsigned char *bytes = (const unsigned char *)self;                                  \
        const size_t size = sizeof(*self);                                                         \
        struct seen seen = { .address = (uint64_t)(uintptr_t)self };                               \
        for (size_t i = 0; i < size; i++)                                                          \
            seen.sum += bytes[i];                                                                  \
        P##_look_answer(reply, seen);                                                              \
    }                                                                                              \
    TR_ACTOR(P, LOOK)

ANSWER_LOOK(wide)
ANSWER_LOOK(aligned64)
ANSWER_LOOK(aligned4096)
ANSWER_LOOK(empty)

static void test_spawn_large_state_is_moved_whole(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct wide wide;
    memset(&wide, 3, sizeof(wide));
    struct seen seen;
    const wide_ref ref = wide_spawn(system, &wide);
    assert_int_equal(wide_look_wait(system, ref, (struct nothing){}, PATIENCE, &seen), TR_OK);
    assert_int_equal(seen.sum, 3 * sizeof(wide));
    const wide_ref zeroes = wide_spawn(system, NULL);
    assert_int_equal(wide_look_wait(system, zeroes, (struct nothing){}, PATIENCE, &seen), TR_OK);
    assert_int_equal(seen.sum, 0);
    stop_system(system);
}

/* Slots are used again: a block that fits one alignment by chance would not do
 * so a hundred times. */
static void test_spawn_over_aligned_state_is_aligned(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    for (unsigned i = 0; i < 100; i++) {
        struct seen seen;
        struct aligned64 near;
        struct aligned4096 far;
        memset(&near, 0, sizeof(near));
        memset(&far, 0, sizeof(far));
        near.n = 7;
        far.n = 9;
        const aligned64_ref small = aligned64_spawn(system, &near);
        assert_int_equal(aligned64_look_wait(system, small, (struct nothing){}, PATIENCE, &seen),
                         TR_OK);
        assert_int_equal(seen.address % 64, 0);
        assert_int_equal(seen.sum, 7);
        const aligned4096_ref large = aligned4096_spawn(system, &far);
        assert_int_equal(aligned4096_look_wait(system, large, (struct nothing){}, PATIENCE, &seen),
                         TR_OK);
        assert_int_equal(seen.address % 4096, 0);
        assert_int_equal(seen.sum, 9);
        if (i % 3 == 0)
            assert_int_equal(aligned4096_stop(system, large), TR_OK);
    }
    stop_system(system);
}

static void test_spawn_empty_state_has_an_address(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    const empty_ref ref = empty_spawn(system, NULL);
    struct seen seen;
    assert_int_equal(empty_look_wait(system, ref, (struct nothing){}, PATIENCE, &seen), TR_OK);
    assert_int_equal(seen.sum, 0);
    assert_int_not_equal(seen.address, 0);
    stop_system(system);
}

/* -- hooks ------------------------------------------------------------------------ */

/* ACT-07: start once before the first message, stop once after the last, drop last. */
static void test_spawn_act_07_hooks_run_once_in_order(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { 0 };
    const probe_ref ref = spawn_probe(system, &log);
    for (uint64_t i = 1; i <= 5; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ .number = i }), TR_OK);
    assert_int_equal(count_of(system, ref), 5);
    assert_int_equal(tr_load_relaxed(&log.starts), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 0);
    assert_int_equal(tr_load_relaxed(&log.drops), 0);
    assert_int_equal(probe_quit(system, ref, (struct nothing){}), TR_OK);
    await_end(system, ref);
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.starts), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 1);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    assert_int_equal(log.why.reason, TR_EXIT_NORMAL);
    assert_int_equal(log.why.status, TR_OK);
}

static void check_first(tr_ctx *ctx, void *arg)
{
    struct probe_log *log = arg;
    (void)probe_note(ctx, probe_self(ctx), (struct note){ .number = 1000 + log->count });
}

/* What the start hook sends to itself comes as the first message. */
static void test_spawn_start_hook_runs_without_a_message(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { .on_start = check_first };
    log.arg = &log;
    const probe_ref ref = spawn_probe(system, &log);
    wait_idle(system);
    assert_int_equal(tr_load_relaxed(&log.starts), 1);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.numbers[0], 1000);
    assert_int_equal(count_of(system, ref), 1);
    stop_system(system);
}

static void stop_self(tr_ctx *ctx, void *arg)
{
    (void)arg;
    tr_stop_self(ctx);
}

static void fail_self(tr_ctx *ctx, void *arg)
{
    (void)arg;
    tr_fail(ctx, TR_IO, "no file %d", 7);
}

/* Three messages lie before it, or come meanwhile: none is handled. */
static void assert_start_ends(void (*on_start)(tr_ctx *, void *), tr_exit_reason reason)
{
    tr_system *system = start_system(2);
    struct probe_log log = { .on_start = on_start };
    tally t = { 0 };
    gate busy;
    gate_init(&busy);
    tr_spawn_options pinned = { .pin = 1 };
    probe_ref first, ref;
    assert_int_equal(probe_try_spawn(system, NULL, &pinned, &first), TR_OK);
    assert_int_equal(probe_hold(system, first, (struct hold){ &busy }), TR_OK);
    gate_await(&busy);
    assert_int_equal(probe_try_spawn(system, &(struct probe){ .log = &log }, &pinned, &ref), TR_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
    gate_open(&busy);
    wait_idle(system);
    assert_false(tr_is_alive(system, ref.pid));
    assert_int_equal(tally_handled(&t), 0);
    stop_system(system);
    assert_int_equal(tally_dropped(&t), 3);
    assert_int_equal(tr_load_relaxed(&log.starts), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 1);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    assert_int_equal(log.why.reason, reason);
    gate_fini(&busy);
}

static void test_spawn_start_hook_that_stops_handles_nothing(void **state)
{
    (void)state;
    assert_start_ends(stop_self, TR_EXIT_NORMAL);
    assert_start_ends(fail_self, TR_EXIT_FAILED);
}

/* -- from inside -------------------------------------------------------------------- */

struct family {
    struct probe_log log; /* of the child */
    tally *tally;
    probe_ref child;
};

static void spawn_child(tr_ctx *ctx, void *arg)
{
    struct family *family = arg;
    family->child = spawn_probe(ctx, &family->log);
    for (uint64_t i = 1; i <= 3; i++)
        (void)probe_note(ctx, family->child, (struct note){ .tally = family->tally, .number = i });
}

static void assert_child_works(tr_system *system, struct family *family)
{
    wait_idle(system);
    assert_int_equal(count_of(system, family->child), 3);
    assert_int_equal(tr_load_relaxed(&family->log.starts), 1);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(family->log.numbers[i], i + 1);
}

static void test_spawn_from_handler_and_hooks_works(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    tally t = { 0 };
    struct family of_handler = { .tally = &t }, of_start = { .tally = &t }, of_stop = { .tally = &t };
    struct probe_log log = { .on_start = spawn_child, .arg = &of_start };
    const probe_ref ref = spawn_probe(system, &log);
    assert_int_equal(probe_run(system, ref, (struct run){ spawn_child, &of_handler }), TR_OK);
    assert_child_works(system, &of_start);
    assert_child_works(system, &of_handler);
    log.on_stop = spawn_child;
    log.arg = &of_stop;
    assert_int_equal(probe_quit(system, ref, (struct nothing){}), TR_OK);
    assert_child_works(system, &of_stop);
    stop_system(system);
    assert_int_equal(tally_handled(&t), 9);
    assert_int_equal(tally_dropped(&t), 9);
}

/* -- refusals ------------------------------------------------------------------------ */

static void test_spawn_options_out_of_range_are_invalid_and_state_is_kept(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const tr_spawn_options wrong[] = {
        { .pin = 3 },
        { .pin = UINT32_MAX },
        { .mailbox_bytes = (1u << 30) + 1 },
        { .mailbox_bytes = UINT32_MAX },
    };
    struct probe_log log = { 0 };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct probe probe = { .log = &log, .handled = 5 };
        probe_ref ref = { { 77 } };
        assert_int_equal(probe_try_spawn(system, &probe, &wrong[i], &ref), TR_INVALID);
        assert_int_equal(ref.pid.bits, 77);
        assert_ptr_equal(probe.log, &log);
        assert_int_equal(probe.handled, 5);
    }
    const tr_spawn_options right[] = {
        { .pin = 1 }, { .pin = 2 }, { .mailbox_bytes = 1u << 30 }, { .mailbox_messages = UINT32_MAX },
    };
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        probe_ref ref;
        assert_int_equal(probe_try_spawn(system, NULL, &right[i], &ref), TR_OK);
        assert_int_equal(probe_note(system, ref, (struct note){ .number = 1 }), TR_OK);
        assert_int_equal(count_of(system, ref), 1);
    }
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.drops), 0);
}

struct attempt {
    tr_system *system;
    probe_ref ref;
};

static void spawn_one(void *arg)
{
    struct attempt *attempt = arg;
    attempt->ref = probe_spawn(attempt->system, NULL);
}

static void test_spawn_beyond_max_actors_is_a_limit_until_one_ends(void **state)
{
    (void)state;
    quiet_panics();
    const tr_config config = { .workers = 2, .max_actors = 5, .no_stats_socket = true };
    tr_system *system = tr_system_start(&config);
    struct probe_log log = { 0 };
    probe_ref refs[5], extra = { { 77 } };
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(probe_try_spawn(system, NULL, NULL, &refs[i]), TR_OK);
    struct probe probe = { .log = &log };
    assert_int_equal(probe_try_spawn(system, &probe, NULL, &extra), TR_LIMIT);
    assert_int_equal(extra.pid.bits, 77);
    assert_ptr_equal(probe.log, &log);

    tr_panic_info info;
    struct attempt attempt = { .system = system };
    assert_int_equal(tr_catch(spawn_one, &attempt, &info), TR_PANICKED);
    assert_non_null(strstr(info.message, "TR_LIMIT"));

    for (unsigned round = 0; round < 50; round++) {
        const unsigned i = round % 5;
        assert_int_equal(probe_quit(system, refs[i], (struct nothing){}), TR_OK);
        await_end(system, refs[i]);
        const tr_pid old = refs[i].pid;
        assert_int_equal(probe_try_spawn(system, NULL, NULL, &refs[i]), TR_OK);
        assert_false(tr_pid_eq(old, refs[i].pid));
        assert_int_equal(probe_try_spawn(system, &probe, NULL, &extra), TR_LIMIT);
    }
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.drops), 0);
}

static void test_spawn_pids_are_unique_and_alive(void **state)
{
    (void)state;
    enum { N = 3000 };
    static tr_pid pids[N];
    tr_system *system = start_system(2);
    for (unsigned i = 0; i < N; i++) {
        pids[i] = spawn_probe(system, NULL).pid;
        assert_false(tr_pid_is_none(pids[i]));
        assert_true(tr_is_alive(system, pids[i]));
    }
    for (unsigned i = 1; i < N; i++)
        assert_false(tr_pid_eq(pids[0], pids[i]));
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(tr_stop(system, pids[i]), TR_OK);
    wait_idle(system);
    for (unsigned i = 0; i < N; i++)
        assert_false(tr_is_alive(system, pids[i]));
    assert_false(tr_is_alive(system, TR_PID_NONE));
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_spawn_large_state_is_moved_whole),
        TEST(test_spawn_over_aligned_state_is_aligned),
        TEST(test_spawn_empty_state_has_an_address),
        TEST(test_spawn_act_07_hooks_run_once_in_order),
        TEST(test_spawn_start_hook_runs_without_a_message),
        TEST(test_spawn_start_hook_that_stops_handles_nothing),
        TEST(test_spawn_from_handler_and_hooks_works),
        TEST(test_spawn_options_out_of_range_are_invalid_and_state_is_kept),
        TEST(test_spawn_beyond_max_actors_is_a_limit_until_one_ends),
        TEST(test_spawn_pids_are_unique_and_alive),
    };
    return TEST_RUN(tests);
}
