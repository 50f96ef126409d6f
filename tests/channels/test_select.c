/*
 * test_select - one of several sends and receives
 */
#include "tests/channels/messages.h"

#include "channels/flavour.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

#define PAIRS 3

struct pairs {
    longs_sender tx[PAIRS];
    longs_receiver rx[PAIRS];
};

static void open_pairs(struct pairs *p, size_t capacity)
{
    for (unsigned i = 0; i < PAIRS; i++)
        assert_int_equal(longs_bounded(capacity, &p->tx[i], &p->rx[i]), TR_OK);
}

static void close_pairs(struct pairs *p)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        longs_sender_drop(&p->tx[i]);
        longs_receiver_drop(&p->rx[i]);
    }
}

/* -- SEL-01, SEL-02: one thread ---------------------------------------------------------------- */

static void test_sel_01_the_only_ready_one_is_chosen(void **state)
{
    (void)state;
    struct pairs p;
    uint64_t v = 5, got[2] = { 0 };
    size_t i;
    open_pairs(&p, 1);
    for (unsigned ready = 0; ready < 2; ready++) {
        tr_select_op ops[] = { longs_select_recv(p.rx[0], &got[0]),
                               longs_select_recv(p.rx[1], &got[1]) };
        v++;
        assert_int_equal(longs_send(p.tx[ready], &v), TR_OK);
        assert_int_equal(tr_select(ops, 2, &i), TR_OK);
        assert_int_equal(i, ready);
        assert_int_equal(ops[i].status, TR_OK);
        assert_int_equal(got[i], v);
        assert_int_equal(tr_try_select(ops, 2, &i), TR_EMPTY);
    }
    close_pairs(&p);
}

static void test_sel_01_disconnected_counts_as_ready(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        struct pairs p;
        uint64_t got = 7, v = 8;
        size_t i;
        open_pairs(&p, capacities[c]);
        longs_sender_drop(&p.tx[1]);
        longs_receiver_drop(&p.rx[2]);
        tr_select_op ops[] = { longs_select_recv(p.rx[0], &got), longs_select_recv(p.rx[1], &got) };
        assert_int_equal(tr_select(ops, 2, &i), TR_OK);
        assert_int_equal(i, 1);
        assert_int_equal(ops[1].status, TR_DISCONNECTED);
        assert_int_equal(got, 7);
        ops[1] = longs_select_send(p.tx[2], &v);
        assert_int_equal(tr_try_select(ops, 2, &i), TR_OK);
        assert_int_equal(i, 1);
        assert_int_equal(ops[1].status, TR_DISCONNECTED);
        close_pairs(&p);
    }
}

static void select_for_ever(void *arg)
{
    size_t i;
    if (tr_select(arg, 0, &i) != TR_OK)
        tr_panic("it came back");
}

static void test_sel_02_nothing_ready_gives_nothing(void **state)
{
    (void)state;
    struct pairs p;
    uint64_t got = 3, v = 4;
    size_t i = 77;
    for (size_t capacity = 0; capacity < 2; capacity++) {
        open_pairs(&p, capacity);
        for (size_t n = 0; n < capacity; n++)
            assert_int_equal(longs_send(p.tx[1], &v), TR_OK);
        tr_select_op ops[] = { longs_select_recv(p.rx[0], &got), longs_select_send(p.tx[1], &v),
                               longs_select_recv(longs_never(), &got) };
        assert_int_equal(tr_try_select(ops, 3, &i), TR_EMPTY);
        const uint64_t begin = tr_now();
        assert_int_equal(tr_select_timeout(ops, 3, TR_MILLISECONDS(5), &i), TR_TIMEOUT);
        assert_true(tr_now() - begin >= TR_MILLISECONDS(5));
        close_pairs(&p);
    }
    assert_int_equal(i, 77);
    assert_int_equal(got, 3);
}

static void test_sel_02_without_operations_it_sleeps(void **state)
{
    (void)state;
    size_t i;
    assert_int_equal(tr_try_select(NULL, 0, &i), TR_EMPTY);
    const uint64_t begin = tr_now();
    assert_int_equal(tr_select_timeout(NULL, 0, TR_MILLISECONDS(50), &i), TR_TIMEOUT);
    assert_true(tr_now() - begin >= TR_MILLISECONDS(50));
    assert_true(tr_now() - begin < TR_SECONDS(2));
    assert_panics(select_for_ever, NULL, "never return");
}

static void test_select_send_with_no_memory_is_its_status(void **state)
{
    (void)state;
    failing_allocator failing;
    struct pairs p;
    uint64_t v = 0;
    size_t i;
    open_pairs(&p, TR_UNBOUNDED);
    tr_select_op op = longs_select_send(p.tx[0], &v);
    failing_install(&failing, 0);
    for (v = 0; v < 30; v++) {
        assert_int_equal(tr_select(&op, 1, &i), TR_OK);
        assert_int_equal(op.status, TR_OK);
    }
    assert_int_equal(tr_select(&op, 1, &i), TR_OK);
    assert_int_equal(op.status, TR_NOMEM);
    failing_remove(&failing);
    close_pairs(&p);
}

/* -- the choice ---------------------------------------------------------------------------------- */

static void test_select_of_several_ready_each_comes_up(void **state)
{
    (void)state;
    struct pairs p;
    uint64_t v = 0, got;
    size_t chosen[PAIRS] = { 0 }, i;
    open_pairs(&p, TR_UNBOUNDED);
    tr_select_seed(1);
    for (unsigned n = 0; n < 3000; n++)
        assert_int_equal(longs_send(p.tx[n % PAIRS], &v), TR_OK);
    /* 1 and 2 are neighbours: the gap before 0 must not favour it */
    for (unsigned n = 0; n < 900; n++) {
        tr_select_op ops[] = { longs_select_recv(longs_never(), &got),
                               longs_select_recv(longs_never(), &got),
                               longs_select_recv(p.rx[0], &got), longs_select_recv(p.rx[1], &got),
                               longs_select_recv(p.rx[2], &got) };
        assert_int_equal(tr_select(ops, 5, &i), TR_OK);
        chosen[i - 2]++;
    }
    for (unsigned n = 0; n < PAIRS; n++)
        assert_in_range(chosen[n], 230, 370); /* 300 expected, 14 the deviation */
    close_pairs(&p);
}

static void choices(uint64_t seed, size_t n, unsigned char *ret_choices)
{
    struct pairs p;
    uint64_t v = 0, got;
    size_t index = 0;
    open_pairs(&p, TR_UNBOUNDED);
    for (unsigned i = 0; i < 300; i++)
        assert_int_equal(longs_send(p.tx[i % PAIRS], &v), TR_OK);
    tr_select_seed(seed);
    for (size_t i = 0; i < n; i++) {
        tr_select_op ops[PAIRS];
        for (unsigned j = 0; j < PAIRS; j++)
            ops[j] = longs_select_recv(p.rx[j], &got);
        assert_int_equal(tr_select(ops, PAIRS, &index), TR_OK);
        ret_choices[i] = (unsigned char)index;
    }
    close_pairs(&p);
}

static void test_select_same_seed_gives_the_same_choices(void **state)
{
    (void)state;
    unsigned char a[50], b[50], c[50];
    choices(42, 50, a);
    choices(42, 50, b);
    choices(44, 50, c);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

static void test_select_does_not_meet_itself(void **state)
{
    (void)state;
    struct pairs p;
    uint64_t v = 1, got = 0;
    size_t i;
    open_pairs(&p, 0);
    tr_select_op ops[] = { longs_select_send(p.tx[0], &v), longs_select_recv(p.rx[0], &got),
                           longs_select_recv(p.rx[0], &got) };
    assert_int_equal(tr_select_timeout(ops, 3, TR_MILLISECONDS(3), &i), TR_TIMEOUT);
    close_pairs(&p);
}

/* -- threads: every kind of operation against every other ------------------------------------------ */

struct mix {
    struct pairs p;
    uint64_t each;
    counter wrong;
    uint64_t seen[2][PAIRS];
};

/* Sends to whichever channel can take it: numbered per channel. */
static void send_selected(unsigned index, void *arg)
{
    struct mix *m = arg;
    uint64_t next[PAIRS] = { 0 };
    (void)index;
    for (uint64_t n = 0; n < m->each;) {
        tr_select_op ops[PAIRS];
        size_t i;
        for (unsigned j = 0; j < PAIRS; j++)
            ops[j] = longs_select_send(m->p.tx[j], &next[j]);
        linger(n % 16 == 0 ? n / 16 % 8 * 10000 : 0);
        const tr_status s = n % 3 == 0 ? tr_select(ops, PAIRS, &i)
                                       : tr_select_timeout(ops, PAIRS, n % 16 * 5000, &i);
        if (s == TR_TIMEOUT)
            continue;
        if (s != TR_OK || ops[i].status != TR_OK)
            bump(&m->wrong);
        next[i]++;
        n++;
    }
    for (unsigned j = 0; j < PAIRS; j++) {
        m->seen[0][j] = next[j];
        longs_sender_drop(&m->p.tx[j]);
    }
}

/* Receives until all are disconnected. */
static void receive_selected(struct mix *m, uint64_t *wrong)
{
    unsigned open = (1u << PAIRS) - 1;
    for (uint64_t n = 0; open != 0; n++) {
        tr_select_op ops[PAIRS];
        size_t count = 0, i;
        unsigned which[PAIRS];
        uint64_t got[PAIRS] = { 0 };
        for (unsigned j = 0; j < PAIRS; j++)
            if (open & 1u << j) {
                which[count] = j;
                ops[count++] = longs_select_recv(m->p.rx[j], &got[j]);
            }
        linger(n % 20 == 0 ? n / 20 % 8 * 10000 : 0);
        const tr_status s = n % 3 == 0 ? tr_select(ops, count, &i)
                                       : tr_select_timeout(ops, count, n % 16 * 5000, &i);
        if (s == TR_TIMEOUT)
            continue;
        *wrong += s != TR_OK;
        if (ops[i].status == TR_DISCONNECTED)
            open &= ~(1u << which[i]);
        else
            *wrong += got[which[i]] != m->seen[1][which[i]]++;
    }
}

static void test_select_stress_sends_and_receives_meet_exactly_once(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        struct mix m = { .each = test_scale(5000) };
        test_threads group;
        uint64_t wrong = 0;
        open_pairs(&m.p, capacities[c]);
        test_threads_start(&group, 1, send_selected, &m);
        receive_selected(&m, &wrong);
        test_threads_join(&group);
        assert_int_equal(wrong, 0);
        assert_int_equal(value_of(&m.wrong), 0);
        for (unsigned j = 0; j < PAIRS; j++) {
            assert_int_equal(m.seen[0][j], m.seen[1][j]);
            longs_receiver_drop(&m.p.rx[j]);
        }
    }
}

/* Two threads that both select { send to the other, receive from the other }. */
struct swap {
    longs_sender tx[2];
    longs_receiver rx[2];
    uint64_t each;
    counter sent, received, wrong;
};

static void swap_messages(unsigned index, void *arg)
{
    struct swap *s = arg;
    uint64_t out = 0, in = 0, got;
    while (out < s->each || in < s->each) {
        tr_select_op ops[2];
        size_t n = 0, i;
        if (in < s->each)
            ops[n++] = longs_select_recv(s->rx[index], &got);
        if (out < s->each)
            ops[n++] = longs_select_send(s->tx[index], &out);
        if (tr_select(ops, n, &i) != TR_OK || ops[i].status != TR_OK)
            bump(&s->wrong);
        if (ops[i].is_send_)
            out++;
        else if (got != in++)
            bump(&s->wrong);
    }
    tr_fetch_add_seq_cst(&s->sent, out);
    tr_fetch_add_seq_cst(&s->received, in);
}

static void test_select_stress_both_sides_select_both_ways(void **state)
{
    (void)state;
    for (size_t capacity = 0; capacity < 2; capacity++) {
        struct swap s = { .each = test_scale(5000) };
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(longs_bounded(capacity, &s.tx[i], &s.rx[1 - i]), TR_OK);
        test_threads_run(2, swap_messages, &s);
        for (unsigned i = 0; i < 2; i++) {
            longs_sender_drop(&s.tx[i]);
            longs_receiver_drop(&s.rx[i]);
        }
        assert_int_equal(value_of(&s.wrong), 0);
        assert_int_equal(value_of(&s.sent), 2 * s.each);
        assert_int_equal(value_of(&s.received), 2 * s.each);
    }
}

/* A select that was woken for a place takes that place, whatever else has become
 * ready: it would stay free while others sleep for it. */
struct woken {
    struct pairs p;
    size_t index;
};

static void select_send_or_receive(unsigned index, void *arg)
{
    struct woken *w = arg;
    uint64_t v = 2, got;
    (void)index;
    tr_select_op ops[] = { longs_select_send(w->p.tx[0], &v), longs_select_recv(w->p.rx[1], &got) };
    w->index = 77;
    (void)(tr_select(ops, 2, &w->index) == TR_OK);
}

/* Is anybody listed there? */
static bool is_awaited(const tr_channel *channel, unsigned side)
{
    return tr_load_seq_cst(&channel->hint[side]) != 0;
}

static void test_select_woken_for_a_place_takes_it_first(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 50; r++) {
        struct woken w;
        test_threads group;
        uint64_t v = 1, got;
        open_pairs(&w.p, 1);
        assert_int_equal(longs_send(w.p.tx[0], &v), TR_OK);
        test_threads_start(&group, 1, select_send_or_receive, &w);
        TEST_UNTIL(is_awaited(w.p.tx[0].channel_, TRI_SENDERS) &&
                   is_awaited(w.p.tx[1].channel_, TRI_RECEIVERS));
        tr_channel *c = w.p.tx[0].channel_;
        pthread_mutex_lock(&c->lock);
        tr_select_op *claimed = tri_claim(c, TRI_SENDERS); /* what the receive will do */
        pthread_mutex_unlock(&c->lock);
        assert_int_equal(longs_try_recv(w.p.rx[0], &got), TR_OK);
        assert_int_equal(longs_try_send(w.p.tx[1], &v), TR_OK); /* also ready now */
        tri_wake(claimed, TR_BUSY);
        test_threads_join(&group);
        assert_int_equal(w.index, 0);
        close_pairs(&w.p);
    }
}

/* What is asked between listing and sleeping: the wake that came before was for
 * nobody, so the answer decides. */
static bool ready_when_listed(tr_select_op op)
{
    tri_party party = { 0 };
    const bool ready = tri_enlist(&op, &party);
    tri_delist(&op);
    return ready;
}

static void test_select_listing_sees_what_came_before_it(void **state)
{
    (void)state;
    for (size_t c = 0; c < CAPACITIES; c++) {
        longs_sender tx;
        longs_receiver rx;
        uint64_t v = 1, got;
        assert_int_equal(longs_bounded(capacities[c], &tx, &rx), TR_OK);
        const tr_select_op send = longs_select_send(tx, &v), recv = longs_select_recv(rx, &got);
        assert_false(ready_when_listed(recv));
        assert_int_equal(ready_when_listed(send), capacities[c] != 0);
        if (capacities[c] != 0) {
            assert_int_equal(longs_send(tx, &v), TR_OK);
            assert_true(ready_when_listed(recv));
            assert_int_equal(ready_when_listed(send), capacities[c] != 1);
            assert_int_equal(longs_recv(rx, &got), TR_OK);
        }
        longs_sender_drop(&tx);
        assert_true(ready_when_listed(recv));
        longs_receiver_drop(&rx);
    }
}

static void test_select_listing_a_rendezvous_sees_others_not_itself(void **state)
{
    (void)state;
    struct pairs p;
    uint64_t v = 1, got;
    tri_party one = { 0 }, two = { 0 };
    open_pairs(&p, 0);
    tr_select_op send = longs_select_send(p.tx[0], &v), recv = longs_select_recv(p.rx[0], &got),
                 other = longs_select_recv(p.rx[0], &got);
    assert_false(tri_enlist(&send, &one));
    assert_false(tri_enlist(&recv, &one));
    assert_true(tri_enlist(&other, &two));
    tri_delist(&send);
    tri_delist(&recv);
    tri_delist(&other);
    close_pairs(&p);
}

/* Room for one, wanted by plain sends and by selects that could do otherwise: a wake
 * that a select does not use must not leave the others asleep. */
static void crowd_send(unsigned index, void *arg)
{
    struct mix *m = arg;
    for (uint64_t n = 0; n < m->each; n++) {
        uint64_t v = n;
        size_t i;
        if (index % 2 == 0) {
            if (longs_send(m->p.tx[0], &v) != TR_OK)
                bump(&m->wrong);
        } else {
            tr_select_op ops[] = { longs_select_send(m->p.tx[0], &v),
                                   longs_select_send(m->p.tx[1], &v) };
            if (tr_select(ops, 2, &i) != TR_OK || ops[i].status != TR_OK)
                bump(&m->wrong);
        }
    }
}

static void test_select_stress_unused_wakes_leave_nobody_asleep(void **state)
{
    (void)state;
    for (size_t r = test_scale(200); r > 0; r--) {
        struct mix m = { .each = 5 };
        test_threads group;
        uint64_t got, wrong = 0;
        size_t i;
        open_pairs(&m.p, 1);
        test_threads_start(&group, 4, crowd_send, &m);
        linger(300000); /* until all are asleep */
        for (uint64_t n = 0; n < 4 * m.each; n++) {
            tr_select_op ops[] = { longs_select_recv(m.p.rx[0], &got),
                                   longs_select_recv(m.p.rx[1], &got) };
            wrong += tr_select_timeout(ops, 2, TR_SECONDS(60), &i) != TR_OK;
            linger(n % 2 * 30000);
        }
        test_threads_join(&group);
        assert_int_equal(wrong, 0);
        assert_int_equal(value_of(&m.wrong), 0);
        assert_true(tr_channel_is_empty(m.p.rx[0]));
        close_pairs(&m.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_sel_01_the_only_ready_one_is_chosen),
        CASE(test_sel_01_disconnected_counts_as_ready),
        CASE(test_sel_02_nothing_ready_gives_nothing),
        CASE(test_sel_02_without_operations_it_sleeps),
        CASE(test_select_send_with_no_memory_is_its_status),
        CASE(test_select_of_several_ready_each_comes_up),
        CASE(test_select_same_seed_gives_the_same_choices),
        CASE(test_select_does_not_meet_itself),
        CASE(test_select_stress_sends_and_receives_meet_exactly_once),
        CASE(test_select_stress_both_sides_select_both_ways),
        CASE(test_select_listing_sees_what_came_before_it),
        CASE(test_select_listing_a_rendezvous_sees_others_not_itself),
        CASE(test_select_woken_for_a_place_takes_it_first),
        CASE(test_select_stress_unused_wakes_leave_nobody_asleep),
    };
    return TEST_RUN(tests);
}
