/*
 * gate - the list of sleepers, and the wait of one
 *
 * gate.h has the protocol and its invariants.
 *
 * Edges: gate (seq_cst), see gate.h 2. All else goes with the lock and the waiter.
 */
#include "channels/gate.h"

#define SPINS 6u

void tri_gate_init(tri_gate *gate)
{
    *gate = (tri_gate){ 0 };
    (void)pthread_mutex_init(&gate->lock, NULL); /* cannot fail without attributes */
}

void tri_gate_fini(tri_gate *gate)
{
    (void)pthread_mutex_destroy(&gate->lock);
}

/* -- the list, under the lock ------------------------------------------------------------ */

static void set_hint(tri_gate *gate)
{
    /* edge gate (seq_cst): with tri_gate_open */
    tr_store_seq_cst(&gate->hint, gate->first != NULL ? 1 : 0);
}

static void list(tri_gate *gate, tri_sleeper *sleeper)
{
    pthread_mutex_lock(&gate->lock);
    sleeper->previous = NULL;
    sleeper->next = gate->first;
    if (sleeper->next != NULL)
        sleeper->next->previous = sleeper;
    gate->first = sleeper;
    sleeper->listed = true;
    set_hint(gate);
    pthread_mutex_unlock(&gate->lock);
}

/* false: an opener has it (1.). */
static bool delist(tri_gate *gate, tri_sleeper *sleeper)
{
    pthread_mutex_lock(&gate->lock);
    const bool listed = sleeper->listed;
    if (listed) {
        if (sleeper->previous != NULL)
            sleeper->previous->next = sleeper->next;
        else
            gate->first = sleeper->next;
        if (sleeper->next != NULL)
            sleeper->next->previous = sleeper->previous;
        sleeper->listed = false;
        set_hint(gate);
    }
    pthread_mutex_unlock(&gate->lock);
    return listed;
}

static tri_sleeper *take_all(tri_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    tri_sleeper *all = gate->first;
    gate->first = NULL;
    for (tri_sleeper *s = all; s != NULL; s = s->next)
        s->listed = false;
    set_hint(gate);
    pthread_mutex_unlock(&gate->lock);
    return all;
}

/* -- the calls ------------------------------------------------------------------------------ */

void tri_gate_open(tri_gate *gate)
{
    /* edge gate (seq_cst): with set_hint */
    if (tr_load_seq_cst(&gate->hint) == 0)
        return;
    for (tri_sleeper *s = take_all(gate), *next; s != NULL; s = next) {
        next = s->next; /* s may be gone after the wake */
        tr_waiter_wake(&s->waiter.waiter);
    }
}

/* Listed, asked, slept: TR_OK is worth asking again. */
static tr_status wait_once(tri_gate *gate, tri_sleeper *sleeper, bool (*ready)(const void *arg),
                           const void *arg, uint64_t deadline)
{
    tr_status s = TR_OK;
    list(gate, sleeper);
    if (!ready(arg)) {
        s = tr_waiter_wait_until(&sleeper->waiter.waiter, deadline);
        if (s == TR_OK)
            return s;
    }
    if (!delist(gate, sleeper))
        s = tr_waiter_wait_until(&sleeper->waiter.waiter, TR_FOREVER); /* 1. */
    return s;
}

tr_status tri_gate_wait(tri_gate *gate, bool (*ready)(const void *arg), const void *arg,
                        uint64_t deadline)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (ready(arg))
            return TR_OK;
        if (deadline == 0)
            return TR_TIMEOUT;
        for (unsigned n = 1u << i; n > 0; n--)
            tr_cpu_relax();
    }
    tri_sleeper sleeper = { 0 };
    tr_status s = TR_OK;
    tr_thread_waiter_init(&sleeper.waiter);
    while (s == TR_OK && !ready(arg))
        s = wait_once(gate, &sleeper, ready, arg, deadline);
    tr_thread_waiter_fini(&sleeper.waiter);
    return s != TR_OK && ready(arg) ? TR_OK : s;
}
