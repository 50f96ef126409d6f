/*
 * string - text that grows, over the core of vec with elements of one byte
 *
 *     | h | e | l | l | o | \0 | . | . |
 *     0                   len           cap
 *
 * Invariants
 *  1. [0, len) is valid UTF-8.
 *  2. cap is 0, or len < cap and data[len] is '\0'. vec's len counts the text
 *     alone; room for the '\0' is asked for beside it.
 *
 * Edges: a text to put in may be a part of the string, which moves when it grows.
 */
#include <troupe/mem/string.h>

#include <stdio.h>
#include <string.h>

#include "mem/utf8.h"
#include "mem/vec_parts.h"

#define BYTE tr_type_of(char)

static void set_len(tr_string *s, size_t len)
{
    s->len = len;
    if (s->cap != 0)
        s->data[len] = '\0'; /* invariant 2 */
}

/* -- room ------------------------------------------------------------------ */

tr_status tr_string_try_reserve(tr_string *s, size_t additional)
{
    if (s->cap - s->len > additional)
        return TR_OK;
    if (additional == SIZE_MAX)
        return TR_INVALID;
    const tr_status status = tr_vec_try_reserve(&s->untyped, BYTE, additional + 1);
    if (status == TR_OK)
        set_len(s, s->len);
    return status;
}

static void must(tr_status status, size_t bytes)
{
    if (TR_UNLIKELY(status != TR_OK))
        tr_vec_fail_(status, BYTE, bytes);
}

void tr_string_reserve(tr_string *s, size_t additional)
{
    must(tr_string_try_reserve(s, additional), s->len + additional + 1);
}

tr_status tr_string_try_with_capacity(size_t bytes, tr_string *ret_string)
{
    tr_string made = tr_string_new();
    if (bytes == SIZE_MAX)
        return TR_INVALID;
    if (bytes != 0) {
        const tr_status status = tr_vec_try_reserve_exact(&made.untyped, BYTE, bytes + 1);
        if (status != TR_OK)
            return status;
        set_len(&made, 0);
    }
    *ret_string = made;
    return TR_OK;
}

tr_string tr_string_with_capacity(size_t bytes)
{
    tr_string made = tr_string_new();
    must(tr_string_try_with_capacity(bytes, &made), bytes + 1);
    return made;
}

void tr_string_shrink_to_fit(tr_string *s)
{
    tr_vec_shrink_to(&s->untyped, BYTE, s->len != 0 ? s->len + 1 : 0);
}

/* -- the whole ------------------------------------------------------------- */

tr_status tr_string_try_from(tr_str text, tr_string *ret_string)
{
    tr_string made = tr_string_new();
    const tr_status status = tr_string_try_with_capacity(text.len, &made);
    if (status != TR_OK)
        return status;
    tri_move_bytes(made.data, text.data, text.len);
    set_len(&made, text.len);
    *ret_string = made;
    return TR_OK;
}

tr_string tr_string_from(tr_str text)
{
    tr_string made = tr_string_new();
    must(tr_string_try_from(text, &made), text.len + 1);
    return made;
}

tr_status tr_string_try_from_utf8(const void *bytes, size_t n, tr_string *ret_string)
{
    tr_str text;
    const tr_status status = tr_str_from_utf8(bytes, n, &text);
    return status == TR_OK ? tr_string_try_from(text, ret_string) : status;
}

void tr_string_drop(tr_string *s)
{
    tr_vec_drop(&s->untyped, BYTE);
}

tr_status tr_string_try_clone(tr_string *copy, const tr_string *from)
{
    return tr_string_try_from(tr_string_str(from), copy);
}

tr_string tr_string_clone(const tr_string *from)
{
    return tr_string_from(tr_string_str(from));
}

bool tr_string_eq(const tr_string *a, const tr_string *b)
{
    return tr_str_eq(tr_string_str(a), tr_string_str(b));
}

uint64_t tr_string_hash(const tr_string *s)
{
    return tr_str_hash(tr_string_str(s));
}

/* -- in -------------------------------------------------------------------- */

static void check_boundary(const tr_string *s, size_t at)
{
    if (TR_UNLIKELY(at > s->len))
        tr_panic("position %zu is out of bounds of %zu bytes", at, s->len);
    if (TR_UNLIKELY(!tr_str_is_boundary(tr_string_str(s), at)))
        tr_panic("position %zu does not lie between characters", at);
}

/* Room for n bytes; *text moves along when it is a part of s. */
static tr_status reserve_beside(tr_string *s, size_t n, tr_str *text)
{
    const uintptr_t offset = (uintptr_t)text->data - (uintptr_t)s->data;
    const bool own = s->data != NULL && offset < s->len;
    const tr_status status = tr_string_try_reserve(s, n);
    if (status == TR_OK && own)
        text->data = s->data + offset;
    return status;
}

tr_status tr_string_try_push_str(tr_string *s, tr_str text)
{
    if (text.len == 0)
        return TR_OK;
    const tr_status status = reserve_beside(s, text.len, &text);
    if (status != TR_OK)
        return status;
    memcpy(s->data + s->len, text.data, text.len);
    set_len(s, s->len + text.len);
    return TR_OK;
}

void tr_string_push_str(tr_string *s, tr_str text)
{
    must(tr_string_try_push_str(s, text), s->len + text.len + 1);
}

tr_status tr_string_try_push(tr_string *s, uint32_t character)
{
    char bytes[TRI_UTF8_MAX];
    const size_t size = tri_utf8_encode(character, bytes);
    if (size == 0)
        return TR_INVALID;
    return tr_string_try_push_str(s, (tr_str){ bytes, size });
}

/* The text of a character in `bytes`. */
static tr_str encode(uint32_t character, char bytes[TRI_UTF8_MAX])
{
    const size_t size = tri_utf8_encode(character, bytes);
    if (TR_UNLIKELY(size == 0))
        tr_panic("%#x is no character", (unsigned)character);
    return (tr_str){ bytes, size };
}

void tr_string_push(tr_string *s, uint32_t character)
{
    char bytes[TRI_UTF8_MAX];
    tr_string_push_str(s, encode(character, bytes));
}

/* Bytes that the arguments print to; SIZE_MAX: the format is faulty. */
static size_t measure(const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    return n >= 0 ? (size_t)n : SIZE_MAX;
}

tr_status tr_string_try_vprintf(tr_string *s, const char *format, va_list arguments)
{
    /* Printed beside the string, since an argument may be a part of it. */
    const size_t n = measure(format, arguments);
    tr_string printed = tr_string_new();
    if (n == 0)
        return TR_OK;
    tr_status status = tr_string_try_with_capacity(n, &printed);
    if (status != TR_OK)
        return status;
    (void)vsnprintf(printed.data, n + 1, format, arguments);
    status = TR_INVALID;
    if (tr_utf8_valid_up_to(printed.data, n) == n)
        status = tr_string_try_push_str(s, (tr_str){ printed.data, n });
    tr_string_drop(&printed);
    return status;
}

tr_status tr_string_try_printf(tr_string *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const tr_status status = tr_string_try_vprintf(s, format, arguments);
    va_end(arguments);
    return status;
}

void tr_string_printf(tr_string *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const tr_status status = tr_string_try_vprintf(s, format, arguments);
    va_end(arguments);
    if (TR_UNLIKELY(status == TR_INVALID))
        tr_panic("what \"%s\" prints is no UTF-8, or too long", format);
    must(status, s->len + 1);
}

/* -- in the middle --------------------------------------------------------- */

tr_status tr_string_try_insert_str(tr_string *s, size_t at, tr_str text)
{
    check_boundary(s, at);
    if (text.len == 0)
        return TR_OK;
    const size_t n = text.len, len = s->len;
    const tr_status status = reserve_beside(s, n, &text);
    if (status != TR_OK)
        return status;
    memmove(s->data + at + n, s->data + at, len - at);
    /* Of a text that is a part of s, what lies behind `at` has just moved. */
    const uintptr_t offset = (uintptr_t)text.data - (uintptr_t)s->data;
    const size_t before = offset >= len ? n : offset >= at ? 0 : n < at - offset ? n : at - offset;
    memcpy(s->data + at, text.data, before);
    if (before < n)
        memcpy(s->data + at + before, text.data + before + n, n - before);
    set_len(s, len + n);
    return TR_OK;
}

void tr_string_insert_str(tr_string *s, size_t at, tr_str text)
{
    must(tr_string_try_insert_str(s, at, text), s->len + text.len + 1);
}

void tr_string_insert(tr_string *s, size_t at, uint32_t character)
{
    char bytes[TRI_UTF8_MAX];
    tr_string_insert_str(s, at, encode(character, bytes));
}

tr_status tr_string_try_replace(tr_string *s, size_t start, size_t end, tr_str text)
{
    tri_check_range(start, end, s->len);
    check_boundary(s, start);
    check_boundary(s, end);
    if (start == end)
        return tr_string_try_insert_str(s, start, text);
    const size_t gone = end - start;
    if (text.len > gone) {
        const tr_status status = tr_string_try_reserve(s, text.len - gone);
        if (status != TR_OK)
            return status;
    }
    memmove(s->data + start + text.len, s->data + end, s->len - end);
    tri_move_bytes(s->data + start, text.data, text.len);
    set_len(s, s->len - gone + text.len);
    return TR_OK;
}

void tr_string_replace(tr_string *s, size_t start, size_t end, tr_str text)
{
    must(tr_string_try_replace(s, start, end, text), s->len + text.len + 1);
}

/* -- out ------------------------------------------------------------------- */

tr_status tr_string_pop(tr_string *s, uint32_t *ret_character)
{
    if (s->len == 0)
        return TR_EMPTY;
    size_t at = s->len - 1, size;
    while (tri_utf8_continues(s->data[at]))
        at--;
    *ret_character = tri_utf8_decode(s->data + at, &size);
    set_len(s, at);
    return TR_OK;
}

uint32_t tr_string_remove(tr_string *s, size_t at)
{
    check_boundary(s, at);
    if (TR_UNLIKELY(at == s->len))
        tr_panic("no character begins at the end, byte %zu", at);
    size_t size;
    const uint32_t character = tri_utf8_decode(s->data + at, &size);
    memmove(s->data + at, s->data + at + size, s->len - at - size);
    set_len(s, s->len - size);
    return character;
}

void tr_string_truncate(tr_string *s, size_t len)
{
    if (len >= s->len)
        return;
    check_boundary(s, len);
    set_len(s, len);
}

void tr_string_clear(tr_string *s)
{
    set_len(s, 0);
}

tr_status tr_string_try_split_off(tr_string *s, size_t at, tr_string *ret_tail)
{
    check_boundary(s, at);
    if (at == 0) {
        *ret_tail = TR_TAKE(*s);
        return TR_OK;
    }
    const tr_str text = tr_str_slice(tr_string_str(s), at, s->len);
    const tr_status status = tr_string_try_from(text, ret_tail);
    if (status == TR_OK)
        set_len(s, at);
    return status;
}

tr_string tr_string_split_off(tr_string *s, size_t at)
{
    tr_string tail = tr_string_new();
    must(tr_string_try_split_off(s, at, &tail), s->len + 1);
    return tail;
}
