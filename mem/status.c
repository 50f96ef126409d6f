/*
 * status - the names of the result codes, and what they mean in a line
 *
 * Invariant: the table has one row for each code, in any order; a code added
 * to the enum without a row answers "TR_?", which test_status looks for.
 */
#include <troupe/mem/status.h>

struct row {
    const char *name;
    const char *text;
};

#define ROW(code, line) [code] = { .name = #code, .text = (line) }

static const struct row rows[] = {
    ROW(TR_OK, "done"),
    ROW(TR_EMPTY, "nothing there now, more may come"),
    ROW(TR_BUSY, "the other side is half-way through"),
    ROW(TR_FULL, "the mailbox or channel has no room"),
    ROW(TR_DISCONNECTED, "the other side is gone for good"),
    ROW(TR_TIMEOUT, "the deadline passed first"),
    ROW(TR_DEAD, "the actor is no more"),
    ROW(TR_BROKEN, "the ask ended without an answer"),
    ROW(TR_DEADLOCK, "waiting would never end"),
    ROW(TR_NOMEM, "memory is exhausted"),
    ROW(TR_LAYOUT, "no such memory layout can exist"),
    ROW(TR_INVALID, "an argument that no call can accept"),
    ROW(TR_LIMIT, "a configured limit is reached"),
    ROW(TR_SHUTDOWN, "the system is stopping and takes nothing new"),
    ROW(TR_PANICKED, "the code that was called panicked"),
    ROW(TR_IO, "the operating system refused"),
    ROW(TR_POISONED, "a panic left what is locked half changed"),
    ROW(TR_WOULD_BLOCK, "somebody else holds it now"),
    ROW(TR_LAGGED, "messages were overwritten unread"),
};

static const struct row unknown = { .name = "TR_?", .text = "not a status" };

static const struct row *find(tr_status status)
{
    const size_t i = (size_t)status;
    if (i >= sizeof rows / sizeof rows[0] || rows[i].name == NULL)
        return &unknown;
    return &rows[i];
}

const char *tr_status_name(tr_status status)
{
    return find(status)->name;
}

const char *tr_status_text(tr_status status)
{
    return find(status)->text;
}
