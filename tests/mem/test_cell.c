/*
 * test_cell - values moved in and out of a Cell that others share
 */
#include "tests/support/test.h"

#include <troupe/mem/cell.h>
#include <troupe/mem/rc.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

typedef struct point {
    int x;
    int y;
} point;
TR_TYPE(point)

TR_RC_TYPE(canary_rc, canary)
TR_CELL(int)
TR_CELL(point)
TR_CELL(canary)
TR_CELL(canary_rc, TR_RC_FLAGS)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void test_cel_01_get_set_replace_into_inner(void **state)
{
    (void)state;
    int_cell c = { TR_CELL_OF(10) };
    assert_int_equal(int_cell_get(&c), 10);
    int_cell_set(&c, 20);
    assert_int_equal(int_cell_get(&c), 20);
    assert_int_equal(int_cell_replace(&c, 30), 20);
    assert_int_equal(int_cell_into_inner(&c), 30);
}

static int plus(int old, void *arg)
{
    return old + *(int *)arg;
}

static void test_cell_take_swap_update_move_values(void **state)
{
    (void)state;
    int_cell a = { TR_CELL_OF(1) };
    int_cell b = { TR_CELL_OF(2) };
    int_cell_swap(&a, &b);
    assert_int_equal(int_cell_get(&a), 2);
    assert_int_equal(int_cell_get(&b), 1);
    int_cell_swap(&a, &a);
    assert_int_equal(int_cell_get(&a), 2);
    int by = 40;
    int_cell_update(&a, plus, &by);
    assert_int_equal(int_cell_take(&a), 42);
    assert_int_equal(int_cell_get(&a), 0);
    *int_cell_get_mut(&a) = 7;
    assert_int_equal(int_cell_get(&a), 7);
}

static void test_cell_of_a_structure_is_copied_whole(void **state)
{
    (void)state;
    point_cell c = { TR_CELL_OF({ .x = 1, .y = 2 }) };
    point_cell_set(&c, (point){ .x = 3 });
    const point p = point_cell_get(&c);
    assert_int_equal(p.x, 3);
    assert_int_equal(p.y, 0);
}

/* Through a pointer to const, as a reader of what is shared has it. */
static void count_visit(const int_cell *visits)
{
    int_cell_set(visits, int_cell_get(visits) + 1);
}

static void test_cell_changes_behind_a_shared_value(void **state)
{
    (void)state;
    int_cell *a = tr_rc(int_cell, TR_CELL_OF(1));
    int_cell *b = tr_rc_clone(a);
    count_visit(a);
    count_visit(b);
    assert_int_equal(int_cell_get(a), 3);
    tr_drop(a);
    tr_drop(b);
}

static void test_cell_set_drops_the_old_value_once(void **state)
{
    (void)state;
    canary_cell *c = tr_box(canary_cell, TR_CELL_OF({ .name = 'a' }));
    canary_cell_set(c, (canary){ .name = 'b' });
    assert_string_equal(canary_log, "a");
    canary old = canary_cell_replace(c, (canary){ .name = 'c' });
    assert_int_equal(old.name, 'b');
    assert_string_equal(canary_log, "a");
    tr_drop(c);
    assert_string_equal(canary_log, "ac");
}

/* A value whose drop looks into the cell that it was in. */
typedef struct nosy {
    int value;
} nosy;

static void nosy_drop(nosy *n);
TR_TYPE(nosy, .drop = nosy_drop)
TR_RC_TYPE(nosy_rc, nosy)
TR_CELL(nosy_rc, TR_RC_FLAGS)

static nosy_rc_cell watched;
static int seen_by_drop;

static void nosy_drop(nosy *n)
{
    nosy *now = nosy_rc_cell_replace(&watched, NULL);
    seen_by_drop = 10 * n->value + (now != NULL ? now->value : 0);
    nosy_rc_cell_set(&watched, now); /* back */
}

static void test_cell_set_drops_after_the_new_value_is_in(void **state)
{
    (void)state;
    nosy_rc_cell_set(&watched, tr_rc(nosy, .value = 1));
    nosy_rc_cell_set(&watched, tr_rc(nosy, .value = 2));
    assert_int_equal(seen_by_drop, 12);
    nosy_rc_cell_set(&watched, NULL);
    assert_int_equal(seen_by_drop, 20);
}

static void test_cell_holds_shares_by_descriptor(void **state)
{
    (void)state;
    canary *rc = tr_rc(canary, .value = 1);
    canary_rc_cell *box = tr_box(canary_rc_cell, TR_CELL_OF(tr_rc_clone(rc)));
    canary_rc_cell copy;
    assert_int_equal(canary_rc_cell_clone(&copy, box), TR_OK);
    assert_int_equal(tr_strong_count(rc), 3);
    assert_true(canary_rc_cell_eq(&copy, box));
    canary_rc_cell_set(&copy, NULL);
    assert_false(canary_rc_cell_eq(&copy, box));
    assert_int_equal(tr_strong_count(rc), 2);
    canary *taken = canary_rc_cell_take(box);
    assert_ptr_equal(taken, rc);
    tr_drop(box); /* holds nothing */
    tr_drop(taken);
    assert_int_equal(tr_strong_count(rc), 1);
    tr_drop(rc);
}

static void test_snd_01_cell_may_be_sent_but_not_shared(void **state)
{
    (void)state;
    assert_true(tr_type_is_send(tr_type_of(int_cell)));
    assert_false(tr_type_is_share(tr_type_of(int_cell)));
    assert_false(tr_type_is_send(tr_type_of(canary_rc_cell)));
    assert_int_equal(sizeof(int_cell), sizeof(int));
}

static void hash_it(void *arg)
{
    (void)tr_type_of(int_cell)->hash(arg);
}

#ifdef TR_CHECKED
static void get_it(void *arg)
{
    (void)canary_cell_get(arg);
}
#endif

static void test_cell_misused_panics(void **state)
{
    (void)state;
    int_cell c = { TR_CELL_OF(1) };
    assert_panics(hash_it, &c, "int_cell has no hash");
#ifdef TR_CHECKED
    canary_cell owning = { TR_CELL_OF({ .value = 1 }) };
    assert_panics(get_it, &owning, "a canary has a drop");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_cel_01_get_set_replace_into_inner),
        CASE(test_cell_take_swap_update_move_values),
        CASE(test_cell_of_a_structure_is_copied_whole),
        CASE(test_cell_changes_behind_a_shared_value),
        CASE(test_cell_set_drops_the_old_value_once),
        CASE(test_cell_set_drops_after_the_new_value_is_in),
        CASE(test_cell_holds_shares_by_descriptor),
        CASE(test_snd_01_cell_may_be_sent_but_not_shared),
        CASE(test_cell_misused_panics),
    };
    return TEST_RUN(tests);
}
