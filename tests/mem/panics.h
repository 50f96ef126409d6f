/*
 * panics - run what must panic, without a word on standard error
 */
#ifndef TROUPE_TESTS_MEM_PANICS_H
#define TROUPE_TESTS_MEM_PANICS_H

#include "tests/support/test.h"

#include <string.h>

#include <troupe/mem/panic.h>

static inline void panics_ignore(const tr_panic_info *info)
{
    (void)info;
}

/* f(arg) panics, and its message contains the given one. */
static inline void assert_panics(void (*f)(void *arg), void *arg, const char *message)
{
    tr_panic_info info = { .message = "none" };
    tr_set_panic_hook(panics_ignore);
    const tr_status status = tr_catch(f, arg, &info);
    tr_set_panic_hook(NULL);
    assert_int_equal(status, TR_PANICKED);
    assert_non_null(strstr(info.message, message));
}

#endif
