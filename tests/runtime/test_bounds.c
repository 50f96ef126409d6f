/*
 * test_bounds - a mailbox holds exactly what it was given room for
 *
 * The message in the handler is out of the mailbox: with a handler held, n more
 * are taken by a mailbox of n, and not one beyond.
 */
#include "tests/runtime/probe.h"

#define BLOB(size)                                                                                 \
    struct blob##size {                                                                            \
        unsigned char bytes[size];                                                                 \
    };
BLOB(64)
BLOB(256)
BLOB(257)

struct sized {
    uint64_t handled;
};

#define SIZED(P, TELL, ASK)                                                                        \
    TELL(P, none, struct nothing)                                                                  \
    TELL(P, some, struct blob64)                                                                   \
    TELL(P, all, struct blob256)                                                                   \
    TELL(P, more, struct blob257)                                                                  \
    TELL(P, hold, struct hold)                                                                     \
    ASK(P, count, struct nothing, struct count)                                                    \
    ASK(P, ask_more, struct blob257, struct count)

TR_PROTOCOL(sized, SIZED)

#define COUNT_IT(message, type)                                                                    \
    static void sized_on_##message(tr_ctx *ctx, struct sized *self, type *m)                       \
    {                                                                                              \
        (void)ctx, (void)m;                                                                        \
        self->handled++;                                                                           \
    }
COUNT_IT(none, struct nothing)
COUNT_IT(some, struct blob64)
COUNT_IT(all, struct blob256)
COUNT_IT(more, struct blob257)

static void sized_on_hold(tr_ctx *ctx, struct sized *self, struct hold *m)
{
    (void)ctx, (void)self;
    gate_enter(m->gate);
}

static void sized_on_count(tr_ctx *ctx, struct sized *self, struct nothing *m, sized_count_reply reply)
{
    (void)ctx, (void)m;
    sized_count_answer(reply, (struct count){ self->handled });
}

static void sized_on_ask_more(tr_ctx *ctx, struct sized *self, struct blob257 *m,
                              sized_ask_more_reply reply)
{
    (void)ctx, (void)m;
    sized_ask_more_answer(reply, (struct count){ self->handled });
}

TR_ACTOR(sized, SIZED)

/* -- in messages ------------------------------------------------------------------- */

/* Hold the handler, fill up, be refused, let one through, fill up again. */
static void assert_holds_exactly(unsigned workers, uint32_t capacity)
{
    tr_system *system = start_system(workers);
    const probe_ref ref = spawn_bounded(system, capacity, 0);
    gate held;
    gate_init(&held);
    tally t = { 0 };
    struct note note = { .tally = &t };
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned round = 0; round < 5; round++) {
        assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
        for (uint32_t i = 1; i < capacity; i++)
            assert_int_equal(probe_try_note(system, ref, &note), TR_OK);
        const uint64_t dropped = tally_dropped(&t);
        assert_int_equal(probe_try_note(system, ref, &note), TR_FULL);
        assert_ptr_equal(note.tally, &t);
        assert_int_equal(tally_dropped(&t), dropped);
        assert_int_equal(probe_note(system, ref, note), TR_FULL);
        assert_int_equal(tally_dropped(&t), dropped + 1);
        gate_open(&held);
        gate_await(&held); /* in the second hold, which was first in the mailbox */
        assert_int_equal(probe_try_note(system, ref, &note), TR_OK);
        assert_int_equal(probe_try_note(system, ref, &note), TR_FULL);
        gate_open(&held); /* everything is handled; then hold again */
        wait_idle(system);
        assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
        gate_await(&held);
    }
    gate_open(&held);
    stop_system(system);
    assert_int_equal(tally_handled(&t), 5 * capacity);
    assert_int_equal(tally_dropped(&t), 5 * capacity + 5);
    gate_fini(&held);
}

static void test_bounds_messages_are_exact(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        assert_holds_exactly(workers, 1);
        assert_holds_exactly(workers, 2);
        assert_holds_exactly(workers, 3);
        assert_holds_exactly(workers, 100);
    }
}

/* A question is a message too; refused it is dropped, as by tr_tell. */
static void test_bounds_full_mailbox_refuses_questions(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    const probe_ref ref = spawn_bounded(system, 1, 0);
    gate held;
    gate_init(&held);
    tally asked = { 0 };
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_note(system, ref, (struct note){ .number = 1 }), TR_OK);
    struct note answer = { .number = 99 };
    assert_int_equal(probe_query_wait(system, ref, (struct query){ answer_not, NULL, &asked }, PATIENCE,
                                      &answer),
                     TR_FULL);
    assert_int_equal(answer.number, 99);
    assert_int_equal(tally_dropped(&asked), 1);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(count_of(system, ref), 1);
    stop_system(system);
    gate_fini(&held);
}

/* An actor whose room is only for one: each answer came after its question left
 * the mailbox, so the next question always finds room. */
static void assert_request_reply_is_never_full(unsigned workers)
{
    tr_system *system = start_system(workers);
    const probe_ref ref = spawn_bounded(system, 1, 0);
    const size_t rounds = test_scale(5000);
    for (size_t i = 0; i < rounds; i++) {
        struct note given = { .number = i }, answer;
        assert_int_equal(probe_query_wait(system, ref, (struct query){ answer_with, &given, NULL },
                                          PATIENCE, &answer),
                         TR_OK);
        assert_int_equal(answer.number, i);
    }
    stop_system(system);
}

static void test_bounds_request_reply_over_capacity_one_is_never_full(void **state)
{
    (void)state;
    assert_request_reply_is_never_full(1);
    assert_request_reply_is_never_full(2);
}

struct rally {
    probe_ref other;
    struct rally *back;
    unsigned left;
    unsigned refused;
};

/* Two actors with room for one: the ball comes only after the last has gone. */
static void return_ball(tr_ctx *ctx, void *arg)
{
    struct rally *mine = arg;
    if (mine->left-- == 0)
        return;
    if (probe_run(ctx, mine->other, (struct run){ return_ball, mine->back }) != TR_OK)
        mine->refused++;
}

static void test_bounds_ping_pong_over_capacity_one_is_never_full(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        tr_system *system = start_system(workers);
        struct rally a = { .other = spawn_bounded(system, 1, 0), .left = 5000 };
        struct rally b = { .other = spawn_bounded(system, 1, 0), .left = 5000 };
        a.back = &b;
        b.back = &a;
        assert_int_equal(probe_run(system, b.other, (struct run){ return_ball, &a }), TR_OK);
        wait_idle(system);
        assert_int_equal(a.refused + b.refused, 0);
        assert_int_equal((unsigned)(a.left + 1), 0);
        assert_int_equal(b.left, 0);
        stop_system(system);
    }
}

/* -- in bytes ---------------------------------------------------------------------- */

static void test_bounds_bytes_are_exact_and_come_back(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const tr_spawn_options options = { .mailbox_bytes = 256 };
    sized_ref ref;
    gate held;
    gate_init(&held);
    assert_int_equal(sized_try_spawn(system, NULL, &options, &ref), TR_OK);
    struct blob64 some = { { 0 } };
    struct blob256 all = { { 0 } };
    uint64_t handled = 0;
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(sized_hold(system, ref, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        for (unsigned i = 0; i < 4; i++)
            assert_int_equal(sized_try_some(system, ref, &some), TR_OK);
        assert_int_equal(sized_try_some(system, ref, &some), TR_FULL);
        assert_int_equal(sized_try_all(system, ref, &all), TR_FULL);
        assert_int_equal(sized_none(system, ref, (struct nothing){}), TR_OK); /* weighs nothing */
        gate_open(&held);
        wait_idle(system);
        assert_int_equal(sized_hold(system, ref, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        assert_int_equal(sized_try_all(system, ref, &all), TR_OK);
        assert_int_equal(sized_try_some(system, ref, &some), TR_FULL);
        gate_open(&held);
        wait_idle(system);
        handled += 6;
    }
    struct count answer;
    assert_int_equal(sized_count_wait(system, ref, (struct nothing){}, PATIENCE, &answer), TR_OK);
    assert_int_equal(answer.n, handled);
    stop_system(system);
    gate_fini(&held);
}

static void test_bounds_message_larger_than_the_mailbox_is_invalid(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    const tr_spawn_options options = { .mailbox_bytes = 256 };
    sized_ref ref;
    assert_int_equal(sized_try_spawn(system, NULL, &options, &ref), TR_OK);
    struct blob257 more = { { 0 } };
    struct count answer;
    assert_int_equal(sized_try_more(system, ref, &more), TR_INVALID);
    assert_int_equal(sized_more(system, ref, more), TR_INVALID);
    assert_int_equal(sized_ask_more_wait(system, ref, more, PATIENCE, &answer), TR_INVALID);
    assert_int_equal(sized_count_wait(system, ref, (struct nothing){}, PATIENCE, &answer), TR_OK);
    assert_int_equal(answer.n, 0);
    stop_system(system);
}

static void test_bounds_of_the_system_hold_for_every_actor(void **state)
{
    (void)state;
    const tr_config config = { .workers = 1, .mailbox_messages = 2, .mailbox_bytes = 64,
                               .no_stats_socket = true };
    tr_system *system = tr_system_start(&config);
    gate held;
    gate_init(&held);
    const sized_ref ref = sized_spawn(system, NULL);
    assert_int_equal(sized_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    struct blob64 some = { { 0 } };
    assert_int_equal(sized_try_some(system, ref, &some), TR_OK);
    assert_int_equal(sized_try_some(system, ref, &some), TR_FULL);
    assert_int_equal(sized_none(system, ref, (struct nothing){}), TR_OK);
    assert_int_equal(sized_none(system, ref, (struct nothing){}), TR_FULL);
    gate_open(&held);
    stop_system(system);
    gate_fini(&held);
}

/* Signals have room always: a full actor can be stopped. */
static void test_bounds_full_mailbox_does_not_refuse_stop(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    const probe_ref ref = spawn_bounded(system, 1, 0);
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_note(system, ref, (struct note){ .number = 1 }), TR_OK);
    assert_int_equal(probe_note(system, ref, (struct note){ .number = 1 }), TR_FULL);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    gate_open(&held);
    wait_idle(system);
    assert_false(tr_is_alive(system, ref.pid));
    stop_system(system);
    gate_fini(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bounds_messages_are_exact),
        TEST(test_bounds_full_mailbox_refuses_questions),
        TEST(test_bounds_request_reply_over_capacity_one_is_never_full),
        TEST(test_bounds_ping_pong_over_capacity_one_is_never_full),
        TEST(test_bounds_bytes_are_exact_and_come_back),
        TEST(test_bounds_message_larger_than_the_mailbox_is_invalid),
        TEST(test_bounds_of_the_system_hold_for_every_actor),
        TEST(test_bounds_full_mailbox_does_not_refuse_stop),
    };
    return TEST_RUN(tests);
}
