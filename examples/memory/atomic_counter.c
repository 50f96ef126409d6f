/*
 * atomic_counter - ten threads add to one counter without a lock
 */
#include <stdio.h>
#include <troupe/channels/thread.h>
#include <troupe/mem/arc.h>
#include <troupe/mem/atomic.h>

#define THREADS 10
#define ROUNDS 1000

typedef struct counter {
    TR_ATOMIC(size_t) n;
} counter;

TR_TYPE(counter)

static void *count(void *arg)
{
    TR_AUTO(counter) share = arg;
    for (int i = 0; i < ROUNDS; i++)
        tr_fetch_add_relaxed(&share->n, 1); /* relaxed: the sum is all that is asked for,
                                             * and the join brings it to main */
    return NULL;
}

int main(void)
{
    TR_AUTO(counter) total = tr_arc(counter, .n = TR_ATOMIC_INIT(0));
    tr_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        TR_MUST(tr_thread_spawn(count, tr_arc_clone(total), &threads[i]));
    for (int i = 0; i < THREADS; i++)
        TR_MUST(tr_thread_join(&threads[i], NULL, NULL));

    const size_t sum = tr_load_relaxed(&total->n); /* relaxed: nobody else is left */
    printf("%d threads, %d rounds each: %zu\n", THREADS, ROUNDS, sum);
}
