/*
 * test_cyclic - values that hold Weaks to themselves, made by new_cyclic
 */
#include "tests/support/test.h"

#include <troupe/mem/arc.h>
#include <troupe/mem/rc.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

static void assert_counts(const void *owned, size_t strong, size_t weak)
{
    assert_int_equal(tr_strong_count(owned), strong);
    assert_int_equal(tr_weak_count(owned), weak);
}

/* -- Rc ------------------------------------------------------------------- */

typedef struct onlooker {
    tr_rc_weak me;
    unsigned *seen; /* bit 0: could upgrade, bit 1: counts were not 0 */
} onlooker;

static void onlooker_drop(onlooker *o);
TR_TYPE(onlooker, .drop = onlooker_drop, .flags = TR_RC_FLAGS)

static void onlooker_drop(onlooker *o)
{
    onlooker *up = tr_rc_upgrade(onlooker, o->me);
    *o->seen = 4 | (up != NULL ? 1 : 0) |
               (tr_rc_weak_strong_count(o->me) + tr_rc_weak_weak_count(o->me) != 0 ? 2 : 0);
    tr_rc_weak_drop(&o->me); /* the last Weak: the block must outlive this drop */
}

static tr_status onlooker_init(onlooker *o, tr_rc_weak me, void *arg)
{
    unsigned *seen = arg;
    onlooker *up = tr_rc_upgrade(onlooker, me);
    *seen = up != NULL ? 1 : 0;
    *o = (onlooker){ .me = tr_rc_weak_clone(me), .seen = seen };
    return TR_OK;
}

static void test_rc_new_cyclic_upgrades_only_between_init_and_drop(void **state)
{
    (void)state;
    unsigned seen = 9;
    onlooker *o = NULL;
    assert_int_equal(tr_rc_new_cyclic(onlooker, onlooker_init, &seen, &o), TR_OK);
    assert_int_equal(seen, 0);
    assert_counts(o, 1, 1);
    onlooker *up = tr_rc_upgrade(onlooker, o->me);
    assert_ptr_equal(up, o);
    tr_drop(o);
    assert_int_equal(seen, 0);
    tr_drop(up);
    assert_int_equal(seen, 4);
}

static tr_status fail_init(onlooker *o, tr_rc_weak me, void *arg)
{
    (void)o;
    tr_rc_weak *kept = arg;
    *kept = tr_rc_weak_clone(me);
    return TR_LIMIT;
}

static tr_status panic_init(onlooker *o, tr_rc_weak me, void *arg)
{
    (void)fail_init(o, me, arg);
    tr_panic("no such luck");
}

static void make_panicking(void *arg)
{
    onlooker *o = NULL;
    TR_MUST(tr_rc_new_cyclic(onlooker, panic_init, arg, &o));
}

static void test_rc_new_cyclic_that_fails_leaves_dead_weaks(void **state)
{
    (void)state;
    tr_rc_weak kept;
    onlooker *o = NULL;
    assert_int_equal(tr_rc_new_cyclic(onlooker, fail_init, &kept, &o), TR_LIMIT);
    assert_null(o);
    assert_null(tr_rc_upgrade(onlooker, kept));
    assert_int_equal(tr_rc_weak_strong_count(kept) + tr_rc_weak_weak_count(kept), 0);
    assert_int_equal(test_live_blocks(), 1);
    tr_rc_weak_drop(&kept);
    assert_int_equal(test_live_blocks(), 0);

    assert_panics(make_panicking, &kept, "no such luck");
    assert_null(tr_rc_upgrade(onlooker, kept));
    tr_rc_weak_drop(&kept);
}

static void test_rc_new_cyclic_without_memory_calls_nothing(void **state)
{
    (void)state;
    unsigned seen = 9;
    onlooker *o = NULL;
    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status status = tr_rc_new_cyclic(onlooker, onlooker_init, &seen, &o);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_null(o);
    assert_int_equal(seen, 9);
}

/* -- Arc ------------------------------------------------------------------ */

/* Upgrades and drops until it has seen the value alive. */
struct watcher {
    test_threads threads;
    TR_ATOMIC(uint64_t) met;
    TR_ATOMIC(uint64_t) wrong;
    tr_weak weaks[2];
    bool fails;
};

typedef struct watched {
    tr_weak me;
    uint64_t value;
    struct watcher *watcher;
} watched;

static void watched_drop(watched *w)
{
    tr_weak_drop(&w->me);
}

TR_TYPE(watched, .drop = watched_drop)

/* 0 when not to be had, else its value. */
static uint64_t look(tr_weak weak)
{
    watched *up = tr_upgrade(watched, weak);
    const uint64_t value = up != NULL ? up->value : 0;
    tr_drop(up);
    return value;
}

static void watch(unsigned index, void *arg)
{
    struct watcher *watcher = arg;
    uint64_t value = 0;
    while (value == 0)
        value = look(watcher->weaks[index]);
    tr_fetch_add_relaxed(&watcher->met, 1); /* relaxed: read after the join */
    if (value != 42)
        tr_fetch_add_relaxed(&watcher->wrong, 1); /* relaxed: read after the join */
    tr_weak_drop(&watcher->weaks[index]);
}

static tr_status watched_init(watched *w, tr_weak me, void *arg)
{
    struct watcher *watcher = arg;
    if (look(me) != 0 || tr_weak_strong_count(me) + tr_weak_weak_count(me) != 0)
        return TR_INVALID;
    for (int i = 0; i < 2; i++)
        watcher->weaks[i] = tr_weak_clone(me);
    if (watcher->fails)
        return TR_LIMIT;
    test_threads_start(&watcher->threads, 2, watch, watcher);
    *w = (watched){ .me = tr_weak_clone(me), .value = 42, .watcher = watcher };
    return TR_OK;
}

static void test_arc_new_cyclic_is_seen_whole_by_other_threads(void **state)
{
    (void)state;
    const size_t rounds = test_scale(50);
    struct watcher watcher = { .fails = false };
    for (size_t i = 0; i < rounds; i++) {
        watched *w = NULL;
        assert_int_equal(tr_arc_new_cyclic(watched, watched_init, &watcher, &w), TR_OK);
        test_threads_join(&watcher.threads);
        assert_counts(w, 1, 1);
        assert_ptr_equal(w->me.target_, w);
        tr_drop(w);
    }
    assert_int_equal(tr_load_relaxed(&watcher.met), 2 * rounds); /* relaxed: after the joins */
    assert_int_equal(tr_load_relaxed(&watcher.wrong), 0);        /* relaxed: after the joins */
}

static tr_status panic_watched(watched *w, tr_weak me, void *arg)
{
    (void)watched_init(w, me, arg);
    tr_panic("no such luck");
}

static void make_panicking_arc(void *arg)
{
    watched *w = NULL;
    TR_MUST(tr_arc_new_cyclic(watched, panic_watched, arg, &w));
}

static void drop_dead(struct watcher *watcher)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(watcher->weaks[i]), 0);
        assert_int_equal(tr_weak_weak_count(watcher->weaks[i]), 0);
        tr_weak_drop(&watcher->weaks[i]);
    }
    assert_int_equal(test_live_blocks(), 0);
}

static void test_arc_new_cyclic_that_fails_leaves_dead_weaks(void **state)
{
    (void)state;
    struct watcher watcher = { .fails = true };
    watched *w = NULL;
    assert_int_equal(tr_arc_new_cyclic(watched, watched_init, &watcher, &w), TR_LIMIT);
    assert_null(w);
    drop_dead(&watcher);
    assert_panics(make_panicking_arc, &watcher, "no such luck");
    drop_dead(&watcher);

    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status status = tr_arc_new_cyclic(watched, watched_init, &watcher, &w);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_null(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rc_new_cyclic_upgrades_only_between_init_and_drop),
        TEST(test_rc_new_cyclic_that_fails_leaves_dead_weaks),
        TEST(test_rc_new_cyclic_without_memory_calls_nothing),
        TEST(test_arc_new_cyclic_is_seen_whole_by_other_threads),
        TEST(test_arc_new_cyclic_that_fails_leaves_dead_weaks),
    };
    return TEST_RUN(tests);
}
