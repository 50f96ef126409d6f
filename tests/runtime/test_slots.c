/*
 * test_slots - a slot is used again, its pid never
 */
#include "tests/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/slots.h"

#define LAST_GENERATION ((1u << TR_PID_GENERATION_BITS) - 1)

static uint32_t index_of(const tri_slots *slots, const tri_actor *actor)
{
    return (uint32_t)(actor - slots->base);
}

/* As spawn and an actor's end do it, without anybody to race with. */
static tr_pid publish(const tri_slots *slots, tri_actor *actor)
{
    const tr_pid pid = tri_pid_make(index_of(slots, actor), actor->generation);
    tr_store_release(&actor->pid, pid.bits);
    return pid;
}

static void retire(tri_slots *slots, tri_slot_cache *cache, tri_actor *actor)
{
    tr_store_release(&actor->pid, 0);
    tri_slot_give(slots, cache, actor);
}

/* Capacity counts slot 0, which is never given. */
static void test_slots_give_each_slot_but_the_first_once(void **state)
{
    (void)state;
    const uint32_t capacities[] = { 2, 3, TRI_SEGMENT, TRI_SEGMENT + 1, TRI_SEGMENT + 2, 1000 };
    for (size_t c = 0; c < sizeof(capacities) / sizeof(capacities[0]); c++) {
        tri_slots slots;
        tri_slot_cache cache = { 0 };
        bool seen[1000] = { false };
        assert_int_equal(tri_slots_init(&slots, capacities[c]), TR_OK);
        for (uint32_t i = 1; i < capacities[c]; i++) {
            tri_actor *actor = tri_slot_take(&slots, &cache);
            assert_non_null(actor);
            const uint32_t index = index_of(&slots, actor);
            assert_true(index > 0 && index < capacities[c]);
            assert_false(seen[index]);
            seen[index] = true;
            assert_int_equal(tr_load_relaxed(&actor->pid), 0);
            assert_int_equal((uintptr_t)actor % 64, 0);
        }
        assert_null(tri_slot_take(&slots, &cache));
        assert_null(tri_slot_take(&slots, &cache));
        tri_slots_fini(&slots);
    }
}

static int compare_bits(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_slots_used_again_resolve_by_the_new_pid_only(void **state)
{
    (void)state;
    enum { LIVE = 300, ROUNDS = 50 };
    static uint64_t pids[LIVE * ROUNDS];
    tri_actor *live[LIVE];
    tri_slots slots;
    tri_slot_cache cache = { 0 };
    assert_int_equal(tri_slots_init(&slots, LIVE + 1), TR_OK);
    size_t n = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < LIVE; i++) {
            live[i] = tri_slot_take(&slots, &cache);
            assert_non_null(live[i]);
            const tr_pid pid = publish(&slots, live[i]);
            assert_ptr_equal(tri_pid_resolve(&slots, pid), live[i]);
            pids[n++] = pid.bits;
        }
        assert_null(tri_slot_take(&slots, &cache)); /* all are alive */
        for (size_t k = 0; k < n - LIVE; k++) /* and all that were before are not */
            assert_null(tri_pid_resolve(&slots, (tr_pid){ pids[k] }));
        for (unsigned i = 0; i < LIVE; i++)
            retire(&slots, &cache, live[(i * 7) % LIVE]);
    }
    qsort(pids, n, sizeof(pids[0]), compare_bits);
    for (size_t k = 1; k < n; k++)
        assert_true(pids[k] != pids[k - 1]);
    tri_slots_fini(&slots);
}

static void test_slots_strange_pids_resolve_to_nobody(void **state)
{
    (void)state;
    tri_slots slots;
    tri_slot_cache cache = { 0 };
    assert_int_equal(tri_slots_init(&slots, 10), TR_OK);
    tri_actor *actor = tri_slot_take(&slots, &cache);
    const tr_pid pid = publish(&slots, actor);
    assert_null(tri_pid_resolve(&slots, TR_PID_NONE));
    assert_null(tri_pid_resolve(&slots, tri_pid_make(0, 1)));
    assert_null(tri_pid_resolve(&slots, tri_pid_make(10, 1)));
    assert_null(tri_pid_resolve(&slots, tri_pid_make((1u << TR_PID_INDEX_BITS) - 1, 1)));
    assert_null(tri_pid_resolve(&slots, tri_pid_make(index_of(&slots, actor), actor->generation + 1)));
    assert_null(tri_pid_resolve(&slots, tri_pid_make(index_of(&slots, actor), 0)));
    for (unsigned bit = 0; bit < 64; bit++)
        assert_null(tri_pid_resolve(&slots, (tr_pid){ pid.bits ^ (UINT64_C(1) << bit) }));
    assert_null(tri_pid_resolve(&slots, (tr_pid){ index_of(&slots, actor) })); /* of a slot nobody lives in: 0 */
    tri_slots_fini(&slots);
}

/* The last generation is used, and then the slot is no more: a pid that came
 * round would be another actor's. */
static void test_slots_whose_generations_are_used_up_are_retired(void **state)
{
    (void)state;
    tri_slots slots;
    tri_slot_cache cache = { 0 };
    assert_int_equal(tri_slots_init(&slots, 3), TR_OK); /* two to give */
    tri_actor *old = tri_slot_take(&slots, &cache), *other = tri_slot_take(&slots, &cache);
    old->generation = LAST_GENERATION - 2;
    retire(&slots, &cache, old);
    tri_actor *again = tri_slot_take(&slots, &cache);
    assert_ptr_equal(again, old);
    assert_int_equal(again->generation, LAST_GENERATION - 1);
    retire(&slots, &cache, again);
    again = tri_slot_take(&slots, &cache);
    assert_ptr_equal(again, old);
    assert_int_equal(again->generation, LAST_GENERATION);
    const tr_pid last = publish(&slots, again);
    assert_ptr_equal(tri_pid_resolve(&slots, last), old);
    assert_int_equal(tri_pid_index(last), index_of(&slots, old));
    retire(&slots, &cache, again);
    assert_null(tri_slot_take(&slots, &cache));
    assert_null(tri_pid_resolve(&slots, last));
    retire(&slots, &cache, other); /* the other one goes on as before */
    assert_ptr_equal(tri_slot_take(&slots, &cache), other);
    assert_null(tri_slot_take(&slots, &cache));
    tri_slots_fini(&slots);
}

/* -- caches that trade ------------------------------------------------------------------------- */

#define OWNERS 4

struct market {
    tri_slots slots;
    size_t rounds;
    TR_ATOMIC(uint32_t) *held; /* by whom is the slot held? */
    TR_ATOMIC(uint64_t) wrong;
};

/* Take many, give them back: more than a cache holds, so that segments move. */
static void take_and_give(unsigned index, void *arg)
{
    struct market *m = arg;
    tri_slot_cache cache = { 0 };
    tri_actor *mine[3 * TRI_SEGMENT];
    for (size_t round = 0; round < m->rounds; round++) {
        const size_t want = 1 + (round * 37 + index * 11) % (3 * TRI_SEGMENT);
        size_t n = 0;
        while (n < want && (mine[n] = tri_slot_take(&m->slots, &cache)) != NULL)
            n++;
        for (size_t i = 0; i < n; i++) {
            if (tr_swap_relaxed(&m->held[index_of(&m->slots, mine[i])], index + 1) != 0)
                tr_fetch_add_relaxed(&m->wrong, 1);
            mine[i]->turn++; /* plain: whoever holds it is alone */
        }
        for (size_t i = 0; i < n; i++) {
            if (tr_swap_relaxed(&m->held[index_of(&m->slots, mine[i])], 0) != index + 1)
                tr_fetch_add_relaxed(&m->wrong, 1);
            tri_slot_give(&m->slots, &cache, mine[i]);
        }
    }
}

static void test_slots_stress_each_is_held_by_one_at_a_time(void **state)
{
    (void)state;
    const uint32_t capacity = 8 * TRI_SEGMENT; /* scarce */
    struct market m = { .rounds = test_scale(4000), .held = calloc(capacity, sizeof(*m.held)) };
    assert_non_null(m.held);
    assert_int_equal(tri_slots_init(&m.slots, capacity), TR_OK);
    test_threads_run(OWNERS, take_and_give, &m);
    assert_int_equal(tr_load_relaxed(&m.wrong), 0);
    uint64_t turns = 0, lives = 0;
    for (uint32_t i = 1; i < capacity; i++) {
        turns += m.slots.base[i].turn;
        lives += m.slots.base[i].generation != 0 ? m.slots.base[i].generation - 1 : 0;
    }
    assert_true(turns > 0);
    assert_int_equal(turns, lives); /* a generation for each time that it was held */
    tri_slots_fini(&m.slots);
    free(m.held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slots_give_each_slot_but_the_first_once),
        TEST(test_slots_used_again_resolve_by_the_new_pid_only),
        TEST(test_slots_strange_pids_resolve_to_nobody),
        TEST(test_slots_whose_generations_are_used_up_are_retired),
        TEST(test_slots_stress_each_is_held_by_one_at_a_time),
    };
    return TEST_RUN(tests);
}
