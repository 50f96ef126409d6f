/*
 * pool_remote - the way home of a block that another thread freed
 *
 *   thread B frees blocks of A's heap           A's heap
 *   parcels: {slab, mask} {slab, mask} ...      inbox
 *              | evicted or flushed               |
 *              v                                  v
 *   the mask, written into one of its blocks --> letter -> letter -> NULL
 *                        one CAS                  A takes all by one swap
 *
 * I1  A parcel's blocks are free, and nobody but its holder knows: the slab,
 *     and so the chunk and the owner, stay mapped until the letter is read.
 * I2  Who has sent a letter touches nothing of that chunk again, unless it has
 *     a block there that is still out.
 * I3  Letters are taken all at once, so a head that is seen twice is the same
 *     letter or a new one in its place; either may be pushed upon (no ABA).
 *
 * I4  The holder takes its letters when it needs blocks. When nobody holds the
 *     heap the sender takes them in for it: an orphan's at once, a resting one's
 *     at the next flush, since the thread may be back in a moment.
 *
 * Edge inbox  release by the sender's CAS, acquire by the holder's swap. It
 *     carries the letter and what the sender did to the blocks before: the next
 *     owner of a block comes after the last one. A push on top of a letter
 *     continues its release sequence, so one swap sees all senders.
 *
 * A thread holds back at most 256 KiB of foreign blocks (TRI_PARCEL_BYTES), and
 * none after tr_pool_flush or its end.
 *
 * Progress  sending is lock-free (the CAS fails only when another thread's
 *     succeeded), taking is wait-free in the number of letters.
 */
#include "mem/pool_types.h"

/* Push one letter on the inbox of the slab's heap. `carrier` is one of the
 * blocks in `mask`, aligned to 16 like any. Gives the heap: to be swept, when
 * nobody holds it. */
static tri_heap *send_home(void *carrier, uint64_t mask)
{
    tri_heap *const heap = tri_chunk_of(carrier)->heap;
    tri_letter *const letter = carrier;
    letter->mask = mask;
    /* relaxed: the head is linked to, never looked into */
    tri_letter *head = tr_load_relaxed(&heap->inbox);
    do {
        letter->next = head;
        /* edge inbox (seq_cst): with tri_remote_drain; carries the letter and the
         * end of its blocks' use; with has_letters: who pushed then looks at state */
    } while (!tr_cas_seq_cst(&heap->inbox, &head, letter));
    return heap;
}

void tri_remote_free_now(void *block, unsigned pool_class)
{
    tri_heap_sweep(send_home(block, tri_block_bit(tri_block_number(block, pool_class))));
}

/* 64 slabs that follow each other in memory have places of their own. */
static tri_parcel *parcel_of(tri_heap *heap, const void *block, size_t number, unsigned pool_class)
{
    const size_t region = (uintptr_t)block / TRI_REGION_BYTES;
    const size_t slab = region * tri_class_slabs[pool_class] + number / TRI_SLAB_BLOCKS;
    return &heap->parcels[slab % TRI_PARCELS];
}

/* The parcel is another slab's: send that home. */
static TR_NOINLINE void replace_parcel(tri_parcel *parcel, tri_parcel new)
{
    const tri_parcel evicted = *parcel;
    *parcel = new;
    if (evicted.slab == NULL)
        return;
    tri_heap *const heap = send_home(evicted.carrier, evicted.mask);
    /* relaxed: a hint; the sweep itself decides by CAS */
    if (TR_UNLIKELY(tr_load_relaxed(&heap->state) == TRI_HEAP_ORPHAN))
        tri_heap_sweep(heap);
}

void tri_remote_free(tri_heap *heap, void *block, unsigned pool_class)
{
    const size_t number = tri_block_number(block, pool_class);
    const uint64_t bit = tri_block_bit(number);
    tri_slab *const slab = tri_slab_of(block, number);
    tri_parcel *const parcel = parcel_of(heap, block, number, pool_class);
    if (TR_LIKELY(parcel->slab == slab)) {
        TR_DCHECK((parcel->mask & bit) == 0); /* else freed twice */
        parcel->mask |= bit;
        parcel->carrier = block;
    } else {
        replace_parcel(parcel, (tri_parcel){ .slab = slab, .mask = bit, .carrier = block });
    }
    heap->parcel_bytes += heap->bins[pool_class].block_size;
    if (TR_UNLIKELY(heap->parcel_bytes >= TRI_PARCEL_BYTES))
        tri_remote_flush(heap);
}

void tri_remote_flush(tri_heap *heap)
{
    heap->parcel_bytes = 0;
    tri_heap *last = NULL; /* neighbours are mostly one heap's: one sweep for all */
    for (size_t i = 0; i < TRI_PARCELS; i++) {
        const tri_parcel parcel = heap->parcels[i];
        heap->parcels[i] = (tri_parcel){ .slab = NULL };
        if (parcel.slab == NULL)
            continue;
        tri_heap *const home = send_home(parcel.carrier, parcel.mask);
        if (last != NULL && last != home)
            tri_heap_sweep(last);
        last = home;
    }
    if (last != NULL)
        tri_heap_sweep(last);
}

bool tri_remote_drain(tri_heap *heap)
{
    /* relaxed: only to leave the line alone while nothing is there; what comes
     * a moment later is for the next call */
    if (tr_load_relaxed(&heap->inbox) == NULL)
        return false;
    /* edge inbox (acquire): with send_home; carries the letters and the end of
     * their blocks' use */
    tri_letter *letter = tr_swap_acquire(&heap->inbox, NULL);
    while (letter != NULL) {
        tri_letter *const next = letter->next; /* before the chunk may go */
        const uint64_t mask = letter->mask;
        const unsigned c = tri_chunk_of(letter)->regions[tri_region_of(letter)].pool_class;
        tri_slab_give(heap, tri_slab_of(letter, tri_block_number(letter, c)), mask);
        letter = next;
    }
    return true;
}
