/*
 * arena - chunks, the newest of which is handed out from front to back
 *
 *     arena --> chunk --> older chunk --> oldest        next_ and end_ are the newest's
 *        '----> value --> value made before it          those that have a drop
 *
 * Invariants
 *  1. next_ and end_ lie in the newest chunk, or are NULL while there is none.
 *  2. The records of values lie in the arena in front of their values, the newest
 *     first; those made since a mark are behind it, so that they are dropped
 *     before their memory is taken back.
 *  3. Taking back is two cleanups: of the values, then of the chunks. So when a
 *     drop panics, the other values are dropped and the chunks go nevertheless.
 *
 * generation_ of all arenas comes from one counter: a mark or a ref of another
 * arena has another one, too.
 */
#include <troupe/mem/arena.h>

#include <stdarg.h>
#include <stdio.h>

#include <troupe/mem/panic.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(place, size) ((void)(place), (void)(size))
#endif

typedef struct tri_arena_chunk {
    struct tri_arena_chunk *older;
    size_t size; /* of data */
    size_t used; /* of data, once a newer chunk is there */
    _Alignas(max_align_t) char data[];
} tri_arena_chunk;

typedef struct tri_arena_value {
    struct tri_arena_value *older;
    void (*drop)(void *value);
    void *value;
} tri_arena_value;

enum {
    FIRST_CHUNK = 4096 - sizeof(tri_arena_chunk) - 16, /* with libc's header a page */
    LARGEST_CHUNK = 1 << 20,                           /* unless one block needs more */
};

static tr_allocator *inner_of(const tr_arena *arena)
{
    return arena->inner_ != NULL ? arena->inner_ : tr_global_allocator();
}

static uint64_t next_generation(void)
{
    static TR_ATOMIC(uint64_t) generations = TR_ATOMIC_INIT(0);
    return tr_fetch_add_relaxed(&generations, 1) + 1; /* relaxed: only different each time */
}

/* Nobody may use it until it is handed out again. */
static void take_back(char *from, const char *to)
{
    if (from == to)
        return;
#ifdef TR_CHECKED
    ASAN_UNPOISON_MEMORY_REGION(from, (size_t)(to - from)); /* gaps never handed out */
    memset(from, TR_ARENA_GONE, (size_t)(to - from));
#endif
    ASAN_POISON_MEMORY_REGION(from, (size_t)(to - from));
}

/* -- chunks ----------------------------------------------------------------- */

static tr_layout chunk_layout(size_t size)
{
    return (tr_layout){
        .size = sizeof(tri_arena_chunk) + size,
        .align = _Alignof(tri_arena_chunk),
    };
}

/* A chunk with so many bytes becomes the newest. */
static bool add_chunk(tr_arena *arena, size_t size)
{
    if (size > (size_t)PTRDIFF_MAX / 2)
        return false;
    tri_arena_chunk *chunk = tr_alloc_from(inner_of(arena), chunk_layout(size));
    if (chunk == NULL)
        return false;
    if (arena->chunk_ != NULL) {
        arena->chunk_->used = (size_t)(arena->next_ - arena->chunk_->data);
        arena->filled_ += arena->chunk_->used;
    }
    chunk->older = arena->chunk_;
    chunk->size = size;
    chunk->used = 0;
    arena->chunk_ = chunk;
    arena->next_ = chunk->data;
    arena->end_ = chunk->data + size;
    ASAN_POISON_MEMORY_REGION(chunk->data, size);
    return true;
}

/* Its chunk is one that nothing more is handed out from. */
static void free_chunk(tr_arena *arena, tri_arena_chunk *chunk)
{
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->size);
    tr_dealloc_from(inner_of(arena), chunk, chunk_layout(chunk->size));
}

/* The newest chunk is the given one, or there is none (NULL), used up to next. */
static void stand_at(tr_arena *arena, tri_arena_chunk *chunk, char *next)
{
    arena->chunk_ = chunk;
    arena->next_ = next;
    arena->end_ = chunk != NULL ? chunk->data + chunk->size : NULL;
}

/* Free all chunks but the largest, which is then empty. */
static void keep_largest(tr_arena *arena)
{
    tri_arena_chunk *kept = arena->chunk_;
    if (kept == NULL)
        return;
    kept->used = (size_t)(arena->next_ - kept->data);
    for (tri_arena_chunk *chunk = kept->older, *older; chunk != NULL; chunk = older) {
        older = chunk->older;
        const bool larger = chunk->size > kept->size;
        free_chunk(arena, larger ? kept : chunk);
        if (larger)
            kept = chunk;
    }
    take_back(kept->data, kept->data + kept->used);
    kept->older = NULL;
    arena->filled_ = 0;
    stand_at(arena, kept, kept->data);
}

static void free_all(tr_arena *arena)
{
    keep_largest(arena);
    if (arena->chunk_ != NULL)
        free_chunk(arena, arena->chunk_);
    stand_at(arena, NULL, NULL);
}

/* -- handing out ------------------------------------------------------------ */

/* From the newest chunk; NULL: it has no room. */
static void *bump(tr_arena *arena, tr_layout layout)
{
    const uintptr_t next = (uintptr_t)arena->next_;
    const uintptr_t end = (uintptr_t)arena->end_;
    /* An address is below 2^63 and so is align - 1: no overflow. */
    const uintptr_t at = (next + layout.align - 1) & ~(uintptr_t)(layout.align - 1);
    if (at > end || layout.size > end - at)
        return NULL;
    char *block = arena->next_ + (at - next);
    arena->next_ = block + layout.size;
    ASAN_UNPOISON_MEMORY_REGION(block, layout.size);
    return block;
}

static TR_NOINLINE void *bump_in_new_chunk(tr_arena *arena, tr_layout layout)
{
    if (arena->fixed_)
        return NULL;
    /* Room for the alignment, too, that the chunk does not have by itself. */
    const size_t align = _Alignof(tri_arena_chunk);
    const size_t needed = layout.size + (layout.align > align ? layout.align - align : 0);
    const size_t size = needed > arena->chunk_size_ ? needed : arena->chunk_size_;
    if (!add_chunk(arena, size))
        return NULL;
    if (arena->chunk_size_ < LARGEST_CHUNK)
        arena->chunk_size_ *= 2;
    return bump(arena, layout);
}

/* NULL: no memory. The layout is valid and its size not 0. */
static void *hand_out(tr_arena *arena, tr_layout layout)
{
    void *block = bump(arena, layout);
    return TR_LIKELY(block != NULL) ? block : bump_in_new_chunk(arena, layout);
}

tr_status tr_arena_try_alloc(tr_arena *arena, tr_layout layout, void **ret_block)
{
    if (!tr_layout_is_valid(layout))
        return TR_LAYOUT;
    void *block = layout.size != 0 ? hand_out(arena, layout) : tr_layout_dangling(layout);
    if (block == NULL)
        return TR_NOMEM;
    *ret_block = block;
    return TR_OK;
}

void *tr_arena_alloc(tr_arena *arena, tr_layout layout)
{
    void *block = NULL;
    const tr_status status = tr_arena_try_alloc(arena, layout, &block);
    if (status == TR_NOMEM)
        tr_out_of_memory(layout);
    if (status != TR_OK)
        tr_panic("no block has %zu bytes aligned to %zu", layout.size, layout.align);
    return block;
}

/* -- as an allocator -------------------------------------------------------- */

static bool is_last(const tr_arena *arena, const void *block, size_t size)
{
    return (const char *)block + size == arena->next_;
}

static void *arena_alloc(tr_allocator *self, tr_layout layout)
{
    return hand_out((tr_arena *)self, layout);
}

static void arena_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_arena *arena = (tr_arena *)self;
    if (!is_last(arena, block, layout.size))
        return;
    take_back(block, arena->next_);
    arena->next_ = block;
}

static void *arena_realloc(tr_allocator *self, void *block, tr_layout old_layout, size_t new_size)
{
    tr_arena *arena = (tr_arena *)self;
    char *const start = block;
    if (is_last(arena, block, old_layout.size) && new_size <= (size_t)(arena->end_ - start)) {
        if (new_size < old_layout.size)
            take_back(start + new_size, arena->next_);
        else
            ASAN_UNPOISON_MEMORY_REGION(arena->next_, new_size - old_layout.size);
        arena->next_ = start + new_size;
        return block;
    }
    if (new_size <= old_layout.size)
        return block;
    void *fresh = hand_out(arena, (tr_layout){ .size = new_size, .align = old_layout.align });
    if (fresh != NULL)
        memcpy(fresh, block, old_layout.size);
    return fresh;
}

/* -- made ------------------------------------------------------------------- */

tr_arena tr_arena_new_in(tr_allocator *allocator, size_t chunk_size)
{
    return (tr_arena){
        .base = {
            .name = "arena",
            .alloc = arena_alloc,
            .realloc = arena_realloc,
            .dealloc = arena_dealloc,
        },
        .inner_ = allocator,
        .chunk_size_ = chunk_size != 0 ? chunk_size : FIRST_CHUNK,
        .generation_ = next_generation(),
    };
}

tr_arena tr_arena_new(void)
{
    return tr_arena_new_in(NULL, 0);
}

tr_status tr_arena_init_fixed(tr_arena *ret_arena, tr_allocator *allocator, size_t capacity)
{
    tr_arena arena = tr_arena_new_in(allocator, capacity);
    arena.fixed_ = true;
    if (!add_chunk(&arena, capacity))
        return TR_NOMEM;
    *ret_arena = arena;
    return TR_OK;
}

/* -- values ----------------------------------------------------------------- */

/* In front of the value, if it has a drop; its layout fits as any type's does. */
static void *make_with_record(tr_arena *arena, const tr_type *type)
{
    const tr_layout layout = { .size = type->size, .align = type->align };
    tr_layout both;
    size_t offset;
    if (tr_layout_extend(tr_layout_of(tri_arena_value), layout, &both, &offset) != TR_OK)
        return NULL;
    tri_arena_value *record = hand_out(arena, both);
    if (record == NULL)
        return NULL;
    record->older = arena->last_;
    record->drop = type->drop;
    record->value = (char *)record + offset;
    arena->last_ = record;
    arena->values_++;
    return record->value;
}

void *tr_arena_try_make_of(tr_arena *arena, const tr_type *type, const void *value)
{
    void *made = NULL;
    if (type->drop != NULL)
        made = make_with_record(arena, type);
    else if (tr_arena_try_alloc(arena, (tr_layout){ .size = type->size, .align = type->align },
                                &made) != TR_OK)
        return NULL;
    if (made != NULL && type->size != 0)
        memcpy(made, value, type->size);
    return made;
}

void *tr_arena_make_of(tr_arena *arena, const tr_type *type, const void *value)
{
    void *made = tr_arena_try_make_of(arena, type, value);
    if (made == NULL)
        tr_out_of_memory((tr_layout){ .size = type->size, .align = type->align });
    return made;
}

/* -- text ------------------------------------------------------------------- */

static char *text_of(tr_arena *arena, size_t length)
{
    return hand_out(arena, (tr_layout){ .size = length + 1, .align = 1 });
}

char *tr_arena_strdup(tr_arena *arena, const char *text)
{
    const size_t length = strlen(text);
    char *copy = text_of(arena, length);
    return copy != NULL ? memcpy(copy, text, length + 1) : NULL;
}

char *tr_arena_printf(tr_arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    char *text = length >= 0 ? text_of(arena, (size_t)length) : NULL;
    if (text != NULL)
        (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

/* -- taking back ------------------------------------------------------------ */

/* Values beyond the first `until` are to be dropped, then `memory` taken back. */
typedef struct taking {
    tr_arena *arena;
    size_t until;
    void (*memory)(tr_arena *arena, const tr_arena_mark *mark);
    const tr_arena_mark *mark;
} taking;

/* A value counts as dropped before its drop is called. */
static void drop_values(taking *t)
{
    tr_arena *arena = t->arena;
    while (arena->values_ > t->until) {
        const tri_arena_value *value = arena->last_;
        arena->last_ = value->older;
        arena->values_--;
        value->drop(value->value);
    }
}

static void take_memory(taking *t)
{
    t->memory(t->arena, t->mark);
}

static void drop_then_take(taking what)
{
    __attribute__((cleanup(take_memory), unused)) taking memory = what;
    __attribute__((cleanup(drop_values))) taking values = what;
    drop_values(&values);
}

static void memory_at_reset(tr_arena *arena, const tr_arena_mark *mark)
{
    (void)mark;
    keep_largest(arena);
    arena->generation_ = next_generation();
}

static void memory_at_drop(tr_arena *arena, const tr_arena_mark *mark)
{
    (void)mark;
    free_all(arena);
    arena->generation_ = next_generation();
}

static void memory_at_rollback(tr_arena *arena, const tr_arena_mark *mark)
{
    if (mark->chunk_ == NULL) { /* there was none yet */
        keep_largest(arena);
        return;
    }
    while (arena->chunk_ != mark->chunk_) {
        tri_arena_chunk *chunk = arena->chunk_;
        tri_arena_chunk *older = chunk->older;
        free_chunk(arena, chunk);
        arena->filled_ -= older->used;
        stand_at(arena, older, older->data + older->used);
    }
    if (mark->next_ < arena->next_) { /* else it was given back already */
        take_back(mark->next_, arena->next_);
        arena->next_ = mark->next_;
    }
}

void tr_arena_reset(tr_arena *arena)
{
    drop_then_take((taking){ .arena = arena, .memory = memory_at_reset });
}

void tr_arena_drop(tr_arena *arena)
{
    drop_then_take((taking){ .arena = arena, .memory = memory_at_drop });
}

tr_arena_mark tr_arena_checkpoint(const tr_arena *arena)
{
    return (tr_arena_mark){
        .chunk_ = arena->chunk_,
        .next_ = arena->next_,
        .values_ = arena->values_,
        .generation_ = arena->generation_,
    };
}

static bool has_chunk(const tr_arena *arena, const tri_arena_chunk *wanted)
{
    const tri_arena_chunk *chunk = arena->chunk_;
    while (chunk != NULL && chunk != wanted)
        chunk = chunk->older;
    return chunk == wanted;
}

void tr_arena_rollback(tr_arena *arena, tr_arena_mark mark)
{
    if (mark.generation_ != arena->generation_ || mark.values_ > arena->values_ ||
        !has_chunk(arena, mark.chunk_))
        tr_panic("an arena is rolled back to where it has never been, or is no more");
    drop_then_take((taking){
        .arena = arena,
        .until = mark.values_,
        .memory = memory_at_rollback,
        .mark = &mark,
    });
}

/* -- what there is ---------------------------------------------------------- */

size_t tr_arena_used(const tr_arena *arena)
{
    if (arena->chunk_ == NULL)
        return 0;
    return arena->filled_ + (size_t)(arena->next_ - arena->chunk_->data);
}

size_t tr_arena_capacity(const tr_arena *arena)
{
    size_t capacity = 0;
    for (const tri_arena_chunk *chunk = arena->chunk_; chunk != NULL; chunk = chunk->older)
        capacity += chunk->size;
    return capacity;
}

tr_arena_ref tr_arena_ref_to(const tr_arena *arena, void *block)
{
    return (tr_arena_ref){ .block_ = block, .generation_ = arena->generation_ };
}

void *tr_arena_get(const tr_arena *arena, tr_arena_ref ref)
{
    if (TR_UNLIKELY(ref.generation_ != arena->generation_))
        tr_panic("%p lay in an arena that was reset since", ref.block_);
    return ref.block_;
}
