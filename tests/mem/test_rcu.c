/*
 * test_rcu - a grace period waits for every reader, and for nobody else
 */
#include "tests/support/test.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>

#include <troupe/mem/atomic.h>

#include "mem/rcu.h"

/* -- one reader, one grace period -------------------------------------------- */

/* How long a reader that must be waited for gives a broken grace period the
 * chance to end. No test passes or fails by its length alone. */
#define CHANCES 2000

static TR_ATOMIC(int) stage;       /* the two threads' steps, in order */
static TR_ATOMIC(bool) ended;      /* the grace period is over, or the callback ran */
static TR_ATOMIC(bool) ended_early; /* seen by the reader while it reads */

static void begin_story(void)
{
    tr_store_seq_cst(&stage, 0);
    tr_store_seq_cst(&ended, false);
    tr_store_seq_cst(&ended_early, false);
}

static void await_stage(int n)
{
    while (tr_load_seq_cst(&stage) < n)
        sched_yield();
}

static void watch_while_reading(void)
{
    tr_store_seq_cst(&stage, 1);
    await_stage(2);
    for (int i = 0; i < CHANCES && !tr_load_seq_cst(&ended); i++)
        sched_yield();
    if (tr_load_seq_cst(&ended))
        tr_store_seq_cst(&ended_early, true);
}

static void *reading_guest(void *unused)
{
    tri_rcu_enter();
    watch_while_reading();
    tri_rcu_leave();
    return unused;
}

static void *nesting_guest(void *unused)
{
    tri_rcu_enter();
    tri_rcu_enter();
    tri_rcu_leave();
    watch_while_reading();
    tri_rcu_leave();
    return unused;
}

static void *reading_worker(void *unused)
{
    tri_rcu_register();
    tri_rcu_quiescent();
    watch_while_reading();
    tri_rcu_quiescent();
    tri_rcu_unregister();
    return unused;
}

static void *entering_worker(void *unused)
{
    tri_rcu_register();
    tri_rcu_enter();
    tri_rcu_leave(); /* the worker stays online */
    watch_while_reading();
    tri_rcu_unregister();
    return unused;
}

static void *entering_offline_worker(void *unused)
{
    tri_rcu_register();
    tri_rcu_offline();
    tri_rcu_enter();
    watch_while_reading();
    tri_rcu_leave();
    tri_rcu_unregister();
    return unused;
}

static void synchronize_must_wait_for(void *(*reader)(void *))
{
    pthread_t thread;

    begin_story();
    assert_int_equal(pthread_create(&thread, NULL, reader, NULL), 0);
    await_stage(1);
    tr_store_seq_cst(&stage, 2);
    tri_rcu_synchronize();
    tr_store_seq_cst(&ended, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(tr_load_seq_cst(&ended_early));
}

static void test_rcu_synchronize_waits_for_guest(void **state)
{
    (void)state;
    synchronize_must_wait_for(reading_guest);
}

static void test_rcu_inner_leave_does_not_end_reading(void **state)
{
    (void)state;
    synchronize_must_wait_for(nesting_guest);
}

static void test_rcu_synchronize_waits_for_worker(void **state)
{
    (void)state;
    synchronize_must_wait_for(reading_worker);
}

static void test_rcu_leave_keeps_online_worker_online(void **state)
{
    (void)state;
    synchronize_must_wait_for(entering_worker);
}

static void test_rcu_enter_brings_offline_worker_online(void **state)
{
    (void)state;
    synchronize_must_wait_for(entering_offline_worker);
}

static void *parked_worker(void *unused)
{
    tri_rcu_register();
    tri_rcu_offline();
    tr_store_seq_cst(&stage, 1);
    await_stage(2);
    tri_rcu_online();
    tri_rcu_unregister();
    return unused;
}

/* Ends only if the offline worker is not waited for. */
static void test_rcu_offline_worker_is_not_waited_for(void **state)
{
    pthread_t thread;

    (void)state;
    begin_story();
    assert_int_equal(pthread_create(&thread, NULL, parked_worker, NULL), 0);
    await_stage(1);
    tri_rcu_synchronize();
    assert_int_equal(tr_load_seq_cst(&stage), 1);
    tr_store_seq_cst(&stage, 2);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_rcu_online_worker_may_synchronize(void **state)
{
    (void)state;
    tri_rcu_register();
    tri_rcu_synchronize();
    assert_true(tri_rcu_is_online());
    tri_rcu_unregister();
    assert_false(tri_rcu_is_online());
}

/* -- deferred calls ---------------------------------------------------------------- */

static void note_end(tri_rcu_head *head)
{
    (void)head;
    tr_store_seq_cst(&ended, true);
}

static void test_rcu_call_runs_after_reader_left(void **state)
{
    static tri_rcu_head head;
    pthread_t thread;

    (void)state;
    begin_story();
    assert_int_equal(pthread_create(&thread, NULL, reading_guest, NULL), 0);
    await_stage(1);
    tri_rcu_call(&head, note_end);
    tr_store_seq_cst(&stage, 2);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(tr_load_seq_cst(&ended_early));
    tri_rcu_barrier();
    assert_true(tr_load_seq_cst(&ended));
}

static TR_ATOMIC(int) chained;

/* On the helper: it is a reader, may enter, and may call again. */
static void call_again(tri_rcu_head *head)
{
    tri_rcu_enter();
    bool online = tri_rcu_is_online();
    tri_rcu_leave();
    if (!online || !tri_rcu_is_online())
        tr_store_seq_cst(&ended_early, true);
    if (tr_fetch_add_seq_cst(&chained, 1) < 2)
        tri_rcu_call(head, call_again);
}

static void test_rcu_callback_may_enter_and_call_again(void **state)
{
    static tri_rcu_head head;

    (void)state;
    begin_story();
    tr_store_seq_cst(&chained, 0);
    tri_rcu_call(&head, call_again);
    for (int i = 0; i < 3; i++)
        tri_rcu_barrier(); /* each covers what was called before it */
    assert_int_equal(tr_load_seq_cst(&chained), 3);
    assert_false(tr_load_seq_cst(&ended_early));
}

static sigset_t helper_mask; /* written by the callback, read after the barrier */

static void read_mask(tri_rcu_head *head)
{
    (void)head;
    pthread_sigmask(SIG_BLOCK, NULL, &helper_mask);
}

static void test_rcu_helper_has_signals_blocked_caller_has_not(void **state)
{
    static tri_rcu_head head;
    sigset_t own;

    (void)state;
    tri_rcu_call(&head, read_mask);
    tri_rcu_barrier();
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &own), 0);
    const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGCHLD, SIGALRM };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        assert_int_equal(sigismember(&helper_mask, signals[i]), 1);
        assert_int_equal(sigismember(&own, signals[i]), 0);
    }
}

/* -- registration ----------------------------------------------------------------------- */

static pthread_key_t probe_key;
static TR_ATOMIC(int) probes;
static TR_ATOMIC(bool) still_registered;

/* The destructors of a thread's keys run in rounds; the second comes after the
 * first of every key. */
static void probe(void *round)
{
    static char second;

    if (round != &second) {
        pthread_setspecific(probe_key, &second);
        return;
    }
    if (tri_rcu_self_.registered)
        tr_store_seq_cst(&still_registered, true);
    tr_fetch_add_seq_cst(&probes, 1);
}

static void *short_lived_guest(void *unused)
{
    tri_rcu_enter();
    tri_rcu_leave();
    pthread_setspecific(probe_key, &probe_key);
    return unused;
}

static void test_rcu_guest_thread_end_unregisters(void **state)
{
    enum { threads = 20 };

    (void)state;
    tr_store_seq_cst(&probes, 0);
    tr_store_seq_cst(&still_registered, false);
    assert_int_equal(pthread_key_create(&probe_key, probe), 0);
    for (int i = 0; i < threads; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, short_lived_guest, NULL), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        tri_rcu_synchronize(); /* walks the list the thread was in */
    }
    pthread_key_delete(probe_key);
    assert_int_equal(tr_load_seq_cst(&probes), threads);
    assert_false(tr_load_seq_cst(&still_registered));
}

static void test_rcu_guest_may_become_worker_and_guest_again(void **state)
{
    (void)state;
    tri_rcu_enter();
    assert_true(tri_rcu_is_online());
    tri_rcu_leave();
    assert_false(tri_rcu_is_online());
    tri_rcu_register();
    assert_true(tri_rcu_is_online());
    tri_rcu_offline();
    assert_false(tri_rcu_is_online());
    tri_rcu_unregister();
    tri_rcu_enter();
    assert_true(tri_rcu_is_online());
    tri_rcu_leave();
    tri_rcu_synchronize();
    assert_false(tri_rcu_is_online());
}

/* -- stress: readers walk a list whose nodes are replaced under them ---------------------- */

#define ALIVE UINT64_C(0x616c6976656e6f64)
#define FREED UINT64_C(0x6672656564646561)
#define LENGTH 16
#define READERS 3

typedef TR_ATOMIC(struct node *) node_link;

struct node {
    uint64_t magic;
    node_link next;
    tri_rcu_head rcu;
};

static struct {
    node_link head;
    TR_ATOMIC(bool) stop;
    TR_ATOMIC(uint64_t) walked, bad, freed;
    size_t replaced;
} list;

static struct node *new_node(struct node *next)
{
    struct node *n = malloc(sizeof *n);

    if (n == NULL)
        abort();
    n->magic = ALIVE;
    tr_atomic_init(&n->next, next);
    return n;
}

static void reclaim(tri_rcu_head *head)
{
    struct node *n = caa_container_of(head, struct node, rcu);

    n->magic = FREED;
    free(n);
    tr_fetch_add_relaxed(&list.freed, 1);
}

static void walk(void)
{
    unsigned length = 0;

    for (struct node *n = tr_load_acquire(&list.head); n != NULL; n = tr_load_acquire(&n->next)) {
        if (n->magic != ALIVE)
            tr_fetch_add_relaxed(&list.bad, 1);
        length++;
    }
    if (length != LENGTH)
        tr_fetch_add_relaxed(&list.bad, 1);
    tr_fetch_add_relaxed(&list.walked, 1);
}

/* Replace the i-th node by a copy; only this thread writes the list. */
static void replace(size_t i)
{
    node_link *link = &list.head;

    while (i-- > 0)
        link = &tr_load_relaxed(link)->next;
    struct node *old = tr_load_relaxed(link);
    tr_store_release(link, new_node(tr_load_relaxed(&old->next)));
    tri_rcu_call(&old->rcu, reclaim);
}

static void worker_reads(void)
{
    tri_rcu_register();
    for (unsigned i = 0; !tr_load_acquire(&list.stop); i++) {
        walk();
        tri_rcu_quiescent();
        if (i % 64 == 0) {
            tri_rcu_offline();
            sched_yield();
            tri_rcu_online();
        }
    }
    tri_rcu_unregister();
}

static void guest_reads(void)
{
    while (!tr_load_acquire(&list.stop)) {
        tri_rcu_enter();
        walk();
        tri_rcu_leave();
    }
}

static void writes(void)
{
    for (size_t i = 0; i < list.replaced; i++) {
        replace(i * 7 % LENGTH);
        if (i % 16 == 0)
            sched_yield();
        if (i % 256 == 0)
            tri_rcu_synchronize();
    }
    tr_store_release(&list.stop, true);
}

static void stress_thread(unsigned index, void *unused)
{
    (void)unused;
    if (index == 0)
        writes();
    else if (index % 2 == 1)
        worker_reads();
    else
        guest_reads();
}

static void test_rcu_stress_walkers_see_only_live_nodes(void **state)
{
    (void)state;
    list.replaced = test_scale(20000);
    tr_store_seq_cst(&list.stop, false);
    struct node *first = NULL;
    for (int i = 0; i < LENGTH; i++)
        first = new_node(first);
    tr_store_seq_cst(&list.head, first);

    test_threads_run(1 + READERS, stress_thread, NULL);

    tri_rcu_barrier();
    assert_int_equal(tr_load_seq_cst(&list.bad), 0);
    assert_int_equal(tr_load_seq_cst(&list.freed), list.replaced);
    for (struct node *n = tr_load_seq_cst(&list.head), *next; n != NULL; n = next) {
        next = tr_load_seq_cst(&n->next);
        assert_true(n->magic == ALIVE);
        free(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rcu_synchronize_waits_for_guest),
        TEST(test_rcu_inner_leave_does_not_end_reading),
        TEST(test_rcu_synchronize_waits_for_worker),
        TEST(test_rcu_leave_keeps_online_worker_online),
        TEST(test_rcu_enter_brings_offline_worker_online),
        TEST(test_rcu_offline_worker_is_not_waited_for),
        TEST(test_rcu_online_worker_may_synchronize),
        TEST(test_rcu_call_runs_after_reader_left),
        TEST(test_rcu_callback_may_enter_and_call_again),
        TEST(test_rcu_helper_has_signals_blocked_caller_has_not),
        TEST(test_rcu_guest_thread_end_unregisters),
        TEST(test_rcu_guest_may_become_worker_and_guest_again),
        TEST(test_rcu_stress_walkers_see_only_live_nodes),
    };
    return TEST_RUN(tests);
}
