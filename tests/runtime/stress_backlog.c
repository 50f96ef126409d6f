/*
 * stress_backlog - many actors that send without end do not outrun the one they
 * send to, however slow it is
 *
 *   flooder 0 --drop--> drain      each flooder sends FLOOD drops and then itself
 *   flooder 1 --drop--> drain      a word to go on, until all are sent
 */
#include "tests/runtime/probe.h"

#define FLOODERS 50u
#define FLOOD 500u

struct ledger {
    TR_ATOMIC(uint64_t) sent;
    uint64_t taken, most; /* the drain's */
};

#define DRAIN(P, TELL, ASK) TELL(P, drop, struct nothing)
TR_PROTOCOL(drain, DRAIN)
struct drain {
    struct ledger *ledger;
    uint64_t work; /* turns of a loop for each drop */
};

static void drain_on_drop(tr_ctx *ctx, struct drain *self, struct nothing *m)
{
    (void)ctx, (void)m;
    struct ledger *ledger = self->ledger;
    const uint64_t waiting = tr_load_relaxed(&ledger->sent) - ledger->taken++;
    if (waiting > ledger->most)
        ledger->most = waiting;
    for (volatile uint64_t i = 0; i < self->work; i++)
        ;
}
TR_ACTOR(drain, DRAIN)

#define FLOODER(P, TELL, ASK) TELL(P, go, struct nothing)
TR_PROTOCOL(flooder, FLOODER)
struct flooder {
    struct ledger *ledger;
    drain_ref to;
    uint64_t left;
};

static void flooder_on_go(tr_ctx *ctx, struct flooder *self, struct nothing *m)
{
    for (unsigned i = 0; i < FLOOD && self->left != 0; i++, self->left--) {
        tr_fetch_add_relaxed(&self->ledger->sent, 1);
        if (drain_drop(ctx, self->to, (struct nothing){}) != TR_OK)
            tr_panic("the mailbox takes them all");
    }
    if (self->left != 0)
        (void)flooder_go(ctx, flooder_self(ctx), *m);
}
TR_ACTOR(flooder, FLOODER)

/* One worker: with two the drain has a processor of its own, or it has not. */
static void assert_no_flood(uint64_t each, uint64_t work)
{
    struct ledger ledger = { .taken = 0 };
    tr_system *system = start_system(1);
    const tr_spawn_options roomy = { .mailbox_messages = INT32_MAX, .mailbox_bytes = 64u << 20 };
    drain_ref drain;
    assert_int_equal(drain_try_spawn(system, &(struct drain){ &ledger, work }, &roomy, &drain), TR_OK);
    for (unsigned i = 0; i < FLOODERS; i++) {
        struct flooder flooder = { &ledger, drain, each };
        (void)flooder_go(system, flooder_spawn(system, &flooder), (struct nothing){});
    }
    wait_idle(system);
    assert_int_equal(ledger.taken, FLOODERS * each);
    print_message("of %lu messages at most %lu waited\n", (unsigned long)ledger.taken,
                  (unsigned long)ledger.most);
    /* A few rounds of all, of the hundreds that they send. */
    assert_in_range(ledger.most, 0, 6 * FLOODERS * FLOOD);
    stop_system(system);
}

static void test_backlog_stress_senders_do_not_outrun_a_receiver(void **state)
{
    (void)state;
    assert_no_flood(test_scale(100000), 0);
    assert_no_flood(test_scale(20000), 50);
    assert_no_flood(test_scale(20000), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_backlog_stress_senders_do_not_outrun_a_receiver),
    };
    return TEST_RUN(tests);
}
