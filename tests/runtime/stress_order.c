/*
 * stress_order - ACT-01, ACT-02 at length: per sender in order, one handler at a
 * time, whatever the workers do with the actors meanwhile
 */
#include "tests/runtime/probe.h"

#include <sched.h>
#include <stdlib.h>

#define SENDERS 8

struct tick {
    uint32_t sender;
    uint64_t number;
    const uint64_t *scratch; /* the sender's own memory, written before the send */
};

struct tally_of_senders {
    uint64_t n[SENDERS];
    uint64_t out_of_order, overlaps;
};

struct clock {
    struct tally_of_senders seen;
    TR_ATOMIC(bool) inside;
};

#define CLOCK(P, TELL, ASK)                                                                        \
    TELL(P, tick, struct tick)                                                                     \
    ASK(P, seen, struct nothing, struct tally_of_senders)
TR_PROTOCOL(clock, CLOCK)

static void clock_on_tick(tr_ctx *ctx, struct clock *self, struct tick *m)
{
    (void)ctx;
    self->seen.overlaps += tr_swap_relaxed(&self->inside, true);
    self->seen.out_of_order += m->number != ++self->seen.n[m->sender];
    if (m->scratch != NULL)
        self->seen.out_of_order += m->scratch[m->number] != m->number;
    tr_store_relaxed(&self->inside, false);
}

static void clock_on_seen(tr_ctx *ctx, struct clock *self, struct nothing *m, clock_seen_reply reply)
{
    (void)ctx, (void)m;
    clock_seen_answer(reply, self->seen);
}

TR_ACTOR(clock, CLOCK)

static void assert_seen(tr_system *system, clock_ref ref, unsigned senders, uint64_t each)
{
    struct tally_of_senders seen;
    assert_int_equal(clock_seen_wait(system, ref, (struct nothing){}, PATIENCE, &seen), TR_OK);
    for (unsigned i = 0; i < senders; i++)
        assert_int_equal(seen.n[i], each);
    assert_int_equal(seen.out_of_order, 0);
    assert_int_equal(seen.overlaps, 0);
}

/* -- 8 outside threads to one actor ----------------------------------------------------- */

struct outside {
    tr_system *system;
    clock_ref to;
    uint64_t each;
    TR_ATOMIC(uint64_t) failed;
};

static void send_from_outside(unsigned index, void *arg)
{
    struct outside *o = arg;
    for (uint64_t i = 1; i <= o->each; i++) {
        struct tick tick = { .sender = index, .number = i };
        tr_status status;
        while ((status = clock_try_tick(o->system, o->to, &tick)) == TR_FULL)
            (void)sched_yield();
        if (status != TR_OK)
            tr_fetch_add_relaxed(&o->failed, 1);
    }
}

static void assert_outside_order(unsigned workers, uint64_t each)
{
    tr_system *system = start_system(workers);
    struct outside o = { .system = system, .to = clock_spawn(system, NULL), .each = each };
    test_threads_run(SENDERS, send_from_outside, &o);
    assert_int_equal(tr_load_relaxed(&o.failed), 0);
    assert_seen(system, o.to, SENDERS, each);
    stop_system(system);
}

static void test_order_stress_act_01_outside_threads(void **state)
{
    (void)state;
    assert_outside_order(1, test_scale(100000) / 4);
    assert_outside_order(2, test_scale(100000) / 2);
    assert_outside_order(8, test_scale(100000) / 4);
    assert_outside_order(64, test_scale(100000) / 16);
}

/* Threads that come and go: each sends a little and ends. */
static void test_order_stress_threads_come_and_go(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const size_t rounds = test_scale(60);
    for (size_t i = 0; i < rounds; i++) {
        struct outside o = { .system = system, .to = clock_spawn(system, NULL), .each = 100 };
        test_threads_run(SENDERS, send_from_outside, &o);
        assert_int_equal(tr_load_relaxed(&o.failed), 0);
        assert_seen(system, o.to, SENDERS, 100);
        assert_int_equal(clock_stop(system, o.to), TR_OK);
    }
    stop_system(system);
}

/* -- 8 actors to one, migrating between workers ------------------------------------------- */

struct drummer {
    clock_ref to;
    uint64_t left, number;
    uint32_t index;
    uint64_t *scratch;
};
#define DRUMMER(P, TELL, ASK) TELL(P, go, struct nothing)
TR_PROTOCOL(drummer, DRUMMER)

/* A few ticks a turn, every other one via the system; full: come back later. */
static void drummer_on_go(tr_ctx *ctx, struct drummer *self, struct nothing *m)
{
    (void)m;
    for (unsigned i = 0; i < 1 + self->number % 5 && self->left > 0; i++) {
        const uint64_t number = self->number + 1;
        struct tick tick = { self->index, number, self->scratch };
        if (self->scratch[number] == 0) /* else a second try: it was full */
            self->scratch[number] = number;
        const tr_from from = number % 2 == 0 ? (tr_from){ .system = tr_ctx_system(ctx) } : (tr_from){ .ctx = ctx };
        if (clock_try_tick(from, self->to, &tick) != TR_OK)
            break;
        self->number = number;
        self->left--;
    }
    if (self->left > 0)
        (void)drummer_go(ctx, drummer_self(ctx), (struct nothing){});
}

TR_ACTOR(drummer, DRUMMER)

static void assert_inside_order(unsigned workers, uint64_t each)
{
    uint64_t *scratch = calloc(SENDERS * (each + 1), sizeof(*scratch));
    assert_non_null(scratch);
    tr_system *system = start_system(workers);
    const tr_spawn_options small = { .mailbox_messages = 512 };
    clock_ref clock;
    assert_int_equal(clock_try_spawn(system, NULL, &small, &clock), TR_OK);
    for (uint32_t i = 0; i < SENDERS; i++) {
        struct drummer drummer = { .to = clock, .left = each, .index = i, .scratch = &scratch[i * (each + 1)] };
        assert_int_equal(drummer_go(system, drummer_spawn(system, &drummer), (struct nothing){}), TR_OK);
    }
    wait_idle(system);
    assert_seen(system, clock, SENDERS, each);
    stop_system(system);
    free(scratch);
}

static void test_order_stress_act_01_actors_that_migrate(void **state)
{
    (void)state;
    assert_inside_order(1, test_scale(100000) / 8);
    assert_inside_order(2, test_scale(100000) / 4);
    assert_inside_order(8, test_scale(100000) / 8);
    assert_inside_order(64, test_scale(100000) / 32);
}

/* -- ACT-02: state needs no lock ------------------------------------------------------------ */

struct balance {
    uint64_t left, right, step, wrong;
};
struct step {
    uint64_t number;
};
#define BALANCE(P, TELL, ASK)                                                                      \
    TELL(P, step, struct step)                                                                     \
    ASK(P, look, struct nothing, struct balance)
TR_PROTOCOL(balance, BALANCE)

static void balance_on_step(tr_ctx *ctx, struct balance *self, struct step *m)
{
    self->wrong += self->left + self->right != 42;
    self->wrong += m->number != self->step + 1;
    self->step = m->number;
    self->left += 1;
    self->right -= 1;
    (void)ctx;
}
static void balance_on_look(tr_ctx *ctx, struct balance *self, struct nothing *m, balance_look_reply reply)
{
    (void)ctx, (void)m;
    balance_look_answer(reply, *self);
}
TR_ACTOR(balance, BALANCE)

static void assert_consistent(unsigned workers, uint64_t steps)
{
    tr_system *system = start_system(workers);
    const unsigned actors = workers + 1;
    balance_ref *refs = calloc(actors, sizeof(*refs));
    assert_non_null(refs);
    for (unsigned i = 0; i < actors; i++)
        refs[i] = balance_spawn(system, &(struct balance){ .left = 40, .right = 2 });
    for (uint64_t s = 1; s <= steps; s++)
        for (unsigned i = 0; i < actors; i++)
            assert_int_equal(balance_step(system, refs[i], (struct step){ s }), TR_OK);
    for (unsigned i = 0; i < actors; i++) {
        struct balance end;
        assert_int_equal(balance_look_wait(system, refs[i], (struct nothing){}, PATIENCE, &end), TR_OK);
        assert_int_equal(end.step, steps);
        assert_int_equal(end.wrong, 0);
        assert_int_equal(end.left + end.right, 42);
    }
    free(refs);
    stop_system(system);
}

static void test_order_stress_act_02_state_needs_no_lock(void **state)
{
    (void)state;
    assert_consistent(1, 10000);
    assert_consistent(2, 10000);
    assert_consistent(8, 10000);
    assert_consistent(64, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order_stress_act_01_outside_threads),
        TEST(test_order_stress_threads_come_and_go),
        TEST(test_order_stress_act_01_actors_that_migrate),
        TEST(test_order_stress_act_02_state_needs_no_lock),
    };
    return TEST_RUN(tests);
}
