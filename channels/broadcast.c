/*
 * broadcast - a ring that a sender overwrites and receivers clone from
 *
 *   cells    [ . ][ c ][ d ][ e ][ b ]      capacity 4, tail 6: the window is
 *              ^ spare                      positions 2 to 5; the cell of 6 is spare
 *
 *   a position's cell is position % (capacity + 1)
 *
 * 1. `sending` is held by one sender at a time and guards the spare cell, which is
 *    the one of position tail.
 * 2. `reading` is held for reading by a receiver from the moment it has seen that
 *    its position is in the window (tail - capacity <= position < tail) until its
 *    clone is done; for writing while tail moves. So when tail has moved no
 *    reader is in the cell that left the window, and it is the next spare one:
 *    its value is dropped without `reading`.
 * 3. tail moves under `reading` held for writing, except for the bit, which the last
 *    sender sets.
 * 4. handles counts senders and receivers; the last one to go destroys.
 *
 * Edges: tail (seq_cst), from send and close to those who wait, see gate.h 2.;
 * senders, handles.
 */
#include <troupe/channels/broadcast.h>

#include "channels/flavour.h"
#include "channels/gate.h"

#include <troupe/mem/panic.h>

#define CLOSED ((uint64_t)1)
#define ONE ((uint64_t)2)

struct tr_broadcast {
    const tr_type *type;
    tr_layout layout;
    size_t first, stride;     /* of the cells */
    uint64_t capacity;
    TR_ATOMIC(uint64_t) tail; /* | position of the next value | closed | */
    pthread_mutex_t sending;
    pthread_rwlock_t reading;
    TR_ATOMIC(uint32_t) senders;
    TR_ATOMIC(uint32_t) receivers;
    TR_ATOMIC(uint32_t) handles;
    tri_gate values;          /* receivers wait for tail */
};

static void *cell(tr_broadcast *b, uint64_t position)
{
    return (char *)b + b->first + (size_t)(position % (b->capacity + 1)) * b->stride;
}

/* The oldest position in the window before tail. */
static uint64_t oldest(const tr_broadcast *b, uint64_t tail)
{
    return tail > b->capacity ? tail - b->capacity : 0;
}

/* -- life ------------------------------------------------------------------------------- */

static void init_locks(tr_broadcast *b)
{
    pthread_rwlockattr_t attributes;
    (void)pthread_rwlockattr_init(&attributes);
    /* receivers that overlap for ever must not keep a send out */
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&b->reading, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    (void)pthread_mutex_init(&b->sending, NULL);
    tri_gate_init(&b->values);
}

tr_status tr_broadcast_create(const tr_type *type, size_t capacity, tr_broadcast **ret_broadcast)
{
    if (!tr_type_is_send(type) || !tr_type_is_share(type))
        tr_panic("%s must not be seen by several threads, so there is no broadcast of it",
                 type->name);
    if (capacity == 0)
        return TR_INVALID;
    if (capacity == SIZE_MAX)
        return TR_LAYOUT;
    const tr_layout value = { .size = type->size, .align = type->align };
    tr_layout cells, layout;
    size_t first;
    tr_status s = tr_layout_array(value, capacity + 1, &cells);
    if (s == TR_OK)
        s = tr_layout_extend(tr_layout_of(tr_broadcast), cells, &layout, &first);
    if (s != TR_OK)
        return s;
    tr_broadcast *b = tr_alloc(layout);
    if (b == NULL)
        return TR_NOMEM;
    *b = (tr_broadcast){ .type = type, .layout = layout, .first = first, .stride = type->size,
                         .capacity = capacity };
    init_locks(b);
    tr_atomic_init(&b->senders, 1);
    tr_atomic_init(&b->receivers, 1);
    tr_atomic_init(&b->handles, 2);
    *ret_broadcast = b;
    return TR_OK;
}

static void free_broadcast(tr_broadcast **broadcast)
{
    tr_broadcast *b = *broadcast;
    tri_gate_fini(&b->values);
    (void)pthread_mutex_destroy(&b->sending);
    (void)pthread_rwlock_destroy(&b->reading);
    tr_dealloc(b, b->layout);
}

/* What is left of the window, oldest first; where a drop panics the rest follows
 * while it unwinds. */
struct leftover {
    tr_broadcast *b;
    uint64_t next, tail;
};

static void drop_leftover(struct leftover *l)
{
    while (l->next != l->tail)
        tri_drop_value(l->b->type, cell(l->b, l->next++));
}

static void drop_handle(tr_broadcast *broadcast)
{
    /* edge handles (acq_rel): with itself, of the other handles; carries all they did */
    if (tr_fetch_sub_acq_rel(&broadcast->handles, 1) != 1)
        return;
    __attribute__((cleanup(free_broadcast))) tr_broadcast *b = broadcast;
    const uint64_t tail = tr_load_relaxed(&b->tail) / ONE; /* relaxed: nobody else is left */
    __attribute__((cleanup(drop_leftover))) struct leftover all = { b, oldest(b, tail), tail };
    drop_leftover(&all);
}

tr_broadcast *tr_broadcast_add_sender(tr_broadcast *b)
{
    /* relaxed: the caller's handle keeps the broadcast; the new one travels to another
     * thread by means that order it */
    tri_check_handles(tr_fetch_add_relaxed(&b->handles, 1));
    tr_fetch_add_relaxed(&b->senders, 1); /* relaxed: as above */
    return b;
}

uint64_t tr_broadcast_add_receiver(tr_broadcast *b)
{
    tri_check_handles(tr_fetch_add_relaxed(&b->handles, 1)); /* relaxed: as in add_sender */
    tr_fetch_add_relaxed(&b->receivers, 1);                  /* relaxed: as in add_sender */
    /* edge tail (acquire): with send; the receiver starts here */
    return tr_load_acquire(&b->tail) / ONE;
}

void tr_broadcast_drop_sender(tr_broadcast **broadcast)
{
    tr_broadcast *b = *broadcast;
    *broadcast = NULL;
    if (b == NULL)
        return;
    /* edge senders (acq_rel): with itself, of the other senders; their sends come
     * before the bit */
    if (tr_fetch_sub_acq_rel(&b->senders, 1) == 1) {
        /* edge tail (seq_cst): with may_go_on; before the hint is read */
        tr_fetch_or_seq_cst(&b->tail, CLOSED);
        tri_gate_open(&b->values);
    }
    drop_handle(b);
}

void tr_broadcast_drop_receiver(tr_broadcast **broadcast)
{
    tr_broadcast *b = *broadcast;
    *broadcast = NULL;
    if (b == NULL)
        return;
    tr_fetch_sub_relaxed(&b->receivers, 1); /* relaxed: a count; handles orders the end */
    drop_handle(b);
}

/* -- send -------------------------------------------------------------------------------- */

static void unlock(pthread_mutex_t **lock)
{
    (void)pthread_mutex_unlock(*lock);
}

tr_status tr_broadcast_send(tr_broadcast *b, const void *value)
{
    if (tr_broadcast_receivers(b) == 0)
        return TR_DISCONNECTED;
    pthread_mutex_lock(&b->sending);
    __attribute__((cleanup(unlock), unused)) pthread_mutex_t *locked = &b->sending;
    const uint64_t at = tr_load_relaxed(&b->tail) / ONE; /* relaxed: under `sending` */
    tri_move(cell(b, at), value, b->type->size);
    pthread_rwlock_wrlock(&b->reading);
    /* edge tail (seq_cst): with may_go_on and add_receiver; before the hint is read */
    tr_fetch_add_seq_cst(&b->tail, ONE);
    pthread_rwlock_unlock(&b->reading);
    tri_gate_open(&b->values);
    if (at >= b->capacity)
        tri_drop_value(b->type, cell(b, at + 1)); /* 2.: the spare one now */
    return TR_OK;
}

size_t tr_broadcast_receivers(const tr_broadcast *b)
{
    return tr_load_relaxed(&b->receivers); /* relaxed: a snapshot */
}

/* -- receive ------------------------------------------------------------------------------ */

static void stop_reading(pthread_rwlock_t **lock)
{
    (void)pthread_rwlock_unlock(*lock);
}

static tr_status clone_value(const tr_type *type, void *copy, const void *value)
{
    if (type->clone != NULL)
        return type->clone(copy, value);
    tri_move(copy, value, type->size);
    return TR_OK;
}

tr_status tr_broadcast_try_recv(tr_broadcast *b, uint64_t *next, uint64_t *ret_lagged,
                                void *ret_value)
{
    pthread_rwlock_rdlock(&b->reading);
    __attribute__((cleanup(stop_reading), unused)) pthread_rwlock_t *locked = &b->reading;
    /* edge tail (acquire): with drop_sender; with the bit, all that was sent. The
     * positions come by the lock */
    const uint64_t word = tr_load_acquire(&b->tail);
    const uint64_t tail = word / ONE;
    if (*next == tail)
        return (word & CLOSED) != 0 ? TR_DISCONNECTED : TR_EMPTY;
    if (*next < oldest(b, tail)) {
        *ret_lagged = oldest(b, tail) - *next;
        *next = oldest(b, tail);
        return TR_LAGGED;
    }
    const tr_status s = clone_value(b->type, ret_value, cell(b, *next));
    if (s == TR_OK)
        ++*next;
    return s;
}

struct waiting_for {
    const tr_broadcast *broadcast;
    uint64_t next;
};

static bool may_go_on(const void *arg)
{
    const struct waiting_for *f = arg;
    /* edge tail (seq_cst): with send and drop_sender; after the hint is set */
    const uint64_t word = tr_load_seq_cst(&f->broadcast->tail);
    return (word & CLOSED) != 0 || word / ONE != f->next;
}

tr_status tr_broadcast_recv_until(tr_broadcast *b, uint64_t *next, uint64_t deadline,
                                  uint64_t *ret_lagged, void *ret_value)
{
    const struct waiting_for until = { .broadcast = b, .next = *next };
    const tr_status s = tri_gate_wait(&b->values, may_go_on, &until, deadline);
    return s == TR_OK ? tr_broadcast_try_recv(b, next, ret_lagged, ret_value) : s;
}

uint64_t tr_broadcast_len(const tr_broadcast *b, uint64_t next)
{
    return tr_load_relaxed(&b->tail) / ONE - next; /* relaxed: a snapshot */
}
