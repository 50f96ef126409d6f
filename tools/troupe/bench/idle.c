/*
 * idle - 1,000,000 actors that wait: what does one cost while it does nothing?
 *
 * Each gets one message, so that it has run and its memory is really there. The
 * growth of the process's resident memory over all of that, whatever it went
 * to, divided by the actors: that is the number to look at.
 */
#include "stage.h"

/* What the actors share; it outlives the system. */
struct census {
    TR_ATOMIC(uint64_t) sum;
    TR_ATOMIC(uint64_t) seen;
    uint64_t actors;
    tally_ref tally;
};

struct hello {
    uint64_t n;
};

#define IDLER(P, TELL, ASK) TELL(P, hello, struct hello)
TR_PROTOCOL(idler, IDLER)

struct idler {
    struct census *census;
};

static void idler_on_hello(tr_ctx *ctx, struct idler *self, struct hello *m)
{
    struct census *census = self->census;
    /* relaxed: read when the system has stopped */
    tr_fetch_add_relaxed(&census->sum, m->n);
    /* relaxed: whoever counts the last one says so, and nothing more */
    if (tr_fetch_add_relaxed(&census->seen, 1) + 1 >= census->actors)
        (void)tally_report(ctx, census->tally, (struct tally_report){ 0 });
}
TR_ACTOR(idler, IDLER)

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t actors = bench_scaled(options, 1000000);
    tr_system_stats before, after;
    stage s;
    stage_open(&s, options, "idle", 1);
    struct census census = { .actors = actors, .tally = s.tally };
    tr_system_get_stats(s.system, &before);
    const uint64_t rss = bench_rss();

    stage_start(&s);
    for (uint64_t i = 0; i < actors; i++) {
        const idler_ref idler = idler_spawn(s.system, &(struct idler){ .census = &census });
        (void)idler_hello(s.system, idler, (struct hello){ i });
    }
    stage_wait(&s, result);
    TR_MUST(tr_system_wait_idle(s.system, TR_FOREVER));
    const uint64_t grown = bench_rss();
    tr_system_get_stats(s.system, &after);
    (void)stage_close(&s, result);
    result->ops = actors;
    result->bytes_per_actor = grown > rss ? (double)(grown - rss) / (double)actors : 0;
    bench_expect(result, "actors alive", actors, after.actors - before.actors);
    /* relaxed: no worker is left */
    bench_expect(result, "messages", actors, tr_load_relaxed(&census.seen));
    bench_expect(result, "sum", bench_sum_below(actors), tr_load_relaxed(&census.sum));
}

const bench_workload bench_idle = {
    .name = "idle",
    .op = "actor",
    .summary = "1,000,000 idle actors; the memory each one needs",
    .run = run,
};
