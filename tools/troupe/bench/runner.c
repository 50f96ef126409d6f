/*
 * runner - repeats a workload, here or in a process of its own
 *
 *   bench_repeat            R runs one after the other
 *   bench_repeat_in_child   child: bench_repeat --summary through a pipe--> parent
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <troupe/mem/panic.h>

#include "tools/troupe/command.h"

typedef struct errand {
    const bench_workload *workload;
    const bench_options *options;
    bench_result *result;
} errand;

static void run_errand(void *arg)
{
    const errand *e = arg;
    e->workload->run(e->options, e->result);
}

/* Its system still runs on what the unwound frames held: there is no way back. */
static TR_NORETURN void give_up(const bench_workload *workload)
{
    (void)fprintf(stderr, "troupe bench: %s cannot run, for the reason above\n", workload->name);
    _exit(EXIT_NOTHING);
}

void bench_repeat(const bench_workload *workload, const bench_options *options,
                  bench_summary *summary)
{
    bench_result *results = calloc(options->repeat, sizeof *results);
    if (results == NULL) {
        (void)fputs("troupe: out of memory\n", stderr);
        exit(EXIT_NOTHING);
    }
    *summary = (bench_summary){ .workload = workload, .options = *options };
    for (unsigned i = 0; i < options->repeat; i++) {
        errand e = { workload, options, &results[i] };
        if (tr_catch(run_errand, &e, NULL) != TR_OK)
            give_up(workload);
    }
    bench_summarise(results, options->repeat, summary);
    free(results);
}

/* The whole summary, or false: the child has ended before. */
static bool read_summary(int from, bench_summary *summary)
{
    size_t have = 0;
    while (have < sizeof *summary) {
        const ssize_t n = read(from, (char *)summary + have, sizeof *summary - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

/* The child's half; a summary is smaller than a pipe, so it is written at once. */
static void run_and_tell(const bench_workload *workload, const bench_options *options, int to)
{
    bench_summary summary;
    bench_repeat(workload, options, &summary);
    const bool told = write(to, &summary, sizeof summary) == (ssize_t)sizeof summary;
    _exit(told ? EXIT_DONE : EXIT_NOTHING);
}

void bench_repeat_in_child(const bench_workload *workload, const bench_options *options,
                           bench_summary *summary)
{
    int ends[2], status = 0;
    pid_t child = -1;
    (void)fflush(NULL);
    if (pipe(ends) == 0)
        child = fork();
    if (child < 0) {
        (void)fprintf(stderr, "troupe bench: no process for %s: %s\n", workload->name,
                      strerror(errno));
        exit(EXIT_NOTHING);
    }
    if (child == 0)
        run_and_tell(workload, options, ends[1]);
    (void)close(ends[1]);
    const bool told = read_summary(ends[0], summary);
    (void)close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (told)
        return;
    *summary = (bench_summary){ .workload = workload, .options = *options };
    (void)snprintf(summary->check, sizeof summary->check, "its process ended with status %#x",
                   (unsigned)status);
}
