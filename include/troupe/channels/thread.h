/*
 * thread - a thread whose panic is a result, and which can be parked
 *
 *     tr_thread *t;
 *     TR_MUST(tr_thread_spawn(count, &job, &t));
 *     ...
 *     void *value;
 *     tr_panic_info why;
 *     if (tr_thread_join(&t, &value, &why) == TR_PANICKED)
 *         fprintf(stderr, "%s\n", why.message);
 *
 * As std::thread. For what is not an actor: a blocking loop, a test, main's helper.
 *
 * A handle is an Arc: one more of it is tr_arc_clone(t), tr_drop(t) detaches. A
 * token belongs to each thread: park waits for it and takes it, unpark leaves it
 * (tokens do not add up). A thread that troupe did not start gets its handle when it
 * first asks for it, with tr_thread_current.
 *
 * Threads  any, any time; one handle is joined once.
 * Progress is_finished and unpark never wait.
 * Order    what was done before spawn is visible to the thread, what the thread
 *          did to who joined it or saw is_finished give true; before unpark, to
 *          who returns from park.
 * Memory   one block for each thread, alive as long as the thread or a handle.
 */
#ifndef TROUPE_CHANNELS_THREAD_H
#define TROUPE_CHANNELS_THREAD_H

#include <troupe/mem/arc.h>
#include <troupe/mem/panic.h>

TR_BEGIN_DECLS

typedef struct tr_thread tr_thread;

/*
 * Run f(arg) on a new thread. TR_OK: *ret_thread is a handle. TR_NOMEM, TR_LIMIT
 * (the system has no thread left): f does not run, arg is the caller's still.
 */
TR_API TR_MUST_USE tr_status tr_thread_spawn(void *(*f)(void *arg), void *arg,
                                             tr_thread **ret_thread);

/*
 * Wait for the thread's end and give up this handle; *thread is NULL then.
 * TR_OK: *ret_value is what f returned. TR_PANICKED: *ret_info says why. Either
 * may be NULL. A thread that joins itself, a second join and the handle of a
 * thread that was not spawned here panic.
 */
TR_API TR_MUST_USE tr_status tr_thread_join(tr_thread **thread, void **ret_value,
                                            tr_panic_info *ret_info);

/* Has f returned or panicked? Then join does not wait. */
TR_API bool tr_thread_is_finished(const tr_thread *thread);

/* A new handle of the calling thread. Out of memory: tr_out_of_memory. Not in
 * destructors of pthread keys. */
TR_API tr_thread *tr_thread_current(void);

/* Wait until somebody unparks the calling thread, and take the token. */
TR_API void tr_thread_park(void);

/* As tr_thread_park until deadline (absolute, as tr_now): TR_TIMEOUT, none taken. */
TR_API TR_MUST_USE tr_status tr_thread_park_until(uint64_t deadline);

/* Leave the token of that thread, whether it is parked, will be, or is gone. */
TR_API void tr_thread_unpark(tr_thread *thread);

TR_END_DECLS

#endif
