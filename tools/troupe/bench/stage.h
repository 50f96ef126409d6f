/*
 * stage - the system a workload plays on, its clock, and the actor that collects
 *
 *     stage s;
 *     stage_open(&s, options, "pingpong", 1);     one report will come
 *     ... spawn ...
 *     stage_start(&s);                            the clock runs
 *     ... the first message ...                   actors: tally_report(ctx, ...)
 *     stage_wait(&s, result);                     until the tally has all; it stops
 *     struct tally_sums sums = stage_close(&s, result);
 *     bench_expect(result, "messages", n, sums.count);
 *
 * The thread outside asks the tally, which answers when the last report is
 * there: so the end of the run comes as a message too.
 *
 * No message gets lost unseen: what cannot be delivered is a dead letter, an
 * actor that gives up fails or panics, and stage_close expects none of them. A
 * run that comes to rest before the last report is over as well, with less in
 * the tally than the workload expects.
 */
#ifndef TOOLS_TROUPE_BENCH_STAGE_H
#define TOOLS_TROUPE_BENCH_STAGE_H

#include <troupe/troupe.h>

#include "bench.h"

struct tally_report {
    uint64_t count;
    uint64_t sum;
};
struct tally_question {
    bool now; /* do not wait for the last report */
};
/* The sums over all reports. */
struct tally_sums {
    uint64_t reports;
    uint64_t count;
    uint64_t sum;
};

#define TALLY(P, TELL, ASK)                 \
    TELL(P, report, struct tally_report)    \
    ASK (P, sums, struct tally_question, struct tally_sums)
TR_PROTOCOL(tally, TALLY)

typedef struct stage {
    tr_system *system;
    tally_ref tally;
    uint64_t reports; /* how many will come */
    uint64_t started;
} stage;

/* Start a system and its tally. */
void stage_open(stage *s, const bench_options *options, const char *name, uint64_t reports);

void stage_start(stage *s);

/* Stop the clock: result->duration is set. */
void stage_stop(const stage *s, bench_result *result);

/* Wait for the last report, and stop the clock. */
void stage_wait(stage *s, bench_result *result);

/* Let everything come to rest, expect that nothing got lost and nobody failed,
 * read the memory, stop the system. */
struct tally_sums stage_close(stage *s, bench_result *result);

#endif
