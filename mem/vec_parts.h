/*
 * vec_parts - what the files of vec share: places, moves, drops, clones; private
 *
 * Threads  none of its own.
 */
#ifndef TROUPE_MEM_VEC_PARTS_PRIVATE_H
#define TROUPE_MEM_VEC_PARTS_PRIVATE_H

#include <string.h>

#include <troupe/mem/vec.h>

/* The place of element i. Not pointer arithmetic: data may be NULL with i 0. */
static inline void *tri_vec_slot(const tr_vec *v, const tr_type *type, size_t i)
{
    return (void *)((uintptr_t)v->data + type->size * i);
}

/* memmove that accepts NULL with nothing to move. */
static inline void tri_move_bytes(void *to, const void *from, size_t size)
{
    if (size != 0)
        memmove(to, from, size);
}

/* Elements [from, from + n) to `to` and the following; they may overlap. */
static inline void tri_vec_move(const tr_vec *v, const tr_type *type, size_t to, size_t from,
                                size_t n)
{
    tri_move_bytes(tri_vec_slot(v, type, to), tri_vec_slot(v, type, from), type->size * n);
}

/* Exchange two elements, by words. */
static inline void tri_vec_swap(const tr_vec *v, const tr_type *type, size_t a, size_t b)
{
    char *left = tri_vec_slot(v, type, a), *right = tri_vec_slot(v, type, b);
    size_t at = 0;
    for (; at + 8 <= type->size; at += 8) {
        uint64_t held, other;
        memcpy(&held, left + at, 8);
        memcpy(&other, right + at, 8);
        memcpy(left + at, &other, 8);
        memcpy(right + at, &held, 8);
    }
    for (; at < type->size; at++) {
        const char held = left[at];
        left[at] = right[at];
        right[at] = held;
    }
}

/* Panics unless start <= end <= len. */
void tri_check_range(size_t start, size_t end, size_t len);

/* Drop n values in index order. When one of the drops panics the rest are
 * dropped while it unwinds. */
void tri_drop_values(const tr_type *type, void *values, size_t n);

/*
 * Clone n values into uninitialised memory, from places `stride` bytes apart (0:
 * one value n times). On failure (the status is the clone's) and on a panic of
 * the clone the copies made so far are dropped.
 */
tr_status tri_clone_values(const tr_type *type, void *copies, const void *values, size_t stride,
                           size_t n);

/* Do the bytes, or the type's eq, say that the two are equal? */
static inline bool tri_values_eq(const tr_type *type, const void *a, const void *b)
{
    return type->eq != NULL ? type->eq(a, b) : type->size == 0 || memcmp(a, b, type->size) == 0;
}

/* FNV-1a over n bytes, going on from `hash`. */
static inline uint64_t tri_hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#define TRI_HASH_START UINT64_C(0xcbf29ce484222325)

#endif
