/*
 * weak - two nodes that know each other without owning each other
 *
 *     | 1 | <. . .> | 2 |      dotted: Weak, which keeps nothing alive
 */
#include <stdio.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>

typedef struct node {
    int value;
    tr_rc_weak other;
} node;

static void node_drop(node *n)
{
    printf("node %d ends\n", n->value);
    tr_rc_weak_drop(&n->other);
}

TR_TYPE(node, .drop = node_drop, .flags = TR_RC_FLAGS)
TR_REFCELL(node, TR_RC_FLAGS)

static node_refcell *make(int value)
{
    return tr_rc(node_refcell, TR_REFCELL_OF({ .value = value }));
}

static void know(node_refcell *from, node_refcell *to)
{
    TR_REF(node_ref_mut) w = tr_borrow_mut(from);
    w.value->other = tr_rc_downgrade(to);
}

/* Who wants to use the other one asks for a share, which may be refused. */
static void show(node_refcell *cell)
{
    TR_REF(node_ref) n = tr_borrow(cell);
    TR_AUTO(node_refcell) other = tr_rc_upgrade(node_refcell, n.value->other);
    if (other == NULL) {
        printf("node %d: the other one is gone\n", n.value->value);
        return;
    }
    TR_REF(node_ref) o = tr_borrow(other);
    printf("node %d: the other one is %d\n", n.value->value, o.value->value);
}

int main(void)
{
    TR_AUTO(node_refcell) first = make(1);
    TR_AUTO(node_refcell) second = make(2);
    know(first, second);
    know(second, first);
    printf("owners: %zu and %zu, weak: %zu and %zu\n", tr_strong_count(first),
           tr_strong_count(second), tr_weak_count(first), tr_weak_count(second));
    show(first);
    tr_drop(second);
    show(first);
}
