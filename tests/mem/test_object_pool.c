/*
 * test_object_pool - values that come and go, places that are used again, limits,
 * wrong puts, no memory
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/failing_allocator.h>
#include <troupe/mem/object_pool.h>
#include <troupe/mem/scalars.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

typedef struct wide {
    _Alignas(128) uint32_t number;
} wide;
TR_TYPE(wide)

typedef struct nothing {
} nothing;
TR_TYPE(nothing)

static void test_object_pool_value_is_got_used_and_dropped(void **state)
{
    (void)state;
    canary_reset();
    tr_object_pool pool = tr_object_pool_new(canary);
    assert_int_equal(tr_object_pool_get_stats(&pool).capacity, 0);
    canary *a = tr_object_pool_get(canary, &pool, .name = 'a', .value = 1);
    canary *b = tr_object_pool_get(canary, &pool, .name = 'b', .value = 2);
    assert_int_equal(a->value, 1);
    assert_int_equal(b->value, 2);
    tr_object_pool_put(&pool, a);
    assert_string_equal(canary_log, "a");
    assert_int_equal(b->value, 2);
    tr_object_pool_put(&pool, b);
    assert_string_equal(canary_log, "ab");
    tr_object_pool_put(&pool, NULL);
    tr_object_pool_drop(&pool);
    assert_string_equal(canary_log, "ab");
}

static void test_object_pool_take_moves_the_value_out(void **state)
{
    (void)state;
    canary_reset();
    tr_object_pool pool = tr_object_pool_new(canary);
    canary *a = tr_object_pool_get(canary, &pool, .name = 'a', .value = 5);
    canary moved;
    tr_object_pool_take(&pool, a, &moved);
    assert_int_equal(canary_dropped(), 0);
    assert_int_equal(moved.value, 5);
    assert_int_equal(tr_object_pool_get_stats(&pool).out, 0);
    tr_object_pool_drop(&pool);
}

static void test_object_pool_place_put_last_is_got_next(void **state)
{
    (void)state;
    tr_object_pool pool = tr_object_pool_new(int);
    int *a = tr_object_pool_get(int, &pool, 1);
    int *b = tr_object_pool_get(int, &pool, 2);
    tr_object_pool_put(&pool, a);
    tr_object_pool_put(&pool, b);
    assert_ptr_equal(tr_object_pool_get(int, &pool, 3), b);
    assert_ptr_equal(tr_object_pool_get(int, &pool, 4), a);
    assert_int_equal(*a, 4);
    tr_object_pool_put(&pool, a);
    tr_object_pool_put(&pool, b);
    const tr_object_pool_stats stats = tr_object_pool_get_stats(&pool);
    assert_int_equal(stats.out, 0);
    assert_int_equal(stats.most_out, 2);
    assert_int_equal(stats.gets, 4);
    assert_int_equal(stats.chunks, 1);
    tr_object_pool_drop(&pool);
    tr_object_pool_drop(&pool);
}

static void test_object_pool_grows_and_values_stay_where_they_are(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    tr_object_pool pool = tr_object_pool_new(wide);
    wide *objects[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        objects[i] = tr_object_pool_get(wide, &pool, .number = i);
        assert_int_equal((uintptr_t)objects[i] % 128, 0);
    }
    const tr_object_pool_stats full = tr_object_pool_get_stats(&pool);
    assert_int_equal(full.out, MANY);
    assert_in_range(full.capacity, MANY, 2 * MANY);
    assert_in_range(full.chunks, 2, 12);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(objects[i]->number, i); /* none overlaps another */
    for (uint32_t i = 0; i < MANY; i += 2)
        tr_object_pool_put(&pool, objects[i]);
    for (uint32_t i = 0; i < MANY; i += 2)
        objects[i] = tr_object_pool_get(wide, &pool, .number = i + MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(objects[i]->number, i % 2 == 0 ? i + MANY : i);
        tr_object_pool_put(&pool, objects[i]);
    }
    const tr_object_pool_stats empty = tr_object_pool_get_stats(&pool);
    assert_int_equal(empty.capacity, full.capacity);
    assert_int_equal(empty.out, 0);
    tr_object_pool_drop(&pool);
}

static void test_object_pool_size_zero_values_have_addresses(void **state)
{
    (void)state;
    tr_object_pool pool = tr_object_pool_new(nothing);
    nothing *a = tr_object_pool_get(nothing, &pool);
    nothing *b = tr_object_pool_get(nothing, &pool);
    assert_non_null(a);
    assert_true(a != b);
    tr_object_pool_put(&pool, a);
    tr_object_pool_put(&pool, b);
    tr_object_pool_drop(&pool);
}

static void give_up(tr_layout layout)
{
    tr_panic("no %zu bytes", layout.size);
}

static void get_one(void *pool)
{
    (void)tr_object_pool_get(int, pool, 1);
}

static void test_object_pool_limit_is_kept(void **state)
{
    (void)state;
    const tr_object_pool_options options = { .first_chunk = 2, .limit = 5 };
    tr_object_pool pool = tr_object_pool_new_of(tr_type_of(int), &options);
    assert_int_equal(tr_object_pool_reserve(&pool, 6), TR_LIMIT);
    int *objects[5];
    for (int i = 0; i < 5; i++)
        objects[i] = tr_object_pool_try_get(int, &pool, i);
    assert_null(tr_object_pool_try_get(int, &pool, 6));
    tr_set_oom_handler(give_up);
    assert_panics(get_one, &pool, "no 4 bytes");
    tr_set_oom_handler(NULL);
    assert_int_equal(tr_object_pool_get_stats(&pool).capacity, 5);
    assert_int_equal(tr_object_pool_get_stats(&pool).gets, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(*objects[i], i);
        tr_object_pool_put(&pool, objects[i]);
    }
    tr_object_pool_drop(&pool);
}

/* -- wrong uses ----------------------------------------------------------------- */

static void get_another_type(void *pool)
{
    (void)tr_object_pool_get(wide, pool, .number = 1);
}

static void drop_pool(void *pool)
{
    tr_object_pool_drop(pool);
}

static void test_object_pool_wrong_type_and_early_drop_panic(void **state)
{
    (void)state;
    tr_object_pool pool = tr_object_pool_new(int);
    int *one = tr_object_pool_get(int, &pool, 7);
    assert_panics(get_another_type, &pool, "a wide is got from a pool of int");
    assert_panics(drop_pool, &pool, "while 1 values are out");
    assert_int_equal(*one, 7);
    tr_object_pool_put(&pool, one);
    tr_object_pool_drop(&pool);
}

struct wrong {
    tr_object_pool *pool;
    void *object;
};

static void put_wrong(void *arg)
{
    const struct wrong *wrong = arg;
    tr_object_pool_put(wrong->pool, wrong->object);
}

static void test_object_pool_checked_wrong_put_panics(void **state)
{
    (void)state;
#ifdef TR_CHECKED
    tr_object_pool pool = tr_object_pool_new(int);
    tr_object_pool other = tr_object_pool_new(int);
    int *one = tr_object_pool_get(int, &pool, 7);
    int *foreign = tr_object_pool_get(int, &other, 7);
    struct wrong wrong = { &pool, one };
    tr_object_pool_put(&pool, one);
    assert_panics(put_wrong, &wrong, "that has it already");
    wrong.object = foreign;
    assert_panics(put_wrong, &wrong, "does not come from");
    one = tr_object_pool_get(int, &pool, 8);
    wrong.object = (char *)one + 4;
    assert_panics(put_wrong, &wrong, "does not come from");
    assert_int_equal(*one, 8);
    assert_int_equal(tr_object_pool_get_stats(&pool).out, 1);
    tr_object_pool_put(&pool, one);
    tr_object_pool_put(&other, foreign);
    tr_object_pool_drop(&pool);
    tr_object_pool_drop(&other);
#else
    (void)put_wrong;
    skip();
#endif
}

static void test_object_pool_checked_put_overwrites_the_value(void **state)
{
    (void)state;
#ifdef TR_CHECKED
    tr_object_pool pool = tr_object_pool_new(wide);
    wide *one = tr_object_pool_get(wide, &pool, .number = 7);
    tr_object_pool_put(&pool, one);
    for (size_t i = sizeof(void *); i < sizeof *one; i++)
        assert_int_equal(((unsigned char *)one)[i], 0xdd);
    tr_object_pool_drop(&pool);
#else
    skip();
#endif
}

typedef struct grenade {
    int value;
} grenade;
static void grenade_drop(grenade *g)
{
    tr_panic("boom %d", g->value);
}
TR_TYPE(grenade, .drop = grenade_drop)

static void test_object_pool_drop_that_panics_gives_the_place_back(void **state)
{
    (void)state;
    tr_object_pool pool = tr_object_pool_new(grenade);
    struct wrong loud = { &pool, tr_object_pool_get(grenade, &pool, .value = 3) };
    assert_panics(put_wrong, &loud, "boom 3");
    assert_int_equal(tr_object_pool_get_stats(&pool).out, 0);
    grenade *again = tr_object_pool_get(grenade, &pool, .value = 4);
    assert_ptr_equal(again, loud.object);
    grenade moved;
    tr_object_pool_take(&pool, again, &moved);
    assert_int_equal(moved.value, 4);
    tr_object_pool_drop(&pool);
}

/* A drop that gets and puts in its own pool. */
static tr_object_pool *nest;
typedef struct nested {
    int depth;
} nested;
static void nested_drop(nested *n);
TR_TYPE(nested, .drop = nested_drop)
static void nested_drop(nested *n)
{
    if (n->depth > 0)
        tr_object_pool_put(nest, tr_object_pool_get(nested, nest, .depth = n->depth - 1));
}

static void test_object_pool_drop_may_use_the_pool(void **state)
{
    (void)state;
    tr_object_pool pool = tr_object_pool_new(nested);
    nest = &pool;
    tr_object_pool_put(&pool, tr_object_pool_get(nested, &pool, .depth = 40));
    assert_int_equal(tr_object_pool_get_stats(&pool).out, 0);
    assert_int_equal(tr_object_pool_get_stats(&pool).most_out, 41);
    tr_object_pool_drop(&pool);
}

/* -- no memory -------------------------------------------------------------------- */

static void test_object_pool_reserve_makes_gets_sure(void **state)
{
    (void)state;
    tr_failing_allocator failing;
    tr_failing_allocator_init(&failing, tr_global_allocator());
    const tr_object_pool_options options = { .allocator = &failing.base };
    tr_object_pool pool = tr_object_pool_new_of(tr_type_of(int), &options);
    tr_failing_allocator_fail(&failing, 1, 1);
    assert_int_equal(tr_object_pool_reserve(&pool, 300), TR_NOMEM);
    assert_int_equal(tr_object_pool_get_stats(&pool).capacity, 0);
    assert_int_equal(tr_object_pool_reserve(&pool, SIZE_MAX), TR_NOMEM);
    assert_int_equal(tr_object_pool_reserve(&pool, SIZE_MAX / 16), TR_NOMEM);
    assert_int_equal(tr_object_pool_reserve(&pool, 300), TR_OK);
    assert_int_equal(tr_object_pool_reserve(&pool, 0), TR_OK);
    tr_failing_allocator_fail(&failing, 1, UINT64_MAX);
    int *objects[300];
    for (int i = 0; i < 300; i++) {
        objects[i] = tr_object_pool_try_get(int, &pool, i);
        assert_non_null(objects[i]);
    }
    assert_null(tr_object_pool_try_get(int, &pool, 1));
    assert_int_equal(tr_object_pool_get_stats(&pool).out, 300);
    for (int i = 0; i < 300; i++)
        tr_object_pool_put(&pool, objects[i]);
    tr_object_pool_drop(&pool);
}

static void test_object_pool_every_nth_allocation_failing_loses_nothing(void **state)
{
    (void)state;
    enum { MANY = 100 };
    tr_counting_allocator counting;
    tr_failing_allocator failing;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_failing_allocator_init(&failing, &counting.base);
    const tr_object_pool_options options = { .allocator = &failing.base, .first_chunk = 4 };
    bool failed = true;
    uint64_t n = 0;
    while (failed) {
        canary_reset();
        tr_failing_allocator_fail(&failing, ++n, 1);
        tr_object_pool pool = tr_object_pool_new_of(tr_type_of(canary), &options);
        canary *objects[MANY];
        size_t refused = 0;
        for (size_t i = 0; i < MANY; i++) {
            objects[i] = tr_object_pool_try_get(canary, &pool, .value = (int)i);
            refused += objects[i] == NULL;
        }
        failed = tr_failing_allocator_failed(&failing) != 0;
        assert_int_equal(refused, failed);
        for (size_t i = 0; i < MANY; i++) {
            assert_true(objects[i] == NULL || objects[i]->value == (int)i);
            tr_object_pool_put(&pool, objects[i]);
        }
        assert_int_equal(canary_dropped(), MANY - refused);
        tr_object_pool_drop(&pool);
        assert_int_equal(tr_counting_live(&counting), 0);
    }
    assert_in_range(n, 4, 8); /* 4 + 8 + 16 ... */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_object_pool_value_is_got_used_and_dropped),
        TEST(test_object_pool_take_moves_the_value_out),
        TEST(test_object_pool_place_put_last_is_got_next),
        TEST(test_object_pool_grows_and_values_stay_where_they_are),
        TEST(test_object_pool_size_zero_values_have_addresses),
        TEST(test_object_pool_limit_is_kept),
        TEST(test_object_pool_wrong_type_and_early_drop_panic),
        TEST(test_object_pool_checked_wrong_put_panics),
        TEST(test_object_pool_checked_put_overwrites_the_value),
        TEST(test_object_pool_drop_that_panics_gives_the_place_back),
        TEST(test_object_pool_drop_may_use_the_pool),
        TEST(test_object_pool_reserve_makes_gets_sure),
        TEST(test_object_pool_every_nth_allocation_failing_loses_nothing),
    };
    return TEST_RUN(tests);
}
