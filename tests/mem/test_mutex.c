/*
 * test_mutex - guarded data: locking, guards that move and map, mutexes in a Box or Arc
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/arc.h>
#include <troupe/mem/mutex.h>

#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/panics.h"

typedef struct account {
    int owner;
    long balance;
} account;
TR_TYPE(account)
TR_MUTEX(account)
TR_MUTEX(long)
TR_MUTEX(bool)
TR_MUTEX(canary)

typedef struct homebody {
    int at;
} homebody;
TR_TYPE(homebody, .flags = TR_NOT_SEND | TR_NOT_SHARE)
TR_MUTEX(homebody, TR_NOT_SEND | TR_NOT_SHARE)

typedef struct loner {
    int one;
} loner;
TR_TYPE(loner, .flags = TR_NOT_SHARE)
TR_MUTEX(loner, TR_NOT_SHARE)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static account_mutex bank = TR_MUTEX_INIT(account, .owner = 7, .balance = 100);

/* -- MTX-01 -------------------------------------------------------------------- */

struct sum {
    long_mutex mutex;
    size_t rounds;
};

static void add_ones(unsigned index, void *arg)
{
    struct sum *sum = arg;
    for (size_t i = 0; i < sum->rounds; i++) {
        if (index % 2 == 0) {
            TR_GUARD(long_mutex_guard) g = tr_lock(&sum->mutex);
            ++*g.value;
        } else {
            TR_GUARD(long_mutex_guard) g = { 0 };
            while (tr_mutex_lock_until(&sum->mutex, tr_now() + 1000, &g, NULL) != TR_OK)
                ;
            ++*g.value;
        }
    }
}

static void test_mtx_01_threads_add_to_an_exact_sum(void **state)
{
    (void)state;
    const struct {
        unsigned threads;
        size_t rounds;
    } cases[] = { { 10, 1 }, { 6, 1000 }, { 10, test_scale(10000) } };
    for (size_t i = 0; i < 3; i++) {
        struct sum sum = { .mutex = TR_MUTEX_INIT(long, 0), .rounds = cases[i].rounds };
        test_threads_run(cases[i].threads, add_ones, &sum);
        long *total = NULL;
        assert_int_equal(tr_get_mut(&sum.mutex, &total, NULL), TR_OK);
        assert_int_equal(*total, cases[i].threads * cases[i].rounds);
    }
}

/* -- MTX-02 -------------------------------------------------------------------- */

static void test_mtx_02_is_free_again_after_the_scope(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        TR_GUARD(account_mutex_guard) g = tr_lock(&bank);
        assert_int_equal(g.value->owner, 7);
    }
    TR_GUARD(account_mutex_guard) g = { 0 };
    assert_int_equal(tr_mutex_try_lock(&bank, &g, NULL), TR_OK);
    assert_int_equal(g.value->balance, 100);
}

struct trial {
    account_mutex *mutex;
    TR_ATOMIC(int) tried, waited;
};

static void try_to_lock(unsigned index, void *arg)
{
    (void)index;
    struct trial *trial = arg;
    TR_GUARD(account_mutex_guard) g = { 0 };
    tr_store_relaxed(&trial->tried, (int)tr_mutex_try_lock(trial->mutex, &g, NULL));
    const tr_status waited = tr_mutex_lock_until(trial->mutex, tr_now() + 1000, &g, NULL);
    tr_store_relaxed(&trial->waited, (int)waited);
}

static void test_mtx_02_try_lock_of_a_held_one_would_block(void **state)
{
    (void)state;
    TR_GUARD(account_mutex_guard) held = tr_lock(&bank);
    TR_GUARD(account_mutex_guard) g = { 0 };
    assert_int_equal(tr_mutex_try_lock(&bank, &g, NULL), TR_WOULD_BLOCK);
    assert_null(g.value);

    struct trial trial = { .mutex = &bank };
    test_threads_run(1, try_to_lock, &trial);
    assert_int_equal(tr_load_relaxed(&trial.tried), TR_WOULD_BLOCK);
    assert_int_equal(tr_load_relaxed(&trial.waited), TR_TIMEOUT);
}

static void test_mutex_past_deadline_locks_what_is_free(void **state)
{
    (void)state;
    TR_GUARD(account_mutex_guard) g = { 0 };
    assert_int_equal(tr_mutex_lock_until(&bank, 0, &g, NULL), TR_OK);
    assert_non_null(g.value);
}

/* -- MTX-03, MTX-04 ------------------------------------------------------------- */

static void test_mtx_03_into_inner_moves_without_a_drop(void **state)
{
    (void)state;
    canary out = { 0 };
    canary_mutex *m = tr_box(canary_mutex, TR_MUTEX_OF(canary, .name = 'a', .value = 5));
    assert_int_equal(tr_into_inner(m, &out, NULL), TR_OK);
    assert_int_equal(out.value, 5);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(m);
    assert_int_equal(canary_dropped(), 0);
    canary_drop(&out);
    assert_string_equal(canary_log, "a");
}

static void lock_emptied(void *arg)
{
    TR_GUARD(canary_mutex_guard) g = tr_lock((canary_mutex *)arg);
}

static void test_mutex_emptied_panics_when_it_is_locked(void **state)
{
    (void)state;
    canary out;
    canary_mutex m = TR_MUTEX_INIT(canary, .value = 5);
    assert_int_equal(tr_into_inner(&m, &out, NULL), TR_OK);
    for (int i = 0; i < 2; i++)
        assert_panics(lock_emptied, &m, "canary was moved out");
    assert_false(tr_is_poisoned(&m));
}

static void test_mutex_dropped_with_its_box_drops_the_value(void **state)
{
    (void)state;
    canary_mutex *m = tr_arc(canary_mutex, TR_MUTEX_OF(canary, .name = 'a'));
    canary_mutex *share = tr_arc_clone(m);
    tr_drop(m);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(share);
    assert_string_equal(canary_log, "a");
}

static void drop_held(void)
{
    account_mutex *m = tr_arc(account_mutex, TR_MUTEX_OF(account));
    account_mutex_guard g = tr_lock(m);
    tr_drop(m);
    tr_guard_drop(&g);
}

static void test_mtx_03_drop_of_a_held_one_aborts(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(drop_held, text, sizeof text));
    assert_non_null(strstr(text, "drop of account while it is locked"));
#ifdef TR_CHECKED
    assert_non_null(strstr(text, "test_mutex.c:"));
#endif
}

static void reach_held(void *arg)
{
    account *value = NULL;
    (void)!tr_get_mut((account_mutex *)arg, &value, &value);
}

static void empty_held(void *arg)
{
    account value;
    (void)!tr_into_inner((account_mutex *)arg, &value, &value);
}

static void test_mutex_get_mut_of_a_held_one_panics(void **state)
{
    (void)state;
    account_mutex m = TR_MUTEX_INIT(account);
    TR_GUARD(account_mutex_guard) g = tr_lock(&m);
    assert_panics(reach_held, &m, "get_mut of account while it is locked");
    assert_panics(empty_held, &m, "while it is locked");
}

typedef struct relocker {
    struct relocker_slot *home;
    int id;
} relocker;
static unsigned relocks;
static void relocker_drop(relocker *r);
TR_TYPE(relocker, .drop = relocker_drop)
TR_MUTEX(relocker)

struct relocker_slot {
    relocker_mutex mutex;
};

static void relocker_drop(relocker *r)
{
    if (r->home == NULL)
        return;
    TR_GUARD(relocker_mutex_guard) g = tr_lock(&r->home->mutex);
    relocks += g.value->id == 2 ? 1 : 100;
}

static void test_mtx_04_set_drops_the_old_value_after_unlocking(void **state)
{
    (void)state;
    struct relocker_slot slot = { .mutex = TR_MUTEX_INIT(relocker, .home = &slot, .id = 1) };
    relocks = 0;
    assert_int_equal(tr_mutex_set(&slot.mutex, ((relocker){ .id = 2 })), TR_OK);
    assert_int_equal(relocks, 1);
}

static void test_mtx_04_replace_gives_the_old_value(void **state)
{
    (void)state;
    canary old;
    canary_mutex m = TR_MUTEX_INIT(canary, .value = 1);
    assert_int_equal(tr_mutex_replace(&m, ((canary){ .value = 2 }), &old), TR_OK);
    assert_int_equal(old.value, 1);
    assert_int_equal(canary_dropped(), 0);
    assert_int_equal(tr_mutex_set(&m, ((canary){ .value = 3 })), TR_OK);
    assert_int_equal(canary_dropped(), 1);
    TR_GUARD(canary_mutex_guard) g = tr_lock(&m);
    assert_int_equal(g.value->value, 3);
}

/* -- guards ---------------------------------------------------------------------------- */

static void test_mutex_mapped_guard_holds_the_lock(void **state)
{
    (void)state;
    account_mutex m = TR_MUTEX_INIT(account, .owner = 1, .balance = 10);
    TR_GUARD(account_mutex_guard) g = tr_lock(&m);
    TR_GUARD(account_mutex_guard) other = { 0 };
    TR_GUARD(long_mapped_mutex_guard) b =
        tr_guard_map(long_mapped_mutex_guard, &g, &g.value->balance);
    assert_null(g.value);
    *b.value += 5;
    TR_GUARD(long_mapped_mutex_guard) none = tr_guard_map(long_mapped_mutex_guard, &b, NULL);
    assert_null(none.value);
    assert_non_null(b.value); /* refused: it stays as it was */
    assert_int_equal(tr_mutex_try_lock(&m, &other, NULL), TR_WOULD_BLOCK);
    tr_guard_drop(&b);
    tr_guard_drop(&b);
    assert_int_equal(tr_mutex_try_lock(&m, &other, NULL), TR_OK);
    assert_int_equal(other.value->balance, 15);
}

static void panic_under_mapped(void *arg)
{
    TR_GUARD(account_mutex_guard) g = tr_lock((account_mutex *)arg);
    TR_GUARD(long_mapped_mutex_guard) b =
        tr_guard_map(long_mapped_mutex_guard, &g, &g.value->balance);
    tr_panic("mapped");
}

static void test_mutex_panic_under_a_mapped_guard_poisons(void **state)
{
    (void)state;
    account_mutex m = TR_MUTEX_INIT(account);
    assert_panics(panic_under_mapped, &m, "mapped");
    assert_true(tr_is_poisoned(&m));
}

static long *fail_to_find(account *a)
{
    tr_panic("no part in %d", a->owner);
}

static void panic_while_mapping(void *arg)
{
    TR_GUARD(account_mutex_guard) g = tr_lock((account_mutex *)arg);
    TR_GUARD(long_mapped_mutex_guard) b =
        tr_guard_map(long_mapped_mutex_guard, &g, fail_to_find(g.value));
}

static void test_mutex_panic_of_the_mapping_unlocks_and_poisons(void **state)
{
    (void)state;
    account_mutex m = TR_MUTEX_INIT(account, .owner = 3);
    assert_panics(panic_while_mapping, &m, "no part in 3");
    assert_true(tr_is_poisoned(&m));
    TR_GUARD(account_mutex_guard) g = { 0 };
    assert_int_equal(tr_mutex_try_lock(&m, &g, &g), TR_POISONED);
}

/* A mutex in an Arc in a mutex, unlocked in reverse order by a panic. */
typedef struct shelf {
    canary_mutex *shared;
} shelf;
static void shelf_drop(shelf *s)
{
    tr_drop(s->shared);
}
TR_TYPE(shelf, .drop = shelf_drop)
TR_MUTEX(shelf)

static void panic_under_both(void *arg)
{
    TR_GUARD(shelf_mutex_guard) outer = tr_lock((shelf_mutex *)arg);
    TR_GUARD(canary_mutex_guard) inner = tr_lock(outer.value->shared);
    inner.value->value = 9;
    tr_panic("both");
}

static void test_mutex_within_a_mutex_is_poisoned_with_it(void **state)
{
    (void)state;
    canary_mutex *shared = tr_arc(canary_mutex, TR_MUTEX_OF(canary, .name = 'c'));
    shelf_mutex *m = tr_box(shelf_mutex, TR_MUTEX_OF(shelf, .shared = tr_arc_clone(shared)));
    assert_panics(panic_under_both, m, "both");
    assert_true(tr_is_poisoned(m));
    assert_true(tr_is_poisoned(shared));
    tr_drop(m);
    assert_int_equal(tr_strong_count(shared), 1);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(shared);
    assert_string_equal(canary_log, "c");
}

static account_mutex_guard lock_for_the_caller(account_mutex *m)
{
    TR_GUARD(account_mutex_guard) g = tr_lock(m);
    return tr_guard_move(&g);
}

static void test_mutex_guard_moves_out_of_a_function(void **state)
{
    (void)state;
    account_mutex m = TR_MUTEX_INIT(account, .owner = 4);
    TR_GUARD(account_mutex_guard) g = lock_for_the_caller(&m);
    TR_GUARD(account_mutex_guard) other = { 0 };
    assert_int_equal(g.value->owner, 4);
    assert_int_equal(tr_mutex_try_lock(&m, &other, NULL), TR_WOULD_BLOCK);
}

static void test_mutex_of_bool_and_of_a_literal_value(void **state)
{
    (void)state;
    bool_mutex m = TR_MUTEX_INIT(bool, true);
    TR_GUARD(bool_mutex_guard) g = tr_lock(&m);
    assert_true(*g.value);
    assert_string_equal(tr_type_of(bool_mutex)->name, "bool_mutex");
}

static void test_mutex_may_be_shared_when_its_value_may_move(void **state)
{
    (void)state;
    assert_true(tr_type_is_send(tr_type_of(loner_mutex)));
    assert_true(tr_type_is_share(tr_type_of(loner_mutex)));
    assert_false(tr_type_is_send(tr_type_of(homebody_mutex)));
    assert_false(tr_type_is_share(tr_type_of(homebody_mutex)));
    assert_true(tr_type_is_share(tr_type_of(account_mutex)));
}

/* -- without a value --------------------------------------------------------------------- */

static tr_mutex bare = TR_BARE_MUTEX_INIT;
static int counted TR_GUARDED_BY(bare);

static void count_under_bare(unsigned index, void *arg)
{
    (void)index;
    for (size_t i = 0; i < *(const size_t *)arg; i++) {
        tr_mutex_acquire(&bare);
        counted++;
        tr_mutex_release(&bare);
    }
}

static void test_mutex_bare_keeps_threads_apart(void **state)
{
    (void)state;
    size_t rounds = test_scale(2000);
    test_threads_run(4, count_under_bare, &rounds);
    tr_mutex_acquire(&bare);
    assert_false(tr_mutex_try_acquire(&bare));
    assert_int_equal(counted, 4 * rounds);
    counted = 0;
    tr_mutex_release(&bare);
    if (tr_mutex_try_acquire(&bare))
        tr_mutex_release(&bare);
    else
        fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_mtx_01_threads_add_to_an_exact_sum),
        CASE(test_mtx_02_is_free_again_after_the_scope),
        CASE(test_mtx_02_try_lock_of_a_held_one_would_block),
        CASE(test_mutex_past_deadline_locks_what_is_free),
        CASE(test_mtx_03_into_inner_moves_without_a_drop),
        CASE(test_mutex_emptied_panics_when_it_is_locked),
        CASE(test_mutex_dropped_with_its_box_drops_the_value),
        CASE(test_mtx_03_drop_of_a_held_one_aborts),
        CASE(test_mutex_get_mut_of_a_held_one_panics),
        CASE(test_mtx_04_set_drops_the_old_value_after_unlocking),
        CASE(test_mtx_04_replace_gives_the_old_value),
        CASE(test_mutex_mapped_guard_holds_the_lock),
        CASE(test_mutex_panic_under_a_mapped_guard_poisons),
        CASE(test_mutex_panic_of_the_mapping_unlocks_and_poisons),
        CASE(test_mutex_within_a_mutex_is_poisoned_with_it),
        CASE(test_mutex_guard_moves_out_of_a_function),
        CASE(test_mutex_of_bool_and_of_a_literal_value),
        CASE(test_mutex_may_be_shared_when_its_value_may_move),
        CASE(test_mutex_bare_keeps_threads_apart),
    };
    return TEST_RUN(tests);
}
