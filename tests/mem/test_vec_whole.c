/*
 * test_vec_whole - a vec moved, cloned, compared, made a Box and back
 */
#include "tests/mem/vecs.h"

#include <troupe/mem/arc.h>

static void test_vec_moves_as_a_struct_and_take_leaves_an_empty_one(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) a = make_holders("ab");
    TR_AUTO_VALUE(holder_vec) b = TR_TAKE(a);
    assert_int_equal(a.len, 0);
    assert_null(a.data);
    assert_string_equal(names_of(&b), "ab");
}

static void test_vec_clone_is_equal_and_its_own(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abc");
    holder_vec_reserve(&v, 20);
    TR_AUTO_VALUE(holder_vec) copy = holder_vec_clone(&v);
    assert_int_equal(holder_vec_cap(&copy), 3);
    assert_true(holder_vec_eq(&v, &copy));
    assert_true(holder_vec_hash(&v) == holder_vec_hash(&copy));
    assert_ptr_not_equal(v.data[0].block, copy.data[0].block);
    *copy.data[2].block = 0;
    assert_false(holder_vec_eq(&v, &copy));
    holder_vec_truncate(&copy, 2);
    assert_false(holder_vec_eq(&v, &copy));
    TR_AUTO_VALUE(holder_vec) none = holder_vec_new();
    TR_AUTO_VALUE(holder_vec) none_copy = holder_vec_clone(&none);
    assert_true(holder_vec_eq(&none, &none_copy));
    assert_null(none_copy.data);
}

static void test_vec_of_vecs_drops_and_clones_deeply(void **state)
{
    (void)state;
    int_vec_vec outer = int_vec_vec_new();
    for (int i = 0; i < 3; i++)
        int_vec_vec_push(&outer, TR_VEC_OF(int_vec, i, i + 1));
    int_vec_vec copy = int_vec_vec_clone(&outer);
    assert_int_equal(test_live_blocks(), 8);
    assert_true(int_vec_vec_eq(&outer, &copy));
    int_vec_vec_drop(&outer);
    assert_int_equal(test_live_blocks(), 4);
    ASSERT_INTS(&copy.data[2], 2, 3);
    int_vec_vec *boxed = tr_box(int_vec_vec, .untyped = TR_TAKE(copy.untyped));
    tr_drop(boxed);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_vec_into_box_and_back_moves_the_elements(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abc");
    holder *box = holder_vec_into_box(&v);
    assert_int_equal(v.len, 0);
    assert_int_equal(tr_array_len(box), 3);
    assert_int_equal(box[2].name, 'c');
    v = holder_vec_from_box(&box);
    assert_null(box);
    assert_string_equal(names_of(&v), "abc");
    assert_int_equal(canary_dropped(), 0);
    box = holder_vec_into_box(&v);
    tr_drop(box);
    assert_string_equal(canary_log, "abc");

    int *one = tr_box(int, 5);
    TR_AUTO_VALUE(int_vec) of_one = int_vec_from_box(&one);
    ASSERT_INTS(&of_one, 5);
    int *none = NULL;
    TR_AUTO_VALUE(int_vec) of_none = int_vec_from_box(&none);
    assert_int_equal(of_none.len, 0);
}

static void from_arc(void *arg)
{
    int_vec v = int_vec_from_box(arg);
    int_vec_drop(&v);
}

static void test_vec_from_what_is_no_box_panics(void **state)
{
    (void)state;
    int *shared = tr_arc(int, 5);
    assert_panics(from_arc, &shared, "is no Box of int");
    assert_non_null(shared);
    tr_drop(shared);
}

typedef struct local {
    int value;
} local;
TR_TYPE(local, .flags = TR_NOT_SEND)
TR_VEC(local, TR_NOT_SEND)

static void test_vec_has_the_flags_of_its_elements(void **state)
{
    (void)state;
    assert_false(tr_type_is_send(tr_type_of(local_vec)));
    assert_true(tr_type_is_share(tr_type_of(local_vec)));
    assert_true(tr_type_is_send(tr_type_of(int_vec)));
    assert_true(tr_type_is_share(tr_type_of(int_vec)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_vec_moves_as_a_struct_and_take_leaves_an_empty_one),
        CASE(test_vec_clone_is_equal_and_its_own),
        CASE(test_vec_of_vecs_drops_and_clones_deeply),
        CASE(test_vec_into_box_and_back_moves_the_elements),
        CASE(test_vec_from_what_is_no_box_panics),
        CASE(test_vec_has_the_flags_of_its_elements),
    };
    return TEST_RUN(tests);
}
