/*
 * actor_block - an actor in memory: 256 bytes in a slot of its own
 *
 *     line 0   what a sender touches       mailbox, pid, bounds
 *     line 1   what its worker touches     behaviour, state, where it left off
 *     line 2,3 the state, when it fits     up to 128 bytes
 *
 * A sender on another core writes line 0 only, so that the worker keeps line 1
 * to itself; the one word in line 1 that others write, control, is written when
 * the actor is stopped.
 */
#ifndef RUNTIME_ACTOR_BLOCK_H
#define RUNTIME_ACTOR_BLOCK_H

#include "mem/rcu.h"
#include "runtime/message.h"

#include <troupe/mem/panic.h>

#include <urcu/wfcqueue.h>

#define TRI_INLINE_STATE 128u

/* The state of an actor that lives, as bits of control. */
enum {
    TRI_CONTROL_NEW = 1u << 0,  /* its start hook has not run */
    TRI_CONTROL_STOP = 1u << 1, /* it ends before its next message */
};

typedef struct tri_actor tri_actor;
struct tri_actor {
    /* -- line 0: senders ------------------------------------------------- */
    tr_mpsc mailbox;
    TR_ATOMIC(uint64_t) pid;    /* bits of the live actor's pid; 0: nobody lives here */
    TR_ATOMIC(uint64_t) pushed; /* ever reserved by senders: messages << 32 | payload bytes */
    TR_ATOMIC(uint64_t) floor;  /* some earlier value of consumed, noted by senders */
    uint64_t limit;             /* of pushed - consumed; constant while it lives */
    tr_mpsc_node stop_note;     /* the one message that tr_stop needs */
    unsigned pin;               /* worker + 1, or 0; constant while it lives */
    uint32_t index;             /* of the slot; constant for ever once used */

    /* -- line 1: the worker that runs it ---------------------------------- */
    TR_CACHE_ALIGNED TR_ATOMIC(const tr_behaviour *) behaviour; /* read by statistics */
    void *state;               /* inline_state, or a block of its own */
    tr_mpsc_node *position;    /* the mailbox node taken last; between turns only */
    union {
        tri_actor *next;                 /* in a run queue, limbo, free list */
        struct cds_wfcq_node inject_node; /* in the injection queue */
    } link;
    tri_answer *watchers;      /* told when it ends */
    TR_ATOMIC(uint64_t) consumed; /* ever taken by handlers, as pushed; written by its worker */
    TR_ATOMIC(uint32_t) control;
    uint32_t generation;       /* of the next actor in this slot */
    uint32_t turn;             /* smoothed length of a turn, ns; 0: short */
    int32_t debt;              /* what its last turn took beyond its budget */

    /* -- lines 2 and 3 ----------------------------------------------------- */
    union {
        TR_CACHE_ALIGNED unsigned char inline_state[TRI_INLINE_STATE];
        struct {
            tri_rcu_head head; /* of a limbo batch, kept in its first dead actor */
            tri_actor *next_batch;
            struct tri_worker *owner;
        } limbo;
        tri_actor *next_segment; /* of free slots, kept in its first */
    };
};

_Static_assert(sizeof(tri_actor) == 256, "an idle actor takes 256 bytes");

/* Is the node one of the two that lie in the actor itself? */
static inline bool tri_actor_owns_node(const tri_actor *actor, const tr_mpsc_node *node)
{
    return (uintptr_t)node - (uintptr_t)actor < sizeof *actor;
}

static inline const tr_behaviour *tri_actor_behaviour(tri_actor *actor)
{
    /* relaxed: its own worker reads it; spawn's publication carries it */
    return tr_load_relaxed(&actor->behaviour);
}

/*
 * Bounds. A mailbox holds pushed - consumed, messages and bytes at once: both
 * words are sums of the same costs, so their difference is exact although the
 * low half runs over into the high one. Senders add to pushed; the worker alone
 * writes consumed, in its own line. A sender compares with floor, an old value
 * of consumed in the senders' line, and looks at consumed itself only when floor
 * no longer suffices: once in as many messages as the mailbox has room for.
 */
#define TRI_ONE_MESSAGE ((uint64_t)1 << 32)

/* A sender that was interrupted between its addition and its look at consumed
 * may find more consumed than it added to: then there was nothing before it. */
static inline bool tri_fits(uint64_t before, uint64_t consumed, size_t size, uint64_t limit)
{
    uint64_t queued = (int64_t)(before - consumed) > 0 ? before - consumed : 0;
    return queued >> 32 < limit >> 32 && (uint32_t)queued + size <= (uint32_t)limit;
}

/* floor did not suffice: look how far the actor is. */
static inline tr_status tri_mailbox_reserve_slow(tri_actor *actor, uint64_t before, size_t size)
{
    /* relaxed: an older value refuses or looks again, never overfills */
    uint64_t consumed = tr_load_relaxed(&actor->consumed);
    /* relaxed: any earlier value of consumed is a valid floor */
    tr_store_relaxed(&actor->floor, consumed);
    if (tri_fits(before, consumed, size, actor->limit))
        return TR_OK;
    /* relaxed: undone; as in reserve */
    tr_fetch_sub_relaxed(&actor->pushed, TRI_ONE_MESSAGE | size);
    return size > (uint32_t)actor->limit ? TR_INVALID : TR_FULL;
}

/*
 * Take room for one message of `size` bytes. TR_FULL: there is none now;
 * TR_INVALID: it is larger than the whole mailbox may be.
 */
static inline tr_status tri_mailbox_reserve(tri_actor *actor, size_t size)
{
    /* relaxed: a count orders nothing; the message itself is published by its push */
    uint64_t before = tr_fetch_add_relaxed(&actor->pushed, TRI_ONE_MESSAGE | size);
    /* relaxed: see tri_mailbox_reserve_slow */
    if (TR_LIKELY(tri_fits(before, tr_load_relaxed(&actor->floor), size, actor->limit)))
        return TR_OK;
    return tri_mailbox_reserve_slow(actor, before, size);
}

/* The reserved message was not sent after all. */
static inline void tri_mailbox_unreserve(tri_actor *actor, size_t size)
{
    /* relaxed: as in reserve */
    tr_fetch_sub_relaxed(&actor->pushed, TRI_ONE_MESSAGE | size);
}

/* Messages in the mailbox: a hint for its worker. */
static inline uint32_t tri_mailbox_backlog(tri_actor *actor)
{
    /* relaxed: a hint */
    int64_t queued = (int64_t)(tr_load_relaxed(&actor->pushed) - tr_load_relaxed(&actor->consumed));
    return queued > 0 ? (uint32_t)((uint64_t)queued >> 32) : 0;
}

/* The actor's worker takes a message out. */
static inline void tri_mailbox_consume(tri_actor *actor, size_t size)
{
    tr_count_add(&actor->consumed, TRI_ONE_MESSAGE | size);
}

#endif
