/*
 * string - text in UTF-8: tr_string owns it and grows, tr_str is a view of some
 *
 *     tr_string   | data | len 5 | cap 8 |
 *                    '--> h e l l o \0 . .       a '\0' always follows
 *     tr_str      | data | len 3 |
 *                    '----------------> l l o    none follows
 *
 *     TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("hello"));
 *     tr_string_printf(&s, ", %s number %d", name, n);
 *     puts(tr_string_cstr(&s));
 *
 * As String and str: both hold whole, valid UTF-8 at any time; positions are
 * bytes and must lie between characters. So s.data and s.len are there to be
 * read, and C's functions may read the text; write through the calls only.
 * All zero is the empty string. Moved as a struct is assigned (TR_TAKE).
 *
 * Panics  a position inside of a character or out of bounds, a length that no
 *         memory could hold, bytes that are no UTF-8 where a text is asked for.
 * Memory  one block, none while nothing was put in, with one byte for the '\0'.
 *         Out of memory: tr_out_of_memory; the try_ forms answer TR_NOMEM, or
 *         TR_INVALID where the plain form panics for the length or the bytes, and
 *         nothing has changed. A tr_str is valid while its owner is not changed.
 * Threads one thread writes, or several read.
 */
#ifndef TROUPE_MEM_STRING_H
#define TROUPE_MEM_STRING_H

#include <stdarg.h>

#include <troupe/mem/vec.h>

TR_BEGIN_DECLS

typedef struct tr_str {
    const char *data; /* may be NULL when len is 0 */
    size_t len;       /* bytes */
} tr_str;

typedef union tr_string {
    struct {
        char *data; /* NULL while there is no block */
        size_t len; /* bytes, without the '\0' */
        size_t cap; /* bytes of the block, with the '\0' */
    };
    tr_vec untyped;
} tr_string;

/* For a printf format "%.*s". */
#define TR_STR_ARGS(str) (int)(str).len, (str).len != 0 ? (str).data : ""

/* A string literal, or what is one ("" "a" "b"); taken to be UTF-8. */
#define TR_STR(literal) ((tr_str){ "" literal, sizeof("" literal) - 1 })

/* -- views ------------------------------------------------------------------- */

/* The text up to its '\0'. Panics when it is no UTF-8. */
TR_API tr_str tr_str_from(const char *text);
/* TR_INVALID: the bytes are no UTF-8; tr_utf8_valid_up_to says from where on. */
TR_API TR_MUST_USE tr_status tr_str_from_utf8(const void *bytes, size_t n, tr_str *ret_str);
/* How many leading bytes are whole, valid characters; n when all are. */
TR_API size_t tr_utf8_valid_up_to(const void *bytes, size_t n);

/* By bytes, which in UTF-8 is by characters; compare as strcmp. */
TR_API bool tr_str_eq(tr_str a, tr_str b);
TR_API int tr_str_compare(tr_str a, tr_str b);
TR_API uint64_t tr_str_hash(tr_str s);

/* Is `at` between two characters (or at either end)? False beyond the end. */
TR_API bool tr_str_is_boundary(tr_str s, size_t at);
/* The part [start, end); panics, or for get answers false, when that is not
 * between characters. */
TR_API tr_str tr_str_slice(tr_str s, size_t start, size_t end);
TR_API bool tr_str_get(tr_str s, size_t start, size_t end, tr_str *ret_part);

/* Where `part` first is: *ret_at. An empty one is at 0. */
TR_API bool tr_str_find(tr_str s, tr_str part, size_t *ret_at);
TR_API bool tr_str_starts_with(tr_str s, tr_str prefix);
TR_API bool tr_str_ends_with(tr_str s, tr_str suffix);
/* Without the ASCII white space at both ends. */
TR_API tr_str tr_str_trim(tr_str s);
/*
 * Take the piece up to the next separator (not empty) off *rest, as str::split:
 * one more piece than there are separators. False after the last one. `rest`
 * starts as the whole text; its data is NULL at the end.
 *     for (tr_str rest = text, word; tr_str_split(&rest, TR_STR(","), &word);)
 */
TR_API bool tr_str_split(tr_str *rest, tr_str separator, tr_str *ret_piece);
/* Take the first character off *rest; false when there is none. */
TR_API bool tr_str_next(tr_str *rest, uint32_t *ret_character);
/* The number of characters (code points). O(n). */
TR_API size_t tr_str_count(tr_str s);

/* -- the string as a whole ----------------------------------------------------- */

/* No memory yet. */
static inline tr_string tr_string_new(void)
{
    return (tr_string){ .untyped = { NULL, 0, 0 } };
}

/* Room for so many bytes, exactly. */
TR_API tr_string tr_string_with_capacity(size_t bytes);
TR_API TR_MUST_USE tr_status tr_string_try_with_capacity(size_t bytes, tr_string *ret_string);
/* A copy of the text. */
TR_API tr_string tr_string_from(tr_str text);
TR_API TR_MUST_USE tr_status tr_string_try_from(tr_str text, tr_string *ret_string);
/* A copy of the bytes. TR_INVALID: they are no UTF-8. */
TR_API TR_MUST_USE tr_status tr_string_try_from_utf8(const void *bytes, size_t n, tr_string *ret_string);

/* The text, as long as the string is not changed. */
static inline tr_str tr_string_str(const tr_string *s)
{
    return (tr_str){ s->data, s->len };
}

/* The same with its '\0'; "" for an empty one. What lies behind a '\0' in the
 * text itself C's functions do not see. */
static inline const char *tr_string_cstr(const tr_string *s)
{
    return s->data != NULL ? s->data : "";
}

/* Bytes of text there is memory for. */
static inline size_t tr_string_cap(const tr_string *s)
{
    return s->cap != 0 ? s->cap - 1 : 0;
}

/* Room for `additional` bytes more, amortised. */
TR_API void tr_string_reserve(tr_string *s, size_t additional);
TR_API TR_MUST_USE tr_status tr_string_try_reserve(tr_string *s, size_t additional);
/* Without memory to move to it stays as it was. */
TR_API void tr_string_shrink_to_fit(tr_string *s);

/* The members of its descriptor. The string is empty after drop. */
TR_API void tr_string_drop(tr_string *s);
TR_API TR_MUST_USE tr_status tr_string_try_clone(tr_string *copy, const tr_string *from);
TR_API tr_string tr_string_clone(const tr_string *from);
TR_API bool tr_string_eq(const tr_string *a, const tr_string *b);
TR_API uint64_t tr_string_hash(const tr_string *s);

/* -- in and out ---------------------------------------------------------------- */

/* At the end. The text may be a part of s itself. */
TR_API void tr_string_push_str(tr_string *s, tr_str text);
TR_API TR_MUST_USE tr_status tr_string_try_push_str(tr_string *s, tr_str text);
/* One character by its number, which must be one (not a surrogate). */
TR_API void tr_string_push(tr_string *s, uint32_t character);
TR_API TR_MUST_USE tr_status tr_string_try_push(tr_string *s, uint32_t character);
/* What printf would print. */
TR_API void tr_string_printf(tr_string *s, const char *format, ...) TR_PRINTF(2, 3);
TR_API TR_MUST_USE tr_status tr_string_try_printf(tr_string *s, const char *format, ...) TR_PRINTF(2, 3);
TR_API TR_MUST_USE tr_status tr_string_try_vprintf(tr_string *s, const char *format, va_list arguments)
    TR_PRINTF(2, 0);

/* Before the byte `at`; panics in both forms when that is inside a character. */
TR_API void tr_string_insert_str(tr_string *s, size_t at, tr_str text);
TR_API TR_MUST_USE tr_status tr_string_try_insert_str(tr_string *s, size_t at, tr_str text);
TR_API void tr_string_insert(tr_string *s, size_t at, uint32_t character);
/* [start, end) out and the text, no part of s unless nothing goes out, in. */
TR_API void tr_string_replace(tr_string *s, size_t start, size_t end, tr_str text);
TR_API TR_MUST_USE tr_status tr_string_try_replace(tr_string *s, size_t start, size_t end, tr_str text);

/* The last character; TR_EMPTY: there is none. */
TR_API TR_MUST_USE tr_status tr_string_pop(tr_string *s, uint32_t *ret_character);
/* The character that begins at byte `at`; panics when none does. */
TR_API uint32_t tr_string_remove(tr_string *s, size_t at);
/* Cut to len bytes; a longer one is left alone. */
TR_API void tr_string_truncate(tr_string *s, size_t len);
TR_API void tr_string_clear(tr_string *s);
/* The text from byte `at` on as a string of its own. */
TR_API tr_string tr_string_split_off(tr_string *s, size_t at);
TR_API TR_MUST_USE tr_status tr_string_try_split_off(tr_string *s, size_t at, tr_string *ret_tail);

TR_END_DECLS

TR_TYPE(tr_string, .drop = tr_string_drop, .clone = tr_string_try_clone, .eq = tr_string_eq,
        .hash = tr_string_hash)

#endif
