/*
 * The pools between threads: blocks freed elsewhere, threads that come and go,
 * and the sums that must come out when all is quiet.
 */
#include "mem/pool_blocks.h"
#include "tests/support/test.h"

#include <troupe/mem/pool.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifdef TR_POOLS_LIBC
enum { POOLS_LIBC = true };
#else
enum { POOLS_LIBC = false };
#endif

#define MIB (UINT64_C(1) << 20)

static tr_pool_stats stats_now(void)
{
    tr_pool_stats stats;
    tr_pool_get_stats(&stats);
    return stats;
}

static uint64_t live_blocks(tr_pool_stats stats)
{
    return stats.allocs - stats.frees - stats.remote_frees;
}

static tr_layout bytes(size_t size)
{
    return (tr_layout){ .size = size, .align = 8 };
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* -- one owner, one that frees -------------------------------------------- */

typedef struct handover {
    void **blocks;
    size_t count;
    size_t size;
} handover;

static void free_all(unsigned index, void *arg)
{
    (void)index;
    const handover *const given = arg;
    for (size_t i = 0; i < given->count; i++)
        tri_pool_dealloc(given->blocks[i], bytes(given->size));
}

static void alloc_all(unsigned index, void *arg)
{
    const handover *const wanted = arg;
    const size_t share = wanted->count;
    for (size_t i = index * share; i < (index + 1) * share; i++) {
        wanted->blocks[i] = tri_pool_alloc(bytes(wanted->size));
        if (wanted->blocks[i] != NULL)
            memset(wanted->blocks[i], (int)i, wanted->size);
    }
}

static void test_pool_blocks_freed_elsewhere_come_home(void **state)
{
    (void)state;
    enum { COUNT = 64 * 15 };
    handover given = { .blocks = calloc(COUNT, sizeof(void *)), .count = COUNT, .size = 1024 };
    tr_pool_flush();
    const tr_pool_stats start = stats_now();
    alloc_all(0, &given);
    const uint64_t chunks = stats_now().chunk_bytes;
    for (unsigned round = 0; round < 20; round++) {
        const tr_pool_stats before = stats_now();
        test_threads_run(1, free_all, &given);
        const tr_pool_stats after = stats_now();
        assert_int_equal(live_blocks(before) - live_blocks(after), COUNT);
        if (!POOLS_LIBC)
            assert_int_equal(after.remote_frees - before.remote_frees, COUNT);
        alloc_all(0, &given);
        assert_int_equal(stats_now().chunk_bytes, chunks); /* the same blocks again */
    }
    free_all(0, &given);
    tr_pool_flush();
    assert_int_equal(live_blocks(stats_now()), live_blocks(start));
    free(given.blocks);
}

/* -- threads that end ----------------------------------------------------- */

static void test_pool_blocks_outlive_their_thread(void **state)
{
    (void)state;
    enum { THREADS = 4, SHARE = 3000 };
    void **const blocks = calloc(THREADS * SHARE, sizeof(void *));
    handover made = { .blocks = blocks, .count = SHARE, .size = 200 };
    tr_pool_flush();
    const tr_pool_stats before = stats_now();
    test_threads_run(THREADS, alloc_all, &made);
    const tr_pool_stats between = stats_now();
    assert_int_equal(between.allocs - before.allocs, THREADS * SHARE);
    assert_int_equal(between.threads, before.threads);
    for (size_t i = 0; i < THREADS * SHARE; i++) {
        const unsigned char *const block = made.blocks[i];
        assert_non_null(block);
        assert_int_equal(block[0], (unsigned char)i);
        assert_int_equal(block[199], (unsigned char)i);
        tri_pool_dealloc(made.blocks[i], bytes(200));
    }
    tr_pool_flush();
    const tr_pool_stats after = stats_now();
    assert_int_equal(live_blocks(after), live_blocks(before));
    /* Who has ended keeps no memory; the freeing thread may have got a pool. */
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
    free(made.blocks);
}

static void test_pool_waits_for_the_next_thread(void **state)
{
    (void)state;
    enum { ROUNDS = 30, SHARE = 500 };
    handover made = { .blocks = calloc(SHARE, sizeof(void *)), .count = SHARE, .size = 64 };
    for (unsigned round = 0; round < ROUNDS; round++) { /* live blocks at each end */
        const tr_pool_stats before = stats_now();
        test_threads_run(1, alloc_all, &made);
        test_threads_run(1, free_all, &made);
        const tr_pool_stats after = stats_now();
        assert_int_equal(live_blocks(after), live_blocks(before));
        assert_int_equal(after.threads, before.threads);
        if (!POOLS_LIBC) /* the second thread had the first one's pool */
            assert_int_equal(after.frees - before.frees, SHARE);
        assert_int_equal(after.chunk_bytes, before.chunk_bytes);
    }
    free(made.blocks);
}

static void burst_on_thread(unsigned index, void *arg)
{
    (void)index;
    uint64_t *const ret_peak_and_rest = arg;
    const uint64_t before = stats_now().chunk_bytes;
    const size_t n = test_scale(100000);
    void **const blocks = calloc(n, sizeof *blocks);
    for (size_t i = 0; i < n; i++)
        blocks[i] = tri_pool_alloc(bytes(64));
    ret_peak_and_rest[0] = stats_now().chunk_bytes - before;
    for (size_t i = 0; i < n; i++)
        tri_pool_dealloc(blocks[i], bytes(64));
    tr_pool_flush();
    ret_peak_and_rest[1] = stats_now().chunk_bytes - before;
    free(blocks);
}

static void test_pool_burst_leaves_one_chunk_and_thread_end_none(void **state)
{
    (void)state;
    uint64_t peak_and_rest[2] = { 0, 0 };
    const uint64_t before = stats_now().chunk_bytes;
    test_threads_run(1, burst_on_thread, peak_and_rest);
    assert_int_equal(stats_now().chunk_bytes, before);
    if (POOLS_LIBC)
        return;
    assert_true(peak_and_rest[0] >= test_scale(100000) * 64);
    assert_int_equal(peak_and_rest[1], MIB);
}

/* -- after the pool's own destructor -------------------------------------- */

/* The rounds that the system grants. In the last one ThreadSanitizer has already
 * forgotten the thread: there no instrumented code may run. */
#if defined(__SANITIZE_THREAD__)
enum { LATE_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
enum { LATE_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };
#else
enum { LATE_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif
#else
enum { LATE_ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif

static pthread_key_t late_key;
static TR_ATOMIC(unsigned) late_rounds;
static TR_ATOMIC(unsigned) late_wrong;

/* Runs in each round, each time after the pools' destructor: frees what the
 * thread made before, makes a new one. */
static void late_destructor(void *block)
{
    /* relaxed, all three: read after the join */
    if (*(unsigned char *)block != 42)
        tr_fetch_add_relaxed(&late_wrong, 1u);
    tri_pool_dealloc(block, bytes(48));
    void *const large = tri_pool_alloc(bytes(5000));
    if (large == NULL)
        tr_fetch_add_relaxed(&late_wrong, 1u);
    else
        tri_pool_dealloc(large, bytes(5000));
    if (tr_fetch_add_relaxed(&late_rounds, 1u) % LATE_ROUNDS == LATE_ROUNDS - 1)
        return;
    unsigned char *const next = tri_pool_alloc(bytes(48));
    *next = 42;
    pthread_setspecific(late_key, next);
}

static void leave_late_block(unsigned index, void *arg)
{
    (void)index;
    (void)arg;
    unsigned char *const block = tri_pool_alloc(bytes(48));
    *block = 42;
    pthread_setspecific(late_key, block);
}

static void test_pool_blocks_in_late_destructors_are_not_lost(void **state)
{
    (void)state;
    /* The pools' key is older than this one, so its destructor comes first. */
    tri_pool_dealloc(tri_pool_alloc(bytes(16)), bytes(16));
    assert_int_equal(pthread_key_create(&late_key, late_destructor), 0);
    tr_pool_flush();
    const tr_pool_stats before = stats_now();
    for (unsigned i = 0; i < 10; i++)
        test_threads_run(1, leave_late_block, NULL);
    tr_pool_flush();
    const tr_pool_stats after = stats_now();
    assert_int_equal(tr_load_relaxed(&late_rounds), 10 * LATE_ROUNDS); /* relaxed: joined */
    assert_int_equal(tr_load_relaxed(&late_wrong), 0);   /* relaxed: joined */
    assert_int_equal(live_blocks(after), live_blocks(before));
    assert_int_equal(after.large_allocs - before.large_allocs, 10 * LATE_ROUNDS);
    assert_int_equal(after.large_frees - before.large_frees, 10 * LATE_ROUNDS);
    assert_int_equal(after.threads, before.threads);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
    pthread_key_delete(late_key);
}

/* -- everything at once --------------------------------------------------- */

#define PLACES 512

/* Blocks on the table: any thread takes what lies there and leaves its own. */
typedef struct stress {
    TR_ATOMIC(unsigned char *) table[PLACES];
    TR_ATOMIC(unsigned) wrong;
    TR_ATOMIC(uint64_t) made; /* blocks that were handed out */
    uint64_t seed;
    size_t rounds;
} stress;

/* A block says its own size, then repeats its number. */
static unsigned char *stress_make(uint64_t number)
{
    const size_t size = 4 + number % 1100;
    unsigned char *const block = tri_pool_alloc(bytes(size));
    if (block == NULL)
        return NULL;
    block[0] = (unsigned char)size;
    block[1] = (unsigned char)(size >> 8);
    memset(block + 2, (int)(number >> 16 & 0xff), size - 2);
    return block;
}

static bool stress_check_and_free(unsigned char *block)
{
    const size_t size = block[0] | (size_t)block[1] << 8;
    bool right = size >= 4 && size < 4 + 1100;
    for (size_t i = 3; right && i < size; i++)
        right = block[i] == block[2];
    if (right)
        tri_pool_dealloc(block, bytes(size));
    return right;
}

static void stress_run(unsigned index, void *arg)
{
    stress *const s = arg;
    uint64_t seed = s->seed + index * UINT64_C(0x9e3779b97f4a7c15) + 1;
    uint64_t made = 0;
    for (size_t i = 0; i < s->rounds; i++) {
        const uint64_t number = next_random(&seed);
        unsigned char *block = i % 8 == 7 ? NULL : stress_make(number);
        made += block != NULL;
        /* edge table (release, acquire): with itself; carries the block */
        block = tr_swap_acq_rel(&s->table[number >> 32 & (PLACES - 1)], block);
        if (block != NULL && !stress_check_and_free(block))
            tr_fetch_add_relaxed(&s->wrong, 1u); /* relaxed: read after the join */
        if (number >> 52 == 0)
            tr_pool_flush();
    }
    tr_fetch_add_relaxed(&s->made, made); /* relaxed: read after the join */
}

static void test_pool_random_lifetimes_many_owners_all_come_home(void **state)
{
    (void)state;
    enum { THREADS = 6, GENERATIONS = 6 };
    static stress s;
    s.rounds = test_scale(40000);
    tr_pool_flush();
    const tr_pool_stats before = stats_now();
    for (unsigned g = 0; g < GENERATIONS; g++) { /* each lives on the blocks of the last */
        s.seed = g + 1;
        test_threads_run(THREADS, stress_run, &s);
    }
    for (size_t i = 0; i < PLACES; i++) {
        /* relaxed: joined */
        unsigned char *const block = tr_swap_relaxed(&s.table[i], NULL);
        if (block != NULL && !stress_check_and_free(block))
            tr_fetch_add_relaxed(&s.wrong, 1u); /* relaxed: alone */
    }
    tr_pool_flush();
    const tr_pool_stats after = stats_now();
    assert_int_equal(tr_load_relaxed(&s.wrong), 0); /* relaxed: joined */
    const uint64_t allocs = after.allocs - before.allocs + after.large_allocs - before.large_allocs;
    assert_int_equal(allocs, tr_load_relaxed(&s.made)); /* relaxed: joined */
    assert_int_equal(live_blocks(after), live_blocks(before));
    assert_int_equal(after.large_allocs - after.large_frees,
                     before.large_allocs - before.large_frees);
    assert_int_equal(after.threads, before.threads);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pool_blocks_freed_elsewhere_come_home),
        TEST(test_pool_blocks_outlive_their_thread),
        TEST(test_pool_waits_for_the_next_thread),
        TEST(test_pool_burst_leaves_one_chunk_and_thread_end_none),
        TEST(test_pool_blocks_in_late_destructors_are_not_lost),
        TEST(test_pool_random_lifetimes_many_owners_all_come_home),
    };
    return TEST_RUN(tests);
}
