/*
 * answer - see answer.h
 *
 * 1. state leaves WAITING once. The completer writes status and value before.
 * 2. The completer unparks once, and holds its reference until after that: the
 *    parker is there for as long as anybody touches it.
 */
#include "runtime/answer.h"

#include <string.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/panic.h>

enum { WAITING, DONE, ABANDONED };

#define VALUE_ALIGN 64u /* as much as a message type may ask for */
#define VALUE_OFFSET ((sizeof(tri_answer) + VALUE_ALIGN - 1) / VALUE_ALIGN * VALUE_ALIGN)

static tr_layout layout_of(size_t block_size)
{
    return (tr_layout){ .size = block_size, .align = VALUE_ALIGN };
}

tri_answer *tri_answer_new(size_t size, size_t align)
{
    TR_ASSERT(align <= VALUE_ALIGN);
    size_t block_size = VALUE_OFFSET + size;
    tri_answer *answer = tr_alloc(layout_of(block_size));
    if (answer == NULL)
        return NULL;
    tr_atomic_init(&answer->state, WAITING);
    tr_atomic_init(&answer->refs, 2);
    answer->kept = answer->taken = answer->late = false;
    answer->block_size = block_size;
    answer->next = NULL;
    tr_parker_init(&answer->parker);
    return answer;
}

void tri_answer_unref(tri_answer *answer)
{
    /* edge answer-refs (acq_rel): with itself, by the other party; the last one frees after both */
    if (tr_fetch_sub_acq_rel(&answer->refs, 1) != 1)
        return;
    tr_parker_fini(&answer->parker);
    tr_dealloc(answer, layout_of(answer->block_size));
}

void *tri_answer_value(tri_answer *answer)
{
    return (char *)answer + VALUE_OFFSET;
}

bool tri_answer_is_done(const tri_answer *answer)
{
    /* relaxed: only the completing party writes DONE, and it is the one that asks */
    return tr_load_relaxed(&answer->state) == DONE;
}

bool tri_answer_is_abandoned(const tri_answer *answer)
{
    /* relaxed: a hint; the reference is given up with its own edge */
    return tr_load_relaxed(&answer->state) == ABANDONED;
}

static bool complete(tri_answer *answer, tr_status status, size_t size, const void *value)
{
    /* relaxed: the completer's own side; only one thread completes */
    if (tr_load_relaxed(&answer->state) != WAITING)
        return false;
    answer->status = status;
    if (size != 0)
        memcpy(tri_answer_value(answer), value, size);
    uint32_t expected = WAITING;
    /* edge answer (acq_rel): with tri_answer_wait; carries status and value */
    if (!tr_cas_acq_rel(&answer->state, &expected, DONE))
        return false;
    tr_parker_unpark(&answer->parker);
    return true;
}

bool tri_answer_complete(tri_answer *answer, tr_status status, const tr_message_type *type, void *value)
{
    return complete(answer, status, status == TR_OK ? type->answer_size : 0, value);
}

bool tri_answer_complete_exit(tri_answer *answer, const tr_exit *why)
{
    return complete(answer, TR_OK, sizeof *why, why);
}

/* Given up: whoever completes it finds that nobody waits. */
static bool abandon(tri_answer *answer)
{
    uint32_t expected = WAITING;
    /* edge answer (acq_rel): with complete; either it is done, or it never will be */
    if (!tr_cas_acq_rel(&answer->state, &expected, ABANDONED))
        return false;
    tri_answer_unref(answer);
    return true;
}

static tr_status take_done(tri_answer *answer, size_t size, void *ret_value)
{
    /* edge answer (acquire): with complete; carries status and value */
    TR_ASSERT(tr_load_acquire(&answer->state) == DONE);
    tr_status status = answer->status;
    if (status == TR_OK && size != 0)
        memcpy(ret_value, tri_answer_value(answer), size);
    tri_answer_unref(answer);
    return status;
}

tr_status tri_answer_wait(tri_answer *answer, uint64_t timeout, size_t size, void *ret_value)
{
    /* What the actor took in hand before it ended is somebody's now: that is awaited. */
    if (answer->late && !answer->taken)
        return abandon(answer) ? TR_DEAD : take_done(answer, size, ret_value);
    uint64_t now = tr_now();
    uint64_t deadline = timeout < TR_FOREVER - now ? now + timeout : TR_FOREVER;
    tr_status status = tr_parker_park_until(&answer->parker, deadline);
    if (status == TR_TIMEOUT && abandon(answer))
        return TR_TIMEOUT;
    return take_done(answer, size, ret_value);
}
