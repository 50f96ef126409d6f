/*
 * waiter - the implementation that parks a thread
 *
 *   tr_thread_waiter { waiter.ops -> thread_ops, parker_ }
 *   wake --unpark--> parker_ --park--> wait_until
 *
 * 1. There is one wake for each wait (waiter.h), so the parker's promise holds:
 *    park returns after that unpark's last access, and the waiter may live on
 *    the stack of the thread that waits.
 * 2. wake reads the waiter before it unparks, never after.
 *
 * Edges: the parker's token.
 */
#include <troupe/channels/waiter.h>

static tr_thread_waiter *thread_waiter(tr_waiter *w)
{
    return (tr_thread_waiter *)w; /* its first member */
}

static void wake(tr_waiter *w)
{
    tr_parker_unpark(&thread_waiter(w)->parker_);
}

static tr_status wait_until(tr_waiter *w, uint64_t deadline)
{
    return tr_parker_park_until(&thread_waiter(w)->parker_, deadline);
}

static const tr_waiter_ops thread_ops = {
    .wake = wake,
    .wait_until = wait_until,
};

void tr_thread_waiter_init(tr_thread_waiter *tw)
{
    tw->waiter.ops = &thread_ops;
    tr_parker_init(&tw->parker_);
}

void tr_thread_waiter_fini(tr_thread_waiter *tw)
{
    tr_parker_fini(&tw->parker_);
}
