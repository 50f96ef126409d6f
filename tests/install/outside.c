/*
 * outside - a program of somebody else: a panic must run the cleanups of its own
 * frames, which the flags of pkg-config have to arrange
 */
#include <stdio.h>

#include <troupe/troupe.h>

static int cleaned;

static void clean(int *counter)
{
    (void)counter;
    cleaned++;
}

static void fail(void *arg)
{
    __attribute__((cleanup(clean))) int guard = 0;
    (void)guard;
    tr_panic("wanted: %s", (const char *)arg);
}

static void say_nothing(const tr_panic_info *info)
{
    (void)info;
}

int main(void)
{
    tr_panic_info info;
    char reason[] = "a test";

    tr_set_panic_hook(say_nothing);
    if (tr_catch(fail, reason, &info) != TR_PANICKED || cleaned != 1) {
        printf("outside: the panic ran %d cleanups, 1 wanted\n", cleaned);
        return 1;
    }
    int *box = tr_box(int, 42);
    if (*box != 42)
        return 1;
    tr_drop(box);
    tr_system *system = tr_system_start(NULL);
    if (tr_system_stop(system, TR_SECONDS(10)) != TR_OK) {
        puts("outside: the system did not stop");
        return 1;
    }
    puts("outside: ok");
    return 0;
}
