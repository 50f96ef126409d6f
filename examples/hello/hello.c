#include <stdio.h>
#include <troupe/troupe.h>

/* What a greeter understands: a name to greet, and the question how many it met. */
struct greet { const char *name; };
struct count {};
struct met   { unsigned n; };

#define GREETER(P, TELL, ASK)       \
    TELL(P, greet, struct greet)    \
    ASK (P, count, struct count, struct met)
TR_PROTOCOL(greeter, GREETER)

struct greeter { unsigned met; }; /* its state: nobody else touches it */

static void greeter_on_greet(tr_ctx *ctx, struct greeter *self, struct greet *m)
{
    printf("Hello, %s!\n", m->name);
    self->met++;
    (void)ctx;
}

static void greeter_on_count(tr_ctx *ctx, struct greeter *self, struct count *m, greeter_count_reply to)
{
    greeter_count_answer(to, (struct met){ self->met });
    (void)ctx, (void)m;
}

TR_ACTOR(greeter, GREETER)

int main(void)
{
    tr_system *sys = tr_system_start(NULL);
    greeter_ref greeter = greeter_spawn(sys, NULL);

    greeter_greet(sys, greeter, (struct greet){ "world" });
    greeter_greet(sys, greeter, (struct greet){ "actors" });

    struct met answer;
    TR_MUST(greeter_count_wait(sys, greeter, (struct count){}, TR_SECONDS(1), &answer));
    printf("The greeter met %u.\n", answer.n);
    TR_MUST(tr_system_stop(sys, TR_SECONDS(1)));
}
