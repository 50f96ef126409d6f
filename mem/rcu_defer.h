/*
 * rcu_defer - dropping a value when its readers are gone; private to the library
 *
 * Threads  on_helper: the helper alone (mem/rcu.h), from a tri_rcu_call.
 */
#ifndef TROUPE_PRIVATE_MEM_RCU_DEFER_H
#define TROUPE_PRIVATE_MEM_RCU_DEFER_H

#include <troupe/mem/base.h>

/* Drop an owned value in a deferred call: a panic of its destructor ends here. */
void tri_rcu_drop_on_helper(void *owned);

/* Panic unless it is NULL, or an Arc or a Box whose type may be read and dropped by
 * any thread. */
void tri_rcu_check_value(const void *owned);

/* The Box or Arc, checked before, as an Arc. NULL is NULL. */
void *tri_rcu_as_arc(void *owned);

/* A cleanup for who called tri_rcu_enter. */
void tri_rcu_leave_cleanup(const bool *unused);

#define TRI_RCU_SECTION                                                                            \
    TR_UNUSED __attribute__((cleanup(tri_rcu_leave_cleanup))) const bool tri_section_ =            \
        (tri_rcu_enter(), true)

#endif
