/*
 * tokeniser - finds the words of a chunk
 *
 *     "The cat, the "  -->  "the\0cat\0\0the\0"  -->  counter 0: cat 1
 *                                                        counter 1: the 2
 *
 * Owns the chunk in hand, alone until it shares it. It folds the text in place and
 * notes each word as a slice in the chunk: a word met again in the same chunk is
 * counted in its slice, most of the time, which saves the counters four looks in
 * five. Then every counter that got words gets a share of the chunk, and the
 * tokeniser gives up its own: if it is the last, for want of words or because the
 * counters were quick, the chunk goes home from here.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string.h>

#include "chunk.h"
#include "wordcount.h"

/* Where the words met last in this chunk have their slices: by hash, so that one
 * look finds most of the repeated ones. */
enum { RECENT = 4096 };

struct tokeniser {
    counter_ref *counters; /* Arc of an array */
    uint32_t *lists;       /* Box of an array: for each counter, the head of its list */
    uint32_t recent[RECENT];
    uint32_t used; /* slices of this chunk */
};

/*
 * Letters to lower case, everything else to 0. In blocks of a fixed size, which
 * the compiler turns into vectors; the text has room for the last one.
 */
static void fold(struct chunk *chunk)
{
    for (size_t i = 0; i <= chunk->length; i += FOLD_BLOCK) {
        char *block = chunk->text + i;
        for (size_t j = 0; j < FOLD_BLOCK; j++)
            block[j] = is_letter(block[j]) ? (char)(block[j] | 0x20) : 0;
    }
}

static bool is_slice_of(const struct slice *slice, const struct chunk *chunk, const char *word,
                        size_t length, uint32_t hash)
{
    return slice->hash == hash && slice->length == length &&
           memcmp(chunk->text + slice->offset, word, length) == 0;
}

/* Count a word in its slice, or in a new one at the head of its counter's list. */
static void note(struct tokeniser *self, size_t counters, struct chunk *chunk, const char *word,
                 size_t length)
{
    const uint32_t hash = (uint32_t)XXH3_64bits(word, length);
    uint32_t *recent = &self->recent[hash % RECENT];
    if (*recent < self->used && is_slice_of(&chunk->slices[*recent], chunk, word, length, hash)) {
        chunk->slices[*recent].count++;
        return;
    }
    /* The high bits choose the counter, the low ones the place in its table. */
    const size_t counter = (size_t)(((uint64_t)hash * counters) >> 32);
    *recent = self->used++;
    chunk->slices[*recent] = (struct slice){
        .hash = hash,
        .offset = (uint32_t)(word - chunk->text),
        .length = (uint32_t)length,
        .count = 1,
        .next = self->lists[counter],
    };
    self->lists[counter] = *recent;
}

static void split(struct tokeniser *self, size_t counters, struct chunk *chunk)
{
    memset(chunk->text + chunk->length, 0, FOLD_BLOCK);
    fold(chunk);
    self->used = 0; /* so nothing recent is in this chunk */
    const char *const end = chunk->text + chunk->length;
    for (const char *at = chunk->text; at < end; at++) {
        const char *const begin = at;
        while (*at != 0)
            at++;
        if (at > begin)
            note(self, counters, chunk, begin, (size_t)(at - begin));
    }
}

static void tokeniser_on_split(tr_ctx *ctx, struct tokeniser *self, struct split *m)
{
    const size_t counters = tr_array_len(self->counters);
    for (size_t i = 0; i < counters; i++)
        self->lists[i] = NO_SLICE;

    split(self, counters, tr_arc_get_mut(m->chunk));

    for (size_t i = 0; i < counters; i++) {
        if (self->lists[i] == NO_SLICE)
            continue;
        struct count count = { .chunk = tr_arc_clone(m->chunk), .first = self->lists[i] };
        must(ctx, counter_count(ctx, self->counters[i], count), "tokeniser");
    }
    struct chunk *last = tr_arc_into_box(m->chunk);
    if (last != NULL)
        must(ctx, reader_home(ctx, last->home, (struct home){ last }), "tokeniser");
}

static void tokeniser_drop(struct tokeniser *self)
{
    tr_drop(self->counters);
    tr_drop(self->lists);
}

TR_ACTOR(tokeniser, TOKENISER, .drop = tokeniser_drop)

tr_status spawn_tokeniser(tr_system *system, counter_ref *counters, tokeniser_ref *ret_tokeniser)
{
    struct tokeniser state = {
        .counters = tr_arc_clone(counters),
        .lists = tr_box_array(uint32_t, tr_array_len(counters)),
    };
    tr_status status = TR_NOMEM;
    if (state.lists != NULL)
        status = tokeniser_try_spawn(system, &state, NULL, ret_tokeniser);
    if (status != TR_OK)
        tokeniser_drop(&state);
    return status;
}
