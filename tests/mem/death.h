/*
 * death - run what must end the process in a process of its own
 *
 *     char text[1024];
 *     assert_true(death_by_abort(call_that_aborts, text, sizeof text));
 *     assert_non_null(strstr(text, "what it said"));
 *
 * Threads  call it while the program has no other thread: it forks.
 */
#ifndef TROUPE_TESTS_MEM_DEATH_H
#define TROUPE_TESTS_MEM_DEATH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void death_read_all(int descriptor, char *text, size_t size)
{
    size_t used = 0;
    char spill[256];
    for (;;) {
        const bool full = used + 1 >= size;
        const ssize_t n = full ? read(descriptor, spill, sizeof spill)
                               : read(descriptor, text + used, size - 1 - used);
        if (n <= 0)
            break;
        if (!full)
            used += (size_t)n;
    }
    text[used] = '\0';
}

/* Did f end its process by SIGABRT? text: what it wrote on standard error. */
static inline bool death_by_abort(void (*f)(void), char *text, size_t size)
{
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit no_core = { 0, 0 };
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], STDERR_FILENO);
        f();
        _exit(0);
    }
    (void)close(ends[1]);
    death_read_all(ends[0], text, size);
    (void)close(ends[0]);
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

#endif
