/*
 * rendezvous - a channel without room: a send and a receive meet
 *
 *   sender --lists its message--> [ waiting senders ]   <--claims one-- receiver
 *   sender --claims one--> [ waiting receivers ]  <--lists its memory-- receiver
 *
 * Who comes second claims who came first, moves the message between the two
 * and wakes it: its operation is then through.
 *
 * 1. The message moves after the claim and before the wake: in that time both ends
 *    belong to the claimer (flavour.h 2.), and no lock is held.
 * 2. A party lists its op and looks for partners under one lock, so of two that
 *    look for each other the second one sees the first.
 * 3. `gone` is guarded by the lock; once set, nobody is claimed, and who is
 *    listed later sees it.
 *
 * Edges: none of its own; the lock and the waiter carry all.
 */
#include "channels/flavour.h"

typedef struct rendezvous {
    tr_channel base;
    bool gone; /* one side is */
} rendezvous;

static rendezvous *of(tr_channel *c)
{
    return (rendezvous *)c; /* its first member */
}

/* Claim a partner on that side. NULL: none is there; *ret_gone says if for good. */
static tr_select_op *meet(tr_channel *c, unsigned side, bool *ret_gone)
{
    pthread_mutex_lock(&c->lock);
    *ret_gone = of(c)->gone;
    tr_select_op *partner = *ret_gone ? NULL : tri_claim(c, side);
    pthread_mutex_unlock(&c->lock);
    return partner;
}

static tr_status rendezvous_try_send(tr_channel *c, const void *message)
{
    bool gone;
    tr_select_op *partner = meet(c, TRI_RECEIVERS, &gone);
    if (partner == NULL)
        return gone ? TR_DISCONNECTED : TR_FULL;
    tri_move(partner->message_, message, c->type->size);
    tri_wake(partner, TR_OK);
    return TR_OK;
}

static tr_status rendezvous_try_recv(tr_channel *c, void *ret_message)
{
    bool gone;
    tr_select_op *partner = meet(c, TRI_SENDERS, &gone);
    if (partner == NULL)
        return gone ? TR_DISCONNECTED : TR_EMPTY;
    tri_move(ret_message, partner->message_, c->type->size);
    tri_wake(partner, TR_OK);
    return TR_OK;
}

static bool rendezvous_is_ready(tr_channel *c, const tr_select_op *op)
{
    return of(c)->gone || tri_has_other(c, op->is_send_ ? TRI_RECEIVERS : TRI_SENDERS, op->party_);
}

static void rendezvous_disconnect(tr_channel *c)
{
    pthread_mutex_lock(&c->lock);
    of(c)->gone = true;
    pthread_mutex_unlock(&c->lock);
}

static void rendezvous_discard(tr_channel *c)
{
    (void)c; /* what was not received is still its sender's */
}

static size_t rendezvous_len(const tr_channel *c)
{
    (void)c;
    return 0;
}

static void rendezvous_destroy(tr_channel *c)
{
    tri_channel_fini(c);
    tr_dealloc(c, tr_layout_of(rendezvous));
}

static const tri_flavour flavour = {
    .try_send = rendezvous_try_send,
    .try_recv = rendezvous_try_recv,
    .is_ready = rendezvous_is_ready,
    .disconnect = rendezvous_disconnect,
    .discard = rendezvous_discard,
    .len = rendezvous_len,
    .destroy = rendezvous_destroy,
    .ready_under_lock = true,
};

tr_status tri_rendezvous_create(const tr_type *type, tr_channel **ret_channel)
{
    rendezvous *r = tr_alloc(tr_layout_of(rendezvous));
    if (r == NULL)
        return TR_NOMEM;
    r->gone = false;
    tri_channel_init(&r->base, &flavour, type, 0);
    *ret_channel = &r->base;
    return TR_OK;
}
