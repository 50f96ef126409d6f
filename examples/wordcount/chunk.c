/*
 * chunk - filling a chunk, and cutting it at a word border
 *
 *     text  | ... the cat sa |     -->   | ... the cat |   and   | sa           |
 *                          tail 2                           the front of the next
 *
 * Invariants
 *  1. A chunk is cut behind a byte that is no letter, or behind the 0 that stands
 *     for the end of a file. So small files may share a chunk.
 *  2. A chunk that is full of letters and nothing else grows. It is read by
 *     CHUNK_BYTES at most and is full as soon as its one word is over: so it has
 *     CHUNK_BYTES / 2 + 1 words at most, as one that did not grow.
 *
 * The text is a block of its own, since a block can grow in place where a Box
 * cannot.
 */
#include "chunk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static tr_layout text_layout(size_t capacity)
{
    return (tr_layout){ .size = capacity + FOLD_BLOCK, .align = 1 };
}

static void chunk_drop(struct chunk *chunk)
{
    tr_dealloc(chunk->text, text_layout(chunk->capacity));
    tr_drop(chunk->slices);
}
typedef struct chunk wc_chunk;
TR_TYPE(wc_chunk, .drop = chunk_drop)

struct chunk *chunk_create(reader_ref home)
{
    TR_AUTO(wc_chunk) made = tr_try_box(wc_chunk, .home = home, .capacity = CHUNK_BYTES);
    if (made == NULL)
        return NULL;
    /* Not zeroed: pages that no text ever needs are never touched. */
    made->slices = tr_box_array_uninit(wc_slice, CHUNK_SLICES);
    made->text = tr_alloc(text_layout(CHUNK_BYTES));
    if (made->slices == NULL || made->text == NULL)
        return NULL;
    return TR_MOVE(made);
}

/* -- filling ------------------------------------------------------------------ */

static size_t letters_at_end(const char *text, size_t length)
{
    size_t letters = 0;
    while (letters < length && is_letter(text[length - 1 - letters]))
        letters++;
    return letters;
}

static ssize_t read_waiting(int fd, char *buffer, size_t size)
{
    for (;;) {
        const ssize_t n = read(fd, buffer, size);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n;
        if (errno == EAGAIN)
            poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, -1);
    }
}

ssize_t chunk_read(struct chunk *chunk, int fd)
{
    char *end = chunk->text + chunk->length;
    const size_t room = chunk->capacity - chunk->length;
    const ssize_t n = read_waiting(fd, end, room < CHUNK_BYTES ? room : CHUNK_BYTES);
    if (n <= 0)
        return n;
    const size_t fresh = (size_t)n;
    const size_t letters = letters_at_end(end, fresh);
    chunk->tail = letters == fresh ? chunk->tail + fresh : letters;
    chunk->length += fresh;
    return n;
}

void chunk_end_word(struct chunk *chunk)
{
    if (chunk->tail == 0)
        return;
    chunk->text[chunk->length++] = '\0';
    chunk->tail = 0;
}

bool chunk_is_full(const struct chunk *chunk)
{
    return chunk->length == chunk->capacity ||
           (chunk->capacity > CHUNK_BYTES && chunk->tail < chunk->length); /* invariant 2 */
}

void chunk_move_tail(struct chunk *chunk, struct chunk *next)
{
    chunk->length -= chunk->tail;
    memcpy(next->text, chunk->text + chunk->length, chunk->tail);
    next->length = next->tail = chunk->tail;
    chunk->tail = 0;
}

/* -- size --------------------------------------------------------------------- */

static tr_status resize(struct chunk *chunk, size_t capacity)
{
    char *text = tr_realloc(chunk->text, text_layout(chunk->capacity), text_layout(capacity).size);
    if (text == NULL)
        return TR_NOMEM;
    chunk->text = text;
    chunk->capacity = capacity;
    return TR_OK;
}

tr_status chunk_grow(struct chunk *chunk)
{
    if (chunk->capacity >= WORD_MAX)
        return TR_LIMIT;
    const size_t twice = chunk->capacity * 2;
    return resize(chunk, twice < WORD_MAX ? twice : WORD_MAX);
}

void chunk_reset(struct chunk *chunk)
{
    chunk->length = chunk->tail = 0;
    if (chunk->capacity > CHUNK_BYTES)
        resize(chunk, CHUNK_BYTES); /* should it stay large, it serves as well */
}
