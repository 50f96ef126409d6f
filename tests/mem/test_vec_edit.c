/*
 * test_vec_edit - ranges, and choosing what stays, also when a callback panics
 */
#include "tests/mem/vecs.h"

/* A vec and what a panicking call needs beside it. */
struct call {
    holder_vec *v;
    holder_vec *other;
    size_t start, end;
};

/* -- extend, append, resize -------------------------------------------------- */

static void test_vec_extend_clones_a_slice_also_its_own(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    int_vec_extend(&v, (int[]){ 1, 2, 3 }, 3);
    int_vec_extend(&v, NULL, 0);
    int_vec_extend(&v, v.data + 1, 2); /* grows: the slice moves with it */
    ASSERT_INTS(&v, 1, 2, 3, 2, 3);

    TR_AUTO_VALUE(holder_vec) h = make_holders("ab");
    holder_vec_shrink_to_fit(&h);
    holder_vec_extend(&h, h.data, 2);
    assert_string_equal(names_of(&h), "abab");
    assert_ptr_not_equal(h.data[0].block, h.data[2].block);
}

static void call_extend(void *arg)
{
    const struct call *call = arg;
    holder_vec_extend(call->v, call->other->data, call->other->len);
}

static void test_vec_extend_whose_clone_panics_keeps_what_was(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("ab");
    TR_AUTO_VALUE(holder_vec) from = make_holders("xyz");
    from.data[2].clone_bomb = true;
    struct call call = { .v = &v, .other = &from };
    assert_panics(call_extend, &call, "clone bomb z");
    assert_string_equal(names_of(&v), "ab");
    assert_string_equal(canary_log, "xy"); /* the two copies */
}

static void call_clone(void *arg)
{
    const struct call *call = arg;
    TR_AUTO_VALUE(holder_vec) copy = holder_vec_clone(call->v);
}

static void test_vec_clone_that_panics_drops_the_copies(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("xyz");
    v.data[2].clone_bomb = true;
    const int64_t live = test_live_blocks();
    struct call call = { .v = &v };
    assert_panics(call_clone, &call, "clone bomb z");
    assert_string_equal(canary_log, "xy");
    assert_int_equal(test_live_blocks(), live);
}

static void test_vec_append_moves_everything_and_keeps_the_block(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) a = make_holders("ab");
    TR_AUTO_VALUE(holder_vec) b = make_holders("cd");
    const size_t cap = b.cap;
    holder_vec_append(&a, &b);
    assert_string_equal(names_of(&a), "abcd");
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    holder_vec_append(&a, &b);
    assert_int_equal(a.len, 4);
    assert_int_equal(canary_dropped(), 0);
}

static void append_to_itself(void *arg)
{
    holder_vec_append(arg, arg);
}

static void test_vec_append_to_itself_panics(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("ab");
    assert_panics(append_to_itself, &v, "v != from");
}

static void test_vec_resize_clones_the_value_or_truncates(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1);
    int_vec_resize(&v, 3, &(int){ 9 });
    ASSERT_INTS(&v, 1, 9, 9);
    int_vec_resize(&v, 6, &v.data[0]); /* a value of its own, that moves */
    ASSERT_INTS(&v, 1, 9, 9, 1, 1, 1);
    int_vec_resize(&v, 2, &(int){ 0 });
    ASSERT_INTS(&v, 1, 9);

    TR_AUTO_VALUE(holder) model = make_holder('m');
    TR_AUTO_VALUE(holder_vec) h = make_holders("a");
    holder_vec_resize(&h, 3, &model);
    assert_string_equal(names_of(&h), "amm");
    holder_vec_resize(&h, 0, &model);
    assert_string_equal(canary_log, "amm");
}

/* -- splice, split_off -------------------------------------------------------- */

static void test_vec_splice_replaces_a_range_by_any_number(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 2, 3, 4, 5);
    int_vec_splice(&v, 1, 3, (int[]){ 7, 8, 9 }, 3); /* grows */
    ASSERT_INTS(&v, 1, 7, 8, 9, 4, 5);
    int_vec_splice(&v, 0, 4, (int[]){ 6 }, 1); /* shrinks */
    ASSERT_INTS(&v, 6, 4, 5);
    int_vec_splice(&v, 3, 3, (int[]){ 1, 2 }, 2); /* at the end */
    ASSERT_INTS(&v, 6, 4, 5, 1, 2);
    int_vec_splice(&v, 1, 5, NULL, 0); /* only removes */
    ASSERT_INTS(&v, 6);
}

static void call_splice(void *arg)
{
    const struct call *call = arg;
    const size_t n = call->other->len;
    call->other->len = 0; /* splice owns them, however it ends */
    holder_vec_splice(call->v, call->start, call->end, call->other->data, n);
}

static void test_vec_splice_puts_in_also_when_a_drop_panics(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("aBcd");
    TR_AUTO_VALUE(holder_vec) items = make_holders("xyz");
    struct call call = { .v = &v, .other = &items, .start = 1, .end = 3 };
    assert_panics(call_splice, &call, "bomb B");
    assert_string_equal(canary_log, "Bc");
    assert_string_equal(names_of(&v), "axyzd");
}

static void test_vec_ranges_out_of_bounds_panic_and_change_nothing(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abc");
    TR_AUTO_VALUE(holder_vec) items = holder_vec_new();
    struct call call = { .v = &v, .other = &items, .start = 2, .end = 1 };
    assert_panics(call_splice, &call, "range 2 to 1 ends before it starts");
    call = (struct call){ .v = &v, .other = &items, .start = 1, .end = 4 };
    assert_panics(call_splice, &call, "range 1 to 4 is out of bounds of 3");
    assert_string_equal(names_of(&v), "abc");
}

static void call_split_off(void *arg)
{
    const struct call *call = arg;
    TR_AUTO_VALUE(holder_vec) tail = holder_vec_split_off(call->v, call->start);
}

static void test_vec_split_off_moves_the_tail(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abcd");
    {
        TR_AUTO_VALUE(holder_vec) tail = holder_vec_split_off(&v, 3);
        assert_string_equal(names_of(&tail), "d");
        TR_AUTO_VALUE(holder_vec) none = holder_vec_split_off(&v, 3);
        assert_int_equal(none.len, 0);
        assert_null(none.data);
        const holder *block = v.data;
        TR_AUTO_VALUE(holder_vec) all = holder_vec_split_off(&v, 0);
        assert_ptr_equal(all.data, block);
        assert_int_equal(v.cap, 0);
        assert_string_equal(names_of(&all), "abc");
        struct call call = { .v = &all, .start = 4 };
        assert_panics(call_split_off, &call, "range 4 to 3");
    }
    assert_int_equal(canary_dropped(), 4);
}

/* -- drain --------------------------------------------------------------------- */

static void test_vec_drain_takes_out_from_both_ends(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 0, 1, 2, 3, 4, 5);
    {
        TR_AUTO_VALUE(int_vec_drain) drain = int_vec_drain_range(&v, 1, 5);
        int x = -1;
        assert_int_equal(v.len, 1);
        assert_true(int_vec_drain_next(&drain, &x));
        assert_int_equal(x, 1);
        assert_true(int_vec_drain_next_back(&drain, &x));
        assert_int_equal(x, 4);
        assert_true(int_vec_drain_next_back(&drain, &x));
        assert_true(int_vec_drain_next(&drain, &x));
        assert_int_equal(x, 2);
        assert_false(int_vec_drain_next(&drain, &x));
        assert_false(int_vec_drain_next_back(&drain, &x));
        assert_int_equal(x, 2);
    }
    ASSERT_INTS(&v, 0, 5);
}

static void test_vec_drain_dropped_early_drops_the_rest_and_closes_the_gap(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abcdef");
    {
        TR_AUTO_VALUE(holder_vec_drain) drain = holder_vec_drain_range(&v, 1, 5);
        TR_AUTO_VALUE(holder) b = { .name = '-' };
        assert_true(holder_vec_drain_next(&drain, &b));
        assert_int_equal(b.name, 'b');
        holder_vec_drain_drop(&drain);
        assert_string_equal(canary_log, "cde");
        assert_string_equal(names_of(&v), "af");
        holder_vec_push(&v, make_holder('g')); /* a second drop must not undo this */
    }
    assert_string_equal(canary_log, "cdeb");
    assert_string_equal(names_of(&v), "afg");
}

static void drain_all(void *arg)
{
    const struct call *call = arg;
    TR_AUTO_VALUE(holder_vec_drain) drain =
        holder_vec_drain_range(call->v, call->start, call->end);
}

static void drain_and_panic(void *arg)
{
    const struct call *call = arg;
    TR_AUTO_VALUE(holder_vec_drain) drain =
        holder_vec_drain_range(call->v, call->start, call->end);
    TR_AUTO_VALUE(holder) first = { .name = '-' };
    (void)holder_vec_drain_next(&drain, &first);
    tr_panic("in the middle");
}

static void test_vec_drain_closes_the_gap_when_panics_pass(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abCdef");
    struct call call = { .v = &v, .start = 1, .end = 4 };
    assert_panics(drain_all, &call, "bomb C");
    assert_string_equal(canary_log, "bCd");
    assert_string_equal(names_of(&v), "aef");

    call = (struct call){ .v = &v, .start = 0, .end = 2 };
    assert_panics(drain_and_panic, &call, "in the middle");
    assert_string_equal(names_of(&v), "f");
    assert_string_equal(canary_log, "bCdae");
}

#ifdef TR_CHECKED
static void push_while_drained(void *arg)
{
    int_vec *v = arg;
    int_vec_drain drain = int_vec_drain_range(v, 1, 2);
    int_vec_push(v, 9);
    int_vec_drain_drop(&drain);
}

static void test_vec_drain_notices_a_vec_that_was_changed(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 2, 3);
    assert_panics(push_while_drained, &v, "v->len == drain->start_");
}
#endif

/* -- retain, dedup --------------------------------------------------------------- */

struct choice {
    const char *unwanted;
    char panics_at;
    unsigned calls;
};

static bool is_wanted(holder *h, void *arg)
{
    struct choice *choice = arg;
    choice->calls++;
    if (h->name == choice->panics_at)
        tr_panic("choosing %c", h->name);
    return strchr(choice->unwanted, h->name) == NULL;
}

static void test_vec_retain_drops_in_order_and_looks_once_at_each(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abcdef");
    struct choice choice = { .unwanted = "ace" };
    holder_vec_retain(&v, is_wanted, &choice);
    assert_int_equal(choice.calls, 6);
    assert_string_equal(names_of(&v), "bdf");
    assert_string_equal(canary_log, "ace");
    choice.unwanted = "";
    holder_vec_retain(&v, is_wanted, &choice);
    assert_string_equal(names_of(&v), "bdf");
    choice.unwanted = "bdf";
    holder_vec_retain(&v, is_wanted, &choice);
    assert_int_equal(v.len, 0);
}

struct retaining {
    holder_vec *v;
    struct choice *choice;
};

static void call_retain(void *arg)
{
    const struct retaining *retaining = arg;
    holder_vec_retain(retaining->v, is_wanted, retaining->choice);
}

static void test_vec_retain_that_panics_keeps_what_was_not_judged(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abcdef");
    struct choice choice = { .unwanted = "ac", .panics_at = 'd' };
    struct retaining retaining = { &v, &choice };
    assert_panics(call_retain, &retaining, "choosing d");
    assert_string_equal(names_of(&v), "bdef");
    assert_string_equal(canary_log, "ac");

    TR_AUTO_VALUE(holder_vec) w = make_holders("aBcd");
    choice = (struct choice){ .unwanted = "aBc" };
    retaining = (struct retaining){ &w, &choice };
    assert_panics(call_retain, &retaining, "bomb B");
    assert_string_equal(names_of(&w), "cd");
}

static bool same_tens(int *later, int *earlier, void *arg)
{
    return *later / *(const int *)arg == *earlier / *(const int *)arg;
}

static void test_vec_dedup_keeps_the_first_of_each_run(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 1, 2, 2, 2, 1, 3, 3);
    int_vec_dedup(&v);
    ASSERT_INTS(&v, 1, 2, 1, 3);
    int_vec_dedup(&v);
    ASSERT_INTS(&v, 1, 2, 1, 3);

    TR_AUTO_VALUE(int_vec) tens = TR_VEC_OF(int_vec, 10, 11, 20, 19, 12, 31);
    int_vec_dedup_by(&tens, same_tens, &(int){ 10 });
    ASSERT_INTS(&tens, 10, 20, 19, 31);

    TR_AUTO_VALUE(holder_vec) h = make_holders("aabbbac");
    holder_vec_dedup(&h);
    assert_string_equal(names_of(&h), "abac");
    assert_string_equal(canary_log, "abb");
    TR_AUTO_VALUE(holder_vec) none = holder_vec_new();
    holder_vec_dedup(&none);
    assert_int_equal(none.len, 0);
}

static void call_dedup(void *arg)
{
    holder_vec_dedup(arg);
}

static void test_vec_dedup_whose_drop_panics_keeps_the_rest(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("aaaabb");
    v.data[2].bomb = true;
    assert_panics(call_dedup, &v, "bomb a");
    assert_string_equal(names_of(&v), "aabb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_vec_extend_clones_a_slice_also_its_own),
        CASE(test_vec_extend_whose_clone_panics_keeps_what_was),
        CASE(test_vec_clone_that_panics_drops_the_copies),
        CASE(test_vec_append_moves_everything_and_keeps_the_block),
        CASE(test_vec_append_to_itself_panics),
        CASE(test_vec_resize_clones_the_value_or_truncates),
        CASE(test_vec_splice_replaces_a_range_by_any_number),
        CASE(test_vec_splice_puts_in_also_when_a_drop_panics),
        CASE(test_vec_ranges_out_of_bounds_panic_and_change_nothing),
        CASE(test_vec_split_off_moves_the_tail),
        CASE(test_vec_drain_takes_out_from_both_ends),
        CASE(test_vec_drain_dropped_early_drops_the_rest_and_closes_the_gap),
        CASE(test_vec_drain_closes_the_gap_when_panics_pass),
#ifdef TR_CHECKED
        CASE(test_vec_drain_notices_a_vec_that_was_changed),
#endif
        CASE(test_vec_retain_drops_in_order_and_looks_once_at_each),
        CASE(test_vec_retain_that_panics_keeps_what_was_not_judged),
        CASE(test_vec_dedup_keeps_the_first_of_each_run),
        CASE(test_vec_dedup_whose_drop_panics_keeps_the_rest),
    };
    return TEST_RUN(tests);
}
