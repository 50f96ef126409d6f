/*
 * tracking_allocator - knows each live block, and who asked for it
 *
 *     tr_tracking_allocator *tracking;
 *     TR_MUST(tr_tracking_allocator_create(NULL, &tracking));
 *     ... use tr_tracking_allocator_base(tracking) ...
 *     tr_tracking_allocator_report(tracking, stderr):
 *
 *     2 live blocks, 64 bytes
 *     block 7: 32 bytes aligned to 8 at 0x55d0c82a, in cycle 1
 *         libtroupe.so.0: tr_rc_of+0x1c
 *         program+0x2f71                      addr2line -e program 0x2f71
 *     ...
 *
 * Use it to find out which blocks leak; to see that nothing does, the counting
 * allocator (allocator.h) is enough and costs next to nothing. Here a block costs
 * a walk up the stack and a record.
 *
 * Blocks that point at each other in a circle, as Rcs and Arcs that own each other
 * do, bear the number of their cycle. What counts is any word that looks like an
 * address in another live block, so a Weak back to the owner counts as well: of
 * blocks in a cycle ask first which pointer should have been a Weak, and if it is
 * one, which of them was forgotten.
 *
 * A dealloc or realloc of what is not live (freed twice, or never made here) and
 * one with another layout than the block's print what is known and abort.
 *
 * Threads  requests: any threads, any time, one after the other. each, report: the
 *          same, but the blocks they read into must not be written meanwhile.
 * Memory   records are malloc's, not the inner allocator's.
 */
#ifndef TROUPE_MEM_TRACKING_ALLOCATOR_H
#define TROUPE_MEM_TRACKING_ALLOCATOR_H

#include <stdio.h>

#include <troupe/mem/allocator.h>

TR_BEGIN_DECLS

typedef struct tr_tracking_allocator tr_tracking_allocator;

#define TR_TRACKED_FRAMES 12

typedef struct tr_tracked_block {
    const void *block;
    tr_layout layout;
    uint64_t number;                 /* the how many-th block it was, from 1 */
    size_t cycle;                    /* from 1; 0: in none */
    void *frames[TR_TRACKED_FRAMES]; /* return addresses, the innermost first */
    unsigned frame_count;
} tr_tracked_block;

/* In front of inner (NULL: libc), which must outlive it. TR_NOMEM. */
TR_API TR_MUST_USE tr_status tr_tracking_allocator_create(tr_allocator *inner,
                                                          tr_tracking_allocator **ret_tracking);
/* Forgets its records; live blocks stay, and must be freed by inner. NULL: nothing. */
TR_API void tr_tracking_allocator_destroy(tr_tracking_allocator *tracking);

/* What to hand to tr_alloc_from or tr_set_global_allocator. */
TR_API tr_allocator *tr_tracking_allocator_base(tr_tracking_allocator *tracking);

/* Live blocks. */
TR_API size_t tr_tracking_allocator_live(tr_tracking_allocator *tracking);

/* Call f with each block that is live now, the oldest first, and its cycle. f may
 * allocate and free. TR_NOMEM: no memory for the list, f was not called. */
TR_API TR_MUST_USE tr_status tr_tracking_allocator_each(tr_tracking_allocator *tracking,
                                                        void (*f)(const tr_tracked_block *block,
                                                                  void *arg),
                                                        void *arg);

/* The same as text. TR_NOMEM, and TR_IO when the stream refused. */
TR_API TR_MUST_USE tr_status tr_tracking_allocator_report(tr_tracking_allocator *tracking,
                                                          FILE *stream);

TR_END_DECLS

#endif
