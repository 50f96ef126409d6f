/*
 * test_vec - room and growth, single elements
 */
#include "tests/mem/vecs.h"

#include "tests/mem/death.h"

/* -- VEC-01: an empty one ---------------------------------------------------- */

static void test_vec_01_empty_allocates_nothing_and_three_pushes_once(void **state)
{
    (void)state;
    tr_allocator *outgoing = tr_global_allocator();
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, outgoing);
    tr_set_global_allocator(&counting.base);
    int_vec v = int_vec_new();
    const size_t cap = int_vec_cap(&v);
    const uint64_t allocs_empty = tr_load_relaxed(&counting.allocs);
    for (int i = 1; i <= 3; i++)
        int_vec_push(&v, i);
    const uint64_t allocs = tr_load_relaxed(&counting.allocs);
    const int sum = v.data[0] * 100 + v.data[1] * 10 + v.data[2];
    int_vec_drop(&v);
    tr_set_global_allocator(outgoing);

    assert_int_equal(cap, 0);
    assert_int_equal(allocs_empty, 0);
    assert_int_equal(allocs, 1);
    assert_int_equal(sum, 123);
    assert_int_equal(tr_load_relaxed(&counting.reallocs), 0);
    assert_int_equal(tr_load_relaxed(&counting.deallocs), 1);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 0);
}

static void test_vec_zeroed_is_empty_and_dropping_twice_does_nothing(void **state)
{
    (void)state;
    canary_vec v = { 0 };
    canary_vec_drop(&v);
    canary_vec_push(&v, (canary){ .name = 'a' });
    canary_vec_drop(&v);
    canary_vec_drop(&v);
    assert_int_equal(canary_dropped(), 1);
    canary_vec_push(&v, (canary){ .name = 'b' }); /* may be used again */
    canary_vec_drop(&v);
    assert_string_equal(canary_log, "ab");
}

/* -- VEC-02, VEC-03, VEC-04: capacity ---------------------------------------- */

typedef struct size_1024 {
    char bytes[1024];
} size_1024;
TR_TYPE(size_1024)
TR_VEC(size_1024)
typedef struct size_1025 {
    char bytes[1025];
} size_1025;
TR_TYPE(size_1025)
TR_VEC(size_1025)

/* The capacities while n elements are pushed, one digit group each. */
#define ASSERT_GROWTH(T, ...)                                                                      \
    do {                                                                                           \
        const size_t expected_[] = { __VA_ARGS__ };                                                \
        T##_vec v_ = T##_vec_new();                                                                \
        for (size_t i_ = 0; i_ < sizeof expected_ / sizeof expected_[0]; i_++) {                   \
            assert_int_equal(T##_vec_cap(&v_), expected_[i_]);                                     \
            do                                                                                     \
                T##_vec_push(&v_, (T){ 0 });                                                       \
            while (v_.len <= expected_[i_]);                                                       \
        }                                                                                          \
        T##_vec_drop(&v_);                                                                         \
    } while (0)

static void test_vec_02_growth_doubles_from_the_smallest_capacity(void **state)
{
    (void)state;
    ASSERT_GROWTH(uint8_t, 0, 8, 16, 32, 64);
    ASSERT_GROWTH(int, 0, 4, 8, 16, 32);
    ASSERT_GROWTH(size_1024, 0, 4, 8, 16);
    ASSERT_GROWTH(size_1025, 0, 1, 2, 4);
}

static size_t reserve_ints(size_t len, bool exact_start, size_t additional, bool exact)
{
    TR_AUTO_VALUE(int_vec) v = exact_start ? int_vec_with_capacity(len) : int_vec_new();
    for (size_t i = 0; i < len; i++)
        int_vec_push(&v, 0);
    if (exact)
        int_vec_reserve_exact(&v, additional);
    else
        int_vec_reserve(&v, additional);
    return int_vec_cap(&v);
}

static void test_vec_03_reserve_takes_the_larger_of_need_and_double(void **state)
{
    (void)state;
    assert_int_equal(reserve_ints(0, false, 9, false), 9);
    assert_int_equal(reserve_ints(7, true, 90, false), 97);
    assert_true(reserve_ints(12, true, 3, false) >= 18);
    assert_int_equal(reserve_ints(6, true, 1, false), 12);
    assert_int_equal(reserve_ints(6, true, 1, true), 7);
    assert_int_equal(reserve_ints(0, false, 1, false), 4);
    TR_AUTO_VALUE(uint8_t_vec) bytes = uint8_t_vec_new();
    uint8_t_vec_reserve(&bytes, 1);
    assert_int_equal(uint8_t_vec_cap(&bytes), 8);
    TR_AUTO_VALUE(size_1025_vec) large = size_1025_vec_new();
    size_1025_vec_reserve(&large, 1);
    assert_int_equal(size_1025_vec_cap(&large), 1);
}

static void test_vec_03_reserve_of_what_is_there_keeps_the_block(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_with_capacity(10);
    const int *before = v.data;
    int_vec_reserve(&v, 10);
    int_vec_reserve_exact(&v, 0);
    for (int i = 0; i < 10; i++)
        int_vec_push(&v, i);
    assert_ptr_equal(v.data, before);
    assert_int_equal(v.cap, 10);
}

static void test_vec_04_shrink_to_fit_gives_memory_back(void **state)
{
    (void)state;
    int_vec v = int_vec_with_capacity(10);
    int_vec_push(&v, 7);
    int_vec_shrink_to(&v, 5);
    assert_int_equal(int_vec_cap(&v), 5);
    int_vec_shrink_to(&v, 8); /* never grows */
    assert_int_equal(int_vec_cap(&v), 5);
    int_vec_shrink_to_fit(&v);
    assert_int_equal(int_vec_cap(&v), 1);
    assert_int_equal(v.data[0], 7);
    int_vec_clear(&v);
    assert_int_equal(int_vec_cap(&v), 1);
    assert_int_equal(test_live_blocks(), 1);
    int_vec_shrink_to_fit(&v);
    assert_int_equal(int_vec_cap(&v), 0);
    assert_null(v.data);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- VEC-05: elements of size 0 ---------------------------------------------- */

typedef struct nothing {
} nothing;
static unsigned nothings_dropped;
static void nothing_drop(nothing *n)
{
    (void)n;
    nothings_dropped++;
}
TR_TYPE(nothing, .drop = nothing_drop)
TR_VEC(nothing)

static void test_vec_05_size_zero_counts_without_memory(void **state)
{
    (void)state;
    nothings_dropped = 0;
    nothing_vec v = nothing_vec_new();
    assert_true(nothing_vec_cap(&v) == SIZE_MAX);
    nothing n = {};
    for (int i = 0; i < 5; i++)
        nothing_vec_push(&v, n);
    assert_int_equal(v.len, 5);
    assert_non_null(nothing_vec_get(&v, 4));
    assert_null(nothing_vec_get(&v, 5));
    assert_int_equal(nothing_vec_pop(&v, &n), TR_OK);
    n = nothing_vec_remove(&v, 1);
    nothing_vec_insert(&v, 2, n);
    unsigned seen = 0;
    TR_VEC_EACH(one, &v) {
        seen += one != NULL;
    }
    assert_int_equal(seen, 4);
    nothing_vec_truncate(&v, 1);
    assert_int_equal(nothings_dropped, 3);
    nothing_vec_shrink_to_fit(&v);
    nothing_vec copy = nothing_vec_clone(&v);
    assert_true(nothing_vec_eq(&v, &copy));
    assert_int_equal(test_live_blocks(), 0);
    nothing *box = nothing_vec_into_box(&v);
    assert_int_equal(tr_array_len(box), 1);
    v = nothing_vec_from_box(&box);
    nothing_vec_drop(&v);
    nothing_vec_drop(&copy);
    assert_int_equal(nothings_dropped, 5);
}

static void push_one_too_many(void *arg)
{
    nothing_vec_push(arg, (nothing){});
}

static void test_vec_05_push_at_the_last_length_panics(void **state)
{
    (void)state;
    nothing_vec v = nothing_vec_new();
    nothing_vec_push(&v, (nothing){});
    v.len = SIZE_MAX;
    assert_panics(push_one_too_many, &v, "capacity overflow");
    assert_true(v.len == SIZE_MAX);
    assert_int_equal(nothing_vec_try_push(&v, (nothing){}), TR_INVALID);
}

/* -- capacity overflow, and no memory ----------------------------------------- */

static void reserve_everything(void *arg)
{
    int_vec_reserve(arg, SIZE_MAX);
}

static void test_vec_capacity_overflow_is_not_no_memory(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 2, 3);
    const int_vec before = v;
    assert_int_equal(int_vec_try_reserve(&v, SIZE_MAX), TR_INVALID);
    assert_int_equal(int_vec_try_reserve(&v, SIZE_MAX / sizeof(int)), TR_INVALID);
    assert_int_equal(int_vec_try_reserve_exact(&v, PTRDIFF_MAX / sizeof(int)), TR_INVALID);
    assert_int_equal(int_vec_try_reserve_exact(&v, SIZE_MAX - 2), TR_INVALID);
    assert_panics(reserve_everything, &v, "capacity overflow");
    assert_memory_equal(&v, &before, sizeof v);

    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status status = int_vec_try_reserve(&v, 100);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_memory_equal(&v, &before, sizeof v);
    ASSERT_INTS(&v, 1, 2, 3);
}

static void die_of_memory(void)
{
    failing_allocator failing;
    failing_install(&failing, 0);
    int_vec v = int_vec_with_capacity(25);
    int_vec_drop(&v);
}

static void test_vec_plain_form_without_memory_aborts_with_the_layout(void **state)
{
    (void)state;
    char text[1024];
    assert_true(death_by_abort(die_of_memory, text, sizeof text));
    assert_non_null(strstr(text, "out of memory: 100 bytes aligned to 4"));
}

/* -- alignment ---------------------------------------------------------------- */

typedef struct line {
    _Alignas(64) int value;
} line;
TR_TYPE(line)
TR_VEC(line)
typedef struct page {
    _Alignas(4096) int value;
} page;
TR_TYPE(page)
TR_VEC(page)

static void test_vec_over_aligned_elements_stay_aligned_while_it_grows(void **state)
{
    (void)state;
    TR_AUTO_VALUE(line_vec) lines = line_vec_new();
    TR_AUTO_VALUE(page_vec) pages = page_vec_new();
    for (int i = 0; i < 20; i++) {
        line_vec_push(&lines, (line){ .value = i });
        page_vec_push(&pages, (page){ .value = i });
        assert_int_equal((uintptr_t)lines.data % 64, 0);
        assert_int_equal((uintptr_t)pages.data % 4096, 0);
    }
    line_vec_shrink_to_fit(&lines);
    page_vec_shrink_to_fit(&pages);
    assert_int_equal((uintptr_t)pages.data % 4096, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(line_vec_at(&lines, (size_t)i)->value, i);
        assert_int_equal(page_vec_at(&pages, (size_t)i)->value, i);
    }
}

/* -- VEC-07: truncate --------------------------------------------------------- */

static void test_vec_07_truncate_drops_the_tail_in_index_order(void **state)
{
    (void)state;
    holder_vec v = make_holders("abcde");
    holder_vec_truncate(&v, 5);
    holder_vec_truncate(&v, 9);
    assert_int_equal(canary_dropped(), 0);
    holder_vec_truncate(&v, 3);
    assert_string_equal(canary_log, "de");
    assert_string_equal(names_of(&v), "abc");
    holder_vec_truncate(&v, 0);
    assert_string_equal(canary_log, "deabc");
    holder_vec_drop(&v);

    canary_reset();
    v = make_holders("0123");
    holder_vec_truncate(&v, 1);
    assert_string_equal(canary_log, "123");
    holder_vec_drop(&v);
    assert_string_equal(canary_log, "1230");
}

static void truncate_all(void *arg)
{
    holder_vec_truncate(arg, 1);
}

static void drop_all(void *arg)
{
    holder_vec_drop(arg);
}

static void test_vec_07_panicking_drop_drops_the_rest(void **state)
{
    (void)state;
    holder_vec v = make_holders("abCde");
    assert_panics(truncate_all, &v, "bomb C");
    assert_string_equal(canary_log, "bCde");
    assert_string_equal(names_of(&v), "a");
    holder_vec_drop(&v);

    canary_reset();
    v = make_holders("Abc");
    assert_panics(drop_all, &v, "bomb A");
    assert_string_equal(canary_log, "Abc");
    assert_int_equal(v.len, 0);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- VEC-08: bounds ----------------------------------------------------------- */

struct call {
    holder_vec *v;
    size_t at;
};
static void call_at(void *arg)
{
    const struct call *call = arg;
    (void)holder_vec_at(call->v, call->at);
}
static void call_remove(void *arg)
{
    const struct call *call = arg;
    (void)holder_vec_remove(call->v, call->at);
}
static void call_swap_remove(void *arg)
{
    const struct call *call = arg;
    (void)holder_vec_swap_remove(call->v, call->at);
}
static void call_insert(void *arg)
{
    const struct call *call = arg;
    TR_AUTO_VALUE(holder) h = make_holder('x'); /* stays the caller's */
    holder_vec_insert(call->v, call->at, h);
    h.block = NULL;
}
static void call_swap(void *arg)
{
    const struct call *call = arg;
    holder_vec_swap(call->v, 0, call->at);
}

static void test_vec_08_out_of_bounds_panics_with_index_and_length(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abc");
    struct call call = { .v = &v, .at = 3 };
    assert_panics(call_at, &call, "index 3 is out of bounds of 3 elements of holder");
    assert_panics(call_remove, &call, "index 3 is out of bounds of 3");
    assert_panics(call_swap_remove, &call, "index 3 is out of bounds of 3");
    assert_panics(call_swap, &call, "index 3 is out of bounds of 3");
    call.at = 4;
    assert_panics(call_insert, &call, "insertion index 4 is out of bounds of 3");
    call.at = SIZE_MAX;
    assert_panics(call_at, &call, "is out of bounds of 3");
    assert_panics(call_insert, &call, "is out of bounds of 3");
    assert_string_equal(names_of(&v), "abc");

    TR_AUTO_VALUE(holder_vec) empty = holder_vec_new();
    call = (struct call){ .v = &empty, .at = 0 };
    assert_panics(call_at, &call, "index 0 is out of bounds of 0");
    assert_panics(call_remove, &call, "index 0 is out of bounds of 0");
    assert_panics(call_swap_remove, &call, "index 0 is out of bounds of 0");
}

static void test_vec_08_insert_and_remove_keep_the_order(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 2, 3);
    int_vec_insert(&v, 3, 9);
    int_vec_insert(&v, 0, 8);
    int_vec_insert(&v, 2, 7);
    ASSERT_INTS(&v, 8, 1, 7, 2, 3, 9);
    assert_int_equal(int_vec_remove(&v, 2), 7);
    assert_int_equal(int_vec_remove(&v, 0), 8);
    assert_int_equal(int_vec_remove(&v, 3), 9);
    ASSERT_INTS(&v, 1, 2, 3);
    TR_AUTO_VALUE(int_vec) empty = int_vec_new();
    int_vec_insert(&empty, 0, 5);
    ASSERT_INTS(&empty, 5);
}

static void test_vec_08_swap_remove_fills_with_the_last(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = make_holders("abc");
    {
        TR_AUTO_VALUE(holder) a = holder_vec_swap_remove(&v, 0);
        assert_int_equal(a.name, 'a');
        assert_string_equal(names_of(&v), "cb");
        assert_int_equal(canary_dropped(), 0);
    }
    TR_AUTO_VALUE(holder) b = holder_vec_swap_remove(&v, 1);
    assert_int_equal(b.name, 'b');
    assert_string_equal(names_of(&v), "c");
}

static void test_vec_push_and_pop_move_values(void **state)
{
    (void)state;
    TR_AUTO_VALUE(holder_vec) v = holder_vec_new();
    holder_vec_push(&v, make_holder('a'));
    holder_vec_push(&v, make_holder('b'));
    holder h = { .block = NULL };
    assert_int_equal(holder_vec_pop(&v, &h), TR_OK);
    assert_int_equal(h.name, 'b');
    assert_int_equal(canary_dropped(), 0);
    holder_drop(&h);
    assert_int_equal(holder_vec_pop(&v, &h), TR_OK);
    holder_drop(&h);
    h.name = '-';
    assert_int_equal(holder_vec_pop(&v, &h), TR_EMPTY);
    assert_int_equal(h.name, '-');
}

static void test_vec_get_first_last_answer_null_where_nothing_is(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    assert_null(int_vec_first(&v));
    assert_null(int_vec_last(&v));
    assert_null(int_vec_get(&v, 0));
    int_vec_push(&v, 1);
    int_vec_push(&v, 2);
    assert_int_equal(*int_vec_first(&v), 1);
    assert_int_equal(*int_vec_last(&v), 2);
    assert_ptr_equal(int_vec_get(&v, 1), int_vec_at(&v, 1));
    assert_null(int_vec_get(&v, 2));
    assert_ptr_equal(int_vec_find(&v, &(int){ 2 }), &v.data[1]);
    assert_null(int_vec_find(&v, &(int){ 3 }));
}

static void test_vec_each_breaks_continues_and_nests(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = TR_VEC_OF(int_vec, 1, 2, 3, 4, 5);
    int sum = 0;
    TR_VEC_EACH(a, &v) {
        if (*a == 2)
            continue;
        if (*a == 5)
            break;
        TR_VEC_EACH(b, &v) {
            if (b > a)
                break;
            sum += *b;
        }
    }
    assert_int_equal(sum, 1 + (1 + 2 + 3) + (1 + 2 + 3 + 4));
    unsigned rounds = 0;
    TR_VEC_EACH(a, &v) {
        rounds++;
        if (v.len < 10)
            int_vec_push(&v, *a); /* a may dangle from here on */
    }
    assert_int_equal(rounds, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_vec_01_empty_allocates_nothing_and_three_pushes_once),
        CASE(test_vec_zeroed_is_empty_and_dropping_twice_does_nothing),
        CASE(test_vec_02_growth_doubles_from_the_smallest_capacity),
        CASE(test_vec_03_reserve_takes_the_larger_of_need_and_double),
        CASE(test_vec_03_reserve_of_what_is_there_keeps_the_block),
        CASE(test_vec_04_shrink_to_fit_gives_memory_back),
        CASE(test_vec_05_size_zero_counts_without_memory),
        CASE(test_vec_05_push_at_the_last_length_panics),
        CASE(test_vec_capacity_overflow_is_not_no_memory),
        CASE(test_vec_plain_form_without_memory_aborts_with_the_layout),
        CASE(test_vec_over_aligned_elements_stay_aligned_while_it_grows),
        CASE(test_vec_07_truncate_drops_the_tail_in_index_order),
        CASE(test_vec_07_panicking_drop_drops_the_rest),
        CASE(test_vec_08_out_of_bounds_panics_with_index_and_length),
        CASE(test_vec_08_insert_and_remove_keep_the_order),
        CASE(test_vec_08_swap_remove_fills_with_the_last),
        CASE(test_vec_push_and_pop_move_values),
        CASE(test_vec_get_first_last_answer_null_where_nothing_is),
        CASE(test_vec_each_breaks_continues_and_nests),
    };
    return TEST_RUN(tests);
}
