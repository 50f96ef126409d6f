/*
 * rcu_map - liburcu's rculfhash with entries that own a key and a share
 *
 *     entry | link | head | value, a share of an Arc | key ... |
 *
 * 1. An entry is freed, its key dropped and its share given up, in a deferred call
 *    only, and by the one thread whose del or replace took it out.
 * 2. All calls into the table happen in a section, but those of init and fini.
 * 3. The table never resizes itself: its helper threads could not be told to
 *    ThreadSanitizer, and are nobody's to stop.
 * 4. One resize at a time, and who waits for his turn is offline: rculfhash has a mutex
 *    of its own, but there the one who waits would be online and stop the grace
 *    period that the other one waits for.
 *
 * Edges: rculfhash's own, in a library that ThreadSanitizer does not see: an entry is
 * released before it goes in and acquired where it is matched. Else grace periods.
 */
#include <troupe/mem/rcu_map.h>

#include <troupe/mem/cow.h>

#include "mem/owned.h"
#include "mem/rcu.h"
#include "mem/rcu_defer.h"

#include <urcu/rculfhash.h>

#ifdef TRI_RCU_MODEL
#include <sanitizer/tsan_interface.h>
#define SHOW_RELEASE(entry) __tsan_release(entry)
#define SHOW_ACQUIRE(entry) __tsan_acquire(entry)
#else
#define SHOW_RELEASE(entry) ((void)(entry))
#define SHOW_ACQUIRE(entry) ((void)(entry))
#endif

#define MAX_BUCKETS ((size_t)1 << 31)

typedef struct entry {
    struct cds_lfht_node link;
    tri_rcu_head head;
    const tr_type *key_type;
    void *value;
} entry;

static size_t key_offset(const tr_type *key)
{
    return (sizeof(entry) + key->align - 1) / key->align * key->align;
}

static tr_layout entry_layout(const tr_type *key)
{
    const size_t align = key->align > _Alignof(entry) ? key->align : _Alignof(entry);
    return (tr_layout){ .size = key_offset(key) + key->size, .align = align };
}

static void *key_of(entry *e)
{
    return (char *)e + key_offset(e->key_type);
}

static entry *entry_of(struct cds_lfht_node *link)
{
    return link != NULL ? caa_container_of(link, entry, link) : NULL;
}

static int match(struct cds_lfht_node *link, const void *key)
{
    entry *e = entry_of(link);

    SHOW_ACQUIRE(e);
    return tr_cow_eq_(e->key_type, key_of(e), key);
}

static void drop_key(void *arg)
{
    entry *e = arg;
    e->key_type->drop(key_of(e));
}

static void reclaim(tri_rcu_head *head)
{
    entry *e = caa_container_of(head, entry, head);

    tri_rcu_drop_on_helper(e->value);
    if (e->key_type->drop != NULL) {
        const tr_status status = tr_catch(drop_key, e, NULL);
        (void)status; /* the hook has told of a panic */
    }
    tr_dealloc(e, entry_layout(e->key_type));
}

/* -- the table ------------------------------------------------------------------------- */

static bool round_up(size_t buckets, unsigned long *ret_rounded)
{
    unsigned long rounded = 1;

    if (buckets > MAX_BUCKETS)
        return false;
    while (rounded < buckets)
        rounded *= 2;
    *ret_rounded = rounded;
    return true;
}

tr_status tr_rcu_map_init_(tr_rcu_map_core *map, const tr_type *key, size_t buckets)
{
    unsigned long n;

    if (!round_up(buckets, &n))
        return TR_INVALID;
    struct cds_lfht *table = cds_lfht_new_flavor(n, 1, 0, 0, &urcu_qsbr_flavor, NULL);
    if (table == NULL)
        return TR_NOMEM;
    *map = (tr_rcu_map_core){ .table_ = table, .key_ = key };
    return TR_OK;
}

/* It walks chains to link and unlink buckets, so it must be online; it waits for a
 * grace period by a call that takes the thread offline meanwhile. */
static void resize_online(struct cds_lfht *table, unsigned long n)
{
    TRI_RCU_SECTION;
    cds_lfht_resize(table, n);
}

tr_status tr_rcu_map_resize_(tr_rcu_map_core *map, size_t buckets)
{
    unsigned long n;

    if (TR_UNLIKELY(tri_rcu_is_online()))
        tr_panic("tr_rcu_map_resize would wait for this thread");
    if (!round_up(buckets, &n))
        return TR_INVALID;
    tr_mutex_acquire(&map->resizing_); /* 4. */
    resize_online(map->table_, n);
    tr_mutex_release(&map->resizing_);
    return TR_OK;
}

static void remove_all(struct cds_lfht *table)
{
    struct cds_lfht_iter iter;
    struct cds_lfht_node *link;

    TRI_RCU_SECTION;
    cds_lfht_for_each (table, &iter, link) {
        if (cds_lfht_del(table, link) == 0)
            tri_rcu_call(&entry_of(link)->head, reclaim);
    }
}

void tr_rcu_map_fini_(tr_rcu_map_core *map)
{
    struct cds_lfht *table = map->table_;

    if (table == NULL)
        return;
    remove_all(table);
    TR_ASSERT(cds_lfht_destroy(table, NULL) == 0);
    *map = (tr_rcu_map_core){ .table_ = NULL };
}

/* -- entries --------------------------------------------------------------------------- */

static entry *find(const tr_rcu_map_core *map, const void *key, struct cds_lfht_iter *iter)
{
    cds_lfht_lookup(map->table_, tr_cow_hash_(map->key_, key), match, key, iter);
    return entry_of(cds_lfht_iter_get_node(iter));
}

const void *tr_rcu_map_get_(const tr_rcu_map_core *map, const void *key, const tr_rcu_guard *guard)
{
    struct cds_lfht_iter iter;

    (void)guard;
    TR_DCHECK(guard->open_);
    const entry *e = find(map, key, &iter);
    return e != NULL ? e->value : NULL;
}

/* The entry whose link is in the table at the key afterwards and was there before, or
 * NULL. Without `replace` that entry stays, and e is not in. */
static entry *link_in(tr_rcu_map_core *map, const void *key, entry *e, bool replace)
{
    const unsigned long hash = tr_cow_hash_(map->key_, key);

    SHOW_RELEASE(e);
    if (replace)
        return entry_of(cds_lfht_add_replace(map->table_, hash, match, key, &e->link));
    struct cds_lfht_node *found = cds_lfht_add_unique(map->table_, hash, match, key, &e->link);
    return found != &e->link ? entry_of(found) : NULL;
}

tr_status tr_rcu_map_put_(tr_rcu_map_core *map, const void *key, void *value, bool *ret_inserted)
{
    TR_ASSERT(value != NULL);
    tri_rcu_check_value(value);
    entry *e = tr_alloc(entry_layout(map->key_));
    if (e == NULL)
        return TR_NOMEM;
    const bool was_box = tri_owned_kind(tri_owned_of(value)) == TRI_KIND_BOX;
    cds_lfht_node_init(&e->link);
    e->key_type = map->key_;
    e->value = tri_rcu_as_arc(value);
    __builtin_memcpy(key_of(e), key, map->key_->size);

    TRI_RCU_SECTION;
    entry *other = link_in(map, key, e, ret_inserted == NULL);
    if (other == NULL)
        tr_fetch_add_relaxed(&map->len_, 1); /* relaxed: a number */
    else if (ret_inserted == NULL)
        tri_rcu_call(&other->head, reclaim);
    else {
        if (was_box) /* nobody has seen it: a Box again */
            tri_owned_set_kind(tri_owned_of(value), TRI_KIND_BOX);
        tr_dealloc(e, entry_layout(map->key_));
    }
    if (ret_inserted != NULL)
        *ret_inserted = other == NULL;
    return TR_OK;
}

bool tr_rcu_map_remove_(tr_rcu_map_core *map, const void *key)
{
    struct cds_lfht_iter iter;

    TRI_RCU_SECTION;
    entry *e = find(map, key, &iter);
    if (e == NULL || cds_lfht_del(map->table_, &e->link) != 0)
        return false;
    tr_fetch_sub_relaxed(&map->len_, 1); /* relaxed: a number */
    tri_rcu_call(&e->head, reclaim);
    return true;
}

size_t tr_rcu_map_len_(const tr_rcu_map_core *map)
{
    return tr_load_relaxed(&map->len_); /* relaxed: a snapshot */
}
