/*
 * raw_block - a block made, filled and freed by hand, on every path
 *
 * A block is given back with its layout: tr_dealloc without one does not compile.
 */
#include <stdio.h>
#include <troupe/mem/allocator.h>

typedef struct reading {
    int value;
    double at;
} reading;

/* A block of n readings; NULL when there is no memory, or there cannot be so much. */
static reading *readings_alloc(size_t n, tr_layout *ret_layout)
{
    tr_layout layout;
    if (tr_layout_array(tr_layout_of(reading), n, &layout) != TR_OK)
        return NULL;
    reading *block = tr_alloc_zeroed(layout);
    if (block != NULL)
        *ret_layout = layout;
    return block;
}

int main(void)
{
    tr_layout layout = { 0, 1 };
    reading *block = readings_alloc(3, &layout);
    if (block == NULL)
        return 1;
    printf("%zu bytes aligned to %zu\n", layout.size, layout.align);

    block[0] = (reading){ .value = 42, .at = 0.5 };
    printf("first: %d at %.1f\n", block[0].value, block[0].at);
    printf("last: %d at %.1f\n", block[2].value, block[2].at); /* zeroed */

    if (readings_alloc(SIZE_MAX / 2, &layout) == NULL)
        printf("too many are refused\n");
    tr_dealloc(block, layout);
}
