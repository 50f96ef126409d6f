/*
 * fork - actors that live for one message
 *
 *   forker --spawn, work--> child: adds, stops; its end is counted
 *
 * The forker spawns 1000 in a turn and then tells itself to go on. If too many
 * are alive it holds back until its next turn.
 */
#include "stage.h"

#define CHILDREN_A_TURN 1000u

/* What the children share; it outlives the system. */
struct census {
    TR_ATOMIC(uint64_t) sum;
    TR_ATOMIC(uint64_t) ended;
    uint64_t children;
    tally_ref tally;
};

struct work {
    uint64_t n;
};

#define CHILD(P, TELL, ASK) TELL(P, work, struct work)
TR_PROTOCOL(child, CHILD)

struct child {
    struct census *census;
};

static void child_on_work(tr_ctx *ctx, struct child *self, struct work *m)
{
    /* relaxed: read when the system has stopped */
    tr_fetch_add_relaxed(&self->census->sum, m->n);
    tr_stop_self(ctx);
}

static void child_stopped(tr_ctx *ctx, struct child *self, const tr_exit *why)
{
    (void)why;
    struct census *census = self->census;
    /* relaxed: whoever counts the last one says so, and nothing more */
    if (tr_fetch_add_relaxed(&census->ended, 1) + 1 >= census->children)
        (void)tally_report(ctx, census->tally, (struct tally_report){ 0 });
}
TR_ACTOR(child, CHILD, .stop = child_stopped)

struct go {
    char unused;
};

#define FORKER(P, TELL, ASK) TELL(P, go, struct go)
TR_PROTOCOL(forker, FORKER)

struct forker {
    struct census *census;
    uint64_t next;
};

static tr_status fork_one(tr_ctx *ctx, struct forker *self)
{
    child_ref child;
    struct child state = { .census = self->census };
    tr_status status = child_try_spawn(ctx, &state, NULL, &child);
    if (status == TR_OK)
        status = child_work(ctx, child, (struct work){ self->next++ });
    return status;
}

static void forker_on_go(tr_ctx *ctx, struct forker *self, struct go *m)
{
    tr_status status = TR_OK;
    const uint64_t children = self->census->children;
    for (unsigned i = 0; i < CHILDREN_A_TURN && self->next < children && status == TR_OK; i++)
        status = fork_one(ctx, self);
    if (status != TR_OK && status != TR_LIMIT)
        tr_panic("child %llu: %s", (unsigned long long)self->next, tr_status_name(status));
    if (self->next < children)
        (void)forker_go(ctx, forker_self(ctx), *m);
    else
        tr_stop_self(ctx);
}
TR_ACTOR(forker, FORKER)

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t children = bench_scaled(options, 1000000);
    stage s;
    stage_open(&s, options, "fork", 1);
    struct census census = { .children = children, .tally = s.tally };
    const forker_ref forker = forker_spawn(s.system, &(struct forker){ .census = &census });

    stage_start(&s);
    (void)forker_go(s.system, forker, (struct go){ 0 });
    stage_wait(&s, result);
    (void)stage_close(&s, result);
    result->ops = children;
    /* relaxed: no worker is left */
    bench_expect(result, "actors that ended", children, tr_load_relaxed(&census.ended));
    bench_expect(result, "sum", bench_sum_below(children), tr_load_relaxed(&census.sum));
}

const bench_workload bench_fork = {
    .name = "fork",
    .op = "actor",
    .summary = "1,000,000 actors are spawned, get one message and end",
    .run = run,
};
