/*
 * graph - nodes that share nodes and change while they are shared
 *
 *     first --> | 1 | next --.
 *     second ---------------> | 2 |      two owners: `second` and the first node
 */
#include <stdio.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>

typedef struct node {
    int value;
    struct node_refcell *next; /* a share of an Rc, or NULL */
} node;

static void node_drop(node *n)
{
    printf("node %d ends\n", n->value);
    tr_drop(n->next);
}

TR_TYPE(node, .drop = node_drop, .flags = TR_RC_FLAGS)
TR_REFCELL(node, TR_RC_FLAGS)

static node_refcell *make(int value)
{
    return tr_rc(node_refcell, TR_REFCELL_OF({ .value = value }));
}

static void show(node_refcell *cell)
{
    TR_REF(node_ref) n = tr_borrow(cell);
    printf("node %d, %zu owner(s), ", n.value->value, tr_strong_count(cell));
    if (n.value->next == NULL) {
        printf("the last one\n");
        return;
    }
    TR_REF(node_ref) next = tr_borrow(n.value->next);
    printf("before node %d\n", next.value->value);
}

int main(void)
{
    TR_AUTO(node_refcell) first = make(1);
    TR_AUTO(node_refcell) second = make(2);
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(first);
        w.value->next = tr_rc_clone(second);
    }
    show(first);
    show(second);
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(second); /* the first node sees it too */
        w.value->value = 20;
    }
    show(first);
    tr_drop(second); /* the first node keeps it */
    show(first);
}
