/*
 * test_nomem - without memory every call says so, and nothing is lost or leaked
 *
 *   troupe --> failing allocator --> the counting one of the fixture
 *
 * The failing allocator is there before the system starts and after it stopped.
 * For each n the nth allocation from now on fails, and all after it.
 */
#include "tests/runtime/probe.h"

#include <string.h>

/* -- allocations fail from the nth on; frees always work; any thread ------------------- */

static struct failing {
    tr_allocator base;
    tr_allocator *inner;
    TR_ATOMIC(int64_t) left; /* allocations that succeed yet */
} failing;

#define UNLIMITED INT64_MAX

static bool may_allocate(void)
{
    return tr_load_relaxed(&failing.left) == UNLIMITED || tr_fetch_sub_relaxed(&failing.left, 1) > 0;
}
static void *failing_alloc(tr_allocator *self, tr_layout layout)
{
    (void)self;
    return may_allocate() ? tr_alloc_from(failing.inner, layout) : NULL;
}
static void *failing_alloc_zeroed(tr_allocator *self, tr_layout layout)
{
    (void)self;
    return may_allocate() ? tr_alloc_zeroed_from(failing.inner, layout) : NULL;
}
static void *failing_realloc(tr_allocator *self, void *block, tr_layout layout, size_t size)
{
    (void)self;
    return may_allocate() ? tr_realloc_from(failing.inner, block, layout, size) : NULL;
}
static void failing_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    (void)self;
    tr_dealloc_from(failing.inner, block, layout);
}

static void fail_from(int64_t n)
{
    tr_store_relaxed(&failing.left, n);
}

static void install(void)
{
    failing.base = (tr_allocator){ .name = "failing", .alloc = failing_alloc,
                                   .alloc_zeroed = failing_alloc_zeroed, .realloc = failing_realloc,
                                   .dealloc = failing_dealloc };
    failing.inner = tr_global_allocator();
    fail_from(UNLIMITED);
    tr_set_global_allocator(&failing.base);
}

static void uninstall(void)
{
    tr_set_global_allocator(failing.inner);
}

/* -- start ---------------------------------------------------------------------------------- */

#define MANY 10000 /* no call makes that many allocations */

static void test_nomem_start_says_so_for_every_allocation(void **state)
{
    (void)state;
    install();
    const tr_config configs[] = { { .workers = 1, .no_stats_socket = true },
                                  { .workers = 4, .no_stats_socket = true } };
    for (unsigned c = 0; c < 2; c++) {
        int64_t n = 0;
        for (; n < MANY; n++) {
            const int64_t blocks = test_live_blocks();
            const unsigned descriptors = test_open_descriptors();
            tr_system *system = (tr_system *)state;
            fail_from(n);
            const tr_status status = tr_system_try_start(&configs[c], &system);
            fail_from(UNLIMITED);
            if (status == TR_OK) {
                assert_int_equal(count_of(system, spawn_probe(system, NULL)), 0);
                stop_system(system);
                break;
            }
            assert_int_equal(status, TR_NOMEM);
            assert_ptr_equal(system, state);
            assert_int_equal(test_live_blocks(), blocks);
            assert_int_equal(test_open_descriptors(), descriptors);
        }
        assert_true(n > 0 && n < MANY);
    }
    uninstall();
}

/* -- the calls of a running system --------------------------------------------------------- */

static void test_nomem_spawn_keeps_the_state(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(2);
    for (unsigned round = 0; round < 200; round++) { /* blocks of slots come rarely */
        struct probe_log log = { 0 };
        for (int64_t n = 0;; n++) {
            assert_true(n < MANY);
            struct probe probe = { .log = &log, .handled = 7 };
            probe_ref ref = { { 77 } };
            fail_from(n);
            const tr_status status = probe_try_spawn(system, &probe, NULL, &ref);
            fail_from(UNLIMITED);
            if (status == TR_OK) {
                assert_int_equal(count_of(system, ref), 7);
                if (round % 2 == 0)
                    assert_int_equal(probe_quit(system, ref, (struct nothing){}), TR_OK);
                else
                    assert_int_equal(probe_stop(system, ref), TR_OK);
                break;
            }
            assert_int_equal(status, TR_NOMEM);
            assert_int_equal(ref.pid.bits, 77);
            assert_ptr_equal(probe.log, &log);
            assert_int_equal(tr_load_relaxed(&log.starts), 0);
        }
        wait_idle(system);
        assert_int_equal(tr_load_relaxed(&log.starts), 1);
        assert_int_equal(tr_load_relaxed(&log.drops), 1);
    }
    stop_system(system);
    uninstall();
}

/* A state of this size has a block of its own. */
static const tr_handler no_handlers[9];
static const tr_behaviour large = { .name = "large", .protocol = &probe_protocol, .state_size = 5000,
                                    .state_align = 64, .handlers = no_handlers };

static void test_nomem_large_state_is_kept(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(1);
    static _Alignas(64) unsigned char bytes[5000];
    memset(bytes, 9, sizeof(bytes));
    tr_pid pid = TR_PID_NONE;
    int64_t n = 0;
    for (;; n++) {
        assert_true(n < MANY);
        fail_from(n);
        const tr_status status = tr_spawn(system, &large, bytes, NULL, &pid);
        fail_from(UNLIMITED);
        if (status == TR_OK)
            break;
        assert_int_equal(status, TR_NOMEM);
        assert_true(tr_pid_is_none(pid));
    }
    assert_true(n > 0);
    wait_idle(system);
    stop_system(system);
    uninstall();
}

static void test_nomem_send_keeps_or_drops_the_payload_once(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    tally kept = { 0 }, consumed = { 0 };
    wait_idle(system);
    for (unsigned i = 0; i < 100; i++) {
        struct note note = { .tally = &kept, .number = i };
        fail_from(0);
        const tr_status tried = probe_try_note(system, ref, &note);
        const tr_status told = probe_note(system, ref, (struct note){ .tally = &consumed });
        fail_from(UNLIMITED);
        assert_int_equal(tried, TR_NOMEM);
        assert_ptr_equal(note.tally, &kept);
        assert_int_equal(note.number, i);
        assert_int_equal(told, TR_NOMEM);
    }
    assert_int_equal(tally_dropped(&kept), 0);
    assert_int_equal(tally_dropped(&consumed), 100);
    wait_idle(system);
    assert_int_equal(count_of(system, ref), 0); /* and the room is still there: */
    stop_system(system);
    uninstall();
}

/* A send that failed takes no room away. */
static void test_nomem_send_gives_its_room_back(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(1);
    const probe_ref ref = spawn_bounded(system, 2, 64);
    gate held;
    gate_init(&held);
    assert_int_equal(probe_hold(system, ref, (struct hold){ &held }), TR_OK);
    gate_await(&held);
    fail_from(0);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_NOMEM);
    fail_from(UNLIMITED);
    assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_OK);
    assert_int_equal(probe_note(system, ref, (struct note){ 0 }), TR_FULL);
    gate_open(&held);
    wait_idle(system);
    assert_int_equal(count_of(system, ref), 2);
    stop_system(system);
    gate_fini(&held);
    uninstall();
}

static void test_nomem_ask_and_join_say_so(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(2);
    const probe_ref ref = spawn_probe(system, NULL);
    wait_idle(system);
    tally asked = { 0 };
    int64_t n = 0;
    uint64_t asks = 0;
    for (;; n++) {
        assert_true(n < MANY);
        struct note given = { .number = 4 }, answer = { .number = 99 };
        fail_from(n);
        const tr_status status = probe_query_wait(system, ref, (struct query){ answer_with, &given, &asked },
                                                  PATIENCE, &answer);
        fail_from(UNLIMITED);
        asks++;
        wait_idle(system); /* the question is dropped after its handler */
        assert_int_equal(tally_dropped(&asked), asks);
        if (status == TR_OK)
            break;
        assert_int_equal(status, TR_NOMEM);
        assert_int_equal(answer.number, 99);
    }
    assert_true(n > 0);
    for (n = 0;; n++) {
        assert_true(n < MANY);
        fail_from(n);
        const tr_status status = probe_join(system, ref, TR_MICROSECONDS(10), NULL);
        fail_from(UNLIMITED);
        if (status == TR_TIMEOUT)
            break;
        assert_int_equal(status, TR_NOMEM);
    }
    stop_system(system);
    uninstall();
}

/* "Allocates nothing": stopping, and all that an end makes, works without memory. */
static void test_nomem_stop_needs_none(void **state)
{
    (void)state;
    quiet_panics();
    install();
    tr_system *system = start_system(2);
    probe_ref refs[30];
    struct probe_log log = { 0 };
    for (unsigned i = 0; i < 30; i++)
        refs[i] = probe_spawn(system, &(struct probe){ .log = &log, .shared = true });
    for (unsigned i = 20; i < 30; i++)
        assert_int_equal(probe_quit(system, refs[i], (struct nothing){}), TR_OK);
    for (unsigned i = 10; i < 20; i++)
        assert_int_equal(probe_boom(system, refs[i], (struct note){ 0 }), TR_OK);
    fail_from(0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(probe_stop(system, refs[i]), TR_OK);
    wait_idle(system);
    assert_int_equal(tr_load_relaxed(&log.drops), 30);
    stop_system(system);
    fail_from(UNLIMITED);
    uninstall();
}

/* In a handler: what it is told is what a thread is told. */
struct trial {
    probe_ref to;
    tally tally;
    uint64_t sent; /* with what its worker had in reserve */
    tr_status tried, told, spawned;
};

static void try_without_memory(tr_ctx *ctx, void *arg)
{
    struct trial *trial = arg;
    struct note note = { .tally = &trial->tally };
    tr_pid child;
    fail_from(0);
    while ((trial->tried = probe_try_note(ctx, trial->to, &note)) == TR_OK)
        trial->sent++;
    trial->told = probe_note(ctx, trial->to, note);
    trial->spawned = tr_spawn(ctx, &large, NULL, NULL, &child);
    fail_from(UNLIMITED);
}

static void test_nomem_in_a_handler_is_told(void **state)
{
    (void)state;
    install();
    tr_system *system = start_system(2);
    struct trial trial = { .to = spawn_probe(system, NULL) };
    const probe_ref ref = spawn_probe(system, NULL);
    wait_idle(system);
    assert_int_equal(probe_run(system, ref, (struct run){ try_without_memory, &trial }), TR_OK);
    wait_idle(system);
    assert_int_equal(trial.tried, TR_NOMEM);
    assert_int_equal(trial.told, TR_NOMEM);
    assert_int_equal(trial.spawned, TR_NOMEM);
    assert_int_equal(tally_handled(&trial.tally), trial.sent);
    assert_int_equal(tally_dropped(&trial.tally), trial.sent + 1);
    assert_int_equal(count_of(system, ref), 0);
    stop_system(system);
    uninstall();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nomem_start_says_so_for_every_allocation),
        TEST(test_nomem_spawn_keeps_the_state),
        TEST(test_nomem_large_state_is_kept),
        TEST(test_nomem_send_keeps_or_drops_the_payload_once),
        TEST(test_nomem_send_gives_its_room_back),
        TEST(test_nomem_ask_and_join_say_so),
        TEST(test_nomem_stop_needs_none),
        TEST(test_nomem_in_a_handler_is_told),
    };
    return TEST_RUN(tests);
}
