/*
 * rc - shared ownership on one thread, counted in the header
 *
 *     strong   owners of the value
 *     weak     Weak references, plus 1 held by all owners together
 *
 *     strong n -> 0: the value is dropped, then the owners' 1 leaves weak
 *     weak   n -> 0: the block is freed
 *
 * Invariants
 *  1. strong leaves 0 only once, when new_cyclic has made the value.
 *  2. weak >= 1 while strong >= 1, and while new_cyclic or the value's drop runs;
 *     so a Weak that these let go of does not free the block under them.
 *  3. Counts change before foreign code (drop, clone, init) is called: whatever
 *     that does with other references to the value finds them right.
 *
 * Edges: a count above MAX_COUNT aborts (clone, weak_clone) or panics (downgrade,
 * upgrade); without the checked build an Rc on two threads is a data race, which
 * ThreadSanitizer reports, since the counts are read and written plainly here.
 */
#include <troupe/mem/rc.h>

#include <stdlib.h>
#include <unistd.h>

#include <troupe/mem/panic.h>

#include "mem/owned.h"

#define MAX_COUNT ((uint32_t)INT32_MAX)

/* -- the thread it belongs to --------------------------------------------- */

#ifdef TRI_THREAD_SHIFT

/* From 1; two threads of the same number after 65535 others are not told apart. */
static uintptr_t this_thread(void)
{
    static TR_ATOMIC(uint32_t) threads;
    static _Thread_local uint32_t number;
    if (number == 0)
        number = 1 + tr_fetch_add_relaxed(&threads, 1) % UINT16_MAX; /* relaxed: a number */
    return (uintptr_t)number << TRI_THREAD_SHIFT;
}

static void adopt(tri_owned *owned)
{
    owned->tag = (owned->tag & ~TRI_THREAD_MASK) | this_thread();
}

static void check_thread(const tri_owned *owned)
{
    if (TR_UNLIKELY((owned->tag & TRI_THREAD_MASK) != this_thread()))
        tr_panic("an Rc of %s is used on a thread that is not its own",
                 tri_owned_type(owned)->name);
}

#else

static void adopt(tri_owned *owned)
{
    (void)owned;
}

static void check_thread(const tri_owned *owned)
{
    (void)owned;
}

#endif

/* -- counts --------------------------------------------------------------- */

/* Around the atomics door on purpose: behind it ThreadSanitizer would take a
 * wrong use on two threads for a right one. */
static uint32_t strong_of(const tri_owned *owned)
{
    return owned->strong.v_;
}

static uint32_t weak_of(const tri_owned *owned)
{
    return owned->weak.v_;
}

static void set_strong(tri_owned *owned, uint32_t count)
{
    tr_atomic_init(&owned->strong, count);
}

static void set_weak(tri_owned *owned, uint32_t count)
{
    tr_atomic_init(&owned->weak, count);
}

static TR_NORETURN void abort_overflow(void)
{
    static const char line[] = "too many references to one Rc\n";
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    abort();
}

static tri_owned *rc_header(const void *value)
{
    TR_DCHECK(value != NULL);
    tri_owned *owned = tri_owned_of(value);
    if (TR_UNLIKELY(tri_owned_kind(owned) != TRI_KIND_RC))
        tr_panic("%p is no Rc", value);
    check_thread(owned);
    return owned;
}

/* -- Weak ----------------------------------------------------------------- */

/* NULL for an empty one. */
static tri_owned *weak_header(tr_rc_weak weak)
{
    if (weak.target_ == NULL)
        return NULL;
    tri_owned *owned = tri_owned_of(weak.target_);
    check_thread(owned);
    return owned;
}

static void release_weak(tri_owned *owned)
{
    const uint32_t left = weak_of(owned) - 1;
    set_weak(owned, left);
    if (left == 0)
        tri_owned_free(owned);
}

static void release_weak_of(tri_owned **owned)
{
    if (*owned != NULL)
        release_weak(*owned);
}

tr_rc_weak tr_rc_downgrade(const void *value)
{
    tri_owned *owned = rc_header(value);
    if (TR_UNLIKELY(weak_of(owned) > MAX_COUNT))
        tr_panic("too many Weak references to one Rc");
    set_weak(owned, weak_of(owned) + 1);
    return (tr_rc_weak){ .target_ = tri_owned_value(owned) };
}

tr_rc_weak tr_rc_weak_clone(tr_rc_weak weak)
{
    tri_owned *owned = weak_header(weak);
    if (owned == NULL)
        return weak;
    if (TR_UNLIKELY(weak_of(owned) > MAX_COUNT))
        abort_overflow();
    set_weak(owned, weak_of(owned) + 1);
    return weak;
}

void tr_rc_weak_drop(tr_rc_weak *weak)
{
    tri_owned *owned = weak_header(*weak);
    *weak = TR_RC_WEAK_NEW;
    if (owned != NULL)
        release_weak(owned);
}

void *tr_rc_upgrade_weak(tr_rc_weak weak, const tr_type *type)
{
    tri_owned *owned = weak_header(weak);
    if (owned == NULL)
        return NULL;
    if (TR_UNLIKELY(tri_owned_type(owned) != type))
        tr_panic("a Weak of %s is upgraded as %s", tri_owned_type(owned)->name, type->name);
    const uint32_t strong = strong_of(owned);
    if (strong == 0)
        return NULL;
    if (TR_UNLIKELY(strong > MAX_COUNT))
        tr_panic("too many owners of one Rc");
    set_strong(owned, strong + 1);
    return tri_owned_value(owned);
}

size_t tr_rc_weak_strong_count(tr_rc_weak weak)
{
    const tri_owned *owned = weak_header(weak);
    return owned != NULL ? strong_of(owned) : 0;
}

size_t tr_rc_weak_weak_count(tr_rc_weak weak)
{
    const tri_owned *owned = weak_header(weak);
    return owned != NULL && strong_of(owned) != 0 ? weak_of(owned) - 1 : 0;
}

/* -- strong --------------------------------------------------------------- */

void *tr_rc_share_box(void *box)
{
    if (box == NULL)
        return NULL;
    tri_owned *owned = tri_owned_of(box);
    if (TR_UNLIKELY(tri_owned_kind(owned) != TRI_KIND_BOX))
        tr_panic("%p is no Box", box);
    tri_owned_set_kind(owned, TRI_KIND_RC); /* the counts are 1 and 1 */
    adopt(owned);
    return box;
}

void *tr_try_rc_of(const tr_type *type, const void *init)
{
    return tr_rc_share_box(tr_try_box_of(type, init));
}

void *tr_rc_of(const tr_type *type, const void *init)
{
    return tr_rc_share_box(tr_box_of(type, init));
}

tr_status tr_rc_new_cyclic_of(const tr_type *type, tr_rc_cyclic_init init, void *arg,
                              void *ret_variable)
{
    __attribute__((cleanup(release_weak_of))) tri_owned *unfinished =
        tri_owned_create(type, TRI_KIND_RC, 1, 0);
    if (unfinished == NULL)
        return TR_NOMEM;
    adopt(unfinished);
    set_strong(unfinished, 0);
    void *const value = tri_owned_value(unfinished);
    const tr_status status = init(value, (tr_rc_weak){ .target_ = value }, arg);
    if (status != TR_OK)
        return status;
    set_strong(unfinished, 1); /* invariant 1 */
    tri_pointer_store(ret_variable, value);
    unfinished = NULL;
    return TR_OK;
}

void *tr_rc_clone_owned(const void *value)
{
    tri_owned *owned = rc_header(value);
    const uint32_t strong = strong_of(owned);
    if (TR_UNLIKELY(strong > MAX_COUNT))
        abort_overflow();
    if (TR_UNLIKELY(strong == 0)) /* inside of its drop or its init */
        tr_panic("an Rc of %s without owners is cloned", tri_owned_type(owned)->name);
    set_strong(owned, strong + 1);
    return tri_owned_value(owned);
}

/* Give up a share; true for who was last and now has the value to itself. */
static bool release_strong(tri_owned *owned)
{
    const uint32_t left = strong_of(owned) - 1;
    set_strong(owned, left);
    return left == 0;
}

static void drop_value(tri_owned *owned)
{
    /* The owners' weak goes last, after a panicking drop too. */
    __attribute__((cleanup(release_weak_of), unused)) tri_owned *released = owned;
    tri_owned_drop_values(owned);
}

void tri_rc_drop(tri_owned *owned)
{
    check_thread(owned);
    if (release_strong(owned))
        drop_value(owned);
}

/* -- unique --------------------------------------------------------------- */

void *tr_rc_get_mut_owned(const void *value)
{
    tri_owned *owned = rc_header(value);
    const bool unique = strong_of(owned) == 1 && weak_of(owned) == 1;
    return unique ? tri_owned_value(owned) : NULL;
}

/* The value of an Rc whose only owner the caller is, as a Box: in place, or moved
 * into `fresh` when Weaks must go on to see that it is gone. */
static void *finish_unshare(tri_owned *owned, tri_owned *fresh)
{
    if (fresh != NULL) {
        tri_owned_move_values(fresh, owned);
        set_strong(owned, 0);
        release_weak(owned);
        return tri_owned_value(fresh);
    }
    tri_owned_set_kind(owned, TRI_KIND_BOX); /* the counts are 1 and 1 */
    return tri_owned_value(owned);
}

/* As a Box for the only owner; false without memory, then nothing changed. */
static bool unshare(tri_owned *owned, void **ret_box)
{
    tri_owned *fresh = NULL;
    if (weak_of(owned) != 1) {
        fresh = tri_owned_create_like(owned, TRI_KIND_BOX);
        if (TR_UNLIKELY(fresh == NULL))
            return false;
    }
    *ret_box = finish_unshare(owned, fresh);
    return true;
}

void *tr_rc_unshare(void *value)
{
    if (value == NULL)
        return NULL;
    tri_owned *owned = rc_header(value);
    if (strong_of(owned) != 1) {
        (void)release_strong(owned);
        return NULL;
    }
    void *box = NULL;
    if (TR_UNLIKELY(!unshare(owned, &box))) {
        const tr_layout layout = tri_owned_layout(tri_owned_type(owned));
        tri_rc_drop(owned); /* nobody else will, should the handler panic */
        tr_out_of_memory(layout);
    }
    return box;
}

void *tr_rc_try_unshare(void *variable)
{
    void *value = tri_pointer_load(variable);
    if (value == NULL)
        return NULL;
    tri_owned *owned = rc_header(value);
    if (strong_of(owned) != 1)
        return NULL;
    void *box = NULL;
    if (TR_UNLIKELY(!unshare(owned, &box)))
        tr_out_of_memory(tri_owned_layout(tri_owned_type(owned)));
    tri_pointer_store(variable, NULL);
    return box;
}

/* Put the value of the only owner, or a clone of a shared one, into a new Rc.
 * NULL: no memory or the clone failed. The old share is the caller's still. */
static tri_owned *separate(const tri_owned *owned, bool *ret_moved)
{
    __attribute__((cleanup(tri_owned_free_unused))) tri_owned *fresh =
        tri_owned_create_like(owned, TRI_KIND_RC);
    if (fresh == NULL)
        return NULL;
    adopt(fresh);
    *ret_moved = strong_of(owned) == 1;
    if (*ret_moved)
        tri_owned_move_values(fresh, owned);
    else if (tri_owned_clone_values(fresh, owned) != TR_OK)
        return NULL;
    tri_owned *result = fresh;
    fresh = NULL;
    return result;
}

void *tr_rc_make_mut_owned(void *variable)
{
    void *value = tri_pointer_load(variable);
    tri_owned *owned = rc_header(value);
    if (tr_rc_get_mut_owned(value) != NULL)
        return value;
    bool moved = false;
    tri_owned *fresh = separate(owned, &moved);
    if (fresh == NULL)
        return NULL;
    /* First, so that a panic of the old value's drop leaks nothing. */
    tri_pointer_store(variable, tri_owned_value(fresh));
    if (moved) {
        set_strong(owned, 0);
        release_weak(owned);
    } else {
        tri_rc_drop(owned); /* last, should the clone have dropped the others */
    }
    return tri_owned_value(fresh);
}

void *tr_rc_unwrap_or_clone_owned(void *variable)
{
    if (tr_rc_make_mut_owned(variable) == NULL)
        return NULL;
    return tr_rc_try_unshare(variable); /* in place: nobody else can reach it now */
}
