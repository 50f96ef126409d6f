/*
 * pool_heap - which thread has which heap
 *
 *   first block               thread ends              any thread's first block
 *   NEW ------------> HELD -----------------> ORPHAN -------------------> HELD
 *                                              |  ^
 *                              sweep, late free v  | within one call
 *                                             BORROWED
 *
 *   HELD --quiet thread--> RESTING --sweep--> LENT --> RESTING --next block--> HELD
 *                                             LENT --its thread wants it--> BORROWED
 *
 * I1  Heaps are never freed and never leave the list of all heaps: a block that
 *     outlives its thread finds its owner, and the list is walked without a
 *     lock. There are as many as threads lived at one time, at most two more
 *     per thread that is just coming or going.
 * I2  The fields of a heap that are not atomic belong to its holder; to become
 *     holder of an orphan or of a resting heap is a CAS on its state.
 * I3  A thread holds a heap only while its destructor is sure to come. After
 *     it has run (other keys' destructors may still allocate and free) or where
 *     no key can be had, each call borrows a heap, and frees go home at once.
 * I4  An orphan has no hot blocks and no parcels: but for its live blocks it has
 *     no memory. A resting heap has no parcels either; the first sweep leaves it
 *     no more than one chunk besides the live blocks.
 * I5  A thread that finds its resting heap lent does not wait for long: it leaves
 *     it to the borrower, as an orphan, and takes another.
 * I6  No letter is forgotten. A sender pushes it, then looks at the state; who
 *     ceases to hold a heap says so, then looks at the inbox. One sees the other.
 *
 * A thread that is quiet cannot take in what comes home to it, so the memory of
 * a burst that it sent and others consumed would stay until its next block. That
 * is why heaps rest: a parked worker's, and a large one between two calls.
 *
 * Edge heap      release: the store of ORPHAN or RESTING; acquire: the CAS away
 *     from it. Carries all that the last holder did to the heap and its chunks.
 *     The store and a look at the inbox after it, the push of a letter and a look
 *     at the state after it, are seq_cst for the sake of I6.
 * Edge all       release: the CAS that puts a new heap on the list; acquire:
 *     the load of its head. Carries the heap's first state and its `next`.
 * Edge key       release: the CAS that stores the key; acquire: its load.
 *
 * Progress  lock-free, up to the system's mmap; also the making of the key,
 *     where the loser deletes its own. pthread_once would wait.
 */
#include "mem/pool_blocks.h"
#include "mem/pool_types.h"

#include <pthread.h>
#include <sys/mman.h>

_Thread_local tri_heap *tri_heap_mine __attribute__((tls_model("initial-exec")));

/* The destructor has run: no heap to keep any more (I3). */
static _Thread_local bool thread_ended __attribute__((tls_model("initial-exec")));

static TR_ATOMIC(tri_heap *) all_heaps;
static TR_ATOMIC(uint64_t) key_plus_one; /* 0: none yet */
tri_counts tri_heap_strays;

/* -- taking and leaving --------------------------------------------------- */

/* The thread's heap while it rests; tri_heap_mine is NULL then. */
static _Thread_local tri_heap *resting_mine __attribute__((tls_model("initial-exec")));

#define LENT_SPINS 256 /* looks at a lent heap before it is left behind */

static bool take(tri_heap *heap, tri_heap_state from, tri_heap_state to)
{
    int expected = (int)from;
    /* edge heap (acquire): with let_go, tri_heap_rest and give_back; carries the heap */
    return tr_cas_acquire(&heap->state, &expected, (int)to);
}

static void let_go(tri_heap *heap)
{
    /* edge heap (seq_cst): with take; carries the heap; then the inbox is looked at (I6) */
    tr_store_seq_cst(&heap->state, (int)TRI_HEAP_ORPHAN);
}

/* False: its thread has left it to the borrower. */
static bool give_back(tri_heap *heap)
{
    int expected = TRI_HEAP_LENT;
    /* edge heap (seq_cst): with take; carries the heap; then the inbox is looked at (I6) */
    return tr_cas_seq_cst(&heap->state, &expected, (int)TRI_HEAP_RESTING);
}

/* The thread's own resting heap, held again; false: it is somebody else's now. */
static bool reclaim(tri_heap *heap)
{
    for (unsigned spins = 0; !take(heap, TRI_HEAP_RESTING, TRI_HEAP_HELD); spins++) {
        /* Nobody but its thread makes a lent heap a borrowed one. */
        if (spins >= LENT_SPINS && take(heap, TRI_HEAP_LENT, TRI_HEAP_BORROWED))
            return false;
        tr_cpu_relax();
    }
    return true;
}

static tri_heap *first_heap(void)
{
    /* edge all (acquire): with heap_create; carries the heaps and their links */
    return tr_load_acquire(&all_heaps);
}

static tri_heap *heap_create(tri_heap_state state)
{
    tri_heap *const heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (heap == MAP_FAILED)
        return NULL;
    tr_atomic_init(&heap->state, (int)state);
    void **places = heap->hot_places;
    for (unsigned c = 0; c < TR_POOL_CLASS_COUNT; c++) {
        tri_bin *const bin = &heap->bins[c];
        bin->block_size = tr_pool_class_size(c);
        bin->hot = places;
        bin->hot_limit = tri_class_hot(c);
        places += bin->hot_limit;
    }
    TR_ASSERT(places == heap->hot_places + TRI_HOT_PLACES);
    /* relaxed: the head is linked to, not looked into */
    tri_heap *head = tr_load_relaxed(&all_heaps);
    do {
        heap->next = head;
        /* edge all (release): with first_heap; carries the heap */
    } while (!tr_cas_release(&all_heaps, &head, heap));
    return heap;
}

static tri_heap *adopt_or_create(tri_heap_state state)
{
    for (tri_heap *heap = first_heap(); heap != NULL; heap = heap->next) {
        /* relaxed: a hint that saves the CAS */
        if (tr_load_relaxed(&heap->state) == TRI_HEAP_ORPHAN &&
            take(heap, TRI_HEAP_ORPHAN, state))
            return heap;
    }
    return heap_create(state);
}

/* Everything home, nothing kept. */
static void empty_heap(tri_heap *heap)
{
    tri_remote_flush(heap);
    tri_remote_drain(heap);
    tri_slab_spill_all(heap);
    tri_slab_drop_spare(heap);
}

/* -- heaps that nobody holds ---------------------------------------------- */

/* All that came home goes to its slabs; a heap of one chunk would give nothing
 * back and lose what is warm. */
static void tidy_heap(tri_heap *heap)
{
    tri_remote_drain(heap);
    if (heap->chunks > 1)
        tri_slab_spill_all(heap);
}

static bool sweep_resting(tri_heap *heap)
{
    if (!take(heap, TRI_HEAP_RESTING, TRI_HEAP_LENT))
        return false;
    tidy_heap(heap);
    if (!give_back(heap))
        tri_heap_return(heap);
    return true;
}

static bool sweep_orphan(tri_heap *heap)
{
    if (!take(heap, TRI_HEAP_ORPHAN, TRI_HEAP_BORROWED))
        return false;
    tri_heap_return(heap);
    return true;
}

static bool has_letters(tri_heap *heap)
{
    /* edge inbox (seq_cst): with send_home; the state was stored before (I6) */
    return tr_load_seq_cst(&heap->inbox) != NULL;
}

void tri_heap_sweep(tri_heap *heap)
{
    do {
        /* edge heap (seq_cst): with let_go, give_back and tri_heap_rest; the letter
         * was pushed before (I6) */
        const int state = tr_load_seq_cst(&heap->state);
        const bool swept = state == TRI_HEAP_RESTING  ? sweep_resting(heap)
                           : state == TRI_HEAP_ORPHAN ? sweep_orphan(heap)
                                                      : false;
        if (!swept)
            return; /* who has it looks when it lets go */
    } while (has_letters(heap));
}

static void sweep_all(void)
{
    for (tri_heap *heap = first_heap(); heap != NULL; heap = heap->next)
        /* relaxed: a hint; a letter that is pushed meanwhile is its sender's to sweep */
        if (tr_load_relaxed(&heap->inbox) != NULL)
            tri_heap_sweep(heap);
}

/* -- a thread's heap ------------------------------------------------------ */

static void at_thread_end(void *arg)
{
    (void)arg; /* the heap it had when the key was set */
    tri_heap *heap = tri_heap_mine;
    thread_ended = true;
    tri_heap_mine = NULL;
    if (heap == NULL && resting_mine != NULL && reclaim(resting_mine))
        heap = resting_mine;
    resting_mine = NULL;
    if (heap != NULL)
        tri_heap_return(heap);
    sweep_all();
}

/* The key whose destructor lets the heap go; false: the system has none. */
static bool heap_key(pthread_key_t *ret_key)
{
    /* edge key (acquire): with the CAS below; carries the key's making */
    uint64_t seen = tr_load_acquire(&key_plus_one);
    if (seen == 0) {
        pthread_key_t mine;
        if (pthread_key_create(&mine, at_thread_end) != 0)
            return false;
        /* edge key (release, acquire): with itself and the load above */
        if (tr_cas_acq_rel(&key_plus_one, &seen, (uint64_t)mine + 1))
            seen = (uint64_t)mine + 1;
        else
            pthread_key_delete(mine);
    }
    *ret_key = (pthread_key_t)(seen - 1);
    return true;
}

tri_heap *tri_heap_keep(void)
{
    if (tri_heap_mine != NULL)
        return tri_heap_mine;
    tri_heap *const resting = resting_mine;
    resting_mine = NULL;
    if (resting != NULL && reclaim(resting))
        return tri_heap_mine = resting;
    pthread_key_t key;
    if (thread_ended || !heap_key(&key))
        return NULL;
    tri_heap *const heap = adopt_or_create(TRI_HEAP_HELD);
    if (heap == NULL)
        return NULL;
    if (pthread_setspecific(key, heap) != 0) {
        let_go(heap);
        return NULL;
    }
    tri_heap_mine = heap;
    return heap;
}

tri_heap *tri_heap_borrow(void)
{
    return adopt_or_create(TRI_HEAP_BORROWED);
}

void tri_heap_return(tri_heap *heap)
{
    empty_heap(heap);
    let_go(heap);
}

void tri_heap_rest(void)
{
    tri_heap *const mine = tri_heap_mine;
    if (mine == NULL)
        return;
    if (mine->parcel_bytes != 0)
        tri_remote_flush(mine);
    tri_heap_mine = NULL;
    resting_mine = mine;
    /* edge heap (seq_cst): with take; carries the heap; then the inbox is looked at (I6) */
    tr_store_seq_cst(&mine->state, (int)TRI_HEAP_RESTING);
    if (has_letters(mine))
        tri_heap_sweep(mine);
}

void tri_pool_pause(void)
{
    if (tri_heap_mine != NULL && tri_heap_mine->chunks > 1)
        tri_heap_rest();
}

void tr_pool_flush(void)
{
    tri_heap *const mine = tri_heap_mine;
    if (mine != NULL) {
        tidy_heap(mine);
        tri_heap_rest();
    }
    sweep_all();
}

/* -- statistics ----------------------------------------------------------- */

static void sum_counts(const tri_counts *counts, tr_pool_stats *stats)
{
    /* relaxed, all: each is a number on its own, and the sum is only exact when
     * the threads are quiet, which their join has made visible */
    stats->allocs += tr_load_relaxed(&counts->allocs);
    stats->frees += tr_load_relaxed(&counts->frees);
    stats->remote_frees += tr_load_relaxed(&counts->remote_frees);
    stats->chunk_bytes += tr_load_relaxed(&counts->chunk_bytes);
    stats->large_allocs += tr_load_relaxed(&counts->large_allocs);
    stats->large_frees += tr_load_relaxed(&counts->large_frees);
}

void tr_pool_get_stats(tr_pool_stats *ret_stats)
{
    tr_pool_stats stats = { 0 };
    for (tri_heap *heap = first_heap(); heap != NULL; heap = heap->next) {
        sum_counts(&heap->counts, &stats);
        /* relaxed: a number that may be old when it is read */
        const int state = tr_load_relaxed(&heap->state);
        stats.threads += state == TRI_HEAP_HELD || state == TRI_HEAP_RESTING || state == TRI_HEAP_LENT;
    }
    sum_counts(&tri_heap_strays, &stats);
    *ret_stats = stats;
}
