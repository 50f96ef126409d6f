/*
 * test_refcell_guards - guards mapped, split, cloned, moved
 */
#include "tests/support/test.h"

#include <troupe/mem/refcell.h>

#include "tests/mem/panics.h"

typedef struct point {
    int x;
    int y;
} point;
TR_TYPE(point)

TR_REFCELL(point)
TR_REF_TYPES(int)

static void test_cel_08_mapped_guard_takes_the_borrow_along(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1, .y = 2 }) };
    {
        TR_REF(point_ref) whole = tr_borrow(&c);
        TR_REF(int_ref) y = tr_ref_map(int_ref, &whole, &whole.value->y);
        assert_null(whole.value);
        assert_int_equal(*y.value, 2);
        assert_int_equal(tr_borrow_state(&c), 1);
        tr_ref_drop(&y);
        assert_int_equal(tr_borrow_state(&c), 0);
    }
    {
        TR_REF(point_ref_mut) whole = tr_borrow_mut(&c);
        TR_REF(int_ref_mut) x = tr_ref_map(int_ref_mut, &whole, &whole.value->x);
        *x.value = 7;
        assert_int_equal(tr_borrow_state(&c), -1);
    }
    assert_int_equal(tr_borrow_state(&c), 0);
    assert_int_equal(tr_refcell_get_mut(&c)->x, 7);
}

static const int *positive(const int *n)
{
    return *n > 0 ? n : NULL;
}

static void test_refcell_filter_map_keeps_the_guard_it_refuses(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1, .y = -2 }) };
    TR_REF(point_ref) whole = tr_borrow(&c);
    TR_REF(int_ref) none = tr_ref_map(int_ref, &whole, positive(&whole.value->y));
    assert_null(none.value);
    assert_int_equal(whole.value->x, 1);
    TR_REF(int_ref) x = tr_ref_map(int_ref, &whole, positive(&whole.value->x));
    assert_int_equal(*x.value, 1);
    assert_null(whole.value);
    assert_int_equal(tr_borrow_state(&c), 1);
}

static void test_refcell_map_split_of_a_reader_makes_two(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1, .y = 2 }) };
    TR_REF(point_ref) whole = tr_borrow(&c);
    TR_REF(int_ref) x = TR_REF_NONE;
    TR_REF(int_ref) y = TR_REF_NONE;
    tr_ref_map_split(&whole, &whole.value->x, &whole.value->y, &x, &y);
    assert_null(whole.value);
    assert_int_equal(tr_borrow_state(&c), 2);
    tr_ref_drop(&x);
    TR_REF(point_ref_mut) early = tr_try_borrow_mut(&c);
    assert_null(early.value);
    assert_int_equal(*y.value, 2);
    tr_ref_drop(&y);
    assert_int_equal(tr_borrow_state(&c), 0);
}

static void test_refcell_map_split_of_a_writer_keeps_others_out(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1, .y = 2 }) };
    TR_REF(point_ref_mut) whole = tr_borrow_mut(&c);
    TR_REF(int_ref_mut) x = TR_REF_NONE;
    TR_REF(int_ref_mut) y = TR_REF_NONE;
    tr_ref_map_split(&whole, &whole.value->x, &whole.value->y, &x, &y);
    assert_int_equal(tr_borrow_state(&c), -2);
    *x.value = 10;
    *y.value = 20;
    tr_ref_drop(&x);
    assert_int_equal(tr_borrow_state(&c), -1);
    TR_REF(point_ref) reader = tr_try_borrow(&c);
    TR_REF(point_ref_mut) writer = tr_try_borrow_mut(&c);
    assert_null(reader.value);
    assert_null(writer.value);
    tr_ref_drop(&y);
    assert_int_equal(tr_refcell_get_mut(&c)->x + tr_refcell_get_mut(&c)->y, 30);
}

static void test_refcell_cloned_guard_is_one_more_reader(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1 }) };
    TR_REF(point_ref) a = tr_borrow(&c);
    TR_REF(point_ref) b = tr_ref_clone(&a);
    assert_ptr_equal(a.value, b.value);
    assert_int_equal(tr_borrow_state(&c), 2);
    tr_ref_drop(&a);
    assert_int_equal(b.value->x, 1);
    assert_int_equal(tr_borrow_state(&c), 1);
    TR_REF(point_ref) nothing = tr_ref_clone(&a);
    assert_null(nothing.value);
}

static point_ref reader_of(point_refcell *c)
{
    TR_REF(point_ref) r = tr_borrow(c);
    return tr_ref_move(&r);
}

static void test_refcell_moved_guard_outlives_its_function(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1 }) };
    TR_REF(point_ref) r = reader_of(&c);
    assert_int_equal(tr_borrow_state(&c), 1);
    assert_int_equal(r.value->x, 1);
    point_ref_drop(&r);
    assert_int_equal(tr_borrow_state(&c), 0);
}

static void clone_guard(void *arg)
{
    TR_REF(point_ref) r = tr_ref_clone((point_ref *)arg);
}

static void split_guard(void *arg)
{
    point_ref_mut *whole = arg;
    TR_REF(int_ref_mut) x = TR_REF_NONE;
    TR_REF(int_ref_mut) y = TR_REF_NONE;
    tr_ref_map_split(whole, &whole->value->x, &whole->value->y, &x, &y);
}

static void test_refcell_guards_beyond_its_count_panic(void **state)
{
    (void)state;
    point_refcell c = { TR_REFCELL_OF({ .x = 1 }) };
    {
        TR_REF(point_ref) r = tr_borrow(&c);
        c.borrow_.count_ = INT32_MAX; /* that many guards were never released */
        assert_panics(clone_guard, &r, "too many guards");
        assert_int_equal(c.borrow_.count_, INT32_MAX);
        c.borrow_.count_ = 1;
    }
    TR_REF(point_ref_mut) w = tr_borrow_mut(&c);
    c.borrow_.count_ = -INT32_MAX;
    assert_panics(split_guard, &w, "too many guards");
    assert_int_equal(c.borrow_.count_, -INT32_MAX);
    assert_non_null(w.value);
    c.borrow_.count_ = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cel_08_mapped_guard_takes_the_borrow_along),
        TEST(test_refcell_filter_map_keeps_the_guard_it_refuses),
        TEST(test_refcell_map_split_of_a_reader_makes_two),
        TEST(test_refcell_map_split_of_a_writer_keeps_others_out),
        TEST(test_refcell_cloned_guard_is_one_more_reader),
        TEST(test_refcell_moved_guard_outlives_its_function),
        TEST(test_refcell_guards_beyond_its_count_panic),
    };
    return TEST_RUN(tests);
}
