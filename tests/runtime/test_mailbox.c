/*
 * test_mailbox - the bounds of a mailbox by themselves: exact wherever the
 * counts stand, and never passed
 */
#include "tests/support/test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/actor_block.h"

/* A mailbox that has seen `begin` (messages << 32 | bytes) and is empty. */
static tri_actor *make_mailbox(uint64_t begin, uint32_t messages, uint32_t bytes)
{
    tri_actor *actor = aligned_alloc(64, sizeof(*actor));
    assert_non_null(actor);
    memset(actor, 0, sizeof(*actor));
    tr_atomic_init(&actor->pushed, begin);
    tr_atomic_init(&actor->consumed, begin);
    actor->limit = (uint64_t)messages << 32 | bytes;
    tr_atomic_init(&actor->ceiling, begin + actor->limit);
    return actor;
}

/* Counts that are about to run over, in either half or in both. */
static const uint64_t begins[] = {
    0,
    UINT64_C(0x00000000ffffff80),
    UINT64_C(0x00000000ffffffff),
    UINT64_C(0x7fffffffffffff00),
    UINT64_C(0xffffffff00000000),
    UINT64_C(0xfffffffe000000f0),
    UINT64_C(0xffffffffffffff10),
    UINT64_MAX,
};
#define BEGINS (sizeof(begins) / sizeof(begins[0]))

static void assert_takes_exactly(uint64_t begin, uint32_t n, size_t size, uint32_t messages,
                                 uint32_t bytes)
{
    tri_actor *actor = make_mailbox(begin, messages, bytes);
    for (unsigned round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(tri_mailbox_reserve(actor, size), TR_OK);
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_FULL);
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_FULL);
        tri_mailbox_consume(actor, size);
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_OK);
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_FULL);
        tri_mailbox_unreserve(actor, size); /* one of those that were taken */
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_OK);
        assert_int_equal(tri_mailbox_reserve(actor, size), TR_FULL);
        for (uint32_t i = 0; i < n; i++)
            tri_mailbox_consume(actor, size);
    }
    free(actor);
}

static void test_mailbox_limit_of_messages_is_exact_where_counts_run_over(void **state)
{
    (void)state;
    for (size_t b = 0; b < BEGINS; b++) {
        assert_takes_exactly(begins[b], 1, 0, 1, 256);
        assert_takes_exactly(begins[b], 2, 100, 2, 256);
        assert_takes_exactly(begins[b], 3, 8, 3, 256);
        assert_takes_exactly(begins[b], 1000, 16, 1000, 1u << 30);
        assert_takes_exactly(begins[b], 3, 1u << 20, 3, 1u << 30);
    }
}

static void test_mailbox_limit_of_bytes_is_exact_where_counts_run_over(void **state)
{
    (void)state;
    for (size_t b = 0; b < BEGINS; b++) {
        assert_takes_exactly(begins[b], 1, 256, 100, 256);
        assert_takes_exactly(begins[b], 1, 129, 100, 256);
        assert_takes_exactly(begins[b], 4, 64, 100, 256);
        assert_takes_exactly(begins[b], 3, 85, 100, 256);
        assert_takes_exactly(begins[b], 1, 1u << 30, 65536, 1u << 30);
        assert_takes_exactly(begins[b], 1024, 1u << 20, 65536, 1u << 30);
    }
}

static void test_mailbox_message_that_never_fits_is_invalid(void **state)
{
    (void)state;
    for (size_t b = 0; b < BEGINS; b++) {
        tri_actor *actor = make_mailbox(begins[b], 2, 256);
        assert_int_equal(tri_mailbox_reserve(actor, 257), TR_INVALID);
        assert_int_equal(tri_mailbox_reserve(actor, 1u << 31), TR_INVALID);
        assert_int_equal(tri_mailbox_reserve(actor, 256), TR_OK); /* nothing stuck */
        assert_int_equal(tri_mailbox_reserve(actor, 257), TR_INVALID);
        assert_int_equal(tri_mailbox_reserve(actor, 1), TR_FULL);
        assert_int_equal(tri_mailbox_reserve(actor, 0), TR_OK);
        assert_int_equal(tri_mailbox_reserve(actor, 0), TR_FULL);
        free(actor);
    }
}

/* -- senders against the actor --------------------------------------------------------------- */

#define SENDERS 4
#define SIZE 24u

/*
 * held is raised after room was taken and lowered before it is given back, so it
 * is never more than what the mailbox really holds: above the limit it proves
 * that one too many was let in.
 */
struct rush {
    tri_actor *actor;
    uint64_t each, limit;
    TR_ATOMIC(uint64_t) held, given, too_many, senders;
};

static void rush(unsigned index, void *arg)
{
    struct rush *r = arg;
    if (index < SENDERS) {
        for (uint64_t sent = 0; sent < r->each;) {
            if (tri_mailbox_reserve(r->actor, SIZE) != TR_OK) {
                (void)sched_yield();
                continue;
            }
            sent++;
            if (tr_fetch_add_seq_cst(&r->held, 1) >= r->limit)
                tr_fetch_add_relaxed(&r->too_many, 1);
            tr_fetch_add_release(&r->given, 1); /* the message */
        }
        return;
    }
    for (uint64_t taken = 0; taken < SENDERS * r->each;) {
        if (tr_load_acquire(&r->given) == taken) {
            (void)sched_yield();
            continue;
        }
        taken++;
        tr_fetch_sub_seq_cst(&r->held, 1);
        tri_mailbox_consume(r->actor, SIZE);
    }
}

static void assert_never_passed(uint64_t begin, uint32_t messages, uint32_t bytes, uint32_t limit)
{
    struct rush r = { .actor = make_mailbox(begin, messages, bytes), .limit = limit,
                      .each = test_scale(20000) };
    test_threads_run(SENDERS + 1, rush, &r);
    assert_int_equal(tr_load_relaxed(&r.too_many), 0);
    assert_int_equal(tr_load_relaxed(&r.held), 0);
    for (uint32_t i = 0; i < limit; i++)
        assert_int_equal(tri_mailbox_reserve(r.actor, SIZE), TR_OK);
    assert_int_equal(tri_mailbox_reserve(r.actor, SIZE), TR_FULL);
    free(r.actor);
}

static void test_mailbox_stress_limit_is_never_passed(void **state)
{
    (void)state;
    assert_never_passed(begins[1], 1, 1024, 1);
    assert_never_passed(begins[5], 3, 1024, 3);
    assert_never_passed(begins[6], 100, 10 * SIZE, 10);
    assert_never_passed(begins[7], 1000, 1u << 20, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mailbox_limit_of_messages_is_exact_where_counts_run_over),
        TEST(test_mailbox_limit_of_bytes_is_exact_where_counts_run_over),
        TEST(test_mailbox_message_that_never_fits_is_invalid),
        TEST(test_mailbox_stress_limit_is_never_passed),
    };
    return TEST_RUN(tests);
}
