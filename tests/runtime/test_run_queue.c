/*
 * test_run_queue - first in, first out; thieves take half; nobody is lost or
 * run twice
 */
#include "tests/support/test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/run_queue.h"

enum { MANY = 1000 }; /* more than the ring holds */

static tri_actor *make_actors(size_t n)
{
    tri_actor *actors = aligned_alloc(64, n * sizeof(*actors));
    assert_non_null(actors);
    memset(actors, 0, n * sizeof(*actors));
    return actors;
}

static tri_run_queue *make_queue(void)
{
    tri_run_queue *q = aligned_alloc(64, sizeof(*q));
    assert_non_null(q);
    tri_run_queue_init(q);
    return q;
}

static void push_range(tri_run_queue *q, tri_actor *actors, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        tri_run_queue_push(q, &actors[i]);
}

static void assert_pops_range(tri_run_queue *q, const tri_actor *actors, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        assert_ptr_equal(tri_run_queue_pop(q), &actors[i]);
}

/* -- the owner alone ---------------------------------------------------------------------- */

static void test_run_queue_owner_gets_the_oldest_first(void **state)
{
    (void)state;
    tri_run_queue *q = make_queue();
    tri_actor *actors = make_actors(MANY);
    assert_null(tri_run_queue_pop(q));
    assert_int_equal(tri_run_queue_length(q), 0);
    assert_false(tri_run_queue_has_work(q));
    for (unsigned round = 0; round < 10; round++) { /* the ring comes round */
        push_range(q, actors, 0, 100);
        assert_int_equal(tri_run_queue_length(q), 100);
        assert_true(tri_run_queue_has_work(q));
        assert_pops_range(q, actors, 0, 100);
        assert_null(tri_run_queue_pop(q));
    }
    free(actors);
    free(q);
}

/* The ring first; then, of what overflowed, the newest. */
static void test_run_queue_overflow_gives_the_newest_first(void **state)
{
    (void)state;
    tri_run_queue *q = make_queue();
    tri_actor *actors = make_actors(MANY);
    push_range(q, actors, 0, MANY);
    assert_int_equal(tri_run_queue_length(q), MANY);
    assert_pops_range(q, actors, 0, TRI_RING);
    for (size_t i = MANY; i > MANY - TRI_REFILL; i--)
        assert_ptr_equal(tri_run_queue_pop(q), &actors[i - 1]);
    assert_int_equal(tri_run_queue_length(q), MANY - TRI_RING - TRI_REFILL);
    free(actors);
    free(q);
}

/* However many newer ones keep coming, the oldest gets its turn: within as many
 * pops as TRI_OLD_EVERY refills give. */
static void test_run_queue_overflow_starves_nobody(void **state)
{
    (void)state;
    tri_run_queue *q = make_queue();
    tri_actor *actors = make_actors(MANY);
    tri_actor *oldest = &actors[TRI_RING]; /* the first that does not fit the ring */
    push_range(q, actors, 0, MANY);
    size_t pops = 0;
    for (tri_actor *popped = NULL; popped != oldest; pops++) {
        assert_true(pops < TRI_RING + TRI_OLD_EVERY * TRI_REFILL);
        popped = tri_run_queue_pop(q);
        assert_non_null(popped);
        if (popped != oldest)
            tri_run_queue_push(q, popped); /* back again, as a busy actor */
    }
    assert_int_equal(tri_run_queue_length(q), MANY - 1);
    free(actors);
    free(q);
}

/* Whatever the order, each comes out once. */
static void test_run_queue_overflow_loses_nobody(void **state)
{
    (void)state;
    tri_run_queue *q = make_queue();
    tri_actor *actors = make_actors(MANY);
    bool seen[MANY] = { false };
    push_range(q, actors, 0, MANY);
    for (size_t left = MANY; left > 0; left--) {
        assert_int_equal(tri_run_queue_length(q), left);
        tri_actor *popped = tri_run_queue_pop(q);
        assert_non_null(popped);
        assert_false(seen[popped - actors]);
        seen[popped - actors] = true;
    }
    assert_null(tri_run_queue_pop(q));
    free(actors);
    free(q);
}

static void test_run_queue_claim_takes_the_older_half_at_most(void **state)
{
    (void)state;
    tri_run_queue *q = make_queue();
    tri_actor *actors = make_actors(MANY);
    tri_actor *claimed[8];
    assert_int_equal(tri_run_queue_claim(q, claimed, 8), 0);
    push_range(q, actors, 0, 20);
    size_t next = 0;
    const uint32_t expected[] = { 8, 6, 3, 2, 1 }; /* of 20, 12, 6, 3, 1 */
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_int_equal(tri_run_queue_claim(q, claimed, 8), expected[i]);
        for (uint32_t k = 0; k < expected[i]; k++)
            assert_ptr_equal(claimed[k], &actors[next++]);
        assert_int_equal(tri_run_queue_length(q), 20 - next);
    }
    free(actors);
    free(q);
}

/* -- a thief, nobody else moving ------------------------------------------------------------ */

/* Of n in the ring a thief takes the oldest (n + 1) / 2. */
static void assert_steals_half_of(size_t n, tri_actor *actors)
{
    tri_run_queue *victim = make_queue(), *thief = make_queue();
    bool seen[MANY] = { false };
    uint32_t taken = 99;
    push_range(victim, actors, 0, n);
    tri_actor *first = tri_run_queue_steal(thief, victim, &taken);
    const size_t in_ring = n < TRI_RING ? n : TRI_RING;
    if (n == 0) {
        assert_null(first);
        assert_int_equal(taken, 99);
    } else {
        assert_int_equal(taken, (in_ring + 1) / 2);
        assert_int_equal(tri_run_queue_length(thief), taken - 1);
        assert_int_equal(tri_run_queue_length(victim), n - taken);
        seen[first - actors] = true;
        for (tri_actor *actor; (actor = tri_run_queue_pop(thief)) != NULL;) {
            assert_false(seen[actor - actors]);
            seen[actor - actors] = true;
        }
        for (size_t i = 0; i < n; i++)
            assert_int_equal(seen[i], i < taken);
        /* The rest of the ring in order; what overflowed comes after it. */
        assert_pops_range(victim, actors, taken, in_ring);
        assert_int_equal(tri_run_queue_length(victim), n - in_ring);
    }
    free(victim);
    free(thief);
}

static void test_run_queue_thief_takes_the_older_half(void **state)
{
    (void)state;
    tri_actor *actors = make_actors(MANY);
    const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 64, 255, TRI_RING, TRI_RING + 1, MANY };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        assert_steals_half_of(lengths[i], actors);
    free(actors);
}

/* -- thieves at work -------------------------------------------------------------------------- */

#define THIEVES 3

/* An actor goes in again and again until it has run its rounds; whoever has it
 * counts on plain memory: had two the same one, ThreadSanitizer would see it. */
struct heist {
    tri_run_queue *queues[THIEVES + 1];
    tri_actor *actors;
    uint32_t *runs;
    uint32_t rounds;
    TR_ATOMIC(uint64_t) left; /* runs to come, of all actors */
    TR_ATOMIC(uint64_t) steals, too_many;
};

static void run_one(struct heist *h, tri_run_queue *q, tri_actor *actor)
{
    const uint32_t run = ++h->runs[actor - h->actors];
    if (run > h->rounds)
        tr_fetch_add_relaxed(&h->too_many, 1);
    if (run < h->rounds)
        tri_run_queue_push(q, actor);
    tr_fetch_sub_relaxed(&h->left, 1);
    if (run % 4 == 0)
        (void)sched_yield(); /* with work in the ring: let a thief come */
}

static void work_or_steal(unsigned index, void *arg)
{
    struct heist *h = arg;
    tri_run_queue *mine = h->queues[index];
    for (unsigned victim = index; tr_load_relaxed(&h->left) != 0;) {
        tri_actor *actors[4];
        uint32_t taken, n = tri_run_queue_claim(mine, actors, 1 + victim % 4);
        victim = (victim + 1) % (THIEVES + 1);
        if (n == 0 && victim != index) {
            actors[0] = tri_run_queue_steal(mine, h->queues[victim], &taken);
            n = actors[0] != NULL;
            tr_fetch_add_relaxed(&h->steals, n);
        }
        for (uint32_t i = 0; i < n; i++)
            run_one(h, mine, actors[i]);
        if (n == 0)
            (void)sched_yield();
    }
}

static void assert_all_run(size_t n, uint32_t rounds)
{
    struct heist h = { .actors = make_actors(n), .runs = calloc(n, sizeof(*h.runs)), .rounds = rounds };
    assert_non_null(h.runs);
    tr_store_relaxed(&h.left, (uint64_t)n * rounds);
    for (unsigned i = 0; i <= THIEVES; i++)
        h.queues[i] = make_queue();
    push_range(h.queues[0], h.actors, 0, n); /* the others have to steal */
    test_threads_run(THIEVES + 1, work_or_steal, &h);
    assert_int_equal(tr_load_relaxed(&h.too_many), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(h.runs[i], rounds);
    for (unsigned i = 0; i <= THIEVES; i++) {
        assert_null(tri_run_queue_pop(h.queues[i]));
        free(h.queues[i]);
    }
    print_message("%u actors: %u thefts\n", (unsigned)n, (unsigned)tr_load_relaxed(&h.steals));
    free(h.runs);
    free(h.actors);
}

static void test_run_queue_stress_each_actor_comes_out_once_for_each_push(void **state)
{
    (void)state;
    const uint32_t rounds = (uint32_t)test_scale(20000);
    assert_all_run(1, rounds);
    assert_all_run(5, rounds);
    assert_all_run(200, rounds / 20 + 1);
    assert_all_run(1000, rounds / 100 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run_queue_owner_gets_the_oldest_first),
        TEST(test_run_queue_claim_takes_the_older_half_at_most),
        TEST(test_run_queue_overflow_gives_the_newest_first),
        TEST(test_run_queue_overflow_starves_nobody),
        TEST(test_run_queue_overflow_loses_nobody),
        TEST(test_run_queue_thief_takes_the_older_half),
        TEST(test_run_queue_stress_each_actor_comes_out_once_for_each_push),
    };
    return TEST_RUN(tests);
}
