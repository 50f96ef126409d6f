/*
 * reader - reads files into chunks
 *
 *     walker --file--> | reader: fill, cut at a word border | --split--> tokeniser
 *                        ^                                                  |
 *                        '----------------------- home ---------------------'
 *
 * Owns the open file, the chunk in hand and the chunks that are at home. One turn
 * fills at most one chunk; then the reader tells itself to go on, so that the
 * others on its worker get their turn too.
 *
 * Where to cut is the chunk's business (chunk.c). The letters behind the cut begin
 * the next chunk, so a reader with a full chunk needs a second one; if none is
 * at home it waits: one will come.
 *
 * Edges: a read blocks its worker, as reads of files do; what a fifo would do to
 * it is the reason why only files, and standard input, are read.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chunk.h"
#include "console.h"
#include "wordcount.h"

struct reader {
    walker_ref walker;
    merge_ref merge;
    tokeniser_ref *tokenisers; /* Arc of an array, used in turn */
    size_t next_tokeniser;
    struct tally *tally; /* Arc */

    unsigned credit;       /* chunks that may still be made */
    unsigned away;         /* chunks in the pipeline */
    struct chunk *home;    /* a stack of Boxes, linked by their next */
    struct chunk *filling; /* Box, or NULL */

    int fd;        /* -1: no file */
    char *path;    /* Box; NULL: standard input */
    bool no_more;  /* files */
    bool going_on; /* a `more` to itself is on its way */
};

/* -- chunks ------------------------------------------------------------------- */

static void put_home(struct reader *self, struct chunk *chunk)
{
    chunk_reset(chunk);
    chunk->next = self->home;
    self->home = chunk;
}

/* A chunk from home or a new one; NULL: all are away, or there is no memory, and
 * then the actor has failed. */
static struct chunk *get_chunk(tr_ctx *ctx, struct reader *self)
{
    struct chunk *got = self->home;
    if (got != NULL) {
        self->home = TR_MOVE(got->next);
        return got;
    }
    if (self->credit == 0)
        return NULL;
    self->credit--;
    got = chunk_create(reader_self(ctx));
    if (got == NULL)
        must(ctx, TR_NOMEM, "reader");
    return got;
}

static void send_chunk(tr_ctx *ctx, struct reader *self, struct chunk *chunk)
{
    self->away++;
    self->next_tokeniser = (self->next_tokeniser + 1) % tr_array_len(self->tokenisers);
    struct split split = { .chunk = tr_arc_from_box(chunk) };
    must(ctx, tokeniser_split(ctx, self->tokenisers[self->next_tokeniser], split), "reader");
}

/* -- the file ------------------------------------------------------------------ */

static void ask_for_file(tr_ctx *ctx, struct reader *self)
{
    must(ctx, walker_next(ctx, self->walker, (struct next){ reader_self(ctx) }), "reader");
}

/* -1 after a complaint. The walker saw a file here; by now it may be anything. */
static int open_file(struct reader *self)
{
    if (self->path == NULL)
        return STDIN_FILENO;
    const int fd = open(self->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        complain(self->tally, self->path, "%m");
    else if (!S_ISREG(status.st_mode))
        complain(self->tally, self->path, "is not a file any more");
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void close_file(tr_ctx *ctx, struct reader *self)
{
    chunk_end_word(self->filling);
    if (self->path != NULL)
        close(self->fd);
    self->fd = -1;
    tr_drop(self->path);
    /* relaxed: see tally.h */
    tr_fetch_add_relaxed(&self->tally->files, 1);
    ask_for_file(ctx, self);
}

/* -- reading ------------------------------------------------------------------- */

/* Read until the chunk is full or the file ends. */
static void fill(tr_ctx *ctx, struct reader *self)
{
    while (!chunk_is_full(self->filling)) {
        const ssize_t n = chunk_read(self->filling, self->fd);
        if (n < 0)
            complain(self->tally, self->path, "%m");
        if (n <= 0) {
            close_file(ctx, self);
            return;
        }
        /* relaxed: see tally.h */
        tr_fetch_add_relaxed(&self->tally->bytes, (uint64_t)n);
    }
}

/* The chunk is one word, so far. Without memory for more of it, the word and what
 * follows it in its file are left out. */
static void grow(tr_ctx *ctx, struct reader *self)
{
    const tr_status status = chunk_grow(self->filling);
    if (status == TR_OK)
        return;
    complain(self->tally, self->path, "a word of more than %zu letters: %s", self->filling->length,
             tr_status_text(status));
    chunk_reset(self->filling);
    close_file(ctx, self);
}

/* Send the full chunk on, all but the word at its end. Nothing, when that needs a
 * second chunk and none is at home. */
static void pass_on(tr_ctx *ctx, struct reader *self)
{
    struct chunk *full = self->filling;
    if (full->tail == full->length) {
        grow(ctx, self);
        return;
    }
    struct chunk *next = NULL;
    if (full->tail > 0) {
        next = get_chunk(ctx, self);
        if (next == NULL)
            return;
        chunk_move_tail(full, next);
    }
    self->filling = next;
    send_chunk(ctx, self, full);
}

/* -- messages ------------------------------------------------------------------ */

static void go_on(tr_ctx *ctx, struct reader *self)
{
    if (self->going_on)
        return;
    self->going_on = true;
    must(ctx, reader_more(ctx, reader_self(ctx), (struct more){}), "reader");
}

static void reader_on_more(tr_ctx *ctx, struct reader *self, struct more *m)
{
    (void)m;
    self->going_on = false;
    if (self->fd < 0)
        return; /* a file will come */
    if (self->filling == NULL)
        self->filling = get_chunk(ctx, self);
    if (self->filling == NULL)
        return; /* a chunk will come home */
    fill(ctx, self);
    if (chunk_is_full(self->filling))
        pass_on(ctx, self);
    if (self->fd >= 0 && (self->filling == NULL || !chunk_is_full(self->filling)))
        go_on(ctx, self);
}

static void reader_on_file(tr_ctx *ctx, struct reader *self, struct file *m)
{
    self->path = TR_MOVE(m->path);
    self->fd = open_file(self);
    if (self->fd >= 0) {
        go_on(ctx, self);
    } else {
        tr_drop(self->path);
        ask_for_file(ctx, self);
    }
}

static void tell_when_done(tr_ctx *ctx, struct reader *self)
{
    if (self->no_more && self->away == 0)
        must(ctx, merge_reader_done(ctx, self->merge, (struct reader_done){}), "reader");
}

static void reader_on_no_more(tr_ctx *ctx, struct reader *self, struct no_more *m)
{
    (void)m;
    self->no_more = true;
    if (self->filling != NULL && self->filling->length > 0)
        send_chunk(ctx, self, TR_MOVE(self->filling));
    tell_when_done(ctx, self);
}

static void reader_on_home(tr_ctx *ctx, struct reader *self, struct home *m)
{
    self->away--;
    put_home(self, TR_MOVE(m->chunk));
    if (self->no_more)
        tell_when_done(ctx, self);
    else
        go_on(ctx, self);
}

/* -- life ----------------------------------------------------------------------- */

static void reader_start(tr_ctx *ctx, struct reader *self)
{
    ask_for_file(ctx, self);
}

static void reader_drop(struct reader *self)
{
    while (self->home != NULL) {
        struct chunk *chunk = self->home;
        self->home = TR_MOVE(chunk->next);
        tr_drop(chunk);
    }
    tr_drop(self->filling);
    if (self->fd >= 0 && self->path != NULL)
        close(self->fd);
    tr_drop(self->path);
    tr_drop(self->tokenisers);
    tr_drop(self->tally);
}

TR_ACTOR(reader, READER, .start = reader_start, .drop = reader_drop)

tr_status spawn_reader(tr_system *system, walker_ref walker, tokeniser_ref *tokenisers,
                       merge_ref merge, unsigned chunks, struct tally *tally,
                       reader_ref *ret_reader)
{
    struct reader state = {
        .walker = walker,
        .merge = merge,
        .tokenisers = tr_arc_clone(tokenisers),
        .tally = tr_arc_clone(tally),
        .credit = chunks,
        .fd = -1,
    };
    const tr_status status = reader_try_spawn(system, &state, NULL, ret_reader);
    if (status != TR_OK)
        reader_drop(&state);
    return status;
}
