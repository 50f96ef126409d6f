/*
 * stat_table - the report of `troupe stat` for people
 *
 *   name  pid 12345  up 3 min 20 s
 *     messages   12.3 M/s              1.23 G handled        12 queued
 *
 *     worker  state       messages   share   queue ...
 *          0  running     6.1 M/s    50.0%      12
 *
 *     kind                                             actors    queued   longest
 *     counter                                               1         0         0
 *
 * Columns of text are cut where they would break the 80 columns.
 */
#include "stat.h"

#include <string.h>

#include "format.h"

#define KINDS_SHOWN 12u

static void print_title(const snapshot *s)
{
    if (strcmp(s->system.name, s->header.program) == 0)
        (void)printf("%s", s->system.name);
    else
        (void)printf("%.30s (%.14s)", s->system.name, s->header.program);
    (void)printf("  pid %ld", (long)s->header.pid);
    if (s->header.index != 0)
        (void)printf("/%u", s->header.index);
}

static void print_cell(const char *value, const char *what)
{
    (void)printf("%11s %-11s", value, what);
}

/* A row: its label and three cells; the last needs no blanks behind it. */
static void print_label(const char *label)
{
    (void)printf("  %-9s", label);
}

static void print_last_cell(const char *value, const char *what)
{
    (void)printf("%11s %s\n", value, what);
}

static formatted rate_or_dash(const stat_row *row, uint64_t before, uint64_t now)
{
    return stat_row_has_rates(row) ? format_rate(stat_row_rate(row, before, now))
                                   : (formatted){ "-" };
}

static void print_totals(const stat_row *row)
{
    const tr_system_stats *now = &row->now->system;
    const tr_system_stats *before = row->before != NULL ? &row->before->system : now;
    const uint64_t allocs = now->memory.allocs + now->memory.large_allocs;
    const uint64_t allocs_before = before->memory.allocs + before->memory.large_allocs;

    print_label("messages");
    print_cell(rate_or_dash(row, before->messages, now->messages).text, "");
    print_cell(format_count(now->messages).text, "handled");
    print_last_cell(format_count(now->queued).text, "queued");
    print_label("actors");
    print_cell(format_count(now->actors).text, "alive");
    print_cell(format_count(now->spawned).text, "spawned");
    print_last_cell(format_count(now->ended).text, "ended");
    print_label("trouble");
    print_cell(format_count(now->panics).text, "panics");
    print_cell(format_count(now->dead_letters).text, "dead letters");
    (void)putchar('\n');
    print_label("memory");
    print_cell(format_count(snapshot_live_blocks(row->now)).text, "blocks");
    print_cell(format_bytes(now->memory.chunk_bytes).text, "mapped");
    print_last_cell(rate_or_dash(row, allocs_before, allocs).text, "allocated");
}

/* -- workers --------------------------------------------------------------------- */

static formatted rate_or_total(const stat_row *row, uint64_t before, uint64_t now)
{
    return stat_row_has_rates(row) ? format_rate(stat_row_rate(row, before, now))
                                   : format_count(now);
}

static uint64_t messages_of(const stat_row *row, uint32_t i)
{
    static const tr_worker_stats none;
    const tr_worker_stats *before = stat_row_worker_before(row, i);
    return stat_growth((before != NULL ? before : &none)->messages, row->now->workers[i].messages);
}

static void print_worker(const stat_row *row, uint32_t i, uint64_t all_messages)
{
    static const tr_worker_stats none;
    const tr_worker_stats *now = &row->now->workers[i];
    const tr_worker_stats *before = stat_row_worker_before(row, i);
    if (before == NULL)
        before = &none;
    (void)printf("  %6u  %-9s%12s%8s%8s%11s%11s%11s\n", i, stat_worker_state(now->state),
                 rate_or_total(row, before->messages, now->messages).text,
                 format_share(messages_of(row, i), all_messages).text,
                 format_count(now->queue).text,
                 rate_or_total(row, before->stolen, now->stolen).text,
                 rate_or_total(row, before->parks, now->parks).text,
                 rate_or_total(row, before->wakes, now->wakes).text);
}

static void print_workers(const stat_row *row)
{
    uint64_t all_messages = 0;
    for (uint32_t i = 0; i < row->now->header.workers; i++)
        all_messages += messages_of(row, i);
    (void)printf("\n  %6s  %-9s%12s%8s%8s%11s%11s%11s\n", "worker", "state", "messages", "share",
                 "queue", "stolen", "parks", "wakes");
    for (uint32_t i = 0; i < row->now->header.workers; i++)
        print_worker(row, i, all_messages);
}

/* -- kinds ------------------------------------------------------------------------ */

/* Where messages wait comes first; then where the actors are. */
static int compare_kinds(const void *left, const void *right)
{
    const tr_kind_stats *a = left, *b = right;
    if (a->queued != b->queued)
        return a->queued > b->queued ? -1 : 1;
    if (a->actors != b->actors)
        return a->actors > b->actors ? -1 : 1;
    return strcmp(a->name, b->name);
}

static void print_kinds(const snapshot *s)
{
    tr_kind_stats kinds[TRI_STATS_MAX_KINDS];
    const uint32_t count = s->header.kinds;
    if (count == 0)
        return;
    memcpy(kinds, s->kinds, count * sizeof(*kinds));
    qsort(kinds, count, sizeof(*kinds), compare_kinds);
    (void)printf("\n  %-48s%10s%10s%10s\n", "kind", "actors", "queued", "longest");
    for (uint32_t i = 0; i < count && i < KINDS_SHOWN; i++)
        (void)printf("  %-48s%10s%10s%10s\n", kinds[i].name, format_count(kinds[i].actors).text,
                     format_count(kinds[i].queued).text, format_count(kinds[i].longest).text);
    const uint32_t all = s->system.kinds > count ? s->system.kinds : count;
    if (all > KINDS_SHOWN)
        (void)printf("  ... and %u more kinds%s\n", all - KINDS_SHOWN,
                     count == all ? " (all of them with --json)" : "");
}

/* ---------------------------------------------------------------------------------- */

static void print_row(const stat_row *row)
{
    const snapshot *s = stat_row_latest(row);
    print_title(s);
    if (row->now == NULL) {
        (void)printf("  ended after %s\n", format_duration(s->system.uptime).text);
        return;
    }
    (void)printf("  up %s\n", format_duration(s->system.uptime).text);
    print_totals(row);
    print_workers(row);
    print_kinds(s);
}

void stat_print_table(const stat_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            (void)putchar('\n');
        print_row(&rows[i]);
    }
}
