/*
 * ranking - the best N of any number of words
 *
 *     offer, offer, offer ... sort: words[0 .. count)
 *
 * It owns the words it is offered; those that cannot be among the best N are
 * destroyed on the way, so it never holds more than twice N.
 *
 * Threads  one owner at a time; it moves bytewise.
 * Progress an offer is amortised O(log N).
 */
#ifndef RANKING_H
#define RANKING_H

#include "word.h"

struct ranking {
    struct word **words;
    size_t count;
    size_t capacity;
    size_t limit;             /* N */
    const struct word *worst; /* of N that are better than whatever was destroyed; or NULL */
};

static inline struct ranking ranking_of(size_t limit)
{
    return (struct ranking){ .limit = limit };
}

/* TR_NOMEM: the caller keeps the word. */
TR_MUST_USE tr_status ranking_offer(struct ranking *ranking, struct word *word);

/* Take all words of `from`, which is left empty. TR_NOMEM: some are still there. */
TR_MUST_USE tr_status ranking_merge(struct ranking *ranking, struct ranking *from);

/* Put the best N in order; the others are gone. */
void ranking_sort(struct ranking *ranking);

/* Destroy the words that are left. */
void ranking_fini(struct ranking *ranking);

#endif
