/*
 * utf8 - what is a character and what is not, as Unicode's table 3-7 says
 *
 *     first byte     second     more
 *     00..7f
 *     c2..df         80..bf
 *     e0             a0..bf     80..bf               not shorter ones again
 *     e1..ef         80..bf     80..bf
 *     ed             80..9f     80..bf               no surrogates
 *     f0             90..bf     80..bf 80..bf
 *     f1..f3         80..bf     80..bf 80..bf
 *     f4             80..8f     80..bf 80..bf        nothing above 10ffff
 */
#include "mem/utf8.h"

#include <troupe/mem/string.h>

/* Bytes of the character that begins so; 0: none does. */
static size_t size_by_first(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool second_fits(unsigned char first, unsigned char second)
{
    const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

size_t tri_utf8_step(const unsigned char *bytes, size_t n, bool *ret_valid)
{
    const size_t size = size_by_first(bytes[0]);
    *ret_valid = false;
    if (size == 0)
        return 1;
    for (size_t i = 1; i < size; i++) {
        if (i == n)
            return n;
        if (i == 1 ? !second_fits(bytes[0], bytes[1]) : !tri_utf8_continues((char)bytes[i]))
            return i;
    }
    *ret_valid = true;
    return size;
}

uint32_t tri_utf8_decode(const char *text, size_t *ret_size)
{
    static const unsigned char payload_of_first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    const unsigned char first = (unsigned char)text[0];
    const size_t size = size_by_first(first);
    uint32_t character = first & payload_of_first[size];
    for (size_t i = 1; i < size; i++)
        character = character << 6 | ((unsigned char)text[i] & 0x3f);
    *ret_size = size;
    return character;
}

size_t tri_utf8_encode(uint32_t c, char bytes[TRI_UTF8_MAX])
{
    if (c < 0x80) {
        bytes[0] = (char)c;
        return 1;
    }
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    const size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char mark_of_first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = size; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(mark_of_first[size] | c);
    return size;
}

size_t tr_utf8_valid_up_to(const void *bytes, size_t n)
{
    const unsigned char *all = bytes;
    size_t at = 0;
    while (at < n) {
        uint64_t eight;
        if (n - at >= sizeof eight) { /* ASCII, eight at a time */
            __builtin_memcpy(&eight, all + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        bool valid;
        const size_t size = tri_utf8_step(all + at, n - at, &valid);
        if (!valid)
            break;
        at += size;
    }
    return at;
}
