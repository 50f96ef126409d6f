/*
 * stress_systems - wait_idle is never early, two systems talk across, a handler
 * that blocks holds up no answer, systems start and stop side by side
 */
#include "tests/runtime/probe.h"

#include <sched.h>
#include <string.h>

/* -- wait_idle ------------------------------------------------------------------------------ */

/* A relay that runs on by itself: spawns, sends, ends. Done when left is 0. */
struct relay {
    TR_ATOMIC(uint64_t) steps;
    uint64_t left;
};

static void run_relay(tr_ctx *ctx, void *arg)
{
    struct relay *relay = arg;
    tr_fetch_add_relaxed(&relay->steps, 1);
    if (relay->left-- > 1) {
        if (relay->left % 3 == 0) {
            const probe_ref next = spawn_probe(ctx, NULL);
            (void)probe_run(ctx, next, (struct run){ run_relay, relay });
            tr_stop_self(ctx);
        } else {
            (void)probe_run(ctx, probe_self(ctx), (struct run){ run_relay, relay });
        }
    } else {
        tr_stop_self(ctx);
    }
}

struct idlers {
    tr_system *system;
    size_t rounds;
    TR_ATOMIC(uint64_t) early, wrong;
};

/* "Nothing left to do": so nothing of what I made. */
static void make_work_and_wait(unsigned index, void *arg)
{
    struct idlers *idlers = arg;
    for (size_t i = 0; i < idlers->rounds; i++) {
        struct relay relay = { .left = 1 + (i * 7 + index) % 40 };
        const uint64_t expected = relay.left;
        const probe_ref ref = spawn_probe(idlers->system, NULL);
        if (probe_run(idlers->system, ref, (struct run){ run_relay, &relay }) != TR_OK ||
            tr_system_wait_idle(idlers->system, PATIENCE) != TR_OK)
            tr_fetch_add_relaxed(&idlers->wrong, 1);
        if (tr_load_acquire(&relay.steps) != expected) {
            tr_fetch_add_relaxed(&idlers->early, 1);
            while (tr_load_acquire(&relay.steps) != expected) /* it lies on this stack */
                (void)sched_yield();
        }
    }
}

static void assert_never_early(unsigned workers, unsigned threads, size_t rounds)
{
    struct idlers idlers = { .system = start_system(workers), .rounds = rounds };
    test_threads_run(threads, make_work_and_wait, &idlers);
    assert_int_equal(tr_load_relaxed(&idlers.wrong), 0);
    assert_int_equal(tr_load_relaxed(&idlers.early), 0);
    stop_system(idlers.system);
}

static void test_systems_stress_wait_idle_is_never_early(void **state)
{
    (void)state;
    assert_never_early(1, 1, test_scale(1500));
    assert_never_early(2, 1, test_scale(1500));
    assert_never_early(8, 1, test_scale(800));
    assert_never_early(2, 4, test_scale(400));
    assert_never_early(64, 2, test_scale(60));
}

/* The actors end by themselves: when it is idle their states are dropped. */
static void test_systems_stress_idle_means_that_the_ended_are_dropped(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const size_t rounds = test_scale(1500);
    for (size_t i = 0; i < rounds; i++) {
        struct probe_log log = { 0 };
        tally t = { 0 };
        const probe_ref ref = spawn_probe(system, &log);
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
        if (i % 2 == 0)
            assert_int_equal(probe_quit(system, ref, (struct nothing){}), TR_OK);
        else
            assert_int_equal(probe_stop(system, ref), TR_OK);
        wait_idle(system);
        assert_int_equal(tr_load_relaxed(&log.drops), 1);
        assert_int_equal(tally_dropped(&t), 1);
    }
    stop_system(system);
}

/* -- two systems --------------------------------------------------------------------------------- */

struct bridge {
    tr_system *system[2];
    probe_ref actor[2];
    TR_ATOMIC(uint64_t) hops, failed, running;
};

struct crossing {
    struct bridge *bridge;
    uint64_t left;
};

/* A worker of one system is an outside thread to the other. */
static void cross_over(tr_ctx *ctx, void *arg)
{
    struct crossing *crossing = arg;
    struct bridge *b = crossing->bridge;
    tr_fetch_add_relaxed(&b->hops, 1);
    if (--crossing->left == 0) {
        tr_fetch_sub_release(&b->running, 1);
        return;
    }
    const unsigned other = tr_ctx_system(ctx) == b->system[0];
    if (probe_run(b->system[other], b->actor[other], (struct run){ cross_over, crossing }) != TR_OK)
        tr_fetch_add_relaxed(&b->failed, 1);
}

struct cross_senders {
    struct bridge bridge;
    uint64_t each;
};

static void send_to_both(unsigned index, void *arg)
{
    struct cross_senders *c = arg;
    for (uint64_t i = 0; i < c->each; i++) {
        const unsigned to = (index + (unsigned)i) & 1;
        if (probe_note(c->bridge.system[to], c->bridge.actor[to], (struct note){ .number = i }) != TR_OK)
            tr_fetch_add_relaxed(&c->bridge.failed, 1);
    }
}

static void test_systems_stress_two_systems_send_across(void **state)
{
    (void)state;
    enum { CROSSINGS = 8, THREADS = 4 };
    static struct cross_senders c;
    memset(&c, 0, sizeof(c));
    struct crossing crossings[CROSSINGS];
    c.each = test_scale(10000);
    const uint64_t hops = test_scale(2000);
    for (unsigned i = 0; i < 2; i++) {
        c.bridge.system[i] = start_system(1 + i);
        c.bridge.actor[i] = spawn_probe(c.bridge.system[i], NULL);
    }
    tr_store_relaxed(&c.bridge.running, CROSSINGS);
    for (unsigned i = 0; i < CROSSINGS; i++) {
        crossings[i] = (struct crossing){ &c.bridge, hops };
        assert_int_equal(probe_run(c.bridge.system[i & 1], c.bridge.actor[i & 1],
                                   (struct run){ cross_over, &crossings[i] }),
                         TR_OK);
    }
    test_threads_run(THREADS, send_to_both, &c);
    TEST_UNTIL(tr_load_acquire(&c.bridge.running) == 0);
    assert_int_equal(tr_load_relaxed(&c.bridge.failed), 0);
    assert_int_equal(tr_load_relaxed(&c.bridge.hops), CROSSINGS * hops);
    assert_int_equal(count_of(c.bridge.system[0], c.bridge.actor[0]) +
                         count_of(c.bridge.system[1], c.bridge.actor[1]),
                     THREADS * c.each);
    stop_system(c.bridge.system[0]);
    stop_system(c.bridge.system[1]);
}

/* -- a handler that blocks ---------------------------------------------------------------------------- */

struct waiters {
    tr_system *system;
    size_t rounds;
    TR_ATOMIC(uint64_t) wrong;
};

/* Each question meets its actor at some moment of its end: it is answered or refused. */
static void ask_and_join_the_dying(unsigned index, void *arg)
{
    struct waiters *w = arg;
    for (size_t i = 0; i < w->rounds; i++) {
        const probe_ref ref = spawn_probe(w->system, NULL);
        (void)probe_quit(w->system, ref, (struct nothing){});
        struct count answer;
        const tr_status status = (i + index) % 2 == 0
                                     ? probe_join(w->system, ref, PATIENCE, NULL)
                                     : probe_count_wait(w->system, ref, (struct nothing){}, PATIENCE, &answer);
        if (status != TR_OK && status != TR_DEAD)
            tr_fetch_add_relaxed(&w->wrong, 1);
    }
}

/* It keeps grace periods from ending, in its own system and in others. */
static void test_systems_stress_blocked_handler_holds_up_no_answer(void **state)
{
    (void)state;
    gate g;
    gate_init(&g);
    tr_system *system = start_system(3);
    struct waiters own = { .system = system, .rounds = test_scale(3000) };
    struct waiters other = { .system = start_system(2), .rounds = test_scale(3000) };
    const probe_ref blocked = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, blocked, (struct hold){ &g }), TR_OK);
    gate_await(&g);
    test_threads_run(2, ask_and_join_the_dying, &other);
    test_threads_run(2, ask_and_join_the_dying, &own);
    gate_open(&g);
    assert_int_equal(tr_load_relaxed(&own.wrong), 0);
    assert_int_equal(tr_load_relaxed(&other.wrong), 0);
    stop_system(other.system);
    stop_system(system);
    gate_fini(&g);
}

/* -- many systems at a time ------------------------------------------------------------------------ */

struct starters {
    size_t rounds;
    TR_ATOMIC(uint64_t) wrong;
};

static void start_use_stop(unsigned index, void *arg)
{
    struct starters *s = arg;
    for (size_t i = 0; i < s->rounds; i++) {
        tr_system *system = start_system(1 + (index + (unsigned)i) % 3);
        const probe_ref ref = spawn_probe(system, NULL);
        struct count answer = { 0 };
        if (probe_note(system, ref, (struct note){ 0 }) != TR_OK ||
            probe_count_wait(system, ref, (struct nothing){}, PATIENCE, &answer) != TR_OK || answer.n != 1)
            tr_fetch_add_relaxed(&s->wrong, 1);
        if (tr_system_stop(system, PATIENCE) != TR_OK)
            tr_fetch_add_relaxed(&s->wrong, 1);
    }
}

static void test_systems_stress_start_and_stop_side_by_side(void **state)
{
    (void)state;
    struct starters s = { .rounds = test_scale(40) };
    test_threads_run(4, start_use_stop, &s);
    assert_int_equal(tr_load_relaxed(&s.wrong), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_systems_stress_wait_idle_is_never_early),
        TEST(test_systems_stress_idle_means_that_the_ended_are_dropped),
        TEST(test_systems_stress_two_systems_send_across),
        TEST(test_systems_stress_blocked_handler_holds_up_no_answer),
        TEST(test_systems_stress_start_and_stop_side_by_side),
    };
    return TEST_RUN(tests);
}
