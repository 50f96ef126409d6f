/*
 * refcell - a value with readers or one writer, watched at run time
 *
 *     TR_REFCELL(point)                 makes point_refcell, point_ref, point_ref_mut
 *
 *     point_refcell *cell = tr_rc(point_refcell, TR_REFCELL_OF({ .x = 1 }));
 *     {
 *         TR_REF(point_ref_mut) w = tr_borrow_mut(cell);
 *         w.value->x += 5;
 *     }                                 released at the scope's end
 *     TR_REF(point_ref) r = tr_borrow(cell);
 *
 * As std::cell::RefCell: any number of readers or one writer; who would break
 * that panics at once, where a plain pointer would change under its reader. Use
 * it inside of an Rc. For several threads there is a Mutex.
 *
 * Guards: TR_REF(G) is a variable that lets go at its scope's end, also when a
 * panic unwinds (a RefCell knows no poison, as Rust's). A guard is moved with
 * tr_ref_move, never copied; value is NULL in an empty one.
 *
 * The panic names the place of the refused borrow; in programs compiled with
 * TR_CHECKED also the place of the one that stood in its way (of several
 * readers the first since the cell was free).
 *
 * Threads  one at a time: TR_NOT_SHARE, as RefCell is not Sync. It moves if T does.
 * Progress a borrow or release is a few plain instructions, inline.
 * Memory   4 bytes (16 with TR_CHECKED) more than T. A RefCell must not be dropped
 *          while a guard is alive: its memory goes under the guard, so this
 *          aborts the process, as what is left of it cannot be trusted.
 */
#ifndef TROUPE_MEM_REFCELL_H
#define TROUPE_MEM_REFCELL_H

#include <troupe/mem/cell.h>

TR_BEGIN_DECLS

/* T_refcell, and its guards T_ref and T_ref_mut. As TR_CELL, flags of T come
 * second: TR_REFCELL(node_rc, TR_RC_FLAGS). */
#define TR_REFCELL(T, ...)                                                                         \
    TR_REF_TYPES(T)                                                                                \
    TR_REFCELL_NAMED(T##_refcell, T, ##__VA_ARGS__)

/* As TR_CELL_OF: point_refcell c = { TR_REFCELL_OF({ .x = 1 }) }; */
#define TR_REFCELL_OF(...) .value_ = __VA_ARGS__

/*
 * The guards alone, for a part that a guard is mapped to and that has no RefCell
 * of its own. `value` is what may be used until the guard is dropped.
 */
#define TR_REF_TYPES(T)                                                                            \
    typedef struct T##_ref {                                                                       \
        const T *value;                                                                            \
        tr_ref_hold hold_;                                                                         \
    } T##_ref;                                                                                     \
    typedef struct T##_ref_mut {                                                                   \
        T *value;                                                                                  \
        tr_ref_mut_hold hold_;                                                                     \
    } T##_ref_mut;                                                                                 \
    TR_UNUSED static inline void T##_ref_drop(T##_ref *guard)                                      \
    {                                                                                              \
        tr_ref_release_(&guard->hold_);                                                            \
        guard->value = NULL;                                                                       \
    }                                                                                              \
    TR_UNUSED static inline void T##_ref_mut_drop(T##_ref_mut *guard)                              \
    {                                                                                              \
        tr_ref_mut_release_(&guard->hold_);                                                        \
        guard->value = NULL;                                                                       \
    }

/* A guard variable of type G that is dropped when its scope ends. */
#define TR_REF(G) TR_UNUSED __attribute__((cleanup(G##_drop))) G

/* An empty guard, as initialiser. */
#define TR_REF_NONE { .value = NULL }

/* -- borrowing ------------------------------------------------------------- */

/* A T_ref of the RefCell; panics "already mutably borrowed" while it is written. */
#define tr_borrow(cell)                                                                            \
    ({                                                                                             \
        __typeof__(cell) tr_read_ = (cell);                                                        \
        if (TR_UNLIKELY(!tr_borrow_read_(TR_FLAG_OF_(tr_read_), TR_SITE_)))                        \
            TR_REFUSE_(tr_read_);                                                                  \
        TR_REF_OF_(tr_read_);                                                                      \
    })

/* A T_ref_mut; panics "already borrowed" while it is read, "already mutably
 * borrowed" while it is written. */
#define tr_borrow_mut(cell)                                                                        \
    ({                                                                                             \
        __typeof__(cell) tr_written_ = (cell);                                                     \
        if (TR_UNLIKELY(!tr_borrow_write_(TR_FLAG_OF_(tr_written_), TR_SITE_)))                    \
            TR_REFUSE_(tr_written_);                                                               \
        TR_REF_MUT_OF_(tr_written_);                                                               \
    })

/* As tr_borrow and tr_borrow_mut, but empty (value is NULL) instead of a panic. */
#define tr_try_borrow(cell)                                                                        \
    ({                                                                                             \
        __typeof__(cell) tr_read_ = (cell);                                                        \
        __typeof__(tr_read_->ref_[0]) tr_got_ = TR_REF_NONE;                                       \
        tr_borrow_read_(TR_FLAG_OF_(tr_read_), TR_SITE_) ? TR_REF_OF_(tr_read_) : tr_got_;         \
    })
#define tr_try_borrow_mut(cell)                                                                    \
    ({                                                                                             \
        __typeof__(cell) tr_written_ = (cell);                                                     \
        __typeof__(tr_written_->ref_mut_[0]) tr_got_ = TR_REF_NONE;                                \
        tr_borrow_write_(TR_FLAG_OF_(tr_written_), TR_SITE_) ? TR_REF_MUT_OF_(tr_written_)         \
                                                              : tr_got_;                           \
    })

/* Readers now; less than 0: that many writers (several only by tr_ref_map_split). */
#define tr_borrow_state(cell) ((cell)->borrow_.count_)

/* -- guards ---------------------------------------------------------------- */

/* Let go now. The guard is empty then; an empty one is accepted. */
#define tr_ref_drop(guard)                                                                         \
    ({                                                                                             \
        __typeof__(guard) tr_dropped_ = (guard);                                                   \
        TR_RELEASE_(tr_dropped_->hold_)(&tr_dropped_->hold_);                                      \
        tr_dropped_->value = NULL;                                                                 \
    })

/* The guard, for its new owner; the variable is empty afterwards. */
#define tr_ref_move(guard)                                                                         \
    ({                                                                                             \
        __typeof__(guard) tr_moved_ = (guard);                                                     \
        __typeof__(*tr_moved_) tr_guard_ = *tr_moved_;                                             \
        *tr_moved_ = (__typeof__(*tr_moved_))TR_REF_NONE;                                          \
        tr_guard_;                                                                                 \
    })

/* One more reader of the same (a T_ref only), as Ref::clone. */
#define tr_ref_clone(guard)                                                                        \
    ({                                                                                             \
        __typeof__(guard) tr_original_ = (guard);                                                  \
        tr_ref_share_(&tr_original_->hold_, __FILE__, __LINE__);                                   \
        *tr_original_;                                                                             \
    })

/*
 * The guard narrowed to a part of what it guards: a G of the same kind, to which
 * the borrow goes over; the guard is empty then (as Ref::map). part is a pointer
 * into what is guarded, evaluated first; NULL leaves the guard as it was and
 * gives an empty G (as Ref::filter_map).
 *
 *     TR_REF(int_ref_mut) x = tr_ref_map(int_ref_mut, &w, &w.value->x);
 */
#define tr_ref_map(G, guard, part)                                                                 \
    ({                                                                                             \
        G tr_mapped_ = { .value = (part) };                                                        \
        if (tr_mapped_.value != NULL) {                                                            \
            __typeof__(guard) tr_whole_ = (guard);                                                 \
            tr_mapped_.hold_ = tr_whole_->hold_;                                                   \
            *tr_whole_ = (__typeof__(*tr_whole_))TR_REF_NONE;                                      \
        }                                                                                          \
        tr_mapped_;                                                                                \
    })

/*
 * The guard divided between two parts that do not overlap, into the empty guards
 * *ret_a and *ret_b of its kind; it is empty then (as Ref::map_split).
 */
#define tr_ref_map_split(guard, part_a, part_b, ret_a, ret_b)                                      \
    ({                                                                                             \
        __typeof__(guard) tr_whole_ = (guard);                                                     \
        __typeof__(ret_a) tr_a_ = (ret_a);                                                         \
        __typeof__(ret_b) tr_b_ = (ret_b);                                                         \
        TR_DCHECK(tr_a_->value == NULL && tr_b_->value == NULL);                                   \
        __typeof__(tr_a_->value) tr_part_a_ = (part_a);                                            \
        __typeof__(tr_b_->value) tr_part_b_ = (part_b);                                            \
        TR_SHARE_(tr_whole_->hold_)(&tr_whole_->hold_, __FILE__, __LINE__);                        \
        tr_a_->hold_ = tr_whole_->hold_;                                                           \
        tr_b_->hold_ = tr_whole_->hold_;                                                           \
        *tr_whole_ = (__typeof__(*tr_whole_))TR_REF_NONE;                                          \
        tr_a_->value = tr_part_a_;                                                                 \
        tr_b_->value = tr_part_b_;                                                                 \
    })

/* -- values ---------------------------------------------------------------- */

/* Put a value in and give the old one, which is the caller's; panics when it is
 * borrowed. A structure's value as a compound literal. */
#define tr_refcell_replace(cell, ...)                                                              \
    ({                                                                                             \
        __typeof__(cell) tr_changed_ = (cell);                                                     \
        __typeof__(tr_changed_->ref_mut_[0].value) tr_place_ = TR_PLACE_OF_(tr_changed_);          \
        __typeof__(*tr_place_) tr_new_ = (__VA_ARGS__);                                            \
        TR_MUST_BE_FREE_(tr_changed_);                                                             \
        __typeof__(*tr_place_) tr_old_ = *tr_place_;                                               \
        *tr_place_ = tr_new_;                                                                      \
        tr_old_;                                                                                   \
    })

/* The value, which is the caller's; zero takes its place. Panics when borrowed. */
#define tr_refcell_take(cell)                                                                      \
    ({                                                                                             \
        __typeof__(cell) tr_taken_ = (cell);                                                       \
        TR_MUST_BE_FREE_(tr_taken_);                                                               \
        __typeof__(*tr_taken_->ref_mut_[0].value) tr_old_ = tr_taken_->value_;                     \
        __builtin_memset(TR_PLACE_OF_(tr_taken_), 0, sizeof tr_old_);                              \
        tr_old_;                                                                                   \
    })

/* Exchange the values of two RefCells; panics when one is borrowed, or when both
 * are the same one. */
#define tr_refcell_swap(a, b)                                                                      \
    ({                                                                                             \
        __typeof__(a) tr_a_ = (a);                                                                 \
        __typeof__(a) tr_b_ = (b);                                                                 \
        TR_MUST_BE_FREE_(tr_a_);                                                                   \
        TR_MUST_BE_FREE_(tr_b_);                                                                   \
        if (TR_UNLIKELY(tr_a_ == tr_b_))                                                           \
            tr_panic("RefCell already borrowed: it is swapped with itself");                       \
        __typeof__(*tr_a_->ref_mut_[0].value) tr_old_ = tr_a_->value_;                             \
        *TR_PLACE_OF_(tr_a_) = tr_b_->value_;                                                      \
        *TR_PLACE_OF_(tr_b_) = tr_old_;                                                            \
    })

/* The value, which is the caller's, for good: any further borrow panics, and the
 * RefCell's drop does nothing. Panics when it is borrowed. */
#define tr_refcell_into_inner(cell)                                                                \
    ({                                                                                             \
        __typeof__(cell) tr_spent_ = (cell);                                                       \
        TR_MUST_BE_FREE_(tr_spent_);                                                               \
        TR_FLAG_OF_(tr_spent_)->count_ = TR_BORROW_GONE_;                                          \
        tr_spent_->value_;                                                                         \
    })

/* A pointer to write through for the only one who can reach the RefCell (as
 * RefCell::get_mut). Panics when it is borrowed; it is not afterwards. */
#define tr_refcell_get_mut(cell)                                                                   \
    ({                                                                                             \
        __typeof__(cell) tr_own_ = (cell);                                                         \
        TR_MUST_BE_FREE_(tr_own_);                                                                 \
        &tr_own_->value_;                                                                          \
    })

/*
 * Print the value into `to` of `size` bytes with print(to, size, const T *value),
 * which works as snprintf does, and give what it gives; "<borrowed>" while the
 * RefCell is written (as its Debug).
 */
#define tr_refcell_format(cell, print, to, size)                                                   \
    ({                                                                                             \
        __typeof__(cell) tr_shown_ = (cell);                                                       \
        __typeof__(tr_shown_->ref_[0].value) tr_value_ = &tr_shown_->value_;                       \
        int (*const tr_print_)(char *, size_t, __typeof__(tr_value_)) = (print);                   \
        __attribute__((cleanup(tr_ref_release_))) tr_ref_hold tr_hold_ = { NULL };                 \
        if (tr_borrow_read_(TR_FLAG_OF_(tr_shown_), TR_SITE_))                                     \
            tr_hold_.borrow_ = TR_FLAG_OF_(tr_shown_);                                             \
        tr_hold_.borrow_ != NULL ? tr_print_((to), (size), tr_value_)                              \
                                 : tr_refcell_format_borrowed_((to), (size));                      \
    })

/* -- the parts ------------------------------------------------------------- */

/* Who borrows, behind the value. */
typedef struct tr_borrow_flag {
    int32_t count_; /* readers; minus the writers; TR_BORROW_GONE_ */
#ifdef TR_CHECKED
    const char *at_; /* "file:line" that borrowed when nobody did */
#endif
} tr_borrow_flag;

#define TR_BORROW_GONE_ INT32_MIN /* there is no value any more */

#ifdef TR_CHECKED
#define TR_SITE_ __FILE__ ":" TR_TEXT_(__LINE__)
#define TR_BORROWED_AT_(flag) ((flag)->at_)
#else
#define TR_SITE_ NULL
#define TR_BORROWED_AT_(flag) ((const char *)NULL)
#endif
#define TR_TEXT_(x) TR_TEXT_OF_(x)
#define TR_TEXT_OF_(x) #x

/* What a guard holds; one type for each kind. NULL: nothing. */
typedef struct tr_ref_hold {
    tr_borrow_flag *borrow_;
} tr_ref_hold;

typedef struct tr_ref_mut_hold {
    tr_borrow_flag *borrow_;
} tr_ref_mut_hold;

TR_API TR_NORETURN void tr_borrow_refused_(const char *file, int line, int32_t count,
                                           const char *at);
TR_API TR_NORETURN void tr_refcell_drop_refused_(const char *type, int32_t count, const char *at);
TR_API int tr_refcell_format_borrowed_(char *to, size_t size);

static inline void tr_borrow_note_(tr_borrow_flag *flag, const char *at)
{
    (void)flag;
    (void)at;
#ifdef TR_CHECKED
    flag->at_ = at;
#endif
}

/* False while it is written, or when one more reader cannot be counted. */
static inline bool tr_borrow_read_(tr_borrow_flag *flag, const char *at)
{
    const int32_t readers = (int32_t)((uint32_t)flag->count_ + 1);
    if (TR_UNLIKELY(readers <= 0))
        return false;
    if (readers == 1)
        tr_borrow_note_(flag, at);
    flag->count_ = readers;
    return true;
}

static inline bool tr_borrow_write_(tr_borrow_flag *flag, const char *at)
{
    if (TR_UNLIKELY(flag->count_ != 0))
        return false;
    tr_borrow_note_(flag, at);
    flag->count_ = -1;
    return true;
}

static inline void tr_ref_release_(tr_ref_hold *hold)
{
    if (hold->borrow_ == NULL)
        return;
    TR_DCHECK(hold->borrow_->count_ > 0);
    hold->borrow_->count_--;
    hold->borrow_ = NULL;
}

static inline void tr_ref_mut_release_(tr_ref_mut_hold *hold)
{
    if (hold->borrow_ == NULL)
        return;
    TR_DCHECK(hold->borrow_->count_ < 0 && hold->borrow_->count_ != TR_BORROW_GONE_);
    hold->borrow_->count_++;
    hold->borrow_ = NULL;
}

/* One more reader, one more writer of another part. Of an empty guard: nothing. */
static inline void tr_ref_share_(const tr_ref_hold *hold, const char *file, int line)
{
    if (hold->borrow_ == NULL)
        return;
    if (TR_UNLIKELY(hold->borrow_->count_ == INT32_MAX))
        tr_borrow_refused_(file, line, INT32_MAX, TR_BORROWED_AT_(hold->borrow_));
    hold->borrow_->count_++;
}

static inline void tr_ref_mut_share_(const tr_ref_mut_hold *hold, const char *file, int line)
{
    if (hold->borrow_ == NULL)
        return;
    if (TR_UNLIKELY(hold->borrow_->count_ == -INT32_MAX))
        tr_borrow_refused_(file, line, -INT32_MAX, TR_BORROWED_AT_(hold->borrow_));
    hold->borrow_->count_--;
}

#define TR_RELEASE_(hold)                                                                          \
    _Generic((hold), tr_ref_hold: tr_ref_release_, tr_ref_mut_hold: tr_ref_mut_release_)
#define TR_SHARE_(hold)                                                                            \
    _Generic((hold), tr_ref_hold: tr_ref_share_, tr_ref_mut_hold: tr_ref_mut_share_)

/* Also of a pointer to const: a RefCell changes behind what is shared. */
#define TR_FLAG_OF_(cell) ((tr_borrow_flag *)&(cell)->borrow_)
#define TR_PLACE_OF_(cell) ((__typeof__((cell)->ref_mut_[0].value))&(cell)->value_)

#define TR_REF_OF_(cell)                                                                           \
    ((__typeof__((cell)->ref_[0])){ .value = &(cell)->value_, .hold_ = { TR_FLAG_OF_(cell) } })
#define TR_REF_MUT_OF_(cell)                                                                       \
    ((__typeof__((cell)->ref_mut_[0])){ .value = TR_PLACE_OF_(cell),                               \
                                        .hold_ = { TR_FLAG_OF_(cell) } })

#define TR_REFUSE_(cell)                                                                           \
    tr_borrow_refused_(__FILE__, __LINE__, (cell)->borrow_.count_, TR_BORROWED_AT_(&(cell)->borrow_))
#define TR_MUST_BE_FREE_(cell)                                                                     \
    ((cell)->borrow_.count_ == 0 ? (void)0 : TR_REFUSE_(cell))

/* The RefCell and its descriptor, when the guards of T are there already. ref_ and
 * ref_mut_ take no room: they tell the macros which guards are its. */
#define TR_REFCELL_NAMED(V, T, ...)                                                                \
    typedef struct V {                                                                             \
        T value_;                                                                                  \
        tr_borrow_flag borrow_;                                                                    \
        T##_ref ref_[0];                                                                           \
        T##_ref_mut ref_mut_[0];                                                                   \
    } V;                                                                                           \
    TR_UNUSED static inline void V##_drop(V *cell)                                                 \
    {                                                                                              \
        const int32_t tr_count_ = cell->borrow_.count_;                                            \
        if (tr_count_ == TR_BORROW_GONE_)                                                          \
            return;                                                                                \
        if (TR_UNLIKELY(tr_count_ != 0))                                                           \
            tr_refcell_drop_refused_(#V, tr_count_, TR_BORROWED_AT_(&cell->borrow_));              \
        cell->borrow_.count_ = TR_BORROW_GONE_;                                                    \
        tr_value_drop_(tr_type_of(T), &cell->value_);                                              \
    }                                                                                              \
    TR_UNUSED static inline tr_status V##_clone(V *copy, const V *cell)                            \
    {                                                                                              \
        TR_REF(T##_ref) tr_original_ = tr_borrow(cell);                                            \
        copy->borrow_ = (tr_borrow_flag){ .count_ = 0 };                                           \
        return tr_value_clone_(tr_type_of(T), &copy->value_, tr_original_.value);                  \
    }                                                                                              \
    TR_UNUSED static inline bool V##_eq(const V *a, const V *b)                                    \
    {                                                                                              \
        TR_REF(T##_ref) tr_one_ = tr_borrow(a);                                                    \
        TR_REF(T##_ref) tr_other_ = tr_borrow(b);                                                  \
        return tr_value_eq_(tr_type_of(T), tr_one_.value, tr_other_.value);                        \
    }                                                                                              \
    TR_UNUSED static inline uint64_t V##_hash_(const V *cell)                                      \
    {                                                                                              \
        (void)cell;                                                                                \
        tr_panic("a " #V " has no hash: it may change");                                           \
    }                                                                                              \
    TR_TYPE(V, .drop = V##_drop, .clone = V##_clone, .eq = V##_eq, .hash = V##_hash_,              \
            .flags = TR_NOT_SHARE | (__VA_ARGS__ + 0u))                                            \
    TR_FLAGS_OF_(V, T)

TR_END_DECLS

#endif
