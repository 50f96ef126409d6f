/*
 * test_lock_order - what checked builds say of locks, and that others do without
 *
 * In a build without -Dchecked=true the same mistakes go unnoticed, which is as
 * documented; there the tests look that ranks and names change nothing.
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/condvar.h>
#include <troupe/mem/rwlock.h>

#include "tests/mem/panics.h"

TR_MUTEX(int)
TR_RWLOCK(int)

static const tr_lock_rank low = { "low", 10 };
static const tr_lock_rank high = { "high", 20 };

static int_mutex low_lock = TR_MUTEX_INIT_RANKED(int, &low, 1);
static int_mutex low_twin = TR_MUTEX_INIT_RANKED(int, &low, 1);
static int_rwlock high_lock = TR_RWLOCK_INIT_RANKED(int, &high, 2);
static int_mutex plain = TR_MUTEX_INIT(int, 3);

static void lock_rising(void *arg)
{
    (void)arg;
    TR_GUARD(int_mutex_guard) a = tr_lock(&low_lock);
    TR_GUARD(int_read_guard) b = tr_read(&high_lock);
    TR_GUARD(int_mutex_guard) c = tr_lock(&plain);
}

static void read_high_then_low(void *arg)
{
    (void)arg;
    TR_GUARD(int_read_guard) b = tr_read(&high_lock);
    TR_GUARD(int_mutex_guard) a = tr_lock(&low_lock);
}

static void write_high_then_low_in_time(void *arg)
{
    (void)arg;
    TR_GUARD(int_write_guard) b = tr_write(&high_lock);
    TR_GUARD(int_mutex_guard) a = { 0 };
    TR_MUST(tr_mutex_lock_until(&low_lock, 0, &a, NULL));
}

static void lock_twins(void *arg)
{
    (void)arg;
    TR_GUARD(int_mutex_guard) a = tr_lock(&low_lock);
    TR_GUARD(int_mutex_guard) b = tr_lock(&low_twin);
}

static void try_high_then_low(void *arg)
{
    (void)arg;
    TR_GUARD(int_read_guard) b = tr_read(&high_lock);
    TR_GUARD(int_mutex_guard) a = { 0 };
    TR_MUST(tr_mutex_try_lock(&low_lock, &a, NULL)); /* never waits: no circle */
}

/* The panics poison what was locked. */
static int clear(void **state)
{
    tr_clear_poison(&low_lock);
    tr_clear_poison(&low_twin);
    tr_clear_poison(&high_lock);
    tr_clear_poison(&plain);
    return test_teardown(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, test_setup, clear)

static void assert_refused_when_checked(void (*f)(void *arg), void *arg, const char *first,
                                        const char *second)
{
#ifdef TR_CHECKED
    assert_panics(f, arg, first);
    clear(NULL);
    assert_panics(f, arg, second);
    clear(NULL);
#else
    (void)first;
    (void)second;
    assert_int_equal(tr_catch(f, arg, NULL), TR_OK);
#endif
}

static void test_lock_order_rising_ranks_are_fine(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(tr_catch(lock_rising, NULL, NULL), TR_OK);
    assert_int_equal(tr_catch(try_high_then_low, NULL, NULL), TR_OK);
}

static void test_lock_order_falling_ranks_panic_naming_both(void **state)
{
    (void)state;
    assert_refused_when_checked(read_high_then_low, NULL, "low (rank 10)", "under high (rank 20)");
    assert_refused_when_checked(write_high_then_low_in_time, NULL, "low (rank 10)",
                                "under high (rank 20)");
}

static void test_lock_order_equal_ranks_panic(void **state)
{
    (void)state;
    assert_refused_when_checked(lock_twins, NULL, "low (rank 10)", "under low (rank 10)");
}

/* After a guard is gone, however it went, its rank is forgotten. */
static void test_lock_order_released_locks_do_not_count(void **state)
{
    (void)state;
    tr_condvar cv = TR_CONDVAR_INIT;
    {
        TR_GUARD(int_write_guard) w = tr_write(&high_lock);
        TR_GUARD(int_read_guard) r = tr_rwlock_downgrade(int_read_guard, &w);
        TR_GUARD(int_mapped_read_guard) m = tr_guard_map(int_mapped_read_guard, &r, r.value);
    }
    {
        TR_GUARD(int_mutex_guard) a = tr_lock(&low_lock);
        assert_int_equal(tr_condvar_wait_until(&cv, &a, 0), TR_TIMEOUT);
    }
    assert_int_equal(tr_catch(lock_rising, NULL, NULL), TR_OK);
}

/* -- MTX-11 -------------------------------------------------------------------------- */

static void lock_twice(void *arg)
{
    TR_GUARD(int_mutex_guard) a = tr_lock((int_mutex *)arg);
    TR_GUARD(int_mutex_guard) b = { 0 };
    if (tr_mutex_lock_until((int_mutex *)arg, tr_now() + 1000, &b, NULL) != TR_TIMEOUT)
        tr_panic("a second guard"); /* without the check it would wait for ever */
}

static void read_twice(void *arg)
{
    TR_GUARD(int_read_guard) a = tr_read((int_rwlock *)arg);
    TR_GUARD(int_read_guard) b = tr_read((int_rwlock *)arg);
}

static void test_mtx_11_locking_what_one_holds_panics_naming_both_places(void **state)
{
    (void)state;
    assert_refused_when_checked(lock_twice, &plain, "deadlock: int is locked at",
                                "test_lock_order.c:");
    assert_refused_when_checked(read_twice, &high_lock, "deadlock: high is locked at",
                                "by the thread that locked it at");
}

/* -- a guard stays on its thread ----------------------------------------------------------- */

struct hand_over {
    int_mutex mutex;
    int_mutex_guard guard;
    tr_status status;
    tr_panic_info info;
};

static void drop_here(void *arg)
{
    tr_guard_drop(&((struct hand_over *)arg)->guard);
}

static void drop_elsewhere(unsigned index, void *arg)
{
    (void)index;
    struct hand_over *h = arg;
    h->status = tr_catch(drop_here, h, &h->info);
}

static void test_lock_guard_released_by_another_thread_panics(void **state)
{
    (void)state;
    struct hand_over h = { .mutex = TR_MUTEX_INIT(int, 1) };
    h.guard = tr_lock(&h.mutex);
    int_mutex_guard kept = h.guard;
    tr_set_panic_hook(panics_ignore);
    test_threads_run(1, drop_elsewhere, &h);
    tr_set_panic_hook(NULL);
#ifdef TR_CHECKED
    assert_int_equal(h.status, TR_PANICKED);
    assert_non_null(strstr(h.info.message, "by a thread that does not hold it"));
    tr_guard_drop(&kept);
#else
    (void)kept;
    assert_int_equal(h.status, TR_OK);
#endif
    TR_GUARD(int_mutex_guard) g = { 0 };
    assert_int_equal(tr_mutex_try_lock(&h.mutex, &g, &g), TR_OK);
}

#define MANY 100

static void test_lock_holding_very_many_is_fine(void **state)
{
    (void)state;
    static int_mutex many[MANY];
    int_mutex_guard guards[MANY];
    for (int i = 0; i < MANY; i++) {
        many[i] = (int_mutex)TR_MUTEX_INIT(int, i);
        guards[i] = tr_lock(&many[i]);
    }
    for (int i = 0; i < MANY; i++)
        tr_guard_drop(&guards[i]);
    for (int i = 0; i < MANY; i++) {
        TR_GUARD(int_mutex_guard) g = { 0 };
        assert_int_equal(tr_mutex_try_lock(&many[i], &g, NULL), TR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lock_order_rising_ranks_are_fine),
        CASE(test_lock_order_falling_ranks_panic_naming_both),
        CASE(test_lock_order_equal_ranks_panic),
        CASE(test_lock_order_released_locks_do_not_count),
        CASE(test_mtx_11_locking_what_one_holds_panics_naming_both_places),
        CASE(test_lock_guard_released_by_another_thread_panics),
        CASE(test_lock_holding_very_many_is_fine),
    };
    return TEST_RUN(tests);
}
