/*
 * stat - one system in a report of `troupe stat`, and the two ways to show it
 *
 *   before  now
 *     x      x    it runs: numbers of now, rates between the two
 *     -      x    it has just started, or rates were not asked for
 *     x      -    it ended in between
 */
#ifndef TOOLS_TROUPE_STAT_H
#define TOOLS_TROUPE_STAT_H

#include "snapshot.h"

typedef struct stat_row {
    const snapshot *before;
    const snapshot *now;
} stat_row;

/* What to show: the present, else the last that was seen. */
static inline const snapshot *stat_row_latest(const stat_row *row)
{
    return row->now != NULL ? row->now : row->before;
}

static inline bool stat_row_has_rates(const stat_row *row)
{
    return row->before != NULL && row->now != NULL && row->now->header.taken > row->before->header.taken;
}

/* What a counter grew by; 0 for one that went back (a moment's blur, or a lie). */
static inline uint64_t stat_growth(uint64_t before, uint64_t now)
{
    return now > before ? now - before : 0;
}

/* Seconds between the two snapshots, by the system's clock. Only with rates. */
static inline double stat_row_seconds(const stat_row *row)
{
    return (double)(row->now->header.taken - row->before->header.taken) / 1e9;
}

static inline double stat_row_rate(const stat_row *row, uint64_t before, uint64_t now)
{
    return (double)stat_growth(before, now) / stat_row_seconds(row);
}

/* The same worker in the earlier snapshot. NULL: there is no such. */
static inline const tr_worker_stats *stat_row_worker_before(const stat_row *row, uint32_t i)
{
    return stat_row_has_rates(row) && i < row->before->header.workers ? &row->before->workers[i]
                                                                      : NULL;
}

/* "running", "searching", "parked"; "?" for a number that is none. */
const char *stat_worker_state(tr_worker_state state);

/* A table for people, 80 columns wide. */
void stat_print_table(const stat_row *rows, size_t count);

/* One line: an array of objects, as docs/stat.md names their fields. */
void stat_print_json(const stat_row *rows, size_t count);

#endif
