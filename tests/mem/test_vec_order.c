/*
 * test_vec_order - sorting, searching; and a vec against a model, without memory
 */
#include "tests/mem/vecs.h"

typedef struct pair {
    int key;
    int at;
} pair;
TR_TYPE(pair)
TR_VEC(pair)

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int by_key(const pair *a, const pair *b, void *arg)
{
    (void)arg;
    return (a->key > b->key) - (a->key < b->key);
}

static int by_value(const int *a, const int *b, void *arg)
{
    (void)arg;
    return (*a > *b) - (*a < *b);
}

/* n pairs with keys that repeat; `at` says where each began. */
static pair_vec make_pairs(size_t n, unsigned keys)
{
    pair_vec v = pair_vec_with_capacity(n);
    for (size_t i = 0; i < n; i++)
        pair_vec_push(&v, (pair){ .key = (int)(next_random() % keys), .at = (int)i });
    return v;
}

static const size_t sizes[] = { 0, 1, 2, 3, 31, 32, 33, 64, 65, 96, 100, 127, 1000, 4097 };

static void test_vec_sort_is_stable_at_every_size(void **state)
{
    (void)state;
    random_state = 42;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        TR_AUTO_VALUE(pair_vec) v = make_pairs(sizes[s], 17);
        pair_vec_sort_by(&v, by_key, NULL);
        assert_int_equal(v.len, sizes[s]);
        for (size_t i = 1; i < v.len; i++) {
            assert_true(v.data[i - 1].key <= v.data[i].key);
            if (v.data[i - 1].key == v.data[i].key)
                assert_true(v.data[i - 1].at < v.data[i].at);
        }
    }
}

static void test_vec_sort_unstable_keeps_every_element_and_needs_no_memory(void **state)
{
    (void)state;
    random_state = 43;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        TR_AUTO_VALUE(pair_vec) v = make_pairs(sizes[s], 1000);
        failing_allocator failing;
        failing_install(&failing, 0);
        pair_vec_sort_unstable_by(&v, by_key, NULL);
        failing_remove(&failing);
        uint64_t sum = 0;
        for (size_t i = 0; i < v.len; i++) {
            sum += (uint64_t)v.data[i].at;
            if (i > 0)
                assert_true(v.data[i - 1].key <= v.data[i].key);
        }
        assert_int_equal(sum, sizes[s] == 0 ? 0 : sizes[s] * (sizes[s] - 1) / 2);
    }
}

static void test_vec_sort_of_sorted_and_reversed(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    for (int i = 0; i < 500; i++)
        int_vec_push(&v, i);
    int_vec_sort_by(&v, by_value, NULL);
    int_vec_reverse(&v);
    assert_int_equal(v.data[0], 499);
    int_vec_sort_by(&v, by_value, NULL);
    for (int i = 0; i < 500; i++)
        assert_int_equal(v.data[i], i);
    int_vec_reverse(&v);
    int_vec_sort_unstable_by(&v, by_value, NULL);
    for (int i = 0; i < 500; i++)
        assert_int_equal(v.data[i], i);
}

/* Orders that divide badly, and many equals: n log n compares, not n squared. */
static unsigned long compares;

static int counted(const int *a, const int *b, void *arg)
{
    compares++;
    return by_value(a, b, arg);
}

/* As many compares as it can be made to need by an adversary: each answer makes
 * the element it asks about most the next smallest. */
static int adversary_next;

static int adversary(const int *a, const int *b, void *arg)
{
    int *solid = arg;
    compares++;
    if (solid[*a] == INT32_MAX && solid[*b] == INT32_MAX)
        solid[*a] = adversary_next++;
    return (solid[*a] > solid[*b]) - (solid[*a] < solid[*b]);
}

static void test_vec_sort_unstable_has_no_bad_case(void **state)
{
    (void)state;
    enum { N = 4096 };
    const unsigned long bound = 6ul * N * 12; /* log2(N) is 12 */
    static const int periods[] = { 1, 2, 3, 100, N };
    for (size_t p = 0; p < sizeof periods / sizeof periods[0]; p++) {
        TR_AUTO_VALUE(int_vec) v = int_vec_new();
        for (int i = 0; i < N; i++)
            int_vec_push(&v, i < N / 2 ? i % periods[p] : (N - i) % periods[p]);
        compares = 0;
        int_vec_sort_unstable_by(&v, counted, NULL);
        assert_true(compares < bound);
        for (size_t i = 1; i < N; i++)
            assert_true(v.data[i - 1] <= v.data[i]);
    }
    static int solid[N];
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    for (int i = 0; i < N; i++) {
        int_vec_push(&v, i);
        solid[i] = INT32_MAX;
    }
    compares = 0;
    adversary_next = 0;
    int_vec_sort_unstable_by(&v, adversary, solid);
    assert_true(compares < bound);
}

/* A compare that panics on its nth call. */
struct bad {
    holder_vec *v;
    unsigned left;
    bool unstable;
};

static int by_name(const holder *a, const holder *b, void *arg)
{
    struct bad *bad = arg;
    if (bad->left-- == 0)
        tr_panic("cannot compare");
    return a->name - b->name;
}

static void sort_badly(void *arg)
{
    struct bad *bad = arg;
    if (bad->unstable)
        holder_vec_sort_unstable_by(bad->v, by_name, bad);
    else
        holder_vec_sort_by(bad->v, by_name, bad);
}

static void test_vec_sort_whose_compare_panics_loses_nothing(void **state)
{
    (void)state;
    static const char letters[] = "qwertzuiopasdfghjklyxcvbnmqwertzuiopasdfghjkl";
    TR_AUTO_VALUE(holder_vec) v = make_holders(letters);
    struct bad bad = { .v = &v };
    for (unsigned left = 0; left < 100; left += 7) {
        bad.left = left;
        assert_panics(sort_badly, &bad, "cannot compare");
        assert_string_equal(names_of(&v), letters); /* not even moved */
    }
    bad.unstable = true;
    for (unsigned left = 0; left < 100; left += 7) {
        bad.left = left;
        assert_panics(sort_badly, &bad, "cannot compare");
    }
    bad.left = UINT32_MAX;
    sort_badly(&bad);
    assert_string_equal(names_of(&v), "aabcddeeffgghhiijjkkllmnooppqqrrssttuuvwwxyzz");
    assert_int_equal(canary_dropped(), 0);
}

static int contradicts(const int *a, const int *b, void *arg)
{
    (void)a;
    (void)b;
    (void)arg;
    return (int)(next_random() % 3) - 1;
}

static void test_vec_sort_with_a_contradictory_compare_keeps_every_element(void **state)
{
    (void)state;
    random_state = 44;
    for (unsigned round = 0; round < 20; round++) {
        TR_AUTO_VALUE(int_vec) v = int_vec_new();
        for (int i = 0; i < 333; i++)
            int_vec_push(&v, i);
        if (round % 2 == 0)
            int_vec_sort_by(&v, contradicts, NULL);
        else
            int_vec_sort_unstable_by(&v, contradicts, NULL);
        unsigned seen[333] = { 0 };
        TR_VEC_EACH(x, &v)
            seen[*x]++;
        for (size_t i = 0; i < 333; i++)
            assert_int_equal(seen[i], 1);
    }
}

static void test_vec_binary_search_finds_or_says_where_it_belongs(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    size_t at = 99;
    assert_false(int_vec_binary_search(&v, &(int){ 5 }, by_value, NULL, &at));
    assert_int_equal(at, 0);
    for (int i = 0; i < 50; i++)
        int_vec_push(&v, 2 * i);
    for (int i = 0; i < 50; i++) {
        assert_true(int_vec_binary_search(&v, &(int){ 2 * i }, by_value, NULL, &at));
        assert_int_equal(at, i);
        assert_false(int_vec_binary_search(&v, &(int){ 2 * i + 1 }, by_value, NULL, &at));
        assert_int_equal(at, i + 1);
    }
    assert_false(int_vec_binary_search(&v, &(int){ -1 }, by_value, NULL, &at));
    assert_int_equal(at, 0);
}

/* -- without memory ------------------------------------------------------------ */

/* Each tries once on a copy of "abcde" (full to its capacity) with a
 * second vec "xy" at hand. */
typedef tr_status attempt(holder_vec *v, holder_vec *other);

static tr_status try_push(holder_vec *v, holder_vec *other)
{
    holder h;
    if (holder_vec_pop(other, &h) != TR_OK)
        return TR_EMPTY;
    const tr_status status = holder_vec_try_push(v, h);
    if (status != TR_OK)
        holder_vec_push(other, h); /* it stayed ours */
    return status;
}
static tr_status try_insert(holder_vec *v, holder_vec *other)
{
    holder h;
    if (holder_vec_pop(other, &h) != TR_OK)
        return TR_EMPTY;
    const tr_status status = holder_vec_try_insert(v, 2, h);
    if (status != TR_OK)
        holder_vec_push(other, h);
    return status;
}
static tr_status try_extend(holder_vec *v, holder_vec *other)
{
    return holder_vec_try_extend(v, other->data, other->len);
}
static tr_status try_append(holder_vec *v, holder_vec *other)
{
    return holder_vec_try_append(v, other);
}
static tr_status try_resize(holder_vec *v, holder_vec *other)
{
    return holder_vec_try_resize(v, 9, other->data);
}
static tr_status try_splice(holder_vec *v, holder_vec *other)
{
    const tr_status status = holder_vec_try_splice(v, 1, 2, other->data, other->len);
    if (status == TR_OK)
        other->len = 0;
    return status;
}
static tr_status try_split_off(holder_vec *v, holder_vec *other)
{
    holder_vec tail = holder_vec_new();
    (void)other;
    const tr_status status = holder_vec_try_split_off(v, 2, &tail);
    holder_vec_drop(&tail);
    return status;
}
static tr_status try_clone(holder_vec *v, holder_vec *other)
{
    (void)other;
    holder_vec copy = holder_vec_new();
    const tr_status status = holder_vec_try_clone(&copy, v);
    holder_vec_drop(&copy);
    return status;
}
static tr_status try_box_and_back(holder_vec *v, holder_vec *other)
{
    (void)other;
    holder *box = NULL;
    tr_status status = holder_vec_try_into_box(v, &box);
    if (status != TR_OK)
        return status;
    holder_vec back = holder_vec_new();
    status = holder_vec_try_from_box(&box, &back);
    if (status == TR_OK) {
        *v = back;
        return status;
    }
    /* Kept by the caller: put back by hand, so that v is as it was. */
    failing_allocator *failing = (failing_allocator *)tr_global_allocator();
    failing_allow(failing, 100);
    *v = holder_vec_from_box(&box);
    failing_allow(failing, 0);
    return status;
}
static tr_status try_sort(holder_vec *v, holder_vec *other)
{
    (void)other;
    struct bad never = { .left = UINT32_MAX };
    holder_vec_reserve(v, 0);
    return holder_vec_try_sort_by(v, by_name, &never);
}

static void without_memory(attempt *try, const char *names)
{
    bool done = false;
    for (uint64_t successes = 0; !done; successes++) {
        assert_true(successes < 20);
        TR_AUTO_VALUE(holder_vec) v = make_holders(names);
        TR_AUTO_VALUE(holder_vec) other = make_holders("xyxy");
        other.len = 2; /* room to put one back */
        holder_drop(&other.data[2]);
        holder_drop(&other.data[3]);
        holder_vec_shrink_to_fit(&v);
        const int64_t live = test_live_blocks();
        failing_allocator failing;
        failing_install(&failing, successes);
        const tr_status status = try(&v, &other);
        failing_remove(&failing);
        if (status == TR_NOMEM) {
            assert_string_equal(names_of(&v), names);
            assert_string_equal(names_of(&other), "xy");
            assert_int_equal(test_live_blocks(), live);
        } else {
            assert_int_equal(status, TR_OK);
            done = true;
        }
        assert_true(successes > 0 || !done); /* each does need memory */
    }
}

static void test_vec_without_memory_every_call_changes_nothing(void **state)
{
    (void)state;
    attempt *const attempts[] = { try_push,   try_insert,    try_extend, try_append,      try_resize,
                                  try_splice, try_split_off, try_clone,  try_box_and_back };
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        without_memory(attempts[i], "abcde");
    without_memory(try_sort, "qwertzuiopasdfghjklyxcvbnmqwertzuiopasdf");
}

static void test_vec_shrink_without_memory_stays_as_it_was(void **state)
{
    (void)state;
    TR_AUTO_VALUE(int_vec) v = int_vec_with_capacity(100);
    int_vec_push(&v, 1);
    failing_allocator failing;
    failing_install(&failing, 0);
    int_vec_shrink_to_fit(&v);
    failing_remove(&failing);
    assert_int_equal(v.cap, 100);
    ASSERT_INTS(&v, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_vec_sort_is_stable_at_every_size),
        CASE(test_vec_sort_unstable_keeps_every_element_and_needs_no_memory),
        CASE(test_vec_sort_of_sorted_and_reversed),
        CASE(test_vec_sort_unstable_has_no_bad_case),
        CASE(test_vec_sort_whose_compare_panics_loses_nothing),
        CASE(test_vec_sort_with_a_contradictory_compare_keeps_every_element),
        CASE(test_vec_binary_search_finds_or_says_where_it_belongs),
        CASE(test_vec_without_memory_every_call_changes_nothing),
        CASE(test_vec_shrink_without_memory_stays_as_it_was),
    };
    return TEST_RUN(tests);
}
