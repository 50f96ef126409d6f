/*
 * test_layout_print - the text of a struct's layout
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/layout_print.h>

struct message {
    char kind;
    uint64_t id;
    uint16_t flags;
};

static void assert_text(tr_record record, const char *expected)
{
    char text[1024] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    assert_non_null(stream);
    assert_int_equal(tr_layout_print(stream, record), TR_OK);
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, expected);
}

static void test_layout_print_shows_holes_and_padding(void **state)
{
    (void)state;
    const char *expected = "struct message: 24 bytes, aligned to 8\n"
                           "  offset   size  member\n"
                           "       0      1  kind\n"
                           "       1      7  (hole)\n"
                           "       8      8  id\n"
                           "      16      2  flags\n"
                           "      18      6  (padding)\n"
                           "11 bytes in members, 13 in holes and padding\n";
    assert_text(TR_RECORD(struct message, kind, id, flags), expected);
    assert_text(TR_RECORD(struct message, flags, kind, id), expected);
    assert_int_equal(tr_layout_wasted(TR_RECORD(struct message, flags, kind, id)), 13);
}

static void test_layout_print_unnamed_members_are_holes(void **state)
{
    (void)state;
    assert_text(TR_RECORD(struct message, id), "struct message: 24 bytes, aligned to 8\n"
                                               "  offset   size  member\n"
                                               "       0      8  (hole)\n"
                                               "       8      8  id\n"
                                               "      16      8  (padding)\n"
                                               "8 bytes in members, 16 in holes and padding\n");
}

static void test_layout_print_without_holes_shows_none(void **state)
{
    (void)state;
    typedef struct tight {
        uint32_t a;
        uint16_t b[2];
    } tight;
    assert_text(TR_RECORD(tight, a, b), "tight: 8 bytes, aligned to 4\n"
                                        "  offset   size  member\n"
                                        "       0      4  a\n"
                                        "       4      4  b\n"
                                        "8 bytes in members, 0 in holes and padding\n");
}

static void test_layout_print_overlapping_and_nested_members(void **state)
{
    (void)state;
    struct event {
        union {
            uint64_t number;
            char letter;
        } value;
        struct {
            uint32_t x, y;
        } at;
        struct {
        } mark;
    };
    assert_text(TR_RECORD(struct event, value.letter, value.number, at.y, mark),
                "struct event: 16 bytes, aligned to 8\n"
                "  offset   size  member\n"
                "       0      1  value.letter\n"
                "       0      8  value.number\n"
                "       8      4  (hole)\n"
                "      12      4  at.y\n"
                "      16      0  mark\n"
                "12 bytes in members, 4 in holes and padding\n");
}

static void test_layout_print_takes_sixteen_members(void **state)
{
    (void)state;
    struct wide {
        char a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
    };
    const tr_record record = TR_RECORD(struct wide, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    assert_int_equal(record.member_count, 16);
    assert_int_equal(tr_layout_wasted(record), 0);
    for (size_t i = 0; i < 16; i++) {
        assert_int_equal(record.members[i].offset, i);
        assert_int_equal(record.members[i].name[0], 'a' + (int)i);
    }
}

static void test_layout_print_refused_by_the_stream_is_io(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(setvbuf(full, NULL, _IONBF, 0), 0);
    assert_int_equal(tr_layout_print(full, TR_RECORD(struct message, kind, id, flags)), TR_IO);
    (void)fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_layout_print_shows_holes_and_padding),
        TEST(test_layout_print_unnamed_members_are_holes),
        TEST(test_layout_print_without_holes_shows_none),
        TEST(test_layout_print_overlapping_and_nested_members),
        TEST(test_layout_print_takes_sixteen_members),
        TEST(test_layout_print_refused_by_the_stream_is_io),
    };
    return TEST_RUN(tests);
}
