/*
 * test_once - OnceCell and OnceLock on one thread
 *
 * What they have in common is run for both. Contention: test_once_threads.c.
 */
#include "tests/support/test.h"

#include <troupe/mem/box.h>
#include <troupe/mem/once.h>
#include <troupe/mem/rc.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

TR_RC_TYPE(canary_rc, canary)
TR_ONCE_CELL(int)
TR_ONCE_LOCK(int)
TR_ONCE_CELL(canary)
TR_ONCE_LOCK(canary)
TR_ONCE_CELL(canary_rc, TR_RC_FLAGS)
TR_ONCE_LOCK(canary_rc, TR_RC_FLAGS)

static unsigned inits;

static int setup(void **state)
{
    canary_reset();
    inits = 0;
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void init_from(int *value, void *arg)
{
    inits++;
    *value = *(int *)arg;
}

static void init_panicking(int *value, void *arg)
{
    (void)value;
    (void)arg;
    inits++;
    tr_panic("no such luck");
}

static tr_status try_init_from(int *value, void *arg)
{
    inits++;
    if (*(int *)arg < 0)
        return TR_IO;
    *value = *(int *)arg;
    return TR_OK;
}

/* The same tests for V = int_once_cell and int_once_lock. */
#define FOR_BOTH(V)                                                                                \
    static void test_##V##_is_filled_by_the_first(void **state)                                    \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        int ten = 10;                                                                              \
        int other = 11;                                                                            \
        assert_null(V##_get(&c));                                                                  \
        assert_null(V##_get_mut(&c));                                                              \
        assert_int_equal(*V##_get_or_init(&c, init_from, &ten), 10);                               \
        assert_int_equal(*V##_get_or_init(&c, init_from, &other), 10);                             \
        assert_int_equal(inits, 1);                                                                \
        assert_int_equal(*V##_get(&c), 10);                                                        \
        *V##_get_mut(&c) = 12;                                                                     \
        assert_int_equal(*V##_get(&c), 12);                                                        \
    }                                                                                              \
    static void test_##V##_set_of_a_full_one_changes_nothing(void **state)                         \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        assert_true(V##_set(&c, 1));                                                               \
        assert_false(V##_set(&c, 2));                                                              \
        assert_int_equal(*V##_get(&c), 1);                                                         \
    }                                                                                              \
    static void test_##V##_take_empties_it(void **state)                                           \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        int taken = 99;                                                                            \
        assert_false(V##_take(&c, &taken));                                                        \
        assert_int_equal(taken, 99);                                                               \
        assert_true(V##_set(&c, 1));                                                               \
        assert_true(V##_take(&c, &taken));                                                         \
        assert_int_equal(taken, 1);                                                                \
        assert_null(V##_get(&c));                                                                  \
        assert_true(V##_set(&c, 2));                                                               \
        assert_true(V##_into_inner(&c, &taken));                                                   \
        assert_int_equal(taken, 2);                                                                \
    }                                                                                              \
    static void test_##V##_failing_init_is_tried_again(void **state)                               \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        int bad = -1;                                                                              \
        int good = 5;                                                                              \
        const int *value = &bad;                                                                   \
        assert_int_equal(V##_get_or_try_init(&c, try_init_from, &bad, &value), TR_IO);             \
        assert_ptr_equal(value, &bad);                                                             \
        assert_null(V##_get(&c));                                                                  \
        assert_int_equal(V##_get_or_try_init(&c, try_init_from, &good, &value), TR_OK);            \
        assert_int_equal(*value, 5);                                                               \
        assert_int_equal(V##_get_or_try_init(&c, try_init_from, &bad, &value), TR_OK);             \
        assert_int_equal(inits, 2);                                                                \
    }                                                                                              \
    static void V##_init_panicking(void *c)                                                        \
    {                                                                                              \
        (void)V##_get_or_init(c, init_panicking, NULL);                                            \
    }                                                                                              \
    static void test_##V##_panic_of_init_leaves_it_empty(void **state)                             \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        int five = 5;                                                                              \
        assert_panics(V##_init_panicking, &c, "no such luck");                                     \
        assert_null(V##_get(&c));                                                                  \
        assert_int_equal(*V##_get_or_init(&c, init_from, &five), 5);                               \
        assert_int_equal(inits, 2);                                                                \
    }                                                                                              \
    static void V##_init_again(int *value, void *c)                                                \
    {                                                                                              \
        assert_null(V##_get(c));                                                                   \
        *value = *V##_get_or_init(c, V##_init_again, c);                                           \
    }                                                                                              \
    static void V##_init_setting(int *value, void *c)                                              \
    {                                                                                              \
        *value = V##_set(c, 1) ? 2 : 3;                                                            \
    }                                                                                              \
    static void V##_init_taking(int *value, void *c)                                               \
    {                                                                                              \
        if (!V##_take(c, value))                                                                   \
            *value = 4;                                                                            \
    }                                                                                              \
    static void V##_run_again(void *c)                                                             \
    {                                                                                              \
        (void)V##_get_or_init(c, V##_init_again, c);                                               \
    }                                                                                              \
    static void V##_run_setting(void *c)                                                           \
    {                                                                                              \
        (void)V##_get_or_init(c, V##_init_setting, c);                                             \
    }                                                                                              \
    static void V##_run_taking(void *c)                                                            \
    {                                                                                              \
        (void)V##_get_or_init(c, V##_init_taking, c);                                              \
    }                                                                                              \
    static void V##_run_without(void *c)                                                           \
    {                                                                                              \
        (void)V##_get_or_init(c, NULL, NULL);                                                      \
    }                                                                                              \
    static void test_##V##_init_that_needs_its_value_panics(void **state)                          \
    {                                                                                              \
        (void)state;                                                                               \
        V c = { 0 };                                                                               \
        assert_panics(V##_run_again, &c, "reentrant");                                             \
        assert_panics(V##_run_setting, &c, "reentrant");                                           \
        assert_panics(V##_run_taking, &c, "reentrant");                                            \
        assert_panics(V##_run_without, &c, "no initialiser");                                      \
        assert_null(V##_get(&c));                                                                  \
        assert_true(V##_set(&c, 1));                                                               \
    }                                                                                              \
    static void V##_hash(void *c)                                                                  \
    {                                                                                              \
        (void)tr_type_of(V)->hash(c);                                                              \
    }                                                                                              \
    static void test_##V##_is_equal_by_value(void **state)                                         \
    {                                                                                              \
        (void)state;                                                                               \
        V a = { 0 };                                                                               \
        V b = { 0 };                                                                               \
        assert_true(V##_eq(&a, &b));                                                               \
        assert_true(V##_set(&a, 1));                                                               \
        assert_false(V##_eq(&a, &b));                                                              \
        assert_false(V##_eq(&b, &a));                                                              \
        assert_int_equal(V##_clone(&b, &a), TR_OK);                                                \
        assert_true(V##_eq(&a, &b));                                                               \
        *V##_get_mut(&b) = 2;                                                                      \
        assert_false(V##_eq(&a, &b));                                                              \
        assert_panics(V##_hash, &a, "has no hash");                                                \
    }
FOR_BOTH(int_once_cell)
FOR_BOTH(int_once_lock)

/* The same for canaries, which are dropped once each. */
#define FOR_BOTH_OWNING(V)                                                                         \
    static void test_##V##_drops_what_it_holds(void **state)                                       \
    {                                                                                              \
        (void)state;                                                                               \
        V *full = tr_box(V, .value_ = { .value = 0 });                                             \
        V *empty = tr_box(V, .value_ = { .value = 0 });                                            \
        canary a = { .name = 'a' };                                                                \
        canary b = { .name = 'b' };                                                                \
        assert_true(V##_set(full, a));                                                             \
        assert_false(V##_set(full, b)); /* b is ours still */                                      \
        canary_drop(&b);                                                                           \
        assert_string_equal(canary_log, "b");                                                      \
        V copy;                                                                                    \
        assert_int_equal(V##_clone(&copy, full), TR_OK);                                           \
        assert_int_equal(canary_cloned(), 1);                                                      \
        V nothing;                                                                                 \
        assert_int_equal(V##_clone(&nothing, empty), TR_OK);                                       \
        assert_null(V##_get(&nothing));                                                            \
        canary_clone_limit = 1;                                                                    \
        assert_int_equal(V##_clone(&nothing, full), TR_LIMIT);                                     \
        V##_drop(&copy);                                                                           \
        V##_drop(&nothing);                                                                        \
        tr_drop(full);                                                                             \
        tr_drop(empty);                                                                            \
        assert_string_equal(canary_log, "baa");                                                    \
    }
FOR_BOTH_OWNING(canary_once_cell)
FOR_BOTH_OWNING(canary_once_lock)

static void test_snd_once_flags_follow_the_value(void **state)
{
    (void)state;
    assert_int_equal(tr_type_of(int_once_cell)->flags, TR_NOT_SHARE);
    assert_int_equal(tr_type_of(int_once_lock)->flags, 0);
    assert_int_equal(tr_type_of(canary_rc_once_cell)->flags, TR_NOT_SEND | TR_NOT_SHARE);
    assert_int_equal(tr_type_of(canary_rc_once_lock)->flags, TR_NOT_SEND | TR_NOT_SHARE);
}

#define CASES(V)                                                                                   \
    CASE(test_##V##_is_filled_by_the_first), CASE(test_##V##_set_of_a_full_one_changes_nothing),   \
        CASE(test_##V##_take_empties_it), CASE(test_##V##_failing_init_is_tried_again),            \
        CASE(test_##V##_panic_of_init_leaves_it_empty),                                            \
        CASE(test_##V##_init_that_needs_its_value_panics), CASE(test_##V##_is_equal_by_value)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(int_once_cell),
        CASES(int_once_lock),
        CASE(test_canary_once_cell_drops_what_it_holds),
        CASE(test_canary_once_lock_drops_what_it_holds),
        CASE(test_snd_once_flags_follow_the_value),
    };
    return TEST_RUN(tests);
}
