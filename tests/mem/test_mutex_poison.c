/*
 * test_mutex_poison - what a panic leaves behind, and who learns of it
 */
#include "tests/support/test.h"

#include <troupe/mem/mutex.h>

#include "tests/mem/panics.h"

typedef struct account {
    int owner;
    long balance;
} account;
TR_TYPE(account)
TR_MUTEX(account)
TR_MUTEX(long)

/* -- MTX-05: poison ----------------------------------------------------------------- */

static void panic_under_lock(void *arg)
{
    TR_GUARD(long_mutex_guard) g = tr_lock((long_mutex *)arg);
    *g.value = -1;
    tr_panic("half done");
}

static void poison(long_mutex *m)
{
    assert_panics(panic_under_lock, m, "half done");
}

static void lock_or_panic(void *arg)
{
    TR_GUARD(long_mutex_guard) g = tr_lock((long_mutex *)arg);
}

static void test_mtx_05_panic_of_the_holder_poisons(void **state)
{
    (void)state;
    long_mutex m = TR_MUTEX_INIT(long, 1);
    TR_GUARD(long_mutex_guard) g = { 0 };
    assert_false(tr_is_poisoned(&m));
    poison(&m);
    assert_true(tr_is_poisoned(&m));
    assert_int_equal(tr_mutex_lock(&m, &g, NULL), TR_POISONED);
    assert_null(g.value);
    assert_int_equal(tr_mutex_try_lock(&m, &g, NULL), TR_POISONED);
    assert_int_equal(tr_mutex_lock_until(&m, 0, &g, NULL), TR_POISONED); /* it was let go */
    assert_panics(lock_or_panic, &m, "long is poisoned");
    assert_panics(lock_or_panic, &m, "long is poisoned");
}

static void test_mutex_poisoned_gives_a_held_guard_apart(void **state)
{
    (void)state;
    long_mutex m = TR_MUTEX_INIT(long, 1);
    poison(&m);
    {
        TR_GUARD(long_mutex_guard) g = { 0 };
        TR_GUARD(long_mutex_guard) bad = { 0 };
        TR_GUARD(long_mutex_guard) second = { 0 };
        assert_int_equal(tr_mutex_lock(&m, &g, &bad), TR_POISONED);
        assert_null(g.value);
        assert_int_equal(*bad.value, -1);
        assert_int_equal(tr_mutex_try_lock(&m, &second, &second), TR_WOULD_BLOCK);
        *bad.value = 2;
        tr_clear_poison(&m);
    }
    TR_GUARD(long_mutex_guard) g = tr_lock(&m);
    assert_int_equal(*g.value, 2);
}

static void test_mutex_poisoned_value_is_reached_by_who_says_so(void **state)
{
    (void)state;
    long_mutex m = TR_MUTEX_INIT(long, 1);
    long *value = NULL, *bad = NULL, inner = 0, bad_inner = 0;
    poison(&m);
    assert_int_equal(tr_get_mut(&m, &value, NULL), TR_POISONED);
    assert_int_equal(tr_get_mut(&m, &value, &bad), TR_POISONED);
    assert_null(value);
    assert_int_equal(*bad, -1);
    assert_int_equal(tr_mutex_set(&m, 9), TR_POISONED);
    assert_int_equal(tr_mutex_replace(&m, 9, &inner), TR_POISONED);
    assert_int_equal(*bad, -1);
    assert_int_equal(tr_into_inner(&m, &inner, NULL), TR_POISONED);
    assert_int_equal(inner, 0);
    assert_int_equal(tr_into_inner(&m, &inner, &bad_inner), TR_POISONED);
    assert_int_equal(inner, 0);
    assert_int_equal(bad_inner, -1);
}

/* A destructor that locks while a panic unwinds, and lets go in good order. */
static void lock_in_cleanup(long_mutex **m)
{
    TR_GUARD(long_mutex_guard) g = tr_lock(*m);
    ++*g.value;
}

static void panic_past_a_cleanup_that_locks(void *arg)
{
    TR_UNUSED __attribute__((cleanup(lock_in_cleanup))) long_mutex *m = arg;
    tr_panic("on the way");
}

static void test_mutex_locked_by_a_cleanup_while_panicking_is_not_poisoned(void **state)
{
    (void)state;
    long_mutex m = TR_MUTEX_INIT(long, 1);
    assert_panics(panic_past_a_cleanup_that_locks, &m, "on the way");
    assert_false(tr_is_poisoned(&m));
    TR_GUARD(long_mutex_guard) g = tr_lock(&m);
    assert_int_equal(*g.value, 2);
}

static void catch_under_lock(void *arg)
{
    (void)arg;
    tr_panic("caught below");
}

static void test_mutex_panic_caught_under_the_lock_does_not_poison(void **state)
{
    (void)state;
    long_mutex m = TR_MUTEX_INIT(long, 1);
    TR_GUARD(long_mutex_guard) g = tr_lock(&m);
    assert_panics(catch_under_lock, NULL, "caught below");
    tr_guard_drop(&g);
    assert_false(tr_is_poisoned(&m));
}

struct rounds {
    account_mutex mutex;
    TR_ATOMIC(unsigned) poisoned_seen, healthy_seen;
    unsigned panicker;
};

static void change_and_fail(void *arg)
{
    struct rounds *r = arg;
    TR_GUARD(account_mutex_guard) g = { 0 };
    if (tr_mutex_lock(&r->mutex, &g, &g) == TR_POISONED)
        return;
    g.value->balance++;
    tr_panic("round");
}

static void play_round(unsigned index, void *arg)
{
    struct rounds *r = arg;
    if (index == r->panicker) {
        (void)!tr_catch(change_and_fail, r, NULL);
        return;
    }
    TR_GUARD(account_mutex_guard) g = { 0 };
    const tr_status status = tr_mutex_lock(&r->mutex, &g, &g);
    g.value->balance++;
    tr_fetch_add_relaxed(status == TR_POISONED ? &r->poisoned_seen : &r->healthy_seen, 1);
}

static void test_mtx_05_stress_one_of_ten_panics_and_all_know_after_the_join(void **state)
{
    (void)state;
    struct rounds r = { .mutex = TR_MUTEX_INIT(account) };
    const size_t rounds = test_scale(100);
    tr_set_panic_hook(panics_ignore);
    for (size_t i = 0; i < rounds; i++) {
        account *after = NULL;
        r.panicker = (unsigned)(i * 7 % 10);
        test_threads_run(10, play_round, &r);
        assert_true(tr_is_poisoned(&r.mutex));
        assert_int_equal(tr_get_mut(&r.mutex, &after, &after), TR_POISONED);
        assert_int_equal(after->balance, 10 * (i + 1));
        tr_clear_poison(&r.mutex);
    }
    tr_set_panic_hook(NULL);
    const unsigned before = tr_load_relaxed(&r.healthy_seen);
    const unsigned after = tr_load_relaxed(&r.poisoned_seen);
    assert_int_equal(before + after, 9 * rounds);
    print_message("locked before the panic %u, after %u\n", before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mtx_05_panic_of_the_holder_poisons),
        TEST(test_mutex_poisoned_gives_a_held_guard_apart),
        TEST(test_mutex_poisoned_value_is_reached_by_who_says_so),
        TEST(test_mutex_locked_by_a_cleanup_while_panicking_is_not_poisoned),
        TEST(test_mutex_panic_caught_under_the_lock_does_not_poison),
        TEST(test_mtx_05_stress_one_of_ten_panics_and_all_know_after_the_join),
    };
    return TEST_RUN(tests);
}
