/*
 * test_pin - an actor that is bound to a worker runs there and nowhere else
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* Which threads ran it: a handler notes its thread's own address. */
static _Thread_local char mark;

struct places {
    const void *first;
    unsigned others;
    unsigned runs;
    unsigned left; /* times it sends to itself again */
};

static void note_place(tr_ctx *ctx, void *arg)
{
    struct places *places = arg;
    if (places->first == NULL)
        places->first = &mark;
    places->others += places->first != &mark;
    places->runs++;
    if (places->left > 0) {
        places->left--;
        (void)probe_run(ctx, probe_self(ctx), (struct run){ note_place, places });
    }
}

static probe_ref spawn_pinned(tr_from from, struct probe *probe, unsigned pin)
{
    const tr_spawn_options options = { .pin = pin };
    probe_ref ref = { TR_PID_NONE };
    TR_MUST(probe_try_spawn(from, probe, &options, &ref));
    return ref;
}

static void test_pin_each_worker_runs_its_own_only(void **state)
{
    (void)state;
    enum { WORKERS = 4, EACH = 8 };
    tr_system *system = start_system(WORKERS);
    static struct places places[WORKERS][EACH];
    memset(places, 0, sizeof(places));
    for (unsigned w = 0; w < WORKERS; w++) {
        for (unsigned i = 0; i < EACH; i++) {
            places[w][i].left = 500;
            const probe_ref ref = spawn_pinned(system, NULL, w + 1);
            assert_int_equal(probe_run(system, ref, (struct run){ note_place, &places[w][i] }), TR_OK);
        }
    }
    wait_idle(system);
    for (unsigned w = 0; w < WORKERS; w++) {
        for (unsigned i = 0; i < EACH; i++) {
            assert_int_equal(places[w][i].runs, 501);
            assert_int_equal(places[w][i].others, 0);
            assert_ptr_equal(places[w][i].first, places[w][0].first);
        }
        for (unsigned v = 0; v < w; v++)
            assert_ptr_not_equal(places[w][0].first, places[v][0].first);
    }
    stop_system(system);
}

/* Woken from outside over and over, from an idle system. */
static void test_pin_holds_when_woken_from_outside(void **state)
{
    (void)state;
    tr_system *system = start_system(3);
    struct places places[3] = { { NULL, 0, 0, 0 } };
    probe_ref refs[3];
    for (unsigned w = 0; w < 3; w++)
        refs[w] = spawn_pinned(system, NULL, w + 1);
    for (unsigned i = 0; i < 100; i++) {
        for (unsigned w = 0; w < 3; w++)
            assert_int_equal(probe_run(system, refs[w], (struct run){ note_place, &places[w] }), TR_OK);
        if (i % 4 == 0)
            wait_idle(system);
    }
    wait_idle(system);
    for (unsigned w = 0; w < 3; w++) {
        assert_int_equal(places[w].runs, 100);
        assert_int_equal(places[w].others, 0);
    }
    assert_ptr_not_equal(places[0].first, places[1].first);
    assert_ptr_not_equal(places[1].first, places[2].first);
    stop_system(system);
}

/* All three hooks and the destructor too. */
struct stations {
    struct places start, stop;
};
static void at_start(tr_ctx *ctx, void *arg)
{
    struct stations *stations = arg;
    note_place(ctx, &stations->start);
}
static void at_stop(tr_ctx *ctx, void *arg)
{
    struct stations *stations = arg;
    note_place(ctx, &stations->stop);
}

struct nest {
    probe_ref child;
    struct probe_log log;
    struct stations stations;
    unsigned pin;
};
static void spawn_pinned_child(tr_ctx *ctx, void *arg)
{
    struct nest *nest = arg;
    nest->child = spawn_pinned(ctx, &(struct probe){ .log = &nest->log }, nest->pin);
}

/* Spawned by a handler on one worker for another; its work comes from there too. */
static void test_pin_spawned_on_another_worker_runs_at_home(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct nest nest = { .pin = 2 };
    struct places home = { NULL, 0, 0, 0 };
    nest.log.on_start = at_start;
    nest.log.on_stop = at_stop;
    nest.log.arg = &nest.stations;
    const probe_ref one = spawn_pinned(system, NULL, 1), two = spawn_pinned(system, NULL, 2);
    assert_int_equal(probe_run(system, two, (struct run){ note_place, &home }), TR_OK);
    assert_int_equal(probe_run(system, one, (struct run){ spawn_pinned_child, &nest }), TR_OK);
    wait_idle(system);
    assert_ptr_equal(nest.stations.start.first, home.first);
    assert_int_equal(probe_stop(system, nest.child), TR_OK);
    wait_idle(system);
    assert_ptr_equal(nest.stations.stop.first, home.first);
    stop_system(system);
}

/* Its worker is held by another: it waits, though the other worker is free. */
static void test_pin_waits_for_its_busy_worker(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    const probe_ref busy = spawn_pinned(system, NULL, 1), bound = spawn_pinned(system, NULL, 1);
    assert_int_equal(probe_hold(system, busy, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    struct count answer;
    assert_int_equal(probe_count_wait(system, bound, (struct nothing){}, TR_MILLISECONDS(20), &answer),
                     TR_TIMEOUT);
    const probe_ref free_ = spawn_probe(system, NULL);
    assert_int_equal(count_of(system, free_), 0);
    gate_open(&held);
    assert_int_equal(count_of(system, bound), 0);
    stop_system(system);
    gate_fini(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pin_each_worker_runs_its_own_only),
        TEST(test_pin_holds_when_woken_from_outside),
        TEST(test_pin_spawned_on_another_worker_runs_at_home),
        TEST(test_pin_waits_for_its_busy_worker),
    };
    return TEST_RUN(tests);
}
