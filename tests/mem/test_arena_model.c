/*
 * test_arena_model - random use of an arena beside a list of what it should hold
 *
 *     list   | block size fill | block size fill | ... |   what is live, oldest first
 *     marks  | arena's mark, length of the list | ... |     rolled back to in reverse
 *
 * After each step every live block has its bytes: none overlaps another, none was
 * taken back. Seeds are fixed, so a failure can be repeated.
 */
#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/arena.h>
#include <troupe/mem/failing_allocator.h>

enum { BLOCKS = 400, MARKS = 20 };

typedef struct item {
    unsigned char *block;
    tr_layout layout;
    unsigned char fill;
} item;

typedef struct counted {
    unsigned *drops;
} counted;
static void counted_drop(counted *c)
{
    ++*c->drops;
}
TR_TYPE(counted, .drop = counted_drop)

typedef struct model {
    tr_arena arena;
    tr_counting_allocator counting;
    tr_failing_allocator failing;
    item items[BLOCKS];
    size_t count;
    struct {
        tr_arena_mark mark;
        size_t count;
        unsigned values;
    } marks[MARKS];
    size_t mark_count;
    unsigned values; /* made and not dropped */
    unsigned drops;
    uint64_t seed;
} model;

static uint32_t draw(model *m, uint32_t below)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(m->seed >> 33) % below;
}

static void add(model *m, void *block, tr_layout layout)
{
    assert_int_equal((uintptr_t)block % layout.align, 0);
    item *it = &m->items[m->count++];
    *it = (item){ .block = block, .layout = layout, .fill = (unsigned char)draw(m, 256) };
    memset(block, it->fill, layout.size);
}

static void step_alloc(model *m)
{
    const tr_layout layout = {
        .size = 1 + draw(m, draw(m, 20) == 0 ? 3000 : 90),
        .align = (size_t)1 << draw(m, 8),
    };
    void *block = NULL;
    if (m->count < BLOCKS && tr_arena_try_alloc(&m->arena, layout, &block) == TR_OK)
        add(m, block, layout);
}

static void step_value(model *m)
{
    if (tr_arena_try_make(counted, &m->arena, .drops = &m->drops) != NULL)
        m->values++;
}

/* Of the last block, which moves or stays; not across a mark, which lies behind it. */
static void step_realloc(model *m)
{
    if (m->count == 0 || (m->mark_count > 0 && m->marks[m->mark_count - 1].count == m->count))
        return;
    item *it = &m->items[m->count - 1];
    const size_t size = 1 + draw(m, 200);
    unsigned char *moved = tr_realloc_from(&m->arena.base, it->block, it->layout, size);
    if (moved == NULL)
        return;
    const size_t kept = size < it->layout.size ? size : it->layout.size;
    for (size_t i = 0; i < kept; i++)
        assert_int_equal(moved[i], it->fill);
    m->count--;
    add(m, moved, (tr_layout){ .size = size, .align = it->layout.align });
}

static void step_mark(model *m)
{
    if (m->mark_count == MARKS)
        return;
    m->marks[m->mark_count].mark = tr_arena_checkpoint(&m->arena);
    m->marks[m->mark_count].count = m->count;
    m->marks[m->mark_count++].values = m->values;
}

static void check_drops(model *m, unsigned values_left)
{
    assert_int_equal(m->drops, m->values - values_left);
    m->drops = 0;
    m->values = values_left;
}

static void step_rollback(model *m)
{
    if (m->mark_count == 0)
        return;
    m->mark_count -= 1 + draw(m, (uint32_t)m->mark_count);
    tr_arena_rollback(&m->arena, m->marks[m->mark_count].mark);
    m->count = m->marks[m->mark_count].count;
    check_drops(m, m->marks[m->mark_count].values);
}

static void step_reset(model *m)
{
    tr_arena_reset(&m->arena);
    assert_int_equal(tr_arena_used(&m->arena), 0);
    m->count = 0;
    m->mark_count = 0;
    check_drops(m, 0);
}

static void check_items(const model *m)
{
    size_t total = 0;
    for (size_t i = 0; i < m->count; i++) {
        const item *it = &m->items[i];
        total += it->layout.size;
        for (size_t k = 0; k < it->layout.size; k++)
            if (it->block[k] != it->fill)
                fail_msg("block %zu has lost byte %zu", i, k);
    }
    assert_true(tr_arena_used(&m->arena) >= total);
    assert_true(tr_arena_capacity(&m->arena) >= tr_arena_used(&m->arena));
}

static void step(model *m)
{
    const uint32_t what = draw(m, 100);
    if (what < 60)
        step_alloc(m);
    else if (what < 72)
        step_value(m);
    else if (what < 82)
        step_realloc(m);
    else if (what < 90)
        step_mark(m);
    else if (what < 98)
        step_rollback(m);
    else if (what < 99)
        step_reset(m);
    else
        tr_failing_allocator_fail(&m->failing, 1 + draw(m, 3), draw(m, 3));
}

static void test_arena_model_random_steps_lose_no_byte(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= test_scale(20); seed++) {
        static model m;
        m = (model){ .seed = seed };
        tr_counting_allocator_init(&m.counting, tr_global_allocator());
        tr_failing_allocator_init(&m.failing, &m.counting.base);
        m.arena = tr_arena_new_in(&m.failing.base, seed % 2 == 0 ? 0 : 100);
        for (unsigned i = 0; i < 500; i++) {
            step(&m);
            if (i % 4 == 0)
                check_items(&m);
        }
        check_items(&m);
        tr_arena_drop(&m.arena);
        check_drops(&m, 0);
        assert_int_equal(tr_counting_live(&m.counting), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arena_model_random_steps_lose_no_byte),
    };
    return TEST_RUN(tests);
}
