/*
 * test_graph - nodes that share nodes: chains, circles, trees, and what cures leaks
 */
#include "tests/support/test.h"

#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>

#include "tests/mem/panics.h"

static unsigned drops;

static int setup(void **state)
{
    drops = 0;
    return test_setup(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, test_teardown)

static void assert_counts(const void *rc, size_t strong, size_t weak)
{
    assert_int_equal(tr_strong_count(rc), strong);
    assert_int_equal(tr_weak_count(rc), weak);
}

/* -- nodes with one link: Rc<RefCell<node>> -------------------------------- */

struct node_refcell;

typedef struct node {
    int value;
    struct node_refcell *next; /* owned, or NULL */
    tr_rc_weak other;          /* known, not owned */
} node;

static void node_drop(node *n)
{
    drops++;
    tr_drop(n->next);
    tr_rc_weak_drop(&n->other);
}

TR_TYPE(node, .drop = node_drop, .flags = TR_RC_FLAGS)
TR_REFCELL(node, TR_RC_FLAGS)

static node_refcell *node_new(int value)
{
    return tr_rc(node_refcell, TR_REFCELL_OF({ .value = value }));
}

static void link_strong(node_refcell *from, node_refcell *to)
{
    TR_REF(node_ref_mut) w = tr_borrow_mut(from);
    w.value->next = tr_rc_clone(to);
}

static void link_weak(node_refcell *from, node_refcell *to)
{
    TR_REF(node_ref_mut) w = tr_borrow_mut(from);
    w.value->other = tr_rc_downgrade(to);
}

static void test_grf_01_shared_node_is_read_through_its_owner(void **state)
{
    (void)state;
    node_refcell *node1 = node_new(1);
    node_refcell *node2 = node_new(2);
    link_strong(node1, node2);
    assert_counts(node2, 2, 0);
    assert_counts(node1, 1, 0);
    {
        TR_REF(node_ref) r = tr_borrow(node1);
        TR_REF(node_ref) next = tr_borrow(r.value->next);
        assert_int_equal(next.value->value, 2);
    }
    tr_drop(node1);
    assert_int_equal(drops, 1);
    assert_counts(node2, 1, 0);
    tr_drop(node2);
    assert_int_equal(drops, 2);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_grf_02_strong_circle_leaks_until_it_is_cut(void **state)
{
    (void)state;
    node_refcell *node1 = node_new(1);
    node_refcell *node2 = node_new(2);
    link_strong(node1, node2);
    link_strong(node2, node1);
    assert_counts(node1, 2, 0);
    assert_counts(node2, 2, 0);
    node_refcell *const leaked = node1;
    tr_drop(node1);
    tr_drop(node2);
    assert_int_equal(drops, 0);
    assert_int_equal(test_live_blocks(), 2); /* exactly these two */

    node_refcell *cut;
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(leaked);
        cut = TR_MOVE(w.value->next);
    }
    tr_drop(cut);
    assert_int_equal(drops, 2);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_grf_03_weak_links_leak_nothing(void **state)
{
    (void)state;
    node_refcell *node1 = node_new(1);
    node_refcell *node2 = node_new(2);
    link_weak(node1, node2);
    link_weak(node2, node1);
    assert_counts(node1, 1, 1);
    assert_counts(node2, 1, 1);
    tr_drop(node1);
    assert_int_equal(drops, 1);
    {
        TR_REF(node_ref) r = tr_borrow(node2);
        assert_null(tr_rc_upgrade(node_refcell, r.value->other));
    }
    tr_drop(node2);
    assert_int_equal(drops, 2);
    assert_int_equal(test_live_blocks(), 0);
}

static void test_grf_node_that_owns_itself_leaks_alone(void **state)
{
    (void)state;
    node_refcell *self = node_new(1);
    link_strong(self, self);
    assert_counts(self, 2, 0);
    node_refcell *const leaked = self;
    tr_drop(self);
    assert_int_equal(drops, 0);
    node_refcell *cut;
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(leaked);
        cut = TR_MOVE(w.value->next);
    }
    tr_drop(cut);
    assert_int_equal(drops, 1);
}

static void write_both(void *arg)
{
    node_refcell *a = arg;
    TR_REF(node_ref_mut) one = tr_borrow_mut(a);
    TR_REF(node_ref_mut) other = tr_borrow_mut(one.value->next); /* a again */
    other.value->value = 99;
}

static void test_grf_walking_a_circle_with_writers_panics(void **state)
{
    (void)state;
    node_refcell *a = node_new(1);
    link_strong(a, a);
    assert_panics(write_both, a, "already mutably borrowed");
    assert_int_equal(tr_borrow_state(a), 0);
    node_refcell *cut;
    {
        TR_REF(node_ref_mut) w = tr_borrow_mut(a);
        assert_int_equal(w.value->value, 1);
        cut = TR_MOVE(w.value->next);
    }
    tr_drop(cut);
    tr_drop(a);
    assert_int_equal(drops, 1);
}

/* -- a tree: children are owned, the parent is known ----------------------- */

typedef struct tree {
    int value;
    struct tree *children[4]; /* owned */
    tr_rc_weak parent;
} tree;

static void tree_drop(tree *t)
{
    drops++;
    for (int i = 0; i < 4; i++)
        tr_drop(t->children[i]);
    tr_rc_weak_drop(&t->parent);
}

TR_TYPE(tree, .drop = tree_drop, .flags = TR_RC_FLAGS)

static void test_grf_04_parent_is_known_while_it_lives(void **state)
{
    (void)state;
    tree *leaf = tr_rc(tree, .value = 3);
    assert_null(tr_rc_upgrade(tree, leaf->parent));
    assert_counts(leaf, 1, 0);
    {
        TR_AUTO(tree) branch = tr_rc(tree, .value = 5, .children = { tr_rc_clone(leaf) });
        leaf->parent = tr_rc_downgrade(branch);
        assert_counts(branch, 1, 1);
        assert_counts(leaf, 2, 0);
        tree *parent = tr_rc_upgrade(tree, leaf->parent);
        assert_int_equal(parent->value, 5);
        tr_drop(parent);
    }
    assert_int_equal(drops, 1);
    assert_null(tr_rc_upgrade(tree, leaf->parent));
    assert_counts(leaf, 1, 0);
    tr_drop(leaf);
    assert_int_equal(drops, 2);
    assert_int_equal(test_live_blocks(), 0);
}

/* A child that is looked at while its last owner lets go of it stays. */
static void test_grf_child_outlives_its_parent_through_a_share(void **state)
{
    (void)state;
    tree *root = tr_rc(tree, .value = 1);
    for (int i = 0; i < 4; i++) {
        root->children[i] = tr_rc(tree, .value = 10 + i);
        root->children[i]->parent = tr_rc_downgrade(root);
    }
    assert_counts(root, 1, 4);
    tree *child = tr_rc_clone(root->children[2]);
    tr_drop(root);
    assert_int_equal(drops, 4);
    assert_int_equal(child->value, 12);
    assert_int_equal(tr_rc_weak_strong_count(child->parent), 0);
    assert_int_equal(test_live_blocks(), 2); /* the child, and the root's block for its Weak */
    tr_drop(child);
    assert_int_equal(test_live_blocks(), 0);
}

/* -- long chains ----------------------------------------------------------- */

typedef struct chain_link {
    struct chain_link *next;
} chain_link;

static void chain_link_drop(chain_link *l);
TR_TYPE(chain_link, .drop = chain_link_drop, .flags = TR_RC_FLAGS)

/* Without recursion: as long as this was the last owner of the next one, that is
 * a Box now, its own next is taken out, and its drop finds none. */
static void chain_link_drop(chain_link *l)
{
    chain_link *next = TR_MOVE(l->next);
    while (next != NULL) {
        chain_link *last = tr_rc_into_box(next);
        if (last != NULL)
            next = TR_MOVE(last->next);
        tr_drop(last);
    }
    drops++;
}

struct chain {
    size_t length;
    unsigned kept_at;
    chain_link *kept; /* a share of one in the middle */
};

static void *build_and_drop(void *arg)
{
    struct chain *chain = arg;
    chain_link *head = NULL;
    for (size_t i = 0; i < chain->length; i++) {
        head = tr_rc(chain_link, .next = head);
        if (i == chain->length / 2)
            chain->kept = tr_rc_clone(head);
    }
    tr_drop(head); /* up to the one that is kept */
    chain->kept_at = drops;
    tr_drop(chain->kept);
    return NULL;
}

static void test_grf_long_chain_drops_on_a_small_stack(void **state)
{
    (void)state;
    struct chain chain = { .length = 100000 };
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 64 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, build_and_drop, &chain), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_attr_destroy(&attributes), 0);
    assert_int_equal(chain.kept_at, chain.length - chain.length / 2 - 1);
    assert_int_equal(drops, chain.length);
    assert_int_equal(test_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_grf_01_shared_node_is_read_through_its_owner),
        CASE(test_grf_02_strong_circle_leaks_until_it_is_cut),
        CASE(test_grf_03_weak_links_leak_nothing),
        CASE(test_grf_node_that_owns_itself_leaks_alone),
        CASE(test_grf_walking_a_circle_with_writers_panics),
        CASE(test_grf_04_parent_is_known_while_it_lives),
        CASE(test_grf_child_outlives_its_parent_through_a_share),
        CASE(test_grf_long_chain_drops_on_a_small_stack),
    };
    return TEST_RUN(tests);
}
