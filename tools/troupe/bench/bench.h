/*
 * bench - what the workloads of `troupe bench` share
 *
 *   options --> workload->run --> result --> summary of R runs --> line, table, JSON
 *                    |
 *              open, start, ... wait, close (stage.h): a system and a clock
 *
 * A workload is one row (bench_workload) in a file of its name, written as a
 * user would write it. It reports what it counted as facts; the check compares
 * them, so that a fast wrong answer is a failure.
 */
#ifndef TOOLS_TROUPE_BENCH_BENCH_H
#define TOOLS_TROUPE_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bench_options {
    unsigned workers;
    double size;     /* factor on the default size of each workload */
    unsigned repeat; /* runs */
} bench_options;

/* Something a run must have counted. */
typedef struct bench_fact {
    const char *what; /* static */
    uint64_t expected;
    uint64_t got;
} bench_fact;

#define BENCH_FACTS_MAX 8

/* One run. Starts as zeroes. */
typedef struct bench_result {
    uint64_t ops;
    uint64_t duration;      /* ns */
    uint64_t peak_rss;      /* bytes, of the process until the end of the run */
    double bytes_per_actor; /* 0: not measured */
    unsigned fact_count;
    bench_fact facts[BENCH_FACTS_MAX];
} bench_result;

/* Panics when it cannot run; wrong results are facts. */
typedef void bench_run(const bench_options *options, bench_result *result);

typedef struct bench_workload {
    const char *name;
    const char *op; /* what one operation is: "message" */
    const char *summary;
    unsigned least_workers;
    bench_run *run;
} bench_workload;

/* R runs of a workload. */
typedef struct bench_summary {
    const bench_workload *workload;
    bench_options options;
    uint64_t ops; /* of one run */
    uint64_t median, min, max; /* ns a run */
    uint64_t peak_rss;
    double bytes_per_actor;
    bool ok;
    char check[240]; /* "ok", or what is wrong */
} bench_summary;

extern const bench_workload bench_pingpong, bench_crossping, bench_ring1, bench_ring100,
    bench_count, bench_mpsc, bench_fork, bench_skynet, bench_big, bench_chameneos, bench_fanout,
    bench_idle, bench_ask;

/* -- sizes and facts (result.c) -------------------------------------------------- */

/* n times the size that was asked for; at least 1. */
uint64_t bench_scaled(const bench_options *options, uint64_t n);

/* 0 + 1 + ... + (n - 1) */
uint64_t bench_sum_below(uint64_t n);

void bench_expect(bench_result *result, const char *what, uint64_t expected, uint64_t got);

/* Is every fact as expected? Writes "ok", or each that is not, to text. A run
 * that counted nothing proves nothing: no facts is a failure too. */
bool bench_check(const bench_result *result, char *text, size_t size);

/* Median (of an even number: between the two in the middle), extremes, and the
 * first check that failed, of count results; count is at least 1. */
void bench_summarise(bench_result *results, unsigned count, bench_summary *summary);

/* What one operation took, ns. */
double bench_ns_per_op(const bench_summary *summary, uint64_t duration);

/* -- running (runner.c) ---------------------------------------------------------------- */

/* Run it options->repeat times in this process, which ends when it panics. */
void bench_repeat(const bench_workload *workload, const bench_options *options,
                  bench_summary *summary);

/* The same in a process of its own: its memory is its own too, and its end is
 * a wrong result. Only while this process has one thread. */
void bench_repeat_in_child(const bench_workload *workload, const bench_options *options,
                           bench_summary *summary);

/* -- the process (memory.c) ---------------------------------------------------------- */

/* Resident memory of this process now, and the most it ever had; bytes. Panics
 * when the system does not tell. */
uint64_t bench_rss(void);
uint64_t bench_peak_rss(void);

/* -- reports (report.c) ----------------------------------------------------------------- */

/* One line each; summaries that are not ok say so. */
void bench_print_line(const bench_summary *summary);
void bench_print_table(const bench_summary *summaries, size_t count);
void bench_print_json(const bench_summary *summary);
void bench_print_json_array(const bench_summary *summaries, size_t count);

#endif
