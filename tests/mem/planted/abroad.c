/*
 * abroad - wrong: an Rc is cloned and dropped on two threads
 *
 *   main    [right: join] clone, drop
 *   helper  clone, drop
 *
 * Both variants break rc.h's rule; the right one is in order all the same, so the
 * tool has nothing to report. Not in checked builds: there both panic.
 */
#include <pthread.h>
#include <string.h>

#include <troupe/mem/rc.h>
#include <troupe/mem/scalars.h>

static void *clone_and_drop(void *rc)
{
    int *share = tr_rc_clone((int *)rc);
    tr_drop(share);
    return NULL;
}

int main(int argc, char **argv)
{
    const bool right = argc > 1 && strcmp(argv[1], "right") == 0;
    int *rc = tr_rc(int, 1);
    pthread_t helper;
    if (pthread_create(&helper, NULL, clone_and_drop, rc) != 0)
        return 1;
    if (right)
        (void)pthread_join(helper, NULL);
    (void)clone_and_drop(rc);
    if (!right)
        (void)pthread_join(helper, NULL);
    tr_drop(rc);
    return 0;
}
