/*
 * call_once - a function that runs once, whoever comes first
 *
 *     static tr_once once = TR_ONCE_INIT;
 *     tr_once_call(&once, load_tables, NULL);       from any number of threads
 *
 * As std::sync::Once: each call returns when the function has finished, whoever
 * ran it. If it panics the once is poisoned: that call panics on, and so does
 * each later one, until tr_once_call_force runs a function to its end.
 *
 * Threads  any, any time. A function that calls its own once panics.
 * Progress a finished once costs one load. Who comes meanwhile sleeps.
 * Order    what the function did is visible to all whose call has returned, and
 *          to who saw tr_once_is_completed give true.
 * Memory   16 bytes, none allocated.
 */
#ifndef TROUPE_MEM_CALL_ONCE_H
#define TROUPE_MEM_CALL_ONCE_H

#include <troupe/mem/atomic.h>
#include <troupe/mem/panic.h>
#include <troupe/mem/type.h>

TR_BEGIN_DECLS

typedef struct tr_once {
    TR_ATOMIC(uint32_t) state_;
    TR_ATOMIC(const void *) runner_; /* the thread that runs the function now */
} tr_once;

TR_TYPE(tr_once)

#define TR_ONCE_INIT { .state_ = TR_ATOMIC_INIT(0) }

/* Run f(arg), unless that has been done; panics when the once is poisoned. */
TR_API void tr_once_call(tr_once *once, void (*f)(void *arg), void *arg);

/* As tr_once_call, also on a poisoned once; f is told whether it was. When f
 * returns the once is completed and poisoned no more. */
TR_API void tr_once_call_force(tr_once *once, void (*f)(void *arg, bool poisoned), void *arg);

/* Wait until some call has completed it; panics when it is poisoned. */
TR_API void tr_once_wait(tr_once *once);

/* Has a function run to its end? */
TR_API bool tr_once_is_completed(const tr_once *once);

/* Did the last function panic? */
TR_API bool tr_once_is_poisoned(const tr_once *once);

TR_END_DECLS

#endif
