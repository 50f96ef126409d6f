/*
 * stats_socket - one thread that answers `troupe stat`
 *
 *           +-- readable: accept, check who it is, take a snapshot, send, close
 *   poll ---+
 *           +-- stop (eventfd): end
 *
 * Invariants
 *  1. The socket becomes connectable (listen) only when its mode is 0600, in a
 *     directory that is ours alone: there is no moment at which others may connect.
 *  2. Nothing is read from a peer, and no peer keeps the thread longer than
 *     TRI_STATS_PATIENCE; stop ends every wait at once.
 *  3. The thread holds no lock and has every signal blocked: it never runs a
 *     handler of the program's.
 *  4. Every block is made by start: a snapshot allocates nothing here, so that
 *     asking does not change the numbers asked for.
 *
 * Edges: none of its own. pthread_create and pthread_join order the fields, the
 * kernel orders the eventfd, and the counters are tr_system_get_*'s business.
 */
#include "runtime/stats_socket.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/panic.h>

#include "runtime/stats_wire.h"

#define BACKLOG 16
#define NAME_ATTEMPTS 64
#define RETRY_ACCEPT 100 /* ms */

struct tri_stats_socket {
    tr_system *system;
    pthread_t thread;
    int directory;
    int listener;
    int stop;
    uint32_t index;
    uint32_t workers;
    uint64_t started;
    tr_layout layout; /* of this block */
    char file[TRI_STATS_NAME_SIZE];
    char name[48];
    _Alignas(uint64_t) unsigned char snapshot[];
};

/* Systems that this process has started. */
static TR_ATOMIC(uint32_t) next_index;

/* -- one snapshot --------------------------------------------------------------- */

static size_t take_snapshot(tri_stats_socket *self)
{
    tri_stats_header *header = (tri_stats_header *)self->snapshot;
    tr_system_stats *system = (tr_system_stats *)(header + 1);
    tr_worker_stats *workers = (tr_worker_stats *)(system + 1);
    tr_kind_stats *kinds = (tr_kind_stats *)(workers + self->workers);

    memset(self->snapshot, 0, tri_stats_size(self->workers, TRI_STATS_MAX_KINDS));
    *header = (tri_stats_header){
        .magic = TRI_STATS_MAGIC,
        .version = TRI_STATS_VERSION,
        .header_size = sizeof(tri_stats_header),
        .system_size = sizeof(tr_system_stats),
        .worker_size = sizeof(tr_worker_stats),
        .kind_size = sizeof(tr_kind_stats),
        .workers = self->workers,
        .index = self->index,
        .pid = getpid(),
        .started = self->started,
    };
    (void)snprintf(header->program, sizeof(header->program), "%s", program_invocation_short_name);
    tr_system_get_stats(self->system, system);
    memcpy(system->name, self->name, sizeof(system->name));
    header->taken = tr_now();
    for (uint32_t i = 0; i < self->workers; i++)
        TR_MUST(tr_system_get_worker_stats(self->system, i, &workers[i]));
    header->kinds = (uint32_t)tr_system_get_kind_stats(self->system, kinds, TRI_STATS_MAX_KINDS);
    return tri_stats_size(header->workers, header->kinds);
}

/* -- the thread ------------------------------------------------------------------- */

/* Milliseconds for poll, rounded up so that it does not return too early. */
static int milliseconds_until(uint64_t deadline)
{
    const uint64_t now = tr_now();
    return deadline <= now ? 0 : (int)((deadline - now + 999999u) / 1000000u);
}

tr_status tri_stats_socket_send(int peer, int stop, const void *bytes, size_t size,
                                uint64_t deadline)
{
    const unsigned char *next = bytes;
    while (size > 0) {
        const ssize_t sent = send(peer, next, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            next += sent;
            size -= (size_t)sent;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return TR_DISCONNECTED;
        struct pollfd waits[] = { { .fd = peer, .events = POLLOUT }, { .fd = stop, .events = POLLIN } };
        const int ready = poll(waits, 2, milliseconds_until(deadline));
        if (ready > 0 && waits[1].revents != 0)
            return TR_SHUTDOWN;
        if (ready == 0)
            return TR_TIMEOUT;
    }
    return TR_OK;
}

/* The kernel noted who connected. Root sees everything anyway. */
static bool may_read(int peer)
{
    struct ucred who;
    socklen_t size = sizeof(who);
    if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        return false;
    return who.uid == geteuid() || who.uid == 0;
}

static void serve(tri_stats_socket *self, int peer)
{
    if (!may_read(peer))
        return;
    const size_t size = take_snapshot(self);
    /* Whatever became of it: the reader sees a snapshot that is complete or is not. */
    (void)!tri_stats_socket_send(peer, self->stop, self->snapshot, size,
                                 tr_now() + TRI_STATS_PATIENCE);
}

static void accept_one(tri_stats_socket *self)
{
    const int peer = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer >= 0) {
        serve(self, peer);
        (void)close(peer);
        return;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return;
    /* No descriptors or memory left: the connection stays, and poll would return at once. */
    struct pollfd wait = { .fd = self->stop, .events = POLLIN };
    (void)poll(&wait, 1, RETRY_ACCEPT);
}

static void *answer(void *arg)
{
    tri_stats_socket *self = arg;
    for (;;) {
        struct pollfd waits[] = { { .fd = self->listener, .events = POLLIN },
                                  { .fd = self->stop, .events = POLLIN } };
        if (poll(waits, 2, -1) < 0 && errno != EINTR && errno != ENOMEM)
            return NULL;
        if (waits[1].revents != 0)
            return NULL;
        if ((waits[0].revents & POLLIN) != 0)
            accept_one(self);
        else if (waits[0].revents != 0)
            return NULL; /* somebody closed our descriptor */
    }
}

/* -- start -------------------------------------------------------------------------- */

/* A umask can take our own access away. O_PATH asks for none, and names what we made. */
static void grant_owner(const char *path)
{
    char name[48];
    struct stat about;
    const int directory = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return;
    tri_stats_address(directory, "", name, sizeof(name));
    if (fstat(directory, &about) == 0 && about.st_uid == geteuid())
        (void)chmod(name, 0700);
    (void)close(directory);
}

static int open_place(unsigned place)
{
    char path[4096];
    const char *why;
    if (!tri_stats_place(place, path, sizeof(path)))
        return -1;
    if (mkdir(path, 0700) == 0)
        grant_owner(path);
    return tri_stats_open_directory(path, &why);
}

static tr_status open_directory(tri_stats_socket *self)
{
    for (unsigned place = 0; self->directory < 0 && place < TRI_STATS_PLACES; place++)
        self->directory = open_place(place);
    return self->directory < 0 ? TR_IO : TR_OK;
}

/* Does a process listen there? Only a refusal proves that none does. */
static bool is_stale(const struct sockaddr_un *address)
{
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return false;
    const bool refused = connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                         errno == ECONNREFUSED;
    (void)close(probe);
    return refused;
}

/*
 * A file of our name was left by a killed process that had our pid before, or
 * belongs to a process of that pid in another container that shares the
 * directory: take over the one, make room for the other.
 */
static tr_status bind_name(tri_stats_socket *self)
{
    for (unsigned attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        (void)snprintf(self->file, sizeof(self->file), "%ld-%u.sock", (long)getpid(), self->index);
        tri_stats_address(self->directory, self->file, address.sun_path, sizeof(address.sun_path));
        if (bind(self->listener, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return TR_OK;
        if (errno != EADDRINUSE)
            break;
        if (is_stale(&address))
            (void)unlinkat(self->directory, self->file, 0);
        else
            self->index = tr_fetch_add_relaxed(&next_index, 1); /* relaxed: only distinct */
    }
    self->file[0] = '\0';
    return TR_IO;
}

static tr_status open_listener(tri_stats_socket *self)
{
    self->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self->stop < 0 || self->listener < 0)
        return TR_LIMIT;
    const tr_status status = bind_name(self);
    if (status != TR_OK)
        return status;
    /* bind made it with the umask's mode; whoever has no business may not connect (1). */
    if (fchmodat(self->directory, self->file, 0600, 0) != 0 || listen(self->listener, BACKLOG) != 0)
        return TR_IO;
    return TR_OK;
}

/* (3): a new thread starts with the mask of the one that makes it. */
static tr_status start_thread(tri_stats_socket *self)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&self->thread, NULL, answer, self);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return TR_LIMIT;
    (void)pthread_setname_np(self->thread, "troupe-stats");
    return TR_OK;
}

static tri_stats_socket *allocate(tr_system *system, const char *name)
{
    const uint32_t workers = tr_system_workers(system);
    TR_ASSERT(workers <= TRI_STATS_MAX_WORKERS);
    const tr_layout layout = {
        .size = sizeof(tri_stats_socket) + tri_stats_size(workers, TRI_STATS_MAX_KINDS),
        .align = _Alignof(tri_stats_socket),
    };
    tri_stats_socket *self = tr_alloc_zeroed(layout);
    if (self == NULL)
        return NULL;
    self->system = system;
    self->directory = self->listener = self->stop = -1;
    self->index = tr_fetch_add_relaxed(&next_index, 1); /* relaxed: only distinct */
    self->workers = workers;
    self->started = tr_now();
    self->layout = layout;
    (void)snprintf(self->name, sizeof(self->name), "%s", name);
    return self;
}

/* -- the end, also of a start that failed half-way -------------------------------------- */

static void close_descriptor(int descriptor)
{
    if (descriptor >= 0)
        (void)close(descriptor);
}

static void release(tri_stats_socket *self)
{
    if (self->file[0] != '\0')
        (void)unlinkat(self->directory, self->file, 0);
    close_descriptor(self->listener);
    close_descriptor(self->stop);
    close_descriptor(self->directory);
    tr_dealloc(self, self->layout);
}

tr_status tri_stats_socket_start(tr_system *system, const char *name, tri_stats_socket **ret_socket)
{
    const char *wanted = getenv("TROUPE_STATS");
    if (wanted != NULL && strcmp(wanted, "0") == 0) {
        *ret_socket = NULL;
        return TR_OK;
    }
    tri_stats_socket *self = allocate(system, name);
    if (self == NULL)
        return TR_NOMEM;
    tr_status status = open_directory(self);
    if (status == TR_OK)
        status = open_listener(self);
    if (status == TR_OK)
        status = start_thread(self);
    if (status != TR_OK) {
        release(self);
        return status;
    }
    *ret_socket = self;
    return TR_OK;
}

void tri_stats_socket_stop(tri_stats_socket *self)
{
    if (self == NULL)
        return;
    /* An eventfd at 0 takes one more without fail. */
    const uint64_t one = 1;
    const ssize_t written = write(self->stop, &one, sizeof(one));
    TR_ASSERT(written == (ssize_t)sizeof(one));
    TR_ASSERT(pthread_join(self->thread, NULL) == 0);
    release(self);
}
