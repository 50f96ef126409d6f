/*
 * rcu_cell - guards, the cell, and the drop that waits for readers
 *
 *     cell.value ---> Arc            the share it holds
 *     record { head, Arc } ---tri_rcu_call---> helper: drop the Arc, free the record
 *
 * 1. An Arc that a section found in a cell has the cell's share until the section is
 *    closed: the share is given up in a deferred call only.
 * 2. Who replaces a value has its record before it does, so nothing can fail after.
 * 3. A cell with a value has a record in `spare`: the replacement of an empty cell's
 *    nothing leaves its record there, and only fini takes it out. So fini cannot
 *    fail, nor can it wait.
 *
 * Edges: rcu-cell below; what a section read comes before the drop by the edges of
 * the grace period (mem/rcu.h).
 */
#include <troupe/mem/rcu_cell.h>

#include "mem/owned.h"
#include "mem/rcu.h"
#include "mem/rcu_defer.h"

/* -- guards --------------------------------------------------------------------------- */

tr_rcu_guard tr_rcu_enter(void)
{
    tri_rcu_enter();
    return (tr_rcu_guard){ .open_ = true };
}

void tr_rcu_leave(tr_rcu_guard *guard)
{
    if (!guard->open_)
        return;
    guard->open_ = false;
    tri_rcu_leave();
}

void tri_rcu_leave_cleanup(const bool *unused)
{
    (void)unused;
    tri_rcu_leave();
}

/* A worker's thread is online in every handler, the helper's in every drop. */
static void check_may_wait(const char *call)
{
    if (TR_UNLIKELY(tri_rcu_is_online()))
        tr_panic("%s would wait for this thread: it has a guard open, or is a worker or drops",
                 call);
}

void tr_rcu_synchronise(void)
{
    check_may_wait("tr_rcu_synchronise");
    tri_rcu_synchronize();
}

void tr_rcu_barrier(void)
{
    check_may_wait("tr_rcu_barrier");
    tri_rcu_barrier();
}

/* -- values ---------------------------------------------------------------------------- */

void tri_rcu_check_value(const void *owned)
{
    if (owned == NULL)
        return;
    const tri_owned *header = tri_owned_of(owned);
    const tri_kind kind = tri_owned_kind(header);
    if (TR_UNLIKELY(kind != TRI_KIND_ARC && kind != TRI_KIND_BOX))
        tr_panic("%p is neither an Arc nor a Box", owned);
    const tr_type *type = tri_owned_type(header);
    if (TR_UNLIKELY(!tr_type_is_send(type) || !tr_type_is_share(type)))
        tr_panic("a %s may not be read and dropped by other threads", type->name);
}

void *tri_rcu_as_arc(void *owned)
{
    if (owned == NULL || tri_owned_kind(tri_owned_of(owned)) == TRI_KIND_ARC)
        return owned;
    return tr_arc_share_box(owned);
}

static void drop(void *owned)
{
    tr_drop_owned(owned);
}

void tri_rcu_drop_on_helper(void *owned)
{
    /* the hook has told of a panic; there is nobody else to tell */
    const tr_status status = tr_catch(drop, owned, NULL);
    (void)status;
}

/* -- records --------------------------------------------------------------------------- */

typedef struct record {
    tri_rcu_head head;
    void *value;
} record;

static record *create_record(void)
{
    return tr_alloc(tr_layout_of(record));
}

static void free_record(record *r)
{
    tr_dealloc(r, tr_layout_of(record));
}

static void free_unused_record(record **r)
{
    if (*r != NULL)
        free_record(*r);
}

static void reclaim(tri_rcu_head *head)
{
    record *r = caa_container_of(head, record, head);
    void *value = r->value;
    free_record(r);
    tri_rcu_drop_on_helper(value);
}

/* Use r for the old value; when there is none, keep it for the last one (3.). */
static void retire(tr_rcu_core *core, record *r, void *old)
{
    if (old != NULL) {
        r->value = old;
        tri_rcu_call(&r->head, reclaim);
        return;
    }
    void *none = NULL;
    /* relaxed: nobody looks into the record before fini, whose caller is alone with
     * the cell by his own means */
    if (!tr_cas_relaxed(&core->spare_, &none, r))
        free_record(r);
}

/* -- the cell -------------------------------------------------------------------------- */

void *tr_rcu_share_(tr_rcu_core *core)
{
    TRI_RCU_SECTION;
    /* edge rcu-cell (acquire): with tr_rcu_set_ and tr_rcu_update_; carries the value */
    void *value = tr_load_acquire(&core->value_);
    return value != NULL ? tr_arc_clone_owned(value) : NULL;
}

tr_status tr_rcu_set_(tr_rcu_core *core, void *value, void *ret_old)
{
    tri_rcu_check_value(value);
    record *r = create_record();
    if (r == NULL)
        return TR_NOMEM;
    /* edge rcu-cell (acq_rel): with readers; carries the value; and with the writer
     * of the old one, which may be handed out */
    void *old = tr_swap_acq_rel(&core->value_, tri_rcu_as_arc(value));
    if (ret_old != NULL)
        tri_pointer_store(ret_old, old != NULL ? tr_arc_clone_owned(old) : NULL);
    retire(core, r, old);
    return TR_OK;
}

/* One turn of an update, from `old`, which the section keeps. *ret_lost: somebody else
 * replaced it first; the status is TR_OK then. */
static tr_status try_update(tr_rcu_core *core, void *old, tr_rcu_change change, void *arg,
                            bool *ret_lost)
{
    const tri_owned *model = tri_owned_of(old);
    __attribute__((cleanup(tri_owned_free_unused))) tri_owned *raw =
        tri_owned_create_like(model, TRI_KIND_ARC);
    if (raw == NULL)
        return TR_NOMEM;
    tr_status status = tri_owned_clone_values(raw, model);
    if (status != TR_OK)
        return status;
    TR_AUTO(void) copy = tri_owned_value(raw);
    raw = NULL;
    status = change(copy, arg);
    if (status != TR_OK)
        return status;
    /* edge rcu-cell (acq_rel): with readers; carries the copy */
    *ret_lost = !tr_cas_acq_rel(&core->value_, &old, copy);
    if (!*ret_lost)
        copy = NULL;
    return TR_OK;
}

tr_status tr_rcu_update_(tr_rcu_core *core, tr_rcu_change change, void *arg)
{
    __attribute__((cleanup(free_unused_record))) record *r = create_record();
    if (r == NULL)
        return TR_NOMEM;
    TRI_RCU_SECTION;
    void *old;
    bool lost;
    do {
        /* edge rcu-cell (acquire): with the writer of the value; carries it */
        old = tr_load_acquire(&core->value_);
        if (old == NULL)
            return TR_EMPTY;
        const tr_status status = try_update(core, old, change, arg, &lost);
        if (status != TR_OK)
            return status;
    } while (lost);
    retire(core, TR_MOVE(r), old);
    return TR_OK;
}

void tr_rcu_fini_(tr_rcu_core *core)
{
    /* relaxed, all: the caller is alone with the cell */
    void *value = tr_load_relaxed(&core->value_);
    record *r = tr_load_relaxed(&core->spare_); /* relaxed: alone */
    tr_store_relaxed(&core->value_, NULL);      /* relaxed: alone */
    tr_store_relaxed(&core->spare_, NULL);      /* relaxed: alone */
    if (value == NULL) {
        free_unused_record(&r);
        return;
    }
    TR_ASSERT(r != NULL); /* 3. */
    r->value = value;
    tri_rcu_call(&r->head, reclaim);
}
