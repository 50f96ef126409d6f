/*
 * worker - see worker.h
 *
 * 1. An actor is in at most one place: running, in one slot, ring, overflow,
 *    pinned list, inbox or injection queue - or idle, when its mailbox says so.
 *    Whoever takes it from there runs it, so its turns never overlap, and each
 *    hand-over (ring-tail, inbox, inject, mpsc-tail) carries what it did.
 * 2. Between two turns the worker holds no actor that it resolved from a pid:
 *    the outbox is empty. That is where it may announce a quiescent state. User
 *    code that runs elsewhere (drops at a burial) has its outbox flushed there.
 * 3. A local push tells nobody. The running worker looks every TRI_HOUSEKEEPING
 *    turns - every turn while turns are long - whether what waits behind it is
 *    worth a wake-up; and it does not park while it has something itself.
 */
#include "runtime/worker.h"

#include "runtime/steal.h"
#include "runtime/system_block.h"

_Thread_local tri_worker *tri_worker_self;

/* -- making actors ready ------------------------------------------------------ */

void tri_worker_schedule_pinned(tri_worker *worker, tri_actor *actor)
{
    /* edge inbox (seq_cst): published by the CAS below; also a producer of the edge park */
    tri_actor *before = tr_load_seq_cst(&worker->inbox);
    do {
        actor->link.next = before;
        /* edge inbox (seq_cst): with take_inbox; and as a producer of the edge park */
    } while (!tr_cas_seq_cst(&worker->inbox, &before, actor));
    if (before == NULL)
        tri_idle_notify_worker(worker);
}

static void push_pinned(tri_worker *worker, tri_actor *actor)
{
    actor->link.next = NULL;
    if (worker->pinned_last != NULL)
        worker->pinned_last->link.next = actor;
    else
        worker->pinned_first = actor;
    worker->pinned_last = actor;
}

void tri_worker_requeue(tri_worker *worker, tri_actor *actor)
{
    if (TR_UNLIKELY(actor->pin != 0))
        push_pinned(worker, actor);
    else
        tri_run_queue_push(&worker->queue, actor);
}

/* Are the running actor's turns long? */
static bool runs_long(const tri_worker *worker)
{
    return worker->ctx.actor != NULL && worker->ctx.actor->turn > TRI_LONG_TURN;
}

void tri_worker_schedule(tri_worker *worker, tri_actor *actor)
{
    if (TR_UNLIKELY(actor->pin != 0 && actor->pin != worker->index + 1)) {
        tri_worker_schedule_pinned(&worker->ctx.sender.system->workers[actor->pin - 1], actor);
        return;
    }
    /* What lies in the slot waits for the running actor, and nobody can steal it. */
    if (TR_UNLIKELY(runs_long(worker) || actor->turn > TRI_LONG_TURN)) {
        tri_worker_requeue(worker, actor);
        return;
    }
    tri_actor *displaced = worker->slot;
    worker->slot = actor;
    if (displaced != NULL)
        tri_worker_requeue(worker, displaced);
}

/* -- finding the next one -------------------------------------------------------- */

/* All of the inbox, oldest first, behind what is pinned here already. */
static void take_inbox(tri_worker *worker)
{
    /* relaxed: a hint; the swap takes it */
    if (TR_LIKELY(tr_load_relaxed(&worker->inbox) == NULL))
        return;
    /* edge inbox (acquire): with tri_worker_schedule_pinned; carries the actors */
    tri_actor *newest = tr_swap_acquire(&worker->inbox, (tri_actor *)NULL);
    tri_actor *oldest = NULL;
    while (newest != NULL) {
        tri_actor *next = newest->link.next;
        newest->link.next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        tri_actor *next = oldest->link.next;
        push_pinned(worker, oldest);
        oldest = next;
    }
}

static tri_actor *pop_pinned(tri_worker *worker)
{
    tri_actor *actor = worker->pinned_first;
    if (TR_LIKELY(actor == NULL))
        return NULL;
    worker->pinned_first = actor->link.next;
    if (worker->pinned_first == NULL)
        worker->pinned_last = NULL;
    return actor;
}

static tri_actor *take_slot(tri_worker *worker)
{
    tri_actor *actor = worker->slot;
    worker->slot = NULL;
    return actor;
}

/*
 * The oldest of the ring. Each look into it costs a locked operation, since
 * thieves are at it too: while turns are short some actors are taken at once.
 */
static tri_actor *pop_ring(tri_worker *worker)
{
    /* relaxed: the worker's own word, here and below */
    uint32_t count = tr_load_relaxed(&worker->claimed_count);
    if (count == 0) {
        tri_actor *taken[TRI_CLAIM];
        count = tri_run_queue_claim(&worker->queue, taken, worker->timing ? 1 : TRI_CLAIM);
        if (count == 0)
            return NULL;
        for (uint32_t i = 0; i < count; i++)
            worker->claimed[i] = taken[count - 1 - i];
    }
    /* relaxed: read by statistics */
    tr_store_relaxed(&worker->claimed_count, count - 1);
    return worker->claimed[count - 1];
}

/* What is ready on this worker, in turn; NULL: nothing. */
static tri_actor *next_local(tri_worker *worker)
{
    if (worker->slot != NULL && worker->slot_run < TRI_SLOT_RUN) {
        worker->slot_run++;
        return take_slot(worker);
    }
    worker->slot_run = 0;
    /* Pinned actors and the others take turns. */
    tri_actor *actor = worker->tick % 2 == 0 ? pop_pinned(worker) : NULL;
    if (actor == NULL)
        actor = pop_ring(worker);
    if (actor == NULL)
        actor = pop_pinned(worker);
    return actor != NULL ? actor : take_slot(worker);
}

/* Between turns: this worker holds no actor that it resolved from a pid (2). */
static void quiescent(tri_worker *worker)
{
    TR_DCHECK(worker->outbox.target == NULL);
    /* edge quiet-word (acq_rel): with begin and is_over in limbo.c */
    tr_fetch_add_acq_rel(&worker->quiet, TRI_QUIET_STEP);
    tri_rcu_quiescent();
}

static tri_actor *next_shared(tri_worker *worker)
{
    take_inbox(worker);
    tri_limbo_collect(worker);
    tri_limbo_step(worker);
    /* Each may have made something ready here. */
    tri_actor *actor = next_local(worker);
    return actor != NULL ? actor : tri_inject_take(&worker->ctx.sender.system->inject);
}

bool tri_worker_has_duty(tri_worker *worker)
{
    tr_system *system = worker->ctx.sender.system;
    /* edge park (seq_cst): each of these is made visible before its producer
     * looks for a parked worker; here it is read after parking was announced */
    return tr_load_seq_cst(&worker->inbox) != NULL || tr_load_seq_cst(&worker->ripe) != NULL ||
           tri_inject_has_work(&system->inject) || tr_load_seq_cst(&system->ending);
}

static void set_state(tri_worker *worker, tr_worker_state state)
{
    /* relaxed: a statistic */
    tr_store_relaxed(&worker->counters.state, (uint32_t)state);
}

/* Search the shared places for `ns`, but once at least; NULL: nothing found. */
static tri_actor *search(tri_worker *worker, uint64_t ns)
{
    uint64_t started = tr_now();
    uint64_t now = started;
    tri_steal_judge(worker, now);
    do {
        tri_actor *actor = next_shared(worker);
        if (actor == NULL)
            actor = tri_steal(worker, now);
        if (actor != NULL)
            return actor;
        /* relaxed: a look at our own line; what is pinned here comes from other cores */
        for (int i = 0; i < 32 && tr_load_relaxed(&worker->inbox) == NULL; i++)
            tr_cpu_relax();
        quiescent(worker);
        now = tr_now();
        /* relaxed: a hint to leave early; the look before parking is exact */
    } while (now - started < ns && !tr_load_relaxed(&worker->ctx.sender.system->ending));
    return NULL;
}

/* The last searcher leaves: if there is more, another one has to look. */
static void leave_search(tri_worker *worker)
{
    tr_system *system = worker->ctx.sender.system;
    if (tri_idle_stop_search(&system->idle) &&
        (tri_worker_has_duty(worker) || tri_steal_look(worker) != TRI_LOOT_NONE) && tri_idle_notify(system))
        tr_count_add(&worker->counters.wakes, 1);
}

/* Nothing runs that would need what the worker keeps back. */
static void prepare_to_park(tri_worker *worker)
{
    tr_pool_flush();
    tr_count_add(&worker->counters.parks, 1);
    set_state(worker, TR_WORKER_PARKED);
}

static void start_turns(tri_worker *worker, uint64_t now)
{
    /* relaxed: a hint to others */
    tr_store_relaxed(&worker->turn_started, now);
}

/* The next actor, waiting for one if need be; NULL: the system ends. */
static tri_actor *next_actor(tri_worker *worker)
{
    tr_system *system = worker->ctx.sender.system;
    tri_actor *actor = next_local(worker);
    if (TR_LIKELY(actor != NULL))
        return actor;
    actor = next_shared(worker);
    if (actor != NULL)
        return actor;

    set_state(worker, TR_WORKER_SEARCHING);
    uint64_t patience = TRI_SPIN;
    for (bool searching = false;;) {
        if (!searching)
            searching = tri_idle_start_search(&system->idle, system->worker_count);
        actor = searching ? search(worker, patience) : next_shared(worker);
        if (actor == NULL) {
            tri_limbo_rest(worker);
            actor = next_local(worker); /* what the drops of dead letters sent to */
        }
        /* edge ending (seq_cst): with leave in system.c */
        if (actor != NULL || tr_load_seq_cst(&system->ending)) {
            if (searching)
                leave_search(worker);
            break;
        }
        prepare_to_park(worker);
        tri_park_end end = tri_idle_park(worker, searching);
        searching = searching || end == TRI_PARK_WOKEN;
        patience = end == TRI_PARK_WATCHED ? 0 : TRI_SPIN; /* one look each time */
        if (end == TRI_PARK_REFUSED)
            quiescent(worker);
        set_state(worker, TR_WORKER_SEARCHING);
    }
    set_state(worker, TR_WORKER_RUNNING);
    /* After a sleep nothing is known of the turns to come: time them. */
    worker->timing = true;
    start_turns(worker, tr_now());
    return actor;
}

/* -- between turns ------------------------------------------------------------------ */

static void wake_for_backlog(tri_worker *worker)
{
    tr_system *system = worker->ctx.sender.system;
    if (tri_steal_is_worth_a_wake(worker) && tri_idle_wants_wake(&system->idle) &&
        tri_idle_notify(system))
        tr_count_add(&worker->counters.wakes, 1);
}

static uint32_t smooth(uint32_t average, uint64_t sample)
{
    uint64_t next = ((uint64_t)average * 3 + sample) / 4;
    return next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
}

/* `turns` of them are over: how long was one? */
static uint64_t note_turns(tri_worker *worker, uint64_t turns)
{
    uint64_t now = tr_now();
    uint64_t length = (now - tri_worker_turn_started(worker)) / turns;
    /* relaxed: the worker's own word, a hint to others */
    tr_store_relaxed(&worker->turn, smooth(tr_load_relaxed(&worker->turn), length));
    start_turns(worker, now);
    return length;
}

/* Every TRI_HOUSEKEEPING turns. */
static void housekeeping(tri_worker *worker)
{
    worker->tick = 0;
    quiescent(worker);
    take_inbox(worker);
    tri_limbo_collect(worker);
    tri_limbo_step(worker);
    if (!worker->timing)
        note_turns(worker, TRI_HOUSEKEEPING);
    /* relaxed: the worker's own word */
    worker->timing = tr_load_relaxed(&worker->turn) > TRI_LONG_TURN / 4;
    wake_for_backlog(worker);
    /* What comes from outside has its turn, however busy we are. */
    tri_actor *actor = tri_inject_take(&worker->ctx.sender.system->inject);
    if (actor != NULL)
        tri_worker_requeue(worker, actor);
}

void tri_worker_time_turn(tri_worker *worker, tri_actor *actor)
{
    actor->turn = smooth(actor->turn, note_turns(worker, 1));
}

static void after_turn(tri_worker *worker)
{
    worker->ctx.actor = NULL;
    if (TR_UNLIKELY(worker->timing)) {
        quiescent(worker);
        wake_for_backlog(worker);
    }
    if (++worker->tick >= TRI_HOUSEKEEPING)
        housekeeping(worker);
}

/* A panic of the actor that runs lands here again, with `panicked`. */
static void run_actors(tri_worker *worker, bool panicked)
{
    if (panicked) {
        tri_actor_panicked(worker, &worker->boundary.info);
        after_turn(worker);
    }
    for (;;) {
        tri_actor *actor = next_actor(worker);
        if (actor == NULL)
            return;
        tri_actor_run(worker, actor);
        after_turn(worker);
    }
}

void *tri_worker_main(void *arg)
{
    tri_worker *worker = arg;
    tri_worker_self = worker;
    tri_rcu_register();
    tri_worker_wake_up(worker);
    /* Armed once: a panic unwinds the actor's frames and comes back here. */
    if (tri_boundary_arm(&worker->boundary) != 0)
        run_actors(worker, true);
    else
        run_actors(worker, false);
    tri_boundary_disarm(&worker->boundary);
    tri_limbo_rest(worker);
    tri_worker_lie_down(worker);
    tri_rcu_unregister();
    tri_worker_self = NULL;
    return NULL;
}
