/*
 * mpsc - many senders, one counter; `count` is the case of one sender
 *
 *   sender --1000 items--> counter
 *     ^ |                    ^
 *     go on                  '--1000 items-- sender ...
 *
 * A sender sends 1000 items in a turn and then tells itself to go on, so that
 * others get theirs. If the counter's mailbox is full it holds back until its
 * next turn. That does not happen here: the mailbox takes the whole run, since
 * the senders of this benchmark in other systems never wait either.
 */
#include "stage.h"

#define ITEMS_A_TURN 1000u

struct item {
    uint64_t n;
};

struct question {
    char unused;
};
struct counted {
    uint64_t count, sum;
};

#define COUNTER(P, TELL, ASK)       \
    TELL(P, item, struct item)      \
    ASK (P, counted, struct question, struct counted)
TR_PROTOCOL(counter, COUNTER)

struct counter {
    tally_ref tally;
    uint64_t expected;
    struct counted counted;
};

/* One item too many makes a second report, and that is one too many as well. */
static void counter_on_item(tr_ctx *ctx, struct counter *self, struct item *m)
{
    self->counted.sum += m->n;
    if (++self->counted.count >= self->expected)
        (void)tally_report(ctx, self->tally, (struct tally_report){ 0 });
}

static void counter_on_counted(tr_ctx *ctx, struct counter *self, struct question *m,
                               counter_counted_reply reply)
{
    (void)ctx, (void)m;
    counter_counted_answer(reply, self->counted);
}
TR_ACTOR(counter, COUNTER)

struct go {
    char unused;
};

#define SENDER(P, TELL, ASK) TELL(P, go, struct go)
TR_PROTOCOL(sender, SENDER)

struct sender {
    counter_ref to;
    uint64_t next, end;
};

static void sender_on_go(tr_ctx *ctx, struct sender *self, struct go *m)
{
    tr_status status = TR_OK;
    for (unsigned i = 0; i < ITEMS_A_TURN && self->next < self->end; i++) {
        status = counter_try_item(ctx, self->to, &(struct item){ self->next });
        if (status != TR_OK)
            break;
        self->next++;
    }
    if (status != TR_OK && status != TR_FULL)
        tr_panic("item %llu cannot be sent: %s", (unsigned long long)self->next,
                 tr_status_name(status));
    if (self->next < self->end)
        (void)sender_go(ctx, sender_self(ctx), *m);
    else
        tr_stop_self(ctx);
}
TR_ACTOR(sender, SENDER)

static void run(const bench_options *options, const char *name, unsigned senders, uint64_t each,
                bench_result *result)
{
    const uint64_t items = senders * each;
    /* The defaults are enough for a small one. */
    const uint64_t bytes = items * sizeof(struct item);
    const tr_spawn_options all_of_it = {
        .mailbox_messages = items > 65536 ? (uint32_t)items : 0,
        .mailbox_bytes = bytes > 64u << 20 ? (uint32_t)bytes : 0,
    };
    stage s;
    counter_ref counter;
    stage_open(&s, options, name, 1);
    struct counter state = { .tally = s.tally, .expected = items };
    TR_MUST(counter_try_spawn(s.system, &state, &all_of_it, &counter));

    stage_start(&s);
    for (unsigned i = 0; i < senders; i++) {
        struct sender one = { .to = counter, .end = each };
        (void)sender_go(s.system, sender_spawn(s.system, &one), (struct go){ 0 });
    }
    stage_wait(&s, result);
    struct counted counted;
    TR_MUST(counter_counted_wait(s.system, counter, (struct question){ 0 }, TR_FOREVER, &counted));
    (void)stage_close(&s, result);
    result->ops = items;
    bench_expect(result, "messages", items, counted.count);
    bench_expect(result, "sum", senders * bench_sum_below(each), counted.sum);
}

static void run_count(const bench_options *options, bench_result *result)
{
    run(options, "count", 1, bench_scaled(options, 10000000), result);
}

static void run_mpsc(const bench_options *options, bench_result *result)
{
    run(options, "mpsc", 100, bench_scaled(options, 100000), result);
}

const bench_workload bench_count = {
    .name = "count",
    .op = "message",
    .summary = "one sender, one counter, 10,000,000 messages",
    .run = run_count,
};

const bench_workload bench_mpsc = {
    .name = "mpsc",
    .op = "message",
    .summary = "100 senders, one counter, 100,000 messages each",
    .run = run_mpsc,
};
