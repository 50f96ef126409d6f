/*
 * unbounded - a queue in blocks of 31 slots: many producers, one consumer
 *
 *   head (consumer)                               tail (producers)
 *    |                                             |
 *   [ next | s0 ... s30 ] -> [ next | s0 ... s30 ] -> [ next | s0 ... ]
 *
 *   a position    | block number * 32 + slot | gone |    32nd: the next block is
 *                   63 bits                   bit 0      being linked in
 *
 * A producer claims the slot under `tail` by moving tail on, writes the message
 * and sets the slot's state; the consumer looks only at the state of its next
 * slot, and at tail when that is not set.
 *
 * 1. Positions only grow; the slot at a position belongs to the producer whose
 *    CAS moved tail past it, until it sets the state, then to the consumer.
 * 2. tail_block is the block of tail, for whoever's CAS succeeds: the next block
 *    is stored there only after tail has left the last slot, so a producer that
 *    sees it fails its CAS (edge block).
 * 3. Who claims slot 30 has allocated the next block before, so a send
 *    that cannot have memory has claimed nothing. It links the block, then moves
 *    tail to it; producers that come in between wait.
 * 4. A producer touches its block no more once it has set its slot's state, and
 *    slot 30's is set after `next`. So the consumer that has taken all 31 may
 *    go on to next and free the block.
 * 5. Once the bit `gone` is set no CAS succeeds, so tail stands still but for a
 *    link under way (3.), which moves it by addition and keeps the bit.
 * 6. head <= tail, and head never rests on a 32nd position.
 *
 * Edges: tail (seq_cst, see flavour.h 3.), block, slot.
 */
#include "channels/flavour.h"

#define GONE ((uint64_t)1)
#define ONE ((uint64_t)2)
#define SLOTS ((size_t)31)
#define LAP ((uint64_t)32)

typedef struct block {
    struct block *next; /* written by the producer of slot 30 (4.) */
} block;

typedef struct slot {
    TR_ATOMIC(uint32_t) written; /* 0, then 1 */
} slot;

typedef struct unbounded {
    tr_channel base;
    tri_slots slots;
    tr_layout layout; /* of a block */
    /* the producers' */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) tail;
    TR_ATOMIC(block *) tail_block;
    /* the consumer's; head is read by tr_channel_len */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) head;
    block *head_block;
} unbounded;

static unbounded *of(tr_channel *c)
{
    return (unbounded *)c; /* its first member */
}

static size_t slot_number(uint64_t position)
{
    return (size_t)(position / ONE % LAP);
}

static block *block_create(const unbounded *u)
{
    block *b = tr_alloc(u->layout);
    if (b == NULL)
        return NULL;
    b->next = NULL;
    for (size_t i = 0; i < SLOTS; i++)
        tr_atomic_init(&((slot *)tri_slot(&u->slots, b, i))->written, 0);
    return b;
}

static void block_free(const unbounded *u, block *b)
{
    tr_dealloc(b, u->layout);
}

/* -- send -------------------------------------------------------------------------------- */

/* Put the next block behind b, whose slot 30 is the caller's. */
static void link_block(unbounded *u, block *b, block *next)
{
    b->next = next; /* 4.: edge slot carries it */
    /* edge block (release): with claim; the block as block_create left it */
    tr_store_release(&u->tail_block, next);
    /* edge tail (release): with claim; lets the producers go on */
    tr_fetch_add_release(&u->tail, ONE);
}

/*
 * Claim the slot at tail, *ret_at in *ret_block. *fresh is a block for the caller
 * to link (slot 30) or to free (another was faster).
 */
static tr_status claim(unbounded *u, uint64_t *ret_at, block **ret_block, block **fresh)
{
    unsigned spins = 0;
    /* edge tail (acquire): with link_block and the CAS below; only compared */
    uint64_t tail = tr_load_acquire(&u->tail);
    for (;;) {
        if (TR_UNLIKELY(tail & GONE))
            return TR_DISCONNECTED;
        const size_t i = slot_number(tail);
        if (TR_UNLIKELY(i == SLOTS)) { /* 3. */
            tri_spin(&spins);
            /* edge tail (acquire): with link_block */
            tail = tr_load_acquire(&u->tail);
            continue;
        }
        if (i + 1 == SLOTS && *fresh == NULL && (*fresh = block_create(u)) == NULL)
            return TR_NOMEM;
        /* edge block (acquire): with link_block; the block's fields, and that
         * tail has moved (2.) */
        block *b = tr_load_acquire(&u->tail_block);
        /* edge tail (seq_cst): with is_ready and await_slot; before the hint is read */
        if (TR_LIKELY(tr_cas_seq_cst(&u->tail, &tail, tail + ONE))) {
            *ret_at = tail;
            *ret_block = b;
            return TR_OK;
        }
        tri_spin(&spins);
    }
}

static tr_status unbounded_try_send(tr_channel *c, const void *message)
{
    unbounded *u = of(c);
    uint64_t at;
    block *b;
    block *fresh = NULL;
    const tr_status s = claim(u, &at, &b, &fresh);
    if (TR_LIKELY(s == TR_OK)) {
        const size_t i = slot_number(at);
        if (i + 1 == SLOTS) {
            link_block(u, b, fresh);
            fresh = NULL;
        }
        slot *mine = tri_slot(&u->slots, b, i);
        tri_move((char *)mine + u->slots.value, message, u->slots.size);
        /* edge slot (release): with the consumer; carries the message, and next */
        tr_store_release(&mine->written, 1);
        tri_notify(c, TRI_RECEIVERS);
    }
    if (TR_UNLIKELY(fresh != NULL))
        block_free(u, fresh);
    return s;
}

/* -- receive ------------------------------------------------------------------------------ */

/* The slot at head is not written: empty, for now or for good, or soon written. */
static TR_NOINLINE tr_status await_slot(const unbounded *u, slot *next, uint64_t head)
{
    /* edge tail (seq_cst): with claim and disconnect; with the bit, all that was
     * sent is below it */
    const uint64_t tail = tr_load_seq_cst(&u->tail);
    if ((tail & ~GONE) == head)
        return tail & GONE ? TR_DISCONNECTED : TR_EMPTY;
    unsigned spins = 0;
    /* edge slot (acquire): with unbounded_try_send; carries the message, and next */
    while (tr_load_acquire(&next->written) == 0)
        tri_spin(&spins);
    return TR_OK;
}

/* The slot at head is empty memory again. */
static void advance(unbounded *u, uint64_t head)
{
    uint64_t to = head + ONE;
    if (TR_UNLIKELY(slot_number(to) == SLOTS)) { /* 4. */
        block *old = u->head_block;
        u->head_block = old->next;
        block_free(u, old);
        to += ONE;
    }
    tr_store_relaxed(&u->head, to); /* relaxed: for len, a snapshot */
}

static slot *slot_at_head(const unbounded *u, uint64_t head)
{
    return tri_slot(&u->slots, u->head_block, slot_number(head));
}

static tr_status unbounded_try_recv(tr_channel *c, void *ret_message)
{
    unbounded *u = of(c);
    const uint64_t head = tr_load_relaxed(&u->head); /* relaxed: the caller's own */
    slot *next = slot_at_head(u, head);
    /* edge slot (acquire): with unbounded_try_send; carries the message, and next */
    if (tr_load_acquire(&next->written) == 0) {
        const tr_status s = await_slot(u, next, head);
        if (s != TR_OK)
            return s;
    }
    tri_move(ret_message, (char *)next + u->slots.value, u->slots.size);
    advance(u, head);
    return TR_OK;
}

/* -- waiting and disconnection ------------------------------------------------------------- */

static bool unbounded_is_ready(tr_channel *c, const tr_select_op *op)
{
    const unbounded *u = of(c);
    if (op->is_send_)
        return true;
    const uint64_t head = tr_load_relaxed(&u->head); /* relaxed: the caller's own */
    /* edge tail (seq_cst): with claim and disconnect; after the hint is set */
    return tr_load_seq_cst(&u->tail) != head;
}

static void unbounded_disconnect(tr_channel *c)
{
    /* edge tail (seq_cst): with await_slot, is_ready and claim; the last sender's
     * sends come before it */
    tr_fetch_or_seq_cst(&of(c)->tail, GONE);
}

/* What a discarded message leaves behind, also when its drop panics. */
static void leave_slot(unbounded **u)
{
    advance(*u, tr_load_relaxed(&(*u)->head)); /* relaxed: the caller's own */
}

static void discard_rest(unbounded **of_channel)
{
    unbounded *u = *of_channel;
    for (;;) {
        slot *next = slot_at_head(u, tr_load_relaxed(&u->head)); /* relaxed: the caller's own */
        if (await_slot(u, next, tr_load_relaxed(&u->head)) != TR_OK) /* relaxed: as above */
            return;
        __attribute__((cleanup(leave_slot), unused)) unbounded *leaving = u;
        tri_drop_value(u->base.type, (char *)next + u->slots.value);
    }
}

/* Twice, so that a drop that panics leaves the others to the cleanup. */
static void unbounded_discard(tr_channel *c)
{
    __attribute__((cleanup(discard_rest))) unbounded *u = of(c);
    discard_rest(&u);
}

static size_t messages_before(uint64_t position)
{
    const uint64_t n = position / ONE;
    return (size_t)(n / LAP * SLOTS + n % LAP);
}

static size_t unbounded_len(const tr_channel *c)
{
    const unbounded *u = (const unbounded *)c;
    /* relaxed: a snapshot; head first, so that it is not beyond tail */
    const size_t taken = messages_before(tr_load_relaxed(&u->head));
    const size_t sent = messages_before(tr_load_relaxed(&u->tail)); /* relaxed: as above */
    return sent > taken ? sent - taken : 0;
}

/* -- life ------------------------------------------------------------------------------------ */

static void unbounded_destroy(tr_channel *c)
{
    unbounded *u = of(c);
    block_free(u, u->head_block);
    tri_channel_fini(c);
    tr_dealloc(u, tr_layout_of(unbounded));
}

static const tri_flavour flavour = {
    .try_send = unbounded_try_send,
    .try_recv = unbounded_try_recv,
    .is_ready = unbounded_is_ready,
    .disconnect = unbounded_disconnect,
    .discard = unbounded_discard,
    .len = unbounded_len,
    .destroy = unbounded_destroy,
};

tr_status tri_unbounded_create(const tr_type *type, tr_channel **ret_channel)
{
    tri_slots slots;
    tr_layout layout;
    tr_status s = tri_slots_plan(&slots, type, tr_layout_of(block), tr_layout_of(slot), SLOTS,
                                 &layout);
    if (s != TR_OK)
        return s;
    unbounded *u = tr_alloc(tr_layout_of(unbounded));
    if (u == NULL)
        return TR_NOMEM;
    *u = (unbounded){ .slots = slots, .layout = layout };
    block *b = block_create(u);
    if (b == NULL) {
        tr_dealloc(u, tr_layout_of(unbounded));
        return TR_NOMEM;
    }
    tri_channel_init(&u->base, &flavour, type, TR_UNBOUNDED);
    tr_atomic_init(&u->tail_block, b);
    u->head_block = b;
    *ret_channel = &u->base;
    return TR_OK;
}
