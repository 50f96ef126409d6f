/*
 * command - one entry of the table in main.c; each command has a file of its name
 */
#ifndef TOOLS_TROUPE_COMMAND_H
#define TOOLS_TROUPE_COMMAND_H

/* Exit statuses of every command. */
enum {
    EXIT_DONE = 0,
    EXIT_NOTHING = 1, /* nothing was found, or what was found is of no use */
    EXIT_USAGE = 2,   /* the command line is wrong */
};

/* argv[0] is the command's name. */
typedef int command_function(int argc, char **argv);

command_function command_bench;
command_function command_stat;

#endif
