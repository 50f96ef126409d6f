/*
 * test_timed - after, tick and never, received and selected
 */
#include "tests/channels/messages.h"

#include <troupe/channels/timed.h>

#include "tests/mem/failing.h"

static void test_sel_08_after_fires_once(void **state)
{
    (void)state;
    tr_time_receiver rx;
    uint64_t when = 0;
    const uint64_t begin = tr_now();
    assert_int_equal(tr_after(TR_MILLISECONDS(50), &rx), TR_OK);
    const bool empty = tr_channel_is_empty(rx);
    const tr_status early = tr_time_try_recv(rx, &when);
    if (tr_now() - begin < TR_MILLISECONDS(50)) { /* else somebody kept us for that long */
        assert_true(empty);
        assert_int_equal(early, TR_EMPTY);
    }
    assert_int_equal(tr_channel_capacity(rx), 1);
    if (early != TR_OK)
        assert_int_equal(tr_time_recv(rx, &when), TR_OK);
    assert_true(when - begin >= TR_MILLISECONDS(50));
    assert_true(tr_now() >= when);
    assert_true(tr_now() - begin < TR_SECONDS(2));
    assert_int_equal(tr_time_try_recv(rx, &when), TR_EMPTY);
    assert_int_equal(tr_time_recv_timeout(rx, TR_MILLISECONDS(60), &when), TR_TIMEOUT);
    assert_int_equal(tr_channel_len(rx), 0);
    tr_time_receiver_drop(&rx);
}

static void test_sel_08_after_due_has_len_one_until_taken(void **state)
{
    (void)state;
    tr_time_receiver rx;
    uint64_t when;
    assert_int_equal(tr_after(0, &rx), TR_OK);
    assert_int_equal(tr_channel_len(rx), 1);
    assert_true(tr_channel_is_full(rx));
    assert_int_equal(tr_time_try_recv(rx, &when), TR_OK);
    assert_true(tr_channel_is_empty(rx));
    tr_time_receiver_drop(&rx);
}

static void test_timed_after_ends_a_wait_and_loses_to_what_is_ready(void **state)
{
    (void)state;
    longs_sender tx, full;
    longs_receiver rx, unread;
    tr_time_receiver soon, late;
    uint64_t got, when, v = 1;
    size_t i;
    assert_int_equal(longs_bounded(0, &tx, &rx), TR_OK);
    assert_int_equal(longs_bounded(0, &full, &unread), TR_OK);
    assert_int_equal(tr_after(TR_MILLISECONDS(5), &soon), TR_OK);
    assert_int_equal(tr_after(TR_SECONDS(100), &late), TR_OK);
    tr_select_op ops[] = { longs_select_recv(rx, &got), tr_time_select_recv(late, &when),
                           tr_time_select_recv(soon, &when), longs_select_send(full, &v) };
    assert_int_equal(tr_select(ops, 4, &i), TR_OK);
    assert_int_equal(i, 2);
    assert_true(tr_now() >= when);
    assert_int_equal(tr_select_timeout(ops, 4, TR_MILLISECONDS(3), &i), TR_TIMEOUT);
    longs_sender_drop(&tx);
    assert_int_equal(tr_select(ops, 4, &i), TR_OK);
    assert_int_equal(i, 0);
    tr_time_receiver_drop(&soon);
    tr_time_receiver_drop(&late);
    longs_sender_drop(&full);
    longs_receiver_drop(&rx);
    longs_receiver_drop(&unread);
}

static void test_timed_tick_neither_drifts_nor_piles_up(void **state)
{
    (void)state;
    tr_time_receiver rx;
    uint64_t first, when, before = 0;
    const uint64_t period = TR_MILLISECONDS(4), begin = tr_now();
    assert_int_equal(tr_tick(period, &rx), TR_OK);
    assert_int_equal(tr_time_recv(rx, &first), TR_OK);
    assert_true(first - begin >= period);
    before = first;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tr_time_recv(rx, &when), TR_OK);
        assert_true(when - before >= period);
        before = when;
    }
    const uint64_t taken = tr_now();
    TEST_UNTIL(tr_now() > taken + 5 * period); /* late: several periods at once */
    assert_int_equal(tr_time_try_recv(rx, &when), TR_OK);
    assert_true(when >= before + period);
    assert_true(when <= taken + period); /* the first that was missed */
    assert_int_equal(tr_time_recv(rx, &when), TR_OK);
    assert_true(when > taken + 5 * period); /* none of those in between */
    tr_time_receiver_drop(&rx);
}

static void test_sel_09_never_is_one_channel_without_messages(void **state)
{
    (void)state;
    tr_time_receiver a = tr_time_never(), after;
    longs_receiver b = longs_never();
    uint64_t got;
    assert_true(tr_channel_is_same(a, b));
    assert_int_equal(tr_time_try_recv(a, &got), TR_EMPTY);
    const uint64_t begin = tr_now();
    assert_int_equal(longs_recv_timeout(b, TR_MILLISECONDS(20), &got), TR_TIMEOUT);
    assert_true(tr_now() - begin >= TR_MILLISECONDS(20));
    assert_true(tr_now() - begin < TR_SECONDS(2));
    assert_true(tr_channel_is_empty(b));
    tr_time_receiver_drop(&a);
    longs_receiver_drop(&b);
    assert_null(a.channel_);
    assert_int_equal(tr_after(TR_FOREVER, &after), TR_OK);
    assert_int_equal(tr_time_recv_timeout(after, TR_MILLISECONDS(2), &got), TR_TIMEOUT);
    tr_time_receiver_drop(&after);
    assert_int_equal(tr_after(TR_FOREVER - 1, &after), TR_OK);
    assert_int_equal(tr_time_try_recv(after, &got), TR_EMPTY);
    tr_time_receiver_drop(&after);
}

static void test_timed_no_memory_makes_nothing(void **state)
{
    (void)state;
    failing_allocator failing;
    tr_time_receiver rx = { NULL };
    failing_install(&failing, 0);
    assert_int_equal(tr_after(1, &rx), TR_NOMEM);
    assert_int_equal(tr_tick(1, &rx), TR_NOMEM);
    failing_remove(&failing);
    assert_null(rx.channel_);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_sel_08_after_fires_once),
        CASE(test_sel_08_after_due_has_len_one_until_taken),
        CASE(test_timed_after_ends_a_wait_and_loses_to_what_is_ready),
        CASE(test_timed_tick_neither_drifts_nor_piles_up),
        CASE(test_sel_09_never_is_one_channel_without_messages),
        CASE(test_timed_no_memory_makes_nothing),
    };
    return TEST_RUN(tests);
}
