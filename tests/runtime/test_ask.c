/*
 * test_ask - an ask completes exactly once, with the answer or the reason why not
 */
#include "tests/runtime/probe.h"

#include <string.h>

static tr_status ask(tr_system *system, probe_ref to, void (*how)(tr_ctx *, probe_query_reply, void *),
                     void *arg, tally *asked, uint64_t timeout, struct note *ret_answer)
{
    return probe_query_wait(system, to, (struct query){ how, arg, asked }, timeout, ret_answer);
}

static void test_ask_act_11_answer_moves_to_the_asker(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tally asked = { 0 }, answered = { 0 };
    for (uint64_t i = 0; i < 100; i++) {
        struct note given = { .tally = &answered, .number = i }, answer;
        assert_int_equal(ask(system, ref, answer_with, &given, &asked, PATIENCE, &answer), TR_OK);
        assert_int_equal(answer.number, i);
        assert_ptr_equal(answer.tally, &answered);
    }
    wait_idle(system);
    assert_int_equal(tally_dropped(&asked), 100); /* after its handler, as any message */
    assert_int_equal(tally_dropped(&answered), 0); /* they are ours */
    stop_system(system);
    assert_int_equal(tally_dropped(&asked), 100);
    assert_int_equal(tally_dropped(&answered), 0);
}

/* ACT-11: not before the limit. The late answer is dropped, the actor goes on. */
static void test_ask_act_11_times_out_not_before_the_limit(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    gate held;
    gate_init(&held);
    tally asked = { 0 }, answered = { 0 };
    struct note given = { .tally = &answered }, answer = { .number = 99 };
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    const uint64_t limits[] = { 1, TR_MICROSECONDS(100), TR_MILLISECONDS(20) };
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t begin = tr_now();
        assert_int_equal(ask(system, ref, answer_with, &given, &asked, limits[i], &answer), TR_TIMEOUT);
        assert_true(tr_now() - begin >= limits[i]);
        assert_int_equal(answer.number, 99);
    }
    assert_int_equal(tally_dropped(&answered), 0);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(tally_dropped(&asked), 3);
    assert_int_equal(tally_dropped(&answered), 3); /* too late, each dropped once */
    struct note in_time = { .number = 4 };
    assert_int_equal(ask(system, ref, answer_with, &in_time, NULL, PATIENCE, &answer), TR_OK);
    assert_int_equal(answer.number, 4);
    stop_system(system);
    gate_fini(&held);
}

static void test_ask_act_11_without_a_timeout_is_invalid_and_not_sent(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tally asked = { 0 };
    struct note answer = { .number = 99 }, given = { .number = 1 };
    assert_int_equal(ask(system, ref, answer_with, &given, &asked, 0, &answer), TR_INVALID);
    assert_int_equal(tally_dropped(&asked), 1);
    assert_int_equal(answer.number, 99);
    wait_idle(system);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.messages, 0);
    assert_int_equal(ask(system, ref, answer_with, &given, NULL, TR_FOREVER, &answer), TR_OK);
    assert_int_equal(answer.number, 1);
    stop_system(system);
}

static void test_ask_handler_without_an_answer_is_broken(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tally asked = { 0 };
    struct note answer = { .number = 99 };
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(ask(system, ref, answer_not, NULL, &asked, PATIENCE, &answer), TR_BROKEN);
    assert_int_equal(answer.number, 99);
    assert_int_equal(count_of(system, ref), 0); /* it lives on */
    stop_system(system);
    assert_int_equal(tally_dropped(&asked), 100);
}

/* -- large and aligned ones -------------------------------------------------------------- */

struct plate {
    _Alignas(64) unsigned char bytes[3000];
};
struct press {
    unsigned misaligned;
};
#define PRESS(P, TELL, ASK) ASK(P, print, struct plate, struct plate)
TR_PROTOCOL(press, PRESS)
static void press_on_print(tr_ctx *ctx, struct press *self, struct plate *m, press_print_reply reply)
{
    (void)ctx;
    self->misaligned += (uintptr_t)m % 64 != 0;
    struct plate printed;
    for (size_t i = 0; i < sizeof(printed.bytes); i++)
        printed.bytes[i] = (unsigned char)(m->bytes[i] + 1 + self->misaligned);
    press_print_answer(reply, printed);
}
TR_ACTOR(press, PRESS)

static void test_ask_large_aligned_question_and_answer_arrive_whole(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const press_ref ref = press_spawn(system, NULL);
    for (unsigned round = 0; round < 50; round++) {
        struct plate plate, printed;
        for (size_t i = 0; i < sizeof(plate.bytes); i++)
            plate.bytes[i] = (unsigned char)(i * 7 + round);
        assert_int_equal(press_print_wait(system, ref, plate, PATIENCE, &printed), TR_OK);
        for (size_t i = 0; i < sizeof(plate.bytes); i++)
            assert_int_equal(printed.bytes[i], (unsigned char)(i * 7 + round + 1));
    }
    stop_system(system);
}

/* -- the actor ends ---------------------------------------------------------------------- */

static void test_ask_act_11_dead_actor_is_dead_at_once(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = dead_probe(system);
    struct note answer = { .number = 99 };
    assert_int_equal(ask(system, ref, answer_not, NULL, NULL, TR_FOREVER, &answer), TR_DEAD);
    assert_int_equal(answer.number, 99);
    stop_system(system);
}

static void test_ask_handler_that_panics_is_dead(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    tally asked = { 0 };
    struct note answer = { .number = 99 };
    for (unsigned i = 0; i < 50; i++) {
        const probe_ref ref = spawn_probe(system, NULL);
        assert_int_equal(ask(system, ref, answer_panic, NULL, &asked, TR_FOREVER, &answer), TR_DEAD);
    }
    assert_int_equal(answer.number, 99);
    stop_system(system);
    assert_int_equal(tally_dropped(&asked), 50);
}

static void stop_answering(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    tr_stop_self(ctx);
    answer_with(ctx, reply, arg);
}

static void test_ask_answer_of_a_handler_that_stops_arrives(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct note given = { .number = 8 }, answer;
    for (unsigned i = 0; i < 50; i++) {
        const probe_ref ref = spawn_probe(system, NULL);
        assert_int_equal(ask(system, ref, stop_answering, &given, NULL, PATIENCE, &answer), TR_OK);
        assert_int_equal(answer.number, 8);
    }
    stop_system(system);
}

struct askers {
    tr_system *system;
    probe_ref to;
    tally asked;
    TR_ATOMIC(unsigned) dead;
    TR_ATOMIC(unsigned) untouched;
};

static void ask_once(unsigned index, void *arg)
{
    (void)index;
    struct askers *askers = arg;
    struct note answer = { .number = 99 };
    if (ask(askers->system, askers->to, answer_not, NULL, &askers->asked, TR_FOREVER, &answer) == TR_DEAD)
        tr_fetch_add_relaxed(&askers->dead, 1);
    if (answer.number == 99)
        tr_fetch_add_relaxed(&askers->untouched, 1);
}

/* Four questions wait in the mailbox of an actor that is held, then `end` it. */
static void assert_queued_are_dead(tr_status (*end)(tr_system *, probe_ref))
{
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    struct askers askers = { .system = system, .to = spawn_probe(system, NULL) };
    assert_int_equal(probe_hold(system, askers.to, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(end(system, askers.to), TR_OK);
    test_threads group;
    test_threads_start(&group, 4, ask_once, &askers);
    tr_system_stats stats;
    do
        tr_system_get_stats(system, &stats);
    while (stats.queued < 4);
    gate_open(&held);
    test_threads_join(&group);
    assert_int_equal(tr_load_relaxed(&askers.dead), 4);
    assert_int_equal(tr_load_relaxed(&askers.untouched), 4);
    stop_system(system);
    assert_int_equal(tally_dropped(&askers.asked), 4);
    gate_fini(&held);
}

static tr_status end_by_stop(tr_system *system, probe_ref ref)
{
    return probe_stop(system, ref);
}
static tr_status end_by_quit(tr_system *system, probe_ref ref)
{
    return probe_quit(system, ref, (struct nothing){});
}
static tr_status end_by_panic(tr_system *system, probe_ref ref)
{
    return probe_boom(system, ref, (struct note){ 0 });
}

static void test_ask_queued_when_the_actor_ends_is_dead(void **state)
{
    (void)state;
    quiet_panics();
    assert_queued_are_dead(end_by_stop);
    assert_queued_are_dead(end_by_quit);
    assert_queued_are_dead(end_by_panic);
}

/* -- misuse ---------------------------------------------------------------------------------- */

static void answer_twice(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    answer_with(ctx, reply, arg);
    answer_with(ctx, reply, arg);
}

static void test_ask_answered_twice_panics(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(1);
    struct probe_log log = { 0 };
    const probe_ref ref = spawn_probe(system, &log);
    struct note given = { .number = 3 }, answer = { 0 };
    assert_int_equal(ask(system, ref, answer_twice, &given, NULL, PATIENCE, &answer), TR_OK);
    assert_int_equal(answer.number, 3);
    wait_idle(system);
    assert_false(tr_is_alive(system, ref.pid));
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.panics, 1);
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 0);
}

struct blocked {
    tr_system *system;
    probe_ref ref;
    tally asked;
    tr_panic_info info[3];
    tr_status caught[3];
};

static void block_ask(void *arg)
{
    struct blocked *b = arg;
    struct note answer;
    (void)!ask(b->system, b->ref, answer_not, NULL, &b->asked, TR_SECONDS(1), &answer);
}
static void block_join(void *arg)
{
    struct blocked *b = arg;
    (void)!probe_join(b->system, b->ref, TR_SECONDS(1), NULL);
}
static void block_idle(void *arg)
{
    struct blocked *b = arg;
    (void)!tr_system_wait_idle(b->system, TR_SECONDS(1));
}

static void block_all(tr_ctx *ctx, void *arg)
{
    (void)ctx;
    struct blocked *b = arg;
    b->caught[0] = tr_catch(block_ask, b, &b->info[0]);
    b->caught[1] = tr_catch(block_join, b, &b->info[1]);
    b->caught[2] = tr_catch(block_idle, b, &b->info[2]);
}

/* Also of another system's worker: a handler must not block. */
static void assert_waiting_panics(tr_system *of_worker, tr_system *asked)
{
    struct blocked b = { .system = asked, .ref = spawn_probe(asked, NULL) };
    const probe_ref ref = spawn_probe(of_worker, NULL);
    assert_int_equal(probe_run(of_worker, ref, (struct run){ block_all, &b }), TR_OK);
    assert_int_equal(count_of(of_worker, ref), 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(b.caught[i], TR_PANICKED);
        assert_true(strlen(b.info[i].message) > 0);
    }
    assert_int_equal(tally_dropped(&b.asked), 1);
}

static void test_ask_join_and_wait_on_a_worker_panic(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2), *other = start_system(2);
    assert_waiting_panics(system, system);
    assert_waiting_panics(system, other);
    stop_system(system);
    stop_system(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ask_act_11_answer_moves_to_the_asker),
        TEST(test_ask_act_11_times_out_not_before_the_limit),
        TEST(test_ask_act_11_without_a_timeout_is_invalid_and_not_sent),
        TEST(test_ask_handler_without_an_answer_is_broken),
        TEST(test_ask_large_aligned_question_and_answer_arrive_whole),
        TEST(test_ask_act_11_dead_actor_is_dead_at_once),
        TEST(test_ask_handler_that_panics_is_dead),
        TEST(test_ask_answer_of_a_handler_that_stops_arrives),
        TEST(test_ask_queued_when_the_actor_ends_is_dead),
        TEST(test_ask_answered_twice_panics),
        TEST(test_ask_join_and_wait_on_a_worker_panic),
    };
    return TEST_RUN(tests);
}
