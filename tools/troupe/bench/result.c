/*
 * result - sizes, facts and their check, and the summary of several runs
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include <troupe/mem/panic.h>

uint64_t bench_scaled(const bench_options *options, uint64_t n)
{
    const double scaled = (double)n * options->size;
    return scaled < 1 ? 1 : (uint64_t)(scaled + 0.5);
}

uint64_t bench_sum_below(uint64_t n)
{
    return n % 2 == 0 ? n / 2 * (n - 1) : n * ((n - 1) / 2);
}

void bench_expect(bench_result *result, const char *what, uint64_t expected, uint64_t got)
{
    TR_ASSERT(result->fact_count < BENCH_FACTS_MAX);
    result->facts[result->fact_count++] = (bench_fact){ what, expected, got };
}

bool bench_check(const bench_result *result, char *text, size_t size)
{
    size_t used = 0;
    bool ok = result->fact_count != 0;
    (void)snprintf(text, size, "%s", ok ? "ok" : "nothing was counted");
    for (unsigned i = 0; i < result->fact_count; i++) {
        const bench_fact *fact = &result->facts[i];
        if (fact->got == fact->expected)
            continue;
        ok = false;
        const int length = snprintf(text + used, size - used, "%s%s: expected %llu, got %llu",
                                    used != 0 ? "; " : "", fact->what,
                                    (unsigned long long)fact->expected,
                                    (unsigned long long)fact->got);
        used += (size_t)length;
        if (used >= size)
            break;
    }
    return ok;
}

static int compare_durations(const void *a, const void *b)
{
    const uint64_t x = ((const bench_result *)a)->duration, y = ((const bench_result *)b)->duration;
    return (x > y) - (x < y);
}

void bench_summarise(bench_result *results, unsigned count, bench_summary *summary)
{
    summary->ops = results[0].ops;
    summary->peak_rss = 0;
    summary->bytes_per_actor = 0;
    summary->ok = true;
    for (unsigned i = 0; i < count; i++) {
        const bench_result *r = &results[i];
        if (summary->ok)
            summary->ok = bench_check(r, summary->check, sizeof summary->check);
        if (r->peak_rss > summary->peak_rss)
            summary->peak_rss = r->peak_rss;
        /* A later run reuses the memory of the one before, and seems to need less. */
        if (r->bytes_per_actor > summary->bytes_per_actor)
            summary->bytes_per_actor = r->bytes_per_actor;
    }
    qsort(results, count, sizeof *results, compare_durations);
    summary->min = results[0].duration;
    summary->max = results[count - 1].duration;
    const uint64_t below = results[(count - 1) / 2].duration, above = results[count / 2].duration;
    summary->median = below + (above - below) / 2;
}

double bench_ns_per_op(const bench_summary *summary, uint64_t duration)
{
    return summary->ops == 0 ? 0 : (double)duration / (double)summary->ops;
}
