/*
 * rc - one value with several owners on one thread
 *
 *     a --.
 *     b ---> | 3 owners | 5 |      the last drop destroys the value
 *     c --'
 */
#include <stdio.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/scalars.h>

int main(void)
{
    TR_AUTO(int) a = tr_rc(int, 5);
    printf("owners: %zu\n", tr_strong_count(a));
    TR_AUTO(int) b = tr_rc_clone(a);
    {
        TR_AUTO(int) c = tr_rc_clone(a);
        printf("owners: %zu\n", tr_strong_count(a));
        printf("a = %d, b = %d, c = %d\n", *a, *b, *c);
    } /* c gives its share up */
    printf("owners: %zu\n", tr_strong_count(a));

    /* Shared values are for reading; a write needs to be alone, or a copy. */
    printf("a may write: %s\n", tr_rc_get_mut(a) != NULL ? "yes" : "no");
    int *writable = tr_rc_make_mut(b); /* b gets a copy of its own */
    if (writable == NULL)
        return 1;
    *writable = 6;
    printf("a = %d, b = %d\n", *a, *b);
    printf("a may write: %s\n", tr_rc_get_mut(a) != NULL ? "yes" : "no");
}
