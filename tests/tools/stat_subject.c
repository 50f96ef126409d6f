/*
 * stat_subject - a program for `troupe stat` to look at
 *
 *     stat_subject [-s SYSTEMS] [-r RALLY] [-i IDLE] [-q QUEUED] [-l LOST] [-p PANICS]
 *
 * In each system: two players return a ball RALLY times (-1: without end), IDLE
 * actors do nothing, one sits in its handler while QUEUED messages wait, LOST
 * messages go to an actor that has ended, and PANICS actors panic. When all of
 * that has come to rest it prints a line, and stops at the end of its input.
 */
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <troupe/troupe.h>

struct ball {
    tr_pid from;
    int64_t left;
};
struct nudge {
    char unused;
};

#define PLAYER(P, TELL, ASK) TELL(P, ball, struct ball)
TR_PROTOCOL(player, PLAYER)
struct player {
    uint64_t hits;
};

#define IDLER(P, TELL, ASK) TELL(P, nudge, struct nudge)
TR_PROTOCOL(idler, IDLER)
struct idler {
    char unused;
};

#define SITTER(P, TELL, ASK)         \
    TELL(P, sit, struct nudge)       \
    TELL(P, item, struct nudge)
TR_PROTOCOL(sitter, SITTER)
struct sitter {
    char unused;
};

#define CASUALTY(P, TELL, ASK) TELL(P, fall, struct nudge)
TR_PROTOCOL(casualty, CASUALTY)
struct casualty {
    char unused;
};

static sem_t seated, stand_up;

static void player_on_ball(tr_ctx *ctx, struct player *self, struct ball *m)
{
    self->hits++;
    if (m->left == 0)
        return;
    const struct ball back = { .from = tr_self(ctx), .left = m->left < 0 ? m->left : m->left - 1 };
    (void)player_ball(ctx, (player_ref){ m->from }, back);
}
TR_ACTOR(player, PLAYER)

static void idler_on_nudge(tr_ctx *ctx, struct idler *self, struct nudge *m)
{
    (void)ctx, (void)self, (void)m;
}
TR_ACTOR(idler, IDLER)

/* Blocks its worker: the numbers stand still while it sits. */
static void sitter_on_sit(tr_ctx *ctx, struct sitter *self, struct nudge *m)
{
    (void)ctx, (void)self, (void)m;
    (void)sem_post(&seated);
    while (sem_wait(&stand_up) != 0)
        ;
}
static void sitter_on_item(tr_ctx *ctx, struct sitter *self, struct nudge *m)
{
    (void)ctx, (void)self, (void)m;
}
TR_ACTOR(sitter, SITTER)

static void casualty_on_fall(tr_ctx *ctx, struct casualty *self, struct nudge *m)
{
    (void)ctx, (void)self, (void)m;
    tr_panic("as it was told to");
}
TR_ACTOR(casualty, CASUALTY)

static void say_nothing(const tr_panic_info *info)
{
    (void)info;
}

struct plan {
    long systems, rally, idle, queued, lost, panics;
};

static void lose_messages(tr_system *system, long lost)
{
    const idler_ref gone = idler_spawn(system, NULL);
    (void)idler_stop(system, gone);
    const tr_status joined = idler_join(system, gone, TR_FOREVER, NULL);
    if (joined != TR_OK && joined != TR_DEAD)
        abort();
    for (long i = 0; i < lost; i++)
        (void)idler_nudge(system, gone, (struct nudge){ 0 });
}

static void make_wait(tr_system *system, long queued)
{
    const sitter_ref sitter = sitter_spawn(system, NULL);
    (void)sitter_sit(system, sitter, (struct nudge){ 0 });
    while (sem_wait(&seated) != 0)
        ;
    for (long i = 0; i < queued; i++)
        (void)sitter_item(system, sitter, (struct nudge){ 0 });
}

static tr_system *start(long number, const struct plan *plan)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "subject %ld", number);
    const tr_config config = { .name = name, .workers = 2 };
    tr_system *system = tr_system_start(&config);
    for (long i = 0; i < plan->idle; i++)
        (void)idler_spawn(system, NULL);
    for (long i = 0; i < plan->panics; i++)
        (void)casualty_fall(system, casualty_spawn(system, NULL), (struct nudge){ 0 });
    if (plan->lost > 0)
        lose_messages(system, plan->lost);
    if (plan->rally != 0) {
        const player_ref one = player_spawn(system, NULL), other = player_spawn(system, NULL);
        (void)player_ball(system, one, (struct ball){ .from = other.pid, .left = plan->rally - 1 });
    }
    if (plan->rally >= 0)
        TR_MUST(tr_system_wait_idle(system, TR_FOREVER));
    if (plan->queued > 0)
        make_wait(system, plan->queued);
    return system;
}

int main(int argc, char **argv)
{
    enum { MAX_SYSTEMS = 8 };
    tr_system *systems[MAX_SYSTEMS];
    struct plan plan = { .systems = 1 };
    for (int option; (option = getopt(argc, argv, "s:r:i:q:l:p:")) != -1;) {
        long *const field = option == 's'   ? &plan.systems
                            : option == 'r' ? &plan.rally
                            : option == 'i' ? &plan.idle
                            : option == 'q' ? &plan.queued
                            : option == 'l' ? &plan.lost
                                            : &plan.panics;
        if (option == '?')
            return 2;
        *field = atol(optarg);
    }
    if (plan.systems < 1 || plan.systems > MAX_SYSTEMS)
        return 2;
    if (sem_init(&seated, 0, 0) != 0 || sem_init(&stand_up, 0, 0) != 0)
        return 1;
    tr_set_panic_hook(say_nothing);
    for (long i = 0; i < plan.systems; i++)
        systems[i] = start(i, &plan);
    (void)puts("ready");
    (void)fflush(stdout);
    while (getchar() != EOF)
        ;
    for (long i = 0; i < plan.systems && plan.queued > 0; i++)
        (void)sem_post(&stand_up);
    for (long i = 0; i < plan.systems; i++)
        TR_MUST(tr_system_stop(systems[i], TR_SECONDS(60)));
    return 0;
}
