/*
 * messages - what the channel tests send: typed channels, counted drops
 */
#ifndef TROUPE_TESTS_CHANNELS_MESSAGES_H
#define TROUPE_TESTS_CHANNELS_MESSAGES_H

#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/channels/channel.h>
#include <troupe/mem/atomic.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/panic.h>

typedef TR_ATOMIC(uint64_t) counter;

static inline uint64_t value_of(counter *c)
{
    return tr_load_seq_cst(c);
}

static inline void bump(counter *c)
{
    tr_fetch_add_seq_cst(c, 1);
}

static inline void set(counter *c, uint64_t value)
{
    tr_store_seq_cst(c, value);
}

/* A message that owns something: made and dropped exactly once. */
typedef struct parcel {
    uint64_t n;
    uint64_t weight; /* 1 while alive */
} parcel;

static counter parcels_made, parcels_dropped, parcels_wrong;

static inline parcel parcel_make(uint64_t n)
{
    bump(&parcels_made);
    return (parcel){ .n = n, .weight = 1 };
}

static inline void parcel_drop(parcel *p)
{
    if (p->weight != 1)
        bump(&parcels_wrong);
    p->weight = 0;
    bump(&parcels_dropped);
}

static inline uint64_t parcels_alive(void)
{
    return value_of(&parcels_made) - value_of(&parcels_dropped);
}

TR_TYPE(parcel, .drop = parcel_drop)

typedef struct nothing {
} nothing;
TR_TYPE(nothing)

typedef struct page {
    unsigned char bytes[32 * 1024];
} page;
TR_TYPE(page)

TR_CHANNEL(ints, int)
TR_CHANNEL(longs, uint64_t)
TR_CHANNEL(parcels, parcel)
TR_CHANNEL(nothings, nothing)
TR_CHANNEL(pages, page)

/*
 * Work for so long. A party that waits spins for some microseconds before it
 * sleeps: lingering for longer makes the other side of a stress test park, or its
 * deadline pass.
 */
static inline void linger(uint64_t ns)
{
    const uint64_t end = tr_now() + ns;
    while (tr_now() < end)
        tr_cpu_relax();
}

/* The capacities that behave differently. */
static const size_t capacities[] = { 0, 1, 2, 3, TR_UNBOUNDED };
#define CAPACITIES (sizeof capacities / sizeof capacities[0])

static inline int messages_setup(void **state)
{
    set(&parcels_made, 0);
    set(&parcels_dropped, 0);
    set(&parcels_wrong, 0);
    return test_setup(state);
}

/* A test that starts with the counts at 0. */
#define CASE(f) cmocka_unit_test_setup_teardown(f, messages_setup, test_teardown)

#endif
