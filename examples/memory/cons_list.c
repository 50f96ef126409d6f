/*
 * cons_list - a type that contains itself, through a Box
 *
 *     list --> | 1 | --> | 2 | --> | 3 | NULL
 */
#include <stdio.h>
#include <troupe/mem/box.h>

typedef struct list {
    int head;
    struct list *tail; /* a Box, or NULL: the end */
} list;

/* The tail is taken off node by node: a drop that calls itself for each node would
 * overflow the stack on a long list, as the plain recursive form does. */
static void list_drop(list *l)
{
    list *next = TR_MOVE(l->tail);
    while (next != NULL) {
        list *rest = TR_MOVE(next->tail);
        tr_drop(next);
        next = rest;
    }
}

TR_TYPE(list, .drop = list_drop)

/* Owns tail, gives a list with one more in front. */
static list *cons(int head, list *tail)
{
    return tr_box(list, .head = head, .tail = tail);
}

static long sum(const list *l)
{
    long total = 0;
    for (; l != NULL; l = l->tail)
        total += l->head;
    return total;
}

int main(void)
{
    TR_AUTO(list) few = cons(1, cons(2, cons(3, NULL)));
    for (const list *l = few; l != NULL; l = l->tail)
        printf("%d -> ", l->head);
    printf("end\n");
    printf("sum: %ld\n", sum(few));

    TR_AUTO(list) many = NULL;
    for (int i = 0; i < 1000000; i++)
        many = cons(1, TR_MOVE(many));
    printf("a million nodes: %ld\n", sum(many));
}
