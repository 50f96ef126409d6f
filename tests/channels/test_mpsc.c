/*
 * test_mpsc - the queue under a mailbox: order, and exactly one wake for each
 * time that the consumer went idle
 */
#include "tests/support/test.h"

#include <sched.h>
#include <stdlib.h>

#include <troupe/channels/mpsc.h>

struct item {
    tr_mpsc_node node; /* first: a node is its item */
    unsigned producer;
    uint64_t number;
};

static struct item *item_of(tr_mpsc_node *node)
{
    return (struct item *)node;
}

/* -- one thread --------------------------------------------------------------------------- */

static void test_mpsc_que_01_first_push_on_an_idle_queue_says_so_once(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item items[6];
    tr_mpsc_init(&q);
    tr_mpsc_node *at = &q.stub, *next = NULL;
    assert_true(tr_mpsc_is_idle(&q));
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 6; i++)
            assert_int_equal(tr_mpsc_push(&q, &items[i].node), i == 0);
        assert_false(tr_mpsc_is_idle(&q));
        at = &q.stub;
        for (unsigned i = 0; i < 6; i++) {
            assert_false(tr_mpsc_idle(&q, at)); /* there is more: nothing changed */
            assert_int_equal(tr_mpsc_next(&q, at, &next), TR_OK);
            assert_ptr_equal(next, &items[i].node);
            at = next;
        }
        next = NULL;
        assert_int_equal(tr_mpsc_next(&q, at, &next), TR_EMPTY);
        assert_null(next);
        assert_true(tr_mpsc_idle(&q, at));
        assert_true(tr_mpsc_is_idle(&q));
    }
}

static void test_mpsc_awake_queue_is_pushed_to_without_a_wake(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item items[2];
    tr_mpsc_init_awake(&q);
    tr_mpsc_node *at = &q.stub, *next = NULL;
    assert_false(tr_mpsc_is_idle(&q));
    assert_int_equal(tr_mpsc_next(&q, at, &next), TR_EMPTY);
    assert_false(tr_mpsc_push(&q, &items[0].node));
    assert_int_equal(tr_mpsc_next(&q, at, &next), TR_OK);
    at = next;
    assert_true(tr_mpsc_idle(&q, at));
    assert_true(tr_mpsc_push(&q, &items[1].node));
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_OK);
    assert_ptr_equal(next, &items[1].node);
}

static void test_mpsc_idle_on_an_empty_awake_queue_works(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item item;
    tr_mpsc_init_awake(&q);
    assert_true(tr_mpsc_idle(&q, &q.stub));
    assert_true(tr_mpsc_is_idle(&q));
    assert_true(tr_mpsc_push(&q, &item.node));
}

static void test_mpsc_chain_comes_out_in_order_and_wakes_once(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item items[9];
    tr_mpsc_init(&q);
    for (unsigned i = 0; i < 9; i++)
        items[i].number = i;
    for (unsigned i = 0; i < 2; i++) /* 0 1 2, then 3; then 4 to 8 */
        tr_atomic_init(&items[i].node.next, &items[i + 1].node);
    for (unsigned i = 4; i < 8; i++)
        tr_atomic_init(&items[i].node.next, &items[i + 1].node);
    tr_atomic_init(&items[8].node.next, &items[0].node); /* what stands there is overwritten */
    assert_true(tr_mpsc_push_chain(&q, &items[0].node, &items[2].node));
    assert_false(tr_mpsc_push_chain(&q, &items[3].node, &items[3].node));
    assert_false(tr_mpsc_push_chain(&q, &items[4].node, &items[8].node));
    tr_mpsc_node *at = &q.stub;
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(tr_mpsc_next(&q, at, &at), TR_OK);
        assert_int_equal(item_of(at)->number, i);
    }
    tr_mpsc_node *next = NULL;
    assert_int_equal(tr_mpsc_next(&q, at, &next), TR_EMPTY);
    assert_true(tr_mpsc_idle(&q, at));
}

static void test_mpsc_detach_gives_the_newest_node_to_the_consumer(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item items[3];
    tr_mpsc_init_awake(&q);
    tr_mpsc_node *next = NULL;
    assert_true(tr_mpsc_detach(&q, &q.stub)); /* nothing to detach */
    (void)tr_mpsc_push(&q, &items[0].node);
    (void)tr_mpsc_push(&q, &items[1].node);
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_OK);
    assert_ptr_equal(next, &items[0].node);
    assert_false(tr_mpsc_detach(&q, next)); /* not the newest */
    assert_int_equal(tr_mpsc_next(&q, next, &next), TR_OK);
    assert_true(tr_mpsc_detach(&q, next));
    assert_false(tr_mpsc_is_idle(&q));
    assert_false(tr_mpsc_push(&q, &items[2].node)); /* still the consumer */
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_OK);
    assert_ptr_equal(next, &items[2].node);
    assert_true(tr_mpsc_idle(&q, next));
}

/* A producer between its two steps: what comes behind it is not reachable yet. */
static void test_mpsc_half_done_push_is_busy_not_empty(void **state)
{
    (void)state;
    tr_mpsc q;
    struct item first, second;
    tr_mpsc_init_awake(&q);
    tr_atomic_init(&first.node.next, (tr_mpsc_node *)NULL);
    const uintptr_t before = tr_swap_acq_rel(&q.tail, (uintptr_t)&first.node);
    tr_mpsc_node *next = NULL;
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_BUSY);
    (void)tr_mpsc_push(&q, &second.node);
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_BUSY);
    assert_null(next);
    assert_false(tr_mpsc_idle(&q, &q.stub));
    assert_false(tr_mpsc_detach(&q, &q.stub));
    tr_store_release(&((tr_mpsc_node *)before)->next, &first.node);
    assert_int_equal(tr_mpsc_next(&q, &q.stub, &next), TR_OK);
    assert_ptr_equal(next, &first.node);
    assert_int_equal(tr_mpsc_next(&q, next, &next), TR_OK);
    assert_ptr_equal(next, &second.node);
}

/* -- many threads ---------------------------------------------------------------------------- */

#define PRODUCERS_MAX 8

/* Whoever is told to wake the consumer becomes it: the wake-up cannot be lost,
 * and two at a time would race on the plain fields. */
struct traffic {
    tr_mpsc q;
    unsigned producers;
    uint64_t each;
    uint64_t chain; /* items pushed at a time */
    /* The consumer's. */
    tr_mpsc_node *at;
    uint64_t expected[PRODUCERS_MAX];
    uint64_t taken, out_of_order, turns, busy;
    bool detach;
    TR_ATOMIC(unsigned) consumers;
    TR_ATOMIC(uint64_t) twice, wakes;
};

static void take(struct traffic *t, tr_mpsc_node *node)
{
    const struct item *item = item_of(node);
    t->out_of_order += item->number != t->expected[item->producer]++;
    t->taken++;
}

static void consume(struct traffic *t)
{
    if (tr_fetch_add_relaxed(&t->consumers, 1) != 0)
        tr_fetch_add_relaxed(&t->twice, 1);
    t->turns++;
    tr_mpsc_node *at = &t->q.stub;
    for (;;) {
        tr_mpsc_node *next;
        const tr_status status = tr_mpsc_next(&t->q, at, &next);
        if (status == TR_OK) {
            if (at != &t->q.stub)
                free(item_of(at));
            at = next;
            take(t, at);
            if (t->detach && t->taken % 5 == 0 && tr_mpsc_detach(&t->q, at)) {
                free(item_of(at));
                at = &t->q.stub;
            }
        } else if (status == TR_BUSY) {
            t->busy++;
            (void)sched_yield();
        } else {
            /* Before idle: behind it the consumer may be another thread. */
            tr_fetch_sub_relaxed(&t->consumers, 1);
            if (tr_mpsc_idle(&t->q, at)) {
                if (at != &t->q.stub)
                    free(item_of(at));
                return;
            }
            tr_fetch_add_relaxed(&t->consumers, 1);
        }
    }
}

static void produce(unsigned index, void *arg)
{
    struct traffic *t = arg;
    for (uint64_t i = 0; i < t->each;) {
        struct item *first = NULL, *last = NULL;
        for (uint64_t k = 0; k < t->chain && i < t->each; k++, i++) {
            struct item *item = malloc(sizeof(*item));
            if (item == NULL)
                abort();
            item->producer = index;
            item->number = i;
            if (first == NULL)
                first = item;
            else
                tr_store_relaxed(&last->node.next, &item->node);
            last = item;
        }
        if (tr_mpsc_push_chain(&t->q, &first->node, &last->node)) {
            tr_fetch_add_relaxed(&t->wakes, 1);
            consume(t);
        }
    }
}

static void assert_traffic(unsigned producers, uint64_t each, uint64_t chain, bool detach)
{
    struct traffic t = { .producers = producers, .each = each, .chain = chain, .detach = detach };
    tr_mpsc_init(&t.q);
    test_threads_run(producers, produce, &t);
    assert_true(tr_mpsc_is_idle(&t.q));
    assert_int_equal(t.taken, producers * each);
    assert_int_equal(t.out_of_order, 0);
    assert_int_equal(tr_load_relaxed(&t.twice), 0);
    assert_int_equal(t.turns, tr_load_relaxed(&t.wakes));
}

static void test_mpsc_stress_every_item_once_in_order_with_one_consumer(void **state)
{
    (void)state;
    const uint64_t n = test_scale(40000);
    assert_traffic(1, n, 1, false);
    assert_traffic(2, n, 1, false);
    assert_traffic(4, n / 2, 1, true);
    assert_traffic(8, n / 4, 3, false);
    assert_traffic(8, n / 4, 7, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mpsc_que_01_first_push_on_an_idle_queue_says_so_once),
        TEST(test_mpsc_awake_queue_is_pushed_to_without_a_wake),
        TEST(test_mpsc_idle_on_an_empty_awake_queue_works),
        TEST(test_mpsc_chain_comes_out_in_order_and_wakes_once),
        TEST(test_mpsc_detach_gives_the_newest_node_to_the_consumer),
        TEST(test_mpsc_half_done_push_is_busy_not_empty),
        TEST(test_mpsc_stress_every_item_once_in_order_with_one_consumer),
    };
    return TEST_RUN(tests);
}
