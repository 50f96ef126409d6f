/*
 * allocator - where blocks come from, as std::alloc
 *
 *   tr_box, tr_arc, messages, actors ...
 *        |
 *   tr_alloc(layout) ---> the global allocator ---> pools | libc | your own
 *
 * Use tr_alloc and its siblings for raw blocks; use box.h and arc.h for values.
 * Every block that troupe makes comes from the global allocator, so replacing
 * it sees all of them. Blocks of size 0 never reach it: they are a dangling,
 * aligned address (as the Allocator trait's rule for zero-sized layouts).
 *
 * Threads            alloc/realloc/dealloc: any threads, any time; a block may
 *                    be freed by another thread than the one that made it.
 *                    replace: at a quiet point, see tr_set_global_allocator.
 * Memory             dealloc and realloc take the layout that the block was
 *                    made with (or last resized to), as in std::alloc.
 */
#ifndef TROUPE_MEM_ALLOCATOR_H
#define TROUPE_MEM_ALLOCATOR_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/layout.h>

TR_BEGIN_DECLS

/*
 * An allocator. `self` is handed to each call. Sizes are never 0, blocks never
 * NULL, and layouts valid. NULL from alloc, alloc_zeroed or realloc means that
 * there is no memory; a failed realloc leaves the old block as it was.
 * alloc_zeroed and realloc may be left out (NULL): they are then made of the
 * other two, as GlobalAlloc's provided methods. None of them may panic.
 */
typedef struct tr_allocator tr_allocator;
struct tr_allocator {
    const char *name;
    void *(*alloc)(tr_allocator *self, tr_layout layout);
    void *(*alloc_zeroed)(tr_allocator *self, tr_layout layout);
    void *(*realloc)(tr_allocator *self, void *block, tr_layout old_layout, size_t new_size);
    void (*dealloc)(tr_allocator *self, void *block, tr_layout layout);
};

/* From the given allocator. NULL: no memory, nothing changed. */
TR_API void *tr_alloc_from(tr_allocator *allocator, tr_layout layout);
TR_API void *tr_alloc_zeroed_from(tr_allocator *allocator, tr_layout layout);
/* Grow or shrink to new_size with the same alignment, keeping the common
 * prefix; NULL: no memory (or an impossible size), the block is untouched.
 * new_size 0 frees the block and gives the dangling address; a block that is NULL
 * is allocated. */
TR_API void *tr_realloc_from(tr_allocator *allocator, void *block, tr_layout old_layout, size_t new_size);
/* NULL is accepted and ignored. */
TR_API void tr_dealloc_from(tr_allocator *allocator, void *block, tr_layout layout);

/* The same from the global allocator. */
TR_API void *tr_alloc(tr_layout layout);
TR_API void *tr_alloc_zeroed(tr_layout layout);
TR_API void *tr_realloc(void *block, tr_layout old_layout, size_t new_size);
TR_API void tr_dealloc(void *block, tr_layout layout);

/* The global allocator; the pools (pool.h) unless replaced. */
TR_API tr_allocator *tr_global_allocator(void);

/*
 * Replace the global allocator; NULL puts the pools back. The caller keeps
 * ownership; the allocator must outlive every block made through it.
 *
 * A block goes back to the allocator that is global when it is freed. So replace
 * before the first block; or with one that passes everything on to the outgoing
 * one (as the counting allocator does); or, as tests do, while no other thread
 * allocates, and put the old one back before anything made earlier is freed.
 * None of this is checked: it would cost every allocation a locked count.
 */
TR_API void tr_set_global_allocator(tr_allocator *allocator);

/* malloc and posix_memalign. Always there; has no state. */
TR_API tr_allocator *tr_libc_allocator(void);

/*
 * Counts what passes through to `inner` (NULL: libc). Put it in front to see
 * that nothing leaks:
 *
 *     tr_counting_allocator counting;
 *     tr_counting_allocator_init(&counting, NULL);
 *     ... use &counting.base ...
 *     assert(tr_counting_live(&counting) == 0);
 */
typedef struct tr_counting_allocator {
    tr_allocator base;
    tr_allocator *inner_;
    TR_ATOMIC(uint64_t) allocs;     /* successful alloc and alloc_zeroed calls */
    TR_ATOMIC(uint64_t) reallocs;   /* successful realloc calls */
    TR_ATOMIC(uint64_t) deallocs;   /* dealloc calls */
    TR_ATOMIC(uint64_t) live_bytes; /* bytes asked for and not given back */
} tr_counting_allocator;

/* In the caller's memory, in front of inner (NULL: libc); both must outlive the
 * blocks. Nothing to undo. */
TR_API void tr_counting_allocator_init(tr_counting_allocator *counting, tr_allocator *inner);
/* Blocks made and not freed. Exact when no other thread is at it. */
TR_API uint64_t tr_counting_live(const tr_counting_allocator *counting);

/*
 * What the infallible forms (tr_box, tr_arc, ...) call when memory is out: the
 * default prints the layout and aborts, as Rust's handle_alloc_error. The
 * handler must not return (it aborts then), but may panic: nothing is half done
 * when it is called. NULL restores the default. Set it at start.
 */
typedef void (*tr_oom_handler)(tr_layout layout);
TR_API void tr_set_oom_handler(tr_oom_handler handler);
/* Call the handler, for code of your own that cannot go on without memory. */
TR_API TR_NORETURN void tr_out_of_memory(tr_layout layout);

TR_END_DECLS

#endif
