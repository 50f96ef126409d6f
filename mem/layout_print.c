/*
 * layout_print - a struct's members in the order in which they lie
 *
 * Invariant: `end` is the first byte behind all members shown so far, so what
 * lies between it and the next member's offset belongs to no member, and members
 * that overlap make no hole.
 *
 * The next member is searched for each time: no copy to sort, no memory.
 */
#include <troupe/mem/layout_print.h>

/* Is a in front of b? Of two at one offset the one named first is. */
static bool lies_before(const tr_member *a, const tr_member *b)
{
    return a->offset < b->offset || (a->offset == b->offset && a < b);
}

/* The first member behind `last` (NULL: of all); NULL: there is none. */
static const tr_member *member_behind(const tr_record *record, const tr_member *last)
{
    const tr_member *next = NULL;
    for (size_t i = 0; i < record->member_count; i++) {
        const tr_member *m = &record->members[i];
        if ((last == NULL || lies_before(last, m)) && (next == NULL || lies_before(m, next)))
            next = m;
    }
    return next;
}

static size_t end_behind(size_t end, const tr_member *m)
{
    return m->offset + m->size > end ? m->offset + m->size : end;
}

size_t tr_layout_wasted(tr_record record)
{
    size_t end = 0;
    size_t wasted = 0;
    const tr_member *m = NULL;
    while ((m = member_behind(&record, m)) != NULL) {
        if (m->offset > end)
            wasted += m->offset - end;
        end = end_behind(end, m);
    }
    return wasted + (record.layout.size - end);
}

/* Did the stream take it? */
static bool print_row(FILE *stream, size_t offset, size_t size, const char *what)
{
    return fprintf(stream, "  %6zu %6zu  %s\n", offset, size, what) >= 0;
}

static bool print_rows(FILE *stream, const tr_record *record)
{
    size_t end = 0;
    const tr_member *m = NULL;
    while ((m = member_behind(record, m)) != NULL) {
        if (m->offset > end && !print_row(stream, end, m->offset - end, "(hole)"))
            return false;
        if (!print_row(stream, m->offset, m->size, m->name))
            return false;
        end = end_behind(end, m);
    }
    const size_t size = record->layout.size;
    return end >= size || print_row(stream, end, size - end, "(padding)");
}

tr_status tr_layout_print(FILE *stream, tr_record record)
{
    const size_t wasted = tr_layout_wasted(record);
    const size_t size = record.layout.size;
    if (fprintf(stream, "%s: %zu bytes, aligned to %zu\n  offset   size  member\n", record.name,
                size, record.layout.align) < 0 ||
        !print_rows(stream, &record) ||
        fprintf(stream, "%zu bytes in members, %zu in holes and padding\n", size - wasted, wasted) <
            0)
        return TR_IO;
    return TR_OK;
}
