/*
 * gate - where threads wait for something all of them may see; private
 *
 *   sleepers: make it false that ready(); list; look again; sleep
 *   opener:   make ready() true; tri_gate_open: take all out, wake each
 *
 * For watch and broadcast, where one event wakes everybody, so that nobody has to
 * be chosen (channels: flavour.h).
 *
 * 1. Who takes a sleeper out of the list, under the lock, owes it one wake;
 *    a sleeper that is still listed at its deadline takes itself out.
 * 2. ready() and what makes it true are seq_cst, as the hint is: a sleeper raises
 *    the hint and then asks, an opener acts and then reads the hint (edge gate).
 */
#ifndef TROUPE_CHANNELS_GATE_PRIVATE_H
#define TROUPE_CHANNELS_GATE_PRIVATE_H

#include <troupe/channels/waiter.h>
#include <troupe/mem/atomic.h>

#include <pthread.h>

typedef struct tri_sleeper {
    struct tri_sleeper *next;
    struct tri_sleeper *previous;
    tr_thread_waiter waiter;
    bool listed;
} tri_sleeper;

typedef struct tri_gate {
    TR_ATOMIC(uint32_t) hint; /* is anybody listed? */
    pthread_mutex_t lock;
    tri_sleeper *first;
} tri_gate;

void tri_gate_init(tri_gate *gate);
void tri_gate_fini(tri_gate *gate);

/* Until ready(arg); TR_TIMEOUT when the deadline passes first. */
tr_status tri_gate_wait(tri_gate *gate, bool (*ready)(const void *arg), const void *arg,
                        uint64_t deadline);

/* Wake all who wait; what they wait for has been made true (seq_cst). */
void tri_gate_open(tri_gate *gate);

#endif
