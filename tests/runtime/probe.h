/*
 * probe - the actor that most tests of the runtime send things to
 *
 *   test --note, hold, boom, run ...--> probe --writes--> struct probe_log
 *
 * A probe does what its message says, and what happened to it stands in a log
 * that the test owns. `run` and `query` carry a function: whatever a handler
 * can do, a test can have done in one.
 *
 * Threads  a log's numbers[] is plain memory on purpose: one handler runs at a
 *          time and sees what the one before did, so that ThreadSanitizer
 *          checks it. Read it after a join, an ask or tr_system_wait_idle.
 */
#ifndef TROUPE_TESTS_RUNTIME_PROBE_H
#define TROUPE_TESTS_RUNTIME_PROBE_H

#include "tests/support/test.h"

#include <semaphore.h>

#include <troupe/troupe.h>

#define PATIENCE TR_SECONDS(60) /* for what must come: a test that waits longer has failed */

/* The type of a message, for the untyped calls. */
#define MESSAGE(P, m) (&P##_message_##m##_.type)

/* -- a gate: a handler stands in it until the test lets it go on ------------ */

typedef struct gate {
    sem_t entered_;
    sem_t open_;
} gate;

void gate_init(gate *g);
void gate_fini(gate *g);
void gate_enter(gate *g); /* the handler: announce, and wait for one gate_open */
void gate_await(gate *g); /* the test: until a handler has entered */
void gate_open(gate *g);  /* the test: let one handler go on */

/* -- payloads whose drops are counted ------------------------------------------ */

typedef struct tally {
    TR_ATOMIC(uint64_t) dropped;
    TR_ATOMIC(uint64_t) handled;
} tally;

struct note {
    tally *tally; /* NULL: moved out, nobody counts */
    uint64_t number;
};

void note_drop(struct note *n);
uint64_t tally_dropped(const tally *t);
uint64_t tally_handled(const tally *t);

/* -- the probe ------------------------------------------------------------------- */

#define PROBE_NUMBERS 2048

struct probe_log {
    TR_ATOMIC(unsigned) starts;
    TR_ATOMIC(unsigned) stops;
    TR_ATOMIC(unsigned) drops;
    TR_ATOMIC(unsigned) overlaps; /* handlers that met another of the same actor */
    TR_ATOMIC(bool) inside;
    tr_exit why; /* what the stop hook was told */
    /* Owned by the actor: see above. */
    size_t count;
    uint64_t numbers[PROBE_NUMBERS];
    void (*on_start)(tr_ctx *ctx, void *arg); /* run by the hooks, may be NULL */
    void (*on_stop)(tr_ctx *ctx, void *arg);
    void *arg;
};

struct nothing {};

struct hold {
    gate *gate;
};

struct failure {
    tr_status status;
    const char *text;
};

struct run {
    void (*f)(tr_ctx *ctx, void *arg);
    void *arg;
};

struct count {
    uint64_t n;
};

struct probe_query_reply; /* made by TR_PROTOCOL below */

/* A question that says itself how it is to be answered. */
struct query {
    void (*f)(tr_ctx *ctx, struct probe_query_reply reply, void *arg);
    void *arg;
    tally *tally;
};

void query_drop(struct query *q);

#define PROBE(P, TELL, ASK)                                                                        \
    TELL(P, note, struct note, .drop = note_drop)                                                  \
    TELL(P, take, struct note, .drop = note_drop) /* moves it out */                               \
    TELL(P, boom, struct note, .drop = note_drop) /* panics */                                     \
    TELL(P, hold, struct hold)                                                                     \
    TELL(P, quit, struct nothing)                                                                  \
    TELL(P, fail, struct failure)                                                                  \
    TELL(P, run, struct run)                                                                       \
    ASK(P, count, struct nothing, struct count)                                                    \
    ASK(P, query, struct query, struct note, .drop = query_drop, .answer_drop = note_drop)

TR_PROTOCOL(probe, PROBE)

struct probe {
    struct probe_log *log; /* NULL: nothing is logged */
    bool shared;           /* several actors write to it: hooks and drops only */
    uint64_t handled;
    probe_query_reply kept; /* dropped with the state when has_kept */
    bool has_kept;
};

/* Ways to answer a query: arg is an answer (struct note *), or what it says. */
void answer_with(tr_ctx *ctx, probe_query_reply reply, void *arg);
void answer_not(tr_ctx *ctx, probe_query_reply reply, void *arg);
void answer_kept_in(tr_ctx *ctx, probe_query_reply reply, void *arg); /* *(probe_query_reply *)arg */
void answer_kept_in_state(tr_ctx *ctx, probe_query_reply reply, void *arg);
void answer_panic(tr_ctx *ctx, probe_query_reply reply, void *arg);

/* -- systems ------------------------------------------------------------------------ */

tr_system *start_system(unsigned workers);
void stop_system(tr_system *system);
void wait_idle(tr_system *system);

/* A probe that writes to `log` (zeroed by the caller; may be NULL). */
probe_ref spawn_probe(tr_from from, struct probe_log *log);
probe_ref spawn_bounded(tr_from from, uint32_t messages, uint32_t bytes);
/* A pid that is dead: its actor has ended. */
probe_ref dead_probe(tr_system *system);
uint64_t count_of(tr_system *system, probe_ref ref);
/* Until it has ended: how, only who waited before is told. */
void await_end(tr_system *system, probe_ref ref);

/* -- a thread that joins -------------------------------------------------------------- */

struct joiner {
    tr_system *system;
    tr_pid pid;
    tr_status status; /* what tr_join gave */
    tr_exit why;
    TR_ATOMIC(int) tid_;
    test_threads thread_;
};

/* Gives when the thread sleeps in tr_join (the actor must live until then). */
void start_joining(struct joiner *joiner, tr_system *system, tr_pid pid);
tr_status finish_joining(struct joiner *joiner);

/* Panics are expected here: print none. */
void quiet_panics(void);

#endif
