/*
 * system - a running set of workers and the actors on them
 *
 *     tr_system *sys = tr_system_start(NULL);
 *     ... spawn, send, ask ...
 *     TR_MUST(tr_system_stop(sys, TR_SECONDS(5)));
 *
 * A system has a fixed number of worker threads; its actors move freely among
 * them. A process may run several systems; a pid belongs to the one that
 * spawned it.
 *
 * Threads  start and stop: any thread that is not a worker; one stop at a time.
 *          Everything else: any thread.
 */
#ifndef TROUPE_RUNTIME_SYSTEM_H
#define TROUPE_RUNTIME_SYSTEM_H

#include <troupe/mem/status.h>
#include <troupe/runtime/pid.h>

TR_BEGIN_DECLS

typedef struct tr_system tr_system;

/* What a handler is given: the actor it runs in and the worker it runs on.
 * Valid until the handler returns. */
typedef struct tr_ctx tr_ctx;

/*
 * Who sends: the tr_ctx of the handler we are in, or the tr_system when outside
 * of actors. Functions that take a tr_from accept either pointer as it is.
 */
typedef union tr_from {
    tr_ctx *ctx;
    tr_system *system;
#ifdef __cplusplus /* which has no transparent unions; passed in the same way */
    tr_from(tr_ctx *in) : ctx(in) {}
    tr_from(tr_system *outside) : system(outside) {}
} tr_from;
#else
} __attribute__((transparent_union)) tr_from;
#endif

typedef struct tr_message_type tr_message_type;

/* A message that reached nobody. */
typedef struct tr_dead_letter {
    tr_pid to;
    tr_pid from; /* the sender, when its send was refused; else TR_PID_NONE */
    const tr_message_type *type;
    /* TR_DEAD: the actor had ended; TR_FULL: its mailbox had no room;
     * TR_INVALID: no such actor, or it does not understand the type. */
    tr_status reason;
} tr_dead_letter;

/* Zero or NULL in any field asks for the default named behind it. */
typedef struct tr_config {
    const char *name;          /* shown by `troupe stat`: the program's name */
    unsigned workers;          /* threads: $TROUPE_WORKERS, else one per usable CPU */
    uint32_t max_actors;       /* alive at one time: 2^22 (address space only, until used);
                                * limits above 65,536 may be passed by 64 a worker */
    /* Limits of a mailbox. They are exact, unless both are at least their default:
     * such a mailbox may be passed by 65 messages and 128 KiB for each worker, which
     * is what lets a send count nothing while there is room. */
    uint32_t mailbox_messages; /* 65,536 */
    uint32_t mailbox_bytes;    /* of payload: 64 MiB; at most 1 GiB */
    bool no_stats_socket;      /* true: `troupe stat` cannot see it; also $TROUPE_STATS=0 */
    /* Called for each dead letter on the thread that found it; must be quick and
     * must not send. Dead letters are counted in any case. */
    void (*on_dead_letter)(const tr_dead_letter *letter, void *arg);
    void *on_dead_letter_arg;
} tr_config;

/*
 * Start a system; config may be NULL. The caller owns it until tr_system_stop.
 * TR_INVALID: a value out of range (workers above 1024, max_actors above 2^27,
 * mailbox_bytes above 2^30). TR_NOMEM, TR_LIMIT: no memory, no more threads;
 * nothing was started.
 */
TR_API TR_MUST_USE tr_status tr_system_try_start(const tr_config *config, tr_system **ret_system);

/* As tr_system_try_start; panics with the reason when it cannot. */
TR_API tr_system *tr_system_start(const tr_config *config);

/*
 * Wait until there is nothing left to do: no actor has a message or runs. More
 * work may arrive from outside right after. (A message that met the end of its
 * actor may become a dead letter, and its ask be answered, some ms later.) TR_TIMEOUT: still busy after
 * `timeout` ns. Called on a worker it panics.
 */
TR_API TR_MUST_USE tr_status tr_system_wait_idle(tr_system *system, uint64_t timeout);

/*
 * Stop every actor (each after its current handler, with reason
 * TR_EXIT_SHUTDOWN; what is queued becomes dead letters), then the workers, and
 * free the system. From the first moment spawns and sends from outside answer
 * TR_SHUTDOWN. To finish the queued work first call tr_system_wait_idle.
 * TR_TIMEOUT: some actor's handler still ran after `timeout` ns; the system
 * goes on stopping and is still owned by the caller: call again. Once all have
 * ended it waits for a grace period, which no timeout cuts short: about 20 ms,
 * or for as long as a handler of another system in the process runs.
 */
TR_API TR_MUST_USE tr_status tr_system_stop(tr_system *system, uint64_t timeout);

/* The number of worker threads. */
TR_API unsigned tr_system_workers(const tr_system *system);

TR_END_DECLS

#endif
