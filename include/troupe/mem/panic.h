/*
 * panic - a broken contract unwinds to the nearest boundary
 *
 *   tr_catch(f)            boundary: an actor's handler, a thread, a test
 *     f -> g -> h          tr_panic in h: the cleanups of h, g and f run
 *
 * A panic is for a bug: an index out of range, a lock of a poisoned invariant.
 * What can fail without a bug is a tr_status. Unwinding runs every
 * __attribute__((cleanup)) (TR_AUTO, guards) of every frame that was compiled
 * with -fexceptions, which troupe's pkg-config file asks for; as Rust's panics
 * with panic=unwind.
 *
 * A panic without a boundary prints its message and aborts. So does one that a
 * cleanup raises while a panic unwinds, with both messages, unless it is caught
 * inside of that cleanup (tr_catch in a destructor works, as in Rust).
 *
 * Between tr_panic and the boundary every frame must be C compiled with
 * -fexceptions, or C without cleanups (qsort, say), or C++. There destructors run; a
 * catch (...) must throw it on; one that does not, and a noexcept frame, abort.
 *
 * Threads  each thread has boundaries of its own; a panic never leaves its.
 * Memory   raising and catching allocate nothing.
 */
#ifndef TROUPE_MEM_PANIC_H
#define TROUPE_MEM_PANIC_H

#include <troupe/mem/status.h>

TR_BEGIN_DECLS

/* What a boundary is told. message is cut at its size. */
typedef struct tr_panic_info {
    char message[240];
    const char *file; /* static */
    int line;
} tr_panic_info;

/* Raise a panic with a printf message, without a newline. */
#define tr_panic(...) tr_panic_at(__FILE__, __LINE__, __VA_ARGS__)
TR_API TR_NORETURN void tr_panic_at(const char *file, int line, const char *format, ...) TR_PRINTF(3, 4);

/*
 * Call f(arg). TR_OK when it returned; TR_PANICKED when it panicked, then
 * *ret_info (may be NULL) says why. Boundaries nest. As std::panic::catch_unwind.
 */
TR_API TR_MUST_USE tr_status tr_catch(void (*f)(void *arg), void *arg, tr_panic_info *ret_info);

/* Is this thread unwinding? (as std::thread::panicking) What a guard asks when
 * it is dropped, to poison what it guards. */
TR_API bool tr_panicking(void);

/*
 * Called on the panicking thread before it unwinds (as std::panic::set_hook);
 * the default prints "thread panicked at FILE:LINE: MESSAGE" on standard error.
 * NULL restores the default. Set it at start. A hook that panics aborts. What
 * aborts prints its messages whatever the hook does.
 */
typedef void (*tr_panic_hook)(const tr_panic_info *info);
TR_API void tr_set_panic_hook(tr_panic_hook hook);

/* Always on: panics with the condition's text. */
#define TR_ASSERT(condition)                                                                       \
    (TR_LIKELY(condition) ? (void)0 : tr_panic("assertion failed: %s", #condition))

/* In checked builds (-Dchecked=true); elsewhere only its types are checked. */
#ifdef TR_CHECKED
#define TR_DCHECK(condition) TR_ASSERT(condition)
#else
#define TR_DCHECK(condition) ((void)sizeof((condition) ? 1 : 0))
#endif

/* For a status that cannot be anything but TR_OK here, and in examples: panics
 * with the call's text and the status. */
#define TR_MUST(call)                                                                              \
    ({                                                                                             \
        tr_status tr_must_ = (call);                                                               \
        if (TR_UNLIKELY(tr_must_ != TR_OK))                                                        \
            tr_panic("%s: %s", #call, tr_status_name(tr_must_));                                   \
    })

TR_END_DECLS

#endif
