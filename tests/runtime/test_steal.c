/*
 * test_steal - what is worth stealing, and when stealing pauses
 *
 * Two workers that no thread runs: `owner` has actors in its ring, `thief` none.
 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/mem/clock.h>

#include "runtime/steal.h"
#include "runtime/system_block.h"

#define ACTORS 200u

struct scene {
    tr_system *system;
    tri_worker *owner, *thief;
    tri_actor *actors;
};

static void *make(size_t size)
{
    void *block = aligned_alloc(256, (size + 255) / 256 * 256);
    assert_non_null(block);
    return memset(block, 0, size);
}

/* `ready` actors in the owner's ring, whose turns take `turn` ns and began just now. */
static struct scene make_scene(uint32_t ready, uint32_t turn)
{
    struct scene s = { .system = make(sizeof *s.system), .actors = make(ACTORS * sizeof *s.actors) };
    tri_worker *workers = make(2 * sizeof *workers);
    s.system->workers = workers;
    s.system->worker_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        workers[i].ctx.sender = (tri_sender){ s.system, &workers[i] };
        workers[i].index = i;
        workers[i].random = 1 + i;
        workers[i].steal_backoff = TRI_STEAL_BACKOFF;
        tri_run_queue_init(&workers[i].queue);
        tr_atomic_init(&workers[i].turn, turn);
        tr_atomic_init(&workers[i].turn_started, tr_now());
    }
    s.owner = &workers[0];
    s.thief = &workers[1];
    for (uint32_t i = 0; i < ready; i++)
        tri_run_queue_push(&s.owner->queue, &s.actors[i]);
    return s;
}

static void free_scene(struct scene s)
{
    free(s.system->workers);
    free(s.system);
    free(s.actors);
}

/* The owner began its turn so long ago. */
static void begin_turn_before(tri_worker *worker, uint64_t ns)
{
    tr_store_relaxed(&worker->turn_started, tr_now() - ns);
}

static void test_steal_empty_rings_are_no_loot(void **state)
{
    (void)state;
    struct scene s = make_scene(0, 1000000);
    assert_int_equal(tri_steal_look(s.thief), TRI_LOOT_NONE);
    begin_turn_before(s.owner, TR_SECONDS(1));
    assert_int_equal(tri_steal_look(s.thief), TRI_LOOT_NONE);
    assert_null(tri_steal(s.thief, tr_now()));
    free_scene(s);
}

/* Far in the future a turn that began now is not old: so the clock cannot disturb. */
static void test_steal_what_its_owner_does_sooner_stays(void **state)
{
    (void)state;
    struct scene s = make_scene(10, 100); /* a microsecond */
    tr_store_relaxed(&s.owner->turn_started, tr_now() + TR_SECONDS(100));
    assert_int_equal(tri_steal_look(s.thief), TRI_LOOT_LATER);
    assert_null(tri_steal(s.thief, tr_now()));
    assert_false(tri_steal_is_worth_a_wake(s.owner));
    assert_int_equal(tri_run_queue_length(&s.owner->queue), 10);
    free_scene(s);
}

static void test_steal_long_backlog_is_halved(void **state)
{
    (void)state;
    struct scene s = make_scene(ACTORS, 200); /* 40 us */
    tr_store_relaxed(&s.owner->turn_started, tr_now() + TR_SECONDS(100));
    assert_int_equal(tri_steal_look(s.thief), TRI_LOOT_NOW);
    assert_true(tri_steal_is_worth_a_wake(s.owner));
    assert_non_null(tri_steal(s.thief, tr_now()));
    assert_int_equal(tri_run_queue_length(&s.owner->queue), ACTORS / 2);
    assert_int_equal(tri_run_queue_length(&s.thief->queue), ACTORS / 2 - 1);
    free_scene(s);
}

static void test_steal_stuck_owner_is_robbed_of_a_single_actor(void **state)
{
    (void)state;
    struct scene s = make_scene(1, 10);
    begin_turn_before(s.owner, TR_SECONDS(1));
    s.thief->no_theft_before = tr_now() + TR_SECONDS(100); /* also in a pause */
    assert_int_equal(tri_steal_look(s.thief), TRI_LOOT_NOW);
    assert_ptr_equal(tri_steal(s.thief, tr_now()), &s.actors[0]);
    free_scene(s);
}

/* Steal at `at`, be done after `lasted`, while all workers handle `messages`. */
static void steal_and_judge(struct scene *s, uint64_t at, uint64_t lasted, uint64_t messages)
{
    tri_run_queue_init(&s->owner->queue);
    tri_run_queue_init(&s->thief->queue);
    for (uint32_t i = 0; i < ACTORS; i++)
        tri_run_queue_push(&s->owner->queue, &s->actors[i]);
    s->thief->no_theft_before = 0;
    tr_store_relaxed(&s->owner->turn_started, at);
    assert_non_null(tri_steal(s->thief, at));
    tr_count_add(&s->owner->counters.messages, messages);
    tri_steal_judge(s->thief, at + lasted);
}

static void test_steal_short_theft_makes_a_pause_that_doubles(void **state)
{
    (void)state;
    struct scene s = make_scene(0, 200);
    uint64_t expected = TRI_STEAL_BACKOFF;
    for (unsigned i = 0; i < 20; i++) {
        expected = expected * 2 < TRI_STEAL_BACKOFF_MAX ? expected * 2 : TRI_STEAL_BACKOFF_MAX;
        /* a tenth of a microsecond for each of a hundred */
        steal_and_judge(&s, 1000000000u + i, ACTORS / 2 * 100, 1000);
        assert_int_equal(s.thief->no_theft_before, 1000000000u + i + ACTORS / 2 * 100 + expected);
        assert_int_equal(tr_load_relaxed(&s.system->idle.no_backlog_before), s.thief->no_theft_before);
    }
    /* In a pause short turns are left alone, and nobody is woken for them. */
    for (uint32_t i = 0; i < ACTORS; i++)
        tri_run_queue_push(&s.owner->queue, &s.actors[i]);
    tr_store_relaxed(&s.owner->turn_started, 1000000000u);
    assert_false(tri_steal_is_worth_a_wake(s.owner));
    tr_store_relaxed(&s.owner->turn, 10000); /* long ones are not */
    assert_true(tri_steal_is_worth_a_wake(s.owner));
    free_scene(s);
}

static void test_steal_theft_that_made_all_slower_makes_a_pause(void **state)
{
    (void)state;
    struct scene s = make_scene(0, 200);
    const uint64_t ms = 1000000;
    steal_and_judge(&s, 1000 * ms, 10 * ms, 100000); /* nothing to compare with yet */
    assert_int_equal(s.thief->no_theft_before, 0);
    /* Away for 10 ms, in which the owner alone handled 100,000. */
    tr_count_add(&s.owner->counters.messages, 100000);
    steal_and_judge(&s, 1020 * ms, 10 * ms, 100000); /* as many with us: no gain */
    assert_true(s.thief->no_theft_before > 1030 * ms);
    tr_count_add(&s.owner->counters.messages, 100000);
    steal_and_judge(&s, 1040 * ms, 10 * ms, 150000); /* half as many more */
    assert_int_equal(s.thief->no_theft_before, 0);
    free_scene(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_steal_empty_rings_are_no_loot),
        TEST(test_steal_what_its_owner_does_sooner_stays),
        TEST(test_steal_long_backlog_is_halved),
        TEST(test_steal_stuck_owner_is_robbed_of_a_single_actor),
        TEST(test_steal_short_theft_makes_a_pause_that_doubles),
        TEST(test_steal_theft_that_made_all_slower_makes_a_pause),
    };
    return TEST_RUN(tests);
}
