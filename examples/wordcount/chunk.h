/*
 * chunk - a piece of text on its way through the pipeline, and the words in it
 *
 *     text    | t h e 0 c a t 0 s a t 0 |       in lower case since the tokeniser, other bytes 0
 *               ^       ^       ^
 *     slices  | 0, 3  | 4, 3  | 8, 3  |         each with its hash and the next of its list
 *
 * The text ends at a word border, so that no word is ever in two chunks. The
 * slices travel along: the tokeniser notes there what it found, and nobody
 * allocates or copies anything for a word that has been met before.
 *
 * Threads  changed by its only owner, read by all who share it.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <sys/types.h>

#include "wordcount.h"

enum {
    CHUNK_BYTES = 64 * 1024,            /* of text; more for a longer word only */
    CHUNK_SLICES = CHUNK_BYTES / 2 + 2, /* see chunk.c, invariant 2 */
    FOLD_BLOCK = 64,                    /* more room behind the text, for the tokeniser */
};

/* No word is longer, so that an offset or a length is 32 bits. */
#define WORD_MAX ((size_t)UINT32_MAX - 1)

/* The end of a list of slices. */
#define NO_SLICE UINT32_MAX

struct slice {
    uint32_t hash;
    uint32_t offset; /* of a word in the text */
    uint32_t length;
    uint32_t count; /* how often it was found in this chunk */
    uint32_t next;  /* index of another slice for the same counter, or NO_SLICE */
};
typedef struct slice wc_slice;
TR_TYPE(wc_slice)

struct chunk {
    reader_ref home; /* the reader it belongs to */
    char *text;      /* capacity bytes, and FOLD_BLOCK more */
    size_t capacity;
    size_t length;        /* bytes of text in it */
    size_t tail;          /* letters at its end: a word that may go on */
    struct slice *slices; /* Box of CHUNK_SLICES */
    struct chunk *next;   /* at home: the next in the reader's stack */
};

static inline bool is_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

/* An empty chunk as a Box, or NULL when there is no memory. */
struct chunk *chunk_create(reader_ref home);

/* As read(2), into the room that is left; one call, CHUNK_BYTES at most. A signal,
 * or a descriptor that does not wait, is no error: it waits. */
TR_MUST_USE ssize_t chunk_read(struct chunk *chunk, int fd);

/* The file has ended, and with it the word. There must be room. */
void chunk_end_word(struct chunk *chunk);

/* Is it time to pass it on? No more fits in, or the one word it grew for is over. */
bool chunk_is_full(const struct chunk *chunk);

/* Move the letters at its end to the front of `next`, an empty chunk. */
void chunk_move_tail(struct chunk *chunk, struct chunk *next);

/* Double the capacity, up to WORD_MAX. TR_NOMEM; TR_LIMIT: it is that large. */
TR_MUST_USE tr_status chunk_grow(struct chunk *chunk);

/* Make it as it was when new: empty, of CHUNK_BYTES. */
void chunk_reset(struct chunk *chunk);

#endif
