/*
 * planted - a bug that ThreadSanitizer must report, beside the same program
 *           without it
 *
 *     ./planted_kept wrong     reported (exit code of the sanitizer)
 *     ./planted_kept right     silent, exit 0
 *
 * The two threads take their steps in a fixed order, through a word that is
 * only ever accessed relaxed: the tool sees no order in it, so it has to find
 * the bug by what the library tells it, and finds it in every schedule.
 */
#ifndef TROUPE_TESTS_MEM_PLANTED_H
#define TROUPE_TESTS_MEM_PLANTED_H

#include <troupe/mem/atomic.h>

#include "mem/rcu.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
    int payload;
    tri_rcu_head rcu;
};

TR_UNUSED static TR_ATOMIC(struct node *) cell;
static TR_ATOMIC(int) step;
static TR_ATOMIC(int) sum; /* what was read goes here, so that it is read */

static void step_reached(int n)
{
    tr_store_relaxed(&step, n); /* relaxed: see above */
}

static void step_await(int n)
{
    while (tr_load_relaxed(&step) < n) /* relaxed: see above */
        sched_yield();
}

TR_UNUSED static struct node *new_node(void)
{
    struct node *n = calloc(1, sizeof *n);

    if (n == NULL)
        abort();
    return n;
}

TR_UNUSED static void use(const struct node *n)
{
    tr_fetch_add_relaxed(&sum, n->payload); /* relaxed: nobody looks */
}

/* Run both sides; what main returns. */
static int planted_run(int argc, char **argv, void *(*reader)(void *wrong), void (*writer)(bool wrong))
{
    pthread_t thread;

    if (argc != 2 || (strcmp(argv[1], "right") != 0 && strcmp(argv[1], "wrong") != 0)) {
        fprintf(stderr, "usage: %s right|wrong\n", argv[0]);
        return 2;
    }
    bool wrong = strcmp(argv[1], "wrong") == 0;
    if (pthread_create(&thread, NULL, reader, wrong ? argv : NULL) != 0)
        return 2;
    writer(wrong);
    pthread_join(thread, NULL);
    return 0;
}

#endif
