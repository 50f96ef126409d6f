/*
 * test_atomic_cases - the operations that are loops: exact under contention, and
 * at the edges of their types
 */
#include "tests/support/test.h"

#include <troupe/mem/atomic.h>

/* -- ATM-03: bool -------------------------------------------------------------------- */

static void test_atm_03_nand_of_bool_follows_its_table(void **state)
{
    (void)state;
    static const bool table[4][3] = {
        /* old, operand, new */
        { false, false, true },
        { true, false, true },
        { true, true, false },
        { false, true, true },
    };
    for (int i = 0; i < 4; i++) {
        TR_ATOMIC(bool) flag = TR_ATOMIC_INIT(table[i][0]);
        assert_int_equal(tr_fetch_nand_seq_cst(&flag, table[i][1]), table[i][0]);
        assert_int_equal(tr_load_relaxed(&flag), table[i][2]);
    }
}

static void test_atm_03_nand_of_integers_turns_every_bit(void **state)
{
    (void)state;
    TR_ATOMIC(uint8_t) bits = TR_ATOMIC_INIT(0x3c);
    assert_int_equal(tr_fetch_nand_relaxed(&bits, 0x0f), 0x3c);
    assert_int_equal(tr_load_relaxed(&bits), 0xf3);
    TR_ATOMIC(uint64_t) wide = TR_ATOMIC_INIT(0);
    assert_int_equal(tr_fetch_nand_acq_rel(&wide, 1), 0);
    assert_true(tr_load_relaxed(&wide) == UINT64_MAX);
}

static void test_atomic_xor_turns_the_named_bits(void **state)
{
    (void)state;
    TR_ATOMIC(unsigned) bits = TR_ATOMIC_INIT(0);
    assert_int_equal(tr_fetch_xor_relaxed(&bits, 3), 0);
    assert_int_equal(tr_fetch_xor_acquire(&bits, 6), 3);
    assert_int_equal(tr_fetch_xor_release(&bits, 6), 5);
    assert_int_equal(tr_fetch_xor_acq_rel(&bits, 1), 3);
    assert_int_equal(tr_fetch_xor_seq_cst(&bits, 2), 2);
    assert_int_equal(tr_load_relaxed(&bits), 0);
}

/* -- ATM-04: update ---------------------------------------------------------------------- */

static void test_atm_04_update_stores_or_tells_what_it_refused(void **state)
{
    (void)state;
    TR_ATOMIC(unsigned) number = TR_ATOMIC_INIT(6);
    unsigned found = 99;
    assert_true(tr_fetch_update_seq_cst(&number, found, found % 2 == 0, found / 2));
    assert_int_equal(found, 6);
    assert_false(tr_fetch_update_seq_cst(&number, found, found % 2 == 0, found / 2));
    assert_int_equal(found, 3);
    assert_int_equal(tr_load_relaxed(&number), 3);
    assert_true(tr_fetch_update_relaxed(&number, found, true, found + 1));
    assert_true(tr_fetch_update_acquire(&number, found, true, found + 1));
    assert_true(tr_fetch_update_release(&number, found, true, found + 1));
    assert_true(tr_fetch_update_acq_rel(&number, found, true, found + 1));
    assert_int_equal(found, 6);
    assert_int_equal(tr_load_relaxed(&number), 7);
}

struct permits {
    TR_ATOMIC(uint32_t) left;
    TR_ATOMIC(uint32_t) taken;
    TR_ATOMIC(uint32_t) refused;
    size_t rounds;
};

static void take_all(unsigned index, void *arg)
{
    (void)index;
    struct permits *p = arg;
    uint32_t n;
    for (size_t i = 0; i < p->rounds; i++) {
        if (tr_fetch_update_relaxed(&p->left, n, n > 0, n - 1))
            tr_fetch_add_relaxed(&p->taken, 1); /* relaxed: read after the join */
        else
            tr_fetch_add_relaxed(&p->refused, 1); /* relaxed: read after the join */
    }
}

static void test_atm_04_update_race_never_goes_below_zero(void **state)
{
    (void)state;
    struct permits p = { .rounds = test_scale(5000) };
    const uint32_t there = (uint32_t)(2 * p.rounds);
    tr_atomic_init(&p.left, there);
    test_threads_run(4, take_all, &p);
    assert_int_equal(tr_load_relaxed(&p.left), 0);
    assert_int_equal(tr_load_relaxed(&p.taken), there);
    assert_int_equal(tr_load_relaxed(&p.refused), 4 * p.rounds - there);
}

/* -- max and min ------------------------------------------------------------------------------ */

static void test_atomic_max_and_min_give_the_old_value(void **state)
{
    (void)state;
    TR_ATOMIC(int) number = TR_ATOMIC_INIT(5);
    assert_int_equal(tr_fetch_max_relaxed(&number, 3), 5);
    assert_int_equal(tr_fetch_max_acquire(&number, 9), 5);
    assert_int_equal(tr_fetch_max_release(&number, 9), 9);
    assert_int_equal(tr_fetch_min_acq_rel(&number, 10), 9);
    assert_int_equal(tr_fetch_min_seq_cst(&number, INT32_MIN), 9);
    assert_int_equal(tr_fetch_max_seq_cst(&number, -1), INT32_MIN);
    assert_int_equal(tr_load_relaxed(&number), -1);
    TR_ATOMIC(uint16_t) narrow = TR_ATOMIC_INIT(UINT16_MAX);
    assert_int_equal(tr_fetch_min_relaxed(&narrow, 1), UINT16_MAX);
    assert_int_equal(tr_load_relaxed(&narrow), 1);
}

struct extremes {
    TR_ATOMIC(uint64_t) most;
    TR_ATOMIC(uint64_t) least;
    TR_ATOMIC(uint64_t) fallen;
    size_t rounds;
};

static void push_apart(unsigned index, void *arg)
{
    struct extremes *e = arg;
    for (size_t i = 0; i < e->rounds; i++) {
        const uint64_t x = 1000000 + i * 4 + index;
        (void)tr_fetch_max_relaxed(&e->most, x);
        if (tr_load_relaxed(&e->most) < x)
            tr_fetch_add_relaxed(&e->fallen, 1); /* relaxed: read after the join */
        (void)tr_fetch_min_relaxed(&e->least, 2000000 - x);
    }
}

static void test_atomic_max_race_keeps_the_greatest(void **state)
{
    (void)state;
    struct extremes e = { .least = TR_ATOMIC_INIT(UINT64_MAX), .rounds = test_scale(5000) };
    test_threads_run(4, push_apart, &e);
    const uint64_t greatest = 1000000 + (e.rounds - 1) * 4 + 3;
    assert_int_equal(tr_load_relaxed(&e.most), greatest);
    assert_int_equal(tr_load_relaxed(&e.least), 2000000 - greatest);
    assert_int_equal(tr_load_relaxed(&e.fallen), 0);
}

/* -- weak comparison ----------------------------------------------------------------------- */

static void test_atomic_weak_swaps_succeed_in_a_loop(void **state)
{
    (void)state;
    TR_ATOMIC(unsigned) number = TR_ATOMIC_INIT(0);
    unsigned seen = 0;
    while (!tr_cas_weak_relaxed(&number, &seen, seen + 1))
        ;
    while (!tr_cas_weak_acquire(&number, &seen, seen + 2))
        ;
    while (!tr_cas_weak_release(&number, &seen, seen + 3))
        ;
    while (!tr_cas_weak_acq_rel(&number, &seen, seen + 4))
        ;
    while (!tr_cas_weak_seq_cst(&number, &seen, seen + 5))
        ;
    assert_int_equal(tr_load_relaxed(&number), 15);
    seen = 3;
    assert_false(tr_cas_weak_seq_cst(&number, &seen, 1));
    assert_int_equal(seen, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_atm_03_nand_of_bool_follows_its_table),
        TEST(test_atm_03_nand_of_integers_turns_every_bit),
        TEST(test_atomic_xor_turns_the_named_bits),
        TEST(test_atm_04_update_stores_or_tells_what_it_refused),
        TEST(test_atm_04_update_race_never_goes_below_zero),
        TEST(test_atomic_max_and_min_give_the_old_value),
        TEST(test_atomic_max_race_keeps_the_greatest),
        TEST(test_atomic_weak_swaps_succeed_in_a_loop),
    };
    return TEST_RUN(tests);
}
