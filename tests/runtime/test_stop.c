/*
 * test_stop - after the current handler, ahead of everything queued, once
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* An actor held in a handler with n notes behind it. */
static probe_ref spawn_held(tr_system *system, struct probe_log *log, gate *held, tally *t, unsigned n)
{
    const probe_ref ref = spawn_probe(system, log);
    assert_int_equal(probe_hold(system, ref, (struct hold){ held }), TR_OK);
    gate_await(held);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = t }), TR_OK);
    return ref;
}

static void test_stop_comes_ahead_of_the_queue_and_ends_once(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        tr_system *system = start_system(workers);
        struct probe_log log = { 0 };
        tally t = { 0 };
        gate held;
        gate_init(&held);
        const probe_ref ref = spawn_held(system, &log, &held, &t, 20);
        assert_int_equal(probe_stop(system, ref), TR_OK);
        const tr_status again = probe_stop(system, ref); /* it has not ended yet */
        assert_int_equal(again, TR_OK);
        assert_true(tr_is_alive(system, ref.pid));
        gate_open(&held);
        wait_idle(system);
        assert_int_equal(probe_stop(system, ref), TR_DEAD);
        assert_false(tr_is_alive(system, ref.pid));
        stop_system(system);
        assert_int_equal(tally_handled(&t), 0);
        assert_int_equal(tally_dropped(&t), 20);
        assert_int_equal(tr_load_relaxed(&log.stops), 1);
        assert_int_equal(tr_load_relaxed(&log.drops), 1);
        assert_int_equal(log.why.reason, TR_EXIT_SHUTDOWN);
        assert_int_equal(log.why.status, TR_OK);
        gate_fini(&held);
    }
}

/* Its messages sent after the stop, while it still runs, become dead letters. */
static void test_stop_messages_after_it_are_dropped(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    tally t = { 0 };
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, NULL, &held, &t, 0);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    for (unsigned i = 0; i < 9; i++) {
        const tr_status status = probe_note(system, ref, (struct note){ .tally = &t });
        assert_true(status == TR_OK || status == TR_DEAD);
    }
    gate_open(&held);
    wait_idle(system);
    stop_system(system);
    assert_int_equal(tally_handled(&t), 0);
    assert_int_equal(tally_dropped(&t), 9);
    gate_fini(&held);
}

static void test_stop_of_an_idle_actor_ends_it(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    for (unsigned i = 0; i < 200; i++) {
        struct probe_log log = { 0 };
        const probe_ref ref = spawn_probe(system, &log);
        if (i % 2 == 0)
            wait_idle(system); /* else it may not even have started */
        assert_int_equal(probe_stop(system, ref), TR_OK);
        wait_idle(system);
        assert_int_equal(probe_stop(system, ref), TR_DEAD);
        assert_int_equal(tr_load_relaxed(&log.drops), 1);
        assert_int_equal(tr_load_relaxed(&log.starts), tr_load_relaxed(&log.stops));
    }
    stop_system(system);
}

/* -- from inside ------------------------------------------------------------------------- */

static void stop_oneself(tr_ctx *ctx, void *arg)
{
    struct probe_log *log = arg;
    (void)tr_stop(ctx, tr_self(ctx));
    log->numbers[log->count++] = 7; /* the current handler runs to its end */
}

static void test_stop_of_oneself_is_a_shutdown(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { 0 };
    tally t = { 0 };
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, &log, &held, &t, 0);
    assert_int_equal(probe_run(system, ref, (struct run){ stop_oneself, &log }), TR_OK);
    assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
    gate_open(&held);
    wait_idle(system);
    stop_system(system);
    assert_int_equal(log.count, 1);
    assert_int_equal(tally_handled(&t), 0);
    assert_int_equal(tally_dropped(&t), 1);
    assert_int_equal(log.why.reason, TR_EXIT_SHUTDOWN);
    gate_fini(&held);
}

static void finish_normally(tr_ctx *ctx, void *arg)
{
    struct probe_log *log = arg;
    tr_stop_self(ctx);
    tr_stop_self(ctx);
    log->numbers[log->count++] = 7;
}

static void test_stop_self_ends_normally_after_the_handler(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { 0 };
    tally t = { 0 };
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, &log, &held, &t, 3);
    assert_int_equal(probe_run(system, ref, (struct run){ finish_normally, &log }), TR_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
    gate_open(&held);
    wait_idle(system);
    stop_system(system);
    assert_int_equal(log.count, 4);
    assert_int_equal(log.numbers[3], 7);
    assert_int_equal(tally_handled(&t), 3);
    assert_int_equal(tally_dropped(&t), 7);
    assert_int_equal(log.why.reason, TR_EXIT_NORMAL);
    assert_int_equal(tr_load_relaxed(&log.stops), 1);
    gate_fini(&held);
}

static void fail_long(tr_ctx *ctx, void *arg)
{
    char text[1000];
    (void)arg;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    tr_fail(ctx, TR_FULL, "code %d: %s", 42, text);
}

static void fail_in_lines(tr_ctx *ctx, void *arg)
{
    (void)arg;
    tr_fail(ctx, TR_IO, "first\nsecond\n");
}

/* The stop hook hears it; the join tests see it from outside. */
static void test_stop_fail_tells_status_and_one_line_of_text(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct probe_log log = { 0 }, lines = { 0 }, plain = { 0 };
    const probe_ref ref = spawn_probe(system, &log), two = spawn_probe(system, &lines);
    const probe_ref three = spawn_probe(system, &plain);
    assert_int_equal(probe_run(system, ref, (struct run){ fail_long, NULL }), TR_OK);
    assert_int_equal(probe_run(system, two, (struct run){ fail_in_lines, NULL }), TR_OK);
    assert_int_equal(probe_fail(system, three, (struct failure){ TR_LIMIT, "no 50% left" }), TR_OK);
    wait_idle(system);
    stop_system(system);
    assert_int_equal(log.why.reason, TR_EXIT_FAILED);
    assert_int_equal(log.why.status, TR_FULL);
    assert_int_equal(strnlen(log.why.text, sizeof(log.why.text)), sizeof(log.why.text) - 1);
    assert_int_equal(strncmp(log.why.text, "code 42: xxx", 12), 0);
    assert_int_equal(lines.why.status, TR_IO);
    assert_int_equal(strncmp(lines.why.text, "first", 5), 0);
    assert_null(strchr(lines.why.text, '\n'));
    assert_int_equal(plain.why.status, TR_LIMIT);
    assert_string_equal(plain.why.text, "no 50% left");
}

/* -- between actors ------------------------------------------------------------------------- */

struct hunt {
    probe_ref prey;
    tally tally;
    tr_status stopped;
    bool alive;
};

/* What was sent before the stop is queued behind it. */
static void send_and_stop(tr_ctx *ctx, void *arg)
{
    struct hunt *hunt = arg;
    hunt->alive = tr_is_alive(ctx, hunt->prey.pid);
    (void)probe_note(ctx, hunt->prey, (struct note){ .tally = &hunt->tally });
    hunt->stopped = probe_stop(ctx, hunt->prey);
    (void)probe_note(ctx, hunt->prey, (struct note){ .tally = &hunt->tally });
}

static void test_stop_of_another_actor_from_a_handler(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref hunter = spawn_probe(system, NULL);
    struct hunt hunts[100];
    for (unsigned i = 0; i < 100; i++) {
        struct hunt *hunt = &hunts[i];
        *hunt = (struct hunt){ .prey = spawn_probe(system, NULL) };
        assert_int_equal(probe_run(system, hunter, (struct run){ send_and_stop, hunt }), TR_OK);
        wait_idle(system);
        assert_true(hunt->alive);
        assert_int_equal(hunt->stopped, TR_OK);
        assert_false(tr_is_alive(system, hunt->prey.pid));
        assert_int_equal(probe_run(system, hunter, (struct run){ send_and_stop, hunt }), TR_OK);
        wait_idle(system);
        assert_false(hunt->alive);
        assert_int_equal(hunt->stopped, TR_DEAD);
    }
    stop_system(system);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(tally_handled(&hunts[i].tally) <= 1); /* taken before the stop came */
        assert_int_equal(tally_dropped(&hunts[i].tally), 4);
    }
}

/* A stop hook may send; to itself it is too late. */
static void say_goodbye(tr_ctx *ctx, void *arg)
{
    struct hunt *hunt = arg;
    (void)probe_note(ctx, hunt->prey, (struct note){ .tally = &hunt->tally, .number = 1 });
    hunt->stopped = probe_note(ctx, probe_self(ctx), (struct note){ .tally = &hunt->tally });
}

static void test_stop_hook_sends_arrive(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct hunt hunt = { .prey = spawn_probe(system, NULL) };
    struct probe_log log = { .on_stop = say_goodbye, .arg = &hunt };
    const probe_ref ref = spawn_probe(system, &log);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    wait_idle(system);
    assert_int_equal(tally_handled(&hunt.tally), 1);
    assert_int_equal(count_of(system, hunt.prey), 1);
    stop_system(system);
    assert_int_equal(tally_dropped(&hunt.tally), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stop_comes_ahead_of_the_queue_and_ends_once),
        TEST(test_stop_messages_after_it_are_dropped),
        TEST(test_stop_of_an_idle_actor_ends_it),
        TEST(test_stop_of_oneself_is_a_shutdown),
        TEST(test_stop_self_ends_normally_after_the_handler),
        TEST(test_stop_fail_tells_status_and_one_line_of_text),
        TEST(test_stop_of_another_actor_from_a_handler),
        TEST(test_stop_hook_sends_arrive),
    };
    return TEST_RUN(tests);
}
