/*
 * test_rcu_cell - what a guard keeps lives, what nobody keeps is dropped
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/mem/rcu_cell.h>

#include "mem/rcu.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

#define ALIVE UINT64_C(0x616c6976656e6f64)
#define GONE UINT64_C(0x676f6e65676f6e65)

typedef struct config {
    uint64_t mark;
    uint64_t a, b; /* b is always 3 * a */
    bool panics;   /* its drop does */
} config;

static TR_ATOMIC(uint64_t) dropped;
static TR_ATOMIC(uint64_t) bad;

static void config_drop(config *c)
{
    if (c->mark != ALIVE)
        tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the barrier */
    c->mark = GONE;
    tr_fetch_add_relaxed(&dropped, 1); /* relaxed: read after the barrier */
    if (c->panics)
        tr_panic("config_drop");
}

static TR_ATOMIC(bool) clone_fails;

static tr_status config_clone(config *copy, const config *c)
{
    if (tr_load_relaxed(&clone_fails)) /* relaxed: one thread */
        return TR_IO;
    *copy = *c;
    return TR_OK;
}

TR_TYPE(config, .drop = config_drop, .clone = config_clone)
TR_RCU(config)

typedef struct tied {
    int x;
} tied;
TR_TYPE(tied, .flags = TR_NOT_SEND)
TR_RCU(tied)

static config *config_of(uint64_t a)
{
    return tr_arc(config, .mark = ALIVE, .a = a, .b = 3 * a);
}

static void begin(void)
{
    tr_store_relaxed(&dropped, 0); /* relaxed: no other thread yet */
    tr_store_relaxed(&bad, 0);     /* relaxed: as above */
}

/* After all deferred drops: n of them, none of what was dropped already. */
static void assert_dropped(uint64_t n)
{
    tr_rcu_barrier();
    assert_int_equal(tr_load_relaxed(&dropped), n); /* relaxed: after the barrier */
    assert_int_equal(tr_load_relaxed(&bad), 0);     /* relaxed: after the barrier */
}

/* -- one thread ------------------------------------------------------------------------ */

static void test_rcu_cell_empty_reads_null(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    TR_RCU_GUARD g = tr_rcu_enter();
    assert_null(tr_rcu_read(&cell, &g));
    assert_null(tr_rcu_share(&cell));
    tr_rcu_leave(&g);
    tr_rcu_fini(&cell);
}

static void test_rcu_cell_set_is_read_old_dropped_after_guard(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    begin();
    TR_MUST(tr_rcu_set(&cell, config_of(1)));
    {
        TR_RCU_GUARD g = tr_rcu_enter();
        const config *one = tr_rcu_read(&cell, &g);
        assert_int_equal(one->a, 1);
        TR_MUST(tr_rcu_set(&cell, config_of(2)));
        assert_int_equal(tr_rcu_read(&cell, &g)->a, 2);
        for (int i = 0; i < 1000; i++)
            sched_yield(); /* the chance for a drop that comes too early */
        assert_true(one->mark == ALIVE);
        assert_int_equal(tr_load_seq_cst(&dropped), 0);
    }
    assert_dropped(1);
    tr_rcu_fini(&cell);
    assert_dropped(2);
}

static void test_rcu_cell_box_becomes_arc(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    begin();
    TR_MUST(tr_rcu_set(&cell, tr_box(config, .mark = ALIVE, .a = 7)));
    TR_AUTO(config) share = tr_rcu_share(&cell);
    assert_int_equal(share->a, 7);
    assert_int_equal(tr_strong_count(share), 2);
    tr_rcu_fini(&cell);
    assert_dropped(0);
    assert_int_equal(tr_strong_count(share), 1);
    tr_drop(share);
    assert_dropped(1);
}

static void test_rcu_cell_swap_hands_out_old_and_into_box_after_barrier(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    config *old = (config *)&cell;
    begin();
    TR_MUST(tr_rcu_swap(&cell, config_of(1), &old));
    assert_null(old);
    TR_MUST(tr_rcu_swap(&cell, NULL, &old));
    assert_int_equal(old->a, 1);
    assert_dropped(0);
    assert_int_equal(tr_strong_count(old), 1);
    assert_non_null(tr_arc_get_mut(old));
    tr_drop(old);
    assert_dropped(1);
    tr_rcu_fini(&cell); /* empty: only the spare record goes */
}

static void test_rcu_cell_fini_leaves_usable_cell(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    begin();
    for (uint64_t i = 0; i < 3; i++) {
        TR_MUST(tr_rcu_set(&cell, config_of(i)));
        TR_MUST(tr_rcu_set(&cell, NULL));
        TR_MUST(tr_rcu_set(&cell, config_of(i)));
        tr_rcu_fini(&cell);
        tr_rcu_fini(&cell);
    }
    assert_dropped(6);
}

static void test_rcu_cell_in_arc_dropped_under_guard_keeps_what_was_read(void **state)
{
    (void)state;
    begin();
    TR_AUTO(config_rcu) cell = tr_arc(config_rcu, .core_ = { .value_ = TR_ATOMIC_INIT(NULL) });
    TR_MUST(tr_rcu_set(cell, config_of(4)));
    TR_RCU_GUARD g = tr_rcu_enter();
    const config *c = tr_rcu_read(cell, &g);
    tr_drop(cell);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    assert_true(c->mark == ALIVE);
    tr_rcu_leave(&g);
    assert_dropped(1);
}

static void test_rcu_cell_guard_nests_and_ends_once(void **state)
{
    (void)state;
    TR_RCU_GUARD outer = tr_rcu_enter();
    {
        TR_RCU_GUARD inner = tr_rcu_enter();
        tr_rcu_leave(&inner);
        tr_rcu_leave(&inner);
    }
    assert_true(tri_rcu_is_online());
    tr_rcu_leave(&outer);
    assert_false(tri_rcu_is_online());
}

static void enter_and_panic(void *unused)
{
    (void)unused;
    TR_RCU_GUARD g = tr_rcu_enter();
    tr_panic("under a guard");
}

static void test_rcu_cell_panic_ends_guard(void **state)
{
    (void)state;
    assert_panics(enter_and_panic, NULL, "under a guard");
    assert_false(tri_rcu_is_online());
    tr_rcu_synchronise(); /* would panic, or never end */
}

/* -- waiting where one must not -------------------------------------------------------- */

static void synchronise_under_guard(void *unused)
{
    (void)unused;
    TR_RCU_GUARD g = tr_rcu_enter();
    tr_rcu_synchronise();
}

static void barrier_on_worker(void *unused)
{
    (void)unused;
    tr_rcu_barrier();
}

static void test_rcu_cell_waiting_for_oneself_panics(void **state)
{
    (void)state;
    assert_panics(synchronise_under_guard, NULL, "tr_rcu_synchronise would wait");
    tri_rcu_register();
    assert_panics(barrier_on_worker, NULL, "tr_rcu_barrier would wait");
    tri_rcu_unregister();
}

/* -- what must not go in --------------------------------------------------------------- */

static void set_tied(void *box)
{
    tied_rcu cell = { 0 };
    (void)!tr_rcu_set(&cell, (tied *)box);
}

static void set_no_owned(void *unused)
{
    static struct {
        uint64_t header[2];
        config value;
    } plain;
    config_rcu cell = { 0 };
    (void)unused;
    (void)!tr_rcu_set(&cell, &plain.value);
}

static void test_rcu_cell_refuses_what_is_not_shared(void **state)
{
    (void)state;
    TR_AUTO(tied) box = tr_box(tied, 1);
    assert_panics(set_tied, box, "a tied may not be");
    assert_panics(set_no_owned, NULL, "neither an Arc nor a Box");
}

/* -- update ---------------------------------------------------------------------------- */

static tr_status add(config *copy, void *n)
{
    copy->a += *(uint64_t *)n;
    copy->b = 3 * copy->a;
    return TR_OK;
}

static tr_status refuse(config *copy, void *unused)
{
    (void)unused;
    copy->a = 99;
    return TR_BUSY;
}

static void update_panics(void *cell);

static tr_status panic_in_change(config *copy, void *unused)
{
    (void)unused;
    copy->a = 99;
    tr_panic("in change");
}

static void update_panics(void *cell)
{
    (void)!tr_rcu_update((config_rcu *)cell, panic_in_change, NULL);
}

/* Somebody else is quicker, once. */
static config_rcu contested;
static bool interfered;

static tr_status interfere(config *copy, void *n)
{
    if (!interfered) {
        interfered = true;
        TR_MUST(tr_rcu_set(&contested, config_of(100)));
    }
    return add(copy, n);
}

static void test_rcu_cell_update_copies_changes_replaces(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    uint64_t n = 5;
    begin();
    assert_int_equal(tr_rcu_update(&cell, add, &n), TR_EMPTY);
    TR_MUST(tr_rcu_set(&cell, config_of(1)));
    TR_AUTO(config) before = tr_rcu_share(&cell);
    TR_MUST(tr_rcu_update(&cell, add, &n));
    TR_AUTO(config) after = tr_rcu_share(&cell);
    assert_int_equal(before->a, 1);
    assert_int_equal(after->a, 6);
    tr_drop(before);
    tr_drop(after);
    assert_dropped(1);
    tr_rcu_fini(&cell);
    assert_dropped(2);
}

static void test_rcu_cell_update_that_fails_changes_nothing(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    uint64_t n = 5;
    begin();
    TR_MUST(tr_rcu_set(&cell, config_of(1)));
    assert_int_equal(tr_rcu_update(&cell, refuse, NULL), TR_BUSY);
    assert_dropped(1); /* the copy */
    assert_panics(update_panics, &cell, "in change");
    assert_false(tri_rcu_is_online());
    assert_dropped(2); /* the copy */
    tr_store_relaxed(&clone_fails, true); /* relaxed: one thread */
    assert_int_equal(tr_rcu_update(&cell, add, &n), TR_IO);
    tr_store_relaxed(&clone_fails, false); /* relaxed: one thread */
    TR_AUTO(config) c = tr_rcu_share(&cell);
    assert_int_equal(c->a, 1);
    tr_drop(c);
    tr_rcu_fini(&cell);
    assert_dropped(3);
}

static void test_rcu_cell_update_that_lost_begins_again(void **state)
{
    (void)state;
    uint64_t n = 5;
    begin();
    interfered = false;
    TR_MUST(tr_rcu_set(&contested, config_of(1)));
    TR_MUST(tr_rcu_update(&contested, interfere, &n));
    TR_AUTO(config) c = tr_rcu_share(&contested);
    assert_int_equal(c->a, 105);
    tr_drop(c);
    assert_dropped(3); /* 1, the copy of 1, 100 */
    tr_rcu_fini(&contested);
    assert_dropped(4);
}

/* -- memory, panics, nested drops -------------------------------------------------------- */

static void test_rcu_cell_nth_allocation_fails_nothing_changes(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    uint64_t n = 5, failures = 0;
    begin();
    TR_MUST(tr_rcu_set(&cell, config_of(1)));
    TR_AUTO(config) mine = config_of(2);
    for (uint64_t successes = 0;; successes++) {
        failing_allocator failing;
        failing_install(&failing, successes);
        const tr_status set = tr_rcu_set(&cell, successes % 2 == 0 ? mine : NULL);
        const tr_status update = set == TR_OK ? TR_OK : tr_rcu_update(&cell, add, &n);
        failing_remove(&failing);
        if (set == TR_OK)
            break;
        assert_int_equal(set, TR_NOMEM);
        assert_int_equal(update, TR_NOMEM);
        failures++;
    }
    assert_int_equal(failures, 1);
    for (uint64_t successes = 0; successes < 2; successes++) { /* record; then the copy's */
        TR_MUST(tr_rcu_set(&cell, config_of(3)));
        tr_rcu_barrier(); /* no free meets the allocator being changed */
        failing_allocator failing;
        failing_install(&failing, successes);
        const tr_status update = tr_rcu_update(&cell, add, &n);
        failing_remove(&failing);
        assert_int_equal(update, TR_NOMEM);
    }
    TR_AUTO(config) c = tr_rcu_share(&cell);
    assert_int_equal(c->a, 3);
    tr_drop(c);
    failing_allocator failing;
    failing_install(&failing, 0);
    tr_rcu_fini(&cell); /* needs none */
    tr_rcu_barrier();
    failing_remove(&failing);
    tr_drop(mine);
    assert_dropped(4);
}

static TR_ATOMIC(int) hooked;

static void count_panic(const tr_panic_info *info)
{
    if (strcmp(info->message, "config_drop") == 0)
        tr_fetch_add_seq_cst(&hooked, 1);
}

static void test_rcu_cell_panicking_drop_is_told_and_others_go_on(void **state)
{
    (void)state;
    config_rcu cell = { 0 };
    begin();
    tr_store_seq_cst(&hooked, 0);
    tr_set_panic_hook(count_panic);
    for (int i = 0; i < 3; i++)
        TR_MUST(tr_rcu_set(&cell, tr_arc(config, .mark = ALIVE, .panics = i == 1)));
    tr_rcu_fini(&cell);
    assert_dropped(3);
    tr_set_panic_hook(NULL);
    assert_int_equal(tr_load_seq_cst(&hooked), 1);
}

typedef struct tree {
    config_rcu inner;
} tree;

static TR_ATOMIC(bool) barrier_panicked;

static void tree_drop(tree *t)
{
    if (tr_catch(barrier_on_worker, NULL, NULL) == TR_PANICKED)
        tr_store_seq_cst(&barrier_panicked, true);
    TR_MUST(tr_rcu_set(&t->inner, NULL));
    tr_rcu_fini(&t->inner);
}

TR_TYPE(tree, .drop = tree_drop)
TR_RCU(tree)

static void test_rcu_cell_drop_may_set_cells_but_not_wait(void **state)
{
    (void)state;
    tree_rcu cell = { 0 };
    begin();
    tree *t = tr_arc(tree, .inner = { .core_ = { .value_ = TR_ATOMIC_INIT(NULL) } });
    TR_MUST(tr_rcu_set(&t->inner, config_of(1)));
    TR_MUST(tr_rcu_set(&cell, t));
    tr_set_panic_hook(panics_ignore);
    tr_rcu_fini(&cell);
    tr_rcu_barrier(); /* the tree; then what it held */
    assert_dropped(1);
    tr_set_panic_hook(NULL);
    assert_true(tr_load_seq_cst(&barrier_panicked));
}

/* -- stress ------------------------------------------------------------------------------ */

#define READERS 2
#define WRITERS 2

static struct {
    config_rcu cell;
    TR_ATOMIC(unsigned) writing;
    TR_ATOMIC(uint64_t) made;
    uint64_t rounds;
} stress;

static void check(const config *c)
{
    if (c->mark != ALIVE || c->b != 3 * c->a)
        tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
}

static void reads(bool worker)
{
    if (worker)
        tri_rcu_register();
    for (unsigned i = 0; tr_load_relaxed(&stress.writing) != 0; i++) { /* relaxed: a flag */
        {
            TR_RCU_GUARD g = tr_rcu_enter();
            check(tr_rcu_read(&stress.cell, &g));
            if (i % 16 == 0)
                sched_yield();
            check(tr_rcu_read(&stress.cell, &g));
        }
        if (i % 8 == 0) {
            TR_AUTO(config) c = tr_rcu_share(&stress.cell);
            check(c);
        }
        if (worker)
            tri_rcu_quiescent();
    }
    if (worker)
        tri_rcu_unregister();
}

static tr_status count_and_add(config *copy, void *n)
{
    tr_fetch_add_relaxed(&stress.made, 1); /* relaxed: read after the join */
    return add(copy, n);
}

static void writes(void)
{
    uint64_t one = 1;
    for (uint64_t i = 0; i < stress.rounds; i++) {
        if (tr_rcu_update(&stress.cell, count_and_add, &one) != TR_OK)
            tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
        if (i % 8 == 0)
            sched_yield();
    }
    tr_fetch_sub_relaxed(&stress.writing, 1); /* relaxed: a flag */
}

static void stress_thread(unsigned index, void *unused)
{
    (void)unused;
    if (index < WRITERS)
        writes();
    else
        reads(index % 2 == 0);
}

static void test_rcu_cell_stress_readers_see_whole_values_no_update_lost(void **state)
{
    (void)state;
    begin();
    stress.rounds = test_scale(4000);
    tr_store_seq_cst(&stress.writing, WRITERS);
    tr_store_seq_cst(&stress.made, 0);
    TR_MUST(tr_rcu_set(&stress.cell, config_of(0)));

    test_threads_run(WRITERS + READERS, stress_thread, NULL);

    TR_AUTO(config) last = tr_rcu_share(&stress.cell);
    assert_int_equal(last->a, WRITERS * stress.rounds);
    tr_drop(last);
    tr_rcu_fini(&stress.cell);
    assert_dropped(tr_load_seq_cst(&stress.made) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rcu_cell_empty_reads_null),
        TEST(test_rcu_cell_set_is_read_old_dropped_after_guard),
        TEST(test_rcu_cell_box_becomes_arc),
        TEST(test_rcu_cell_swap_hands_out_old_and_into_box_after_barrier),
        TEST(test_rcu_cell_fini_leaves_usable_cell),
        TEST(test_rcu_cell_in_arc_dropped_under_guard_keeps_what_was_read),
        TEST(test_rcu_cell_guard_nests_and_ends_once),
        TEST(test_rcu_cell_panic_ends_guard),
        TEST(test_rcu_cell_waiting_for_oneself_panics),
        TEST(test_rcu_cell_refuses_what_is_not_shared),
        TEST(test_rcu_cell_update_copies_changes_replaces),
        TEST(test_rcu_cell_update_that_fails_changes_nothing),
        TEST(test_rcu_cell_update_that_lost_begins_again),
        TEST(test_rcu_cell_nth_allocation_fails_nothing_changes),
        TEST(test_rcu_cell_panicking_drop_is_told_and_others_go_on),
        TEST(test_rcu_cell_drop_may_set_cells_but_not_wait),
        TEST(test_rcu_cell_stress_readers_see_whole_values_no_update_lost),
    };
    return TEST_RUN(tests);
}
