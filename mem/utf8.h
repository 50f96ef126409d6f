/*
 * utf8 - one character of UTF-8 at a time; private to the library
 *
 * Threads  pure functions.
 */
#ifndef TROUPE_MEM_UTF8_PRIVATE_H
#define TROUPE_MEM_UTF8_PRIVATE_H

#include <troupe/mem/base.h>

#define TRI_UTF8_MAX 4 /* bytes of one character */

/*
 * Look at the first of n >= 1 bytes: how many make one character, *ret_valid; or
 * how many make one fault (the longest beginning of a character that is not gone
 * on with, at least one byte), which a lossy reader replaces by one U+FFFD.
 */
size_t tri_utf8_step(const unsigned char *bytes, size_t n, bool *ret_valid);

/* The character at the beginning of valid UTF-8; *ret_size bytes of it. */
uint32_t tri_utf8_decode(const char *text, size_t *ret_size);

/* The bytes of a character, their number; 0 when the number is no character. */
size_t tri_utf8_encode(uint32_t character, char bytes[TRI_UTF8_MAX]);

/* Is the byte the second or a later one of a character? */
static inline bool tri_utf8_continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

#endif
