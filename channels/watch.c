/*
 * watch - two cells, one of them current, and a version
 *
 *   cells      [ current value ][ spare ]         a send fills the spare one,
 *   version    | count of changes | closed |      then flips, then drops the old one
 *
 * 1. `sending` is held by one sender at a time and guards the spare cell.
 *    `looking` guards which cell is current, and the value in it: for reading it
 *    is held by borrows, for writing by a flip or a change in place. So a flip
 *    has no reader in the old cell, and the old value is dropped without `looking`.
 * 2. version changes under `looking` held for writing, except for the bit, which
 *    the last sender sets; so a borrow's value and version belong together.
 * 3. handles counts senders and receivers; the last one to go destroys.
 *
 * Edges: version (seq_cst), from send and close to those who wait, see gate.h 2.;
 * receivers (seq_cst) the same for senders that wait for the last one; handles.
 */
#include <troupe/channels/watch.h>

#include "channels/flavour.h"
#include "channels/gate.h"

#include <troupe/mem/panic.h>

#define CLOSED ((uint64_t)1)
#define ONE ((uint64_t)2)

struct tr_watch {
    const tr_type *type;
    tr_layout layout;
    size_t first, stride;          /* of the cells */
    TR_ATOMIC(uint64_t) version;
    unsigned current;
    pthread_mutex_t sending;
    pthread_rwlock_t looking;
    TR_ATOMIC(uint32_t) senders;
    TR_ATOMIC(uint32_t) receivers;
    TR_ATOMIC(uint32_t) handles;
    tri_gate changes;              /* receivers wait for a version */
    tri_gate leaving;              /* senders wait for receivers to be gone */
};

static void *cell(tr_watch *w, unsigned which)
{
    return (char *)w + w->first + which * w->stride;
}

/* -- life ------------------------------------------------------------------------------- */

static void init_locks(tr_watch *w)
{
    pthread_rwlockattr_t attributes;
    (void)pthread_rwlockattr_init(&attributes);
    /* borrows that overlap for ever must not keep a send out */
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&w->looking, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    (void)pthread_mutex_init(&w->sending, NULL);
    tri_gate_init(&w->changes);
    tri_gate_init(&w->leaving);
}

tr_status tr_watch_create(const tr_type *type, const void *value, tr_watch **ret_watch)
{
    if (!tr_type_is_send(type) || !tr_type_is_share(type))
        tr_panic("%s must not be seen by several threads, so there is no watch of it", type->name);
    tr_layout cells, layout;
    size_t first;
    tr_status s = tr_layout_array((tr_layout){ .size = type->size, .align = type->align }, 2, &cells);
    if (s == TR_OK)
        s = tr_layout_extend(tr_layout_of(tr_watch), cells, &layout, &first);
    if (s != TR_OK)
        return s;
    tr_watch *w = tr_alloc(layout);
    if (w == NULL)
        return TR_NOMEM;
    *w = (tr_watch){ .type = type, .layout = layout, .first = first, .stride = type->size };
    init_locks(w);
    tr_atomic_init(&w->senders, 1);
    tr_atomic_init(&w->receivers, 1);
    tr_atomic_init(&w->handles, 2);
    tri_move(cell(w, 0), value, type->size);
    *ret_watch = w;
    return TR_OK;
}

static void free_watch(tr_watch **watch)
{
    tr_watch *w = *watch;
    tri_gate_fini(&w->changes);
    tri_gate_fini(&w->leaving);
    (void)pthread_mutex_destroy(&w->sending);
    (void)pthread_rwlock_destroy(&w->looking);
    tr_dealloc(w, w->layout);
}

static void drop_handle(tr_watch *watch)
{
    /* edge handles (acq_rel): with itself, of the other handles; carries all they did */
    if (tr_fetch_sub_acq_rel(&watch->handles, 1) != 1)
        return;
    __attribute__((cleanup(free_watch))) tr_watch *w = watch;
    tri_drop_value(w->type, cell(w, w->current));
}

tr_watch *tr_watch_add_sender(tr_watch *w)
{
    /* relaxed: the caller's handle keeps the watch; the new one travels to another
     * thread by means that order it */
    tri_check_handles(tr_fetch_add_relaxed(&w->handles, 1));
    tr_fetch_add_relaxed(&w->senders, 1); /* relaxed: as above */
    return w;
}

uint64_t tr_watch_add_receiver(tr_watch *w)
{
    tri_check_handles(tr_fetch_add_relaxed(&w->handles, 1)); /* relaxed: as in add_sender */
    /* edge receivers (seq_cst): with no_receivers */
    tr_fetch_add_seq_cst(&w->receivers, 1);
    /* edge version (acquire): with publish; the caller has seen up to here */
    return tr_load_acquire(&w->version) / ONE;
}

void tr_watch_drop_sender(tr_watch **watch)
{
    tr_watch *w = *watch;
    *watch = NULL;
    if (w == NULL)
        return;
    /* edge senders (acq_rel): with itself, of the other senders; their sends come
     * before the bit */
    if (tr_fetch_sub_acq_rel(&w->senders, 1) == 1) {
        /* edge version (seq_cst): with may_go_on; before the hint is read */
        tr_fetch_or_seq_cst(&w->version, CLOSED);
        tri_gate_open(&w->changes);
    }
    drop_handle(w);
}

void tr_watch_drop_receiver(tr_watch **watch)
{
    tr_watch *w = *watch;
    *watch = NULL;
    if (w == NULL)
        return;
    /* edge receivers (seq_cst): with no_receivers; before the hint is read */
    if (tr_fetch_sub_seq_cst(&w->receivers, 1) == 1)
        tri_gate_open(&w->leaving);
    drop_handle(w);
}

/* -- the sender ------------------------------------------------------------------------- */

static void unlock(pthread_mutex_t **lock)
{
    (void)pthread_mutex_unlock(*lock);
}

static void stop_looking(pthread_rwlock_t **lock)
{
    (void)pthread_rwlock_unlock(*lock);
}

/* A new version; `looking` is held for writing. */
static void publish(tr_watch *w)
{
    /* edge version (seq_cst): with may_go_on and add_receiver; before the hint is read */
    tr_fetch_add_seq_cst(&w->version, ONE);
}

/* With `sending` held: move *value in; the old value is in the spare cell then. */
static void *flip(tr_watch *w, const void *value)
{
    void *old = cell(w, w->current);
    tri_move(cell(w, 1 - w->current), value, w->type->size);
    pthread_rwlock_wrlock(&w->looking);
    w->current = 1 - w->current;
    publish(w);
    pthread_rwlock_unlock(&w->looking);
    tri_gate_open(&w->changes);
    return old;
}

tr_status tr_watch_send(tr_watch *w, const void *value)
{
    if (tr_watch_is_closed(w))
        return TR_DISCONNECTED;
    pthread_mutex_lock(&w->sending);
    __attribute__((cleanup(unlock), unused)) pthread_mutex_t *locked = &w->sending;
    tri_drop_value(w->type, flip(w, value));
    return TR_OK;
}

void tr_watch_replace(tr_watch *w, void *value)
{
    pthread_mutex_lock(&w->sending);
    tri_move(value, flip(w, value), w->type->size);
    pthread_mutex_unlock(&w->sending);
}

bool tr_watch_send_if_modified(tr_watch *w, tr_watch_modify *modify, void *arg)
{
    bool modified;
    {
        pthread_mutex_lock(&w->sending);
        __attribute__((cleanup(unlock), unused)) pthread_mutex_t *sending = &w->sending;
        pthread_rwlock_wrlock(&w->looking);
        __attribute__((cleanup(stop_looking), unused)) pthread_rwlock_t *looking = &w->looking;
        modified = modify(cell(w, w->current), arg);
        if (modified)
            publish(w);
    }
    if (modified)
        tri_gate_open(&w->changes);
    return modified;
}

static bool no_receivers(const void *arg)
{
    const tr_watch *w = arg;
    /* edge receivers (seq_cst): with drop_receiver; after the hint is set */
    return tr_load_seq_cst(&w->receivers) == 0;
}

bool tr_watch_is_closed(const tr_watch *w)
{
    return no_receivers(w);
}

tr_status tr_watch_closed_until(tr_watch *w, uint64_t deadline)
{
    return tri_gate_wait(&w->leaving, no_receivers, w, deadline);
}

/* -- the receiver ------------------------------------------------------------------------ */

struct waiting_for {
    const tr_watch *watch;
    uint64_t seen;
};

static bool may_go_on(const void *arg)
{
    const struct waiting_for *f = arg;
    /* edge version (seq_cst): with publish and drop_sender; after the hint is set */
    const uint64_t version = tr_load_seq_cst(&f->watch->version);
    return (version & CLOSED) != 0 || version / ONE != f->seen;
}

bool tr_watch_has_changed(const tr_watch *w, uint64_t seen)
{
    /* edge version (acquire): with publish; whoever sees a change sees its value */
    return tr_load_acquire(&w->version) / ONE != seen;
}

tr_status tr_watch_changed_until(tr_watch *w, uint64_t *seen, uint64_t deadline)
{
    const struct waiting_for until = { .watch = w, .seen = *seen };
    const tr_status s = tri_gate_wait(&w->changes, may_go_on, &until, deadline);
    if (s != TR_OK)
        return s;
    /* edge version (acquire): with publish and drop_sender; with the bit, the last value */
    const uint64_t version = tr_load_acquire(&w->version) / ONE;
    if (version == *seen)
        return TR_DISCONNECTED;
    *seen = version;
    return TR_OK;
}

const void *tr_watch_borrow(tr_watch *w, uint64_t *ret_seen)
{
    pthread_rwlock_rdlock(&w->looking);
    if (ret_seen != NULL)
        *ret_seen = tr_load_relaxed(&w->version) / ONE; /* relaxed: under the lock (2.) */
    return cell(w, w->current);
}

void tr_watch_release(tr_watch *w)
{
    pthread_rwlock_unlock(&w->looking);
}
