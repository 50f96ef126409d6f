/*
 * stress_lifecycle - actors end while others send to them, join them, stop them;
 * systems stop in the middle of everything. All that was made is dropped, once.
 */
#include "tests/runtime/probe.h"

#include <sched.h>
#include <string.h>

static const unsigned worker_counts[] = { 1, 2, 8, 64 };

/* -- join against the end ------------------------------------------------------------------ */

struct race {
    tr_system *system;
    test_barrier start, end;
    probe_ref ref;
    struct probe_log log;
    size_t rounds;
    TR_ATOMIC(uint64_t) learned, dead, wrong;
};

/* Thread 0 makes the actor, 1 ends it, 2 and 3 join it. */
static void race_for_the_end(unsigned index, void *arg)
{
    struct race *r = arg;
    for (size_t i = 0; i < r->rounds; i++) {
        if (index == 0) {
            r->log = (struct probe_log){ .count = 0 };
            r->ref = spawn_probe(r->system, &r->log);
        }
        test_barrier_wait(&r->start);
        if (index == 1) {
            if (i % 2 == 0)
                (void)probe_quit(r->system, r->ref, (struct nothing){});
            else
                (void)probe_stop(r->system, r->ref);
        }
        if (index >= 2) {
            tr_exit why = { .reason = TR_EXIT_PANIC };
            const tr_status status = probe_join(r->system, r->ref, PATIENCE, &why);
            const tr_exit_reason expected = i % 2 == 0 ? TR_EXIT_NORMAL : TR_EXIT_SHUTDOWN;
            tr_fetch_add_relaxed(status == TR_OK ? &r->learned : &r->dead, 1);
            if (status == TR_OK ? why.reason != expected : status != TR_DEAD)
                tr_fetch_add_relaxed(&r->wrong, 1);
            if (tr_is_alive(r->system, r->ref.pid))
                tr_fetch_add_relaxed(&r->wrong, 1);
        }
        test_barrier_wait(&r->end);
        if (index == 0) {
            if (tr_system_wait_idle(r->system, PATIENCE) != TR_OK || tr_load_relaxed(&r->log.drops) != 1)
                tr_fetch_add_relaxed(&r->wrong, 1);
        }
    }
}

static void test_lifecycle_stress_join_against_the_end(void **state)
{
    (void)state;
    for (unsigned w = 0; w < 3; w++) {
        tr_system *system = start_system(worker_counts[w]);
        struct race r = { .system = system, .rounds = test_scale(1000) };
        test_barrier_init(&r.start, 4);
        test_barrier_init(&r.end, 4);
        test_threads_run(4, race_for_the_end, &r);
        test_barrier_fini(&r.start);
        test_barrier_fini(&r.end);
        stop_system(system);
        assert_int_equal(tr_load_relaxed(&r.wrong), 0);
        const uint64_t learned = tr_load_relaxed(&r.learned), dead = tr_load_relaxed(&r.dead);
        assert_int_equal(learned + dead, 2 * r.rounds);
        print_message("workers %u: %u learned, %u too late\n", worker_counts[w], (unsigned)learned,
                      (unsigned)dead);
    }
}

/* -- ACT-03: sends against the end ----------------------------------------------------------- */

#define TARGETS 16

struct churn {
    tr_system *system;
    TR_ATOMIC(uint64_t) targets[TARGETS];
    TR_ATOMIC(uint64_t) sent, accepted, wrong;
    tally tally;
    size_t rounds;
};

static void churn_senders(unsigned index, void *arg)
{
    struct churn *c = arg;
    uint64_t random = 0x9e3779b97f4a7c15u * (index + 1);
    probe_ref stale = { { tr_load_acquire(&c->targets[0]) } }; /* soon dead */
    for (size_t i = 0; i < c->rounds; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        TR_ATOMIC(uint64_t) *slot = (void *)&c->targets[random % TARGETS];
        const probe_ref current = { { tr_load_acquire(slot) } };
        const probe_ref to = random >> 48 & 3 ? current : stale;
        if (random >> 50 & 1)
            stale = current;
        if (random >> 32 & 15) {
            const tr_status status = probe_note(c->system, to, (struct note){ .tally = &c->tally });
            tr_fetch_add_relaxed(&c->sent, 1);
            tr_fetch_add_relaxed(&c->accepted, status == TR_OK);
            if (status != TR_OK && status != TR_DEAD && status != TR_FULL)
                tr_fetch_add_relaxed(&c->wrong, 1);
        } else {
            const probe_ref fresh = spawn_probe(c->system, NULL);
            tr_store_release(slot, fresh.pid.bits);
            if (random >> 40 & 1)
                (void)probe_stop(c->system, to);
            else if (random >> 41 & 1)
                (void)probe_quit(c->system, to, (struct nothing){});
            else
                (void)probe_boom(c->system, to, (struct note){ 0 });
        }
    }
}

static void assert_churn(unsigned workers, size_t rounds)
{
    quiet_panics();
    tr_system *system = start_system(workers);
    static struct churn c;
    memset(&c, 0, sizeof(c));
    c.system = system;
    c.rounds = rounds;
    for (unsigned i = 0; i < TARGETS; i++)
        tr_store_relaxed(&c.targets[i], spawn_probe(system, NULL).pid.bits);
    test_threads_run(4, churn_senders, &c);
    wait_idle(system);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.actors, stats.spawned - stats.ended);
    assert_int_equal(tr_load_relaxed(&c.wrong), 0);
    stop_system(system);
    const uint64_t sent = tr_load_relaxed(&c.sent), accepted = tr_load_relaxed(&c.accepted);
    assert_int_equal(tally_dropped(&c.tally), sent);
    assert_true(tally_handled(&c.tally) <= accepted);
    print_message("workers %u: %u sent, %u accepted, %u handled\n", workers, (unsigned)sent,
                  (unsigned)accepted, (unsigned)tally_handled(&c.tally));
}

static void test_lifecycle_stress_act_03_sends_against_ends(void **state)
{
    (void)state;
    for (unsigned w = 0; w < 4; w++)
        assert_churn(worker_counts[w], test_scale(worker_counts[w] == 64 ? 2000 : 12000));
}

/* -- the system stops in the middle -------------------------------------------------------------- */

struct storm {
    tr_system *system;
    tally notes;
    struct probe_log log; /* of every actor: counts only */
    TR_ATOMIC(uint64_t) spawned, sent, done, wrong;
    probe_ref targets[4];
};

/* Outside threads must stop using a system before it is freed. */
static void storm_outside(unsigned index, void *arg)
{
    struct storm *s = arg;
    bool shut = false;
    for (uint64_t i = 0; !shut; i++) {
        tr_status status;
        if (i % 8 == 0) {
            probe_ref ref;
            status = probe_try_spawn(s->system, &(struct probe){ .log = &s->log, .shared = true }, NULL, &ref);
            if (status == TR_OK) {
                tr_fetch_add_relaxed(&s->spawned, 1);
                tr_fetch_add_relaxed(&s->sent, 1);
                status = probe_note(s->system, ref, (struct note){ .tally = &s->notes });
            }
        } else {
            tr_fetch_add_relaxed(&s->sent, 1);
            status = probe_note(s->system, s->targets[(index + i) % 4], (struct note){ .tally = &s->notes });
        }
        shut = status == TR_SHUTDOWN;
        if (!shut && status != TR_OK && status != TR_FULL && status != TR_DEAD && status != TR_LIMIT)
            tr_fetch_add_relaxed(&s->wrong, 1);
        if (status == TR_FULL)
            (void)sched_yield();
    }
    tr_fetch_add_release(&s->done, 1);
}

/* Handlers that breed: each spawns one and sends it on. */
static void breed(tr_ctx *ctx, void *arg)
{
    struct storm *s = arg;
    probe_ref child;
    if (probe_try_spawn(ctx, &(struct probe){ .log = &s->log, .shared = true }, NULL, &child) == TR_OK) {
        tr_fetch_add_relaxed(&s->spawned, 1);
        tr_fetch_add_relaxed(&s->sent, 2);
        (void)probe_note(ctx, child, (struct note){ .tally = &s->notes });
        (void)probe_note(ctx, s->targets[0], (struct note){ .tally = &s->notes });
        (void)probe_run(ctx, child, (struct run){ breed, s });
    }
    tr_stop_self(ctx);
}

/* The gate keeps the system from being freed until the threads have noticed. */
static void assert_storm(unsigned workers, unsigned round)
{
    static struct storm s;
    memset(&s, 0, sizeof(s));
    tr_system *system = start_system(workers);
    gate held;
    gate_init(&held);
    s.system = system;
    for (unsigned i = 0; i < 4; i++) {
        s.targets[i] = probe_spawn(system, &(struct probe){ .log = &s.log, .shared = true });
        tr_fetch_add_relaxed(&s.spawned, 1);
    }
    const probe_ref keeper = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, keeper, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned i = 0; i < 3; i++) {
        const probe_ref first = probe_spawn(system, &(struct probe){ .log = &s.log, .shared = true });
        tr_fetch_add_relaxed(&s.spawned, 1);
        assert_int_equal(probe_run(system, first, (struct run){ breed, &s }), TR_OK);
    }
    test_threads group;
    test_threads_start(&group, 4, storm_outside, &s);
    while (tr_load_relaxed(&s.sent) < 50 * (1 + round % 40))
        (void)sched_yield();
    assert_int_equal(tr_system_stop(system, TR_MICROSECONDS(round % 100)), TR_TIMEOUT);
    test_threads_join(&group); /* each has seen TR_SHUTDOWN */
    gate_open(&held);
    stop_system(system);
    gate_fini(&held);
    assert_int_equal(tr_load_relaxed(&s.wrong), 0);
    assert_int_equal(tally_dropped(&s.notes), tr_load_relaxed(&s.sent));
    assert_int_equal(tr_load_relaxed(&s.log.drops), tr_load_relaxed(&s.spawned));
    assert_int_equal(tr_load_relaxed(&s.log.starts), tr_load_relaxed(&s.log.stops));
}

static void test_lifecycle_stress_system_stop_drops_all_there_was(void **state)
{
    (void)state;
    const size_t rounds = test_scale(60);
    for (unsigned round = 0; round < rounds; round++) {
        assert_storm(2, round);
        assert_storm(8, round);
        assert_int_equal(test_live_blocks(), 0);
    }
    assert_storm(64, 3);
}

/* -- the system stops while restless actors are spawned --------------------------------------- */

/* Never at rest, so that it ends by the system's stop and by nothing else. */
static void run_on(tr_ctx *ctx, void *arg)
{
    (void)probe_run(ctx, probe_self(ctx), (struct run){ run_on, arg });
}

/* Spawns one of those in each turn, and goes on to. */
static void sow(tr_ctx *ctx, void *arg)
{
    struct storm *s = arg;
    probe_ref child;
    if (probe_try_spawn(ctx, &(struct probe){ .log = &s->log, .shared = true }, NULL, &child) == TR_OK) {
        tr_fetch_add_relaxed(&s->spawned, 1);
        (void)probe_run(ctx, child, (struct run){ run_on, NULL });
    }
    (void)probe_run(ctx, probe_self(ctx), (struct run){ sow, s });
}

static void test_lifecycle_stress_system_stop_finds_the_restless(void **state)
{
    (void)state;
    static struct storm s;
    const size_t rounds = test_scale(200);
    for (unsigned round = 0; round < rounds; round++) {
        memset(&s, 0, sizeof(s));
        tr_system *system = start_system(worker_counts[round % 3]);
        tr_fetch_add_relaxed(&s.spawned, 1);
        const probe_ref sower = probe_spawn(system, &(struct probe){ .log = &s.log, .shared = true });
        assert_int_equal(probe_run(system, sower, (struct run){ sow, &s }), TR_OK);
        while (tr_load_relaxed(&s.spawned) < 2 + round % 40)
            (void)sched_yield();
        stop_system(system);
        assert_int_equal(tr_load_relaxed(&s.log.drops), tr_load_relaxed(&s.spawned));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lifecycle_stress_join_against_the_end),
        TEST(test_lifecycle_stress_act_03_sends_against_ends),
        TEST(test_lifecycle_stress_system_stop_drops_all_there_was),
        TEST(test_lifecycle_stress_system_stop_finds_the_restless),
    };
    return TEST_RUN(tests);
}
