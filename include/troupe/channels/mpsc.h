/*
 * mpsc - the queue under a mailbox: many producers, one consumer, and whose
 *        turn it is to wake whom
 *
 *   producers --push--> tail -> [ d ] <- [ c ] <- [ b ] <- [ a ] <- position
 *                               newest                     consumer took it last
 *
 * Intrusive: the node sits inside the message. The tail carries a tag, IDLE,
 * that says that the consumer has gone; the push that finds it must send the
 * consumer back to work, and exactly one push finds it. So emptiness comes out
 * of the same exchange as the push. The queue itself holds a stub node, so an
 * empty one owns no memory.
 *
 * Use it for a mailbox. It is the bare protocol; for a channel with senders,
 * receivers and disconnection build on it.
 *
 * Threads            push  next/idle/detach      x: the caller keeps them apart
 *          push       -     -                    -: any two threads, any time
 *          next ...   -     x
 * Progress push is wait-free: one exchange and one store. next never waits;
 *          while a producer is stopped half-way through push it answers TR_BUSY.
 * Order    what a thread did before push(m) is visible after next returns m;
 *          messages of one producer come out in the order it pushed them. What
 *          the consumer did before tr_mpsc_idle is visible to the one that
 *          follows it.
 * Memory   never allocates. A node may be freed by the consumer once it has its
 *          successor from tr_mpsc_next, or once idle or detach answered true.
 *
 * The consumer, with its position in a local variable:
 *
 *     at = &q->stub (or where it left off)
 *     for (;;) switch (tr_mpsc_next(q, at, &next)) {
 *     case TR_OK:    free at unless it is the stub; at = next; handle it
 *     case TR_BUSY:  try again soon, do NOT sleep
 *     case TR_EMPTY: if (tr_mpsc_idle(q, at)) { free at; leave: the queue is no
 *                    longer ours until a push answers true }
 *     }
 *
 * The tagged tail is Pony's (its message queue, with an allocated stub there).
 */
#ifndef TROUPE_CHANNELS_MPSC_H
#define TROUPE_CHANNELS_MPSC_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_mpsc_node tr_mpsc_node;
struct tr_mpsc_node {
    TR_ATOMIC(tr_mpsc_node *) next; /* towards the newest; written by the producer behind */
};

typedef struct tr_mpsc {
    TR_ATOMIC(uintptr_t) tail; /* the newest node, or the stub; | TR_MPSC_IDLE_ */
    tr_mpsc_node stub;
} tr_mpsc;

#define TR_MPSC_IDLE_ ((uintptr_t)1)

/* Empty and idle: the first push answers true. */
static inline void tr_mpsc_init(tr_mpsc *q)
{
    tr_atomic_init(&q->stub.next, (tr_mpsc_node *)NULL);
    tr_atomic_init(&q->tail, (uintptr_t)&q->stub | TR_MPSC_IDLE_);
}

/* Empty, but the consumer is considered to be there: no push will answer true
 * until the consumer has called tr_mpsc_idle. */
static inline void tr_mpsc_init_awake(tr_mpsc *q)
{
    tr_atomic_init(&q->stub.next, (tr_mpsc_node *)NULL);
    tr_atomic_init(&q->tail, (uintptr_t)&q->stub);
}

/*
 * Append the chain first ... last, linked through next (one node: first ==
 * last). The queue owns the nodes. True: the consumer was idle, and the caller
 * must put it to work; nobody else will.
 */
static inline bool tr_mpsc_push_chain(tr_mpsc *q, tr_mpsc_node *first, tr_mpsc_node *last)
{
    /* relaxed: published by the exchange below */
    tr_store_relaxed(&last->next, (tr_mpsc_node *)NULL);
    /* edge mpsc-tail (acq_rel): with the exchange of the next producer, which
     * writes last->next, and with the CAS in tr_mpsc_idle: taking IDLE away
     * acquires the consumer's last turn */
    uintptr_t before = tr_swap_acq_rel(&q->tail, (uintptr_t)last);
    tr_mpsc_node *previous = (tr_mpsc_node *)(before & ~TR_MPSC_IDLE_);
    /* edge mpsc-next (release): with tr_mpsc_next; carries the message */
    tr_store_release(&previous->next, first);
    return (before & TR_MPSC_IDLE_) != 0;
}

/* One node: tr_mpsc_push_chain with first and last the same. */
static inline bool tr_mpsc_push(tr_mpsc *q, tr_mpsc_node *node)
{
    return tr_mpsc_push_chain(q, node, node);
}

/*
 * The node behind `at`, the consumer's position (the stub, or the node it took
 * last).
 * TR_EMPTY: `at` is the newest; tr_mpsc_idle may be tried.
 * TR_BUSY:  a push is half done; try again, do not sleep.
 */
static inline tr_status tr_mpsc_next(tr_mpsc *q, tr_mpsc_node *at, tr_mpsc_node **ret_node)
{
    /* edge mpsc-next (acquire): with tr_mpsc_push_chain; carries the message */
    tr_mpsc_node *next = tr_load_acquire(&at->next);
    if (TR_LIKELY(next != NULL)) {
        *ret_node = next;
        return TR_OK;
    }
    /* edge mpsc-tail (acquire): with tr_mpsc_push_chain; only compared */
    return tr_load_acquire(&q->tail) == (uintptr_t)at ? TR_EMPTY : TR_BUSY;
}

/* Put the stub back where `at`, the newest node, is. Both forms below. */
static inline bool tr_mpsc_leave_(tr_mpsc *q, tr_mpsc_node *at, uintptr_t tag)
{
    if (at != &q->stub)
        /* relaxed: only the consumer reads it until the CAS publishes the stub */
        tr_store_relaxed(&q->stub.next, (tr_mpsc_node *)NULL);
    uintptr_t expected = (uintptr_t)at;
    /* edge mpsc-tail (acq_rel): with the exchange of the producer that finds
     * IDLE; hands it all that the consumer did */
    return tr_cas_acq_rel(&q->tail, &expected, (uintptr_t)&q->stub | tag);
}

/*
 * Declare the queue empty and the consumer gone. True: done; the caller no
 * longer is the consumer, owns `at` (unless it is the stub), and starts at the
 * stub next time. False: more has come; nothing changed.
 */
static inline bool tr_mpsc_idle(tr_mpsc *q, tr_mpsc_node *at)
{
    return tr_mpsc_leave_(q, at, TR_MPSC_IDLE_);
}

/*
 * Give the newest node `at` back to the consumer while it stays the consumer:
 * true: `at` is the caller's and the position is the stub. False: more has come.
 * A push that comes after it acquires what the consumer did before.
 */
static inline bool tr_mpsc_detach(tr_mpsc *q, tr_mpsc_node *at)
{
    return tr_mpsc_leave_(q, at, 0);
}

/* Is the consumer gone? A snapshot, for statistics and assertions. */
static inline bool tr_mpsc_is_idle(tr_mpsc *q)
{
    /* relaxed: a hint */
    return (tr_load_relaxed(&q->tail) & TR_MPSC_IDLE_) != 0;
}

TR_END_DECLS

#endif
