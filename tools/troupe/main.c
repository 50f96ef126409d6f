/*
 * troupe - looks into running systems and measures this machine; dispatches to its commands
 */
#include <stdio.h>
#include <string.h>

#include "command.h"

typedef struct command {
    const char *name;
    const char *summary;
    command_function *run;
} command;

static const command commands[] = {
    { "bench", "measure this machine: what one message, spawn, hop ... takes", command_bench },
    { "stat", "what each running system does: actors, messages, workers, memory", command_stat },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *stream)
{
    (void)fputs(
        "usage: troupe COMMAND [OPTION ...]\n\n"
        "Looks into the running systems of this user, and measures what actors cost here.\n\n"
        "commands:\n",
        stream);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(stream, "  %-10s%s\n", commands[i].name, commands[i].summary);
    (void)fputs("\noptions:\n"
                "  --help    this text; troupe COMMAND --help tells about a command\n"
                "  --version print the version\n",
                stream);
}

/* What was printed may still be in a buffer, and the disk full or the pipe closed. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    (void)fputs("troupe: the output cannot be written\n", stderr);
    return EXIT_NOTHING;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return finish(EXIT_DONE);
    }
    if (strcmp(word, "--version") == 0) {
        (void)puts("troupe " TROUPE_VERSION);
        return finish(EXIT_DONE);
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return finish(commands[i].run(argc - 1, argv + 1));
    }
    if (*word == '\0')
        (void)fputs("troupe: which command? See troupe --help\n", stderr);
    else
        (void)fprintf(stderr, "troupe: there is no command '%s'; see troupe --help\n", word);
    return EXIT_USAGE;
}
