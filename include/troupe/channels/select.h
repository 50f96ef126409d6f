/*
 * select - wait for the first of several sends and receives
 *
 *     tr_select_op ops[] = {
 *         jobs_select_recv(rx, &job),
 *         replies_select_send(tx, &reply),
 *     };
 *     size_t i;
 *     switch (tr_select_timeout(ops, 2, TR_MILLISECONDS(5), &i)) {
 *     case TR_OK:  operation i has run, and no other; ops[i].status is its
 *                  result: TR_OK, or TR_DISCONNECTED
 *     case TR_TIMEOUT: none has run
 *     }
 *
 * As crossbeam-channel's select: an operation on a disconnected channel is ready,
 * with TR_DISCONNECTED; of several ready ones each is as likely as the others.
 * The same channel may be named more than once; a select never meets itself.
 * Messages named here are moved only by the operation that runs.
 *
 * Threads  the ops belong to the call until it returns. What channel.h says of
 *          each channel holds here.
 * Progress the thread sleeps once for all operations and is woken by the first
 *          that can run. Registering and leaving costs one lock per operation,
 *          only when nothing is ready.
 * Memory   none allocated: what a channel has to remember is in the op.
 */
#ifndef TROUPE_CHANNELS_SELECT_H
#define TROUPE_CHANNELS_SELECT_H

#include <troupe/mem/clock.h>
#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_channel tr_channel;
typedef struct tr_select_op tr_select_op;

/* One operation, made by jobs_select_send or jobs_select_recv; reusable. */
struct tr_select_op {
    tr_status status;        /* of the operation that ran */
    bool is_send_;
    bool listed_;            /* the channel's lock guards it and the next three */
    uint32_t order_;         /* of trying */
    tr_channel *channel_;
    void *message_;
    tr_select_op *next_;
    tr_select_op *previous_;
    struct tri_party *party_; /* who waits */
};

/*
 * Run one of the n operations, the first that is ready, and give its index.
 * TR_TIMEOUT: the deadline (absolute, as tr_now) passed first; none has run.
 * Without operations it sleeps until the deadline; with TR_FOREVER, too, would
 * be for ever: it panics.
 */
TR_API TR_MUST_USE tr_status tr_select_until(tr_select_op *ops, size_t n, uint64_t deadline,
                                             size_t *ret_index);

/* Run one that is ready now. TR_EMPTY: none is. */
TR_API TR_MUST_USE tr_status tr_try_select(tr_select_op *ops, size_t n, size_t *ret_index);

/* Seed this thread's choice among several that are ready; without it, the
 * clock does. The same seed and the same readiness give the same choices. */
TR_API void tr_select_seed(uint64_t seed);

/* One operation on a channel; for jobs_select_send and jobs_select_recv. */
static inline tr_select_op tr_select_op_of_(tr_channel *channel, void *message, bool is_send)
{
    return (tr_select_op){ TR_OK, is_send, false, 0, channel, message, NULL, NULL, NULL };
}

/* A duration as a deadline; saturates, so a huge one is TR_FOREVER. */
static inline uint64_t tr_from_now_(uint64_t timeout)
{
    if (timeout == 0)
        return 0;
    const uint64_t now = tr_now();
    return timeout < TR_FOREVER - now ? now + timeout : TR_FOREVER;
}

/* tr_select_until, that many nanoseconds from now. */
static inline TR_MUST_USE tr_status tr_select_timeout(tr_select_op *ops, size_t n, uint64_t timeout,
                                                      size_t *ret_index)
{
    return tr_select_until(ops, n, tr_from_now_(timeout), ret_index);
}

/* tr_select_until without a deadline. */
static inline TR_MUST_USE tr_status tr_select(tr_select_op *ops, size_t n, size_t *ret_index)
{
    return tr_select_until(ops, n, TR_FOREVER, ret_index);
}

TR_END_DECLS

#endif
