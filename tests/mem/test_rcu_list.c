/*
 * test_rcu_list - a walk sees what was there all the time, and only live values
 */
#include "tests/support/test.h"

#include <sched.h>

#include <troupe/mem/rcu_list.h>

#include "mem/rcu.h"
#include "tests/mem/failing.h"

#define ALIVE UINT64_C(0x616c6976656e6f64)
#define GONE UINT64_C(0x676f6e65676f6e65)

typedef struct item {
    uint64_t mark;
    int key;
} item;

static TR_ATOMIC(uint64_t) dropped;
static TR_ATOMIC(uint64_t) bad;

static void item_drop(item *i)
{
    if (i->mark != ALIVE)
        tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the barrier */
    i->mark = GONE;
    tr_fetch_add_relaxed(&dropped, 1); /* relaxed: read after the barrier */
}

TR_TYPE(item, .drop = item_drop)
TR_RCU_LIST(item)

static item *item_of(int key)
{
    return tr_arc(item, .mark = ALIVE, .key = key);
}

static void begin(void)
{
    tr_store_relaxed(&dropped, 0); /* relaxed: no other thread yet */
    tr_store_relaxed(&bad, 0);     /* relaxed: as above */
}

static void assert_dropped(uint64_t n)
{
    tr_rcu_barrier();
    assert_int_equal(tr_load_relaxed(&dropped), n); /* relaxed: after the barrier */
    assert_int_equal(tr_load_relaxed(&bad), 0);     /* relaxed: after the barrier */
}

/* The list holds the keys whose decimal digits are those of `digits`, in order. */
static void assert_keys(item_rcu_list *list, long digits)
{
    long seen = 0;
    size_t n = 0;
    TR_RCU_GUARD g = tr_rcu_enter();
    TR_RCU_EACH(it, list, &g) {
        seen = 10 * seen + it.value->key;
        n++;
    }
    assert_int_equal(seen, digits);
    assert_int_equal(tr_rcu_list_len(list), n);
}

static item_rcu_at find(item_rcu_list *list, int key, const tr_rcu_guard *g)
{
    TR_RCU_EACH(it, list, g)
        if (it.value->key == key)
            return it;
    return (item_rcu_at){ .value = NULL };
}

static void test_rcu_list_zeroed_is_empty(void **state)
{
    (void)state;
    item_rcu_list list = { 0 };
    assert_keys(&list, 0);
    tr_rcu_list_fini(&list);
    assert_keys(&list, 0);
}

static void test_rcu_list_inserts_where_it_is_told(void **state)
{
    (void)state;
    item_rcu_list list = { 0 };
    begin();
    TR_MUST(tr_rcu_list_push_back(&list, item_of(3)));
    TR_MUST(tr_rcu_list_push_back(&list, item_of(5)));
    TR_MUST(tr_rcu_list_push_front(&list, item_of(1)));
    TR_RCU_GUARD g = tr_rcu_enter();
    TR_MUST(tr_rcu_list_insert_after(&list, find(&list, 3, &g), item_of(4)));
    TR_MUST(tr_rcu_list_insert_before(&list, find(&list, 3, &g), item_of(2)));
    tr_rcu_leave(&g);
    assert_keys(&list, 12345);
    tr_rcu_list_fini(&list);
    assert_keys(&list, 0);
    assert_dropped(5);
    TR_MUST(tr_rcu_list_push_back(&list, tr_box(item, .mark = ALIVE, .key = 7)));
    assert_keys(&list, 7);
    tr_rcu_list_fini(&list);
    assert_dropped(6);
}

static void test_rcu_list_removed_under_walk_walk_goes_on(void **state)
{
    (void)state;
    item_rcu_list list = { 0 };
    begin();
    for (int i = 1; i <= 5; i++)
        TR_MUST(tr_rcu_list_push_back(&list, item_of(i)));
    long seen = 0;
    TR_RCU_GUARD g = tr_rcu_enter();
    TR_RCU_EACH(it, &list, &g) {
        if (it.value->key == 2) {
            assert_true(tr_rcu_list_remove(&list, find(&list, 3, &g)));
            assert_true(tr_rcu_list_remove(&list, it));
            assert_false(tr_rcu_list_remove(&list, it));
        }
        assert_true(it.value->mark == ALIVE);
        seen = 10 * seen + it.value->key;
    }
    assert_int_equal(seen, 1245);
    tr_rcu_leave(&g);
    assert_keys(&list, 145);
    assert_dropped(2);
    tr_rcu_list_fini(&list);
    assert_dropped(5);
}

static void test_rcu_list_replace_keeps_place_old_one_is_gone(void **state)
{
    (void)state;
    item_rcu_list list = { 0 };
    begin();
    for (int i = 1; i <= 3; i++)
        TR_MUST(tr_rcu_list_push_back(&list, item_of(i)));
    TR_RCU_GUARD g = tr_rcu_enter();
    item_rcu_at two = find(&list, 2, &g);
    TR_MUST(tr_rcu_list_replace(&list, two, item_of(9)));
    item *box = tr_box(item, .mark = ALIVE, .key = 8);
    assert_int_equal(tr_rcu_list_replace(&list, two, box), TR_EMPTY);
    assert_int_equal(tr_rcu_list_insert_after(&list, two, box), TR_EMPTY);
    assert_int_equal(tr_rcu_list_insert_before(&list, two, box), TR_EMPTY);
    assert_false(tr_rcu_list_remove(&list, two));
    assert_int_equal(two.value->key, 2); /* alive under the guard */
    tr_rcu_leave(&g);
    tr_drop(box); /* a Box still */
    assert_keys(&list, 193);
    assert_dropped(2);
    tr_rcu_list_fini(&list);
    assert_dropped(5);
}

static void test_rcu_list_no_memory_nothing_changes(void **state)
{
    (void)state;
    item_rcu_list list = { 0 };
    begin();
    TR_MUST(tr_rcu_list_push_back(&list, item_of(1)));
    item *mine = item_of(2);
    TR_RCU_GUARD g = tr_rcu_enter();
    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status back = tr_rcu_list_push_back(&list, mine);
    const tr_status front = tr_rcu_list_push_front(&list, mine);
    const tr_status replaced = tr_rcu_list_replace(&list, find(&list, 1, &g), mine);
    const bool removed = tr_rcu_list_remove(&list, find(&list, 1, &g)); /* needs none */
    failing_remove(&failing);
    tr_rcu_leave(&g);
    assert_int_equal(back, TR_NOMEM);
    assert_int_equal(front, TR_NOMEM);
    assert_int_equal(replaced, TR_NOMEM);
    assert_true(removed);
    assert_keys(&list, 0);
    tr_drop(mine);
    assert_dropped(2);
    tr_rcu_list_fini(&list);
}

static void test_rcu_list_in_arc_drops_its_values(void **state)
{
    (void)state;
    begin();
    item_rcu_list *list = tr_arc(item_rcu_list, .core_ = { .ends_ = { NULL, NULL } });
    TR_MUST(tr_rcu_list_push_back(list, item_of(1)));
    TR_RCU_GUARD g = tr_rcu_enter();
    item_rcu_at one = tr_rcu_list_first(list, &g);
    tr_drop(list);
    assert_true(one.value->mark == ALIVE);
    tr_rcu_leave(&g);
    assert_dropped(1);
}

/* -- stress: the even keys stay, the odd ones come and go -------------------------------- */

#define KEPT 8
#define WRITERS 2
#define READERS 2

static struct {
    item_rcu_list list;
    TR_ATOMIC(unsigned) writing;
    TR_ATOMIC(uint64_t) made;
    uint64_t rounds;
} stress;

static void note_bad(void)
{
    tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
}

static void walk(void)
{
    int next = 0;
    TR_RCU_GUARD g = tr_rcu_enter();
    TR_RCU_EACH(it, &stress.list, &g) {
        if (it.value->mark != ALIVE)
            note_bad();
        if (it.value->key % 2 == 0) {
            if (it.value->key != next)
                note_bad();
            next += 2;
        }
    }
    if (next != 2 * KEPT)
        note_bad();
}

static void reads(bool worker)
{
    if (worker)
        tri_rcu_register();
    while (tr_load_relaxed(&stress.writing) != 0) { /* relaxed: a flag */
        walk();
        if (worker)
            tri_rcu_quiescent();
        else
            sched_yield();
    }
    if (worker)
        tri_rcu_unregister();
}

static void insert(tr_status status)
{
    if (status == TR_OK)
        tr_fetch_add_relaxed(&stress.made, 1); /* relaxed: read after the join */
    else
        note_bad();
}

static void writes(unsigned self)
{
    for (uint64_t i = 0; i < stress.rounds; i++) {
        TR_RCU_GUARD g = tr_rcu_enter();
        item_rcu_at kept = find(&stress.list, 2 * (int)((i + self) % KEPT), &g);
        insert(tr_rcu_list_insert_after(&stress.list, kept, item_of(kept.value->key + 1)));
        item_rcu_at odd = tr_rcu_list_next(&stress.list, kept, &g);
        if (odd.value == NULL || odd.value->key % 2 == 0)
            continue; /* the other writer took it */
        if (i % 2 == 0) {
            item *fresh = item_of(odd.value->key);
            if (tr_rcu_list_replace(&stress.list, odd, fresh) == TR_OK)
                tr_fetch_add_relaxed(&stress.made, 1); /* relaxed: read after the join */
            else
                tr_drop(fresh);
            odd = tr_rcu_list_next(&stress.list, kept, &g);
        }
        if (odd.value != NULL && odd.value->key % 2 != 0)
            (void)tr_rcu_list_remove(&stress.list, odd);
    }
    tr_fetch_sub_relaxed(&stress.writing, 1); /* relaxed: a flag */
}

static void stress_thread(unsigned index, void *unused)
{
    (void)unused;
    if (index < WRITERS)
        writes(index);
    else
        reads(index % 2 == 0);
}

static void test_rcu_list_stress_walks_see_all_that_stay(void **state)
{
    (void)state;
    begin();
    stress.rounds = test_scale(3000);
    tr_store_seq_cst(&stress.writing, WRITERS);
    tr_store_seq_cst(&stress.made, KEPT);
    for (int i = 0; i < KEPT; i++)
        TR_MUST(tr_rcu_list_push_back(&stress.list, item_of(2 * i)));

    test_threads_run(WRITERS + READERS, stress_thread, NULL);

    walk();
    tr_rcu_list_fini(&stress.list);
    tr_rcu_barrier();
    assert_int_equal(tr_load_seq_cst(&bad), 0);
    assert_true(tr_load_seq_cst(&dropped) >= tr_load_seq_cst(&stress.made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rcu_list_zeroed_is_empty),
        TEST(test_rcu_list_inserts_where_it_is_told),
        TEST(test_rcu_list_removed_under_walk_walk_goes_on),
        TEST(test_rcu_list_replace_keeps_place_old_one_is_gone),
        TEST(test_rcu_list_no_memory_nothing_changes),
        TEST(test_rcu_list_in_arc_drops_its_values),
        TEST(test_rcu_list_stress_walks_see_all_that_stay),
    };
    return TEST_RUN(tests);
}
