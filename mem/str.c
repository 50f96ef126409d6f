/*
 * str - views of text
 *
 * Invariant: the text of every tr_str is valid UTF-8; so parts that are cut
 * between characters, or found as a text, are valid too.
 *
 * Edges: data may be NULL when len is 0, so no function of libc sees it then.
 */
#include <troupe/mem/string.h>

#include <string.h>

#include "mem/utf8.h"
#include "mem/vec_parts.h"

tr_str tr_str_from(const char *text)
{
    tr_str str = { NULL, 0 };
    if (TR_UNLIKELY(tr_str_from_utf8(text, strlen(text), &str) != TR_OK))
        tr_panic("the text is no UTF-8 from byte %zu on",
                 tr_utf8_valid_up_to(text, strlen(text)));
    return str;
}

tr_status tr_str_from_utf8(const void *bytes, size_t n, tr_str *ret_str)
{
    if (n != 0 && tr_utf8_valid_up_to(bytes, n) != n)
        return TR_INVALID;
    *ret_str = (tr_str){ bytes, n };
    return TR_OK;
}

bool tr_str_eq(tr_str a, tr_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int tr_str_compare(tr_str a, tr_str b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

uint64_t tr_str_hash(tr_str s)
{
    return tri_hash_bytes(TRI_HASH_START, s.data, s.len);
}

bool tr_str_is_boundary(tr_str s, size_t at)
{
    return at == 0 || at == s.len || (at < s.len && !tri_utf8_continues(s.data[at]));
}

bool tr_str_get(tr_str s, size_t start, size_t end, tr_str *ret_part)
{
    if (start > end || !tr_str_is_boundary(s, start) || !tr_str_is_boundary(s, end))
        return false;
    *ret_part = start == end ? (tr_str){ "", 0 } : (tr_str){ s.data + start, end - start };
    return true;
}

tr_str tr_str_slice(tr_str s, size_t start, size_t end)
{
    tr_str part = { NULL, 0 };
    if (TR_LIKELY(tr_str_get(s, start, end, &part)))
        return part;
    tri_check_range(start, end, s.len);
    tr_panic("range %zu to %zu does not lie between characters", start, end);
}

bool tr_str_find(tr_str s, tr_str part, size_t *ret_at)
{
    if (part.len == 0) {
        *ret_at = 0;
        return true;
    }
    const char *found = s.len != 0 ? memmem(s.data, s.len, part.data, part.len) : NULL;
    if (found == NULL)
        return false;
    *ret_at = (size_t)(found - s.data);
    return true;
}

bool tr_str_starts_with(tr_str s, tr_str prefix)
{
    return prefix.len == 0 ||
           (prefix.len <= s.len && memcmp(s.data, prefix.data, prefix.len) == 0);
}

bool tr_str_ends_with(tr_str s, tr_str suffix)
{
    return suffix.len == 0 || (suffix.len <= s.len && memcmp(s.data + (s.len - suffix.len),
                                                             suffix.data, suffix.len) == 0);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

tr_str tr_str_trim(tr_str s)
{
    size_t start = 0, end = s.len;
    while (start < end && is_space(s.data[start]))
        start++;
    while (end > start && is_space(s.data[end - 1]))
        end--;
    return tr_str_slice(s, start, end);
}

bool tr_str_split(tr_str *rest, tr_str separator, tr_str *ret_piece)
{
    TR_ASSERT(separator.len != 0);
    const tr_str s = *rest;
    if (s.data == NULL)
        return false;
    size_t at = 0;
    if (tr_str_find(s, separator, &at)) {
        *ret_piece = (tr_str){ s.data, at };
        *rest = (tr_str){ s.data + at + separator.len, s.len - at - separator.len };
    } else {
        *ret_piece = s;
        *rest = (tr_str){ NULL, 0 };
    }
    return true;
}

bool tr_str_next(tr_str *rest, uint32_t *ret_character)
{
    if (rest->len == 0)
        return false;
    size_t size;
    *ret_character = tri_utf8_decode(rest->data, &size);
    rest->data += size;
    rest->len -= size;
    return true;
}

size_t tr_str_count(tr_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += !tri_utf8_continues(s.data[i]);
    return n;
}
