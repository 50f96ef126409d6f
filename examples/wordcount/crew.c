/*
 * crew - the actors of the pipeline
 *
 *     walker   readers   tokenisers   counters   merge
 *       1      up to 4   one each worker each      1
 *
 * Made from the last to the first, since each needs to know the next. A few
 * readers are enough: they only copy out of the page cache, and overlap the
 * waiting for a disk. Each has chunks enough to keep every tokeniser and every
 * counter busy, so that one large file is counted on all workers.
 */
#include "crew.h"

#include "console.h"

enum { READERS_MAX = 4 };

TR_TYPE(tr_pid)

struct plan {
    tr_system *system;
    unsigned workers;
    unsigned readers;
    unsigned chunks; /* of each reader */
};

static struct plan plan_for(tr_system *system)
{
    const unsigned workers = tr_system_workers(system);
    return (struct plan){
        .system = system,
        .workers = workers,
        .readers = workers < READERS_MAX ? workers : READERS_MAX,
        .chunks = 2 * workers + 2,
    };
}

/* Add a member to the crew, if it was made. */
static tr_status enlist(struct crew *crew, tr_status status, tr_pid pid)
{
    if (status == TR_OK)
        crew->members[crew->count++] = pid;
    return status;
}

/* The address arrays are given as Arcs, which every actor gets a share of. */

static tr_status make_counters(const struct plan *plan, struct tally *tally, struct crew *crew,
                               counter_ref **ret_counters)
{
    TR_AUTO(counter_ref) counters = tr_box_array(counter_ref, plan->workers);
    if (counters == NULL)
        return TR_NOMEM;
    for (unsigned i = 0; i < plan->workers; i++) {
        const tr_status status = spawn_counter(plan->system, tally, &counters[i]);
        if (enlist(crew, status, counters[i].pid) != TR_OK)
            return status;
    }
    *ret_counters = tr_arc_from_box(counters);
    return TR_OK;
}

static tr_status make_tokenisers(const struct plan *plan, counter_ref *counters, struct crew *crew,
                                 tokeniser_ref **ret_tokenisers)
{
    TR_AUTO(tokeniser_ref) tokenisers = tr_box_array(tokeniser_ref, plan->workers);
    if (tokenisers == NULL)
        return TR_NOMEM;
    for (unsigned i = 0; i < plan->workers; i++) {
        const tr_status status = spawn_tokeniser(plan->system, counters, &tokenisers[i]);
        if (enlist(crew, status, tokenisers[i].pid) != TR_OK)
            return status;
    }
    *ret_tokenisers = tr_arc_from_box(tokenisers);
    return TR_OK;
}

static tr_status make_readers(const struct plan *plan, walker_ref walker, tokeniser_ref *tokenisers,
                              struct tally *tally, struct crew *crew)
{
    for (unsigned i = 0; i < plan->readers; i++) {
        reader_ref reader = { TR_PID_NONE };
        const tr_status status = spawn_reader(plan->system, walker, tokenisers, crew->merge,
                                              plan->chunks, tally, &reader);
        if (enlist(crew, status, reader.pid) != TR_OK)
            return status;
    }
    return TR_OK;
}

static tr_status make_all(const struct plan *plan, const struct options *options,
                          struct tally *tally, struct crew *crew)
{
    TR_AUTO(counter_ref) counters = NULL;
    TR_AUTO(tokeniser_ref) tokenisers = NULL;
    walker_ref walker = { TR_PID_NONE };

    tr_status status = make_counters(plan, tally, crew, &counters);
    if (status != TR_OK)
        return status;
    status = spawn_merge(plan->system, counters, plan->readers, options->top, &crew->merge);
    if (enlist(crew, status, crew->merge.pid) != TR_OK)
        return status;
    status = make_tokenisers(plan, counters, crew, &tokenisers);
    if (status != TR_OK)
        return status;
    status = spawn_walker(plan->system, options->paths, tally, &walker);
    if (enlist(crew, status, walker.pid) != TR_OK)
        return status;
    return make_readers(plan, walker, tokenisers, tally, crew);
}

tr_status crew_start(tr_system *system, const struct options *options, struct tally *tally,
                     struct crew *ret_crew)
{
    const struct plan plan = plan_for(system);
    struct crew crew = {
        .members = tr_box_array(tr_pid, 2u * plan.workers + plan.readers + 2u),
    };
    if (crew.members == NULL)
        return TR_NOMEM;
    const tr_status status = make_all(&plan, options, tally, &crew);
    if (status == TR_OK)
        *ret_crew = crew;
    else
        crew_fini(&crew);
    return status;
}

bool crew_is_alive(tr_system *system, const struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        if (!tr_is_alive(system, crew->members[i]))
            return false;
    return true;
}

void crew_fini(struct crew *crew)
{
    tr_drop(crew->members);
}

void must(tr_ctx *ctx, tr_status status, const char *what)
{
    if (status == TR_OK)
        return;
    /* When somebody else has failed or the system stops, that was said there. */
    if (status != TR_DEAD && status != TR_SHUTDOWN)
        console_error("%s: %s", what, tr_status_text(status));
    tr_fail(ctx, status, "%s", what);
}
