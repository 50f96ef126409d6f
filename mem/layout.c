/*
 * layout - arithmetic on sizes and alignments that cannot overflow unseen
 *
 * Invariant (of every layout made here)
 *  1. align is a power of two, and size <= PTRDIFF_MAX - (align - 1).
 *
 * The bound is on the padded size without computing it: rounding up adds at
 * most align - 1. So padding a valid layout never overflows, and no block is
 * larger than the difference of two pointers into it can say.
 *
 * Edges: align 2^63 leaves room for size 0 only; element size 0 times any n
 * is 0 without a division.
 */
#include <troupe/mem/layout.h>

static bool is_power_of_two(size_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* The largest size that invariant 1 allows. For 2^63 it is 0. */
static size_t max_size(size_t align)
{
    return (size_t)PTRDIFF_MAX - (align - 1);
}

/* n up to a multiple of align, for n that invariant 1 allows. */
static size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

bool tr_layout_is_valid(tr_layout layout)
{
    return is_power_of_two(layout.align) && layout.size <= max_size(layout.align);
}

tr_status tr_layout_from_size_align(size_t size, size_t align, tr_layout *ret_layout)
{
    const tr_layout layout = { .size = size, .align = align };
    if (!tr_layout_is_valid(layout))
        return TR_LAYOUT;
    *ret_layout = layout;
    return TR_OK;
}

tr_status tr_layout_array(tr_layout element, size_t n, tr_layout *ret_layout)
{
    size_t size;
    if (__builtin_mul_overflow(element.size, n, &size))
        return TR_LAYOUT;
    return tr_layout_from_size_align(size, element.align, ret_layout);
}

tr_status tr_layout_extend(tr_layout first, tr_layout next, tr_layout *ret_layout,
                           size_t *ret_offset)
{
    if (!tr_layout_is_valid(first) || !tr_layout_is_valid(next))
        return TR_LAYOUT;
    /* first.size <= PTRDIFF_MAX and align <= 2^63: their sum fits a size_t. */
    const size_t offset = round_up(first.size, next.align);
    const size_t align = first.align > next.align ? first.align : next.align;
    size_t size;
    if (__builtin_add_overflow(offset, next.size, &size))
        return TR_LAYOUT;
    const tr_status status = tr_layout_from_size_align(size, align, ret_layout);
    if (status == TR_OK)
        *ret_offset = offset;
    return status;
}

tr_status tr_layout_repeat(tr_layout element, size_t n, tr_layout *ret_layout, size_t *ret_stride)
{
    if (!tr_layout_is_valid(element))
        return TR_LAYOUT;
    const size_t stride = tr_layout_pad_to_align(element).size;
    size_t size = 0;
    if (n > 0 && (__builtin_mul_overflow(stride, n - 1, &size) ||
                  __builtin_add_overflow(size, element.size, &size)))
        return TR_LAYOUT;
    const tr_status status = tr_layout_from_size_align(size, element.align, ret_layout);
    if (status == TR_OK)
        *ret_stride = stride;
    return status;
}

tr_layout tr_layout_pad_to_align(tr_layout layout)
{
    return (tr_layout){ .size = round_up(layout.size, layout.align), .align = layout.align };
}

tr_status tr_layout_align_to(tr_layout layout, size_t align, tr_layout *ret_layout)
{
    if (!tr_layout_is_valid(layout) || !is_power_of_two(align))
        return TR_LAYOUT;
    return tr_layout_from_size_align(layout.size, align > layout.align ? align : layout.align,
                                     ret_layout);
}

size_t tr_layout_padding_for(tr_layout layout, size_t align)
{
    return -layout.size & (align - 1);
}

size_t tr_size_round_up(size_t n, size_t unit)
{
    return n > SIZE_MAX - (unit - 1) ? SIZE_MAX : round_up(n, unit);
}

void *tr_layout_dangling(tr_layout layout)
{
    return (void *)(uintptr_t)layout.align;
}
