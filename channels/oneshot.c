/*
 * oneshot - a cell for one value, and one word that says who is through with it
 *
 *              .--> waiter --.  receiver: listed itself, or took itself back
 *              |    |   |    |
 *   EMPTY -----+----|---|----+--> EMPTY
 *     | |           v   v
 *     | |  sender: SENT, BROKEN --> TAKEN                 receiver: took the value
 *     | '--------> SENT, BROKEN --> GONE: receiver frees
 *     '--> CLOSED ------> GONE, BROKEN: who comes last frees
 *
 * 1. The sender's CAS to SENT or exchange to BROKEN is its last access to the
 *    cell, unless it finds GONE; the value is written before it.
 * 2. The receiver's exchange to GONE is its last access, unless it finds that the
 *    sender is through (SENT, BROKEN, TAKEN). So exactly one side frees.
 * 3. From SENT, BROKEN and TAKEN on only the receiver writes the word.
 * 4. A sender that finds a waiter in the word has taken it out by the same step
 *    and owes it one wake; the receiver, which finds it gone, waits for that
 *    wake. The waiter is on the receiver's stack, not in the cell.
 *
 * Edges: answer, from the sender to the receiver (the value, or that there is
 * none); asker, from the receiver to the sender (the waiter, or that the cell
 * is the sender's to free).
 */
#include <troupe/channels/oneshot.h>

#include "channels/flavour.h"

#include <troupe/mem/panic.h>

/* Below any address of a waiter. */
enum { EMPTY = 0, SENT = 1, BROKEN = 2, TAKEN = 3, CLOSED = 4, GONE = 5, FIRST_WAITER = 8 };

_Static_assert(_Alignof(tr_waiter) >= FIRST_WAITER, "a waiter's address is no state");

struct tr_oneshot {
    const tr_type *type;
    TR_ATOMIC(uintptr_t) state;
};

/* The value lies behind the header, at its alignment. */
static tr_status plan(const tr_type *type, tr_layout *ret_layout, size_t *ret_value)
{
    return tr_layout_extend(tr_layout_of(tr_oneshot),
                            (tr_layout){ .size = type->size, .align = type->align }, ret_layout,
                            ret_value);
}

static void *value_of(tr_oneshot *o)
{
    const size_t align = o->type->align;
    return (char *)o + ((sizeof *o + align - 1) & ~(align - 1));
}

tr_status tr_oneshot_create(const tr_type *type, tr_oneshot **ret_oneshot)
{
    if (!tr_type_is_send(type))
        tr_panic("%s must not cross threads, so there is no oneshot of it", type->name);
    tr_layout layout;
    size_t value;
    const tr_status s = plan(type, &layout, &value);
    if (s != TR_OK)
        return s;
    tr_oneshot *o = tr_alloc(layout);
    if (o == NULL)
        return TR_NOMEM;
    o->type = type;
    tr_atomic_init(&o->state, EMPTY);
    *ret_oneshot = o;
    return TR_OK;
}

static void destroy(tr_oneshot **oneshot)
{
    tr_layout layout;
    size_t value;
    TR_MUST(plan((*oneshot)->type, &layout, &value));
    tr_dealloc(*oneshot, layout);
}

static void wake_if_waiter(uintptr_t state)
{
    if (state >= FIRST_WAITER)
        tr_waiter_wake((tr_waiter *)state); /* 4. */
}

/* -- the sender ------------------------------------------------------------------------- */

tr_status tr_oneshot_send(tr_oneshot **sender, const void *value)
{
    tr_oneshot *o = *sender;
    if (TR_UNLIKELY(o == NULL))
        tr_panic("a oneshot's sender is used a second time");
    tri_move(value_of(o), value, o->type->size);
    uintptr_t state = tr_load_relaxed(&o->state); /* relaxed: the CAS decides */
    do {
        if (state == CLOSED || state == GONE)
            return TR_DISCONNECTED; /* what was moved into the cell is only bytes */
        /* edge answer (acq_rel): with take; carries the value.
         * edge asker (acq_rel): with list_waiter; carries the waiter */
    } while (!tr_cas_acq_rel(&o->state, &state, SENT));
    *sender = NULL;
    wake_if_waiter(state);
    return TR_OK;
}

void tr_oneshot_drop_sender(tr_oneshot **sender)
{
    tr_oneshot *o = *sender;
    *sender = NULL;
    if (o == NULL)
        return;
    /* edge answer (acq_rel): with take; that there will be no value.
     * edge asker (acq_rel): with list_waiter and drop_receiver; the waiter, or that
     * nobody else uses the cell */
    const uintptr_t state = tr_swap_acq_rel(&o->state, BROKEN);
    if (state == GONE)
        destroy(&o); /* 2. */
    else
        wake_if_waiter(state);
}

bool tr_oneshot_is_closed(const tr_oneshot *o)
{
    const uintptr_t state = tr_load_relaxed(&o->state); /* relaxed: a fact, no data behind it */
    return state == CLOSED || state == GONE;
}

/* -- the receiver ------------------------------------------------------------------------ */

/* Take the value if it is there. TR_EMPTY: it may come yet. */
static tr_status take(tr_oneshot *o, void *ret_value)
{
    /* edge answer (acquire): with tr_oneshot_send and drop_sender; carries the value */
    const uintptr_t state = tr_load_acquire(&o->state);
    if (state == EMPTY)
        return TR_EMPTY;
    if (state != SENT)
        return TR_DISCONNECTED;
    tri_move(ret_value, value_of(o), o->type->size);
    tr_store_relaxed(&o->state, TAKEN); /* relaxed: only the receiver reads it now (3.) */
    return TR_OK;
}

static bool list_waiter(tr_oneshot *o, tr_waiter *waiter)
{
    uintptr_t empty = EMPTY;
    /* edge asker (release): with tr_oneshot_send and drop_sender; carries the waiter */
    return tr_cas_release(&o->state, &empty, (uintptr_t)waiter);
}

static bool delist_waiter(tr_oneshot *o, tr_waiter *waiter)
{
    uintptr_t listed = (uintptr_t)waiter;
    return tr_cas_relaxed(&o->state, &listed, EMPTY); /* relaxed: our own, nobody took it */
}

static void end_waiter(tr_thread_waiter *waiter)
{
    tr_thread_waiter_fini(waiter);
}

/* Until the state is not EMPTY, or the deadline. */
static tr_status await(tr_oneshot *o, uint64_t deadline)
{
    __attribute__((cleanup(end_waiter))) tr_thread_waiter waiter;
    tr_thread_waiter_init(&waiter);
    if (!list_waiter(o, &waiter.waiter))
        return TR_OK;
    const tr_status s = tr_waiter_wait_until(&waiter.waiter, deadline);
    if (s == TR_OK || delist_waiter(o, &waiter.waiter))
        return s;
    return tr_waiter_wait_until(&waiter.waiter, TR_FOREVER); /* 4. */
}

tr_status tr_oneshot_try_recv(tr_oneshot *o, void *ret_value)
{
    return take(o, ret_value);
}

tr_status tr_oneshot_recv_until(tr_oneshot *o, uint64_t deadline, void *ret_value)
{
    tr_status s = take(o, ret_value);
    unsigned spins = 0;
    for (unsigned i = TRI_SPINS; s == TR_EMPTY && deadline != 0 && i > 0; i--) {
        tri_spin(&spins);
        s = take(o, ret_value);
    }
    if (s != TR_EMPTY)
        return s;
    s = await(o, deadline);
    return s == TR_OK ? take(o, ret_value) : s;
}

void tr_oneshot_close(tr_oneshot *o)
{
    uintptr_t empty = EMPTY;
    /* relaxed: the sender only learns that it failed. When the CAS fails the
     * sender is through, and there is nothing to close */
    (void)tr_cas_relaxed(&o->state, &empty, CLOSED);
}

void tr_oneshot_drop_receiver(tr_oneshot **receiver)
{
    tr_oneshot *gone = *receiver;
    *receiver = NULL;
    if (gone == NULL)
        return;
    /* edge asker (acq_rel): with drop_sender; the cell is the sender's alone.
     * edge answer (acq_rel): with send and drop_sender; the value, or the cell */
    const uintptr_t state = tr_swap_acq_rel(&gone->state, GONE);
    if (state == EMPTY || state == CLOSED)
        return; /* 2.: the sender frees */
    __attribute__((cleanup(destroy))) tr_oneshot *o = gone;
    if (state == SENT)
        tri_drop_value(o->type, value_of(o));
}
