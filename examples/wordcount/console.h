/*
 * console - everything that is written on standard error
 *
 *     wordcount: notes/draft: Permission denied          complaints, one line each
 *     wordcount: 812 files, 96.4 MB, 16204313 words      progress, on a terminal only
 *
 * Threads  any; each call writes its whole line before another begins.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "tally.h"

/* One line about a path (NULL: standard input), and a complaint more in the
 * tally. %m is the text of errno, as for printf. */
void complain(struct tally *tally, const char *path, const char *format, ...) TR_PRINTF(3, 4);

/* One line about nothing in particular. */
void console_error(const char *format, ...) TR_PRINTF(1, 2);

/* Draw the progress line, or draw it anew; nothing when standard error is no
 * terminal. `started` is the tr_now of the start. */
void console_progress(const struct tally *tally, uint64_t started);

/* Draw it for the last time and leave it there. */
void console_progress_end(const struct tally *tally, uint64_t started);

/*
 * The first bytes of a path as they can be shown: what is not printable in this
 * locale becomes \ooo, so that no file name can forge a line or command the
 * terminal. Box of characters; NULL when there is no memory.
 */
char *console_printable(const char *path, size_t length);

#endif
