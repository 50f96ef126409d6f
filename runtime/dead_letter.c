/*
 * dead_letter - messages that reached nobody are counted and shown to the hook
 */
#include "runtime/system_block.h"

void tri_dead_letter(tr_system *system, tri_worker *worker, tr_pid to, const tr_message_type *type,
                     tr_status reason)
{
    if (worker != NULL)
        tr_count_add(&worker->counters.dead_letters, 1);
    else
        /* relaxed: a statistic */
        tr_fetch_add_relaxed(&system->outside_dead_letters, 1);
    if (system->on_dead_letter == NULL)
        return;
    tr_dead_letter letter = { .to = to, .from = TR_PID_NONE, .type = type, .reason = reason };
    if (worker != NULL && worker->ctx.actor != NULL)
        letter.from = tr_self(&worker->ctx);
    system->on_dead_letter(&letter, system->on_dead_letter_arg);
}
