/*
 * console - everything that is written on standard error
 *
 *     fprintf:  | erase the progress line, on a terminal | wordcount: ... | end of line |
 *
 * Each line is one fprintf, which stdio does not let another thread interrupt. So
 * there is nothing to own here and nothing to lock.
 */
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define ERASE_LINE "\r\033[K"

/* What must come first: the progress line may stand there. */
static const char *erase_progress(void)
{
    return isatty(STDERR_FILENO) ? ERASE_LINE : "";
}

/* -- lines ------------------------------------------------------------------ */

static void write_line(const char *subject, const char *format, va_list arguments) TR_PRINTF(2, 0);
static void write_line(const char *subject, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    fprintf(stderr, "%swordcount: %s%s%s\n", erase_progress(), subject,
            subject[0] != '\0' ? ": " : "", text != NULL ? text : format);
    free(text);
}

void complain(struct tally *tally, const char *path, const char *format, ...)
{
    const int error = errno;
    TR_AUTO(char) printable = path != NULL ? console_printable(path, strlen(path)) : NULL;
    const char *subject = "(a path too long to show)";
    if (path == NULL)
        subject = "standard input";
    else if (printable != NULL && printable[0] != '\0')
        subject = printable;
    else if (printable != NULL)
        subject = "''";
    errno = error;
    va_list arguments;
    va_start(arguments, format);
    write_line(subject, format, arguments);
    va_end(arguments);
    /* relaxed: see tally.h */
    tr_fetch_add_relaxed(&tally->complaints, 1);
}

void console_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("", format, arguments);
    va_end(arguments);
}

/* -- progress ---------------------------------------------------------------- */

static void draw(const struct tally *tally, uint64_t started, const char *end)
{
    /* relaxed: see tally.h */
    const uint64_t files = tr_load_relaxed(&tally->files);
    const double megabytes = (double)tr_load_relaxed(&tally->bytes) / 1e6;
    const uint64_t words = tr_load_relaxed(&tally->words);
    const double seconds = (double)(tr_now() - started) / 1e9;
    fprintf(stderr, "%swordcount: %" PRIu64 " files, %.1f MB, %" PRIu64 " words, %.1f MB/s%s",
            erase_progress(), files, megabytes, words, seconds > 0 ? megabytes / seconds : 0, end);
}

void console_progress(const struct tally *tally, uint64_t started)
{
    if (isatty(STDERR_FILENO))
        draw(tally, started, "");
}

void console_progress_end(const struct tally *tally, uint64_t started)
{
    if (isatty(STDERR_FILENO))
        draw(tally, started, "\n");
}

/* -- paths -------------------------------------------------------------------- */

/* The length of the printable character at the front of text, or 0. */
static size_t printable_length(const char *text, size_t left)
{
    mbstate_t state = { 0 };
    wchar_t character;
    const size_t length = mbrtowc(&character, text, left, &state);
    const bool valid = length != 0 && length != (size_t)-1 && length != (size_t)-2;
    return valid && iswprint((wint_t)character) && character != L'\\' ? length : 0;
}

char *console_printable(const char *path, size_t length)
{
    char *shown = tr_box_array_uninit(char, length * 4 + 1);
    if (shown == NULL)
        return NULL;
    char *end = shown;
    for (size_t at = 0; at < length;) {
        const size_t printable = printable_length(path + at, length - at);
        if (printable > 0) {
            memcpy(end, path + at, printable);
            end += printable;
            at += printable;
        } else {
            end += sprintf(end, "\\%03o", (unsigned)(unsigned char)path[at]);
            at++;
        }
    }
    *end = '\0';
    return shown;
}
