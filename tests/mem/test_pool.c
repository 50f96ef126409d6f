/*
 * The pools on one thread: classes, the contract of each, realloc, reuse,
 * memory that goes back, memory that cannot be had.
 */
#include "mem/pool_blocks.h"
#include "tests/support/test.h"

#include <troupe/mem/pool.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef TR_POOLS_LIBC
enum { POOLS_LIBC = true };
#else
enum { POOLS_LIBC = false };
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

static tr_pool_stats stats_now(void)
{
    tr_pool_stats stats;
    tr_pool_get_stats(&stats);
    return stats;
}

static tr_layout layout_of(size_t size, size_t align)
{
    return (tr_layout){ .size = size, .align = align };
}

/* -- classes -------------------------------------------------------------- */

static void test_pol_10_class_of_gives_smallest_that_fits(void **state)
{
    (void)state;
    for (size_t size = 1; size <= TR_POOL_MAX; size++) {
        const unsigned c = tr_pool_class_of(size);
        assert_int_equal(TR_POOL_CLASS_OF(size), c);
        assert_in_range(c, 0, TR_POOL_CLASS_COUNT - 1);
        assert_true(tr_pool_class_size(c) >= size);
        if (c > 0)
            assert_true(tr_pool_class_size(c - 1) < size);
    }
    assert_int_equal(tr_pool_class_of(TR_POOL_MAX + 1), TR_POOL_CLASS_COUNT);
    assert_int_equal(TR_POOL_CLASS_OF(TR_POOL_MAX + 1), TR_POOL_CLASS_COUNT);
    assert_int_equal(tr_pool_class_of(SIZE_MAX), TR_POOL_CLASS_COUNT);
}

static void test_pool_classes_step_by_16_then_by_quarters(void **state)
{
    (void)state;
    size_t expected = 0;
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c++) {
        size_t step = 16;
        for (size_t power = 128; power <= expected; power *= 2)
            step = power / 4;
        expected += step;
        assert_int_equal(tr_pool_class_size(c), expected);
        assert_int_equal(tr_pool_class_of(expected), c);
        assert_int_equal(tr_pool_class_of(expected + 1), c + 1);
    }
    assert_int_equal(expected, TR_POOL_MAX);
}

/* -- the contract of a block ---------------------------------------------- */

typedef struct piece {
    unsigned char *block;
    tr_layout layout;
    unsigned char fill;
} piece;

static piece piece_make(size_t size, size_t align, unsigned char fill)
{
    const piece made = { tri_pool_alloc(layout_of(size, align)), layout_of(size, align), fill };
    assert_non_null(made.block);
    assert_int_equal((uintptr_t)made.block % align, 0);
    memset(made.block, fill, size);
    return made;
}

static void piece_check_and_free(const piece *made)
{
    for (size_t i = 0; i < made->layout.size; i++)
        assert_int_equal(made->block[i], made->fill);
    tri_pool_dealloc(made->block, made->layout);
}

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const piece *)a)->block;
    const uintptr_t y = (uintptr_t)((const piece *)b)->block;
    return x < y ? -1 : x > y;
}

static void check_apart_and_free(piece *pieces, size_t n)
{
    qsort(pieces, n, sizeof *pieces, by_address);
    for (size_t i = 1; i < n; i++)
        assert_true(pieces[i - 1].block + pieces[i - 1].layout.size <= pieces[i].block);
    for (size_t i = 0; i < n; i++)
        piece_check_and_free(&pieces[i]);
}

static void test_pol_12_blocks_of_every_class_are_aligned_apart_and_kept(void **state)
{
    (void)state;
    static const int offsets[] = { -15, -2, -1, 0, 1, 2 };
    piece *const pieces = calloc(TR_POOL_CLASS_COUNT * 6 * 8, sizeof *pieces);
    size_t n = 0;
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c++) {
        for (size_t o = 0; o < 6; o++) {
            for (unsigned i = 0; i < 8; i++, n++)
                pieces[n] = piece_make(tr_pool_class_size(c) + (size_t)offsets[o], 1u << (i % 5),
                                       (unsigned char)n);
        }
    }
    check_apart_and_free(pieces, n);
    free(pieces);
}

static void test_pool_overaligned_blocks_are_aligned(void **state)
{
    (void)state;
    enum { MOST = 4000 };
    piece *const pieces = calloc(MOST, sizeof *pieces);
    size_t n = 0;
    for (size_t align = 1; align <= 65536; align *= 2) {
        for (size_t size = 1; size <= 1100; size += size < 70 ? 3 : 37)
            pieces[n] = piece_make(size, align, (unsigned char)n), n++;
    }
    assert_in_range(n, 1, MOST);
    check_apart_and_free(pieces, n);
    free(pieces);
}

static void test_pool_many_blocks_of_a_class_do_not_overlap(void **state)
{
    (void)state;
    enum { MANY = 3000 }; /* some regions of every class, some chunks of the large */
    piece *const pieces = calloc(MANY, sizeof *pieces);
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c++) {
        for (size_t i = 0; i < MANY; i++)
            pieces[i] = piece_make(tr_pool_class_size(c), 16, (unsigned char)(i * 7 + c));
        check_apart_and_free(pieces, MANY);
    }
    free(pieces);
}

static void test_pool_alloc_zeroed_of_used_block_is_zero(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 16, 100, 1024, 1025, 5000 };
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t align = 8; align <= 128; align *= 4) {
            const tr_layout layout = layout_of(sizes[s], align);
            unsigned char *block = tri_pool_alloc(layout);
            memset(block, 0xff, layout.size);
            tri_pool_dealloc(block, layout);
            block = tri_pool_alloc_zeroed(layout);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % align, 0);
            for (size_t i = 0; i < layout.size; i++)
                assert_int_equal(block[i], 0);
            tri_pool_dealloc(block, layout);
        }
    }
}

/* -- realloc -------------------------------------------------------------- */

static void test_pol_13_realloc_in_class_keeps_address(void **state)
{
    (void)state;
    if (POOLS_LIBC)
        skip(); /* libc may move it */
    const tr_pool_stats before = stats_now();
    void *const block = tri_pool_alloc(layout_of(513, 8));
    assert_ptr_equal(tri_pool_realloc(block, layout_of(513, 8), 640), block);
    assert_ptr_equal(tri_pool_realloc(block, layout_of(640, 8), 514), block);
    tri_pool_dealloc(block, layout_of(514, 8));
    const tr_pool_stats after = stats_now();
    assert_int_equal(after.allocs - before.allocs, 1);
    assert_int_equal(after.frees - before.frees, 1);
}

static void test_pol_13_realloc_keeps_common_prefix_and_alignment(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1,    17, 64,   200,  1024, 1025, 3000,
                                    1024, 90, 4096, 8192, 5,    600 };
    for (size_t align = 1; align <= 4096; align *= 4) {
        tr_layout layout = layout_of(sizes[0], align);
        unsigned char *block = tri_pool_alloc(layout);
        memset(block, (int)align, layout.size);
        for (size_t s = 1; s < sizeof sizes / sizeof sizes[0]; s++) {
            block = tri_pool_realloc(block, layout, sizes[s]);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % align, 0);
            const size_t kept = layout.size < sizes[s] ? layout.size : sizes[s];
            for (size_t i = 0; i < kept; i++)
                assert_int_equal(block[i], (unsigned char)(align + s - 1));
            layout.size = sizes[s];
            memset(block, (int)(align + s), layout.size);
        }
        tri_pool_dealloc(block, layout);
    }
}

static void test_pool_realloc_counts_moves_only(void **state)
{
    (void)state;
    const tr_pool_stats before = stats_now();
    void *block = tri_pool_alloc(layout_of(64, 8));
    block = tri_pool_realloc(block, layout_of(64, 8), 65);     /* to the next class */
    block = tri_pool_realloc(block, layout_of(65, 8), 2000);   /* to libc */
    block = tri_pool_realloc(block, layout_of(2000, 8), 9000); /* within libc */
    block = tri_pool_realloc(block, layout_of(9000, 8), 100);  /* and back */
    tri_pool_dealloc(block, layout_of(100, 8));
    const tr_pool_stats after = stats_now();
    assert_int_equal(after.allocs - before.allocs, 3);
    assert_int_equal(after.frees - before.frees, 3);
    assert_int_equal(after.large_allocs - before.large_allocs, 1);
    assert_int_equal(after.large_frees - before.large_frees, 1);
}

/* -- memory comes back ---------------------------------------------------- */

static void test_pol_14_freed_blocks_are_reused(void **state)
{
    (void)state;
    if (POOLS_LIBC)
        skip(); /* a sanitizer's malloc keeps freed blocks back */
    void *seen[128];
    size_t distinct = 0;
    for (unsigned cycle = 0; cycle < 50; cycle++) {
        void *blocks[64];
        for (unsigned i = 0; i < 64; i++) {
            blocks[i] = tri_pool_alloc(layout_of(32, 8));
            size_t s = 0;
            while (s < distinct && seen[s] != blocks[i])
                s++;
            assert_in_range(s, 0, 127);
            if (s == distinct)
                seen[distinct++] = blocks[i];
        }
        for (unsigned i = 0; i < 64; i++)
            tri_pool_dealloc(blocks[i], layout_of(32, 8));
    }
}

static void test_pool_burst_gives_its_chunks_back(void **state)
{
    (void)state;
    tr_pool_flush(); /* at most one chunk is left: what other tests used is free */
    const uint64_t before = stats_now().chunk_bytes;
    const size_t n = test_scale(100000);
    void **const blocks = calloc(n, sizeof *blocks);
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c += 6) {
        const tr_layout layout = layout_of(tr_pool_class_size(c), 8);
        for (size_t i = 0; i < n; i++)
            blocks[i] = tri_pool_alloc(layout);
        const uint64_t peak = stats_now().chunk_bytes;
        if (!POOLS_LIBC)
            assert_true(peak >= n * layout.size);
        for (size_t i = n; i-- > 1;) { /* freed in no order */
            const size_t j = (i * 7919 + c) % (i + 1);
            void *const swapped = blocks[i];
            blocks[i] = blocks[j];
            blocks[j] = swapped;
        }
        for (size_t i = 0; i < n; i++)
            tri_pool_dealloc(blocks[i], layout);
        tr_pool_flush();
        const uint64_t after = stats_now().chunk_bytes;
        assert_true(after <= before || after == UINT64_C(1) << 20);
    }
    free(blocks);
}

static void test_pool_allocator_is_the_pools(void **state)
{
    (void)state;
    tr_allocator *const pools = tr_pool_allocator();
    assert_string_equal(pools->name, "pools");
    const tr_pool_stats before = stats_now();
    unsigned char *block = pools->alloc(pools, layout_of(40, 8));
    block[0] = 7;
    block = pools->realloc(pools, block, layout_of(40, 8), 400);
    assert_int_equal(block[0], 7);
    pools->dealloc(pools, block, layout_of(400, 8));
    block = pools->alloc_zeroed(pools, layout_of(2000, 64));
    assert_int_equal(block[1999], 0);
    pools->dealloc(pools, block, layout_of(2000, 64));
    const tr_pool_stats after = stats_now();
    assert_int_equal(after.allocs - before.allocs, 2);
    assert_int_equal(after.frees - before.frees, 2);
    assert_int_equal(after.large_allocs - before.large_allocs, 1);
    assert_int_equal(after.large_frees - before.large_frees, 1);
}

/* -- no memory ------------------------------------------------------------ */

/* In a child of its own, so that the limit ends with it. Each number is a place
 * where it went wrong; 0 is success. */
#define CHILD_MUST(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ % 255 + 1);                                                             \
    } while (0)

static void deny_memory(void)
{
    const struct rlimit none = { 0, RLIM_INFINITY };
    CHILD_MUST(setrlimit(RLIMIT_AS, &none) == 0);
}

static void grant_memory(void)
{
    const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
    CHILD_MUST(setrlimit(RLIMIT_AS, &all) == 0);
}

static void child_runs_out(void)
{
    enum { MOST = 1 << 16 };
    static unsigned char *blocks[MOST];
    const tr_layout layout = layout_of(1000, 8);
    blocks[0] = tri_pool_alloc(layout);
    deny_memory();
    size_t n = 1;
    while (n < MOST && (blocks[n] = tri_pool_alloc(layout)) != NULL)
        memset(blocks[n], (int)n, layout.size), n++;
    CHILD_MUST(n < MOST);
    CHILD_MUST(tri_pool_alloc_zeroed(layout) == NULL);
    const tr_pool_stats full = stats_now();
    CHILD_MUST(tri_pool_realloc(blocks[1], layout, 64u << 20) == NULL);
    CHILD_MUST(stats_now().allocs == full.allocs && stats_now().frees == full.frees);
    for (size_t i = 1; i < n; i++) { /* untouched by the failures */
        CHILD_MUST(blocks[i][0] == (unsigned char)i && blocks[i][999] == (unsigned char)i);
        tri_pool_dealloc(blocks[i], layout);
    }
    for (size_t i = 1; i < n; i++) /* and none is lost */
        CHILD_MUST((blocks[i] = tri_pool_alloc(layout)) != NULL);
    CHILD_MUST(tri_pool_alloc(layout) == NULL);
    grant_memory();
    CHILD_MUST(tri_pool_alloc(layout) != NULL);
    _exit(0);
}

static pthread_barrier_t denied;

/* Its first contact with the pools is a free, when not even a heap can be had. */
static void *free_without_memory(void *block)
{
    pthread_barrier_wait(&denied);
    tri_pool_dealloc(block, layout_of(1024, 8));
    return NULL;
}

static void child_frees_without_heap(void)
{
    pthread_t thread;
    void *const block = tri_pool_alloc(layout_of(1024, 8));
    CHILD_MUST(pthread_barrier_init(&denied, NULL, 2) == 0);
    CHILD_MUST(pthread_create(&thread, NULL, free_without_memory, block) == 0);
    deny_memory();
    const tr_pool_stats before = stats_now();
    while (tri_pool_alloc(layout_of(1024, 8)) != NULL)
        continue;
    pthread_barrier_wait(&denied);
    CHILD_MUST(pthread_join(thread, NULL) == 0);
    CHILD_MUST(stats_now().remote_frees == before.remote_frees + 1);
    CHILD_MUST(stats_now().threads == before.threads);
    CHILD_MUST(tri_pool_alloc(layout_of(1024, 8)) == block);
    _exit(0);
}

static void run_in_child(void (*f)(void))
{
    if (POOLS_LIBC || UNDER_SANITIZER)
        skip(); /* their own memory would be denied, too */
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        f();
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_pool_without_memory_gives_null_and_loses_nothing(void **state)
{
    (void)state;
    run_in_child(child_runs_out);
}

static void test_pool_free_without_heap_goes_home(void **state)
{
    (void)state;
    run_in_child(child_frees_without_heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pol_10_class_of_gives_smallest_that_fits),
        TEST(test_pool_classes_step_by_16_then_by_quarters),
        TEST(test_pol_12_blocks_of_every_class_are_aligned_apart_and_kept),
        TEST(test_pool_overaligned_blocks_are_aligned),
        TEST(test_pool_many_blocks_of_a_class_do_not_overlap),
        TEST(test_pool_alloc_zeroed_of_used_block_is_zero),
        TEST(test_pol_13_realloc_in_class_keeps_address),
        TEST(test_pol_13_realloc_keeps_common_prefix_and_alignment),
        TEST(test_pool_realloc_counts_moves_only),
        TEST(test_pol_14_freed_blocks_are_reused),
        TEST(test_pool_burst_gives_its_chunks_back),
        TEST(test_pool_allocator_is_the_pools),
        TEST(test_pool_without_memory_gives_null_and_loses_nothing),
        TEST(test_pool_free_without_heap_goes_home),
    };
    return TEST_RUN(tests);
}
