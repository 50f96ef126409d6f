/*
 * test_panic - raising, unwinding through every kind of frame, landing
 *
 * What aborts the process is in test_panic_abort.c.
 */
#include "tests/support/test.h"

#include <alloca.h>
#include <stdlib.h>
#include <string.h>

#include <troupe/mem/atomic.h>
#include <troupe/mem/panic.h>

#include "mem/boundary.h"

/* The log of cleanups; also what a test's own hook saw. */
static char log_[64];
static size_t log_length;
static unsigned hook_calls;
static tr_panic_info hook_info;

static void note(char c)
{
    if (log_length + 1 < sizeof log_)
        log_[log_length++] = c;
    log_[log_length] = '\0';
}

static void note_cleanup(const char *c)
{
    note(*c);
}

#define NOTED __attribute__((cleanup(note_cleanup), unused)) char

static void record(const tr_panic_info *info)
{
    hook_calls++;
    hook_info = *info;
}

static int setup(void **state)
{
    log_length = 0;
    log_[0] = '\0';
    hook_calls = 0;
    tr_set_panic_hook(record);
    return test_setup(state);
}

static int teardown(void **state)
{
    tr_set_panic_hook(NULL);
    return test_teardown(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* -- catching ------------------------------------------------------------- */

static void return_normally(void *arg)
{
    *(int *)arg = 5;
}

static void test_panic_none_leaves_info_untouched(void **state)
{
    (void)state;
    int value = 0;
    tr_panic_info info = { .message = "untouched" };
    assert_int_equal(tr_catch(return_normally, &value, &info), TR_OK);
    assert_int_equal(value, 5);
    assert_string_equal(info.message, "untouched");
    assert_int_equal(hook_calls, 0);
}

static int panic_line;

static void panic_with_number(void *arg)
{
    panic_line = __LINE__ + 1;
    tr_panic("number %d", *(int *)arg);
}

static void test_panic_info_says_what_and_where(void **state)
{
    (void)state;
    int number = 17;
    tr_panic_info info;
    assert_int_equal(tr_catch(panic_with_number, &number, &info), TR_PANICKED);
    assert_string_equal(info.message, "number 17");
    assert_non_null(strstr(info.file, "test_panic.c"));
    assert_int_equal(info.line, panic_line);
    assert_int_equal(hook_calls, 1);
    assert_string_equal(hook_info.message, "number 17");
    assert_int_equal(tr_catch(panic_with_number, &number, NULL), TR_PANICKED);
    assert_int_equal(hook_calls, 2);
}

static void panic_at_length(void *arg)
{
    tr_panic("%s", (const char *)arg);
}

static void test_panic_message_is_cut_at_its_size(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tr_panic_info info;
    assert_int_equal(tr_catch(panic_at_length, text, &info), TR_PANICKED);
    assert_int_equal(strlen(info.message), sizeof info.message - 1);
}

/* -- unwinding ------------------------------------------------------------ */

static volatile bool bottom_panics = true; /* volatile: gcc sees an endless recursion else */

static TR_NOINLINE int descend(unsigned levels)
{
    NOTED c = (char)('a' + levels);
    if (levels == 0) {
        if (bottom_panics)
            tr_panic("at the bottom");
        return 0;
    }
    const int result = descend(levels - 1);
    return result + c;
}

static void descend_ten(void *arg)
{
    (void)arg;
    (void)descend(10);
}

static void test_panic_runs_the_cleanups_of_every_frame_innermost_first(void **state)
{
    (void)state;
    assert_int_equal(tr_catch(descend_ten, NULL, NULL), TR_PANICKED);
    assert_string_equal(log_, "abcdefghijk");
}

static int panic_when_compared(const void *a, const void *b)
{
    (void)a;
    (void)b;
    NOTED c = 'q';
    tr_panic("compared");
}

static void sort_two(void *arg)
{
    (void)arg;
    NOTED c = 's';
    int two[2] = { 2, 1 };
    qsort(two, 2, sizeof two[0], panic_when_compared);
}

static void test_panic_passes_through_libc_frames(void **state)
{
    (void)state;
    assert_int_equal(tr_catch(sort_two, NULL, NULL), TR_PANICKED);
    assert_string_equal(log_, "qs");
}

static void leave_inner_scopes(void *arg)
{
    (void)arg;
    NOTED a = 'a';
    {
        NOTED b = 'b';
    }
    NOTED c = 'c';
    for (int i = 0; i < 3; i++) {
        NOTED d = 'd';
        if (i == 1)
            tr_panic("in a loop");
    }
    NOTED never = 'x';
}

static void test_panic_runs_only_the_cleanups_that_are_due(void **state)
{
    (void)state;
    assert_int_equal(tr_catch(leave_inner_scopes, NULL, NULL), TR_PANICKED);
    assert_string_equal(log_, "bddca");
}

/* -- panicking ------------------------------------------------------------ */

static bool seen_panicking;

static void see(const char *c)
{
    note(*c);
    seen_panicking = tr_panicking();
}

static void panic_over_seer(void *arg)
{
    __attribute__((cleanup(see), unused)) char c = 's';
    if (arg != NULL)
        tr_panic("seen");
}

static void test_panic_is_panicking_only_while_it_unwinds(void **state)
{
    (void)state;
    int yes;
    assert_false(tr_panicking());
    assert_int_equal(tr_catch(panic_over_seer, NULL, NULL), TR_OK);
    assert_false(seen_panicking);
    assert_int_equal(tr_catch(panic_over_seer, &yes, NULL), TR_PANICKED);
    assert_true(seen_panicking);
    assert_false(tr_panicking());
}

/* -- nesting -------------------------------------------------------------- */

static void catch_and_go_on(void *arg)
{
    NOTED c = 'o';
    assert_int_equal(tr_catch(descend_ten, arg, NULL), TR_PANICKED);
    note('|');
}

static void catch_and_panic_again(void *arg)
{
    NOTED c = 'o';
    tr_panic_info info;
    if (tr_catch(descend_ten, arg, &info) == TR_PANICKED)
        tr_panic("again: %s", info.message);
}

static void test_panic_lands_at_the_innermost_boundary(void **state)
{
    (void)state;
    assert_int_equal(tr_catch(catch_and_go_on, NULL, NULL), TR_OK);
    assert_string_equal(log_, "abcdefghijk|o");
}

static void test_panic_may_be_raised_again_to_the_outer_boundary(void **state)
{
    (void)state;
    tr_panic_info info;
    assert_int_equal(tr_catch(catch_and_panic_again, NULL, &info), TR_PANICKED);
    assert_string_equal(info.message, "again: at the bottom");
    assert_string_equal(log_, "abcdefghijko");
    assert_false(tr_panicking());
}

static void catch_in_cleanup(const char *c)
{
    note(*c);
    tr_panic_info info = { .message = "" };
    if (tr_catch(descend_ten, NULL, &info) == TR_PANICKED)
        note(tr_panicking() ? '+' : '-'); /* the outer one is still on its way */
}

static void panic_over_catcher(void *arg)
{
    (void)arg;
    __attribute__((cleanup(catch_in_cleanup), unused)) char c = 'C';
    tr_panic("the outer one");
}

static void test_panic_caught_inside_a_cleanup_lets_the_first_go_on(void **state)
{
    (void)state;
    tr_panic_info info;
    assert_int_equal(tr_catch(panic_over_catcher, NULL, &info), TR_PANICKED);
    assert_string_equal(info.message, "the outer one");
    assert_string_equal(log_, "Cabcdefghijk+");
    assert_false(tr_panicking());
}

/* -- a boundary that stays ------------------------------------------------ */

struct loop {
    unsigned landed, finished, turn;
    tr_panic_info last;
};

/* As the scheduler's loop; its frame has a cleanup and memory of its own size. */
static TR_NOINLINE void run_loop(struct loop *loop, unsigned turns, size_t size)
{
    NOTED c = 'L';
    char *memory = alloca(size);
    memset(memory, 1, size);
    tri_boundary boundary;
    if (tri_boundary_arm(&boundary) != 0) {
        loop->landed++;
        loop->last = boundary.info;
    }
    while (loop->turn < turns) {
        const unsigned turn = loop->turn++;
        if (turn % 3 == 0)
            tr_panic("turn %u", turn);
        if (turn % 3 == 1)
            (void)descend(turn % 5);
        loop->finished++;
    }
    tri_boundary_disarm(&boundary);
}

static void test_panic_boundary_stays_armed_and_its_frame_is_not_unwound(void **state)
{
    (void)state;
    for (size_t size = 16; size < 5000; size *= 3) {
        struct loop loop = { .turn = 0 };
        log_length = 0;
        run_loop(&loop, 31, size);
        assert_int_equal(loop.landed, 21);
        assert_int_equal(loop.finished, 10);
        assert_string_equal(loop.last.message, "turn 30");
        assert_int_equal(log_[log_length - 1], 'L');
        assert_ptr_equal(strchr(log_, 'L'), log_ + log_length - 1); /* once, at the end */
        assert_false(tr_panicking());
    }
}

/* -- assertions ----------------------------------------------------------- */

static unsigned evaluated;

static bool evaluate(bool result)
{
    evaluated++;
    return result;
}

static void assert_false_condition(void *arg)
{
    (void)arg;
    TR_ASSERT(evaluate(true));
    TR_ASSERT(1 + 1 == 3);
}

static void check_false_condition(void *arg)
{
    (void)arg;
    TR_DCHECK(evaluate(false));
}

static void must_fail(void *arg)
{
    TR_MUST(TR_OK);
    TR_MUST(*(tr_status *)arg);
}

static void test_panic_of_assertions_names_the_condition(void **state)
{
    (void)state;
    tr_panic_info info;
    evaluated = 0;
    assert_int_equal(tr_catch(assert_false_condition, NULL, &info), TR_PANICKED);
    assert_string_equal(info.message, "assertion failed: 1 + 1 == 3");
    assert_int_equal(evaluated, 1);

    tr_status full = TR_FULL;
    assert_int_equal(tr_catch(must_fail, &full, &info), TR_PANICKED);
    assert_non_null(strstr(info.message, "TR_FULL"));

    evaluated = 0;
#ifdef TR_CHECKED
    assert_int_equal(tr_catch(check_false_condition, NULL, &info), TR_PANICKED);
    assert_int_equal(evaluated, 1);
#else
    assert_int_equal(tr_catch(check_false_condition, NULL, &info), TR_OK);
    assert_int_equal(evaluated, 0);
#endif
}

/* -- threads -------------------------------------------------------------- */

static TR_ATOMIC(uint64_t) cleanups;
static TR_ATOMIC(uint64_t) landings;

static void count_cleanup(const int *unused)
{
    (void)unused;
    tr_fetch_add_relaxed(&cleanups, 1); /* relaxed: read after the join */
}

static TR_NOINLINE int descend_counted(int levels)
{
    __attribute__((cleanup(count_cleanup))) int level = levels;
    if (levels == 0) {
        if (bottom_panics)
            tr_panic("deep");
        return 0;
    }
    return descend_counted(levels - 1) + level;
}

static void descend_counted_ten(void *arg)
{
    (void)arg;
    (void)descend_counted(10);
}

static void forget(const tr_panic_info *info)
{
    (void)info;
}

static void panic_often(unsigned index, void *arg)
{
    (void)index;
    const size_t rounds = *(size_t *)arg;
    for (size_t i = 0; i < rounds; i++)
        if (tr_catch(descend_counted_ten, NULL, NULL) == TR_PANICKED && !tr_panicking())
            tr_fetch_add_relaxed(&landings, 1); /* relaxed: read after the join */
}

static void test_panic_on_many_threads_runs_each_cleanup_once(void **state)
{
    (void)state;
    size_t rounds = test_scale(1000);
    tr_set_panic_hook(forget);
    tr_store_relaxed(&cleanups, 0); /* relaxed: before the threads */
    tr_store_relaxed(&landings, 0); /* relaxed: before the threads */
    test_threads_run(4, panic_often, &rounds);
    assert_int_equal(tr_load_relaxed(&landings), 4 * rounds);
    assert_int_equal(tr_load_relaxed(&cleanups), 4 * rounds * 11);
}

static void exit_thread(void *arg)
{
    (void)arg;
    __attribute__((cleanup(count_cleanup), unused)) int level = 0;
    pthread_exit(NULL);
}

/* Runs after the stack with the boundary is gone. */
static void panic_at_thread_end(void *arg)
{
    if (tr_catch(descend_counted_ten, arg, NULL) == TR_PANICKED)
        tr_fetch_add_relaxed(&landings, 1); /* relaxed: read after the join */
}

static void *exit_inside_catch(void *arg)
{
    const pthread_key_t *key = arg;
    (void)pthread_setspecific(*key, arg);
    (void)!tr_catch(exit_thread, NULL, NULL);
    return NULL;
}

static void test_panic_boundary_is_disarmed_when_its_thread_exits_inside(void **state)
{
    (void)state;
    pthread_key_t key;
    pthread_t thread;
    tr_set_panic_hook(forget);
    tr_store_relaxed(&cleanups, 0); /* relaxed: before the thread */
    tr_store_relaxed(&landings, 0); /* relaxed: before the thread */
    assert_int_equal(pthread_key_create(&key, panic_at_thread_end), 0);
    assert_int_equal(pthread_create(&thread, NULL, exit_inside_catch, &key), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_key_delete(key), 0);
    assert_int_equal(tr_load_relaxed(&cleanups), 1 + 11);
    assert_int_equal(tr_load_relaxed(&landings), 1);
}

/* -- memory --------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif

#if !defined(OWN_MALLOC) && defined(__GLIBC__)
/* Stand in front of libc's, for the whole program. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
static _Thread_local unsigned mallocs;

void *malloc(size_t size)
{
    mallocs++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    mallocs++;
    return __libc_calloc(n, size);
}

static void test_panic_allocates_nothing(void **state)
{
    (void)state;
    void *volatile block = malloc(1); /* the counter counts */
    free(block);
    assert_true(mallocs > 0);
    mallocs = 0;
    const tr_status status = tr_catch(descend_ten, NULL, NULL);
    const unsigned counted = mallocs;
    assert_int_equal(status, TR_PANICKED);
    assert_int_equal(counted, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if !defined(OWN_MALLOC) && defined(__GLIBC__)
        CASE(test_panic_allocates_nothing), /* first: nothing is warm yet */
#endif
        CASE(test_panic_none_leaves_info_untouched),
        CASE(test_panic_info_says_what_and_where),
        CASE(test_panic_message_is_cut_at_its_size),
        CASE(test_panic_runs_the_cleanups_of_every_frame_innermost_first),
        CASE(test_panic_passes_through_libc_frames),
        CASE(test_panic_runs_only_the_cleanups_that_are_due),
        CASE(test_panic_is_panicking_only_while_it_unwinds),
        CASE(test_panic_lands_at_the_innermost_boundary),
        CASE(test_panic_may_be_raised_again_to_the_outer_boundary),
        CASE(test_panic_caught_inside_a_cleanup_lets_the_first_go_on),
        CASE(test_panic_boundary_stays_armed_and_its_frame_is_not_unwound),
        CASE(test_panic_of_assertions_names_the_condition),
        CASE(test_panic_on_many_threads_runs_each_cleanup_once),
        CASE(test_panic_boundary_is_disarmed_when_its_thread_exits_inside),
    };
    return TEST_RUN(tests);
}
