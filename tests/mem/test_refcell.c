/*
 * test_refcell - who may borrow when, what a refusal says, values in and out
 *
 * Guards that are mapped, split, cloned and moved: test_refcell_guards.c.
 */
#include "tests/support/test.h"

#include <stdio.h>

#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>

#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/panics.h"

TR_REFCELL(int)
TR_REFCELL(canary)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

/* -- borrowing ------------------------------------------------------------- */

static void test_cel_02_writes_are_seen_by_the_next_reader(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    {
        TR_REF(int_ref_mut) w = tr_borrow_mut(&c);
        *w.value += 1;
    }
    {
        TR_REF(int_ref) r = tr_borrow(&c);
        assert_int_equal(*r.value, 6);
    }

    int_refcell *shared = tr_rc(int_refcell, TR_REFCELL_OF(5));
    int_refcell *other = tr_rc_clone(shared);
    {
        TR_REF(int_ref_mut) w = tr_borrow_mut(other);
        *w.value += 10;
    }
    assert_int_equal(*tr_refcell_get_mut(shared), 15);
    tr_drop(shared);
    tr_drop(other);
}

static void test_cel_03_readers_are_counted(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    {
        TR_REF(int_ref) a = tr_borrow(&c);
        TR_REF(int_ref) b = tr_try_borrow(&c);
        assert_int_equal(*a.value + *b.value, 10);
        assert_int_equal(tr_borrow_state(&c), 2);
    }
    assert_int_equal(tr_borrow_state(&c), 0);
}

static void read_it(void *arg)
{
    int_refcell *c = arg;
    TR_REF(int_ref) r = tr_borrow(c);
}

static void write_it(void *arg)
{
    int_refcell *c = arg;
    TR_REF(int_ref_mut) w = tr_borrow_mut(c);
    *w.value = 99;
}

static void test_cel_04_no_writer_beside_a_reader(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref) r = tr_borrow(&c);
    TR_REF(int_ref_mut) w = tr_try_borrow_mut(&c);
    assert_null(w.value);
    assert_panics(write_it, &c, "already borrowed");
    assert_int_equal(*r.value, 5);
    assert_int_equal(tr_borrow_state(&c), 1);
}

static void test_cel_05_nobody_beside_a_writer(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref_mut) w = tr_borrow_mut(&c);
    TR_REF(int_ref) r = tr_try_borrow(&c);
    TR_REF(int_ref_mut) w2 = tr_try_borrow_mut(&c);
    assert_null(r.value);
    assert_null(w2.value);
    assert_panics(read_it, &c, "already mutably borrowed");
    assert_panics(write_it, &c, "already mutably borrowed");
    assert_int_equal(*w.value, 5);
    assert_int_equal(tr_borrow_state(&c), -1);
}

static void test_cel_06_the_last_release_frees_it_for_both(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref) a = tr_borrow(&c);
    TR_REF(int_ref) b = tr_borrow(&c);
    tr_ref_drop(&a);
    assert_null(a.value);
    TR_REF(int_ref_mut) early = tr_try_borrow_mut(&c);
    assert_null(early.value);
    tr_ref_drop(&b);
    TR_REF(int_ref_mut) w = tr_try_borrow_mut(&c);
    assert_non_null(w.value);
    tr_ref_drop(&w);
    tr_ref_drop(&w); /* empty */
    TR_REF(int_ref) again = tr_try_borrow(&c);
    assert_non_null(again.value);
}

/* As in a node that is read while a RefCell inside of it is written. */
static void write_through_const(const int_refcell *c)
{
    TR_REF(int_ref_mut) w = tr_borrow_mut(c);
    (*w.value)++;
}

static void test_refcell_is_written_behind_const(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    write_through_const(&c);
    assert_int_equal(*tr_refcell_get_mut(&c), 6);
}

static void panic_while_writing(void *arg)
{
    int_refcell *c = arg;
    TR_REF(int_ref_mut) w = tr_borrow_mut(c);
    *w.value = 8;
    tr_panic("in the middle");
}

static void test_refcell_panic_releases_and_poisons_nothing(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    assert_panics(panic_while_writing, &c, "in the middle");
    TR_REF(int_ref) r = tr_borrow(&c);
    assert_int_equal(*r.value, 8);
}

static void test_refcell_panic_names_both_places(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    tr_panic_info info;
    TR_REF(int_ref) r = tr_borrow(&c);
    const int line = __LINE__ - 1;
    tr_set_panic_hook(panics_ignore);
    assert_int_equal(tr_catch(write_it, &c, &info), TR_PANICKED);
    tr_set_panic_hook(NULL);
    assert_string_equal(info.file, __FILE__);
    assert_in_range(info.line, 1, line - 1); /* in write_it */
    char expected[256] = "RefCell already borrowed";
#ifdef TR_CHECKED
    (void)snprintf(expected, sizeof expected, "RefCell already borrowed (at %s:%d)", __FILE__, line);
#endif
    assert_string_equal(info.message, expected);
}

static void test_refcell_beyond_its_count_refuses_readers(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    c.borrow_.count_ = INT32_MAX; /* that many guards were never released */
    TR_REF(int_ref) r = tr_try_borrow(&c);
    assert_null(r.value);
    assert_panics(read_it, &c, "too many guards");
    assert_int_equal(c.borrow_.count_, INT32_MAX);
}

/* -- values in and out ----------------------------------------------------- */

static void test_refcell_replace_take_swap_move_values(void **state)
{
    (void)state;
    canary_refcell a = { TR_REFCELL_OF({ .name = 'a', .value = 1 }) };
    canary_refcell b = { TR_REFCELL_OF({ .name = 'b', .value = 2 }) };
    canary old = tr_refcell_replace(&a, (canary){ .name = 'c', .value = 3 });
    assert_int_equal(old.value, 1);
    tr_refcell_swap(&a, &b);
    assert_int_equal(tr_refcell_get_mut(&a)->value, 2);
    assert_int_equal(tr_refcell_get_mut(&b)->value, 3);
    const canary taken = tr_refcell_take(&a);
    assert_int_equal(taken.value, 2);
    assert_int_equal(tr_refcell_get_mut(&a)->value, 0);
    assert_int_equal(canary_dropped(), 0);
    const canary inner = tr_refcell_into_inner(&b);
    assert_int_equal(inner.value, 3);
    canary_refcell_drop(&b); /* nothing there */
    assert_int_equal(canary_dropped(), 0);
    canary_refcell_drop(&a);
    assert_int_equal(canary_dropped(), 1);
}

static void replace_it(void *arg)
{
    int_refcell *c = arg;
    (void)tr_refcell_replace(c, 99);
}

static void take_it(void *arg)
{
    int_refcell *c = arg;
    (void)tr_refcell_take(c);
}

static void into_inner_it(void *arg)
{
    int_refcell *c = arg;
    (void)tr_refcell_into_inner(c);
}

static void get_mut_it(void *arg)
{
    int_refcell *c = arg;
    *tr_refcell_get_mut(c) = 99;
}

static void swap_it_first(void *arg)
{
    int_refcell *c = arg;
    int_refcell free_one = { TR_REFCELL_OF(99) };
    tr_refcell_swap(c, &free_one);
}

static void swap_it_second(void *arg)
{
    int_refcell *c = arg;
    int_refcell free_one = { TR_REFCELL_OF(99) };
    tr_refcell_swap(&free_one, c);
}

static void swap_with_itself(void *arg)
{
    int_refcell *c = arg;
    tr_refcell_swap(c, c);
}

static void test_refcell_values_stay_while_borrowed(void **state)
{
    (void)state;
    static void (*const calls[])(void *arg) = {
        replace_it, take_it, into_inner_it, get_mut_it, swap_it_first, swap_it_second,
    };
    int_refcell c = { TR_REFCELL_OF(5) };
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        TR_REF(int_ref) r = tr_borrow(&c);
        assert_panics(calls[i], &c, "already borrowed");
        tr_ref_drop(&r);
        TR_REF(int_ref_mut) w = tr_borrow_mut(&c);
        assert_panics(calls[i], &c, "already mutably borrowed");
        assert_int_equal(*w.value, 5);
    }
    assert_panics(swap_with_itself, &c, "already borrowed");
    assert_int_equal(tr_borrow_state(&c), 0);
}

static void test_refcell_after_into_inner_refuses(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    assert_int_equal(tr_refcell_into_inner(&c), 5);
    assert_panics(read_it, &c, "moved out");
    assert_panics(write_it, &c, "moved out");
    assert_panics(take_it, &c, "moved out");
    TR_REF(int_ref) r = tr_try_borrow(&c);
    assert_null(r.value);
}

/* -- its descriptor -------------------------------------------------------- */

static void test_refcell_in_a_box_drops_its_value_once(void **state)
{
    (void)state;
    canary_refcell *box = tr_box(canary_refcell, TR_REFCELL_OF({ .name = 'x' }));
    tr_drop(box);
    assert_string_equal(canary_log, "x");
}

/* A value whose drop wants to borrow the RefCell it is in. */
typedef struct clinging {
    const struct clinging_refcell *home;
} clinging;

static void clinging_drop(clinging *c);
TR_TYPE(clinging, .drop = clinging_drop)
TR_REFCELL(clinging)

static bool refused_in_drop;

static void clinging_drop(clinging *c)
{
    TR_REF(clinging_ref) r = tr_try_borrow(c->home);
    TR_REF(clinging_ref_mut) w = tr_try_borrow_mut(c->home);
    refused_in_drop = r.value == NULL && w.value == NULL;
}

static void test_refcell_is_not_borrowed_by_its_values_drop(void **state)
{
    (void)state;
    clinging_refcell *box = tr_box(clinging_refcell, TR_REFCELL_OF({ .home = NULL }));
    tr_refcell_get_mut(box)->home = box;
    tr_drop(box);
    assert_true(refused_in_drop);
}

static void test_refcell_clone_reads_and_starts_free(void **state)
{
    (void)state;
    canary_refcell c = { TR_REFCELL_OF({ .value = 4 }) };
    canary_refcell copy;
    TR_REF(canary_ref) r = tr_borrow(&c);
    assert_int_equal(tr_type_of(canary_refcell)->clone(&copy, &c), TR_OK);
    assert_int_equal(canary_cloned(), 1);
    assert_int_equal(tr_borrow_state(&copy), 0);
    assert_int_equal(tr_borrow_state(&c), 1);
    assert_int_equal(tr_refcell_into_inner(&copy).value, 4);
    canary_clone_limit = 1;
    assert_int_equal(canary_refcell_clone(&copy, &c), TR_LIMIT);
    assert_int_equal(tr_borrow_state(&c), 1);
    assert_true(canary_refcell_eq(&c, &c));
}

static void clone_it(void *arg)
{
    int_refcell copy;
    (void)int_refcell_clone(&copy, arg);
}

static void compare_it(void *arg)
{
    int_refcell other = { TR_REFCELL_OF(5) };
    (void)int_refcell_eq(&other, arg);
}

static void hash_it(void *arg)
{
    (void)tr_type_of(int_refcell)->hash(arg);
}

static void test_refcell_clone_and_eq_of_a_written_one_panic(void **state)
{
    (void)state;
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref_mut) w = tr_borrow_mut(&c);
    assert_panics(clone_it, &c, "already mutably borrowed");
    assert_panics(compare_it, &c, "already mutably borrowed");
    assert_panics(hash_it, &c, "no hash");
}

static void test_snd_01_refcell_may_be_sent_but_not_shared(void **state)
{
    (void)state;
    assert_true(tr_type_is_send(tr_type_of(int_refcell)));
    assert_false(tr_type_is_share(tr_type_of(int_refcell)));
#ifndef TR_CHECKED
    assert_int_equal(sizeof(int_refcell), 8);
#endif
}

static int print_int(char *to, size_t size, const int *value)
{
    return snprintf(to, size, "%d", *value);
}

static void test_cel_15_format_of_a_written_one_is_a_placeholder(void **state)
{
    (void)state;
    char text[32];
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref) r = tr_borrow(&c);
    assert_int_equal(tr_refcell_format(&c, print_int, text, sizeof text), 1);
    assert_string_equal(text, "5");
    tr_ref_drop(&r);
    TR_REF(int_ref_mut) w = tr_borrow_mut(&c);
    assert_int_equal(tr_refcell_format(&c, print_int, text, sizeof text), 10);
    assert_string_equal(text, "<borrowed>");
    tr_ref_drop(&w);
    assert_int_equal(tr_borrow_state(&c), 0);
}

static void drop_read_one(void)
{
    int_refcell c = { TR_REFCELL_OF(5) };
    TR_REF(int_ref) r = tr_borrow(&c);
    int_refcell_drop(&c);
}

static void drop_written_box(void)
{
    int_refcell *c = tr_box(int_refcell, TR_REFCELL_OF(5));
    TR_REF(int_ref_mut) w = tr_borrow_mut(c);
    tr_drop(c);
}

static void test_refcell_dropped_while_borrowed_aborts(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(drop_read_one, text, sizeof text));
    assert_non_null(strstr(text, "int_refcell dropped while it is borrowed"));
    assert_true(death_by_abort(drop_written_box, text, sizeof text));
    assert_non_null(strstr(text, "int_refcell dropped while it is mutably borrowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_cel_02_writes_are_seen_by_the_next_reader),
        CASE(test_cel_03_readers_are_counted),
        CASE(test_cel_04_no_writer_beside_a_reader),
        CASE(test_cel_05_nobody_beside_a_writer),
        CASE(test_cel_06_the_last_release_frees_it_for_both),
        CASE(test_refcell_is_written_behind_const),
        CASE(test_refcell_panic_releases_and_poisons_nothing),
        CASE(test_refcell_panic_names_both_places),
        CASE(test_refcell_beyond_its_count_refuses_readers),
        CASE(test_refcell_replace_take_swap_move_values),
        CASE(test_refcell_values_stay_while_borrowed),
        CASE(test_refcell_after_into_inner_refuses),
        CASE(test_refcell_in_a_box_drops_its_value_once),
        CASE(test_refcell_is_not_borrowed_by_its_values_drop),
        CASE(test_refcell_clone_reads_and_starts_free),
        CASE(test_refcell_clone_and_eq_of_a_written_one_panic),
        CASE(test_snd_01_refcell_may_be_sent_but_not_shared),
        CASE(test_cel_15_format_of_a_written_one_is_a_placeholder),
        CASE(test_refcell_dropped_while_borrowed_aborts),
    };
    return TEST_RUN(tests);
}
