/*
 * outlived - wrong: a value of a cell is used after the guard it was read under
 *
 *   reader  enter, read p, 1 ......... wait 2, [wrong: leave], use p, leave, wait 3
 *   writer  wait 1, set (drops p after a grace period), 2
 *   helper                                              drop p: 3
 */
#include <troupe/mem/rcu_cell.h>

#include "tests/mem/planted/planted.h"

typedef struct payload {
    int x;
} payload;

static void payload_drop(payload *p)
{
    p->x = -1;
    step_reached(3);
}

TR_TYPE(payload, .drop = payload_drop)
TR_RCU(payload)

static payload_rcu shared;

static void *reader(void *wrong)
{
    TR_RCU_GUARD g = tr_rcu_enter();
    const payload *p = tr_rcu_read(&shared, &g);
    step_reached(1);
    step_await(2);
    if (wrong)
        tr_rcu_leave(&g);
    tr_fetch_add_relaxed(&sum, p->x); /* relaxed: nobody looks */
    tr_rcu_leave(&g);
    step_await(3);
    return NULL;
}

static void writer(bool wrong)
{
    (void)wrong;
    step_await(1);
    TR_MUST(tr_rcu_set(&shared, NULL));
    step_reached(2);
}

int main(int argc, char **argv)
{
    TR_MUST(tr_rcu_set(&shared, tr_arc(payload, 1)));
    return planted_run(argc, argv, reader, writer);
}
