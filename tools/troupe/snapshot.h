/*
 * snapshot - what one system said of itself, checked
 */
#ifndef TOOLS_TROUPE_SNAPSHOT_H
#define TOOLS_TROUPE_SNAPSHOT_H

#include "runtime/stats_wire.h"

/* Counts are within the block, names end and are printable. One block: free() it. */
typedef struct snapshot {
    tri_stats_header header;
    tr_system_stats system;
    const tr_worker_stats *workers; /* header.workers */
    const tr_kind_stats *kinds;     /* header.kinds */
    _Alignas(uint64_t) unsigned char rest[];
} snapshot;

typedef enum snapshot_verdict {
    SNAPSHOT_GOOD,
    SNAPSHOT_SHORT, /* the beginning of one: its system may just have ended */
    SNAPSHOT_BAD,
} snapshot_verdict;

/* No snapshot is longer; a reader stops there. */
#define SNAPSHOT_MAX_SIZE                                                                          \
    (sizeof(tri_stats_header) + sizeof(tr_system_stats) +                                          \
     TRI_STATS_MAX_WORKERS * sizeof(tr_worker_stats) + TRI_STATS_MAX_KINDS * sizeof(tr_kind_stats))

/*
 * Check bytes that may be anything. Unless it is good, why_size bytes at
 * ret_why get the reason, which completes "PID ...", and *ret_snapshot is left.
 */
snapshot_verdict snapshot_parse(const unsigned char *bytes, size_t size, snapshot **ret_snapshot,
                                char *ret_why, size_t why_size);

/* Two snapshots of the same system, not of one that has its pid now. */
bool snapshot_same_system(const snapshot *a, const snapshot *b);

/* Blocks that are allocated now; 0 while the counters, which are not all read
 * in one moment, contradict each other. */
uint64_t snapshot_live_blocks(const snapshot *s);

/* malloc that ends the program with a line when there is no memory. */
void *must_allocate(size_t size);

#endif
