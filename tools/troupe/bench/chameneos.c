/*
 * chameneos - 100 creatures meet in pairs at one mall, and change colour
 *
 *   creature a --meet--> mall --meet b--> a: waited longest
 *   creature b --meet--> mall             |
 *            <---------change-------------'   both come again
 *
 * Everything goes through one actor: what contention at a mailbox costs. When
 * the meetings are used up the mall sends each creature home, which says how
 * often it met.
 */
#include "stage.h"

#define CREATURES 100u

struct visitor {
    tr_pid who;
    uint32_t colour;
};
struct change {
    uint32_t colour;
};
struct home {
    char unused;
};
struct diary {
    uint64_t meetings;
};

#define MALL(P, TELL, ASK)             \
    TELL(P, visit, struct visitor)     \
    TELL(P, goodbye, struct diary)
TR_PROTOCOL(mall, MALL)

#define CREATURE(P, TELL, ASK)         \
    TELL(P, meet, struct visitor)      \
    TELL(P, change, struct change)     \
    TELL(P, home, struct home)
TR_PROTOCOL(creature, CREATURE)

/* -- the creature ------------------------------------------------------------------ */

struct creature {
    mall_ref mall;
    uint64_t meetings;
    uint32_t colour; /* 0, 1 or 2 */
};

/* Two of a colour keep it, two of different ones take the third. */
static uint32_t mix(uint32_t a, uint32_t b)
{
    return a == b ? a : 3 - a - b;
}

static void visit(tr_ctx *ctx, struct creature *self)
{
    (void)mall_visit(ctx, self->mall, (struct visitor){ tr_self(ctx), self->colour });
}

static void creature_on_meet(tr_ctx *ctx, struct creature *self, struct visitor *m)
{
    self->meetings++;
    self->colour = mix(self->colour, m->colour);
    (void)creature_change(ctx, (creature_ref){ m->who }, (struct change){ self->colour });
    visit(ctx, self);
}

static void creature_on_change(tr_ctx *ctx, struct creature *self, struct change *m)
{
    self->meetings++;
    self->colour = m->colour;
    visit(ctx, self);
}

static void creature_on_home(tr_ctx *ctx, struct creature *self, struct home *m)
{
    (void)m;
    (void)mall_goodbye(ctx, self->mall, (struct diary){ self->meetings });
    tr_stop_self(ctx);
}
TR_ACTOR(creature, CREATURE, .start = visit)

/* -- the mall ------------------------------------------------------------------------ */

struct mall {
    tally_ref tally;
    creature_ref waiting; /* none: nobody waits */
    uint64_t left;        /* meetings */
    uint64_t met;         /* what the creatures say */
    unsigned gone;
};

static void mall_on_visit(tr_ctx *ctx, struct mall *self, struct visitor *m)
{
    if (self->left == 0) {
        (void)creature_home(ctx, (creature_ref){ m->who }, (struct home){ 0 });
    } else if (tr_pid_is_none(self->waiting.pid)) {
        self->waiting = (creature_ref){ m->who };
    } else {
        self->left--;
        (void)creature_meet(ctx, self->waiting, *m);
        self->waiting = (creature_ref){ TR_PID_NONE };
    }
}

static void mall_on_goodbye(tr_ctx *ctx, struct mall *self, struct diary *m)
{
    self->met += m->meetings;
    if (++self->gone >= CREATURES)
        (void)tally_report(ctx, self->tally, (struct tally_report){ self->gone, self->met });
}
TR_ACTOR(mall, MALL)

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t meetings = bench_scaled(options, 1000000);
    stage s;
    stage_open(&s, options, "chameneos", 1);
    const mall_ref mall = mall_spawn(s.system,
                                     &(struct mall){ .tally = s.tally, .left = meetings });

    stage_start(&s);
    for (uint32_t i = 0; i < CREATURES; i++)
        (void)creature_spawn(s.system, &(struct creature){ .mall = mall, .colour = i % 3 });
    stage_wait(&s, result);
    const struct tally_sums sums = stage_close(&s, result);
    result->ops = meetings;
    bench_expect(result, "creatures that went home", CREATURES, sums.count);
    bench_expect(result, "creatures that met", 2 * meetings, sums.sum);
}

const bench_workload bench_chameneos = {
    .name = "chameneos",
    .op = "meeting",
    .summary = "100 creatures, 1,000,000 meetings through one mall",
    .run = run,
};
