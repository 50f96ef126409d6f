/*
 * test_box - one owner: move, drop order, arrays, alignment, failure
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/box.h>
#include <troupe/mem/scalars.h>

#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

typedef struct point {
    int x, y;
} point;
TR_TYPE(point)

typedef struct empty {
} empty;
static unsigned empties_dropped;
static void empty_drop(empty *e)
{
    (void)e;
    empties_dropped++;
}
TR_TYPE(empty, .drop = empty_drop)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

/* -- OWN ------------------------------------------------------------------ */

static void test_own_01_locals_drop_in_reverse_order(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) a = tr_box(canary, .name = 'a');
        TR_AUTO(canary) b = tr_box(canary, .name = 'b');
        TR_AUTO(canary) c = tr_box(canary, .name = 'c');
        assert_int_equal(a->name + b->name + c->name, 'a' + 'b' + 'c');
    }
    assert_string_equal(canary_log, "cba");
}

typedef struct trio {
    canary *a, *b, *c;
} trio;
static void trio_drop(trio *t)
{
    tr_drop(t->a);
    tr_drop(t->b);
    tr_drop(t->c);
}
TR_TYPE(trio, .drop = trio_drop)

static void test_own_02_fields_drop_in_declaration_order(void **state)
{
    (void)state;
    canary *c = tr_box(canary, .name = 'c');
    canary *a = tr_box(canary, .name = 'a');
    canary *b = tr_box(canary, .name = 'b');
    trio *t = tr_box(trio, .a = TR_MOVE(a), .b = TR_MOVE(b), .c = TR_MOVE(c));
    assert_null(a);
    tr_drop(t);
    assert_null(t);
    assert_string_equal(canary_log, "abc");
}

static void test_own_03_assignment_drops_the_old_value_once(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) slot = tr_box(canary, .name = 'o');
        tr_drop(slot);
        assert_string_equal(canary_log, "o");
        slot = tr_box(canary, .name = 'n');
        assert_string_equal(canary_log, "o");
    }
    assert_string_equal(canary_log, "on");
}

static void test_own_05_moved_from_is_null_and_drop_of_it_does_nothing(void **state)
{
    (void)state;
    {
        TR_AUTO(canary) x = tr_box(canary, .name = 'x');
        TR_AUTO(canary) y = TR_MOVE(x);
        assert_null(x);
        assert_int_equal(y->name, 'x');
        tr_drop(x);
        assert_int_equal(canary_dropped(), 0);
    }
    assert_int_equal(canary_dropped(), 1);
}

static void test_own_06_second_take_of_a_slot_is_null(void **state)
{
    (void)state;
    canary *slot = tr_box(canary, .value = 5);
    canary *first = TR_MOVE(slot);
    canary *second = TR_MOVE(slot);
    assert_int_equal(first->value, 5);
    assert_null(slot);
    assert_null(second);
    tr_drop(second);
    tr_drop(first);
    assert_int_equal(canary_dropped(), 1);
}

static void panic_over_two(void *arg)
{
    (void)arg;
    TR_AUTO(canary) a = tr_box(canary, .name = 'a');
    TR_AUTO(canary) b = tr_box(canary, .name = 'b');
    tr_panic("with %c and %c", a->name, b->name);
}

static void test_own_07_panic_drops_locals_in_reverse_order(void **state)
{
    (void)state;
    assert_panics(panic_over_two, NULL, "with a and b");
    assert_string_equal(canary_log, "ba");
    assert_int_equal(test_live_blocks(), 0);
}

static void test_own_08_forgotten_value_is_never_dropped(void **state)
{
    (void)state;
    canary *x = tr_box(canary, .value = 9);
    canary *raw = x;
    tr_forget(x);
    assert_null(x);
    assert_int_equal(test_live_blocks(), 1);
    assert_int_equal(raw->value, 9);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(raw); /* as Box::from_raw: so that the test leaks nothing */
}

/* -- BOX ------------------------------------------------------------------ */

static void test_box_01_one_block_made_and_freed_with_its_layout(void **state)
{
    (void)state;
    tr_allocator *outgoing = tr_global_allocator();
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, outgoing);
    tr_set_global_allocator(&counting.base);
    int *five = tr_box(int, 5);
    const uint64_t allocs = tr_load_relaxed(&counting.allocs);
    const uint64_t live_bytes = tr_load_relaxed(&counting.live_bytes);
    const int value = *five;
    tr_drop(five);
    tr_set_global_allocator(outgoing);

    assert_int_equal(value, 5);
    assert_int_equal(allocs, 1);
    assert_int_equal(live_bytes, 16 + 4);
    assert_int_equal(tr_load_relaxed(&counting.deallocs), 1);
    assert_int_equal(tr_load_relaxed(&counting.live_bytes), 0);
}

static void test_box_02_zero_size_value_drops_once(void **state)
{
    (void)state;
    empties_dropped = 0;
    empty *e = tr_box(empty);
    assert_non_null(e);
    assert_int_equal(tr_array_len(e), 1);
    tr_drop(e);
    assert_int_equal(empties_dropped, 1);

    e = tr_box_array(empty, 7);
    assert_int_equal(tr_array_len(e), 7);
    tr_drop(e);
    assert_int_equal(empties_dropped, 8);
}

typedef struct list {
    int head;
    struct list *tail;
} list;
static unsigned nodes_dropped;
static void list_drop(list *l)
{
    nodes_dropped++;
    tr_drop(l->tail);
}
TR_TYPE(list, .drop = list_drop)

static void test_box_03_list_of_boxes_drops_each_node(void **state)
{
    (void)state;
    nodes_dropped = 0;
    list *l = tr_box(list, .head = 1, .tail = tr_box(list, .head = 2));
    assert_int_equal(test_live_blocks(), 2);
    int sum = 0;
    for (const list *node = l; node != NULL; node = node->tail)
        sum += node->head;
    assert_int_equal(sum, 3);
    tr_drop(l);
    assert_int_equal(nodes_dropped, 2);
    assert_int_equal(test_live_blocks(), 0);
}

/* A trait object needs no second word: the header knows the concrete type. */
typedef void *any;
static void any_drop(any *a)
{
    tr_drop(*a);
}
TR_TYPE(any, .drop = any_drop)

typedef struct circle {
    double radius;
} circle;
static void circle_drop(circle *c)
{
    (void)c;
    canary_drop(&(canary){ .name = 'c' });
}
TR_TYPE(circle, .drop = circle_drop)

typedef struct square {
    double side;
    char padding[100];
} square;
static void square_drop(square *s)
{
    (void)s;
    canary_drop(&(canary){ .name = 's' });
}
TR_TYPE(square, .drop = square_drop)

static void test_box_05_concrete_type_is_known_behind_void(void **state)
{
    (void)state;
    TR_AUTO(void) shape = tr_box(circle, .radius = 10);
    const tr_type *type = tr_owned_type(shape);
    assert_ptr_equal(type, tr_type_of(circle));
    assert_int_equal(type->size, sizeof(circle));
    assert_string_equal(type->name, "circle");
}

static void test_box_06_array_of_objects_drops_each_concrete_type_in_order(void **state)
{
    (void)state;
    any *objects = tr_box_array(any, 4);
    objects[0] = tr_box(square, .side = 1);
    objects[1] = tr_box(canary, .name = 'x');
    objects[2] = tr_box(circle, .radius = 2);
    assert_int_equal(test_live_blocks(), 4); /* objects[3] stays NULL */
    tr_drop(objects);
    assert_string_equal(canary_log, "sxc");
    assert_int_equal(test_live_blocks(), 0);
}

static void test_box_07_round_trip_through_raw_pointer_keeps_the_block(void **state)
{
    (void)state;
    canary *b = tr_box(canary, .value = 3);
    void *raw = TR_MOVE(b);
    assert_null(b);
    assert_int_equal(test_live_blocks(), 1);
    b = raw;
    assert_ptr_equal(b, raw);
    assert_int_equal(b->value, 3);
    assert_int_equal(test_live_blocks(), 1);
    tr_drop(b);
    assert_int_equal(canary_dropped(), 1);
}

static void test_box_initialiser_zeroes_what_it_does_not_name(void **state)
{
    (void)state;
    TR_AUTO(point) p = tr_box(point, .y = 2);
    assert_int_equal(p->x, 0);
    assert_int_equal(p->y, 2);
    TR_AUTO(point) q = tr_box(point, 3, 4);
    assert_int_equal(q->x * 10 + q->y, 34);
    TR_AUTO(point) o = tr_box(point);
    assert_int_equal(o->x + o->y, 0);
}

static void test_box_scalars_of_one_word_have_descriptors(void **state)
{
    (void)state;
    TR_AUTO(bool) b = tr_box(bool, true);
    assert_true(*b);
    /* However the name is pasted, it is one descriptor. */
    assert_ptr_equal(tr_owned_type(b), tr_type_of(bool));
    assert_ptr_equal(tr_type_of(_Bool), tr_type_of(bool));
    assert_string_equal(tr_type_of(bool)->name, "bool");
    assert_int_equal(tr_type_of(bool)->size, 1);

    TR_AUTO(double) d = tr_box(double, 2.5);
    assert_true(*d > 2.4 && *d < 2.6);
    TR_AUTO(uint64_t) u = tr_box(uint64_t, UINT64_MAX);
    assert_true(*u == UINT64_MAX);
    TR_AUTO(size_t) s = tr_box(size_t, 1);
    assert_string_equal(tr_owned_type(s)->name, "size_t");
}

/* -- arrays --------------------------------------------------------------- */

static void test_box_array_knows_its_length_and_drops_in_index_order(void **state)
{
    (void)state;
    canary *letters = tr_box_array(canary, 5);
    assert_int_equal(tr_array_len(letters), 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(letters[i].value, 0);
        letters[i].name = (char)('a' + i);
    }
    tr_drop(letters);
    assert_string_equal(canary_log, "abcde");
}

static void test_box_array_of_none_and_single_differ_in_length(void **state)
{
    (void)state;
    TR_AUTO(canary) none = tr_box_array(canary, 0);
    TR_AUTO(canary) single = tr_box(canary, .value = 1);
    TR_AUTO(canary) one = tr_box_array(canary, 1);
    assert_non_null(none);
    assert_int_equal(tr_array_len(none), 0);
    assert_int_equal(tr_array_len(single), 1);
    assert_int_equal(tr_array_len(one), 1);
    tr_drop(none);
    assert_int_equal(canary_dropped(), 0);
}

static void test_box_array_that_cannot_exist_is_null(void **state)
{
    (void)state;
    assert_null(tr_box_array(uint64_t, SIZE_MAX));
    assert_null(tr_box_array(uint64_t, (size_t)1 << 61)); /* 8 n wraps to 0 */
    assert_null(tr_box_array(uint8_t, (size_t)PTRDIFF_MAX));
    assert_null(tr_box_array_uninit(uint8_t, (size_t)PTRDIFF_MAX - 8));
}

static void test_box_array_uninit_is_writable_throughout(void **state)
{
    (void)state;
    uint64_t *words = tr_box_array_uninit(uint64_t, 1000);
    for (size_t i = 0; i < 1000; i++)
        words[i] = i;
    assert_int_equal(words[999], 999);
    assert_int_equal(tr_array_len(words), 1000);
    tr_drop(words);
}

/* -- alignment ------------------------------------------------------------ */

#define ALIGNED(n)                                                                                 \
    typedef struct aligned##n {                                                                    \
        char c;                                                                                    \
    } __attribute__((aligned(n))) aligned##n;                                                      \
    TR_TYPE(aligned##n)
ALIGNED(1)
ALIGNED(2)
ALIGNED(8)
ALIGNED(16)
ALIGNED(32)
ALIGNED(64)
ALIGNED(4096)

static void check_alignment(const tr_type *type)
{
    for (unsigned round = 0; round < 20; round++) {
        char *one = tr_box_of(type, NULL);
        char *many = tr_box_array_of(type, 1 + round, true);
        assert_int_equal((uintptr_t)one % type->align, 0);
        assert_int_equal((uintptr_t)many % type->align, 0);
        assert_int_equal(tr_array_len(many), 1 + round);
        for (size_t i = 0; i < type->size * (1 + round); i++)
            assert_int_equal(many[i], 0);
        memset(one, 1, type->size);
        memset(many, 1, type->size * (1 + round));
        tr_drop(one);
        tr_drop(many);
    }
}

static void test_box_alignment_of_the_type_holds(void **state)
{
    (void)state;
    check_alignment(tr_type_of(aligned1));
    check_alignment(tr_type_of(aligned2));
    check_alignment(tr_type_of(aligned8));
    check_alignment(tr_type_of(aligned16));
    check_alignment(tr_type_of(aligned32));
    check_alignment(tr_type_of(aligned64));
    check_alignment(tr_type_of(aligned4096));
    assert_int_equal(tr_type_of(aligned4096)->align, 4096);
}

/* -- failure -------------------------------------------------------------- */

static void test_box_without_memory_is_null_and_moves_nothing(void **state)
{
    (void)state;
    canary *inner = tr_box(canary, .value = 1);
    failing_allocator failing;
    failing_install(&failing, 0);
    trio *outer = tr_try_box(trio, .a = inner);
    point *uninit = tr_box_uninit(point);
    point *array = tr_box_array(point, 3);
    point *array_uninit = tr_box_array_uninit(point, 3);
    failing_remove(&failing);

    assert_null(outer);
    assert_null(uninit);
    assert_null(array);
    assert_null(array_uninit);
    assert_int_equal(inner->value, 1);
    assert_int_equal(canary_dropped(), 0);
    tr_drop(inner);

    uninit = tr_box_uninit(point);
    *uninit = (point){ 1, 2 };
    tr_drop(uninit);
}

static void box_without_memory(void)
{
    failing_allocator failing;
    failing_install(&failing, 0);
    point *p = tr_box(point, 1, 2);
    tr_drop(p);
}

static void test_box_infallible_without_memory_aborts(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(box_without_memory, text, sizeof text));
    assert_non_null(strstr(text, "out of memory: 24 bytes"));
}

static void test_box_drop_of_null_does_nothing(void **state)
{
    (void)state;
    TR_AUTO(point) never = NULL;
    tr_drop(never);
    tr_drop_owned(NULL);
    assert_null(never);
}

static void drop_what_is_not_owned(void *arg)
{
    tr_drop_owned(arg);
}

static void test_box_drop_of_what_has_no_header_panics(void **state)
{
    (void)state;
    max_align_t zeros[4] = { 0 };
    assert_panics(drop_what_is_not_owned, &zeros[2], "no owned value");
}

/* -- panics in destructors ------------------------------------------------- */

typedef struct bomb {
    char name;
    bool armed;
} bomb;
static void bomb_drop(bomb *b)
{
    canary_drop(&(canary){ .name = b->name });
    if (b->armed)
        tr_panic("bomb %c", b->name);
}
TR_TYPE(bomb, .drop = bomb_drop)

static void drop_bomb(void *arg)
{
    bomb **b = arg;
    tr_drop(*b);
}

static void test_box_panicking_drop_frees_the_block_once(void **state)
{
    (void)state;
    bomb *b = tr_box(bomb, .name = 'b', .armed = true);
    assert_panics(drop_bomb, &b, "bomb b");
    assert_null(b);
    assert_string_equal(canary_log, "b");
    assert_int_equal(test_live_blocks(), 0);
}

static void test_box_panicking_element_drops_the_others(void **state)
{
    (void)state;
    bomb *bombs = tr_box_array(bomb, 4);
    for (int i = 0; i < 4; i++)
        bombs[i] = (bomb){ .name = (char)('a' + i), .armed = i == 1 };
    assert_panics(drop_bomb, &bombs, "bomb b");
    assert_string_equal(canary_log, "abcd");
    assert_int_equal(test_live_blocks(), 0);
}

static void end_scope_over_bomb(void *arg)
{
    (void)arg;
    TR_AUTO(canary) outer = tr_box(canary, .name = 'o');
    TR_AUTO(bomb) b = tr_box(bomb, .name = 'b', .armed = true);
    TR_AUTO(canary) inner = tr_box(canary, .name = 'i');
    assert_true(outer != NULL && b != NULL && inner != NULL);
}

static void test_box_panic_at_scope_end_drops_the_rest_of_the_scope(void **state)
{
    (void)state;
    assert_panics(end_scope_over_bomb, NULL, "bomb b");
    assert_string_equal(canary_log, "ibo");
    assert_int_equal(test_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_own_01_locals_drop_in_reverse_order),
        CASE(test_own_02_fields_drop_in_declaration_order),
        CASE(test_own_03_assignment_drops_the_old_value_once),
        CASE(test_own_05_moved_from_is_null_and_drop_of_it_does_nothing),
        CASE(test_own_06_second_take_of_a_slot_is_null),
        CASE(test_own_07_panic_drops_locals_in_reverse_order),
        CASE(test_own_08_forgotten_value_is_never_dropped),
        CASE(test_box_01_one_block_made_and_freed_with_its_layout),
        CASE(test_box_02_zero_size_value_drops_once),
        CASE(test_box_03_list_of_boxes_drops_each_node),
        CASE(test_box_05_concrete_type_is_known_behind_void),
        CASE(test_box_06_array_of_objects_drops_each_concrete_type_in_order),
        CASE(test_box_07_round_trip_through_raw_pointer_keeps_the_block),
        CASE(test_box_initialiser_zeroes_what_it_does_not_name),
        CASE(test_box_scalars_of_one_word_have_descriptors),
        CASE(test_box_array_knows_its_length_and_drops_in_index_order),
        CASE(test_box_array_of_none_and_single_differ_in_length),
        CASE(test_box_array_that_cannot_exist_is_null),
        CASE(test_box_array_uninit_is_writable_throughout),
        CASE(test_box_alignment_of_the_type_holds),
        CASE(test_box_without_memory_is_null_and_moves_nothing),
        CASE(test_box_infallible_without_memory_aborts),
        CASE(test_box_drop_of_null_does_nothing),
        CASE(test_box_drop_of_what_has_no_header_panics),
        CASE(test_box_panicking_drop_frees_the_block_once),
        CASE(test_box_panicking_element_drops_the_others),
        CASE(test_box_panic_at_scope_end_drops_the_rest_of_the_scope),
    };
    return TEST_RUN(tests);
}
