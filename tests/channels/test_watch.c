/*
 * test_watch - the latest value: seen, changed, closed
 */
#include "tests/channels/messages.h"

#include <stdlib.h>
#include <troupe/channels/watch.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

TR_WATCH(level, uint64_t)
TR_WATCH(cargo, parcel)

static uint64_t look(level_receiver rx)
{
    level_ref r = level_borrow(rx);
    const uint64_t v = *r.value;
    level_ref_drop(&r);
    level_ref_drop(&r); /* an ended look is accepted */
    return v;
}

static uint64_t look_and_update(level_receiver *rx)
{
    level_ref r = level_borrow_and_update(rx);
    const uint64_t v = *r.value;
    level_ref_drop(&r);
    return v;
}

static void send_value(level_sender tx, uint64_t v)
{
    assert_int_equal(level_send(tx, &v), TR_OK);
}

static void open_level(level_sender *tx, level_receiver *rx)
{
    uint64_t v = 1;
    assert_int_equal(level_watch(&v, tx, rx), TR_OK);
}

static void test_wbc_01_initial_value_is_seen_and_updates_are_not(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx;
    open_level(&tx, &rx);
    assert_false(level_has_changed(rx));
    assert_int_equal(look(rx), 1);
    send_value(tx, 2);
    assert_true(level_has_changed(rx));
    assert_int_equal(look(rx), 2);
    assert_true(level_has_changed(rx)); /* borrow does not clear */
    assert_int_equal(look_and_update(&rx), 2);
    assert_false(level_has_changed(rx));
    assert_int_equal(level_changed_until(&rx, 0), TR_TIMEOUT);
    level_sender_drop(&tx);
    level_receiver_drop(&rx);
    level_receiver_drop(&rx);
    level_sender_drop(&tx);
}

static void test_watch_changed_counts_as_seen_and_merges(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx;
    open_level(&tx, &rx);
    for (uint64_t v = 2; v < 10; v++)
        send_value(tx, v);
    assert_int_equal(level_changed(&rx), TR_OK);
    assert_false(level_has_changed(rx));
    assert_int_equal(look(rx), 9);
    const uint64_t begin = tr_now();
    assert_int_equal(level_changed_until(&rx, begin + TR_MILLISECONDS(3)), TR_TIMEOUT);
    assert_true(tr_now() - begin >= TR_MILLISECONDS(3));
    level_sender_drop(&tx);
    level_receiver_drop(&rx);
}

static void test_watch_sender_gone_shows_the_last_value_first(void **state)
{
    (void)state;
    level_sender tx, second;
    level_receiver rx;
    open_level(&tx, &rx);
    second = level_sender_clone(tx);
    send_value(tx, 2);
    level_sender_drop(&tx);
    assert_int_equal(level_changed(&rx), TR_OK);
    assert_int_equal(level_changed_until(&rx, 0), TR_TIMEOUT); /* one is left */
    send_value(second, 3);
    level_sender_drop(&second);
    assert_int_equal(level_changed(&rx), TR_OK);
    assert_int_equal(level_changed(&rx), TR_DISCONNECTED);
    assert_int_equal(look(rx), 3);
    level_receiver_drop(&rx);
}

static void test_watch_without_receivers_is_closed_until_one_subscribes(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx, second;
    uint64_t v = 5;
    open_level(&tx, &rx);
    second = level_receiver_clone(rx);
    level_receiver_drop(&rx);
    assert_false(level_is_closed(tx));
    assert_int_equal(level_closed_until(tx, 0), TR_TIMEOUT);
    level_receiver_drop(&second);
    assert_true(level_is_closed(tx));
    assert_int_equal(level_closed_until(tx, TR_FOREVER), TR_OK);
    assert_int_equal(level_send(tx, &v), TR_DISCONNECTED);
    assert_int_equal(v, 5);
    level_send_replace(tx, &v); /* without receivers, too */
    assert_int_equal(v, 1);
    rx = level_subscribe(tx);
    assert_false(level_has_changed(rx));
    assert_int_equal(look(rx), 5);
    send_value(tx, 6);
    assert_true(level_has_changed(rx));
    level_sender_drop(&tx);
    level_receiver_drop(&rx);
}

static void test_watch_clone_has_seen_what_the_original_has(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx, copy;
    open_level(&tx, &rx);
    send_value(tx, 2);
    copy = level_receiver_clone(rx);
    assert_true(level_has_changed(copy));
    (void)look_and_update(&rx);
    assert_true(level_has_changed(copy));
    level_receiver fresh = level_subscribe(tx);
    assert_false(level_has_changed(fresh));
    level_receiver_drop(&copy);
    level_receiver_drop(&fresh);
    level_receiver_drop(&rx);
    level_sender_drop(&tx);
}

static bool add_if_even(uint64_t *value, void *arg)
{
    if (*value % 2 != 0)
        return false;
    *value += *(uint64_t *)arg;
    return true;
}

static void test_watch_send_if_modified_tells_only_of_changes(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx;
    uint64_t by = 11;
    open_level(&tx, &rx);
    assert_false(level_send_if_modified(tx, add_if_even, &by));
    assert_false(level_has_changed(rx));
    send_value(tx, 2);
    assert_true(level_send_if_modified(tx, add_if_even, &by));
    level_ref r = level_sender_borrow(tx);
    assert_int_equal(*r.value, 13);
    level_ref_drop(&r);
    level_sender_drop(&tx);
    level_receiver_drop(&rx);
}

static bool modify_and_panic(uint64_t *value, void *arg)
{
    (void)arg;
    *value = 77;
    tr_panic("in modify");
}

static void modify_panicking(void *arg)
{
    (void)level_send_if_modified(*(level_sender *)arg, modify_and_panic, NULL);
}

static void test_watch_panic_in_modify_holds_no_lock(void **state)
{
    (void)state;
    level_sender tx;
    level_receiver rx;
    open_level(&tx, &rx);
    assert_panics(modify_panicking, &tx, "in modify");
    assert_false(level_has_changed(rx));
    assert_int_equal(look(rx), 77);
    send_value(tx, 2);
    assert_int_equal(look(rx), 2);
    level_sender_drop(&tx);
    level_receiver_drop(&rx);
}

static void test_watch_each_value_is_dropped_once(void **state)
{
    (void)state;
    cargo_sender tx;
    cargo_receiver rx;
    parcel p = parcel_make(0);
    assert_int_equal(cargo_watch(&p, &tx, &rx), TR_OK);
    for (uint64_t i = 1; i < 5; i++) {
        p = parcel_make(i);
        assert_int_equal(cargo_send(tx, &p), TR_OK);
        assert_int_equal(value_of(&parcels_dropped), i);
    }
    p = parcel_make(9);
    cargo_send_replace(tx, &p);
    assert_int_equal(p.n, 4);
    assert_int_equal(p.weight, 1);
    parcel_drop(&p);
    cargo_receiver_drop(&rx);
    p = parcel_make(10);
    assert_int_equal(cargo_send(tx, &p), TR_DISCONNECTED);
    parcel_drop(&p);
    assert_int_equal(parcels_alive(), 1);
    cargo_sender_drop(&tx);
    assert_int_equal(parcels_alive(), 0);
    assert_int_equal(value_of(&parcels_wrong), 0);
}

static void test_watch_no_memory_keeps_the_value(void **state)
{
    (void)state;
    failing_allocator failing;
    cargo_sender tx = { NULL };
    cargo_receiver rx = { NULL, 0 };
    parcel p = parcel_make(0);
    failing_install(&failing, 0);
    assert_int_equal(cargo_watch(&p, &tx, &rx), TR_NOMEM);
    failing_remove(&failing);
    assert_null(tx.watch_);
    assert_int_equal(p.weight, 1);
    parcel_drop(&p);
}

/* -- threads ---------------------------------------------------------------------------------- */

/* Two words that belong together, so that a torn look shows. */
typedef struct twins {
    uint64_t a, b;
} twins;
TR_TYPE(twins)
TR_WATCH(pair, twins)

struct watching {
    pair_sender tx[2];
    pair_receiver rx[3];
    uint64_t each;
    counter torn, backwards, missed_last, looks;
};

static void send_or_watch(unsigned index, void *arg)
{
    struct watching *w = arg;
    if (index < 2) {
        for (uint64_t i = 1; i <= w->each; i++) {
            twins t = { i, ~i };
            if (i % 16 == 0)
                linger(i / 16 % 4 * 30000);
            if (pair_send(w->tx[index], &t) != TR_OK)
                bump(&w->torn);
        }
        pair_sender_drop(&w->tx[index]);
        return;
    }
    pair_receiver *rx = &w->rx[index - 2];
    uint64_t last = 0, version = 0;
    for (uint64_t n = 0;; n++) {
        const tr_status s = pair_changed_until(rx, n % 2 == 0 ? TR_FOREVER : tr_now() + n % 16 * 5000);
        if (s == TR_DISCONNECTED)
            break;
        pair_ref r = pair_borrow_and_update(rx);
        if (r.value->a != ~r.value->b)
            bump(&w->torn);
        last = r.value->a;
        pair_ref_drop(&r);
        if (rx->seen_ < version)
            bump(&w->backwards);
        version = rx->seen_;
        bump(&w->looks);
    }
    if (last != w->each || version != 2 * w->each) /* both senders end with it */
        bump(&w->missed_last);
    pair_receiver_drop(rx);
}

static void test_watch_stress_looks_are_whole_and_the_last_value_is_seen(void **state)
{
    (void)state;
    struct watching w = { .each = test_scale(5000) };
    twins t = { 0, ~UINT64_C(0) };
    assert_int_equal(pair_watch(&t, &w.tx[0], &w.rx[0]), TR_OK);
    w.tx[1] = pair_sender_clone(w.tx[0]);
    w.rx[1] = pair_receiver_clone(w.rx[0]);
    w.rx[2] = pair_receiver_clone(w.rx[0]);
    test_threads_run(5, send_or_watch, &w);
    assert_int_equal(value_of(&w.torn), 0);
    assert_int_equal(value_of(&w.backwards), 0);
    assert_int_equal(value_of(&w.missed_last), 0);
}

struct following {
    level_receiver rx;
    counter seen;
};

static void follow(unsigned index, void *arg)
{
    struct following *f = arg;
    (void)index;
    for (uint64_t n = 0; level_changed(&f->rx) == TR_OK; n++) {
        set(&f->seen, look(f->rx));
        linger(n % 41 * 250);
    }
    level_receiver_drop(&f->rx);
}

static void test_watch_stress_each_change_wakes(void **state)
{
    (void)state;
    struct following f = { 0 };
    test_threads group;
    level_sender tx;
    open_level(&tx, &f.rx);
    test_threads_start(&group, 1, follow, &f);
    for (uint64_t v = 2; v < test_scale(5000); v++) {
        if (v % 2 == 0)
            send_value(tx, v);
        else
            level_send_replace(tx, &(uint64_t){ v });
        TEST_UNTIL(value_of(&f.seen) == v);
        linger(v % 37 * 250);
    }
    level_sender_drop(&tx);
    test_threads_join(&group);
}

struct leaving {
    test_barrier gate;
    size_t rounds;
    level_receiver rx;
};

static void drop_receiver_each_round(unsigned index, void *arg)
{
    struct leaving *l = arg;
    (void)index;
    for (size_t r = 0; r < l->rounds; r++) {
        test_barrier_wait(&l->gate);
        linger(r % 32 * 2000);
        level_receiver_drop(&l->rx);
        test_barrier_wait(&l->gate);
    }
}

static void test_watch_stress_last_receiver_wakes_the_sender(void **state)
{
    (void)state;
    struct leaving l = { .rounds = test_scale(2000) };
    test_threads group;
    uint64_t wrong = 0;
    test_barrier_init(&l.gate, 2);
    test_threads_start(&group, 1, drop_receiver_each_round, &l);
    for (size_t r = 0; r < l.rounds; r++) {
        level_sender tx;
        uint64_t v = 1;
        wrong += level_watch(&v, &tx, &l.rx) != TR_OK;
        test_barrier_wait(&l.gate);
        wrong += level_closed_until(tx, TR_FOREVER) != TR_OK;
        level_sender_drop(&tx);
        test_barrier_wait(&l.gate);
    }
    test_threads_join(&group);
    test_barrier_fini(&l.gate);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_wbc_01_initial_value_is_seen_and_updates_are_not),
        CASE(test_watch_changed_counts_as_seen_and_merges),
        CASE(test_watch_sender_gone_shows_the_last_value_first),
        CASE(test_watch_without_receivers_is_closed_until_one_subscribes),
        CASE(test_watch_clone_has_seen_what_the_original_has),
        CASE(test_watch_send_if_modified_tells_only_of_changes),
        CASE(test_watch_panic_in_modify_holds_no_lock),
        CASE(test_watch_each_value_is_dropped_once),
        CASE(test_watch_no_memory_keeps_the_value),
        CASE(test_watch_stress_looks_are_whole_and_the_last_value_is_seen),
        CASE(test_watch_stress_each_change_wakes),
        CASE(test_watch_stress_last_receiver_wakes_the_sender),
    };
    return TEST_RUN(tests);
}
