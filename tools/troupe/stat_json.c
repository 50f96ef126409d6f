/*
 * stat_json - the report of `troupe stat` for programs; docs/stat.md names each field
 *
 * Raw numbers: ns, bytes, counts since the start. Rates are null while there is
 * no earlier snapshot to compare with.
 */
#include "stat.h"

#include <json-c/json.h>

static void add(struct json_object *to, const char *name, struct json_object *value)
{
    if (json_object_object_add(to, name, value) == 0)
        return;
    (void)fputs("troupe: out of memory\n", stderr);
    exit(1);
}

static void add_number(struct json_object *to, const char *name, uint64_t n)
{
    add(to, name, json_object_new_uint64(n));
}

/* One decimal: the default is 17 digits of noise. */
static void add_rate(struct json_object *to, const char *name, const stat_row *row, uint64_t before,
                     uint64_t now)
{
    char text[64];
    const double rate = stat_row_rate(row, before, now);
    (void)snprintf(text, sizeof(text), "%.1f", rate);
    add(to, name, json_object_new_double_s(rate, text));
}

static struct json_object *describe_rates(const stat_row *row)
{
    if (!stat_row_has_rates(row))
        return NULL;
    const tr_system_stats *before = &row->before->system, *now = &row->now->system;
    struct json_object *rates = json_object_new_object();
    add_number(rates, "interval_ns", row->now->header.taken - row->before->header.taken);
    add_rate(rates, "messages", row, before->messages, now->messages);
    add_rate(rates, "spawned", row, before->spawned, now->spawned);
    add_rate(rates, "ended", row, before->ended, now->ended);
    add_rate(rates, "dead_letters", row, before->dead_letters, now->dead_letters);
    add_rate(rates, "panics", row, before->panics, now->panics);
    add_rate(rates, "allocs", row, before->memory.allocs + before->memory.large_allocs,
             now->memory.allocs + now->memory.large_allocs);
    return rates;
}

static struct json_object *describe_worker_rates(const stat_row *row, uint32_t i)
{
    const tr_worker_stats *before = stat_row_worker_before(row, i);
    if (before == NULL)
        return NULL;
    const tr_worker_stats *now = &row->now->workers[i];
    struct json_object *rates = json_object_new_object();
    add_rate(rates, "activations", row, before->activations, now->activations);
    add_rate(rates, "messages", row, before->messages, now->messages);
    add_rate(rates, "sent", row, before->sent, now->sent);
    add_rate(rates, "stolen", row, before->stolen, now->stolen);
    add_rate(rates, "parks", row, before->parks, now->parks);
    add_rate(rates, "wakes", row, before->wakes, now->wakes);
    return rates;
}

static struct json_object *describe_worker(const stat_row *row, uint32_t i)
{
    const tr_worker_stats *w = &stat_row_latest(row)->workers[i];
    struct json_object *worker = json_object_new_object();
    add_number(worker, "index", i);
    add(worker, "state", json_object_new_string(stat_worker_state(w->state)));
    add_number(worker, "queue", w->queue);
    add_number(worker, "activations", w->activations);
    add_number(worker, "messages", w->messages);
    add_number(worker, "sent", w->sent);
    add_number(worker, "spawned", w->spawned);
    add_number(worker, "ended", w->ended);
    add_number(worker, "panics", w->panics);
    add_number(worker, "stolen", w->stolen);
    add_number(worker, "parks", w->parks);
    add_number(worker, "wakes", w->wakes);
    add(worker, "rates", describe_worker_rates(row, i));
    return worker;
}

static struct json_object *describe_kind(const tr_kind_stats *k)
{
    struct json_object *kind = json_object_new_object();
    add(kind, "name", json_object_new_string(k->name));
    add_number(kind, "actors", k->actors);
    add_number(kind, "queued", k->queued);
    add_number(kind, "longest", k->longest);
    return kind;
}

static struct json_object *describe_memory(const snapshot *s)
{
    const tr_pool_stats *m = &s->system.memory;
    struct json_object *memory = json_object_new_object();
    add_number(memory, "live_blocks", snapshot_live_blocks(s));
    add_number(memory, "mapped_bytes", m->chunk_bytes);
    add_number(memory, "threads", m->threads);
    add_number(memory, "allocs", m->allocs);
    add_number(memory, "frees", m->frees);
    add_number(memory, "remote_frees", m->remote_frees);
    add_number(memory, "large_allocs", m->large_allocs);
    add_number(memory, "large_frees", m->large_frees);
    return memory;
}

static struct json_object *describe(const stat_row *row)
{
    const snapshot *s = stat_row_latest(row);
    struct json_object *system = json_object_new_object();
    add(system, "name", json_object_new_string(s->system.name));
    add(system, "program", json_object_new_string(s->header.program));
    add(system, "pid", json_object_new_int64(s->header.pid));
    add_number(system, "index", s->header.index);
    add(system, "ended_meanwhile", json_object_new_boolean(row->now == NULL));
    add_number(system, "uptime_ns", s->system.uptime);
    add_number(system, "actors", s->system.actors);
    add_number(system, "spawned", s->system.spawned);
    add_number(system, "ended", s->system.ended);
    add_number(system, "messages", s->system.messages);
    add_number(system, "queued", s->system.queued);
    add_number(system, "injected", s->system.injected);
    add_number(system, "dead_letters", s->system.dead_letters);
    add_number(system, "panics", s->system.panics);
    add(system, "memory", describe_memory(s));
    add(system, "rates", describe_rates(row));

    struct json_object *workers = json_object_new_array();
    for (uint32_t i = 0; i < s->header.workers; i++)
        (void)json_object_array_add(workers, describe_worker(row, i));
    add(system, "workers", workers);
    struct json_object *kinds = json_object_new_array();
    for (uint32_t i = 0; i < s->header.kinds; i++)
        (void)json_object_array_add(kinds, describe_kind(&s->kinds[i]));
    add(system, "kinds", kinds);
    add_number(system, "kinds_total", s->system.kinds);
    return system;
}

void stat_print_json(const stat_row *rows, size_t count)
{
    struct json_object *report = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        (void)json_object_array_add(report, describe(&rows[i]));
    (void)puts(json_object_to_json_string_ext(report, JSON_C_TO_STRING_PLAIN));
    (void)json_object_put(report);
}
