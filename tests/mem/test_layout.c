/*
 * test_layout - layout arithmetic as std::alloc::Layout's, edges included
 */
#include "tests/support/test.h"

#include <troupe/mem/layout.h>

#define M ((size_t)PTRDIFF_MAX)
#define U SIZE_MAX
#define UNTOUCHED ((tr_layout){ .size = 77, .align = 3 })

static void assert_layout(tr_layout layout, size_t size, size_t align)
{
    assert_int_equal(layout.size, size);
    assert_int_equal(layout.align, align);
}

static tr_layout make(size_t size, size_t align)
{
    tr_layout layout = UNTOUCHED;
    assert_int_equal(tr_layout_from_size_align(size, align, &layout), TR_OK);
    return layout;
}

static void assert_refused(size_t size, size_t align)
{
    tr_layout layout = UNTOUCHED;
    assert_int_equal(tr_layout_from_size_align(size, align, &layout), TR_LAYOUT);
    assert_layout(layout, 77, 3);
    assert_false(tr_layout_is_valid((tr_layout){ .size = size, .align = align }));
}

static tr_layout array(tr_layout element, size_t n)
{
    tr_layout layout = UNTOUCHED;
    assert_int_equal(tr_layout_array(element, n, &layout), TR_OK);
    return layout;
}

static void assert_array_refused(tr_layout element, size_t n)
{
    tr_layout layout = UNTOUCHED;
    assert_int_equal(tr_layout_array(element, n, &layout), TR_LAYOUT);
    assert_layout(layout, 77, 3);
}

static void test_lay_01_of_types_and_arrays(void **state)
{
    (void)state;
    assert_layout(tr_layout_of(int32_t), 4, 4);
    assert_layout(array(tr_layout_of(int32_t), 2), 8, 4);
    assert_layout(array(tr_layout_of(uint64_t), 0), 0, 8);
    assert_layout(array(make(0, 1), U), 0, 1);
}

static void test_lay_02_alignment_must_be_a_power_of_two(void **state)
{
    (void)state;
    assert_refused(16, 0);
    assert_refused(16, 3);
    assert_refused(16, 6);
    assert_refused(0, 0);
    for (unsigned bit = 0; bit < 64; bit++)
        assert_layout(make(0, (size_t)1 << bit), 0, (size_t)1 << bit);
    assert_refused(1, (size_t)1 << 63);
}

static void test_lay_03_padded_size_is_at_most_ptrdiff_max(void **state)
{
    (void)state;
    assert_layout(make(M, 1), M, 1);
    assert_refused(M + 1, 1);
    assert_refused(U, 1);
    assert_refused(M, 2);
    assert_layout(make(M - 1, 2), M - 1, 2);
    assert_refused(M - 1, 4);
    assert_layout(make(M - 3, 4), M - 3, 4);
    /* For each alignment the largest size is accepted and pads without wrapping. */
    for (unsigned bit = 0; bit < 63; bit++) {
        const size_t align = (size_t)1 << bit;
        const tr_layout largest = make(M - (align - 1), align);
        assert_refused(M - (align - 1) + 1, align);
        assert_true(tr_layout_pad_to_align(largest).size <= M);
        assert_true(tr_layout_pad_to_align(largest).size >= largest.size);
    }
}

static void test_lay_06_array_overflow_is_refused(void **state)
{
    (void)state;
    assert_layout(array(tr_layout_of(uint64_t), M / 8), M / 8 * 8, 8);
    assert_array_refused(tr_layout_of(uint64_t), M / 8 + 1);
    assert_layout(array(tr_layout_of(uint8_t), M), M, 1);
    assert_array_refused(tr_layout_of(uint8_t), M + 1);
    assert_array_refused(tr_layout_of(uint32_t), U);
    /* The product wraps to something small. */
    assert_array_refused(tr_layout_of(uint64_t), (size_t)1 << 61);
    assert_array_refused((tr_layout){ .size = 6, .align = 3 }, 2);
}

static void test_lay_07_extend_places_next_without_trailing_padding(void **state)
{
    (void)state;
    tr_layout layout;
    size_t offset;
    assert_int_equal(tr_layout_extend(make(1, 1), make(4, 4), &layout, &offset), TR_OK);
    assert_layout(layout, 8, 4);
    assert_int_equal(offset, 4);
    assert_int_equal(tr_layout_extend(make(8, 8), make(1, 1), &layout, &offset), TR_OK);
    assert_layout(layout, 9, 8);
    assert_int_equal(offset, 8);
    assert_int_equal(tr_layout_extend(make(3, 1), make(0, 16), &layout, &offset), TR_OK);
    assert_layout(layout, 16, 16);
    assert_int_equal(offset, 16);
}

static void test_lay_08_record_has_the_offsets_of_the_c_struct(void **state)
{
    (void)state;
    struct record {
        uint64_t a;
        uint32_t b;
        uint16_t c;
        uint32_t d;
    };
    const tr_layout fields[] = {
        tr_layout_of(uint64_t),
        tr_layout_of(uint32_t),
        tr_layout_of(uint16_t),
        tr_layout_of(uint32_t),
    };
    const size_t expected[] = {
        offsetof(struct record, a),
        offsetof(struct record, b),
        offsetof(struct record, c),
        offsetof(struct record, d),
    };
    tr_layout record = { .size = 0, .align = 1 };
    for (size_t i = 0; i < 4; i++) {
        size_t offset = 99;
        assert_int_equal(tr_layout_extend(record, fields[i], &record, &offset), TR_OK);
        assert_int_equal(offset, expected[i]);
    }
    assert_int_equal(expected[3], 16);
    record = tr_layout_pad_to_align(record);
    assert_layout(record, sizeof(struct record), _Alignof(struct record));
    assert_layout(record, 24, 8);

    assert_layout(tr_layout_pad_to_align(make(9, 4)), 12, 4);
    assert_layout(tr_layout_pad_to_align(make(9, 8)), 16, 8);
    assert_layout(tr_layout_pad_to_align(make(16, 8)), 16, 8);
    assert_layout(tr_layout_pad_to_align(make(0, 8)), 0, 8);
}

static void test_layout_extend_overflow_touches_neither_result(void **state)
{
    (void)state;
    tr_layout layout = UNTOUCHED;
    size_t offset = 99;
    assert_int_equal(tr_layout_extend(make(M, 1), make(1, 1), &layout, &offset), TR_LAYOUT);
    assert_int_equal(tr_layout_extend(make(M, 1), make(0, 2), &layout, &offset), TR_LAYOUT);
    assert_int_equal(tr_layout_extend(make(M, 1), make(M, 1), &layout, &offset), TR_LAYOUT);
    assert_int_equal(tr_layout_extend(make(1, 1), make(0, (size_t)1 << 63), &layout, &offset),
                     TR_LAYOUT);
    assert_int_equal(tr_layout_extend(UNTOUCHED, make(1, 1), &layout, &offset), TR_LAYOUT);
    assert_int_equal(tr_layout_extend(make(1, 1), UNTOUCHED, &layout, &offset), TR_LAYOUT);
    assert_layout(layout, 77, 3);
    assert_int_equal(offset, 99);
    /* In place: the result may be one of the operands. */
    layout = make(M - 1, 1);
    assert_int_equal(tr_layout_extend(layout, make(1, 1), &layout, &offset), TR_OK);
    assert_layout(layout, M, 1);
}

static void test_layout_repeat_pads_between_but_not_behind(void **state)
{
    (void)state;
    tr_layout layout = UNTOUCHED;
    size_t stride = 99;
    assert_int_equal(tr_layout_repeat(make(6, 4), 3, &layout, &stride), TR_OK);
    assert_layout(layout, 22, 4);
    assert_int_equal(stride, 8);
    assert_int_equal(tr_layout_repeat(make(6, 4), 0, &layout, &stride), TR_OK);
    assert_layout(layout, 0, 4);
    assert_int_equal(tr_layout_repeat(make(6, 4), 1, &layout, &stride), TR_OK);
    assert_layout(layout, 6, 4);
    assert_int_equal(tr_layout_repeat(make(0, 8), U, &layout, &stride), TR_OK);
    assert_layout(layout, 0, 8);
    assert_int_equal(stride, 0);

    layout = UNTOUCHED;
    stride = 99;
    assert_int_equal(tr_layout_repeat(make(6, 4), U, &layout, &stride), TR_LAYOUT);
    assert_int_equal(tr_layout_repeat(make(6, 4), M / 8 + 2, &layout, &stride), TR_LAYOUT);
    assert_int_equal(tr_layout_repeat(UNTOUCHED, 1, &layout, &stride), TR_LAYOUT);
    assert_layout(layout, 77, 3);
    assert_int_equal(stride, 99);
}

static void test_lay_12_dangling_is_aligned_and_not_null(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        const uintptr_t address = (uintptr_t)tr_layout_dangling(make(0, (size_t)1 << bit));
        assert_true(address != 0);
        assert_int_equal(address & (((uintptr_t)1 << bit) - 1), 0);
    }
    assert_int_equal((uintptr_t)tr_layout_dangling(make(0, 0x1000)), 0x1000);
}

static void test_layout_align_to_raises_only_and_refuses_overflow(void **state)
{
    (void)state;
    tr_layout layout = UNTOUCHED;
    assert_int_equal(tr_layout_align_to(make(6, 4), 16, &layout), TR_OK);
    assert_layout(layout, 6, 16);
    assert_int_equal(tr_layout_align_to(make(6, 4), 2, &layout), TR_OK);
    assert_layout(layout, 6, 4);
    assert_int_equal(tr_layout_align_to(make(0, 1), (size_t)1 << 63, &layout), TR_OK);
    assert_layout(layout, 0, (size_t)1 << 63);

    layout = UNTOUCHED;
    assert_int_equal(tr_layout_align_to(make(6, 4), 0, &layout), TR_LAYOUT);
    assert_int_equal(tr_layout_align_to(make(6, 4), 12, &layout), TR_LAYOUT);
    assert_int_equal(tr_layout_align_to(make(M, 1), 2, &layout), TR_LAYOUT);
    assert_int_equal(tr_layout_align_to(make(1, 1), (size_t)1 << 63, &layout), TR_LAYOUT);
    assert_int_equal(tr_layout_align_to(UNTOUCHED, 4, &layout), TR_LAYOUT);
    assert_layout(layout, 77, 3);
}

static void test_layout_padding_for_is_what_extend_inserts(void **state)
{
    (void)state;
    for (size_t size = 0; size < 70; size++) {
        for (size_t align = 1; align <= 64; align *= 2) {
            tr_layout both;
            size_t offset = 0;
            assert_int_equal(tr_layout_extend(make(size, 1), make(1, align), &both, &offset),
                             TR_OK);
            assert_int_equal(tr_layout_padding_for(make(size, 1), align), offset - size);
        }
    }
    assert_int_equal(tr_layout_padding_for(make(M, 1), (size_t)1 << 63), 1);
}

static void check_round_up(size_t n, size_t unit)
{
    const size_t rounded = tr_size_round_up(n, unit);
    assert_true(rounded >= n);
    assert_true(rounded - n < unit);
    assert_true(rounded % unit == 0 || rounded == U);
    assert_int_equal(tr_size_round_up(rounded, unit), rounded);
}

static void test_pol_11_round_up_is_the_next_multiple_and_saturates(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        const size_t unit = (size_t)1 << bit;
        for (size_t n = 0; n < 300; n++) {
            check_round_up(n, unit);
            check_round_up(U - n, unit);
            check_round_up(unit - 150 + n, unit);
            check_round_up((U & ~(unit - 1)) - 150 + n % 150, unit);
        }
        assert_int_equal(tr_size_round_up(0, unit), 0);
        assert_int_equal(tr_size_round_up(1, unit), unit);
        assert_int_equal(tr_size_round_up(U & ~(unit - 1), unit), U & ~(unit - 1));
        assert_int_equal(tr_size_round_up(U, unit), U);
    }
    assert_int_equal(tr_size_round_up(U - 15, 16), U - 15); /* a multiple itself */
    assert_int_equal(tr_size_round_up(U - 14, 16), U);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lay_01_of_types_and_arrays),
        TEST(test_lay_02_alignment_must_be_a_power_of_two),
        TEST(test_lay_03_padded_size_is_at_most_ptrdiff_max),
        TEST(test_lay_06_array_overflow_is_refused),
        TEST(test_lay_07_extend_places_next_without_trailing_padding),
        TEST(test_lay_08_record_has_the_offsets_of_the_c_struct),
        TEST(test_layout_extend_overflow_touches_neither_result),
        TEST(test_layout_repeat_pads_between_but_not_behind),
        TEST(test_lay_12_dangling_is_aligned_and_not_null),
        TEST(test_layout_align_to_raises_only_and_refuses_overflow),
        TEST(test_layout_padding_for_is_what_extend_inserts),
        TEST(test_pol_11_round_up_is_the_next_multiple_and_saturates),
    };
    return TEST_RUN(tests);
}
