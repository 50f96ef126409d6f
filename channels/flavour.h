/*
 * flavour - what all channels share, and what each kind brings; private
 *
 *   channel.c   handles, counts, the calls          select.c   the one that waits
 *        \                                             /
 *         tri_flavour: try_send, try_recv, enlist, ...
 *        /              |              |            \
 *   unbounded.c     bounded.c     rendezvous.c     timed.c
 *
 * A party that cannot go on lists an operation in each channel it waits for
 * and sleeps. Who makes an operation possible claims a listed one and wakes
 * its party:
 *
 *   party  chosen: 0 (waiting) --CAS--> an op     by the one who claims it
 *                              \-CAS--> WITHDRAWN by the party: timeout, or it saw
 *                                       after listing that something is ready
 *
 * 1. An op is in a list of its channel only between its party's tri_enlist and
 *    tri_delist, and lists are read and written under the channel's lock. So
 *    whoever holds the lock may use the op and the party of what is listed.
 * 2. chosen leaves 0 once. Who made it an op takes that op out of the list,
 *    owes one wake, and owns op and party until then; the party, which finds that
 *    it cannot withdraw, waits for that wake however late.
 * 3. No wake is lost: the party raises the hint, then looks if its operation is
 *    possible; the other side makes it possible, then looks at the hint. All four
 *    are seq_cst (edge hint), so one of them sees the other.
 * 4. A claimed op is tried before anything else its party waits for: so room
 *    that a wake stands for is taken, or someone else has taken it already, and
 *    it is never left with others asleep.
 */
#ifndef TROUPE_CHANNELS_FLAVOUR_PRIVATE_H
#define TROUPE_CHANNELS_FLAVOUR_PRIVATE_H

#include <troupe/channels/channel.h>
#include <troupe/channels/waiter.h>
#include <troupe/mem/allocator.h>
#include <troupe/mem/atomic.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

/* -- those who wait ------------------------------------------------------------------ */

#define TRI_WITHDRAWN ((uintptr_t)1)

/* On the stack of the call that waits. */
typedef struct tri_party {
    TR_ATOMIC(uintptr_t) chosen; /* 0, TRI_WITHDRAWN, or the tr_select_op */
    tr_waiter *waiter;
} tri_party;

typedef struct tri_waiting {
    tr_select_op *first;
    tr_select_op *last;
} tri_waiting;

enum { TRI_RECEIVERS = 0, TRI_SENDERS = 1 }; /* == is_send_ */

/* -- the channel ----------------------------------------------------------------------- */

typedef struct tri_flavour {
    /* Never waits for the other side; TR_FULL, TR_EMPTY as the public calls. */
    tr_status (*try_send)(tr_channel *c, const void *message);
    tr_status (*try_recv)(tr_channel *c, void *ret_message);
    /* Could op run now? seq_cst, called with op listed (3.). */
    bool (*is_ready)(tr_channel *c, const tr_select_op *op);
    /* When that side may come true by time alone; NULL: never. */
    uint64_t (*due)(const tr_channel *c);
    /* The last of that side is gone: no more sends succeed. */
    void (*disconnect)(tr_channel *c);
    /* Drop what is queued; the receiver's, after disconnect. */
    void (*discard)(tr_channel *c);
    size_t (*len)(const tr_channel *c);
    void (*destroy)(tr_channel *c); /* NULL: it is always there, and not counted */
    /* A rendezvous pairs under the lock; is_ready is asked there too. */
    bool ready_under_lock;
    /* Nobody can make its operations possible: they are not listed. */
    bool unlisted;
} tri_flavour;

struct tr_channel {
    /* constant */
    const tri_flavour *flavour;
    const tr_type *type;
    size_t capacity;
    /* rarely written: is anybody listed? By TRI_RECEIVERS, TRI_SENDERS */
    TR_ATOMIC(uint32_t) hint[2];
    /* on the slow path only */
    TR_CACHE_ALIGNED pthread_mutex_t lock;
    tri_waiting waiting[2];
    TR_ATOMIC(uint32_t) senders;
    TR_ATOMIC(uint32_t) sides; /* that still have a handle, and weak senders */
};

/* Fill in a new channel with one sender and one receiver. */
void tri_channel_init(tr_channel *c, const tri_flavour *flavour, const tr_type *type,
                      size_t capacity);
void tri_channel_fini(tr_channel *c);

tr_status tri_unbounded_create(const tr_type *type, tr_channel **ret_channel);
tr_status tri_bounded_create(const tr_type *type, size_t capacity, tr_channel **ret_channel);
tr_status tri_rendezvous_create(const tr_type *type, tr_channel **ret_channel);

/* -- waiting: wait.c --------------------------------------------------------------------- */

/* List op for its party; true: it could run now. tri_delist undoes it in any
 * case and may be called for an op that was claimed. */
bool tri_enlist(tr_select_op *op, tri_party *party);
void tri_delist(tr_select_op *op);

/* With the lock held: claim the first party on that side and take it out. NULL:
 * there is none. The caller owes it tri_wake, without the lock. */
tr_select_op *tri_claim(tr_channel *c, unsigned side);
/* With the lock held: is anybody but `party` there to claim? */
bool tri_has_other(const tr_channel *c, unsigned side, const tri_party *party);
/* TR_BUSY: try again; else the op's result. op is not to be touched any more. */
void tri_wake(tr_select_op *op, tr_status result);
/* Claim and wake all of a side. */
void tri_wake_all(tr_channel *c, unsigned side, tr_status result);
void tri_wake_one(tr_channel *c, unsigned side);

/* The caller has made an operation of that side possible: wake one party. */
static inline void tri_notify(tr_channel *c, unsigned side)
{
    /* edge hint (seq_cst): with set_hint in wait.c, see 3. */
    if (TR_UNLIKELY(tr_load_seq_cst(&c->hint[side]) != 0))
        tri_wake_one(c, side);
}

/* Try op once: TR_FULL or TR_EMPTY when it cannot run. */
static inline tr_status tri_attempt(const tr_select_op *op)
{
    const tri_flavour *flavour = op->channel_->flavour;
    return op->is_send_ ? flavour->try_send(op->channel_, op->message_)
                        : flavour->try_recv(op->channel_, op->message_);
}

static inline bool tri_cannot(tr_status status)
{
    return status == TR_FULL || status == TR_EMPTY;
}

/* -- spinning ------------------------------------------------------------------------------ */

#define TRI_SPINS 6u
#define TRI_YIELDS 4u

/* For what another thread is about to do: longer from call to call, then by
 * giving the processor away. */
static inline void tri_spin(unsigned *round)
{
    if (*round < TRI_SPINS) {
        for (unsigned i = 1u << *round; i > 0; i--)
            tr_cpu_relax();
        ++*round;
    } else {
        (void)sched_yield();
    }
}

/* Called by who adds a handle, with the count before: above INT32_MAX it aborts, as
 * an Arc does; 2^31 more would have to come before the count wraps. */
void tri_check_handles(uint32_t before);

/* -- slots ----------------------------------------------------------------------------------- */

/* How slots of {a word of state, a value} follow each other behind a header. */
typedef struct tri_slots {
    size_t first;  /* offset of slot 0 in its block */
    size_t stride; /* from slot to slot */
    size_t value;  /* offset of the value in its slot */
    size_t size;   /* of the value */
} tri_slots;

/* n slots behind a header; TR_LAYOUT when there can be no such block. */
tr_status tri_slots_plan(tri_slots *slots, const tr_type *type, tr_layout header, tr_layout state,
                         size_t n, tr_layout *ret_block);

static inline void *tri_slot(const tri_slots *slots, void *block, size_t index)
{
    return (char *)block + slots->first + index * slots->stride;
}

/* Move a value. The sizes of most messages are moved in place. */
static inline void tri_move(void *to, const void *from, size_t size)
{
    if (size == 8)
        memcpy(to, from, 8);
    else if (size == 16)
        memcpy(to, from, 16);
    else if (size == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, size);
}

/* Drop a value in place, if its type wants it. */
static inline void tri_drop_value(const tr_type *type, void *value)
{
    if (type->drop != NULL)
        type->drop(value);
}

#endif
