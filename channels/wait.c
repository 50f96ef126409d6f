/*
 * wait - the lists of those who wait at a channel, and who wakes them
 *
 *   c->waiting[side]   first -> op -> op -> last       under c->lock
 *   c->hint[side]      1 while the list is not empty   read without it
 *
 * flavour.h has the protocol and its invariants.
 *
 * Edges: hint (seq_cst), from and to both sides of a channel, see 3. there. What
 * an op and a party hold is handed over by the lock and by the waiter.
 */
#include "channels/flavour.h"

/* -- lists, with the lock held ---------------------------------------------------------- */

static void set_hint(tr_channel *c, unsigned side)
{
    /* edge hint (seq_cst): with tri_notify */
    tr_store_seq_cst(&c->hint[side], c->waiting[side].first != NULL ? 1 : 0);
}

static void append(tr_channel *c, tr_select_op *op)
{
    tri_waiting *list = &c->waiting[op->is_send_];
    op->next_ = NULL;
    op->previous_ = list->last;
    if (list->last != NULL)
        list->last->next_ = op;
    else
        list->first = op;
    list->last = op;
    op->listed_ = true;
    set_hint(c, op->is_send_);
}

static void take_out(tr_channel *c, tr_select_op *op)
{
    tri_waiting *list = &c->waiting[op->is_send_];
    if (op->previous_ != NULL)
        op->previous_->next_ = op->next_;
    else
        list->first = op->next_;
    if (op->next_ != NULL)
        op->next_->previous_ = op->previous_;
    else
        list->last = op->previous_;
    op->listed_ = false;
    set_hint(c, op->is_send_);
}

tr_select_op *tri_claim(tr_channel *c, unsigned side)
{
    for (tr_select_op *op = c->waiting[side].first; op != NULL; op = op->next_) {
        uintptr_t waiting = 0;
        /* relaxed: it only decides who; the lock has handed us the op, the wake
         * will hand back what we do to it */
        if (tr_cas_relaxed(&op->party_->chosen, &waiting, (uintptr_t)op)) {
            take_out(c, op);
            return op;
        }
    }
    return NULL;
}

bool tri_has_other(const tr_channel *c, unsigned side, const tri_party *party)
{
    for (const tr_select_op *op = c->waiting[side].first; op != NULL; op = op->next_)
        /* relaxed: asked again by tri_claim */
        if (op->party_ != party && tr_load_relaxed(&op->party_->chosen) == 0)
            return true;
    return false;
}

/* -- those who wait ---------------------------------------------------------------------- */

bool tri_enlist(tr_select_op *op, tri_party *party)
{
    tr_channel *c = op->channel_;
    if (c->flavour->unlisted)
        return c->flavour->is_ready(c, op);
    op->party_ = party;
    pthread_mutex_lock(&c->lock);
    append(c, op);
    bool ready = c->flavour->ready_under_lock && c->flavour->is_ready(c, op);
    pthread_mutex_unlock(&c->lock);
    return ready || (!c->flavour->ready_under_lock && c->flavour->is_ready(c, op));
}

void tri_delist(tr_select_op *op)
{
    tr_channel *c = op->channel_;
    if (c->flavour->unlisted)
        return;
    pthread_mutex_lock(&c->lock);
    if (op->listed_)
        take_out(c, op);
    pthread_mutex_unlock(&c->lock);
}

/* -- those who wake ---------------------------------------------------------------------- */

void tri_wake(tr_select_op *op, tr_status result)
{
    tr_waiter *waiter = op->party_->waiter;
    op->status = result;
    tr_waiter_wake(waiter);
}

void tri_wake_one(tr_channel *c, unsigned side)
{
    pthread_mutex_lock(&c->lock);
    tr_select_op *op = tri_claim(c, side);
    pthread_mutex_unlock(&c->lock);
    if (op != NULL)
        tri_wake(op, TR_BUSY);
}

void tri_wake_all(tr_channel *c, unsigned side, tr_status result)
{
    tr_select_op *claimed = NULL;
    pthread_mutex_lock(&c->lock);
    for (tr_select_op *op; (op = tri_claim(c, side)) != NULL; claimed = op)
        op->next_ = claimed; /* out of the list: the link is ours */
    pthread_mutex_unlock(&c->lock);
    for (tr_select_op *op = claimed, *next; op != NULL; op = next) {
        next = op->next_;
        tri_wake(op, result);
    }
}
