/*
 * buffer_pool - two stacks of slots, taken and put back without a lock
 *
 *     ready --> slot --> slot         idle, with memory
 *     bare  --> slot --> slot         idle, without
 *     (out)     slot                  in no stack
 *
 * Invariants
 *  1. A slot is in one stack, or out; is_out says which, and the swap of it in put
 *     lets exactly one of several puts of the same buffer through.
 *  2. A stack's top is {turn, slot number + 1} in one word. Each change counts the
 *     turn up, so a take that lost its processor between reading a slot's next and
 *     the swap fails, unless the turn went once around 2^32 meanwhile.
 *  3. At most keep_max slots of `ready` are counted in `kept`; the count goes up
 *     before a slot comes in and down after it is out.
 *
 * Slots lie in one array and are never freed before the pool, so reading the next
 * of a slot that another thread has just taken is harmless.
 */
#include <troupe/mem/buffer_pool.h>

#include <troupe/mem/allocator.h>
#include <troupe/mem/panic.h>

typedef struct slot {
    TR_CACHE_ALIGNED tr_buffer buffer; /* its user's while out; data NULL while bare */
    tr_buffer_pool *pool;
    TR_ATOMIC(uint32_t) next; /* slot number + 1 of the one below; 0: none */
    TR_ATOMIC(uint32_t) is_out;
} slot;

typedef struct stack {
    TR_CACHE_ALIGNED TR_ATOMIC(uint64_t) top;
} stack;

struct tr_buffer_pool {
    tr_layout buffer_layout;
    size_t slots;
    size_t keep_max;
    stack ready;
    stack bare;
    TR_ATOMIC(size_t) kept;
    slot slot[];
};

/* -- stacks ----------------------------------------------------------------- */

static uint64_t top_of(uint64_t old, uint32_t number)
{
    const uint64_t turn = (old >> 32) + 1;
    return turn << 32 | number;
}

static void push(stack *s, tr_buffer_pool *pool, slot *item)
{
    const uint32_t number = (uint32_t)(item - pool->slot) + 1;
    uint64_t top = tr_load_relaxed(&s->top); /* relaxed: the swap decides */
    do
        /* relaxed: the swap publishes it */
        tr_store_relaxed(&item->next, (uint32_t)top);
    /* edge buffer-put (release): with pop; carries the slot and what its last
     * user did with the buffer. */
    while (!tr_cas_release(&s->top, &top, top_of(top, number)));
}

static slot *pop(stack *s, tr_buffer_pool *pool)
{
    /* edge buffer-put (acquire): with push; carries the slot's place. Every
     * change of the top is a swap, so it carries all earlier pushes too. */
    uint64_t top = tr_load_acquire(&s->top);
    while ((uint32_t)top != 0) {
        slot *item = &pool->slot[(uint32_t)top - 1];
        /* relaxed: stale if the slot was taken meanwhile; then the swap fails */
        const uint32_t below = tr_load_relaxed(&item->next);
        /* edge buffer-put (acquire): with push; carries the slot and what its
         * last user did with the buffer. */
        if (tr_cas_acquire(&s->top, &top, top_of(top, below)))
            return item;
    }
    return NULL;
}

/* -- made and gone ---------------------------------------------------------- */

static tr_layout pool_layout(size_t slots)
{
    return (tr_layout){
        .size = sizeof(tr_buffer_pool) + slots * sizeof(slot),
        .align = _Alignof(tr_buffer_pool),
    };
}

tr_status tr_buffer_pool_create(const tr_buffer_pool_options *options, tr_buffer_pool **ret_pool)
{
    const size_t align = options->align != 0 ? options->align : TR_CACHE_LINE;
    tr_layout buffer;
    if (options->buffer_size == 0 || options->buffers == 0 || options->buffers >= UINT32_MAX ||
        tr_layout_from_size_align(options->buffer_size, align, &buffer) != TR_OK)
        return TR_INVALID;
    tr_buffer_pool *pool = tr_alloc_zeroed(pool_layout(options->buffers));
    if (pool == NULL)
        return TR_NOMEM;
    pool->buffer_layout = buffer;
    pool->slots = options->buffers;
    pool->keep_max = options->kept;
    for (size_t i = pool->slots; i-- > 0;) {
        pool->slot[i].pool = pool;
        push(&pool->bare, pool, &pool->slot[i]);
    }
    *ret_pool = pool;
    return TR_OK;
}

size_t tr_buffer_pool_out(const tr_buffer_pool *pool)
{
    size_t out = 0;
    for (size_t i = 0; i < pool->slots; i++)
        out += tr_load_relaxed(&pool->slot[i].is_out); /* relaxed: a snapshot */
    return out;
}

void tr_buffer_pool_destroy(tr_buffer_pool *pool)
{
    if (pool == NULL)
        return;
    const size_t out = tr_buffer_pool_out(pool);
    if (TR_UNLIKELY(out != 0))
        tr_panic("a buffer pool is destroyed while %zu of its %zu buffers are out", out,
                 pool->slots);
    for (slot *item = pop(&pool->ready, pool); item != NULL; item = pop(&pool->ready, pool))
        tr_dealloc(item->buffer.data, pool->buffer_layout);
    tr_dealloc(pool, pool_layout(pool->slots));
}

/* -- get and put ------------------------------------------------------------ */

static slot *get_ready(tr_buffer_pool *pool)
{
    slot *item = pop(&pool->ready, pool);
    if (item != NULL)
        tr_fetch_sub_relaxed(&pool->kept, 1); /* relaxed: a count, invariant 3 */
    return item;
}

static slot *get_bare(tr_buffer_pool *pool)
{
    slot *item = pop(&pool->bare, pool);
    if (item == NULL)
        return NULL;
    item->buffer.data = tr_alloc(pool->buffer_layout);
    if (item->buffer.data != NULL)
        return item;
    push(&pool->bare, pool, item);
    return NULL;
}

tr_status tr_buffer_get(tr_buffer_pool *pool, tr_buffer **ret_buffer)
{
    slot *item = get_ready(pool);
    if (item == NULL)
        item = get_bare(pool);
    if (item == NULL)
        item = get_ready(pool); /* put back since the first look */
    if (item == NULL)
        return TR_NOMEM;
    item->buffer.len = 0;
    item->buffer.cap = pool->buffer_layout.size;
    tr_store_relaxed(&item->is_out, 1); /* relaxed: this thread's; it travels with the buffer */
    *ret_buffer = &item->buffer;
    return TR_OK;
}

/* May one more idle buffer keep its memory? Counts it then. */
static bool may_keep(tr_buffer_pool *pool)
{
    size_t kept = tr_load_relaxed(&pool->kept); /* relaxed: a count; the swap decides */
    while (kept < pool->keep_max)
        if (tr_cas_relaxed(&pool->kept, &kept, kept + 1)) /* relaxed: a count */
            return true;
    return false;
}

void tr_buffer_put(tr_buffer *buffer)
{
    if (buffer == NULL)
        return;
    slot *item = (slot *)buffer; /* its first member */
    tr_buffer_pool *pool = item->pool;
    if (TR_UNLIKELY(tr_swap_relaxed(&item->is_out, 0) == 0)) /* relaxed: invariant 1 */
        tr_panic("a buffer is put back that is back already");
    if (may_keep(pool)) {
        push(&pool->ready, pool, item);
        return;
    }
    tr_dealloc(item->buffer.data, pool->buffer_layout);
    item->buffer.data = NULL;
    push(&pool->bare, pool, item);
}
