/*
 * test_join - outside threads wait for an actor's end and learn how it came
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* An actor that is held, and does what it was told behind that once let go. */
static probe_ref spawn_held(tr_system *system, gate *held)
{
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, ref, (struct hold){ held }), TR_OK);
    gate_await(held);
    return ref;
}

typedef void ender(tr_system *system, probe_ref ref);

static void by_quit(tr_system *system, probe_ref ref)
{
    assert_int_equal(probe_quit(system, ref, (struct nothing){}), TR_OK);
}
static void by_stop(tr_system *system, probe_ref ref)
{
    assert_int_equal(probe_stop(system, ref), TR_OK);
}
static void by_fail(tr_system *system, probe_ref ref)
{
    assert_int_equal(probe_fail(system, ref, (struct failure){ TR_IO, "disk 3" }), TR_OK);
}
static void by_panic(tr_system *system, probe_ref ref)
{
    assert_int_equal(probe_boom(system, ref, (struct note){ .number = 5 }), TR_OK);
}

/* Two wait, a third comes when it is over. */
static tr_exit end_with_two_joiners(ender *end)
{
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, &held);
    end(system, ref);
    static struct joiner first, second;
    start_joining(&first, system, ref.pid);
    start_joining(&second, system, ref.pid);
    gate_open(&held);
    assert_int_equal(finish_joining(&first), TR_OK);
    assert_int_equal(finish_joining(&second), TR_OK);
    assert_int_equal(first.why.reason, second.why.reason);
    assert_int_equal(first.why.status, second.why.status);
    assert_string_equal(first.why.text, second.why.text);
    tr_exit third = { .reason = TR_EXIT_FAILED, .status = TR_BUSY };
    assert_int_equal(probe_join(system, ref, PATIENCE, &third), TR_DEAD);
    assert_int_equal(third.reason, TR_EXIT_FAILED); /* untouched */
    assert_int_equal(third.status, TR_BUSY);
    assert_int_equal(probe_join(system, ref, 0, NULL), TR_DEAD);
    stop_system(system);
    gate_fini(&held);
    return first.why;
}

static void test_join_normal_end_is_told(void **state)
{
    (void)state;
    const tr_exit why = end_with_two_joiners(by_quit);
    assert_int_equal(why.reason, TR_EXIT_NORMAL);
    assert_int_equal(why.status, TR_OK);
    assert_string_equal(why.text, "");
}

static void test_join_shutdown_is_told(void **state)
{
    (void)state;
    const tr_exit why = end_with_two_joiners(by_stop);
    assert_int_equal(why.reason, TR_EXIT_SHUTDOWN);
    assert_int_equal(why.status, TR_OK);
    assert_string_equal(why.text, "");
}

static void test_join_failure_is_told_with_status_and_text(void **state)
{
    (void)state;
    const tr_exit why = end_with_two_joiners(by_fail);
    assert_int_equal(why.reason, TR_EXIT_FAILED);
    assert_int_equal(why.status, TR_IO);
    assert_string_equal(why.text, "disk 3");
}

static void test_join_panic_is_told_with_its_place(void **state)
{
    (void)state;
    quiet_panics();
    const tr_exit why = end_with_two_joiners(by_panic);
    assert_int_equal(why.reason, TR_EXIT_PANIC);
    assert_int_equal(why.status, TR_PANICKED);
    assert_non_null(strstr(why.text, "probe.c:"));
    assert_non_null(strstr(why.text, "boom 5"));
}

static void test_join_names_of_reasons(void **state)
{
    (void)state;
    assert_string_equal(tr_exit_reason_name(TR_EXIT_NORMAL), "normal");
    assert_string_equal(tr_exit_reason_name(TR_EXIT_SHUTDOWN), "shutdown");
    assert_string_equal(tr_exit_reason_name(TR_EXIT_FAILED), "failed");
    assert_string_equal(tr_exit_reason_name(TR_EXIT_PANIC), "panic");
}

static void test_join_of_the_living_times_out_not_before_the_limit(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    const uint64_t limits[] = { 0, 1, TR_MICROSECONDS(200), TR_MILLISECONDS(20) };
    for (unsigned i = 0; i < 4; i++) {
        tr_exit why = { .reason = TR_EXIT_FAILED, .status = TR_BUSY };
        const uint64_t begin = tr_now();
        assert_int_equal(probe_join(system, ref, limits[i], &why), TR_TIMEOUT);
        assert_true(tr_now() - begin >= limits[i]);
        assert_int_equal(why.status, TR_BUSY);
    }
    assert_int_equal(count_of(system, ref), 0); /* it never knew */
    stop_system(system);
}

/* A join that gave up leaves nothing behind for the next one to fall over. */
static void test_join_after_one_timed_out_still_learns(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, &held);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_join(system, ref, TR_MICROSECONDS(50), NULL), TR_TIMEOUT);
    struct joiner joiner;
    start_joining(&joiner, system, ref.pid);
    assert_int_equal(probe_join(system, ref, TR_MICROSECONDS(50), NULL), TR_TIMEOUT);
    by_quit(system, ref);
    gate_open(&held);
    assert_int_equal(finish_joining(&joiner), TR_OK);
    assert_int_equal(joiner.why.reason, TR_EXIT_NORMAL);
    stop_system(system);
    gate_fini(&held);
}

static void test_join_of_no_pid_is_refused(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const tr_status none = tr_join(system, TR_PID_NONE, PATIENCE, NULL);
    assert_true(none == TR_INVALID || none == TR_DEAD);
    stop_system(system);
}

/* The system's stop ends the actors: who waits for one learns it. */
static void test_join_waiting_when_the_system_stops_learns_shutdown(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_held(system, &held);
    struct joiner joiner;
    start_joining(&joiner, system, ref.pid);
    assert_int_equal(tr_system_stop(system, TR_MILLISECONDS(1)), TR_TIMEOUT);
    gate_open(&held);
    assert_int_equal(finish_joining(&joiner), TR_OK);
    assert_int_equal(joiner.why.reason, TR_EXIT_SHUTDOWN);
    stop_system(system);
    gate_fini(&held);
}

/* After a join everything of the actor is over: its state's drop has run. */
static void test_join_comes_after_the_drop_of_the_state(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    for (unsigned i = 0; i < 200; i++) {
        struct probe_log log = { 0 };
        const probe_ref ref = spawn_probe(system, &log);
        by_quit(system, ref);
        const tr_status status = probe_join(system, ref, PATIENCE, NULL);
        assert_true(status == TR_OK || status == TR_DEAD);
        if (status == TR_OK) {
            assert_int_equal(tr_load_acquire(&log.stops), 1);
            assert_int_equal(tr_load_acquire(&log.drops), 1);
        }
        assert_false(tr_is_alive(system, ref.pid));
        assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_DEAD);
        wait_idle(system); /* the log goes out of scope */
        assert_int_equal(tr_load_acquire(&log.drops), 1);
    }
    stop_system(system);
}

/* It is no message: a full mailbox does not refuse it, and it takes no room. */
static void test_join_needs_no_room_in_the_mailbox(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_bounded(system, 1, 0);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_join(system, ref, 0, NULL), TR_TIMEOUT);
    assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_FULL);
    struct joiner joiner;
    start_joining(&joiner, system, ref.pid);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(count_of(system, ref), 1);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    assert_int_equal(finish_joining(&joiner), TR_OK);
    assert_int_equal(joiner.why.reason, TR_EXIT_SHUTDOWN);
    stop_system(system);
    gate_fini(&held);
}

/* Each that gave up is let go when others come: two blocks each would be 4,000. */
static void test_join_that_gave_up_piles_up_nothing(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    wait_idle(system);
    const int64_t before = test_live_blocks();
    for (unsigned i = 0; i < 2000; i++)
        assert_int_equal(probe_join(system, ref, 1, NULL), TR_TIMEOUT);
    wait_idle(system);
    assert_true(test_live_blocks() - before < 100);
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_join_normal_end_is_told),
        TEST(test_join_shutdown_is_told),
        TEST(test_join_failure_is_told_with_status_and_text),
        TEST(test_join_panic_is_told_with_its_place),
        TEST(test_join_names_of_reasons),
        TEST(test_join_of_the_living_times_out_not_before_the_limit),
        TEST(test_join_after_one_timed_out_still_learns),
        TEST(test_join_of_no_pid_is_refused),
        TEST(test_join_waiting_when_the_system_stops_learns_shutdown),
        TEST(test_join_comes_after_the_drop_of_the_state),
        TEST(test_join_needs_no_room_in_the_mailbox),
        TEST(test_join_that_gave_up_piles_up_nothing),
    };
    return TEST_RUN(tests);
}
