/*
 * tracking_allocator - a record beside each live block
 *
 *     table   [.] [.] [.] [.]       by the block's address
 *              |       |
 *           record   record         block, layout, number, who asked
 *              |
 *           record
 *
 * Invariants
 *  1. Each block that inner gave and did not get back has exactly one record,
 *     under the lock; a request holds it while it asks inner, so that an address
 *     that inner gives out again has lost its old record.
 *  2. A record is made before its block is asked for, so that a request fails
 *     whole or not at all.
 *
 * A record beside the block, not in front of it: a wrong layout at dealloc or a
 * stray write would otherwise destroy the record that is to tell about it.
 * pthread's lock and malloc, since this lies below all of ours.
 */
#include <troupe/mem/tracking_allocator.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unwind.h>

#include "mem/tracking_cycles.h"

typedef struct record {
    tr_tracked_block tracked;
    struct record *next;
} record;

struct tr_tracking_allocator {
    tr_allocator base;
    tr_allocator *inner;
    pthread_mutex_t lock;
    record **table;
    size_t slots; /* a power of two */
    size_t live;
    uint64_t made;
};

enum { FIRST_SLOTS = 256 };

/* -- the table -------------------------------------------------------------- */

static record **slot_of(record **table, size_t slots, const void *block)
{
    const uint64_t mixed = ((uint64_t)(uintptr_t)block >> 4) * UINT64_C(0x9e3779b97f4a7c15);
    return &table[(size_t)(mixed >> 32) & (slots - 1)];
}

static void insert(tr_tracking_allocator *t, record *r)
{
    record **slot = slot_of(t->table, t->slots, r->tracked.block);
    r->next = *slot;
    *slot = r;
    t->live++;
}

/* Twice the slots; if there is no memory for them the chains grow longer. */
static void widen(tr_tracking_allocator *t)
{
    record **table = calloc(t->slots * 2, sizeof(record *));
    if (table == NULL)
        return;
    for (size_t i = 0; i < t->slots; i++) {
        for (record *r = t->table[i], *next; r != NULL; r = next) {
            next = r->next;
            record **slot = slot_of(table, t->slots * 2, r->tracked.block);
            r->next = *slot;
            *slot = r;
        }
    }
    free(t->table);
    t->table = table;
    t->slots *= 2;
}

/* -- who asked -------------------------------------------------------------- */

typedef struct trace {
    tr_tracked_block *into;
    const void *from; /* frames inside of this return address are ours: left out */
    bool reached;
} trace;

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *context, void *arg)
{
    trace *t = arg;
    void *address = (void *)_Unwind_GetIP(context); /* an integer type */
    t->reached |= address == t->from;
    if (t->reached && t->into->frame_count < TR_TRACKED_FRAMES)
        t->into->frames[t->into->frame_count++] = address;
    return t->into->frame_count < TR_TRACKED_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* A record for a block to be, or NULL. */
static record *record_new(tr_layout layout, const void *caller)
{
    record *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->tracked.layout = layout;
    trace t = { .into = &r->tracked, .from = caller };
    (void)_Unwind_Backtrace(note_frame, &t);
    return r;
}

/* -- requests --------------------------------------------------------------- */

/* Done with what a caller must not do: it is known which block it is, not why. */
static TR_NORETURN void refuse(const void *block, tr_layout layout, const tr_tracked_block *known)
{
    fprintf(stderr, "%p is given back as %zu bytes aligned to %zu, ", block, layout.size,
            layout.align);
    if (known == NULL)
        fprintf(stderr, "but is not live\n");
    else
        fprintf(stderr, "but block %llu is %zu bytes aligned to %zu\n",
                (unsigned long long)known->number, known->layout.size, known->layout.align);
    abort();
}

/* Take its record out; the lock is held. */
static record *take(tr_tracking_allocator *t, const void *block, tr_layout layout)
{
    record **slot = slot_of(t->table, t->slots, block);
    while (*slot != NULL && (*slot)->tracked.block != block)
        slot = &(*slot)->next;
    record *r = *slot;
    if (r == NULL)
        refuse(block, layout, NULL);
    if (r->tracked.layout.size != layout.size || r->tracked.layout.align != layout.align)
        refuse(block, layout, &r->tracked);
    *slot = r->next;
    t->live--;
    return r;
}

/* The record gets its block; without one (NULL) it goes. */
static void *settle(tr_tracking_allocator *t, record *r, void *block)
{
    if (block == NULL) {
        free(r);
        return NULL;
    }
    r->tracked.block = block;
    r->tracked.number = ++t->made;
    if (t->live >= t->slots)
        widen(t);
    insert(t, r);
    return block;
}

static void *request(tr_tracking_allocator *t, tr_layout layout, const void *caller,
                     void *(*ask)(tr_allocator *inner, tr_layout layout))
{
    record *r = record_new(layout, caller);
    if (r == NULL)
        return NULL;
    pthread_mutex_lock(&t->lock);
    void *block = settle(t, r, ask(t->inner, layout));
    pthread_mutex_unlock(&t->lock);
    return block;
}

static void *tracking_alloc(tr_allocator *self, tr_layout layout)
{
    return request((tr_tracking_allocator *)self, layout, __builtin_return_address(0),
                   tr_alloc_from);
}

static void *tracking_alloc_zeroed(tr_allocator *self, tr_layout layout)
{
    return request((tr_tracking_allocator *)self, layout, __builtin_return_address(0),
                   tr_alloc_zeroed_from);
}

/* The block keeps its number, and belongs to who resized it last. */
static void *tracking_realloc(tr_allocator *self, void *block, tr_layout old_layout,
                              size_t new_size)
{
    tr_tracking_allocator *t = (tr_tracking_allocator *)self;
    const tr_layout new_layout = { .size = new_size, .align = old_layout.align };
    record *fresh = record_new(new_layout, __builtin_return_address(0));
    if (fresh == NULL)
        return NULL;
    pthread_mutex_lock(&t->lock);
    record *old = take(t, block, old_layout);
    void *moved = tr_realloc_from(t->inner, block, old_layout, new_size);
    record *kept = moved != NULL ? fresh : old;
    kept->tracked.block = moved != NULL ? moved : block;
    kept->tracked.number = old->tracked.number;
    insert(t, kept);
    pthread_mutex_unlock(&t->lock);
    free(moved != NULL ? old : fresh);
    return moved;
}

static void tracking_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    tr_tracking_allocator *t = (tr_tracking_allocator *)self;
    pthread_mutex_lock(&t->lock);
    record *r = take(t, block, layout);
    tr_dealloc_from(t->inner, block, layout);
    pthread_mutex_unlock(&t->lock);
    free(r);
}

/* -- made and gone ---------------------------------------------------------- */

tr_status tr_tracking_allocator_create(tr_allocator *inner, tr_tracking_allocator **ret_tracking)
{
    tr_tracking_allocator *t = calloc(1, sizeof *t);
    record **table = calloc(FIRST_SLOTS, sizeof(record *));
    if (t == NULL || table == NULL) {
        free(t);
        free(table);
        return TR_NOMEM;
    }
    t->base = (tr_allocator){
        .name = "tracking",
        .alloc = tracking_alloc,
        .alloc_zeroed = tracking_alloc_zeroed,
        .realloc = tracking_realloc,
        .dealloc = tracking_dealloc,
    };
    t->inner = inner != NULL ? inner : tr_libc_allocator();
    t->table = table;
    t->slots = FIRST_SLOTS;
    pthread_mutex_init(&t->lock, NULL);
    *ret_tracking = t;
    return TR_OK;
}

void tr_tracking_allocator_destroy(tr_tracking_allocator *tracking)
{
    if (tracking == NULL)
        return;
    for (size_t i = 0; i < tracking->slots; i++) {
        for (record *r = tracking->table[i], *next; r != NULL; r = next) {
            next = r->next;
            free(r);
        }
    }
    free(tracking->table);
    pthread_mutex_destroy(&tracking->lock);
    free(tracking);
}

tr_allocator *tr_tracking_allocator_base(tr_tracking_allocator *tracking)
{
    return &tracking->base;
}

size_t tr_tracking_allocator_live(tr_tracking_allocator *tracking)
{
    pthread_mutex_lock(&tracking->lock);
    const size_t live = tracking->live;
    pthread_mutex_unlock(&tracking->lock);
    return live;
}

/* -- what is live ----------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const uintptr_t x = (uintptr_t)((const tri_reach *)a)->tracked.block;
    const uintptr_t y = (uintptr_t)((const tri_reach *)b)->tracked.block;
    return x < y ? -1 : x > y;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t x = ((const tri_reach *)a)->tracked.number;
    const uint64_t y = ((const tri_reach *)b)->tracked.number;
    return x < y ? -1 : x > y;
}

/* A copy of all records, their cycles known, the oldest first. The lock is held
 * throughout: a block must not be freed while it is read into. */
static tr_status list_live(tr_tracking_allocator *t, tri_reach **ret_list, size_t *ret_count)
{
    pthread_mutex_lock(&t->lock);
    const size_t count = t->live;
    tri_reach *list = calloc(count + 1, sizeof *list);
    if (list != NULL) {
        size_t n = 0;
        for (size_t i = 0; i < t->slots; i++)
            for (const record *r = t->table[i]; r != NULL; r = r->next)
                list[n++].tracked = r->tracked;
        qsort(list, count, sizeof *list, by_address);
        (void)tri_tracking_find_cycles(list, count);
        qsort(list, count, sizeof *list, by_number);
    }
    pthread_mutex_unlock(&t->lock);
    if (list == NULL)
        return TR_NOMEM;
    *ret_list = list;
    *ret_count = count;
    return TR_OK;
}

static void free_list(tri_reach **list)
{
    free(*list);
}

tr_status tr_tracking_allocator_each(tr_tracking_allocator *tracking,
                                     void (*f)(const tr_tracked_block *block, void *arg), void *arg)
{
    __attribute__((cleanup(free_list))) tri_reach *list = NULL; /* f may panic */
    size_t count = 0;
    const tr_status status = list_live(tracking, &list, &count);
    for (size_t i = 0; i < count; i++)
        f(&list[i].tracked, arg);
    return status;
}

/* -- the report ------------------------------------------------------------- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The file and the function, or for a function without a public name the place in
 * the file, as addr2line wants it. */
static void print_frame(FILE *stream, void *address)
{
    Dl_info where = { 0 };
    if (dladdr(address, &where) == 0 || where.dli_fname == NULL) {
        fprintf(stream, "    %p\n", address);
        return;
    }
    const char *file = file_name(where.dli_fname);
    const uintptr_t at = (uintptr_t)address;
    if (where.dli_sname != NULL)
        fprintf(stream, "    %s: %s+%#zx\n", file, where.dli_sname,
                (size_t)(at - (uintptr_t)where.dli_saddr));
    else
        fprintf(stream, "    %s+%#zx\n", file, (size_t)(at - (uintptr_t)where.dli_fbase));
}

static void print_block(FILE *stream, const tr_tracked_block *b)
{
    fprintf(stream, "block %llu: %zu bytes aligned to %zu at %p", (unsigned long long)b->number,
            b->layout.size, b->layout.align, b->block);
    if (b->cycle != 0)
        fprintf(stream, ", in cycle %zu", b->cycle);
    fputc('\n', stream);
    for (unsigned i = 0; i < b->frame_count; i++)
        print_frame(stream, b->frames[i]);
}

tr_status tr_tracking_allocator_report(tr_tracking_allocator *tracking, FILE *stream)
{
    tri_reach *list = NULL;
    size_t count = 0;
    const tr_status status = list_live(tracking, &list, &count);
    if (status != TR_OK)
        return status;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += list[i].tracked.layout.size;
    fprintf(stream, "%zu live block%s, %zu bytes\n", count, count == 1 ? "" : "s", bytes);
    for (size_t i = 0; i < count; i++)
        print_block(stream, &list[i].tracked);
    free(list);
    return fflush(stream) == 0 && !ferror(stream) ? TR_OK : TR_IO;
}
