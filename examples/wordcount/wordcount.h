/*
 * wordcount - the protocols of the pipeline, and what travels through it
 *
 *                  file                  split               count           top
 *     walker <---------> readers -----------> tokenisers -----------> counters ---> merge ---> main
 *               next        ^  chunk            |       chunk            |             finished,
 *                           '------- home ------'--------- home ---------'             take
 *
 * One kind of actor a file. A chunk of text has one owner while a reader fills it
 * (a Box) and while a tokeniser splits it, then one for each counter that finds
 * words in it (an Arc); whoever gives it up last gets it back as a Box and sends
 * it home. A reader has a fixed number of chunks, so that a returned chunk is
 * the leave to read on: no actor can be flooded, and memory is bounded.
 *
 * The same credit ends the run. A reader without files whose chunks are all at
 * home knows that its words are counted; when all readers are done, all
 * counts are final.
 */
#ifndef WORDCOUNT_H
#define WORDCOUNT_H

#include <troupe/troupe.h>

#include "ranking.h"
#include "tally.h"

struct chunk; /* chunk.h */

/* -- reader ----------------------------------------------------------------- */

/* A file to read. */
struct file {
    char *path; /* Box of characters; NULL: standard input */
};
static inline void file_drop(struct file *m)
{
    tr_drop(m->path);
}

struct no_more {
};

/* A chunk that comes home. */
struct home {
    struct chunk *chunk; /* Box */
};
static inline void home_drop(struct home *m)
{
    tr_drop(m->chunk);
}

struct more {
};

#define READER(P, TELL, ASK)                                                                       \
    TELL(P, file, struct file, .drop = file_drop)                                                  \
    TELL(P, no_more, struct no_more) /* the walker has no file left */                             \
    TELL(P, home, struct home, .drop = home_drop)                                                  \
    TELL(P, more, struct more) /* to itself: go on reading */
TR_PROTOCOL(reader, READER)

/* -- walker ----------------------------------------------------------------- */

struct next {
    reader_ref reader;
};

#define WALKER(P, TELL, ASK) TELL(P, next, struct next) /* answered with file or no_more */
TR_PROTOCOL(walker, WALKER)

/* -- tokeniser -------------------------------------------------------------- */

struct split {
    struct chunk *chunk; /* Arc, the only owner */
};
static inline void split_drop(struct split *m)
{
    tr_drop(m->chunk);
}

#define TOKENISER(P, TELL, ASK) TELL(P, split, struct split, .drop = split_drop)
TR_PROTOCOL(tokeniser, TOKENISER)
TR_TYPE(tokeniser_ref)

/* -- merge ------------------------------------------------------------------ */

struct reader_done {
};

/* The best words of one counter. */
struct top {
    struct ranking ranking;
    uint64_t distinct; /* words it has met, each once */
};
static inline void top_drop(struct top *m)
{
    ranking_fini(&m->ranking);
}

struct is_finished {
};
struct finished {
    bool yes;
};
struct take {
};

/*
 * `finished` is answered as soon as it is true. Asked with a timeout, its answer
 * may come too late and be dropped: so it only says that the result is there,
 * which can be asked again and again; `take` moves the result out, once.
 */
#define MERGE(P, TELL, ASK)                                                                        \
    TELL(P, reader_done, struct reader_done)                                                       \
    TELL(P, top, struct top, .drop = top_drop)                                                     \
    ASK(P, finished, struct is_finished, struct finished)                                          \
    ASK(P, take, struct take, struct top, .answer_drop = top_drop)
TR_PROTOCOL(merge, MERGE)

/* -- counter ---------------------------------------------------------------- */

/* The words of a chunk that belong to this counter. */
struct count {
    struct chunk *chunk; /* Arc, shared with the other counters */
    uint32_t first;      /* the head of a list of slices */
};
static inline void count_drop(struct count *m)
{
    tr_drop(m->chunk);
}

struct finish {
    merge_ref merge;
    size_t top; /* how many words to send */
};

#define COUNTER(P, TELL, ASK)                                                                      \
    TELL(P, count, struct count, .drop = count_drop)                                               \
    TELL(P, finish, struct finish) /* answered with top */
TR_PROTOCOL(counter, COUNTER)
TR_TYPE(counter_ref)

/* -- making them ------------------------------------------------------------ */

/*
 * Each spawns one actor and gives its address. Arrays of addresses are Arcs; like
 * every argument they stay the caller's, the actor takes a share of its own.
 */
tr_status spawn_counter(tr_system *system, struct tally *tally, counter_ref *ret_counter);
tr_status spawn_tokeniser(tr_system *system, counter_ref *counters, tokeniser_ref *ret_tokeniser);
tr_status spawn_merge(tr_system *system, counter_ref *counters, unsigned readers, size_t top,
                      merge_ref *ret_merge);
/* `paths` ends with NULL and must outlive the walker. */
tr_status spawn_walker(tr_system *system, char *const *paths, struct tally *tally,
                       walker_ref *ret_walker);
tr_status spawn_reader(tr_system *system, walker_ref walker, tokeniser_ref *tokenisers,
                       merge_ref merge, unsigned chunks, struct tally *tally,
                       reader_ref *ret_reader);

/* -- when something fails ---------------------------------------------------- */

/*
 * For what must work or words would be lost: a message that has to arrive, memory
 * that is needed. Unless status is TR_OK the actor fails, which main will see.
 */
void must(tr_ctx *ctx, tr_status status, const char *what);

#endif
