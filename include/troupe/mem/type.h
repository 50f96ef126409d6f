/*
 * type - what the library must know of a C type, said once
 *
 *     typedef struct point { int x, y; } point;
 *     TR_TYPE(point)                                  plain data
 *
 *     typedef struct person { char *name; } person;
 *     static void person_drop(person *p) { free(p->name); }
 *     TR_TYPE(person, .drop = person_drop)            owns something
 *
 * A type is known by one word (a typedef), since the preprocessor must build
 * the name of its descriptor, tr_type_of_point. TR_TYPE may stand in a header:
 * the linker keeps one descriptor for the whole program.
 *
 * In C++ it stands in any namespace that has a name; T is trivially copyable.
 *
 * Scalar types in one word (int, char, bool, double, uint64_t ...) are described
 * already, in scalars.h.
 *
 * Threads  descriptors are constant: any.
 */
#ifndef TROUPE_MEM_TYPE_H
#define TROUPE_MEM_TYPE_H

#include <troupe/mem/status.h>

TR_BEGIN_DECLS

/*
 * What must not cross threads, as a negative impl of Rust's Send and Sync. A
 * type is free to do both unless it says otherwise.
 */
enum {
    TR_NOT_SEND = 1u << 0,  /* stays on the thread that made it */
    TR_NOT_SHARE = 1u << 1, /* used by one thread at a time */
};

typedef struct tr_type {
    const char *name;
    size_t size;
    size_t align;
    /* Destroy the value in place (not its block). NULL: nothing to do. */
    void (*drop)(void *value);
    /* Make *copy, uninitialised memory, a second value equal to *value. On
     * failure *copy is as uninitialised as before. NULL: a bytewise copy. */
    tr_status (*clone)(void *copy, const void *value);
    /* NULL: compare or hash the bytes. */
    bool (*eq)(const void *a, const void *b);
    uint64_t (*hash)(const void *value);
    uint32_t flags; /* TR_NOT_SEND, TR_NOT_SHARE */
} __attribute__((aligned(16))) tr_type;

/* May values of the type move to another thread? */
static inline bool tr_type_is_send(const tr_type *type)
{
    return (type->flags & TR_NOT_SEND) == 0;
}

/* May several threads use one value of the type at a time? */
static inline bool tr_type_is_share(const tr_type *type)
{
    return (type->flags & TR_NOT_SHARE) == 0;
}

/* The descriptor of a type that TR_TYPE described. */
#define tr_type_of(T) (&tr_type_of_##T.type)

/*
 * Describe the type T. Options are members of tr_type by name, but with T's own
 * pointer type, so that a function for another type does not compile:
 * .drop, .clone, .eq, .hash, .flags; in C++ in this order, as C++ wants it.
 *
 * The typed record and tr_type share one layout: object pointers have one
 * representation on every platform troupe runs on, and so has a pointer to a
 * function that takes one.
 */
#define TR_TYPE(T, ...)                                                                            \
    TR_BYTEWISE(T)                                                                                 \
    TR_SHARED_DATA const union tr_type_of_##T##_ {                                                 \
        struct {                                                                                   \
            const char *name;                                                                      \
            size_t size;                                                                           \
            size_t align;                                                                          \
            void (*drop)(T * value) TR_OPTIONAL;                                                   \
            tr_status (*clone)(T * copy, const T *value) TR_OPTIONAL;                              \
            bool (*eq)(const T *a, const T *b) TR_OPTIONAL;                                        \
            uint64_t (*hash)(const T *value) TR_OPTIONAL;                                          \
            uint32_t flags TR_OPTIONAL;                                                            \
        } typed;                                                                                   \
        tr_type type;                                                                              \
    } tr_type_of_##T = { .typed = { .name = #T, .size = TR_SIZEOF(T),                              \
                                     .align = TR_ALIGNOF(T), ##__VA_ARGS__ } };

TR_END_DECLS

#endif
