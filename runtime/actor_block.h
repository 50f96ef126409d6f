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
    TR_ATOMIC(uint64_t) pushed; /* bounds, see below: messages << 32 | payload bytes */
    TR_ATOMIC(uint64_t) first;  /* as pushed */
    TR_ATOMIC(uint64_t) floor;  /* as pushed */
    uint64_t limit;             /* as pushed; constant while it lives */
    tr_mpsc_node stop_note;     /* the one message that tr_stop needs */

    /* -- line 1: the worker that runs it ---------------------------------- */
    TR_CACHE_ALIGNED TR_ATOMIC(const tr_behaviour *) behaviour; /* read by statistics */
    void *state;               /* inline_state, or a block of its own */
    tr_mpsc_node *position;    /* the mailbox node taken last; between turns only */
    union {
        tri_actor *next;                 /* in a run queue, limbo, free list */
        struct cds_wfcq_node inject_node; /* in the injection queue */
    } link;
    tri_answer *watchers;      /* told when it ends */
    TR_ATOMIC(uint64_t) consumed; /* as pushed; written by its worker */
    TR_ATOMIC(uint32_t) control;
    uint32_t generation;       /* of this actor, or of the next one in this slot */
    uint32_t turn;             /* smoothed length of a turn, ns; 0: short */
    int16_t debt;              /* what its last turn took beyond its room */
    uint16_t pin;              /* worker + 1, or 0; constant while it lives */

    /* -- lines 2 and 3 ----------------------------------------------------- */
    union {
        TR_CACHE_ALIGNED unsigned char inline_state[TRI_INLINE_STATE];
        struct {
            tri_rcu_head head; /* of a limbo batch, kept in its first dead actor */
            tri_actor *next_batch;
            struct tri_worker *owner;
        } limbo;
        struct {
            uint32_t next;       /* the first of the next one; 0: none */
            uint32_t others[31]; /* behind the first, the one that holds this */
        } segment; /* of free slots, by index: slots.c */
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
 * Bounds. A mailbox holds pushed + first - consumed, messages and bytes at once:
 * the words are sums of the same costs, so the difference is exact although the
 * low half runs over into the high one.
 *
 *   pushed     added to by senders, a locked operation
 *   first      added to by the sender that finds the mailbox idle, for what it
 *              pushed then: until it makes the actor ready nobody else gets
 *              there, so a plain store does
 *   consumed   written by the actor's worker alone, in its own line
 *   floor      some old value of consumed in the senders' line: looked at first,
 *              and refreshed only when it no longer suffices
 *
 * A limit below TRI_EXACT_MESSAGES or TRI_EXACT_BYTES is exact: each message is
 * counted before it is accepted. Of a mailbox with larger ones a worker counts
 * what it sends when it publishes it, for a whole chain at once: by a plain store
 * when the mailbox is idle, as it mostly is. It does so while there is room for
 * all that the workers together may hold back (tri_mailbox_has_slack), so such a
 * limit is passed by no more than that.
 */
#define TRI_ONE_MESSAGE ((uint64_t)1 << 32)

#define TRI_EXACT_MESSAGES 65536u
#define TRI_EXACT_BYTES (64u << 20)
#define TRI_LIMIT_IS_EXACT ((uint64_t)1 << 63) /* in limit: each half is below 2^31 */

/* What one worker may hold back in its outbox. */
#define TRI_CHAIN_MESSAGES 64u
#define TRI_CHAIN_BYTES 65536u

/* The limit word for these limits, neither of which is 0. */
static inline uint64_t tri_mailbox_limit(uint32_t messages, uint32_t bytes)
{
    bool exact = messages < TRI_EXACT_MESSAGES || bytes < TRI_EXACT_BYTES;
    uint64_t limit = (uint64_t)(messages < INT32_MAX ? messages : INT32_MAX) << 32 | bytes;
    return exact ? limit | TRI_LIMIT_IS_EXACT : limit;
}

static inline uint64_t tri_cost(size_t size)
{
    return TRI_ONE_MESSAGE | size;
}

/* Costs in the mailbox, given what was pushed and consumed. A sender that was
 * interrupted may find more consumed than it knows to be pushed: nothing, then. */
static inline uint64_t tri_queued(uint64_t pushed, uint64_t consumed)
{
    return (int64_t)(pushed - consumed) > 0 ? pushed - consumed : 0;
}

static inline bool tri_fits(uint64_t queued, uint64_t messages, uint64_t bytes, uint64_t limit)
{
    return (queued >> 32) + messages <= limit >> 32 && (uint32_t)queued + bytes <= (uint32_t)limit;
}

/* What `workers` together may hold back: chains, and a message on top of each. */
static inline uint64_t tri_held_back(unsigned workers)
{
    return workers * ((uint64_t)(TRI_CHAIN_MESSAGES + 1) << 32 | 2 * TRI_CHAIN_BYTES);
}

/*
 * Is there room for all that may be held back, this message included? Each half
 * of a limit is below 2^31, so a half that is exceeded shows in its highest bit.
 */
static inline bool tri_mailbox_has_slack(tri_actor *actor, size_t size, uint64_t held_back)
{
    const uint64_t exceeded = (uint64_t)1 << 63 | (uint64_t)1 << 31;
    if ((actor->limit & TRI_LIMIT_IS_EXACT) != 0)
        return false;
    /* relaxed: counts order nothing; older values of pushed are within the slack */
    uint64_t pushed = tr_load_relaxed(&actor->pushed) + tr_load_relaxed(&actor->first);
    /* relaxed: an older floor says full too early, never too late */
    uint64_t queued = pushed - tr_load_relaxed(&actor->floor);
    return ((actor->limit - held_back - queued) & exceeded) == 0 && size <= TRI_CHAIN_BYTES;
}

/* Look how far the actor is. */
static inline uint64_t tri_mailbox_refresh_floor(tri_actor *actor)
{
    /* relaxed: an older value refuses or looks again, never overfills */
    uint64_t consumed = tr_load_relaxed(&actor->consumed);
    /* relaxed: any earlier value of consumed is a valid floor */
    tr_store_relaxed(&actor->floor, consumed);
    return consumed;
}

/* As above, after a look how far the actor is. */
static inline bool tri_mailbox_finds_slack(tri_actor *actor, size_t size, uint64_t held_back)
{
    if ((actor->limit & TRI_LIMIT_IS_EXACT) != 0)
        return false;
    tri_mailbox_refresh_floor(actor);
    return tri_mailbox_has_slack(actor, size, held_back);
}

/*
 * Take room for one message of `size` bytes, exactly. TR_FULL: there is none now;
 * TR_INVALID: it is larger than the whole mailbox may be.
 */
static inline tr_status tri_mailbox_reserve(tri_actor *actor, size_t size)
{
    uint64_t limit = actor->limit & ~TRI_LIMIT_IS_EXACT;
    /* relaxed: a count orders nothing; the message itself is published by its push */
    uint64_t before = tr_fetch_add_relaxed(&actor->pushed, tri_cost(size));
    /* relaxed: as above */
    before += tr_load_relaxed(&actor->first);
    /* relaxed: an older floor looks again */
    if (TR_LIKELY(tri_fits(tri_queued(before, tr_load_relaxed(&actor->floor)), 1, size, limit)))
        return TR_OK;
    if (tri_fits(tri_queued(before, tri_mailbox_refresh_floor(actor)), 1, size, limit))
        return TR_OK;
    /* relaxed: undone */
    tr_fetch_sub_relaxed(&actor->pushed, tri_cost(size));
    return size > (uint32_t)limit ? TR_INVALID : TR_FULL;
}

/* The reserved message was not sent after all. */
static inline void tri_mailbox_unreserve(tri_actor *actor, size_t size)
{
    /* relaxed: as in reserve */
    tr_fetch_sub_relaxed(&actor->pushed, tri_cost(size));
}

/* A chain was pushed that had not been counted; `was_idle` is what the push said,
 * and the actor has not been made ready yet. */
static inline void tri_mailbox_count(tri_actor *actor, uint64_t cost, bool was_idle)
{
    if (was_idle)
        tr_count_add(&actor->first, cost);
    else
        /* relaxed: as in reserve */
        tr_fetch_add_relaxed(&actor->pushed, cost);
}

/* Messages in the mailbox: a hint; two words are read apart. */
static inline uint32_t tri_mailbox_backlog(tri_actor *actor)
{
    /* relaxed: a hint */
    uint64_t pushed = tr_load_relaxed(&actor->pushed) + tr_load_relaxed(&actor->first);
    /* relaxed: as above */
    return (uint32_t)(tri_queued(pushed, tr_load_relaxed(&actor->consumed)) >> 32);
}

/* The actor's worker takes a message out. */
static inline void tri_mailbox_consume(tri_actor *actor, size_t size)
{
    tr_count_add(&actor->consumed, tri_cost(size));
}

#endif
