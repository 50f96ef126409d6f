/*
 * test_broadcast - every receiver gets every value, or is told how many it lost
 */
#include "tests/channels/messages.h"

#include <stdlib.h>
#include <troupe/channels/broadcast.h>
#include <troupe/mem/arc.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

TR_BROADCAST(news, uint64_t)

/* A share of an Arc: what a large value is broadcast as. */
typedef struct share {
    parcel *arc;
} share;

static counter clones_fail;

static tr_status share_clone(share *copy, const share *original)
{
    if (value_of(&clones_fail) != 0)
        return TR_LIMIT;
    copy->arc = tr_arc_clone(original->arc);
    return TR_OK;
}

static void share_drop(share *s)
{
    tr_drop(s->arc);
}

TR_TYPE(share, .clone = share_clone, .drop = share_drop)
TR_BROADCAST(shares, share)

static void send_value(news_sender tx, uint64_t v)
{
    assert_int_equal(news_send(tx, &v), TR_OK);
}

static void assert_next(news_receiver *rx, uint64_t expected)
{
    uint64_t got = ~expected;
    assert_int_equal(news_try_recv(rx, &got), TR_OK);
    assert_int_equal(got, expected);
}

static void test_wbc_03_slow_receiver_is_told_the_fast_one_unaffected(void **state)
{
    (void)state;
    news_sender tx;
    news_receiver slow, fast;
    uint64_t got = 9;
    assert_int_equal(news_broadcast(2, &tx, &slow), TR_OK);
    fast = news_subscribe(tx);
    for (uint64_t v = 1; v <= 3; v++) {
        send_value(tx, v);
        assert_next(&fast, v);
    }
    assert_int_equal(news_len(slow), 3);
    assert_int_equal(news_try_recv(&slow, &got), TR_LAGGED);
    assert_int_equal(slow.lagged, 1);
    assert_int_equal(got, 9);
    assert_next(&slow, 2);
    assert_next(&slow, 3);
    assert_int_equal(news_try_recv(&slow, &got), TR_EMPTY);
    assert_int_equal(news_try_recv(&fast, &got), TR_EMPTY);
    assert_int_equal(fast.lagged, 0);
    news_sender_drop(&tx);
    news_receiver_drop(&slow);
    news_receiver_drop(&fast);
    news_receiver_drop(&fast);
    news_sender_drop(&tx);
}

/* As many behind as one likes, at every place of the ring. */
static void test_broadcast_lag_is_exact_for_every_distance(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity < 5; capacity++) {
        news_sender tx;
        news_receiver rx;
        uint64_t sent = 0, got;
        assert_int_equal(news_broadcast(capacity, &tx, &rx), TR_OK);
        for (uint64_t distance = 0; distance < 12; distance++) {
            const uint64_t from = sent;
            for (uint64_t i = 0; i < distance; i++)
                send_value(tx, sent++);
            uint64_t next = from;
            if (distance > capacity) {
                assert_int_equal(news_recv(&rx, &got), TR_LAGGED);
                assert_int_equal(rx.lagged, distance - capacity);
                next += rx.lagged;
            }
            while (next < sent)
                assert_next(&rx, next++);
            assert_int_equal(news_try_recv(&rx, &got), TR_EMPTY);
        }
        news_sender_drop(&tx);
        news_receiver_drop(&rx);
    }
}

static void test_broadcast_subscribers_start_with_the_next_value(void **state)
{
    (void)state;
    news_sender tx, second;
    news_receiver rx, late, again;
    uint64_t got;
    assert_int_equal(news_broadcast(4, &tx, &rx), TR_OK);
    second = news_sender_clone(tx);
    send_value(tx, 1);
    late = news_subscribe(second);
    again = news_resubscribe(rx);
    assert_int_equal(news_receivers(tx), 3);
    assert_int_equal(news_try_recv(&late, &got), TR_EMPTY);
    send_value(second, 2);
    assert_next(&late, 2);
    assert_next(&again, 2);
    assert_next(&rx, 1);
    news_sender_drop(&second);
    assert_int_equal(news_recv_timeout(&late, 0, &got), TR_TIMEOUT);
    news_sender_drop(&tx);
    assert_int_equal(news_recv(&late, &got), TR_DISCONNECTED);
    assert_next(&rx, 2); /* what was sent is received first */
    assert_int_equal(news_recv(&rx, &got), TR_DISCONNECTED);
    assert_int_equal(news_recv(&rx, &got), TR_DISCONNECTED);
    news_receiver_drop(&rx);
    news_receiver_drop(&late);
    news_receiver_drop(&again);
}

static void test_broadcast_without_receivers_hands_back(void **state)
{
    (void)state;
    news_sender tx;
    news_receiver rx;
    uint64_t v = 7, got;
    assert_int_equal(news_broadcast(2, &tx, &rx), TR_OK);
    news_receiver_drop(&rx);
    assert_int_equal(news_send(tx, &v), TR_DISCONNECTED);
    assert_int_equal(v, 7);
    rx = news_subscribe(tx);
    assert_int_equal(news_try_recv(&rx, &got), TR_EMPTY);
    send_value(tx, 8);
    assert_next(&rx, 8);
    news_receiver_drop(&rx);
    news_sender_drop(&tx);
}

static void test_broadcast_recv_times_out_not_before_its_deadline(void **state)
{
    (void)state;
    news_sender tx;
    news_receiver rx;
    uint64_t got;
    assert_int_equal(news_broadcast(2, &tx, &rx), TR_OK);
    const uint64_t begin = tr_now();
    assert_int_equal(news_recv_timeout(&rx, TR_MILLISECONDS(3), &got), TR_TIMEOUT);
    assert_true(tr_now() - begin >= TR_MILLISECONDS(3));
    send_value(tx, 1);
    assert_int_equal(news_recv_timeout(&rx, 0, &got), TR_OK);
    news_sender_drop(&tx);
    news_receiver_drop(&rx);
}

static share make_share(uint64_t n)
{
    return (share){ tr_arc(parcel, .n = n, .weight = 1) };
}

static void test_broadcast_shares_are_cloned_and_each_dropped_once(void **state)
{
    (void)state;
    shares_sender tx;
    shares_receiver rx[2];
    share s;
    assert_int_equal(shares_broadcast(2, &tx, &rx[0]), TR_OK);
    rx[1] = shares_subscribe(tx);
    for (uint64_t i = 0; i < 5; i++) {
        s = make_share(i);
        assert_int_equal(shares_send(tx, &s), TR_OK);
        assert_int_equal(value_of(&parcels_dropped), i < 2 ? 0 : i - 1);
    }
    for (unsigned r = 0; r < 2; r++) {
        assert_int_equal(shares_try_recv(&rx[r], &s), TR_LAGGED);
        assert_int_equal(shares_try_recv(&rx[r], &s), TR_OK);
        assert_int_equal(s.arc->n, 3);
        assert_int_equal(tr_strong_count(s.arc), 2);
        share_drop(&s);
    }
    set(&clones_fail, 1);
    assert_int_equal(shares_try_recv(&rx[0], &s), TR_LIMIT); /* nothing was taken */
    set(&clones_fail, 0);
    assert_int_equal(shares_try_recv(&rx[0], &s), TR_OK);
    assert_int_equal(s.arc->n, 4);
    share_drop(&s);
    shares_receiver_drop(&rx[0]);
    shares_receiver_drop(&rx[1]);
    s = make_share(9);
    assert_int_equal(shares_send(tx, &s), TR_DISCONNECTED);
    share_drop(&s);
    shares_sender_drop(&tx);
    assert_int_equal(value_of(&parcels_dropped), 6);
    assert_int_equal(value_of(&parcels_wrong), 0);
}

static void test_broadcast_refuses_what_cannot_be(void **state)
{
    (void)state;
    failing_allocator failing;
    news_sender tx = { NULL };
    news_receiver rx = { NULL, 0, 0 };
    assert_int_equal(news_broadcast(0, &tx, &rx), TR_INVALID);
    assert_int_equal(news_broadcast(SIZE_MAX, &tx, &rx), TR_LAYOUT);
    assert_int_equal(news_broadcast(SIZE_MAX / 8, &tx, &rx), TR_LAYOUT);
    failing_install(&failing, 0);
    assert_int_equal(news_broadcast(4, &tx, &rx), TR_NOMEM);
    failing_remove(&failing);
    assert_null(tx.broadcast_);
}

/* A value whose drop panics: the ring goes, with all the others. */
typedef struct bomb {
    bool armed;
} bomb;

static unsigned bombs_dropped;

static void bomb_drop(bomb *b)
{
    bombs_dropped++;
    if (b->armed)
        tr_panic("bomb");
}

TR_TYPE(bomb, .drop = bomb_drop)
TR_BROADCAST(bombs, bomb)

static void send_bomb(void *arg)
{
    bomb b = { false };
    TR_MUST(bombs_send(*(bombs_sender *)arg, &b));
}

static void drop_bombs(void *arg)
{
    bombs_sender_drop(arg);
}

static void test_broadcast_drop_that_panics_holds_no_lock_and_keeps_nothing(void **state)
{
    (void)state;
    bombs_sender tx;
    bombs_receiver rx;
    bomb got;
    bombs_dropped = 0;
    assert_int_equal(bombs_broadcast(2, &tx, &rx), TR_OK);
    for (int i = 0; i < 2; i++) {
        bomb b = { true };
        assert_int_equal(bombs_send(tx, &b), TR_OK);
    }
    assert_panics(send_bomb, &tx, "bomb"); /* overwrites the first */
    assert_int_equal(bombs_dropped, 1);
    assert_int_equal(bombs_try_recv(&rx, &got), TR_LAGGED);
    assert_int_equal(bombs_try_recv(&rx, &got), TR_OK);
    assert_true(got.armed);
    assert_int_equal(bombs_try_recv(&rx, &got), TR_OK);
    assert_false(got.armed);
    bombs_receiver_drop(&rx);
    assert_panics(drop_bombs, &tx, "bomb");
    assert_int_equal(bombs_dropped, 3);
}

/* -- threads ---------------------------------------------------------------------------------- */

#define SENDERS 2
#define RECEIVERS 3

struct crowd {
    news_sender tx[SENDERS];
    news_receiver rx[RECEIVERS];
    uint64_t each;
    counter wrong, received, lagged;
};

static void follow(struct crowd *c, news_receiver *rx)
{
    uint64_t next[SENDERS] = { 0 }, received = 0, lagged = 0, v = 0;
    for (uint64_t n = 0;; n++) {
        const tr_status s = n % 2 == 0 ? news_recv(rx, &v) : news_recv_timeout(rx, n % 16 * 5000, &v);
        if (s == TR_DISCONNECTED)
            break;
        if (s == TR_LAGGED) {
            lagged += rx->lagged;
        } else if (s == TR_OK) {
            received++;
            if (v / SENDERS < next[v % SENDERS])
                bump(&c->wrong); /* each sender's values come in order, once */
            next[v % SENDERS] = v / SENDERS + 1;
        } else if (s != TR_TIMEOUT) {
            bump(&c->wrong);
        }
    }
    if (received + lagged != SENDERS * c->each)
        bump(&c->wrong);
    tr_fetch_add_seq_cst(&c->received, received);
    tr_fetch_add_seq_cst(&c->lagged, lagged);
    news_receiver_drop(rx);
}

static void send_or_follow(unsigned index, void *arg)
{
    struct crowd *c = arg;
    if (index >= SENDERS) {
        follow(c, &c->rx[index - SENDERS]);
        return;
    }
    for (uint64_t i = 0; i < c->each; i++) {
        uint64_t v = i * SENDERS + index;
        if (news_send(c->tx[index], &v) != TR_OK)
            bump(&c->wrong);
        if (i % 16 == 0)
            linger(i / 16 % 4 * 30000);
    }
    news_sender_drop(&c->tx[index]);
}

static void test_broadcast_stress_received_and_lost_are_all(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity < 1000; capacity *= 31) {
        struct crowd c = { .each = test_scale(4000) };
        assert_int_equal(news_broadcast(capacity, &c.tx[0], &c.rx[0]), TR_OK);
        c.tx[1] = news_sender_clone(c.tx[0]);
        for (unsigned i = 1; i < RECEIVERS; i++)
            c.rx[i] = news_subscribe(c.tx[0]);
        test_threads_run(SENDERS + RECEIVERS, send_or_follow, &c);
        assert_int_equal(value_of(&c.wrong), 0);
        print_message("    capacity %zu: %llu received, %llu lost\n", capacity,
                      (unsigned long long)value_of(&c.received),
                      (unsigned long long)value_of(&c.lagged));
    }
}

struct owned_crowd {
    shares_sender tx;
    shares_receiver rx[RECEIVERS];
    uint64_t each;
    counter wrong;
};

static void send_or_follow_shares(unsigned index, void *arg)
{
    struct owned_crowd *c = arg;
    if (index == 0) {
        for (uint64_t i = 0; i < c->each; i++) {
            share s = make_share(i);
            if (shares_send(c->tx, &s) != TR_OK) {
                share_drop(&s);
                break;
            }
        }
        shares_sender_drop(&c->tx);
        return;
    }
    shares_receiver *rx = &c->rx[index - 1];
    share s = { NULL };
    for (uint64_t i = 0, last = 0;; i++) {
        const tr_status status = shares_recv(rx, &s);
        if (status == TR_DISCONNECTED || i == index * c->each / 4)
            break;
        if (status != TR_OK)
            continue;
        if (s.arc->weight != 1 || s.arc->n < last)
            bump(&c->wrong);
        last = s.arc->n;
        share_drop(&s);
        s.arc = NULL;
    }
    tr_drop(s.arc);
    shares_receiver_drop(rx);
}

static void test_broadcast_stress_shared_values_are_dropped_once(void **state)
{
    (void)state;
    struct owned_crowd c = { .each = test_scale(4000) };
    assert_int_equal(shares_broadcast(5, &c.tx, &c.rx[0]), TR_OK);
    for (unsigned i = 1; i < RECEIVERS; i++)
        c.rx[i] = shares_subscribe(c.tx);
    test_threads_run(1 + RECEIVERS, send_or_follow_shares, &c);
    assert_int_equal(value_of(&c.wrong), 0);
    assert_int_equal(value_of(&parcels_wrong), 0); /* and no block is left: the fixture */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_wbc_03_slow_receiver_is_told_the_fast_one_unaffected),
        CASE(test_broadcast_lag_is_exact_for_every_distance),
        CASE(test_broadcast_subscribers_start_with_the_next_value),
        CASE(test_broadcast_without_receivers_hands_back),
        CASE(test_broadcast_recv_times_out_not_before_its_deadline),
        CASE(test_broadcast_shares_are_cloned_and_each_dropped_once),
        CASE(test_broadcast_refuses_what_cannot_be),
        CASE(test_broadcast_drop_that_panics_holds_no_lock_and_keeps_nothing),
        CASE(test_broadcast_stress_received_and_lost_are_all),
        CASE(test_broadcast_stress_shared_values_are_dropped_once),
    };
    return TEST_RUN(tests);
}
