/*
 * refcell - a value that is changed through a pointer to const, with the rule
 * "many readers or one writer" watched at run time
 */
#include <stdio.h>
#include <troupe/mem/refcell.h>

TR_REFCELL(int)

static void add(int_refcell *cell, int n)
{
    TR_REF(int_ref_mut) w = tr_borrow_mut(cell);
    *w.value += n;
} /* the borrow ends with its scope */

static void try_to_write(int_refcell *cell)
{
    TR_REF(int_ref_mut) w = tr_try_borrow_mut(cell);
    printf("a writer is %s\n", w.value != NULL ? "let in" : "refused");
}

int main(void)
{
    int_refcell cell = { TR_REFCELL_OF(5) };
    add(&cell, 1);
    {
        TR_REF(int_ref) one = tr_borrow(&cell);
        TR_REF(int_ref) two = tr_borrow(&cell);
        printf("two readers: %d and %d\n", *one.value, *two.value);
        try_to_write(&cell);
    }
    try_to_write(&cell);

    add(&cell, 10);
    TR_REF(int_ref) last = tr_borrow(&cell);
    printf("value: %d\n", *last.value);
}
