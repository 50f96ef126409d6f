#!/usr/bin/env python3
"""What vec.h and its relatives promise not to compile does not compile, and the message names the mistake.

    test_collections_refused.py INCLUDE_DIRECTORY COMPILER [ARGUMENT ...]

Each case is the program with one change, and a text that the compiler's message must hold.
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import refused

PROGRAM = """
#include <troupe/mem/bytes.h>
#include <troupe/mem/cow.h>
#include <troupe/mem/ring.h>
#include <troupe/mem/small_vec.h>
typedef struct point { int x, y; } point;
TR_TYPE(point)
TR_VEC(point)
TR_VEC(int)
TR_COW(point)
TR_RING(point)
TR_SMALL_VEC(few, point, 4)
static int by_x(const point *a, const point *b, void *arg) { (void)arg; return a->x - b->x; }
static int by_value(const int *a, const int *b, void *arg) { (void)arg; return *a - *b; }
static bool keep(point *p, void *arg) { (void)arg; return p->x != 0; }
int use(const point *there);
int use(const point *there)
{
    TR_AUTO_VALUE(int_vec) ints = TR_VEC_OF(int_vec, 1, 2);
    TR_AUTO_VALUE(point_vec) v = TR_VEC_OF(point_vec, { 1, 2 }, { 3, 4 });
    point_vec_push(&v, (point){ 5, 6 });
    point_vec_sort_by(&v, by_x, NULL);
    int_vec_sort_by(&ints, by_value, NULL);
    point_vec_retain(&v, keep, NULL);
    point out = { 0, 0 };
    if (point_vec_pop(&v, &out) != TR_OK)
        return 1;
    TR_VEC_EACH(p, &v)
        out.x += p->x;
    TR_AUTO_VALUE(point_cow) cow = point_cow_borrowed(there);
    point_cow_to_mut(&cow)->x = 1;
    TR_AUTO_VALUE(point_ring) ring = point_ring_with_capacity(2);
    if (point_ring_try_push(&ring, out) != TR_OK)
        return 2;
    TR_AUTO_VALUE(few) small = few_new();
    few_push(&small, out);
    TR_AUTO_VALUE(tr_bytes_mut) m = tr_bytes_mut_with_capacity(4);
    tr_bytes_mut_put_u32_be(&m, 7);
    m.data[0] = 1;
    TR_AUTO_VALUE(tr_bytes) b = tr_bytes_mut_freeze(&m);
    TR_AUTO_VALUE(tr_string) s = tr_string_from(TR_STR("text"));
    tr_string_printf(&s, "%d", out.x);
    return b.data[0];
}
"""

# what changes, into what, and what the compiler must speak of
REFUSED = {
    "a value of another type": ("(point){ 5, 6 }", "5", "incompatible type"),
    "another type's vec": ("point_vec_push(&v,", "point_vec_push(&ints,", "incompatible pointer type"),
    "another type's order": ("point_vec_sort_by(&v, by_x", "point_vec_sort_by(&v, by_value", "incompatible"),
    "another type's predicate": ("int_vec_sort_by(&ints, by_value, NULL);",
                                 "int_vec_retain(&ints, keep, NULL); (void)by_value;", "incompatible"),
    "an element that is not described": ("TR_TYPE(point)", "", "tr_type_of_point"),
    "a pop whose status is ignored": ("if (point_vec_pop(&v, &out) != TR_OK)\n        return 1;",
                                      "point_vec_pop(&v, &out);", "ignoring return value"),
    "a push that may be refused, ignored": ("if (point_ring_try_push(&ring, out) != TR_OK)\n        return 2;",
                                            "point_ring_try_push(&ring, out);", "ignoring return value"),
    "another type's value into a small vec": ("few_push(&small, out)", "few_push(&small, 1)", "incompatible type"),
    "writing what a Cow lets read": ("point_cow_to_mut(&cow)->x", "point_cow_get(&cow)->x", "assign"),
    "writing frozen bytes": ("return b.data[0];", "b.data[0] = 2; return 0;", "assign"),
    "a format that does not fit": ('"%d", out.x', '"%s", out.x', "format"),
    "text that is no literal": ('TR_STR("text")', "TR_STR(s.data)", "expected"),
}


if __name__ == "__main__":
    sys.exit(refused.run(PROGRAM, REFUSED))
