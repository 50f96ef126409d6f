/*
 * pingpong - two actors play a ball back and forth
 *
 *   first --1--> second --2--> first --3--> ...
 *
 * One message is in flight: the price of one send and one turn, and for
 * crossping of waking the other worker each time.
 */
#include "stage.h"

struct serve {
    tr_pid to;
};
struct ball {
    uint64_t hits;
};

#define PLAYER(P, TELL, ASK)         \
    TELL(P, serve, struct serve)     \
    TELL(P, ball, struct ball)
TR_PROTOCOL(player, PLAYER)

struct player {
    player_ref other;
    tally_ref tally;
    uint64_t caught;
    uint64_t last; /* the hit that ends the game; 0: the other one's affair */
};

static void player_on_serve(tr_ctx *ctx, struct player *self, struct serve *m)
{
    self->other = (player_ref){ m->to };
    (void)player_ball(ctx, self->other, (struct ball){ .hits = 1 });
}

static void player_on_ball(tr_ctx *ctx, struct player *self, struct ball *m)
{
    self->caught++;
    if (m->hits == self->last) {
        const struct tally_report report = { .count = self->caught, .sum = m->hits };
        (void)tally_report(ctx, self->tally, report);
        return;
    }
    (void)player_ball(ctx, self->other, (struct ball){ .hits = m->hits + 1 });
}
TR_ACTOR(player, PLAYER)

static void play(stage *s, uint64_t trips, const unsigned pins[2], bench_result *result)
{
    player_ref first, second;
    struct player state = { .tally = s->tally, .last = 2 * trips };
    TR_MUST(player_try_spawn(s->system, &state, &(tr_spawn_options){ .pin = pins[0] }, &first));
    state = (struct player){ .tally = s->tally, .other = first };
    TR_MUST(player_try_spawn(s->system, &state, &(tr_spawn_options){ .pin = pins[1] }, &second));

    stage_start(s);
    (void)player_serve(s->system, first, (struct serve){ second.pid });
    stage_wait(s, result);
    const struct tally_sums sums = stage_close(s, result);
    bench_expect(result, "round trips", trips, sums.count);
    bench_expect(result, "hits", 2 * trips, sums.sum);
}

static void run_pingpong(const bench_options *options, bench_result *result)
{
    const uint64_t trips = bench_scaled(options, 2000000);
    stage s;
    stage_open(&s, options, "pingpong", 1);
    play(&s, trips, (unsigned[]){ 0, 0 }, result);
    result->ops = 2 * trips;
}

static void run_crossping(const bench_options *options, bench_result *result)
{
    const uint64_t trips = bench_scaled(options, 100000);
    stage s;
    stage_open(&s, options, "crossping", 1);
    play(&s, trips, (unsigned[]){ 1, 2 }, result);
    result->ops = trips;
}

const bench_workload bench_pingpong = {
    .name = "pingpong",
    .op = "message",
    .summary = "two actors, 2,000,000 round trips",
    .run = run_pingpong,
};

const bench_workload bench_crossping = {
    .name = "crossping",
    .op = "round trip",
    .summary = "two actors on two workers, 100,000 round trips",
    .least_workers = 2,
    .run = run_crossping,
};
