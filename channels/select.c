/*
 * select - the one place where a thread waits at channels
 *
 *   try all, in random order --one ran--> done
 *        |  ^
 *        v  '--------------------------------------------.
 *   list all, asking of each: could it run now? --yes--> withdraw, delist
 *        |                                               ^
 *        v                                               |
 *   sleep --claimed--> delist, try the claimed one --no--+
 *         --time-----> withdraw, delist -----------------'
 *
 * A send or receive that has to wait is a select of one operation. The protocol
 * and its invariants are in flavour.h.
 *
 * 1. The call returns only when its ops are in no list and nobody has claimed
 *    one: withdraw() true, or the wake has come.
 * 2. A claimed op that was completed by its claimer (a rendezvous) is the result,
 *    whatever the deadline says.
 *
 * Edges: none of its own.
 */
#include "channels/flavour.h"

#include <troupe/mem/panic.h>

/* -- the order of trying -------------------------------------------------------------- */

static _Thread_local uint64_t dice; /* 0: not seeded */

void tr_select_seed(uint64_t seed)
{
    dice = seed | 1;
}

/* splitmix64 */
static uint64_t roll(void)
{
    if (dice == 0)
        tr_select_seed(tr_now() ^ (uintptr_t)&dice);
    uint64_t z = dice += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void shuffle(tr_select_op *ops, size_t n)
{
    TR_ASSERT(n <= UINT32_MAX);
    for (size_t i = 0; i < n; i++) {
        const size_t j = i == 0 ? 0 : (size_t)(roll() % (i + 1));
        ops[i].order_ = ops[j].order_;
        ops[j].order_ = (uint32_t)i;
    }
}

/* -- the steps --------------------------------------------------------------------------- */

/* Run the first that can; false: none. */
static bool try_all(tr_select_op *ops, size_t n, size_t *ret_index)
{
    for (size_t i = 0; i < n; i++) {
        tr_select_op *op = &ops[ops[i].order_];
        const tr_status s = tri_attempt(op);
        if (!tri_cannot(s)) {
            op->status = s;
            *ret_index = ops[i].order_;
            return true;
        }
    }
    return false;
}

/* A rendezvous comes about only when one side is listed: then not to wait. */
static unsigned patience(const tr_select_op *ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ops[i].channel_->flavour->ready_under_lock)
            return 1;
    return TRI_SPINS + TRI_YIELDS;
}

/* As try_all, for about a microsecond: a wake would cost the others more. */
static bool try_for_a_while(tr_select_op *ops, size_t n, size_t *ret_index)
{
    unsigned spins = 0;
    for (unsigned i = patience(ops, n); i > 0; i--) {
        if (try_all(ops, n, ret_index))
            return true;
        if (i > 1)
            tri_spin(&spins);
    }
    return false;
}

/* When an op may become possible without anybody's doing. */
static uint64_t soonest(const tr_select_op *ops, size_t n, uint64_t deadline)
{
    for (size_t i = 0; i < n; i++) {
        const tri_flavour *flavour = ops[i].channel_->flavour;
        if (flavour->due != NULL) {
            const uint64_t due = flavour->due(ops[i].channel_);
            if (due < deadline)
                deadline = due;
        }
    }
    return deadline;
}

static bool withdraw(tri_party *party)
{
    uintptr_t waiting = 0;
    /* relaxed: it only decides who; see tri_claim */
    return tr_cas_relaxed(&party->chosen, &waiting, TRI_WITHDRAWN);
}

/* Sleep until claimed (TR_OK) or until then; the waiter's other answers too. */
static tr_status sleep_until(tri_party *party, uint64_t until)
{
    const tr_status s = tr_waiter_wait_until(party->waiter, until);
    if (s == TR_OK || withdraw(party))
        return s;
    return tr_waiter_wait_until(party->waiter, TR_FOREVER); /* claimed: the wake is certain */
}

/*
 * List the ops, sleep, and leave. *ret_claimed is the op somebody claimed, or
 * NULL. TR_OK: worth another try; else what the waiter said.
 */
static tr_status wait_once(tr_select_op *ops, size_t n, tr_waiter *waiter, uint64_t until,
                           tr_select_op **ret_claimed)
{
    tri_party party = { .waiter = waiter };
    size_t listed = 0;
    bool ready = false;
    while (listed < n && !ready)
        ready = tri_enlist(&ops[listed++], &party);

    tr_status s = TR_OK;
    if (!ready || !withdraw(&party))
        s = sleep_until(&party, until);
    for (size_t i = 0; i < listed; i++)
        tri_delist(&ops[i]);
    /* relaxed: ours since withdraw or the wake */
    const uintptr_t chosen = tr_load_relaxed(&party.chosen);
    *ret_claimed = chosen != TRI_WITHDRAWN ? (tr_select_op *)chosen : NULL;
    return s;
}

/* Is the claimed op through, or can it be done now? (flavour.h 4.) */
static bool finish(tr_select_op *claimed)
{
    if (claimed->status == TR_BUSY)
        claimed->status = tri_attempt(claimed);
    return !tri_cannot(claimed->status);
}

static void end_waiter(tr_thread_waiter *waiter)
{
    tr_thread_waiter_fini(waiter);
}

static tr_status wait_for_one(tr_select_op *ops, size_t n, uint64_t deadline, size_t *ret_index)
{
    __attribute__((cleanup(end_waiter))) tr_thread_waiter waiter;
    tr_thread_waiter_init(&waiter);
    for (;;) {
        if (try_for_a_while(ops, n, ret_index))
            return TR_OK;
        if (deadline != TR_FOREVER && tr_now() >= deadline)
            return TR_TIMEOUT;
        tr_select_op *claimed;
        const tr_status s =
            wait_once(ops, n, &waiter.waiter, soonest(ops, n, deadline), &claimed);
        if (claimed != NULL && finish(claimed)) {
            *ret_index = (size_t)(claimed - ops);
            return TR_OK;
        }
        if (s != TR_OK && s != TR_TIMEOUT)
            return s;
    }
}

/* -- the calls -------------------------------------------------------------------------------- */

tr_status tr_try_select(tr_select_op *ops, size_t n, size_t *ret_index)
{
    shuffle(ops, n);
    return try_all(ops, n, ret_index) ? TR_OK : TR_EMPTY;
}

tr_status tr_select_until(tr_select_op *ops, size_t n, uint64_t deadline, size_t *ret_index)
{
    if (n == 0 && deadline == TR_FOREVER)
        tr_panic("a select without operations and without a deadline would never return");
    shuffle(ops, n);
    if (try_all(ops, n, ret_index))
        return TR_OK;
    if (deadline == 0)
        return TR_TIMEOUT;
    return wait_for_one(ops, n, deadline, ret_index);
}
