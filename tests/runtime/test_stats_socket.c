/*
 * test_stats_socket - a socket that is private, answers whoever may ask, and
 * never keeps its system from stopping
 *
 * What `troupe stat` makes of the answers is tested with that program.
 */
#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <troupe/mem/clock.h>
#include <troupe/mem/panic.h>
#include <troupe/runtime/system.h>

#include "runtime/stats_socket.h"
#include "runtime/stats_wire.h"

/* -- a directory of its own for every test ------------------------------------------ */

static char home[64];       /* $XDG_RUNTIME_DIR and $TMPDIR */
static char first[80];      /* where sockets go */
static char second[96];     /* and where, without XDG_RUNTIME_DIR */
static char kept_tmpdir[512];
static char kept_runtime[512];

static void keep(const char *name, char *where, size_t size)
{
    const char *value = getenv(name);
    (void)snprintf(where, size, "%s", value != NULL ? value : "");
}

static void restore(const char *name, const char *value)
{
    if (*value != '\0')
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
}

static int setup(void **state)
{
    keep("TMPDIR", kept_tmpdir, sizeof(kept_tmpdir));
    keep("XDG_RUNTIME_DIR", kept_runtime, sizeof(kept_runtime));
    (void)strcpy(home, "/tmp/test-stats-XXXXXX");
    if (mkdtemp(home) == NULL)
        return -1;
    (void)snprintf(first, sizeof(first), "%s/troupe", home);
    (void)snprintf(second, sizeof(second), "%s/troupe-%lu", home, (unsigned long)geteuid());
    (void)setenv("XDG_RUNTIME_DIR", home, 1);
    (void)setenv("TMPDIR", home, 1);
    (void)unsetenv("TROUPE_STATS");
    return test_setup(state);
}

/* Fails unless the sockets were removed: a directory with a file in it stays. */
static int teardown(void **state)
{
    (void)rmdir(first);
    (void)rmdir(second);
    const int left = rmdir(home);
    restore("TMPDIR", kept_tmpdir);
    restore("XDG_RUNTIME_DIR", kept_runtime);
    return left != 0 ? -1 : test_teardown(state);
}

#define SOCKET_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* -- helpers -------------------------------------------------------------------------- */

/* A system without a socket of its own, so that each test starts and stops one. */
static tr_system *start_system(void)
{
    const tr_config config = { .name = "quiet", .workers = 2, .no_stats_socket = true };
    return tr_system_start(&config);
}

static void stop_system(tr_system *system)
{
    assert_int_equal(tr_system_stop(system, TR_SECONDS(30)), TR_OK);
}

static tri_stats_socket *start_socket(tr_system *system)
{
    tri_stats_socket *socket = NULL;
    assert_int_equal(tri_stats_socket_start(system, "quiet", &socket), TR_OK);
    assert_non_null(socket);
    return socket;
}

/* The number of names in a directory; the first `max` of them. */
static unsigned list_sockets(const char *directory, char names[][64], unsigned max)
{
    DIR *stream = opendir(directory);
    if (stream == NULL)
        return 0;
    unsigned count = 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        if (count < max)
            (void)snprintf(names[count], 64, "%.63s", entry->d_name);
        count++;
    }
    (void)closedir(stream);
    return count;
}

/* N of the only socket in the directory. */
static unsigned only_index(const char *directory)
{
    char names[4][64];
    long pid = 0;
    unsigned index = 0;
    assert_int_equal(list_sockets(directory, names, 4), 1);
    assert_int_equal(sscanf(names[0], "%ld-%u.sock", &pid, &index), 2);
    assert_int_equal(pid, getpid());
    return index;
}

static struct sockaddr_un address_of(const char *directory, unsigned index)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%ld-%u.sock",
                                directory, (long)getpid(), index);
    assert_true(length > 0 && (size_t)length < sizeof(address.sun_path));
    return address;
}

static int connect_to(const char *directory, unsigned index)
{
    const struct sockaddr_un address = address_of(directory, index);
    const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer >= 0);
    assert_int_equal(connect(peer, (const struct sockaddr *)&address, sizeof(address)), 0);
    return peer;
}

/* Listening or dead sockets as other processes would leave them. */
static int bind_at(const char *directory, unsigned index)
{
    const struct sockaddr_un address = address_of(directory, index);
    const int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(other >= 0);
    assert_int_equal(bind(other, (const struct sockaddr *)&address, sizeof(address)), 0);
    return other;
}

static _Alignas(uint64_t) unsigned char received[1 << 18];

static size_t read_all(int peer)
{
    size_t length = 0;
    for (ssize_t got; (got = read(peer, received + length, sizeof(received) - length)) > 0;)
        length += (size_t)got;
    (void)close(peer);
    return length;
}

static mode_t mode_of(const char *path)
{
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    return about.st_mode & 07777;
}

/* -- where ------------------------------------------------------------------------------ */

static void assert_private_socket_under_umask(mode_t mask)
{
    tr_system *system = start_system();
    const mode_t before = umask(mask);
    tri_stats_socket *socket = start_socket(system);
    (void)umask(before);
    assert_int_equal(mode_of(first), 0700);
    assert_int_equal(mode_of(address_of(first, only_index(first)).sun_path), 0600);
    tri_stats_socket_stop(socket);
    assert_int_equal(list_sockets(first, NULL, 0), 0);
    assert_int_equal(rmdir(first), 0);
    stop_system(system);
}

static void test_stats_socket_start_is_private_whatever_the_umask(void **state)
{
    (void)state;
    assert_private_socket_under_umask(0);
    assert_private_socket_under_umask(022);
    assert_private_socket_under_umask(0177);
}

static void test_stats_socket_without_runtime_directory_uses_temporary_one(void **state)
{
    (void)state;
    const char *useless[] = { NULL, "", "relative", "/nonexistent/directory" };
    tr_system *system = start_system();
    for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
        if (useless[i] == NULL)
            (void)unsetenv("XDG_RUNTIME_DIR");
        else
            (void)setenv("XDG_RUNTIME_DIR", useless[i], 1);
        tri_stats_socket *socket = start_socket(system);
        assert_int_equal(mode_of(second), 0700);
        (void)only_index(second);
        assert_int_equal(access(first, F_OK), -1);
        tri_stats_socket_stop(socket);
    }
    stop_system(system);
}

/* As after su: the variable is still that of the user before. */
static void test_stats_socket_runtime_directory_of_another_user_is_left_alone(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    char others[80];
    (void)snprintf(others, sizeof(others), "%s/other", home);
    assert_int_equal(mkdir(others, 0777), 0);
    assert_int_equal(chown(others, 65534, 65534), 0);
    (void)setenv("XDG_RUNTIME_DIR", others, 1);
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    (void)only_index(second);
    tri_stats_socket_stop(socket);
    stop_system(system);
    assert_int_equal(rmdir(others), 0); /* empty */
}

static void assert_refused(void)
{
    tr_system *system = start_system();
    tri_stats_socket *socket = (tri_stats_socket *)system; /* to see that it is left alone */
    assert_int_equal(tri_stats_socket_start(system, "quiet", &socket), TR_IO);
    assert_ptr_equal(socket, system);
    stop_system(system);
}

static void test_stats_socket_directory_open_to_others_is_refused(void **state)
{
    (void)state;
    (void)unsetenv("XDG_RUNTIME_DIR");
    const mode_t modes[] = { 0755, 0710, 0701, 0770 };
    assert_int_equal(mkdir(second, 0700), 0);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(second, modes[i]), 0);
        assert_refused();
        assert_int_equal(list_sockets(second, NULL, 0), 0);
        assert_int_equal(mode_of(second), modes[i]);
    }
}

static void test_stats_socket_directory_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a directory away */
    (void)unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(mkdir(second, 0700), 0);
    assert_int_equal(chown(second, 65534, 65534), 0);
    assert_refused();
    assert_int_equal(list_sockets(second, NULL, 0), 0);
}

static void test_stats_socket_directory_that_is_a_link_is_refused(void **state)
{
    (void)state;
    (void)unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(mkdir(first, 0700), 0);
    assert_int_equal(symlink(first, second), 0);
    assert_refused();
    assert_int_equal(list_sockets(first, NULL, 0), 0);
    assert_int_equal(unlink(second), 0);
}

static void test_stats_socket_refused_runtime_directory_falls_back(void **state)
{
    (void)state;
    assert_int_equal(mkdir(first, 0755), 0);
    assert_int_equal(chmod(first, 0755), 0);
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    assert_int_equal(list_sockets(first, NULL, 0), 0);
    (void)only_index(second);
    tri_stats_socket_stop(socket);
    stop_system(system);
}

/* An address has room for 107 bytes. */
static void test_stats_socket_path_longer_than_an_address_works(void **state)
{
    (void)state;
    char deep[320];
    (void)snprintf(deep, sizeof(deep), "%s/%0200d", home, 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    (void)setenv("XDG_RUNTIME_DIR", deep, 1);
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    char inside[400];
    (void)snprintf(inside, sizeof(inside), "%s/troupe", deep);
    (void)only_index(inside);
    tri_stats_socket_stop(socket);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(deep), 0);
    stop_system(system);
}

static void test_stats_socket_turned_off_by_environment_makes_nothing(void **state)
{
    (void)state;
    (void)setenv("TROUPE_STATS", "0", 1);
    tr_system *system = start_system();
    tri_stats_socket *socket = (tri_stats_socket *)system;
    assert_int_equal(tri_stats_socket_start(system, "quiet", &socket), TR_OK);
    assert_null(socket);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(access(second, F_OK), -1);
    tri_stats_socket_stop(socket);
    stop_system(system);
    (void)unsetenv("TROUPE_STATS");
}

static void test_stats_socket_left_behind_is_taken_over_a_live_one_is_not(void **state)
{
    (void)state;
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    const unsigned index = only_index(first);
    tri_stats_socket_stop(socket);

    (void)close(bind_at(first, index + 1)); /* bound, and its process is gone */
    socket = start_socket(system);
    assert_int_equal(only_index(first), index + 1);
    tri_stats_socket_stop(socket);

    const int live = bind_at(first, index + 2);
    assert_int_equal(listen(live, 1), 0);
    socket = start_socket(system);
    assert_int_equal(access(address_of(first, index + 2).sun_path, F_OK), 0);
    assert_int_equal(access(address_of(first, index + 3).sun_path, F_OK), 0);
    tri_stats_socket_stop(socket);
    assert_int_equal(only_index(first), index + 2);
    (void)close(live);
    assert_int_equal(unlink(address_of(first, index + 2).sun_path), 0);
    stop_system(system);
}

/* -- the answer --------------------------------------------------------------------------- */

static void assert_snapshot_of(size_t size, unsigned index)
{
    const tri_stats_header *header = (const tri_stats_header *)received;
    assert_true(size >= sizeof(*header));
    assert_memory_equal(header->magic, TRI_STATS_MAGIC, sizeof(header->magic));
    assert_int_equal(header->version, TRI_STATS_VERSION);
    assert_int_equal(header->workers, 2);
    assert_int_equal(size, tri_stats_size(header->workers, header->kinds));
    assert_int_equal(header->pid, getpid());
    assert_int_equal(header->index, index);
    assert_string_equal(header->program, program_invocation_short_name);
    const tr_system_stats *system = (const tr_system_stats *)(header + 1);
    assert_string_equal(system->name, "quiet");
    assert_int_equal(system->workers, 2);
    assert_int_equal(system->actors, 0);
    assert_int_equal(system->messages, 0);
}

static void test_stats_socket_each_connection_gets_a_whole_snapshot(void **state)
{
    (void)state;
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    const unsigned index = only_index(first);
    uint64_t taken = 0;
    for (unsigned i = 0; i < 20; i++) {
        assert_snapshot_of(read_all(connect_to(first, index)), index);
        const tri_stats_header *header = (const tri_stats_header *)received;
        assert_true(header->taken >= header->started);
        assert_true(header->taken > taken);
        taken = header->taken;
    }
    tri_stats_socket_stop(socket);
    stop_system(system);
}

static void test_stats_socket_two_of_a_process_have_names_of_their_own(void **state)
{
    (void)state;
    char names[4][64];
    tr_system *one = start_system(), *other = start_system();
    tri_stats_socket *socket = start_socket(one);
    const unsigned index = only_index(first);
    tri_stats_socket *another = start_socket(other);
    assert_int_equal(list_sockets(first, names, 4), 2);
    assert_string_not_equal(names[0], names[1]);
    assert_snapshot_of(read_all(connect_to(first, index)), index);
    assert_snapshot_of(read_all(connect_to(first, index + 1)), index + 1);
    tri_stats_socket_stop(socket);
    assert_int_equal(only_index(first), index + 1);
    assert_snapshot_of(read_all(connect_to(first, index + 1)), index + 1);
    tri_stats_socket_stop(another);
    stop_system(one);
    stop_system(other);
}

/* Peers that write, hang up at once, or both. */
static void test_stats_socket_rude_peers_do_not_disturb_the_next(void **state)
{
    (void)state;
    tr_system *system = start_system();
    tri_stats_socket *socket = start_socket(system);
    const unsigned index = only_index(first);
    static const char noise[4096];
    for (unsigned i = 0; i < 20; i++) {
        const int writer = connect_to(first, index);
        (void)!send(writer, noise, sizeof(noise), MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)close(writer);
        (void)close(connect_to(first, index));
    }
    assert_snapshot_of(read_all(connect_to(first, index)), index);
    tri_stats_socket_stop(socket);
    stop_system(system);
}

/* With no descriptor left it cannot accept; it goes on when there is one. */
static void test_stats_socket_out_of_descriptors_answers_later(void **state)
{
    (void)state;
    enum { ROOM = 16 };
    tr_system *system = start_system();
    tri_stats_socket *socket_ = start_socket(system);
    const unsigned index = only_index(first);
    const struct sockaddr_un address = address_of(first, index);
    const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(peer >= 0);
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = (rlim_t)peer + ROOM;

    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    int fillers[ROOM], count = 0;
    while (count < ROOM && (fillers[count] = fcntl(peer, F_DUPFD_CLOEXEC, 0)) >= 0)
        count++;
    const int connected = connect(peer, (const struct sockaddr *)&address, sizeof(address));
    struct pollfd wait = { .fd = peer, .events = POLLIN };
    const int answered = poll(&wait, 1, 0);
    while (count > 0)
        (void)close(fillers[--count]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

    assert_int_equal(connected, 0);
    assert_int_equal(answered, 0);
    assert_snapshot_of(read_all(peer), index);
    tri_stats_socket_stop(socket_);
    stop_system(system);
}

/* -- the thread and its descriptors ------------------------------------------------------- */

static void test_stats_socket_descriptors_are_closed_on_exec(void **state)
{
    (void)state;
    enum { LOOKED_AT = 256 };
    int before[LOOKED_AT];
    unsigned made = 0;
    tr_system *system = start_system();
    for (int i = 0; i < LOOKED_AT; i++)
        before[i] = fcntl(i, F_GETFD);
    tri_stats_socket *socket = start_socket(system);
    for (int i = 0; i < LOOKED_AT; i++) {
        const int flags = fcntl(i, F_GETFD);
        if (before[i] >= 0 || flags < 0)
            continue;
        assert_true((flags & FD_CLOEXEC) != 0);
        made++;
    }
    assert_int_equal(made, 3);
    tri_stats_socket_stop(socket);
    stop_system(system);
}

/* The first line of a file of /proc that begins with `key`, behind it; false: none. */
static bool find_line(const char *path, const char *key, char *ret_text, size_t size)
{
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = strncmp(line, key, strlen(key)) == 0;
        if (found)
            (void)snprintf(ret_text, size, "%.60s", line + strlen(key));
    }
    if (file != NULL)
        (void)fclose(file);
    return found;
}

/* SigBlk of the only thread of that name; 0: there is none. */
static uint64_t blocked_signals_of(const char *thread)
{
    char path[64], text[64];
    uint64_t blocked = 0;
    DIR *stream = opendir("/proc/self/task");
    assert_non_null(stream);
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/status", entry->d_name);
        if (find_line(path, "Name:\t", text, sizeof(text)) && strncmp(text, thread, strlen(thread)) == 0 &&
            find_line(path, "SigBlk:\t", text, sizeof(text)))
            blocked = strtoull(text, NULL, 16);
    }
    (void)closedir(stream);
    return blocked;
}

static void test_stats_socket_thread_takes_no_signal_its_starter_does(void **state)
{
    (void)state;
    const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, SIGALRM, SIGPIPE };
    sigset_t before, after;
    tr_system *system = start_system();
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
    tri_stats_socket *socket = start_socket(system);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
    /* libc starts a thread with all blocked, and then gives it its mask: let it come so far. */
    const unsigned index = only_index(first);
    assert_snapshot_of(read_all(connect_to(first, index)), index);
    const uint64_t blocked = blocked_signals_of("troupe-stats");
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        assert_true((blocked >> (signals[i] - 1) & 1) == 1);
        assert_int_equal(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
    tri_stats_socket_stop(socket);
    stop_system(system);
}

/* -- stop --------------------------------------------------------------------------------- */

static void test_stats_socket_stop_does_not_wait_for_readers(void **state)
{
    (void)state;
    enum { READERS = 12 };
    tr_system *system = start_system();
    for (size_t round = test_scale(5); round > 0; round--) {
        tri_stats_socket *socket = start_socket(system);
        const unsigned index = only_index(first);
        int readers[READERS];
        for (unsigned i = 0; i < READERS; i++)
            readers[i] = connect_to(first, index);
        tri_stats_socket_stop(socket);
        assert_int_equal(list_sockets(first, NULL, 0), 0);
        for (unsigned i = 0; i < READERS; i++) { /* each has all or nothing */
            const size_t size = read_all(readers[i]);
            if (size != 0)
                assert_snapshot_of(size, index);
        }
    }
    stop_system(system);
}

static void test_stats_socket_stop_of_none_does_nothing(void **state)
{
    (void)state;
    tri_stats_socket_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOCKET_TEST(test_stats_socket_start_is_private_whatever_the_umask),
        SOCKET_TEST(test_stats_socket_without_runtime_directory_uses_temporary_one),
        SOCKET_TEST(test_stats_socket_runtime_directory_of_another_user_is_left_alone),
        SOCKET_TEST(test_stats_socket_directory_open_to_others_is_refused),
        SOCKET_TEST(test_stats_socket_directory_of_another_user_is_refused),
        SOCKET_TEST(test_stats_socket_directory_that_is_a_link_is_refused),
        SOCKET_TEST(test_stats_socket_refused_runtime_directory_falls_back),
        SOCKET_TEST(test_stats_socket_path_longer_than_an_address_works),
        SOCKET_TEST(test_stats_socket_turned_off_by_environment_makes_nothing),
        SOCKET_TEST(test_stats_socket_left_behind_is_taken_over_a_live_one_is_not),
        SOCKET_TEST(test_stats_socket_each_connection_gets_a_whole_snapshot),
        SOCKET_TEST(test_stats_socket_two_of_a_process_have_names_of_their_own),
        SOCKET_TEST(test_stats_socket_rude_peers_do_not_disturb_the_next),
        SOCKET_TEST(test_stats_socket_out_of_descriptors_answers_later),
        SOCKET_TEST(test_stats_socket_descriptors_are_closed_on_exec),
        SOCKET_TEST(test_stats_socket_thread_takes_no_signal_its_starter_does),
        SOCKET_TEST(test_stats_socket_stop_does_not_wait_for_readers),
        SOCKET_TEST(test_stats_socket_stop_of_none_does_nothing),
    };
    return TEST_RUN(tests);
}
