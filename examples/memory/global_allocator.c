/*
 * global_allocator - an allocator of one's own under everything that troupe makes
 *
 *     tr_box ---> meter ---> libc
 */
#include <stdio.h>
#include <troupe/mem/box.h>
#include <troupe/mem/scalars.h>

typedef struct meter {
    tr_allocator base; /* first: the calls below are handed its address */
    unsigned allocs, deallocs;
} meter;

static void *meter_alloc(tr_allocator *self, tr_layout layout)
{
    meter *n = (meter *)self;
    n->allocs++;
    return tr_alloc_from(tr_libc_allocator(), layout);
}

static void meter_dealloc(tr_allocator *self, void *block, tr_layout layout)
{
    meter *n = (meter *)self;
    n->deallocs++;
    tr_dealloc_from(tr_libc_allocator(), block, layout);
}

/* alloc_zeroed and realloc may be left out: they are made of these two. */
static meter global = { .base = { .name = "meter", .alloc = meter_alloc, .dealloc = meter_dealloc } };

static void report(const char *when)
{
    printf("%s: %u made, %u given back\n", when, global.allocs, global.deallocs);
}

int main(void)
{
    tr_set_global_allocator(&global.base); /* before the first block */
    report("at first");

    int *x = tr_box(int, 42);
    printf("x = %d\n", *x);
    report("with a box");
    tr_drop(x);
    report("without it");

    int *unseen = tr_alloc_from(tr_libc_allocator(), tr_layout_of(int));
    report("asking libc itself");
    tr_dealloc_from(tr_libc_allocator(), unseen, tr_layout_of(int));
}
