/*
 * test_stats - the numbers are exact once the system is idle
 */
#include "tests/runtime/probe.h"

#include <string.h>

static tr_system_stats stats_of(tr_system *system)
{
    tr_system_stats stats;
    memset(&stats, 0xff, sizeof(stats));
    tr_system_get_stats(system, &stats);
    return stats;
}

static void test_stats_of_a_new_system_are_zero(void **state)
{
    (void)state;
    const tr_config config = { .name = "numbers", .workers = 3, .no_stats_socket = true };
    tr_system *system = tr_system_start(&config);
    wait_idle(system);
    const tr_system_stats stats = stats_of(system);
    assert_string_equal(stats.name, "numbers");
    assert_int_equal(stats.workers, 3);
    assert_int_equal(stats.kinds, 0);
    assert_int_equal(stats.actors, 0);
    assert_int_equal(stats.spawned, 0);
    assert_int_equal(stats.ended, 0);
    assert_int_equal(stats.messages, 0);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.injected, 0);
    assert_int_equal(stats.dead_letters, 0);
    assert_int_equal(stats.panics, 0);
    const tr_system_stats later = stats_of(system);
    assert_true(later.uptime >= stats.uptime);
    stop_system(system);
}

static void test_stats_long_name_is_cut(void **state)
{
    (void)state;
    const tr_config config = { .name = "a name of sixty characters that is longer than it may be here",
                               .workers = 1, .no_stats_socket = true };
    tr_system *system = tr_system_start(&config);
    const tr_system_stats stats = stats_of(system);
    assert_int_equal(strnlen(stats.name, sizeof(stats.name)), sizeof(stats.name) - 1);
    assert_memory_equal(stats.name, config.name, sizeof(stats.name) - 1);
    stop_system(system);
}

/* -- exact when idle ------------------------------------------------------------------- */

struct brood {
    probe_ref refs[10];
};

static void hatch(tr_ctx *ctx, void *arg)
{
    struct brood *brood = arg;
    for (unsigned i = 0; i < 10; i++) {
        brood->refs[i] = spawn_probe(ctx, NULL);
        for (unsigned k = 0; k < 5; k++)
            (void)probe_note(ctx, brood->refs[i], (struct note){ 0 });
    }
}

struct sums {
    uint64_t messages, sent, spawned, ended, panics, activations;
};

static struct sums sum_workers(tr_system *system)
{
    struct sums sums = { 0 };
    tr_worker_stats worker;
    for (unsigned i = 0; i < tr_system_workers(system); i++) {
        assert_int_equal(tr_system_get_worker_stats(system, i, &worker), TR_OK);
        assert_int_equal(worker.queue, 0);
        sums.messages += worker.messages;
        sums.sent += worker.sent;
        sums.spawned += worker.spawned;
        sums.ended += worker.ended;
        sums.panics += worker.panics;
        sums.activations += worker.activations;
    }
    return sums;
}

static void assert_exact(unsigned workers)
{
    quiet_panics();
    tr_system *system = start_system(workers);
    const probe_ref parent = spawn_probe(system, NULL);
    struct brood brood;
    assert_int_equal(probe_run(system, parent, (struct run){ hatch, &brood }), TR_OK);
    wait_idle(system);
    tr_system_stats stats = stats_of(system);
    assert_int_equal(stats.spawned, 11);
    assert_int_equal(stats.actors, 11);
    assert_int_equal(stats.ended, 0);
    assert_int_equal(stats.messages, 51);
    assert_int_equal(stats.queued, 0);
    assert_int_equal(stats.kinds, 1);
    /* One worker pushes and runs: each turn handles something. */
    if (workers == 1)
        assert_true(sum_workers(system).activations <= stats.messages + stats.spawned);

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(probe_quit(system, brood.refs[i], (struct nothing){}), TR_OK);
    for (unsigned i = 3; i < 5; i++)
        assert_int_equal(probe_boom(system, brood.refs[i], (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_stop(system, brood.refs[5]), TR_OK);
    assert_int_equal(count_of(system, parent), 0);
    wait_idle(system);
    stats = stats_of(system);
    assert_int_equal(stats.spawned, 11);
    assert_int_equal(stats.actors, 5);
    assert_int_equal(stats.ended, 6);
    assert_int_equal(stats.panics, 2);
    assert_int_equal(stats.messages, 51 + 3 + 2 + 1);
    assert_int_equal(stats.dead_letters, 0);
    const struct sums sums = sum_workers(system);
    assert_int_equal(sums.messages, stats.messages);
    assert_int_equal(sums.sent, 50);
    assert_int_equal(sums.spawned, 10);
    assert_int_equal(sums.ended, 6);
    assert_int_equal(sums.panics, 2);
    /* Each actor had a turn; a turn that finds a push half done handles nothing, so there may
     * be any number of them. */
    assert_true(sums.activations >= stats.spawned);
    tr_worker_stats worker;
    assert_int_equal(tr_system_get_worker_stats(system, workers, &worker), TR_INVALID);
    assert_int_equal(tr_system_get_worker_stats(system, UINT32_MAX, &worker), TR_INVALID);
    stop_system(system);
}

static void test_stats_are_exact_when_idle(void **state)
{
    (void)state;
    assert_exact(1);
    assert_exact(2);
    assert_exact(8);
}

static void test_stats_queued_are_seen_while_held(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
    const probe_ref other = spawn_probe(system, NULL);
    assert_int_equal(probe_note(system, other, (struct note){ 0 }), TR_OK);
    assert_int_equal(stats_of(system).queued, 13);
    assert_int_equal(stats_of(system).actors, 2);
    tr_kind_stats kind;
    assert_int_equal(tr_system_get_kind_stats(system, &kind, 1), 1);
    assert_string_equal(kind.name, "probe");
    assert_int_equal(kind.actors, 2);
    assert_int_equal(kind.queued, 13);
    assert_int_equal(kind.longest, 12);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(stats_of(system).queued, 0);
    assert_int_equal(stats_of(system).messages, 14);
    stop_system(system);
    gate_fini(&held);
}

/* -- kinds ------------------------------------------------------------------------------ */

struct other {
    char unused;
};
#define OTHER(P, TELL, ASK) TELL(P, ping, struct nothing)
TR_PROTOCOL(other, OTHER)
static void other_on_ping(tr_ctx *ctx, struct other *self, struct nothing *m)
{
    (void)ctx, (void)self, (void)m;
}
TR_ACTOR(other, OTHER)

static void test_stats_kinds_come_with_the_most_actors_first(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    other_ref others[7];
    for (unsigned i = 0; i < 3; i++)
        (void)spawn_probe(system, NULL);
    for (unsigned i = 0; i < 7; i++)
        others[i] = other_spawn(system, NULL);
    wait_idle(system);
    tr_kind_stats kinds[4];
    assert_int_equal(tr_system_get_kind_stats(system, kinds, 4), 2);
    assert_string_equal(kinds[0].name, "other");
    assert_int_equal(kinds[0].actors, 7);
    assert_string_equal(kinds[1].name, "probe");
    assert_int_equal(kinds[1].actors, 3);
    assert_int_equal(stats_of(system).kinds, 2);
    memset(kinds, 0x55, sizeof(kinds));
    assert_int_equal(tr_system_get_kind_stats(system, kinds, 1), 1);
    assert_string_equal(kinds[0].name, "other");
    assert_int_equal(kinds[1].name[0], 0x55);
    assert_int_equal(tr_system_get_kind_stats(system, NULL, 0), 0);
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(other_stop(system, others[i]), TR_OK);
    wait_idle(system);
    assert_int_equal(tr_system_get_kind_stats(system, kinds, 4), 1);
    assert_string_equal(kinds[0].name, "probe");
    assert_int_equal(stats_of(system).kinds, 1);
    stop_system(system);
}

/* -- dead letters ------------------------------------------------------------------------- */

#define LETTERS 16

struct letters {
    TR_ATOMIC(unsigned) count;
    tr_dead_letter letter[LETTERS];
};

static void collect(const tr_dead_letter *letter, void *arg)
{
    struct letters *letters = arg;
    const unsigned at = tr_fetch_add_relaxed(&letters->count, 1);
    if (at < LETTERS)
        letters->letter[at] = *letter;
}

static tr_system *start_collecting(struct letters *letters)
{
    const tr_config config = { .workers = 1, .no_stats_socket = true, .on_dead_letter = collect,
                               .on_dead_letter_arg = letters };
    return tr_system_start(&config);
}

static void assert_letter(const tr_dead_letter *letter, probe_ref to, tr_pid from,
                          const tr_message_type *type, tr_status reason)
{
    assert_int_equal(letter->to.bits, to.pid.bits);
    assert_int_equal(letter->from.bits, from.bits);
    assert_ptr_equal(letter->type, type);
    assert_int_equal(letter->reason, reason);
}

static void test_stats_dead_letters_tell_to_from_type_and_reason(void **state)
{
    (void)state;
    struct letters letters = { .count = TR_ATOMIC_INIT(0) };
    tr_system *system = start_collecting(&letters);
    const probe_ref dead = dead_probe(system), full = spawn_bounded(system, 1, 0);
    const probe_ref none = { TR_PID_NONE };
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, full, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_note(system, full, (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_note(system, dead, (struct note){ 0 }), TR_DEAD);
    assert_int_equal(probe_take(system, full, (struct note){ 0 }), TR_FULL);
    assert_int_equal(probe_note(system, none, (struct note){ 0 }), TR_INVALID);
    struct note kept = { 0 }; /* handed back: no letter */
    assert_int_equal(probe_try_note(system, dead, &kept), TR_DEAD);
    assert_int_equal(probe_try_note(system, full, &kept), TR_FULL);
    assert_int_equal(probe_try_note(system, none, &kept), TR_INVALID);
    assert_int_equal(tr_load_acquire(&letters.count), 3);
    assert_letter(&letters.letter[0], dead, TR_PID_NONE, MESSAGE(probe, note), TR_DEAD);
    assert_letter(&letters.letter[1], full, TR_PID_NONE, MESSAGE(probe, take), TR_FULL);
    assert_letter(&letters.letter[2], none, TR_PID_NONE, MESSAGE(probe, note), TR_INVALID);
    assert_int_equal(stats_of(system).dead_letters, 3);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(tr_load_acquire(&letters.count), 3);
    stop_system(system);
    gate_fini(&held);
}

struct sender {
    probe_ref dead;
};
static void send_to_dead(tr_ctx *ctx, void *arg)
{
    struct sender *sender = arg;
    (void)probe_note(ctx, sender->dead, (struct note){ 0 });
}

static void test_stats_dead_letter_of_an_actor_names_it(void **state)
{
    (void)state;
    struct letters letters = { .count = TR_ATOMIC_INIT(0) };
    tr_system *system = start_collecting(&letters);
    struct sender sender = { dead_probe(system) };
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_run(system, ref, (struct run){ send_to_dead, &sender }), TR_OK);
    wait_idle(system);
    assert_int_equal(tr_load_acquire(&letters.count), 1);
    assert_letter(&letters.letter[0], sender.dead, ref.pid, MESSAGE(probe, note), TR_DEAD);
    stop_system(system);
}

/* What an actor leaves behind in its mailbox. */
static void test_stats_queued_messages_of_the_dead_are_letters(void **state)
{
    (void)state;
    struct letters letters = { .count = TR_ATOMIC_INIT(0) };
    tr_system *system = start_collecting(&letters);
    const probe_ref ref = spawn_probe(system, NULL);
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    gate_open(&held);
    wait_idle(system);
    stop_system(system);
    assert_int_equal(tr_load_acquire(&letters.count), 5);
    for (unsigned i = 0; i < 5; i++)
        assert_letter(&letters.letter[i], ref, TR_PID_NONE, MESSAGE(probe, note), TR_DEAD);
    gate_fini(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stats_of_a_new_system_are_zero),
        TEST(test_stats_long_name_is_cut),
        TEST(test_stats_are_exact_when_idle),
        TEST(test_stats_queued_are_seen_while_held),
        TEST(test_stats_kinds_come_with_the_most_actors_first),
        TEST(test_stats_dead_letters_tell_to_from_type_and_reason),
        TEST(test_stats_dead_letter_of_an_actor_names_it),
        TEST(test_stats_queued_messages_of_the_dead_are_letters),
    };
    return TEST_RUN(tests);
}
