/*
 * rcu_list - liburcu's rculist under a mutex, its nodes and their values
 *
 *     ends <-> node <-> node <-> ends     prev: writers only; next: read by walkers
 *
 * 1. Writers hold `writing`. Walkers follow next only, and a removed node keeps its
 *    next, so a walker that stands on it goes on into the list.
 * 2. A node is freed, and its value's share given up, in a deferred call only.
 * 3. `removed` is written once, under the mutex; a second remover sees it there.
 * 4. ends.next is NULL until the first insertion: then the list is circular for good.
 *
 * Edges: those of rcu_assign_pointer and rcu_dereference (next carries the node and
 * its value), of the mutex, and of grace periods (mem/rcu.h).
 */
#include <troupe/mem/rcu_list.h>

#include "mem/owned.h"
#include "mem/rcu.h"
#include "mem/rcu_defer.h"

#include <urcu/rculist.h>

_Static_assert(sizeof(tr_rcu_link_) == sizeof(struct cds_list_head) &&
                   offsetof(tr_rcu_link_, next_) == offsetof(struct cds_list_head, next),
               "one layout");

typedef struct node {
    union {
        tr_rcu_node_ seen; /* by the macros */
        struct cds_list_head link;
    };
    bool removed;
    tri_rcu_head head;
} node;

static struct cds_list_head *ends_of(tr_rcu_list_core *list)
{
    return (struct cds_list_head *)&list->ends_;
}

static void reclaim(tri_rcu_head *head)
{
    node *n = caa_container_of(head, node, head);
    void *value = n->seen.value_;
    tr_dealloc(n, tr_layout_of(node));
    tri_rcu_drop_on_helper(value);
}

/* -- writing --------------------------------------------------------------------------- */

/* Under the mutex: link n at its place; false: `at` is gone. */
static bool link_in(tr_rcu_list_core *list, node *at, node *n, tr_rcu_where_ where)
{
    struct cds_list_head *ends = ends_of(list);

    if (at != NULL && at->removed)
        return false;
    if (ends->next == NULL) { /* 4. */
        ends->prev = ends;
        rcu_assign_pointer(ends->next, ends);
    }
    struct cds_list_head *place = at != NULL ? &at->link : ends;
    if (where == TR_RCU_REPLACE_) {
        cds_list_replace_rcu(place, &n->link);
        at->removed = true;
        return true;
    }
    if (where == TR_RCU_AFTER_)
        cds_list_add_rcu(&n->link, place);
    else
        cds_list_add_tail_rcu(&n->link, place);
    tr_fetch_add_relaxed(&list->len_, 1); /* relaxed: a number, under the mutex */
    return true;
}

static bool link_in_locked(tr_rcu_list_core *list, node *at, node *n, tr_rcu_where_ where)
{
    tr_mutex_acquire(&list->writing_);
    const bool linked = link_in(list, at, n, where);
    tr_mutex_release(&list->writing_);
    return linked;
}

tr_status tr_rcu_list_insert_(tr_rcu_list_core *list, tr_rcu_node_ *seen, void *value,
                              tr_rcu_where_ where)
{
    node *at = (node *)seen;

    TR_DCHECK(at == NULL || tri_rcu_is_online());
    TR_ASSERT(value != NULL);
    tri_rcu_check_value(value);
    node *n = tr_alloc(tr_layout_of(node));
    if (n == NULL)
        return TR_NOMEM;
    const bool was_box = tri_owned_kind(tri_owned_of(value)) == TRI_KIND_BOX;
    n->seen.value_ = tri_rcu_as_arc(value);
    n->removed = false;
    if (!link_in_locked(list, at, n, where)) {
        if (was_box) /* nobody has seen it: a Box again */
            tri_owned_set_kind(tri_owned_of(value), TRI_KIND_BOX);
        tr_dealloc(n, tr_layout_of(node));
        return TR_EMPTY;
    }
    if (where == TR_RCU_REPLACE_)
        tri_rcu_call(&at->head, reclaim);
    return TR_OK;
}

static bool unlink_locked(tr_rcu_list_core *list, node *n)
{
    tr_mutex_acquire(&list->writing_);
    const bool was_there = !n->removed;
    if (was_there) {
        n->removed = true;
        cds_list_del_rcu(&n->link);
        tr_fetch_sub_relaxed(&list->len_, 1); /* relaxed: a number, under the mutex */
    }
    tr_mutex_release(&list->writing_);
    return was_there;
}

bool tr_rcu_list_remove_(tr_rcu_list_core *list, tr_rcu_node_ *at)
{
    node *n = (node *)at;

    TR_DCHECK(tri_rcu_is_online());
    if (!unlink_locked(list, n))
        return false;
    tri_rcu_call(&n->head, reclaim);
    return true;
}

void tr_rcu_list_fini_(tr_rcu_list_core *list)
{
    struct cds_list_head *ends = ends_of(list);
    struct cds_list_head *link = ends->next;

    if (link == NULL)
        return;
    while (link != ends) { /* a walker may stand on any of them: next stays */
        node *n = caa_container_of(link, node, link);
        link = link->next;
        tri_rcu_call(&n->head, reclaim);
    }
    ends->next = ends->prev = NULL;
    tr_store_relaxed(&list->len_, 0); /* relaxed: the caller is alone with the list */
}

/* -- reading --------------------------------------------------------------------------- */

tr_rcu_node_ *tr_rcu_list_next_(const tr_rcu_list_core *list, const tr_rcu_link_ *link,
                                const tr_rcu_guard *guard)
{
    (void)guard;
    TR_DCHECK(guard->open_);
    tr_rcu_link_ *next = rcu_dereference(link->next_);
    if (next == NULL || next == &list->ends_)
        return NULL;
    return (tr_rcu_node_ *)next;
}

size_t tr_rcu_list_len_(const tr_rcu_list_core *list)
{
    return tr_load_relaxed(&list->len_); /* relaxed: a snapshot */
}
