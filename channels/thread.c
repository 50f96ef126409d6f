/*
 * thread - a pthread, its result, its parker, and an Arc around them
 *
 *     spawn --> [ Arc: parker | value or info ] <-- handles
 *                     ^
 *                     '-- the thread's own share, in `current`
 *
 *  1. The thread holds one share until its end, so its block outlives park and
 *     run; a key's destructor drops it for threads that were not spawned here.
 *  2. The result is written by the thread before its end, and read after the one
 *     join, or not at all.
 *  3. `joined` is won once, by the join or by the last share's drop, which detaches:
 *     so the system's thread goes away exactly once, whoever is last, be it
 *     the thread itself.
 */
#include <troupe/channels/thread.h>

#include <errno.h>
#include <pthread.h>

#include <troupe/channels/parker.h>

struct tr_thread {
    tr_parker parker;
    pthread_t id;
    void *(*f)(void *arg); /* NULL: not spawned here */
    void *arg;
    TR_ATOMIC(bool) finished;
    TR_ATOMIC(bool) joined;
    tr_status status; /* the result */
    void *value;
    tr_panic_info info;
};

static void drop_thread(tr_thread *t)
{
    tr_parker_fini(&t->parker);
    /* relaxed: the last share; its drop has seen all the others' */
    if (t->f != NULL && !tr_load_relaxed(&t->joined))
        (void)pthread_detach(t->id);
}

TR_TYPE(tr_thread, .drop = drop_thread)

static _Thread_local tr_thread *current;
static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

/* -- threads that were not spawned here ------------------------------------------------ */

static void drop_share(void *share)
{
    tr_thread *t = share;
    current = NULL;
    tr_drop(t);
}

static void make_key(void)
{
    if (pthread_key_create(&at_exit, drop_share) != 0)
        tr_panic("no pthread key is left");
}

static tr_thread *adopt(void)
{
    tr_thread *t = tr_arc(tr_thread, .id = pthread_self());
    tr_parker_init(&t->parker);
    (void)pthread_once(&at_exit_once, make_key);
    if (pthread_setspecific(at_exit, t) != 0)
        tr_out_of_memory((tr_layout){ sizeof(tr_thread), _Alignof(tr_thread) });
    return current = t;
}

static tr_thread *self(void)
{
    return current != NULL ? current : adopt();
}

/* -- spawn and join ------------------------------------------------------------------------ */

static void run(void *arg)
{
    tr_thread *t = arg;
    t->value = t->f(t->arg);
}

/* Owns one share. */
static void *start(void *share)
{
    tr_thread *t = share;
    current = t;
    t->status = tr_catch(run, t, &t->info);
    /* edge thread-end (release): with tr_thread_is_finished; carries what f did */
    tr_store_release(&t->finished, true);
    current = NULL;
    tr_drop(t);
    return NULL;
}

tr_status tr_thread_spawn(void *(*f)(void *arg), void *arg, tr_thread **ret_thread)
{
    tr_thread *t = tr_try_arc(tr_thread, .f = f, .arg = arg);
    if (t == NULL)
        return TR_NOMEM;
    tr_parker_init(&t->parker);
    tr_thread *share = tr_arc_clone(t);
    const int error = pthread_create(&t->id, NULL, start, share);
    if (error == 0) {
        *ret_thread = t;
        return TR_OK;
    }
    t->f = NULL; /* nothing to detach */
    tr_drop(share);
    tr_drop(t);
    return error == ENOMEM ? TR_NOMEM : TR_LIMIT;
}

tr_status tr_thread_join(tr_thread **thread, void **ret_value, tr_panic_info *ret_info)
{
    tr_thread *t = *thread;
    if (t->f == NULL)
        tr_panic("a thread is joined that was not spawned with tr_thread_spawn");
    if (t == current)
        tr_panic("a thread joins itself");
    if (tr_swap_relaxed(&t->joined, true)) /* relaxed: who wins is all that matters */
        tr_panic("a thread is joined twice");
    (void)pthread_join(t->id, NULL);
    *thread = NULL;
    const tr_status status = t->status;
    if (status == TR_OK && ret_value != NULL)
        *ret_value = t->value;
    if (status != TR_OK && ret_info != NULL)
        *ret_info = t->info;
    tr_drop(t);
    return status;
}

bool tr_thread_is_finished(const tr_thread *thread)
{
    /* edge thread-end (acquire): with start; carries what the thread did */
    return tr_load_acquire(&thread->finished);
}

/* -- park ------------------------------------------------------------------------------------ */

tr_thread *tr_thread_current(void)
{
    return tr_arc_clone(self());
}

void tr_thread_park(void)
{
    tr_parker_park(&self()->parker);
}

tr_status tr_thread_park_until(uint64_t deadline)
{
    return tr_parker_park_until(&self()->parker, deadline);
}

void tr_thread_unpark(tr_thread *thread)
{
    tr_parker_unpark(&thread->parker);
}
