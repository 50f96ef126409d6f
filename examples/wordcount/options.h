/*
 * options - the command line
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum action {
    ACTION_COUNT,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_REFUSE, /* it was said why */
};

struct options {
    unsigned workers; /* 0: the system's default */
    size_t top;
    bool json;
    char *const *paths; /* ends with NULL */
};

/* What the user wants; *ret_options is written for ACTION_COUNT only. Its paths
 * are those of argv. */
enum action options_parse(int argc, char **argv, struct options *ret_options);

extern const char options_help[];

#endif
