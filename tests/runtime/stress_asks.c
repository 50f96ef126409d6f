/*
 * stress_asks - asks complete exactly once: answers race with limits, with ends,
 * with other threads that answer
 */
#include "tests/runtime/probe.h"

#include <sched.h>
#include <stdlib.h>

#define ASKERS 4

/* -- answer against timeout, stop and panic --------------------------------------------- */

struct contest {
    tr_system *system;
    TR_ATOMIC(uint64_t) target; /* the actor that is asked now: its pid */
    size_t rounds;
    tally asked, answered;
    TR_ATOMIC(uint64_t) by_status[TR_IO + 1];
    TR_ATOMIC(uint64_t) wrong;
    TR_ATOMIC(bool) done;
};

static void answer_now(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    struct contest *c = arg;
    (void)ctx;
    probe_query_answer(reply, (struct note){ .tally = &c->answered, .number = 5 });
}

/* Limits around the time that an answer takes. */
static void ask_and_count(unsigned index, void *arg)
{
    struct contest *c = arg;
    for (size_t i = 0; i < c->rounds; i++) {
        struct note answer = { .number = 99 };
        const probe_ref to = { { tr_load_acquire(&c->target) } };
        const uint64_t limit = (i + index) % 4 == 0 ? PATIENCE : 1 + (i * 977 + index) % 40000;
        const struct query query = { answer_now, c, &c->asked };
        const tr_status status = probe_query_wait(c->system, to, query, limit, &answer);
        tr_fetch_add_relaxed(&c->by_status[status], 1);
        if (status == TR_OK ? answer.number != 5 : answer.number != 99)
            tr_fetch_add_relaxed(&c->wrong, 1);
    }
}

/* Ends the actor that is asked and puts another in its place, all the time; not
 * faster than they end, or the asks would wait behind millions of them. */
static void replace_target(unsigned index, void *arg)
{
    struct contest *c = arg;
    (void)index;
    for (uint64_t i = 0; !tr_load_acquire(&c->done); i++) {
        const probe_ref old = { { tr_load_acquire(&c->target) } };
        const probe_ref fresh = spawn_probe(c->system, NULL);
        tr_store_release(&c->target, fresh.pid.bits);
        if (i % 3 == 0)
            (void)probe_boom(c->system, old, (struct note){ 0 });
        else if (i % 3 == 1)
            (void)probe_quit(c->system, old, (struct nothing){});
        else
            (void)probe_stop(c->system, old);
        const tr_status joined = probe_join(c->system, old, PATIENCE, NULL);
        if (joined != TR_OK && joined != TR_DEAD)
            tr_fetch_add_relaxed(&c->wrong, 1);
    }
}

static void assert_contest(unsigned workers, bool mortal)
{
    quiet_panics();
    tr_system *system = start_system(workers);
    struct contest c = { .system = system, .rounds = test_scale(3000) };
    tr_atomic_init(&c.target, spawn_probe(system, NULL).pid.bits);
    test_threads killers;
    if (mortal)
        test_threads_start(&killers, 1, replace_target, &c);
    test_threads_run(ASKERS, ask_and_count, &c);
    tr_store_release(&c.done, true);
    if (mortal)
        test_threads_join(&killers);
    wait_idle(system);
    uint64_t total = 0;
    for (unsigned i = 0; i <= TR_IO; i++)
        total += tr_load_relaxed(&c.by_status[i]);
    const uint64_t ok = tr_load_relaxed(&c.by_status[TR_OK]);
    const uint64_t late = tr_load_relaxed(&c.by_status[TR_TIMEOUT]);
    const uint64_t dead = tr_load_relaxed(&c.by_status[TR_DEAD]);
    assert_int_equal(total, ASKERS * c.rounds);
    assert_int_equal(ok + late + dead, total);
    assert_true(mortal || dead == 0);
    assert_int_equal(tr_load_relaxed(&c.wrong), 0);
    assert_true(tally_dropped(&c.answered) <= late); /* the late ones, and none that arrived */
    stop_system(system);
    assert_int_equal(tally_dropped(&c.asked), total);
    print_message("workers %u: %u answered, %u late, %u dead\n", workers, (unsigned)ok, (unsigned)late,
                  (unsigned)dead);
}

static void test_asks_stress_answer_against_timeout(void **state)
{
    (void)state;
    assert_contest(1, false);
    assert_contest(2, false);
    assert_contest(8, false);
}

static void test_asks_stress_answer_against_the_end(void **state)
{
    (void)state;
    assert_contest(1, true);
    assert_contest(2, true);
    assert_contest(8, true);
}

/* -- kept replies, answered by threads ----------------------------------------------------- */

/* A list of kept replies: the keeper fills it, answering threads empty it. */
struct depot {
    pthread_mutex_t lock;
    probe_query_reply *replies; /* room for every ask: the late ones pile up */
    size_t count;
    TR_ATOMIC(bool) done;
    tally answered;
    TR_ATOMIC(uint64_t) answers, drops;
};

static void keep_in_depot(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    struct depot *depot = arg;
    (void)ctx;
    (void)pthread_mutex_lock(&depot->lock);
    depot->replies[depot->count++] = probe_query_keep(reply);
    (void)pthread_mutex_unlock(&depot->lock);
}

static void serve_depot(unsigned index, void *arg)
{
    struct depot *depot = arg;
    for (unsigned turn = index; !tr_load_acquire(&depot->done);) {
        probe_query_reply reply;
        bool got = false;
        (void)pthread_mutex_lock(&depot->lock);
        if (depot->count > 0) {
            reply = depot->replies[--depot->count];
            got = true;
        }
        (void)pthread_mutex_unlock(&depot->lock);
        if (!got) {
            (void)sched_yield();
        } else if (turn++ % 4 == 0) {
            tr_fetch_add_relaxed(&depot->drops, 1);
            probe_query_drop(reply);
        } else {
            tr_fetch_add_relaxed(&depot->answers, 1);
            probe_query_answer(reply, (struct note){ .tally = &depot->answered, .number = 5 });
        }
    }
}

struct customers {
    tr_system *system;
    probe_ref to;
    struct depot *depot;
    size_t rounds;
    TR_ATOMIC(uint64_t) ok, broken, late, other;
};

static void be_served(unsigned index, void *arg)
{
    struct customers *c = arg;
    for (size_t i = 0; i < c->rounds; i++) {
        struct note answer = { .number = 99 };
        const struct query query = { keep_in_depot, c->depot, NULL };
        const uint64_t limit = (i + index) % 3 == 0 ? 1 + i * 131 % 30000 : PATIENCE;
        const tr_status status = probe_query_wait(c->system, c->to, query, limit, &answer);
        if (status == TR_OK && answer.number == 5)
            tr_fetch_add_relaxed(&c->ok, 1);
        else if (status == TR_BROKEN && answer.number == 99)
            tr_fetch_add_relaxed(&c->broken, 1);
        else if (status == TR_TIMEOUT && answer.number == 99)
            tr_fetch_add_relaxed(&c->late, 1);
        else
            tr_fetch_add_relaxed(&c->other, 1);
    }
}

static void assert_served(unsigned workers)
{
    tr_system *system = start_system(workers);
    struct depot depot = { .lock = PTHREAD_MUTEX_INITIALIZER };
    struct customers c = { .system = system, .to = spawn_probe(system, NULL), .depot = &depot,
                           .rounds = test_scale(2000) };
    depot.replies = calloc(ASKERS * c.rounds, sizeof(*depot.replies));
    assert_non_null(depot.replies);
    test_threads servers;
    test_threads_start(&servers, 2, serve_depot, &depot);
    test_threads_run(ASKERS, be_served, &c);
    wait_idle(system);
    for (size_t left = 1; left > 0; (void)sched_yield()) {
        (void)pthread_mutex_lock(&depot.lock);
        left = depot.count;
        (void)pthread_mutex_unlock(&depot.lock);
    }
    tr_store_release(&depot.done, true);
    test_threads_join(&servers);
    const uint64_t ok = tr_load_relaxed(&c.ok), broken = tr_load_relaxed(&c.broken);
    const uint64_t late = tr_load_relaxed(&c.late);
    assert_int_equal(tr_load_relaxed(&c.other), 0);
    assert_int_equal(ok + broken + late, ASKERS * c.rounds);
    assert_int_equal(tr_load_relaxed(&depot.answers) + tr_load_relaxed(&depot.drops), ASKERS * c.rounds);
    assert_int_equal(tally_dropped(&depot.answered), tr_load_relaxed(&depot.answers) - ok);
    stop_system(system);
    free(depot.replies);
    print_message("workers %u: %u answered, %u broken, %u late\n", workers, (unsigned)ok, (unsigned)broken,
                  (unsigned)late);
}

static void test_asks_stress_kept_replies_answered_by_threads(void **state)
{
    (void)state;
    assert_served(1);
    assert_served(2);
    assert_served(8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_asks_stress_answer_against_timeout),
        TEST(test_asks_stress_answer_against_the_end),
        TEST(test_asks_stress_kept_replies_answered_by_threads),
    };
    return TEST_RUN(tests);
}
