/*
 * test_arc - owners, Weaks, their counts and their limits, on one thread
 *
 * Becoming the only owner: test_arc_unique.c. Races: test_arc_threads.c.
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/arc.h>
#include <troupe/mem/scalars.h>

#include "mem/owned.h"
#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/panics.h"

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void assert_counts(const void *arc, size_t strong, size_t weak)
{
    assert_int_equal(tr_strong_count(arc), strong);
    assert_int_equal(tr_weak_count(arc), weak);
}

static bool upgrades(tr_weak weak)
{
    canary *up = tr_upgrade(canary, weak);
    const bool alive = up != NULL;
    tr_drop(up);
    return alive;
}

/* -- counts and Weak ------------------------------------------------------ */

static void test_arc_clones_share_one_value(void **state)
{
    (void)state; /* RC-01, RC-12 */
    int *a = tr_arc(int, 5);
    int *b = tr_arc_clone(a);
    int *c = tr_arc_clone(a);
    int *other = tr_arc(int, 5);
    assert_counts(a, 3, 0);
    assert_int_equal(*a + *b + *c, 15);
    assert_ptr_equal(a, b);
    assert_ptr_equal(a, c);
    assert_ptr_not_equal(a, other);
    assert_int_equal(test_live_blocks(), 2);
    tr_drop(b);
    tr_drop(c);
    assert_counts(a, 1, 0);
    tr_drop(a);
    tr_drop(other);
}

static void test_arc_02_value_dies_with_the_owner_the_block_with_the_weak(void **state)
{
    (void)state;
    canary *a = tr_arc(canary, .value = 1);
    tr_weak w = tr_downgrade(a);
    tr_drop(a);
    assert_int_equal(canary_dropped(), 1);
    assert_int_equal(test_live_blocks(), 1);
    assert_false(upgrades(w));
    tr_weak_drop(&w);
    assert_int_equal(canary_dropped(), 1);
    assert_int_equal(test_live_blocks(), 0);
    assert_true(tr_weak_ptr_eq(w, TR_WEAK_NEW));
}

static void test_arc_03_count_ladder(void **state)
{
    (void)state;
    canary *a = tr_arc(canary);
    assert_counts(a, 1, 0);
    tr_weak w = tr_downgrade(a);
    assert_counts(a, 1, 1);
    tr_weak w2 = tr_weak_clone(w);
    assert_counts(a, 1, 2);
    assert_int_equal(tr_weak_weak_count(w), 2);
    assert_int_equal(tr_weak_weak_count(w2), 2);
    tr_weak_drop(&w);
    tr_weak_drop(&w2);
    assert_counts(a, 1, 0);
    canary *b = tr_arc_clone(a);
    assert_counts(a, 2, 0);
    w = tr_downgrade(b);
    assert_counts(a, 2, 1);
    tr_weak_drop(&w);
    tr_drop(b);
    tr_drop(a);
}

static void test_arc_clone_n_adds_as_many_owners(void **state)
{
    (void)state;
    canary *a = tr_arc(canary, .value = 4);
    canary *b = tr_arc_clone_n(a, 3);
    assert_ptr_equal(a, b);
    assert_counts(a, 4, 0);
    assert_ptr_equal(tr_arc_clone_n(a, 0), a);
    assert_counts(a, 4, 0);
    for (int i = 0; i < 3; i++)
        tr_drop_owned(b);
    assert_counts(a, 1, 0);
    tr_drop(a);
    assert_int_equal(canary_dropped(), 1);
}

static void test_arc_upgrade_adds_an_owner(void **state)
{
    (void)state; /* RC-02 */
    canary *a = tr_arc(canary, .value = 4);
    tr_weak w = tr_downgrade(a);
    assert_counts(a, 1, 1);
    canary *b = tr_upgrade(canary, w);
    assert_ptr_equal(a, b);
    assert_counts(a, 2, 1);
    assert_counts(b, 2, 1);
    assert_int_equal(tr_weak_strong_count(w), 2);
    tr_weak_drop(&w);
    tr_drop(a);
    assert_counts(b, 1, 0);
    assert_int_equal(b->value, 4);
    tr_drop(b);
    assert_int_equal(canary_dropped(), 1);
}

static void test_arc_dead_value_counts_zero_for_its_weaks(void **state)
{
    (void)state; /* RC-04 */
    canary *a = tr_arc(canary);
    tr_weak w = tr_downgrade(a);
    tr_weak w2 = tr_weak_clone(w);
    tr_drop(a);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tr_weak_strong_count(w), 0);
        assert_int_equal(tr_weak_weak_count(w), 0);
        assert_false(upgrades(w));
        assert_false(upgrades(w2));
    }
    tr_weak w3 = tr_weak_clone(w2); /* of a dead one is a dead one */
    assert_false(upgrades(w3));
    assert_true(tr_weak_ptr_eq(w, w3));
    tr_weak_drop(&w3);
    tr_weak_drop(&w2);
    tr_weak_drop(&w);
}

static void test_arc_empty_weak_refers_to_nothing(void **state)
{
    (void)state; /* RC-05 */
    tr_weak w = TR_WEAK_NEW;
    tr_weak w2 = tr_weak_clone(w);
    canary *a = tr_arc(canary);
    tr_weak live = tr_downgrade(a);
    assert_int_equal(test_live_blocks(), 1);
    assert_int_equal(tr_weak_strong_count(w), 0);
    assert_int_equal(tr_weak_weak_count(w), 0);
    assert_false(upgrades(w));
    assert_true(tr_weak_ptr_eq(w, w2));
    assert_false(tr_weak_ptr_eq(w, live));
    tr_weak_drop(&w);
    tr_weak_drop(&w2);
    tr_weak_drop(&live);
    tr_weak_drop(&live); /* it is empty now */
    tr_drop(a);
}

static void test_arc_12_raw_pointer_is_an_owner(void **state)
{
    (void)state;
    canary *a = tr_arc(canary);
    void *raw = TR_MOVE(a);
    (void)tr_arc_clone_owned(raw); /* increment_strong_count */
    a = raw;
    assert_counts(a, 2, 0);
    tr_drop_owned(raw); /* decrement_strong_count */
    assert_counts(a, 1, 0);
    assert_int_equal(canary_dropped(), 0);
    tr_drop_owned(raw);
    assert_int_equal(canary_dropped(), 1);
}

/* -- contract ------------------------------------------------------------- */

static void clone_it(void *arg)
{
    (void)tr_arc_clone_owned(arg);
}

static void share_it(void *arg)
{
    (void)tr_arc_share_box(arg);
}

static void upgrade_to_int(void *arg)
{
    int *i = tr_upgrade(int, *(tr_weak *)arg);
    tr_drop(i);
}

static void test_arc_contract_violations_panic(void **state)
{
    (void)state;
    canary *box = tr_box(canary);
    assert_counts(box, 1, 0);
    assert_panics(clone_it, box, "no Arc");
    canary *a = tr_arc_from_box(box);
    assert_panics(share_it, a, "no Box");
    tr_weak w = tr_downgrade(a);
    assert_panics(upgrade_to_int, &w, "canary is upgraded as int");
    tr_weak_drop(&w);
    assert_counts(a, 1, 0);
    tr_drop(a);
}

static void clone_above_limit(void)
{
    canary *a = tr_arc(canary);
    tr_store_relaxed(&tri_owned_of(a)->strong, (uint32_t)INT32_MAX + 1); /* relaxed: alone */
    (void)tr_arc_clone_owned(a);
}

static void clone_weak_above_limit(void)
{
    canary *a = tr_arc(canary);
    const tr_weak w = tr_downgrade(a);
    tr_store_relaxed(&tri_owned_of(a)->weak, (uint32_t)INT32_MAX + 1); /* relaxed: alone */
    (void)tr_weak_clone(w);
}

static void clone_n_above_limit(void)
{
    canary *a = tr_arc(canary);
    (void)tr_arc_clone_n(a, INT32_MAX); /* one too many: there is an owner already */
}

static void clone_n_far_above_limit(void)
{
    canary *a = tr_arc(canary);
    (void)tr_arc_clone_n(a, SIZE_MAX);
}

static void test_arc_clone_above_the_limit_aborts(void **state)
{
    (void)state;
    char text[256];
    assert_true(death_by_abort(clone_n_above_limit, text, sizeof text));
    assert_non_null(strstr(text, "too many references"));
    assert_true(death_by_abort(clone_n_far_above_limit, text, sizeof text));
    assert_non_null(strstr(text, "too many references"));
    assert_true(death_by_abort(clone_above_limit, text, sizeof text));
    assert_non_null(strstr(text, "too many references"));
    assert_true(death_by_abort(clone_weak_above_limit, text, sizeof text));
    assert_non_null(strstr(text, "too many references"));
}

static void downgrade_it(void *arg)
{
    (void)tr_downgrade(arg);
}

static void upgrade_it(void *arg)
{
    (void)tr_upgrade(canary, *(tr_weak *)arg);
}

static void test_arc_downgrade_and_upgrade_above_the_limit_panic(void **state)
{
    (void)state;
    canary *a = tr_arc(canary);
    tr_weak w = tr_downgrade(a);
    tri_owned *owned = tri_owned_of(a);
    const uint32_t above = (uint32_t)INT32_MAX + 1;

    tr_store_relaxed(&owned->weak, above - 1); /* relaxed: one thread */
    tr_weak last = tr_downgrade(a);
    tr_weak_drop(&last);
    tr_store_relaxed(&owned->weak, above); /* relaxed: one thread */
    assert_panics(downgrade_it, a, "too many Weak");
    tr_store_relaxed(&owned->weak, 2);       /* relaxed: one thread */
    tr_store_relaxed(&owned->strong, above); /* relaxed: one thread */
    assert_panics(upgrade_it, &w, "too many owners");
    tr_store_relaxed(&owned->strong, 1); /* relaxed: one thread */
    tr_weak_drop(&w);
    tr_drop(a);
}

typedef struct bomb {
    int unused;
} bomb;
static void bomb_drop(bomb *b)
{
    (void)b;
    canary_drop(&(canary){ .name = 'b' });
    tr_panic("bomb");
}
TR_TYPE(bomb, .drop = bomb_drop)

static void drop_bomb(void *arg)
{
    bomb **b = arg;
    tr_drop(*b);
}

static void test_arc_panicking_drop_frees_the_block_once(void **state)
{
    (void)state;
    bomb *b = tr_arc(bomb);
    tr_weak w = tr_downgrade(b);
    assert_panics(drop_bomb, &b, "bomb");
    assert_string_equal(canary_log, "b");
    assert_int_equal(test_live_blocks(), 1); /* the Weak's */
    assert_null(tr_upgrade(bomb, w));
    tr_weak_drop(&w);
    assert_int_equal(test_live_blocks(), 0);
}

/* A destructor that looks at its own Weak does not find itself. */
typedef struct self_seeker {
    tr_weak self;
    bool *found;
} self_seeker;
static void self_seeker_drop(self_seeker *s);
TR_TYPE(self_seeker, .drop = self_seeker_drop)
static void self_seeker_drop(self_seeker *s)
{
    self_seeker *self = tr_upgrade(self_seeker, s->self);
    *s->found = self != NULL;
    tr_weak_drop(&s->self);
}

static void test_arc_value_cannot_be_revived_by_its_destructor(void **state)
{
    (void)state;
    bool found = true;
    self_seeker *s = tr_arc(self_seeker, .found = &found);
    s->self = tr_downgrade(s);
    tr_drop(s);
    assert_false(found);
}

typedef struct wide {
    uint64_t words[8];
} __attribute__((aligned(64))) wide;
TR_TYPE(wide)

static void test_arc_over_aligned_value_keeps_its_alignment(void **state)
{
    (void)state;
    wide *a = tr_arc(wide, .words = { 1, 2, 3 });
    wide *b = tr_arc_clone(a);
    assert_int_equal((uintptr_t)a % 64, 0);
    tr_arc_make_mut(b)->words[7] = 9; /* without a clone callback: bytewise */
    assert_int_equal((uintptr_t)b % 64, 0);
    assert_int_equal(b->words[2] + b->words[7], 12);
    assert_int_equal(a->words[7], 0);
    tr_drop(a);
    tr_drop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_arc_clones_share_one_value),
        CASE(test_arc_02_value_dies_with_the_owner_the_block_with_the_weak),
        CASE(test_arc_03_count_ladder),
        CASE(test_arc_upgrade_adds_an_owner),
        CASE(test_arc_dead_value_counts_zero_for_its_weaks),
        CASE(test_arc_empty_weak_refers_to_nothing),
        CASE(test_arc_12_raw_pointer_is_an_owner),
        CASE(test_arc_contract_violations_panic),
        CASE(test_arc_clone_n_adds_as_many_owners),
        CASE(test_arc_clone_above_the_limit_aborts),
        CASE(test_arc_downgrade_and_upgrade_above_the_limit_panic),
        CASE(test_arc_panicking_drop_frees_the_block_once),
        CASE(test_arc_value_cannot_be_revived_by_its_destructor),
        CASE(test_arc_over_aligned_value_keeps_its_alignment),
    };
    return TEST_RUN(tests);
}
