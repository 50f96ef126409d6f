/*
 * test_bytes - shared parts of one block, growing, numbers, reclaiming; threads
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/bytes.h>

#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

#define ASSERT_BYTES(b, text)                                                                      \
    do {                                                                                           \
        assert_int_equal((b).len, strlen(text));                                                   \
        if ((b).len != 0)                                                                          \
            assert_memory_equal((b).data, (text), strlen(text));                                   \
    } while (0)

static tr_bytes_mut filled_with(const char *text, size_t cap)
{
    tr_bytes_mut b = tr_bytes_mut_with_capacity(cap);
    tr_bytes_mut_put(&b, text, strlen(text));
    return b;
}

/* -- tr_bytes -------------------------------------------------------------------- */

static void test_bytes_clone_and_slice_share_one_block(void **state)
{
    (void)state;
    tr_bytes b = tr_bytes_copy("hello world", 11);
    assert_int_equal(test_live_blocks(), 1);
    tr_bytes clone = tr_bytes_clone(&b);
    tr_bytes world = tr_bytes_slice(&b, 6, 11);
    tr_bytes orl = tr_bytes_slice(&world, 1, 4);
    assert_int_equal(test_live_blocks(), 1);
    assert_ptr_equal(clone.data, b.data);
    assert_ptr_equal(world.data, b.data + 6);
    assert_true(tr_bytes_eq(&clone, &b));
    assert_false(tr_bytes_eq(&world, &b));
    assert_true(tr_bytes_hash(&clone) == tr_bytes_hash(&b));
    tr_bytes_drop(&b);
    tr_bytes_drop(&clone);
    tr_bytes_drop(&world);
    ASSERT_BYTES(orl, "orl"); /* the last part keeps the block */
    assert_int_equal(test_live_blocks(), 1);
    tr_bytes_drop(&orl);
    tr_bytes_drop(&orl);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_bytes_split_advance_truncate_cut_without_copy(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes) b = tr_bytes_copy("abcdefgh", 8);
    const uint8_t *data = b.data;
    TR_AUTO_VALUE(tr_bytes) front = tr_bytes_split_to(&b, 3);
    ASSERT_BYTES(front, "abc");
    ASSERT_BYTES(b, "defgh");
    TR_AUTO_VALUE(tr_bytes) rest = tr_bytes_split_off(&b, 3);
    ASSERT_BYTES(b, "def");
    ASSERT_BYTES(rest, "gh");
    assert_ptr_equal(rest.data, data + 6);
    tr_bytes_advance(&b, 1);
    tr_bytes_truncate(&b, 9);
    tr_bytes_truncate(&b, 1);
    ASSERT_BYTES(b, "e");
    TR_AUTO_VALUE(tr_bytes) none = tr_bytes_split_to(&b, 0);
    assert_int_equal(none.len, 0);
    TR_AUTO_VALUE(tr_bytes) all = tr_bytes_split_off(&b, 0);
    ASSERT_BYTES(all, "e");
    assert_int_equal(b.len, 0);
    tr_bytes_advance(&b, 0);
}

struct cut {
    tr_bytes *b;
    size_t at;
};
static void slice_too_far(void *arg)
{
    const struct cut *cut = arg;
    TR_AUTO_VALUE(tr_bytes) part = tr_bytes_slice(cut->b, 1, cut->at);
}
static void split_too_far(void *arg)
{
    const struct cut *cut = arg;
    TR_AUTO_VALUE(tr_bytes) part = tr_bytes_split_to(cut->b, cut->at);
}
static void split_off_too_far(void *arg)
{
    const struct cut *cut = arg;
    TR_AUTO_VALUE(tr_bytes) part = tr_bytes_split_off(cut->b, cut->at);
}
static void advance_too_far(void *arg)
{
    const struct cut *cut = arg;
    tr_bytes_advance(cut->b, cut->at);
}

static void test_bytes_out_of_bounds_panics_and_keeps(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes) b = tr_bytes_copy("abc", 3);
    struct cut cut = { &b, 4 };
    assert_panics(slice_too_far, &cut, "range 1 to 4 is out of bounds of 3");
    assert_panics(split_too_far, &cut, "range 0 to 4 is out of bounds of 3");
    assert_panics(split_off_too_far, &cut, "range 4 to 3 ends before it starts");
    assert_panics(advance_too_far, &cut, "range 4 to 3");
    cut.at = 0;
    assert_panics(slice_too_far, &cut, "range 1 to 0 ends before it starts");
    ASSERT_BYTES(b, "abc");
}

static void test_bytes_static_need_no_memory_and_cannot_be_written(void **state)
{
    (void)state;
    tr_bytes b = TR_BYTES("static");
    tr_bytes part = tr_bytes_slice(&b, 0, 4);
    tr_bytes clone = tr_bytes_clone(&b);
    tr_bytes_mut out = tr_bytes_mut_new();
    ASSERT_BYTES(part, "stat");
    assert_false(tr_bytes_is_unique(&b));
    assert_false(tr_bytes_try_into_mut(&b, &out));
    ASSERT_BYTES(b, "static");
    assert_int_equal(test_live_blocks(), 0);
    tr_bytes_drop(&b);
    tr_bytes_drop(&part);
    tr_bytes_drop(&clone);
}

static void test_bytes_from_vec_keeps_the_block_and_gives_it_back(void **state)
{
    (void)state;
    tr_u8_vec v = TR_VEC_OF(tr_u8_vec, 'a', 'b', 'c');
    const uint8_t *data = v.data;
    TR_AUTO_VALUE(tr_bytes) b = tr_bytes_from_vec(&v);
    assert_ptr_equal(b.data, data);
    assert_int_equal(v.cap, 0);
    assert_int_equal(test_live_blocks(), 2);
    tr_bytes_advance(&b, 1);
    TR_AUTO_VALUE(tr_bytes_mut) m = tr_bytes_mut_new();
    assert_true(tr_bytes_try_into_mut(&b, &m));
    assert_int_equal(b.len, 0);
    assert_ptr_equal(m.data, data + 1);
    assert_int_equal(m.cap, 7); /* the vec had room for 8 */
    tr_bytes_mut_put(&m, "d", 1);
    ASSERT_BYTES(m, "bcd");
    TR_AUTO_VALUE(tr_bytes) none = tr_bytes_from_vec(&v);
    assert_int_equal(none.len, 0);
}

static unsigned owners_dropped;
typedef struct owner {
    char text[8];
} owner;
static void owner_drop(owner *o)
{
    (void)o;
    owners_dropped++;
}
TR_TYPE(owner, .drop = owner_drop)

static void test_bytes_from_owner_drop_it_with_the_last_part(void **state)
{
    (void)state;
    owners_dropped = 0;
    owner *o = tr_arc(owner, .text = "mapped");
    tr_bytes b = tr_bytes_from_owner(o, o->text, 6);
    tr_bytes part = tr_bytes_slice(&b, 3, 6);
    tr_bytes_mut m = tr_bytes_mut_new();
    tr_bytes_drop(&b);
    assert_int_equal(owners_dropped, 0);
    assert_true(tr_bytes_is_unique(&part));
    assert_false(tr_bytes_try_into_mut(&part, &m)); /* a stranger's block */
    ASSERT_BYTES(part, "ped");
    tr_bytes_drop(&part);
    assert_int_equal(owners_dropped, 1);
}

static void test_bytes_become_writable_only_when_unique(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes) b = tr_bytes_copy("abc", 3);
    tr_bytes clone = tr_bytes_clone(&b);
    TR_AUTO_VALUE(tr_bytes_mut) m = tr_bytes_mut_new();
    assert_false(tr_bytes_try_into_mut(&b, &m));
    ASSERT_BYTES(b, "abc");
    tr_bytes_drop(&clone);
    const uint8_t *data = b.data;
    assert_true(tr_bytes_try_into_mut(&b, &m));
    assert_ptr_equal(m.data, data);
    m.data[0] = 'x';
    TR_AUTO_VALUE(tr_bytes) again = tr_bytes_mut_freeze(&m);
    ASSERT_BYTES(again, "xbc");
    assert_int_equal(m.cap, 0);
}

/* -- tr_bytes_mut ------------------------------------------------------------------ */

static void test_buf_03_appended_chunks_equal_the_reference(void **state)
{
    (void)state;
    enum { TOTAL = 100000 };
    uint8_t *reference = tr_box_array(uint8_t, TOTAL + 17);
    TR_AUTO_VALUE(tr_bytes_mut) b = tr_bytes_mut_new();
    for (size_t i = 0; i < TOTAL + 17; i++)
        reference[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t chunk = 1; b.len < TOTAL; chunk = chunk % 17 + 1)
        tr_bytes_mut_put(&b, reference + b.len, chunk);
    assert_true(b.len >= TOTAL);
    assert_memory_equal(b.data, reference, b.len);

    tr_bytes_mut_reserve(&b, 5000);
    const uint8_t *data = b.data;
    for (unsigned i = 0; i < 5000; i++)
        tr_bytes_mut_put_u8(&b, (uint8_t)i);
    assert_ptr_equal(b.data, data);
    tr_drop(reference);
}

static void test_bytes_mut_parts_are_disjoint_and_freeze_without_copy(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = filled_with("headbody", 20);
    const uint8_t *data = b.data;
    TR_AUTO_VALUE(tr_bytes_mut) head = tr_bytes_mut_split_to(&b, 4);
    assert_int_equal(head.cap, 4); /* may not write over the body */
    TR_AUTO_VALUE(tr_bytes_mut) body = tr_bytes_mut_split(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 12);
    tr_bytes_mut_put(&b, "next", 4);
    head.data[0] = 'H';
    TR_AUTO_VALUE(tr_bytes) frozen = tr_bytes_mut_freeze(&head);
    assert_ptr_equal(frozen.data, data);
    ASSERT_BYTES(frozen, "Head");
    ASSERT_BYTES(body, "body");
    ASSERT_BYTES(b, "next");
    assert_int_equal(test_live_blocks(), 1);
    tr_bytes_mut_put(&body, "+", 1); /* no room of its own: a new block */
    ASSERT_BYTES(body, "body+");
    ASSERT_BYTES(b, "next");

    TR_AUTO_VALUE(tr_bytes_mut) room = tr_bytes_mut_split_off(&b, 6);
    assert_int_equal(b.cap, 6);
    assert_int_equal(room.len, 0);
    assert_int_equal(room.cap, 6);
    TR_AUTO_VALUE(tr_bytes_mut) xt = tr_bytes_mut_split_off(&b, 2);
    ASSERT_BYTES(b, "ne");
    ASSERT_BYTES(xt, "xt");
    assert_int_equal(xt.cap, 4);
}

static void test_bytes_mut_unsplit_joins_in_place_or_copies(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = filled_with("abcdef", 10);
    const uint8_t *data = b.data;
    TR_AUTO_VALUE(tr_bytes_mut) tail = tr_bytes_mut_split_off(&b, 3);
    tr_bytes_mut_unsplit(&b, &tail);
    ASSERT_BYTES(b, "abcdef");
    assert_ptr_equal(b.data, data);
    assert_int_equal(b.cap, 10);
    assert_int_equal(tail.cap, 0);
    TR_AUTO_VALUE(tr_bytes_mut) other = filled_with("ghijklmn", 8);
    tr_bytes_mut_unsplit(&b, &other);
    ASSERT_BYTES(b, "abcdefghijklmn");
    TR_AUTO_VALUE(tr_bytes_mut) empty = tr_bytes_mut_new();
    tr_bytes_mut_unsplit(&b, &empty);
    tr_bytes_mut_unsplit(&empty, &b);
    ASSERT_BYTES(empty, "abcdefghijklmn");
    assert_int_equal(b.cap, 0);
}

static void test_bytes_mut_reserve_reclaims_when_the_parts_are_gone(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = filled_with("0123456789", 64);
    const uint8_t *start = b.data;
    tr_bytes frame = tr_bytes_new();
    {
        TR_AUTO_VALUE(tr_bytes_mut) part = tr_bytes_mut_split_to(&b, 8);
        frame = tr_bytes_mut_freeze(&part);
    }
    assert_int_equal(b.cap, 56);
    assert_false(tr_bytes_mut_try_reclaim(&b, 60)); /* the frame is read still */
    ASSERT_BYTES(frame, "01234567");
    tr_bytes_drop(&frame);
    assert_true(tr_bytes_mut_try_reclaim(&b, 60));
    assert_ptr_equal(b.data, start);
    assert_int_equal(b.cap, 64);
    ASSERT_BYTES(b, "89");

    /* What was split off behind comes back as well. */
    tr_bytes_mut behind = tr_bytes_mut_split_off(&b, 10);
    assert_int_equal(b.cap, 10);
    assert_false(tr_bytes_mut_try_reclaim(&b, 20));
    tr_bytes_mut_drop(&behind);
    tr_bytes_mut_reserve(&b, 20);
    assert_ptr_equal(b.data, start);
    assert_int_equal(b.cap, 64);
}

static void test_bytes_mut_does_not_move_more_than_was_consumed(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = filled_with("0123456789", 16);
    tr_bytes_mut_advance(&b, 2); /* 8 left, 2 consumed */
    assert_false(tr_bytes_mut_try_reclaim(&b, 7));
    tr_bytes_mut_advance(&b, 3); /* 5 left, 5 consumed */
    assert_true(tr_bytes_mut_try_reclaim(&b, 11));
    ASSERT_BYTES(b, "56789");
    assert_int_equal(b.cap, 16);
}

static void fill_too_much(void *arg)
{
    tr_bytes_mut_filled(arg, 7);
}
static void reserve_all(void *arg)
{
    tr_bytes_mut_reserve(arg, SIZE_MAX);
}

static void test_bytes_mut_room_is_filled_by_others(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = filled_with("ab", 8);
    size_t n = 0;
    uint8_t *room = tr_bytes_mut_room(&b, &n);
    assert_int_equal(n, 6);
    memcpy(room, "cd", 2);
    tr_bytes_mut_filled(&b, 2);
    tr_bytes_mut_put_many(&b, 'e', 2);
    ASSERT_BYTES(b, "abcdee");
    assert_panics(fill_too_much, &b, "7 bytes were filled into room for 2");
    assert_panics(reserve_all, &b, "capacity overflow");
    assert_int_equal(tr_bytes_mut_try_reserve(&b, SIZE_MAX), TR_INVALID);
    assert_int_equal(tr_bytes_mut_try_reserve(&b, PTRDIFF_MAX), TR_INVALID);
    tr_bytes_mut_truncate(&b, 1);
    ASSERT_BYTES(b, "a");
    tr_bytes_mut_clear(&b);
    assert_int_equal(b.cap, 8);
    tr_bytes_mut none = tr_bytes_mut_new();
    assert_null(tr_bytes_mut_room(&none, &n));
    assert_int_equal(n, 0);
    tr_bytes frozen = tr_bytes_mut_freeze(&b); /* nothing filled: the block goes */
    assert_null(frozen.keeper_);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- numbers ------------------------------------------------------------------------ */

static void test_bytes_numbers_lie_in_the_order_of_their_name(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = tr_bytes_mut_new();
    tr_bytes_mut_put_u8(&b, 0x01);
    tr_bytes_mut_put_u16_be(&b, 0x0203);
    tr_bytes_mut_put_u16_le(&b, 0x0504);
    tr_bytes_mut_put_u32_be(&b, 0x06070809);
    tr_bytes_mut_put_u32_le(&b, 0x0d0c0b0a);
    tr_bytes_mut_put_u64_be(&b, UINT64_C(0x0e0f101112131415));
    tr_bytes_mut_put_u64_le(&b, UINT64_C(0x1d1c1b1a19181716));
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], i + 1);
    assert_int_equal(b.len, 29);
    TR_AUTO_VALUE(tr_bytes) r = tr_bytes_mut_freeze(&b);
    assert_int_equal(tr_bytes_get_u8(&r), 1);
    assert_int_equal(tr_bytes_get_u16_be(&r), 0x0203);
    assert_int_equal(tr_bytes_get_u16_le(&r), 0x0504);
    assert_int_equal(tr_bytes_get_u32_be(&r), 0x06070809);
    assert_int_equal(tr_bytes_get_u32_le(&r), 0x0d0c0b0a);
    assert_true(tr_bytes_get_u64_be(&r) == UINT64_C(0x0e0f101112131415));
    assert_true(tr_bytes_get_u64_le(&r) == UINT64_C(0x1d1c1b1a19181716));
    assert_int_equal(r.len, 0);
}

static void get_u32(void *arg)
{
    (void)tr_bytes_mut_get_u32_be(arg);
}

static void test_bytes_signed_and_floating_numbers_come_back(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) b = tr_bytes_mut_new();
    tr_bytes_mut_put_i8(&b, -1);
    tr_bytes_mut_put_i16_be(&b, INT16_MIN);
    tr_bytes_mut_put_i32_le(&b, -123456);
    tr_bytes_mut_put_i64_be(&b, INT64_MIN);
    tr_bytes_mut_put_f32_be(&b, -1.5f);
    tr_bytes_mut_put_f64_le(&b, 2.25);
    assert_int_equal(tr_bytes_mut_get_i8(&b), -1);
    assert_int_equal(tr_bytes_mut_get_i16_be(&b), INT16_MIN);
    assert_int_equal(tr_bytes_mut_get_i32_le(&b), -123456);
    assert_true(tr_bytes_mut_get_i64_be(&b) == INT64_MIN);
    assert_int_equal(b.data[0], 0xbf); /* -1.5f is bf c0 00 00 */
    assert_true(tr_bytes_mut_get_f32_be(&b) == -1.5f);
    assert_true(tr_bytes_mut_get_f64_le(&b) == 2.25);

    tr_bytes_mut_put(&b, "abc", 3);
    uint32_t number = 7;
    assert_int_equal(tr_bytes_mut_try_get_u32_be(&b, &number), TR_EMPTY);
    assert_int_equal(number, 7);
    assert_panics(get_u32, &b, "4 bytes are to be taken, there are 3");
    ASSERT_BYTES(b, "abc");
    char text[3];
    assert_int_equal(tr_bytes_mut_try_get(&b, text, 3), TR_OK);
    assert_memory_equal(text, "abc", 3);
    assert_int_equal(tr_bytes_mut_try_get(&b, NULL, 0), TR_OK);
}

/* -- without memory ------------------------------------------------------------------ */

static void test_bytes_without_memory_nothing_changes(void **state)
{
    (void)state;
    TR_AUTO_VALUE(tr_bytes_mut) m = filled_with("abc", 3);
    TR_AUTO_VALUE(tr_u8_vec) v = TR_VEC_OF(tr_u8_vec, 'v');
    tr_bytes b = tr_bytes_new();
    tr_bytes_mut made = tr_bytes_mut_new();
    const int64_t live = test_live_blocks();
    failing_allocator failing;
    failing_install(&failing, 0);
    const tr_status statuses[] = {
        tr_bytes_try_copy("x", 1, &b),
        tr_bytes_try_from_vec(&v, &b),
        tr_bytes_mut_try_with_capacity(1, &made),
        tr_bytes_mut_try_reserve(&m, 1),
        tr_bytes_mut_try_put(&m, "d", 1),
        tr_bytes_mut_try_clone(&made, &m),
    };
    failing_remove(&failing);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        assert_int_equal(statuses[i], TR_NOMEM);
    assert_null(b.keeper_);
    assert_null(made.keeper_);
    assert_int_equal(v.len, 1);
    ASSERT_BYTES(m, "abc");
    assert_int_equal(test_live_blocks(), live);
    assert_int_equal(tr_bytes_mut_try_clone(&made, &m), TR_OK);
    assert_true(tr_bytes_mut_eq(&made, &m));
    assert_true(tr_bytes_mut_hash(&made) == tr_bytes_mut_hash(&m));
    tr_bytes_mut_drop(&made);
}

/* -- threads ---------------------------------------------------------------------------- */

#define READERS 3

/* One writer cuts frames from a buffer and hands a share of each to the readers;
 * when the last is dropped it writes to the same bytes again. */
struct frames {
    test_barrier barrier;
    size_t rounds;
    tr_bytes frame[READERS]; /* handed over at the barrier */
    TR_ATOMIC(size_t) wrong;
    TR_ATOMIC(size_t) reclaimed;
};

static void write_frames(struct frames *frames)
{
    TR_AUTO_VALUE(tr_bytes_mut) b = tr_bytes_mut_with_capacity(256);
    for (size_t round = 0; round < frames->rounds; round++) {
        tr_bytes_mut_clear(&b);
        const bool room = tr_bytes_mut_try_reclaim(&b, 250);
        tr_fetch_add_relaxed(&frames->reclaimed, room);
        if (!room)
            tr_bytes_mut_reserve(&b, 256);
        tr_bytes_mut_put_many(&b, (uint8_t)round, 200);
        tr_bytes_mut part = tr_bytes_mut_split(&b);
        tr_bytes whole = tr_bytes_mut_freeze(&part);
        for (unsigned i = 0; i < READERS; i++)
            frames->frame[i] = tr_bytes_slice(&whole, i * 50, i * 50 + 100);
        tr_bytes_drop(&whole);
        test_barrier_wait(&frames->barrier); /* the readers take theirs ... */
        test_barrier_wait(&frames->barrier); /* ... and read while this goes on */
    }
}

static void read_frames(unsigned index, void *arg)
{
    struct frames *frames = arg;
    if (index == READERS) {
        write_frames(frames);
        return;
    }
    for (size_t round = 0; round < frames->rounds; round++) {
        test_barrier_wait(&frames->barrier);
        TR_AUTO_VALUE(tr_bytes) mine = TR_TAKE(frames->frame[index]);
        test_barrier_wait(&frames->barrier);
        for (size_t i = 0; i < mine.len; i++)
            if (mine.data[i] != (uint8_t)round)
                tr_fetch_add_relaxed(&frames->wrong, 1);
    }
}

static void test_bytes_threads_read_frames_while_the_writer_reclaims(void **state)
{
    (void)state;
    struct frames frames = { .rounds = test_scale(1500) };
    test_barrier_init(&frames.barrier, READERS + 1);
    test_threads_run(READERS + 1, read_frames, &frames);
    test_barrier_fini(&frames.barrier);
    assert_int_equal(tr_load_relaxed(&frames.wrong), 0);
    assert_true(tr_load_relaxed(&frames.reclaimed) <= frames.rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_bytes_clone_and_slice_share_one_block),
        TEST(test_bytes_split_advance_truncate_cut_without_copy),
        TEST(test_bytes_out_of_bounds_panics_and_keeps),
        TEST(test_bytes_static_need_no_memory_and_cannot_be_written),
        TEST(test_bytes_from_vec_keeps_the_block_and_gives_it_back),
        TEST(test_bytes_from_owner_drop_it_with_the_last_part),
        TEST(test_bytes_become_writable_only_when_unique),
        TEST(test_buf_03_appended_chunks_equal_the_reference),
        TEST(test_bytes_mut_parts_are_disjoint_and_freeze_without_copy),
        TEST(test_bytes_mut_unsplit_joins_in_place_or_copies),
        TEST(test_bytes_mut_reserve_reclaims_when_the_parts_are_gone),
        TEST(test_bytes_mut_does_not_move_more_than_was_consumed),
        TEST(test_bytes_mut_room_is_filled_by_others),
        TEST(test_bytes_numbers_lie_in_the_order_of_their_name),
        TEST(test_bytes_signed_and_floating_numbers_come_back),
        TEST(test_bytes_without_memory_nothing_changes),
        TEST(test_bytes_threads_read_frames_while_the_writer_reclaims),
    };
    return TEST_RUN(tests);
}
