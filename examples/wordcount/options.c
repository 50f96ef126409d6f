/*
 * options - the command line, by getopt_long
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

enum { WORKERS_MAX = 1024, TOP_DEFAULT = 10 };

const char options_help[] =
    "Usage: wordcount [OPTION]... [FILE]...\n"
    "Count the words of files, and of all files in directories, and print the most\n"
    "frequent ones, COUNT WORD a line. Without a FILE, or when it is -, read standard\n"
    "input.\n"
    "\n"
    "A word is a run of ASCII letters, in lower case; every other byte separates.\n"
    "Symbolic links are followed. Words met equally often come in alphabetical order.\n"
    "\n"
    "  --top N       print the N most frequent words (10); 0 prints none\n"
    "  --json        print one JSON object, with totals\n"
    "  --workers N   use N threads (one per processor)\n"
    "  --help        show this and exit\n"
    "  --version     show the version and exit\n"
    "\n"
    "Exit status: 0 if all went well, 1 if something could not be read or written (it\n"
    "is named on standard error, the rest is counted), 2 if the command line is wrong.\n";

/* Digits and nothing else; what is too large for a size_t is SIZE_MAX. */
static bool parse_number(const char *text, size_t *ret_number)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    const unsigned long long value = strtoull(text, NULL, 10);
    *ret_number = errno == ERANGE || value > SIZE_MAX ? SIZE_MAX : (size_t)value;
    return true;
}

static bool parse_workers(const char *text, unsigned *ret_workers)
{
    size_t number;
    if (!parse_number(text, &number) || number < 1 || number > WORKERS_MAX) {
        console_error("--workers '%s': not a number from 1 to %d", text, WORKERS_MAX);
        return false;
    }
    *ret_workers = (unsigned)number;
    return true;
}

static bool parse_top(const char *text, size_t *ret_top)
{
    if (!parse_number(text, ret_top)) {
        console_error("--top '%s': not a number, 0 or more", text);
        return false;
    }
    return true;
}

enum action options_parse(int argc, char **argv, struct options *ret_options)
{
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' },          { "version", no_argument, NULL, 'V' },
        { "json", no_argument, NULL, 'j' },          { "top", required_argument, NULL, 't' },
        { "workers", required_argument, NULL, 'w' }, { 0 },
    };
    static char *standard_input[] = { "-", NULL };

    struct options options = { .top = TOP_DEFAULT };
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (option) {
        case 'h':
            return ACTION_HELP;
        case 'V':
            return ACTION_VERSION;
        case 'j':
            options.json = true;
            break;
        case 't':
            if (!parse_top(optarg, &options.top))
                return ACTION_REFUSE;
            break;
        case 'w':
            if (!parse_workers(optarg, &options.workers))
                return ACTION_REFUSE;
            break;
        default: /* getopt has said what is wrong */
            return ACTION_REFUSE;
        }
    }
    options.paths = optind < argc ? argv + optind : standard_input;
    *ret_options = options;
    return ACTION_COUNT;
}
