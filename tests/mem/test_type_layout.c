/*
 * test_type_layout - types as the compiler lays them out: what tr_layout computes,
 * what a descriptor says and where boxes and vecs put values must agree with it
 */
#include "tests/support/test.h"

#include <stdalign.h>
#include <string.h>

#include <troupe/mem/box.h>
#include <troupe/mem/vec.h>

/* -- the types ------------------------------------------------------------------- */

typedef struct flagged {
    uint32_t value;
    bool flag;
} __attribute__((aligned(8))) flagged;

typedef struct tight {
    uint8_t a;
    uint32_t b;
} __attribute__((packed)) tight;

#pragma pack(push, 2)
typedef struct paired {
    uint8_t a;
    uint32_t b;
} paired;
#pragma pack(pop)

typedef struct wrapped {
    uint8_t a;
    uint32_t b;
    uint8_t c;
} wrapped;

typedef struct ladder {
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;
} ladder;

typedef struct lonely {
    uint8_t a;
} __attribute__((aligned(64))) lonely;

TR_TYPE(flagged)
TR_TYPE(tight)
TR_TYPE(lonely)
TR_VEC(tight)

/* The fields one behind the other, then padded: what the compiler does. */
static tr_layout lay_out(const tr_layout *fields, size_t n, size_t *ret_offsets)
{
    tr_layout record = { 0, 1 };
    for (size_t i = 0; i < n; i++)
        assert_int_equal(tr_layout_extend(record, fields[i], &record, &ret_offsets[i]), TR_OK);
    return tr_layout_pad_to_align(record);
}

static void assert_type(const tr_type *type, size_t size, size_t align)
{
    assert_int_equal(type->size, size);
    assert_int_equal(type->align, align);
}

static bool is_aligned(const void *p, size_t align)
{
    return (uintptr_t)p % align == 0;
}

/* -- RPR --------------------------------------------------------------------------- */

static void test_rpr_01_aligned_to_eight_and_packed(void **state)
{
    (void)state;
    assert_int_equal(sizeof(flagged), 8);
    assert_int_equal(alignof(flagged), 8);
    assert_type(tr_type_of(flagged), 8, 8);
    assert_int_equal(sizeof(tight), 5);
    assert_int_equal(alignof(tight), 1);
    assert_int_equal(offsetof(tight, b), 1);
    assert_type(tr_type_of(tight), 5, 1);

    size_t at[2];
    const tr_layout fields[] = { tr_layout_of(uint32_t), tr_layout_of(bool) };
    tr_layout record = lay_out(fields, 2, at);
    assert_int_equal(tr_layout_align_to(record, 8, &record), TR_OK);
    assert_int_equal(tr_layout_pad_to_align(record).size, sizeof(flagged));
    assert_int_equal(at[1], offsetof(flagged, flag));

    const tr_layout bytes[] = { { 1, 1 }, { 4, 1 } }; /* packed: every field aligned to 1 */
    record = lay_out(bytes, 2, at);
    assert_int_equal(record.size, sizeof(tight));
    assert_int_equal(at[1], offsetof(tight, b));
}

static void test_rpr_02_offsets_and_padding_are_those_of_the_struct(void **state)
{
    (void)state;
    size_t at[4];
    const tr_layout three[] = { tr_layout_of(uint8_t), tr_layout_of(uint32_t), tr_layout_of(uint8_t) };
    tr_layout record = lay_out(three, 3, at);
    assert_int_equal(record.size, 12);
    assert_int_equal(record.align, 4);
    assert_int_equal(sizeof(wrapped), 12);
    assert_int_equal(at[0], offsetof(wrapped, a));
    assert_int_equal(at[1], offsetof(wrapped, b));
    assert_int_equal(at[2], offsetof(wrapped, c));
    assert_int_equal(at[2], 8);

    const tr_layout four[] = { tr_layout_of(uint8_t), tr_layout_of(uint16_t), tr_layout_of(uint32_t),
                               tr_layout_of(uint64_t) };
    record = lay_out(four, 4, at);
    assert_int_equal(record.size, 16);
    assert_int_equal(sizeof(ladder), 16);
    assert_int_equal(at[1], 2);
    assert_int_equal(at[2], 4);
    assert_int_equal(at[3], 8);
    assert_int_equal(at[1], offsetof(ladder, b));
    assert_int_equal(at[2], offsetof(ladder, c));
    assert_int_equal(at[3], offsetof(ladder, d));
}

static void test_rpr_03_packed_to_two(void **state)
{
    (void)state;
    assert_int_equal(sizeof(paired), 6);
    assert_int_equal(alignof(paired), 2);
    assert_int_equal(offsetof(paired, b), 2);
    size_t at[2];
    const tr_layout fields[] = { { 1, 1 }, { 4, 2 } };
    const tr_layout record = lay_out(fields, 2, at);
    assert_int_equal(record.size, 6);
    assert_int_equal(record.align, 2);
    assert_int_equal(at[1], 2);
}

static void test_rpr_03_elements_of_a_cache_line_are_each_aligned(void **state)
{
    (void)state;
    assert_int_equal(sizeof(lonely), 64);
    assert_int_equal(sizeof(lonely[3]), 192);
    assert_type(tr_type_of(lonely), 64, 64);
    tr_layout three;
    assert_int_equal(tr_layout_array(tr_layout_of(lonely), 3, &three), TR_OK);
    assert_int_equal(three.size, 192);
    assert_int_equal(three.align, 64);

    lonely *one = tr_box(lonely, .a = 1);
    lonely *several = tr_box_array(lonely, 3);
    assert_non_null(several);
    assert_true(is_aligned(one, 64));
    for (size_t i = 0; i < 3; i++)
        assert_true(is_aligned(&several[i], 64));
    tr_drop(several);
    tr_drop(one);
}

static void test_rpr_04_alignment_is_only_raised_and_the_largest_counts(void **state)
{
    (void)state;
    struct lowered {
        int x __attribute__((aligned(1)));
    };
    struct raised {
        alignas(4) alignas(16) alignas(8) int x;
    };
    assert_int_equal(alignof(struct lowered), alignof(int));
    assert_int_equal(alignof(struct raised), 16);
    assert_int_equal(sizeof(struct raised), 16);

    tr_layout layout = tr_layout_of(int); /* as align_to: a smaller one changes nothing */
    assert_int_equal(tr_layout_align_to(layout, 1, &layout), TR_OK);
    assert_int_equal(layout.align, alignof(int));
    assert_int_equal(tr_layout_align_to(layout, 16, &layout), TR_OK);
    assert_int_equal(tr_layout_align_to(layout, 8, &layout), TR_OK);
    assert_int_equal(layout.align, 16);
}

static int by_member(const tight *a, const tight *b, void *arg)
{
    (void)arg;
    return (a->b > b->b) - (a->b < b->b);
}

/* Every second element's member lies at an odd address: UBSan sees who forgets it. */
static void test_rpr_06_packed_members_are_moved_whole(void **state)
{
    (void)state;
    tight_vec v = tight_vec_new();
    for (uint32_t i = 0; i < 9; i++)
        tight_vec_push(&v, (tight){ .a = (uint8_t)i, .b = UINT32_C(0x01020304) * (9 - i) });
    tight_vec_sort_by(&v, by_member, NULL);
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t b;
        memcpy(&b, (const char *)&v.data[i] + offsetof(tight, b), sizeof b);
        assert_int_equal(b, UINT32_C(0x01020304) * (i + 1));
        assert_int_equal(v.data[i].b, b);
        assert_int_equal(v.data[i].a, 8 - i);
    }
    assert_ptr_equal(&v.data[1], (const char *)v.data + 5);
    tight *boxed = tr_box(tight, .a = 7, .b = UINT32_MAX);
    boxed->b += 2;
    assert_int_equal(boxed->b, 1);
    assert_int_equal(boxed->a, 7);
    tr_drop(boxed);
    tight_vec_drop(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rpr_01_aligned_to_eight_and_packed),
        TEST(test_rpr_02_offsets_and_padding_are_those_of_the_struct),
        TEST(test_rpr_03_packed_to_two),
        TEST(test_rpr_03_elements_of_a_cache_line_are_each_aligned),
        TEST(test_rpr_04_alignment_is_only_raised_and_the_largest_counts),
        TEST(test_rpr_06_packed_members_are_moved_whole),
    };
    return TEST_RUN(tests);
}
