/*
 * worker - a thread that runs actors, and all that belongs to it alone
 *
 *     next actor:  slot -> ring -> inbox, injection -> steal -> park
 *
 * The slot holds the actor that the running one made ready last: its message is
 * hot in the cache, so it runs next. At most TRI_SLOT_RUN turns in a row come from
 * it, then the ring has its turn. What is in the slot, and what was claimed from
 * the ring at once, only the owner sees.
 */
#ifndef RUNTIME_WORKER_H
#define RUNTIME_WORKER_H

#include "mem/boundary.h"
#include "runtime/idle.h"
#include "runtime/limbo.h"
#include "runtime/run_queue.h"
#include "runtime/slots.h"

#include <pthread.h>

#include <troupe/channels/parker.h>
#include <troupe/runtime/stats.h>

#define TRI_SLOT_RUN 16u          /* turns in a row from the slot */
#define TRI_CLAIM 8u              /* actors taken out of the ring at once, while turns are short */
#define TRI_HOUSEKEEPING 16u      /* turns between two looks around */
#define TRI_FIRST_LOOK 32u        /* messages before the clock is read in a turn that is not timed */
#define TRI_QUANTUM 512           /* messages and sends in one turn, and as many ... */
#define TRI_QUANTUM_EXTRA 131072   /* ... as wait in the mailbox, up to this */
#define TRI_OVERLOAD 8192u        /* messages: who sends to such a backlog ... */
#define TRI_OVERLOAD_CHARGE 16384u /* ... pays as much for some thousand messages */
#define TRI_LONG_TURN 20000u      /* ns: such an actor goes to the ring, not the slot */
#define TRI_TURN_LIMIT 1000000u   /* ns: a turn ends after the message that passes it */
#define TRI_WAKE_PRICE 15000u     /* ns of work that make waking another worthwhile */
#define TRI_STEAL_BACKOFF 5000u   /* ns without a theft after one that was not worth it */
#define TRI_STEAL_BACKOFF_MAX 10000000u
#define TRI_FEW_WORKERS 8u        /* whose progress one can sum up now and then */
#define TRI_STOLEN_TURN 1000u     /* ns that a stolen actor should last; turns of twice that are worth a theft any time */
#define TRI_SPAWN_CREDIT 64u      /* at most */
#define TRI_SPIN 60000u           /* ns of searching before parking */
#define TRI_WATCH 500000u         /* ns between two looks at work that did not pay */

/* What tr_system and tr_ctx begin with: who is it that calls? */
typedef struct tri_sender {
    tr_system *system;
    tri_worker *worker; /* NULL: a thread from outside */
} tri_sender;

struct tr_ctx {
    tri_sender sender;
    tri_actor *actor; /* the one whose turn it is */
};

/* Consecutive messages to one actor, published together. */
typedef struct tri_outbox {
    tri_actor *target;  /* NULL: empty */
    tr_mpsc_node *first;
    tr_mpsc_node *last;
    uint64_t to;        /* the target's pid, while the chain is open: see below */
    uint64_t uncounted; /* cost of those that are counted when they are published */
} tri_outbox;

/* Uncounted messages below this: more may follow to the same pid without a look
 * at the target. */
#define TRI_CHAIN_OPEN ((uint64_t)TRI_CHAIN_MESSAGES << 32)
/* In uncounted: none may follow. */
#define TRI_CHAIN_CLOSED ((uint64_t)1 << 63)

/* Which hook of an actor's end runs: behind it the end goes on when it panics. */
typedef enum tri_end_stage { TRI_END_NOT, TRI_END_STOP_HOOK, TRI_END_DROP } tri_end_stage;

/* What all workers have done by some time. */
typedef struct tri_progress {
    uint64_t at; /* ns */
    uint64_t messages;
} tri_progress;

/* Written by the worker, read by anyone: see stats.h for what each counts. */
typedef struct tri_counters {
    TR_ATOMIC(uint64_t) activations;
    TR_ATOMIC(uint64_t) messages;
    TR_ATOMIC(uint64_t) sent;
    TR_ATOMIC(uint64_t) spawned;
    TR_ATOMIC(uint64_t) ended;
    TR_ATOMIC(uint64_t) panics;
    TR_ATOMIC(uint64_t) stolen;
    TR_ATOMIC(uint64_t) parks;
    TR_ATOMIC(uint64_t) wakes;
    TR_ATOMIC(uint64_t) dead_letters;
    TR_ATOMIC(uint32_t) state; /* tr_worker_state */
} tri_counters;

struct tri_worker {
    /* -- shared: others write here ------------------------------------------ */
    TR_CACHE_ALIGNED TR_ATOMIC(uint32_t) park;
    TR_ATOMIC(tri_actor *) inbox;      /* ready actors pinned here, newest first */
    TR_ATOMIC(tri_actor *) ripe;       /* limbo batches that liburcu is through with */
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) quiet; /* quiescent states, by two; odd: parked */
    TR_ATOMIC(uint64_t) turn_started;  /* when timing; or of the last 16 turns: read by thieves */
    TR_ATOMIC(uint32_t) turn;          /* smoothed length of a turn, ns: read by thieves */
    tri_run_queue queue;

    /* -- the worker's own ------------------------------------------------------ */
    TR_CACHE_ALIGNED tr_ctx ctx;
    tri_actor *slot;
    tri_actor *claimed[TRI_CLAIM];     /* out of the ring, the next one last */
    TR_ATOMIC(uint32_t) claimed_count; /* written by the worker */
    unsigned slot_run;
    unsigned tick;                     /* turns since the last housekeeping */
    bool timing;                       /* every turn is timed, since some are long */
    tri_actor *pinned_first;           /* ready actors that only we may run */
    tri_actor *pinned_last;
    tri_outbox outbox;
    uint64_t turn_end;                 /* the turn is over when tri_worker_effort reaches this */
    bool extended;                     /* by room for the backlog */
    uint64_t turn_first;               /* counters.messages at its begin */
    uint64_t look_at_clock;            /* when counters.messages reaches this */

    /* What a panic must find: the loop's locals are gone by then. */
    tr_mpsc_node *at;                  /* position in the mailbox */
    tri_message *in_hand;              /* its payload is not dropped yet; or NULL */
    bool reply_kept;                   /* of the ask in hand */
    bool exit_is_set;
    tri_end_stage end_stage;           /* of the running actor */
    tr_exit exit;                      /* why the running actor ends */

    tri_slot_cache slots;
    uint32_t spawn_credit;             /* spawns before the limit is looked at again */
    tri_limbo limbo;
    uint64_t random;
    tri_progress theft;                /* at the last one; .at is 0: none, or judged */
    tri_progress idle_since;           /* at the end of the one before */
    uint64_t rate_without;             /* messages a ms while this worker had nothing */
    uint64_t stolen_count;             /* by that theft */
    uint64_t steal_backoff;            /* ns */
    uint64_t no_theft_before;          /* time, ns */
    unsigned index;
    tri_counters counters;
    tr_parker parker;
    tri_boundary boundary;
    pthread_t thread;
};

/* What turns are measured in: messages handled and sent. */
static inline uint64_t tri_worker_effort(tri_worker *worker)
{
    /* relaxed: the worker's own words */
    return tr_load_relaxed(&worker->counters.messages) + tr_load_relaxed(&worker->counters.sent);
}

/* The worker that this thread is, or NULL. */
extern __attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local tri_worker
    *tri_worker_self;

/* Who calls: the worker, when the calling thread is one of that system. */
static inline tri_worker *tri_sender_worker(const tri_sender *sender)
{
    if (TR_LIKELY(sender->worker != NULL))
        return sender->worker;
    tri_worker *self = tri_worker_self;
    return self != NULL && self->ctx.sender.system == sender->system ? self : NULL;
}

/* The thread's life: runs actors until the system ends. arg: the worker. */
void *tri_worker_main(void *arg);

/* This worker made `actor` ready: queue it here (or where it is pinned). */
void tri_worker_schedule(tri_worker *worker, tri_actor *actor);

/* To the end of this worker's queue, behind what is ready already. */
void tri_worker_requeue(tri_worker *worker, tri_actor *actor);

/* From any thread: `actor` is pinned to `worker`. */
void tri_worker_schedule_pinned(tri_worker *worker, tri_actor *actor);

/* The worker is parked from here, as far as grace periods are concerned, and back. */
static inline void tri_worker_lie_down(tri_worker *worker)
{
    /* edge quiet-word (acq_rel): with begin and is_over in limbo.c; odd now */
    tr_fetch_add_acq_rel(&worker->quiet, 1);
}

static inline void tri_worker_wake_up(tri_worker *worker)
{
    /* edge quiet-word (acq_rel): with begin in limbo.c; who read it odd is seen */
    tr_fetch_add_acq_rel(&worker->quiet, 1);
}

/* Is there something that this worker must see to? The last look before it parks. */
bool tri_worker_has_duty(tri_worker *worker);

static inline uint64_t tri_worker_turn_started(tri_worker *worker)
{
    /* relaxed: a hint, or the worker's own word */
    return tr_load_relaxed(&worker->turn_started);
}

/* The turn of `actor` is over, and turns are timed: note how long it was. */
void tri_worker_time_turn(tri_worker *worker, tri_actor *actor);

/* Publish what the outbox holds. */
void tri_outbox_flush(tri_worker *worker);

/* One turn of an actor (actor_run.c). */
void tri_actor_run(tri_worker *worker, tri_actor *actor);

/* The running actor's handler panicked; info is the boundary's (actor_run.c). */
void tri_actor_panicked(tri_worker *worker, const tr_panic_info *info);

#endif
