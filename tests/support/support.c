/*
 * support - the fixture, thread groups and scaling behind test.h
 *
 *   test ---> counting allocator ---> the allocator that was there (the pools)
 *
 * Invariants
 *  1. The counting allocator is installed before the first test and stays, so
 *     that no block is ever returned to another allocator than it came from.
 *  2. A fixture compares the counts of one test: begin_ values are written by
 *     test_setup and read by the main thread only.
 */
#include "tests/support/test.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <troupe/mem/allocator.h>

static tr_counting_allocator counting;
static bool installed;
static uint64_t begin_live;
static unsigned begin_descriptors;

static void die(const char *what, int error)
{
    (void)fprintf(stderr, "tests/support: %s: %s\n", what, strerror(error));
    abort();
}

/* -- fixture -------------------------------------------------------------- */

static void install(void)
{
    if (installed)
        return;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_set_global_allocator(&counting.base);
    installed = true;
}

int test_setup(void **state)
{
    (void)state;
    install();
    begin_live = tr_counting_live(&counting);
    begin_descriptors = test_open_descriptors();
    return 0;
}

/* cmocka counts a teardown that answers non-zero as a failure of the test. */
int test_teardown(void **state)
{
    (void)state;
    const int64_t blocks = test_live_blocks();
    const unsigned descriptors = test_open_descriptors();
    int failed = 0;

    if (blocks != 0) {
        print_error("%lld blocks leaked by this test\n", (long long)blocks);
        failed = -1;
    }
    if (descriptors != begin_descriptors) {
        print_error("%u descriptors open before this test, %u after it\n", begin_descriptors,
                    descriptors);
        failed = -1;
    }
    return failed;
}

int64_t test_live_blocks(void)
{
    return (int64_t)(tr_counting_live(&counting) - begin_live);
}

unsigned test_open_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        die("/proc/self/fd", errno);
    unsigned count = 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count - 3; /* ".", ".." and the descriptor of the directory itself */
}

/* -- scaling and waiting -------------------------------------------------- */

static double stress_factor(void)
{
    const char *text = getenv("TROUPE_STRESS");
    if (text == NULL || *text == '\0')
        return 1.0;
    char *end = NULL;
    const double factor = strtod(text, &end);
    if (*end != '\0' || !isfinite(factor) || factor <= 0.0) {
        (void)fprintf(stderr, "TROUPE_STRESS is \"%s\"; it must be a positive number\n", text);
        exit(2);
    }
    return factor;
}

size_t test_scale(size_t n)
{
    const double scaled = (double)n * stress_factor();
    return scaled < 1.0 ? 1 : (size_t)scaled;
}

uint64_t test_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void test_pause(uint64_t deadline, const char *condition, const char *file, int line)
{
    if (test_now() > deadline) {
        print_error("waited in vain for: %s\n", condition);
        _fail(file, line);
    }
    (void)sched_yield();
}

/* -- threads -------------------------------------------------------------- */

void test_barrier_init(test_barrier *barrier, unsigned parties)
{
    const int error = pthread_barrier_init(&barrier->gate_, NULL, parties);
    if (error != 0)
        die("pthread_barrier_init", error);
}

void test_barrier_wait(test_barrier *barrier)
{
    (void)pthread_barrier_wait(&barrier->gate_);
}

void test_barrier_fini(test_barrier *barrier)
{
    (void)pthread_barrier_destroy(&barrier->gate_);
}

static void *enter(void *arg)
{
    const test_thread *self = arg;
    test_threads *group = self->group_;
    test_barrier_wait(&group->start_);
    group->function_(self->index_, group->arg_);
    return NULL;
}

void test_threads_start(test_threads *group, unsigned n, test_thread_function *function, void *arg)
{
    if (n == 0 || n > TEST_THREADS_MAX)
        die("test_threads_start: number of threads", EINVAL);
    group->function_ = function;
    group->arg_ = arg;
    group->count_ = n;
    test_barrier_init(&group->start_, n);
    for (unsigned i = 0; i < n; i++) {
        test_thread *thread = &group->threads_[i];
        thread->group_ = group;
        thread->index_ = i;
        const int error = pthread_create(&thread->id_, NULL, enter, thread);
        if (error != 0)
            die("pthread_create", error);
    }
}

void test_threads_join(test_threads *group)
{
    for (unsigned i = 0; i < group->count_; i++) {
        const int error = pthread_join(group->threads_[i].id_, NULL);
        if (error != 0)
            die("pthread_join", error);
    }
    test_barrier_fini(&group->start_);
}

void test_threads_run(unsigned n, test_thread_function *function, void *arg)
{
    test_threads group;
    test_threads_start(&group, n, function, arg);
    test_threads_join(&group);
}
