#!/usr/bin/env python3
"""What protocol.h promises not to compile does not compile.

    test_protocol_refused.py INCLUDE_DIRECTORY COMPILER [ARGUMENT ...]

Each case is the counter of protocol.h with one change, and a text that the
compiler's message must hold, so that it fails for the right reason.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import refused

COUNTER = """
#include <troupe/troupe.h>
struct add { uint64_t by; };
struct read {};
struct total { uint64_t n; };
struct chunk { char *bytes; };
static void chunk_drop(struct chunk *c) { (void)c; }
static void total_drop(struct total *t) { (void)t; }
#define COUNTER(P, TELL, ASK) \\
    TELL(P, add, struct add) \\
    TELL(P, chunk, struct chunk, .drop = chunk_drop) \\
    ASK(P, read, struct read, struct total, .answer_drop = total_drop)
TR_PROTOCOL(counter, COUNTER)
struct counter { uint64_t n; };
static void counter_on_add(tr_ctx *ctx, struct counter *self, struct add *m)
{ (void)ctx; self->n += m->by; }
static void counter_on_chunk(tr_ctx *ctx, struct counter *self, struct chunk *m)
{ (void)ctx; (void)self; (void)m; }
static void counter_on_read(tr_ctx *ctx, struct counter *self, struct read *m, counter_read_reply r)
{ (void)ctx; (void)m; counter_read_answer(r, (struct total){ self->n }); }
static void counter_start(tr_ctx *ctx, struct counter *self) { (void)ctx; (void)self; }
static void counter_end(tr_ctx *ctx, struct counter *self, const tr_exit *why)
{ (void)ctx; (void)self; (void)why; }
static void counter_drop(struct counter *self) { (void)self; }
TR_ACTOR(counter, COUNTER, .start = counter_start, .stop = counter_end, .drop = counter_drop)
void use(tr_system *system, counter_ref c);
void use(tr_system *system, counter_ref c)
{
    struct total t;
    struct add kept = { 1 };
    counter_add(system, c, (struct add){ 2 });
    if (counter_try_add(system, c, &kept) != TR_OK)
        return;
    if (counter_read_wait(system, c, (struct read){}, TR_SECONDS(1), &t) != TR_OK)
        return;
}
"""

# what changes, into what, and what the compiler must speak of
REFUSED = {
    "a message of another type": ("(struct add){ 2 }", "(struct total){ 2 }", "counter_add"),
    "a kept message of another type": ("struct add kept", "struct total kept", "counter_try_add"),
    "an answer of another type": ("struct total t;", "struct add t;", "counter_read_wait"),
    "an answer of another type in the handler": ("(struct total){ self->n }",
                                                 "(struct add){ self->n }", "counter_read_answer"),
    "an ignored status of a try": ("if (counter_try_add(system, c, &kept) != TR_OK)\n        return;",
                                   "counter_try_add(system, c, &kept);", "unused"),
    "another actor's reference": ("use(tr_system *system, counter_ref c)\n{",
                                  "use(tr_system *system, counter_ref c)\n{ tr_pid p = c; (void)p;", "initializ"),
    "a missing handler": ("counter_on_add(tr_ctx", "counter_on_another(tr_ctx", "counter_on_add"),
    "a handler with the wrong message": ("struct counter *self, struct chunk *m)",
                                         "struct counter *self, struct add *m)",
                                         "void (tr_ctx *, struct counter *, struct chunk *)"),
    "an ask's handler without a reply": ("struct read *m, counter_read_reply r)",
                                         "struct read *m)", "counter_on_read must be void"),
    "a handler that returns something": ("static void counter_on_add", "static int counter_on_add",
                                         "counter_on_add must be void"),
    "a drop for another type": (".drop = chunk_drop", ".drop = total_drop", "incompatible"),
    "an answer's drop for another type": (".answer_drop = total_drop", ".answer_drop = chunk_drop", "incompatible"),
    "a start hook for another state": ("counter_start(tr_ctx *ctx, struct counter *self)",
                                       "counter_start(tr_ctx *ctx, struct add *self)", "incompatible"),
    "a drop for another state": ("counter_drop(struct counter *self)", "counter_drop(struct add *self)",
                                 "incompatible"),
}


if __name__ == "__main__":
    sys.exit(refused.run(COUNTER, REFUSED))
