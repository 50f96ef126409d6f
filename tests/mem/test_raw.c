/*
 * test_raw - what is done by hand: raw pointers, values that nobody drops unless told
 * to, and objects that must not go while somebody holds a guard on them
 */
#include "tests/support/test.h"

#include <troupe/mem/box.h>
#include <troupe/mem/cell.h>
#include <troupe/mem/mutex.h>
#include <troupe/mem/refcell.h>
#include <troupe/mem/rwlock.h>
#include <troupe/mem/vec.h>

#include "tests/mem/canary.h"
#include "tests/mem/death.h"

TR_CELL(int)
TR_REFCELL(int)
TR_MUTEX(int)
TR_RWLOCK(int)

typedef int_cell guarded_cell;
TR_TYPE(guarded_cell, .flags = TR_NOT_SHARE)
TR_MUTEX(guarded_cell, TR_NOT_SHARE)
TR_RWLOCK(guarded_cell, TR_NOT_SHARE)

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

/* -- RAW: pointers, and values whose drop is the caller's business ------------------- */

static void test_raw_01_variable_is_written_through_its_address(void **state)
{
    (void)state;
    int value = 42;
    int *volatile pointer = &value; /* volatile: the compiler must not see through it */
    *pointer = 100;
    assert_int_equal(value, 100);
    assert_int_equal(*pointer, 100);

    int *box = tr_box(int, 42);
    int *volatile raw = box;
    *raw = 100;
    assert_int_equal(*box, 100);
    tr_drop(box);
}

/* A variable without a cleanup is what ManuallyDrop is: dropped by its descriptor, when
 * its owner says so. */
static void drop_in_place(canary *c)
{
    tr_type_of(canary)->drop(c);
}

static void test_raw_05_dropped_when_told_only(void **state)
{
    (void)state;
    {
        canary a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
        drop_in_place(&a);
        assert_int_equal(canary_dropped(), 1);
        drop_in_place(&b);
        assert_int_equal(canary_dropped(), 2);
        drop_in_place(&c);
        assert_int_equal(canary_dropped(), 3);
    }
    assert_string_equal(canary_log, "abc"); /* the end of the scope added none */

    canary_reset();
    {
        const canary never = { .name = 'n' };
        assert_int_equal(never.name, 'n');
    }
    assert_int_equal(canary_dropped(), 0);
}

static void test_raw_05_moved_into_an_owner_drops_once(void **state)
{
    (void)state;
    canary kept = { .name = 'k', .value = 7 };
    {
        TR_AUTO(canary) owner = tr_box_of(tr_type_of(canary), &kept); /* moved bytewise */
        assert_int_equal(owner->value, 7);
        assert_int_equal(canary_dropped(), 0);
    }
    assert_int_equal(canary_dropped(), 1);

    canary *uninit = tr_box_uninit(canary);
    assert_non_null(uninit);
    *uninit = (canary){ .name = 'u' };
    tr_drop(uninit);
    assert_string_equal(canary_log, "ku");
}

/* -- LIF: nothing is destroyed under a guard -------------------------------------------- */

static void drop_borrowed(void)
{
    int_refcell *cell = tr_box(int_refcell, TR_REFCELL_OF(1));
    TR_REF(int_ref) r = tr_borrow(cell);
    tr_drop(cell);
    _exit(*r.value);
}

static void test_lif_02_refcell_under_a_guard_is_not_destroyed(void **state)
{
    (void)state;
    char text[512];
    assert_true(death_by_abort(drop_borrowed, text, sizeof text));
    assert_non_null(strstr(text, "int_refcell dropped while it is borrowed"));
#ifdef TR_CHECKED
    assert_non_null(strstr(text, "test_raw.c:")); /* who holds it */
#endif
}

static void drop_locked(void)
{
    int_mutex *mutex = tr_box(int_mutex, TR_MUTEX_OF(int, 1));
    TR_GUARD(int_mutex_guard) g = tr_lock(mutex);
    tr_drop(mutex);
    _exit(*g.value);
}

static void drop_read_locked(void)
{
    int_rwlock *lock = tr_box(int_rwlock, TR_RWLOCK_OF(int, 1));
    TR_GUARD(int_read_guard) g = tr_read(lock);
    tr_drop(lock);
    _exit(*g.value);
}

static void drop_write_locked(void)
{
    int_rwlock *lock = tr_box(int_rwlock, TR_RWLOCK_OF(int, 1));
    TR_GUARD(int_write_guard) g = tr_write(lock);
    tr_drop(lock);
    _exit(*g.value);
}

static void test_lif_02_lock_under_a_guard_is_not_destroyed(void **state)
{
    (void)state;
    void (*const drops[])(void) = { drop_locked, drop_read_locked, drop_write_locked };
    for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++) {
        char text[512];
        assert_true(death_by_abort(drops[i], text, sizeof text));
        assert_non_null(strstr(text, "drop of int while it is locked"));
    }
}

/* -- SND: the table of wrappers ----------------------------------------------------------- */

static void assert_may(const tr_type *type, bool send, bool share)
{
    if (tr_type_is_send(type) != send || tr_type_is_share(type) != share)
        fail_msg("%s: send %d, share %d", type->name, tr_type_is_send(type), tr_type_is_share(type));
}

static void test_snd_01_wrappers_may_what_their_table_says(void **state)
{
    (void)state;
    assert_may(tr_type_of(int), true, true);
    assert_may(tr_type_of(int_cell), true, false);
    assert_may(tr_type_of(int_refcell), true, false);
    assert_may(tr_type_of(int_mutex), true, true);
    assert_may(tr_type_of(int_rwlock), true, true);
    assert_may(tr_type_of(guarded_cell_mutex), true, true);   /* one at a time uses the Cell */
    assert_may(tr_type_of(guarded_cell_rwlock), true, false); /* readers would share it */
    assert_may(tr_type_of(tr_mutex), true, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_raw_01_variable_is_written_through_its_address),
        CASE(test_raw_05_dropped_when_told_only),
        CASE(test_raw_05_moved_into_an_owner_drops_once),
        CASE(test_lif_02_refcell_under_a_guard_is_not_destroyed),
        CASE(test_lif_02_lock_under_a_guard_is_not_destroyed),
        CASE(test_snd_01_wrappers_may_what_their_table_says),
    };
    return TEST_RUN(tests);
}
