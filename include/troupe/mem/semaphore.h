/*
 * semaphore - a number of permits; who wants in takes one or waits
 *
 *     static tr_semaphore slots = TR_SEMAPHORE_INIT(5);
 *
 *     TR_PERMIT permit = { 0 };
 *     if (tr_semaphore_acquire(&slots, &permit) == TR_OK)
 *         ...                              at most 5 threads are here
 *                                          given back at the scope's end
 *
 * As tokio::sync::Semaphore, but it blocks the thread. A permit is given back
 * also when a panic unwinds; tr_permit_forget keeps it for good. Permits may be
 * added; closing sends all waiters away.
 *
 * Threads  any, any time; a permit may be given back by another thread.
 * Progress taking and giving back without waiters is lock-free; waiters sleep in
 *          the kernel, and all are woken when permits come. Not fair.
 * Order    what was done before a permit was given back is visible to who takes it.
 * Memory   4 bytes, none allocated. It must outlive its permits.
 */
#ifndef TROUPE_MEM_SEMAPHORE_H
#define TROUPE_MEM_SEMAPHORE_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/clock.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

typedef struct tr_semaphore {
    TR_ATOMIC(uint32_t) word_; /* permits, and two bits: see semaphore.c */
} tr_semaphore;

#define TR_SEMAPHORE_MOST ((uint32_t)0x3fffffff)

/* permits: TR_SEMAPHORE_MOST at most */
#define TR_SEMAPHORE_INIT(permits) { .word_ = TR_ATOMIC_INIT(permits) }

TR_TYPE(tr_semaphore)

/* The right that one permit gives; empty when zero. Moved, not copied. */
typedef struct tr_permit {
    tr_semaphore *semaphore_;
} tr_permit;

/* A tr_permit that is given back when its scope ends, however it ends. */
#define TR_PERMIT TR_UNUSED __attribute__((cleanup(tr_permit_drop))) tr_permit

/* Take a permit, if need be wait. TR_DISCONNECTED: closed, *ret_permit untouched.
 * *ret_permit must be empty before. */
TR_API TR_MUST_USE tr_status tr_semaphore_acquire(tr_semaphore *s, tr_permit *ret_permit);

/* As tr_semaphore_acquire, until deadline (absolute, as tr_now): TR_TIMEOUT. A
 * permit that is there is taken also when it is past. */
TR_API TR_MUST_USE tr_status tr_semaphore_acquire_until(tr_semaphore *s, uint64_t deadline,
                                                        tr_permit *ret_permit);

/* Never waits: TR_WOULD_BLOCK when there is no permit. */
TR_API TR_MUST_USE tr_status tr_semaphore_try_acquire(tr_semaphore *s, tr_permit *ret_permit);

/* Give the permit back; it is empty then, and an empty one is accepted. */
TR_API void tr_permit_drop(tr_permit *permit);

/* Keep the permit for good: the semaphore has one less. */
static inline void tr_permit_forget(tr_permit *permit)
{
    permit->semaphore_ = NULL;
}

/* n permits more; panics above TR_SEMAPHORE_MOST, and then adds none. */
TR_API void tr_semaphore_add(tr_semaphore *s, uint32_t n);

/* Permits that are there now; others may take them meanwhile. */
TR_API uint32_t tr_semaphore_available(const tr_semaphore *s);

/* No permit is taken from now on, and who waits is sent away; permits that are
 * out may be given back still. */
TR_API void tr_semaphore_close(tr_semaphore *s);

/* Was it closed? */
TR_API bool tr_semaphore_is_closed(const tr_semaphore *s);

TR_END_DECLS

#endif
