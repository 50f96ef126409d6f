/*
 * vecs - the element types and helpers that the tests of vec share
 *
 * Threads  for tests on one thread.
 */
#ifndef TROUPE_TESTS_MEM_VECS_H
#define TROUPE_TESTS_MEM_VECS_H

#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/vec.h>

#include "tests/mem/canary.h"
#include "tests/mem/failing.h"
#include "tests/mem/panics.h"

TR_VEC(int)
TR_VEC(uint8_t)
TR_VEC(canary)
TR_VEC(int_vec)

/* Owns a block, so that a lost one is a leak and a double one is found; its
 * clone needs memory; its drop and its clone panic when told to. */
typedef struct holder {
    int *block;
    char name;
    bool bomb;
    bool clone_bomb;
} holder;

static inline void holder_drop(holder *h)
{
    canary c = { .name = h->name };
    canary_drop(&c);
    tr_drop(h->block);
    if (h->bomb)
        tr_panic("bomb %c", h->name);
}

static inline tr_status holder_clone(holder *copy, const holder *original)
{
    if (original->clone_bomb)
        tr_panic("clone bomb %c", original->name);
    int *block = tr_try_box(int, *original->block);
    if (block == NULL)
        return TR_NOMEM;
    *copy = (holder){ .block = block, .name = original->name };
    return TR_OK;
}

static inline bool holder_eq(const holder *a, const holder *b)
{
    return *a->block == *b->block;
}

static inline uint64_t holder_hash(const holder *h)
{
    return (uint64_t)*h->block;
}

TR_TYPE(holder, .drop = holder_drop, .clone = holder_clone, .eq = holder_eq, .hash = holder_hash)
TR_VEC(holder)

TR_UNUSED static holder make_holder(char name)
{
    return (holder){ .block = tr_box(int, name), .name = name };
}

/* One holder for each letter; an upper case one is a bomb. */
TR_UNUSED static holder_vec make_holders(const char *names)
{
    holder_vec v = holder_vec_new();
    for (; *names != '\0'; names++) {
        holder h = make_holder(*names);
        h.bomb = *names >= 'A' && *names <= 'Z';
        holder_vec_push(&v, h);
    }
    return v;
}

/* The names, in order, in a buffer that the next call overwrites. */
TR_UNUSED static const char *names_of(const holder_vec *v)
{
    static char names[64];
    size_t n = 0;
    TR_VEC_EACH(h, v)
        names[n++] = *h->block == h->name ? h->name : '?';
    names[n] = '\0';
    return names;
}

TR_UNUSED static void assert_ints(const int_vec *v, size_t n, const int *expected)
{
    assert_int_equal(v->len, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(v->data[i], expected[i]);
}

#define ASSERT_INTS(v, ...)                                                                        \
    assert_ints((v), sizeof((int[]){ __VA_ARGS__ }) / sizeof(int), (int[]){ __VA_ARGS__ })

static int setup(void **state)
{
    canary_reset();
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

#endif
