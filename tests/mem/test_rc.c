/*
 * test_rc - owners and Weaks on one thread, and their descriptors
 *
 * The last test needs a checked build. Becoming the only owner: test_rc_unique.c;
 * values with Weaks to themselves: test_cyclic.c.
 */
#include "tests/support/test.h"

#include <troupe/mem/panic.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/scalars.h>

#include "mem/owned.h"
#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/panics.h"

TR_RC_TYPE(canary_rc, canary)

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

/* -- owners --------------------------------------------------------------- */

static void test_rc_01_clones_share_one_value(void **state)
{
    (void)state;
    int *a = tr_rc(int, 5);
    int *b = tr_rc_clone(a);
    int *c = tr_rc_clone(a);
    assert_counts(a, 3, 0);
    assert_ptr_equal(a, b);
    assert_ptr_equal(b, c);
    assert_int_equal(*c, 5);
    tr_drop(b);
    tr_drop(c);
    assert_counts(a, 1, 0);
    assert_int_equal(test_live_blocks(), 1);
    tr_drop(a);
}

static void test_rc_02_upgrade_adds_an_owner(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 5);
    tr_rc_weak w = tr_rc_downgrade(a);
    assert_counts(a, 1, 1);
    canary *b = tr_rc_upgrade(canary, w);
    assert_ptr_equal(a, b);
    assert_counts(a, 2, 1);
    assert_counts(b, 2, 1);
    tr_rc_weak_drop(&w);
    tr_drop(a);
    assert_counts(b, 1, 0);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(b);
    assert_int_equal(canary_dropped(), 1);
}

static void test_rc_03_weak_clones_are_counted(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 5);
    tr_rc_weak w = tr_rc_downgrade(a);
    tr_rc_weak w2 = tr_rc_weak_clone(w);
    assert_int_equal(tr_rc_weak_weak_count(w), 2);
    assert_int_equal(tr_rc_weak_weak_count(w2), 2);
    assert_int_equal(tr_rc_weak_strong_count(w2), 1);
    tr_rc_weak_drop(&w);
    assert_true(tr_rc_weak_ptr_eq(w, TR_RC_WEAK_NEW));
    assert_counts(a, 1, 1);
    canary *b = tr_rc_clone(a);
    assert_counts(a, 2, 1);
    tr_drop(a);
    tr_drop(b);
    tr_rc_weak_drop(&w2);
}

static void test_rc_04_dead_value_has_no_counts(void **state)
{
    (void)state;
    canary *a = tr_rc(canary, .value = 5);
    tr_rc_weak w = tr_rc_downgrade(a);
    tr_rc_weak w2 = tr_rc_weak_clone(w);
    tr_drop(a);
    assert_int_equal(canary_dropped(), 1);
    assert_int_equal(test_live_blocks(), 1); /* the Weaks' */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tr_rc_weak_strong_count(w), 0);
        assert_int_equal(tr_rc_weak_weak_count(w2), 0);
        assert_false(upgrades(w));
    }
    tr_rc_weak_drop(&w);
    tr_rc_weak_drop(&w2);
    assert_int_equal(canary_dropped(), 1);
}

static void test_rc_05_empty_weak_is_free_and_dead(void **state)
{
    (void)state;
    tr_rc_weak empty = TR_RC_WEAK_NEW;
    tr_rc_weak other = tr_rc_weak_clone(empty);
    assert_int_equal(test_live_blocks(), 0);
    assert_int_equal(tr_rc_weak_strong_count(empty) + tr_rc_weak_weak_count(empty), 0);
    assert_false(upgrades(other));
    assert_true(tr_rc_weak_ptr_eq(empty, other));
    canary *a = tr_rc(canary, .value = 1);
    tr_rc_weak live = tr_rc_downgrade(a);
    assert_false(tr_rc_weak_ptr_eq(empty, live));
    tr_rc_weak_drop(&live);
    tr_rc_weak_drop(&empty);
    tr_drop(a);
}

static void test_rc_12_ptr_eq_asks_for_the_same_value(void **state)
{
    (void)state;
    int *a = tr_rc(int, 5);
    int *b = tr_rc_clone(a);
    int *other = tr_rc(int, 5);
    assert_true(tr_rc_ptr_eq(a, b));
    assert_false(tr_rc_ptr_eq(a, other));
    tr_drop(a);
    tr_drop(b);
    tr_drop(other);
}

/* -- its descriptor ------------------------------------------------------- */

static void test_rc_type_drops_and_clones_shares_and_stays(void **state)
{
    (void)state;
    assert_false(tr_type_is_send(tr_type_of(canary_rc)));
    assert_false(tr_type_is_share(tr_type_of(canary_rc)));
    assert_false(tr_type_is_send(tr_type_of(tr_rc_weak)));
    canary *a = tr_rc(canary, .value = 1);
    canary_rc *boxed = tr_box(canary_rc, tr_rc_clone(a));
    canary_rc *shared = tr_rc_from_box(boxed);
    canary_rc *other = tr_rc_clone(shared);
    assert_counts(a, 2, 0);
    assert_non_null(tr_rc_make_mut(other)); /* clones the share, not the value */
    assert_counts(a, 3, 0);
    assert_int_equal(canary_cloned(), 0);
    tr_drop(shared);
    tr_drop(other);
    assert_counts(a, 1, 0);
    canary_rc *nothing = tr_rc(canary_rc, NULL);
    canary_rc *nothing_too = tr_rc_clone(nothing);
    assert_non_null(tr_rc_make_mut(nothing_too));
    tr_drop(nothing);
    tr_drop(nothing_too);

    tr_rc_weak *weak = tr_rc(tr_rc_weak, tr_rc_downgrade(a).target_);
    tr_rc_weak *weak2 = tr_rc_clone(weak);
    assert_non_null(tr_rc_make_mut(weak2));
    assert_counts(a, 1, 2);
    tr_drop(weak);
    tr_drop(weak2);
    assert_counts(a, 1, 0);
    tr_drop(a);
}

/* -- values that panic ---------------------------------------------------- */

typedef struct bomb {
    bool armed;
} bomb;

static void bomb_drop(bomb *b)
{
    if (b->armed)
        tr_panic("dropped");
}

static tr_status bomb_clone(bomb *copy, const bomb *original)
{
    *copy = *original;
    tr_panic("cloned");
}

TR_TYPE(bomb, .drop = bomb_drop, .clone = bomb_clone)

static void drop_bomb(void *arg)
{
    tr_drop(*(bomb **)arg);
}

static void make_mut_bomb(void *arg)
{
    (void)tr_rc_make_mut(*(bomb **)arg);
}

static void test_rc_panicking_drop_or_clone_loses_no_block(void **state)
{
    (void)state;
    bomb *b = tr_rc(bomb, .armed = false);
    bomb *shared = tr_rc_clone(b);
    tr_rc_weak w = tr_rc_downgrade(b);
    assert_panics(make_mut_bomb, &shared, "cloned");
    assert_ptr_equal(shared, b);
    assert_counts(b, 2, 1);
    assert_int_equal(test_live_blocks(), 1);
    tr_drop(shared);
    b->armed = true;
    assert_panics(drop_bomb, &b, "dropped");
    assert_null(b);
    assert_int_equal(tr_rc_weak_strong_count(w), 0);
    tr_rc_weak_drop(&w);
    assert_int_equal(test_live_blocks(), 0);
}

/* One whose drop wants a share of itself. */
typedef struct phoenix {
    int unused;
} phoenix;

static void phoenix_drop(phoenix *p)
{
    phoenix *again = tr_rc_clone(p);
    tr_drop(again);
}

TR_TYPE(phoenix, .drop = phoenix_drop)

static void drop_phoenix(void *arg)
{
    tr_drop(*(phoenix **)arg);
}

static void test_rc_value_is_not_revived_by_its_drop(void **state)
{
    (void)state;
    phoenix *p = tr_rc(phoenix, .unused = 0);
    assert_panics(drop_phoenix, &p, "without owners");
    assert_int_equal(test_live_blocks(), 0);
}

typedef struct wide {
    uint64_t words[8];
} __attribute__((aligned(64))) wide;
TR_TYPE(wide)

static void test_rc_over_aligned_value_keeps_its_alignment(void **state)
{
    (void)state;
    wide *a = tr_rc(wide, .words = { 1, 2, 3 });
    wide *b = tr_rc_clone(a);
    assert_int_equal((uintptr_t)a % 64, 0);
    tr_rc_make_mut(b)->words[7] = 9; /* without a clone callback: bytewise */
    assert_int_equal((uintptr_t)b % 64, 0);
    assert_int_equal(b->words[2] + b->words[7], 12);
    assert_int_equal(a->words[7], 0);
    tr_drop(a);
    tr_drop(b);
}

/* -- misuse, overflow ----------------------------------------------------- */

static void clone_it(void *arg)
{
    canary *share = tr_rc_clone((canary *)arg);
    tr_drop(share);
}

static void share_it(void *arg)
{
    canary *rc = tr_rc_from_box(*(canary **)arg);
    tr_drop(rc);
}

static void upgrade_as_int(void *arg)
{
    tr_rc_weak *weak = arg;
    int *share = tr_rc_upgrade(int, *weak);
    tr_drop(share);
}

static void test_rc_of_another_kind_or_type_panics(void **state)
{
    (void)state;
    canary *box = tr_box(canary, .value = 1);
    assert_panics(clone_it, box, "no Rc");
    canary *a = tr_rc_from_box(box);
    canary *const kept = a;
    assert_panics(share_it, &a, "no Box");
    a = kept;
    tr_rc_weak w = tr_rc_downgrade(a);
    assert_panics(upgrade_as_int, &w, "a Weak of canary is upgraded as int");
    tr_rc_weak_drop(&w);
    tr_drop(a);
}

static void downgrade_it(void *arg)
{
    tr_rc_weak weak = tr_rc_downgrade(arg);
    tr_rc_weak_drop(&weak);
}

static void upgrade_it(void *arg)
{
    (void)upgrades(*(tr_rc_weak *)arg);
}

static canary *crowded;
static tr_rc_weak crowded_weak;

static void clone_crowded(void)
{
    clone_it(crowded);
}

static void clone_crowded_weak(void)
{
    tr_rc_weak weak = tr_rc_weak_clone(crowded_weak);
    tr_rc_weak_drop(&weak);
}

static void test_rc_beyond_its_counts_aborts_or_panics(void **state)
{
    (void)state;
    char text[256];
    crowded = tr_rc(canary, .value = 1);
    crowded_weak = tr_rc_downgrade(crowded);
    tri_owned *owned = tri_owned_of(crowded);
    tr_atomic_init(&owned->strong, (uint32_t)INT32_MAX + 1);
    assert_true(death_by_abort(clone_crowded, text, sizeof text));
    assert_non_null(strstr(text, "too many references to one Rc"));
    assert_panics(upgrade_it, &crowded_weak, "too many owners");
    tr_atomic_init(&owned->strong, 1);

    tr_atomic_init(&owned->weak, (uint32_t)INT32_MAX + 1);
    assert_true(death_by_abort(clone_crowded_weak, text, sizeof text));
    assert_panics(downgrade_it, crowded, "too many Weak");
    tr_atomic_init(&owned->weak, 2);
    tr_rc_weak_drop(&crowded_weak);
    tr_drop(crowded);
}

/* -- the thread it belongs to --------------------------------------------- */

#ifdef TR_CHECKED

struct abroad {
    canary *rc;
    tr_rc_weak weak;
    TR_ATOMIC(unsigned) panics;
};

static void drop_abroad(void *arg)
{
    struct abroad *abroad = arg;
    canary *share = abroad->rc;
    tr_drop(share);
}

static void weak_drop_abroad(void *arg)
{
    struct abroad *abroad = arg;
    tr_rc_weak weak = abroad->weak;
    tr_rc_weak_drop(&weak);
}

static void clone_abroad(void *arg)
{
    clone_it(((struct abroad *)arg)->rc);
}

static void upgrade_abroad(void *arg)
{
    (void)upgrades(((struct abroad *)arg)->weak);
}

static void downgrade_abroad(void *arg)
{
    downgrade_it(((struct abroad *)arg)->rc);
}

static void unwrap_abroad(void *arg)
{
    canary *share = ((struct abroad *)arg)->rc;
    canary *box = tr_rc_try_unwrap(share);
    tr_drop(box);
}

static void use_abroad(unsigned index, void *arg)
{
    static void (*const uses[])(void *arg) = {
        clone_abroad, drop_abroad, upgrade_abroad, downgrade_abroad, unwrap_abroad, weak_drop_abroad,
    };
    (void)index;
    struct abroad *abroad = arg;
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++)
        if (tr_catch(uses[i], abroad, NULL) == TR_PANICKED)
            tr_fetch_add_relaxed(&abroad->panics, 1); /* relaxed: read after the join */
}

static void test_rc_on_another_thread_panics(void **state)
{
    (void)state;
    struct abroad abroad = { .rc = tr_rc(canary, .value = 1) };
    abroad.weak = tr_rc_downgrade(abroad.rc);
    tr_set_panic_hook(panics_ignore);
    test_threads_run(1, use_abroad, &abroad);
    tr_set_panic_hook(NULL);
    assert_int_equal(tr_load_relaxed(&abroad.panics), 6); /* relaxed: after the join */
    assert_counts(abroad.rc, 1, 1);
    tr_rc_weak_drop(&abroad.weak);
    canary *box = tr_rc_into_box(abroad.rc); /* a Box may go anywhere */
    assert_ptr_equal(tr_owned_type(box), tr_type_of(canary));
    tr_drop(box);
    assert_int_equal(canary_dropped(), 1);
}

#else

static void test_rc_on_another_thread_panics(void **state)
{
    (void)state;
    skip(); /* only checked builds know the thread */
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rc_01_clones_share_one_value),
        CASE(test_rc_02_upgrade_adds_an_owner),
        CASE(test_rc_03_weak_clones_are_counted),
        CASE(test_rc_04_dead_value_has_no_counts),
        CASE(test_rc_05_empty_weak_is_free_and_dead),
        CASE(test_rc_12_ptr_eq_asks_for_the_same_value),
        CASE(test_rc_type_drops_and_clones_shares_and_stays),
        CASE(test_rc_panicking_drop_or_clone_loses_no_block),
        CASE(test_rc_value_is_not_revived_by_its_drop),
        CASE(test_rc_over_aligned_value_keeps_its_alignment),
        CASE(test_rc_of_another_kind_or_type_panics),
        CASE(test_rc_beyond_its_counts_aborts_or_panics),
        CASE(test_rc_on_another_thread_panics),
    };
    return TEST_RUN(tests);
}
