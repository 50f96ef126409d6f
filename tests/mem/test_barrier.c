/*
 * test_barrier - nobody passes too early, one leads each round, rounds follow on
 */
#include "tests/support/test.h"

#include <troupe/mem/barrier.h>

typedef TR_ATOMIC(unsigned) counter;

struct meeting {
    tr_barrier gate;
    unsigned parties;
    size_t rounds;
    counter leaders, early;
    unsigned arrived[TEST_THREADS_MAX]; /* plain: rounds, each its own thread's */
};

static void meet(unsigned index, void *arg)
{
    struct meeting *m = arg;
    for (unsigned round = 1; round <= m->rounds; round++) {
        m->arrived[index] = round;
        if (tr_barrier_wait(&m->gate))
            tr_fetch_add_relaxed(&m->leaders, 1); /* relaxed: read after the join */
        for (unsigned i = 0; i < m->parties; i++)
            if (m->arrived[i] != round)
                tr_fetch_add_relaxed(&m->early, 1); /* relaxed: read after the join */
        (void)tr_barrier_wait(&m->gate);
    }
}

static void test_cnd_07_nobody_passes_before_all_are_there(void **state)
{
    (void)state;
    const struct {
        unsigned parties;
        size_t rounds;
    } cases[] = { { 10, 10 }, { 2, test_scale(1000) }, { 40, test_scale(20) } };
    for (size_t i = 0; i < 3; i++) {
        struct meeting m = {
            .gate = TR_BARRIER_INIT(cases[i].parties),
            .parties = cases[i].parties,
            .rounds = cases[i].rounds,
        };
        test_threads_run(m.parties, meet, &m);
        assert_int_equal(tr_load_relaxed(&m.early), 0);
        assert_int_equal(tr_load_relaxed(&m.leaders), m.rounds);
    }
}

static void test_cnd_07_of_none_or_one_leads_at_once(void **state)
{
    (void)state;
    for (uint32_t parties = 0; parties < 2; parties++) {
        tr_barrier gate = TR_BARRIER_INIT(parties);
        for (int round = 0; round < 3; round++)
            assert_true(tr_barrier_wait(&gate));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cnd_07_nobody_passes_before_all_are_there),
        TEST(test_cnd_07_of_none_or_one_leads_at_once),
    };
    return TEST_RUN(tests);
}
