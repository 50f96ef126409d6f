/*
 * stat - the command: options, and reports an interval apart
 *
 *   find --interval--> find --interval--> find ...
 *     \____ report 1 ____/ \____ report 2 ____/
 *
 * Each report compares two findings; what is in one only has begun or ended.
 */
#include "stat.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <time.h>

#include "command.h"
#include "systems.h"

typedef struct options {
    long pid; /* 0: all */
    double interval; /* seconds */
    long count; /* 0: without end */
    bool json;
} options;

const char *stat_worker_state(tr_worker_state state)
{
    switch (state) {
    case TR_WORKER_RUNNING:
        return "running";
    case TR_WORKER_SEARCHING:
        return "searching";
    case TR_WORKER_PARKED:
        return "parked";
    }
    return "?";
}

/* -- the command line ---------------------------------------------------------- */

static void print_help(void)
{
    (void)fputs("usage: troupe stat [OPTION ...]\n\n"
                "Shows what each running system of this user does.\n\n"
                "  -i, --interval SECONDS  time between the two snapshots that rates are taken\n"
                "                          from (default 1; 0: one snapshot, no rates)\n"
                "  -n, --count N           number of reports (default 1; 0: until interrupted)\n"
                "  -p, --pid PID           only the systems of this process\n"
                "  -j, --json              raw numbers: each report is one line, an array\n"
                "  -h, --help              this text\n\n"
                "Exit status: 0, 1 when there is nothing to show, 2 for a wrong command line.\n",
                stdout);
}

static bool parse_long(const char *text, long min, long max, long *ret_number)
{
    char *end;
    errno = 0;
    const long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool parse_seconds(const char *text, double *ret_seconds)
{
    char *end;
    const double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 86400))
        return false;
    *ret_seconds = seconds;
    return true;
}

/* NULL: fine; else what the option's value must be. */
static const char *take(options *o, int option, const char *value)
{
    switch (option) {
    case 'i':
        return parse_seconds(value, &o->interval) ? NULL : "a number of seconds, 0 to 86400";
    case 'n':
        return parse_long(value, 0, INT_MAX, &o->count) ? NULL : "a number of reports, 0 or more";
    case 'p':
        return parse_long(value, 1, INT_MAX, &o->pid) ? NULL : "the pid of a process";
    default:
        o->json = true;
        return NULL;
    }
}

/* -1: go on; else the exit status. */
static int parse(int argc, char **argv, options *o)
{
    static const struct option known[] = {
        { "interval", required_argument, NULL, 'i' }, { "count", required_argument, NULL, 'n' },
        { "pid", required_argument, NULL, 'p' },      { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },           { NULL, 0, NULL, 0 },
    };
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":i:n:p:jh", known, NULL)) != -1) {
        if (option == 'h') {
            print_help();
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            (void)fprintf(stderr, "troupe stat: %s '%s'; see troupe stat --help\n",
                          option == '?' ? "wrong option" : "no value for", argv[optind - 1]);
            return EXIT_USAGE;
        }
        const char *must_be = take(o, option, optarg);
        if (must_be != NULL) {
            (void)fprintf(stderr, "troupe stat: '%s' must be %s\n", optarg, must_be);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    (void)fprintf(stderr, "troupe stat: what is '%s'? See troupe stat --help\n", argv[optind]);
    return EXIT_USAGE;
}

/* -- reports --------------------------------------------------------------------- */

static void wait_for(double seconds)
{
    struct timespec left = { .tv_sec = (time_t)seconds };
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Both lists in one: those of now in their order, then those that ended. */
static size_t pair(const systems *before, const systems *now, stat_row *ret_rows)
{
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        ret_rows[count++] = (stat_row){ .before = systems_lookup(before, now->items[i]),
                                        .now = now->items[i] };
    for (size_t i = 0; i < before->count; i++) {
        if (systems_lookup(now, before->items[i]) == NULL)
            ret_rows[count++] = (stat_row){ .before = before->items[i] };
    }
    return count;
}

static void print_report(const options *o, const systems *before, const systems *now)
{
    stat_row *rows = must_allocate((before->count + now->count + 1) * sizeof(*rows));
    const size_t count = pair(before, now, rows);
    if (o->json)
        stat_print_json(rows, count);
    else
        stat_print_table(rows, count);
    (void)fflush(stdout); /* somebody may watch, or read from a pipe */
    free(rows);
}

/* Whoever found something unusable has been told so already. */
static int report_nothing(const options *o, const systems *found)
{
    if (found->faults == 0 && o->pid != 0)
        (void)fprintf(stderr, "troupe stat: process %ld runs no troupe system\n", o->pid);
    else if (found->faults == 0)
        (void)fputs("troupe stat: no troupe system is running\n", stderr);
    if (o->json)
        (void)puts("[]");
    return EXIT_NOTHING;
}

static int run(const options *o)
{
    const bool compare = o->interval > 0;
    systems before = { 0 }, now;
    systems_find(o->pid, &now);
    if (now.count == 0)
        return report_nothing(o, &now);
    for (long done = 0; o->count == 0 || done < o->count; done++) {
        if (done > 0 || compare) {
            systems_free(&before);
            before = now;
            wait_for(o->interval);
            systems_find(o->pid, &now);
        }
        if (before.count == 0 && now.count == 0)
            break; /* all have ended, and were reported so */
        if (done > 0 && !o->json)
            (void)putchar('\n');
        if (!compare)
            systems_free(&before);
        print_report(o, &before, &now);
    }
    systems_free(&before);
    systems_free(&now);
    return EXIT_DONE;
}

int command_stat(int argc, char **argv)
{
    options o = { .interval = 1, .count = 1 };
    const int status = parse(argc, argv, &o);
    return status >= 0 ? status : run(&o);
}
