/*
 * stats_wire - what `troupe stat` reads from a running system, and where
 *
 *   DIR/troupe/PID-N.sock --> [ header | system | workers ... | kinds ... ] EOF
 *
 * Shared by the library (runtime/stats_socket.c writes) and by the tools
 * (tools/troupe reads); it needs nothing but the installed headers. One
 * connection carries one snapshot in the machine's own byte order: both ends
 * are on the same machine.
 *
 * Invariants
 *  1. magic and version keep their place in every version to come, so that a
 *     tool of another version can say so.
 *  2. TRI_STATS_VERSION changes whenever the layout or the meaning of a field
 *     does. The sizes below are asserted as a reminder, not as a proof.
 *  3. A reader trusts nothing: not a count, not a size, not that a name ends.
 *  4. The directory belongs to the user and nobody else may look into it. Both
 *     ends check that on the descriptor they then use.
 */
#ifndef RUNTIME_STATS_WIRE_H
#define RUNTIME_STATS_WIRE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <troupe/runtime/stats.h>

#define TRI_STATS_MAGIC "TRSTATS" /* 8 bytes with its end */
#define TRI_STATS_VERSION 1u

#define TRI_STATS_MAX_WORKERS 1024u
#define TRI_STATS_MAX_KINDS 256u

typedef struct tri_stats_header {
    char magic[8];
    uint32_t version;
    uint32_t header_size; /* sizeof the structs, as the writer knows them */
    uint32_t system_size;
    uint32_t worker_size;
    uint32_t kind_size;
    uint32_t workers; /* structs that follow */
    uint32_t kinds;   /* ... those with the most actors; system.kinds is their number in all */
    uint32_t index;   /* N of the socket's name: counts systems of one process */
    int64_t pid;
    uint64_t started; /* ns of the monotonic clock: tells a process from one that has its pid later */
    uint64_t taken;   /* ns of the same clock, when this snapshot was */
    char program[48]; /* of the process; system.name may be another */
} tri_stats_header;

_Static_assert(sizeof(tri_stats_header) == 112, "changed? raise TRI_STATS_VERSION");
_Static_assert(sizeof(tr_system_stats) == 184, "changed? raise TRI_STATS_VERSION");
_Static_assert(sizeof(tr_worker_stats) == 80, "changed? raise TRI_STATS_VERSION");
_Static_assert(sizeof(tr_kind_stats) == 72, "changed? raise TRI_STATS_VERSION");

/* Bytes of a snapshot. Cannot overflow while the counts are within the maxima. */
static inline size_t tri_stats_size(uint32_t workers, uint32_t kinds)
{
    return sizeof(tri_stats_header) + sizeof(tr_system_stats) + workers * sizeof(tr_worker_stats) +
           kinds * sizeof(tr_kind_stats);
}

/* -- where -------------------------------------------------------------------- */

#define TRI_STATS_PLACES 2u
#define TRI_STATS_NAME_SIZE 48 /* of "PID-N.sock" with its end */

/* An absolute path from the environment; NULL: not set, or not to be relied on. */
static inline const char *tri_stats_variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value != NULL && value[0] == '/' ? value : NULL;
}

/*
 * The path of a directory that may hold sockets: place 0 is in $XDG_RUNTIME_DIR,
 * place 1 in the temporary directory. A writer takes the first that works, a
 * reader looks into all: the two may have been started with another
 * environment. false: there is no such place, or its path is too long.
 */
static inline bool tri_stats_place(unsigned place, char *ret_path, size_t size)
{
    int length;
    if (place == 0) {
        struct stat about;
        const char *runtime = tri_stats_variable("XDG_RUNTIME_DIR");
        /* After su or sudo it may still be that of the other user: leave nothing there. */
        if (runtime == NULL || stat(runtime, &about) != 0 || about.st_uid != geteuid())
            return false;
        length = snprintf(ret_path, size, "%s/troupe", runtime);
    } else {
        const char *temporary = tri_stats_variable("TMPDIR");
        length = snprintf(ret_path, size, "%s/troupe-%lu", temporary != NULL ? temporary : "/tmp",
                          (unsigned long)geteuid());
    }
    return length > 0 && (size_t)length < size;
}

/*
 * Open such a directory; the caller closes the descriptor. -1: there is none,
 * or *ret_why says (static text) why it is refused, else it is NULL.
 */
static inline int tri_stats_open_directory(const char *path, const char **ret_why)
{
    *ret_why = NULL;
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) {
        if (errno != ENOENT)
            *ret_why = errno == ENOTDIR || errno == ELOOP ? "it is a link or no directory"
                                                          : "it cannot be opened";
        return -1;
    }
    struct stat about;
    if (fstat(directory, &about) != 0)
        *ret_why = "it cannot be examined";
    else if (about.st_uid != geteuid())
        *ret_why = "it belongs to another user";
    else if ((about.st_mode & 0077) != 0)
        *ret_why = "others have access to it";
    if (*ret_why == NULL)
        return directory;
    (void)close(directory);
    return -1;
}

/*
 * The address of a socket by a directory's descriptor: as long as it is open,
 * the path names what was checked, and it is short whatever the directory's
 * path is (an address holds 107 bytes).
 */
static inline void tri_stats_address(int directory, const char *name, char *ret_path, size_t size)
{
    (void)snprintf(ret_path, size, "/proc/self/fd/%d/%s", directory, name);
}

#endif
