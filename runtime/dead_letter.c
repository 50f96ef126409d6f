/*
 * dead_letter - messages that reached nobody are counted and shown to the hook
 */
#include "runtime/system_block.h"

typedef struct hook_call {
    tr_system *system;
    const tr_dead_letter *letter;
} hook_call;

static void run_hook(void *arg)
{
    hook_call *call = arg;
    call->system->on_dead_letter(call->letter, call->system->on_dead_letter_arg);
}

void tri_dead_letter(tr_system *system, tri_worker *worker, const tr_dead_letter *letter)
{
    if (worker != NULL)
        tr_count_add(&worker->counters.dead_letters, 1);
    else
        /* relaxed: a statistic */
        tr_fetch_add_relaxed(&system->outside_dead_letters, 1);
    if (system->on_dead_letter == NULL)
        return;
    /* A panic of the hook is reported, but it is no actor's: we may be in the
     * middle of an actor's end. */
    hook_call call = { .system = system, .letter = letter };
    tr_status ignored = tr_catch(run_hook, &call, NULL);
    (void)ignored;
}
