/*
 * raw_pointer - a variable read and written through its address
 *
 * A plain pointer owns nothing and keeps nothing alive: whoever holds it must know
 * by other means that what it points at still exists.
 */
#include <stdio.h>
#include <troupe/mem/box.h>
#include <troupe/mem/scalars.h>

static void set(int *where, int n)
{
    *where = n;
}

int main(void)
{
    int value = 42;
    int *pointer = &value; /* good for as long as `value` is */
    *pointer = 100;
    printf("value: %d, through the pointer: %d\n", value, *pointer);
    set(pointer, 7);
    printf("value: %d\n", value);

    /* Ownership may go through a raw pointer, by being put down and taken up once. */
    int *box = tr_box(int, 5);
    void *raw = TR_MOVE(box);
    printf("the box is %s\n", box == NULL ? "nobody's" : "still owned");
    TR_AUTO(int) owner = raw;
    printf("owned again: %d\n", *owner);
}
