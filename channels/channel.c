/*
 * channel - handles and counts, and the calls that go to a channel's flavour
 *
 *   sender  --+
 *   sender  --+-- tr_channel --> flavour        sides: one for all senders, one for
 *   receiver -+      |                          the receiver, one for each weak sender
 *   weak sender - - -+
 *
 * 1. The last sender disconnects, and then gives up the senders' side; the
 *    receiver disconnects, discards, and gives up its own. Who gives up the last
 *    side destroys the channel, and nobody can reach it any more.
 * 2. A handle is alive during each call on it, so the channel is too, also while
 *    the call wakes others.
 *
 * 3. senders never goes from 0 to 1: once the senders are gone they stay so.
 *
 * Edges: senders (acq_rel), among the senders that go; sides (acq_rel), from the
 * side that goes first to the one that destroys.
 */
#include "channels/flavour.h"

#include <stdio.h>
#include <stdlib.h>
#include <troupe/mem/panic.h>


/* -- life ------------------------------------------------------------------------------- */

void tri_channel_init(tr_channel *c, const tri_flavour *flavour, const tr_type *type,
                      size_t capacity)
{
    *c = (tr_channel){ .flavour = flavour, .type = type, .capacity = capacity };
    tr_atomic_init(&c->senders, 1);
    tr_atomic_init(&c->sides, 2);
    (void)pthread_mutex_init(&c->lock, NULL); /* cannot fail without attributes */
}

void tri_channel_fini(tr_channel *c)
{
    (void)pthread_mutex_destroy(&c->lock);
}

tr_status tri_slots_plan(tri_slots *slots, const tr_type *type, tr_layout header, tr_layout state,
                         size_t n, tr_layout *ret_block)
{
    const tr_layout value = { .size = type->size, .align = type->align };
    tr_layout slot, all;
    size_t offset, first;
    tr_status s = tr_layout_extend(state, value, &slot, &offset);
    if (s != TR_OK)
        return s;
    slot = tr_layout_pad_to_align(slot);
    s = tr_layout_array(slot, n, &all);
    if (s == TR_OK)
        s = tr_layout_extend(header, all, ret_block, &first);
    if (s != TR_OK)
        return s;
    *slots = (tri_slots){
        .first = first, .stride = slot.size, .value = offset, .size = type->size
    };
    return TR_OK;
}

tr_status tr_channel_create(const tr_type *type, size_t capacity, tr_channel **ret_channel)
{
    if (!tr_type_is_send(type))
        tr_panic("%s must not cross threads, so there is no channel of it", type->name);
    if (capacity == TR_UNBOUNDED)
        return tri_unbounded_create(type, ret_channel);
    if (capacity == 0)
        return tri_rendezvous_create(type, ret_channel);
    return tri_bounded_create(type, capacity, ret_channel);
}

/* The last step of a side, also when the drop of a discarded message panics. */
static void leave(tr_channel **channel)
{
    tr_channel *c = *channel;
    /* edge sides (acq_rel): with itself, of the other side; carries all it did */
    if (tr_fetch_sub_acq_rel(&c->sides, 1) == 1)
        c->flavour->destroy(c);
}

void tri_check_handles(uint32_t before)
{
    if (TR_LIKELY(before <= (uint32_t)INT32_MAX))
        return;
    (void)fputs("troupe: too many handles of one channel\n", stderr);
    abort();
}

tr_channel *tr_channel_add_sender(tr_channel *c)
{
    /* relaxed: the caller's sender keeps the channel, and the new one travels
     * to another thread by means that order it */
    tri_check_handles(tr_fetch_add_relaxed(&c->senders, 1));
    return c;
}

void tr_channel_drop_sender(tr_channel **channel)
{
    tr_channel *c = *channel;
    *channel = NULL;
    if (c == NULL)
        return;
    /* edge senders (acq_rel): with itself, of the other senders; what they sent
     * comes before the disconnection */
    if (tr_fetch_sub_acq_rel(&c->senders, 1) != 1)
        return;
    c->flavour->disconnect(c);
    tri_wake_all(c, TRI_RECEIVERS, TR_BUSY);
    leave(&c);
}

void tr_channel_drop_receiver(tr_channel **channel)
{
    tr_channel *dropped = *channel;
    *channel = NULL;
    if (dropped == NULL || dropped->flavour->destroy == NULL)
        return;
    __attribute__((cleanup(leave))) tr_channel *c = dropped;
    c->flavour->disconnect(c);
    tri_wake_all(c, TRI_SENDERS, TR_BUSY);
    c->flavour->discard(c);
}

void tr_channel_close(tr_channel *c)
{
    if (c->flavour->destroy == NULL)
        return; /* never: nobody could send */
    c->flavour->disconnect(c);
    tri_wake_all(c, TRI_SENDERS, TR_BUSY);
}

/* -- weak senders ------------------------------------------------------------------------ */

tr_channel *tr_channel_add_weak(tr_channel *c)
{
    /* relaxed: as in tr_channel_add_sender */
    tri_check_handles(tr_fetch_add_relaxed(&c->sides, 1));
    return c;
}

void tr_channel_drop_weak(tr_channel **channel)
{
    tr_channel *c = *channel;
    *channel = NULL;
    if (c != NULL)
        leave(&c);
}

tr_status tr_channel_upgrade(tr_channel *c)
{
    uint32_t senders = tr_load_relaxed(&c->senders); /* relaxed: the CAS decides */
    do {
        if (senders == 0)
            return TR_DISCONNECTED; /* 3. */
        tri_check_handles(senders);
        /* relaxed: as in tr_channel_add_sender */
    } while (!tr_cas_relaxed(&c->senders, &senders, senders + 1));
    return TR_OK;
}

/* -- send and receive -------------------------------------------------------------------- */

tr_status tr_channel_try_send(tr_channel *c, const void *message)
{
    TR_DCHECK(c != NULL);
    return c->flavour->try_send(c, message);
}

tr_status tr_channel_try_recv(tr_channel *c, void *ret_message)
{
    TR_DCHECK(c != NULL);
    return c->flavour->try_recv(c, ret_message);
}

/* What could not be done at once is a select of one operation. */
static TR_NOINLINE tr_status wait_for(tr_select_op op, uint64_t deadline)
{
    size_t index;
    const tr_status s = tr_select_until(&op, 1, deadline, &index);
    return s == TR_OK ? op.status : s;
}

tr_status tr_channel_send_until(tr_channel *c, const void *message, uint64_t deadline)
{
    TR_DCHECK(c != NULL);
    const tr_status s = c->flavour->try_send(c, message);
    if (TR_LIKELY(s != TR_FULL))
        return s;
    /* The message is only read: send does not write through message_. */
    return wait_for((tr_select_op){ .channel_ = c, .message_ = (void *)(uintptr_t)message,
                                    .is_send_ = true }, deadline);
}

tr_status tr_channel_recv_until(tr_channel *c, uint64_t deadline, void *ret_message)
{
    TR_DCHECK(c != NULL);
    const tr_status s = c->flavour->try_recv(c, ret_message);
    if (TR_LIKELY(s != TR_EMPTY))
        return s;
    return wait_for((tr_select_op){ .channel_ = c, .message_ = ret_message }, deadline);
}

/* -- about it ------------------------------------------------------------------------------ */

size_t tr_channel_len_of(const tr_channel *c)
{
    return c->flavour->len(c);
}

size_t tr_channel_capacity_of(const tr_channel *c)
{
    return c->capacity;
}
