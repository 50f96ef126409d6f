/*
 * panic - raising, unwinding and landing
 *
 *     tr_panic_at          says why, calls the hook
 *       find_landing       walks the frames up to the boundary's; changes nothing
 *       unwind             walks them again and runs their cleanups, as
 *         |                pthread_cancel does (_Unwind_ForcedUnwind)
 *         '-- stop         asked at each frame: is it the boundary's? then longjmp
 *
 * Invariants
 *  1. `innermost` heads this thread's chain of armed boundaries; their frames
 *     are live and each lies below its outer's on the stack.
 *  2. A boundary is `unwinding` from the raise until the landing; a panic that
 *     finds its boundary unwinding comes from a cleanup (or from the hook).
 *  3. `panicking` counts the boundaries of the chain that are unwinding: above 1
 *     when a cleanup has caught a panic of its own on the way.
 *
 * Why two walks: the boundary's own frame must not be unwound, it goes on. A
 * frame is recognised by its stack pointer, which cannot be known when the
 * boundary is armed (it moves until the call that panics); the first walk finds
 * it as the last one at or below an address inside of that frame.
 *
 * Edges: no boundary, or a panic on its way to the same boundary: print all that
 * is known and abort. So does a boundary whose function returned without
 * disarming it, as far as the stack shows it (other frames may lie there now).
 * Nothing here allocates: messages are built on the stack and written straight
 * to standard error, the unwinder's record is in the boundary, and the
 * thread-local variables are in the thread's static block.
 */
#include "mem/boundary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <troupe/mem/atomic.h>

/* initial-exec: never allocated at first use, as dynamic ones may be. */
#define THREAD_STATIC static _Thread_local __attribute__((tls_model("initial-exec")))

THREAD_STATIC tri_boundary *innermost;
THREAD_STATIC unsigned panicking;
THREAD_STATIC const tr_panic_info *reporting; /* while the hook runs without a boundary */

static TR_ATOMIC(tr_panic_hook) installed_hook = TR_ATOMIC_INIT(NULL);

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif

/* The frames between here and the boundary end without returning: their red
 * zones must not be taken for those of what is called from now on. */
#ifdef UNDER_ASAN
void __asan_handle_no_return(void);
#define stack_ends_here() __asan_handle_no_return()
#else
#define stack_ends_here() ((void)0)
#endif

/* -- messages ------------------------------------------------------------- */

/* One write for one line, so that two threads' lines do not mix. */
static void print(const char *before, const tr_panic_info *info)
{
    char line[sizeof info->message + 512];
    int n = snprintf(line, sizeof line, "%s at %s:%d: %s\n", before, info->file, info->line,
                     info->message);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof line) {
        n = (int)sizeof line - 1;
        line[n - 1] = '\n';
    }
    (void)!write(STDERR_FILENO, line, (size_t)n);
}

static void report(const tr_panic_info *info)
{
    print("thread panicked", info);
}

static tr_panic_hook load_hook(void)
{
    /* edge panic-hook (acquire): with tr_set_panic_hook; carries what it uses. */
    const tr_panic_hook hook = tr_load_acquire(&installed_hook);
    return hook != NULL ? hook : report;
}

/* info: what has not been said for sure; a hook of the user's may be silent. */
static TR_NORETURN void die(const tr_panic_info *info, const char *why)
{
    report(info);
    (void)!write(STDERR_FILENO, why, strlen(why));
    abort();
}

static TR_NORETURN void die_of_second(const tr_panic_info *second, const tr_panic_info *first)
{
    print("while the thread unwound from the panic", first);
    die(second, "a panic while panicking: aborting\n");
}

static TR_NORETURN void die_without_boundary(const tr_panic_info *info)
{
    if (reporting != NULL)
        die_of_second(info, reporting);
    reporting = info;
    const tr_panic_hook hook = load_hook();
    if (hook != report)
        hook(info);
    die(info, "no boundary to catch the panic: aborting\n");
}

/* -- boundaries ----------------------------------------------------------- */

void tri_boundary_push(tri_boundary *b, const void *frame)
{
    b->outer = innermost;
    b->frame = (uintptr_t)frame;
    b->landing = 0;
    b->unwinding = false;
    innermost = b;
}

void tri_boundary_disarm(tri_boundary *b)
{
    innermost = b->outer;
}

/* -- unwinding ------------------------------------------------------------ */

/* Where the boundary's frame is: `landing` follows the walk up to it. */
struct search {
    uintptr_t frame;
    uintptr_t landing;
};

/* Despite its name _Unwind_GetCFA gives the stack pointer of the frame asked
 * about, at its current call. They grow from callee to caller. */
static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
    struct search *search = arg;
    const uintptr_t stack_pointer = (uintptr_t)_Unwind_GetCFA(context);
    if (stack_pointer > search->frame)
        return _URC_END_OF_STACK; /* a caller of the boundary's frame */
    search->landing = stack_pointer;
    return _URC_NO_REASON;
}

/* 0: the boundary's frame is not on this stack. */
static uintptr_t find_landing(const tri_boundary *b)
{
    struct search search = { .frame = b->frame };
    (void)_Unwind_Backtrace(look, &search);
    return search.landing;
}

static TR_NORETURN void land(tri_boundary *b)
{
    b->unwinding = false;
    panicking--;
    longjmp(b->jump, 1);
}

static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
                                struct _Unwind_Exception *exception,
                                struct _Unwind_Context *context, void *arg)
{
    (void)version;
    (void)class;
    (void)exception;
    tri_boundary *b = arg;
    if ((uintptr_t)_Unwind_GetCFA(context) == b->landing)
        land(b);
    if ((actions & _UA_END_OF_STACK) != 0)
        die(&b->info, "a panic lost its boundary: aborting\n");
    return _URC_NO_REASON;
}

/* A catch (...) of C++ that does not throw it on would go on with its boundary
 * taken for unwinding for ever. */
static void swallowed(_Unwind_Reason_Code reason, struct _Unwind_Exception *exception)
{
    (void)reason;
    const tri_boundary *b =
        (const tri_boundary *)((const char *)exception - offsetof(tri_boundary, exception));
    die(&b->info, "a C++ catch (...) ended the panic instead of throwing it on: aborting\n");
}

static TR_NORETURN void unwind(tri_boundary *b)
{
    b->landing = find_landing(b);
    if (b->landing == 0)
        die(&b->info, "the panic's boundary has returned without being disarmed: aborting\n");
    memset(&b->exception, 0, sizeof b->exception);
    b->exception.exception_cleanup = swallowed;
    stack_ends_here();
    (void)_Unwind_ForcedUnwind(&b->exception, stop, b);
    die(&b->info, "the stack cannot be unwound: aborting\n");
}

/* -- public --------------------------------------------------------------- */

void tr_panic_at(const char *file, int line, const char *format, ...)
{
    tr_panic_info info = { .file = file, .line = line };
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(info.message, sizeof info.message, format, arguments);
    va_end(arguments);

    tri_boundary *b = innermost;
    if (b == NULL)
        die_without_boundary(&info);
    if (b->unwinding)
        die_of_second(&info, &b->info);
    b->info = info;
    b->unwinding = true;
    panicking++;
    load_hook()(&b->info);
    unwind(b);
}

tr_status tr_catch(void (*f)(void *arg), void *arg, tr_panic_info *ret_info)
{
    /* The cleanup also serves a thread that is cancelled or exits inside of f,
     * and a C++ exception that passes through. */
    __attribute__((cleanup(tri_boundary_disarm))) tri_boundary boundary;
    if (tri_boundary_arm(&boundary) == 0) {
        f(arg);
        return TR_OK;
    }
    if (ret_info != NULL)
        *ret_info = boundary.info;
    return TR_PANICKED;
}

bool tr_panicking(void)
{
    return panicking != 0;
}

void tr_set_panic_hook(tr_panic_hook hook)
{
    /* edge panic-hook (release): with load_hook; carries what the hook uses. */
    tr_store_release(&installed_hook, hook);
}
