/*
 * stress_wide - systems with many more workers than processors: everything that
 * a worker meets of the others is met by 64
 *
 *   64 workers: rings stolen from, wake-ups passed on, grace periods that need
 *   each of them, one mailbox that all push into
 */
#include "tests/runtime/probe.h"

#include <string.h>

#define WIDE 64

/* -- many senders, many receivers --------------------------------------------------- */

#define SENDERS 64
#define RECEIVERS 16

struct item {
    uint32_t sender;
    uint32_t number;
};
struct census {
    uint32_t next[SENDERS]; /* the number that must come from each sender */
    uint64_t items, wrong;
};

#define SINK(P, TELL, ASK)          \
    TELL(P, item, struct item)      \
    ASK(P, census, struct nothing, struct census)
TR_PROTOCOL(sink, SINK)

struct sink {
    struct census seen;
};

static void sink_on_item(tr_ctx *ctx, struct sink *self, struct item *m)
{
    (void)ctx;
    self->seen.items++;
    self->seen.wrong += m->number != self->seen.next[m->sender]++;
}

static void sink_on_census(tr_ctx *ctx, struct sink *self, struct nothing *m, sink_census_reply reply)
{
    (void)ctx, (void)m;
    sink_census_answer(reply, self->seen);
}
TR_ACTOR(sink, SINK)

struct go {
    uint32_t left;
};

#define SOURCE(P, TELL, ASK) TELL(P, go, struct go)
TR_PROTOCOL(source, SOURCE)

struct source {
    const sink_ref *sinks;
    uint32_t index, next;
};

/* One item to each sink, and again in the next turn, on whatever worker. */
static void source_on_go(tr_ctx *ctx, struct source *self, struct go *m)
{
    for (unsigned i = 0; i < RECEIVERS; i++)
        (void)sink_item(ctx, self->sinks[(i + self->index) % RECEIVERS], (struct item){ self->index, self->next });
    self->next++;
    if (m->left > 1)
        (void)source_go(ctx, source_self(ctx), (struct go){ m->left - 1 });
}
TR_ACTOR(source, SOURCE)

static void assert_all_in_order(tr_system *system, sink_ref sink, uint32_t each)
{
    struct census seen;
    assert_int_equal(sink_census_wait(system, sink, (struct nothing){}, PATIENCE, &seen), TR_OK);
    assert_int_equal(seen.items, (uint64_t)each * SENDERS);
    assert_int_equal(seen.wrong, 0);
    for (unsigned i = 0; i < SENDERS; i++)
        assert_int_equal(seen.next[i], each);
}

static void test_wide_stress_every_item_arrives_in_order(void **state)
{
    (void)state;
    const uint32_t each = (uint32_t)test_scale(200);
    tr_system *system = start_system(WIDE);
    sink_ref sinks[RECEIVERS];
    for (unsigned i = 0; i < RECEIVERS; i++)
        sinks[i] = sink_spawn(system, NULL);
    for (unsigned i = 0; i < SENDERS; i++) {
        const source_ref source = source_spawn(system, &(struct source){ .sinks = sinks, .index = i });
        assert_int_equal(source_go(system, source, (struct go){ each }), TR_OK);
    }
    wait_idle(system);
    for (unsigned i = 0; i < RECEIVERS; i++)
        assert_all_in_order(system, sinks[i], each);
    tr_system_stats stats;
    tr_system_get_stats(system, &stats);
    assert_int_equal(stats.dead_letters, 0);
    assert_int_equal(stats.queued, 0);
    stop_system(system);
}

/* -- spawns and ends ------------------------------------------------------------------ */

struct life {
    uint32_t depth;
};

#define TREE(P, TELL, ASK) TELL(P, live, struct life)
TR_PROTOCOL(tree, TREE)

struct forest {
    TR_ATOMIC(uint64_t) lived, dropped;
};

struct tree {
    struct forest *forest;
};

/* Two more, one level lower, and an end. */
static void tree_on_live(tr_ctx *ctx, struct tree *self, struct life *m)
{
    tr_fetch_add_relaxed(&self->forest->lived, 1);
    for (unsigned i = 0; i < 2 && m->depth > 0; i++) {
        const tree_ref child = tree_spawn(ctx, &(struct tree){ self->forest });
        (void)tree_live(ctx, child, (struct life){ m->depth - 1 });
    }
    tr_stop_self(ctx);
}

static void tree_drop(struct tree *self)
{
    tr_fetch_add_relaxed(&self->forest->dropped, 1);
}
TR_ACTOR(tree, TREE, .drop = tree_drop)

static void test_wide_stress_spawns_and_ends_add_up(void **state)
{
    (void)state;
    enum { ROOTS = 2 * WIDE, DEPTH = 7 };
    const size_t rounds = test_scale(3);
    tr_system *system = start_system(WIDE);
    for (size_t round = 0; round < rounds; round++) {
        struct forest forest;
        memset(&forest, 0, sizeof(forest));
        for (unsigned i = 0; i < ROOTS; i++) {
            const tree_ref root = tree_spawn(system, &(struct tree){ &forest });
            assert_int_equal(tree_live(system, root, (struct life){ DEPTH }), TR_OK);
        }
        wait_idle(system);
        const uint64_t expected = ROOTS * ((2u << DEPTH) - 1);
        assert_int_equal(tr_load_relaxed(&forest.lived), expected);
        assert_int_equal(tr_load_relaxed(&forest.dropped), expected);
        tr_system_stats stats;
        tr_system_get_stats(system, &stats);
        assert_int_equal(stats.actors, 0);
        assert_int_equal(stats.ended, expected * (round + 1));
        assert_int_equal(stats.dead_letters, 0);
    }
    stop_system(system);
}

/* -- all workers at once ---------------------------------------------------------------- */

static void stand_at_barrier(tr_ctx *ctx, void *arg)
{
    (void)ctx;
    test_barrier_wait(arg);
}

/* 64 handlers that wait for each other: none returns unless every worker was
 * woken and found one, whoever was told of it. */
static void test_wide_stress_every_worker_is_woken_when_needed(void **state)
{
    (void)state;
    const size_t rounds = test_scale(20);
    tr_system *system = start_system(WIDE);
    test_barrier barrier;
    test_barrier_init(&barrier, WIDE);
    probe_ref probes[WIDE];
    for (unsigned i = 0; i < WIDE; i++)
        probes[i] = spawn_probe(system, NULL);
    for (size_t round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < WIDE; i++)
            assert_int_equal(probe_run(system, probes[i], (struct run){ stand_at_barrier, &barrier }), TR_OK);
        wait_idle(system);
    }
    stop_system(system);
    test_barrier_fini(&barrier);
}

/* -- work that is never where one looks --------------------------------------------------- */

#define NODES 256

struct token {
    uint32_t left;
    uint64_t random;
};

#define NODE(P, TELL, ASK) TELL(P, token, struct token)
TR_PROTOCOL(node, NODE)

struct net {
    node_ref nodes[NODES];
    TR_ATOMIC(uint64_t) hops, ended;
};

struct node {
    struct net *net;
};

static void node_on_token(tr_ctx *ctx, struct node *self, struct token *m)
{
    tr_fetch_add_relaxed(&self->net->hops, 1);
    if (m->left == 0) {
        tr_fetch_add_relaxed(&self->net->ended, 1);
        return;
    }
    const uint64_t random = m->random * 6364136223846793005u + 1442695040888963407u;
    (void)node_token(ctx, self->net->nodes[(random >> 33) % NODES], (struct token){ m->left - 1, random });
}
TR_ACTOR(node, NODE)

static tr_system *start_net(struct net *net)
{
    memset(net, 0, sizeof(*net));
    tr_system *system = start_system(WIDE);
    for (unsigned i = 0; i < NODES; i++)
        net->nodes[i] = node_spawn(system, &(struct node){ net });
    return system;
}

/* wait_idle says so when the last hop has been made, and not before. */
static void test_wide_stress_idle_is_said_when_all_is_done(void **state)
{
    (void)state;
    static struct net net;
    const size_t rounds = test_scale(60);
    tr_system *system = start_net(&net);
    uint64_t hops = 0, tokens = 0;
    for (size_t round = 0; round < rounds; round++) {
        const uint32_t left = (uint32_t)(round * 13 % 97);
        for (unsigned i = 0; i < 1 + round % WIDE; i++, tokens++, hops += left + 1)
            assert_int_equal(node_token(system, net.nodes[i], (struct token){ left, tokens }), TR_OK);
        wait_idle(system);
        assert_int_equal(tr_load_relaxed(&net.hops), hops);
        assert_int_equal(tr_load_relaxed(&net.ended), tokens);
    }
    stop_system(system);
}

/* Tokens that never end on their own: the stop comes in the middle. */
static void test_wide_stress_stop_ends_what_would_run_for_ever(void **state)
{
    (void)state;
    static struct net net;
    const size_t rounds = test_scale(4);
    for (size_t round = 0; round < rounds; round++) {
        tr_system *system = start_net(&net);
        for (unsigned i = 0; i < WIDE; i++)
            assert_int_equal(node_token(system, net.nodes[i], (struct token){ UINT32_MAX, i }), TR_OK);
        TEST_UNTIL(tr_load_relaxed(&net.hops) > 10000 * (round + 1));
        stop_system(system);
        assert_int_equal(tr_load_relaxed(&net.ended), 0);
        assert_int_equal(test_live_blocks(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wide_stress_every_item_arrives_in_order),
        TEST(test_wide_stress_spawns_and_ends_add_up),
        TEST(test_wide_stress_every_worker_is_woken_when_needed),
        TEST(test_wide_stress_idle_is_said_when_all_is_done),
        TEST(test_wide_stress_stop_ends_what_would_run_for_ever),
    };
    return TEST_RUN(tests);
}
