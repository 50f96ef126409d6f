/*
 * memory_pool - one block, cut into pieces from front to back, given back at once
 *
 *     | piece | . | piece ......... | free ........ |
 *     base        ^ aligned         ^ used          ^ capacity
 */
#include <stdint.h>
#include <stdio.h>
#include <troupe/mem/allocator.h>

#define POOL_ALIGN 16u

typedef struct pool {
    char *base;
    size_t capacity;
    size_t used;
} pool;

static tr_layout pool_layout(const pool *p)
{
    return (tr_layout){ .size = p->capacity, .align = POOL_ALIGN };
}

static bool pool_init(pool *p, size_t capacity)
{
    *p = (pool){ .capacity = capacity };
    if (!tr_layout_is_valid(pool_layout(p)))
        return false;
    p->base = tr_alloc(pool_layout(p));
    return p->base != NULL;
}

static void pool_fini(pool *p)
{
    tr_dealloc(p->base, pool_layout(p));
}

/* A piece, or NULL when it does not fit. The size is compared with what is left: adding
 * it to what is used first, as is often seen, wraps to a small sum and "fits". */
static void *pool_alloc(pool *p, size_t size, size_t align)
{
    const size_t start = tr_size_round_up(p->used, align);
    if (align > POOL_ALIGN || start > p->capacity || size > p->capacity - start)
        return NULL;
    p->used = start + size;
    return p->base + start;
}

static void ask(pool *p, size_t size, size_t align)
{
    const char *piece = pool_alloc(p, size, align);
    if (piece == NULL)
        printf("%zu bytes: no room, %zu used\n", size, p->used);
    else
        printf("%zu bytes at %td, %zu used\n", size, piece - p->base, p->used);
}

int main(void)
{
    __attribute__((cleanup(pool_fini))) pool p = { .base = NULL };
    if (!pool_init(&p, 1024))
        return 1;
    uint32_t *number = pool_alloc(&p, 64, 8);
    if (number == NULL)
        return 1;
    *number = 42;
    printf("value: %u, %zu used\n", *number, p.used);
    ask(&p, 1, 1);
    ask(&p, 8, 8);
    ask(&p, 1000, 8);
    ask(&p, SIZE_MAX - 8, 8);

    p.used = 0; /* all pieces at once; `number` must not be used any more */
    ask(&p, 1024, 8);
    ask(&p, 1, 1);
}
