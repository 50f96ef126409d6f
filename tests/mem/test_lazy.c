/*
 * test_lazy - LazyCell and LazyLock on one thread
 *
 * Several threads: test_once_threads.c.
 */
#include "tests/support/test.h"

#include <troupe/mem/box.h>
#include <troupe/mem/lazy.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

TR_LAZY_CELL(int)
TR_LAZY_LOCK(int)
TR_LAZY_CELL(canary)
TR_LAZY_LOCK(canary)

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
    *value = arg != NULL ? *(int *)arg : 92;
}

static void init_panicking(int *value, void *arg)
{
    (void)value;
    (void)arg;
    inits++;
    tr_panic("no such luck");
}

static void init_canary(canary *c, void *arg)
{
    *c = (canary){ .name = *(char *)arg };
}

static int_lazy_cell static_cell = { TR_LAZY_OF(init_from, NULL) };
static int_lazy_lock static_lock = { TR_LAZY_OF(init_from, NULL) };

/* The same tests for V = int_lazy_cell and int_lazy_lock. */
#define FOR_BOTH(V, STATIC_ONE)                                                                    \
    static void test_##V##_is_made_when_first_forced(void **state)                                 \
    {                                                                                              \
        (void)state;                                                                               \
        int five = 5;                                                                              \
        V lazy = { TR_LAZY_OF(init_from, &five) };                                                 \
        assert_null(V##_get(&lazy));                                                               \
        assert_int_equal(inits, 0);                                                                \
        assert_int_equal(*V##_force(&lazy), 5);                                                    \
        assert_int_equal(*V##_force(&lazy), 5);                                                    \
        *V##_force_mut(&lazy) = 6;                                                                 \
        assert_int_equal(*V##_get(&lazy), 6);                                                      \
        assert_int_equal(inits, 1);                                                                \
        assert_int_equal(*V##_force(&STATIC_ONE), 92);                                             \
        V##_drop(&STATIC_ONE); /* for good measure: it is made again */                            \
        assert_int_equal(*V##_force(&STATIC_ONE), 92);                                             \
        assert_int_equal(inits, 3);                                                                \
    }                                                                                              \
    static void V##_force_it(void *lazy)                                                           \
    {                                                                                              \
        (void)V##_force(lazy);                                                                     \
    }                                                                                              \
    static void V##_force_it_mut(void *lazy)                                                       \
    {                                                                                              \
        (void)V##_force_mut(lazy);                                                                 \
    }                                                                                              \
    static void test_##V##_panic_of_init_poisons_it(void **state)                                  \
    {                                                                                              \
        (void)state;                                                                               \
        V lazy = { TR_LAZY_OF(init_panicking, NULL) };                                             \
        assert_panics(V##_force_it, &lazy, "no such luck");                                        \
        assert_panics(V##_force_it, &lazy, "poisoned");                                            \
        assert_panics(V##_force_it_mut, &lazy, "poisoned");                                        \
        assert_null(V##_get(&lazy));                                                               \
        assert_int_equal(inits, 1);                                                                \
        V##_drop(&lazy); /* there is nothing to drop */                                            \
    }                                                                                              \
    static void V##_init_forcing(int *value, void *lazy)                                           \
    {                                                                                              \
        inits++;                                                                                   \
        *value = *V##_force(*(V **)lazy);                                                          \
    }                                                                                              \
    static void test_##V##_init_that_forces_it_panics(void **state)                                \
    {                                                                                              \
        (void)state;                                                                               \
        V *self = NULL;                                                                            \
        V lazy = { TR_LAZY_OF(V##_init_forcing, &self) };                                          \
        self = &lazy;                                                                              \
        assert_panics(V##_force_it, &lazy, "reentrant");                                           \
        assert_panics(V##_force_it, &lazy, "poisoned");                                            \
        assert_int_equal(inits, 1);                                                                \
    }                                                                                              \
    static void V##_clone_it(void *lazy)                                                           \
    {                                                                                              \
        V copy;                                                                                    \
        (void)tr_type_of(V)->clone(&copy, lazy);                                                   \
    }                                                                                              \
    static void test_##V##_misused_panics(void **state)                                            \
    {                                                                                              \
        (void)state;                                                                               \
        V zero = { .arg_ = NULL };                                                                 \
        assert_panics(V##_force_it, &zero, "no initialiser");                                      \
        assert_panics(V##_clone_it, &zero, "no clone");                                            \
    }
FOR_BOTH(int_lazy_cell, static_cell)
FOR_BOTH(int_lazy_lock, static_lock)

#define FOR_BOTH_OWNING(V)                                                                         \
    static void test_##V##_drops_what_it_made(void **state)                                        \
    {                                                                                              \
        (void)state;                                                                               \
        char name = 'a';                                                                           \
        V *made = tr_box(V, TR_LAZY_OF(init_canary, &name));                                       \
        V *unmade = tr_box(V, TR_LAZY_OF(init_canary, &name));                                     \
        assert_int_equal(V##_force(made)->name, 'a');                                              \
        tr_drop(made);                                                                             \
        tr_drop(unmade);                                                                           \
        assert_string_equal(canary_log, "a");                                                      \
    }
FOR_BOTH_OWNING(canary_lazy_cell)
FOR_BOTH_OWNING(canary_lazy_lock)

static void test_snd_lazy_flags_follow_the_kind(void **state)
{
    (void)state;
    assert_int_equal(tr_type_of(int_lazy_cell)->flags, TR_NOT_SHARE);
    assert_int_equal(tr_type_of(int_lazy_lock)->flags, 0);
}

#define CASES(V)                                                                                   \
    CASE(test_##V##_is_made_when_first_forced), CASE(test_##V##_panic_of_init_poisons_it),         \
        CASE(test_##V##_init_that_forces_it_panics), CASE(test_##V##_misused_panics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASES(int_lazy_cell),
        CASES(int_lazy_lock),
        CASE(test_canary_lazy_cell_drops_what_it_made),
        CASE(test_canary_lazy_lock_drops_what_it_made),
        CASE(test_snd_lazy_flags_follow_the_kind),
    };
    return TEST_RUN(tests);
}
