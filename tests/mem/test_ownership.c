/*
 * test_ownership - owners that leave their scope in every way a C function can: each
 * value is dropped once, in the reverse of the order in which it came
 */
#include "tests/support/test.h"

#include <troupe/mem/box.h>
#include <troupe/mem/vec.h>

#include "tests/mem/canary.h"
#include "tests/mem/panics.h"

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static canary *make(char name)
{
    return tr_box(canary, .name = name);
}

/* -- out of a scope ------------------------------------------------------------------- */

static int leave_early(int where)
{
    TR_AUTO(canary) a = make('a');
    if (where == 1)
        return 1;
    TR_AUTO(canary) b = make('b');
    if (where == 2)
        return 2;
    TR_AUTO(canary) c = make('c');
    return 3;
}

static void test_ownership_early_return_drops_what_was_there(void **state)
{
    (void)state;
    const char *const logs[] = { "a", "ba", "cba" };
    for (int where = 1; where <= 3; where++) {
        canary_reset();
        assert_int_equal(leave_early(where), where);
        assert_string_equal(canary_log, logs[where - 1]);
    }
}

static void test_ownership_each_turn_of_a_loop_drops_its_own(void **state)
{
    (void)state;
    for (char name = 'a'; name <= 'e'; name++) {
        TR_AUTO(canary) c = make(name);
        if (name == 'b')
            continue;
        if (name == 'd')
            break;
        assert_int_equal(c->name, name);
    }
    assert_string_equal(canary_log, "abcd");
}

static void test_ownership_jump_out_of_scopes_drops_inner_first(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) outer = make('o');
        {
            TR_AUTO(canary) middle = make('m');
            {
                TR_AUTO(canary) inner = make('i');
                if (inner->name == 'i')
                    goto out;
            }
        }
        fail_msg("jumped over");
    }
out:
    assert_string_equal(canary_log, "imo");
}

static void test_ownership_jump_back_drops_and_makes_again(void **state)
{
    (void)state;
    unsigned turns = 0;
again:;
    {
        TR_AUTO(canary) c = make((char)('1' + (char)turns));
        if (++turns < 3)
            goto again;
    }
    assert_string_equal(canary_log, "123");
}

/* -- from owner to owner ---------------------------------------------------------------- */

static void consume(canary *c)
{
    TR_AUTO(canary) mine = c;
}

static canary *pass_on(canary *c)
{
    TR_AUTO(canary) mine = c;
    TR_AUTO(canary) helper = make('h');
    return TR_MOVE(mine); /* what is returned is not dropped here */
}

static void test_ownership_moved_in_one_branch_only_drops_once(void **state)
{
    (void)state;
    for (int moved = 0; moved <= 1; moved++) {
        canary_reset();
        {
            TR_AUTO(canary) c = make('c');
            TR_AUTO(canary) later = make('l');
            if (moved == 1)
                consume(TR_MOVE(c));
        }
        assert_string_equal(canary_log, moved == 1 ? "cl" : "lc");
    }
}

static void test_ownership_returned_value_outlives_the_function(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) c = pass_on(pass_on(make('c')));
        assert_int_equal(c->name, 'c');
        assert_string_equal(canary_log, "hh");
    }
    assert_string_equal(canary_log, "hhc");
}

static void test_ownership_swapped_owners_drop_what_they_have_then(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) first = make('a');
        TR_AUTO(canary) second = make('b');
        canary *kept = TR_MOVE(first);
        first = TR_MOVE(second);
        second = TR_MOVE(kept);
        assert_int_equal(first->name, 'b');
    }
    assert_string_equal(canary_log, "ab"); /* second goes first, and it has 'a' now */
}

static void test_ownership_moved_from_may_own_again(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) c = make('a');
        consume(TR_MOVE(c));
        assert_null(c);
        c = make('b');
        consume(TR_MOVE(c));
        c = make('c');
    }
    assert_string_equal(canary_log, "abc");
}

/* -- owners of owners -------------------------------------------------------------------- */

typedef struct house {
    canary *cellar, *attic;
} house;
static void house_drop(house *h)
{
    tr_drop(h->cellar);
    tr_drop(h->attic);
}
TR_TYPE(house, .drop = house_drop)
TR_VEC(house)

static void test_ownership_member_moved_out_is_not_dropped_with_the_rest(void **state)
{
    (void)state;
    house *h = tr_box(house, .cellar = make('c'), .attic = make('a'));
    canary *cellar = TR_MOVE(h->cellar);
    tr_drop(h);
    assert_string_equal(canary_log, "a");
    tr_drop(cellar);
    assert_string_equal(canary_log, "ac");
}

static void test_ownership_nested_owners_drop_in_index_then_member_order(void **state)
{
    (void)state;
    {
        TR_AUTO_VALUE(house_vec) street = house_vec_new();
        house_vec_push(&street, (house){ make('1'), make('2') });
        house_vec_push(&street, (house){ NULL, make('3') });
        house_vec_push(&street, (house){ make('4'), NULL });
    }
    assert_string_equal(canary_log, "1234");
}

/* -- panics -------------------------------------------------------------------------------- */

static void panic_in_the_third_turn(void *arg)
{
    TR_AUTO(canary) outer = make('o');
    for (char name = '1'; name <= '5'; name++) {
        TR_AUTO(canary) c = make(name);
        if (name == '3')
            tr_panic("%s", (const char *)arg);
    }
}

static void test_ownership_panic_in_a_loop_drops_this_turn_and_the_outer_ones(void **state)
{
    (void)state;
    assert_panics(panic_in_the_third_turn, (void *)(uintptr_t)"third", "third");
    assert_string_equal(canary_log, "123o");
}

static void panic_after_a_move(void *arg)
{
    canary **keeper = arg;
    TR_AUTO(canary) a = make('a');
    TR_AUTO(canary) b = make('b');
    *keeper = TR_MOVE(a);
    tr_panic("after the move");
}

static void test_ownership_panic_leaves_what_was_moved_with_its_new_owner(void **state)
{
    (void)state;
    canary *kept = NULL;
    assert_panics(panic_after_a_move, &kept, "after the move");
    assert_string_equal(canary_log, "b");
    assert_int_equal(kept->name, 'a');
    tr_drop(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_ownership_early_return_drops_what_was_there),
        CASE(test_ownership_each_turn_of_a_loop_drops_its_own),
        CASE(test_ownership_jump_out_of_scopes_drops_inner_first),
        CASE(test_ownership_jump_back_drops_and_makes_again),
        CASE(test_ownership_moved_in_one_branch_only_drops_once),
        CASE(test_ownership_returned_value_outlives_the_function),
        CASE(test_ownership_swapped_owners_drop_what_they_have_then),
        CASE(test_ownership_moved_from_may_own_again),
        CASE(test_ownership_member_moved_out_is_not_dropped_with_the_rest),
        CASE(test_ownership_nested_owners_drop_in_index_then_member_order),
        CASE(test_ownership_panic_in_a_loop_drops_this_turn_and_the_outer_ones),
        CASE(test_ownership_panic_leaves_what_was_moved_with_its_new_owner),
    };
    return TEST_RUN(tests);
}
