/*
 * word - making, comparing and freeing one
 */
#include "word.h"

#include <string.h>

static tr_layout layout_for(uint32_t length)
{
    return (tr_layout){ .size = sizeof(struct word) + length, .align = _Alignof(struct word) };
}

struct word *word_create(const char *text, uint32_t length, uint32_t hash, uint64_t count)
{
    struct word *made = tr_alloc(layout_for(length));
    if (made == NULL)
        return NULL;
    char *copy = (char *)(made + 1);
    memcpy(copy, text, length);
    *made = (struct word){ .count = count, .text = copy, .length = length, .hash = hash };
    return made;
}

void word_destroy(struct word *word)
{
    tr_dealloc(word, layout_for(word->length));
}

bool word_eq(const struct word *a, const struct word *b)
{
    return a->hash == b->hash && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

int word_compare(const struct word *a, const struct word *b)
{
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    const uint32_t shorter = a->length < b->length ? a->length : b->length;
    const int order = memcmp(a->text, b->text, shorter);
    if (order != 0)
        return order;
    return (a->length > b->length) - (a->length < b->length);
}
