/*
 * slots - see slots.h
 *
 * 1. A slot is in exactly one place: live, in limbo, in one cache, in one
 *    segment of the shared list, or never used (index >= used).
 * 2. A segment is exactly TRI_SEGMENT slots, those given first first; it lies in the
 *    cold lines of its first: the indices of the others, and of the next segment.
 * 3. A generation is never used twice: the pid word of a slot takes each value
 *    at most once. Generation 0 is skipped.
 */
#include "runtime/slots.h"

#include <string.h>
#include <sys/mman.h>

#define GRANULE 16384u /* slots that become writable together: 4 MiB */

tr_status tri_slots_init(tri_slots *slots, uint32_t capacity)
{
    void *base = mmap(NULL, (size_t)capacity * sizeof(tri_actor), PROT_READ,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return TR_NOMEM;
    slots->base = base;
    slots->capacity = capacity;
    tr_atomic_init(&slots->used, 1);
    tr_atomic_init(&slots->writable, 0);
    ck_spinlock_fas_init(&slots->lock);
    slots->segments = 0;
    return TR_OK;
}

void tri_slots_fini(tri_slots *slots)
{
    munmap(slots->base, (size_t)slots->capacity * sizeof(tri_actor));
}

/* Make the slots below `end` writable. False: no memory. */
static bool make_writable(tri_slots *slots, uint32_t end)
{
    /* edge slots-writable (acquire): with itself, below */
    if (TR_LIKELY(tr_load_acquire(&slots->writable) >= end))
        return true;
    ck_spinlock_fas_lock_eb(&slots->lock);
    /* relaxed: written under the lock only */
    uint32_t from = tr_load_relaxed(&slots->writable);
    uint32_t to = from;
    while (to < end)
        to = to + GRANULE < slots->capacity ? to + GRANULE : slots->capacity;
    bool done = to == from || mprotect(&slots->base[from], (size_t)(to - from) * sizeof(tri_actor),
                                       PROT_READ | PROT_WRITE) == 0;
    if (done)
        /* edge slots-writable (release): with itself, above; after the system call */
        tr_store_release(&slots->writable, to);
    ck_spinlock_fas_unlock(&slots->lock);
    return done;
}

/* Up to TRI_SEGMENT slots that were never used; the first one is taken first. */
static void refill_fresh(tri_slots *slots, tri_slot_cache *cache)
{
    /* relaxed: the range is ours alone by the addition; its pages are zero */
    uint32_t first = tr_load_relaxed(&slots->used);
    uint32_t end;
    do {
        end = first + TRI_SEGMENT < slots->capacity ? first + TRI_SEGMENT : slots->capacity;
        if (end <= first || !make_writable(slots, end))
            return;
        /* edge slots-used (acq_rel): with tri_slots_used in stats.c; a reader
         * below `used` finds zeroed or later words, never unmapped memory */
    } while (!tr_cas_acq_rel(&slots->used, &first, end));
    for (uint32_t i = end; i-- > first;) {
        slots->base[i].generation = 1;
        cache->free[cache->count++] = i;
    }
}

void tri_slots_refill(tri_slots *slots, tri_slot_cache *cache)
{
    ck_spinlock_fas_lock_eb(&slots->lock);
    uint32_t first = slots->segments;
    tri_actor *actor = &slots->base[first];
    if (first != 0)
        slots->segments = actor->segment.next;
    ck_spinlock_fas_unlock(&slots->lock);
    if (first == 0) {
        refill_fresh(slots, cache);
        return;
    }
    cache->free[0] = first;
    memcpy(&cache->free[1], actor->segment.others, sizeof actor->segment.others);
    cache->count = TRI_SEGMENT;
}

/* Those that were given first, and are the coldest. */
void tri_slots_spill(tri_slots *slots, tri_slot_cache *cache)
{
    uint32_t first = cache->free[0];
    tri_actor *actor = &slots->base[first];
    memcpy(actor->segment.others, &cache->free[1], sizeof actor->segment.others);
    cache->count -= TRI_SEGMENT;
    memmove(cache->free, cache->free + TRI_SEGMENT, cache->count * sizeof cache->free[0]);
    ck_spinlock_fas_lock_eb(&slots->lock);
    actor->segment.next = slots->segments;
    slots->segments = first;
    ck_spinlock_fas_unlock(&slots->lock);
}

_Static_assert(sizeof((tri_actor *)0)->segment.others == (TRI_SEGMENT - 1) * sizeof(uint32_t),
               "a segment fits its first slot");
