/*
 * test_send - what becomes of a message: delivered, handed back, or a dead letter
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* -- statuses ---------------------------------------------------------------------- */

static void assert_refused(tr_system *system, probe_ref to, tr_status why)
{
    tally t = { 0 };
    struct note note = { .tally = &t, .number = 5 };
    assert_int_equal(probe_try_note(system, to, &note), why);
    assert_ptr_equal(note.tally, &t);
    assert_int_equal(note.number, 5);
    assert_int_equal(tally_dropped(&t), 0);
    assert_int_equal(probe_note(system, to, note), why);
    assert_int_equal(tally_dropped(&t), 1);

    tally asked = { 0 };
    struct note answer = { .number = 99 };
    const struct query query = { answer_not, NULL, &asked };
    assert_int_equal(probe_query_wait(system, to, query, PATIENCE, &answer), why);
    assert_int_equal(tally_dropped(&asked), 1);
    assert_int_equal(answer.number, 99);
    assert_int_equal(probe_stop(system, to), why);
    assert_false(tr_is_alive(system, to.pid));
}

static void test_send_act_03_to_the_dead_is_dead(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref dead = dead_probe(system);
    for (unsigned i = 0; i < 10; i++) {
        assert_refused(system, dead, TR_DEAD);
        const probe_ref next = spawn_probe(system, NULL); /* may lie in the slot of the dead one */
        assert_refused(system, dead, TR_DEAD);
        assert_int_equal(count_of(system, next), 0);
    }
    stop_system(system);
}

static void test_send_act_04_to_no_pid_is_invalid(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    assert_refused(system, (probe_ref){ TR_PID_NONE }, TR_INVALID);
    stop_system(system);
}

/* Numbers that no spawn gave: whatever is answered, nothing breaks or leaks. */
static void test_send_act_04_to_a_made_up_pid_is_dead_or_invalid(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref real = spawn_probe(system, NULL);
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < 2000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        const uint64_t made_up[] = { bits, bits >> 8, bits & 0xfffffff, i + 1,
                                     real.pid.bits ^ (UINT64_C(1) << (i % 64)) };
        for (size_t k = 0; k < sizeof(made_up) / sizeof(made_up[0]); k++) {
            if (made_up[k] == real.pid.bits)
                continue;
            const probe_ref to = { { made_up[k] } };
            tally t = { 0 };
            const tr_status status = probe_note(system, to, (struct note){ .tally = &t });
            assert_true(status == TR_DEAD || status == TR_INVALID);
            assert_int_equal(tally_dropped(&t), 1);
            assert_false(tr_is_alive(system, to.pid));
        }
    }
    assert_int_equal(count_of(system, real), 0);
    stop_system(system);
}

/* -- other protocols ------------------------------------------------------------------ */

struct stranger {
    uint64_t n;
};

#define STRANGER(P, TELL, ASK)                                                                     \
    TELL(P, unknown, struct note, .drop = note_drop)                                               \
    TELL(P, stuck, struct note, .drop = note_drop, .flags = TR_NOT_SEND)                           \
    TELL(P, own, struct note, .drop = note_drop)                                                   \
    ASK(P, total, struct note, struct count, .drop = note_drop)
TR_PROTOCOL(stranger, STRANGER)

static void stranger_on_unknown(tr_ctx *ctx, struct stranger *self, struct note *m)
{
    (void)ctx, (void)m;
    self->n += 1000;
}
static void stranger_on_stuck(tr_ctx *ctx, struct stranger *self, struct note *m)
{
    stranger_on_unknown(ctx, self, m);
}
static void stranger_on_own(tr_ctx *ctx, struct stranger *self, struct note *m)
{
    (void)ctx;
    self->n += m->number;
}
static void stranger_on_total(tr_ctx *ctx, struct stranger *self, struct note *m,
                              stranger_total_reply reply)
{
    (void)ctx, (void)m;
    stranger_total_answer(reply, (struct count){ self->n });
}
TR_ACTOR(stranger, STRANGER)

/*
 * ACT-14: a message of another protocol is refused, and the actor works on. Who
 * finds it out may be the sender or the receiver; in either case it is dropped
 * once, is a dead letter, and an ask for it is answered TR_INVALID.
 */
static void test_send_act_14_of_another_protocol_is_refused(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref probe = spawn_probe(system, NULL);
    const stranger_ref disguised = { probe.pid };
    tally t = { 0 };
    struct count total = { 99 };
    assert_int_equal(probe_note(system, probe, (struct note){ .number = 1 }), TR_OK);
    const tr_status told = stranger_unknown(system, disguised, (struct note){ .tally = &t });
    assert_true(told == TR_INVALID || told == TR_OK);
    wait_idle(system);
    assert_int_equal(tally_dropped(&t), 1);
    assert_int_equal(stranger_total_wait(system, disguised, (struct note){ .tally = &t }, PATIENCE, &total),
                     TR_INVALID);
    wait_idle(system);
    assert_int_equal(tally_dropped(&t), 2);
    assert_int_equal(total.n, 99);
    assert_int_equal(probe_note(system, probe, (struct note){ .number = 2 }), TR_OK);
    assert_int_equal(count_of(system, probe), 2);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.dead_letters, 2);
    assert_int_equal(stats.queued, 0);
    stop_system(system);
}

/* The room that a stranger's message took comes back. */
static void test_send_of_another_protocol_takes_no_room_for_good(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    const probe_ref probe = spawn_bounded(system, 1, 0);
    for (unsigned i = 0; i < 20; i++) {
        (void)stranger_unknown(system, (stranger_ref){ probe.pid }, (struct note){ 0 });
        wait_idle(system);
        assert_int_equal(probe_note(system, probe, (struct note){ 0 }), TR_OK);
        wait_idle(system);
    }
    assert_int_equal(count_of(system, probe), 20);
    stop_system(system);
}

/* A type that must stay on its thread is refused by every send. */
static void test_send_not_send_type_is_refused(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const stranger_ref ref = stranger_spawn(system, NULL);
    tally t = { 0 };
    struct note note = { .tally = &t };
    assert_int_equal(stranger_try_stuck(system, ref, &note), TR_INVALID);
    assert_int_equal(tally_dropped(&t), 0);
    assert_int_equal(stranger_stuck(system, ref, note), TR_INVALID);
    assert_int_equal(tally_dropped(&t), 1);
    assert_int_equal(stranger_own(system, ref, (struct note){ .number = 3 }), TR_OK);
    struct count total;
    assert_int_equal(stranger_total_wait(system, ref, (struct note){ 0 }, PATIENCE, &total), TR_OK);
    assert_int_equal(total.n, 3);
    stop_system(system);
}

/* -- payloads --------------------------------------------------------------------------- */

static void test_send_left_payload_is_dropped_moved_out_is_not(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tally left = { 0 }, moved = { 0 };
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = &left }), TR_OK);
        assert_int_equal(probe_take(system, ref, (struct note){ .tally = &moved }), TR_OK);
    }
    wait_idle(system);
    stop_system(system);
    assert_int_equal(tally_handled(&left), 100);
    assert_int_equal(tally_dropped(&left), 100);
    assert_int_equal(tally_handled(&moved), 100);
    assert_int_equal(tally_dropped(&moved), 0);
}

#define SIZED(n) struct load##n { unsigned char bytes[n]; };
SIZED(1)
SIZED(47)
SIZED(100)
SIZED(1000)
SIZED(100000)
struct cached {
    _Alignas(64) unsigned char bytes[200];
};
struct owner {
    uint64_t *box;
};
static void owner_drop(struct owner *o)
{
    tr_drop(o->box);
}

struct loader {
    uint64_t sum, misaligned;
    uint64_t *kept;
};
#define LOADER(P, TELL, ASK)                                                                       \
    TELL(P, load1, struct load1)                                                                   \
    TELL(P, load47, struct load47)                                                                 \
    TELL(P, load100, struct load100)                                                               \
    TELL(P, load1000, struct load1000)                                                             \
    TELL(P, load100000, struct load100000)                                                         \
    TELL(P, cached, struct cached)                                                                 \
    TELL(P, box, struct owner, .drop = owner_drop)                                                 \
    ASK(P, sum, struct nothing, struct loader)
TR_PROTOCOL(loader, LOADER)

#define ADD_UP(m_, type)                                                                           \
    static void loader_on_##m_(tr_ctx *ctx, struct loader *self, type *m)                          \
    {                                                                                              \
        (void)ctx;                                                                                 \
        for (size_t i = 0; i < sizeof(m->bytes); i++)                                              \
            self->sum += m->bytes[i];                                                              \
        self->misaligned += (uintptr_t)m % _Alignof(type) != 0;                                    \
    }
ADD_UP(load1, struct load1)
ADD_UP(load47, struct load47)
ADD_UP(load100, struct load100)
ADD_UP(load1000, struct load1000)
ADD_UP(load100000, struct load100000)
ADD_UP(cached, struct cached)

/* The second Box moves into the state, which drops it at the end. */
static void loader_on_box(tr_ctx *ctx, struct loader *self, struct owner *m)
{
    (void)ctx;
    self->sum += *m->box;
    if (self->kept == NULL)
        self->kept = TR_MOVE(m->box);
}
static void loader_on_sum(tr_ctx *ctx, struct loader *self, struct nothing *m, loader_sum_reply reply)
{
    (void)ctx, (void)m;
    loader_sum_answer(reply, (struct loader){ .sum = self->sum, .misaligned = self->misaligned });
}
static void loader_drop_state(struct loader *self)
{
    tr_drop(self->kept);
}
TR_ACTOR(loader, LOADER, .drop = loader_drop_state)

#define SEND_FILLED(m, type)                                                                       \
    do {                                                                                           \
        type payload;                                                                              \
        memset(&payload, 2, sizeof(payload));                                                      \
        assert_int_equal(loader_try_##m(system, ref, &payload), TR_OK);                            \
        expected += 2 * sizeof(payload.bytes);                                                     \
    } while (0)

static void test_send_payloads_of_every_size_and_alignment_arrive_whole(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const loader_ref ref = loader_spawn(system, NULL);
    uint64_t expected = 0;
    for (unsigned i = 0; i < 20; i++) {
        SEND_FILLED(load1, struct load1);
        SEND_FILLED(load47, struct load47);
        SEND_FILLED(load100, struct load100);
        SEND_FILLED(load1000, struct load1000);
        SEND_FILLED(load100000, struct load100000);
        SEND_FILLED(cached, struct cached);
        assert_int_equal(loader_box(system, ref, (struct owner){ tr_box(uint64_t, 5) }), TR_OK);
        expected += 5;
    }
    struct loader sum;
    assert_int_equal(loader_sum_wait(system, ref, (struct nothing){}, PATIENCE, &sum), TR_OK);
    assert_int_equal(sum.sum, expected);
    assert_int_equal(sum.misaligned, 0);
    stop_system(system);
}

/* Boxes in a mailbox whose actor never comes to them are dropped with it. */
static void test_send_que_03_queued_when_the_actor_ends_is_dropped_once(void **state)
{
    (void)state;
    tr_system *system = start_system(1);
    tally t = { 0 };
    gate held;
    gate_init(&held);
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ .tally = &t }), TR_OK);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    gate_open(&held);
    wait_idle(system);
    assert_refused(system, ref, TR_DEAD);
    stop_system(system);
    assert_int_equal(tally_handled(&t), 0);
    assert_int_equal(tally_dropped(&t), 10);
    gate_fini(&held);
}

/* -- from a handler ------------------------------------------------------------------------ */

struct trial {
    probe_ref live, dead, full;
    tally tally;
    tr_status tried[4], told[4];
    bool kept;
};

/* Every send answers inside a handler as it does outside. */
static void try_all(tr_ctx *ctx, void *arg)
{
    struct trial *trial = arg;
    const probe_ref to[4] = { trial->live, trial->dead, trial->full, { TR_PID_NONE } };
    trial->kept = true;
    for (unsigned i = 0; i < 4; i++) {
        struct note note = { .tally = &trial->tally, .number = i };
        trial->tried[i] = probe_try_note(ctx, to[i], &note);
        if (trial->tried[i] != TR_OK)
            trial->kept = trial->kept && note.tally == &trial->tally && note.number == i;
        trial->told[i] = probe_note(ctx, to[i], (struct note){ .tally = &trial->tally });
    }
}

static void test_send_from_a_handler_answers_the_same(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    gate held;
    gate_init(&held);
    struct trial trial = { .live = spawn_probe(system, NULL),
                           .dead = dead_probe(system),
                           .full = spawn_bounded(system, 1, 0) };
    assert_int_equal(probe_hold(system, trial.full, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    assert_int_equal(probe_note(system, trial.full, (struct note){ .number = 1 }), TR_OK);
    const probe_ref sender = spawn_probe(system, NULL);
    assert_int_equal(probe_run(system, sender, (struct run){ try_all, &trial }), TR_OK);
    assert_int_equal(count_of(system, sender), 0);
    const tr_status expected[4] = { TR_OK, TR_DEAD, TR_FULL, TR_INVALID };
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(trial.tried[i], expected[i]);
        assert_int_equal(trial.told[i], expected[i]);
    }
    assert_true(trial.kept);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(tally_handled(&trial.tally), 2);
    assert_int_equal(tally_dropped(&trial.tally), 5); /* two handled, three dead letters */
    stop_system(system);
    gate_fini(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_send_act_03_to_the_dead_is_dead),
        TEST(test_send_act_04_to_no_pid_is_invalid),
        TEST(test_send_act_04_to_a_made_up_pid_is_dead_or_invalid),
        TEST(test_send_act_14_of_another_protocol_is_refused),
        TEST(test_send_of_another_protocol_takes_no_room_for_good),
        TEST(test_send_not_send_type_is_refused),
        TEST(test_send_left_payload_is_dropped_moved_out_is_not),
        TEST(test_send_payloads_of_every_size_and_alignment_arrive_whole),
        TEST(test_send_que_03_queued_when_the_actor_ends_is_dropped_once),
        TEST(test_send_from_a_handler_answers_the_same),
    };
    return TEST_RUN(tests);
}
