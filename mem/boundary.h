/*
 * boundary - where a panic lands; private to the library
 *
 *     worker loop                          the frame with the boundary: it stays
 *       tri_boundary_arm(&b)               0 now, non-zero whenever a panic lands
 *       actor_run -> handler -> ...        unwound, each cleanup run
 *                               tr_panic
 *
 * Arm one once at the top of a loop that calls code which may panic: it costs
 * nothing until a panic comes. tr_catch is the same around one call.
 *
 *     tri_boundary boundary;
 *     if (tri_boundary_arm(&boundary) != 0)
 *         fail_actor(worker, &boundary.info);       armed still
 *     while (...)
 *         run_next(worker);
 *     tri_boundary_disarm(&boundary);
 *
 * It is built on setjmp: what the arming function changes after it armed, and
 * reads after a panic, must not be a plain local variable (volatile, or a member
 * of a struct behind a pointer). The function must not return while armed.
 *
 * Threads  a boundary belongs to the thread that armed it.
 */
#ifndef TROUPE_MEM_BOUNDARY_H
#define TROUPE_MEM_BOUNDARY_H

#include <setjmp.h>
#include <unwind.h>

#include <troupe/mem/panic.h>

typedef struct tri_boundary tri_boundary;
struct tri_boundary {
    jmp_buf jump;
    tri_boundary *outer;
    uintptr_t frame;     /* an address inside of the frame that armed it */
    uintptr_t landing;   /* that frame's stack pointer: where to stop unwinding */
    bool unwinding;      /* a panic is on its way here */
    tr_panic_info info;  /* of the last panic that landed, or is on its way */
    struct _Unwind_Exception exception;
};

/*
 * Make b the innermost boundary of this thread. 0 when armed; then again, with
 * non-zero, each time a panic lands: b->info says which, and b is armed still.
 * A macro, since setjmp must be called in the frame that stays.
 */
#define tri_boundary_arm(b) (tri_boundary_push((b), __builtin_frame_address(0)), setjmp((b)->jump))

/* The end of b, which is the innermost; before its function returns. */
void tri_boundary_disarm(tri_boundary *b);

void tri_boundary_push(tri_boundary *b, const void *frame);

#endif
