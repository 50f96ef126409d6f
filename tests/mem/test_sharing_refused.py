#!/usr/bin/env python3
"""What rc.h, cell.h, refcell.h and once.h promise not to compile does not compile.

    test_sharing_refused.py INCLUDE_DIRECTORY COMPILER [ARGUMENT ...]

Each case is a line that replaces one of a program that compiles, and a text that
the compiler's message must hold, so that it fails for the right reason.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import refused

PROGRAM = """
#include <troupe/mem/arc.h>
#include <troupe/mem/lazy.h>
#include <troupe/mem/rc.h>
#include <troupe/mem/refcell.h>
typedef struct point { int x, y; } point;
TR_TYPE(point)
TR_REFCELL(point)
TR_REF_TYPES(int)
TR_REF_TYPES(long)
TR_CELL(int)
TR_ONCE_CELL(int)
TR_ONCE_LOCK(int)
TR_LAZY_LOCK(int)
static tr_status init(point *p, tr_rc_weak me, void *arg) { (void)p; (void)me; (void)arg; return TR_OK; }
static tr_status init_arc(point *p, tr_weak me, void *arg) { (void)p; (void)me; (void)arg; return TR_OK; }
static void fill(int *n, void *arg) { (void)arg; *n = 1; }
static void fill_point(point *p, void *arg) { (void)arg; p->x = 1; }
static int_lazy_lock lazy = { TR_LAZY_OF(fill, NULL) };
void use(point_refcell *c, int_cell *n, int_once_cell *o, int_once_lock *l);
void use(point_refcell *c, int_cell *n, int_once_cell *o, int_once_lock *l)
{
    TR_REF(point_ref) r = tr_borrow(c);
    TR_REF(point_ref_mut) w = tr_try_borrow_mut(c);
    TR_REF(int_ref) x = tr_ref_map(int_ref, &r, &r.value->x);
    if (w.value != NULL) w.value->y = *x.value;
    TR_REF(point_ref) again = tr_ref_clone(&r);
    int_cell_set(n, 1);
    int got = int_cell_get(n);
    if (!int_once_cell_set(o, got)) return;
    (void)int_once_lock_get_or_init(l, fill, NULL);
    (void)int_lazy_lock_force(&lazy);
    point *rc = NULL;
    point *arc = NULL;
    if (tr_rc_new_cyclic(point, init, NULL, &rc) != TR_OK) return;
    if (tr_arc_new_cyclic(point, init_arc, NULL, &arc) != TR_OK) return;
    tr_rc_weak weak = tr_rc_downgrade(rc);
    tr_rc_weak_drop(&weak);
    tr_drop(rc);
    tr_drop(arc);
    (void)fill_point;
}
"""

# what changes, into what, and what the compiler must speak of
REFUSED = {
    "a reader that writes": ("w.value->y = ", "r.value->y = ", "read-only|const-qualified"),
    "a read guard of a write borrow": ("TR_REF(point_ref) r = tr_borrow(", "TR_REF(point_ref) r = tr_borrow_mut(",
                                       "initializ"),
    "a write guard of a read borrow": ("tr_try_borrow_mut(c)", "tr_try_borrow(c)", "initializ"),
    "a guard of another type": ("TR_REF(point_ref) again", "TR_REF(long_ref) again", "initializ"),
    "a write guard mapped from a reader": ("TR_REF(int_ref) x = tr_ref_map(int_ref,",
                                           "TR_REF(int_ref_mut) x = tr_ref_map(int_ref_mut,", "const|discards"),
    "a guard mapped to a part of another type": ("TR_REF(int_ref) x = tr_ref_map(int_ref,",
                                                 "TR_REF(long_ref) x = tr_ref_map(long_ref,", "long"),
    "a clone of a writer": ("TR_REF(point_ref) again = tr_ref_clone(&r)",
                            "TR_REF(point_ref_mut) again = tr_ref_clone(&w)", "tr_ref_hold"),
    "a RefCell's value beside its guards": ("w.value->y = ", "c->y = ", "no member"),
    "a Cell read as its value": ("int got = int_cell_get(n)", "int got = *n", "initializ"),
    "another value for a Cell": ("int_cell_set(n, 1)", "int_cell_set(n, *r.value)", "int_cell_set|incompatible type"),
    "a set that is not looked at": ("if (!int_once_cell_set(o, got)) return;", "int_once_cell_set(o, got);",
                                    "unused|ignoring"),
    "an initialiser of another type": ("get_or_init(l, fill,", "get_or_init(l, fill_point,", "incompatible"),
    "a lazy's initialiser of another type": ("TR_LAZY_OF(fill,", "TR_LAZY_OF(fill_point,", "incompatible"),
    "an Arc's initialiser for an Rc": ("point, init, NULL, &rc", "point, init_arc, NULL, &rc", "incompatible"),
    "an Rc's initialiser for an Arc": ("point, init_arc, NULL, &arc", "point, init, NULL, &arc", "incompatible"),
    "a share of another type": ("NULL, &rc)", "NULL, (int **)&rc)", "incompatible"),
    "an Rc's Weak for an Arc's": ("tr_rc_weak_drop(&weak)", "tr_weak_drop(&weak)", "incompatible"),
    "an Arc's Weak for an Rc's": ("tr_rc_weak weak = tr_rc_", "tr_rc_weak weak = tr_", "initializ"),
}


if __name__ == "__main__":
    sys.exit(refused.run(PROGRAM, REFUSED))
