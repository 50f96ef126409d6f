/*
 * test_condvar - no wake-up is lost, none is invented by wait_while, deadlines hold
 */
#include "tests/support/test.h"

#include <troupe/mem/condvar.h>

#include "tests/mem/panics.h"

TR_MUTEX(bool)
TR_MUTEX(unsigned)

typedef TR_ATOMIC(unsigned) counter;

static unsigned value_of(counter *c)
{
    return tr_load_relaxed(c); /* relaxed: read after a join */
}

/* -- CND-01, CND-04: deadlines ------------------------------------------------------ */

static void test_cnd_01_notify_without_a_waiter_is_lost(void **state)
{
    (void)state;
    bool_mutex m = TR_MUTEX_INIT(bool, false);
    tr_condvar cv = TR_CONDVAR_INIT;
    tr_condvar_notify_one(&cv);
    tr_condvar_notify_all(&cv);
    TR_GUARD(bool_mutex_guard) g = tr_lock(&m);
    const uint64_t deadline = tr_now() + TR_MILLISECONDS(20);
    assert_int_equal(tr_condvar_wait_while_until(&cv, &g, !*g.value, deadline), TR_TIMEOUT);
    assert_true(tr_now() >= deadline);
    assert_non_null(g.value);
}

static void test_cnd_04_past_deadline_looks_at_the_condition_only(void **state)
{
    (void)state;
    bool_mutex m = TR_MUTEX_INIT(bool, true);
    tr_condvar cv = TR_CONDVAR_INIT;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&m);
    assert_int_equal(tr_condvar_wait_while_until(&cv, &g, !*g.value, 0), TR_OK);
    assert_int_equal(tr_condvar_wait_while_until(&cv, &g, *g.value, 0), TR_TIMEOUT);
    assert_int_equal(tr_condvar_wait_until(&cv, &g, tr_now()), TR_TIMEOUT);
    assert_int_equal(tr_condvar_wait_while(&cv, &g, !*g.value), TR_OK);
}

/* -- CND-02: hand-overs --------------------------------------------------------------- */

struct turns {
    unsigned_mutex turn; /* counts up; each side waits for its parity */
    tr_condvar changed;
    size_t rounds;
    bool timed;
};

static void take_turns(unsigned side, void *arg)
{
    struct turns *t = arg;
    for (size_t i = 0; i < t->rounds; i++) {
        TR_GUARD(unsigned_mutex_guard) g = tr_lock(&t->turn);
        while (*g.value % 2 != side) {
            if (!t->timed)
                (void)!tr_condvar_wait(&t->changed, &g);
            else
                (void)!tr_condvar_wait_until(&t->changed, &g, tr_now() + TR_SECONDS(50));
        }
        ++*g.value;
        tr_condvar_notify_one(&t->changed);
    }
}

static void test_cnd_02_two_threads_hand_over_and_lose_no_wakeup(void **state)
{
    (void)state;
    for (unsigned timed = 0; timed < 2; timed++) {
        struct turns t = {
            .turn = TR_MUTEX_INIT(unsigned, 0),
            .changed = TR_CONDVAR_INIT,
            .rounds = test_scale(5000),
            .timed = timed == 1,
        };
        test_threads_run(2, take_turns, &t);
        unsigned turns = 0;
        assert_int_equal(tr_into_inner(&t.turn, &turns, NULL), TR_OK);
        assert_int_equal(turns, 2 * t.rounds);
    }
}

struct child {
    bool_mutex ready;
    tr_condvar changed;
};

static void be_ready(unsigned index, void *arg)
{
    (void)index;
    struct child *c = arg;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&c->ready);
    *g.value = true;
    tr_condvar_notify_one(&c->changed);
}

static void test_cnd_02_parent_leaves_the_loop_with_the_value_true(void **state)
{
    (void)state;
    struct child c = { .ready = TR_MUTEX_INIT(bool, false), .changed = TR_CONDVAR_INIT };
    test_threads child;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&c.ready);
    test_threads_start(&child, 1, be_ready, &c);
    TR_MUST(tr_condvar_wait_while(&c.changed, &g, !*g.value));
    assert_true(*g.value);
    tr_guard_drop(&g);
    test_threads_join(&child);
}

/* -- CND-03: many waiters ---------------------------------------------------------------- */

struct gate {
    unsigned_mutex open; /* rounds opened */
    tr_condvar opened;
    unsigned_mutex left; /* waiters that left, in all rounds */
    tr_condvar all_left;
    size_t rounds;
    bool one_by_one;
};

static void wait_at_gate(unsigned index, void *arg)
{
    (void)index;
    struct gate *gate = arg;
    for (unsigned round = 1; round <= gate->rounds; round++) {
        {
            TR_GUARD(unsigned_mutex_guard) g = tr_lock(&gate->open);
            TR_MUST(tr_condvar_wait_while(&gate->opened, &g, *g.value < round));
        }
        TR_GUARD(unsigned_mutex_guard) g = tr_lock(&gate->left);
        ++*g.value;
        tr_condvar_notify_one(&gate->all_left);
    }
}

static void open_gate(struct gate *gate, unsigned round)
{
    tr_status s = tr_mutex_set(&gate->open, round);
    assert_int_equal(s, TR_OK);
    if (!gate->one_by_one)
        tr_condvar_notify_all(&gate->opened);
    for (unsigned i = 0; gate->one_by_one && i < 10; i++)
        tr_condvar_notify_one(&gate->opened);
    TR_GUARD(unsigned_mutex_guard) g = tr_lock(&gate->left);
    TR_MUST(tr_condvar_wait_while(&gate->all_left, &g, *g.value < 10 * round));
}

static void test_cnd_03_all_waiters_leave(void **state)
{
    (void)state;
    for (unsigned form = 0; form < 2; form++) {
        struct gate gate = {
            .open = TR_MUTEX_INIT(unsigned, 0),
            .opened = TR_CONDVAR_INIT,
            .left = TR_MUTEX_INIT(unsigned, 0),
            .all_left = TR_CONDVAR_INIT,
            .rounds = test_scale(200),
            .one_by_one = form == 1,
        };
        test_threads waiters;
        test_threads_start(&waiters, 10, wait_at_gate, &gate);
        for (unsigned round = 1; round <= gate.rounds; round++)
            open_gate(&gate, round);
        test_threads_join(&waiters);
        assert_int_equal(gate.opened.waiters_.v_, 0);
    }
}

/* -- poison, and misuse --------------------------------------------------------------------- */

struct poisoned {
    bool_mutex mutex;
    tr_condvar cv;
    counter status;
    bool held; /* the waiter's; read after the join */
};

static void wait_for_poison(unsigned index, void *arg)
{
    (void)index;
    struct poisoned *p = arg;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&p->mutex);
    *g.value = true; /* waiting */
    const tr_status s = tr_condvar_wait_while(&p->cv, &g, *g.value);
    TR_GUARD(bool_mutex_guard) other = { 0 };
    p->held = tr_mutex_try_lock(&p->mutex, &other, &other) == TR_WOULD_BLOCK;
    tr_store_relaxed(&p->status, (unsigned)s); /* relaxed: read after the join */
}

static void panic_under_lock(void *arg)
{
    struct poisoned *p = arg;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&p->mutex);
    tr_condvar_notify_all(&p->cv);
    tr_panic("under the lock");
}

static bool is_waiting(struct poisoned *p)
{
    TR_GUARD(bool_mutex_guard) g = tr_lock(&p->mutex);
    return *g.value;
}

static void test_condvar_waiter_learns_that_the_mutex_was_poisoned(void **state)
{
    (void)state;
    struct poisoned p = { .mutex = TR_MUTEX_INIT(bool, false), .cv = TR_CONDVAR_INIT };
    test_threads waiter;
    test_threads_start(&waiter, 1, wait_for_poison, &p);
    TEST_UNTIL(is_waiting(&p));
    assert_panics(panic_under_lock, &p, "under the lock");
    test_threads_join(&waiter);
    assert_int_equal(value_of(&p.status), TR_POISONED);
    assert_true(p.held);
}

struct pair {
    bool_mutex first, second;
    tr_condvar cv;
};

static void wait_with_the_second(void *arg)
{
    struct pair *p = arg;
    TR_GUARD(bool_mutex_guard) g = tr_lock(&p->second);
    (void)!tr_condvar_wait_until(&p->cv, &g, 0);
}

static void wait_with_an_empty_guard(void *arg)
{
    struct pair *p = arg;
    TR_GUARD(bool_mutex_guard) g = { 0 };
    (void)!tr_condvar_wait_until(&p->cv, &g, 0);
}

static void test_condvar_with_two_mutexes_panics(void **state)
{
    (void)state;
    struct pair p = {
        .first = TR_MUTEX_INIT(bool, false),
        .second = TR_MUTEX_INIT(bool, false),
        .cv = TR_CONDVAR_INIT,
    };
    {
        TR_GUARD(bool_mutex_guard) g = tr_lock(&p.first);
        assert_int_equal(tr_condvar_wait_until(&p.cv, &g, 0), TR_TIMEOUT);
        assert_int_equal(tr_condvar_wait_until(&p.cv, &g, 0), TR_TIMEOUT);
    }
    assert_panics(wait_with_the_second, &p, "with two mutexes");
    assert_panics(wait_with_an_empty_guard, &p, "empty guard");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cnd_01_notify_without_a_waiter_is_lost),
        TEST(test_cnd_04_past_deadline_looks_at_the_condition_only),
        TEST(test_cnd_02_two_threads_hand_over_and_lose_no_wakeup),
        TEST(test_cnd_02_parent_leaves_the_loop_with_the_value_true),
        TEST(test_cnd_03_all_waiters_leave),
        TEST(test_condvar_waiter_learns_that_the_mutex_was_poisoned),
        TEST(test_condvar_with_two_mutexes_panics),
    };
    return TEST_RUN(tests);
}
