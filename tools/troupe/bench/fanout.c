/*
 * fanout - one block of 4 KiB to 1000 subscribers, 1000 times
 *
 *   publisher --share of the block--> subscriber 0
 *      ^ |    --share of the block--> subscriber 1 ...
 *     next
 *
 * The block is filled once as a Box, becomes an Arc in place and is never
 * copied: each subscriber gets a share, and the last one frees it. The publisher
 * runs AHEAD rounds in front of its slowest subscriber's turn, so that a turn
 * finds several issues (the peers' publishers run ahead by 8 to 128).
 */
#include "stage.h"

#define SUBSCRIBERS 1000u
#define WORDS 512u
#define AHEAD 4u

typedef struct block {
    uint64_t words[WORDS];
} block;
TR_TYPE(block)

struct issue {
    block *block; /* a share of an Arc */
    uint64_t round;
};

static void issue_drop(struct issue *m)
{
    tr_drop(m->block);
}

#define SUBSCRIBER(P, TELL, ASK) TELL(P, issue, struct issue, .drop = issue_drop)
TR_PROTOCOL(subscriber, SUBSCRIBER)
TR_TYPE(subscriber_ref)

struct subscriber {
    tally_ref tally;
    uint64_t expected;
    uint64_t count, sum;
};

static void subscriber_on_issue(tr_ctx *ctx, struct subscriber *self, struct issue *m)
{
    self->sum += m->block->words[m->round % WORDS];
    if (++self->count >= self->expected)
        (void)tally_report(ctx, self->tally, (struct tally_report){ self->count, self->sum });
}
TR_ACTOR(subscriber, SUBSCRIBER)

struct next {
    char unused;
};

#define PUBLISHER(P, TELL, ASK) TELL(P, next, struct next)
TR_PROTOCOL(publisher, PUBLISHER)

struct publisher {
    subscriber_ref *subscribers; /* a Box, SUBSCRIBERS long */
    uint64_t round, rounds;
};

static void publisher_drop(struct publisher *self)
{
    tr_drop(self->subscribers);
}

static block *print_block(uint64_t round)
{
    block *fresh = tr_box_uninit(block);
    if (fresh == NULL)
        tr_panic("no memory for a block");
    for (unsigned i = 0; i < WORDS; i++)
        fresh->words[i] = round;
    return tr_arc_from_box(fresh);
}

static void publish(tr_ctx *ctx, struct publisher *self)
{
    block *shares = tr_arc_clone_n(print_block(self->round), SUBSCRIBERS - 1); /* and ours */
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        const struct issue issue = { shares, self->round };
        (void)subscriber_issue(ctx, self->subscribers[i], issue);
    }
    self->round++;
}

static void publisher_on_next(tr_ctx *ctx, struct publisher *self, struct next *m)
{
    for (unsigned i = 0; i < AHEAD && self->round < self->rounds; i++)
        publish(ctx, self);
    if (self->round < self->rounds)
        (void)publisher_next(ctx, publisher_self(ctx), *m);
    else
        tr_stop_self(ctx);
}
TR_ACTOR(publisher, PUBLISHER, .drop = publisher_drop)

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t rounds = bench_scaled(options, 1000);
    stage s;
    stage_open(&s, options, "fanout", SUBSCRIBERS);
    struct publisher state = { .rounds = rounds };
    state.subscribers = tr_box_array(subscriber_ref, SUBSCRIBERS);
    if (state.subscribers == NULL)
        tr_panic("no memory for the list of subscribers");
    for (unsigned i = 0; i < SUBSCRIBERS; i++) {
        struct subscriber one = { .tally = s.tally, .expected = rounds };
        state.subscribers[i] = subscriber_spawn(s.system, &one);
    }
    const publisher_ref publisher = publisher_spawn(s.system, &state);

    stage_start(&s);
    (void)publisher_next(s.system, publisher, (struct next){ 0 });
    stage_wait(&s, result);
    const struct tally_sums sums = stage_close(&s, result);
    result->ops = SUBSCRIBERS * rounds;
    bench_expect(result, "deliveries", SUBSCRIBERS * rounds, sums.count);
    bench_expect(result, "sum", SUBSCRIBERS * bench_sum_below(rounds), sums.sum);
}

const bench_workload bench_fanout = {
    .name = "fanout",
    .op = "delivery",
    .summary = "a block of 4 KiB shared by 1000 subscribers, 1000 rounds",
    .run = run,
};
