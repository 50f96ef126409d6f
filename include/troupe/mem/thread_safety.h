/*
 * thread_safety - what clang can check of locking at compile time
 *
 *     static tr_mutex table_lock = TR_BARE_MUTEX_INIT;
 *     static int table[8] TR_GUARDED_BY(table_lock);
 *
 *     table[0] = 1;                  clang -Wthread-safety: warning
 *     tr_mutex_acquire(&table_lock);
 *     table[0] = 1;                  fine
 *     tr_mutex_release(&table_lock);
 *
 * The names are those of clang's attributes with TR_ in front; other compilers
 * see nothing. What a lock of mutex.h or rwlock.h guards is annotated already:
 * reaching into it without its guard is a warning (an error with -Werror).
 *
 * Known limit: in C, clang 14 cannot name one member of a struct in an
 * attribute of another, so TR_GUARDED_BY is for static data; data in a
 * struct goes inside of a typed mutex (mutex.h).
 */
#ifndef TROUPE_MEM_THREAD_SAFETY_H
#define TROUPE_MEM_THREAD_SAFETY_H

#include <troupe/mem/base.h>

#ifdef __clang__
#define TR_THREAD_SAFETY_(x) __attribute__((x))
#else
#define TR_THREAD_SAFETY_(x)
#endif

/* On a type that is a lock. */
#define TR_CAPABILITY(name) TR_THREAD_SAFETY_(capability(name))

/* On data: touch it, or what it points at, only with the lock held. */
#define TR_GUARDED_BY(lock) TR_THREAD_SAFETY_(guarded_by(lock))
#define TR_PT_GUARDED_BY(lock) TR_THREAD_SAFETY_(pt_guarded_by(lock))

/* On a function: what its caller must hold, or must not hold. */
#define TR_REQUIRES(...) TR_THREAD_SAFETY_(requires_capability(__VA_ARGS__))
#define TR_REQUIRES_SHARED(...) TR_THREAD_SAFETY_(requires_shared_capability(__VA_ARGS__))
#define TR_EXCLUDES(...) TR_THREAD_SAFETY_(locks_excluded(__VA_ARGS__))

/* On a function: what it takes or lets go of. TRY: its result when it took. */
#define TR_ACQUIRES(...) TR_THREAD_SAFETY_(acquire_capability(__VA_ARGS__))
#define TR_ACQUIRES_SHARED(...) TR_THREAD_SAFETY_(acquire_shared_capability(__VA_ARGS__))
#define TR_TRY_ACQUIRES(...) TR_THREAD_SAFETY_(try_acquire_capability(__VA_ARGS__))
#define TR_TRY_ACQUIRES_SHARED(...) TR_THREAD_SAFETY_(try_acquire_shared_capability(__VA_ARGS__))
#define TR_RELEASES(...) TR_THREAD_SAFETY_(release_capability(__VA_ARGS__))
#define TR_RELEASES_SHARED(...) TR_THREAD_SAFETY_(release_shared_capability(__VA_ARGS__))

/* On a function whose locking clang cannot follow. */
#define TR_NO_THREAD_SAFETY_ANALYSIS TR_THREAD_SAFETY_(no_thread_safety_analysis)

#endif
