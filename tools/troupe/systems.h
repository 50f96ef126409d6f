/*
 * systems - finds the running systems of this user and takes their snapshots
 */
#ifndef TOOLS_TROUPE_SYSTEMS_H
#define TOOLS_TROUPE_SYSTEMS_H

#include "snapshot.h"

/* By program, pid, and index in the process. */
typedef struct systems {
    snapshot **items;
    size_t count;
    size_t capacity;
    size_t faults; /* sockets and directories that were of no use */
} systems;

/*
 * A snapshot of every system, or of those of one process (pid not 0). What is
 * not as it should be is said on standard error, once a program. Removes sockets
 * that killed processes left behind.
 */
void systems_find(long pid, systems *ret_systems);

/* The same system in another list; NULL: not in it. */
const snapshot *systems_lookup(const systems *list, const snapshot *system);

void systems_free(systems *list);

#endif
