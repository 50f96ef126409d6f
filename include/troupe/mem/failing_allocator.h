/*
 * failing_allocator - an allocator that says no at the request you name
 *
 *     tr_failing_allocator failing;
 *     tr_failing_allocator_init(&failing, NULL);
 *     for (uint64_t n = 1;; n++) {
 *         tr_failing_allocator_fail(&failing, n, 1);      the nth from now on
 *         ... do it, with &failing.base; assert that nothing leaks ...
 *         if (tr_failing_allocator_failed(&failing) == 0)
 *             break;                                      it never came to n
 *     }
 *
 * Use it in tests, in front of the allocator that would be used: the loop above
 * walks through every failure that a call can meet. alloc, alloc_zeroed and
 * realloc are one request each, a shrinking realloc too; dealloc always works.
 *
 * Threads  requests: any threads, any time; each is counted once. fail: no other
 *          thread allocates meanwhile, or it is unclear which request is the nth.
 * Progress wait-free, but for the allocator behind it.
 */
#ifndef TROUPE_MEM_FAILING_ALLOCATOR_H
#define TROUPE_MEM_FAILING_ALLOCATOR_H

#include <troupe/mem/allocator.h>

TR_BEGIN_DECLS

typedef struct tr_failing_allocator {
    tr_allocator base;
    tr_allocator *inner_;
    TR_ATOMIC(uint64_t) requests_; /* since fail */
    TR_ATOMIC(uint64_t) failed_;   /* of these */
    TR_ATOMIC(uint64_t) first_;    /* the first request to fail, from 1 */
    TR_ATOMIC(uint64_t) count_;    /* how many fail */
} tr_failing_allocator;

/* In the caller's memory, in front of inner (NULL: libc); nothing fails yet. Both
 * must outlive the blocks. Nothing to undo. */
TR_API void tr_failing_allocator_init(tr_failing_allocator *failing, tr_allocator *inner);

/* Count from 0 again: the nth request from now on (n from 1) and those behind it,
 * `count` in all, fail. UINT64_MAX: all of them from the nth on; 0: none. */
TR_API void tr_failing_allocator_fail(tr_failing_allocator *failing, uint64_t n, uint64_t count);

/* Requests since the last fail (or init), and how many of them failed. */
TR_API uint64_t tr_failing_allocator_requests(const tr_failing_allocator *failing);
TR_API uint64_t tr_failing_allocator_failed(const tr_failing_allocator *failing);

TR_END_DECLS

#endif
