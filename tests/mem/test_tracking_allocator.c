/*
 * test_tracking_allocator - what is live, who asked for it, which blocks reach
 * each other; what is given back wrongly
 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/mem/failing_allocator.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/tracking_allocator.h>

#include "tests/mem/death.h"
#include "tests/mem/panics.h"

static tr_layout bytes(size_t size, size_t align)
{
    return (tr_layout){ .size = size, .align = align };
}

static tr_tracking_allocator *tracking_new(void)
{
    tr_tracking_allocator *tracking = NULL;
    assert_int_equal(tr_tracking_allocator_create(tr_global_allocator(), &tracking), TR_OK);
    return tracking;
}

typedef struct seen {
    tr_tracked_block blocks[16];
    size_t count;
} seen;

static void see(const tr_tracked_block *block, void *arg)
{
    seen *s = arg;
    if (s->count < 16)
        s->blocks[s->count] = *block;
    s->count++;
}

static seen look(tr_tracking_allocator *tracking)
{
    seen s = { .count = 0 };
    assert_int_equal(tr_tracking_allocator_each(tracking, see, &s), TR_OK);
    assert_int_equal(s.count, tr_tracking_allocator_live(tracking));
    return s;
}

static void report(tr_tracking_allocator *tracking, char *text, size_t size)
{
    FILE *stream = fmemopen(text, size, "w");
    assert_non_null(stream);
    assert_int_equal(tr_tracking_allocator_report(tracking, stream), TR_OK);
    assert_int_equal(fclose(stream), 0);
}

static void test_alc_01_forgotten_dealloc_is_in_the_report(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    char text[4096];
    report(tracking, text, sizeof text);
    assert_string_equal(text, "0 live blocks, 0 bytes\n");

    int32_t *block = tr_alloc_from(a, tr_layout_of(int32_t));
    *block = 42;
    report(tracking, text, sizeof text);
    assert_non_null(strstr(text, "1 live block, 4 bytes\nblock 1: 4 bytes aligned to 4 at 0x"));
    const seen s = look(tracking);
    assert_ptr_equal(s.blocks[0].block, block);
    assert_int_equal(s.blocks[0].cycle, 0);
    assert_int_equal(*block, 42);

    tr_dealloc_from(a, block, tr_layout_of(int32_t));
    assert_int_equal(look(tracking).count, 0);
    tr_tracking_allocator_destroy(tracking);
    tr_tracking_allocator_destroy(NULL);
}

/* Not inlined, so that its frame is one. */
static TR_NOINLINE void *ask_here(tr_allocator *a)
{
    void *block = tr_alloc_zeroed_from(a, bytes(24, 8));
    *(volatile char *)block = 1; /* no tail call */
    return block;
}

static void test_tracking_allocator_names_who_asked(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    void *block = ask_here(a);
    const seen s = look(tracking);
    assert_true(s.blocks[0].frame_count > 1);
    bool found = false;
    for (unsigned i = 0; i < s.blocks[0].frame_count; i++) {
        const uintptr_t at = (uintptr_t)s.blocks[0].frames[i];
        found |= at > (uintptr_t)ask_here && at - (uintptr_t)ask_here < 500;
    }
    assert_true(found);
    tr_dealloc_from(a, block, bytes(24, 8));
    tr_tracking_allocator_destroy(tracking);
}

static void test_tracking_allocator_follows_realloc_and_many_blocks(void **state)
{
    (void)state;
    enum { MANY = 1000 }; /* more than the table begins with */
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    void *blocks[MANY];
    for (size_t i = 0; i < MANY; i++)
        blocks[i] = tr_alloc_from(a, bytes(i + 1, 8));
    for (size_t i = 0; i < MANY; i += 2)
        blocks[i] = tr_realloc_from(a, blocks[i], bytes(i + 1, 8), 3 * i + 9);
    assert_int_equal(tr_tracking_allocator_live(tracking), MANY);
    for (size_t i = 0; i < MANY; i++)
        if (i != 10 && i != 11)
            tr_dealloc_from(a, blocks[i], bytes(i % 2 == 0 ? 3 * i + 9 : i + 1, 8));
    const seen s = look(tracking);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.blocks[0].number, 11);
    assert_int_equal(s.blocks[0].layout.size, 39);
    assert_int_equal(s.blocks[1].number, 12);
    assert_int_equal(s.blocks[1].layout.size, 12);
    tr_dealloc_from(a, blocks[10], bytes(39, 8));
    tr_dealloc_from(a, blocks[11], bytes(12, 8));
    tr_tracking_allocator_destroy(tracking);
}

static void test_tracking_allocator_without_memory_keeps_its_records(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, tr_global_allocator());
    tr_tracking_allocator *tracking = NULL;
    assert_int_equal(tr_tracking_allocator_create(&failing.base, &tracking), TR_OK);
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    void *block = tr_alloc_from(a, bytes(8, 8));
    tr_failing_allocator_fail(&failing, 1, UINT64_MAX);
    assert_null(tr_alloc_from(a, bytes(8, 8)));
    assert_null(tr_alloc_zeroed_from(a, bytes(8, 8)));
    assert_null(tr_realloc_from(a, block, bytes(8, 8), 80));
    const seen s = look(tracking);
    assert_int_equal(s.count, 1);
    assert_ptr_equal(s.blocks[0].block, block);
    assert_int_equal(s.blocks[0].layout.size, 8);
    tr_dealloc_from(a, block, bytes(8, 8));
    tr_tracking_allocator_destroy(tracking);
}

/* -- cycles ------------------------------------------------------------------ */

typedef struct node {
    int value;
    struct node *next;
} node;
static void node_drop(node *n)
{
    tr_drop(n->next);
}
TR_TYPE(node, .drop = node_drop, .flags = TR_NOT_SEND | TR_NOT_SHARE)

static void test_grf_02_strong_cycle_is_reported_as_one(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const outgoing = tr_global_allocator();
    tr_set_global_allocator(tr_tracking_allocator_base(tracking));
    node *one = tr_rc(node, .value = 1);
    node *two = tr_rc(node, .value = 2);
    node *alone = tr_rc(node, .value = 3);
    one->next = tr_rc_clone(two);
    two->next = tr_rc_clone(one);
    alone->next = tr_rc_clone(one);
    node *const again = one;
    tr_drop(one);
    tr_drop(two);
    tr_drop(alone);
    char text[8192];
    const seen s = look(tracking);
    report(tracking, text, sizeof text);

    node *back = again->next->next; /* break it after all */
    again->next->next = NULL;
    tr_drop(back);
    tr_set_global_allocator(outgoing);
    assert_int_equal(tr_tracking_allocator_live(tracking), 0);
    tr_tracking_allocator_destroy(tracking);

    assert_int_equal(s.count, 2); /* the one in front of the cycle is freed */
    assert_int_equal(s.blocks[0].cycle, 1);
    assert_int_equal(s.blocks[1].cycle, 1);
    assert_non_null(strstr(text, "2 live blocks"));
    assert_non_null(strstr(text, ", in cycle 1\n"));
    assert_null(strstr(text, "cycle 2"));
}

/* Blocks of three words, tied together by index; -1 for nothing. */
static void tie(void **blocks, const int (*links)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            if (links[i][k] >= 0)
                ((void **)blocks[i])[k] = (char *)blocks[links[i][k]] + 8 * k; /* inside, too */
}

static void test_tracking_allocator_tells_cycles_apart(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    /* 0 1 2 in a ring; 3 leads into it and 4 is led to; 5 6 another, reached from
     * the first; 7 points at itself; 8 at nothing */
    static const int links[9][2] = {
        { 1, -1 }, { 2, 4 },  { 0, 5 },  { -1, 0 },  { -1, -1 },
        { 6, -1 }, { -1, 5 }, { -1, 7 }, { -1, -1 },
    };
    void *blocks[9];
    for (size_t i = 0; i < 9; i++)
        blocks[i] = tr_alloc_zeroed_from(a, bytes(24, 8));
    tie(blocks, links, 9);
    const seen s = look(tracking);
    const size_t ring = s.blocks[0].cycle;
    const size_t pair = s.blocks[5].cycle;
    const size_t self = s.blocks[7].cycle;
    assert_in_range(ring, 1, 3);
    assert_in_range(pair, 1, 3);
    assert_in_range(self, 1, 3);
    assert_true(ring != pair && pair != self && ring != self);
    const size_t expected[] = { ring, ring, ring, 0, 0, pair, pair, self, 0 };
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(s.blocks[i].cycle, expected[i]);
        tr_dealloc_from(a, blocks[i], bytes(24, 8));
    }
    tr_tracking_allocator_destroy(tracking);
}

static void count_in_cycle(const tr_tracked_block *block, void *arg)
{
    *(size_t *)arg += block->cycle == 1;
}

static void test_tracking_allocator_walks_a_long_ring(void **state)
{
    (void)state;
    const size_t n = 20000; /* recursion would need megabytes of stack */
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    void **const blocks = calloc(n, sizeof *blocks);
    for (size_t i = 0; i < n; i++)
        blocks[i] = tr_alloc_from(a, bytes(8, 8));
    for (size_t i = 0; i < n; i++)
        *(void **)blocks[i] = blocks[(i + 1) % n];
    size_t in_cycle = 0;
    assert_int_equal(tr_tracking_allocator_each(tracking, count_in_cycle, &in_cycle), TR_OK);
    assert_int_equal(in_cycle, n);
    for (size_t i = 0; i < n; i++)
        tr_dealloc_from(a, blocks[i], bytes(8, 8));
    free(blocks);
    tr_tracking_allocator_destroy(tracking);
}

static void panic_at_once(const tr_tracked_block *block, void *arg)
{
    (void)arg;
    tr_panic("saw %zu bytes", block->layout.size);
}

static void look_and_panic(void *tracking)
{
    (void)!tr_tracking_allocator_each(tracking, panic_at_once, NULL);
}

static void test_tracking_allocator_each_may_panic_and_report_may_be_refused(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    tr_allocator *const a = tr_tracking_allocator_base(tracking);
    void *block = tr_alloc_from(a, bytes(9, 1));
    assert_panics(look_and_panic, tracking, "saw 9 bytes");
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(tr_tracking_allocator_report(tracking, full), TR_IO);
    (void)fclose(full);
    tr_dealloc_from(a, block, bytes(9, 1));
    tr_tracking_allocator_destroy(tracking);
}

/* -- given back wrongly ------------------------------------------------------- */

static void free_twice(void)
{
    tr_allocator *const a = tr_tracking_allocator_base(tracking_new());
    void *block = tr_alloc_from(a, bytes(40, 8));
    tr_dealloc_from(a, block, bytes(40, 8));
    tr_dealloc_from(a, block, bytes(40, 8));
}

static void free_as_another(void)
{
    tr_allocator *const a = tr_tracking_allocator_base(tracking_new());
    tr_dealloc_from(a, tr_alloc_from(a, bytes(40, 8)), bytes(41, 8));
}

static void test_tracking_allocator_wrong_dealloc_aborts_and_says_why(void **state)
{
    (void)state;
    char text[1024];
    assert_true(death_by_abort(free_twice, text, sizeof text));
    assert_non_null(strstr(text, "is not live"));
    assert_true(death_by_abort(free_as_another, text, sizeof text));
    assert_non_null(strstr(text, "as 41 bytes aligned to 8, but block 1 is 40 bytes"));
}

/* -- threads ------------------------------------------------------------------ */

struct storm {
    tr_allocator *allocator;
    size_t rounds;
    void *left[4];
};

static void allocate_much(unsigned index, void *arg)
{
    struct storm *storm = arg;
    for (size_t i = 0; i < storm->rounds; i++) {
        const size_t size = 1 + (i * 37 + index) % 300;
        void *block = tr_alloc_from(storm->allocator, bytes(size, 8));
        block = tr_realloc_from(storm->allocator, block, bytes(size, 8), size + 8);
        tr_dealloc_from(storm->allocator, block, bytes(size + 8, 8));
    }
    storm->left[index] = tr_alloc_zeroed_from(storm->allocator, bytes(16, 8));
}

static void test_tracking_allocator_stress_knows_what_threads_left(void **state)
{
    (void)state;
    tr_tracking_allocator *tracking = tracking_new();
    struct storm storm = {
        .allocator = tr_tracking_allocator_base(tracking),
        .rounds = test_scale(1000),
    };
    test_threads_run(4, allocate_much, &storm);
    const seen s = look(tracking);
    assert_int_equal(s.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(s.blocks[i].layout.size, 16);
        tr_dealloc_from(storm.allocator, storm.left[i], bytes(16, 8));
    }
    tr_tracking_allocator_destroy(tracking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_alc_01_forgotten_dealloc_is_in_the_report),
        TEST(test_tracking_allocator_names_who_asked),
        TEST(test_tracking_allocator_follows_realloc_and_many_blocks),
        TEST(test_tracking_allocator_without_memory_keeps_its_records),
        TEST(test_grf_02_strong_cycle_is_reported_as_one),
        TEST(test_tracking_allocator_tells_cycles_apart),
        TEST(test_tracking_allocator_walks_a_long_ring),
        TEST(test_tracking_allocator_each_may_panic_and_report_may_be_refused),
        TEST(test_tracking_allocator_wrong_dealloc_aborts_and_says_why),
        TEST(test_tracking_allocator_stress_knows_what_threads_left),
    };
    return TEST_RUN(tests);
}
