/*
 * probe - see probe.h
 */
#include "tests/runtime/probe.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* -- gate --------------------------------------------------------------------- */

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0 && errno == EINTR)
        continue;
}

void gate_init(gate *g)
{
    (void)sem_init(&g->entered_, 0, 0);
    (void)sem_init(&g->open_, 0, 0);
}

void gate_fini(gate *g)
{
    (void)sem_destroy(&g->entered_);
    (void)sem_destroy(&g->open_);
}

void gate_enter(gate *g)
{
    (void)sem_post(&g->entered_);
    wait_for(&g->open_);
}

void gate_await(gate *g)
{
    wait_for(&g->entered_);
}

void gate_open(gate *g)
{
    (void)sem_post(&g->open_);
}

/* -- payloads ------------------------------------------------------------------- */

void note_drop(struct note *n)
{
    if (n->tally != NULL)
        tr_fetch_add_relaxed(&n->tally->dropped, 1);
}

void query_drop(struct query *q)
{
    if (q->tally != NULL)
        tr_fetch_add_relaxed(&q->tally->dropped, 1);
}

uint64_t tally_dropped(const tally *t)
{
    return tr_load_acquire(&t->dropped);
}

uint64_t tally_handled(const tally *t)
{
    return tr_load_acquire(&t->handled);
}

/* -- handlers --------------------------------------------------------------------- */

static bool logs_messages(const struct probe *self)
{
    return self->log != NULL && !self->shared;
}

static void enter(const struct probe *self)
{
    if (logs_messages(self) && tr_swap_relaxed(&self->log->inside, true))
        tr_fetch_add_relaxed(&self->log->overlaps, 1);
}

static void leave(const struct probe *self)
{
    if (logs_messages(self))
        tr_store_relaxed(&self->log->inside, false);
}

static void write_down(struct probe *self, const struct note *m)
{
    enter(self);
    self->handled++;
    if (logs_messages(self) && self->log->count < PROBE_NUMBERS)
        self->log->numbers[self->log->count++] = m->number;
    if (m->tally != NULL)
        tr_fetch_add_relaxed(&m->tally->handled, 1);
    leave(self);
}

static void probe_on_note(tr_ctx *ctx, struct probe *self, struct note *m)
{
    (void)ctx;
    write_down(self, m);
}

static void probe_on_take(tr_ctx *ctx, struct probe *self, struct note *m)
{
    (void)ctx;
    write_down(self, m);
    m->tally = NULL;
}

static void probe_on_boom(tr_ctx *ctx, struct probe *self, struct note *m)
{
    (void)ctx;
    write_down(self, m);
    tr_panic("boom %u", (unsigned)m->number);
}

static void probe_on_hold(tr_ctx *ctx, struct probe *self, struct hold *m)
{
    (void)ctx;
    enter(self);
    gate_enter(m->gate);
    leave(self);
}

static void probe_on_quit(tr_ctx *ctx, struct probe *self, struct nothing *m)
{
    (void)self, (void)m;
    tr_stop_self(ctx);
}

static void probe_on_fail(tr_ctx *ctx, struct probe *self, struct failure *m)
{
    (void)self;
    tr_fail(ctx, m->status, "%s", m->text);
}

static void probe_on_run(tr_ctx *ctx, struct probe *self, struct run *m)
{
    (void)self;
    m->f(ctx, m->arg);
}

static void probe_on_count(tr_ctx *ctx, struct probe *self, struct nothing *m, probe_count_reply reply)
{
    (void)ctx, (void)m;
    probe_count_answer(reply, (struct count){ .n = self->handled });
}

static void probe_on_query(tr_ctx *ctx, struct probe *self, struct query *m, probe_query_reply reply)
{
    if (m->f == answer_kept_in_state) {
        self->kept = probe_query_keep(reply);
        self->has_kept = true;
    } else {
        m->f(ctx, reply, m->arg);
    }
}

static void start_hook(tr_ctx *ctx, struct probe *self)
{
    if (self->log == NULL)
        return;
    tr_fetch_add_relaxed(&self->log->starts, 1);
    if (self->log->on_start != NULL)
        self->log->on_start(ctx, self->log->arg);
}

static void stop_hook(tr_ctx *ctx, struct probe *self, const tr_exit *why)
{
    if (self->log == NULL)
        return;
    if (!self->shared)
        self->log->why = *why;
    tr_fetch_add_relaxed(&self->log->stops, 1);
    if (self->log->on_stop != NULL)
        self->log->on_stop(ctx, self->log->arg);
}

static void drop_state(struct probe *self)
{
    if (self->has_kept)
        probe_query_drop(self->kept);
    if (self->log != NULL)
        tr_fetch_add_relaxed(&self->log->drops, 1);
}

TR_ACTOR(probe, PROBE, .start = start_hook, .stop = stop_hook, .drop = drop_state)

/* -- answers ------------------------------------------------------------------------- */

void answer_with(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx;
    probe_query_answer(reply, *(struct note *)arg);
}

void answer_not(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx, (void)reply, (void)arg;
}

void answer_kept_in(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx;
    *(probe_query_reply *)arg = probe_query_keep(reply);
}

void answer_kept_in_state(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx, (void)reply, (void)arg; /* done by the handler, which has the state */
}

void answer_panic(tr_ctx *ctx, probe_query_reply reply, void *arg)
{
    (void)ctx, (void)reply, (void)arg;
    tr_panic("no answer");
}

/* -- systems --------------------------------------------------------------------------- */

tr_system *start_system(unsigned workers)
{
    const tr_config config = { .name = "test", .workers = workers, .no_stats_socket = true };
    return tr_system_start(&config);
}

void stop_system(tr_system *system)
{
    assert_int_equal(tr_system_stop(system, PATIENCE), TR_OK);
}

void wait_idle(tr_system *system)
{
    assert_int_equal(tr_system_wait_idle(system, PATIENCE), TR_OK);
}

probe_ref spawn_probe(tr_from from, struct probe_log *log)
{
    return probe_spawn(from, &(struct probe){ .log = log });
}

probe_ref spawn_bounded(tr_from from, uint32_t messages, uint32_t bytes)
{
    const tr_spawn_options options = { .mailbox_messages = messages, .mailbox_bytes = bytes };
    probe_ref ref = { TR_PID_NONE };
    TR_MUST(probe_try_spawn(from, NULL, &options, &ref));
    return ref;
}

probe_ref dead_probe(tr_system *system)
{
    const probe_ref ref = spawn_probe(system, NULL);
    assert_int_equal(probe_stop(system, ref), TR_OK);
    await_end(system, ref);
    return ref;
}

uint64_t count_of(tr_system *system, probe_ref ref)
{
    struct count answer = { 0 };
    assert_int_equal(probe_count_wait(system, ref, (struct nothing){}, PATIENCE, &answer), TR_OK);
    return answer.n;
}

void await_end(tr_system *system, probe_ref ref)
{
    const tr_status joined = probe_join(system, ref, PATIENCE, NULL);
    assert_true(joined == TR_OK || joined == TR_DEAD);
}

/* -- joiners ------------------------------------------------------------------------------- */

static void join_in_thread(unsigned index, void *arg)
{
    (void)index;
    struct joiner *joiner = arg;
    tr_store_release(&joiner->tid_, (int)syscall(SYS_gettid));
    joiner->status = tr_join(joiner->system, joiner->pid, PATIENCE, &joiner->why);
}

static bool is_asleep(int tid)
{
    char path[64], line[256] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    const char *read = fgets(line, sizeof(line), file);
    (void)fclose(file);
    const char *end = read != NULL ? strrchr(line, ')') : NULL;
    return end != NULL && end[1] == ' ' && end[2] == 'S';
}

/* Asleep several times in a row: a moment in some lock on the way is no wait. */
void start_joining(struct joiner *joiner, tr_system *system, tr_pid pid)
{
    joiner->system = system;
    joiner->pid = pid;
    joiner->why = (tr_exit){ .reason = TR_EXIT_NORMAL };
    tr_store_relaxed(&joiner->tid_, 0);
    test_threads_start(&joiner->thread_, 1, join_in_thread, joiner);
    while (tr_load_acquire(&joiner->tid_) == 0)
        (void)sched_yield();
    for (unsigned asleep = 0; asleep < 10; (void)sched_yield())
        asleep = is_asleep(tr_load_relaxed(&joiner->tid_)) ? asleep + 1 : 0;
}

tr_status finish_joining(struct joiner *joiner)
{
    test_threads_join(&joiner->thread_);
    return joiner->status;
}

static void print_nothing(const tr_panic_info *info)
{
    (void)info;
}

void quiet_panics(void)
{
    tr_set_panic_hook(print_nothing);
}
