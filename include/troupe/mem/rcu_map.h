/*
 * rcu_map - a hash map that is looked up without a lock while others change it
 *
 *     TR_RCU_MAP(routes, uint32_t, route)         the type routes: uint32_t -> route
 *     static routes table;
 *     TR_MUST(tr_rcu_map_init(routes, &table, 1024));
 *     TR_MUST(tr_rcu_map_put(&table, 7, tr_arc(route, .port = 80)));
 *
 *     TR_RCU_GUARD g = tr_rcu_enter();
 *     const route *r = tr_rcu_map_get(&table, 7, &g);       NULL: no such key
 *
 *     buckets --> { key, share of an Arc } --> ...          liburcu's rculfhash
 *
 * Use it for tables of names, routes, sessions: looked up always, changed now and
 * then. The number of buckets changes by tr_rcu_map_resize only; have about one for
 * each entry.
 *
 * Keys are copied bytewise into the map, which drops them with its entry; they are
 * compared and hashed as their type says (type.h), and neither may panic.
 *
 * Threads  any: readers and writers. init and fini: when nobody else knows the map.
 * Progress get is wait-free but for the length of a chain; writers are lock-free
 *          but for the allocator. resize waits for readers.
 * Order    what a writer did before put is visible to who finds the entry; what a
 *          reader did before its guard ended, to the entry's drop.
 * Memory   a block for each entry, the key in it; the buckets, from libc. Entries are
 *          dropped as the values of a cell (rcu_cell.h).
 */
#ifndef TROUPE_MEM_RCU_MAP_H
#define TROUPE_MEM_RCU_MAP_H

#include <troupe/mem/mutex.h>
#include <troupe/mem/rcu_cell.h>

TR_BEGIN_DECLS

typedef struct tr_rcu_map_core {
    void *table_;
    const tr_type *key_;
    TR_ATOMIC(size_t) len_;
    tr_mutex resizing_;
} tr_rcu_map_core;

/* The map M from the described type K to the described type V. */
#define TR_RCU_MAP(M, K, V)                                                                        \
    typedef struct M {                                                                             \
        tr_rcu_map_core core_;                                                                     \
        __extension__ K key_[0];                                                                   \
        __extension__ V *pointer_[0];                                                              \
    } M;                                                                                           \
    TR_MUST_USE TR_UNUSED static inline tr_status M##_init_(M *tr_map_, size_t tr_buckets_)        \
    {                                                                                              \
        return tr_rcu_map_init_(&tr_map_->core_, tr_type_of(K), tr_buckets_);                      \
    }                                                                                              \
    TR_UNUSED static inline void M##_drop_(M *tr_map_)                                             \
    {                                                                                              \
        tr_rcu_map_fini_(&tr_map_->core_);                                                         \
    }                                                                                              \
    TR_TYPE(M, .drop = M##_drop_)

/* Make an empty map M with so many buckets, rounded up to a power of two. TR_NOMEM;
 * TR_INVALID: no table can be so large. */
#define tr_rcu_map_init(M, map, buckets) M##_init_((map), (buckets))

/* The value of the key, a `const V *` valid until the guard ends; NULL: none. */
#define tr_rcu_map_get(map, key, guard)                                                            \
    ({                                                                                             \
        __typeof__(map) tr_map_ = (map);                                                           \
        const __typeof__(tr_map_->key_[0]) tr_key_ = (key);                                        \
        (const __typeof__(*tr_map_->pointer_[0]) *)tr_rcu_map_get_(&tr_map_->core_, &tr_key_,      \
                                                                   (guard));                       \
    })

/*
 * Insert the entry, or replace the one of an equal key. The value is an Arc or a Box
 * (which becomes an Arc). TR_OK: the map owns key and value. TR_NOMEM: nothing changed,
 * the caller owns both still.
 */
#define tr_rcu_map_put(map, key, value) TR_RCU_MAP_PUT_(map, key, value, NULL)

/* As put, but an entry of an equal key stays: *ret_inserted is false then, and the
 * caller owns key and value still. */
#define tr_rcu_map_insert(map, key, value, ret_inserted)                                           \
    TR_RCU_MAP_PUT_(map, key, value, ret_inserted)

/* Remove the entry; false: there was none, or somebody else removed it. */
#define tr_rcu_map_remove(map, key)                                                                \
    ({                                                                                             \
        __typeof__(map) tr_map_ = (map);                                                           \
        const __typeof__(tr_map_->key_[0]) tr_key_ = (key);                                        \
        tr_rcu_map_remove_(&tr_map_->core_, &tr_key_);                                             \
    })

/* How many there were a moment ago. */
#define tr_rcu_map_len(map) tr_rcu_map_len_(&(map)->core_)

/* Change the number of buckets, while others read and write. Waits for readers, and
 * panics as tr_rcu_synchronise; else as init. */
#define tr_rcu_map_resize(map, buckets) tr_rcu_map_resize_(&(map)->core_, (buckets))

/* The end of a map that nobody else knows; what was got from it lives until the
 * guard ends. Init may follow. A zeroed map is accepted. */
#define tr_rcu_map_fini(map) tr_rcu_map_fini_(&(map)->core_)

/* The untyped forms; call the macros. */
TR_API TR_MUST_USE tr_status tr_rcu_map_init_(tr_rcu_map_core *map, const tr_type *key, size_t buckets);
TR_API const void *tr_rcu_map_get_(const tr_rcu_map_core *map, const void *key,
                                   const tr_rcu_guard *guard);
TR_API TR_MUST_USE tr_status tr_rcu_map_put_(tr_rcu_map_core *map, const void *key, void *value,
                                             bool *ret_inserted);
TR_API bool tr_rcu_map_remove_(tr_rcu_map_core *map, const void *key);
TR_API size_t tr_rcu_map_len_(const tr_rcu_map_core *map);
TR_API TR_MUST_USE tr_status tr_rcu_map_resize_(tr_rcu_map_core *map, size_t buckets);
TR_API void tr_rcu_map_fini_(tr_rcu_map_core *map);

#define TR_RCU_MAP_PUT_(map, key, value, ret_inserted)                                             \
    tr_status_told_(({                                                                             \
        __typeof__(map) tr_map_ = (map);                                                           \
        const __typeof__(tr_map_->key_[0]) tr_key_ = (key);                                        \
        const __typeof__(tr_map_->pointer_[0]) tr_value_ = (value);                                \
        tr_rcu_map_put_(&tr_map_->core_, &tr_key_, tr_value_, (ret_inserted));                     \
    }))

TR_END_DECLS

#endif
