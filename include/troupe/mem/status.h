/*
 * status - the one result code of the library
 *
 * A call that can fail for a reason outside of the program returns a
 * tr_status and is TR_MUST_USE. A contract violation (a bug of the caller)
 * is not a status: it panics, see panic.h. Two outcomes that ask the caller
 * for different actions are two codes; errno is not used.
 *
 * On any status but TR_OK the caller still owns what it passed in, and
 * out-parameters are untouched, unless the call says otherwise.
 */
#ifndef TROUPE_MEM_STATUS_H
#define TROUPE_MEM_STATUS_H

#include <troupe/mem/base.h>

TR_BEGIN_DECLS

typedef enum tr_status {
    TR_OK = 0,
    TR_EMPTY,        /* nothing there now; more may come: wait or come back */
    TR_BUSY,         /* the other side is half-way through: try again at once */
    TR_FULL,         /* no room now: hold back, retry later, or drop */
    TR_DISCONNECTED, /* the other side is gone for good: stop using the channel */
    TR_TIMEOUT,      /* the deadline passed first; the attempt was undone */
    TR_DEAD,         /* the actor is no more (or never was): forget the pid */
    TR_BROKEN,       /* an ask ended without an answer: its reply was dropped */
    TR_DEADLOCK,     /* waiting would never end: restructure, do not retry */
    TR_NOMEM,        /* memory is exhausted; nothing changed: free some, retry */
    TR_LAYOUT,       /* no such memory layout can exist (alignment, overflow) */
    TR_INVALID,      /* an argument no call can accept: mend the caller */
    TR_LIMIT,        /* a configured limit is reached (actors, threads, files) */
    TR_SHUTDOWN,     /* the system is stopping and takes nothing new */
    TR_PANICKED,     /* the code that was called panicked; see tr_panic_info */
    TR_IO,           /* the operating system refused; the message says what */
    TR_POISONED,     /* a panic left what is locked half changed: mend it, or fail */
    TR_WOULD_BLOCK,  /* somebody else holds it now: come back, or call what waits */
    TR_LAGGED,       /* messages were overwritten unread, how many is said: go on receiving */
} tr_status;

/*
 * The name of a status as it is written in C ("TR_FULL"); "TR_?" for a number
 * that is none. The text is static. O(1).
 */
TR_API const char *tr_status_name(tr_status status);

/* One line for people ("the mailbox or channel has no room"); static. */
TR_API const char *tr_status_text(tr_status status);

TR_END_DECLS

#endif
