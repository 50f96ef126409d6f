/*
 * layout_print - what a struct looks like in memory, as text
 *
 *     struct message { char kind; uint64_t id; uint16_t flags; };
 *     tr_layout_print(stdout, TR_RECORD(struct message, kind, id, flags));
 *
 *     struct message: 24 bytes, aligned to 8
 *       offset   size  member
 *            0      1  kind
 *            1      7  (hole)
 *            8      8  id
 *           16      2  flags
 *           18      6  (padding)
 *     11 bytes in members, 13 in holes and padding
 *
 * Use it to see what the order of members costs; sorted by falling alignment a
 * struct has no holes. What is not named is shown as a hole. A part of a member
 * may be named, as in offsetof: TR_RECORD(struct line, from.x, from.y, to). Of
 * members that overlap (a union's) each is shown. Bit-fields have no offset.
 *
 * Threads any. Progress O(n^2) for n members. Memory: none; the stream's.
 */
#ifndef TROUPE_MEM_LAYOUT_PRINT_H
#define TROUPE_MEM_LAYOUT_PRINT_H

#include <stdio.h>

#include <troupe/mem/layout.h>

TR_BEGIN_DECLS

typedef struct tr_member {
    const char *name;
    size_t offset;
    size_t size;
} tr_member;

typedef struct tr_record {
    const char *name;
    tr_layout layout;
    const tr_member *members; /* in any order */
    size_t member_count;
} tr_record;

/* Write it to the stream, as in the picture above. TR_IO: the stream refused. */
TR_API TR_MUST_USE tr_status tr_layout_print(FILE *stream, tr_record record);

/* Bytes that belong to no named member: holes and padding at the end. */
TR_API size_t tr_layout_wasted(tr_record record);

/* The record of a C type: 1 to 16 of its members by name. It lives as long as the
 * block it stands in. C only: C++ has no array that lives so. */
#define TR_RECORD(T, ...)                                                                          \
    ((tr_record){                                                                                  \
        .name = #T,                                                                                \
        .layout = tr_layout_of(T),                                                                 \
        .members = (const tr_member[]){ TR_MEMBERS_(T, __VA_ARGS__) },                             \
        .member_count =                                                                            \
            sizeof((const tr_member[]){ TR_MEMBERS_(T, __VA_ARGS__) }) / sizeof(tr_member),        \
    })

/* The rest makes the list: TR_MEMBERS_3_(T, a, b, c) is a's entry, then TR_MEMBERS_2_(T, b, c). */
#define TR_MEMBER_(T, m)                                                                           \
    {                                                                                              \
        .name = #m, .offset = offsetof(T, m), .size = sizeof(((T *)0)->m)                          \
    }

#define TR_MEMBERS_(T, ...)                                                                        \
    TR_MEMBERS_N_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)           \
    (T, __VA_ARGS__)
#define TR_MEMBERS_N_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, count, ...)                  \
    TR_MEMBERS_##count##_
#define TR_MEMBERS_1_(T, m) TR_MEMBER_(T, m)
#define TR_MEMBERS_2_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_1_(T, __VA_ARGS__)
#define TR_MEMBERS_3_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_2_(T, __VA_ARGS__)
#define TR_MEMBERS_4_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_3_(T, __VA_ARGS__)
#define TR_MEMBERS_5_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_4_(T, __VA_ARGS__)
#define TR_MEMBERS_6_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_5_(T, __VA_ARGS__)
#define TR_MEMBERS_7_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_6_(T, __VA_ARGS__)
#define TR_MEMBERS_8_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_7_(T, __VA_ARGS__)
#define TR_MEMBERS_9_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_8_(T, __VA_ARGS__)
#define TR_MEMBERS_10_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_9_(T, __VA_ARGS__)
#define TR_MEMBERS_11_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_10_(T, __VA_ARGS__)
#define TR_MEMBERS_12_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_11_(T, __VA_ARGS__)
#define TR_MEMBERS_13_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_12_(T, __VA_ARGS__)
#define TR_MEMBERS_14_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_13_(T, __VA_ARGS__)
#define TR_MEMBERS_15_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_14_(T, __VA_ARGS__)
#define TR_MEMBERS_16_(T, m, ...) TR_MEMBER_(T, m), TR_MEMBERS_15_(T, __VA_ARGS__)

TR_END_DECLS

#endif
