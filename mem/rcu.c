/*
 * rcu - registration, grace periods, deferred calls
 *
 *   thread ends --key destructor--> leave()           liburcu forgets the thread
 *   first call  --once--> start_helper() --creates--> helper: adopt(), f(), f() ..
 *
 * 1. registered is true exactly while liburcu has this thread in its list. The
 *    list holds thread-local memory, so a guest must leave it before its thread
 *    is gone: the key is set before the thread registers.
 * 2. The helper thread is in liburcu's list and online while it runs callbacks.
 *    adopt() is the first of them and makes tri_rcu_self_ say so; otherwise a
 *    callback that enters would register the thread a second time.
 * 3. The helper is started with all signals blocked: it inherits the mask, and
 *    a handler of the program must not run on a thread the program does not know.
 *
 * Edges: those of liburcu's grace periods, see the header; nothing here adds any.
 */
#include "mem/rcu.h"

#include <pthread.h>
#include <signal.h>

__attribute__((visibility("hidden"), tls_model("initial-exec"))) _Thread_local tri_rcu_self
    tri_rcu_self_;

/* -- registration ------------------------------------------------------------------- */

static pthread_once_t guest_once = PTHREAD_ONCE_INIT;
static pthread_key_t guest_key;

void tri_rcu_register(void)
{
    TR_ASSERT(tri_rcu_self_.online == 0);
    if (!tri_rcu_self_.registered) {
        urcu_qsbr_register_thread(); /* leaves it online */
        tri_model_open();
        tri_rcu_self_ = (tri_rcu_self){ .online = 1, .registered = true };
    } else { /* it was a guest before */
        tri_rcu_online();
    }
}

void tri_rcu_unregister(void)
{
    TR_ASSERT(tri_rcu_self_.registered && tri_rcu_self_.online <= 1);
    if (tri_rcu_is_online())
        tri_rcu_offline();
    urcu_qsbr_unregister_thread();
    tri_rcu_self_.registered = false;
}

/* Runs when a guest's thread ends; it may have become a worker and left since. */
static void leave(void *unused)
{
    (void)unused;
    if (tri_rcu_self_.registered)
        tri_rcu_unregister();
}

static void create_guest_key(void)
{
    TR_ASSERT(pthread_key_create(&guest_key, leave) == 0);
}

void tri_rcu_register_guest(void)
{
    TR_ASSERT(pthread_once(&guest_once, create_guest_key) == 0);
    TR_ASSERT(pthread_setspecific(guest_key, &guest_key) == 0); /* any non-NULL value: 1. */
    tri_rcu_register();
    tri_rcu_offline();
}

/* -- grace periods ------------------------------------------------------------------ */

void tri_rcu_synchronize(void)
{
    bool online = tri_rcu_is_online();

    TR_DCHECK(tri_rcu_self_.online <= 1);
    if (online)
        tri_model_close();
    unsigned long period = tri_model_begin();
    urcu_qsbr_synchronize_rcu(); /* takes an online caller offline meanwhile */
    tri_model_end(period);
    if (online)
        tri_model_open();
}

/* -- deferred calls ----------------------------------------------------------------- */

static pthread_once_t helper_once = PTHREAD_ONCE_INIT;
static struct rcu_head adopt_head;

/* On the helper thread, before every other callback (the queue is FIFO). */
static void adopt(struct rcu_head *head)
{
    (void)head;
    tri_rcu_self_ = (tri_rcu_self){ .online = 1, .registered = true };
}

static void start_helper(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    urcu_qsbr_call_rcu(&adopt_head, adopt);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void tri_rcu_start_helper(void)
{
    TR_ASSERT(pthread_once(&helper_once, start_helper) == 0);
}

#ifdef TRI_RCU_MODEL
static void run(struct rcu_head *urcu)
{
    tri_rcu_head *head = caa_container_of(urcu, tri_rcu_head, urcu);

    tri_model_call_begin(head);
    tri_model_end(head->period);
    tri_model_open();
    head->f(head);
    tri_model_close();
    tri_model_call_end();
}

void tri_rcu_call(tri_rcu_head *head, void (*f)(tri_rcu_head *head))
{
    tri_rcu_start_helper();
    head->f = f;
    head->period = tri_model_begin();
    tri_model_call(head);
    urcu_qsbr_call_rcu(&head->urcu, run);
}
#else
void tri_rcu_call(tri_rcu_head *head, void (*f)(tri_rcu_head *head))
{
    tri_rcu_start_helper();
    urcu_qsbr_call_rcu(head, f);
}
#endif

void tri_rcu_barrier(void)
{
    bool online = tri_rcu_is_online();

    TR_DCHECK(tri_rcu_self_.online <= 1);
    if (online)
        tri_model_close();
    tri_model_barrier_begin();
    urcu_qsbr_barrier();
    tri_model_barrier_end();
    if (online)
        tri_model_open();
}
