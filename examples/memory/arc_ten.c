/*
 * arc_ten - ten threads share one value; its last owner destroys it
 */
#include <stdio.h>
#include <troupe/channels/thread.h>
#include <troupe/mem/arc.h>

#define THREADS 10

typedef struct answer {
    int value;
} answer;

static void answer_drop(answer *a)
{
    printf("the answer %d ends\n", a->value);
}

TR_TYPE(answer, .drop = answer_drop)

static void *read_it(void *arg)
{
    TR_AUTO(answer) share = arg; /* given up at the end of the thread's function */
    return (void *)(intptr_t)share->value;
}

int main(void)
{
    TR_AUTO(answer) x = tr_arc(answer, .value = 5);
    tr_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        TR_MUST(tr_thread_spawn(read_it, tr_arc_clone(x), &threads[i]));

    int agreed = 0;
    for (int i = 0; i < THREADS; i++) {
        void *seen = NULL;
        TR_MUST(tr_thread_join(&threads[i], &seen, NULL));
        agreed += (int)(intptr_t)seen == x->value;
    }
    printf("%d of %d threads read %d\n", agreed, THREADS, x->value);
    printf("owners: %zu\n", tr_strong_count(x));
}
