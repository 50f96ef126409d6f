/*
 * timed - after, tick and never
 *
 *   due    when there will be a message; TR_FOREVER when there will be none
 *
 * 1. Only the receiver knows the channel, so one thread at a time uses it and
 *    nothing is atomic.
 * 2. Nobody can make a receive possible but the clock: the receiver is not listed
 *    (tri_flavour.unlisted), it sleeps until due (tri_flavour.due).
 *
 * Edges: none.
 */
#include <troupe/channels/timed.h>

#include "channels/flavour.h"

typedef struct timed {
    tr_channel base;
    uint64_t due;
    uint64_t period; /* TR_FOREVER: once */
} timed;

static timed *of(tr_channel *c)
{
    return (timed *)c; /* its first member */
}

static uint64_t later(uint64_t time, uint64_t duration)
{
    return duration < TR_FOREVER - time ? time + duration : TR_FOREVER;
}

static uint64_t timed_due(const tr_channel *c)
{
    return ((const timed *)c)->due;
}

static size_t timed_len(const tr_channel *c)
{
    const uint64_t due = timed_due(c);
    return due != TR_FOREVER && tr_now() >= due;
}

static tr_status timed_try_recv(tr_channel *c, void *ret_message)
{
    timed *t = of(c);
    if (t->due == TR_FOREVER)
        return TR_EMPTY;
    const uint64_t now = tr_now();
    if (now < t->due)
        return TR_EMPTY;
    memcpy(ret_message, &t->due, sizeof t->due);
    t->due = later(t->due, t->period);
    if (t->due <= now)
        t->due = later(now, t->period);
    return TR_OK;
}

static tr_status timed_try_send(tr_channel *c, const void *message)
{
    (void)c;
    (void)message;
    return TR_DISCONNECTED; /* there is no sender that could ask */
}

static bool timed_is_ready(tr_channel *c, const tr_select_op *op)
{
    (void)op;
    return timed_len(c) == 1;
}

static void timed_nothing(tr_channel *c)
{
    (void)c; /* no sender to tell, nothing queued */
}

static void timed_destroy(tr_channel *c)
{
    tri_channel_fini(c);
    tr_dealloc(c, tr_layout_of(timed));
}

static const tri_flavour flavour = {
    .try_send = timed_try_send,
    .try_recv = timed_try_recv,
    .is_ready = timed_is_ready,
    .due = timed_due,
    .disconnect = timed_nothing,
    .discard = timed_nothing,
    .len = timed_len,
    .destroy = timed_destroy,
    .unlisted = true,
};

static tr_status timed_create(uint64_t delay, uint64_t period, tr_time_receiver *ret_receiver)
{
    timed *t = tr_alloc(tr_layout_of(timed));
    if (t == NULL)
        return TR_NOMEM;
    tri_channel_init(&t->base, &flavour, tr_type_of(uint64_t), 1);
    tr_atomic_init(&t->base.senders, 0);
    tr_atomic_init(&t->base.sides, 1);
    t->due = later(tr_now(), delay);
    t->period = period;
    ret_receiver->channel_ = &t->base;
    return TR_OK;
}

tr_status tr_after(uint64_t duration, tr_time_receiver *ret_receiver)
{
    return timed_create(duration, TR_FOREVER, ret_receiver);
}

tr_status tr_tick(uint64_t period, tr_time_receiver *ret_receiver)
{
    return timed_create(period, period, ret_receiver);
}

/* -- never ------------------------------------------------------------------------------- */

static tr_status never_try_recv(tr_channel *c, void *ret_message)
{
    (void)c;
    (void)ret_message;
    return TR_EMPTY;
}

static bool never_is_ready(tr_channel *c, const tr_select_op *op)
{
    (void)c;
    (void)op;
    return false;
}

static size_t never_len(const tr_channel *c)
{
    (void)c;
    return 0;
}

static const tri_flavour never_flavour = {
    .try_send = timed_try_send,
    .try_recv = never_try_recv,
    .is_ready = never_is_ready,
    .len = never_len,
    .unlisted = true,
};

tr_channel *tr_channel_never(void)
{
    static tr_channel never = { .flavour = &never_flavour };
    return &never;
}
