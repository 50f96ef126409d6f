/*
 * test_panic - a handler that panics ends its actor and loses nothing else
 */
#include "tests/runtime/probe.h"

#include <stdio.h>
#include <string.h>

/* What a frame owns: counts its drop. */
typedef struct guard {
    tally *tally;
} guard;
static void guard_drop(guard *g)
{
    tr_fetch_add_relaxed(&g->tally->dropped, 1);
}
TR_TYPE(guard, .drop = guard_drop)

struct scene {
    tally guards;
    probe_ref other;
    tally tally;
    int line;
};

static TR_NOINLINE void panic_deep(struct scene *scene, unsigned depth)
{
    TR_AUTO(guard) g = tr_box(guard, &scene->guards);
    if (depth > 0)
        panic_deep(scene, depth - 1);
    if (scene->line != 0)
        return;
    scene->line = __LINE__ + 1;
    tr_panic("scene %d ended", 7);
}

/* What it sent and what it owns when it panics. */
static void panic_in_the_middle(tr_ctx *ctx, void *arg)
{
    struct scene *scene = arg;
    TR_AUTO(guard) g = tr_box(guard, &scene->guards);
    for (uint64_t i = 1; i <= 3; i++)
        (void)probe_note(ctx, scene->other, (struct note){ .tally = &scene->tally, .number = i });
    panic_deep(scene, 9);
}

static void test_panic_ends_the_actor_with_its_place_and_reason(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct probe_log log = { 0 };
    struct probe_log other_log = { 0 };
    struct scene scene = { .other = spawn_probe(system, &other_log) };
    const probe_ref ref = spawn_probe(system, &log);
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_run(system, ref, (struct run){ panic_in_the_middle, &scene }), TR_OK);
    struct joiner joiner;
    start_joining(&joiner, system, ref.pid);
    gate_open(&held);
    assert_int_equal(finish_joining(&joiner), TR_OK);
    char place[64];
    (void)snprintf(place, sizeof(place), "test_panic.c:%d", scene.line);
    assert_int_equal(joiner.why.reason, TR_EXIT_PANIC);
    assert_int_equal(joiner.why.status, TR_PANICKED);
    assert_non_null(strstr(joiner.why.text, place));
    assert_non_null(strstr(joiner.why.text, "scene 7 ended"));
    assert_null(strchr(joiner.why.text, '\n'));
    wait_idle(system);
    assert_int_equal(tally_dropped(&scene.guards), 11);
    assert_int_equal(tally_handled(&scene.tally), 3); /* sent before the panic: they arrive */
    assert_int_equal(other_log.count, 3);
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 0); /* the state may be half done */
    assert_int_equal(tally_dropped(&scene.tally), 3);
    gate_fini(&held);
}

/* The one in hand and the queued ones: each dropped exactly once, none handled. */
static void test_panic_drops_the_message_in_hand_and_the_queued_once(void **state)
{
    (void)state;
    quiet_panics();
    for (unsigned workers = 1; workers <= 2; workers++) {
        tr_system *system = start_system(workers);
        struct probe_log log = { 0 };
        tally before = { 0 }, in_hand = { 0 }, behind = { 0 };
        gate held;
        gate_init(&held);
        const probe_ref ref = spawn_probe(system, &log);
        assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(probe_note(system, ref, (struct note){ .tally = &before }), TR_OK);
        assert_int_equal(probe_boom(system, ref, (struct note){ .tally = &in_hand }), TR_OK);
        for (unsigned i = 0; i < 7; i++)
            assert_int_equal(probe_note(system, ref, (struct note){ .tally = &behind }), TR_OK);
        gate_open(&held);
        wait_idle(system);
        tr_system_stats stats;
        tr_system_get_stats(system, &stats);
        assert_int_equal(stats.panics, 1);
        assert_int_equal(stats.ended, 1);
        assert_int_equal(stats.actors, 0);
        assert_int_equal(stats.queued, 0);
        stop_system(system);
        assert_int_equal(tally_handled(&before), 5);
        assert_int_equal(tally_dropped(&before), 5);
        assert_int_equal(tally_handled(&in_hand), 1);
        assert_int_equal(tally_dropped(&in_hand), 1);
        assert_int_equal(tally_handled(&behind), 0);
        assert_int_equal(tally_dropped(&behind), 7);
        assert_int_equal(tr_load_relaxed(&log.drops), 1);
        gate_fini(&held);
    }
}

static void take_out(tr_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    tr_panic("after taking");
}

/* Others go on: a worker that met a panic is as good as before. */
static void test_panic_hurts_no_other_actor(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    const probe_ref good = spawn_probe(system, NULL);
    const unsigned rounds = 300;
    for (unsigned i = 0; i < rounds; i++) {
        const probe_ref bad = spawn_probe(system, NULL);
        assert_int_equal(probe_note(system, good, (struct note){ 0 }), TR_OK);
        assert_int_equal(probe_run(system, bad, (struct run){ take_out, NULL }), TR_OK);
        assert_int_equal(probe_note(system, good, (struct note){ 0 }), TR_OK);
    }
    wait_idle(system);
    assert_int_equal(count_of(system, good), 2 * rounds);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.panics, rounds);
    assert_int_equal(stats.ended, rounds);
    assert_int_equal(stats.actors, 1);
    stop_system(system);
}

/* -- hooks -------------------------------------------------------------------------------- */

static void panic_hook(tr_ctx *ctx, void *arg)
{
    (void)ctx, (void)arg;
    tr_panic("hook");
}

static void test_panic_in_the_start_hook_ends_the_actor(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct probe_log log = { .on_start = panic_hook };
    tally t = { 0 };
    const probe_ref ref = spawn_probe(system, &log);
    for (unsigned i = 0; i < 3; i++)
        (void)probe_note(system, ref, (struct note){ .tally = &t });
    wait_idle(system);
    assert_false(tr_is_alive(system, ref.pid));
    stop_system(system);
    assert_int_equal(tally_handled(&t), 0);
    assert_int_equal(tally_dropped(&t), 3);
    assert_int_equal(tr_load_relaxed(&log.starts), 1);
    assert_int_equal(tr_load_relaxed(&log.stops), 0);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
}

static void test_panic_in_the_stop_hook_still_drops_the_state(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct probe_log log = { .on_stop = panic_hook };
    const probe_ref ref = spawn_probe(system, &log);
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    struct joiner joiner;
    start_joining(&joiner, system, ref.pid);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    gate_open(&held);
    assert_int_equal(finish_joining(&joiner), TR_OK);
    wait_idle(system);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.panics, 1);
    assert_int_equal(stats.actors, 0);
    stop_system(system);
    assert_int_equal(tr_load_relaxed(&log.stops), 1);
    assert_int_equal(tr_load_relaxed(&log.drops), 1);
    gate_fini(&held);
}

/* -- hooks of the end that panic ---------------------------------------------------------- */

/* Its hooks panic, both of them; large, so that its state is a block of its own. */
struct fragile {
    tally *hooks; /* handled: stop hooks, dropped: drop hooks */
    probe_ref friend;
    unsigned char ballast[300];
};
#define FRAGILE(P, TELL, ASK)                          \
    TELL(P, leave, struct nothing)                     \
    TELL(P, explode, struct nothing)                   \
    TELL(P, keep, struct note, .drop = note_drop)
TR_PROTOCOL(fragile, FRAGILE)

static void fragile_on_leave(tr_ctx *ctx, struct fragile *self, struct nothing *m)
{
    (void)self, (void)m;
    tr_stop_self(ctx);
}

static void fragile_on_explode(tr_ctx *ctx, struct fragile *self, struct nothing *m)
{
    (void)ctx, (void)self, (void)m;
    tr_panic("exploded");
}

static void fragile_on_keep(tr_ctx *ctx, struct fragile *self, struct note *m)
{
    (void)ctx, (void)self, (void)m;
}

static void fragile_stop_hook(tr_ctx *ctx, struct fragile *self, const tr_exit *why)
{
    (void)why;
    tr_fetch_add_relaxed(&self->hooks->handled, 1);
    (void)probe_note(ctx, self->friend, (struct note){ 0 });
    tr_panic("stop hook");
}

static void fragile_drop(struct fragile *self)
{
    tr_fetch_add_relaxed(&self->hooks->dropped, 1);
    tr_panic("drop hook");
}
TR_ACTOR(fragile, FRAGILE, .stop = fragile_stop_hook, .drop = fragile_drop)

/* Sends what lies behind the message that ends it; the worker is kept busy meanwhile. */
struct last_words {
    fragile_ref to;
    tally *notes;
    bool explode;
};

static void send_last_words(tr_ctx *ctx, void *arg)
{
    struct last_words *words = arg;
    if (words->explode)
        (void)fragile_explode(ctx, words->to, (struct nothing){});
    else
        (void)fragile_leave(ctx, words->to, (struct nothing){});
    for (unsigned i = 0; i < 5; i++)
        (void)fragile_keep(ctx, words->to, (struct note){ .tally = words->notes });
}

/* Each hook runs once, all is freed, and the worker goes on with the next one. */
static void test_panic_in_both_hooks_of_the_end_leaves_nothing_behind(void **state)
{
    (void)state;
    quiet_panics();
    const unsigned actors = 200;
    tr_system *system = start_system(1);
    const probe_ref friend = spawn_probe(system, NULL), sender = spawn_probe(system, NULL);
    tally hooks = { 0 }, notes = { 0 };
    for (unsigned i = 0; i < actors; i++) {
        struct last_words words = { .notes = &notes, .explode = i % 2 != 0 };
        words.to = fragile_spawn(system, &(struct fragile){ .hooks = &hooks, .friend = friend });
        assert_int_equal(probe_run(system, sender, (struct run){ send_last_words, &words }), TR_OK);
        tr_exit why;
        const tr_status status = fragile_join(system, words.to, PATIENCE, &why);
        assert_true(status == TR_OK || status == TR_DEAD);
        if (status == TR_OK)
            assert_int_equal(why.reason, words.explode ? TR_EXIT_PANIC : TR_EXIT_NORMAL);
        wait_idle(system);
    }
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.actors, 2);
    /* stop hook and drop hook, or handler and drop hook */
    assert_int_equal(stats.panics, 2 * actors);
    assert_int_equal(count_of(system, friend), actors / 2); /* what was sent before the panic */
    stop_system(system);
    assert_int_equal(tally_handled(&hooks), actors / 2);
    assert_int_equal(tally_dropped(&hooks), actors);
    assert_int_equal(tally_dropped(&notes), 5 * actors);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- what a handler catches is not the actor's end --------------------------------------- */

static void boom(void *arg)
{
    (void)arg;
    tr_panic("inner");
}

static void catch_inside(tr_ctx *ctx, void *arg)
{
    tr_panic_info info;
    (void)ctx;
    *(tr_status *)arg = tr_catch(boom, NULL, &info);
}

static void test_panic_caught_in_the_handler_ends_nothing(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tr_status caught = TR_OK;
    assert_int_equal(probe_run(system, ref, (struct run){ catch_inside, &caught }), TR_OK);
    assert_int_equal(count_of(system, ref), 0);
    assert_int_equal(caught, TR_PANICKED);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.panics, 0);
    stop_system(system);
}

/* A spawn and a stop made before the panic hold as well. */
struct busy {
    probe_ref child;
    probe_ref victim;
};

static void spawn_stop_panic(tr_ctx *ctx, void *arg)
{
    struct busy *busy = arg;
    busy->child = spawn_probe(ctx, NULL);
    (void)probe_note(ctx, busy->child, (struct note){ 0 });
    (void)probe_stop(ctx, busy->victim);
    tr_panic("done");
}

static void test_panic_undoes_no_spawn_and_no_stop(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct busy busy = { .victim = spawn_probe(system, NULL) };
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_run(system, ref, (struct run){ spawn_stop_panic, &busy }), TR_OK);
    wait_idle(system);
    assert_false(tr_is_alive(system, ref.pid));
    assert_false(tr_is_alive(system, busy.victim.pid));
    assert_int_equal(count_of(system, busy.child), 1);
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_panic_ends_the_actor_with_its_place_and_reason),
        TEST(test_panic_drops_the_message_in_hand_and_the_queued_once),
        TEST(test_panic_hurts_no_other_actor),
        TEST(test_panic_in_the_start_hook_ends_the_actor),
        TEST(test_panic_in_the_stop_hook_still_drops_the_state),
        TEST(test_panic_in_both_hooks_of_the_end_leaves_nothing_behind),
        TEST(test_panic_caught_in_the_handler_ends_nothing),
        TEST(test_panic_undoes_no_spawn_and_no_stop),
    };
    return TEST_RUN(tests);
}
