/*
 * test_string - text: views, growth, characters, positions, failure
 */
#include "tests/support/test.h"

#include <stdio.h>
#include <string.h>

#include <troupe/mem/string.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

/* 1, 2, 3 and 4 bytes: a, e acute, euro, a grinning face. */
#define MIXED "a\u00e9\u20ac\U0001f600"
static const uint32_t mixed[] = { 'a', 0xe9, 0x20ac, 0x1f600 };

static void assert_text(const tr_string *s, const char *expected)
{
    assert_string_equal(tr_string_cstr(s), expected);
    assert_int_equal(s->len, strlen(expected));
    if (s->cap != 0) {
        assert_true(s->len < s->cap);
        assert_int_equal(s->data[s->len], '\0');
    }
}

/* -- views -------------------------------------------------------------------- */

static void test_string_utf8_check_accepts_and_refuses(void **state)
{
    (void)state;
    static const char *const good[] = { "",       "abc",          MIXED,          "\x7f", "\xc2\x80",
                                        "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(tr_utf8_valid_up_to(good[i], strlen(good[i])), strlen(good[i]));
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe0\xa0",
        "\xed\xa0\x80", "\xef\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff", "\xfe", "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "twelve chars%s", bad[i]);
        tr_str kept = TR_STR("kept");
        assert_int_equal(tr_utf8_valid_up_to(text, strlen(text)), 12);
        assert_int_equal(tr_str_from_utf8(text, strlen(text), &kept), TR_INVALID);
        assert_string_equal(kept.data, "kept");
    }
    assert_int_equal(tr_utf8_valid_up_to(NULL, 0), 0);
}

static void test_string_every_number_of_a_character_comes_back(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_new();
    unsigned refused = 0, wrong = 0;
    for (uint32_t c = 0; c < 0x110100; c++) {
        tr_string_clear(&s);
        if (tr_string_try_push(&s, c) == TR_INVALID) {
            refused++;
            wrong += !((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff);
            continue;
        }
        uint32_t back = 1;
        wrong += tr_utf8_valid_up_to(s.data, s.len) != s.len;
        wrong += tr_string_pop(&s, &back) != TR_OK || back != c || s.len != 0;
    }
    assert_int_equal(refused, 0x800 + 0x100);
    assert_int_equal(wrong, 0);
}

static void from_bad_text(void *arg)
{
    (void)tr_str_from(arg);
}

static void test_string_view_of_bad_text_panics_with_the_place(void **state)
{
    (void)state;
    char text[] = "abc\xff";
    assert_panics(from_bad_text, text, "no UTF-8 from byte 3");
    assert_int_equal(tr_str_from("abc").len, 3);
}

static void test_string_views_compare_and_search(void **state)
{
    (void)state;
    const tr_str none = { NULL, 0 };
    assert_true(tr_str_eq(none, TR_STR("")));
    assert_true(tr_str_eq(TR_STR("ab"), tr_str_from("ab")));
    assert_false(tr_str_eq(TR_STR("ab"), TR_STR("abc")));
    assert_true(tr_str_compare(TR_STR("ab"), TR_STR("abc")) < 0);
    assert_true(tr_str_compare(TR_STR("b"), TR_STR("abc")) > 0);
    assert_int_equal(tr_str_compare(none, TR_STR("")), 0);
    assert_true(tr_str_hash(TR_STR("ab")) == tr_str_hash(tr_str_from("ab")));
    assert_true(tr_str_hash(TR_STR("ab")) != tr_str_hash(TR_STR("ba")));

    size_t at = 99;
    assert_true(tr_str_find(TR_STR("hello"), TR_STR("l"), &at));
    assert_int_equal(at, 2);
    assert_false(tr_str_find(TR_STR("hello"), TR_STR("lol"), &at));
    assert_false(tr_str_find(none, TR_STR("l"), &at));
    assert_int_equal(at, 2);
    assert_true(tr_str_find(none, none, &at));
    assert_int_equal(at, 0);

    assert_true(tr_str_starts_with(TR_STR("hello"), TR_STR("he")));
    assert_false(tr_str_starts_with(TR_STR("h"), TR_STR("he")));
    assert_true(tr_str_starts_with(none, none));
    assert_true(tr_str_ends_with(TR_STR("hello"), TR_STR("lo")));
    assert_false(tr_str_ends_with(TR_STR("o"), TR_STR("lo")));
    assert_true(tr_str_eq(tr_str_trim(TR_STR(" \t a b\n")), TR_STR("a b")));
    assert_true(tr_str_eq(tr_str_trim(TR_STR(" \n ")), none));
}

static void test_string_split_gives_one_piece_more_than_separators(void **state)
{
    (void)state;
    static const char *const expected[] = { "a", "::", "bc", "" };
    size_t n = 0;
    for (tr_str rest = TR_STR("a--::--bc--"), piece; tr_str_split(&rest, TR_STR("--"), &piece);) {
        assert_true(n < 4 && tr_str_eq(piece, tr_str_from(expected[n])));
        n++;
    }
    assert_int_equal(n, 4);
    tr_str rest = TR_STR(""), piece = TR_STR("x");
    assert_true(tr_str_split(&rest, TR_STR(","), &piece));
    assert_int_equal(piece.len, 0);
    assert_false(tr_str_split(&rest, TR_STR(","), &piece));
}

struct span {
    tr_str s;
    size_t start, end;
};
static void call_slice(void *arg)
{
    const struct span *span = arg;
    (void)tr_str_slice(span->s, span->start, span->end);
}

static void test_string_slices_lie_between_characters(void **state)
{
    (void)state;
    const tr_str s = TR_STR(MIXED);
    static const size_t boundaries[] = { 0, 1, 3, 6, 10 };
    assert_int_equal(s.len, 10);
    assert_int_equal(tr_str_count(s), 4);
    size_t found = 0;
    for (size_t at = 0; at <= 11; at++)
        if (tr_str_is_boundary(s, at))
            assert_int_equal(at, boundaries[found++]);
    assert_int_equal(found, 5);
    assert_true(tr_str_eq(tr_str_slice(s, 1, 6), TR_STR("\u00e9\u20ac")));
    assert_int_equal(tr_str_slice(s, 10, 10).len, 0);
    tr_str part = { NULL, 0 };
    assert_false(tr_str_get(s, 0, 2, &part));
    assert_false(tr_str_get(s, 6, 3, &part));
    assert_false(tr_str_get(s, 0, 11, &part));
    struct span span = { s, 0, 2 };
    assert_panics(call_slice, &span, "range 0 to 2 does not lie between characters");
    span.end = 11;
    assert_panics(call_slice, &span, "range 0 to 11 is out of bounds of 10");
    span.start = 12;
    assert_panics(call_slice, &span, "range 12 to 11 ends before it starts");

    size_t n = 0;
    uint32_t c = 0;
    for (tr_str rest = s; tr_str_next(&rest, &c); n++)
        assert_int_equal(c, mixed[n]);
    assert_int_equal(n, 4);
}

/* -- growth -------------------------------------------------------------------- */

static void test_string_empty_allocates_nothing_and_reads_as_empty(void **state)
{
    (void)state;
    tr_string s = tr_string_new();
    assert_text(&s, "");
    tr_string_push_str(&s, TR_STR(""));
    tr_string_clear(&s);
    tr_string_printf(&s, "%s", "");
    TR_AUTO_VALUE(tr_string) copy = tr_string_clone(&s);
    assert_int_equal(test_live_blocks(), 0);
    assert_int_equal(tr_string_cap(&s), 0);
    tr_string_drop(&s);
}

static void test_string_pushes_grow_and_stay_terminated(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("he"));
    assert_int_equal(tr_string_cap(&s), 2);
    tr_string_push_str(&s, TR_STR("llo"));
    for (size_t i = 0; i < 4; i++)
        tr_string_push(&s, mixed[i]);
    assert_text(&s, "hello" MIXED);
    tr_string_push_str(&s, tr_string_str(&s)); /* itself, while it moves */
    assert_text(&s, "hello" MIXED "hello" MIXED);
    tr_string_truncate(&s, 5);
    tr_string_shrink_to_fit(&s);
    assert_int_equal(tr_string_cap(&s), 5);
    assert_text(&s, "hello");
    tr_string_clear(&s);
    assert_text(&s, "");
    tr_string_shrink_to_fit(&s);
    assert_null(s.data);
    tr_string_reserve(&s, 100);
    const char *data = s.data;
    for (unsigned i = 0; i < 100; i++)
        tr_string_push(&s, 'x');
    assert_ptr_equal(s.data, data);
}

static void test_string_printf_appends(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("n:"));
    tr_string_printf(&s, " %d %s", 42, "forty-two, and enough text to make it grow");
    assert_text(&s, "n: 42 forty-two, and enough text to make it grow");
    tr_string_truncate(&s, 5);
    tr_string_printf(&s, "/%s/%.*s", s.data, TR_STR_ARGS(TR_STR("abc"))); /* a part of itself */
    assert_text(&s, "n: 42/n: 42/abc");
    assert_int_equal(tr_string_try_printf(&s, "\x1%c", 0xff), TR_INVALID);
    assert_text(&s, "n: 42/n: 42/abc");
}

static void print_bad(void *arg)
{
    tr_string_printf(arg, "%s", "\xc3");
}
static void push_surrogate(void *arg)
{
    tr_string_push(arg, 0xd800);
}
static void reserve_all(void *arg)
{
    tr_string_reserve(arg, SIZE_MAX);
}

static void test_string_refuses_what_is_no_text_or_too_long(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("ab"));
    assert_panics(print_bad, &s, "is no UTF-8");
    assert_panics(push_surrogate, &s, "0xd800 is no character");
    assert_panics(reserve_all, &s, "capacity overflow");
    assert_int_equal(tr_string_try_reserve(&s, SIZE_MAX), TR_INVALID);
    assert_int_equal(tr_string_try_reserve(&s, SIZE_MAX - 1), TR_INVALID);
    tr_string none = tr_string_new();
    assert_int_equal(tr_string_try_with_capacity(SIZE_MAX, &none), TR_INVALID);
    assert_int_equal(tr_string_try_from_utf8("a\xff", 2, &none), TR_INVALID);
    assert_null(none.data);
    assert_text(&s, "ab");
}

/* -- positions ------------------------------------------------------------------ */

static void test_string_insert_and_remove_at_characters(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("ac"));
    tr_string_insert(&s, 1, 0x20ac);
    tr_string_insert_str(&s, 0, TR_STR("<"));
    tr_string_insert_str(&s, s.len, TR_STR(">"));
    assert_text(&s, "<a\u20acc>");
    assert_int_equal(tr_string_remove(&s, 2), 0x20ac);
    assert_int_equal(tr_string_remove(&s, 0), '<');
    assert_text(&s, "ac>");
    tr_string_replace(&s, 1, 2, TR_STR("\u00e9\u00e9\u00e9"));
    assert_text(&s, "a\u00e9\u00e9\u00e9>");
    tr_string_replace(&s, 1, 7, TR_STR(""));
    assert_text(&s, "a>");
}

static void test_string_inserts_a_part_of_itself(void **state)
{
    (void)state;
    static const struct {
        size_t start, end, at;
        const char *result;
    } rows[] = {
        { 0, 6, 0, "abcdefabcdef" }, { 0, 6, 6, "abcdefabcdef" }, { 0, 6, 3, "abcabcdefdef" },
        { 0, 2, 4, "abcdabef" },     { 4, 6, 1, "aefbcdef" },     { 1, 5, 2, "abbcdecdef" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("abcdef"));
        const tr_str part = tr_str_slice(tr_string_str(&s), rows[i].start, rows[i].end);
        tr_string_insert_str(&s, rows[i].at, part);
        assert_text(&s, rows[i].result);
    }
}

struct place {
    tr_string *s;
    size_t at;
};
static void call_insert(void *arg)
{
    const struct place *place = arg;
    tr_string_insert_str(place->s, place->at, TR_STR("x"));
}
static void call_remove(void *arg)
{
    const struct place *place = arg;
    (void)tr_string_remove(place->s, place->at);
}
static void call_truncate(void *arg)
{
    const struct place *place = arg;
    tr_string_truncate(place->s, place->at);
}
static void call_split(void *arg)
{
    const struct place *place = arg;
    TR_AUTO_VALUE(tr_string) tail = tr_string_split_off(place->s, place->at);
}

static void test_string_positions_inside_of_a_character_panic(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR(MIXED));
    struct place place = { &s, 2 };
    void (*const calls[])(void *) = { call_insert, call_remove, call_truncate, call_split };
    for (size_t i = 0; i < 4; i++)
        assert_panics(calls[i], &place, "position 2 does not lie between characters");
    place.at = 11;
    assert_panics(call_insert, &place, "position 11 is out of bounds of 10");
    assert_panics(call_remove, &place, "position 11 is out of bounds of 10");
    assert_panics(call_split, &place, "position 11 is out of bounds of 10");
    call_truncate(&place); /* a longer one is left alone */
    place.at = 10;
    assert_panics(call_remove, &place, "no character begins at the end");
    assert_text(&s, MIXED);
}

static void test_string_pop_and_split_off_take_whole_characters(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR(MIXED));
    TR_AUTO_VALUE(tr_string) tail = tr_string_split_off(&s, 3);
    assert_text(&s, "a\u00e9");
    assert_text(&tail, "\u20ac\U0001f600");
    uint32_t c = 0;
    assert_int_equal(tr_string_pop(&tail, &c), TR_OK);
    assert_int_equal(c, 0x1f600);
    assert_int_equal(tr_string_pop(&tail, &c), TR_OK);
    assert_int_equal(c, 0x20ac);
    assert_int_equal(tr_string_pop(&tail, &c), TR_EMPTY);
    assert_int_equal(c, 0x20ac);
    const char *block = s.data;
    TR_AUTO_VALUE(tr_string) all = tr_string_split_off(&s, 0);
    assert_ptr_equal(all.data, block);
    assert_text(&s, "");
}

static void test_string_is_a_described_type(void **state)
{
    (void)state;
    tr_string *boxed = tr_box(tr_string, .untyped = tr_string_from(TR_STR("ab")).untyped);
    TR_AUTO_VALUE(tr_string) other = tr_string_from(TR_STR("ab"));
    const tr_type *type = tr_type_of(tr_string);
    assert_true(type->eq(boxed, &other));
    assert_true(type->hash(boxed) == type->hash(&other));
    tr_drop(boxed);
}

/* -- without memory -------------------------------------------------------------- */

typedef tr_status attempt(tr_string *s, tr_string *made);

static tr_status try_push(tr_string *s, tr_string *made)
{
    (void)made;
    return tr_string_try_push(s, 'x');
}
static tr_status try_push_str(tr_string *s, tr_string *made)
{
    (void)made;
    return tr_string_try_push_str(s, TR_STR("xy"));
}
static tr_status try_printf(tr_string *s, tr_string *made)
{
    (void)made;
    return tr_string_try_printf(s, "%d", 12);
}
static tr_status try_insert(tr_string *s, tr_string *made)
{
    (void)made;
    return tr_string_try_insert_str(s, 1, TR_STR("xy"));
}
static tr_status try_replace(tr_string *s, tr_string *made)
{
    (void)made;
    return tr_string_try_replace(s, 1, 2, TR_STR("xyz"));
}
static tr_status try_split_off(tr_string *s, tr_string *made)
{
    return tr_string_try_split_off(s, 1, made);
}
static tr_status try_clone(tr_string *s, tr_string *made)
{
    return tr_string_try_clone(made, s);
}

static void test_string_without_memory_changes_nothing(void **state)
{
    (void)state;
    attempt *const attempts[] = { try_push,    try_push_str,  try_printf, try_insert,
                                  try_replace, try_split_off, try_clone };
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        tr_status status = TR_NOMEM;
        for (uint64_t successes = 0; status == TR_NOMEM; successes++) {
            TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("abc"));
            TR_AUTO_VALUE(tr_string) made = tr_string_new();
            failing_allocator failing;
            failing_install(&failing, successes);
            status = attempts[i](&s, &made);
            failing_remove(&failing);
            assert_true(successes != 0 || status == TR_NOMEM);
            if (status == TR_NOMEM) {
                assert_text(&s, "abc");
                assert_null(made.data);
            }
        }
        assert_int_equal(status, TR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_string_utf8_check_accepts_and_refuses),
        TEST(test_string_every_number_of_a_character_comes_back),
        TEST(test_string_view_of_bad_text_panics_with_the_place),
        TEST(test_string_views_compare_and_search),
        TEST(test_string_split_gives_one_piece_more_than_separators),
        TEST(test_string_slices_lie_between_characters),
        TEST(test_string_empty_allocates_nothing_and_reads_as_empty),
        TEST(test_string_pushes_grow_and_stay_terminated),
        TEST(test_string_printf_appends),
        TEST(test_string_refuses_what_is_no_text_or_too_long),
        TEST(test_string_insert_and_remove_at_characters),
        TEST(test_string_inserts_a_part_of_itself),
        TEST(test_string_positions_inside_of_a_character_panic),
        TEST(test_string_pop_and_split_off_take_whole_characters),
        TEST(test_string_is_a_described_type),
        TEST(test_string_without_memory_changes_nothing),
    };
    return TEST_RUN(tests);
}
