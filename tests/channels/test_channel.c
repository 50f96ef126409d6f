/*
 * test_channel - what holds for channels of every capacity, on one thread or two
 */
#include "tests/channels/messages.h"

#include <pthread.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

/* -- CHN-01, CHN-05, CHN-06, CHN-09, CHN-17: one thread --------------------------------- */

static void test_chn_01_send_then_recv_gives_the_value(void **state)
{
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int one = 1, got = 0;
    assert_int_equal(ints_unbounded(&tx, &rx), TR_OK);
    assert_int_equal(ints_send(tx, &one), TR_OK);
    assert_int_equal(ints_recv(rx, &got), TR_OK);
    assert_int_equal(got, 1);
    ints_sender_drop(&tx);
    ints_receiver_drop(&rx);
    assert_null(tx.channel_);
    ints_sender_drop(&tx); /* a dropped handle is accepted */
    ints_receiver_drop(&rx);
}

static void test_chn_01_zero_size_messages_are_counted(void **state)
{
    (void)state;
    nothings_sender tx;
    nothings_receiver rx;
    nothing n = {};
    assert_int_equal(nothings_unbounded(&tx, &rx), TR_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(nothings_send(tx, &n), TR_OK);
    assert_int_equal(tr_channel_len(rx), 100);
    nothings_sender_drop(&tx);
    int count = 0;
    while (nothings_next(rx, &n))
        count++;
    assert_int_equal(count, 100);
    nothings_receiver_drop(&rx);
}

static void test_chn_05_all_senders_gone_drains_then_disconnects(void **state)
{
    (void)state;
    for (size_t c = 3; c < CAPACITIES; c++) { /* those with room for three */
        ints_sender tx;
        ints_receiver rx;
        int got;
        assert_int_equal(ints_bounded(capacities[c], &tx, &rx), TR_OK);
        for (int i = 1; i <= 3; i++)
            assert_int_equal(ints_send(tx, &i), TR_OK);
        ints_sender_drop(&tx);
        for (int i = 1; i <= 3; i++) {
            assert_int_equal(ints_recv(rx, &got), TR_OK);
            assert_int_equal(got, i);
        }
        assert_int_equal(ints_recv(rx, &got), TR_DISCONNECTED);
        assert_int_equal(ints_recv(rx, &got), TR_DISCONNECTED);
        assert_int_equal(got, 3);
        ints_receiver_drop(&rx);
    }
}

static void test_chn_06_try_recv_states(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        ints_sender tx;
        ints_receiver rx;
        int v = 10, got = 0;
        assert_int_equal(ints_bounded(capacities[c], &tx, &rx), TR_OK);
        assert_int_equal(ints_try_recv(rx, &got), TR_EMPTY);
        if (capacities[c] != 0) {
            assert_int_equal(ints_try_send(tx, &v), TR_OK);
            assert_int_equal(ints_try_recv(rx, &got), TR_OK);
            assert_int_equal(got, 10);
            assert_int_equal(ints_try_recv(rx, &got), TR_EMPTY);
            v = 11;
            assert_int_equal(ints_try_send(tx, &v), TR_OK);
        }
        ints_sender_drop(&tx);
        if (capacities[c] != 0) {
            assert_int_equal(ints_try_recv(rx, &got), TR_OK);
            assert_int_equal(got, 11);
        }
        assert_int_equal(ints_try_recv(rx, &got), TR_DISCONNECTED);
        assert_int_equal(ints_try_recv(rx, &got), TR_DISCONNECTED);
        ints_receiver_drop(&rx);
    }
}

static void test_chn_08_receiver_dropped_destroys_what_is_queued_at_once(void **state)
{
    (void)state;
    for (size_t n = 5; n < 200; n = n * 2 + 1) { /* within a block, across blocks */
        messages_setup(state);
        parcels_sender tx;
        parcels_receiver rx;
        parcel kept;
        assert_int_equal(parcels_unbounded(&tx, &rx), TR_OK);
        for (uint64_t i = 0; i <= n; i++) {
            parcel p = parcel_make(i);
            assert_int_equal(parcels_send(tx, &p), TR_OK);
        }
        assert_int_equal(parcels_recv(rx, &kept), TR_OK);
        parcels_receiver_drop(&rx);
        assert_int_equal(value_of(&parcels_dropped), n);
        assert_int_equal(kept.weight, 1);
        parcel late = parcel_make(9);
        assert_int_equal(parcels_send(tx, &late), TR_DISCONNECTED);
        assert_int_equal(value_of(&parcels_dropped), n);
        parcel_drop(&late);
        parcel_drop(&kept);
        parcels_sender_drop(&tx);
        assert_int_equal(parcels_alive(), 0);
        assert_int_equal(value_of(&parcels_wrong), 0);
    }
}

static void test_chn_08_bounded_receiver_dropped_destroys_what_is_queued(void **state)
{
    (void)state;
    parcels_sender tx;
    parcels_receiver rx;
    assert_int_equal(parcels_bounded(3, &tx, &rx), TR_OK);
    for (uint64_t i = 0; i < 5; i++) { /* around the end of the ring */
        parcel p = parcel_make(i), out;
        assert_int_equal(parcels_send(tx, &p), TR_OK);
        if (i < 2) {
            assert_int_equal(parcels_recv(rx, &out), TR_OK);
            parcel_drop(&out);
        }
    }
    parcels_receiver_drop(&rx);
    assert_int_equal(parcels_alive(), 0);
    parcels_sender_drop(&tx);
}

static void test_chn_09_all_senders_dropped_keeps_what_is_queued(void **state)
{
    (void)state;
    parcels_sender tx;
    parcels_receiver rx;
    assert_int_equal(parcels_unbounded(&tx, &rx), TR_OK);
    for (uint64_t i = 0; i < 3; i++) {
        parcel p = parcel_make(i);
        assert_int_equal(parcels_send(tx, &p), TR_OK);
    }
    parcels_sender_drop(&tx);
    assert_int_equal(value_of(&parcels_dropped), 0);
    parcels_receiver_drop(&rx);
    assert_int_equal(value_of(&parcels_dropped), 3);
}

static void test_chn_10_recv_timeout_present_late_and_gone(void **state)
{
    (void)state;
    for (size_t c = 1; c < CAPACITIES; c++) {
        ints_sender tx;
        ints_receiver rx;
        int v = 7, got = 0;
        assert_int_equal(ints_bounded(capacities[c], &tx, &rx), TR_OK);
        assert_int_equal(ints_send(tx, &v), TR_OK);
        assert_int_equal(ints_recv_timeout(rx, 0, &got), TR_OK);
        assert_int_equal(got, 7);
        assert_int_equal(ints_recv_timeout(rx, 0, &got), TR_TIMEOUT);
        const uint64_t begin = tr_now();
        assert_int_equal(ints_recv_timeout(rx, TR_MILLISECONDS(10), &got), TR_TIMEOUT);
        assert_true(tr_now() - begin >= TR_MILLISECONDS(10));
        ints_sender_drop(&tx);
        assert_int_equal(ints_recv_timeout(rx, 0, &got), TR_DISCONNECTED);
        assert_int_equal(ints_recv_timeout(rx, TR_FOREVER, &got), TR_DISCONNECTED);
        assert_int_equal(ints_recv_until(rx, TR_FOREVER, &got), TR_DISCONNECTED);
        ints_receiver_drop(&rx);
    }
}

static void test_chn_17_try_next_drains_and_stops_at_empty(void **state)
{
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int got, expected = 0;
    assert_int_equal(ints_unbounded(&tx, &rx), TR_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ints_send(tx, &i), TR_OK);
    while (ints_try_next(rx, &got))
        assert_int_equal(got, expected++);
    assert_int_equal(expected, 3);
    assert_int_equal(ints_try_recv(rx, &got), TR_EMPTY);
    ints_sender_drop(&tx);
    ints_receiver_drop(&rx);
}

/* -- about a channel ----------------------------------------------------------------------- */

static void test_channel_unbounded_len_counts_across_blocks(void **state)
{
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int got;
    assert_int_equal(ints_unbounded(&tx, &rx), TR_OK);
    assert_true(tr_channel_capacity(tx) == TR_UNBOUNDED);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tr_channel_len(tx), i);
        assert_int_equal(ints_send(tx, &i), TR_OK);
        assert_false(tr_channel_is_empty(rx));
        assert_false(tr_channel_is_full(tx));
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tr_channel_len(rx), 200 - i);
        assert_int_equal(ints_recv(rx, &got), TR_OK);
        assert_int_equal(got, i);
    }
    assert_true(tr_channel_is_empty(rx));
    ints_sender_drop(&tx);
    ints_receiver_drop(&rx);
}

static void test_channel_clones_are_the_same_channel(void **state)
{
    (void)state;
    ints_sender a, b;
    ints_receiver ra, rb;
    assert_int_equal(ints_unbounded(&a, &ra), TR_OK);
    assert_int_equal(ints_unbounded(&b, &rb), TR_OK);
    ints_sender a2 = ints_sender_clone(a);
    assert_true(tr_channel_is_same(a, a2));
    assert_true(tr_channel_is_same(a, ra));
    assert_false(tr_channel_is_same(a, b));
    ints_sender_drop(&a);
    int v = 3, got;
    assert_int_equal(ints_send(a2, &v), TR_OK);
    assert_int_equal(ints_recv(ra, &got), TR_OK);
    assert_int_equal(ints_try_recv(ra, &got), TR_EMPTY);
    ints_sender_drop(&a2);
    assert_int_equal(ints_try_recv(ra, &got), TR_DISCONNECTED);
    ints_sender_drop(&b);
    ints_receiver_drop(&ra);
    ints_receiver_drop(&rb);
}

/* -- failures -------------------------------------------------------------------------------- */

static void test_channel_no_memory_changes_nothing(void **state)
{
    (void)state;
    failing_allocator failing;
    longs_sender tx = { NULL };
    longs_receiver rx = { NULL };
    uint64_t v = 0, got;
    for (uint64_t n = 0; n < 2; n++) {
        failing_install(&failing, n);
        assert_int_equal(longs_unbounded(&tx, &rx), TR_NOMEM);
        if (n == 0) {
            assert_int_equal(longs_bounded(4, &tx, &rx), TR_NOMEM);
            assert_int_equal(longs_bounded(0, &tx, &rx), TR_NOMEM);
        }
        failing_remove(&failing);
        assert_null(tx.channel_);
    }
    assert_int_equal(longs_unbounded(&tx, &rx), TR_OK);
    failing_install(&failing, 0);
    while (longs_send(tx, &v) == TR_OK)
        v++;
    assert_int_equal(v, 30); /* slot 30 needs the next block first */
    assert_int_equal(longs_try_send(tx, &v), TR_NOMEM);
    failing_remove(&failing);
    assert_int_equal(longs_send(tx, &v), TR_OK);
    for (uint64_t i = 0; i <= 30; i++) {
        assert_int_equal(longs_recv(rx, &got), TR_OK);
        assert_int_equal(got, i);
    }
    longs_sender_drop(&tx);
    assert_int_equal(longs_recv(rx, &got), TR_DISCONNECTED);
    longs_receiver_drop(&rx);
}

static void test_channel_impossible_capacity_is_refused(void **state)
{
    (void)state;
    longs_sender tx;
    longs_receiver rx;
    assert_int_equal(longs_bounded(SIZE_MAX - 1, &tx, &rx), TR_LAYOUT);
    assert_int_equal(longs_bounded(SIZE_MAX / 16, &tx, &rx), TR_LAYOUT);
}

typedef struct homely {
    int x;
} homely;
TR_TYPE(homely, .flags = TR_NOT_SEND)
TR_CHANNEL(homelies, homely)

static void create_homely(void *arg)
{
    (void)arg;
    homelies_sender tx;
    homelies_receiver rx;
    if (homelies_unbounded(&tx, &rx) == TR_OK)
        tr_panic("it was made");
}

static void test_channel_of_a_type_that_must_not_travel_panics(void **state)
{
    (void)state;
    assert_panics(create_homely, NULL, "must not cross threads");
}

/* A message whose drop panics does not keep the others, or the channel. */
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
TR_CHANNEL(bombs, bomb)

static void drop_bombs(void *arg)
{
    bombs_receiver_drop(arg);
}

static void test_channel_discarded_message_panics_the_rest_is_dropped(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 2; c++) {
        bombs_sender tx;
        bombs_receiver rx;
        bombs_dropped = 0;
        assert_int_equal(bombs_bounded(c == 0 ? TR_UNBOUNDED : 31, &tx, &rx), TR_OK);
        for (unsigned i = 0; i < 31; i++) {
            bomb b = { .armed = i == 30 - 28 * c };
            assert_int_equal(bombs_send(tx, &b), TR_OK);
        }
        assert_panics(drop_bombs, &rx, "bomb");
        assert_int_equal(bombs_dropped, 31);
        bombs_sender_drop(&tx);
    }
}

/* -- CHN-18: a sender that panics ---------------------------------------------------------- */

static void panic_with_sender(void *arg)
{
    __attribute__((cleanup(ints_sender_drop))) ints_sender tx = { ((ints_sender *)arg)->channel_ };
    int v = 5;
    TR_MUST(ints_send(tx, &v));
    tr_panic("on purpose");
}

static void *catch_panic(void *arg)
{
    return tr_catch(panic_with_sender, arg, NULL) == TR_PANICKED ? arg : NULL;
}

static void test_chn_18_panicking_sender_disconnects_and_poisons_nothing(void **state)
{
    (void)state;
    ints_sender tx;
    ints_receiver rx;
    int got = 0;
    pthread_t thread;
    void *result;
    assert_int_equal(ints_unbounded(&tx, &rx), TR_OK);
    tr_set_panic_hook(panics_ignore);
    assert_int_equal(pthread_create(&thread, NULL, catch_panic, &tx), 0);
    assert_int_equal(ints_recv(rx, &got), TR_OK);
    assert_int_equal(got, 5);
    assert_int_equal(ints_recv(rx, &got), TR_DISCONNECTED);
    pthread_join(thread, &result);
    tr_set_panic_hook(NULL);
    assert_ptr_equal(result, &tx);
    ints_receiver_drop(&rx);
}

/* -- CHN-22: large messages on a small stack ------------------------------------------------- */

static void *large_messages(void *arg)
{
    static page in, out; /* the messages, too, would not fit twice */
    pages_sender tx;
    pages_receiver rx;
    uint64_t *wrong = arg;
    for (unsigned c = 0; c < 2; c++) {
        if (pages_bounded(c == 0 ? TR_UNBOUNDED : 40, &tx, &rx) != TR_OK)
            return NULL;
        for (unsigned i = 0; i < 40; i++) {
            memset(in.bytes, (int)i, sizeof in.bytes);
            *wrong += pages_send(tx, &in) != TR_OK;
        }
        for (unsigned i = 0; i < 40; i++) {
            *wrong += pages_recv(rx, &out) != TR_OK;
            *wrong += out.bytes[0] != i || out.bytes[sizeof out.bytes - 1] != i;
        }
        pages_sender_drop(&tx);
        pages_receiver_drop(&rx);
    }
    return arg;
}

static void test_chn_22_large_messages_on_a_small_stack(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    pthread_t thread;
    uint64_t wrong = 0;
    void *result;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, large_messages, &wrong), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attributes);
    assert_ptr_equal(result, &wrong);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_chn_01_send_then_recv_gives_the_value),
        CASE(test_chn_01_zero_size_messages_are_counted),
        CASE(test_chn_05_all_senders_gone_drains_then_disconnects),
        CASE(test_chn_06_try_recv_states),
        CASE(test_chn_08_receiver_dropped_destroys_what_is_queued_at_once),
        CASE(test_chn_08_bounded_receiver_dropped_destroys_what_is_queued),
        CASE(test_chn_09_all_senders_dropped_keeps_what_is_queued),
        CASE(test_chn_10_recv_timeout_present_late_and_gone),
        CASE(test_chn_17_try_next_drains_and_stops_at_empty),
        CASE(test_channel_unbounded_len_counts_across_blocks),
        CASE(test_channel_clones_are_the_same_channel),
        CASE(test_channel_no_memory_changes_nothing),
        CASE(test_channel_impossible_capacity_is_refused),
        CASE(test_channel_of_a_type_that_must_not_travel_panics),
        CASE(test_channel_discarded_message_panics_the_rest_is_dropped),
        CASE(test_chn_18_panicking_sender_disconnects_and_poisons_nothing),
        CASE(test_chn_22_large_messages_on_a_small_stack),
    };
    return TEST_RUN(tests);
}
