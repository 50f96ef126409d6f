/*
 * layout - the size and alignment of a block of memory, checked
 *
 *   | u8 | . . . | u32 ........ | . |
 *   ^ offset 0   ^ offset 4         ^ padded up to the alignment
 *
 * Use it to ask an allocator for memory, or to compute where the fields of a
 * record built at run time lie. As std::alloc::Layout: the alignment is a
 * power of two and the size, rounded up to it, is at most PTRDIFF_MAX; each
 * operation that would leave those bounds answers TR_LAYOUT and leaves its
 * out-parameters alone.
 *
 * Threads  values: any. Progress: O(1), no memory.
 */
#ifndef TROUPE_MEM_LAYOUT_H
#define TROUPE_MEM_LAYOUT_H

#include <troupe/mem/status.h>

TR_BEGIN_DECLS

typedef struct tr_layout {
    size_t size;  /* bytes; 0 is legal and needs no memory */
    size_t align; /* bytes, a power of two */
} tr_layout;

/* The layout of a C type, as Layout::new::<T>(). */
#ifdef __cplusplus
#define tr_layout_of(T) (tr_layout{ sizeof(T), alignof(T) })
#else
#define tr_layout_of(T) ((tr_layout){ .size = sizeof(T), .align = TR_ALIGNOF(T) })
#endif

/* As Layout::from_size_align: TR_LAYOUT when align is 0 or no power of two, or
 * when size rounded up to align exceeds PTRDIFF_MAX. */
TR_API TR_MUST_USE tr_status tr_layout_from_size_align(size_t size, size_t align, tr_layout *ret_layout);

/* n elements after each other, as Layout::array; element.size must be a
 * multiple of element.align (as every C type's is). TR_LAYOUT on overflow. */
TR_API TR_MUST_USE tr_status tr_layout_array(tr_layout element, size_t n, tr_layout *ret_layout);

/*
 * `next` placed behind `first`, at the first offset its alignment allows, as
 * Layout::extend: no padding at the end, see tr_layout_pad_to_align. Both
 * results are written, or on TR_LAYOUT neither.
 */
TR_API TR_MUST_USE tr_status tr_layout_extend(tr_layout first, tr_layout next, tr_layout *ret_layout,
                                              size_t *ret_offset);

/*
 * n times `element`, each at a multiple of its padded size; no padding behind
 * the last one (the rule of Rust 1.95: 6 bytes aligned to 4, three times, is
 * 22 bytes). *ret_stride is the distance between two.
 */
TR_API TR_MUST_USE tr_status tr_layout_repeat(tr_layout element, size_t n, tr_layout *ret_layout,
                                              size_t *ret_stride);

/* The size rounded up to the alignment; cannot overflow for a valid layout. */
TR_API tr_layout tr_layout_pad_to_align(tr_layout layout);

/* The same size with at least that alignment, as Layout::align_to: TR_LAYOUT when
 * align is no power of two, or the padded size would exceed PTRDIFF_MAX. */
TR_API TR_MUST_USE tr_status tr_layout_align_to(tr_layout layout, size_t align, tr_layout *ret_layout);

/* Bytes from the end of the layout to the next multiple of align, a power of two
 * (as Layout::padding_needed_for): what extend puts in front of such a field. */
TR_API size_t tr_layout_padding_for(tr_layout layout, size_t align);

/* n up to a multiple of unit, a power of two; SIZE_MAX when there is none, so that
 * no sum of sizes wraps to a small one. */
TR_API size_t tr_size_round_up(size_t n, size_t unit);

/* As Layout::is_valid would be: what the constructors above guarantee. */
TR_API bool tr_layout_is_valid(tr_layout layout);

/* An address for what needs no memory: not NULL, aligned, never to be read. */
TR_API void *tr_layout_dangling(tr_layout layout);

TR_END_DECLS

#endif
