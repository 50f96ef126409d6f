/*
 * test_panic_abort - the panics that nobody can catch: they print and abort
 */
#include "tests/support/test.h"

#include <alloca.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/mem/panic.h>

#include "mem/boundary.h"
#include "tests/mem/death.h"

static void panic_once(void *arg)
{
    (void)arg;
    tr_panic("caught");
}

static void panic_alone(void)
{
    tr_panic("nobody %s", "listens");
}

static void panic_from_cleanup(const char *c)
{
    tr_panic("the second, %c", *c);
}

static void panic_over_panic(void *arg)
{
    (void)arg;
    __attribute__((cleanup(panic_from_cleanup), unused)) char c = 'P';
    tr_panic("the first");
}

static void panic_twice(void)
{
    (void)!tr_catch(panic_over_panic, NULL, NULL);
}

static void panic_in_hook(const tr_panic_info *info)
{
    tr_panic("hook of %s", info->message);
}

static void panic_with_panicking_hook(void)
{
    tr_set_panic_hook(panic_in_hook);
    (void)!tr_catch(panic_over_panic, NULL, NULL);
}

static void panic_alone_with_panicking_hook(void)
{
    tr_set_panic_hook(panic_in_hook);
    panic_alone();
}

static void panic_after_catch(void)
{
    (void)!tr_catch(panic_once, NULL, NULL);
    panic_alone();
}

static TR_NOINLINE void arm_and_return(tri_boundary *boundary)
{
    if (tri_boundary_arm(boundary) != 0)
        abort();
}

/* So far down that the panic's own frames do not reach the dead one. */
static TR_NOINLINE void arm_far_down(tri_boundary *boundary)
{
    static volatile size_t size = 50000; /* volatile: the memory must be there */
    char *memory = alloca(size);
    memset(memory, 1, size);
    arm_and_return(boundary);
    if (memory[size - 1] != 1)
        abort();
}

static void panic_to_a_frame_that_is_gone(void)
{
    static tri_boundary boundary;
    arm_far_down(&boundary);
    panic_alone();
}

static void assert_dies(void (*f)(void), const char *one, const char *two)
{
    char text[2048];
    assert_true(death_by_abort(f, text, sizeof text));
    assert_non_null(strstr(text, one));
    assert_non_null(strstr(text, two));
}

static void test_panic_without_boundary_prints_and_aborts(void **state)
{
    (void)state;
    assert_dies(panic_alone, "nobody listens", "test_panic_abort.c:");
    assert_dies(panic_after_catch, "nobody listens", "no boundary");
}

static void test_panic_during_a_panic_prints_both_and_aborts(void **state)
{
    (void)state;
    assert_dies(panic_twice, "the first", "the second, P");
}

static void test_panic_in_the_hook_prints_both_and_aborts(void **state)
{
    (void)state;
    assert_dies(panic_with_panicking_hook, "the first", "hook of the first");
    assert_dies(panic_alone_with_panicking_hook, "nobody listens", "hook of nobody");
}

static void test_panic_to_a_boundary_whose_frame_is_gone_aborts(void **state)
{
    (void)state;
    assert_dies(panic_to_a_frame_that_is_gone, "nobody listens", "without being disarmed");
}

static void panic_with_default_hook(void)
{
    tr_set_panic_hook(NULL);
    (void)!tr_catch(panic_once, NULL, NULL);
    abort();
}

static void test_panic_default_hook_prints_where_and_what(void **state)
{
    (void)state;
    assert_dies(panic_with_default_hook, "thread panicked at ", ": caught\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_panic_without_boundary_prints_and_aborts),
        TEST(test_panic_during_a_panic_prints_both_and_aborts),
        TEST(test_panic_in_the_hook_prints_both_and_aborts),
        TEST(test_panic_to_a_boundary_whose_frame_is_gone_aborts),
        TEST(test_panic_default_hook_prints_where_and_what),
    };
    return TEST_RUN(tests);
}
