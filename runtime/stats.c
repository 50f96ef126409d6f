/*
 * stats - reading the counters of a running system
 *
 * Everything read here has one writer and is read relaxed, word by word: a
 * statistic orders nothing, and no hot path pays for being watched. The walk
 * over the slots looks at live pids only and holds no actor: what it reads of
 * one that ends meanwhile is a moment's blur.
 */
#include "runtime/system_block.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/mem/clock.h>

/* relaxed: see the head of this file, for every read of a counter here */
#define READ(counter) tr_load_relaxed(&(counter))

typedef struct kind {
    const tr_behaviour *behaviour;
    tr_kind_stats stats;
} kind;

typedef struct kind_table {
    kind *kinds;
    size_t count;
    size_t capacity;
    uint64_t queued; /* of all kinds */
} kind_table;

static kind *find_kind(kind_table *table, const tr_behaviour *behaviour)
{
    for (size_t i = table->count; i-- > 0;)
        if (table->kinds[i].behaviour == behaviour)
            return &table->kinds[i];
    if (table->count == table->capacity) {
        size_t capacity = table->capacity != 0 ? table->capacity * 2 : 16;
        kind *grown = realloc(table->kinds, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        table->kinds = grown;
        table->capacity = capacity;
    }
    kind *added = &table->kinds[table->count++];
    memset(added, 0, sizeof *added);
    added->behaviour = behaviour;
    strncpy(added->stats.name, behaviour->name, sizeof added->stats.name - 1);
    return added;
}

static int more_actors_first(const void *a, const void *b)
{
    const kind *x = a, *y = b;
    return x->stats.actors != y->stats.actors ? (x->stats.actors < y->stats.actors ? 1 : -1)
                                              : strcmp(x->stats.name, y->stats.name);
}

/* All live actors by behaviour. What memory does not suffice for is left out. */
static void count_kinds(tr_system *system, kind_table *table)
{
    memset(table, 0, sizeof *table);
    /* edge slots-used (acquire): with refill_fresh in slots.c */
    uint32_t used = tr_load_acquire(&system->slots.used);
    for (uint32_t i = 1; i < used; i++) {
        tri_actor *actor = &system->slots.base[i];
        /* edge pid (acquire): with tr_spawn; carries the behaviour */
        if (tr_load_acquire(&actor->pid) == 0)
            continue;
        uint64_t queued = tri_mailbox_backlog(actor);
        table->queued += queued;
        kind *found = find_kind(table, READ(actor->behaviour));
        if (found == NULL)
            continue;
        found->stats.actors++;
        found->stats.queued += queued;
        if (queued > found->stats.longest)
            found->stats.longest = queued;
    }
    if (table->count != 0)
        qsort(table->kinds, table->count, sizeof *table->kinds, more_actors_first);
}

void tr_system_get_stats(tr_system *system, tr_system_stats *ret_stats)
{
    tr_system_stats stats = { .workers = system->worker_count };
    memcpy(stats.name, system->name, sizeof stats.name);
    stats.uptime = tr_now() - system->started;
    stats.spawned = READ(system->outside_spawned);
    stats.dead_letters = READ(system->outside_dead_letters);
    stats.injected = tri_inject_length(&system->inject);
    for (unsigned i = 0; i < system->worker_count; i++) {
        tri_counters *counters = &system->workers[i].counters;
        /* ended before spawned: so that never more end than were spawned */
        stats.ended += READ(counters->ended);
        stats.spawned += READ(counters->spawned);
        stats.messages += READ(counters->messages);
        stats.dead_letters += READ(counters->dead_letters);
        stats.panics += READ(counters->panics);
    }
    stats.actors = stats.spawned > stats.ended ? stats.spawned - stats.ended : 0;
    kind_table table;
    count_kinds(system, &table);
    stats.kinds = (uint32_t)table.count;
    stats.queued = table.queued;
    free(table.kinds);
    tr_pool_get_stats(&stats.memory);
    *ret_stats = stats;
}

tr_status tr_system_get_worker_stats(tr_system *system, unsigned index, tr_worker_stats *ret_stats)
{
    if (index >= system->worker_count)
        return TR_INVALID;
    tri_worker *worker = &system->workers[index];
    tri_counters *counters = &worker->counters;
    *ret_stats = (tr_worker_stats){
        .state = (tr_worker_state)READ(counters->state),
        .queue = tri_run_queue_length(&worker->queue) + (uint32_t)READ(worker->claimed_count),
        .activations = READ(counters->activations),
        .messages = READ(counters->messages),
        .sent = READ(counters->sent),
        .spawned = READ(counters->spawned),
        .ended = READ(counters->ended),
        .panics = READ(counters->panics),
        .stolen = READ(counters->stolen),
        .parks = READ(counters->parks),
        .wakes = READ(counters->wakes),
    };
    return TR_OK;
}

size_t tr_system_get_kind_stats(tr_system *system, tr_kind_stats *ret_kinds, size_t capacity)
{
    kind_table table;
    count_kinds(system, &table);
    size_t n = table.count < capacity ? table.count : capacity;
    for (size_t i = 0; i < n; i++)
        ret_kinds[i] = table.kinds[i].stats;
    free(table.kinds);
    return n;
}
