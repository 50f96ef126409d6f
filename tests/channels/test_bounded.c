/*
 * test_bounded - full, room, and meeting: channels with a capacity
 */
#include "tests/channels/messages.h"

#include <stdlib.h>

/* -- BND-01, BND-03, BND-04: one thread ----------------------------------------------------- */

static void test_bnd_01_full_hands_back_and_room_comes_with_a_receive(void **state)
{
    (void)state;
    parcels_sender tx;
    parcels_receiver rx;
    parcel p[4], got;
    assert_int_equal(parcels_bounded(2, &tx, &rx), TR_OK);
    for (uint64_t i = 0; i < 4; i++)
        p[i] = parcel_make(i + 1);
    assert_int_equal(parcels_try_send(tx, &p[0]), TR_OK);
    assert_int_equal(parcels_try_send(tx, &p[1]), TR_OK);
    assert_true(tr_channel_is_full(tx));
    assert_int_equal(parcels_try_send(tx, &p[2]), TR_FULL);
    assert_int_equal(p[2].n, 3);
    assert_int_equal(value_of(&parcels_dropped), 0);
    assert_int_equal(parcels_try_recv(rx, &got), TR_OK);
    assert_int_equal(got.n, 1);
    parcel_drop(&got);
    assert_int_equal(parcels_try_send(tx, &p[2]), TR_OK);
    parcels_receiver_drop(&rx);
    assert_int_equal(value_of(&parcels_dropped), 3);
    assert_int_equal(parcels_try_send(tx, &p[3]), TR_DISCONNECTED);
    assert_int_equal(p[3].n, 4);
    parcel_drop(&p[3]);
    parcels_sender_drop(&tx);
    assert_int_equal(parcels_alive(), 0);
}

static void test_bnd_03_send_timeout_late_and_gone(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 3; capacity++) {
        ints_sender tx;
        ints_receiver rx;
        int v = 1;
        assert_int_equal(ints_bounded(capacity, &tx, &rx), TR_OK);
        for (size_t i = 0; i < capacity; i++)
            assert_int_equal(ints_send_timeout(tx, &v, 0), TR_OK);
        v = 7;
        const uint64_t begin = tr_now();
        assert_int_equal(ints_send_timeout(tx, &v, TR_MILLISECONDS(2)), TR_TIMEOUT);
        assert_true(tr_now() - begin >= TR_MILLISECONDS(2));
        assert_int_equal(ints_send_timeout(tx, &v, 0), TR_TIMEOUT);
        assert_int_equal(ints_send_until(tx, &v, 1), TR_TIMEOUT);
        ints_receiver_drop(&rx);
        assert_int_equal(ints_send_timeout(tx, &v, TR_MILLISECONDS(2)), TR_DISCONNECTED);
        assert_int_equal(ints_send_timeout(tx, &v, 0), TR_DISCONNECTED);
        assert_int_equal(ints_send(tx, &v), TR_DISCONNECTED);
        assert_int_equal(v, 7);
        ints_sender_drop(&tx);
    }
}

static void test_bnd_04_disconnected_wins_over_full(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 4; capacity++) {
        ints_sender tx;
        ints_receiver rx;
        int v = 1;
        assert_int_equal(ints_bounded(capacity, &tx, &rx), TR_OK);
        for (size_t i = 0; i < capacity; i++)
            assert_int_equal(ints_try_send(tx, &v), TR_OK);
        assert_int_equal(ints_try_send(tx, &v), TR_FULL);
        ints_receiver_drop(&rx);
        assert_int_equal(ints_try_send(tx, &v), TR_DISCONNECTED);
        ints_sender_drop(&tx);
    }
}

/* Every fill level at every place of the ring. */
static void test_bounded_len_at_every_place_of_the_ring(void **state)
{
    (void)state;
    for (size_t capacity = 1; capacity < 10; capacity++) {
        longs_sender tx;
        longs_receiver rx;
        uint64_t sent = 0, taken = 0, got;
        assert_int_equal(longs_bounded(capacity, &tx, &rx), TR_OK);
        assert_int_equal(tr_channel_capacity(rx), capacity);
        for (size_t turn = 0; turn < 3 * capacity + 2; turn++) {
            for (; sent - taken < capacity; sent++) {
                assert_int_equal(tr_channel_len(tx), sent - taken);
                assert_int_equal(longs_try_send(tx, &sent), TR_OK);
            }
            assert_true(tr_channel_is_full(rx));
            assert_int_equal(longs_try_send(tx, &sent), TR_FULL);
            for (size_t keep = turn % (capacity + 1); sent - taken > keep; taken++) {
                assert_int_equal(tr_channel_len(rx), sent - taken);
                assert_int_equal(longs_try_recv(rx, &got), TR_OK);
                assert_int_equal(got, taken);
            }
        }
        longs_sender_drop(&tx);
        for (; taken < sent; taken++) {
            assert_int_equal(tr_channel_len(rx), sent - taken);
            assert_int_equal(longs_recv(rx, &got), TR_OK);
        }
        assert_true(tr_channel_is_empty(rx));
        assert_int_equal(longs_recv(rx, &got), TR_DISCONNECTED);
        longs_receiver_drop(&rx);
    }
}

static void test_bnd_05_rendezvous_alone_is_full_and_empty(void **state)
{
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int v = 7, got = 0;
    assert_int_equal(ints_bounded(0, &tx, &rx), TR_OK);
    assert_int_equal(ints_try_send(tx, &v), TR_FULL);
    assert_int_equal(v, 7);
    assert_int_equal(ints_try_recv(rx, &got), TR_EMPTY);
    assert_int_equal(tr_channel_len(tx), 0);
    assert_int_equal(tr_channel_capacity(tx), 0);
    assert_true(tr_channel_is_empty(rx));
    assert_true(tr_channel_is_full(rx));
    ints_sender_drop(&tx);
    ints_receiver_drop(&rx);
}

/* -- BND-17: the receiver closes ---------------------------------------------------------------- */

static void test_bnd_17_close_refuses_sends_and_drains(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        parcels_sender tx;
        parcels_receiver rx;
        parcel p, got;
        assert_int_equal(parcels_bounded(capacities[c], &tx, &rx), TR_OK);
        uint64_t queued = capacities[c] < 3 ? capacities[c] : 3;
        for (uint64_t i = 0; i < queued; i++) {
            p = parcel_make(i);
            assert_int_equal(parcels_send(tx, &p), TR_OK);
        }
        parcels_close(rx);
        parcels_close(rx);
        p = parcel_make(9);
        assert_int_equal(parcels_try_send(tx, &p), TR_DISCONNECTED);
        assert_int_equal(parcels_send(tx, &p), TR_DISCONNECTED);
        parcel_drop(&p);
        for (uint64_t i = 0; i < queued; i++) {
            assert_int_equal(parcels_recv(rx, &got), TR_OK);
            assert_int_equal(got.n, i);
            parcel_drop(&got);
        }
        assert_int_equal(parcels_try_recv(rx, &got), TR_DISCONNECTED); /* tx is still there */
        assert_int_equal(parcels_recv(rx, &got), TR_DISCONNECTED);
        parcels_sender_drop(&tx);
        parcels_receiver_drop(&rx);
        assert_int_equal(parcels_alive(), 0);
    }
}

/* -- BND-18: weak senders ------------------------------------------------------------------------- */

static void test_bnd_18_weak_sender_upgrades_while_a_sender_lives(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        ints_sender tx, second = { NULL };
        ints_receiver rx;
        int got;
        assert_int_equal(ints_bounded(capacities[c], &tx, &rx), TR_OK);
        ints_weak_sender weak = ints_downgrade(tx), other = ints_weak_sender_clone(weak);
        assert_int_equal(ints_upgrade(weak, &second), TR_OK);
        assert_true(tr_channel_is_same(tx, second));
        ints_sender_drop(&tx);
        assert_int_equal(ints_try_recv(rx, &got), TR_EMPTY);
        assert_int_equal(ints_upgrade(other, &tx), TR_OK);
        ints_sender_drop(&second);
        ints_sender_drop(&tx);
        assert_int_equal(ints_try_recv(rx, &got), TR_DISCONNECTED); /* weak ones do not count */
        assert_int_equal(ints_upgrade(weak, &tx), TR_DISCONNECTED);
        assert_null(tx.channel_);
        ints_weak_sender_drop(&weak);
        ints_receiver_drop(&rx);
        assert_int_equal(ints_upgrade(other, &tx), TR_DISCONNECTED);
        ints_weak_sender_drop(&other); /* the last handle of all */
        ints_weak_sender_drop(&other);
    }
}

/* -- BND-02, BND-06: when a send returns ------------------------------------------------------ */

struct marked {
    longs_sender tx;
    longs_receiver rx;
    size_t n;
    uint64_t ahead; /* sends that may return before the receive that makes room */
    counter mark, early, wrong;
};

static void send_and_look(unsigned index, void *arg)
{
    struct marked *m = arg;
    (void)index;
    for (uint64_t i = 1; i <= m->n; i++) {
        if (i % 50 == 0)
            linger(i / 50 % 4 * 30000);
        if (longs_send(m->tx, &i) != TR_OK)
            bump(&m->wrong);
        if (i > m->ahead && value_of(&m->mark) < i - m->ahead)
            bump(&m->early);
    }
    longs_sender_drop(&m->tx);
}

static void run_marked(size_t capacity)
{
    struct marked m = { .n = test_scale(10000), .ahead = capacity };
    test_threads group;
    uint64_t got, wrong = 0;
    assert_int_equal(longs_bounded(capacity, &m.tx, &m.rx), TR_OK);
    test_threads_start(&group, 1, send_and_look, &m);
    for (uint64_t i = 1; i <= m.n; i++) {
        if (i % 32 == 0)
            linger(i / 32 % 4 * 30000);
        set(&m.mark, i);
        wrong += longs_recv(m.rx, &got) != TR_OK || got != i;
    }
    test_threads_join(&group);
    longs_receiver_drop(&m.rx);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&m.wrong), 0);
    assert_int_equal(value_of(&m.early), 0);
}

static void test_bnd_02_send_on_full_waits_for_a_receive(void **state)
{
    (void)state;
    run_marked(1);
    run_marked(2);
}

static void test_bnd_06_rendezvous_send_waits_for_its_receive(void **state)
{
    (void)state;
    run_marked(0);
}

/* -- BND-07: try against a peer that is parked, or about to ------------------------------------ */

static void send_each(unsigned index, void *arg)
{
    struct marked *m = arg;
    (void)index;
    for (uint64_t i = 1; i <= m->n; i++)
        if (longs_send(m->tx, &i) != TR_OK)
            bump(&m->wrong);
    longs_sender_drop(&m->tx);
}

static void test_bnd_07_try_recv_meets_a_parked_sender(void **state)
{
    (void)state;
    struct marked m = { .n = test_scale(1000) };
    test_threads group;
    uint64_t got = 0, wrong = 0, expected = 1;
    assert_int_equal(longs_bounded(0, &m.tx, &m.rx), TR_OK);
    test_threads_start(&group, 1, send_each, &m);
    for (tr_status s; (s = longs_try_recv(m.rx, &got)) != TR_DISCONNECTED;) {
        if (s == TR_OK)
            wrong += got != expected++;
        else
            (void)sched_yield();
    }
    test_threads_join(&group);
    longs_receiver_drop(&m.rx);
    assert_int_equal(wrong, 0);
    assert_int_equal(expected, m.n + 1);
    assert_int_equal(value_of(&m.wrong), 0);
}

static void receive_each(unsigned index, void *arg)
{
    struct marked *m = arg;
    uint64_t got, expected = 1;
    (void)index;
    while (longs_next(m->rx, &got))
        if (got != expected++)
            bump(&m->wrong);
    set(&m->mark, expected - 1);
    longs_receiver_drop(&m->rx);
}

static void test_bnd_07_try_send_meets_a_parked_receiver(void **state)
{
    (void)state;
    struct marked m = { .n = test_scale(1000) };
    test_threads group;
    uint64_t wrong = 0;
    assert_int_equal(longs_bounded(0, &m.tx, &m.rx), TR_OK);
    test_threads_start(&group, 1, receive_each, &m);
    for (uint64_t i = 1; i <= m.n; i++)
        for (tr_status s; (s = longs_try_send(m.tx, &i)) != TR_OK;) {
            wrong += s != TR_FULL;
            (void)sched_yield();
        }
    longs_sender_drop(&m.tx);
    test_threads_join(&group);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&m.wrong), 0);
    assert_int_equal(value_of(&m.mark), m.n);
}

/* -- BND-17, BND-18 with threads ------------------------------------------------------------------- */

struct meeting {
    test_barrier gate;
    size_t rounds;
    longs_sender tx;
    longs_receiver rx;
    longs_weak_sender weak;
    counter wrong, upgraded, refused;
};

static void send_until_refused(unsigned index, void *arg)
{
    struct meeting *m = arg;
    (void)index;
    for (size_t r = 0; r < m->rounds; r++) {
        uint64_t message = 1;
        test_barrier_wait(&m->gate);
        tr_status s;
        while ((s = longs_send(m->tx, &message)) == TR_OK)
            message++;
        if (s != TR_DISCONNECTED)
            bump(&m->wrong);
        set(&m->upgraded, message - 1); /* that many were accepted */
        test_barrier_wait(&m->gate);
    }
}

static void test_bnd_17_close_wakes_a_blocked_sender(void **state)
{
    (void)state;
    struct meeting m = { .rounds = test_scale(3000) };
    test_threads group;
    uint64_t wrong = 0, got;
    test_barrier_init(&m.gate, 2);
    test_threads_start(&group, 1, send_until_refused, &m);
    for (size_t r = 0; r < m.rounds; r++) {
        uint64_t received = 0;
        wrong += longs_bounded(r % 4, &m.tx, &m.rx) != TR_OK;
        test_barrier_wait(&m.gate);
        for (size_t n = r % 16; n > 0; n--)
            received += longs_recv(m.rx, &got) == TR_OK;
        longs_close(m.rx);
        test_barrier_wait(&m.gate);
        while (longs_next(m.rx, &got)) /* what was accepted, and nothing else */
            received++;
        wrong += received != value_of(&m.upgraded);
        longs_sender_drop(&m.tx);
        longs_receiver_drop(&m.rx);
    }
    test_threads_join(&group);
    test_barrier_fini(&m.gate);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&m.wrong), 0);
}

static void upgrade_and_send(unsigned index, void *arg)
{
    struct meeting *m = arg;
    (void)index;
    for (size_t r = 0; r < m->rounds; r++) {
        uint64_t message = r;
        longs_sender tx;
        test_barrier_wait(&m->gate);
        for (size_t n = r % 32 * 4; n > 0; n--)
            tr_cpu_relax();
        if (longs_upgrade(m->weak, &tx) == TR_OK) {
            bump(&m->upgraded);
            if (longs_send(tx, &message) != TR_OK)
                bump(&m->wrong);
            longs_sender_drop(&tx);
        } else {
            bump(&m->refused);
        }
        longs_weak_sender_drop(&m->weak);
        test_barrier_wait(&m->gate);
    }
}

static void test_bnd_18_stress_upgrade_against_the_last_drop(void **state)
{
    (void)state;
    struct meeting m = { .rounds = test_scale(5000) };
    test_threads group;
    uint64_t wrong = 0, got, received = 0;
    test_barrier_init(&m.gate, 2);
    test_threads_start(&group, 1, upgrade_and_send, &m);
    for (size_t r = 0; r < m.rounds; r++) {
        wrong += longs_bounded(capacities[r % CAPACITIES], &m.tx, &m.rx) != TR_OK;
        m.weak = longs_downgrade(m.tx);
        test_barrier_wait(&m.gate);
        for (size_t n = r / 32 % 32 * 4; n > 0; n--)
            tr_cpu_relax();
        longs_sender_drop(&m.tx);
        while (longs_next(m.rx, &got)) {
            wrong += got != r;
            received++;
        }
        longs_receiver_drop(&m.rx);
        test_barrier_wait(&m.gate);
    }
    test_threads_join(&group);
    test_barrier_fini(&m.gate);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&m.wrong), 0);
    assert_int_equal(received, value_of(&m.upgraded));
    print_message("    %llu upgraded, %llu refused\n", (unsigned long long)value_of(&m.upgraded),
                  (unsigned long long)value_of(&m.refused));
}

/* -- a deadline that passes while the message is being moved -------------------------------------- */

typedef struct slab {
    uint64_t words[16 * 1024]; /* takes tens of microseconds to move */
} slab;
TR_TYPE(slab)
TR_CHANNEL(slabs, slab)

struct moving {
    slabs_sender tx;
    uint64_t n;
    counter sent, wrong;
};

static void send_slabs(unsigned index, void *arg)
{
    struct moving *m = arg;
    static slab out;
    (void)index;
    for (uint64_t i = 1; i <= m->n; i++) {
        out.words[0] = out.words[16 * 1024 - 1] = i;
        linger(i % 16 * 4000);
        const tr_status s = slabs_send_timeout(m->tx, &out, i % 4 == 0 ? 0 : i % 32 * 4000);
        if (s == TR_OK)
            bump(&m->sent);
        else if (s != TR_TIMEOUT)
            bump(&m->wrong);
    }
    slabs_sender_drop(&m->tx);
}

static void test_bnd_03_stress_deadline_while_the_message_is_moved(void **state)
{
    (void)state;
    static slab in;
    struct moving m = { .n = test_scale(3000) };
    slabs_receiver rx;
    test_threads group;
    uint64_t received = 0, wrong = 0, last = 0;
    assert_int_equal(slabs_bounded(0, &m.tx, &rx), TR_OK);
    test_threads_start(&group, 1, send_slabs, &m);
    for (uint64_t i = 0;; i++) {
        const tr_status s = slabs_recv_timeout(rx, i % 64 * 1000, &in);
        if (s == TR_DISCONNECTED)
            break;
        if (s != TR_OK)
            continue;
        received++;
        wrong += in.words[0] <= last || in.words[16 * 1024 - 1] != in.words[0];
        last = in.words[0];
    }
    test_threads_join(&group);
    slabs_receiver_drop(&rx);
    assert_int_equal(wrong, 0);
    assert_int_equal(value_of(&m.wrong), 0);
    assert_int_equal(received, value_of(&m.sent)); /* both sides agree on each */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_bnd_01_full_hands_back_and_room_comes_with_a_receive),
        CASE(test_bnd_02_send_on_full_waits_for_a_receive),
        CASE(test_bnd_03_send_timeout_late_and_gone),
        CASE(test_bnd_03_stress_deadline_while_the_message_is_moved),
        CASE(test_bnd_04_disconnected_wins_over_full),
        CASE(test_bnd_17_close_refuses_sends_and_drains),
        CASE(test_bnd_17_close_wakes_a_blocked_sender),
        CASE(test_bnd_18_weak_sender_upgrades_while_a_sender_lives),
        CASE(test_bnd_18_stress_upgrade_against_the_last_drop),
        CASE(test_bounded_len_at_every_place_of_the_ring),
        CASE(test_bnd_05_rendezvous_alone_is_full_and_empty),
        CASE(test_bnd_06_rendezvous_send_waits_for_its_receive),
        CASE(test_bnd_07_try_recv_meets_a_parked_sender),
        CASE(test_bnd_07_try_send_meets_a_parked_receiver),
    };
    return TEST_RUN(tests);
}
