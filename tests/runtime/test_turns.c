/*
 * test_turns - a turn ends, whatever it is made of; a chain takes only what is its own
 */
#include "tests/runtime/probe.h"

typedef TR_ATOMIC(uint64_t) counter;

#define OTHER(P, TELL, ASK) TELL(P, knock, struct nothing)
TR_PROTOCOL(other, OTHER)
struct other {
    counter *strays; /* dead letters so far */
    uint64_t *seen;              /* how many there were when it was its turn */
};
static void other_on_knock(tr_ctx *ctx, struct other *self, struct nothing *m)
{
    (void)ctx, (void)m;
    *self->seen = tr_load_relaxed(self->strays);
}
TR_ACTOR(other, OTHER)

static void count_letter(const tr_dead_letter *letter, void *arg)
{
    (void)letter;
    tr_fetch_add_relaxed((counter *)arg, 1);
}

struct knock_and_wait {
    gate g;
    other_ref waiting;
};

static void knock_and_wait(tr_ctx *ctx, void *arg)
{
    struct knock_and_wait *k = arg;
    TR_MUST(other_knock(ctx, k->waiting, (struct nothing){}));
    gate_enter(&k->g);
}

/* More than a turn has room for, of a protocol that the probe does not speak. */
static void test_turns_strays_do_not_make_a_turn_endless(void **state)
{
    (void)state;
    enum { STRAYS = 200000 };
    static counter strays;
    uint64_t seen = 0;
    struct knock_and_wait k;
    gate_init(&k.g);
    tr_store_relaxed(&strays, 0);
    const tr_config config = { .workers = 1, .mailbox_messages = 2 * STRAYS,
                               .on_dead_letter = count_letter, .on_dead_letter_arg = &strays };
    tr_system *system = tr_system_start(&config);
    assert_non_null(system);
    const probe_ref flooded = spawn_probe(system, NULL);
    k.waiting = other_spawn(system, &(struct other){ &strays, &seen });
    assert_int_equal(probe_run(system, flooded, (struct run){ knock_and_wait, &k }), TR_OK);
    gate_await(&k.g);
    for (unsigned i = 0; i < STRAYS; i++)
        assert_int_equal(other_knock(system, (other_ref){ flooded.pid }, (struct nothing){}), TR_OK);
    gate_open(&k.g);
    wait_idle(system);
    assert_int_equal(tr_load_relaxed(&strays), STRAYS);
    assert_in_range(seen, 0, STRAYS - 1);
    stop_system(system);
    gate_fini(&k.g);
}

static void send_to_one_and_to_none(tr_ctx *ctx, void *arg)
{
    const probe_ref *exact = arg;
    TR_MUST(probe_note(ctx, *exact, (struct note){ .number = 1 }));
    TR_ASSERT(probe_note(ctx, (probe_ref){ TR_PID_NONE }, (struct note){ .number = 2 }) == TR_INVALID);
    TR_MUST(probe_note(ctx, *exact, (struct note){ .number = 3 }));
}

/* Also when it is the first that its worker sends. */
static void test_turns_no_pid_joins_no_chain(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    struct probe_log log = { 0 };
    const probe_ref sender = spawn_probe(system, &log);
    const tr_spawn_options few = { .mailbox_messages = 100 };
    struct probe quiet = { 0 };
    probe_ref exact;
    assert_int_equal(probe_try_spawn(system, &quiet, &few, &exact), TR_OK);
    assert_int_equal(probe_run(system, sender, (struct run){ send_to_one_and_to_none, &exact }), TR_OK);
    wait_idle(system);
    assert_int_equal(count_of(system, exact), 2);
    assert_int_equal(tr_load_relaxed(&log.drops), 0); /* it did not panic */
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_turns_strays_do_not_make_a_turn_endless),
        TEST(test_turns_no_pid_joins_no_chain),
    };
    return TEST_RUN(tests);
}
