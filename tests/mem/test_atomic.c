/*
 * test_atomic - the atomics door: old values, wrapping, comparison, layout
 *
 * Every access here is on one thread unless the test says otherwise.
 */
#include "tests/support/test.h"

#include <troupe/mem/atomic.h>

#include "mem/stress.h"

/* -- ATM-01 ---------------------------------------------------------------- */

struct sum {
    TR_ATOMIC(uint64_t) total;
    size_t rounds;
};

static void add_ones(unsigned index, void *arg)
{
    (void)index;
    struct sum *sum = arg;
    for (size_t i = 0; i < sum->rounds; i++)
        tr_fetch_add_relaxed(&sum->total, 1); /* relaxed: read after the join */
}

static void test_atm_01_ten_threads_add_to_an_exact_sum(void **state)
{
    (void)state;
    const size_t rounds[] = { 1000, test_scale(50000) };
    for (size_t i = 0; i < 2; i++) {
        struct sum sum = { .total = TR_ATOMIC_INIT(0), .rounds = rounds[i] };
        test_threads_run(10, add_ones, &sum);
        assert_int_equal(tr_load_relaxed(&sum.total), 10 * rounds[i]);
    }
}

/* -- ATM-02 to 04: values --------------------------------------------------- */

static void test_atm_02_fetch_gives_the_old_value_and_wraps(void **state)
{
    (void)state;
    TR_ATOMIC(size_t) size = TR_ATOMIC_INIT(SIZE_MAX);
    assert_true(tr_fetch_add_seq_cst(&size, 1) == SIZE_MAX);
    assert_true(tr_load_seq_cst(&size) == 0);
    assert_true(tr_fetch_sub_seq_cst(&size, 1) == 0);
    assert_true(tr_load_seq_cst(&size) == SIZE_MAX);

    TR_ATOMIC(int) number = TR_ATOMIC_INIT(INT32_MAX);
    assert_int_equal(tr_fetch_add_relaxed(&number, 1), INT32_MAX);
    assert_int_equal(tr_load_relaxed(&number), INT32_MIN);
    assert_int_equal(tr_fetch_sub_relaxed(&number, 1), INT32_MIN);
    assert_int_equal(tr_load_relaxed(&number), INT32_MAX);
}

static void test_atm_03_compare_and_swap_of_bool(void **state)
{
    (void)state;
    TR_ATOMIC(bool) flag = TR_ATOMIC_INIT(false);
    bool expected = false;
    assert_true(tr_cas_seq_cst(&flag, &expected, true));
    assert_false(expected);
    assert_false(tr_cas_seq_cst(&flag, &expected, true));
    assert_true(expected); /* what was found */
    assert_true(tr_load_relaxed(&flag));
}

static void test_atm_04_swap_gives_the_old_value(void **state)
{
    (void)state;
    int a, b;
    TR_ATOMIC(int *) pointer = TR_ATOMIC_INIT(&a);
    assert_ptr_equal(tr_swap_relaxed(&pointer, &b), &a);
    assert_ptr_equal(tr_swap_acquire(&pointer, &a), &b);
    assert_ptr_equal(tr_swap_release(&pointer, &b), &a);
    assert_ptr_equal(tr_swap_acq_rel(&pointer, &a), &b);
    assert_ptr_equal(tr_swap_seq_cst(&pointer, NULL), &a);
    assert_null(tr_load_acquire(&pointer));
}

typedef TR_ATOMIC(unsigned) atomic_unsigned;

/* As fetch_update with a function that refuses odd numbers. */
static bool halve_unless_odd(atomic_unsigned *number, unsigned *ret_found)
{
    *ret_found = tr_load_relaxed(number);
    while (*ret_found % 2 == 0)
        if (tr_cas_relaxed(number, ret_found, *ret_found / 2))
            return true;
    return false;
}

static void test_atm_04_refused_update_leaves_the_value(void **state)
{
    (void)state;
    atomic_unsigned number = TR_ATOMIC_INIT(6);
    unsigned found;
    assert_true(halve_unless_odd(&number, &found));
    assert_int_equal(found, 6);
    assert_false(halve_unless_odd(&number, &found));
    assert_int_equal(found, 3);
    assert_int_equal(tr_load_relaxed(&number), 3);
}

static void test_atomic_every_compare_and_swap_loads_what_it_found(void **state)
{
    (void)state;
    TR_ATOMIC(uint32_t) word = TR_ATOMIC_INIT(1);
    uint32_t expected = 9;
    assert_false(tr_cas_relaxed(&word, &expected, 2));
    assert_int_equal(expected, 1);
    assert_true(tr_cas_relaxed(&word, &expected, 2));
    assert_false(tr_cas_acquire(&word, &expected, 3));
    assert_int_equal(expected, 2);
    assert_true(tr_cas_acquire(&word, &expected, 3));
    assert_false(tr_cas_release(&word, &expected, 4));
    assert_int_equal(expected, 3);
    assert_true(tr_cas_release(&word, &expected, 4));
    assert_false(tr_cas_acq_rel(&word, &expected, 5));
    assert_int_equal(expected, 4);
    assert_true(tr_cas_acq_rel(&word, &expected, 5));
    assert_int_equal(tr_load_relaxed(&word), 5);
}

static void test_atomic_bits_are_set_and_cleared(void **state)
{
    (void)state;
    TR_ATOMIC(uint8_t) bits = TR_ATOMIC_INIT(0);
    tr_atomic_init(&bits, 0x0f);
    assert_int_equal(tr_fetch_or_relaxed(&bits, 0x10), 0x0f);
    assert_int_equal(tr_fetch_or_acquire(&bits, 0x20), 0x1f);
    assert_int_equal(tr_fetch_or_release(&bits, 0x40), 0x3f);
    assert_int_equal(tr_fetch_or_acq_rel(&bits, 0x80), 0x7f);
    assert_int_equal(tr_fetch_or_seq_cst(&bits, 0x80), 0xff);
    assert_int_equal(tr_fetch_and_relaxed(&bits, 0xfe), 0xff);
    assert_int_equal(tr_fetch_and_acquire(&bits, 0xfc), 0xfe);
    assert_int_equal(tr_fetch_and_release(&bits, 0xf8), 0xfc);
    assert_int_equal(tr_fetch_and_acq_rel(&bits, 0xf0), 0xf8);
    assert_int_equal(tr_fetch_and_seq_cst(&bits, 0x00), 0xf0);
    assert_int_equal(tr_load_relaxed(&bits), 0);
}

static void test_atomic_count_add_adds_for_one_writer(void **state)
{
    (void)state;
    TR_ATOMIC(uint64_t) count = TR_ATOMIC_INIT(UINT64_MAX);
    tr_count_add(&count, 1);
    tr_count_add(&count, 41);
    assert_int_equal(tr_load_relaxed(&count), 41);
}

/* -- ATM-06 ----------------------------------------------------------------- */

#define CHECK_SHAPE(T)                                                                             \
    _Static_assert(sizeof(TR_ATOMIC(T)) == sizeof(T), #T " has no room to spare");                 \
    _Static_assert(_Alignof(TR_ATOMIC(T)) == sizeof(T), #T " is aligned to its size");             \
    _Static_assert(TR_ATOMIC_IS_LOCK_FREE(T), #T " needs no lock")
CHECK_SHAPE(bool);
CHECK_SHAPE(uint8_t);
CHECK_SHAPE(uint16_t);
CHECK_SHAPE(uint32_t);
CHECK_SHAPE(uint64_t);
CHECK_SHAPE(size_t);
CHECK_SHAPE(void *);

static void test_atm_06_is_aligned_to_its_size_behind_anything(void **state)
{
    (void)state;
    struct {
        char c;
        TR_ATOMIC(uint64_t) word;
    } s = { .c = 1 };
    assert_int_equal((uintptr_t)&s.word % 8, 0);
    assert_int_equal(s.c, 1);
}

/* -- order ------------------------------------------------------------------ */

struct handover {
    TR_ATOMIC(unsigned) turn;
    unsigned value; /* plain: handed to and fro by turn */
    size_t rounds;
};

static void hand_over(unsigned index, void *arg)
{
    struct handover *h = arg;
    for (size_t i = 0; i < h->rounds; i++) {
        /* edge turn (acquire): with the other thread's store; carries value. */
        while (tr_load_acquire(&h->turn) != index)
            tr_cpu_relax();
        h->value++;
        /* edge turn (release): with the other thread's load; carries value. */
        tr_store_release(&h->turn, 1 - index);
    }
}

static void test_atomic_release_and_acquire_carry_a_plain_value(void **state)
{
    (void)state;
    struct handover h = { .turn = TR_ATOMIC_INIT(0), .rounds = 20 };
    test_threads_run(2, hand_over, &h);
    assert_int_equal(h.value, 2 * h.rounds);
}

/* Store buffering: seq_cst forbids that both sides miss the other's store. */
struct both {
    test_barrier gate;
    TR_ATOMIC(unsigned) flags[2];
    unsigned missed[2]; /* each its own side's, read by main between the gates */
    size_t rounds;
};

static void raise_and_look(unsigned side, void *arg)
{
    struct both *both = arg;
    for (size_t i = 0; i < both->rounds; i++) {
        test_barrier_wait(&both->gate);
        /* edge flags (seq_cst): with the other side's load; one sees the other */
        tr_store_seq_cst(&both->flags[side], 1);
        /* edge flags (seq_cst): with the other side's store; one sees the other */
        both->missed[side] = tr_load_seq_cst(&both->flags[1 - side]) == 0;
        test_barrier_wait(&both->gate);
    }
}

static void test_atomic_seq_cst_stores_are_not_both_missed(void **state)
{
    (void)state;
    struct both both = { .rounds = test_scale(1000) };
    test_threads group;
    test_barrier_init(&both.gate, 3);
    test_threads_start(&group, 2, raise_and_look, &both);
    unsigned both_missed = 0;
    for (size_t i = 0; i < both.rounds; i++) {
        tr_store_relaxed(&both.flags[0], 0); /* relaxed: before the gate */
        tr_store_relaxed(&both.flags[1], 0); /* relaxed: before the gate */
        test_barrier_wait(&both.gate);
        test_barrier_wait(&both.gate);
        both_missed += both.missed[0] && both.missed[1];
    }
    test_threads_join(&group);
    test_barrier_fini(&both.gate);
    assert_int_equal(both_missed, 0);
}

/* -- stress ------------------------------------------------------------------ */

#ifdef TR_STRESS
/* positions[0] after the first access, [1] after a thousand more */
static void *walk_stream(void *arg)
{
    uint64_t *positions = arg;
    TR_ATOMIC(unsigned) word = TR_ATOMIC_INIT(0);
    tr_fetch_add_relaxed(&word, 1);
    positions[0] = tri_stress_position();
    for (unsigned i = 0; i < 1000; i++)
        tr_fetch_add_relaxed(&word, 1);
    positions[1] = tri_stress_position();
    return NULL;
}

static void walk_in_new_thread(uint64_t positions[2])
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, walk_stream, positions), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_atomic_stress_seed_replays_each_threads_stream(void **state)
{
    (void)state;
    uint64_t first[3][2], second[3][2], other[3][2];
    uint64_t (*runs[])[2] = { first, second, other };
    for (unsigned run = 0; run < 3; run++) {
        tr_stress_seed(run < 2 ? 42 : 43);
        (void)walk_stream(runs[run][0]); /* the caller is a thread of its own number */
        walk_in_new_thread(runs[run][1]);
        walk_in_new_thread(runs[run][2]);
    }
    for (unsigned thread = 0; thread < 3; thread++) {
        assert_true(first[thread][0] == second[thread][0]);
        assert_true(first[thread][1] == second[thread][1]);
        assert_true(first[thread][0] != first[thread][1]);
        assert_true(first[thread][0] != other[thread][0]);
        assert_true(first[thread][0] != first[(thread + 1) % 3][0]);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_atm_01_ten_threads_add_to_an_exact_sum),
        TEST(test_atm_02_fetch_gives_the_old_value_and_wraps),
        TEST(test_atm_03_compare_and_swap_of_bool),
        TEST(test_atm_04_swap_gives_the_old_value),
        TEST(test_atm_04_refused_update_leaves_the_value),
        TEST(test_atomic_every_compare_and_swap_loads_what_it_found),
        TEST(test_atomic_bits_are_set_and_cleared),
        TEST(test_atomic_count_add_adds_for_one_writer),
        TEST(test_atm_06_is_aligned_to_its_size_behind_anything),
        TEST(test_atomic_release_and_acquire_carry_a_plain_value),
        TEST(test_atomic_seq_cst_stores_are_not_both_missed),
#ifdef TR_STRESS
        TEST(test_atomic_stress_seed_replays_each_threads_stream),
#endif
    };
    return TEST_RUN(tests);
}
