/*
 * test_vec_model - random calls against plain arrays: vec, and parts of bytes
 *
 * Seeded by a constant; each allocation fails with one chance in eight where a
 * try_ form is called.
 */
#include "tests/mem/vecs.h"

#include <troupe/mem/bytes.h>

static uint64_t random_state;

static size_t below(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % n;
}

/* Fails now and then. */
typedef struct flaky_allocator {
    tr_allocator base;
    tr_allocator *inner;
} flaky_allocator;

static void *flaky_alloc(tr_allocator *self, tr_layout layout)
{
    return below(8) == 0 ? NULL : tr_alloc_from(((flaky_allocator *)self)->inner, layout);
}

static void flaky_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_dealloc_from(((flaky_allocator *)self)->inner, block, layout);
}

static flaky_allocator flaky;

static void be_flaky(void)
{
    flaky = (flaky_allocator){
        .base = { .name = "flaky", .alloc = flaky_alloc, .dealloc = flaky_dealloc },
        .inner = tr_global_allocator(),
    };
    tr_set_global_allocator(&flaky.base);
}

static void be_steady(void)
{
    tr_set_global_allocator(flaky.inner);
}

/* -- vec ----------------------------------------------------------------------- */

#define MOST 48

struct model {
    holder_vec v;
    char names[2 * MOST];
    size_t len;
};

static void put_in(struct model *m, size_t at, const char *names, size_t n)
{
    memmove(m->names + at + n, m->names + at, m->len - at);
    memcpy(m->names + at, names, n);
    m->len += n;
}

static void take_out(struct model *m, size_t start, size_t end)
{
    memmove(m->names + start, m->names + end, m->len - end);
    m->len -= end - start;
}

static char letter(void)
{
    return (char)('a' + below(3));
}

/* One value in; on failure it is still ours. */
static void step_in(struct model *m)
{
    const size_t at = below(m->len + 1);
    holder h = make_holder(letter());
    const char name = h.name;
    const bool push = below(2) == 0;
    be_flaky();
    const tr_status status =
        push ? holder_vec_try_push(&m->v, h) : holder_vec_try_insert(&m->v, at, h);
    be_steady();
    if (status == TR_OK)
        put_in(m, push ? m->len : at, &name, 1);
    else
        holder_drop(&h);
}

static void step_out(struct model *m)
{
    if (m->len == 0)
        return;
    const size_t at = below(m->len);
    holder h = { .block = NULL };
    switch (below(3)) {
    case 0:
        assert_int_equal(holder_vec_pop(&m->v, &h), TR_OK);
        assert_int_equal(h.name, m->names[--m->len]);
        break;
    case 1:
        h = holder_vec_remove(&m->v, at);
        assert_int_equal(h.name, m->names[at]);
        take_out(m, at, at + 1);
        break;
    default:
        h = holder_vec_swap_remove(&m->v, at);
        assert_int_equal(h.name, m->names[at]);
        m->names[at] = m->names[--m->len];
        break;
    }
    holder_drop(&h);
}

static void step_many(struct model *m)
{
    char names[8] = { 0 };
    const size_t n = below(6);
    for (size_t i = 0; i < n; i++)
        names[i] = letter();
    holder_vec items = make_holders(names);
    const size_t start = below(m->len + 1), end = start + below(m->len - start + 1);
    const size_t way = below(3);
    be_flaky();
    tr_status status = way == 0   ? holder_vec_try_extend(&m->v, items.data, n)
                       : way == 1 ? holder_vec_try_append(&m->v, &items)
                                  : holder_vec_try_splice(&m->v, start, end, items.data, n);
    be_steady();
    if (status == TR_OK && way < 2)
        put_in(m, m->len, names, n);
    if (status == TR_OK && way == 2) {
        items.len = 0;
        take_out(m, start, end);
        put_in(m, start, names, n);
    }
    holder_vec_drop(&items);
}

static bool is_not_a(holder *h, void *arg)
{
    (void)arg;
    return h->name != 'a';
}

static void step_range(struct model *m)
{
    const size_t start = below(m->len + 1), end = start + below(m->len - start + 1);
    holder_vec other = holder_vec_new();
    be_flaky();
    switch (below(5)) {
    case 0: {
        TR_AUTO_VALUE(holder_vec_drain) drain = holder_vec_drain_range(&m->v, start, end);
        holder h = { .block = NULL };
        if (below(2) == 0 && holder_vec_drain_next(&drain, &h))
            holder_drop(&h);
        take_out(m, start, end);
        break;
    }
    case 1:
        holder_vec_truncate(&m->v, end);
        m->len = end;
        break;
    case 2:
        if (holder_vec_try_split_off(&m->v, start, &other) == TR_OK)
            m->len = start;
        break;
    case 3:
        holder_vec_shrink_to_fit(&m->v);
        break;
    default:
        if (holder_vec_try_clone(&other, &m->v) == TR_OK) {
            holder_vec_drop(&m->v);
            m->v = TR_TAKE(other);
        }
        break;
    }
    be_steady();
    holder_vec_drop(&other);
}

static void step_choose(struct model *m)
{
    size_t kept = 0;
    if (below(2) == 0) {
        holder_vec_retain(&m->v, is_not_a, NULL);
        for (size_t i = 0; i < m->len; i++)
            if (m->names[i] != 'a')
                m->names[kept++] = m->names[i];
    } else {
        holder_vec_dedup(&m->v);
        for (size_t i = 0; i < m->len; i++)
            if (kept == 0 || m->names[i] != m->names[kept - 1])
                m->names[kept++] = m->names[i];
    }
    m->len = kept;
}

static void test_vec_agrees_with_an_array_over_random_calls(void **state)
{
    (void)state;
    random_state = 0x9e3779b97f4a7c15;
    struct model m = { .len = 0 };
    void (*const steps[])(struct model *) = { step_in,   step_in,   step_in,    step_in,
                                              step_many, step_many, step_range, step_out };
    for (size_t round = test_scale(20000); round > 0; round--) {
        if (below(20) == 0)
            step_choose(&m);
        else
            steps[below(8)](&m);
        if (m.len > MOST) {
            holder_vec_truncate(&m.v, 5);
            m.len = 5;
        }
        assert_int_equal(m.v.len, m.len);
        assert_memory_equal(names_of(&m.v), m.names, m.len);
    }
    holder_vec_drop(&m.v);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- bytes ----------------------------------------------------------------------- */

#define PARTS 8

/* A part that is written, or one that is read, and what must be in it. */
struct part {
    tr_bytes_mut mut;
    tr_bytes read;
    bool is_read;
    uint8_t expected[512];
    size_t len;
};

static struct part parts[PARTS];

static void drop_part(struct part *p)
{
    tr_bytes_mut_drop(&p->mut);
    tr_bytes_drop(&p->read);
    p->is_read = false;
    p->len = 0;
}

static void check_parts(void)
{
    for (size_t i = 0; i < PARTS; i++) {
        const struct part *p = &parts[i];
        const size_t len = p->is_read ? p->read.len : p->mut.len;
        assert_int_equal(len, p->len);
        if (len != 0)
            assert_memory_equal(p->is_read ? p->read.data : p->mut.data, p->expected, len);
    }
}

static void step_write(struct part *p, struct part *other)
{
    uint8_t bytes[64];
    const size_t n = below(sizeof bytes), at = below(p->len + 1);
    memset(bytes, (int)below(256), sizeof bytes);
    switch (below(5)) {
    case 0:
        be_flaky();
        if (p->len + n <= 400 && tr_bytes_mut_try_put(&p->mut, bytes, n) == TR_OK) {
            memcpy(p->expected + p->len, bytes, n);
            p->len += n;
        }
        be_steady();
        break;
    case 1: /* the front to the other */
        drop_part(other);
        other->mut = tr_bytes_mut_split_to(&p->mut, at);
        memcpy(other->expected, p->expected, at);
        other->len = at;
        memmove(p->expected, p->expected + at, p->len - at);
        p->len -= at;
        break;
    case 2: /* the rest, with the room, to the other */
        drop_part(other);
        other->mut = tr_bytes_mut_split_off(&p->mut, at);
        memcpy(other->expected, p->expected + at, p->len - at);
        other->len = p->len - at;
        p->len = at;
        break;
    case 3:
        if (!other->is_read && p->len + other->len <= 400) {
            tr_bytes_mut_unsplit(&p->mut, &other->mut);
            memcpy(p->expected + p->len, other->expected, other->len);
            p->len += other->len;
            other->len = 0;
        }
        break;
    default:
        p->read = tr_bytes_mut_freeze(&p->mut);
        p->is_read = true;
        break;
    }
}

static void step_read(struct part *p, struct part *other)
{
    const size_t start = below(p->len + 1), end = start + below(p->len - start + 1);
    switch (below(4)) {
    case 0:
        if (tr_bytes_try_into_mut(&p->read, &p->mut))
            p->is_read = false;
        break;
    case 1:
        drop_part(other);
        other->read = tr_bytes_slice(&p->read, start, end);
        other->is_read = true;
        memcpy(other->expected, p->expected + start, end - start);
        other->len = end - start;
        break;
    case 2:
        drop_part(other);
        other->read = tr_bytes_split_off(&p->read, start);
        other->is_read = true;
        memcpy(other->expected, p->expected + start, p->len - start);
        other->len = p->len - start;
        p->len = start;
        break;
    default:
        drop_part(p);
        break;
    }
}

static void test_bytes_parts_never_disturb_each_other(void **state)
{
    (void)state;
    random_state = 0xd1b54a32d192ed03;
    for (size_t round = test_scale(40000); round > 0; round--) {
        const size_t at = below(PARTS), to = (at + 1 + below(PARTS - 1)) % PARTS;
        if (parts[at].is_read)
            step_read(&parts[at], &parts[to]);
        else
            step_write(&parts[at], &parts[to]);
        check_parts();
    }
    for (size_t i = 0; i < PARTS; i++)
        drop_part(&parts[i]);
    assert_int_equal(test_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_vec_agrees_with_an_array_over_random_calls),
        CASE(test_bytes_parts_never_disturb_each_other),
    };
    return TEST_RUN(tests);
}
