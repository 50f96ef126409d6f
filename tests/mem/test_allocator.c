/*
 * test_allocator - the global allocator, libc's, the counting one, and custom ones
 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/failing_allocator.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/pool.h>
#include <troupe/mem/scalars.h>
#include <troupe/mem/tracking_allocator.h>
#include <troupe/mem/vec.h>

#include "tests/mem/death.h"

TR_VEC(uint8_t)

static tr_layout bytes(size_t size, size_t align)
{
    return (tr_layout){ .size = size, .align = align };
}

static bool is_aligned(const void *block, size_t align)
{
    return ((uintptr_t)block & (align - 1)) == 0;
}

static void fill(unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        block[i] = (unsigned char)(i * 7 + 1);
}

static bool is_filled(const unsigned char *block, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (block[i] != (unsigned char)(i * 7 + 1))
            return false;
    return true;
}

/* One without alloc_zeroed and realloc, that counts its calls. */
struct custom {
    tr_allocator base;
    tr_allocator *inner;
    unsigned calls;
};

static void *custom_alloc(tr_allocator *self, tr_layout layout)
{
    struct custom *custom = (struct custom *)self;
    custom->calls++;
    return tr_alloc_from(custom->inner, layout);
}

static void custom_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    struct custom *custom = (struct custom *)self;
    custom->calls++;
    tr_dealloc_from(custom->inner, block, layout);
}

/* Each case runs on the pools, on libc, and on what stands in front of another. */
static void on_each(void (*f)(tr_allocator *allocator))
{
    f(tr_pool_allocator());
    f(tr_libc_allocator());
    struct custom custom = {
        .base = { .name = "custom", .alloc = custom_alloc, .dealloc = custom_dealloc },
        .inner = tr_global_allocator(),
    };
    f(&custom.base);
    tr_failing_allocator idle;
    tr_failing_allocator_init(&idle, tr_global_allocator());
    f(&idle.base);
    tr_tracking_allocator *tracking = NULL;
    assert_int_equal(tr_tracking_allocator_create(tr_global_allocator(), &tracking), TR_OK);
    f(tr_tracking_allocator_base(tracking));
    assert_int_equal(tr_tracking_allocator_live(tracking), 0);
    tr_tracking_allocator_destroy(tracking);
}

static void write_and_read(tr_allocator *allocator)
{
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, allocator);
    int32_t *block = tr_alloc_from(&counting.base, tr_layout_of(int32_t));
    assert_non_null(block);
    *block = 42;
    assert_int_equal(*block, 42);
    assert_int_equal(tr_counting_live(&counting), 1);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 4);
    tr_dealloc_from(&counting.base, block, tr_layout_of(int32_t));
    assert_int_equal(tr_load_relaxed(&counting.allocs), 1);
    assert_int_equal(tr_load_relaxed(&counting.deallocs), 1);
    assert_int_equal(tr_counting_live(&counting), 0);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 0);
}

static void test_alc_01_block_is_written_read_and_freed(void **state)
{
    (void)state;
    on_each(write_and_read);
}

static void grow_to_pair(tr_allocator *allocator)
{
    int32_t *pair = tr_alloc_from(allocator, tr_layout_of(int32_t));
    *pair = 42;
    pair = tr_realloc_from(allocator, pair, tr_layout_of(int32_t), 8);
    assert_non_null(pair);
    assert_int_equal(pair[0], 42);
    pair[1] = 43;
    assert_int_equal(pair[0], 42);
    assert_int_equal(pair[1], 43);
    tr_dealloc_from(allocator, pair, bytes(8, 4));
}

static void test_alc_02_realloc_keeps_first_word(void **state)
{
    (void)state;
    on_each(grow_to_pair);
}

static void shrink_and_keep(tr_allocator *allocator)
{
    unsigned char *block = tr_alloc_from(allocator, bytes(64, 32));
    fill(block, 64);
    block = tr_realloc_from(allocator, block, bytes(64, 32), 64);
    assert_true(is_filled(block, 64));
    block = tr_realloc_from(allocator, block, bytes(64, 32), 16);
    assert_true(is_filled(block, 16));
    assert_true(is_aligned(block, 32));
    tr_dealloc_from(allocator, block, bytes(16, 32));
}

static void test_alc_03_realloc_shrinks_and_keeps_prefix(void **state)
{
    (void)state;
    on_each(shrink_and_keep);
}

static void zeroed_after_dirty(tr_allocator *allocator)
{
    for (int round = 0; round < 4; round++) {
        unsigned char *dirty = tr_alloc_from(allocator, bytes(1024, 1));
        memset(dirty, 0xff, 1024);
        tr_dealloc_from(allocator, dirty, bytes(1024, 1));
        unsigned char *clean = tr_alloc_zeroed_from(allocator, bytes(1024, 1));
        for (size_t i = 0; i < 1024; i++)
            assert_int_equal(clean[i], 0);
        memset(clean, 0xff, 1024);
        tr_dealloc_from(allocator, clean, bytes(1024, 1));
    }
    unsigned char *aligned = tr_alloc_zeroed_from(allocator, bytes(100, 256));
    assert_true(is_aligned(aligned, 256));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(aligned[i], 0);
    tr_dealloc_from(allocator, aligned, bytes(100, 256));
}

static void test_alc_05_zeroed_is_zero_also_in_reused_memory(void **state)
{
    (void)state;
    on_each(zeroed_after_dirty);
}

static void over_aligned(tr_allocator *allocator)
{
    unsigned char *blocks[128];
    for (size_t align = 4; align <= 32; align *= 2) {
        const size_t sizes[] = { align / 2, align - 1 };
        for (size_t s = 0; s < 2; s++) {
            for (size_t i = 0; i < 128; i++) {
                blocks[i] = tr_alloc_from(allocator, bytes(sizes[s], align));
                assert_true(is_aligned(blocks[i], align));
                memset(blocks[i], (int)i, sizes[s]);
            }
            for (size_t i = 0; i < 128; i++) {
                assert_int_equal(blocks[i][sizes[s] - 1], i);
                tr_dealloc_from(allocator, blocks[i], bytes(sizes[s], align));
            }
        }
    }
}

static void test_alc_06_over_aligned_requests_are_aligned(void **state)
{
    (void)state;
    on_each(over_aligned);
}

static void over_aligned_large(tr_allocator *allocator)
{
    const size_t aligns[] = { 4096, 65536 };
    for (size_t a = 0; a < 2; a++) {
        const size_t align = aligns[a];
        unsigned char *block = tr_alloc_from(allocator, bytes(1, align));
        assert_true(is_aligned(block, align));
        fill(block, 1);
        block = tr_realloc_from(allocator, block, bytes(1, align), align + 1);
        assert_true(is_aligned(block, align));
        assert_true(is_filled(block, 1));
        fill(block, align + 1);
        block = tr_realloc_from(allocator, block, bytes(align + 1, align), 3 * align);
        assert_true(is_aligned(block, align));
        assert_true(is_filled(block, align + 1));
        block = tr_realloc_from(allocator, block, bytes(3 * align, align), 9);
        assert_true(is_aligned(block, align));
        assert_true(is_filled(block, 9));
        tr_dealloc_from(allocator, block, bytes(9, align));
    }
}

static void test_alc_07_page_and_larger_alignments_survive_realloc(void **state)
{
    (void)state;
    on_each(over_aligned_large);
}

/* -- a custom global allocator -------------------------------------------- */

static void test_alc_08_custom_global_sees_each_call(void **state)
{
    (void)state;
    tr_allocator *outgoing = tr_global_allocator();
    struct custom custom = {
        .base = { .name = "custom", .alloc = custom_alloc, .dealloc = custom_dealloc },
        .inner = outgoing,
    };
    tr_set_global_allocator(&custom.base);
    assert_ptr_equal(tr_global_allocator(), &custom.base);

    void *block = tr_alloc(bytes(4, 4));
    assert_int_equal(custom.calls, 1);
    tr_dealloc(block, bytes(4, 4));
    assert_int_equal(custom.calls, 2);
    uint8_t_vec buffer = uint8_t_vec_with_capacity(10);
    assert_int_equal(custom.calls, 3);
    uint8_t_vec_drop(&buffer);
    assert_int_equal(custom.calls, 4);
    block = tr_alloc_from(tr_libc_allocator(), bytes(4, 4));
    tr_dealloc_from(tr_libc_allocator(), block, bytes(4, 4));
    assert_int_equal(custom.calls, 4);

    tr_set_global_allocator(outgoing);
    assert_ptr_equal(tr_global_allocator(), outgoing);
}

static void test_allocator_global_null_or_pools_is_the_pools(void **state)
{
    (void)state;
    tr_allocator *outgoing = tr_global_allocator();
    tr_set_global_allocator(NULL);
    assert_ptr_equal(tr_global_allocator(), tr_pool_allocator());
    tr_set_global_allocator(tr_pool_allocator());
    assert_ptr_equal(tr_global_allocator(), tr_pool_allocator());

    /* The direct way to the pools: every call, and every edge of it. */
    unsigned char *block = tr_alloc_zeroed(bytes(24, 8));
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(block[i], 0);
    fill(block, 24);
    block = tr_realloc(block, bytes(24, 8), 4000);
    assert_true(is_filled(block, 24));
    tr_dealloc(block, bytes(4000, 8));
    block = tr_alloc(bytes(0, 64));
    assert_ptr_equal(block, tr_layout_dangling(bytes(0, 64)));
    block = tr_alloc_zeroed(bytes(0, 64));
    tr_dealloc(block, bytes(0, 64));
    tr_dealloc(NULL, bytes(8, 8));
    tr_set_global_allocator(outgoing);
}

static void zero_size(tr_allocator *allocator)
{
    struct custom custom = {
        .base = { .name = "custom", .alloc = custom_alloc, .dealloc = custom_dealloc },
        .inner = allocator,
    };
    tr_allocator *const a = &custom.base;
    const tr_layout nothing = bytes(0, 32);

    void *block = tr_alloc_from(a, nothing);
    assert_ptr_equal(block, tr_layout_dangling(nothing));
    assert_ptr_equal(tr_alloc_zeroed_from(a, nothing), tr_layout_dangling(nothing));
    tr_dealloc_from(a, block, nothing);
    tr_dealloc_from(a, NULL, bytes(8, 8));
    assert_ptr_equal(tr_realloc_from(a, block, nothing, 0), tr_layout_dangling(nothing));
    assert_int_equal(custom.calls, 0);

    block = tr_realloc_from(a, block, nothing, 8);
    assert_int_equal(custom.calls, 1);
    assert_true(is_aligned(block, 32));
    block = tr_realloc_from(a, block, bytes(8, 32), 0);
    assert_ptr_equal(block, tr_layout_dangling(nothing));
    assert_int_equal(custom.calls, 2);
}

static void test_alc_10_size_zero_never_reaches_the_backend(void **state)
{
    (void)state;
    on_each(zero_size);
}

static void realloc_of_null(tr_allocator *allocator)
{
    unsigned char *block = tr_realloc_from(allocator, NULL, bytes(0, 16), 40);
    assert_true(is_aligned(block, 16));
    fill(block, 40);
    tr_dealloc_from(allocator, block, bytes(40, 16));
    block = tr_realloc_from(allocator, NULL, bytes(8, 16), 40);
    assert_true(is_aligned(block, 16));
    fill(block, 40);
    tr_dealloc_from(allocator, block, bytes(40, 16));
    block = tr_realloc_from(allocator, NULL, bytes(8, 16), 0);
    assert_ptr_equal(block, tr_layout_dangling(bytes(0, 16)));
}

static void test_pol_13_realloc_of_null_is_alloc(void **state)
{
    (void)state;
    on_each(realloc_of_null);
}

/* -- fuel: an allocator that has so many bytes ----------------------------- */

struct fuel {
    tr_allocator base;
    size_t left;
};

static void *fuel_alloc(tr_allocator *self, tr_layout layout)
{
    struct fuel *fuel = (struct fuel *)self;
    if (layout.size > fuel->left)
        return NULL;
    fuel->left -= layout.size;
    return tr_alloc_from(tr_libc_allocator(), layout);
}

static void fuel_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    (void)self;
    tr_dealloc_from(tr_libc_allocator(), block, layout);
}

static void test_alc_11_fuel_runs_out_and_block_is_unchanged(void **state)
{
    (void)state;
    struct fuel fuel = {
        .base = { .name = "fuel", .alloc = fuel_alloc, .dealloc = fuel_dealloc },
        .left = 500,
    };
    unsigned char *block = tr_alloc_from(&fuel.base, bytes(50, 1));
    assert_int_equal(fuel.left, 450);
    fill(block, 50);
    block = tr_realloc_from(&fuel.base, block, bytes(50, 1), 200);
    assert_int_equal(fuel.left, 250);
    assert_true(is_filled(block, 50));
    fill(block, 200);
    assert_null(tr_realloc_from(&fuel.base, block, bytes(200, 1), 251));
    assert_null(tr_alloc_from(&fuel.base, bytes(251, 1)));
    assert_null(tr_alloc_zeroed_from(&fuel.base, bytes(251, 1)));
    assert_int_equal(fuel.left, 250);
    assert_true(is_filled(block, 200));
    tr_dealloc_from(&fuel.base, block, bytes(200, 1));
}

static void test_alc_11_vec_beyond_the_fuel_is_unchanged(void **state)
{
    (void)state;
    tr_allocator *const outgoing = tr_global_allocator();
    struct fuel fuel = {
        .base = { .name = "fuel", .alloc = fuel_alloc, .dealloc = fuel_dealloc },
        .left = 500,
    };
    tr_set_global_allocator(&fuel.base);
    uint8_t_vec v = uint8_t_vec_with_capacity(50);
    const size_t left_first = fuel.left;
    for (size_t i = 0; i < 50; i++)
        uint8_t_vec_push(&v, (uint8_t)(i * 7 + 1));
    const tr_status grown = uint8_t_vec_try_reserve_exact(&v, 150);
    const size_t left_grown = fuel.left;
    const size_t cap_grown = uint8_t_vec_cap(&v);
    const tr_status refused = uint8_t_vec_try_reserve_exact(&v, 251);
    const bool kept = v.len == 50 && uint8_t_vec_cap(&v) == cap_grown && is_filled(v.data, 50);
    uint8_t_vec_drop(&v);
    tr_set_global_allocator(outgoing);

    assert_int_equal(left_first, 450);
    assert_int_equal(grown, TR_OK);
    assert_int_equal(cap_grown, 200);
    assert_int_equal(left_grown, 250);
    assert_int_equal(refused, TR_NOMEM);
    assert_true(kept);
    assert_int_equal(fuel.left, 250);
}

static void impossible_size(tr_allocator *allocator)
{
    unsigned char *block = tr_alloc_from(allocator, bytes(40, 8));
    fill(block, 40);
    assert_null(tr_realloc_from(allocator, block, bytes(40, 8), (size_t)PTRDIFF_MAX));
    assert_null(tr_realloc_from(allocator, block, bytes(40, 8), SIZE_MAX));
    assert_true(is_filled(block, 40));
    tr_dealloc_from(allocator, block, bytes(40, 8));
}

static void test_allocator_realloc_to_impossible_size_is_refused(void **state)
{
    (void)state;
    on_each(impossible_size);
}

static void test_allocator_counting_follows_realloc_and_failure(void **state)
{
    (void)state;
    struct fuel fuel = {
        .base = { .name = "fuel", .alloc = fuel_alloc, .dealloc = fuel_dealloc },
        .left = 100,
    };
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, &fuel.base);
    void *block = tr_alloc_from(&counting.base, bytes(60, 1));
    assert_null(tr_alloc_from(&counting.base, bytes(60, 1)));
    assert_null(tr_alloc_zeroed_from(&counting.base, bytes(60, 1)));
    assert_null(tr_realloc_from(&counting.base, block, bytes(60, 1), 61));
    assert_int_equal(tr_load_relaxed(&counting.allocs), 1);
    assert_int_equal(tr_load_relaxed(&counting.reallocs), 0);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 60);
    block = tr_realloc_from(&counting.base, block, bytes(60, 1), 20);
    assert_int_equal(tr_load_relaxed(&counting.reallocs), 1);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 20);
    assert_int_equal(tr_counting_live(&counting), 1);
    tr_dealloc_from(&counting.base, block, bytes(20, 1));
    assert_int_equal(tr_counting_live(&counting), 0);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 0);
}

/* -- threads -------------------------------------------------------------- */

struct storm {
    tr_counting_allocator counting;
    size_t rounds;
    TR_ATOMIC(uint64_t) wrong;
};

static void allocate_much(unsigned index, void *arg)
{
    struct storm *storm = arg;
    for (size_t i = 0; i < storm->rounds; i++) {
        const size_t size = 1 + (i * 37 + index) % 300;
        unsigned char *block = tr_alloc_from(&storm->counting.base, bytes(size, 8));
        fill(block, size);
        block = tr_realloc_from(&storm->counting.base, block, bytes(size, 8), size * 2);
        if (!is_filled(block, size))
            tr_fetch_add_relaxed(&storm->wrong, 1); /* relaxed: read after the join */
        tr_dealloc_from(&storm->counting.base, block, bytes(size * 2, 8));
    }
}

static void test_allocator_counting_is_exact_after_threads_joined(void **state)
{
    (void)state;
    struct storm storm = { .rounds = test_scale(2000) };
    tr_counting_allocator_init(&storm.counting, tr_global_allocator());
    test_threads_run(4, allocate_much, &storm);
    assert_int_equal(tr_load_relaxed(&storm.wrong), 0);
    assert_int_equal(tr_load_relaxed(&storm.counting.allocs), 4 * storm.rounds);
    assert_int_equal(tr_load_relaxed(&storm.counting.reallocs), 4 * storm.rounds);
    assert_int_equal(tr_counting_live(&storm.counting), 0);
    assert_int_equal(tr_load_relaxed(&storm.counting.live_bytes), 0);
}

/* -- out of memory -------------------------------------------------------- */

static void run_out(void)
{
    tr_out_of_memory(bytes(4321, 64));
}

static void return_at_once(tr_layout layout)
{
    (void)layout;
}

static void run_out_with_returning_handler(void)
{
    tr_set_oom_handler(return_at_once);
    run_out();
}

static void panic_instead(tr_layout layout)
{
    tr_panic("no %zu bytes", layout.size);
}

static void run_out_inside(void *arg)
{
    (void)arg;
    run_out();
}

static void test_allocator_out_of_memory_prints_layout_and_aborts(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(run_out, text, sizeof text));
    assert_non_null(strstr(text, "4321"));
    assert_non_null(strstr(text, "64"));
    assert_true(death_by_abort(run_out_with_returning_handler, text, sizeof text));
    assert_non_null(strstr(text, "4321"));
}

static void ignore(const tr_panic_info *info)
{
    (void)info;
}

static void test_allocator_out_of_memory_handler_may_panic(void **state)
{
    (void)state;
    tr_panic_info info;
    tr_set_oom_handler(panic_instead);
    tr_set_panic_hook(ignore);
    assert_int_equal(tr_catch(run_out_inside, NULL, &info), TR_PANICKED);
    tr_set_panic_hook(NULL);
    tr_set_oom_handler(NULL);
    assert_string_equal(info.message, "no 4321 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_alc_01_block_is_written_read_and_freed),
        TEST(test_alc_02_realloc_keeps_first_word),
        TEST(test_alc_03_realloc_shrinks_and_keeps_prefix),
        TEST(test_alc_05_zeroed_is_zero_also_in_reused_memory),
        TEST(test_alc_06_over_aligned_requests_are_aligned),
        TEST(test_alc_07_page_and_larger_alignments_survive_realloc),
        TEST(test_alc_08_custom_global_sees_each_call),
        TEST(test_allocator_global_null_or_pools_is_the_pools),
        TEST(test_alc_10_size_zero_never_reaches_the_backend),
        TEST(test_pol_13_realloc_of_null_is_alloc),
        TEST(test_alc_11_vec_beyond_the_fuel_is_unchanged),
        TEST(test_alc_11_fuel_runs_out_and_block_is_unchanged),
        TEST(test_allocator_realloc_to_impossible_size_is_refused),
        TEST(test_allocator_counting_follows_realloc_and_failure),
        TEST(test_allocator_counting_is_exact_after_threads_joined),
        TEST(test_allocator_out_of_memory_prints_layout_and_aborts),
        TEST(test_allocator_out_of_memory_handler_may_panic),
    };
    return TEST_RUN(tests);
}
