/*
 * table - the words one counter has met
 *
 * A concurrencykit hash set of words, used by its one owner alone.
 */
#ifndef TABLE_H
#define TABLE_H

#include <ck_hs.h>

#include "ranking.h"

struct table {
    ck_hs_t set;
};

/* TR_NOMEM. The table must not move afterwards. */
TR_MUST_USE tr_status table_init(struct table *table);

/* The number of different words in it. */
uint64_t table_count(struct table *table);

/* Count `times` more of this word. TR_NOMEM: it was not counted. */
TR_MUST_USE tr_status table_add(struct table *table, const char *text, uint32_t length,
                                uint32_t hash, uint64_t times);

/* Move every word into the ranking; that is the end of the table. TR_NOMEM: some
 * of the words are lost. */
TR_MUST_USE tr_status table_rank(struct table *table, struct ranking *ranking);

/* Destroy the table with its words, if it has not come to its end yet. */
void table_fini(struct table *table);

#endif
