/*
 * report - summaries as a line, as a table, as JSON; docs/bench.md names the fields
 *
 * The table's columns are as wide as what is in them, so that it can be pasted
 * anywhere.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tools/troupe/format.h"

/* -- for people ---------------------------------------------------------------------- */

enum { COLUMNS = 8, CELL = 48 };

typedef struct table_row {
    char cells[COLUMNS][CELL];
} table_row;

static const table_row heading = {
    { "name", "ns/op", "min", "max", "op", "seconds", "peak", "check" },
};

static void print_ns(const bench_summary *s, uint64_t duration, char cell[CELL])
{
    (void)snprintf(cell, CELL, "%.1f", bench_ns_per_op(s, duration));
}

static void fill_row(const bench_summary *s, table_row *row)
{
    (void)snprintf(row->cells[0], CELL, "%s", s->workload->name);
    print_ns(s, s->median, row->cells[1]);
    print_ns(s, s->min, row->cells[2]);
    print_ns(s, s->max, row->cells[3]);
    (void)snprintf(row->cells[4], CELL, "%s", s->workload->op);
    (void)snprintf(row->cells[5], CELL, "%.3f", (double)s->median / 1e9);
    (void)snprintf(row->cells[6], CELL, "%s", format_bytes(s->peak_rss).text);
    (void)snprintf(row->cells[7], CELL, "%s", s->ok ? "ok" : "WRONG");
    if (s->bytes_per_actor > 0)
        (void)snprintf(row->cells[7], CELL, "%s, %.0f B per actor", s->ok ? "ok" : "WRONG",
                       s->bytes_per_actor);
}

static void widen(int widths[COLUMNS], const table_row *row)
{
    for (int i = 0; i < COLUMNS; i++) {
        const int width = (int)strlen(row->cells[i]);
        if (width > widths[i])
            widths[i] = width;
    }
}

/* Numbers to the right, words to the left; the last column is not padded. */
static void print_row(const int widths[COLUMNS], const table_row *row)
{
    static const bool is_word[COLUMNS] = { [0] = true, [4] = true };
    for (int i = 0; i < COLUMNS - 1; i++)
        (void)printf("%*s  ", is_word[i] ? -widths[i] : widths[i], row->cells[i]);
    (void)puts(row->cells[COLUMNS - 1]);
}

void bench_print_table(const bench_summary *summaries, size_t count)
{
    int widths[COLUMNS] = { 0 };
    table_row row;
    widen(widths, &heading);
    for (size_t i = 0; i < count; i++) {
        fill_row(&summaries[i], &row);
        widen(widths, &row);
    }
    print_row(widths, &heading);
    for (size_t i = 0; i < count; i++) {
        fill_row(&summaries[i], &row);
        print_row(widths, &row);
    }
}

void bench_print_line(const bench_summary *s)
{
    (void)printf("%s: %.1f ns per %s", s->workload->name, bench_ns_per_op(s, s->median),
                 s->workload->op);
    if (s->options.repeat > 1)
        (void)printf(" (median of %u, %.1f to %.1f)", s->options.repeat, bench_ns_per_op(s, s->min),
                     bench_ns_per_op(s, s->max));
    (void)printf(", %llu in %.3f s, %u worker%s, peak %s", (unsigned long long)s->ops,
                 (double)s->median / 1e9, s->options.workers, s->options.workers == 1 ? "" : "s",
                 format_bytes(s->peak_rss).text);
    if (s->bytes_per_actor > 0)
        (void)printf(", %.0f B per actor", s->bytes_per_actor);
    (void)printf(", %s\n", s->ok ? "ok" : "WRONG");
}

/* -- for programs ---------------------------------------------------------------------- */

static void add(struct json_object *to, const char *name, struct json_object *value)
{
    if (value != NULL && json_object_object_add(to, name, value) == 0)
        return;
    (void)fputs("troupe: out of memory\n", stderr);
    exit(1);
}

static void add_text(struct json_object *to, const char *name, const char *text)
{
    add(to, name, json_object_new_string(text));
}

static void add_number(struct json_object *to, const char *name, uint64_t n)
{
    add(to, name, json_object_new_uint64(n));
}

/* The default is 17 digits, most of them noise. */
static void add_real(struct json_object *to, const char *name, int decimals, double number)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*f", decimals, number);
    add(to, name, json_object_new_double_s(number, text));
}

static struct json_object *describe(const bench_summary *s)
{
    struct json_object *object = json_object_new_object();
    add_text(object, "name", s->workload->name);
    add_text(object, "op", s->workload->op);
    add_real(object, "ns_per_op", 2, bench_ns_per_op(s, s->median));
    add_real(object, "ns_per_op_min", 2, bench_ns_per_op(s, s->min));
    add_real(object, "ns_per_op_max", 2, bench_ns_per_op(s, s->max));
    add_number(object, "repeat", s->options.repeat);
    add_number(object, "ops", s->ops);
    add_number(object, "workers", s->options.workers);
    add_real(object, "size", 6, s->options.size);
    add_real(object, "seconds", 9, (double)s->median / 1e9);
    add_number(object, "peak_rss_bytes", s->peak_rss);
    if (s->bytes_per_actor > 0)
        add_real(object, "bytes_per_actor", 1, s->bytes_per_actor);
    add_text(object, "check", s->check);
    return object;
}

static void print_and_free(struct json_object *object)
{
    const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
    if (text == NULL) {
        (void)fputs("troupe: out of memory\n", stderr);
        exit(1);
    }
    (void)puts(text);
    (void)json_object_put(object);
}

void bench_print_json(const bench_summary *summary)
{
    print_and_free(describe(summary));
}

void bench_print_json_array(const bench_summary *summaries, size_t count)
{
    struct json_object *array = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        if (json_object_array_add(array, describe(&summaries[i])) == 0)
            continue;
        (void)fputs("troupe: out of memory\n", stderr);
        exit(1);
    }
    print_and_free(array);
}
