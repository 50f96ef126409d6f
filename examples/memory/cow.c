/*
 * cow - one function for texts that are lent and texts that are given away
 *
 *     borrowed: read where it is, copied at the first write
 *     owned:    used as it is, freed by whoever has it last
 */
#include <stdio.h>
#include <troupe/mem/cow.h>

/* Owns what it is given, whichever kind it is. */
static void process(tr_cow_str given)
{
    TR_AUTO_VALUE(tr_cow_str) text = given;
    const tr_str seen = tr_cow_str_get(&text);
    printf("%s: %.*s\n", tr_cow_str_is_borrowed(&text) ? "borrowed" : "owned", TR_STR_ARGS(seen));
}

/* Writes only where there is something to write. */
static void process_as_question(tr_cow_str given)
{
    if (!tr_str_ends_with(tr_cow_str_get(&given), TR_STR("?")))
        tr_string_push(tr_cow_str_to_mut(&given), '?');
    process(given);
}

int main(void)
{
    TR_AUTO_VALUE(tr_string) mine = tr_string_from(TR_STR("Good morning"));
    process(tr_cow_str_borrowed(tr_string_str(&mine)));
    process(tr_cow_str_owned(tr_string_from(TR_STR("Hello, troupe!"))));

    process_as_question(tr_cow_str_borrowed(TR_STR("Who is there?"))); /* nothing to write */
    process_as_question(tr_cow_str_borrowed(tr_string_str(&mine)));    /* copied */
    printf("mine: %s\n", tr_string_cstr(&mine));
}
