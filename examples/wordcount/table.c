/*
 * table - the words one counter has met, in a ck_hs
 *
 * ck_hs stores pointers to words, and wants to know their hash and whether two
 * are equal. Looking up needs a word too: a temporary one around the text in
 * the chunk, so that only a new word is ever copied.
 */
#include "table.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 4096 };

static void *allocate(size_t size)
{
    return malloc(size);
}

/* ck says how large the block was, and whether a reader of another thread may
 * still look at it; malloc knows the first, and there is no other thread. */
static void *reallocate(void *block, size_t old_size, size_t new_size, bool defer)
{
    (void)old_size;
    (void)defer;
    return realloc(block, new_size);
}

static void release(void *block, size_t size, bool defer)
{
    (void)size;
    (void)defer;
    free(block);
}

static struct ck_malloc memory = { .malloc = allocate, .realloc = reallocate, .free = release };

static unsigned long hash_of(const void *object, unsigned long seed)
{
    (void)seed;
    return ((const struct word *)object)->hash;
}

static bool are_equal(const void *a, const void *b)
{
    return word_eq(a, b);
}

tr_status table_init(struct table *table)
{
    const bool ok = ck_hs_init(&table->set, CK_HS_MODE_OBJECT | CK_HS_MODE_SPMC, hash_of, are_equal,
                               &memory, FIRST_CAPACITY, 0);
    return ok ? TR_OK : TR_NOMEM;
}

uint64_t table_count(struct table *table)
{
    return ck_hs_count(&table->set);
}

tr_status table_add(struct table *table, const char *text, uint32_t length, uint32_t hash,
                    uint64_t times)
{
    const struct word wanted = { .text = text, .length = length, .hash = hash };
    struct word *known = ck_hs_get(&table->set, hash, &wanted);
    if (TR_LIKELY(known != NULL)) {
        known->count += times;
        return TR_OK;
    }
    struct word *fresh = word_create(text, length, hash, times);
    if (fresh == NULL)
        return TR_NOMEM;
    if (!ck_hs_put_unique(&table->set, hash, fresh)) {
        word_destroy(fresh);
        return TR_NOMEM;
    }
    return TR_OK;
}

/* Give the set up, not the words. */
static void destroy_set(struct table *table)
{
    ck_hs_destroy(&table->set);
    table->set.map = NULL;
}

tr_status table_rank(struct table *table, struct ranking *ranking)
{
    ck_hs_iterator_t at = CK_HS_ITERATOR_INITIALIZER;
    tr_status status = TR_OK;
    void *found;
    while (ck_hs_next(&table->set, &at, &found)) {
        const tr_status offered = ranking_offer(ranking, found);
        if (offered != TR_OK) {
            word_destroy(found);
            status = offered;
        }
    }
    destroy_set(table);
    return status;
}

void table_fini(struct table *table)
{
    if (table->set.map == NULL)
        return;
    ck_hs_iterator_t at = CK_HS_ITERATOR_INITIALIZER;
    void *found;
    while (ck_hs_next(&table->set, &at, &found))
        word_destroy(found);
    destroy_set(table);
}
