/*
 * word - a word and how often it was met
 *
 *     | count | text | length | hash | t h e |      one block, text points behind
 *
 * Threads  one owner at a time.
 */
#ifndef WORD_H
#define WORD_H

#include <troupe/troupe.h>

struct word {
    uint64_t count;
    const char *text; /* not ended by 0 */
    uint32_t length;
    uint32_t hash;
};

/* A new word with this text, hash and count; NULL when there is no memory. */
struct word *word_create(const char *text, uint32_t length, uint32_t hash, uint64_t count);
void word_destroy(struct word *word);

/* Have both the same text? */
bool word_eq(const struct word *a, const struct word *b);

/* The order of the report: below 0 when a comes first, that is has the higher
 * count, or the same and the smaller text, byte by byte. */
int word_compare(const struct word *a, const struct word *b);

#endif
