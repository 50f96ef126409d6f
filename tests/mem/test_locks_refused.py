#!/usr/bin/env python3
"""What the headers of the locks promise not to compile does not compile.

    test_locks_refused.py INCLUDE_DIRECTORY COMPILER [ARGUMENT ...]

Each case is a program that compiles with one change, and a text that the
compiler's message must hold. Cases of clang's thread-safety analysis are left
out for other compilers.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import refused

PROGRAM = """
#include <troupe/mem/condvar.h>
#include <troupe/mem/rwlock.h>
typedef struct account { int owner; long balance; } account;
TR_TYPE(account)
TR_MUTEX(account)
TR_RWLOCK(account)
TR_MUTEX(long)
TR_RWLOCK(long)
static account_mutex bank = TR_MUTEX_INIT(account, .balance = 1);
static account_rwlock book = TR_RWLOCK_INIT(account, .balance = 1);
static tr_condvar changed = TR_CONDVAR_INIT;
static tr_mutex bare = TR_BARE_MUTEX_INIT;
static int counted TR_GUARDED_BY(bare);
long use(void);
long use(void)
{
    TR_GUARD(account_mutex_guard) g = tr_lock(&bank);
    TR_MUST(tr_condvar_wait_until(&changed, &g, 0));
    g.value->balance++;
    TR_GUARD(account_mutex_guard) t = { 0 };
    if (tr_mutex_try_lock(&bank, &t, &t) != TR_OK)
        return 0;
    TR_GUARD(long_mapped_mutex_guard) m = tr_guard_map(long_mapped_mutex_guard, &g, &g.value->balance);
    TR_GUARD(account_read_guard) r = tr_read(&book);
    TR_GUARD(account_write_guard) w = tr_write(&book);
    w.value->balance = r.value->balance + *m.value;
    TR_GUARD(long_mapped_write_guard) n = tr_guard_map(long_mapped_write_guard, &w, &w.value->balance);
    return *n.value;
}
int count(void);
int count(void)
{
    tr_mutex_acquire(&bare);
    const int seen = ++counted;
    tr_mutex_release(&bare);
    return seen;
}
"""

# what changes, into what, and what the compiler must speak of
REFUSED = {
    "a guard of another kind": ("account_mutex_guard) g", "account_write_guard) g", "initiali"),
    "writing through a read guard": ("w.value->balance = r", "r.value->balance = r", "read"),
    "an ignored status": ("if (tr_mutex_try_lock(&bank, &t, &t) != TR_OK)\n        return 0;",
                          "tr_mutex_try_lock(&bank, &t, &t);", "unused"),
    "an ignored wait": ("TR_MUST(tr_condvar_wait_until(&changed, &g, 0));",
                        "tr_condvar_wait_until(&changed, &g, 0);", "unused"),
    "a mapped guard that waits": ("g.value->balance++;", "TR_GUARD(long_mapped_mutex_guard) q = "
                                  "tr_guard_map(long_mapped_mutex_guard, &g, &g.value->balance);"
                                  "TR_MUST(tr_condvar_wait(&changed, &q));", "incompatible"),
    "a read guard that waits": ("w.value->balance = r", "TR_MUST(tr_condvar_wait(&changed, &r));"
                                "w.value->balance = r", "incompatible"),
    "a mutex's guard mapped to an rwlock's": ("tr_guard_map(long_mapped_mutex_guard, &g",
                                              "tr_guard_map(long_mapped_write_guard, &g", "incompatible"),
    "a map to another type": ("&g, &g.value->balance)", "&g, &g.value->owner)", "incompatible"),
    "a read guard that is downgraded": ("w.value->balance = r", "TR_GUARD(account_read_guard) d = "
                                        "tr_rwlock_downgrade(account_read_guard, &r); w.value->balance = r",
                                        "incompatible"),
    "a mutex that is read-locked": ("tr_read(&book)", "tr_read(&bank)", "no member named"),
    "a plain pointer that is dropped as a guard": ("return *n.value;", "tr_guard_drop(&counted); return 0;",
                                                   "hold_"),
}

REFUSED_BY_ANALYSIS = {
    "a mutex's value without its guard": ("return *n.value;", "return bank.value_.balance;", "tr_a_guard_of_this_lock"),
    "writing a mutex's value without its guard": ("return *n.value;", "bank.value_.balance = 1; return 0;",
                                                  "tr_a_guard_of_this_lock"),
    "an rwlock's value without its guard": ("return *n.value;", "return book.value_.balance;",
                                            "tr_a_guard_of_this_lock"),
    "guarded data without the mutex": ("tr_mutex_acquire(&bare);", "", "requires holding mutex 'bare'"),
    "a mutex that stays locked": ("tr_mutex_release(&bare);", "", "still held"),
    "a mutex locked twice": ("tr_mutex_acquire(&bare);", "tr_mutex_acquire(&bare); tr_mutex_acquire(&bare);",
                             "already held"),
}


def main():
    if refused.is_clang(refused.arguments()[1]):
        return refused.run(PROGRAM, REFUSED | REFUSED_BY_ANALYSIS, ["-Wshadow", "-Wthread-safety"])
    return refused.run(PROGRAM, REFUSED, ["-Wshadow"])


if __name__ == "__main__":
    sys.exit(main())
