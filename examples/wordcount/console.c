/*
 * console - everything that is written on standard error
 *
 *     lock, erase the progress line if there is one, write one line, unlock
 *
 * Owns standard error: one per process, and so is the state here. stdio's own
 * lock of the stream guards it.
 */
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#define ERASE_LINE "\r\033[K"

static bool progress_drawn; /* the cursor stands behind it */

static void erase_progress(void)
{
    if (progress_drawn)
        fputs(ERASE_LINE, stderr);
    progress_drawn = false;
}

/* -- lines ------------------------------------------------------------------ */

static void write_line(const char *subject, const char *format, va_list arguments) TR_PRINTF(2, 0);
static void write_line(const char *subject, const char *format, va_list arguments)
{
    const int error = errno; /* for %m */
    flockfile(stderr);
    erase_progress();
    fputs("wordcount: ", stderr);
    if (subject != NULL)
        fprintf(stderr, "%s: ", subject);
    errno = error;
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    funlockfile(stderr);
}

void complain(struct tally *tally, const char *path, const char *format, ...)
{
    const int error = errno;
    TR_AUTO(char) printable = path != NULL ? console_printable(path) : NULL;
    const char *subject = path == NULL        ? "standard input"
                          : printable != NULL ? printable
                                              : "(a path too long to show)";
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
    write_line(NULL, format, arguments);
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
    flockfile(stderr);
    erase_progress();
    fprintf(stderr, "wordcount: %" PRIu64 " files, %.1f MB, %" PRIu64 " words, %.1f MB/s%s", files,
            megabytes, words, seconds > 0 ? megabytes / seconds : 0, end);
    progress_drawn = end[0] == '\0';
    funlockfile(stderr);
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

char *console_printable(const char *path)
{
    size_t left = strlen(path);
    char *shown = tr_box_array_uninit(char, left * 4 + 1);
    if (shown == NULL)
        return NULL;
    char *end = shown;
    while (left > 0) {
        size_t length = printable_length(path, left);
        if (length > 0) {
            memcpy(end, path, length);
            end += length;
        } else {
            length = 1;
            end += sprintf(end, "\\%03o", (unsigned)(unsigned char)*path);
        }
        path += length;
        left -= length;
    }
    *end = '\0';
    return shown;
}
