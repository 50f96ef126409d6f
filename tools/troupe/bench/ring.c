/*
 * ring - tokens go round a ring of 1000 actors
 *
 *   0 --> 1 --> 2 --> ... --> 999 --> 0
 *   ^ token 0       ^ token 1 ...
 *
 * With one token one actor is ready at a time; with a hundred the workers have
 * something to share. A token that has made its hops must be at the node that
 * arithmetic says.
 */
#include "stage.h"

#define NODES 1000u

struct link {
    tr_pid next;
};
struct token {
    uint64_t left; /* hops to go */
};

#define NODE(P, TELL, ASK)        \
    TELL(P, link, struct link)    \
    TELL(P, token, struct token)
TR_PROTOCOL(node, NODE)
TR_TYPE(node_ref)

struct node {
    node_ref next;
    tally_ref tally;
    uint64_t index;
};

static void node_on_link(tr_ctx *ctx, struct node *self, struct link *m)
{
    (void)ctx;
    self->next = (node_ref){ m->next };
}

static void node_on_token(tr_ctx *ctx, struct node *self, struct token *m)
{
    if (m->left != 0)
        (void)node_token(ctx, self->next, (struct token){ m->left - 1 });
    else
        (void)tally_report(ctx, self->tally, (struct tally_report){ 1, self->index });
}
TR_ACTOR(node, NODE)

/* Each knows the one before it; the first one learns of the last. */
static void make_ring(const stage *s, node_ref nodes[NODES])
{
    for (unsigned i = 0; i < NODES; i++) {
        struct node state = { .tally = s->tally, .index = NODES - 1 - i };
        if (i > 0)
            state.next = nodes[NODES - i];
        nodes[NODES - 1 - i] = node_spawn(s->system, &state);
    }
    (void)node_link(s->system, nodes[NODES - 1], (struct link){ nodes[0].pid });
}

static void run(const bench_options *options, const char *name, unsigned tokens, uint64_t hops,
                bench_result *result)
{
    uint64_t ends = 0;
    stage s;
    stage_open(&s, options, name, tokens);
    TR_AUTO(node_ref) nodes = tr_box_array(node_ref, NODES);
    if (nodes == NULL)
        tr_panic("no memory for the ring");
    make_ring(&s, nodes);

    stage_start(&s);
    for (unsigned i = 0; i < tokens; i++) {
        const unsigned at = i * (NODES / tokens);
        (void)node_token(s.system, nodes[at], (struct token){ hops });
        ends += (at + hops) % NODES;
    }
    stage_wait(&s, result);
    const struct tally_sums sums = stage_close(&s, result);
    result->ops = tokens * hops;
    bench_expect(result, "tokens", tokens, sums.count);
    bench_expect(result, "sum of the nodes where tokens ended", ends, sums.sum);
}

static void run_ring1(const bench_options *options, bench_result *result)
{
    run(options, "ring1", 1, bench_scaled(options, 5000000), result);
}

static void run_ring100(const bench_options *options, bench_result *result)
{
    run(options, "ring100", 100, bench_scaled(options, 50000), result);
}

const bench_workload bench_ring1 = {
    .name = "ring1",
    .op = "hop",
    .summary = "a ring of 1000 actors, 1 token, 5,000,000 hops",
    .run = run_ring1,
};

const bench_workload bench_ring100 = {
    .name = "ring100",
    .op = "hop",
    .summary = "a ring of 1000 actors, 100 tokens, 50,000 hops each",
    .run = run_ring100,
};
