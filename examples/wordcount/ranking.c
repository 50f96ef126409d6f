/*
 * ranking - the best N of any number of words
 *
 *     words  | best N, after a cut | newcomers, up to N |
 *                                ^ worst
 *
 * When the array holds 2 N words it is sorted and cut to N. From then on a word
 * that is no better than the worst of these is turned away at once.
 */
#include "ranking.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static int by_rank(const void *a, const void *b)
{
    return word_compare(*(struct word *const *)a, *(struct word *const *)b);
}

void ranking_sort(struct ranking *ranking)
{
    if (ranking->count > 1)
        qsort(ranking->words, ranking->count, sizeof *ranking->words, by_rank);
    while (ranking->count > ranking->limit)
        word_destroy(ranking->words[--ranking->count]);
    const bool is_cut = ranking->count > 0 && ranking->count == ranking->limit;
    ranking->worst = is_cut ? ranking->words[ranking->count - 1] : NULL;
}

static tr_layout layout_for(size_t capacity)
{
    return (tr_layout){ .size = capacity * sizeof(struct word *),
                        .align = _Alignof(struct word *) };
}

static tr_status grow(struct ranking *ranking)
{
    const size_t capacity = ranking->capacity == 0 ? FIRST_CAPACITY : ranking->capacity * 2;
    struct word **words =
        ranking->capacity == 0
            ? tr_alloc(layout_for(capacity))
            : tr_realloc(ranking->words, layout_for(ranking->capacity), layout_for(capacity).size);
    if (words == NULL)
        return TR_NOMEM;
    ranking->words = words;
    ranking->capacity = capacity;
    return TR_OK;
}

tr_status ranking_offer(struct ranking *ranking, struct word *word)
{
    if (ranking->limit == 0 || (ranking->worst != NULL && word_compare(word, ranking->worst) > 0)) {
        word_destroy(word);
        return TR_OK;
    }
    /* Not count == 2 * limit, which may not exist. */
    if (ranking->count >= FIRST_CAPACITY && ranking->count / 2 >= ranking->limit)
        ranking_sort(ranking);
    if (ranking->count == ranking->capacity) {
        const tr_status status = grow(ranking);
        if (status != TR_OK)
            return status;
    }
    ranking->words[ranking->count++] = word;
    return TR_OK;
}

tr_status ranking_merge(struct ranking *ranking, struct ranking *from)
{
    while (from->count > 0) {
        const tr_status status = ranking_offer(ranking, from->words[from->count - 1]);
        if (status != TR_OK)
            return status;
        from->count--;
    }
    ranking_fini(from);
    return TR_OK;
}

void ranking_fini(struct ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++)
        word_destroy(ranking->words[i]);
    if (ranking->capacity > 0)
        tr_dealloc(ranking->words, layout_for(ranking->capacity));
    *ranking = (struct ranking){ .limit = ranking->limit };
}
