/*
 * actor_block - an actor in memory: 256 bytes in a slot of its own
 *
 *     line 0   what a sender touches       mailbox, pid, room, what a wake-up asks
 *     line 1   what its worker touches     behaviour, where it left off
 *     line 2,3 the state, up to 128 bytes, or a pointer to it
 *
 * A sender on another core reads and writes line 0 only, so that the worker keeps
 * line 1 to itself; the one word in line 1 that others write, control, is written
 * when the actor is stopped.
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
    TR_ATOMIC(uint64_t) pid;     /* bits of the live actor's pid; 0: nobody lives here */
    TR_ATOMIC(uint64_t) pushed;  /* bounds, see below: messages << 32 | payload bytes */
    TR_ATOMIC(uint64_t) first;   /* as pushed */
    TR_ATOMIC(uint64_t) own;     /* as pushed */
    TR_ATOMIC(uint64_t) ceiling; /* as pushed */
    uint32_t turn;               /* smoothed length of a turn, ns; 0: short */
    TR_ATOMIC(uint16_t) home;    /* worker + 1 that writes `own`; 0: none yet; or TRI_EXACT */
    uint16_t pin;                /* worker + 1, or 0; constant while it lives */

    /* -- line 1: the worker that runs it ---------------------------------- */
    TR_CACHE_ALIGNED TR_ATOMIC(const tr_behaviour *) behaviour; /* read by statistics */
    tr_mpsc_node *position;    /* the mailbox node taken last; between turns only */
    union {
        tri_actor *next;                 /* in a run queue, limbo, free list */
        struct cds_wfcq_node inject_node; /* in the injection queue */
    } link;
    tri_answer *watchers;      /* told when it ends */
    TR_ATOMIC(uint64_t) consumed; /* as pushed; written by its worker */
    uint64_t limit;            /* as pushed; constant while it lives */
    tr_mpsc_node stop_note;    /* the one message that tr_stop needs */
    uint32_t generation;       /* of this actor, or of the next one in this slot */
    TR_ATOMIC(uint16_t) control;
    int16_t debt;              /* what its last turn took beyond its room */

    /* -- lines 2 and 3 ----------------------------------------------------- */
    union {
        TR_CACHE_ALIGNED unsigned char inline_state[TRI_INLINE_STATE];
        void *boxed_state; /* larger than that */
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

/* Its state: in the slot if it fits, whose address suits any state that does. */
static inline void *tri_actor_state(tri_actor *actor, const tr_behaviour *behaviour)
{
    return TR_LIKELY(behaviour->state_size <= TRI_INLINE_STATE) ? actor->inline_state : actor->boxed_state;
}

static inline const tr_behaviour *tri_actor_behaviour(tri_actor *actor)
{
    /* relaxed: its own worker reads it; spawn's publication carries it */
    return tr_load_relaxed(&actor->behaviour);
}

/*
 * Bounds. A mailbox holds pushed + first + own - consumed, messages and bytes at
 * once: the words are sums of the same costs, so the difference is exact although
 * the low half runs over into the high one.
 *
 *   pushed     added to by senders, a locked operation
 *   own        added to by one worker, `home`, for all that it sends: a plain store
 *   first      added to by another worker that finds the mailbox idle, for what it
 *              pushed then: until it makes the actor ready nobody else gets
 *              there, so a plain store does
 *   consumed   written by the actor's worker alone, in its own line
 *   ceiling    some old value of consumed + limit, or + some thousands if that is
 *              less, in the senders' line: looked at first, and refreshed only when
 *              it no longer suffices; so a receiver that falls behind is noticed
 *
 * A limit below TRI_EXACT_MESSAGES or TRI_EXACT_BYTES is exact: each message is
 * counted in `pushed` before it is accepted. Of a mailbox with larger ones a
 * worker counts what it sends when it publishes it, for a whole chain at once. It
 * does so while there is room for all that the workers together may hold back
 * (tri_mailbox_has_slack), so such a limit is passed by no more than that.
 */
#define TRI_ONE_MESSAGE ((uint64_t)1 << 32)

#define TRI_EXACT_MESSAGES 65536u
#define TRI_EXACT_BYTES (64u << 20)
#define TRI_EXACT UINT16_MAX /* as an actor's home: its limit is exact */

#define TRI_LOOK_MESSAGES 4096u /* pushed between two looks how far the actor is */

/* What one worker may hold back in its outbox. */
#define TRI_CHAIN_MESSAGES 64u
#define TRI_CHAIN_BYTES 65536u

/* The limit word for these limits, neither of which is 0. */
static inline uint64_t tri_mailbox_limit(uint32_t messages, uint32_t bytes)
{
    return (uint64_t)(messages < INT32_MAX ? messages : INT32_MAX) << 32 | bytes;
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

/* Each half of a limit is below 2^31, so a half that is exceeded shows in its
 * highest bit when what is there is taken from it. */
static inline bool tri_is_exceeded(uint64_t room)
{
    return (room & ((uint64_t)1 << 63 | (uint64_t)1 << 31)) != 0;
}

/* All that was pushed: words that are read apart, so some older value. */
static inline uint64_t tri_mailbox_pushed(tri_actor *actor)
{
    /* relaxed: counts order nothing */
    return tr_load_relaxed(&actor->pushed) + tr_load_relaxed(&actor->first) + tr_load_relaxed(&actor->own);
}

/* Is there room for all that may be held back, this message included? */
static inline bool tri_mailbox_has_slack(tri_actor *actor, size_t size, uint64_t held_back)
{
    /* relaxed: an older value of pushed is within the slack; an older ceiling says
     * full too early, never too late */
    uint64_t room = tr_load_relaxed(&actor->ceiling) - held_back - tri_mailbox_pushed(actor);
    /* relaxed: constant, but for the first worker that comes */
    return !tri_is_exceeded(room) && size <= TRI_CHAIN_BYTES && tr_load_relaxed(&actor->home) != TRI_EXACT;
}

/* A ceiling for what may be pushed while `ahead` messages more are no reason to
 * look again. */
static inline uint64_t tri_mailbox_ceiling(uint64_t consumed, uint64_t limit, uint64_t queued, uint64_t ahead)
{
    uint64_t messages = (queued >> 32) + ahead;
    return consumed + (messages < limit >> 32 ? messages << 32 | (uint32_t)limit : limit);
}

/* Look how far the actor is, and note it for `ahead` messages; what it has consumed. */
static inline uint64_t tri_mailbox_look(tri_actor *actor, uint64_t ahead)
{
    /* relaxed: an older value refuses or looks again, never overfills */
    uint64_t consumed = tr_load_relaxed(&actor->consumed);
    uint64_t queued = tri_queued(tri_mailbox_pushed(actor), consumed);
    /* relaxed: any earlier value of consumed makes a valid ceiling */
    tr_store_relaxed(&actor->ceiling, tri_mailbox_ceiling(consumed, actor->limit, queued, ahead));
    return consumed;
}

/* As tri_mailbox_has_slack, after such a look. */
static inline bool tri_mailbox_finds_slack(tri_actor *actor, size_t size, uint64_t held_back)
{
    tri_mailbox_look(actor, TRI_LOOK_MESSAGES + (held_back >> 32));
    return tri_mailbox_has_slack(actor, size, held_back);
}

/*
 * Take room for one message of `size` bytes, exactly. TR_FULL: there is none now;
 * TR_INVALID: it is larger than the whole mailbox may be.
 */
static inline tr_status tri_mailbox_reserve(tri_actor *actor, size_t size)
{
    /* relaxed: a count orders nothing; the message itself is published by its push */
    uint64_t before = tr_fetch_add_relaxed(&actor->pushed, tri_cost(size));
    /* relaxed: as above */
    before += tr_load_relaxed(&actor->first) + tr_load_relaxed(&actor->own);
    /* relaxed: an older ceiling looks again */
    if (TR_LIKELY(size < INT32_MAX && !tri_is_exceeded(tr_load_relaxed(&actor->ceiling) - before - tri_cost(size))))
        return TR_OK;
    if (tri_fits(tri_queued(before, tri_mailbox_look(actor, TRI_LOOK_MESSAGES)), 1, size, actor->limit))
        return TR_OK;
    /* relaxed: undone */
    tr_fetch_sub_relaxed(&actor->pushed, tri_cost(size));
    return size > (uint32_t)actor->limit ? TR_INVALID : TR_FULL;
}

/* The reserved message was not sent after all. */
static inline void tri_mailbox_unreserve(tri_actor *actor, size_t size)
{
    /* relaxed: as in reserve */
    tr_fetch_sub_relaxed(&actor->pushed, tri_cost(size));
}

/*
 * A chain was pushed by the worker of that number + 1; `was_idle` is what the push
 * said, and the actor has not been made ready yet. The first worker that finds it
 * idle is its home, unless one spawned it.
 */
static inline void tri_mailbox_count(tri_actor *actor, uint64_t cost, bool was_idle, unsigned worker)
{
    /* relaxed: it equals ours only if we made it so */
    unsigned home = tr_load_relaxed(&actor->home);
    if (was_idle && home == 0) {
        home = worker;
        /* relaxed: we read it ourselves; to others it is as good as 0 */
        tr_store_relaxed(&actor->home, (uint16_t)home);
    }
    if (TR_LIKELY(home == worker))
        tr_count_add(&actor->own, cost);
    else if (was_idle)
        tr_count_add(&actor->first, cost);
    else
        /* relaxed: as in reserve */
        tr_fetch_add_relaxed(&actor->pushed, cost);
}

/* Messages in the mailbox: a hint. */
static inline uint32_t tri_mailbox_backlog(tri_actor *actor)
{
    /* relaxed: a hint */
    return (uint32_t)(tri_queued(tri_mailbox_pushed(actor), tr_load_relaxed(&actor->consumed)) >> 32);
}

/* The actor's worker takes a message out. */
static inline void tri_mailbox_consume(tri_actor *actor, size_t size)
{
    tr_count_add(&actor->consumed, tri_cost(size));
}

#endif
