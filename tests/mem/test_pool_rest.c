/*
 * The pools of threads that are quiet: what others free of theirs goes back to
 * the system without them, and they lose nothing by it.
 *
 *   owner:  alloc ... flush or pause, then nothing more (until it wakes)
 *   other:  free ... flush            the owner's chunks go back meanwhile
 */
#include "mem/pool_blocks.h"
#include "tests/support/test.h"

#include <troupe/mem/atomic.h>
#include <troupe/mem/pool.h>

#include <stdlib.h>
#include <string.h>

#ifdef TR_POOLS_LIBC
enum { POOLS_LIBC = true };
#else
enum { POOLS_LIBC = false };
#endif

#define MIB (UINT64_C(1) << 20)
#define SIZE 64

typedef TR_ATOMIC(void **) shared_blocks;
typedef TR_ATOMIC(bool) shared_flag;

static const tr_layout layout = { .size = SIZE, .align = 8 };

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

static void free_some(void **blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tri_pool_dealloc(blocks[i], layout);
}

/* This thread has a pool, with nothing in it. */
static tr_pool_stats stats_at_start(void)
{
    void *const block = tri_pool_alloc(layout);
    tri_pool_dealloc(block, layout);
    tr_pool_flush();
    return stats_now();
}

/* -- one quiet owner ------------------------------------------------------- */

typedef struct burst {
    void (*be_quiet)(void); /* what the owner does before it is */
    void **blocks;
    size_t count;
    size_t failed;
    bool shuffled;
    test_barrier made;
    test_barrier freed;
} burst;

static void make_then_be_quiet(unsigned index, void *arg)
{
    (void)index;
    burst *const b = arg;
    for (size_t i = 0; i < b->count; i++) {
        b->blocks[i] = tri_pool_alloc(layout);
        b->failed += b->blocks[i] == NULL;
    }
    b->be_quiet();
    test_barrier_wait(&b->made);
    test_barrier_wait(&b->freed);
    /* Awake again: its pool works as before. */
    for (size_t i = 0; i < b->count / 10; i++) {
        b->blocks[i] = tri_pool_alloc(layout);
        b->failed += b->blocks[i] == NULL;
    }
    free_some(b->blocks, b->count / 10);
}

static void shuffle(void **blocks, size_t count)
{
    uint64_t seed = 88172645463325252u;
    for (size_t i = count; i-- > 1;) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        const size_t other = (size_t)((seed >> 33) % (i + 1));
        void *const block = blocks[i];
        blocks[i] = blocks[other];
        blocks[other] = block;
    }
}

/* `also_flush`: who has freed the blocks becomes quiet too; else it is busy with other
 * things, and its last 256 KiB are on the way, in two chunks at most. */
static void assert_burst_goes_back(void (*be_quiet)(void), bool shuffled, bool also_flush)
{
    const size_t count = test_scale(200000) + 32768;
    burst b = { .be_quiet = be_quiet, .blocks = calloc(count, sizeof(void *)), .count = count };
    test_barrier_init(&b.made, 2);
    test_barrier_init(&b.freed, 2);
    const tr_pool_stats before = stats_at_start();
    test_threads owner;
    test_threads_start(&owner, 1, make_then_be_quiet, &b);
    test_barrier_wait(&b.made);
    const tr_pool_stats full = stats_now();
    if (shuffled)
        shuffle(b.blocks, count);
    free_some(b.blocks, count);
    if (also_flush)
        tr_pool_flush();
    const tr_pool_stats after = stats_now();
    test_barrier_wait(&b.freed);
    test_threads_join(&owner);
    assert_int_equal(b.failed, 0);
    assert_int_equal(live_blocks(full) - live_blocks(before), count);
    assert_int_equal(live_blocks(after), live_blocks(before));
    assert_int_equal(after.threads, before.threads + 1); /* quiet, not ended */
    if (!POOLS_LIBC) {
        assert_true(full.chunk_bytes >= before.chunk_bytes + count * SIZE);
        assert_in_range(after.chunk_bytes, before.chunk_bytes,
                        before.chunk_bytes + (also_flush ? 1 : 3) * MIB);
    }
    tr_pool_flush();
    assert_int_equal(stats_now().chunk_bytes, before.chunk_bytes);
    test_barrier_fini(&b.made);
    test_barrier_fini(&b.freed);
    free(b.blocks);
}

static void test_pool_rest_flushed_owner_gives_its_burst_back(void **state)
{
    (void)state;
    assert_burst_goes_back(tr_pool_flush, false, true);
    assert_burst_goes_back(tr_pool_flush, true, true);
}

static void test_pool_rest_pausing_owner_gives_its_burst_back(void **state)
{
    (void)state;
    assert_burst_goes_back(tri_pool_pause, false, true);
    assert_burst_goes_back(tri_pool_pause, true, true);
}

static void test_pool_rest_burst_freed_by_a_busy_thread_goes_back(void **state)
{
    (void)state;
    assert_burst_goes_back(tr_pool_flush, false, false);
    assert_burst_goes_back(tri_pool_pause, false, false);
}

/* Who pauses with one chunk keeps it, and what is warm in it. */
static void pause_with_little(unsigned index, void *arg)
{
    (void)index;
    shared_flag *const same = arg;
    void *const first = tri_pool_alloc(layout);
    tri_pool_dealloc(first, layout);
    tri_pool_pause();
    void *const again = tri_pool_alloc(layout);
    tr_store_relaxed(same, again == first);
    tri_pool_dealloc(again, layout);
}

static void test_pool_rest_pause_with_little_keeps_it_warm(void **state)
{
    (void)state;
    shared_flag same;
    tr_atomic_init(&same, false);
    test_threads_run(1, pause_with_little, &same);
    if (!POOLS_LIBC)
        assert_true(tr_load_relaxed(&same));
}

/* -- owners that come back while others tidy their pools -------------------------- */

enum { OWNERS = 3, BATCH = 3000, PLACES = 4 };

typedef struct exchange {
    shared_blocks places[OWNERS][PLACES]; /* full batches, to be freed */
    TR_ATOMIC(unsigned) owners;                /* that still make some */
    TR_ATOMIC(uint64_t) torn;
    size_t rounds;
} exchange;

static void own(exchange *x, unsigned index)
{
    for (size_t round = 0; round < x->rounds; round++) {
        shared_blocks *const place = &x->places[index][round % PLACES];
        if (tr_load_acquire(place) != NULL) {
            tr_pool_flush(); /* quiet for a moment; the others free what they have */
            continue;
        }
        void **const batch = malloc(BATCH * sizeof(*batch));
        for (size_t i = 0; i < BATCH; i++) {
            batch[i] = tri_pool_alloc(layout);
            memset(batch[i], (int)index + 1, SIZE);
        }
        tr_store_release(place, batch);
        if (round % 2 == 0)
            tri_pool_pause();
        else
            tr_pool_flush();
    }
    tr_fetch_sub_release(&x->owners, 1);
}

static bool is_whole(const unsigned char *block, unsigned owner)
{
    for (size_t i = 0; i < SIZE; i++)
        if (block[i] != owner + 1)
            return false;
    return true;
}

static bool take_batch(exchange *x, unsigned owner, unsigned place)
{
    void **const batch = tr_swap_acq_rel(&x->places[owner][place], (void **)NULL);
    if (batch == NULL)
        return false;
    for (size_t i = 0; i < BATCH; i++)
        if (!is_whole(batch[i], owner))
            tr_fetch_add_relaxed(&x->torn, 1);
    free_some(batch, BATCH);
    free(batch);
    return true;
}

static void tidy_up(exchange *x)
{
    bool more = true;
    while (more) {
        more = tr_load_acquire(&x->owners) != 0;
        for (unsigned i = 0; i < OWNERS * PLACES; i++)
            more = take_batch(x, i / PLACES, i % PLACES) || more;
        tr_pool_flush();
    }
}

static void own_or_tidy_up(unsigned index, void *arg)
{
    if (index < OWNERS)
        own(arg, index);
    else
        tidy_up(arg);
}

static void test_pool_rest_stress_owners_wake_while_others_tidy(void **state)
{
    (void)state;
    const tr_pool_stats before = stats_at_start();
    exchange x = { .rounds = test_scale(300) };
    tr_atomic_init(&x.owners, OWNERS);
    test_threads_run(OWNERS + 2, own_or_tidy_up, &x);
    tr_pool_flush();
    const tr_pool_stats after = stats_now();
    assert_int_equal(tr_load_relaxed(&x.torn), 0);
    assert_int_equal(live_blocks(after), live_blocks(before));
    assert_int_equal(after.threads, before.threads);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes);
}

/* -- owners that end while others tidy their pools --------------------------------- */

typedef struct relay {
    shared_blocks batch;
    shared_flag over;
} relay;

static void make_and_end(unsigned index, void *arg)
{
    (void)index;
    relay *const r = arg;
    void **const batch = malloc(BATCH * sizeof(*batch));
    for (size_t i = 0; i < BATCH; i++)
        batch[i] = tri_pool_alloc((tr_layout){ .size = 1024, .align = 8 });
    tr_store_release(&r->batch, batch);
    tr_pool_flush();
}

static void free_what_comes(unsigned index, void *arg)
{
    (void)index;
    relay *const r = arg;
    while (!tr_load_acquire(&r->over)) {
        void **const batch = tr_swap_acq_rel(&r->batch, (void **)NULL);
        if (batch == NULL)
            continue;
        for (size_t i = 0; i < BATCH; i++)
            tri_pool_dealloc(batch[i], (tr_layout){ .size = 1024, .align = 8 });
        free(batch);
        tr_pool_flush();
    }
}

static void test_pool_rest_stress_owners_end_while_others_tidy(void **state)
{
    (void)state;
    const tr_pool_stats before = stats_at_start();
    relay r;
    tr_atomic_init(&r.batch, (void **)NULL);
    tr_atomic_init(&r.over, false);
    test_threads other;
    test_threads_start(&other, 1, free_what_comes, &r);
    const size_t rounds = test_scale(200);
    for (size_t i = 0; i < rounds; i++) {
        test_threads_run(1, make_and_end, &r);
        TEST_UNTIL(tr_load_acquire(&r.batch) == NULL);
    }
    tr_store_release(&r.over, true);
    test_threads_join(&other);
    tr_pool_flush();
    const tr_pool_stats after = stats_now();
    assert_int_equal(live_blocks(after), live_blocks(before));
    assert_int_equal(after.threads, before.threads);
    assert_int_equal(after.chunk_bytes, before.chunk_bytes); /* who has ended keeps none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pool_rest_flushed_owner_gives_its_burst_back),
        TEST(test_pool_rest_pausing_owner_gives_its_burst_back),
        TEST(test_pool_rest_burst_freed_by_a_busy_thread_goes_back),
        TEST(test_pool_rest_pause_with_little_keeps_it_warm),
        TEST(test_pool_rest_stress_owners_wake_while_others_tidy),
        TEST(test_pool_rest_stress_owners_end_while_others_tidy),
    };
    return TEST_RUN(tests);
}
