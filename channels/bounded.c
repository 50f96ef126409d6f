/*
 * bounded - a ring of slots: many producers, one consumer
 *
 *          head                     tail
 *           |                        |
 *   [ . ][ a ][ b ][ c ][ d ][ e ][ . ][ . ]       slot: { stamp, message }
 *
 *   a position    | lap | gone | index |     the bit `gone` is the smallest power of
 *   a stamp       | lap |  0   | index |     two above capacity; laps count above it
 *
 *   stamp == tail      free, for the producer at this position
 *   stamp == tail + 1  written, for the consumer at this position
 *   stamp == a lap on  free again, for the producer of the next lap
 *
 * The stamps are Vyukov's, the positions crossbeam's array flavour's: an index
 * beside a lap, so that no send divides by the capacity.
 *
 * 1. Positions only grow. A slot at a position belongs to the producer whose CAS
 *    moved tail past it, from then until it sets the stamp to position + 1,
 *    then to the consumer, until it sets the stamp a lap on.
 * 2. The consumer frees the slot, then moves head. So with head a lap behind
 *    tail the channel was full; else the slot at tail is free already.
 * 3. Once `gone` is set no CAS on tail succeeds.
 * 4. A wake for room is meant for one sender: head moves and then the hint is
 *    read; a sender sets the hint and then reads head (flavour.h 3.).
 *
 * Edges: tail and head (seq_cst, see flavour.h 3.), stamp.
 */
#include "channels/flavour.h"

typedef struct slot {
    TR_ATOMIC(size_t) stamp;
} slot;

typedef struct bounded {
    tr_channel base;
    tri_slots slots;
    tr_layout layout; /* of all */
    size_t gone;      /* the bit */
    size_t lap;       /* gone * 2 */
    TR_CACHE_ALIGNED TR_ATOMIC(size_t) tail; /* the producers' */
    TR_CACHE_ALIGNED TR_ATOMIC(size_t) head; /* written by the consumer */
} bounded;

static bounded *of(tr_channel *c)
{
    return (bounded *)c; /* its first member */
}

static slot *slot_at(bounded *b, size_t position)
{
    return tri_slot(&b->slots, b, position & (b->gone - 1));
}

static void *value_of(const bounded *b, slot *s)
{
    return (char *)s + b->slots.value;
}

static size_t after(const bounded *b, size_t position)
{
    const size_t index = position & (b->gone - 1);
    if (index + 1 < b->base.capacity)
        return position + 1;
    return (position & ~(b->lap - 1)) + b->lap;
}

/* -- send -------------------------------------------------------------------------------- */

static tr_status bounded_try_send(tr_channel *c, const void *message)
{
    bounded *b = of(c);
    unsigned spins = 0;
    size_t tail = tr_load_relaxed(&b->tail); /* relaxed: stamp and CAS decide */
    for (;;) {
        if (TR_UNLIKELY(tail & b->gone))
            return TR_DISCONNECTED;
        slot *s = slot_at(b, tail);
        /* edge stamp (acquire): with free_slot; the slot is memory again */
        if (TR_LIKELY(tr_load_acquire(&s->stamp) == tail)) {
            /* edge tail (seq_cst): with await_slot and is_ready; before the hint is read */
            if (TR_LIKELY(tr_cas_seq_cst(&b->tail, &tail, after(b, tail)))) {
                tri_move(value_of(b, s), message, b->slots.size);
                /* edge stamp (release): with the consumer; carries the message */
                tr_store_release(&s->stamp, tail + 1);
                tri_notify(c, TRI_RECEIVERS);
                return TR_OK;
            }
            tri_spin(&spins);
            continue;
        }
        /* edge head (acquire): with free_slot; the stamp it set before (2.) */
        if (tr_load_acquire(&b->head) + b->lap == tail)
            return TR_FULL;
        /* edge tail (acquire): with the CAS of another producer; it passed by, or
         * the slot has been freed since */
        tail = tr_load_acquire(&b->tail);
    }
}

/* -- receive ------------------------------------------------------------------------------ */

/* The slot at head is not written: empty, for now or for good, or soon written. */
static TR_NOINLINE tr_status await_slot(const bounded *b, slot *next, size_t head)
{
    /* edge tail (seq_cst): with the CAS of a send and disconnect; with the bit,
     * all that was sent is below it */
    const size_t tail = tr_load_seq_cst(&b->tail);
    if ((tail & ~b->gone) == head)
        return tail & b->gone ? TR_DISCONNECTED : TR_EMPTY;
    unsigned spins = 0;
    /* edge stamp (acquire): with bounded_try_send; carries the message */
    while (tr_load_acquire(&next->stamp) != head + 1)
        tri_spin(&spins);
    return TR_OK;
}

/* Give the slot at head to the producers. */
static void free_slot(bounded *b, size_t head)
{
    /* edge stamp (release): with the producer of the next lap; the slot is memory */
    tr_store_release(&slot_at(b, head)->stamp, head + b->lap);
    /* edge head (seq_cst): with is_ready and try_send; before the hint is read (4.) */
    tr_store_seq_cst(&b->head, after(b, head));
}

static tr_status bounded_try_recv(tr_channel *c, void *ret_message)
{
    bounded *b = of(c);
    const size_t head = tr_load_relaxed(&b->head); /* relaxed: the caller's own */
    slot *next = slot_at(b, head);
    /* edge stamp (acquire): with bounded_try_send; carries the message */
    if (tr_load_acquire(&next->stamp) != head + 1) {
        const tr_status s = await_slot(b, next, head);
        if (s != TR_OK)
            return s;
    }
    tri_move(ret_message, value_of(b, next), b->slots.size);
    free_slot(b, head);
    tri_notify(c, TRI_SENDERS);
    return TR_OK;
}

/* -- waiting and disconnection ------------------------------------------------------------- */

static bool bounded_is_ready(tr_channel *c, const tr_select_op *op)
{
    const bounded *b = of(c);
    /* edge tail (seq_cst): with a send and disconnect; after the hint is set */
    const size_t tail = tr_load_seq_cst(&b->tail);
    /* edge head (seq_cst): with free_slot; after the hint is set */
    const size_t head = tr_load_seq_cst(&b->head);
    return op->is_send_ ? head + b->lap != tail : head != tail;
}

static void bounded_disconnect(tr_channel *c)
{
    /* edge tail (seq_cst): with await_slot, is_ready and a send; the last sender's
     * sends come before it */
    tr_fetch_or_seq_cst(&of(c)->tail, of(c)->gone);
}

/* What a discarded message leaves behind, also when its drop panics. */
static void leave_slot(bounded **b)
{
    free_slot(*b, tr_load_relaxed(&(*b)->head)); /* relaxed: the caller's own */
}

static void discard_rest(bounded **of_channel)
{
    bounded *b = *of_channel;
    for (;;) {
        const size_t head = tr_load_relaxed(&b->head); /* relaxed: the caller's own */
        slot *next = slot_at(b, head);
        if (await_slot(b, next, head) != TR_OK)
            return;
        __attribute__((cleanup(leave_slot), unused)) bounded *leaving = b;
        tri_drop_value(b->base.type, value_of(b, next));
    }
}

/* Twice, so that a drop that panics leaves the others to the cleanup. */
static void bounded_discard(tr_channel *c)
{
    __attribute__((cleanup(discard_rest))) bounded *b = of(c);
    discard_rest(&b);
}

/* Both read at a moment when tail stood still; never more than the capacity. */
static size_t bounded_len(const tr_channel *c)
{
    const bounded *b = (const bounded *)c;
    size_t head, tail, again;
    /* edge tail (acquire): with the CAS of a send; head is not read before it */
    again = tr_load_acquire(&b->tail);
    do {
        tail = again;
        /* edge head (acquire): with free_slot; tail is not read before it */
        head = tr_load_acquire(&b->head);
        /* edge tail (acquire): with the CAS of a send; still the same? */
        again = tr_load_acquire(&b->tail);
    } while (again != tail);
    const size_t from = head & (b->gone - 1), to = tail & (b->gone - 1);
    if (from != to)
        return to > from ? to - from : c->capacity - from + to;
    return (tail & ~b->gone) == head ? 0 : c->capacity;
}

/* -- life ------------------------------------------------------------------------------------ */

static void bounded_destroy(tr_channel *c)
{
    tri_channel_fini(c);
    tr_dealloc(c, of(c)->layout);
}

static const tri_flavour flavour = {
    .try_send = bounded_try_send,
    .try_recv = bounded_try_recv,
    .is_ready = bounded_is_ready,
    .disconnect = bounded_disconnect,
    .discard = bounded_discard,
    .len = bounded_len,
    .destroy = bounded_destroy,
};

tr_status tri_bounded_create(const tr_type *type, size_t capacity, tr_channel **ret_channel)
{
    tri_slots slots;
    tr_layout layout;
    tr_status s = tri_slots_plan(&slots, type, tr_layout_of(bounded), tr_layout_of(slot), capacity,
                                 &layout);
    if (s != TR_OK)
        return s;
    bounded *b = tr_alloc(layout);
    if (b == NULL)
        return TR_NOMEM;
    *b = (bounded){ .slots = slots, .layout = layout, .gone = 1 };
    while (b->gone <= capacity) /* ends: capacity slots have a size */
        b->gone *= 2;
    b->lap = b->gone * 2;
    for (size_t i = 0; i < capacity; i++)
        tr_atomic_init(&((slot *)tri_slot(&slots, b, i))->stamp, i);
    tri_channel_init(&b->base, &flavour, type, capacity);
    *ret_channel = &b->base;
    return TR_OK;
}
