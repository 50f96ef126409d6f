/*
 * canary - a type whose drops are counted and logged, for the ownership tests
 *
 * Threads  dropped: any. The log is for tests on one thread.
 */
#ifndef TROUPE_TESTS_MEM_CANARY_H
#define TROUPE_TESTS_MEM_CANARY_H

#include <string.h>

#include <troupe/mem/atomic.h>
#include <troupe/mem/type.h>

static TR_ATOMIC(unsigned) canary_drops;
static TR_ATOMIC(unsigned) canary_clones;
static unsigned canary_clone_limit; /* clones that still succeed, see canary_clone */
static char canary_log[64];
static size_t canary_log_length;

typedef struct canary {
    char name;
    int value;
} canary;

static inline void canary_reset(void)
{
    tr_store_relaxed(&canary_drops, 0);  /* relaxed: before threads start */
    tr_store_relaxed(&canary_clones, 0); /* relaxed: before threads start */
    canary_clone_limit = 1000;
    canary_log_length = 0;
    canary_log[0] = '\0';
}

static inline unsigned canary_dropped(void)
{
    return tr_load_relaxed(&canary_drops); /* relaxed: read after a join */
}

static inline unsigned canary_cloned(void)
{
    return tr_load_relaxed(&canary_clones); /* relaxed: read after a join */
}

/* A canary without a name is not logged, so threads may drop it. */
static inline void canary_drop(canary *c)
{
    tr_fetch_add_relaxed(&canary_drops, 1); /* relaxed: a count */
    if (c->name != '\0' && canary_log_length + 1 < sizeof canary_log) {
        canary_log[canary_log_length++] = c->name;
        canary_log[canary_log_length] = '\0';
    }
}

static inline tr_status canary_clone(canary *copy, const canary *original)
{
    if (canary_cloned() >= canary_clone_limit)
        return TR_LIMIT;
    tr_fetch_add_relaxed(&canary_clones, 1); /* relaxed: a count */
    *copy = *original;
    return TR_OK;
}

TR_TYPE(canary, .drop = canary_drop, .clone = canary_clone)

#endif
