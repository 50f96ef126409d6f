/*
 * ownership - one variable owns a text; others read it, or one writes to it
 *
 * The compiler does not watch this in C: a move empties its source, so that who
 * uses it afterwards finds nothing, instead of what somebody else owns by now.
 */
#include <stdio.h>
#include <troupe/mem/string.h>

/* Borrows: it may read the text while it runs, and owns nothing. */
static void show(const char *who, tr_str text)
{
    printf("%s: \"%.*s\"\n", who, TR_STR_ARGS(text));
}

/* Borrows to write: the owner must not use the text meanwhile. */
static void exclaim(tr_string *text)
{
    tr_string_push(text, '!');
}

int main(void)
{
    TR_AUTO_VALUE(tr_string) first = tr_string_from(TR_STR("hello"));
    TR_AUTO_VALUE(tr_string) second = TR_TAKE(first); /* moved, not copied */
    show("first, after the move", tr_string_str(&first));
    show("second", tr_string_str(&second));

    TR_AUTO_VALUE(tr_string) shared = tr_string_from(TR_STR("world"));
    const tr_str reader = tr_string_str(&shared); /* two who read do not disturb */
    show("shared", tr_string_str(&shared));
    show("its reader", reader);

    TR_AUTO_VALUE(tr_string) written = tr_string_from(TR_STR("troupe"));
    exclaim(&written);
    show("written", tr_string_str(&written));
} /* each text is freed once: written, shared, second; first has none */
