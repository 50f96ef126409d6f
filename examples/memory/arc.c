/*
 * arc - one value with owners on several threads
 *
 *     main ------.
 *     thread 1 ---> | 3 owners | 5 |
 *     thread 2 --'
 */
#include <stdio.h>
#include <troupe/channels/thread.h>
#include <troupe/mem/arc.h>
#include <troupe/mem/scalars.h>

/* Owns the share it is given. What it read it leaves to main to print, since
 * nobody says which of two threads prints first. */
static void *read_it(void *arg)
{
    TR_AUTO(int) share = arg;
    return (void *)(intptr_t)*share;
}

int main(void)
{
    TR_AUTO(int) a = tr_arc(int, 5);
    tr_thread *threads[2];
    for (int i = 0; i < 2; i++)
        TR_MUST(tr_thread_spawn(read_it, tr_arc_clone(a), &threads[i]));

    for (int i = 0; i < 2; i++) {
        void *seen = NULL;
        TR_MUST(tr_thread_join(&threads[i], &seen, NULL));
        printf("thread %d: a = %d\n", i + 1, (int)(intptr_t)seen);
    }
    printf("main: a = %d, owners: %zu\n", *a, tr_strong_count(a));
}
