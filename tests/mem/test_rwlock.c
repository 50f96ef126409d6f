/*
 * test_rwlock - readers together, writers alone, downgrade, and who is left waiting
 */
#include "tests/support/test.h"

#include <sched.h>
#include <string.h>

#include <troupe/mem/arc.h>
#include <troupe/mem/rwlock.h>

#include "tests/mem/canary.h"
#include "tests/mem/death.h"
#include "tests/mem/panics.h"

typedef struct range {
    int from;
    int to;
} range;
TR_TYPE(range)
TR_RWLOCK(range)
TR_RWLOCK(int)
TR_RWLOCK(canary)

typedef struct loner {
    int one;
} loner;
TR_TYPE(loner, .flags = TR_NOT_SHARE)
TR_RWLOCK(loner, TR_NOT_SHARE)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

typedef TR_ATOMIC(unsigned) counter;

static void bump(counter *c)
{
    tr_fetch_add_relaxed(c, 1); /* relaxed: read after a join */
}

static unsigned value_of(counter *c)
{
    return tr_load_relaxed(c); /* relaxed: read after a join */
}

/* -- RWL-01 ----------------------------------------------------------------------- */

static range_rwlock table = TR_RWLOCK_INIT(range, .from = 1, .to = 9);

/* On another thread: the same one must not lock twice, not even to read. */
struct looker {
    range_rwlock *lock;
    tr_status read, write, read_late, write_late;
};

static void look(unsigned index, void *arg)
{
    (void)index;
    struct looker *l = arg;
    TR_GUARD(range_read_guard) r = { 0 };
    TR_GUARD(range_write_guard) w = { 0 };
    l->read = tr_rwlock_try_read(l->lock, &r, NULL);
    tr_guard_drop(&r);
    l->write = tr_rwlock_try_write(l->lock, &w, NULL);
    tr_guard_drop(&w);
    l->read_late = tr_rwlock_read_until(l->lock, tr_now() + 1000, &r, NULL);
    tr_guard_drop(&r);
    l->write_late = tr_rwlock_write_until(l->lock, tr_now() + 1000, &w, NULL);
}

static struct looker look_from_another_thread(range_rwlock *lock)
{
    struct looker l = { .lock = lock };
    test_threads_run(1, look, &l);
    return l;
}

static void test_rwl_01_readers_are_together_and_keep_writers_out(void **state)
{
    (void)state;
    TR_GUARD(range_read_guard) r = tr_read(&table);
    const struct looker l = look_from_another_thread(&table);
    assert_int_equal(r.value->to, 9);
    assert_int_equal(l.read, TR_OK);
    assert_int_equal(l.write, TR_WOULD_BLOCK);
    assert_int_equal(l.read_late, TR_OK);
    assert_int_equal(l.write_late, TR_TIMEOUT);
    tr_guard_drop(&r);
    assert_int_equal(look_from_another_thread(&table).write_late, TR_OK);
}

static void test_rwl_01_a_writer_keeps_all_out(void **state)
{
    (void)state;
    TR_GUARD(range_write_guard) w = tr_write(&table);
    const struct looker l = look_from_another_thread(&table);
    assert_int_equal(l.read, TR_WOULD_BLOCK);
    assert_int_equal(l.write, TR_WOULD_BLOCK);
    assert_int_equal(l.read_late, TR_TIMEOUT);
    assert_int_equal(l.write_late, TR_TIMEOUT);
    tr_guard_drop(&w);
    assert_int_equal(look_from_another_thread(&table).read, TR_OK);
}

/* A writer that gave up must not go on holding readers back. */
static void test_rwlock_timed_out_writer_leaves_no_trace(void **state)
{
    (void)state;
    TR_GUARD(range_read_guard) r = tr_read(&table);
    for (int i = 0; i < 3; i++) {
        const struct looker l = look_from_another_thread(&table);
        assert_int_equal(l.write_late, TR_TIMEOUT);
        assert_int_equal(l.read, TR_OK);
    }
}

static void write_once(unsigned index, void *arg)
{
    (void)index;
    TR_GUARD(range_write_guard) w = tr_write((range_rwlock *)arg);
    w.value->to = 77;
}

/* ... nor forget the other writers, who sleep behind the same bit. */
static void test_rwlock_timed_out_writer_does_not_lose_the_others(void **state)
{
    (void)state;
    range_rwlock lock = TR_RWLOCK_INIT(range);
    test_threads writers;
    TR_GUARD(range_read_guard) r = tr_read(&lock);
    test_threads_start(&writers, 2, write_once, &lock);
    TEST_UNTIL((tr_load_relaxed(&lock.lock_.word_) & (1u << 31)) != 0); /* one waits */
    assert_int_equal(look_from_another_thread(&lock).write_late, TR_TIMEOUT);
    tr_guard_drop(&r);
    test_threads_join(&writers);
    TR_GUARD(range_read_guard) after = tr_read(&lock);
    assert_int_equal(after.value->to, 77);
}

/* -- RWL-02, RWL-03 ------------------------------------------------------------------ */

struct mix {
    int_rwlock lock;
    size_t rounds;
    counter negative, reads, writes;
};

static void write_slowly(struct mix *m)
{
    TR_GUARD(int_write_guard) w = tr_write(&m->lock);
    for (size_t i = 0; i < m->rounds; i++) {
        const int value = *w.value;
        *w.value = -1;
        if (i < 10)
            (void)sched_yield();
        *w.value = value + 1;
    }
}

static void read_or_write_slowly(unsigned index, void *arg)
{
    struct mix *m = arg;
    if (index == 0) {
        write_slowly(m);
        return;
    }
    for (size_t i = 0; i < m->rounds; i++) {
        TR_GUARD(int_read_guard) r = tr_read(&m->lock);
        if (*r.value < 0)
            bump(&m->negative);
    }
}

static void test_rwl_02_readers_never_see_a_write_half_done(void **state)
{
    (void)state;
    const size_t rounds[] = { 10, test_scale(2000) };
    for (size_t i = 0; i < 2; i++) {
        struct mix m = { .lock = TR_RWLOCK_INIT(int, 0), .rounds = rounds[i] };
        test_threads_run(i == 0 ? 6 : 12, read_or_write_slowly, &m);
        assert_int_equal(value_of(&m.negative), 0);
        TR_GUARD(int_read_guard) r = tr_read(&m.lock);
        assert_int_equal(*r.value, rounds[i]);
    }
}

/* All ways in, one in ten to write, with deadlines that are often missed. */
static void mix_all(unsigned index, void *arg)
{
    struct mix *m = arg;
    for (size_t i = 0; i < m->rounds; i++) {
        TR_GUARD(int_read_guard) r = { 0 };
        TR_GUARD(int_write_guard) w = { 0 };
        const size_t turn = (i * 7 + index * 3) % 20;
        tr_status s;
        if (turn == 0)
            s = tr_rwlock_write(&m->lock, &w, NULL);
        else if (turn == 1)
            s = tr_rwlock_write_until(&m->lock, tr_now() + i % 5 * 2000, &w, NULL);
        else if (turn == 2)
            s = tr_rwlock_read_until(&m->lock, tr_now() + i % 5 * 2000, &r, NULL);
        else
            s = tr_rwlock_read(&m->lock, &r, NULL);
        if (s == TR_OK && w.value != NULL) {
            const int value = *w.value;
            *w.value = -1;
            (void)sched_yield();
            *w.value = value + 1;
            bump(&m->writes);
        } else if (s == TR_OK) {
            if (i % 8 == 0)
                (void)sched_yield();
            bump(*r.value < 0 ? &m->negative : &m->reads);
        }
    }
}

static void test_rwl_03_a_mix_of_ten_threads_ends(void **state)
{
    (void)state;
    struct mix m = { .lock = TR_RWLOCK_INIT(int, 0), .rounds = test_scale(5000) };
    test_threads_run(10, mix_all, &m);
    assert_int_equal(value_of(&m.negative), 0);
    int out = 0;
    assert_int_equal(tr_into_inner(&m.lock, &out, NULL), TR_OK);
    assert_int_equal(out, value_of(&m.writes));
    print_message("%u reads, %u writes, %zu not in time\n", value_of(&m.reads),
                  value_of(&m.writes), 10 * m.rounds - value_of(&m.reads) - value_of(&m.writes));
}

/* -- RWL-04: poison -------------------------------------------------------------------- */

static void panic_reading(void *arg)
{
    TR_GUARD(int_read_guard) r = tr_read((int_rwlock *)arg);
    tr_panic("reader");
}

static void panic_writing(void *arg)
{
    TR_GUARD(int_write_guard) w = tr_write((int_rwlock *)arg);
    *w.value = -1;
    tr_panic("writer");
}

static void panic_downgraded(void *arg)
{
    TR_GUARD(int_write_guard) w = tr_write((int_rwlock *)arg);
    TR_GUARD(int_read_guard) r = tr_rwlock_downgrade(int_read_guard, &w);
    tr_panic("downgraded");
}

static void read_or_panic(void *arg)
{
    TR_GUARD(int_read_guard) r = tr_read((int_rwlock *)arg);
}

static void write_or_panic(void *arg)
{
    TR_GUARD(int_write_guard) w = tr_write((int_rwlock *)arg);
}

static void test_rwl_04_panic_of_a_reader_does_not_poison(void **state)
{
    (void)state;
    int_rwlock lock = TR_RWLOCK_INIT(int, 1);
    assert_panics(panic_reading, &lock, "reader");
    assert_panics(panic_downgraded, &lock, "downgraded");
    assert_false(tr_is_poisoned(&lock));
    {
        TR_GUARD(int_read_guard) r = tr_read(&lock);
        assert_int_equal(*r.value, 1);
    }
    TR_GUARD(int_write_guard) w = tr_write(&lock);
    assert_int_equal(*w.value, 1);
}

static void test_rwlock_panic_of_a_writer_poisons_for_both(void **state)
{
    (void)state;
    int_rwlock lock = TR_RWLOCK_INIT(int, 1);
    TR_GUARD(int_read_guard) r = { 0 };
    TR_GUARD(int_write_guard) w = { 0 };
    assert_panics(panic_writing, &lock, "writer");
    assert_true(tr_is_poisoned(&lock));
    assert_int_equal(tr_rwlock_read(&lock, &r, NULL), TR_POISONED);
    assert_int_equal(tr_rwlock_write(&lock, &w, NULL), TR_POISONED);
    assert_int_equal(tr_rwlock_try_read(&lock, &r, NULL), TR_POISONED);
    assert_int_equal(tr_rwlock_try_write(&lock, &w, NULL), TR_POISONED);
    assert_int_equal(tr_rwlock_set(&lock, 4), TR_POISONED);
    assert_panics(read_or_panic, &lock, "int is poisoned");
    assert_panics(write_or_panic, &lock, "int is poisoned");
    assert_int_equal(tr_rwlock_read(&lock, &r, &r), TR_POISONED);
    assert_int_equal(*r.value, -1);
    tr_guard_drop(&r);
    tr_clear_poison(&lock);
    assert_int_equal(tr_rwlock_set(&lock, 4), TR_OK);
    assert_int_equal(tr_rwlock_read(&lock, &r, NULL), TR_OK);
    assert_int_equal(*r.value, 4);
}

/* -- RWL-07: downgrade ------------------------------------------------------------------ */

struct downgrades {
    int_rwlock lock;
    size_t rounds;
    counter changed;
};

static void add_and_downgrade(unsigned index, void *arg)
{
    (void)index;
    struct downgrades *d = arg;
    for (size_t i = 0; i < d->rounds; i++) {
        TR_GUARD(int_write_guard) w = tr_write(&d->lock);
        const int written = ++*w.value;
        TR_GUARD(int_read_guard) r = tr_rwlock_downgrade(int_read_guard, &w);
        if (*r.value != written || w.value != NULL)
            bump(&d->changed);
    }
}

static void test_rwl_07_no_writer_gets_between_downgrade_and_reading(void **state)
{
    (void)state;
    struct downgrades d = { .lock = TR_RWLOCK_INIT(int, 0), .rounds = test_scale(100) };
    test_threads_run(20, add_and_downgrade, &d);
    assert_int_equal(value_of(&d.changed), 0);
    TR_GUARD(int_read_guard) r = tr_read(&d.lock);
    assert_int_equal(*r.value, 20 * d.rounds);
}

static void read_once(unsigned index, void *arg)
{
    (void)index;
    struct downgrades *d = arg;
    TR_GUARD(int_read_guard) r = tr_read(&d->lock);
    tr_store_relaxed(&d->changed, (unsigned)*r.value); /* relaxed: read after the join */
}

static void test_rwlock_downgrade_lets_a_waiting_reader_in(void **state)
{
    (void)state;
    struct downgrades d = { .lock = TR_RWLOCK_INIT(int, 0) };
    test_threads reader;
    TR_GUARD(int_write_guard) w = tr_write(&d.lock);
    test_threads_start(&reader, 1, read_once, &d);
    TEST_UNTIL((tr_load_relaxed(&d.lock.lock_.word_) & (1u << 30)) != 0); /* it waits */
    *w.value = 3;
    TR_GUARD(int_read_guard) r = tr_rwlock_downgrade(int_read_guard, &w);
    test_threads_join(&reader);
    assert_int_equal(value_of(&d.changed), 3);
    assert_int_equal(*r.value, 3);
}

/* -- guards and the value ----------------------------------------------------------------- */

static void test_rwlock_mapped_guards_hold_the_lock(void **state)
{
    (void)state;
    range_rwlock lock = TR_RWLOCK_INIT(range, .from = 1, .to = 2);
    TR_GUARD(range_write_guard) w = tr_write(&lock);
    TR_GUARD(int_mapped_write_guard) to = tr_guard_map(int_mapped_write_guard, &w, &w.value->to);
    *to.value = 5;
    assert_int_equal(look_from_another_thread(&lock).read, TR_WOULD_BLOCK);
    tr_guard_drop(&to);
    TR_GUARD(range_read_guard) r = tr_read(&lock);
    TR_GUARD(int_mapped_read_guard) seen = tr_guard_map(int_mapped_read_guard, &r, &r.value->to);
    assert_int_equal(*seen.value, 5);
    assert_int_equal(look_from_another_thread(&lock).read, TR_OK);
    assert_int_equal(look_from_another_thread(&lock).write, TR_WOULD_BLOCK);
}

static const int *fail_to_find(const range *r)
{
    tr_panic("no part behind %d", r->from);
}

static void panic_while_mapping_read(void *arg)
{
    TR_GUARD(range_read_guard) r = tr_read((range_rwlock *)arg);
    TR_GUARD(int_mapped_read_guard) m =
        tr_guard_map(int_mapped_read_guard, &r, fail_to_find(r.value));
}

static void panic_under_mapped_write(void *arg)
{
    TR_GUARD(range_write_guard) w = tr_write((range_rwlock *)arg);
    TR_GUARD(int_mapped_write_guard) m = tr_guard_map(int_mapped_write_guard, &w, &w.value->to);
    tr_panic("mapped");
}

static void test_rwlock_panic_of_a_mapping_unlocks(void **state)
{
    (void)state;
    range_rwlock lock = TR_RWLOCK_INIT(range, .from = 4);
    assert_panics(panic_while_mapping_read, &lock, "no part behind 4");
    assert_false(tr_is_poisoned(&lock));
    assert_panics(panic_under_mapped_write, &lock, "mapped");
    assert_true(tr_is_poisoned(&lock));
    TR_GUARD(range_write_guard) w = { 0 };
    assert_int_equal(tr_rwlock_try_write(&lock, &w, &w), TR_POISONED);
}

static void drop_read_one(void)
{
    range_rwlock *lock = tr_box(range_rwlock, TR_RWLOCK_OF(range));
    range_read_guard r = tr_read(lock);
    tr_drop(lock);
    tr_guard_drop(&r);
}

static void test_rwlock_drop_of_a_held_one_aborts(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(drop_read_one, text, sizeof text));
    assert_non_null(strstr(text, "drop of range while it is locked"));
}

static void test_rwlock_value_is_replaced_taken_and_dropped(void **state)
{
    (void)state;
    canary old = { 0 };
    canary_rwlock *lock = tr_arc(canary_rwlock, TR_RWLOCK_OF(canary, .value = 1));
    assert_int_equal(tr_rwlock_replace(lock, ((canary){ .value = 2 }), &old), TR_OK);
    assert_int_equal(old.value, 1);
    assert_int_equal(canary_dropped(), 0);
    assert_int_equal(tr_rwlock_set(lock, ((canary){ .value = 3 })), TR_OK);
    assert_int_equal(canary_dropped(), 1);
    canary *value = NULL;
    assert_int_equal(tr_get_mut(lock, &value, NULL), TR_OK);
    assert_int_equal(value->value, 3);
    tr_drop(lock);
    assert_int_equal(canary_dropped(), 2);
}

static void test_rwlock_may_be_shared_only_when_its_value_may(void **state)
{
    (void)state;
    assert_true(tr_type_is_send(tr_type_of(loner_rwlock)));
    assert_false(tr_type_is_share(tr_type_of(loner_rwlock)));
    assert_true(tr_type_is_share(tr_type_of(range_rwlock)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rwl_01_readers_are_together_and_keep_writers_out),
        CASE(test_rwl_01_a_writer_keeps_all_out),
        CASE(test_rwlock_timed_out_writer_leaves_no_trace),
        CASE(test_rwlock_timed_out_writer_does_not_lose_the_others),
        CASE(test_rwl_02_readers_never_see_a_write_half_done),
        CASE(test_rwl_03_a_mix_of_ten_threads_ends),
        CASE(test_rwl_04_panic_of_a_reader_does_not_poison),
        CASE(test_rwlock_panic_of_a_writer_poisons_for_both),
        CASE(test_rwl_07_no_writer_gets_between_downgrade_and_reading),
        CASE(test_rwlock_downgrade_lets_a_waiting_reader_in),
        CASE(test_rwlock_mapped_guards_hold_the_lock),
        CASE(test_rwlock_panic_of_a_mapping_unlocks),
        CASE(test_rwlock_drop_of_a_held_one_aborts),
        CASE(test_rwlock_may_be_shared_only_when_its_value_may),
        CASE(test_rwlock_value_is_replaced_taken_and_dropped),
    };
    return TEST_RUN(tests);
}
