/*
 * crew - the actors of the pipeline, made together and watched together
 */
#ifndef CREW_H
#define CREW_H

#include "options.h"
#include "wordcount.h"

struct crew {
    merge_ref merge;
    tr_pid *members; /* Box of an array: everyone */
    size_t count;
};

/* No crew is larger, with the most workers a system can have. */
enum { CREW_MAX = 4096 };

/* Make the actors; they begin at once. On failure the system has some of them, and
 * is to be stopped. `options` must outlive the system. */
TR_MUST_USE tr_status crew_start(tr_system *system, const struct options *options,
                                 struct tally *tally, struct crew *ret_crew);

/* Is everyone alive? None ends before the result is there, unless it failed. */
bool crew_is_alive(tr_system *system, const struct crew *crew);

void crew_fini(struct crew *crew);

#endif
