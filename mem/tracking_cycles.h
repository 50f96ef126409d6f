/*
 * tracking_cycles - which live blocks reach each other; private to the tracking
 * allocator
 */
#ifndef TROUPE_MEM_TRACKING_CYCLES_PRIVATE_H
#define TROUPE_MEM_TRACKING_CYCLES_PRIVATE_H

#include <stddef.h>

#include <troupe/mem/tracking_allocator.h>

/* One block, and where the walk stands with it. */
typedef struct tri_reach {
    tr_tracked_block tracked;
    size_t order;   /* when the walk came here, from 1; 0: not yet */
    size_t low;     /* the earliest on the path that is known to be reached from here */
    size_t scanned; /* bytes of the block looked at */
    size_t parent;  /* the block that led here */
    size_t below;   /* the next on the stack of blocks without a cycle number */
    bool on_stack;
    bool reaches_itself;
} tri_reach;

/* Number the cycles among n blocks sorted by address; gives how many there are. */
size_t tri_tracking_find_cycles(tri_reach *blocks, size_t n);

#endif
