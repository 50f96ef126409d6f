/*
 * test_order - messages of one sender arrive in the order of the sends
 *
 * The long forms, with many workers, are in stress_order.c.
 */
#include "tests/runtime/probe.h"

#include <string.h>

static void assert_numbers(const struct probe_log *log, size_t n)
{
    assert_int_equal(log->count, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(log->numbers[i], i + 1);
    assert_int_equal(tr_load_relaxed(&log->overlaps), 0);
}

static void test_order_act_01_from_outside(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers *= 2) {
        tr_system *system = start_system(workers);
        static struct probe_log log;
        memset(&log, 0, sizeof(log));
        const probe_ref ref = spawn_probe(system, &log);
        for (uint64_t i = 1; i <= 1000; i++)
            assert_int_equal(probe_note(system, ref, (struct note){ .number = i }), TR_OK);
        assert_int_equal(count_of(system, ref), 1000);
        assert_numbers(&log, 1000);
        stop_system(system);
    }
}

/* -- from a handler --------------------------------------------------------------------- */

struct sends {
    probe_ref to, other;
    uint64_t next, count;
};

static void send_in_a_row(tr_ctx *ctx, void *arg)
{
    struct sends *sends = arg;
    for (uint64_t i = 0; i < sends->count; i++)
        (void)probe_note(ctx, sends->to, (struct note){ .number = ++sends->next });
}

/* Through ctx and through the system by turns: one sender all the same. */
static void send_by_both_ways(tr_ctx *ctx, void *arg)
{
    struct sends *sends = arg;
    for (uint64_t i = 0; i < sends->count; i++) {
        const struct note note = { .number = ++sends->next };
        if (i % 3 == 1)
            (void)probe_note(tr_ctx_system(ctx), sends->to, note);
        else
            (void)probe_note(ctx, sends->to, note);
    }
}

/* To two actors by turns. */
static void send_by_turns(tr_ctx *ctx, void *arg)
{
    struct sends *sends = arg;
    for (uint64_t i = 0; i < sends->count; i++) {
        const struct note note = { .number = ++sends->next };
        (void)probe_note(ctx, sends->to, note);
        (void)probe_note(ctx, sends->other, note);
    }
}

static void assert_order_of(unsigned workers, void (*f)(tr_ctx *, void *))
{
    tr_system *system = start_system(workers);
    static struct probe_log log, other;
    memset(&log, 0, sizeof(log));
    memset(&other, 0, sizeof(other));
    struct sends sends = { .to = spawn_probe(system, &log), .other = spawn_probe(system, &other),
                           .count = 100 };
    const probe_ref sender = spawn_probe(system, NULL);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_run(system, sender, (struct run){ f, &sends }), TR_OK);
    wait_idle(system);
    assert_numbers(&log, 1000);
    if (f == send_by_turns)
        assert_numbers(&other, 1000);
    stop_system(system);
}

static void test_order_act_01_from_a_handler(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers *= 2) {
        assert_order_of(workers, send_in_a_row);
        assert_order_of(workers, send_by_turns);
    }
}

static void test_order_of_sends_via_ctx_and_via_the_system_is_one(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 8; workers *= 2)
        assert_order_of(workers, send_by_both_ways);
}

/* A spawn, messages to the child, a stop: the child may miss the messages, the
 * parent's own order holds: what it sends to itself comes behind what it has. */
static void send_to_oneself(tr_ctx *ctx, void *arg)
{
    struct sends *sends = arg;
    for (uint64_t i = 0; i < sends->count; i++)
        (void)probe_note(ctx, probe_self(ctx), (struct note){ .number = ++sends->next });
}

static void test_order_of_messages_to_oneself(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    static struct probe_log log;
    memset(&log, 0, sizeof(log));
    const probe_ref ref = spawn_probe(system, &log);
    struct sends sends = { .count = 100 };
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_run(system, ref, (struct run){ send_to_oneself, &sends }), TR_OK);
    wait_idle(system);
    assert_numbers(&log, 1000);
    stop_system(system);
}

/* An ask after tells comes behind them, for one thread. */
static void test_order_of_tells_and_asks_is_one(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    for (uint64_t i = 1; i <= 500; i++) {
        assert_int_equal(probe_note(system, ref, (struct note){ .number = i }), TR_OK);
        assert_int_equal(count_of(system, ref), i);
    }
    stop_system(system);
}

/* -- what the sender did before is visible ------------------------------------------------- */

struct pages {
    uint64_t words[64];
    uint64_t wrong;
    probe_ref next[3];
    unsigned left;
};

/* Plain memory that goes round with the message: nobody else synchronises it. */
static void fill_and_pass_on(tr_ctx *ctx, void *arg)
{
    struct pages *pages = arg;
    const uint64_t before = pages->words[0];
    for (unsigned i = 0; i < 64; i++)
        pages->wrong += pages->words[i]++ != before;
    if (pages->left-- > 0)
        (void)probe_run(ctx, pages->next[pages->left % 3], (struct run){ fill_and_pass_on, pages });
}

static void test_order_sender_memory_is_visible_to_the_handler(void **state)
{
    (void)state;
    enum { N = 8 };
    tr_system *system = start_system(4);
    struct pages pages[N] = { { .left = 0 } };
    probe_ref ring[3];
    for (unsigned i = 0; i < 3; i++)
        ring[i] = spawn_probe(system, NULL);
    for (unsigned i = 0; i < N; i++) {
        pages[i] = (struct pages){ .next = { ring[0], ring[1], ring[2] }, .left = 2000 };
        assert_int_equal(probe_run(system, ring[i % 3], (struct run){ fill_and_pass_on, &pages[i] }), TR_OK);
    }
    wait_idle(system);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(pages[i].wrong, 0);
        assert_int_equal(pages[i].words[63], 2001);
    }
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order_act_01_from_outside),
        TEST(test_order_act_01_from_a_handler),
        TEST(test_order_of_sends_via_ctx_and_via_the_system_is_one),
        TEST(test_order_of_messages_to_oneself),
        TEST(test_order_of_tells_and_asks_is_one),
        TEST(test_order_sender_memory_is_visible_to_the_handler),
    };
    return TEST_RUN(tests);
}
