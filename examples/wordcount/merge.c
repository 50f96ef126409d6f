/*
 * merge - knows when all is counted, and puts the result together
 *
 *     readers --reader_done--> merge --finish--> counters --top--> merge <--take-- main
 *
 * Owns the best words of all counters, and the reply to main's question whether
 * they are all there. When the last reader is done every chunk is at home, so
 * every word is counted: that is the time to ask the counters.
 */
#include "wordcount.h"

struct merge {
    counter_ref *counters; /* Arc of an array */
    size_t top;            /* how many words are wanted */
    unsigned readers;      /* still reading */
    size_t missing;        /* counters that have not sent theirs */
    struct top result;
    bool is_asked; /* `asked` is kept, and must be answered or dropped */
    merge_finished_reply asked;
};

static void merge_on_reader_done(tr_ctx *ctx, struct merge *self, struct reader_done *m)
{
    (void)m;
    if (--self->readers > 0)
        return;
    const struct finish finish = { .merge = merge_self(ctx), .top = self->top };
    for (size_t i = 0; i < tr_array_len(self->counters); i++)
        must(ctx, counter_finish(ctx, self->counters[i], finish), "merge");
}

static void merge_on_top(tr_ctx *ctx, struct merge *self, struct top *m)
{
    self->result.distinct += m->distinct;
    must(ctx, ranking_merge(&self->result.ranking, &m->ranking), "merge");
    if (--self->missing > 0)
        return;
    ranking_sort(&self->result.ranking);
    if (self->is_asked)
        merge_finished_answer(self->asked, (struct finished){ true });
    self->is_asked = false;
}

static void merge_on_finished(tr_ctx *ctx, struct merge *self, struct is_finished *m,
                              merge_finished_reply reply)
{
    (void)ctx;
    (void)m;
    if (self->missing == 0) {
        merge_finished_answer(reply, (struct finished){ true });
        return;
    }
    if (self->is_asked) /* main has given up waiting for that one */
        merge_finished_drop(self->asked);
    self->asked = merge_finished_keep(reply);
    self->is_asked = true;
}

static void merge_on_take(tr_ctx *ctx, struct merge *self, struct take *m, merge_take_reply reply)
{
    (void)ctx;
    (void)m;
    const struct top result = self->result;
    self->result = (struct top){ .ranking = ranking_of(0) };
    merge_take_answer(reply, result);
}

static void merge_drop(struct merge *self)
{
    if (self->is_asked)
        merge_finished_drop(self->asked);
    top_drop(&self->result);
    tr_drop(self->counters);
}

TR_ACTOR(merge, MERGE, .drop = merge_drop)

tr_status spawn_merge(tr_system *system, counter_ref *counters, unsigned readers, size_t top,
                      merge_ref *ret_merge)
{
    struct merge state = {
        .counters = tr_arc_clone(counters),
        .top = top,
        .readers = readers,
        .missing = tr_array_len(counters),
        .result = { .ranking = ranking_of(top) },
    };
    const tr_status status = merge_try_spawn(system, &state, NULL, ret_merge);
    if (status != TR_OK)
        merge_drop(&state);
    return status;
}
