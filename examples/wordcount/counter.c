/*
 * counter - counts its share of the words
 *
 *     tokenisers --count--> counter --home--> the chunk's reader
 *                           counter --top--> merge
 *
 * Owns a table from words to counts. Which words are its own the tokenisers decide
 * by their hash, so no two counters meet the same word. The last counter to be done
 * with a chunk sends it home.
 */
#include "chunk.h"
#include "table.h"
#include "wordcount.h"

struct counter {
    struct table table;
    struct tally *tally; /* Arc */
};

static void counter_start(tr_ctx *ctx, struct counter *self)
{
    must(ctx, table_init(&self->table), "counter");
}

static void counter_on_count(tr_ctx *ctx, struct counter *self, struct count *m)
{
    const struct chunk *chunk = m->chunk;
    tr_status status = TR_OK;
    uint64_t words = 0;
    for (uint32_t i = m->first; i != NO_SLICE && status == TR_OK; i = chunk->slices[i].next) {
        const struct slice *slice = &chunk->slices[i];
        status = table_add(&self->table, chunk->text + slice->offset, slice->length, slice->hash,
                           slice->count);
        words += slice->count;
    }
    must(ctx, status, "counter");
    /* relaxed: see tally.h */
    tr_fetch_add_relaxed(&self->tally->words, words);

    struct home home = { .chunk = tr_arc_into_box(m->chunk) };
    if (home.chunk != NULL)
        must(ctx, reader_home(ctx, home.chunk->home, home), "counter");
}

static void counter_on_finish(tr_ctx *ctx, struct counter *self, struct finish *m)
{
    struct top top = { .ranking = ranking_of(m->top), .distinct = table_count(&self->table) };
    must(ctx, table_rank(&self->table, &top.ranking), "counter");
    ranking_sort(&top.ranking);
    must(ctx, merge_top(ctx, m->merge, top), "counter");
}

static void counter_drop(struct counter *self)
{
    table_fini(&self->table);
    tr_drop(self->tally);
}

TR_ACTOR(counter, COUNTER, .start = counter_start, .drop = counter_drop)

tr_status spawn_counter(tr_system *system, struct tally *tally, counter_ref *ret_counter)
{
    struct counter state = { .tally = tr_arc_clone(tally) };
    const tr_status status = counter_try_spawn(system, &state, NULL, ret_counter);
    if (status != TR_OK)
        counter_drop(&state);
    return status;
}
