/*
 * stage - see stage.h
 */
#include "stage.h"

#define PATIENCE TR_SECONDS(1)
#define MAX_ACTORS (1u << 24) /* ten times what the largest workload has alive */

/* -- the tally --------------------------------------------------------------------- */

struct tally {
    uint64_t expected;
    struct tally_sums sums;
    bool is_asked; /* reply is somebody's who waits for the last report */
    tally_sums_reply reply;
};

static void tally_on_report(tr_ctx *ctx, struct tally *self, struct tally_report *m)
{
    (void)ctx;
    self->sums.reports++;
    self->sums.count += m->count;
    self->sums.sum += m->sum;
    if (self->is_asked && self->sums.reports >= self->expected) {
        self->is_asked = false;
        tally_sums_answer(self->reply, self->sums);
    }
}

/* The asker that waited before has lost its patience, and asks again. */
static void forget_asker(struct tally *self)
{
    if (self->is_asked)
        tally_sums_drop(self->reply);
    self->is_asked = false;
}

static void tally_on_sums(tr_ctx *ctx, struct tally *self, struct tally_question *m,
                          tally_sums_reply reply)
{
    (void)ctx;
    forget_asker(self);
    if (m->now || self->sums.reports >= self->expected) {
        tally_sums_answer(reply, self->sums);
        return;
    }
    self->reply = tally_sums_keep(reply);
    self->is_asked = true;
}
TR_ACTOR(tally, TALLY, .drop = forget_asker)

/* -- the stage ------------------------------------------------------------------------- */

void stage_open(stage *s, const bench_options *options, const char *name, uint64_t reports)
{
    const tr_config config = { .name = name,
                               .workers = options->workers,
                               .max_actors = MAX_ACTORS };
    s->system = tr_system_start(&config);
    s->reports = reports;
    s->started = 0;
    s->tally = tally_spawn(s->system, &(struct tally){ .expected = reports });
}

void stage_start(stage *s)
{
    s->started = tr_now();
}

void stage_stop(const stage *s, bench_result *result)
{
    result->duration = tr_now() - s->started;
}

/* At rest and still no answer: reports are missing, and will not come. */
static bool is_stuck(const stage *s)
{
    return tr_system_wait_idle(s->system, TR_MILLISECONDS(1)) == TR_OK;
}

void stage_wait(stage *s, bench_result *result)
{
    struct tally_sums sums;
    tr_status status;
    do
        status = tally_sums_wait(s->system, s->tally, (struct tally_question){ .now = false },
                                 PATIENCE, &sums);
    while (status == TR_TIMEOUT && !is_stuck(s));
    if (status != TR_OK && status != TR_TIMEOUT)
        tr_panic("the tally does not answer: %s", tr_status_name(status));
    stage_stop(s, result);
}

struct tally_sums stage_close(stage *s, bench_result *result)
{
    tr_system_stats stats;
    struct tally_sums sums;
    TR_MUST(tr_system_wait_idle(s->system, TR_FOREVER));
    TR_MUST(tally_sums_wait(s->system, s->tally, (struct tally_question){ .now = true },
                            TR_FOREVER, &sums));
    TR_MUST(tr_system_wait_idle(s->system, TR_FOREVER));
    tr_system_get_stats(s->system, &stats);
    bench_expect(result, "reports", s->reports, sums.reports);
    bench_expect(result, "dead letters", 0, stats.dead_letters);
    bench_expect(result, "panics", 0, stats.panics);
    bench_expect(result, "messages left over", 0, stats.queued);
    result->peak_rss = bench_peak_rss();
    TR_MUST(tr_system_stop(s->system, TR_FOREVER));
    return sums;
}
