/*
 * systems - from the directories of sockets to snapshots
 *
 *   DIR/PID-N.sock --connect--> refused, and no process PID: left behind, unlink it
 *                          \--> bytes until the end or PATIENCE --> snapshot_parse
 *
 * Invariants
 *  1. No socket keeps the tool longer than PATIENCE, none makes it read more
 *     than SNAPSHOT_MAX_SIZE + 1 bytes.
 *  2. Only a socket is ever unlinked, only when nobody listens on it (only the
 *     kernel can refuse) and no process has the pid of its name.
 */
#include "systems.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define PATIENCE TR_SECONDS(2)
#define SAID_MAX 64

typedef enum outcome {
    OUTCOME_GOT,
    OUTCOME_GONE, /* no such system, or it ended meanwhile */
    OUTCOME_SHORT,
    OUTCOME_FAULT,
} outcome;

typedef struct place {
    int directory;
    const char *path;
    const char *name; /* of the socket */
    long pid;
    unsigned long index;
} place;

/* -- faults ------------------------------------------------------------------- */

/* Each line once: directories are searched again for every report. */
static void complain(const char *format, ...) TR_PRINTF(1, 2);
static void complain(const char *format, ...)
{
    static char *said[SAID_MAX];
    static size_t count;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(said[i], line) == 0)
            return;
    }
    if (count < SAID_MAX) {
        said[count] = must_allocate(strlen(line) + 1);
        (void)strcpy(said[count++], line);
    }
    (void)fprintf(stderr, "troupe: %s\n", line);
}

/* -- one socket ------------------------------------------------------------------ */

static uint64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return TR_SECONDS(t.tv_sec) + (uint64_t)t.tv_nsec;
}

/* false: the deadline has passed. descriptor -1 waits for nothing but a moment. */
static bool wait_readable(int descriptor, uint64_t deadline)
{
    const uint64_t time = now();
    if (time >= deadline)
        return false;
    const uint64_t left = (deadline - time) / 1000000u + 1;
    struct pollfd wait = { .fd = descriptor, .events = POLLIN };
    (void)poll(&wait, 1, descriptor < 0 ? 10 : (int)left);
    return true;
}

/* A descriptor, or -1 with errno: EAGAIN when its queue stays full. */
static int connect_to(const place *at, uint64_t deadline)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    tri_stats_address(at->directory, at->name, address.sun_path, sizeof(address.sun_path));
    const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (peer < 0)
        return -1;
    while (connect(peer, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        if (errno == EINTR || (errno == EAGAIN && wait_readable(-1, deadline)))
            continue;
        const int error = errno;
        (void)close(peer);
        errno = error;
        return -1;
    }
    return peer;
}

/* Bytes until the end of the stream, at most `size`; -1: the deadline passed first. */
static ssize_t read_all(int peer, unsigned char *buffer, size_t size, uint64_t deadline)
{
    size_t length = 0;
    while (length < size) {
        const ssize_t got = recv(peer, buffer + length, size - length, MSG_DONTWAIT);
        if (got > 0) {
            length += (size_t)got;
            if (now() >= deadline)
                return -1; /* drop by drop */
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            break; /* the end; a reset, too, is what came before it */
        } else if (!wait_readable(peer, deadline)) {
            return -1;
        }
    }
    return (ssize_t)length;
}

static bool is_alive(long pid)
{
    return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* Nobody accepts: a leftover, a system that begins or ends, or one that hangs. */
static outcome explain_refusal(const place *at, char *ret_why, size_t why_size)
{
    if (errno == ECONNREFUSED || errno == ENOENT) {
        if (errno == ECONNREFUSED && !is_alive(at->pid))
            (void)unlinkat(at->directory, at->name, 0);
        return OUTCOME_GONE;
    }
    if (errno == EAGAIN)
        (void)snprintf(ret_why, why_size, "does not answer (is it stopped?)");
    else
        (void)snprintf(ret_why, why_size, "cannot be reached: %s", strerror(errno));
    return OUTCOME_FAULT;
}

/* The name is made by whoever binds, the header by whoever answers: they must agree. */
static bool is_from(const snapshot *s, const place *at)
{
    return s->header.pid == at->pid && s->header.index == at->index;
}

static outcome fetch(const place *at, snapshot **ret_snapshot, char *ret_why, size_t why_size)
{
    static unsigned char buffer[SNAPSHOT_MAX_SIZE + 1];
    const uint64_t deadline = now() + PATIENCE;
    const int peer = connect_to(at, deadline);
    if (peer < 0)
        return explain_refusal(at, ret_why, why_size);
    const ssize_t size = read_all(peer, buffer, sizeof(buffer), deadline);
    (void)close(peer);
    if (size < 0) {
        (void)snprintf(ret_why, why_size, "does not answer (is it stopped?)");
        return OUTCOME_FAULT;
    }
    switch (snapshot_parse(buffer, (size_t)size, ret_snapshot, ret_why, why_size)) {
    case SNAPSHOT_SHORT:
        return OUTCOME_SHORT;
    case SNAPSHOT_BAD:
        return OUTCOME_FAULT;
    case SNAPSHOT_GOOD:
        break;
    }
    if (is_from(*ret_snapshot, at))
        return OUTCOME_GOT;
    free(*ret_snapshot);
    (void)snprintf(ret_why, why_size, "sends the snapshot of another process");
    return OUTCOME_FAULT;
}

/* -- the list ---------------------------------------------------------------------- */

static void append(systems *list, snapshot *s)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        snapshot **grown = must_allocate(list->capacity * sizeof(*grown));
        if (list->count != 0)
            memcpy(grown, list->items, list->count * sizeof(*grown));
        free(list->items);
        list->items = grown;
    }
    list->items[list->count++] = s;
}

static void visit(const place *at, systems *list)
{
    snapshot *s = NULL;
    char why[128];
    outcome result = fetch(at, &s, why, sizeof(why));
    /* Cut off because it ended just now? Then it is not there any more. */
    if (result == OUTCOME_SHORT)
        result = fetch(at, &s, why, sizeof(why));
    if (result == OUTCOME_GOT) {
        append(list, s);
    } else if (result != OUTCOME_GONE) {
        list->faults++;
        complain("pid %ld %s (%s/%s)", at->pid, why, at->path, at->name);
    }
}

/* Digits, and nothing that strtoul would take besides (blanks, signs). */
static bool parse_digits(const char **text, unsigned long max, unsigned long *ret_number)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end;
    errno = 0;
    *ret_number = strtoul(*text, &end, 10);
    *text = end;
    return errno == 0 && *ret_number <= max;
}

/* "PID-N.sock", and a socket: other files are not ours to judge. */
static bool is_socket_of_ours(place *at)
{
    const char *text = at->name;
    unsigned long pid;
    struct stat about;
    if (!parse_digits(&text, INT_MAX, &pid) || pid == 0 || *text++ != '-' ||
        !parse_digits(&text, UINT32_MAX, &at->index) || strcmp(text, ".sock") != 0)
        return false;
    at->pid = (long)pid;
    return fstatat(at->directory, at->name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(about.st_mode);
}

static void search(const char *path, long pid, systems *list)
{
    const char *why;
    const int directory = tri_stats_open_directory(path, &why);
    DIR *stream = directory < 0 ? NULL : fdopendir(directory);
    if (stream == NULL) {
        if (directory >= 0)
            (void)close(directory);
        if (directory >= 0 || why != NULL) {
            list->faults++;
            complain("%s is not used: %s", path, why != NULL ? why : "it cannot be read");
        }
        return;
    }
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        place at = { .directory = directory, .path = path, .name = entry->d_name };
        if (is_socket_of_ours(&at) && (pid == 0 || pid == at.pid))
            visit(&at, list);
    }
    (void)closedir(stream);
}

static int compare(const void *left, const void *right)
{
    const tri_stats_header *a = &(*(snapshot *const *)left)->header;
    const tri_stats_header *b = &(*(snapshot *const *)right)->header;
    const int by_program = strcmp(a->program, b->program);
    if (by_program != 0)
        return by_program;
    if (a->pid != b->pid)
        return a->pid < b->pid ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

void systems_find(long pid, systems *ret_systems)
{
    systems list = { 0 };
    char path[PATH_MAX];
    for (unsigned i = 0; i < TRI_STATS_PLACES; i++) {
        if (tri_stats_place(i, path, sizeof(path)))
            search(path, pid, &list);
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(*list.items), compare);
    *ret_systems = list;
}

const snapshot *systems_lookup(const systems *list, const snapshot *system)
{
    for (size_t i = 0; i < list->count; i++) {
        if (snapshot_same_system(list->items[i], system))
            return list->items[i];
    }
    return NULL;
}

void systems_free(systems *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (systems){ 0 };
}
