/*
 * shared - the half of the mixed program that is written in C
 */
#include "shared.h"

#include <stdlib.h>
#include <string.h>

static TR_ATOMIC(int) persons_dropped;
static TR_ATOMIC(int) chunks_dropped;
static int cleanups;

void shared_person_drop(person *p)
{
    free(p->name);
    tr_fetch_add_relaxed(&persons_dropped, 1); /* relaxed: a count */
}

void shared_chunk_drop(struct chunk *chunk)
{
    free(chunk->bytes);
    tr_fetch_add_relaxed(&chunks_dropped, 1); /* relaxed: a count, read after the join */
}

int shared_persons_dropped(void)
{
    return tr_load_relaxed(&persons_dropped); /* relaxed: on the thread that dropped */
}

int shared_chunks_dropped(void)
{
    return tr_load_relaxed(&chunks_dropped); /* relaxed: the system has stopped */
}

person *shared_person(const char *name)
{
    return tr_arc(person, .name = strdup(name), .age = 41);
}

bool shared_can_upgrade(tr_weak weak)
{
    TR_AUTO(person) p = tr_upgrade(person, weak);
    return p != NULL;
}

const tr_type *shared_type_of_person(void)
{
    return tr_type_of(person);
}

const tr_type *shared_type_of_int(void)
{
    return tr_type_of(int);
}

const tr_type *shared_type_of_bool(void)
{
    return tr_type_of(bool);
}

const tr_message_type *shared_type_of_read(void)
{
    return &counter_message_read_.type;
}

static void clean(int *guard)
{
    cleanups += *guard;
}

void shared_call(void (*f)(void *arg), void *arg)
{
    __attribute__((cleanup(clean))) int guard = 1;
    f(arg);
    guard = 1;
}

int shared_cleanups(void)
{
    return cleanups;
}

/* -- the actor ------------------------------------------------------------------- */

struct counter {
    uint64_t n;
};

static void counter_on_add(tr_ctx *ctx, struct counter *self, struct add *m)
{
    (void)ctx;
    self->n += m->by;
}

static void counter_on_tick(tr_ctx *ctx, struct counter *self, struct nothing *m)
{
    (void)ctx, (void)m;
    self->n++;
}

static void counter_on_chunk(tr_ctx *ctx, struct counter *self, struct chunk *m)
{
    (void)ctx;
    self->n += strlen(m->bytes);
}

static void counter_on_read(tr_ctx *ctx, struct counter *self, struct nothing *m,
                            counter_read_reply reply)
{
    (void)ctx, (void)m;
    counter_read_answer(reply, (struct total){ self->n });
}

TR_ACTOR(counter, COUNTER)
