/*
 * ask - a thread outside of the system asks an actor, 100,000 times
 *
 *   this thread --question--> adder
 *        sleeps <--answer----
 *
 * The thread sleeps until its answer is there, so a request is two wake-ups.
 */
#include "stage.h"

struct number {
    uint64_t n;
};

#define ADDER(P, TELL, ASK) ASK (P, add, struct number, struct number)
TR_PROTOCOL(adder, ADDER)

struct adder {
    uint64_t sum;
};

static void adder_on_add(tr_ctx *ctx, struct adder *self, struct number *m, adder_add_reply reply)
{
    (void)ctx;
    self->sum += m->n;
    adder_add_answer(reply, (struct number){ self->sum });
}
TR_ACTOR(adder, ADDER)

static void run(const bench_options *options, bench_result *result)
{
    const uint64_t requests = bench_scaled(options, 100000);
    uint64_t answers = 0, sum = 0;
    struct number answer = { 0 };
    stage s;
    stage_open(&s, options, "ask", 0);
    const adder_ref adder = adder_spawn(s.system, NULL);

    stage_start(&s);
    for (uint64_t i = 0; i < requests; i++) {
        TR_MUST(adder_add_wait(s.system, adder, (struct number){ i }, TR_FOREVER, &answer));
        sum += i;
        answers += answer.n == sum;
    }
    stage_stop(&s, result);
    (void)stage_close(&s, result);
    result->ops = requests;
    bench_expect(result, "right answers", requests, answers);
    bench_expect(result, "sum", bench_sum_below(requests), answer.n);
}

const bench_workload bench_ask = {
    .name = "ask",
    .op = "request",
    .summary = "a thread outside asks an actor and waits, 100,000 times",
    .run = run,
};
