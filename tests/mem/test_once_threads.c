/*
 * test_once_threads - OnceLock and LazyLock filled by several threads at once
 *
 * Each race starts from a barrier; threads record, main asserts after the join.
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/lazy.h>
#include <troupe/mem/once.h>

#include "tests/mem/panics.h"

#define THREADS 8

/* More than a word, so that a half-made one would show. */
typedef struct big {
    uint64_t words[16];
} big;
TR_TYPE(big)

TR_ONCE_LOCK(big)
TR_LAZY_LOCK(big)

typedef TR_ATOMIC(uint64_t) counter;

static uint64_t value_of(counter *c)
{
    return tr_load_relaxed(c); /* relaxed: read after a join, or a count */
}

static void bump(counter *c)
{
    tr_fetch_add_relaxed(c, 1); /* relaxed: read after a join, or a count */
}

struct race {
    big_once_lock lock;
    big_lazy_lock lazy;
    counter inits;
    counter wins;
    counter wrong;
    counter panics;
    counter failures;
    unsigned failing; /* so many initialisers fail first */
};

static void fill(big *b, uint64_t word)
{
    for (int i = 0; i < 16; i++)
        b->words[i] = word;
}

static bool is_whole(const big *b)
{
    for (int i = 1; i < 16; i++)
        if (b->words[i] != b->words[0])
            return false;
    return b->words[0] != 0;
}

static void init_big(big *b, void *arg)
{
    struct race *race = arg;
    bump(&race->inits);
    fill(b, 7);
}

static void get_it(unsigned index, void *arg)
{
    struct race *race = arg;
    (void)index;
    const big *b = big_once_lock_get_or_init(&race->lock, init_big, race);
    if (!is_whole(b) || b != big_once_lock_get(&race->lock))
        bump(&race->wrong);
}

static void test_once_lock_of_many_threads_one_initialises(void **state)
{
    (void)state;
    const size_t rounds = test_scale(100);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 0 };
        test_threads_run(THREADS, get_it, &race);
        assert_int_equal(value_of(&race.inits), 1);
        assert_int_equal(value_of(&race.wrong), 0);
    }
}

static void set_it(unsigned index, void *arg)
{
    struct race *race = arg;
    big mine;
    fill(&mine, index + 1);
    if (big_once_lock_set(&race->lock, mine))
        bump(&race->wins);
    const big *b = big_once_lock_get(&race->lock);
    if (b == NULL || !is_whole(b))
        bump(&race->wrong);
}

static void test_once_lock_of_many_setters_one_wins(void **state)
{
    (void)state;
    const size_t rounds = test_scale(100);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 0 };
        test_threads_run(THREADS, set_it, &race);
        assert_int_equal(value_of(&race.wins), 1);
        assert_int_equal(value_of(&race.wrong), 0);
    }
}

/* Some wait before there is an initialiser at all. */
static void wait_or_set(unsigned index, void *arg)
{
    struct race *race = arg;
    if (index == 0) {
        get_it(index, arg);
    } else if (!is_whole(big_once_lock_wait(&race->lock))) {
        bump(&race->wrong);
    }
}

static void test_once_lock_wait_ends_when_it_is_full(void **state)
{
    (void)state;
    const size_t rounds = test_scale(100);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 0 };
        test_threads_run(THREADS, wait_or_set, &race);
        assert_int_equal(value_of(&race.inits), 1);
        assert_int_equal(value_of(&race.wrong), 0);
    }
}

/* The first ones fail, half of them by a panic; the next waiter tries. */
static tr_status try_big(big *b, void *arg)
{
    struct race *race = arg;
    const uint64_t before = tr_fetch_add_relaxed(&race->inits, 1); /* relaxed: a count */
    fill(b, 0);
    if (before < race->failing) {
        if (before % 2 == 0)
            tr_panic("no such luck");
        return TR_IO;
    }
    fill(b, 7);
    return TR_OK;
}

static void try_it(void *arg)
{
    struct race *race = arg;
    const big *b = NULL;
    if (big_once_lock_get_or_try_init(&race->lock, try_big, race, &b) != TR_OK)
        bump(&race->failures);
    else if (!is_whole(b))
        bump(&race->wrong);
}

static void try_catching(unsigned index, void *arg)
{
    struct race *race = arg;
    (void)index;
    if (tr_catch(try_it, race, NULL) != TR_OK)
        bump(&race->panics);
}

static void test_once_lock_failures_hand_on_to_the_waiters(void **state)
{
    (void)state;
    const size_t rounds = test_scale(50);
    tr_set_panic_hook(panics_ignore);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 5 };
        test_threads_run(THREADS, try_catching, &race);
        assert_int_equal(value_of(&race.inits), 6);
        assert_int_equal(value_of(&race.panics), 3);
        assert_int_equal(value_of(&race.failures), 2);
        assert_int_equal(value_of(&race.wrong), 0);
        assert_true(is_whole(big_once_lock_get(&race.lock)));
    }
    tr_set_panic_hook(NULL);
}

/* -- LazyLock -------------------------------------------------------------- */

static void force_it(unsigned index, void *arg)
{
    struct race *race = arg;
    (void)index;
    if (!is_whole(big_lazy_lock_force(&race->lazy)))
        bump(&race->wrong);
}

static void test_lazy_lock_of_many_threads_one_makes_it(void **state)
{
    (void)state;
    const size_t rounds = test_scale(100);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 0 };
        race.lazy = (big_lazy_lock){ TR_LAZY_OF(init_big, &race) };
        test_threads_run(THREADS, force_it, &race);
        assert_int_equal(value_of(&race.inits), 1);
        assert_int_equal(value_of(&race.wrong), 0);
    }
}

static void init_panicking(big *b, void *arg)
{
    (void)b;
    bump(&((struct race *)arg)->inits);
    tr_panic("no such luck");
}

static void force_once(void *arg)
{
    force_it(0, arg);
}

static void force_catching(unsigned index, void *arg)
{
    struct race *race = arg;
    tr_panic_info info;
    (void)index;
    if (tr_catch(force_once, race, &info) != TR_PANICKED)
        bump(&race->wrong);
    else
        bump(strstr(info.message, "poisoned") != NULL ? &race->panics : &race->failures);
}

static void test_lazy_lock_panic_poisons_it_for_the_waiters_too(void **state)
{
    (void)state;
    const size_t rounds = test_scale(50);
    tr_set_panic_hook(panics_ignore);
    for (size_t i = 0; i < rounds; i++) {
        struct race race = { .failing = 0 };
        race.lazy = (big_lazy_lock){ TR_LAZY_OF(init_panicking, &race) };
        test_threads_run(THREADS, force_catching, &race);
        assert_int_equal(value_of(&race.inits), 1);
        assert_int_equal(value_of(&race.wrong), 0);
        assert_int_equal(value_of(&race.failures), 1); /* the initialiser's own panic */
        assert_int_equal(value_of(&race.panics), THREADS - 1);
        assert_null(big_lazy_lock_get(&race.lazy));
    }
    tr_set_panic_hook(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_once_lock_of_many_threads_one_initialises),
        TEST(test_once_lock_of_many_setters_one_wins),
        TEST(test_once_lock_wait_ends_when_it_is_full),
        TEST(test_once_lock_failures_hand_on_to_the_waiters),
        TEST(test_lazy_lock_of_many_threads_one_makes_it),
        TEST(test_lazy_lock_panic_poisons_it_for_the_waiters_too),
    };
    return TEST_RUN(tests);
}
