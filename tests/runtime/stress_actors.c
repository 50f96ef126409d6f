/*
 * stress_actors - limits are exact when many threads press against them, pids
 * are never given twice, and handlers may spawn without end
 */
#include "tests/runtime/probe.h"

#include <stdlib.h>
#include <string.h>

#define THREADS 8

/* -- a mailbox never holds one too many ------------------------------------------------------ */

struct press {
    tr_system *system;
    probe_ref to;
    unsigned tries;
    tally tally;
    TR_ATOMIC(uint64_t) accepted, refused, wrong;
};

static void press_in(unsigned index, void *arg)
{
    (void)index;
    struct press *p = arg;
    for (unsigned i = 0; i < p->tries; i++) {
        struct note note = { .tally = &p->tally };
        const tr_status status = probe_try_note(p->system, p->to, &note);
        if (status == TR_OK)
            tr_fetch_add_relaxed(&p->accepted, 1);
        else if (status == TR_FULL)
            tr_fetch_add_relaxed(&p->refused, 1);
        else
            tr_fetch_add_relaxed(&p->wrong, 1);
    }
}

static void assert_never_one_too_many(unsigned workers, uint32_t messages, uint32_t bytes, uint32_t room)
{
    tr_system *system = start_system(workers);
    gate held;
    gate_init(&held);
    const size_t rounds = test_scale(20);
    struct press p = { .system = system, .to = spawn_bounded(system, messages, bytes), .tries = 100 };
    for (size_t i = 0; i < rounds; i++) {
        assert_int_equal(probe_hold(system, p.to, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        tr_store_relaxed(&p.accepted, 0);
        test_threads_run(THREADS, press_in, &p);
        assert_int_equal(tr_load_relaxed(&p.accepted), room);
        gate_open(&held);
        wait_idle(system);
    }
    assert_int_equal(tr_load_relaxed(&p.wrong), 0);
    assert_int_equal(tally_handled(&p.tally), rounds * room);
    assert_int_equal(tally_dropped(&p.tally), rounds * room);
    assert_int_equal(tr_load_relaxed(&p.refused), rounds * (THREADS * p.tries - room));
    stop_system(system);
    gate_fini(&held);
}

static void test_actors_stress_mailbox_bounds_are_exact_under_pressure(void **state)
{
    (void)state;
    assert_never_one_too_many(1, 1, 0, 1);
    assert_never_one_too_many(2, 3, 0, 3);
    assert_never_one_too_many(2, 100, 0, 100);
    assert_never_one_too_many(2, 0, 10 * sizeof(struct note), 10);
}

/* Actors press too: what they send is counted by another way than a thread's. */
static void press_from_handler(tr_ctx *ctx, void *arg)
{
    struct press *p = arg;
    for (unsigned i = 0; i < p->tries; i++) {
        struct note note = { .tally = &p->tally };
        const tr_status status = probe_try_note(ctx, p->to, &note);
        if (status == TR_OK)
            tr_fetch_add_relaxed(&p->accepted, 1);
        else if (status == TR_FULL)
            tr_fetch_add_relaxed(&p->refused, 1);
        else
            tr_fetch_add_relaxed(&p->wrong, 1);
    }
}

static void assert_never_one_too_many_from_actors(unsigned workers, uint32_t messages, uint32_t bytes,
                                                  uint32_t room, bool threads_too)
{
    tr_system *system = start_system(workers + 1); /* one is held */
    gate held;
    gate_init(&held);
    const size_t rounds = test_scale(20);
    struct press p = { .system = system, .to = spawn_bounded(system, messages, bytes), .tries = room / 4 };
    probe_ref pressers[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        pressers[i] = spawn_probe(system, NULL);
    for (size_t i = 0; i < rounds; i++) {
        assert_int_equal(probe_hold(system, p.to, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        tr_store_relaxed(&p.accepted, 0);
        for (unsigned k = 0; k < THREADS; k++)
            assert_int_equal(probe_run(system, pressers[k], (struct run){ press_from_handler, &p }), TR_OK);
        if (threads_too)
            test_threads_run(2, press_in, &p);
        for (unsigned k = 0; k < THREADS; k++)
            assert_int_equal(count_of(system, pressers[k]), 0);
        assert_int_equal(tr_load_relaxed(&p.accepted), room);
        struct note one_more = { .tally = &p.tally };
        assert_int_equal(probe_try_note(system, p.to, &one_more), TR_FULL);
        gate_open(&held);
        wait_idle(system);
    }
    assert_int_equal(tr_load_relaxed(&p.wrong), 0);
    assert_int_equal(tally_handled(&p.tally), rounds * room);
    assert_int_equal(tally_dropped(&p.tally), rounds * room);
    stop_system(system);
    gate_fini(&held);
}

static void test_actors_stress_mailbox_bounds_are_exact_for_actors(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        assert_never_one_too_many_from_actors(workers, 4, 0, 4, false);
        assert_never_one_too_many_from_actors(workers, 1000, 0, 1000, false);
        assert_never_one_too_many_from_actors(workers, 1000, 0, 1000, true);
        assert_never_one_too_many_from_actors(workers, 0, 20000 * sizeof(struct note), 20000, true);
    }
}

/* Pressed while it works: all that was accepted is handled, and at the end there
 * is room again for exactly as many as before. */
static void test_actors_stress_mailbox_pressed_while_working_keeps_its_room(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 2; workers++) {
        tr_system *system = start_system(workers);
        struct press p = { .system = system, .to = spawn_bounded(system, 5, 0),
                           .tries = (unsigned)test_scale(5000) };
        test_threads_run(THREADS, press_in, &p);
        wait_idle(system);
        assert_int_equal(tr_load_relaxed(&p.wrong), 0);
        assert_int_equal(tally_handled(&p.tally), tr_load_relaxed(&p.accepted));
        assert_int_equal(tally_dropped(&p.tally), tr_load_relaxed(&p.accepted));
        gate held;
        gate_init(&held);
        assert_int_equal(probe_hold(system, p.to, (struct hold){ &held }), TR_OK);
        gate_await(&held);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(probe_note(system, p.to, (struct note){ 0 }), TR_OK);
        assert_int_equal(probe_note(system, p.to, (struct note){ 0 }), TR_FULL);
        gate_open(&held);
        stop_system(system);
        gate_fini(&held);
    }
}

/* -- max_actors ------------------------------------------------------------------------------- */

#define LIMIT 500

struct crowd {
    tr_system *system;
    TR_ATOMIC(uint64_t) born, refused, wrong;
    tr_pid pids[THREADS][LIMIT];
    unsigned count[THREADS];
};

static void crowd_in(unsigned index, void *arg)
{
    struct crowd *c = arg;
    c->count[index] = 0;
    for (unsigned i = 0; i < LIMIT; i++) {
        probe_ref ref;
        const tr_status status = probe_try_spawn(c->system, NULL, NULL, &ref);
        if (status == TR_OK) {
            c->pids[index][c->count[index]++] = ref.pid;
            tr_fetch_add_relaxed(&c->born, 1);
        } else {
            tr_fetch_add_relaxed(status == TR_LIMIT ? &c->refused : &c->wrong, 1);
        }
    }
}

static void test_actors_stress_max_actors_is_exact_under_pressure(void **state)
{
    (void)state;
    static struct crowd c;
    const tr_config config = { .workers = 2, .max_actors = LIMIT, .no_stats_socket = true };
    c.system = tr_system_start(&config);
    for (size_t round = test_scale(5); round > 0; round--) {
        tr_store_relaxed(&c.born, 0);
        test_threads_run(THREADS, crowd_in, &c);
        assert_int_equal(tr_load_relaxed(&c.born), LIMIT);
        assert_int_equal(tr_load_relaxed(&c.wrong), 0);
        for (unsigned i = 0; i < THREADS; i++)
            for (unsigned k = 0; k < c.count[i]; k++)
                assert_int_equal(tr_stop(c.system, c.pids[i][k]), TR_OK);
        wait_idle(c.system);
        tr_system_stats stats;
        tr_system_get_stats(c.system, &stats);
        assert_int_equal(stats.actors, 0);
    }
    stop_system(c.system);
}

/* -- pids ---------------------------------------------------------------------------------------- */

#define PIDS 2000

struct registry {
    tr_system *system;
    uint64_t pids[THREADS][PIDS];
    TR_ATOMIC(uint64_t) wrong;
};

/* Spawn and end at once: slots are used again all the time. */
static void collect_pids(unsigned index, void *arg)
{
    struct registry *r = arg;
    for (unsigned i = 0; i < PIDS; i++) {
        const probe_ref ref = spawn_probe(r->system, NULL);
        r->pids[index][i] = ref.pid.bits;
        if (!tr_is_alive(r->system, ref.pid) || probe_stop(r->system, ref) != TR_OK)
            tr_fetch_add_relaxed(&r->wrong, 1);
    }
}

static int compare_bits(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_actors_stress_pids_are_never_given_twice(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers *= 8) {
        static struct registry r;
        memset(&r, 0, sizeof(r));
        r.system = start_system(workers);
        test_threads_run(THREADS, collect_pids, &r);
        wait_idle(r.system);
        uint64_t *all = &r.pids[0][0];
        const size_t n = THREADS * PIDS;
        for (size_t i = 0; i < n; i++)
            assert_false(tr_is_alive(r.system, (tr_pid){ all[i] }));
        qsort(all, n, sizeof(*all), compare_bits);
        for (size_t i = 1; i < n; i++)
            assert_true(all[i] != all[i - 1]);
        assert_int_equal(tr_load_relaxed(&r.wrong), 0);
        stop_system(r.system);
    }
}

/* -- breeding --------------------------------------------------------------------------------------- */

/* Skynet: each spawns ten until the depth is reached; all report to one. */
struct skynet;
struct task {
    unsigned depth;
    uint64_t number;
};
#define SKYNET(P, TELL, ASK)                                                                       \
    TELL(P, start_task, struct task)                                                               \
    TELL(P, done, struct count)
TR_PROTOCOL(skynet, SKYNET)
struct skynet {
    skynet_ref parent;
    uint64_t sum;
    unsigned waiting;
    uint64_t *root;
};

static void finish(tr_ctx *ctx, struct skynet *self)
{
    if (self->root != NULL)
        *self->root = self->sum;
    else
        (void)skynet_done(ctx, self->parent, (struct count){ self->sum });
    tr_stop_self(ctx);
}
static void skynet_on_start_task(tr_ctx *ctx, struct skynet *self, struct task *m)
{
    if (m->depth == 0) {
        self->sum = m->number;
        finish(ctx, self);
        return;
    }
    self->waiting = 10;
    for (unsigned i = 0; i < 10; i++) {
        const skynet_ref child = skynet_spawn(ctx, &(struct skynet){ .parent = skynet_self(ctx) });
        (void)skynet_start_task(ctx, child, (struct task){ m->depth - 1, m->number * 10 + i });
    }
}
static void skynet_on_done(tr_ctx *ctx, struct skynet *self, struct count *m)
{
    self->sum += m->n;
    if (--self->waiting == 0)
        finish(ctx, self);
}
TR_ACTOR(skynet, SKYNET)

static void test_actors_stress_skynet_adds_up(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers *= 2) {
        tr_system *system = start_system(workers);
        uint64_t root = 0;
        const skynet_ref ref = skynet_spawn(system, &(struct skynet){ .root = &root });
        assert_int_equal(skynet_start_task(system, ref, (struct task){ .depth = 4 }), TR_OK);
        wait_idle(system);
        assert_int_equal(root, 49995000); /* 0 + 1 + ... + 9999 */
        tr_system_stats stats;
        tr_system_get_stats(system, &stats);
        assert_int_equal(stats.spawned, 11111);
        assert_int_equal(stats.ended, 11111);
        stop_system(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_actors_stress_mailbox_bounds_are_exact_under_pressure),
        TEST(test_actors_stress_mailbox_bounds_are_exact_for_actors),
        TEST(test_actors_stress_mailbox_pressed_while_working_keeps_its_room),
        TEST(test_actors_stress_max_actors_is_exact_under_pressure),
        TEST(test_actors_stress_pids_are_never_given_twice),
        TEST(test_actors_stress_skynet_adds_up),
    };
    return TEST_RUN(tests);
}
