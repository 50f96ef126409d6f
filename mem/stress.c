/*
 * stress - seeded yields before each access through the atomics door
 *
 *     tr_load_acquire(p) -> tri_stress_point -> once in 16: sched_yield
 *
 * A bug that needs a thread to stop between two given accesses shows itself once
 * in a million runs on an idle machine, and every few runs here. Empty without
 * -Dstress=true.
 *
 * Invariants
 *  1. A thread's stream follows from the seed and the thread's number alone;
 *     threads are numbered by their first access after the seed was set, so a
 *     test that starts its threads one by one replays each thread's yields.
 *  2. The streams of two threads differ for every seed (the mix is a bijection
 *     of seed + number times an odd constant).
 */
#include "mem/stress.h"

#ifdef TR_STRESS

#include <sched.h>
#include <stdlib.h>
#include <time.h>

/* This file is behind the door: its own accesses must not yield. */
#undef TR_ATOMIC_POINT_
#define TR_ATOMIC_POINT_() ((void)0)

#define YIELD_ONCE_IN 16u

/* A seed is set, or taken from the environment by the first thread that looks. */
static TR_ATOMIC(uint64_t) seed_word = TR_ATOMIC_INIT(0);
static TR_ATOMIC(uint64_t) threads = TR_ATOMIC_INIT(0);

static _Thread_local uint64_t stream; /* 0: not started */

/* splitmix64's finaliser: every bit of the argument moves every bit. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t seed_of_clock(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return mix((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) | 1;
}

static uint64_t seed_of_environment(void)
{
    const char *text = getenv("TROUPE_SEED");
    const uint64_t seed = text != NULL ? strtoull(text, NULL, 0) : 0;
    return seed != 0 ? seed : seed_of_clock();
}

static uint64_t load_seed(void)
{
    uint64_t seed = tr_load_relaxed(&seed_word); /* relaxed: one word says it all */
    if (seed != 0)
        return seed;
    const uint64_t found = seed_of_environment();
    /* relaxed: as above; the first to come sets it for all */
    return tr_cas_relaxed(&seed_word, &seed, found) ? found : seed;
}

static void start_stream(uint64_t seed, uint64_t number)
{
    stream = mix(seed + number * UINT64_C(0x9e3779b97f4a7c15));
    if (stream == 0)
        stream = 1; /* xorshift stays at 0 */
}

void tr_stress_seed(uint64_t seed)
{
    if (seed == 0)
        seed = seed_of_clock();
    /* relaxed: the threads it is meant for are started after it */
    tr_store_relaxed(&seed_word, seed);
    tr_store_relaxed(&threads, 1); /* relaxed: as above; number 0 is the caller */
    start_stream(seed, 0);
}

void tri_stress_point(void)
{
    if (stream == 0) /* relaxed: only the numbers matter, each is given once */
        start_stream(load_seed(), tr_fetch_add_relaxed(&threads, 1));
    stream ^= stream << 13;
    stream ^= stream >> 7;
    stream ^= stream << 17;
    if (stream % YIELD_ONCE_IN == 0)
        (void)sched_yield();
}

uint64_t tri_stress_position(void)
{
    return stream;
}

#endif
