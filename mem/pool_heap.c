/*
 * pool_heap - which thread has which heap
 *
 *   first block               thread ends              any thread's first block
 *   NEW ------------> HELD -----------------> ORPHAN -------------------> HELD
 *                                              |  ^
 *                              sweep, late free v  | within one call
 *                                             BORROWED
 *
 * I1  Heaps are never freed and never leave the list of all heaps: a block that
 *     outlives its thread finds its owner, and the list is walked without a
 *     lock. There are as many as threads lived at one time, at most two more
 *     per thread that is just coming or going.
 * I2  The fields of a heap that are not atomic belong to its holder; to become
 *     holder of an orphan is a CAS on its state.
 * I3  A thread holds a heap only while its destructor is sure to come. After
 *     it has run (other keys' destructors may still allocate and free) or where
 *     no key can be had, each call borrows a heap, and frees go home at once.
 * I4  A heap that nobody holds has no hot blocks and no parcels: but for its
 *     live blocks it has no memory.
 *
 * Edge heap      release: the store of ORPHAN; acquire: the CAS away from it.
 *     Carries all that the last holder did to the heap and its chunks.
 * Edge all       release: the CAS that puts a new heap on the list; acquire:
 *     the load of its head. Carries the heap's first state and its `next`.
 * Edge key       release: the CAS that stores the key; acquire: its load.
 *
 * Progress  lock-free, up to the system's mmap; also the making of the key,
 *     where the loser deletes its own. pthread_once would wait.
 */
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

static bool take_orphan(tri_heap *heap, tri_heap_state state)
{
    int expected = TRI_HEAP_ORPHAN;
    /* edge heap (acquire): with let_go; carries the heap */
    return tr_cas_acquire(&heap->state, &expected, (int)state);
}

static void let_go(tri_heap *heap)
{
    /* edge heap (release): with take_orphan; carries the heap */
    tr_store_release(&heap->state, (int)TRI_HEAP_ORPHAN);
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
        if (tr_load_relaxed(&heap->state) == TRI_HEAP_ORPHAN && take_orphan(heap, state))
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

/* -- a thread's heap ------------------------------------------------------ */

static void at_thread_end(void *arg)
{
    tri_heap *const heap = arg;
    thread_ended = true;
    tri_heap_mine = NULL;
    tri_heap_return(heap);
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

void tri_heap_sweep(tri_heap *heap)
{
    if (take_orphan(heap, TRI_HEAP_BORROWED))
        tri_heap_return(heap);
}

void tr_pool_flush(void)
{
    tri_heap *const mine = tri_heap_mine;
    if (mine != NULL) {
        tri_remote_flush(mine);
        tri_remote_drain(mine);
        /* A heap of one chunk would give nothing back and lose what is warm. */
        if (mine->chunks > 1)
            tri_slab_spill_all(mine);
    }
    for (tri_heap *heap = first_heap(); heap != NULL; heap = heap->next) {
        /* relaxed: hints; the sweep decides by CAS. A letter that comes too late
         * for them is for the next flush */
        if (tr_load_relaxed(&heap->state) == TRI_HEAP_ORPHAN &&
            tr_load_relaxed(&heap->inbox) != NULL)
            tri_heap_sweep(heap);
    }
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
        stats.threads += tr_load_relaxed(&heap->state) == TRI_HEAP_HELD;
    }
    sum_counts(&tri_heap_strays, &stats);
    *ret_stats = stats;
}
