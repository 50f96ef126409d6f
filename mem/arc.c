/*
 * arc - shared ownership across threads, counted in the header
 *
 *     strong   owners of the value
 *     weak     Weak references, plus 1 held by all owners together
 *
 *     strong n -> 0: the value is dropped, then the owners' 1 leaves weak
 *     weak   n -> 0: the block is freed
 *
 * Invariants
 *  1. strong leaves 0 only where no Weak can see it, before anything was done to
 *     the value (try_unshare without memory), or once, when new_cyclic has made it.
 *  2. weak >= 1 while strong >= 1, so the block outlives the value.
 *  3. weak is LOCKED only while a sole owner looks whether it is the sole one:
 *     a downgrade between its two loads would otherwise go unseen.
 *  4. The header's tag changes only while one thread can reach the block.
 *
 * Edges: a count above MAX_COUNT aborts (clone, weak_clone) or panics
 * (downgrade, upgrade) as in Rust; 2^31 threads would have to be between the
 * addition and the check for it to wrap.
 */
#include <troupe/mem/arc.h>

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <troupe/mem/panic.h>

#include "mem/owned.h"

#define MAX_COUNT ((uint32_t)INT32_MAX)
#define LOCKED UINT32_MAX

static tri_owned *arc_header(const void *value)
{
    TR_DCHECK(value != NULL);
    tri_owned *owned = tri_owned_of(value);
    if (TR_UNLIKELY(tri_owned_kind(owned) != TRI_KIND_ARC))
        tr_panic("%p is no Arc", value);
    return owned;
}

/* A count this high means that owners are leaked in a loop; going on could wrap
 * it to a free of a live value. */
static TR_NORETURN void abort_overflow(void)
{
    static const char line[] = "too many references to one Arc\n";
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
    abort();
}

/* -- Weak ----------------------------------------------------------------- */

static tri_owned *weak_header(tr_weak weak)
{
    return weak.target_ != NULL ? tri_owned_of(weak.target_) : NULL;
}

static void release_weak(tri_owned *owned)
{
    /* edge weak-drop (release): with whoever frees the block or finds itself
     * alone with it; carries this thread's last use of the block. */
    if (tr_fetch_sub_release(&owned->weak, 1) != 1)
        return;
    /* edge weak-drop (acquire): with the other releases; carries their last
     * uses. A load, not a fence, which ThreadSanitizer could not see. */
    (void)tr_load_acquire(&owned->weak);
    tri_owned_free(owned);
}

static void release_weak_of(tri_owned **owned)
{
    release_weak(*owned);
}

/* While a sole owner has the count locked; it is two accesses from unlocking,
 * but may have lost its processor in between. */
static void wait_unlocked(unsigned *rounds)
{
    if (++*rounds % 64 == 0)
        (void)sched_yield();
    else
        tr_cpu_relax();
}

tr_weak tr_downgrade(const void *value)
{
    tri_owned *owned = arc_header(value);
    unsigned rounds = 0;
    uint32_t weak = tr_load_relaxed(&owned->weak); /* relaxed: the swap decides */
    for (;;) {
        if (weak == LOCKED) {
            wait_unlocked(&rounds);
            weak = tr_load_relaxed(&owned->weak); /* relaxed: the swap decides */
            continue;
        }
        if (TR_UNLIKELY(weak > MAX_COUNT))
            tr_panic("too many Weak references to one Arc");
        /* edge weak-lock (acquire): with the unlock in is_unique; what its
         * owner wrote before stays before this Weak. */
        if (tr_cas_acquire(&owned->weak, &weak, weak + 1))
            return (tr_weak){ .target_ = tri_owned_value(owned) };
    }
}

tr_weak tr_weak_clone(tr_weak weak)
{
    tri_owned *owned = weak_header(weak);
    /* relaxed: the caller's Weak keeps the block, and the new one travels to
     * another thread by means that order it. Not LOCKED: that needs weak == 1. */
    if (owned != NULL && tr_fetch_add_relaxed(&owned->weak, 1) > MAX_COUNT)
        abort_overflow();
    return weak;
}

void tr_weak_drop(tr_weak *weak)
{
    tri_owned *owned = weak_header(*weak);
    *weak = TR_WEAK_NEW;
    if (owned != NULL)
        release_weak(owned);
}

void *tr_upgrade_weak(tr_weak weak, const tr_type *type)
{
    tri_owned *owned = weak_header(weak);
    if (owned == NULL)
        return NULL;
    if (TR_UNLIKELY(tri_owned_type(owned) != type))
        tr_panic("a Weak of %s is upgraded as %s", tri_owned_type(owned)->name, type->name);
    uint32_t strong = tr_load_relaxed(&owned->strong); /* relaxed: the swap decides */
    while (strong != 0) {
        if (TR_UNLIKELY(strong > MAX_COUNT))
            tr_panic("too many owners of one Arc");
        /* edge upgrade (acquire): with the stores in try_unshare and new_cyclic, and with
         * earlier drops; carries the value as they left it. Never 0 to 1. */
        if (tr_cas_acquire(&owned->strong, &strong, strong + 1))
            return tri_owned_value(owned);
    }
    return NULL;
}

/* -- strong --------------------------------------------------------------- */

void *tr_try_arc_of(const tr_type *type, const void *init)
{
    void *box = tr_try_box_of(type, init);
    return box != NULL ? tr_arc_share_box(box) : NULL;
}

void *tr_arc_of(const tr_type *type, const void *init)
{
    return tr_arc_share_box(tr_box_of(type, init));
}

void *tr_arc_share_box(void *box)
{
    if (box == NULL)
        return NULL;
    tri_owned *owned = tri_owned_of(box);
    if (TR_UNLIKELY(tri_owned_kind(owned) != TRI_KIND_BOX))
        tr_panic("%p is no Box", box);
    tri_owned_set_kind(owned, TRI_KIND_ARC); /* invariant 4; the counts are 1 and 1 */
    return box;
}

void *tr_arc_clone_owned(const void *value)
{
    tri_owned *owned = arc_header(value);
    /* relaxed: the caller's share keeps the value, and the new one travels to
     * another thread by means that order it. */
    if (TR_UNLIKELY(tr_fetch_add_relaxed(&owned->strong, 1) > MAX_COUNT))
        abort_overflow();
    return tri_owned_value(owned);
}

void *tr_arc_clone_n_owned(const void *value, size_t n)
{
    tri_owned *owned = arc_header(value);
    /* relaxed: as for one */
    if (TR_UNLIKELY(n > MAX_COUNT || tr_fetch_add_relaxed(&owned->strong, (uint32_t)n) > MAX_COUNT - n))
        abort_overflow();
    return tri_owned_value(owned);
}

static void abandon_cyclic(tri_owned **owned)
{
    if (*owned != NULL)
        release_weak(*owned); /* the owners', who never came to be */
}

tr_status tr_arc_new_cyclic_of(const tr_type *type, tr_arc_cyclic_init init, void *arg,
                               void *ret_variable)
{
    __attribute__((cleanup(abandon_cyclic))) tri_owned *unfinished =
        tri_owned_create(type, TRI_KIND_ARC, 1, 0);
    if (unfinished == NULL)
        return TR_NOMEM;
    tr_atomic_init(&unfinished->strong, 0);
    void *const value = tri_owned_value(unfinished);
    const tr_status status = init(value, (tr_weak){ .target_ = value }, arg);
    if (status != TR_OK)
        return status;
    /* edge upgrade (release): with tr_upgrade_weak; carries the value to whoever
     * was given a Weak by init. */
    tr_store_release(&unfinished->strong, 1);
    tri_pointer_store(ret_variable, value);
    unfinished = NULL;
    return TR_OK;
}

/* Give up a share; true for who was last and now has the value to itself. */
static bool release_strong(tri_owned *owned)
{
    /* edge arc-drop (release): with the last owner; carries this thread's uses
     * of the value. */
    if (tr_fetch_sub_release(&owned->strong, 1) != 1)
        return false;
    /* edge arc-drop (acquire): with the other owners' releases; carries their
     * uses of the value. */
    (void)tr_load_acquire(&owned->strong);
    return true;
}

/* Take strong from 1 to 0: true for the only owner, who then has the value. */
static bool claim_strong(tri_owned *owned)
{
    uint32_t one = 1;
    /* edge arc-drop (acquire): with the former owners' releases; carries their
     * uses of the value. */
    return tr_cas_acquire(&owned->strong, &one, 0);
}

static void drop_value(tri_owned *owned)
{
    /* The owners' weak goes last, after a panicking drop too. */
    __attribute__((cleanup(release_weak_of), unused)) tri_owned *released = owned;
    tri_owned_drop_values(owned);
}

void tri_arc_drop(tri_owned *owned)
{
    if (release_strong(owned))
        drop_value(owned);
}

/* -- unique --------------------------------------------------------------- */

/* Is the caller's the only reference, strong or Weak? Invariant 3. */
static bool is_unique(tri_owned *owned)
{
    uint32_t one = 1;
    /* edge weak-drop (acquire): with the Weaks' releases; carries their last
     * uses, among them an upgrade whose owner is gone again. */
    if (!tr_cas_acquire(&owned->weak, &one, LOCKED))
        return false;
    /* edge arc-drop (acquire): with the former owners' releases; carries their
     * uses of the value. */
    const bool unique = tr_load_acquire(&owned->strong) == 1;
    /* edge weak-lock (release): with tr_downgrade; keeps the load above before
     * any Weak that is made from now on. */
    tr_store_release(&owned->weak, 1);
    return unique;
}

void *tr_arc_get_mut_owned(const void *value)
{
    tri_owned *owned = arc_header(value);
    return is_unique(owned) ? tri_owned_value(owned) : NULL;
}

/* Do Weaks look on? For the owner who took strong to 0, and so has the 1. */
static bool has_weaks(tri_owned *owned)
{
    /* edge weak-drop (acquire): with the Weaks' releases; carries their last
     * uses of the block. */
    return tr_load_acquire(&owned->weak) != 1;
}

/* The value of an Arc whose strong the caller took to 0, as a Box: in place, or
 * moved into `fresh` when Weaks must go on to see that it is gone. */
static void *finish_unshare(tri_owned *owned, tri_owned *fresh)
{
    if (fresh != NULL) {
        tri_owned_move_values(fresh, owned);
        release_weak(owned);
        return tri_owned_value(fresh);
    }
    tri_owned_set_kind(owned, TRI_KIND_BOX); /* invariant 4 */
    tr_atomic_init(&owned->strong, 1);
    return tri_owned_value(owned);
}

void *tr_arc_unshare(void *value)
{
    if (value == NULL)
        return NULL;
    tri_owned *owned = arc_header(value);
    if (!release_strong(owned))
        return NULL;
    if (!has_weaks(owned))
        return finish_unshare(owned, NULL);
    tri_owned *fresh = tri_owned_create_like(owned, TRI_KIND_BOX);
    if (TR_UNLIKELY(fresh == NULL)) {
        const tr_layout layout = tri_owned_layout(tri_owned_type(owned));
        drop_value(owned); /* nobody else will, should the handler panic */
        tr_out_of_memory(layout);
    }
    return finish_unshare(owned, fresh);
}

void *tr_arc_try_unshare(void *variable)
{
    void *value = tri_pointer_load(variable);
    if (value == NULL)
        return NULL;
    tri_owned *owned = arc_header(value);
    if (!claim_strong(owned))
        return NULL;
    tri_owned *fresh = NULL;
    if (has_weaks(owned)) {
        fresh = tri_owned_create_like(owned, TRI_KIND_BOX);
        if (TR_UNLIKELY(fresh == NULL)) {
            /* edge upgrade (release): with tr_upgrade_weak; gives the value back
             * as it was. Nothing was dropped, so nothing is revived. */
            tr_store_release(&owned->strong, 1);
            tr_out_of_memory(tri_owned_layout(tri_owned_type(owned)));
        }
    }
    tri_pointer_store(variable, NULL);
    return finish_unshare(owned, fresh);
}

/*
 * A new Arc with the value of `owned`: moved when the caller is its only owner,
 * who then has given up that share, else cloned. NULL: no memory or the clone
 * failed; nothing changed. The block comes first, so that there is nothing to
 * undo.
 */
static tri_owned *separate(tri_owned *owned, bool *ret_moved)
{
    __attribute__((cleanup(tri_owned_free_unused))) tri_owned *fresh =
        tri_owned_create_like(owned, TRI_KIND_ARC);
    if (fresh == NULL)
        return NULL;
    *ret_moved = claim_strong(owned);
    if (*ret_moved)
        tri_owned_move_values(fresh, owned);
    else if (tri_owned_clone_values(fresh, owned) != TR_OK)
        return NULL;
    tri_owned *result = fresh;
    fresh = NULL;
    return result;
}

void *tr_arc_make_mut_owned(void *variable)
{
    tri_owned *owned = arc_header(tri_pointer_load(variable));
    if (is_unique(owned))
        return tri_owned_value(owned);
    bool moved = false;
    tri_owned *fresh = separate(owned, &moved);
    if (fresh == NULL)
        return NULL;
    /* First, so that a panic of the old value's drop leaks nothing. */
    tri_pointer_store(variable, tri_owned_value(fresh));
    if (moved)
        release_weak(owned);
    else
        tri_arc_drop(owned);
    return tri_owned_value(fresh);
}

void *tr_arc_unwrap_or_clone_owned(void *variable)
{
    if (tr_arc_make_mut_owned(variable) == NULL)
        return NULL;
    return tr_arc_try_unshare(variable); /* in place: nobody else can reach it now */
}

/* -- counts --------------------------------------------------------------- */

size_t tr_strong_count(const void *value)
{
    return tr_load_relaxed(&tri_owned_of(value)->strong); /* relaxed: a snapshot */
}

size_t tr_weak_count(const void *value)
{
    const uint32_t weak = tr_load_relaxed(&tri_owned_of(value)->weak); /* relaxed: a snapshot */
    return weak == LOCKED ? 0 : weak - 1; /* LOCKED was 1 */
}

size_t tr_weak_strong_count(tr_weak weak)
{
    const tri_owned *owned = weak_header(weak);
    return owned != NULL ? tr_load_relaxed(&owned->strong) : 0; /* relaxed: a snapshot */
}

size_t tr_weak_weak_count(tr_weak weak)
{
    const tri_owned *owned = weak_header(weak);
    if (owned == NULL)
        return 0;
    /* edge weak-drop (acquire): with release_weak; a weak count without the
     * owners' 1 is then followed by a strong count of 0. */
    const uint32_t count = tr_load_acquire(&owned->weak);
    const uint32_t strong = tr_load_relaxed(&owned->strong); /* relaxed: see above */
    return strong != 0 ? count - 1 : 0; /* never LOCKED: this Weak is counted */
}
