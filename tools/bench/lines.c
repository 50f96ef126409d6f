/*
 * lines - what two processors pay for memory that both use: the constants that
 * docs/scaling.md calculates with
 *
 *     cc -O2 -pthread -Iinclude tools/bench/lines.c -o /tmp/lines && /tmp/lines
 *
 *   own       a locked addition to a line that nobody else has
 *   contended two processors add to one line: time for each addition
 *   walked    a locked read of a line that another processor wrote last, one of 64
 *   looked    a plain read of such lines, one of 64
 *   wake      waking a thread that sleeps: what the waker pays, and until it runs
 *
 * Medians of 15 rounds, the least and the most. Threads are bound to the first two
 * processors. In a virtual machine these are at times two halves of one core and at
 * times two cores apart: `walked` tells which.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <troupe/mem/atomic.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15
#define OPS 1000000u
#define LINES 64u

typedef struct line {
    _Alignas(128) TR_ATOMIC(uint64_t) word;
} line;

static line shared, lines[LINES];
static line arrived;
static sem_t bed;
static TR_ATOMIC(uint64_t) woken_at;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void bind_to(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("lines: two processors are needed");
}

/* Both are here, and awake: nobody sleeps at a barrier, as that costs more than
 * what is measured. n: how many times they have met before. */
static void meet(uint64_t *n)
{
    *n += 2;
    /* edge meet (acq_rel): with itself and the load below; what was done before meeting */
    tr_fetch_add_acq_rel(&arrived.word, 1);
    /* edge meet (acquire): with the addition above */
    while (tr_load_acquire(&arrived.word) < *n)
        tr_cpu_relax();
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, double *rounds)
{
    qsort(rounds, ROUNDS, sizeof *rounds, compare);
    printf("%-10s %9.1f ns   %.1f to %.1f\n", name, rounds[ROUNDS / 2], rounds[0],
           rounds[ROUNDS - 1]);
}

static void add_all(void)
{
    for (unsigned i = 0; i < OPS; i++)
        /* relaxed: only its price matters */
        tr_fetch_add_relaxed(&shared.word, 1);
}

static void write_lines(void)
{
    for (unsigned i = 0; i < LINES; i++)
        /* relaxed: as above */
        tr_fetch_add_relaxed(&lines[i].word, 1);
}

/* The second processor: takes part in each round as the first one expects. */
static void *second(void *arg)
{
    uint64_t met = 0;
    bind_to(1);
    for (unsigned r = 0; r < ROUNDS; r++) {
        meet(&met);
        add_all();
        meet(&met);
        for (unsigned twice = 0; twice < 2; twice++) {
            write_lines();
            meet(&met);
            meet(&met);
        }
        while (sem_wait(&bed) != 0)
            continue;
        /* edge woken (release): with main; the time in it is all there is */
        tr_store_release(&woken_at, (uint64_t)now());
    }
    return arg;
}

int main(void)
{
    double own[ROUNDS], contended[ROUNDS], walked[ROUNDS], looked[ROUNDS];
    double wake[ROUNDS], until[ROUNDS];
    pthread_t thread;
    uint64_t met = 0;
    bind_to(0);
    sem_init(&bed, 0, 0);
    pthread_create(&thread, NULL, second, NULL);
    for (unsigned r = 0; r < ROUNDS; r++) {
        double started = now();
        add_all();
        own[r] = (now() - started) / OPS;
        meet(&met);
        started = now();
        add_all();
        meet(&met);
        contended[r] = (now() - started) / (2.0 * OPS);

        meet(&met);
        started = now();
        for (unsigned i = 0; i < LINES; i++)
            /* relaxed: as above */
            tr_fetch_add_relaxed(&lines[i].word, 0);
        walked[r] = (now() - started) / LINES;
        meet(&met);
        meet(&met);
        started = now();
        uint64_t sum = 0;
        for (unsigned i = 0; i < LINES; i++)
            /* relaxed: as above */
            sum += tr_load_relaxed(&lines[i].word);
        looked[r] = (now() - started) / LINES + (sum == 1 ? 1 : 0);
        meet(&met);

        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL); /* it is asleep by then */
        started = now();
        sem_post(&bed);
        wake[r] = now() - started;
        uint64_t at;
        /* edge woken (acquire): with second */
        while ((at = tr_load_acquire(&woken_at)) == 0)
            tr_cpu_relax();
        until[r] = (double)at - started;
        /* relaxed: it is written again only after the next meeting */
        tr_store_relaxed(&woken_at, 0);
    }
    pthread_join(thread, NULL);
    report("own", own);
    report("contended", contended);
    report("walked", walked);
    report("looked", looked);
    report("wake", wake);
    report("until", until);
    return 0;
}
