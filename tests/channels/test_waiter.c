/*
 * test_waiter - the protocol of waiter.h, followed by a one-place channel
 *
 * The channel below is the smallest that uses a waiter as a real one would: a
 * lock, a value, a place for one waiter.
 */
#include "tests/support/test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/channels/waiter.h>
#include <troupe/mem/atomic.h>

struct cell {
    pthread_mutex_t lock;
    uint64_t value; /* 0: none */
    tr_waiter *waiting;
    uint64_t astray; /* wakes without a value: they were meant for an earlier wait */
};

static void cell_put(struct cell *c, uint64_t value)
{
    pthread_mutex_lock(&c->lock);
    tr_waiter *w = c->waiting;
    c->waiting = NULL;
    c->value = value;
    pthread_mutex_unlock(&c->lock);
    for (uint64_t n = value % 8 == 0 ? 500 : 0; n > 0; n--)
        tr_cpu_relax(); /* let deadlines pass while the waker has the waiter */
    if (w != NULL)
        tr_waiter_wake(w);
}

/* Is the value there? Takes it. Otherwise, with a waiter, it is put into the list. */
static uint64_t cell_try_take(struct cell *c, tr_waiter *w)
{
    pthread_mutex_lock(&c->lock);
    uint64_t value = c->value;
    c->value = 0;
    if (value == 0)
        c->waiting = w;
    pthread_mutex_unlock(&c->lock);
    return value;
}

/* false: a waker has it. */
static bool cell_withdraw(struct cell *c, tr_waiter *w)
{
    pthread_mutex_lock(&c->lock);
    bool in_list = c->waiting == w;
    if (in_list)
        c->waiting = NULL;
    pthread_mutex_unlock(&c->lock);
    return in_list;
}

/* As a channel's receive with a deadline; 0 when it passed. */
static uint64_t cell_take_until(struct cell *c, tr_waiter *w, uint64_t deadline)
{
    uint64_t value;

    while ((value = cell_try_take(c, w)) == 0) {
        if (tr_waiter_wait_until(w, deadline) != TR_OK) {
            if (cell_withdraw(c, w))
                return 0;
            if (tr_waiter_wait_until(w, TR_FOREVER) != TR_OK)
                abort(); /* the wake was certain */
        }
        c->astray += c->value == 0; /* who put it is done, and we alone take */
    }
    return value;
}

/* -- one thread ------------------------------------------------------------------ */

static void test_waiter_woken_before_wait_returns_ok(void **state)
{
    tr_thread_waiter tw;

    (void)state;
    tr_thread_waiter_init(&tw);
    tr_waiter_wake(&tw.waiter);
    assert_int_equal(tr_waiter_wait_until(&tw.waiter, TR_FOREVER), TR_OK);
    tr_thread_waiter_fini(&tw);
}

static void test_waiter_deadline_passed_times_out_and_is_reusable(void **state)
{
    tr_thread_waiter tw;

    (void)state;
    tr_thread_waiter_init(&tw);
    uint64_t deadline = tr_now() + TR_MILLISECONDS(2);
    assert_int_equal(tr_waiter_wait_until(&tw.waiter, deadline), TR_TIMEOUT);
    assert_true(tr_now() >= deadline);
    tr_waiter_wake(&tw.waiter);
    assert_int_equal(tr_waiter_wait_until(&tw.waiter, deadline), TR_OK);
    assert_int_equal(tr_waiter_wait_until(&tw.waiter, deadline), TR_TIMEOUT);
    tr_thread_waiter_fini(&tw);
}

/* -- another implementation -------------------------------------------------------- */

struct counting_waiter {
    tr_waiter waiter;
    int wakes, waits;
};

static void count_wake(tr_waiter *w)
{
    ((struct counting_waiter *)w)->wakes++;
}

static tr_status count_wait(tr_waiter *w, uint64_t deadline)
{
    (void)deadline;
    ((struct counting_waiter *)w)->waits++;
    return TR_SHUTDOWN;
}

static void test_waiter_calls_go_to_its_own_implementation(void **state)
{
    static const tr_waiter_ops ops = { .wake = count_wake, .wait_until = count_wait };
    struct counting_waiter cw = { .waiter = { .ops = &ops } };

    (void)state;
    tr_waiter_wake(&cw.waiter);
    tr_waiter_wake(&cw.waiter);
    assert_int_equal(tr_waiter_wait_until(&cw.waiter, 0), TR_SHUTDOWN);
    assert_int_equal(cw.wakes, 2);
    assert_int_equal(cw.waits, 1);
}

/* -- stress: waiters on the stack, deadlines that race with wakes -------------------- */

static struct {
    struct cell cell;
    TR_ATOMIC(uint64_t) taken;
    uint64_t values;
    uint64_t wrong;
} race;

/* A waiter that does not outlive the call, on memory that is scribbled over. */
static uint64_t take_once(uint64_t deadline)
{
    tr_thread_waiter tw;

    tr_thread_waiter_init(&tw);
    uint64_t value = cell_take_until(&race.cell, &tw.waiter, deadline);
    tr_thread_waiter_fini(&tw);
    memset(&tw, 0xff, sizeof tw);
    __asm__ volatile("" : : "r"(&tw) : "memory"); /* the memset is not for nothing */
    return value;
}

static void put_or_take(unsigned index, void *unused)
{
    (void)unused;
    if (index == 0) {
        for (uint64_t v = 1; v <= race.values; v++) {
            cell_put(&race.cell, v);
            while (tr_load_acquire(&race.taken) < v)
                sched_yield();
            for (uint64_t n = v % 64 * 20; n > 0; n--)
                tr_cpu_relax();
        }
        return;
    }
    uint64_t expected = 1;
    for (uint64_t i = 0; expected <= race.values; i++) {
        uint64_t v = take_once(i % 3 == 0 ? TR_FOREVER : tr_now() + i % 32 * 500);
        if (v == 0)
            continue;
        race.wrong += v != expected;
        tr_store_release(&race.taken, expected++);
    }
}

static void test_waiter_stress_timeout_loses_no_wake(void **state)
{
    (void)state;
    race.values = test_scale(10000);
    pthread_mutex_init(&race.cell.lock, NULL);
    test_threads_run(2, put_or_take, NULL);
    pthread_mutex_destroy(&race.cell.lock);
    assert_int_equal(tr_load_seq_cst(&race.taken), race.values);
    assert_int_equal(race.wrong, 0);
    assert_int_equal(race.cell.astray, 0);
    assert_null(race.cell.waiting);
    assert_int_equal(race.cell.value, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_waiter_woken_before_wait_returns_ok),
        TEST(test_waiter_deadline_passed_times_out_and_is_reusable),
        TEST(test_waiter_calls_go_to_its_own_implementation),
        TEST(test_waiter_stress_timeout_loses_no_wake),
    };
    return TEST_RUN(tests);
}
