/*
 * cycle - two nodes that own each other are never destroyed, and how to see it
 *
 *     | 1 | <---> | 2 |      each is the other's owner: nobody is ever the last
 *
 * weak.c builds the same without a leak. This one cuts the circle in the end.
 */
#include <stdio.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>

typedef struct node {
    int value;
    struct node_refcell *next; /* owned */
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

static void own(node_refcell *from, node_refcell *to)
{
    TR_REF(node_ref_mut) w = tr_borrow_mut(from);
    w.value->next = tr_rc_clone(to);
}

/* Take the link out of the node and give it up, which ends the circle. */
static void cut(node_refcell *from)
{
    node_refcell *next = NULL;
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(from);
        next = TR_MOVE(w.value->next);
    }
    tr_drop(next);
}

int main(void)
{
    tr_counting_allocator counting;
    tr_counting_allocator_init(&counting, tr_global_allocator());
    tr_set_global_allocator(&counting.base);

    node_refcell *first = make(1), *second = make(2);
    own(first, second);
    own(second, first);
    printf("owners: %zu and %zu\n", tr_strong_count(first), tr_strong_count(second));

    tr_rc_weak way_back = tr_rc_downgrade(first);
    tr_drop(first);
    tr_drop(second);
    printf("both given up, blocks left: %llu\n", (unsigned long long)tr_counting_live(&counting));

    first = tr_rc_upgrade(node_refcell, way_back);
    cut(first);
    tr_drop(first);
    tr_rc_weak_drop(&way_back);
    printf("cut, blocks left: %llu\n", (unsigned long long)tr_counting_live(&counting));
    tr_set_global_allocator(NULL);
}
