/*
 * snapshot - checks what came through a socket; trusts none of it
 *
 * Invariants
 *  1. Nothing behind magic and version is looked at before these two are right.
 *  2. The counts are compared with their maxima before they are multiplied, and
 *     the size they make with the number of bytes that came: after that no
 *     index is checked again.
 *  3. Texts go to terminals: what is not printable ASCII becomes '?'.
 */
#include "snapshot.h"

#include <string.h>

void *must_allocate(size_t size)
{
    void *block = malloc(size);
    if (block == NULL) {
        (void)fputs("troupe: out of memory\n", stderr);
        exit(1);
    }
    return block;
}

static void clean(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

/* NULL: the header can be believed. */
static const char *find_fault(const tri_stats_header *header)
{
    if (header->header_size != sizeof(tri_stats_header) ||
        header->system_size != sizeof(tr_system_stats) ||
        header->worker_size != sizeof(tr_worker_stats) ||
        header->kind_size != sizeof(tr_kind_stats))
        return "sends a malformed snapshot (sizes)";
    if (header->workers == 0 || header->workers > TRI_STATS_MAX_WORKERS ||
        header->kinds > TRI_STATS_MAX_KINDS)
        return "sends a malformed snapshot (counts)";
    return NULL;
}

static snapshot *copy(const tri_stats_header *header, const unsigned char *bytes, size_t size)
{
    const size_t fixed = sizeof(tri_stats_header) + sizeof(tr_system_stats);
    snapshot *s = must_allocate(sizeof(snapshot) + (size - fixed));
    s->header = *header;
    memcpy(&s->system, bytes + sizeof(tri_stats_header), sizeof(s->system));
    memcpy(s->rest, bytes + fixed, size - fixed);

    tr_kind_stats *kinds = (tr_kind_stats *)(s->rest + header->workers * sizeof(tr_worker_stats));
    s->workers = (const tr_worker_stats *)s->rest;
    s->kinds = kinds;
    clean(s->header.program, sizeof(s->header.program));
    clean(s->system.name, sizeof(s->system.name));
    for (uint32_t i = 0; i < header->kinds; i++)
        clean(kinds[i].name, sizeof(kinds[i].name));
    return s;
}

snapshot_verdict snapshot_parse(const unsigned char *bytes, size_t size, snapshot **ret_snapshot,
                                char *ret_why, size_t why_size)
{
    tri_stats_header header = { 0 };
    memcpy(&header, bytes, size < sizeof(header) ? size : sizeof(header));
    const size_t prefix = offsetof(tri_stats_header, version) + sizeof(header.version);
    const size_t compared = size < sizeof(header.magic) ? size : sizeof(header.magic);
    if (memcmp(header.magic, TRI_STATS_MAGIC, compared) != 0) {
        (void)snprintf(ret_why, why_size, "sends something that is no snapshot");
        return SNAPSHOT_BAD;
    }
    if (size >= prefix && header.version != TRI_STATS_VERSION) {
        (void)snprintf(ret_why, why_size,
                       "speaks version %u of the snapshot, this program version %u: "
                       "use the troupe of its library",
                       header.version, TRI_STATS_VERSION);
        return SNAPSHOT_BAD;
    }
    if (size < sizeof(header)) {
        (void)snprintf(ret_why, why_size, "sends only %zu bytes of a snapshot", size);
        return SNAPSHOT_SHORT;
    }
    const char *fault = find_fault(&header);
    if (fault != NULL) {
        (void)snprintf(ret_why, why_size, "%s", fault);
        return SNAPSHOT_BAD;
    }
    const size_t expected = tri_stats_size(header.workers, header.kinds);
    if (size != expected) {
        (void)snprintf(ret_why, why_size, "sends %zu bytes of a snapshot of %zu", size, expected);
        return size < expected ? SNAPSHOT_SHORT : SNAPSHOT_BAD;
    }
    *ret_snapshot = copy(&header, bytes, size);
    return SNAPSHOT_GOOD;
}

bool snapshot_same_system(const snapshot *a, const snapshot *b)
{
    return a->header.pid == b->header.pid && a->header.index == b->header.index &&
           a->header.started == b->header.started;
}

uint64_t snapshot_live_blocks(const snapshot *s)
{
    const tr_pool_stats *memory = &s->system.memory;
    const uint64_t made = memory->allocs + memory->large_allocs;
    const uint64_t gone = memory->frees + memory->remote_frees + memory->large_frees;
    return made > gone ? made - gone : 0;
}
