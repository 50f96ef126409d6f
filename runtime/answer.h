/*
 * answer - the place where an ask's answer arrives, once
 *
 *     asker ---ref---> [ answer ] <---ref--- the ask's message, or a kept reply
 *
 *     WAITING --complete--> DONE         the asker takes it
 *        '------give up---> ABANDONED    the completer drops what it brought
 *
 * Two parties race on one compare-and-swap; each holds a reference, so neither
 * can pull the block from under the other. The asker's parker lives in it for
 * the same reason.
 */
#ifndef RUNTIME_ANSWER_H
#define RUNTIME_ANSWER_H

#include <troupe/channels/parker.h>
#include <troupe/mem/atomic.h>
#include <troupe/runtime/ask.h>

typedef struct tri_answer tri_answer;
struct tri_answer {
    TR_ATOMIC(uint32_t) state; /* tri_answer_state */
    TR_ATOMIC(uint32_t) refs;
    bool kept;        /* a kept reply owns the second reference; set by its handler */
    bool taken;       /* will be completed also after its actor's end; published by that */
    bool late;        /* its actor had ended when it was pushed; the asker's own */
    tr_status status; /* of a completed ask; published by state */
    size_t block_size;
    tri_answer *next; /* in an actor's list of watchers */
    tr_parker parker; /* the asker sleeps here */
    /* the answer itself lies behind, at tri_answer_value */
};

/* A new answer with room for `size` bytes and two references. NULL: no memory. */
tri_answer *tri_answer_new(size_t size, size_t align);

void tri_answer_unref(tri_answer *answer);

void *tri_answer_value(tri_answer *answer);

/*
 * Complete with a status and, for TR_OK, the bytes of type->answer. False: the
 * asker has given up, or it was completed before; *value is still the caller's.
 */
bool tri_answer_complete(tri_answer *answer, tr_status status, const tr_message_type *type, void *value);

/* Has it been completed already? Asked by the party that completes. */
bool tri_answer_is_done(const tri_answer *answer);

/* Has the asker given up? It may do so right after. */
bool tri_answer_is_abandoned(const tri_answer *answer);

/* Complete the watch of an actor's end. */
bool tri_answer_complete_exit(tri_answer *answer, const tr_exit *why);

/*
 * Wait for it and give up the asker's reference: the status it was completed
 * with, or TR_TIMEOUT, or TR_DEAD when it was pushed too late. On TR_OK `size` bytes are moved to *ret_value.
 */
tr_status tri_answer_wait(tri_answer *answer, uint64_t timeout, size_t size, void *ret_value);

#endif
