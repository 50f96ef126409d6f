/*
 * test_ask_kept - replies that outlive their handler: answered later, elsewhere,
 * by others, or never
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* An asker on a thread of its own; the test decides what becomes of the reply. */
struct asker {
    tr_system *system;
    probe_ref to;
    struct query query;
    uint64_t timeout;
    struct note answer;
    tr_status status;
    test_threads thread;
};

static void ask_in_thread(unsigned index, void *arg)
{
    (void)index;
    struct asker *a = arg;
    a->status = probe_query_wait(a->system, a->to, a->query, a->timeout, &a->answer);
}

static void start_asking(struct asker *a)
{
    a->answer = (struct note){ .number = 99 };
    test_threads_start(&a->thread, 1, ask_in_thread, a);
}

static tr_status finish_asking(struct asker *a)
{
    test_threads_join(&a->thread);
    return a->status;
}

/* The reply of a question that its actor kept, handed to the test. */
struct keeper {
    probe_query_reply reply;
    sem_t kept;
};

static void keep_for_test(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx;
    struct keeper *keeper = arg;
    keeper->reply = probe_query_keep(reply);
    (void)sem_post(&keeper->kept);
}

static void await_kept(struct keeper *keeper)
{
    while (sem_wait(&keeper->kept) != 0)
        continue;
}

static void keeper_init(struct keeper *keeper)
{
    (void)sem_init(&keeper->kept, 0, 0);
}

static void keeper_fini(struct keeper *keeper)
{
    (void)sem_destroy(&keeper->kept);
}

/* -- answered ------------------------------------------------------------------------- */

static void test_ask_kept_reply_answered_by_a_thread_after_the_handler(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    tally asked = { 0 }, answered = { 0 };
    struct keeper keeper;
    keeper_init(&keeper);
    for (uint64_t i = 0; i < 50; i++) {
        struct asker a = { .system = system, .to = spawn_probe(system, NULL), .timeout = PATIENCE,
                           .query = { keep_for_test, &keeper, &asked } };
        start_asking(&a);
        await_kept(&keeper);
        assert_int_equal(count_of(system, a.to), 0); /* its handler has returned */
        if (i % 2 == 0)
            assert_int_equal(probe_stop(system, a.to), TR_OK); /* not the actor's matter any more */
        probe_query_answer(keeper.reply, (struct note){ .tally = &answered, .number = i });
        assert_int_equal(finish_asking(&a), TR_OK);
        assert_int_equal(a.answer.number, i);
    }
    stop_system(system);
    assert_int_equal(tally_dropped(&asked), 50);
    assert_int_equal(tally_dropped(&answered), 0);
    keeper_fini(&keeper);
}

/* The reply travels in a message to another actor, which answers. */
struct forward {
    probe_query_reply reply;
    bool full; /* dropped with the message unless the handler has taken it */
};
static void forward_drop(struct forward *f)
{
    if (f->full)
        probe_query_drop(f->reply);
}
struct clerk {
    uint64_t served;
};
#define CLERK(P, TELL, ASK)                                                                        \
    TELL(P, serve, struct forward, .drop = forward_drop)                                           \
    TELL(P, ignore, struct forward, .drop = forward_drop)                                          \
    TELL(P, quit, struct nothing)
TR_PROTOCOL(clerk, CLERK)
static void clerk_on_serve(tr_ctx *ctx, struct clerk *self, struct forward *m)
{
    (void)ctx;
    m->full = false;
    probe_query_answer(m->reply, (struct note){ .number = ++self->served });
}
static void clerk_on_ignore(tr_ctx *ctx, struct clerk *self, struct forward *m)
{
    (void)ctx, (void)self, (void)m; /* left in the message */
}
static void clerk_on_quit(tr_ctx *ctx, struct clerk *self, struct nothing *m)
{
    (void)self, (void)m;
    tr_stop_self(ctx);
}
TR_ACTOR(clerk, CLERK)

static void forward_to_serve(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)clerk_serve(ctx, *(clerk_ref *)arg, (struct forward){ probe_query_keep(reply), true });
}
static void forward_to_ignore(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)clerk_ignore(ctx, *(clerk_ref *)arg, (struct forward){ probe_query_keep(reply), true });
}

static void test_ask_kept_reply_answered_by_another_actor(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref front = spawn_probe(system, NULL);
    clerk_ref clerk = clerk_spawn(system, NULL);
    struct note answer;
    for (uint64_t i = 1; i <= 200; i++) {
        const struct query query = { forward_to_serve, &clerk, NULL };
        assert_int_equal(probe_query_wait(system, front, query, PATIENCE, &answer), TR_OK);
        assert_int_equal(answer.number, i);
    }
    stop_system(system);
}

/* -- given up --------------------------------------------------------------------------- */

static void test_ask_kept_reply_left_in_a_message_is_broken(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    const probe_ref front = spawn_probe(system, NULL);
    clerk_ref clerk = clerk_spawn(system, NULL);
    struct note answer = { .number = 99 };
    const struct query ignored = { forward_to_ignore, &clerk, NULL };
    assert_int_equal(probe_query_wait(system, front, ignored, TR_FOREVER, &answer), TR_BROKEN);
    assert_int_equal(clerk_quit(system, clerk, (struct nothing){}), TR_OK);
    wait_idle(system);
    const struct query undeliverable = { forward_to_serve, &clerk, NULL };
    assert_int_equal(probe_query_wait(system, front, undeliverable, TR_FOREVER, &answer), TR_BROKEN);
    assert_int_equal(answer.number, 99);
    stop_system(system);
}

static void test_ask_kept_reply_dropped_is_broken(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct keeper keeper;
    keeper_init(&keeper);
    struct asker a = { .system = system, .to = spawn_probe(system, NULL), .timeout = TR_FOREVER,
                       .query = { keep_for_test, &keeper, NULL } };
    start_asking(&a);
    await_kept(&keeper);
    probe_query_drop(keeper.reply);
    assert_int_equal(finish_asking(&a), TR_BROKEN);
    assert_int_equal(a.answer.number, 99);
    stop_system(system);
    keeper_fini(&keeper);
}

/* The state's destructor drops what it kept, however the actor ends. */
static void assert_state_gives_up(tr_status (*end)(tr_system *, probe_ref))
{
    tr_system *system = start_system(2);
    struct asker a = { .system = system, .to = spawn_probe(system, NULL), .timeout = TR_FOREVER,
                       .query = { answer_kept_in_state, NULL, NULL } };
    start_asking(&a);
    tr_system_stats stats;
    do
        tr_system_get_stats(system, &stats);
    while (stats.messages < 1);
    assert_int_equal(end(system, a.to), TR_OK);
    assert_int_equal(finish_asking(&a), TR_BROKEN);
    assert_int_equal(a.answer.number, 99);
    stop_system(system);
}

static tr_status end_by_stop(tr_system *system, probe_ref ref)
{
    return probe_stop(system, ref);
}
static tr_status end_by_panic(tr_system *system, probe_ref ref)
{
    return probe_boom(system, ref, (struct note){ 0 });
}

static void test_ask_kept_reply_of_a_state_whose_actor_ends_is_broken(void **state)
{
    (void)state;
    quiet_panics();
    assert_state_gives_up(end_by_stop);
    assert_state_gives_up(end_by_panic);
}

/* -- too late ------------------------------------------------------------------------------ */

static void test_ask_kept_answer_after_the_timeout_is_dropped_once(void **state)
{
    (void)state;
    tr_system *system = start_system(2);
    struct keeper keeper;
    keeper_init(&keeper);
    tally asked = { 0 }, answered = { 0 };
    for (unsigned i = 0; i < 20; i++) {
        const probe_ref ref = spawn_probe(system, NULL);
        struct note answer = { .number = 99 };
        const struct query query = { keep_for_test, &keeper, &asked };
        assert_int_equal(probe_query_wait(system, ref, query, TR_MILLISECONDS(1), &answer), TR_TIMEOUT);
        await_kept(&keeper);
        if (i % 2 == 0)
            probe_query_answer(keeper.reply, (struct note){ .tally = &answered });
        else
            probe_query_drop(keeper.reply);
        assert_int_equal(answer.number, 99);
    }
    wait_idle(system);
    assert_int_equal(tally_dropped(&asked), 20);
    assert_int_equal(tally_dropped(&answered), 10);
    stop_system(system);
    keeper_fini(&keeper);
}

/* A kept reply may outlive its system's stop of the actor that kept it, as long
 * as it is used before the system is gone. */
static void test_ask_kept_reply_of_an_actor_that_panicked_can_be_answered(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct keeper keeper;
    keeper_init(&keeper);
    struct asker a = { .system = system, .to = spawn_probe(system, NULL), .timeout = PATIENCE,
                       .query = { keep_for_test, &keeper, NULL } };
    start_asking(&a);
    await_kept(&keeper);
    assert_int_equal(probe_boom(system, a.to, (struct note){ 0 }), TR_OK);
    wait_idle(system);
    probe_query_answer(keeper.reply, (struct note){ .number = 12 });
    assert_int_equal(finish_asking(&a), TR_OK);
    assert_int_equal(a.answer.number, 12);
    stop_system(system);
    keeper_fini(&keeper);
}

/* -- misuse ---------------------------------------------------------------------------------- */

static void keep_it(void *arg)
{
    (void)probe_query_keep(*(probe_query_reply *)arg);
}

struct misuse {
    tr_panic_info info;
    tr_status caught;
};

/* "The handler's own copy is used up." */
static void keep_twice(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx;
    struct misuse *misuse = arg;
    const probe_query_reply kept = probe_query_keep(reply);
    misuse->caught = tr_catch(keep_it, &reply, &misuse->info);
    probe_query_answer(kept, (struct note){ .number = 1 });
}

static void test_ask_kept_reply_kept_twice_panics(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    struct misuse misuse = { .caught = TR_OK };
    struct note answer;
    const struct query query = { keep_twice, &misuse, NULL };
    assert_int_equal(probe_query_wait(system, ref, query, PATIENCE, &answer), TR_OK);
    wait_idle(system);
    assert_int_equal(answer.number, 1);
    assert_int_equal(misuse.caught, TR_PANICKED);
    assert_true(strlen(misuse.info.message) > 0);
    stop_system(system);
}

/* Kept outside of its handler: there is nothing to keep any more. */
static void test_ask_reply_kept_by_an_outside_thread_panics(void **state)
{
    (void)state;
    quiet_panics();
    tr_system *system = start_system(2);
    struct keeper keeper;
    keeper_init(&keeper);
    struct asker a = { .system = system, .to = spawn_probe(system, NULL), .timeout = PATIENCE,
                       .query = { keep_for_test, &keeper, NULL } };
    start_asking(&a);
    await_kept(&keeper);
    assert_int_equal(tr_catch(keep_it, &keeper.reply, NULL), TR_PANICKED);
    probe_query_answer(keeper.reply, (struct note){ .number = 3 });
    assert_int_equal(finish_asking(&a), TR_OK);
    assert_int_equal(a.answer.number, 3);
    stop_system(system);
    keeper_fini(&keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ask_kept_reply_answered_by_a_thread_after_the_handler),
        TEST(test_ask_kept_reply_answered_by_another_actor),
        TEST(test_ask_kept_reply_left_in_a_message_is_broken),
        TEST(test_ask_kept_reply_dropped_is_broken),
        TEST(test_ask_kept_reply_of_a_state_whose_actor_ends_is_broken),
        TEST(test_ask_kept_answer_after_the_timeout_is_dropped_once),
        TEST(test_ask_kept_reply_of_an_actor_that_panicked_can_be_answered),
        TEST(test_ask_kept_reply_kept_twice_panics),
        TEST(test_ask_reply_kept_by_an_outside_thread_panics),
    };
    return TEST_RUN(tests);
}
