/*
 * test_ring - bounded, in order, across the end of the block
 */
#include "tests/mem/vecs.h"

#include <troupe/mem/ring.h>

TR_RING(int)
TR_RING(uint8_t)
TR_RING(holder)

static void test_buf_01_full_hands_back_and_order_is_kept(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_ring) r = int_ring_with_capacity(3);
    for (int i = 1; i <= 3; i++)
        assert_int_equal(int_ring_try_push(&r, i), TR_OK);
    assert_int_equal(int_ring_try_push(&r, 4), TR_FULL);
    int x = 0;
    assert_int_equal(int_ring_pop(&r, &x), TR_OK);
    assert_int_equal(x, 1);
    assert_int_equal(int_ring_try_push(&r, 4), TR_OK);
    for (int i = 2; i <= 4; i++) {
        assert_int_equal(int_ring_pop(&r, &x), TR_OK);
        assert_int_equal(x, i);
    }
    assert_int_equal(int_ring_pop(&r, &x), TR_EMPTY);
    assert_int_equal(x, 4);
    assert_int_equal(int_ring_cap(&r), 3);
}

static void make_empty(void *arg)
{
    (void)arg;
    int_ring r = int_ring_with_capacity(0);
    int_ring_drop(&r);
}

static void test_buf_01_capacity_zero_is_refused(void **state)
{
    (void)state;
    int_ring r = { .untyped = { .cap_ = 77 } };
    assert_int_equal(int_ring_try_with_capacity(0, &r), TR_INVALID);
    assert_int_equal(int_ring_try_with_capacity(SIZE_MAX, &r), TR_INVALID);
    assert_int_equal(int_ring_try_with_capacity(SIZE_MAX / 2, &r), TR_INVALID);
    assert_int_equal(r.untyped.cap_, 77);
    assert_panics(make_empty, NULL, "capacity 0");
    int_ring zeroed = { .untyped = { .cap_ = 0 } };
    int x = 5;
    assert_int_equal(int_ring_try_push(&zeroed, 1), TR_FULL);
    assert_int_equal(int_ring_pop(&zeroed, &x), TR_EMPTY);
    int_ring_drop(&zeroed);
}

static void test_ring_full_value_stays_the_callers(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_ring) r = holder_ring_with_capacity(1);
    assert_int_equal(holder_ring_try_push(&r, make_holder('a')), TR_OK);
    TR_AUTO_VALUE(holder) b = make_holder('b');
    assert_int_equal(holder_ring_try_push(&r, b), TR_FULL);
    assert_int_equal(canary_dropped(), 0);
    TR_AUTO_VALUE(holder) old = { .name = '-' };
    assert_true(holder_ring_push_over(&r, make_holder('c'), &old));
    assert_int_equal(old.name, 'a');
    assert_int_equal(holder_ring_get(&r, 0)->name, 'c');
    assert_null(holder_ring_get(&r, 1));
}

static void test_ring_drops_from_front_to_back_across_the_end(void **state)
{
    (void)state;
    holder_ring r = holder_ring_with_capacity(4);
    for (const char *n = "abcd"; *n != '\0'; n++)
        assert_int_equal(holder_ring_try_push(&r, make_holder(*n)), TR_OK);
    holder_ring_skip(&r, 2);
    assert_string_equal(canary_log, "ab");
    assert_int_equal(holder_ring_try_push(&r, make_holder('e')), TR_OK);
    assert_int_equal(holder_ring_values(&r).second_len, 1);
    holder_ring_drop(&r);
    assert_string_equal(canary_log, "abcde");
    assert_int_equal(test_live_blocks(), 0);
}

static void drop_ring(void *arg)
{
    holder_ring_drop(arg);
}

static void test_ring_whose_drop_panics_drops_the_rest(void **state)
{
    (void)state;
    holder_ring r = holder_ring_with_capacity(4);
    holder_ring_filled(&r, 0);
    for (const char *n = "xybc"; *n != '\0'; n++)
        assert_int_equal(holder_ring_try_push(&r, make_holder(*n)), TR_OK);
    holder_ring_skip(&r, 2);
    for (const char *n = "de"; *n != '\0'; n++)
        assert_int_equal(holder_ring_try_push(&r, make_holder(*n)), TR_OK);
    holder_ring_get(&r, 0)->bomb = true;
    assert_panics(drop_ring, &r, "bomb b");
    assert_string_equal(canary_log, "xybcde");
    assert_int_equal(test_live_blocks(), 0);
}

/* Slices of all sizes against a count that runs on. */
static void test_ring_slices_keep_the_order_of_bytes(void **state)
{
    (void)state;
    TR_AUTO_VALUE(uint8_t_ring) r = uint8_t_ring_with_capacity(23);
    r.untyped.front_ = r.untyped.back_ = SIZE_MAX - 100; /* the counters wrap on the way */
    uint8_t in = 0, out = 0, bytes[40];
    for (size_t round = 0; round < 2000; round++) {
        const size_t n = round * 7 % 31;
        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)(in + i);
        const size_t room = 23 - uint8_t_ring_len(&r);
        const size_t pushed = uint8_t_ring_push_slice(&r, bytes, n);
        assert_int_equal(pushed, n < room ? n : room);
        in = (uint8_t)(in + pushed);
        const size_t wanted = round * 11 % 29, len = uint8_t_ring_len(&r);
        const size_t popped = uint8_t_ring_pop_slice(&r, bytes, wanted);
        assert_int_equal(popped, wanted < len ? wanted : len);
        for (size_t i = 0; i < popped; i++)
            assert_int_equal(bytes[i], out++);
    }
    assert_int_equal(uint8_t_ring_push_slice(&r, NULL, 0), 0);
    assert_int_equal(uint8_t_ring_pop_slice(&r, NULL, 0), 0);
}

static void fill_too_much(void *arg)
{
    uint8_t_ring_filled(arg, 5);
}
static void skip_too_much(void *arg)
{
    uint8_t_ring_skip(arg, 6);
}

static void test_ring_runs_are_written_and_read_in_place(void **state)
{
    (void)state;
    TR_AUTO_VALUE(uint8_t_ring) r = uint8_t_ring_with_capacity(5);
    uint8_t_ring_runs room = uint8_t_ring_room(&r);
    assert_int_equal(room.first_len + room.second_len, 5);
    memcpy(room.first, "abcde", 5);
    uint8_t_ring_filled(&r, 5);
    uint8_t_ring_skip(&r, 4);
    room = uint8_t_ring_room(&r); /* 8 places: 5 to 7, then 0 */
    assert_int_equal(room.first_len, 3);
    assert_int_equal(room.second_len, 1);
    memcpy(room.first, "fgh", 3);
    memcpy(room.second, "i", 1);
    assert_panics(fill_too_much, &r, "5 values were filled into room for 4");
    uint8_t_ring_filled(&r, 4);
    const uint8_t_ring_runs values = uint8_t_ring_values(&r);
    assert_int_equal(values.first_len, 4);
    assert_memory_equal(values.first, "efgh", 4);
    assert_int_equal(values.second_len, 1);
    assert_memory_equal(values.second, "i", 1);
    assert_panics(skip_too_much, &r, "6 values are to be skipped, there are 5");
    assert_int_equal(uint8_t_ring_len(&r), 5);
}

static void test_ring_clone_is_equal_whatever_its_places(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_ring) r = holder_ring_with_capacity(3);
    for (const char *n = "xabc"; *n != '\0'; n++) {
        TR_AUTO_VALUE(holder) old = { .name = '-' };
        if (holder_ring_push_over(&r, make_holder(*n), &old))
            assert_int_equal(old.name, 'x');
    }
    TR_AUTO_VALUE(holder_ring) copy = { .untyped = { .cap_ = 0 } };
    assert_int_equal(holder_ring_try_clone(&copy, &r), TR_OK);
    assert_true(holder_ring_eq(&r, &copy));
    assert_true(holder_ring_hash(&r) == holder_ring_hash(&copy));
    assert_ptr_not_equal(holder_ring_get(&r, 0)->block, holder_ring_get(&copy, 0)->block);
    holder_ring_skip(&copy, 1);
    assert_false(holder_ring_eq(&r, &copy));
}

static void test_ring_without_memory_nothing_is_made(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_ring) r = holder_ring_with_capacity(4);
    for (const char *n = "xabcd"; *n != '\0'; n++) {
        TR_AUTO_VALUE(holder) old = { .name = '-' };
        assert_int_equal(holder_ring_push_over(&r, make_holder(*n), &old), *n == 'd');
    }
    const int64_t live = test_live_blocks();
    tr_status status = TR_NOMEM;
    for (uint64_t successes = 0; status == TR_NOMEM; successes++) {
        holder_ring copy = { .untyped = { .cap_ = 0 } };
        failing_allocator failing;
        failing_install(&failing, successes);
        status = holder_ring_try_clone(&copy, &r);
        failing_remove(&failing);
        assert_int_equal(status, successes < 5 ? TR_NOMEM : TR_OK);
        holder_ring_drop(&copy);
        assert_int_equal(test_live_blocks(), live);
    }
    failing_allocator failing;
    int_ring none = { .untyped = { .cap_ = 0 } };
    failing_install(&failing, 0);
    status = int_ring_try_with_capacity(3, &none);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_int_equal(int_ring_cap(&none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_buf_01_full_hands_back_and_order_is_kept),
        CASE(test_buf_01_capacity_zero_is_refused),
        CASE(test_ring_full_value_stays_the_callers),
        CASE(test_ring_drops_from_front_to_back_across_the_end),
        CASE(test_ring_whose_drop_panics_drops_the_rest),
        CASE(test_ring_slices_keep_the_order_of_bytes),
        CASE(test_ring_runs_are_written_and_read_in_place),
        CASE(test_ring_clone_is_equal_whatever_its_places),
        CASE(test_ring_without_memory_nothing_is_made),
    };
    return TEST_RUN(tests);
}
