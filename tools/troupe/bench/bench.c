/*
 * bench - the command: options, the table of workloads, reports
 */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/troupe/command.h"

static const bench_workload *const workloads[] = {
    &bench_pingpong, &bench_crossping, &bench_ring1,     &bench_ring100, &bench_count,
    &bench_mpsc,     &bench_fork,      &bench_skynet,    &bench_big,     &bench_chameneos,
    &bench_fanout,   &bench_idle,      &bench_ask,
};

enum { WORKLOAD_COUNT = sizeof(workloads) / sizeof(workloads[0]), REPEAT_MAX = 1000 };

#define SIZE_LEAST 0.000001
#define SIZE_MOST 10.0 /* from there on mailboxes for a whole run do not exist */

typedef struct command_line {
    bench_options options;
    bool json;
    bool all;
    bool list;
    const char *name; /* NULL: none was given */
} command_line;

/* -- the command line ---------------------------------------------------------------- */

static void print_help(void)
{
    (void)fputs("usage: troupe bench NAME [OPTION ...]\n"
                "       troupe bench --all [OPTION ...]\n"
                "       troupe bench --list\n\n"
                "Measures this machine: how long one message, spawn, hop ... takes. Each result\n"
                "is checked; a wrong one is a failure.\n\n"
                "  -w, --workers N  worker threads (default 1)\n"
                "  -s, --size F     factor on the size of the workload (default 1; 0.01 for a try)\n"
                "  -r, --repeat R   runs; median, least and most are shown (default 1)\n"
                "  -a, --all        every workload, as a table\n"
                "  -l, --list       the names of the workloads and what they do\n"
                "  -j, --json       for programs\n"
                "  -h, --help       this text\n\n"
                "Exit status: 0, 1 when a result is wrong, 2 for a wrong command line.\n",
                stdout);
}

static void print_list(void)
{
    for (unsigned i = 0; i < WORKLOAD_COUNT; i++)
        (void)printf("%-11s ns per %-11s %s\n", workloads[i]->name, workloads[i]->op,
                     workloads[i]->summary);
}

static bool parse_count(const char *text, unsigned max, unsigned *ret_number)
{
    char *end;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < 1 || number > (long)max)
        return false;
    *ret_number = (unsigned)number;
    return true;
}

static bool parse_size(const char *text, double *ret_size)
{
    char *end;
    const double size = strtod(text, &end);
    if (end == text || *end != '\0' || !(size >= SIZE_LEAST && size <= SIZE_MOST))
        return false;
    *ret_size = size;
    return true;
}

/* NULL: fine; else what the option's value must be. */
static const char *take(command_line *line, int option, const char *value)
{
    switch (option) {
    case 'w':
        return parse_count(value, 1024, &line->options.workers) ? NULL : "1 to 1024 workers";
    case 's':
        return parse_size(value, &line->options.size) ? NULL : "a size, 0.000001 to 10";
    case 'r':
        return parse_count(value, REPEAT_MAX, &line->options.repeat) ? NULL : "1 to 1000 runs";
    case 'a':
        line->all = true;
        return NULL;
    case 'l':
        line->list = true;
        return NULL;
    default:
        line->json = true;
        return NULL;
    }
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, command_line *line)
{
    static const struct option known[] = {
        { "workers", required_argument, NULL, 'w' }, { "size", required_argument, NULL, 's' },
        { "repeat", required_argument, NULL, 'r' },  { "all", no_argument, NULL, 'a' },
        { "list", no_argument, NULL, 'l' },          { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 },
    };
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":w:s:r:aljh", known, NULL)) != -1) {
        if (option == 'h') {
            print_help();
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            (void)fprintf(stderr, "troupe bench: %s '%s'; see troupe bench --help\n",
                          option == '?' ? "wrong option" : "no value for", argv[optind - 1]);
            return EXIT_USAGE;
        }
        const char *must_be = take(line, option, optarg);
        if (must_be != NULL) {
            (void)fprintf(stderr, "troupe bench: '%s' must be %s\n", optarg, must_be);
            return EXIT_USAGE;
        }
    }
    const int names = line->all || line->list ? 0 : 1;
    if (optind < argc)
        line->name = argv[optind];
    if (argc - optind > names) {
        (void)fprintf(stderr, "troupe bench: what is '%s'? See troupe bench --help\n",
                      argv[optind + names]);
        return EXIT_USAGE;
    }
    return -1;
}

/* -- running ------------------------------------------------------------------------------ */

static void complain(const bench_summary *summary)
{
    if (!summary->ok)
        (void)fprintf(stderr, "troupe bench: %s is wrong: %s\n", summary->workload->name,
                      summary->check);
}

static int run_one(const bench_workload *workload, const command_line *line)
{
    bench_summary summary;
    bench_repeat(workload, &line->options, &summary);
    if (line->json)
        bench_print_json(&summary);
    else
        bench_print_line(&summary);
    (void)fflush(stdout);
    complain(&summary);
    return summary.ok ? EXIT_DONE : EXIT_NOTHING;
}

static int run_all(const command_line *line)
{
    static bench_summary summaries[WORKLOAD_COUNT];
    size_t count = 0;
    bool ok = true;
    for (unsigned i = 0; i < WORKLOAD_COUNT; i++) {
        const bench_workload *workload = workloads[i];
        if (line->options.workers < workload->least_workers) {
            (void)fprintf(stderr, "troupe bench: %s is left out, it needs %u workers\n",
                          workload->name, workload->least_workers);
            continue;
        }
        bench_repeat_in_child(workload, &line->options, &summaries[count]);
        ok = ok && summaries[count].ok;
        complain(&summaries[count++]);
    }
    if (line->json)
        bench_print_json_array(summaries, count);
    else
        bench_print_table(summaries, count);
    return ok ? EXIT_DONE : EXIT_NOTHING;
}

/* NULL: it was said what is wrong. */
static const bench_workload *choose(const command_line *line)
{
    if (line->name == NULL) {
        (void)fputs("troupe bench: which workload? See troupe bench --list\n", stderr);
        return NULL;
    }
    for (unsigned i = 0; i < WORKLOAD_COUNT; i++) {
        const bench_workload *workload = workloads[i];
        if (strcmp(workload->name, line->name) != 0)
            continue;
        if (line->options.workers >= workload->least_workers)
            return workload;
        (void)fprintf(stderr, "troupe bench: %s needs --workers %u or more, not %u\n",
                      workload->name, workload->least_workers, line->options.workers);
        return NULL;
    }
    (void)fprintf(stderr, "troupe bench: there is no workload '%s'; see troupe bench --list\n",
                  line->name);
    return NULL;
}

int command_bench(int argc, char **argv)
{
    command_line line = { .options = { .workers = 1, .size = 1, .repeat = 1 } };
    const int status = parse(argc, argv, &line);
    if (status >= 0)
        return status;
    if (line.list) {
        print_list();
        return EXIT_DONE;
    }
    if (line.all)
        return run_all(&line);
    const bench_workload *workload = choose(&line);
    return workload != NULL ? run_one(workload, &line) : EXIT_USAGE;
}
