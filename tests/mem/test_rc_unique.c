/*
 * test_rc_unique - an Rc becomes a Box again, or writable
 *
 * Without memory too.
 */
#include "tests/support/test.h"

#include <troupe/mem/panic.h>
#include <troupe/mem/rc.h>

#include "tests/mem/canary.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void assert_counts(const void *rc, size_t strong, size_t weak)
{
    assert_int_equal(tr_strong_count(rc), strong);
    assert_int_equal(tr_weak_count(rc), weak);
}

static bool upgrades(tr_rc_weak weak)
{
    canary *up = tr_rc_upgrade(canary, weak);
    const bool alive = up != NULL;
    tr_drop(up);
    return alive;
}

/* -- one owner again ------------------------------------------------------ */

static void test_rc_07_try_unwrap_needs_the_only_owner(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 3);
    canary *const before = a;
    canary *b = tr_rc_clone(a);
    assert_null(tr_rc_try_unwrap(a));
    assert_ptr_equal(a, before);
    assert_counts(a, 2, 0);
    tr_drop(b);
    canary *box = tr_rc_try_unwrap(a);
    assert_null(a);
    assert_ptr_equal(box, before); /* in place */
    assert_int_equal(box->value, 3);
    tr_drop(box);
    assert_int_equal(canary_dropped(), 1);
    assert_null(tr_rc_try_unwrap(a));
}

static void test_rc_07_try_unwrap_under_a_weak_moves_the_value(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 5);
    tr_rc_weak w = tr_rc_downgrade(a);
    canary *box = tr_rc_try_unwrap(a);
    assert_null(a);
    assert_int_equal(box->value, 5);
    assert_false(upgrades(w));
    canary *again = tr_rc_from_box(box); /* its own counts, not the Weak's */
    assert_counts(again, 1, 0);
    assert_false(upgrades(w));
    assert_int_equal(canary_dropped(), 0);
    tr_drop(again);
    assert_int_equal(canary_dropped(), 1);
    tr_rc_weak_drop(&w);
}

static void test_rc_08_into_box_gives_the_value_to_the_last(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 4);
    canary *b = tr_rc_clone(a);
    assert_null(tr_rc_into_box(a));
    assert_null(a);
    assert_counts(b, 1, 0);
    assert_int_equal(canary_dropped(), 0);
    canary *box = tr_rc_into_box(b);
    assert_null(b);
    assert_int_equal(box->value, 4);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(box);
    canary *none = NULL;
    assert_null(tr_rc_into_box(none));
    assert_null(tr_rc_from_box(none));
}

static void test_rc_09_get_mut_needs_to_be_alone(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 1);
    assert_ptr_equal(tr_rc_get_mut(a), a);
    canary *b = tr_rc_clone(a);
    assert_null(tr_rc_get_mut(a));
    assert_null(tr_rc_get_mut(b));
    tr_drop(b);
    tr_rc_get_mut(a)->value = 2;
    tr_rc_weak w = tr_rc_downgrade(a);
    assert_null(tr_rc_get_mut(a));
    tr_rc_weak_drop(&w);
    assert_non_null(tr_rc_get_mut(a));
    assert_int_equal(a->value, 2);
    tr_drop(a);
}

static void test_rc_10_make_mut_clones_only_what_is_shared(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 1);
    canary *const before = a;
    assert_ptr_equal(tr_rc_make_mut(a), before);
    assert_ptr_equal(a, before);
    assert_int_equal(canary_cloned(), 0);
    assert_int_equal(test_live_blocks(), 1);

    canary *b = tr_rc_clone(a);
    tr_rc_make_mut(b)->value = 2;
    assert_int_equal(canary_cloned(), 1);
    assert_int_equal(test_live_blocks(), 2);
    assert_int_equal(a->value, 1);
    assert_int_equal(b->value, 2);
    assert_counts(a, 1, 0);
    assert_counts(b, 1, 0);
    tr_drop(a);
    tr_drop(b);
    assert_int_equal(canary_dropped(), 2);
}

static void test_rc_make_mut_leaves_weaks_behind_without_clone(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 1);
    tr_rc_weak w = tr_rc_downgrade(a);
    tr_rc_make_mut(a)->value = 7;
    assert_int_equal(canary_cloned() + canary_dropped(), 0);
    assert_counts(a, 1, 0);
    assert_int_equal(a->value, 7);
    assert_false(upgrades(w));
    tr_rc_weak_drop(&w);
    tr_drop(a);
    assert_int_equal(canary_dropped(), 1);
}

static void test_rc_unwrap_or_clone_of_the_last_does_not_clone(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 3);
    canary *b = tr_rc_clone(a);
    canary *copy = tr_rc_unwrap_or_clone(b);
    assert_null(b);
    assert_int_equal(canary_cloned(), 1);
    assert_counts(a, 1, 0);
    canary *const before = a;
    canary *box = tr_rc_unwrap_or_clone(a);
    assert_ptr_equal(box, before);
    assert_int_equal(canary_cloned(), 1);
    tr_drop(box);
    tr_drop(copy);
    assert_int_equal(canary_dropped(), 2);
}

static void test_rc_array_keeps_its_length_through_sharing(void **state)
{
    (void)state;
    canary *box = tr_box_array(canary, 3);
    for (int i = 0; i < 3; i++)
        box[i] = (canary){ .name = (char)('a' + i), .value = i };
    canary *const before = box;
    canary *a = tr_rc_from_box(box);
    assert_null(box);
    assert_ptr_equal(a, before);
    canary *b = tr_rc_clone(a);
    assert_int_equal(tr_array_len(b), 3);
    tr_rc_make_mut(b)[2].name = 'z';
    assert_int_equal(canary_cloned(), 3);
    tr_drop(a);
    box = tr_rc_into_box(b);
    assert_int_equal(tr_array_len(box), 3);
    tr_drop(box);
    assert_string_equal(canary_log, "abcabz");
}

/* -- without memory ------------------------------------------------------- */

static void test_rc_without_memory_changes_nothing(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 1);
    canary *b = tr_rc_clone(a);
    tr_rc_weak w = tr_rc_downgrade(a);
    failing_allocator failing;
    failing_install(&failing, 0);
    canary *made = tr_try_rc(canary, .value = 1);
    canary *shared = tr_rc_make_mut(b);
    canary *copy = tr_rc_unwrap_or_clone(b);
    tr_drop(a);
    canary *weakly_shared = tr_rc_make_mut(b);
    failing_remove(&failing);

    assert_null(made);
    assert_null(shared);
    assert_null(copy);
    assert_null(weakly_shared);
    assert_counts(b, 1, 1);
    assert_true(upgrades(w));
    assert_int_equal(b->value, 1);
    assert_int_equal(canary_cloned() + canary_dropped(), 0);
    tr_rc_weak_drop(&w);
    tr_drop(b);
}

static void test_rc_make_mut_with_failing_clone_drops_the_copies(void **state)
{
    (void)state;
    canary *box = tr_box_array(canary, 4);
    canary *a = tr_rc_from_box(box);
    canary *b = tr_rc_clone(a);
    canary_clone_limit = 2;
    assert_null(tr_rc_make_mut(b));
    assert_int_equal(canary_dropped(), 2);
    assert_ptr_equal(a, b);
    assert_counts(a, 2, 0);
    assert_int_equal(test_live_blocks(), 1);
    tr_drop(a);
    tr_drop(b);
    assert_int_equal(canary_dropped(), 2 + 4);
}

static void panic_of_memory(tr_layout layout)
{
    tr_panic("no %zu bytes", layout.size);
}

static void make_it(void *arg)
{
    canary **a = arg;
    *a = tr_rc(canary, .value = 2);
}

static void unwrap_it(void *arg)
{
    canary **a = arg;
    canary *box = tr_rc_try_unwrap(*a);
    tr_drop(box);
}

static void into_box_it(void *arg)
{
    canary **a = arg;
    canary *box = tr_rc_into_box(*a);
    tr_drop(box);
}

static void test_rc_unwrap_without_memory_keeps_it_and_into_box_drops_it(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 6);
    tr_rc_weak w = tr_rc_downgrade(a);
    canary *none = NULL;
    failing_allocator failing;
    tr_set_oom_handler(panic_of_memory);

    failing_install(&failing, 0);
    assert_panics(make_it, &none, "no 24 bytes");
    assert_panics(unwrap_it, &a, "no 24 bytes");
    failing_remove(&failing);
    assert_counts(a, 1, 1);
    assert_int_equal(a->value, 6);
    assert_true(upgrades(w));

    failing_install(&failing, 0);
    assert_panics(into_box_it, &a, "no 24 bytes");
    failing_remove(&failing);
    tr_set_oom_handler(NULL);
    assert_null(none);
    assert_null(a);
    assert_int_equal(canary_dropped(), 1);
    assert_false(upgrades(w));
    tr_rc_weak_drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rc_07_try_unwrap_needs_the_only_owner),
        CASE(test_rc_07_try_unwrap_under_a_weak_moves_the_value),
        CASE(test_rc_08_into_box_gives_the_value_to_the_last),
        CASE(test_rc_09_get_mut_needs_to_be_alone),
        CASE(test_rc_10_make_mut_clones_only_what_is_shared),
        CASE(test_rc_make_mut_leaves_weaks_behind_without_clone),
        CASE(test_rc_unwrap_or_clone_of_the_last_does_not_clone),
        CASE(test_rc_array_keeps_its_length_through_sharing),
        CASE(test_rc_without_memory_changes_nothing),
        CASE(test_rc_make_mut_with_failing_clone_drops_the_copies),
        CASE(test_rc_unwrap_without_memory_keeps_it_and_into_box_drops_it),
    };
    return TEST_RUN(tests);
}
