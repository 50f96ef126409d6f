/*
 * test_oneshot - one value, once: sent, broken, closed, late
 */
#include "tests/channels/messages.h"

#include <stdlib.h>
#include <troupe/channels/oneshot.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

TR_ONESHOT(answer, uint64_t)
TR_ONESHOT(gift, parcel)

typedef struct aligned {
    _Alignas(64) unsigned char bytes[64];
} aligned;
TR_TYPE(aligned)
TR_ONESHOT(wide, aligned)

static void test_one_01_send_then_recv_consumes_the_sender(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t v = 42, got = 0;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    assert_false(answer_is_closed(tx));
    assert_int_equal(answer_try_recv(rx, &got), TR_EMPTY);
    assert_int_equal(answer_send(&tx, &v), TR_OK);
    assert_null(tx.oneshot_);
    assert_int_equal(answer_recv(rx, &got), TR_OK);
    assert_int_equal(got, 42);
    assert_int_equal(answer_recv(rx, &got), TR_DISCONNECTED);
    assert_int_equal(answer_try_recv(rx, &got), TR_DISCONNECTED);
    answer_sender_drop(&tx);
    answer_receiver_drop(&rx);
    answer_receiver_drop(&rx);
}

static void send_again(void *arg)
{
    uint64_t v = 1;
    if (answer_send(arg, &v) != TR_PANICKED)
        return;
}

static void test_one_01_second_send_panics(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t v = 42;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    assert_int_equal(answer_send(&tx, &v), TR_OK);
    assert_panics(send_again, &tx, "second time");
    answer_receiver_drop(&rx);
}

static void test_one_02_sender_dropped_breaks_every_receive(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t got = 5;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    answer_sender_drop(&tx);
    const uint64_t begin = tr_now();
    assert_int_equal(answer_recv(rx, &got), TR_DISCONNECTED);
    assert_int_equal(answer_try_recv(rx, &got), TR_DISCONNECTED);
    assert_int_equal(answer_recv_timeout(rx, TR_SECONDS(100), &got), TR_DISCONNECTED);
    assert_int_equal(answer_recv_until(rx, 1, &got), TR_DISCONNECTED); /* in the past */
    assert_true(tr_now() - begin < TR_SECONDS(50));
    assert_int_equal(got, 5);
    answer_receiver_drop(&rx);
}

static void test_one_03_timeout_leaves_the_receiver_usable(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t v = 3, got = 0;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    assert_int_equal(answer_recv_timeout(rx, 0, &got), TR_TIMEOUT);
    const uint64_t begin = tr_now();
    assert_int_equal(answer_recv_timeout(rx, TR_MILLISECONDS(3), &got), TR_TIMEOUT);
    assert_true(tr_now() - begin >= TR_MILLISECONDS(3));
    assert_int_equal(answer_send(&tx, &v), TR_OK);
    assert_int_equal(answer_recv_timeout(rx, 0, &got), TR_OK);
    assert_int_equal(got, 3);
    answer_receiver_drop(&rx);
}

static void test_one_04_receiver_dropped_first_hands_back(void **state)
{
    (void)state;
    gift_sender tx;
    gift_receiver rx;
    parcel p = parcel_make(1);
    assert_int_equal(gift_oneshot(&tx, &rx), TR_OK);
    gift_receiver_drop(&rx);
    assert_true(gift_is_closed(tx));
    assert_int_equal(gift_send(&tx, &p), TR_DISCONNECTED);
    assert_int_equal(value_of(&parcels_dropped), 0);
    assert_non_null(tx.oneshot_);
    assert_int_equal(gift_send(&tx, &p), TR_DISCONNECTED);
    gift_sender_drop(&tx);
    parcel_drop(&p);
    assert_int_equal(value_of(&parcels_wrong), 0);
}

static void test_one_04_receiver_dropped_with_the_value_destroys_it(void **state)
{
    (void)state;
    gift_sender tx;
    gift_receiver rx;
    parcel p = parcel_make(1);
    assert_int_equal(gift_oneshot(&tx, &rx), TR_OK);
    assert_int_equal(gift_send(&tx, &p), TR_OK);
    assert_int_equal(value_of(&parcels_dropped), 0);
    gift_receiver_drop(&rx);
    assert_int_equal(value_of(&parcels_dropped), 1);
}

static void test_oneshot_closed_before_the_send_refuses_it(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t v = 3, got;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    answer_close(rx);
    answer_close(rx);
    assert_true(answer_is_closed(tx));
    assert_int_equal(answer_try_recv(rx, &got), TR_DISCONNECTED);
    assert_int_equal(answer_send(&tx, &v), TR_DISCONNECTED);
    assert_int_equal(answer_recv(rx, &got), TR_DISCONNECTED);
    answer_sender_drop(&tx);
    assert_int_equal(answer_recv(rx, &got), TR_DISCONNECTED);
    answer_receiver_drop(&rx);
}

static void test_oneshot_closed_after_the_send_still_receives(void **state)
{
    (void)state;
    answer_sender tx;
    answer_receiver rx;
    uint64_t v = 3, got = 0;
    assert_int_equal(answer_oneshot(&tx, &rx), TR_OK);
    assert_int_equal(answer_send(&tx, &v), TR_OK);
    answer_close(rx);
    assert_int_equal(answer_recv(rx, &got), TR_OK);
    assert_int_equal(got, 3);
    answer_receiver_drop(&rx);
}

static void test_oneshot_value_lies_at_its_alignment(void **state)
{
    (void)state;
    wide_sender tx;
    wide_receiver rx;
    aligned v, got;
    memset(v.bytes, 7, sizeof v.bytes);
    assert_int_equal(wide_oneshot(&tx, &rx), TR_OK);
    assert_int_equal(wide_send(&tx, &v), TR_OK);
    assert_int_equal(wide_recv(rx, &got), TR_OK);
    assert_memory_equal(v.bytes, got.bytes, sizeof v.bytes);
    wide_receiver_drop(&rx);
}

static void test_oneshot_no_memory_changes_nothing(void **state)
{
    (void)state;
    failing_allocator failing;
    answer_sender tx = { NULL };
    answer_receiver rx = { NULL };
    failing_install(&failing, 0);
    assert_int_equal(answer_oneshot(&tx, &rx), TR_NOMEM);
    failing_remove(&failing);
    assert_null(tx.oneshot_);
    assert_null(rx.oneshot_);
}

/* -- rounds: the two sides meet -------------------------------------------------------------- */

struct meeting {
    test_barrier gate;
    size_t rounds;
    gift_sender tx;
    counter handed_back, sent, broken;
};

static void send_or_drop(unsigned index, void *arg)
{
    struct meeting *m = arg;
    (void)index;
    for (size_t r = 0; r < m->rounds; r++) {
        test_barrier_wait(&m->gate);
        linger(r * 7 % 32 * 2000);
        parcel p = parcel_make(r);
        if (r % 4 != 0 && gift_send(&m->tx, &p) == TR_OK) {
            bump(&m->sent);
        } else {
            bump(r % 4 == 0 ? &m->broken : &m->handed_back);
            parcel_drop(&p);
        }
        gift_sender_drop(&m->tx);
        test_barrier_wait(&m->gate);
    }
}

/* What the receiver does in a round; the parcels it received. */
static uint64_t receive_round(struct meeting *m, size_t r, uint64_t *wrong)
{
    gift_receiver rx;
    parcel p;
    uint64_t received = 0;
    *wrong += gift_oneshot(&m->tx, &rx) != TR_OK;
    test_barrier_wait(&m->gate);
    linger(r * 5 % 16 * 2000);
    if (r % 3 == 0) {
        gift_close(rx); /* and take what was sent before */
    } else if (r % 3 == 1) {
        const tr_status s = gift_recv_timeout(rx, r % 16 * 4000, &p);
        *wrong += s != TR_OK && s != TR_DISCONNECTED && s != TR_TIMEOUT;
        *wrong += s == TR_OK && r % 4 == 0;
        if (s == TR_OK) {
            parcel_drop(&p);
            received++;
        }
    } else if (r % 5 != 0) {
        const tr_status s = gift_recv(rx, &p);
        *wrong += s != (r % 4 == 0 ? TR_DISCONNECTED : TR_OK);
        if (s == TR_OK) {
            *wrong += p.n != r;
            parcel_drop(&p);
            received++;
        }
    }
    gift_receiver_drop(&rx);
    test_barrier_wait(&m->gate);
    return received;
}

static void test_one_02_stress_every_meeting_of_the_two_sides(void **state)
{
    (void)state;
    struct meeting m = { .rounds = test_scale(8000) };
    test_threads group;
    uint64_t wrong = 0, received = 0, left = 0;
    test_barrier_init(&m.gate, 2);
    test_threads_start(&group, 1, send_or_drop, &m);
    for (size_t r = 0; r < m.rounds; r++) {
        received += receive_round(&m, r, &wrong);
        left += parcels_alive();
    }
    test_threads_join(&group);
    test_barrier_fini(&m.gate);
    assert_int_equal(wrong, 0);
    assert_int_equal(left, 0);
    assert_int_equal(value_of(&parcels_wrong), 0);
    assert_true(received <= value_of(&m.sent));
    print_message("    %llu received, %llu dropped unseen, %llu handed back, %llu broken\n",
                  (unsigned long long)received,
                  (unsigned long long)(value_of(&m.sent) - received),
                  (unsigned long long)value_of(&m.handed_back),
                  (unsigned long long)value_of(&m.broken));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_01_send_then_recv_consumes_the_sender),
        CASE(test_one_01_second_send_panics),
        CASE(test_one_02_sender_dropped_breaks_every_receive),
        CASE(test_one_03_timeout_leaves_the_receiver_usable),
        CASE(test_one_04_receiver_dropped_first_hands_back),
        CASE(test_one_04_receiver_dropped_with_the_value_destroys_it),
        CASE(test_oneshot_closed_before_the_send_refuses_it),
        CASE(test_oneshot_closed_after_the_send_still_receives),
        CASE(test_oneshot_value_lies_at_its_alignment),
        CASE(test_oneshot_no_memory_changes_nothing),
        CASE(test_one_02_stress_every_meeting_of_the_two_sides),
    };
    return TEST_RUN(tests);
}
