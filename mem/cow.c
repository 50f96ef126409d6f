/*
 * cow - cloning for a Cow, and the Cow of a text
 *
 * Invariant: a Cow becomes owned in one step, after its clone has succeeded; so
 * a failure, or a panic of the clone, leaves it borrowed.
 */
#include <troupe/mem/cow.h>

#include <string.h>

#include "mem/utf8.h"
#include "mem/vec_parts.h"

tr_status tr_cow_clone_(const tr_type *type, void *copy, const void *value)
{
    return tri_clone_values(type, copy, value, type->size, 1);
}

tr_status tr_cow_clone_slice_(const tr_type *type, tr_vec *copy, const void *values, size_t n)
{
    const tr_vec view = { .data = (void *)(uintptr_t)values, .len = n, .cap = 0 };
    return tr_vec_try_clone(copy, type, &view);
}

bool tr_cow_eq_(const tr_type *type, const void *a, const void *b)
{
    return tri_values_eq(type, a, b);
}

uint64_t tr_cow_hash_(const tr_type *type, const void *value)
{
    return type->hash != NULL ? type->hash(value)
                              : tri_hash_bytes(TRI_HASH_START, value, type->size);
}

/* -- text ------------------------------------------------------------------ */

tr_status tr_cow_str_try_to_mut(tr_cow_str *cow, tr_string **ret_string)
{
    if (cow->borrowed_ != NULL) {
        const tr_status status = tr_string_try_from(tr_cow_str_get(cow), &cow->owned_);
        if (status != TR_OK)
            return status;
        cow->borrowed_ = NULL;
    }
    *ret_string = &cow->owned_;
    return TR_OK;
}

tr_string *tr_cow_str_to_mut(tr_cow_str *cow)
{
    tr_string *string = NULL;
    tr_vec_must_(tr_cow_str_try_to_mut(cow, &string), tr_type_of(char), cow->borrowed_len_ + 1);
    return string;
}

tr_status tr_cow_str_try_into_owned(tr_cow_str *cow, tr_string *ret_string)
{
    tr_string *string = NULL;
    const tr_status status = tr_cow_str_try_to_mut(cow, &string);
    if (status == TR_OK)
        *ret_string = TR_TAKE(*string);
    return status;
}

tr_string tr_cow_str_into_owned(tr_cow_str *cow)
{
    tr_string *string = tr_cow_str_to_mut(cow);
    return TR_TAKE(*string);
}

tr_status tr_cow_str_try_clone(tr_cow_str *copy, const tr_cow_str *from)
{
    tr_cow_str made = *from;
    if (from->borrowed_ == NULL) {
        const tr_status status = tr_string_try_clone(&made.owned_, &from->owned_);
        if (status != TR_OK)
            return status;
    }
    *copy = made;
    return TR_OK;
}

bool tr_cow_str_eq(const tr_cow_str *a, const tr_cow_str *b)
{
    return tr_str_eq(tr_cow_str_get(a), tr_cow_str_get(b));
}

uint64_t tr_cow_str_hash(const tr_cow_str *cow)
{
    return tr_str_hash(tr_cow_str_get(cow));
}

void tr_cow_str_drop(tr_cow_str *cow)
{
    tr_cow_str old = TR_TAKE(*cow);
    tr_string_drop(&old.owned_);
}

/* Append the bytes with U+FFFD for each fault. */
static tr_status append_lossy(tr_string *s, const unsigned char *bytes, size_t n)
{
    while (n > 0) {
        const size_t good = tr_utf8_valid_up_to(bytes, n);
        tr_status status = tr_string_try_push_str(s, (tr_str){ (const char *)bytes, good });
        if (status != TR_OK || good == n)
            return status;
        bool valid;
        const size_t bad = tri_utf8_step(bytes + good, n - good, &valid);
        status = tr_string_try_push(s, 0xfffd);
        if (status != TR_OK)
            return status;
        bytes += good + bad;
        n -= good + bad;
    }
    return TR_OK;
}

tr_status tr_cow_str_try_lossy(const void *bytes, size_t n, tr_cow_str *ret_cow)
{
    if (n == 0 || tr_utf8_valid_up_to(bytes, n) == n) {
        *ret_cow = tr_cow_str_borrowed((tr_str){ bytes, n });
        return TR_OK;
    }
    TR_AUTO_VALUE(tr_string) copy = tr_string_new();
    tr_status status = tr_string_try_reserve(&copy, n);
    if (status == TR_OK)
        status = append_lossy(&copy, bytes, n);
    if (status == TR_OK)
        *ret_cow = tr_cow_str_owned(TR_TAKE(copy));
    return status;
}
