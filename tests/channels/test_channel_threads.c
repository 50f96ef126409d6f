/*
 * test_channel_threads - channels of every capacity under several threads
 *
 * Rounds start from a barrier; threads record, the main thread asserts.
 */
#include "tests/channels/messages.h"

#include <stdlib.h>

#define SENDERS 4

/* -- CHN-02 --------------------------------------------------------------------------------- */

static void send_and_drop_own(unsigned index, void *arg)
{
    ints_sender *tx = arg;
    int v = (int)index;
    if (ints_send(tx[index], &v) != TR_OK)
        abort();
    ints_sender_drop(&tx[index]);
}

static void test_chn_02_loop_ends_when_the_original_sender_is_gone_too(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        test_threads group;
        ints_sender tx, clones[2];
        ints_receiver rx;
        int got, count = 0, sum = 0;
        assert_int_equal(ints_bounded(capacities[c], &tx, &rx), TR_OK);
        clones[0] = ints_sender_clone(tx);
        clones[1] = ints_sender_clone(tx);
        test_threads_start(&group, 2, send_and_drop_own, clones);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(ints_recv(rx, &got), TR_OK);
            sum += got + 1;
        }
        assert_int_equal(ints_recv_timeout(rx, TR_MILLISECONDS(1), &got), TR_TIMEOUT);
        ints_sender_drop(&tx);
        while (ints_next(rx, &got))
            count++;
        test_threads_join(&group);
        assert_int_equal(count, 0);
        assert_int_equal(sum, 3);
        ints_receiver_drop(&rx);
    }
}

/* -- CHN-03, BND-11 and with many senders: order, nothing lost ------------------------------- */

struct stream {
    longs_sender tx[SENDERS];
    longs_receiver rx;
    unsigned senders;
    uint64_t each;
    uint64_t capacity;
    counter refused, too_long;
};

static void stream_out(unsigned index, void *arg)
{
    struct stream *s = arg;
    for (uint64_t i = 0; i < s->each; i++) {
        uint64_t message = i * SENDERS + index;
        if (i % 64 == 63)
            linger(i / 64 % 4 * 30000);
        if (longs_send(s->tx[index], &message) != TR_OK)
            bump(&s->refused);
        if (tr_channel_len(s->tx[index]) > s->capacity)
            bump(&s->too_long);
    }
    longs_sender_drop(&s->tx[index]);
}

static void run_stream(size_t capacity, unsigned senders, uint64_t each)
{
    test_threads group;
    struct stream s = { .senders = senders, .each = each, .capacity = capacity };
    uint64_t message, next[SENDERS] = { 0 }, wrong = 0;
    assert_int_equal(longs_bounded(capacity, &s.tx[0], &s.rx), TR_OK);
    for (unsigned i = 1; i < senders; i++)
        s.tx[i] = longs_sender_clone(s.tx[0]);
    test_threads_start(&group, senders, stream_out, &s);
    for (uint64_t n = 0; longs_next(s.rx, &message); n++) {
        if (n % 100 == 99)
            linger(n / 100 % 4 * 30000);
        wrong += message / SENDERS != next[message % SENDERS]++;
        wrong += tr_channel_len(s.rx) > capacity;
    }
    test_threads_join(&group);
    assert_int_equal(wrong, 0);
    for (unsigned i = 0; i < senders; i++)
        assert_int_equal(next[i], each);
    assert_int_equal(value_of(&s.refused), 0);
    assert_int_equal(value_of(&s.too_long), 0);
    assert_int_equal(tr_channel_len(s.rx), 0);
    assert_int_equal(longs_try_recv(s.rx, &message), TR_DISCONNECTED);
    longs_receiver_drop(&s.rx);
}

static void test_chn_03_one_sender_stays_in_order(void **state)
{
    (void)state;
    run_stream(TR_UNBOUNDED, 1, test_scale(100000));
    run_stream(3, 1, test_scale(20000));
}

static void test_bnd_11_rendezvous_stays_in_order(void **state)
{
    (void)state;
    run_stream(0, 1, test_scale(20000));
}

static void test_bnd_14_len_is_never_above_capacity(void **state)
{
    (void)state;
    run_stream(1000, 1, test_scale(25000));
    run_stream(7, SENDERS, test_scale(2000));
}

static void test_channel_stress_many_senders_each_stays_in_order(void **state)
{
    (void)state;
    run_stream(TR_UNBOUNDED, SENDERS, test_scale(20000));
    for (size_t c = 0; c < CAPACITIES; c++)
        run_stream(capacities[c], SENDERS, test_scale(2000));
}

/* -- CHN-04, CHN-08: the receiver goes at any moment ----------------------------------------- */

struct going {
    test_barrier gate;
    size_t rounds;
    parcels_sender tx[SENDERS];
    counter handed_back, early;
};

static void send_until_gone(unsigned index, void *arg)
{
    struct going *g = arg;
    for (size_t r = 0; r < g->rounds; r++) {
        test_barrier_wait(&g->gate);
        for (uint64_t i = 0;; i++) {
            parcel p = parcel_make(i);
            const tr_status s = parcels_send(g->tx[index], &p);
            if (s == TR_OK)
                continue;
            if (s != TR_DISCONNECTED || p.weight != 1 || p.n != i)
                bump(&g->early);
            bump(&g->handed_back);
            parcel_drop(&p);
            break;
        }
        test_barrier_wait(&g->gate); /* all sends have returned; main looks */
        test_barrier_wait(&g->gate);
        parcels_sender_drop(&g->tx[index]);
        test_barrier_wait(&g->gate); /* tx is main's again */
    }
}

static void test_chn_04_chn_08_receiver_goes_while_senders_send(void **state)
{
    (void)state;
    struct going g = { .rounds = test_scale(400) };
    test_threads group;
    uint64_t left = 0, received = 0, wrong = 0;
    test_barrier_init(&g.gate, SENDERS + 1);
    test_threads_start(&group, SENDERS, send_until_gone, &g);
    for (size_t r = 0; r < g.rounds; r++) {
        parcels_receiver rx;
        parcel p;
        wrong += parcels_bounded(capacities[r % CAPACITIES], &g.tx[0], &rx) != TR_OK;
        for (unsigned i = 1; i < SENDERS; i++)
            g.tx[i] = parcels_sender_clone(g.tx[0]);
        test_barrier_wait(&g.gate);
        for (size_t i = r % 50; i > 0; i--) {
            wrong += parcels_recv(rx, &p) != TR_OK;
            parcel_drop(&p);
            received++;
        }
        parcels_receiver_drop(&rx);
        test_barrier_wait(&g.gate);
        left += parcels_alive(); /* the senders' handles are open */
        test_barrier_wait(&g.gate);
        test_barrier_wait(&g.gate);
    }
    test_threads_join(&group);
    test_barrier_fini(&g.gate);
    assert_int_equal(wrong, 0);
    assert_int_equal(left, 0);
    assert_int_equal(value_of(&g.early), 0);
    assert_int_equal(value_of(&g.handed_back), g.rounds * SENDERS);
    assert_int_equal(value_of(&parcels_made), value_of(&parcels_dropped));
    assert_int_equal(value_of(&parcels_wrong), 0);
    print_message("    %llu parcels: %llu received, %llu handed back, the rest discarded\n",
                  (unsigned long long)value_of(&parcels_made), (unsigned long long)received,
                  (unsigned long long)value_of(&g.handed_back));
}

/* -- CHN-07: the last sender goes ------------------------------------------------------------- */

struct rounds {
    test_barrier gate;
    size_t count;
    longs_sender tx;
    longs_receiver rx;
    counter mark;
    counter wrong;
};

static void drop_sender_each_round(unsigned index, void *arg)
{
    struct rounds *r = arg;
    (void)index;
    for (size_t i = 0; i < r->count; i++) {
        test_barrier_wait(&r->gate);
        for (size_t n = i % 64 * 16; n > 0; n--)
            tr_cpu_relax();
        longs_sender_drop(&r->tx);
        test_barrier_wait(&r->gate);
    }
}

static void test_chn_07_last_sender_wakes_the_receiver(void **state)
{
    (void)state;
    struct rounds r = { .count = test_scale(5000) };
    test_threads group;
    uint64_t got, wrong = 0;
    test_barrier_init(&r.gate, 2);
    test_threads_start(&group, 1, drop_sender_each_round, &r);
    for (size_t i = 0; i < r.count; i++) {
        wrong += longs_bounded(capacities[i % CAPACITIES], &r.tx, &r.rx) != TR_OK;
        test_barrier_wait(&r.gate);
        wrong += longs_recv(r.rx, &got) != TR_DISCONNECTED;
        longs_receiver_drop(&r.rx);
        test_barrier_wait(&r.gate);
    }
    test_threads_join(&group);
    test_barrier_fini(&r.gate);
    assert_int_equal(wrong, 0);
}

/* A sender blocked on a full channel, or one without room, when the receiver goes. */
static void send_into_full(unsigned index, void *arg)
{
    struct rounds *r = arg;
    (void)index;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t message = 1;
        test_barrier_wait(&r->gate);
        if (longs_send(r->tx, &message) != TR_DISCONNECTED)
            bump(&r->wrong);
        longs_sender_drop(&r->tx);
        test_barrier_wait(&r->gate);
    }
}

static void test_channel_receiver_going_wakes_a_blocked_sender(void **state)
{
    (void)state;
    struct rounds r = { .count = test_scale(5000) };
    test_threads group;
    uint64_t message = 0, wrong = 0;
    test_barrier_init(&r.gate, 2);
    test_threads_start(&group, 1, send_into_full, &r);
    for (size_t i = 0; i < r.count; i++) {
        const size_t capacity = i % 3;
        wrong += longs_bounded(capacity, &r.tx, &r.rx) != TR_OK;
        for (size_t n = 0; n < capacity; n++)
            wrong += longs_send(r.tx, &message) != TR_OK;
        test_barrier_wait(&r.gate);
        for (size_t n = i % 64 * 16; n > 0; n--)
            tr_cpu_relax();
        longs_receiver_drop(&r.rx);
        test_barrier_wait(&r.gate);
    }
    test_threads_join(&group);
    test_barrier_fini(&r.gate);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&r.wrong), 0);
}

/* -- deadlines that race with the other side --------------------------------------------------- */

static void send_with_deadlines(unsigned index, void *arg)
{
    struct stream *s = arg;
    for (uint64_t i = 0; i < s->each; i++) {
        uint64_t message = i * SENDERS + index;
        linger(i % 8 == 0 ? i / 8 % 16 * 5000 : 0);
        for (uint64_t n = 0;; n++) {
            const tr_status r = longs_send_timeout(s->tx[index], &message, (n + i) % 8 * 10000);
            if (r == TR_OK)
                break;
            if (r != TR_TIMEOUT || message != i * SENDERS + index)
                bump(&s->refused);
        }
    }
    longs_sender_drop(&s->tx[index]);
}

static void test_channel_stress_deadlines_lose_and_double_nothing(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        test_threads group;
        struct stream s = { .senders = 2, .each = test_scale(3000) };
        uint64_t message, next[SENDERS] = { 0 }, wrong = 0, timeouts = 0;
        assert_int_equal(longs_bounded(capacities[c], &s.tx[0], &s.rx), TR_OK);
        s.tx[1] = longs_sender_clone(s.tx[0]);
        test_threads_start(&group, 2, send_with_deadlines, &s);
        for (uint64_t i = 0;; i++) {
            linger(i % 7 == 0 ? i / 7 % 16 * 5000 : 0);
            const tr_status r = longs_recv_timeout(s.rx, i % 8 * 10000, &message);
            if (r == TR_DISCONNECTED)
                break;
            timeouts += r == TR_TIMEOUT;
            if (r == TR_OK)
                wrong += message / SENDERS != next[message % SENDERS]++;
        }
        test_threads_join(&group);
        assert_int_equal(wrong, 0);
        assert_int_equal(next[0] + next[1], 2 * s.each);
        assert_int_equal(value_of(&s.refused), 0);
        longs_receiver_drop(&s.rx);
        print_message("    capacity %ld: %llu receives timed out\n", (long)capacities[c],
                      (unsigned long long)timeouts);
    }
}

/* -- one message at a time: the wake that is lost is the last one ------------------------------- */

struct echo {
    longs_receiver requests;
    longs_sender replies;
    counter wrong;
};

static void reply_to_each(unsigned index, void *arg)
{
    struct echo *e = arg;
    uint64_t v;
    (void)index;
    while (longs_next(e->requests, &v)) {
        linger(v % 41 * 200); /* as long as it takes to go to sleep */
        if (longs_send(e->replies, &v) != TR_OK)
            bump(&e->wrong);
    }
    longs_sender_drop(&e->replies);
    longs_receiver_drop(&e->requests);
}

static void test_channel_stress_no_wake_is_lost_while_going_to_sleep(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        struct echo e = { 0 };
        test_threads group;
        longs_sender tx;
        longs_receiver rx;
        uint64_t wrong = 0, got;
        const uint64_t n = test_scale(500);
        assert_int_equal(longs_bounded(capacities[c], &tx, &e.requests), TR_OK);
        assert_int_equal(longs_bounded(capacities[c], &e.replies, &rx), TR_OK);
        test_threads_start(&group, 1, reply_to_each, &e);
        for (uint64_t i = 0; i < n; i++) {
            wrong += longs_send(tx, &i) != TR_OK;
            wrong += longs_recv_timeout(rx, TR_SECONDS(60), &got) != TR_OK || got != i;
            linger(i % 37 * 200);
        }
        longs_sender_drop(&tx);
        test_threads_join(&group);
        longs_receiver_drop(&rx);
        assert_int_equal(wrong, 0);
        assert_int_equal(value_of(&e.wrong), 0);
    }
}

/* -- CHN-21: channel through channel ------------------------------------------------------------ */

typedef struct hop hop;
TR_CHANNEL_HANDLES(hops, hop)
struct hop {
    hops_receiver next;
};
static void hop_drop(hop *h);
TR_TYPE(hop, .drop = hop_drop)
TR_CHANNEL_CALLS(hops, hop)

static void hop_drop(hop *h)
{
    hops_receiver_drop(&h->next);
}

struct hopping {
    hops_sender tx;
    size_t hops, capacity;
    counter wrong;
};

static void send_the_next_receiver(unsigned index, void *arg)
{
    struct hopping *h = arg;
    (void)index;
    for (size_t i = 0; i < h->hops; i++) {
        hops_sender next = { NULL };
        hop message;
        if (hops_bounded(h->capacity, &next, &message.next) != TR_OK)
            bump(&h->wrong);
        if (hops_send(h->tx, &message) != TR_OK)
            bump(&h->wrong);
        hops_sender_drop(&h->tx);
        h->tx = next;
    }
    hops_sender_drop(&h->tx);
}

static void test_chn_21_channel_through_channel(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        test_threads group;
        struct hopping h = { .hops = test_scale(1000), .capacity = capacities[c] };
        hops_receiver rx;
        hop message;
        size_t count = 0;
        assert_int_equal(hops_bounded(capacities[c], &h.tx, &rx), TR_OK);
        test_threads_start(&group, 1, send_the_next_receiver, &h);
        while (hops_next(rx, &message)) {
            hops_receiver_drop(&rx);
            rx = message.next;
            count++;
        }
        test_threads_join(&group);
        hops_receiver_drop(&rx);
        assert_int_equal(count, h.hops);
        assert_int_equal(value_of(&h.wrong), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_chn_02_loop_ends_when_the_original_sender_is_gone_too),
        CASE(test_chn_03_one_sender_stays_in_order),
        CASE(test_chn_04_chn_08_receiver_goes_while_senders_send),
        CASE(test_chn_07_last_sender_wakes_the_receiver),
        CASE(test_chn_21_channel_through_channel),
        CASE(test_bnd_11_rendezvous_stays_in_order),
        CASE(test_bnd_14_len_is_never_above_capacity),
        CASE(test_channel_stress_many_senders_each_stays_in_order),
        CASE(test_channel_receiver_going_wakes_a_blocked_sender),
        CASE(test_channel_stress_no_wake_is_lost_while_going_to_sleep),
        CASE(test_channel_stress_deadlines_lose_and_double_nothing),
    };
    return TEST_RUN(tests);
}
