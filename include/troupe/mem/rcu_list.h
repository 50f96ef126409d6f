/*
 * rcu_list - a list that is walked without a lock while others change it
 *
 *     TR_RCU_LIST(watcher)                        watcher_rcu_list, watcher_rcu_at
 *     static watcher_rcu_list all;                all zero: empty
 *
 *     TR_RCU_GUARD g = tr_rcu_enter();
 *     TR_RCU_EACH(it, &all, &g)
 *         notify(it.value);
 *
 *     head -> A -> B -> C          a walk that stands at B when B is removed
 *             A ------> C          still sees B, then C; B is dropped when
 *                                  every guard of that moment has ended
 *
 * Use it for listeners, hooks, members: short, walked often, changed seldom. To
 * find one of many by its key use rcu_map.h.
 *
 * A walk sees each element that is in the list during the whole of the walk, in
 * order, once; of what is inserted or removed meanwhile it may see either. An `it`
 * is valid until the guard ends that was open when it was made.
 *
 * Threads  any: readers and writers. fini, and dropping the list: when nobody knows
 *          it any more.
 * Progress a walk never waits. Writers wait for each other, for moments.
 * Order    what a writer did before it inserted is visible to who finds the element;
 *          what a reader did before its guard ended, to the element's drop.
 * Memory   a block of 48 bytes for each element, and the values themselves, which are
 *          dropped as those of a cell (rcu_cell.h). Not to be moved unless empty.
 */
#ifndef TROUPE_MEM_RCU_LIST_H
#define TROUPE_MEM_RCU_LIST_H

#include <troupe/mem/mutex.h>
#include <troupe/mem/rcu_cell.h>

TR_BEGIN_DECLS

/* As liburcu's struct cds_list_head. */
typedef struct tr_rcu_link_ {
    struct tr_rcu_link_ *next_, *prev_;
} tr_rcu_link_;

typedef struct tr_rcu_list_core {
    tr_rcu_link_ ends_;      /* next_ is NULL until something is inserted */
    tr_mutex writing_;       /* guards prev_ of all links, and who writes next_ */
    TR_ATOMIC(size_t) len_;
} tr_rcu_list_core;

/* An element's node, as far as macros know it. */
typedef struct tr_rcu_node_ {
    tr_rcu_link_ link_;
    void *value_; /* a share of an Arc */
} tr_rcu_node_;

/*
 * The list of the described type T: T_rcu_list with its descriptor, and T_rcu_at, a
 * place in it. Once in what a file includes, as TR_TYPE(T).
 */
#define TR_RCU_LIST(T)                                                                             \
    typedef struct T##_rcu_at {                                                                    \
        const T *value;                                                                            \
        tr_rcu_node_ *node_;                                                                       \
    } T##_rcu_at;                                                                                  \
    typedef struct T##_rcu_list {                                                                  \
        tr_rcu_list_core core_;                                                                    \
        __extension__ T *pointer_[0];                                                              \
        __extension__ T##_rcu_at at_[0];                                                           \
    } T##_rcu_list;                                                                                \
    TR_UNUSED static inline void T##_rcu_list_drop_(T##_rcu_list *tr_list_)                        \
    {                                                                                              \
        tr_rcu_list_fini_(&tr_list_->core_);                                                       \
    }                                                                                              \
    TR_TYPE(T##_rcu_list, .drop = T##_rcu_list_drop_)

/* The first element, the one after `it`; value is NULL behind the last. */
#define tr_rcu_list_first(list, guard)                                                             \
    TR_RCU_AT_(list, tr_rcu_list_next_(&(list)->core_, &(list)->core_.ends_, (guard)))
#define tr_rcu_list_next(list, it, guard)                                                          \
    TR_RCU_AT_(list, tr_rcu_list_next_(&(list)->core_, &(it).node_->link_, (guard)))

/* Walk: it.value is a `const T *`. The body may remove or replace `it`. */
#define TR_RCU_EACH(it, list, guard)                                                               \
    for (__typeof__((list)->at_[0]) it = tr_rcu_list_first(list, guard); it.value != NULL;         \
         it = tr_rcu_list_next(list, it, guard))

/*
 * Insert a value, an Arc or a Box (which becomes an Arc): as the first, as the last.
 * TR_OK: the list owns it. TR_NOMEM: nothing changed, the caller owns it still.
 */
#define tr_rcu_list_push_front(list, value) TR_RCU_INSERT_(list, NULL, value, TR_RCU_AFTER_)
#define tr_rcu_list_push_back(list, value) TR_RCU_INSERT_(list, NULL, value, TR_RCU_BEFORE_)

/* Insert beside `it`, or put in its place, under the guard that found it; else as
 * above. TR_EMPTY: `it` is in the list no more; nothing changed. */
#define tr_rcu_list_insert_before(list, it, value)                                                 \
    TR_RCU_INSERT_(list, (it).node_, value, TR_RCU_BEFORE_)
#define tr_rcu_list_insert_after(list, it, value)                                                  \
    TR_RCU_INSERT_(list, (it).node_, value, TR_RCU_AFTER_)
#define tr_rcu_list_replace(list, it, value)                                                       \
    TR_RCU_INSERT_(list, (it).node_, value, TR_RCU_REPLACE_)

/* Remove `it`, under the guard that found it; its value is dropped after a grace
 * period. false: somebody else had removed or replaced it. */
#define tr_rcu_list_remove(list, it) tr_rcu_list_remove_(&(list)->core_, (it).node_)

/* How many there were a moment ago. */
#define tr_rcu_list_len(list) tr_rcu_list_len_(&(list)->core_)

/* The end of a list that nobody else knows: empty, and usable again. */
#define tr_rcu_list_fini(list) tr_rcu_list_fini_(&(list)->core_)

/* The untyped forms; call the macros. */
typedef enum tr_rcu_where_ {
    TR_RCU_BEFORE_,
    TR_RCU_AFTER_,
    TR_RCU_REPLACE_,
} tr_rcu_where_;

TR_API TR_MUST_USE tr_status tr_rcu_list_insert_(tr_rcu_list_core *list, tr_rcu_node_ *at, void *value,
                                                 tr_rcu_where_ where);
TR_API bool tr_rcu_list_remove_(tr_rcu_list_core *list, tr_rcu_node_ *at);
TR_API tr_rcu_node_ *tr_rcu_list_next_(const tr_rcu_list_core *list, const tr_rcu_link_ *link,
                                       const tr_rcu_guard *guard);
TR_API size_t tr_rcu_list_len_(const tr_rcu_list_core *list);
TR_API void tr_rcu_list_fini_(tr_rcu_list_core *list);

#define TR_RCU_AT_(list, found)                                                                    \
    ({                                                                                             \
        tr_rcu_node_ *tr_found_ = (found);                                                         \
        (__typeof__((list)->at_[0])){                                                              \
            .value = (__typeof__((list)->pointer_[0]))(tr_found_ != NULL ? tr_found_->value_       \
                                                                         : NULL),                  \
            .node_ = tr_found_,                                                                    \
        };                                                                                         \
    })

#define TR_RCU_INSERT_(list, at, value, where)                                                     \
    tr_status_told_(({                                                                             \
        __typeof__(list) tr_list_ = (list);                                                        \
        const __typeof__(tr_list_->pointer_[0]) tr_value_ = (value);                               \
        tr_rcu_list_insert_(&tr_list_->core_, (at), tr_value_, (where));                           \
    }))

TR_END_DECLS

#endif
