/*
 * What a system costs while it does nothing: the memory of a burst goes back,
 * idle workers do not run, an idle actor takes its 256 bytes.
 *
 *   sender --10,000,000 notes--> [ mailbox ] --held, then let go--> receiver
 *   RSS    start ............... 320 MB more ....................... start again
 */
#include "tests/runtime/probe.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <troupe/mem/clock.h>
#include <troupe/mem/pool.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#ifdef TR_POOLS_LIBC
enum { RSS_IS_OURS = false }; /* libc decides what it gives back */
#else
enum { RSS_IS_OURS = !SANITIZED }; /* nor does a sanitizer's shadow shrink */
#endif

#define CHUNK ((size_t)1 << 20) /* what each thread's pool may keep */

/* Resident bytes of this process; allocates nothing. */
static size_t rss(void)
{
    char text[128] = "";
    const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    unsigned long pages = 0;
    if (length <= 0 || sscanf(text, "%*u %lu", &pages) != 1)
        fail_msg("/proc/self/statm cannot be read");
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t chunk_bytes(void)
{
    tr_pool_stats stats;
    tr_pool_get_stats(&stats);
    return stats.chunk_bytes;
}

/* -- a burst's memory goes back -------------------------------------------------- */

struct flood {
    probe_ref to;
    uint64_t count;
    TR_ATOMIC(uint64_t) refused;
};

static void send_all(tr_from from, struct flood *f)
{
    for (uint64_t i = 0; i < f->count; i++)
        if (probe_try_note(from, f->to, &(struct note){ .number = i }) != TR_OK)
            tr_fetch_add_relaxed(&f->refused, 1);
}

static void flood_from_handler(tr_ctx *ctx, void *arg)
{
    send_all((tr_from){ .ctx = ctx }, arg);
}

static probe_ref spawn_roomy(tr_system *system, unsigned pin)
{
    const tr_spawn_options options = { .mailbox_messages = 1u << 30, .mailbox_bytes = 1u << 30, .pin = pin };
    probe_ref ref;
    TR_MUST(probe_try_spawn(system, NULL, &options, &ref));
    return ref;
}

/* Who sends: an actor, on its own worker or on any; or a thread from outside. */
enum origin { PINNED, ANYWHERE, OUTSIDE };

static uint64_t burst_size(uint64_t n)
{
    return SANITIZED ? n / 40 + 1000 : n;
}

/* `consume` false: the receiver is stopped with its mailbox full. */
static void assert_burst_goes_back(unsigned workers, enum origin origin, uint64_t n, bool consume)
{
    tr_system *system = start_system(workers);
    gate held;
    gate_init(&held);
    struct flood f = { .to = spawn_roomy(system, origin == PINNED ? 2 : 0), .count = burst_size(n) };
    const probe_ref sender = spawn_roomy(system, origin == PINNED ? 1 : 0);
    /* Each thread's pool keeps one chunk, warm: the workers' and ours. */
    const size_t kept = (workers + 1) * CHUNK;
    const size_t start = rss();
    const uint64_t start_chunks = chunk_bytes();

    assert_int_equal(probe_hold(system, f.to, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    if (origin == OUTSIDE) {
        send_all((tr_from){ .system = system }, &f);
    } else {
        assert_int_equal(probe_run(system, sender, (struct run){ flood_from_handler, &f }), TR_OK);
        assert_int_equal(count_of(system, sender), 0); /* it has sent all */
    }
    assert_int_equal(tr_load_relaxed(&f.refused), 0);
    if (RSS_IS_OURS)
        assert_true(rss() + kept > start + f.count * 32); /* it was all there */

    if (!consume)
        assert_int_equal(probe_stop(system, f.to), TR_OK);
    gate_open(&held);
    wait_idle(system);
    const uint64_t deadline = test_now() + TR_SECONDS(1);
    if (RSS_IS_OURS)
        while (rss() > start + start / 5 + kept)
            test_pause(deadline, "the resident memory is as small as before", __FILE__, __LINE__);
    assert_in_range(chunk_bytes(), 0, start_chunks + kept);
    if (consume)
        assert_int_equal(count_of(system, f.to), f.count);
    stop_system(system);
    gate_fini(&held);
}

/* The sender's worker sleeps while another one frees what it had allocated. */
static void test_footprint_burst_between_pinned_actors_goes_back(void **state)
{
    (void)state;
    assert_burst_goes_back(2, PINNED, 10000000, true);
}

static void test_footprint_burst_from_outside_goes_back(void **state)
{
    (void)state;
    assert_burst_goes_back(1, OUTSIDE, 2000000, true);
}

static void test_footprint_burst_among_many_workers_goes_back(void **state)
{
    (void)state;
    assert_burst_goes_back(2, ANYWHERE, 500000, true);
    assert_burst_goes_back(8, ANYWHERE, 500000, true);
    assert_burst_goes_back(8, OUTSIDE, 500000, true);
}

static void test_footprint_burst_to_an_actor_that_ends_goes_back(void **state)
{
    (void)state;
    assert_burst_goes_back(2, PINNED, 500000, false);
    assert_burst_goes_back(1, OUTSIDE, 500000, false);
}

/* -- an idle system does not run -------------------------------------------------- */

struct activity {
    unsigned threads;  /* but this one */
    unsigned awake;    /* of these: not asleep at this moment */
    uint64_t switches; /* times they went to sleep, or were interrupted */
};

static void look_at_thread(const char *id, struct activity *a)
{
    char path[300], line[128];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", id);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    bool counts = true;
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned long long n;
        char word[32];
        /* A sanitizer has threads of its own. */
        if (sscanf(line, "Name: %31s", word) == 1)
            counts = !SANITIZED || strncmp(word, "troupe-", 7) == 0;
        else if (counts && sscanf(line, "State: %31s", word) == 1)
            a->threads++, a->awake += word[0] != 'S';
        else if (counts && (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1 ||
                            sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1))
            a->switches += n;
    }
    (void)fclose(file);
}

/* Of all threads but this one, the main thread. */
static struct activity look_at_threads(void)
{
    struct activity a = { 0 };
    DIR *directory = opendir("/proc/self/task");
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != (int)getpid())
            look_at_thread(entry->d_name, &a);
    (void)closedir(directory);
    return a;
}

/* Every thread sleeps, and did since a moment ago: nobody is on the way to its bed. */
static bool all_asleep(void)
{
    static uint64_t before;
    const struct activity now = look_at_threads();
    const bool same = now.switches == before && now.awake == 0;
    before = now.switches;
    return same;
}

/* Wait for something that does not come. */
static void wait_in_vain(uint64_t ns)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    const uint64_t until = test_now() + ns;
    const struct timespec deadline = { .tv_sec = (time_t)(until / TR_SECONDS(1)),
                                       .tv_nsec = (long)(until % TR_SECONDS(1)) };
    (void)pthread_mutex_lock(&lock);
    while (pthread_cond_clockwait(&never, &lock, CLOCK_MONOTONIC, &deadline) == 0)
        continue;
    (void)pthread_mutex_unlock(&lock);
}

/* Processor time of all threads but this one, ns, within what a look takes. */
static int64_t others_cpu_time(void)
{
    struct timespec all, mine;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mine);
    return ((int64_t)all.tv_sec - mine.tv_sec) * 1000000000 + all.tv_nsec - mine.tv_nsec;
}

/* $TROUPE_IDLE_SECONDS makes the window longer, for a measurement by hand. */
static uint64_t window(void)
{
    const char *text = getenv("TROUPE_IDLE_SECONDS");
    return text != NULL ? TR_SECONDS((uint64_t)atoi(text)) : TR_SECONDS(1) / 2;
}

static void test_footprint_idle_system_does_not_run(void **state)
{
    (void)state;
    enum { ACTORS = 100000 };
    /* As programs have it, with its statistics. */
    tr_system *system = tr_system_start(&(tr_config){ .name = "test_footprint", .workers = 2 });
    const uint64_t actors = SANITIZED ? ACTORS / 10 : ACTORS;
    probe_ref last = { TR_PID_NONE };
    for (uint64_t i = 0; i < actors; i++) {
        last = spawn_probe(system, NULL);
        assert_int_equal(probe_note(system, last, (struct note){ .number = i }), TR_OK);
    }
    wait_idle(system);
    TEST_UNTIL(all_asleep());

    const struct activity before = look_at_threads();
    const int64_t cpu_before = others_cpu_time();
    wait_in_vain(window());
    const int64_t cpu = others_cpu_time() - cpu_before;
    const struct activity after = look_at_threads();
    print_message("%u threads, %llu wake-ups, %lld us of processor time\n", after.threads,
                  (unsigned long long)(after.switches - before.switches), (long long)cpu / 1000);
    assert_in_range(after.threads, 2, 16);
    assert_int_equal(after.threads, before.threads);
    assert_int_equal(after.switches, before.switches);
    if (!SANITIZED)
        assert_true(cpu < 1000000);
    assert_int_equal(count_of(system, last), 1); /* it was asleep, not dead */
    stop_system(system);
}

/* -- an idle actor is 256 bytes ------------------------------------------------------ */

static void test_footprint_idle_actor_takes_256_bytes(void **state)
{
    (void)state;
    enum { ACTORS = 1000000 };
    if (!RSS_IS_OURS)
        skip();
    tr_system *system = start_system(2);
    const size_t before = rss();
    uint64_t alive = 0;
    for (uint64_t i = 0; i < ACTORS; i++) {
        const probe_ref ref = spawn_probe(system, NULL);
        alive += probe_note(system, ref, (struct note){ .number = i }) == TR_OK;
    }
    wait_idle(system);
    const size_t grown = rss() - before;
    print_message("%.1f bytes an actor\n", (double)grown / ACTORS);
    assert_int_equal(alive, ACTORS);
    assert_in_range(grown, (size_t)ACTORS * 250, (size_t)ACTORS * 260);
    stop_system(system);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_footprint_burst_between_pinned_actors_goes_back),
        TEST(test_footprint_burst_from_outside_goes_back),
        TEST(test_footprint_burst_among_many_workers_goes_back),
        TEST(test_footprint_burst_to_an_actor_that_ends_goes_back),
        TEST(test_footprint_idle_system_does_not_run),
        TEST(test_footprint_idle_actor_takes_256_bytes),
    };
    return TEST_RUN(tests);
}
