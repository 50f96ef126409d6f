/*
 * alloc - a block for one int, asked for by its layout
 *
 * A block that is written and then forgotten is a leak: here every path gives it
 * back, and a counting allocator in front shows that none is left.
 */
#include <stdio.h>
#include <troupe/mem/allocator.h>

static int use_a_block(tr_allocator *from)
{
    const tr_layout layout = tr_layout_of(int);
    int *number = tr_alloc_from(from, layout);
    if (number == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", layout.size);
        return 1;
    }
    *number = 42; /* what a new block holds is not defined before */
    printf("value: %d\n", *number);
    tr_dealloc_from(from, number, layout); /* with the layout it was made with */
    return 0;
}

int main(void)
{
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, NULL);

    const int failed = use_a_block(&counting.base);
    printf("blocks left: %llu\n", (unsigned long long)tr_counting_live(&counting));
    return failed;
}
