/*
 * shared - what the C and the C++ half of one program both see
 *
 *   from_cxx.cpp --tell, ask--> counter (shared.c)       C++ asks an actor of C
 *       |  shared_person()                               a Box made in C, dropped in C++
 *       '- tr_type_of(person) in both: one address
 */
#ifndef TROUPE_TESTS_FFI_SHARED_H
#define TROUPE_TESTS_FFI_SHARED_H

#include <troupe/troupe.h>

typedef struct person {
    char *name;
    int age;
} person;

struct chunk {
    char *bytes; /* malloc's */
};

TR_BEGIN_DECLS
void shared_person_drop(person *p);
void shared_chunk_drop(struct chunk *chunk);

/* How many of each were dropped since the start. */
int shared_persons_dropped(void);
int shared_chunks_dropped(void);

/* An Arc made in C, and whether C can upgrade a Weak made in C++. */
person *shared_person(const char *name);
bool shared_can_upgrade(tr_weak weak);

/* Descriptors as C sees them. */
const tr_type *shared_type_of_person(void);
const tr_type *shared_type_of_int(void);
const tr_type *shared_type_of_bool(void);
const tr_message_type *shared_type_of_read(void);

/* Calls f(arg) from a frame of C with a cleanup; how many cleanups have run. */
void shared_call(void (*f)(void *arg), void *arg);
int shared_cleanups(void);
TR_END_DECLS

TR_TYPE(person, .drop = shared_person_drop)
TR_CHANNEL(numbers, int)
TR_ONESHOT(answer, int)

struct add {
    uint64_t by;
};
struct nothing {
}; /* no bytes in C, one in C++ */
struct total {
    uint64_t n;
};

#define COUNTER(P, TELL, ASK)                                                                      \
    TELL(P, add, struct add)                                                                       \
    TELL(P, tick, struct nothing)                                                                  \
    TELL(P, chunk, struct chunk, .drop = shared_chunk_drop)                                        \
    ASK(P, read, struct nothing, struct total)
TR_PROTOCOL(counter, COUNTER)

#endif
