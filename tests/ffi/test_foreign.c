/*
 * Strings of C and callbacks with user data, as a caller in another language
 * meets them; what docs/ffi.md says of them is done here.
 */
#include "tests/mem/death.h"
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include <troupe/troupe.h>

/* -- strings ------------------------------------------------------------------------ */

static void test_ffi_01_cstr_has_strlens_length(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("1234"));
    const char *text = tr_string_cstr(&s);
    assert_int_equal(strlen(text), 4);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(text, "1234", 5);

    TR_AUTO_VALUE(tr_string) empty = tr_string_new();
    assert_int_equal(*tr_string_cstr(&empty), '\0');
    assert_int_equal(empty.len, strlen(tr_string_cstr(&empty)));
}

static void test_ffi_02_zero_inside_is_found_and_bytes_stay_the_callers(void **state)
{
    (void)state;
    const char bytes[] = { '1', '2', '\0', '3', '4' };
    TR_AUTO_VALUE(tr_string) s = tr_string_new();
    TR_MUST(tr_string_try_from_utf8(bytes, sizeof bytes, &s));
    size_t at = 99;
    assert_true(tr_str_find(tr_string_str(&s), TR_STR("\0"), &at)); /* so no C string */
    assert_int_equal(at, 2);
    assert_int_equal(s.len, sizeof bytes);
    assert_memory_equal(s.data, bytes, sizeof bytes);
}

/* The text before the first zero of n bytes. */
static bool until_zero(const char *bytes, size_t n, tr_str *ret_text)
{
    size_t at;
    if (!tr_str_find((tr_str){ bytes, n }, TR_STR("\0"), &at))
        return false;
    *ret_text = (tr_str){ bytes, at };
    return true;
}

/* Are n bytes one C string as they stand: a zero at the end and none before? */
static bool is_cstr(const char *bytes, size_t n)
{
    tr_str text;
    return until_zero(bytes, n, &text) && text.len + 1 == n;
}

static void test_ffi_03_which_bytes_are_a_c_string(void **state)
{
    (void)state;
    assert_true(is_cstr("123", 4));
    assert_false(is_cstr("123", 3));
    assert_false(is_cstr("1\0 23", 6));

    tr_str text = TR_STR("untouched");
    assert_false(until_zero("", 0, &text));
    assert_false(until_zero("hello", 5, &text));
    assert_true(tr_str_eq(text, TR_STR("untouched")));
    assert_true(until_zero("\0", 1, &text));
    assert_int_equal(text.len, 0);
    assert_true(until_zero("hello\0world", 12, &text));
    assert_true(tr_str_eq(text, TR_STR("hello")));
    assert_true(until_zero("\0\0\0\0", 4, &text));
    assert_int_equal(text.len, 0);
}

static char *give_away(const char *text)
{
    const size_t n = strlen(text) + 1;
    char *raw = tr_box_array(char, n);
    memcpy(raw, text, n);
    return raw;
}

static void test_ffi_04_text_comes_back_through_a_raw_pointer(void **state)
{
    (void)state;
    const int64_t before = test_live_blocks();
    void *foreign = give_away("1234"); /* all the other side holds */
    assert_int_equal(test_live_blocks(), before + 1);
    assert_int_equal(tr_array_len(foreign), 5);
    assert_string_equal(foreign, "1234");
    tr_drop_owned(foreign);
    assert_int_equal(test_live_blocks(), before);

    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("1234"));
    void *raw = s.data;
    tr_string parts = TR_TAKE(s);
    assert_ptr_equal(parts.data, raw); /* moved by its words: no other block */
    assert_null(s.data);
    assert_int_equal(test_live_blocks(), before + 1);
    tr_string_drop(&parts);
    assert_int_equal(test_live_blocks(), before);
}

/* As a caller would who gives back what it was handed with the wrong size. */
static void free_with_another_layout(void)
{
    tr_tracking_allocator *tracking;
    TR_MUST(tr_tracking_allocator_create(NULL, &tracking));
    tr_allocator *allocator = tr_tracking_allocator_base(tracking);
    void *block = tr_alloc_from(allocator, (tr_layout){ .size = 5, .align = 1 });
    tr_dealloc_from(allocator, block, (tr_layout){ .size = 4, .align = 1 });
}

static void free_what_libc_made(void)
{
    tr_tracking_allocator *tracking;
    TR_MUST(tr_tracking_allocator_create(NULL, &tracking));
    tr_dealloc_from(tr_tracking_allocator_base(tracking), strdup("1234"),
                    (tr_layout){ .size = 5, .align = 1 });
}

static void test_ffi_04_wrong_free_is_caught_by_the_tracking_allocator(void **state)
{
    (void)state;
    char text[4096];
    assert_true(death_by_abort(free_with_another_layout, text, sizeof text));
    assert_true(death_by_abort(free_what_libc_made, text, sizeof text));
}

/* -- callbacks ------------------------------------------------------------------------ */

typedef struct listener {
    TR_ATOMIC(unsigned) calls;
    TR_ATOMIC(unsigned) reason;
    unsigned *destroyed;
} listener;

static void listener_drop(listener *l)
{
    (*l->destroyed)++;
}
TR_TYPE(listener, .drop = listener_drop)

static void hear(const tr_dead_letter *letter, void *arg)
{
    listener *l = arg;
    /* relaxed: read after the system has stopped */
    tr_store_relaxed(&l->reason, (unsigned)letter->reason);
    tr_fetch_add_relaxed(&l->calls, 1); /* relaxed: as above */
}

struct ping {
    int n;
};
#define PINGED(P, TELL, ASK) TELL(P, ping, struct ping)
TR_PROTOCOL(pinged, PINGED)

struct pinged {
    int n;
};
static void pinged_on_ping(tr_ctx *ctx, struct pinged *self, struct ping *m)
{
    (void)ctx;
    self->n += m->n;
}
TR_ACTOR(pinged, PINGED)

static void test_ffi_06_callback_gets_its_user_data_which_is_destroyed_once(void **state)
{
    (void)state;
    enum { CALLS = 10 };
    unsigned destroyed = 0;
    listener *l = tr_box(listener, .destroyed = &destroyed);
    const tr_config config = {
        .workers = 1, .no_stats_socket = true, .on_dead_letter = hear, .on_dead_letter_arg = l
    };
    tr_system *system = tr_system_start(&config);
    pinged_ref ended = pinged_spawn(system, NULL);
    assert_int_equal(pinged_stop(system, ended), TR_OK);
    assert_int_not_equal(pinged_join(system, ended, TR_SECONDS(60), NULL), TR_TIMEOUT);
    for (int i = 0; i < CALLS; i++)
        assert_int_equal(pinged_ping(system, ended, (struct ping){ i }), TR_DEAD);
    /* relaxed: refused sends are told on this thread */
    assert_int_equal(tr_load_relaxed(&l->calls), CALLS);
    assert_int_equal(tr_load_relaxed(&l->reason), TR_DEAD); /* relaxed: as above */
    TR_MUST(tr_system_stop(system, TR_SECONDS(60)));

    tr_system *other = tr_system_start(&(tr_config){ .workers = 1, .no_stats_socket = true });
    pinged_ref gone = pinged_spawn(other, NULL);
    assert_int_equal(pinged_stop(other, gone), TR_OK);
    assert_int_not_equal(pinged_join(other, gone, TR_SECONDS(60), NULL), TR_TIMEOUT);
    assert_int_equal(pinged_ping(other, gone, (struct ping){ 1 }), TR_DEAD);
    TR_MUST(tr_system_stop(other, TR_SECONDS(60)));
    assert_int_equal(tr_load_relaxed(&l->calls), CALLS); /* relaxed: as above */

    assert_int_equal(destroyed, 0); /* the library never took it over */
    tr_drop(l);
    assert_int_equal(destroyed, 1);
}

/* -- panics ---------------------------------------------------------------------------- */

static int compare_and_panic(const void *a, const void *b)
{
    (void)a, (void)b;
    tr_panic("wanted");
}

static void sort(void *arg)
{
    qsort(arg, 4, sizeof(int), compare_and_panic);
}

static void be_silent(const tr_panic_info *info)
{
    (void)info;
}

static void test_panic_in_a_callback_of_libc_lands(void **state)
{
    (void)state;
    int numbers[4] = { 4, 3, 2, 1 };
    tr_panic_info info;
    tr_set_panic_hook(be_silent);
    assert_int_equal(tr_catch(sort, numbers, &info), TR_PANICKED);
    tr_set_panic_hook(NULL);
    assert_string_equal(info.message, "wanted");
}

static void sort_without_boundary(void)
{
    int numbers[4] = { 4, 3, 2, 1 };
    sort(numbers);
}

static void test_panic_in_a_callback_without_a_boundary_aborts(void **state)
{
    (void)state;
    char text[1024];
    assert_true(death_by_abort(sort_without_boundary, text, sizeof text));
    assert_non_null(strstr(text, "no boundary to catch the panic"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ffi_01_cstr_has_strlens_length),
        TEST(test_ffi_02_zero_inside_is_found_and_bytes_stay_the_callers),
        TEST(test_ffi_03_which_bytes_are_a_c_string),
        TEST(test_ffi_04_text_comes_back_through_a_raw_pointer),
        TEST(test_ffi_04_wrong_free_is_caught_by_the_tracking_allocator),
        TEST(test_panic_in_a_callback_of_libc_lands),
        TEST(test_panic_in_a_callback_without_a_boundary_aborts),
        TEST(test_ffi_06_callback_gets_its_user_data_which_is_destroyed_once),
    };
    return TEST_RUN(tests);
}
