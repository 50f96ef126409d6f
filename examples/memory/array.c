/*
 * array - what has a size known beforehand needs no heap
 *
 *     int[5]       in the stack frame
 *     five_or_so   the first five in the stack frame too, more of them in a block
 */
#include <stdio.h>
#include <troupe/mem/small_vec.h>

TR_SMALL_VEC(five_or_so, int, 5)

static long sum(const int *numbers, size_t n)
{
    long total = 0;
    for (size_t i = 0; i < n; i++)
        total += numbers[i];
    return total;
}

static void report(const five_or_so *v)
{
    printf("%zu numbers %s: sum %ld\n", v->len, five_or_so_is_spilled(v) ? "in a block" : "inside",
           sum(five_or_so_data(v), v->len));
}

int main(void)
{
    const int fixed[5] = { 1, 2, 3, 4, 5 };
    printf("sum: %ld\n", sum(fixed, sizeof fixed / sizeof fixed[0]));

    TR_AUTO_VALUE(five_or_so) v = five_or_so_new();
    for (size_t i = 0; i < 5; i++)
        five_or_so_push(&v, fixed[i]);
    report(&v);
    five_or_so_push(&v, 6); /* the sixth: a block is allocated only now */
    report(&v);
}
