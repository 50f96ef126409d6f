/*
 * refcell - what a RefCell says when it refuses; all else is inline
 *
 * Edges: the count may be from a program compiled without TR_CHECKED, then `at`
 * is NULL; so the flag itself, whose size differs, never comes here.
 */
#include <troupe/mem/refcell.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *reason_of(int32_t count)
{
    if (count == TR_BORROW_GONE_)
        return "RefCell without a value: it was moved out or dropped";
    if (count == INT32_MAX || count == -INT32_MAX)
        return "too many guards of one RefCell";
    return count < 0 ? "RefCell already mutably borrowed" : "RefCell already borrowed";
}

void tr_borrow_refused_(const char *file, int line, int32_t count, const char *at)
{
    const char *reason = reason_of(count);
    if (at != NULL && count != TR_BORROW_GONE_)
        tr_panic_at(file, line, "%s (at %s)", reason, at);
    tr_panic_at(file, line, "%s", reason);
}

/* No panic: it would unwind through the guard's release, into memory that the
 * owner's own cleanup has freed by then. */
void tr_refcell_drop_refused_(const char *type, int32_t count, const char *at)
{
    char line[256];
    (void)snprintf(line, sizeof line, "%s dropped while it is %s%s%s: aborting\n", type,
                   count < 0 ? "mutably borrowed" : "borrowed", at != NULL ? " at " : "",
                   at != NULL ? at : "");
    (void)!write(STDERR_FILENO, line, strlen(line));
    abort();
}

int tr_refcell_format_borrowed_(char *to, size_t size)
{
    return snprintf(to, size, "<borrowed>");
}
