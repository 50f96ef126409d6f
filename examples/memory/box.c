/*
 * box - one value on the heap with one owner
 */
#include <stdio.h>
#include <troupe/mem/box.h>
#include <troupe/mem/scalars.h>

typedef struct guest {
    const char *name;
} guest;

static void guest_drop(guest *g)
{
    printf("%s leaves\n", g->name);
}

TR_TYPE(guest, .drop = guest_drop)

/* Owns what it is given, and drops it at its end. */
static void see_off(guest *g)
{
    TR_AUTO(guest) mine = g;
    printf("%s says goodbye\n", mine->name);
}

int main(void)
{
    TR_AUTO(int) number = tr_box(int, 5); /* used as any int *, freed at the scope's end */
    printf("number = %d\n", *number);

    TR_AUTO(guest) ada = tr_box(guest, .name = "Ada");
    guest *ben = tr_box(guest, .name = "Ben");
    TR_AUTO(guest) eve = tr_box(guest, .name = "Eve");

    tr_drop(ben); /* now, and ben is NULL */
    see_off(TR_MOVE(eve));
    printf("ben is %s, eve is %s\n", ben == NULL ? "gone" : "here", eve == NULL ? "gone" : "here");
    printf("%s stays until the end\n", ada->name);
}
