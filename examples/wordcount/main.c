/*
 * wordcount - count the words of many files on all processors
 *
 *     main: options -> system -> crew -> wait, drawing progress -> report
 *
 * The main thread is no actor. It asks the merge whether all is counted, with a
 * timeout, so that it can draw the progress line and look after the actors: one
 * that fails will never answer for its words, and the program says so and ends.
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "console.h"
#include "crew.h"
#include "options.h"
#include "report.h"
#include "wordcount.h"

enum {
    EXIT_OK = 0,
    EXIT_TROUBLE = 1,
    EXIT_USAGE = 2,
};

#define REDRAW TR_MILLISECONDS(100)
#define PATIENCE TR_SECONDS(5) /* with actors that are told to stop */

/* false: an actor has failed, so the result will never be there. */
static bool wait_until_finished(tr_system *system, const struct crew *crew,
                                const struct tally *tally, uint64_t started)
{
    struct finished finished = { false };
    while (!finished.yes) {
        const tr_status status =
            merge_finished_wait(system, crew->merge, (struct is_finished){}, REDRAW, &finished);
        if ((status != TR_OK && status != TR_TIMEOUT) || !crew_is_alive(system, crew))
            return false;
        console_progress(tally, started);
    }
    return true;
}

static int report(const struct options *options, const struct top *result,
                  const struct tally *tally)
{
    if (!(options->json ? report_json(result, tally) : report_text(result))) {
        console_error("standard output: %m");
        return EXIT_TROUBLE;
    }
    /* relaxed: see tally.h */
    return tr_load_relaxed(&tally->complaints) == 0 ? EXIT_OK : EXIT_TROUBLE;
}

static int count(tr_system *system, const struct options *options, struct tally *tally,
                 const struct crew *crew)
{
    const uint64_t started = tr_now();
    struct top result;
    if (!wait_until_finished(system, crew, tally, started) ||
        merge_take_wait(system, crew->merge, (struct take){}, TR_FOREVER, &result) != TR_OK) {
        console_error("gave up: a part of the program failed");
        return EXIT_TROUBLE;
    }
    console_progress_end(tally, started);
    const int status = report(options, &result, tally);
    top_drop(&result);
    return status;
}

static int run(const struct options *options)
{
    tr_system *system;
    const tr_config config = {
        .name = "wordcount",
        .workers = options->workers,
        .max_actors = CREW_MAX,
    };
    tr_status status = tr_system_try_start(&config, &system);
    if (status != TR_OK) {
        console_error("cannot start: %s", tr_status_text(status));
        return EXIT_TROUBLE;
    }
    TR_AUTO(wc_tally) tally = tr_try_arc(wc_tally);
    struct crew crew;
    int exit_status = EXIT_TROUBLE;
    status = tally != NULL ? crew_start(system, options, tally, &crew) : TR_NOMEM;
    if (status == TR_OK) {
        exit_status = count(system, options, tally, &crew);
        crew_fini(&crew);
    } else {
        console_error("cannot start: %s", tr_status_text(status));
    }
    /* After a failure a reader may be waiting for standard input: not for ever. */
    if (tr_system_stop(system, PATIENCE) != TR_OK)
        _exit(EXIT_TROUBLE);
    return exit_status;
}

/* Without descriptors 0 to 2 the next files to be opened would get these numbers,
 * and a file would be taken for standard input. What stands in for them refuses
 * to be used. */
static void open_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_TROUBLE);
}

static int print(const char *text)
{
    if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
        return EXIT_OK;
    console_error("standard output: %m");
    return EXIT_TROUBLE;
}

int main(int argc, char **argv)
{
    open_standard_streams();
    setlocale(LC_CTYPE, "");  /* what is printable in a path */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error to be named, as any other */
    if (argc > 0)
        argv[0] = "wordcount"; /* as getopt will call us */

    struct options options;
    switch (options_parse(argc, argv, &options)) {
    case ACTION_COUNT:
        return run(&options);
    case ACTION_HELP:
        return print(options_help);
    case ACTION_VERSION:
        return print("wordcount (troupe) " WORDCOUNT_VERSION "\n");
    case ACTION_REFUSE:
        return EXIT_USAGE;
    }
    return EXIT_USAGE;
}
