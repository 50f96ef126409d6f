/*
 * big - 200 actors, each sends 20,000 pings to random others
 *
 *   a --ping--> b, anyone (also itself)
 *     <--pong--    the next ping leaves when the pong is there
 *
 * From the Savina suite. All actors are busy at once and talk to all others.
 */
#include "stage.h"

#define ACTORS 200u

struct circle {
    tr_pid *all; /* a share of an Arc, ACTORS long */
};
struct go {
    char unused;
};
struct hit {
    uint32_t from; /* index */
};
struct question {
    char unused;
};
struct received {
    uint64_t pings, strays;
};

static void circle_drop(struct circle *m)
{
    tr_drop(m->all);
}

#define PEER(P, TELL, ASK)                               \
    TELL(P, meet, struct circle, .drop = circle_drop)    \
    TELL(P, go, struct go)                               \
    TELL(P, ping, struct hit)                            \
    TELL(P, pong, struct hit)                            \
    ASK (P, received, struct question, struct received)
TR_PROTOCOL(peer, PEER)
TR_TYPE(tr_pid)

struct peer {
    tr_pid *all;
    tally_ref tally;
    uint64_t random;
    uint64_t sent, to_send;
    struct received received;
    uint32_t index;
    uint32_t asked; /* who owes a pong */
};

static void peer_drop(struct peer *self)
{
    tr_drop(self->all);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void ping_someone(tr_ctx *ctx, struct peer *self)
{
    self->asked = (uint32_t)(next_random(&self->random) % ACTORS);
    self->sent++;
    (void)peer_ping(ctx, (peer_ref){ self->all[self->asked] }, (struct hit){ self->index });
}

static void peer_on_meet(tr_ctx *ctx, struct peer *self, struct circle *m)
{
    (void)ctx;
    self->all = TR_MOVE(m->all);
}

static void peer_on_go(tr_ctx *ctx, struct peer *self, struct go *m)
{
    (void)m;
    ping_someone(ctx, self);
}

static void peer_on_ping(tr_ctx *ctx, struct peer *self, struct hit *m)
{
    self->received.pings++;
    (void)peer_pong(ctx, (peer_ref){ self->all[m->from] }, (struct hit){ self->index });
}

static void peer_on_pong(tr_ctx *ctx, struct peer *self, struct hit *m)
{
    if (m->from != self->asked)
        self->received.strays++;
    if (self->sent == self->to_send)
        (void)tally_report(ctx, self->tally, (struct tally_report){ self->sent, 0 });
    else
        ping_someone(ctx, self);
}

static void peer_on_received(tr_ctx *ctx, struct peer *self, struct question *m,
                             peer_received_reply reply)
{
    (void)ctx, (void)m;
    peer_received_answer(reply, self->received);
}
TR_ACTOR(peer, PEER, .drop = peer_drop)

/* Everybody gets a share of the list of all. */
static tr_pid *make_circle(const stage *s, uint64_t pings)
{
    tr_pid *all = tr_box_array(tr_pid, ACTORS);
    if (all == NULL)
        tr_panic("no memory for the list of actors");
    for (uint32_t i = 0; i < ACTORS; i++) {
        struct peer state = { .tally = s->tally, .index = i, .to_send = pings };
        state.random = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
        all[i] = peer_spawn(s->system, &state).pid;
    }
    all = tr_arc_from_box(all);
    for (unsigned i = 0; i < ACTORS; i++)
        (void)peer_meet(s->system, (peer_ref){ all[i] }, (struct circle){ tr_arc_clone(all) });
    return all;
}

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t pings = bench_scaled(options, 20000);
    struct received one, received = { 0 };
    stage s;
    stage_open(&s, options, "big", ACTORS);
    TR_AUTO(tr_pid) all = make_circle(&s, pings);

    stage_start(&s);
    for (unsigned i = 0; i < ACTORS; i++)
        (void)peer_go(s.system, (peer_ref){ all[i] }, (struct go){ 0 });
    stage_wait(&s, result);
    for (unsigned i = 0; i < ACTORS; i++) {
        TR_MUST(peer_received_wait(s.system, (peer_ref){ all[i] }, (struct question){ 0 },
                                   TR_FOREVER, &one));
        received.pings += one.pings;
        received.strays += one.strays;
    }
    const struct tally_sums sums = stage_close(&s, result);
    result->ops = 2 * ACTORS * pings;
    bench_expect(result, "pings answered", ACTORS * pings, sums.count);
    bench_expect(result, "pings received", ACTORS * pings, received.pings);
    bench_expect(result, "pongs of the wrong actor", 0, received.strays);
}

const bench_workload bench_big = {
    .name = "big",
    .op = "message",
    .summary = "200 actors, each sends 20,000 pings to random others",
    .run = run,
};
