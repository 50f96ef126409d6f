/*
 * test_rcu_map - what was put is found, what was found lives while the guard does
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/mem/rcu_map.h>

#include "mem/rcu.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

#define ALIVE UINT64_C(0x616c6976656e6f64)
#define GONE UINT64_C(0x676f6e65676f6e65)

typedef struct route {
    uint64_t mark;
    uint64_t key;
} route;

static TR_ATOMIC(uint64_t) dropped, keys_dropped, bad;

static void route_drop(route *r)
{
    if (r->mark != ALIVE)
        tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the barrier */
    r->mark = GONE;
    tr_fetch_add_relaxed(&dropped, 1); /* relaxed: read after the barrier */
}

TR_TYPE(route, .drop = route_drop)
TR_RCU_MAP(routes, uint64_t, route)

/* A key whose padding and spare bits do not count, and whose hashes all collide. */
typedef struct name {
    char text[8];
    uint64_t ignored;
} name;

static bool name_eq(const name *a, const name *b)
{
    return memcmp(a->text, b->text, sizeof a->text) == 0;
}

static uint64_t name_hash(const name *n)
{
    (void)n;
    return 1;
}

static void name_drop(name *n)
{
    (void)n;
    tr_fetch_add_relaxed(&keys_dropped, 1); /* relaxed: read after the barrier */
}

TR_TYPE(name, .eq = name_eq, .hash = name_hash, .drop = name_drop)
TR_RCU_MAP(names, name, route)

static route *route_of(uint64_t key)
{
    return tr_arc(route, .mark = ALIVE, .key = key);
}

static void begin(void)
{
    tr_store_relaxed(&dropped, 0);      /* relaxed: no other thread yet */
    tr_store_relaxed(&keys_dropped, 0); /* relaxed: as above */
    tr_store_relaxed(&bad, 0);          /* relaxed: as above */
}

static void assert_dropped(uint64_t n)
{
    tr_rcu_barrier();
    assert_int_equal(tr_load_relaxed(&dropped), n); /* relaxed: after the barrier */
    assert_int_equal(tr_load_relaxed(&bad), 0);     /* relaxed: after the barrier */
}

/* 0: there is none. */
static uint64_t key_at(routes *map, uint64_t key)
{
    TR_RCU_GUARD g = tr_rcu_enter();
    const route *r = tr_rcu_map_get(map, key, &g);
    return r != NULL ? r->key : 0;
}

static void test_rcu_map_put_get_remove(void **state)
{
    (void)state;
    routes map = { 0 };
    begin();
    tr_rcu_map_fini(&map); /* zeroed: accepted */
    TR_MUST(tr_rcu_map_init(routes, &map, 5));
    assert_int_equal(key_at(&map, 1), 0);
    assert_false(tr_rcu_map_remove(&map, 1));
    TR_MUST(tr_rcu_map_put(&map, 1, route_of(10)));
    TR_MUST(tr_rcu_map_put(&map, 2, tr_box(route, .mark = ALIVE, .key = 20)));
    assert_int_equal(key_at(&map, 1), 10);
    assert_int_equal(key_at(&map, 2), 20);
    TR_MUST(tr_rcu_map_put(&map, 1, route_of(11)));
    assert_int_equal(key_at(&map, 1), 11);
    assert_int_equal(tr_rcu_map_len(&map), 2);
    assert_dropped(1);
    assert_true(tr_rcu_map_remove(&map, 1));
    assert_false(tr_rcu_map_remove(&map, 1));
    assert_int_equal(tr_rcu_map_len(&map), 1);
    assert_dropped(2);
    tr_rcu_map_fini(&map);
    assert_dropped(3);
}

static void test_rcu_map_insert_leaves_equal_key_and_hands_back(void **state)
{
    (void)state;
    routes map = { 0 };
    bool inserted = false;
    begin();
    TR_MUST(tr_rcu_map_init(routes, &map, 4));
    TR_MUST(tr_rcu_map_insert(&map, 1, route_of(10), &inserted));
    assert_true(inserted);
    route *box = tr_box(route, .mark = ALIVE, .key = 11);
    TR_MUST(tr_rcu_map_insert(&map, 1, box, &inserted));
    assert_false(inserted);
    tr_drop(box); /* a Box still */
    assert_int_equal(key_at(&map, 1), 10);
    assert_dropped(1);
    tr_rcu_map_fini(&map);
    assert_dropped(2);
}

static void test_rcu_map_found_lives_under_guard(void **state)
{
    (void)state;
    routes map = { 0 };
    begin();
    TR_MUST(tr_rcu_map_init(routes, &map, 4));
    TR_MUST(tr_rcu_map_put(&map, 1, route_of(10)));
    TR_RCU_GUARD g = tr_rcu_enter();
    const route *r = tr_rcu_map_get(&map, 1, &g);
    assert_true(tr_rcu_map_remove(&map, 1));
    tr_rcu_map_fini(&map);
    for (int i = 0; i < 1000; i++)
        sched_yield(); /* the chance for a drop that comes too early */
    assert_true(r->mark == ALIVE);
    tr_rcu_leave(&g);
    assert_dropped(1);
}

static void test_rcu_map_keys_compare_as_their_type_says(void **state)
{
    (void)state;
    names map = { 0 };
    begin();
    TR_MUST(tr_rcu_map_init(names, &map, 4));
    TR_MUST(tr_rcu_map_put(&map, ((name){ "one", 1 }), route_of(1)));
    TR_MUST(tr_rcu_map_put(&map, ((name){ "two", 2 }), route_of(2)));
    TR_MUST(tr_rcu_map_put(&map, ((name){ "one", 3 }), route_of(3)));
    assert_int_equal(tr_rcu_map_len(&map), 2);
    TR_RCU_GUARD g = tr_rcu_enter();
    assert_int_equal(tr_rcu_map_get(&map, ((name){ "one", 9 }), &g)->key, 3);
    assert_int_equal(tr_rcu_map_get(&map, ((name){ "two", 9 }), &g)->key, 2);
    assert_null(tr_rcu_map_get(&map, ((name){ "six", 9 }), &g));
    tr_rcu_leave(&g);
    tr_rcu_map_fini(&map);
    assert_dropped(3);
    assert_int_equal(tr_load_seq_cst(&keys_dropped), 3);
}

static void resize_under_guard(void *map)
{
    TR_RCU_GUARD g = tr_rcu_enter();
    (void)!tr_rcu_map_resize((routes *)map, 8);
}

static void test_rcu_map_resize_keeps_entries(void **state)
{
    (void)state;
    routes map = { 0 };
    begin();
    assert_int_equal(tr_rcu_map_init(routes, &map, SIZE_MAX), TR_INVALID);
    TR_MUST(tr_rcu_map_init(routes, &map, 1));
    for (uint64_t i = 1; i <= 100; i++)
        TR_MUST(tr_rcu_map_put(&map, i, route_of(i)));
    const size_t sizes[] = { 128, 2, 64, 1 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        TR_MUST(tr_rcu_map_resize(&map, sizes[s]));
        for (uint64_t i = 1; i <= 100; i++)
            assert_int_equal(key_at(&map, i), i);
    }
    assert_panics(resize_under_guard, &map, "tr_rcu_map_resize would wait");
    tr_rcu_map_fini(&map);
    assert_dropped(100);
}

static void test_rcu_map_no_memory_nothing_changes(void **state)
{
    (void)state;
    routes map = { 0 };
    begin();
    TR_MUST(tr_rcu_map_init(routes, &map, 4));
    TR_MUST(tr_rcu_map_put(&map, 1, route_of(10)));
    route *mine = route_of(11);
    failing_allocator failing;
    failing_install(&failing, 0);
    bool inserted = true;
    const tr_status put = tr_rcu_map_put(&map, 1, mine);
    const tr_status insert = tr_rcu_map_insert(&map, 2, mine, &inserted);
    failing_remove(&failing);
    assert_int_equal(put, TR_NOMEM);
    assert_int_equal(insert, TR_NOMEM);
    assert_true(inserted);
    assert_int_equal(key_at(&map, 1), 10);
    tr_drop(mine);
    tr_rcu_map_fini(&map);
    assert_dropped(2);
}

/* -- stress ---------------------------------------------------------------------------- */

#define KEYS 32
#define WRITERS 2
#define READERS 2

static struct {
    routes map;
    TR_ATOMIC(unsigned) writing;
    TR_ATOMIC(uint64_t) made;
    uint64_t rounds;
} stress;

/* Even keys are replaced, never absent; odd ones come and go. */
static void look(uint64_t key)
{
    TR_RCU_GUARD g = tr_rcu_enter();
    const route *r = tr_rcu_map_get(&stress.map, key, &g);
    if (r == NULL ? key % 2 == 0 : r->mark != ALIVE || r->key != key)
        tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
}

static void reads(bool worker)
{
    if (worker)
        tri_rcu_register();
    for (uint64_t i = 0; tr_load_relaxed(&stress.writing) != 0; i++) { /* relaxed: a flag */
        look(i % KEYS);
        if (worker)
            tri_rcu_quiescent();
        else if (i % 64 == 0)
            sched_yield();
    }
    if (worker)
        tri_rcu_unregister();
}

static void writes(unsigned self)
{
    for (uint64_t i = 0; i < stress.rounds; i++) {
        const uint64_t key = (i * 7 + self) % KEYS;
        if (tr_rcu_map_put(&stress.map, key, route_of(key)) == TR_OK)
            tr_fetch_add_relaxed(&stress.made, 1); /* relaxed: read after the join */
        else
            tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
        if (key % 2 != 0 && i % 2 == 0)
            (void)tr_rcu_map_remove(&stress.map, key);
        if (i % 256 == 0 && tr_rcu_map_resize(&stress.map, (i / 256 + self) % 2 == 0 ? 4 : 64) != TR_OK)
            tr_fetch_add_relaxed(&bad, 1); /* relaxed: read after the join */
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

static void test_rcu_map_stress_lookups_see_live_values_while_resized(void **state)
{
    (void)state;
    begin();
    stress.rounds = test_scale(4000);
    tr_store_seq_cst(&stress.writing, WRITERS);
    tr_store_seq_cst(&stress.made, KEYS / 2);
    TR_MUST(tr_rcu_map_init(routes, &stress.map, 16));
    for (uint64_t i = 0; i < KEYS; i += 2)
        TR_MUST(tr_rcu_map_put(&stress.map, i, route_of(i)));

    test_threads_run(WRITERS + READERS, stress_thread, NULL);

    tr_rcu_map_fini(&stress.map);
    assert_dropped(tr_load_seq_cst(&stress.made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rcu_map_put_get_remove),
        TEST(test_rcu_map_insert_leaves_equal_key_and_hands_back),
        TEST(test_rcu_map_found_lives_under_guard),
        TEST(test_rcu_map_keys_compare_as_their_type_says),
        TEST(test_rcu_map_resize_keeps_entries),
        TEST(test_rcu_map_no_memory_nothing_changes),
        TEST(test_rcu_map_stress_lookups_see_live_values_while_resized),
    };
    return TEST_RUN(tests);
}
