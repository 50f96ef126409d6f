/*
 * realloc - a block for one int becomes a block for two
 */
#include <stdint.h>
#include <stdio.h>
#include <troupe/mem/allocator.h>

int main(void)
{
    const tr_layout one = tr_layout_of(int32_t);
    tr_layout two;
    if (tr_layout_array(one, 2, &two) != TR_OK) /* TR_LAYOUT: no block is that large */
        return 1;
    printf("one: %zu bytes, two: %zu bytes\n", one.size, two.size);

    int32_t *numbers = tr_alloc(one);
    if (numbers == NULL)
        return 1;
    numbers[0] = 42;

    int32_t *grown = tr_realloc(numbers, one, two.size);
    if (grown == NULL) { /* then the old block is as it was, and still ours */
        tr_dealloc(numbers, one);
        return 1;
    }
    printf("kept: %d\n", grown[0]); /* there is no need to write it again */
    grown[1] = 43;
    printf("values: %d and %d\n", grown[0], grown[1]);
    tr_dealloc(grown, two); /* with the layout it has now */

    tr_layout huge = { 0, 1 };
    printf("an array of %s ints: %s\n", "SIZE_MAX",
           tr_status_name(tr_layout_array(one, SIZE_MAX, &huge)));
}
