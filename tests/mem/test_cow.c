/*
 * test_cow - borrowed until written: values, elements, text
 */
#include "tests/mem/vecs.h"

#include <troupe/mem/cow.h>

TR_COW(holder)
TR_COW_VEC(int_vec, int)
TR_COW_VEC(holder_vec, holder)

/* What `allocs` and `deallocs` counted since count_begin. */
static tr_counting_allocator counting;
static tr_allocator *outgoing;

static void count_begin(void)
{
    outgoing = tr_global_allocator();
    tr_counting_allocator_init(&counting, outgoing);
    tr_set_global_allocator(&counting.base);
}

static uint64_t allocs(void)
{
    return tr_load_relaxed(&counting.allocs) + tr_load_relaxed(&counting.reallocs);
}

static uint64_t deallocs(void)
{
    return tr_load_relaxed(&counting.deallocs);
}

static void count_end(void)
{
    tr_set_global_allocator(outgoing);
}

/* -- COW-01 -------------------------------------------------------------------- */

/* Owns its argument, as a function that takes a Cow does. */
static size_t process(tr_cow_str text)
{
    TR_AUTO_VALUE(tr_cow_str) mine = text;
    return tr_cow_str_get(&mine).len;
}

static void test_cow_01_processing_borrowed_and_owned_copies_nothing(void **state)
{
    (void)state;
    tr_string source = tr_string_from(TR_STR("Hello, world!"));
    count_begin();
    const size_t borrowed_len = process(tr_cow_str_borrowed(tr_string_str(&source)));
    const uint64_t borrowed_allocs = allocs(), borrowed_deallocs = deallocs();
    const bool usable = strcmp(tr_string_cstr(&source), "Hello, world!") == 0;
    const size_t owned_len = process(tr_cow_str_owned(TR_TAKE(source)));
    const uint64_t owned_allocs = allocs(), owned_deallocs = deallocs();
    count_end();
    assert_int_equal(borrowed_len, 13);
    assert_int_equal(borrowed_allocs, 0);
    assert_int_equal(borrowed_deallocs, 0);
    assert_true(usable);
    assert_int_equal(owned_len, 13);
    assert_int_equal(owned_allocs, 0);
    assert_int_equal(owned_deallocs, 1);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- COW-02 -------------------------------------------------------------------- */

static void test_cow_02_into_owned_keeps_the_buffer_or_clones_once(void **state)
{
    (void)state;
    tr_string source = tr_string_from(TR_STR("text"));
    const char *buffer = source.data;
    tr_cow_str owned = tr_cow_str_owned(TR_TAKE(source));
    count_begin();
    tr_string out = tr_cow_str_into_owned(&owned);
    const uint64_t owned_allocs = allocs();
    tr_cow_str borrowed = tr_cow_str_borrowed(tr_string_str(&out));
    tr_string copy = tr_cow_str_into_owned(&borrowed);
    const uint64_t borrowed_allocs = allocs();
    count_end();
    assert_ptr_equal(out.data, buffer);
    assert_int_equal(owned_allocs, 0);
    assert_int_equal(borrowed_allocs, 1);
    assert_ptr_not_equal(copy.data, out.data);
    assert_string_equal(tr_string_cstr(&out), "text");
    assert_string_equal(tr_string_cstr(&copy), "text");
    tr_cow_str_drop(&owned); /* empty: nothing is dropped twice */
    tr_cow_str_drop(&borrowed);
    tr_string_drop(&out);
    tr_string_drop(&copy);
}

/* -- COW-03 -------------------------------------------------------------------- */

static void test_cow_03_to_mut_clones_at_the_first_write_only(void **state)
{
    (void)state;
    static const int original[] = { 1, 2, 3 };
    int_vec_cow cow = int_vec_cow_slice(original, 3);
    assert_true(int_vec_cow_is_borrowed(&cow));
    assert_ptr_equal(int_vec_cow_get(&cow)->data, original);
    count_begin();
    int_vec *first = int_vec_cow_to_mut(&cow);
    const uint64_t first_allocs = allocs();
    first->data[0] = 9;
    int_vec *second = int_vec_cow_to_mut(&cow);
    const uint64_t second_allocs = allocs();
    count_end();
    assert_int_equal(first_allocs, 1);
    assert_int_equal(second_allocs, 1);
    assert_ptr_equal(first, second);
    assert_false(int_vec_cow_is_borrowed(&cow));
    ASSERT_INTS(int_vec_cow_get(&cow), 9, 2, 3);
    assert_int_equal(original[0], 1);
    int_vec_cow_drop(&cow);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_cow_03_of_a_value_clones_and_drops_only_its_own(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder) source = make_holder('s');
    {
        TR_AUTO_VALUE(holder_cow) cow = holder_cow_borrowed(&source);
        assert_ptr_equal(holder_cow_get(&cow), &source);
        TR_AUTO_VALUE(holder_cow) again = { .borrowed_ = NULL };
        assert_int_equal(holder_cow_try_clone(&again, &cow), TR_OK);
        assert_true(holder_cow_is_borrowed(&again));
        *holder_cow_to_mut(&cow)->block = 7;
        assert_int_equal(*source.block, 's');
        assert_false(holder_cow_eq(&cow, &again));
        assert_int_equal(canary_dropped(), 0);
    }
    assert_string_equal(canary_log, "s"); /* the clone; the source lives */
    holder_cow owned = holder_cow_owned(make_holder('o'));
    holder taken = holder_cow_into_owned(&owned);
    assert_int_equal(taken.name, 'o');
    holder_drop(&taken);
    assert_string_equal(canary_log, "so");
}

static void test_cow_equality_does_not_ask_who_owns(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_cow_str) a = tr_cow_str_borrowed(TR_STR("x"));
    TR_AUTO_VALUE(tr_cow_str) b = tr_cow_str_owned(tr_string_from(TR_STR("x")));
    assert_true(tr_cow_str_eq(&a, &b));
    assert_true(tr_cow_str_hash(&a) == tr_cow_str_hash(&b));
    TR_AUTO_VALUE(tr_cow_str) copy = { .borrowed_ = NULL };
    assert_int_equal(tr_cow_str_try_clone(&copy, &b), TR_OK);
    assert_ptr_not_equal(tr_cow_str_get(&copy).data, tr_cow_str_get(&b).data);
    tr_string_push(tr_cow_str_to_mut(&b), 'y');
    assert_false(tr_cow_str_eq(&a, &b));
    assert_true(tr_cow_str_eq(&a, &copy));

    const tr_str none = { NULL, 0 };
    TR_AUTO_VALUE(tr_cow_str) empty = tr_cow_str_borrowed(none);
    assert_true(tr_cow_str_is_borrowed(&empty));
    TR_AUTO_VALUE(int_vec_cow) no_ints = int_vec_cow_slice(NULL, 0);
    TR_AUTO_VALUE(int_vec_cow) owned = int_vec_cow_owned(int_vec_new());
    assert_true(int_vec_cow_eq(&no_ints, &owned));
    assert_true(int_vec_cow_hash(&no_ints) == int_vec_cow_hash(&owned));
}

typedef struct counter {
    int value;
} counter;
TR_TYPE(counter, .flags = TR_NOT_SHARE)
TR_COW(counter, TR_NOT_SHARE)

static void test_cow_of_what_is_not_shared_does_not_move_to_threads(void **state)
{
    (void)state;
    assert_true(tr_type_is_send(tr_type_of(counter)));
    assert_false(tr_type_is_send(tr_type_of(counter_cow))); /* it may borrow one */
    assert_false(tr_type_is_share(tr_type_of(counter_cow)));
    assert_true(tr_type_is_send(tr_type_of(tr_cow_str)));
}

/* -- failure ------------------------------------------------------------------- */

static void test_cow_without_memory_stays_borrowed(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) source = make_holders("abc");
    tr_status status = TR_NOMEM;
    for (uint64_t successes = 0; status == TR_NOMEM; successes++) {
        TR_AUTO_VALUE(holder_vec_cow) cow = holder_vec_cow_borrowed(&source);
        TR_AUTO_VALUE(holder_cow) one = holder_cow_borrowed(&source.data[0]);
        TR_AUTO_VALUE(tr_cow_str) text = tr_cow_str_borrowed(TR_STR("text"));
        holder_vec *v = NULL;
        holder *h = NULL;
        tr_string *s = NULL;
        failing_allocator failing;
        failing_install(&failing, successes);
        status = holder_vec_cow_try_to_mut(&cow, &v);
        failing_allow(&failing, successes < 1 ? 0 : 2);
        const tr_status one_status = holder_cow_try_to_mut(&one, &h);
        const tr_status text_status = tr_cow_str_try_to_mut(&text, &s);
        failing_remove(&failing);
        assert_int_equal(one_status, successes < 1 ? TR_NOMEM : TR_OK);
        assert_int_equal(text_status, successes < 1 ? TR_NOMEM : TR_OK);
        assert_int_equal(holder_cow_is_borrowed(&one), successes < 1);
        assert_int_equal(tr_cow_str_is_borrowed(&text), successes < 1);
        assert_int_equal(holder_vec_cow_is_borrowed(&cow), status != TR_OK);
        assert_true(successes < 10);
    }
    assert_int_equal(status, TR_OK);
    assert_string_equal(names_of(&source), "abc");
}

static void write_to(void *arg)
{
    (void)holder_vec_cow_to_mut(arg);
}

static void test_cow_whose_clone_panics_stays_borrowed(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) source = make_holders("abc");
    source.data[1].clone_bomb = true;
    const int64_t live = test_live_blocks();
    TR_AUTO_VALUE(holder_vec_cow) cow = holder_vec_cow_borrowed(&source);
    assert_panics(write_to, &cow, "clone bomb b");
    assert_true(holder_vec_cow_is_borrowed(&cow));
    assert_int_equal(test_live_blocks(), live);
    assert_string_equal(canary_log, "a"); /* the one copy */
}

/* -- lossy --------------------------------------------------------------------- */

static void test_cow_lossy_borrows_good_text_and_mends_bad(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } rows[] = {
        { "good \u20ac", "good \u20ac" },
        { "a\xffz", "a\ufffdz" },
        { "\xe2\x82", "\ufffd" },                        /* cut off: one fault */
        { "\xe2\x82z", "\ufffdz" },
        { "\xed\xa0\x80", "\ufffd\ufffd\ufffd" },        /* a surrogate: three */
        { "\xf0\x9f\x98\xf0\x9f\x98\x80", "\ufffd\U0001f600" },
        { "\xc0\x80", "\ufffd\ufffd" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TR_AUTO_VALUE(tr_cow_str) cow = { .borrowed_ = NULL };
        assert_int_equal(tr_cow_str_try_lossy(rows[i].bytes, strlen(rows[i].bytes), &cow), TR_OK);
        assert_true(tr_str_eq(tr_cow_str_get(&cow), tr_str_from(rows[i].text)));
        assert_int_equal(tr_cow_str_is_borrowed(&cow), i == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_cow_01_processing_borrowed_and_owned_copies_nothing),
        CASE(test_cow_02_into_owned_keeps_the_buffer_or_clones_once),
        CASE(test_cow_03_to_mut_clones_at_the_first_write_only),
        CASE(test_cow_03_of_a_value_clones_and_drops_only_its_own),
        CASE(test_cow_equality_does_not_ask_who_owns),
        CASE(test_cow_of_what_is_not_shared_does_not_move_to_threads),
        CASE(test_cow_without_memory_stays_borrowed),
        CASE(test_cow_whose_clone_panics_stays_borrowed),
        CASE(test_cow_lossy_borrows_good_text_and_mends_bad),
    };
    return TEST_RUN(tests);
}
