/*
 * mutex_counter - ten threads change a value of several parts, one at a time
 *
 * The value lies inside of the mutex: there is no way to it but a guard.
 */
#include <stdio.h>
#include <troupe/channels/thread.h>
#include <troupe/mem/arc.h>
#include <troupe/mem/mutex.h>

#define THREADS 10

typedef struct tally {
    unsigned count;
    unsigned doubled; /* always twice as much */
} tally;

TR_TYPE(tally)
TR_MUTEX(tally)

static void *add_one(void *arg)
{
    TR_AUTO(tally_mutex) share = arg;
    TR_GUARD(tally_mutex_guard) g = tr_lock(share);
    g.value->count++;
    g.value->doubled += 2;
    return NULL;
} /* unlocked, then the share is given up: last in, first out */

int main(void)
{
    TR_AUTO(tally_mutex) data = tr_arc(tally_mutex, TR_MUTEX_OF(tally, .count = 0));
    tr_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        TR_MUST(tr_thread_spawn(add_one, tr_arc_clone(data), &threads[i]));
    for (int i = 0; i < THREADS; i++)
        TR_MUST(tr_thread_join(&threads[i], NULL, NULL));

    TR_GUARD(tally_mutex_guard) g = tr_lock(data);
    printf("final value: %u, doubled: %u\n", g.value->count, g.value->doubled);
}
