/*
 * test - what every test program includes, instead of cmocka.h
 *
 *     static void test_box_dropped_runs_destructor(void **state) { ... }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {
 *             TEST(test_box_dropped_runs_destructor),
 *         };
 *         return TEST_RUN(tests);
 *     }
 *
 * TEST wraps a function in the fixture: a test that leaves a block of the
 * global allocator or a file descriptor behind fails, even if it passed.
 *
 * Threads  cmocka's asserts are for the main thread only (elsewhere version
 *          1.1.5 ends the program without a word): other threads record what
 *          they saw in atomics, main asserts after the join.
 * Memory   the fixture puts a counting allocator in front of the global one,
 *          once, before the first test. A test may put its own in front and
 *          must put the old one back.
 */
#ifndef TROUPE_TESTS_SUPPORT_TEST_H
#define TROUPE_TESTS_SUPPORT_TEST_H

#ifdef NDEBUG
#error "tests are built without NDEBUG: use -Db_ndebug=false"
#endif

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>

/* One test with the fixture. Without a fixture: cmocka_unit_test. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_setup, test_teardown)

/* Run an array of tests; what main returns. */
#define TEST_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

int test_setup(void **state);
int test_teardown(void **state);

/* Blocks of the global allocator that are live now and were not when the
 * running test began. For a check in the middle of a test. */
int64_t test_live_blocks(void);

/* Open descriptors of this process. */
unsigned test_open_descriptors(void);

/*
 * n rounds scaled by the environment's TROUPE_STRESS (a positive number, 1 when
 * unset), never below 1. Stress tests use it for every count of rounds.
 */
size_t test_scale(size_t n);

/* Nanoseconds of the monotonic clock. */
uint64_t test_now(void);

/*
 * Give the processor away until the condition holds; after a minute the test
 * fails with the condition's text. Main thread only. For what another thread
 * is bound to do and does not announce; prefer a join or a channel.
 */
#define TEST_UNTIL(condition)                                                                      \
    do {                                                                                           \
        const uint64_t test_until_ = test_now() + TEST_PATIENCE;                                   \
        while (!(condition))                                                                       \
            test_pause(test_until_, #condition, __FILE__, __LINE__);                               \
    } while (0)

#define TEST_PATIENCE (UINT64_C(60) * 1000 * 1000 * 1000) /* ns */

void test_pause(uint64_t deadline, const char *condition, const char *file, int line);

/* A gate that opens when `parties` threads stand before it; may be reused. */
typedef struct test_barrier {
    pthread_barrier_t gate_;
} test_barrier;

void test_barrier_init(test_barrier *barrier, unsigned parties);
void test_barrier_wait(test_barrier *barrier);
void test_barrier_fini(test_barrier *barrier);

/* What a thread of a group runs: its index, 0 to n-1, and the shared argument. */
typedef void test_thread_function(unsigned index, void *arg);

#define TEST_THREADS_MAX 64

typedef struct test_threads test_threads;

typedef struct test_thread {
    test_threads *group_;
    pthread_t id_;
    unsigned index_;
} test_thread;

/* A group of threads that start together. In the caller's memory. */
struct test_threads {
    test_thread threads_[TEST_THREADS_MAX];
    test_barrier start_;
    test_thread_function *function_;
    void *arg_;
    unsigned count_;
};

/* Start n threads (1 to TEST_THREADS_MAX); each waits until all are there. The
 * caller goes on at once and calls test_threads_join later. */
void test_threads_start(test_threads *group, unsigned n, test_thread_function *function, void *arg);
void test_threads_join(test_threads *group);

/* Both after each other. */
void test_threads_run(unsigned n, test_thread_function *function, void *arg);

#endif
