/*
 * test_buffer_pool - a bounded number of buffers, on one and on several threads
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/mem/atomic.h>
#include <troupe/mem/buffer_pool.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

static tr_buffer_pool *make_pool(size_t buffers, size_t kept)
{
    const tr_buffer_pool_options options = {
        .buffer_size = 100,
        .buffers = buffers,
        .kept = kept,
    };
    tr_buffer_pool *pool = NULL;
    assert_int_equal(tr_buffer_pool_create(&options, &pool), TR_OK);
    return pool;
}

static void put(void *buffer)
{
    tr_buffer_put(buffer);
}

static void destroy(void *pool)
{
    tr_buffer_pool_destroy(pool);
}

static void test_buf_04_four_are_distinct_the_fifth_is_refused(void **state)
{
    (void)state;
    tr_buffer_pool *pool = make_pool(4, 4);
    tr_buffer *b[5] = { NULL };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(tr_buffer_get(pool, &b[i]), TR_OK);
        assert_int_equal(b[i]->cap, 100);
        assert_int_equal((uintptr_t)b[i]->data % TR_CACHE_LINE, 0);
        memset(b[i]->data, (int)i, b[i]->cap);
        b[i]->len = 10 + i;
    }
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 100; j++)
            assert_int_equal(b[i]->data[j], i);
    assert_int_equal(tr_buffer_get(pool, &b[4]), TR_NOMEM);
    assert_null(b[4]);
    assert_int_equal(tr_buffer_pool_out(pool), 4);

    const uint8_t *data = b[2]->data;
    tr_buffer_put(b[2]);
    assert_int_equal(tr_buffer_get(pool, &b[4]), TR_OK);
    assert_ptr_equal(b[4], b[2]);
    assert_ptr_equal(b[4]->data, data);
    assert_int_equal(b[4]->len, 0);

    tr_buffer_put(b[0]);
    assert_panics(put, b[0], "back already");
    assert_int_equal(tr_buffer_pool_out(pool), 3);
    assert_panics(destroy, pool, "3 of its 4 buffers are out");
    for (size_t i = 1; i < 4; i++)
        tr_buffer_put(b[i]);
    tr_buffer_put(NULL);
    tr_buffer_pool_destroy(pool);
    tr_buffer_pool_destroy(NULL);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_buffer_pool_keeps_so_many_idle_ones_and_frees_the_rest(void **state)
{
    (void)state;
    tr_buffer_pool *pool = make_pool(5, 2);
    assert_int_equal(test_live_blocks(), 1); /* no buffer yet */
    tr_buffer *b[5];
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tr_buffer_get(pool, &b[i]), TR_OK);
    assert_int_equal(test_live_blocks(), 6);
    for (size_t i = 0; i < 5; i++)
        tr_buffer_put(b[i]);
    assert_int_equal(test_live_blocks(), 3);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(tr_buffer_get(pool, &b[i]), TR_OK);
    assert_int_equal(test_live_blocks(), 6);
    for (size_t i = 0; i < 5; i++)
        tr_buffer_put(b[i]);
    tr_buffer_pool_destroy(pool);

    pool = make_pool(1, 0); /* none is kept */
    assert_int_equal(tr_buffer_get(pool, &b[0]), TR_OK);
    tr_buffer_put(b[0]);
    assert_int_equal(test_live_blocks(), 1);
    tr_buffer_pool_destroy(pool);
}

static void test_buffer_pool_impossible_options_are_refused(void **state)
{
    (void)state;
    static const tr_buffer_pool_options bad[] = {
        { .buffer_size = 0, .buffers = 1 },
        { .buffer_size = 1, .buffers = 0 },
        { .buffer_size = 1, .buffers = UINT32_MAX },
        { .buffer_size = 1, .buffers = 1, .align = 3 },
        { .buffer_size = SIZE_MAX, .buffers = 1 },
    };
    tr_buffer_pool *pool = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(tr_buffer_pool_create(&bad[i], &pool), TR_INVALID);
    assert_null(pool);
    const tr_buffer_pool_options pages = { .buffer_size = 4096, .buffers = 1, .align = 4096 };
    assert_int_equal(tr_buffer_pool_create(&pages, &pool), TR_OK);
    tr_buffer *b = NULL;
    assert_int_equal(tr_buffer_get(pool, &b), TR_OK);
    assert_int_equal((uintptr_t)b->data % 4096, 0);
    tr_buffer_put(b);
    tr_buffer_pool_destroy(pool);
}

static void test_buffer_pool_without_memory_changes_nothing(void **state)
{
    (void)state;
    const tr_buffer_pool_options options = { .buffer_size = 100, .buffers = 2, .kept = 2 };
    tr_buffer_pool *pool = NULL;
    failing_allocator failing;
    failing_install(&failing, 0);
    tr_status status = tr_buffer_pool_create(&options, &pool);
    failing_remove(&failing);
    assert_int_equal(status, TR_NOMEM);
    assert_null(pool);

    pool = make_pool(2, 2);
    tr_buffer *a = NULL, *b = NULL;
    failing_install(&failing, 1);
    const tr_status first = tr_buffer_get(pool, &a);
    status = tr_buffer_get(pool, &b);
    failing_remove(&failing);
    assert_int_equal(first, TR_OK);
    assert_int_equal(status, TR_NOMEM);
    assert_null(b);
    assert_int_equal(tr_buffer_get(pool, &b), TR_OK); /* the slot was not lost */
    tr_buffer_put(a);
    tr_buffer_put(b);
    tr_buffer_pool_destroy(pool);
}

static void get_and_panic(void *pool)
{
    TR_AUTO_BUFFER b = NULL;
    TR_MUST(tr_buffer_get(pool, &b));
    tr_panic("with %zu bytes", b->cap);
}

static void test_buffer_pool_auto_buffer_comes_back_from_a_panic(void **state)
{
    (void)state;
    tr_buffer_pool *pool = make_pool(1, 1);
    assert_panics(get_and_panic, pool, "with 100 bytes");
    assert_int_equal(tr_buffer_pool_out(pool), 0);
    tr_buffer_pool_destroy(pool);
}

/* -- threads ------------------------------------------------------------------- */

#define THREADS 4

struct shared {
    tr_buffer_pool *pool;
    size_t rounds;
    TR_ATOMIC(size_t) got;
    TR_ATOMIC(size_t) refused;
    TR_ATOMIC(size_t) torn;
};

/* Fill what was got with a mark of one's own; nobody else may write there. */
static void get_fill_put(unsigned index, void *arg)
{
    struct shared *shared = arg;
    for (size_t round = 0; round < shared->rounds; round++) {
        tr_buffer *held[2] = { NULL };
        for (size_t i = 0; i < 2; i++) {
            if (tr_buffer_get(shared->pool, &held[i]) != TR_OK) {
                tr_fetch_add_relaxed(&shared->refused, 1);
                continue;
            }
            tr_fetch_add_relaxed(&shared->got, 1);
            memset(held[i]->data, (int)(index * 2 + i + 1), held[i]->cap);
        }
        for (size_t i = 0; i < 2; i++) {
            for (size_t j = 0; held[i] != NULL && j < held[i]->cap; j++)
                if (held[i]->data[j] != index * 2 + i + 1)
                    tr_fetch_add_relaxed(&shared->torn, 1);
            tr_buffer_put(held[i]);
        }
    }
}

static void test_buffer_pool_threads_never_hold_the_same_buffer(void **state)
{
    (void)state;
    for (size_t kept = 0; kept <= 5; kept += 5) {
        struct shared shared = { .pool = make_pool(5, kept), .rounds = test_scale(3000) };
        test_threads_run(THREADS, get_fill_put, &shared);
        assert_int_equal(tr_load_relaxed(&shared.torn), 0);
        assert_int_equal(tr_load_relaxed(&shared.got) + tr_load_relaxed(&shared.refused),
                         2 * THREADS * shared.rounds);
        assert_true(tr_load_relaxed(&shared.got) > 0);
        assert_int_equal(tr_buffer_pool_out(shared.pool), 0);
        tr_buffer *all[5];
        for (size_t i = 0; i < 5; i++) /* none was lost */
            assert_int_equal(tr_buffer_get(shared.pool, &all[i]), TR_OK);
        for (size_t i = 0; i < 5; i++)
            tr_buffer_put(all[i]);
        tr_buffer_pool_destroy(shared.pool);
    }
}

/* Buffers go from one thread to the other through one slot each way. */
struct relay {
    tr_buffer_pool *pool;
    size_t rounds;
    TR_ATOMIC(tr_buffer *) slot;
    TR_ATOMIC(size_t) wrong;
};

static void give_or_take(unsigned index, void *arg)
{
    struct relay *relay = arg;
    for (size_t round = 0; round < relay->rounds;) {
        tr_buffer *b = NULL;
        if (index == 0) {
            if (tr_load_relaxed(&relay->slot) != NULL || tr_buffer_get(relay->pool, &b) != TR_OK) {
                sched_yield();
                continue;
            }
            memcpy(b->data, &round, sizeof round);
            b->len = sizeof round;
            tr_store_release(&relay->slot, b);
        } else {
            b = tr_swap_acquire(&relay->slot, NULL);
            if (b == NULL) {
                sched_yield();
                continue;
            }
            if (b->len != sizeof round || memcmp(b->data, &round, sizeof round) != 0)
                tr_fetch_add_relaxed(&relay->wrong, 1);
            tr_buffer_put(b);
        }
        round++;
    }
}

static void test_buffer_pool_put_by_another_thread_than_got(void **state)
{
    (void)state;
    struct relay relay = { .pool = make_pool(2, 1), .rounds = test_scale(2000) };
    test_threads_run(2, give_or_take, &relay);
    assert_int_equal(tr_load_relaxed(&relay.wrong), 0);
    assert_int_equal(tr_buffer_pool_out(relay.pool), 0);
    tr_buffer_pool_destroy(relay.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_buf_04_four_are_distinct_the_fifth_is_refused),
        TEST(test_buffer_pool_keeps_so_many_idle_ones_and_frees_the_rest),
        TEST(test_buffer_pool_impossible_options_are_refused),
        TEST(test_buffer_pool_without_memory_changes_nothing),
        TEST(test_buffer_pool_auto_buffer_comes_back_from_a_panic),
        TEST(test_buffer_pool_threads_never_hold_the_same_buffer),
        TEST(test_buffer_pool_put_by_another_thread_than_got),
    };
    return TEST_RUN(tests);
}
