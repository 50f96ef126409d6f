/*
 * skynet - a tree of actors, ten below each, with 1,000,000 leaves
 *
 *            [0, 1000000)                 grow: down, sum: up
 *           /     ...    \
 *     [0, 100000)  ... [900000, 1000000)
 *      / ... \
 *
 * A leaf sends its number to its parent, a parent the sum of its ten children
 * to its own. 1,111,111 actors in all.
 */
#include "stage.h"

#define CHILDREN 10u

struct range {
    uint64_t first, size;
};
struct sum {
    uint64_t n;
};

#define BRANCH(P, TELL, ASK)       \
    TELL(P, grow, struct range)    \
    TELL(P, sum, struct sum)
TR_PROTOCOL(branch, BRANCH)

struct branch {
    tr_pid parent; /* a branch; the root's is the tally */
    uint64_t sum;
    uint32_t missing; /* children that have not answered */
    bool is_root;
};

static void finish(tr_ctx *ctx, struct branch *self)
{
    if (self->is_root)
        (void)tally_report(ctx, (tally_ref){ self->parent }, (struct tally_report){ 1, self->sum });
    else
        (void)branch_sum(ctx, (branch_ref){ self->parent }, (struct sum){ self->sum });
    tr_stop_self(ctx);
}

static void branch_on_grow(tr_ctx *ctx, struct branch *self, struct range *m)
{
    self->sum = 0;
    if (m->size == 1) {
        self->sum = m->first;
        finish(ctx, self);
        return;
    }
    const uint64_t size = m->size / CHILDREN;
    self->missing = CHILDREN;
    for (unsigned i = 0; i < CHILDREN; i++) {
        const branch_ref child = branch_spawn(ctx, &(struct branch){ .parent = tr_self(ctx) });
        (void)branch_grow(ctx, child, (struct range){ m->first + i * size, size });
    }
}

static void branch_on_sum(tr_ctx *ctx, struct branch *self, struct sum *m)
{
    self->sum += m->n;
    if (--self->missing == 0)
        finish(ctx, self);
}
TR_ACTOR(branch, BRANCH)

/* The largest power of ten that is no more than n. */
static uint64_t power_of_ten_below(uint64_t n)
{
    uint64_t power = 1;
    while (power <= n / 10)
        power *= 10;
    return power;
}

static uint64_t count_actors(uint64_t leaves)
{
    return leaves == 1 ? 1 : leaves + count_actors(leaves / CHILDREN);
}

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t leaves = power_of_ten_below(bench_scaled(options, 1000000));
    const uint64_t actors = count_actors(leaves);
    tr_system_stats before, after;
    stage s;
    stage_open(&s, options, "skynet", 1);
    tr_system_get_stats(s.system, &before);
    struct branch state = { .parent = s.tally.pid, .is_root = true };

    stage_start(&s);
    const branch_ref root = branch_spawn(s.system, &state);
    (void)branch_grow(s.system, root, (struct range){ 0, leaves });
    stage_wait(&s, result);
    TR_MUST(tr_system_wait_idle(s.system, TR_FOREVER));
    tr_system_get_stats(s.system, &after);
    const struct tally_sums sums = stage_close(&s, result);
    result->ops = actors;
    bench_expect(result, "actors", actors, after.spawned - before.spawned);
    bench_expect(result, "actors that ended", actors, after.ended - before.ended);
    bench_expect(result, "sum", bench_sum_below(leaves), sums.sum);
}

const bench_workload bench_skynet = {
    .name = "skynet",
    .op = "actor",
    .summary = "a tree of tens with 1,000,000 leaves, 1,111,111 actors",
    .run = run,
};
