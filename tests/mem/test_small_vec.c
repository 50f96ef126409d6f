/*
 * test_small_vec - elements inside, then in a block, and back
 */
#include "tests/mem/vecs.h"

#include <troupe/mem/small_vec.h>

TR_SMALL_VEC(few_ints, int, 4)
TR_SMALL_VEC(few, holder, 3)

typedef struct line {
    _Alignas(64) char bytes[64];
} line;
TR_TYPE(line)
TR_SMALL_VEC(few_lines, line, 2)

typedef struct nothing {
} nothing;
TR_TYPE(nothing)
TR_SMALL_VEC(few_nothings, nothing, 2)

static few make_few(const char *names)
{
    few v = few_new();
    for (; *names != '\0'; names++) {
        holder h = make_holder(*names);
        h.bomb = *names >= 'A' && *names <= 'Z';
        few_push(&v, h);
    }
    return v;
}

static const char *few_names(const few *v)
{
    static char names[64];
    size_t n = 0;
    TR_SMALL_VEC_EACH(few, h, v)
        names[n++] = *h->block == h->name ? h->name : '?';
    names[n] = '\0';
    return names;
}

static void test_small_vec_spills_when_the_places_inside_are_used_up(void **state)
{
    (void)state;
    few_ints v = few_ints_new();
    for (int i = 0; i < 4; i++)
        few_ints_push(&v, i);
    assert_int_equal(test_live_blocks(), 0);
    assert_false(few_ints_is_spilled(&v));
    assert_int_equal(few_ints_cap(&v), 4);
    few_ints_push(&v, 4);
    assert_true(few_ints_is_spilled(&v));
    assert_int_equal(few_ints_cap(&v), 8);
    assert_int_equal(test_live_blocks(), 1);
    for (int i = 5; i < 20; i++)
        few_ints_push(&v, i);
    int sum = 0;
    TR_SMALL_VEC_EACH(few_ints, x, &v)
        sum += *x;
    assert_int_equal(sum, 190);
    assert_int_equal(*few_ints_first(&v), 0);
    assert_int_equal(*few_ints_last(&v), 19);
    few_ints_shrink_to_fit(&v);
    assert_int_equal(few_ints_cap(&v), 20);
    few_ints_truncate(&v, 3);
    assert_true(few_ints_is_spilled(&v));
    few_ints_shrink_to_fit(&v); /* home again */
    assert_false(few_ints_is_spilled(&v));
    assert_int_equal(test_live_blocks(), 0);
    assert_int_equal(*few_ints_at(&v, 2), 2);
    few_ints_drop(&v);
}

static void test_small_vec_moves_as_a_struct_with_what_is_inside(void **state)
{
    (void)state;
    TR_AUTO_VALUE(few) a = make_few("ab");
    TR_AUTO_VALUE(few) b = TR_TAKE(a);
    assert_int_equal(a.len, 0);
    assert_string_equal(few_names(&b), "ab");
    few_push(&b, make_holder('c'));
    few_push(&b, make_holder('d'));
    TR_AUTO_VALUE(few) c = TR_TAKE(b);
    assert_string_equal(few_names(&c), "abcd");
}

static void test_small_vec_insert_remove_and_pop_in_both_places(void **state)
{
    (void)state;
    for (unsigned spilled = 0; spilled < 2; spilled++) {
        TR_AUTO_VALUE(few) v = make_few("ac");
        if (spilled)
            few_reserve(&v, 10);
        few_insert(&v, 1, make_holder('b'));
        assert_string_equal(few_names(&v), "abc");
        few_insert(&v, 3, make_holder('d'));
        TR_AUTO_VALUE(holder) a = few_remove(&v, 0);
        assert_int_equal(a.name, 'a');
        TR_AUTO_VALUE(holder) b = few_swap_remove(&v, 0);
        assert_int_equal(b.name, 'b');
        assert_string_equal(few_names(&v), "dc");
        TR_AUTO_VALUE(holder) c = { .name = '-' };
        assert_int_equal(few_pop(&v, &c), TR_OK);
        assert_int_equal(c.name, 'c');
        assert_null(few_get(&v, 1));
        few_clear(&v);
        holder none = { .name = '-' };
        assert_int_equal(few_pop(&v, &none), TR_EMPTY);
    }
}

static void at_three(void *arg)
{
    (void)few_at(arg, 3);
}
static void remove_three(void *arg)
{
    (void)few_remove(arg, 3);
}
static void truncate_to_none(void *arg)
{
    few_truncate(arg, 0);
}
static void drop_all(void *arg)
{
    few_drop(arg);
}

static void test_small_vec_panics_keep_it_whole(void **state)
{
    (void)state;
    few v = make_few("abc");
    assert_panics(at_three, &v, "index 3 is out of bounds of 3 elements of holder");
    assert_panics(remove_three, &v, "index 3 is out of bounds of 3 elements of holder");
    assert_string_equal(few_names(&v), "abc");
    few_drop(&v);

    canary_reset();
    v = make_few("aBc");
    assert_panics(truncate_to_none, &v, "bomb B");
    assert_string_equal(canary_log, "aBc");
    assert_int_equal(v.len, 0);
    few_drop(&v);

    canary_reset();
    v = make_few("aBcde");
    assert_panics(drop_all, &v, "bomb B");
    assert_string_equal(canary_log, "aBcde");
    assert_int_equal(test_live_blocks(), 0);
}

static bool is_not(holder *h, void *arg)
{
    return h->name != *(const char *)arg;
}

static void test_small_vec_retain_and_extend(void **state)
{
    (void)state;
    TR_AUTO_VALUE(few) v = make_few("ab");
    few_extend(&v, few_data(&v), 2); /* itself, while it spills */
    assert_string_equal(few_names(&v), "abab");
    char unwanted = 'a';
    few_retain(&v, is_not, &unwanted);
    assert_string_equal(few_names(&v), "bb");
    assert_string_equal(canary_log, "aa");
}

static void test_small_vec_clone_goes_inside_when_it_fits(void **state)
{
    (void)state;
    TR_AUTO_VALUE(few) v = make_few("abcd");
    TR_AUTO_VALUE(few) large = few_clone(&v);
    assert_true(few_is_spilled(&large));
    assert_true(few_eq(&v, &large));
    assert_true(few_hash(&v) == few_hash(&large));
    few_truncate(&v, 2);
    assert_true(few_is_spilled(&v));
    TR_AUTO_VALUE(few) small = few_clone(&v);
    assert_false(few_is_spilled(&small));
    assert_true(few_eq(&v, &small));
    assert_true(few_hash(&v) == few_hash(&small));
    assert_false(few_eq(&v, &large));
}

static void test_small_vec_becomes_a_vec_and_back(void **state)
{
    (void)state;
    few v = make_few("abcd");
    const holder *block = few_data(&v);
    holder_vec plain = holder_vec_new();
    few_into_vec(&v, &plain.untyped);
    assert_ptr_equal(plain.data, block);
    assert_string_equal(names_of(&plain), "abcd");
    assert_int_equal(v.len, 0);
    v = few_from_vec(&plain.untyped);
    assert_ptr_equal(few_data(&v), block);
    assert_int_equal(plain.cap, 0);
    few_drop(&v);

    v = make_few("ab");
    few_into_vec(&v, &plain.untyped); /* from inside: a block of its own */
    assert_string_equal(names_of(&plain), "ab");
    assert_int_equal(plain.cap, 2);
    holder_vec_drop(&plain);
    few_into_vec(&v, &plain.untyped);
    assert_null(plain.data);
    v = few_from_vec(&plain.untyped);
    assert_int_equal(v.len, 0);
    few_drop(&v);
}

static void test_small_vec_of_lines_and_of_nothing(void **state)
{
    (void)state;
    TR_AUTO_VALUE(few_lines) v = few_lines_new();
    for (char c = 'a'; c < 'g'; c++) {
        line l = { .bytes = { c } };
        few_lines_insert(&v, v.len, l);
        assert_int_equal((uintptr_t)few_lines_data(&v) % 64, 0);
        assert_int_equal(few_lines_last(&v)->bytes[0], c);
    }
    few_nothings n = few_nothings_new();
    for (unsigned i = 0; i < 9; i++)
        few_nothings_push(&n, (nothing){});
    assert_int_equal(n.len, 9);
    assert_true(few_nothings_cap(&n) == SIZE_MAX);
    few_nothings_drop(&n);
}

static void test_small_vec_without_memory_changes_nothing(void **state)
{
    (void)state;
    TR_AUTO_VALUE(few) v = make_few("abc");
    TR_AUTO_VALUE(few) spilled = make_few("abcdef");
    TR_AUTO_VALUE(holder) h = make_holder('h');
    few copy = few_new();
    holder_vec plain = holder_vec_new();
    const int64_t live = test_live_blocks();
    failing_allocator failing;
    failing_install(&failing, 0);
    tr_status statuses[] = {
        few_try_push(&v, h),
        few_try_insert(&v, 0, h),
        few_try_extend(&v, &h, 1),
        few_try_reserve(&v, 1),
        few_try_push(&spilled, h),
        few_try_into_vec(&v, &plain.untyped),
        few_try_clone(&copy, &spilled),
        TR_NOMEM,
    };
    failing_allow(&failing, 1); /* an inside clone's second element fails */
    statuses[7] = few_try_clone(&copy, &v);
    failing_remove(&failing);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        assert_int_equal(statuses[i], TR_NOMEM);
    assert_string_equal(few_names(&v), "abc");
    assert_string_equal(few_names(&spilled), "abcdef");
    assert_int_equal(copy.len, 0);
    assert_null(plain.data);
    assert_int_equal(test_live_blocks(), live);
    assert_int_equal(few_try_reserve(&v, SIZE_MAX), TR_INVALID);
    assert_int_equal(few_try_reserve(&spilled, SIZE_MAX / 8), TR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_small_vec_spills_when_the_places_inside_are_used_up),
        CASE(test_small_vec_moves_as_a_struct_with_what_is_inside),
        CASE(test_small_vec_insert_remove_and_pop_in_both_places),
        CASE(test_small_vec_panics_keep_it_whole),
        CASE(test_small_vec_retain_and_extend),
        CASE(test_small_vec_clone_goes_inside_when_it_fits),
        CASE(test_small_vec_becomes_a_vec_and_back),
        CASE(test_small_vec_of_lines_and_of_nothing),
        CASE(test_small_vec_without_memory_changes_nothing),
    };
    return TEST_RUN(tests);
}
