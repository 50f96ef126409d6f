/*
 * object_pool - chunks of slots, the free ones in a list through themselves
 *
 *     chunk | header | is_out bits (checked) | slot | slot | ... |
 *                                               '----> next free slot
 *
 * Invariants
 *  1. A slot is out, or in the free list; capacity_ - out_ is the list's length.
 *  2. A slot is at least a pointer, and every slot is aligned as the type and as a
 *     pointer.
 *  3. Checked builds keep a bit for each slot that is out; a value's slot is looked
 *     for in each chunk, so that a foreign pointer is never read.
 *
 * A chunk is made whole and its slots are listed in the order of their addresses,
 * so that values got one after the other lie one after the other.
 */
#include <troupe/mem/object_pool.h>

#include <string.h>

#include <troupe/mem/panic.h>

typedef struct tri_object_chunk {
    struct tri_object_chunk *next;
    char *slots; /* the first */
    size_t count;
    tr_layout layout; /* of the whole block */
#ifdef TR_CHECKED
    uint64_t is_out[]; /* a bit each */
#endif
} tri_object_chunk;

enum { FIRST_BYTES = 1024, FIRST_AT_LEAST = 8, GONE = 0xdd };

typedef struct free_slot {
    struct free_slot *next;
} free_slot;

static tr_allocator *allocator_of(const tr_object_pool *pool)
{
    return pool->allocator_ != NULL ? pool->allocator_ : tr_global_allocator();
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static tr_layout slot_layout(const tr_type *type)
{
    return tr_layout_pad_to_align((tr_layout){
        .size = max(type->size, sizeof(free_slot)),
        .align = max(type->align, _Alignof(free_slot)),
    });
}

/* -- checked: which slots are out -------------------------------------------- */

#ifdef TR_CHECKED

static size_t bits_size(size_t count)
{
    return tr_size_round_up(count, 64) / 8;
}

/* The chunk in which the object is a slot, and the number of the slot. */
static tri_object_chunk *chunk_of(const tr_object_pool *pool, const void *object, size_t *ret_index)
{
    const size_t stride = slot_layout(pool->type_).size;
    for (tri_object_chunk *chunk = pool->chunks_; chunk != NULL; chunk = chunk->next) {
        const uintptr_t offset = (uintptr_t)object - (uintptr_t)chunk->slots;
        if (offset < stride * chunk->count && offset % stride == 0) {
            *ret_index = offset / stride;
            return chunk;
        }
    }
    return NULL;
}

static void note_out(const tr_object_pool *pool, const void *object)
{
    size_t i = 0;
    tri_object_chunk *chunk = chunk_of(pool, object, &i);
    chunk->is_out[i / 64] |= UINT64_C(1) << i % 64;
}

static void note_back(const tr_object_pool *pool, const void *object)
{
    size_t i = 0;
    tri_object_chunk *chunk = chunk_of(pool, object, &i);
    if (chunk == NULL)
        tr_panic("%p is put back into a pool of %s that it does not come from", object,
                 pool->type_->name);
    const uint64_t bit = UINT64_C(1) << i % 64;
    if ((chunk->is_out[i / 64] & bit) == 0)
        tr_panic("%p is put back into a pool of %s that has it already", object, pool->type_->name);
    chunk->is_out[i / 64] &= ~bit;
}

#else

static size_t bits_size(size_t count)
{
    (void)count;
    return 0;
}

static void note_out(const tr_object_pool *pool, const void *object)
{
    (void)pool;
    (void)object;
}

static void note_back(const tr_object_pool *pool, const void *object)
{
    (void)pool;
    (void)object;
}

#endif

/* -- chunks ------------------------------------------------------------------- */

/* The block of a chunk and where its slots begin; TR_LAYOUT: too large. */
static tr_status chunk_layout(tr_layout slot, size_t count, tr_layout *ret_layout,
                              size_t *ret_offset)
{
    tr_layout slots, whole;
    if (count > SIZE_MAX / 2 || tr_layout_array(slot, count, &slots) != TR_OK)
        return TR_LAYOUT;
    whole = tr_layout_of(tri_object_chunk);
    whole.size += bits_size(count); /* far less than the slots */
    return tr_layout_extend(whole, slots, ret_layout, ret_offset);
}

/* In front of the free list, in the order of their addresses. */
static void list_slots(tr_object_pool *pool, const tri_object_chunk *chunk, size_t stride)
{
    for (size_t i = chunk->count; i-- > 0;) {
        free_slot *slot = (free_slot *)(void *)(chunk->slots + i * stride);
        slot->next = pool->free_;
        pool->free_ = slot;
    }
}

static bool add_chunk(tr_object_pool *pool, size_t count)
{
    const tr_layout slot = slot_layout(pool->type_);
    tr_layout layout;
    size_t offset;
    if (chunk_layout(slot, count, &layout, &offset) != TR_OK)
        return false;
    tri_object_chunk *chunk = tr_alloc_from(allocator_of(pool), layout);
    if (chunk == NULL)
        return false;
    memset(chunk, 0, offset);
    chunk->slots = (char *)chunk + offset;
    chunk->count = count;
    chunk->layout = layout;
    chunk->next = pool->chunks_;
    pool->chunks_ = chunk;
    pool->capacity_ += count;
    list_slots(pool, chunk, slot.size);
    return true;
}

/* One more chunk, as large as it is time for, within the limit. */
static bool grow(tr_object_pool *pool)
{
    const size_t left = pool->limit_ - pool->capacity_;
    const size_t count = pool->chunk_objects_ < left ? pool->chunk_objects_ : left;
    if (count == 0 || !add_chunk(pool, count))
        return false;
    if (pool->chunk_objects_ < SIZE_MAX / 2)
        pool->chunk_objects_ *= 2;
    return true;
}

/* -- made and gone -------------------------------------------------------------- */

tr_object_pool tr_object_pool_new_of(const tr_type *type, const tr_object_pool_options *options)
{
    static const tr_object_pool_options defaults;
    if (options == NULL)
        options = &defaults;
    const size_t fitting = FIRST_BYTES / slot_layout(type).size;
    return (tr_object_pool){
        .type_ = type,
        .allocator_ = options->allocator,
        .limit_ = options->limit != 0 ? options->limit : SIZE_MAX,
        .chunk_objects_ =
            options->first_chunk != 0 ? options->first_chunk : max(fitting, FIRST_AT_LEAST),
    };
}

void tr_object_pool_drop(tr_object_pool *pool)
{
    if (TR_UNLIKELY(pool->out_ != 0))
        tr_panic("a pool of %s is dropped while %zu values are out", pool->type_->name, pool->out_);
    for (tri_object_chunk *chunk = pool->chunks_, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        tr_dealloc_from(allocator_of(pool), chunk, chunk->layout);
    }
    pool->chunks_ = NULL;
    pool->free_ = NULL;
    pool->capacity_ = 0;
}

tr_status tr_object_pool_reserve(tr_object_pool *pool, size_t n)
{
    const size_t room = pool->capacity_ - pool->out_;
    if (n > pool->limit_ - pool->out_)
        return TR_LIMIT;
    if (n <= room)
        return TR_OK;
    return add_chunk(pool, n - room) ? TR_OK : TR_NOMEM;
}

/* -- get and put ------------------------------------------------------------------ */

void *tr_object_pool_try_get_of(tr_object_pool *pool, const tr_type *type, const void *value)
{
    if (TR_UNLIKELY(type != pool->type_))
        tr_panic("a %s is got from a pool of %s", type->name, pool->type_->name);
    if (pool->free_ == NULL && !grow(pool))
        return NULL;
    free_slot *slot = pool->free_;
    pool->free_ = slot->next;
    note_out(pool, slot);
    pool->gets_++;
    pool->out_++;
    if (pool->out_ > pool->most_out_)
        pool->most_out_ = pool->out_;
    if (type->size != 0)
        memcpy(slot, value, type->size);
    return slot;
}

void *tr_object_pool_get_of(tr_object_pool *pool, const tr_type *type, const void *value)
{
    void *object = tr_object_pool_try_get_of(pool, type, value);
    if (object == NULL)
        tr_out_of_memory((tr_layout){ .size = type->size, .align = type->align });
    return object;
}

typedef struct slot_back {
    tr_object_pool *pool;
    void *object;
} slot_back;

/* A cleanup: the value is gone, however that ended. */
static void take_slot_back(slot_back *back)
{
#ifdef TR_CHECKED
    memset(back->object, GONE, slot_layout(back->pool->type_).size);
#endif
    free_slot *slot = back->object;
    slot->next = back->pool->free_;
    back->pool->free_ = slot;
    back->pool->out_--;
}

void tr_object_pool_put(tr_object_pool *pool, void *object)
{
    if (object == NULL)
        return;
    note_back(pool, object);
    __attribute__((cleanup(take_slot_back), unused)) slot_back back = { pool, object };
    if (pool->type_->drop != NULL)
        pool->type_->drop(object);
}

void tr_object_pool_take(tr_object_pool *pool, void *object, void *ret_value)
{
    note_back(pool, object);
    if (pool->type_->size != 0)
        memcpy(ret_value, object, pool->type_->size);
    take_slot_back(&(slot_back){ pool, object });
}

tr_object_pool_stats tr_object_pool_get_stats(const tr_object_pool *pool)
{
    size_t chunks = 0;
    for (const tri_object_chunk *chunk = pool->chunks_; chunk != NULL; chunk = chunk->next)
        chunks++;
    return (tr_object_pool_stats){
        .out = pool->out_,
        .most_out = pool->most_out_,
        .capacity = pool->capacity_,
        .chunks = chunks,
        .gets = pool->gets_,
    };
}
