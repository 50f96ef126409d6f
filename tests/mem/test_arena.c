/*
 * test_arena - counting up, taking back, values dropped in between, no memory
 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/mem/arena.h>
#include <troupe/mem/failing_allocator.h>
#include <troupe/mem/vec.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifdef UNDER_ASAN
#include <sanitizer/asan_interface.h>
#endif

static tr_layout bytes(size_t size, size_t align)
{
    return (tr_layout){ .size = size, .align = align };
}

static tr_arena fixed(size_t capacity)
{
    tr_arena arena;
    assert_int_equal(tr_arena_init_fixed(&arena, NULL, capacity), TR_OK);
    assert_int_equal(tr_arena_capacity(&arena), capacity);
    return arena;
}

static char *take(tr_arena *arena, size_t size, size_t align)
{
    void *block = NULL;
    assert_int_equal(tr_arena_try_alloc(arena, bytes(size, align), &block), TR_OK);
    assert_int_equal((uintptr_t)block % align, 0);
    memset(block, 0x5a, size);
    return block;
}

static void assert_full(tr_arena *arena, size_t size, size_t align)
{
    const size_t used = tr_arena_used(arena);
    void *block = &block;
    assert_int_equal(tr_arena_try_alloc(arena, bytes(size, align), &block), TR_NOMEM);
    assert_ptr_equal(block, &block);
    assert_int_equal(tr_arena_used(arena), used);
}

/* -- a fixed one -------------------------------------------------------------- */

static void test_pol_01_blocks_lie_at_the_next_aligned_offset(void **state)
{
    (void)state;
    static const size_t sizes[] = { 64, 1, 8, 3, 1 };
    static const size_t offsets[] = { 0, 64, 72, 80, 88 };
    static const size_t used[] = { 64, 65, 80, 83, 89 };
    tr_arena arena = fixed(1024);
    char *base = NULL;
    for (size_t i = 0; i < 5; i++) {
        char *block = take(&arena, sizes[i], 8);
        if (i == 0)
            base = block;
        assert_int_equal(block - base, offsets[i]);
        assert_int_equal(tr_arena_used(&arena), used[i]);
    }
    tr_arena_drop(&arena);
}

static void test_pol_02_reset_gives_the_same_addresses_again(void **state)
{
    (void)state;
    tr_arena arena = fixed(1024);
    char *const first = take(&arena, 64, 8);
    (void)take(&arena, 100, 8);
    tr_arena_reset(&arena);
    assert_int_equal(tr_arena_used(&arena), 0);
    assert_int_equal(tr_arena_capacity(&arena), 1024);
    assert_ptr_equal(take(&arena, 64, 8), first);
    tr_arena_drop(&arena);
    tr_arena_drop(&arena); /* of a dropped one: nothing */
}

static void give_up(tr_layout layout)
{
    tr_panic("no %zu bytes", layout.size);
}

static void must_have_one(void *arena)
{
    (void)tr_arena_alloc(arena, bytes(1, 1));
}

static void must_have_crooked(void *arena)
{
    (void)tr_arena_alloc(arena, bytes(1, 3));
}

static void test_pol_03_full_to_the_last_byte_then_no_more(void **state)
{
    (void)state;
    tr_arena arena = fixed(1024);
    (void)take(&arena, 1024, 8);
    assert_int_equal(tr_arena_used(&arena), 1024);
    assert_full(&arena, 1, 1);
    tr_set_oom_handler(give_up);
    assert_panics(must_have_one, &arena, "no 1 bytes");
    tr_set_oom_handler(NULL);
    assert_int_equal(tr_arena_used(&arena), 1024);
    tr_arena_drop(&arena);
}

static void test_pol_04_too_much_fails_and_uses_nothing(void **state)
{
    (void)state;
    tr_arena arena = fixed(1024);
    assert_full(&arena, 1025, 8);
    assert_full(&arena, (size_t)PTRDIFF_MAX - 7, 8);
    assert_full(&arena, 1, (size_t)1 << 62);
    tr_arena_drop(&arena);
    arena = fixed(32);
    (void)take(&arena, 25, 8);
    assert_full(&arena, 8, 8);
    (void)take(&arena, 7, 1);
    tr_arena_drop(&arena);
}

static void test_pol_07_alignment_is_of_the_address(void **state)
{
    (void)state;
    tr_arena small = fixed(3 * 4096);
    for (size_t align = 1; align <= 4096; align *= 2) {
        (void)take(&small, 1, 1);
        (void)take(&small, 1, align); /* checks the address */
    }
    void *block = NULL;
    assert_int_equal(tr_arena_try_alloc(&small, bytes(8, 3), &block), TR_LAYOUT);
    assert_int_equal(tr_arena_try_alloc(&small, bytes(8, 0), &block), TR_LAYOUT);
    assert_int_equal(tr_arena_try_alloc(&small, bytes(SIZE_MAX, 1), &block), TR_LAYOUT);
    assert_null(block);
    assert_panics(must_have_crooked, &small, "aligned to 3");
    tr_arena_drop(&small);

    tr_arena growing = tr_arena_new_in(NULL, 64);
    (void)take(&growing, 5, 65536);
    (void)take(&growing, 70000, 65536);
    tr_arena_drop(&growing);
}

static void test_pol_08_one_block_comes_and_goes(void **state)
{
    (void)state;
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_arena arena;
    for (size_t capacity = 0; capacity <= 64; capacity += 64) {
        assert_int_equal(tr_arena_init_fixed(&arena, &counting.base, capacity), TR_OK);
        assert_int_equal(tr_counting_live(&counting), 1);
        assert_full(&arena, capacity + 1, 1);
        tr_arena_reset(&arena);
        assert_full(&arena, capacity + 1, 1);
        tr_arena_drop(&arena);
        assert_int_equal(tr_counting_live(&counting), 0);
        assert_int_equal(tr_load_relaxed(&counting.live_bytes), 0);
        assert_full(&arena, 1, 1); /* it has no second life */
    }
    assert_int_equal(tr_load_relaxed(&counting.allocs), 2);
    assert_int_equal(tr_load_relaxed(&counting.deallocs), 2);
}

struct stale {
    tr_arena *arena;
    tr_arena_ref ref;
};

static void read_stale(void *arg)
{
    const struct stale *stale = arg;
    (void)tr_arena_get(stale->arena, stale->ref);
}

static void test_pol_09_what_was_reset_is_gone(void **state)
{
    (void)state;
    tr_arena arena = tr_arena_new();
    unsigned char *block = (unsigned char *)take(&arena, 40, 8);
    struct stale stale = { &arena, tr_arena_ref_to(&arena, block) };
    assert_ptr_equal(tr_arena_get(&arena, stale.ref), block);
    tr_arena_reset(&arena);
    assert_panics(read_stale, &stale, "was reset since");
    tr_arena another = tr_arena_new();
    stale.ref = tr_arena_ref_to(&another, block);
    assert_panics(read_stale, &stale, "was reset since");
#if defined(UNDER_ASAN)
    assert_ptr_equal(__asan_region_is_poisoned(block, 40), block);
#elif defined(TR_CHECKED)
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(block[i], TR_ARENA_GONE);
#endif
    tr_arena_drop(&arena);
    tr_arena_drop(&another);
}

/* -- one that grows ----------------------------------------------------------- */

static void test_arena_grows_and_keeps_what_it_gave(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    tr_arena arena = tr_arena_new();
    assert_int_equal(tr_arena_capacity(&arena), 0);
    unsigned char *blocks[MANY];
    size_t total = 0;
    for (size_t i = 0; i < MANY; i++) {
        const size_t size = 1 + i * 31 % 97;
        blocks[i] = (unsigned char *)take(&arena, size, (size_t)1 << i % 7);
        memset(blocks[i], (int)i, size);
        total += size;
    }
    for (size_t i = 0; i < MANY; i++)
        for (size_t k = 0; k < 1 + i * 31 % 97; k++)
            assert_int_equal(blocks[i][k], (unsigned char)i);
    assert_true(tr_arena_used(&arena) >= total);
    assert_true(tr_arena_capacity(&arena) >= tr_arena_used(&arena));
    tr_arena_drop(&arena);
}

static void test_arena_reset_keeps_the_largest_chunk_only(void **state)
{
    (void)state;
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_arena arena = tr_arena_new_in(&counting.base, 100);
    (void)take(&arena, 100, 1);
    (void)take(&arena, 9000, 1); /* larger than the next would be */
    (void)take(&arena, 300, 1);
    assert_int_equal(tr_counting_live(&counting), 3);
    assert_int_equal(tr_arena_used(&arena), 9400);
    tr_arena_reset(&arena);
    assert_int_equal(tr_counting_live(&counting), 1);
    assert_int_equal(tr_arena_capacity(&arena), 9000);
    (void)take(&arena, 9000, 1);
    assert_int_equal(tr_counting_live(&counting), 1); /* no other was needed */
    tr_arena_drop(&arena);
    assert_int_equal(tr_counting_live(&counting), 0);
}

static void test_arena_size_zero_uses_nothing(void **state)
{
    (void)state;
    tr_arena arena = tr_arena_new();
    void *block = NULL;
    assert_int_equal(tr_arena_try_alloc(&arena, bytes(0, 64), &block), TR_OK);
    assert_ptr_equal(block, tr_layout_dangling(bytes(0, 64)));
    assert_int_equal(tr_arena_capacity(&arena), 0);
    tr_arena_drop(&arena);
}

static void test_arena_text_is_copied_and_printed(void **state)
{
    (void)state;
    tr_arena arena = tr_arena_new_in(NULL, 16);
    char *hello = tr_arena_strdup(&arena, "hello");
    char *empty = tr_arena_strdup(&arena, "");
    char *printed = tr_arena_printf(&arena, "%s %d %050d", hello, 42, 7);
    assert_string_equal(hello, "hello");
    assert_string_equal(empty, "");
    assert_int_equal(strlen(printed), 5 + 1 + 2 + 1 + 50);
    assert_memory_equal(printed, "hello 42 000", 12);
    tr_arena_drop(&arena);
}

/* -- values, checkpoints ------------------------------------------------------- */

static void test_arena_values_are_dropped_newest_first(void **state)
{
    (void)state;
    canary_reset();
    tr_arena arena = tr_arena_new_in(NULL, 64);
    canary *a = tr_arena_make(canary, &arena, .name = 'a', .value = 1);
    (void)tr_arena_make(canary, &arena, .name = 'b');
    int *plain = tr_arena_make(int, &arena, 7);
    (void)tr_arena_make(canary, &arena, .name = 'c');
    assert_int_equal(a->value, 1);
    assert_int_equal(*plain, 7);
    tr_arena_reset(&arena);
    assert_string_equal(canary_log, "cba");
    (void)tr_arena_make(canary, &arena, .name = 'd');
    tr_arena_drop(&arena);
    assert_string_equal(canary_log, "cbad");
}

static void test_arena_rollback_takes_back_what_came_since(void **state)
{
    (void)state;
    canary_reset();
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_arena arena = tr_arena_new_in(&counting.base, 256);
    (void)tr_arena_make(canary, &arena, .name = 'a');
    char *const kept = take(&arena, 20, 4);
    const tr_arena_mark outer = tr_arena_checkpoint(&arena);
    const size_t used = tr_arena_used(&arena);
    char *const first = take(&arena, 40, 8);
    for (int round = 0; round < 3; round++) {
        (void)tr_arena_make(canary, &arena, .name = 'b');
        const tr_arena_mark inner = tr_arena_checkpoint(&arena);
        (void)take(&arena, 5000, 8);
        (void)tr_arena_make(canary, &arena, .name = 'c');
        tr_arena_rollback(&arena, inner);
        assert_int_equal(tr_counting_live(&counting), 1);
        tr_arena_rollback(&arena, outer);
        assert_int_equal(tr_arena_used(&arena), used);
        assert_ptr_equal(take(&arena, 40, 8), first);
    }
    assert_string_equal(canary_log, "cbcbcb");
    assert_int_equal(kept[19], 0x5a);
    tr_arena_drop(&arena);
    assert_string_equal(canary_log, "cbcbcba");
    assert_int_equal(tr_counting_live(&counting), 0);
}

static void test_arena_rollback_to_before_the_first_chunk(void **state)
{
    (void)state;
    canary_reset();
    tr_arena arena = tr_arena_new_in(NULL, 64);
    const tr_arena_mark start = tr_arena_checkpoint(&arena);
    for (int round = 0; round < 3; round++) {
        (void)tr_arena_make(canary, &arena, .name = 'a');
        (void)take(&arena, 500, 1);
        tr_arena_rollback(&arena, start);
        assert_int_equal(tr_arena_used(&arena), 0);
    }
    assert_string_equal(canary_log, "aaa");
    tr_arena_drop(&arena);
}

struct back {
    tr_arena *arena;
    tr_arena_mark mark;
};

static void roll_back(void *arg)
{
    const struct back *back = arg;
    tr_arena_rollback(back->arena, back->mark);
}

static void test_arena_rollback_to_a_stale_mark_panics(void **state)
{
    (void)state;
    tr_arena arena = tr_arena_new_in(NULL, 64);
    tr_arena other = tr_arena_new_in(NULL, 64);
    (void)take(&arena, 8, 8);
    struct back back = { &arena, tr_arena_checkpoint(&arena) };
    const tr_arena_mark early = back.mark;
    (void)take(&arena, 4000, 8);
    back.mark = tr_arena_checkpoint(&arena);
    tr_arena_rollback(&arena, early);
    assert_panics(roll_back, &back, "rolled back"); /* its chunk is gone */
    back.mark = tr_arena_checkpoint(&other);
    assert_panics(roll_back, &back, "rolled back");
    back.mark = early;
    tr_arena_reset(&arena);
    assert_panics(roll_back, &back, "rolled back");
    tr_arena_drop(&arena);
    tr_arena_drop(&other);
}

/* A drop that panics for one name. */
typedef struct grenade {
    char name;
} grenade;
static void grenade_drop(grenade *g)
{
    canary c = { .name = g->name };
    canary_drop(&c);
    if (g->name == 'x')
        tr_panic("boom");
}
TR_TYPE(grenade, .drop = grenade_drop)

static void reset_it(void *arena)
{
    tr_arena_reset(arena);
}

static void test_arena_drop_that_panics_loses_nobody(void **state)
{
    (void)state;
    canary_reset();
    tr_arena arena = tr_arena_new_in(NULL, 64);
    (void)tr_arena_make(grenade, &arena, .name = 'a');
    (void)tr_arena_make(grenade, &arena, .name = 'x');
    (void)take(&arena, 1000, 1);
    (void)tr_arena_make(grenade, &arena, .name = 'b');
    assert_panics(reset_it, &arena, "boom");
    assert_string_equal(canary_log, "bxa");
    assert_int_equal(tr_arena_used(&arena), 0);
    tr_arena_drop(&arena);
    assert_string_equal(canary_log, "bxa");
}

static void test_arena_rollback_finishes_though_a_drop_panics(void **state)
{
    (void)state;
    canary_reset();
    tr_arena arena = tr_arena_new_in(NULL, 64);
    (void)tr_arena_make(grenade, &arena, .name = 'a');
    const size_t used = tr_arena_used(&arena);
    struct back back = { &arena, tr_arena_checkpoint(&arena) };
    (void)tr_arena_make(grenade, &arena, .name = 'b');
    (void)take(&arena, 1000, 1);
    (void)tr_arena_make(grenade, &arena, .name = 'x');
    assert_panics(roll_back, &back, "boom");
    assert_string_equal(canary_log, "xb");
    assert_int_equal(tr_arena_used(&arena), used);
    tr_arena_drop(&arena);
    assert_string_equal(canary_log, "xba");
}

/* -- as an allocator, and without one ------------------------------------------- */

static void test_arena_as_allocator_grows_the_last_in_place(void **state)
{
    (void)state;
    tr_arena arena = fixed(1000);
    tr_allocator *const a = &arena.base;
    char *first = tr_alloc_from(a, bytes(10, 1));
    memset(first, 'a', 10);
    assert_ptr_equal(tr_realloc_from(a, first, bytes(10, 1), 100), first);
    char *second = tr_alloc_zeroed_from(a, bytes(50, 1));
    assert_int_equal(second[49], 0);
    char *moved = tr_realloc_from(a, first, bytes(100, 1), 200);
    assert_true(moved != first);
    assert_int_equal(moved[9], 'a');
    assert_ptr_equal(tr_realloc_from(a, second, bytes(50, 1), 20), second);
    assert_ptr_equal(tr_realloc_from(a, moved, bytes(200, 1), 30), moved);
    assert_int_equal(tr_arena_used(&arena), 180);
    tr_dealloc_from(a, second, bytes(20, 1)); /* not the last: stays used */
    assert_int_equal(tr_arena_used(&arena), 180);
    assert_null(tr_realloc_from(a, moved, bytes(30, 1), 1001));
    assert_int_equal(moved[9], 'a');
    tr_dealloc_from(a, moved, bytes(30, 1));
    assert_int_equal(tr_arena_used(&arena), 150);
    char *last = tr_alloc_from(a, bytes(50, 1));
    assert_ptr_equal(tr_realloc_from(a, last, bytes(50, 1), 850), last); /* to the last byte */
    assert_null(tr_realloc_from(a, last, bytes(850, 1), 851));
    assert_int_equal(tr_arena_used(&arena), 1000);
    tr_arena_drop(&arena);
}

/* Everything an arena can do; false: some request of it failed. */
static bool use_all(tr_arena *arena)
{
    void *block;
    bool all = tr_arena_try_alloc(arena, bytes(60, 8), &block) == TR_OK;
    all &= tr_arena_try_make(canary, arena, .name = 'a') != NULL;
    all &= tr_arena_strdup(arena, "a text that needs a chunk of its own, or nearly so") != NULL;
    all &= tr_arena_try_alloc(arena, bytes(100, 128), &block) == TR_OK;
    all &= tr_arena_printf(arena, "%0300d", 1) != NULL;
    all &= tr_arena_try_make(int, arena, 4) != NULL;
    const tr_arena_mark mark = tr_arena_checkpoint(arena);
    all &= tr_arena_try_make(canary, arena, .name = 'b') != NULL;
    block = tr_alloc_from(&arena->base, bytes(2000, 8));
    void *larger =
        block != NULL ? tr_realloc_from(&arena->base, block, bytes(2000, 8), 9000) : NULL;
    all &= larger != NULL;
    tr_arena_rollback(arena, mark);
    return all;
}

static void test_arena_every_nth_allocation_failing_loses_nothing(void **state)
{
    (void)state;
    tr_counting_allocator counting;
    tr_failing_allocator failing;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_failing_allocator_init(&failing, &counting.base);
    bool failed = true;
    uint64_t n = 0;
    while (failed) {
        n++;
        canary_reset();
        tr_failing_allocator_fail(&failing, n, n % 2 == 0 ? 1 : UINT64_MAX);
        tr_arena arena = tr_arena_new_in(&failing.base, 64);
        const bool all = use_all(&arena);
        failed = tr_failing_allocator_failed(&failing) != 0;
        assert_int_equal(all, !failed);
        tr_arena_reset(&arena);
        tr_failing_allocator_fail(&failing, 1, 0);
        assert_true(use_all(&arena)); /* it goes on */
        tr_arena_drop(&arena);
        assert_int_equal(tr_counting_live(&counting), 0);
    }
    assert_in_range(n, 4, 30); /* so many requests there were */
    tr_failing_allocator_fail(&failing, 1, 1);
    tr_arena arena = { .generation_ = 77 };
    assert_int_equal(tr_arena_init_fixed(&arena, &failing.base, 10), TR_NOMEM);
    assert_int_equal(arena.generation_, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pol_01_blocks_lie_at_the_next_aligned_offset),
        TEST(test_pol_02_reset_gives_the_same_addresses_again),
        TEST(test_pol_03_full_to_the_last_byte_then_no_more),
        TEST(test_pol_04_too_much_fails_and_uses_nothing),
        TEST(test_pol_07_alignment_is_of_the_address),
        TEST(test_pol_08_one_block_comes_and_goes),
        TEST(test_pol_09_what_was_reset_is_gone),
        TEST(test_arena_grows_and_keeps_what_it_gave),
        TEST(test_arena_reset_keeps_the_largest_chunk_only),
        TEST(test_arena_size_zero_uses_nothing),
        TEST(test_arena_text_is_copied_and_printed),
        TEST(test_arena_values_are_dropped_newest_first),
        TEST(test_arena_rollback_takes_back_what_came_since),
        TEST(test_arena_rollback_to_before_the_first_chunk),
        TEST(test_arena_rollback_to_a_stale_mark_panics),
        TEST(test_arena_drop_that_panics_loses_nobody),
        TEST(test_arena_rollback_finishes_though_a_drop_panics),
        TEST(test_arena_as_allocator_grows_the_last_in_place),
        TEST(test_arena_every_nth_allocation_failing_loses_nothing),
    };
    return TEST_RUN(tests);
}
