/*
 * tracking_cycles - Tarjan's strongly connected components, blocks as nodes
 *
 *     | a | ...  --- a word of a lies in b ---> | b | ... --->  | c |
 *       ^---------------------------------------------------------'
 *       a, b and c reach each other: one cycle
 *
 * Invariants
 *  1. A block is on the stack from when the walk comes to it until it is known
 *     which blocks it shares a cycle with.
 *  2. low is the order of some block on the stack that this one reaches, and at
 *     the end of its scan the smallest: equal to its own order exactly when
 *     nothing earlier is reached.
 *
 * The way back is in the blocks' own records (parent, below), not on the C
 * stack: a leaked list of a million nodes is a path of that length.
 */
#include "mem/tracking_cycles.h"

#include <string.h>

enum { WORD = sizeof(void *) };

#define NOWHERE SIZE_MAX

typedef struct walk {
    tri_reach *blocks;
    size_t n;
    size_t top; /* of the stack */
    size_t visited;
    size_t cycles;
} walk;

/* The block in which the address lies, or NOWHERE. */
static size_t block_at(const walk *w, uintptr_t address)
{
    size_t from = 0;
    size_t to = w->n;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const tr_tracked_block *b = &w->blocks[middle].tracked;
        const uintptr_t start = (uintptr_t)b->block;
        if (address < start)
            to = middle;
        else if (address - start < b->layout.size)
            return middle;
        else
            from = middle + 1;
    }
    return NOWHERE;
}

/* A word of a live block, written or not. It may lie in what an arena has marked
 * as out of bounds for its users; the walk is none of them. */
__attribute__((no_sanitize("address"))) static uintptr_t word_at(const char *place)
{
    return *(const volatile uintptr_t *)(const void *)place;
}

/* The next block that this one points into, or NOWHERE at its end. */
static size_t next_target(walk *w, tri_reach *from)
{
    const char *start = from->tracked.block;
    const size_t first = -(uintptr_t)start & (WORD - 1);
    const size_t size = from->tracked.layout.size;
    while (first + WORD <= size && from->scanned <= size - WORD - first) {
        const uintptr_t word = word_at(start + first + from->scanned);
        from->scanned += WORD;
        const size_t target = block_at(w, word);
        if (target != NOWHERE)
            return target;
    }
    return NOWHERE;
}

static void enter(walk *w, size_t at, size_t parent)
{
    tri_reach *b = &w->blocks[at];
    b->order = b->low = ++w->visited;
    b->parent = parent;
    b->below = w->top;
    b->on_stack = true;
    w->top = at;
}

/* Everything on the stack down to `at` reaches each other, and nothing else. */
static void close_component(walk *w, size_t at)
{
    tri_reach *b = &w->blocks[at];
    const size_t number = w->top != at || b->reaches_itself ? ++w->cycles : 0;
    size_t popped;
    do {
        popped = w->top;
        w->blocks[popped].on_stack = false;
        w->blocks[popped].tracked.cycle = number;
        w->top = w->blocks[popped].below;
    } while (popped != at);
}

static void lower(tri_reach *b, size_t order)
{
    if (order < b->low)
        b->low = order;
}

/* The block is scanned; gives the one to go on with. */
static size_t leave(walk *w, size_t at)
{
    tri_reach *b = &w->blocks[at];
    if (b->low == b->order)
        close_component(w, at);
    if (b->parent != NOWHERE)
        lower(&w->blocks[b->parent], b->low);
    return b->parent;
}

static void visit(walk *w, size_t root)
{
    size_t at = root;
    enter(w, root, NOWHERE);
    while (at != NOWHERE) {
        tri_reach *b = &w->blocks[at];
        const size_t target = next_target(w, b);
        if (target == NOWHERE) {
            at = leave(w, at);
        } else if (w->blocks[target].order == 0) {
            enter(w, target, at);
            at = target;
        } else if (w->blocks[target].on_stack) {
            lower(b, w->blocks[target].order);
            b->reaches_itself |= target == at;
        }
    }
}

size_t tri_tracking_find_cycles(tri_reach *blocks, size_t n)
{
    walk w = { .blocks = blocks, .n = n, .top = NOWHERE };
    for (size_t i = 0; i < n; i++)
        if (blocks[i].order == 0)
            visit(&w, i);
    return w.cycles;
}
