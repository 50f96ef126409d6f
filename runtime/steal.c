/*
 * steal - see steal.h
 *
 * 1. All that is read of a victim besides its ring is a hint: it decides when to
 *    look, never who owns an actor.
 * 2. What is not worth a theft now may lie behind a handler that never ends. So
 *    somebody keeps watching it: see tri_idle_park.
 */
#include "runtime/steal.h"

#include "runtime/system_block.h"

static uint64_t next_random(tri_worker *worker)
{
    uint64_t x = worker->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return worker->random = x;
}

/* Messages that all workers have handled, and when; 0 where there are many. */
static tri_progress progress(tri_worker *worker, uint64_t now)
{
    tr_system *system = worker->ctx.sender.system;
    tri_progress p = { .at = now };
    for (unsigned i = 0; i < system->worker_count && system->worker_count <= TRI_FEW_WORKERS; i++)
        /* relaxed: statistics */
        p.messages += tr_load_relaxed(&system->workers[i].counters.messages);
    return p;
}

/* Messages a millisecond between two moments. */
static uint64_t rate(tri_progress from, tri_progress to)
{
    return to.at > from.at ? (to.messages - from.messages) * 1000000 / (to.at - from.at) : 0;
}

/* A theft that has come to its end: did the system do more with us than without? */
static bool was_worth_it(tri_worker *worker, tri_progress now)
{
    uint64_t lasted = now.at - worker->theft.at;
    uint64_t expected = worker->stolen_count * TRI_STOLEN_TURN;
    if (lasted < (expected > TRI_LONG_TURN ? expected : TRI_LONG_TURN))
        return false;
    /* relaxed: the worker's own word */
    if (tr_load_relaxed(&worker->turn) > TRI_LONG_TURN)
        return true;
    return rate(worker->theft, now) * 10 >= worker->rate_without * 11;
}

/*
 * What was stolen last is used up. Was it worth it? Two workers that steal from
 * each other all the time are slower than one, since what they share is never in
 * the right cache: an actor costs its thief some lines from the owner's cache, and
 * the owner as many. So a theft that lasted shortly, as a whole or for each actor,
 * or with which the workers together did less than without, makes stealing, and
 * waking somebody for it, pause for a while: longer each time, until one is worth
 * it.
 */
void tri_steal_judge(tri_worker *worker, uint64_t now)
{
    if (worker->theft.at == 0)
        return;
    tri_progress end = progress(worker, now);
    bool worth = was_worth_it(worker, end);
    uint64_t longer = worker->steal_backoff * 2;
    worker->steal_backoff = worth                            ? TRI_STEAL_BACKOFF
                            : longer < TRI_STEAL_BACKOFF_MAX ? longer
                                                             : TRI_STEAL_BACKOFF_MAX;
    worker->no_theft_before = worth ? 0 : now + worker->steal_backoff;
    worker->theft.at = 0;
    worker->idle_since = end;
    /* relaxed: a hint for the others */
    tr_store_relaxed(&worker->ctx.sender.system->idle.no_backlog_before, worker->no_theft_before);
}

/* Something was stolen: how fast is the system without us, if we were away for long
 * enough to tell? */
static void note_theft(tri_worker *worker, uint64_t now, uint32_t taken)
{
    worker->theft = progress(worker, now);
    worker->stolen_count = taken;
    if (worker->idle_since.at != 0 && now - worker->idle_since.at > TRI_LONG_TURN)
        worker->rate_without = rate(worker->idle_since, worker->theft);
    tr_count_add(&worker->counters.stolen, taken);
}

/* What waits in the ring, in ns, if it is like what came before. */
static uint64_t backlog_time(tri_worker *worker)
{
    /* relaxed: a hint, or the worker's own word */
    return (uint64_t)tri_run_queue_length(&worker->queue) * tr_load_relaxed(&worker->turn);
}

/*
 * Is what waits there worth a wake-up, or a theft? Not if it lasts for less than
 * those cost; nor in a pause (tri_steal_judge), unless turns are long anyway.
 */
static bool is_worth_sharing(tri_worker *worker, uint64_t now, uint64_t pause_ends)
{
    /* relaxed: a hint, or the worker's own word */
    bool is_long = tr_load_relaxed(&worker->turn) > 2 * TRI_STOLEN_TURN;
    return backlog_time(worker) > TRI_WAKE_PRICE && (is_long || now >= pause_ends);
}

/* Its owner has not finished what it does for so long that it may be stuck. */
static bool is_stuck(tri_worker *worker, uint64_t now)
{
    return (int64_t)(now - tri_worker_turn_started(worker)) > (int64_t)(2 * TRI_WAKE_PRICE);
}

static bool is_worth_stealing_from(tri_worker *victim, uint64_t now, uint64_t pause_ends)
{
    return is_stuck(victim, now) || is_worth_sharing(victim, now, pause_ends);
}

/* Half of somebody's ring. */
tri_actor *tri_steal(tri_worker *worker, uint64_t now)
{
    tr_system *system = worker->ctx.sender.system;
    unsigned start = (unsigned)(next_random(worker) % system->worker_count);
    for (unsigned i = 0; i < system->worker_count; i++) {
        tri_worker *victim = &system->workers[(start + i) % system->worker_count];
        uint32_t taken = 0;
        if (victim == worker || !is_worth_stealing_from(victim, now, worker->no_theft_before))
            continue;
        tri_actor *actor = tri_run_queue_steal(&worker->queue, &victim->queue, &taken);
        if (actor == NULL)
            continue;
        note_theft(worker, now, taken);
        return actor;
    }
    return NULL;
}

tri_loot tri_steal_look(tri_worker *worker)
{
    tr_system *system = worker->ctx.sender.system;
    uint64_t now = tr_now();
    tri_loot loot = TRI_LOOT_NONE;
    for (unsigned i = 0; i < system->worker_count; i++) {
        tri_worker *victim = &system->workers[i];
        if (!tri_run_queue_has_work(&victim->queue))
            continue;
        if (is_worth_stealing_from(victim, now, worker->no_theft_before))
            return TRI_LOOT_NOW;
        loot = TRI_LOOT_LATER;
    }
    return loot;
}

bool tri_steal_is_worth_a_wake(tri_worker *worker)
{
    /* relaxed: a hint */
    uint64_t pause_ends = tr_load_relaxed(&worker->ctx.sender.system->idle.no_backlog_before);
    return is_worth_sharing(worker, tri_worker_turn_started(worker), pause_ends);
}
