/*
 * stress_savina - whole programs with exact results: counting, ping-pong, a
 * ring of threads, fib, the sieve, N queens
 */
#include "tests/runtime/probe.h"

#include <sched.h>
#include <stdlib.h>

static const unsigned worker_counts[] = { 1, 2, 8 };
#define EACH_WORKER_COUNT(w) for (unsigned w##_ = 0, w; w##_ < 3 && (w = worker_counts[w##_], true); w##_++)

/* -- SAV-01: counting ----------------------------------------------------------------- */

struct tally_total {
    uint64_t n;
};
struct producer {
    probe_ref to;
    uint64_t left;
};
#define PRODUCER(P, TELL, ASK) TELL(P, more, struct nothing)
TR_PROTOCOL(producer, PRODUCER)

static void producer_on_more(tr_ctx *ctx, struct producer *self, struct nothing *m)
{
    (void)m;
    for (unsigned i = 0; i < 256 && self->left > 0; i++) {
        struct note note = { .number = 1 };
        if (probe_try_note(ctx, self->to, &note) != TR_OK)
            break;
        self->left--;
    }
    if (self->left > 0)
        (void)producer_more(ctx, producer_self(ctx), (struct nothing){});
}
TR_ACTOR(producer, PRODUCER)

static void test_savina_sav_01_counting(void **state)
{
    (void)state;
    const uint64_t n = test_scale(1000000) / 2;
    EACH_WORKER_COUNT(workers) {
        tr_system *system = start_system(workers);
        struct producer producer = { .to = spawn_probe(system, NULL), .left = n };
        const producer_ref ref = producer_spawn(system, &producer);
        assert_int_equal(producer_more(system, ref, (struct nothing){}), TR_OK);
        wait_idle(system);
        assert_int_equal(count_of(system, producer.to), n);
        stop_system(system);
    }
}

/* -- SAV-02: ping-pong, thread ring ------------------------------------------------------ */

struct ball {
    uint64_t left;
};
struct member {
    struct member_ref *next; /* where to pass it on; the ring's own table */
    uint64_t passes;
};
#define MEMBER(P, TELL, ASK)                                                                       \
    TELL(P, ball, struct ball)                                                                     \
    ASK(P, passes, struct nothing, struct tally_total)
TR_PROTOCOL(member, MEMBER)

static void member_on_ball(tr_ctx *ctx, struct member *self, struct ball *m)
{
    self->passes++;
    if (m->left > 1)
        (void)member_ball(ctx, *self->next, (struct ball){ m->left - 1 });
}
static void member_on_passes(tr_ctx *ctx, struct member *self, struct nothing *m, member_passes_reply reply)
{
    (void)ctx, (void)m;
    member_passes_answer(reply, (struct tally_total){ self->passes });
}
TR_ACTOR(member, MEMBER)

static void assert_ring(unsigned workers, unsigned members, unsigned balls, uint64_t hops)
{
    tr_system *system = start_system(workers);
    member_ref *ring = calloc(members, sizeof(*ring));
    assert_non_null(ring);
    for (unsigned i = 0; i < members; i++)
        ring[i] = member_spawn(system, &(struct member){ .next = &ring[(i + 1) % members] });
    for (unsigned i = 0; i < balls; i++)
        assert_int_equal(member_ball(system, ring[i % members], (struct ball){ hops }), TR_OK);
    wait_idle(system);
    uint64_t sum = 0;
    for (unsigned i = 0; i < members; i++) {
        struct tally_total passes;
        assert_int_equal(member_passes_wait(system, ring[i], (struct nothing){}, PATIENCE, &passes), TR_OK);
        if (hops % members == 0)
            assert_int_equal(passes.n, balls * hops / members);
        sum += passes.n;
    }
    assert_int_equal(sum, balls * hops);
    free(ring);
    stop_system(system);
}

static void test_savina_sav_02_ping_pong(void **state)
{
    (void)state;
    EACH_WORKER_COUNT(workers) {
        assert_ring(workers, 2, 1, 2 * test_scale(40000));
        assert_ring(workers, 2, 16, 2 * test_scale(2000));
    }
}

static void test_savina_sav_02_thread_ring(void **state)
{
    (void)state;
    EACH_WORKER_COUNT(workers) {
        assert_ring(workers, 100, 1, 100 * test_scale(1000));
        assert_ring(workers, 100, 30, 100 * test_scale(50));
    }
    assert_ring(64, 100, 30, 100 * test_scale(10));
}

/* -- SAV-05: fib, an actor per call -------------------------------------------------------- */

struct fib;
struct fib_result {
    uint64_t n;
};
struct fib_ask {
    unsigned n;
};
#define FIB(P, TELL, ASK)                                                                          \
    TELL(P, compute, struct fib_ask)                                                               \
    TELL(P, result, struct fib_result)
TR_PROTOCOL(fib, FIB)
struct fib {
    fib_ref parent; /* none: the root, which writes to *root */
    uint64_t sum;
    unsigned waiting;
    uint64_t *root;
};

static void finish_fib(tr_ctx *ctx, struct fib *self)
{
    if (self->root != NULL)
        *self->root = self->sum;
    else
        (void)fib_result(ctx, self->parent, (struct fib_result){ self->sum });
    tr_stop_self(ctx);
}
static void fib_on_compute(tr_ctx *ctx, struct fib *self, struct fib_ask *m)
{
    if (m->n < 2) {
        self->sum = m->n;
        finish_fib(ctx, self);
        return;
    }
    for (unsigned i = 1; i <= 2; i++) {
        const fib_ref child = fib_spawn(ctx, &(struct fib){ .parent = fib_self(ctx) });
        (void)fib_compute(ctx, child, (struct fib_ask){ m->n - i });
        self->waiting++;
    }
}
static void fib_on_result(tr_ctx *ctx, struct fib *self, struct fib_result *m)
{
    self->sum += m->n;
    if (--self->waiting == 0)
        finish_fib(ctx, self);
}
TR_ACTOR(fib, FIB)

static void test_savina_sav_05_fib_by_actor_per_call(void **state)
{
    (void)state;
    static const uint64_t numbers[] = { 0,   1,   1,   2,   3,    5,    8,    13,   21,    34,    55,    89,    144,
                                        233, 377, 610, 987, 1597, 2584, 4181, 6765, 10946, 17711, 28657, 46368, 75025 };
    EACH_WORKER_COUNT(workers) {
        const unsigned n = test_scale(100) >= 100 ? 25 : 18;
        uint64_t root = UINT64_MAX;
        tr_system *system = start_system(workers);
        const fib_ref ref = fib_spawn(system, &(struct fib){ .root = &root });
        assert_int_equal(fib_compute(system, ref, (struct fib_ask){ n }), TR_OK);
        wait_idle(system);
        assert_int_equal(root, numbers[n]);
        tr_system_stats stats;
        tr_system_get_stats(system, &stats);
        assert_int_equal(stats.actors, 0);
        assert_int_equal(stats.ended, stats.spawned);
        assert_int_equal(stats.dead_letters, 0);
        stop_system(system);
    }
}

/* -- SAV-05: N queens, an actor per prefix --------------------------------------------------- */

struct board {
    unsigned n, row;
    uint32_t columns, left, right;
};
struct queens;
#define QUEENS(P, TELL, ASK)                                                                       \
    TELL(P, place, struct board)                                                                   \
    TELL(P, found, struct tally_total)
TR_PROTOCOL(queens, QUEENS)
struct queens {
    queens_ref parent;
    uint64_t sum;
    unsigned waiting;
    uint64_t *root;
};

static uint64_t count_boards(struct board b)
{
    if (b.row == b.n)
        return 1;
    uint64_t sum = 0;
    for (uint32_t free_ = ~(b.columns | b.left | b.right) & ((1u << b.n) - 1); free_ != 0; free_ &= free_ - 1) {
        const uint32_t bit = free_ & -free_;
        sum += count_boards((struct board){ b.n, b.row + 1, b.columns | bit, (b.left | bit) << 1,
                                            (b.right | bit) >> 1 });
    }
    return sum;
}

static void finish_queens(tr_ctx *ctx, struct queens *self)
{
    if (self->root != NULL)
        *self->root = self->sum;
    else
        (void)queens_found(ctx, self->parent, (struct tally_total){ self->sum });
    tr_stop_self(ctx);
}
static void queens_on_place(tr_ctx *ctx, struct queens *self, struct board *b)
{
    if (b->row >= 3) {
        self->sum = count_boards(*b);
    } else {
        for (uint32_t free_ = ~(b->columns | b->left | b->right) & ((1u << b->n) - 1); free_ != 0;
             free_ &= free_ - 1) {
            const uint32_t bit = free_ & -free_;
            const queens_ref child = queens_spawn(ctx, &(struct queens){ .parent = queens_self(ctx) });
            (void)queens_place(ctx, child, (struct board){ b->n, b->row + 1, b->columns | bit,
                                                           (b->left | bit) << 1, (b->right | bit) >> 1 });
            self->waiting++;
        }
    }
    if (self->waiting == 0)
        finish_queens(ctx, self);
}
static void queens_on_found(tr_ctx *ctx, struct queens *self, struct tally_total *m)
{
    self->sum += m->n;
    if (--self->waiting == 0)
        finish_queens(ctx, self);
}
TR_ACTOR(queens, QUEENS)

static void test_savina_sav_05_n_queens(void **state)
{
    (void)state;
    static const struct { unsigned n; uint64_t boards; } expected[] = { { 8, 92 }, { 10, 724 }, { 11, 2680 } };
    EACH_WORKER_COUNT(workers) {
        tr_system *system = start_system(workers);
        for (unsigned i = 0; i < 3; i++) {
            uint64_t root = 0;
            const queens_ref ref = queens_spawn(system, &(struct queens){ .root = &root });
            assert_int_equal(queens_place(system, ref, (struct board){ .n = expected[i].n }), TR_OK);
            wait_idle(system);
            assert_int_equal(root, expected[i].boards);
        }
        stop_system(system);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_savina_sav_01_counting),
        TEST(test_savina_sav_02_ping_pong),
        TEST(test_savina_sav_02_thread_ring),
        TEST(test_savina_sav_05_fib_by_actor_per_call),
        TEST(test_savina_sav_05_n_queens),
    };
    return TEST_RUN(tests);
}
