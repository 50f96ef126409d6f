/*
 * draw - objects of several types behind one interface
 *
 *     drawable | ops | object |     the type's calls, and a Box of any type
 *                         '----> circle | square
 *
 * The Box knows which type it holds: dropping a drawable runs that type's own
 * destructor and frees a block of that type's size.
 */
#include <stdio.h>
#include <troupe/mem/vec.h>

typedef struct draw_ops {
    void (*draw)(const void *object);
} draw_ops;

typedef struct drawable {
    const draw_ops *ops;
    void *object;
} drawable;

static void drawable_drop(drawable *d)
{
    tr_drop(d->object);
}

TR_TYPE(drawable, .drop = drawable_drop)
TR_VEC(drawable)

typedef struct circle {
    double radius;
} circle;

static void circle_draw(const void *object)
{
    const circle *c = object;
    printf("a circle of radius %.1f\n", c->radius);
}

static void circle_drop(circle *c)
{
    printf("wipe out the circle of radius %.1f\n", c->radius);
}

TR_TYPE(circle, .drop = circle_drop)
static const draw_ops circle_ops = { .draw = circle_draw };

typedef struct square {
    int side;
    char colour[16];
} square;

static void square_draw(const void *object)
{
    const square *s = object;
    printf("a %s square of side %d\n", s->colour, s->side);
}

TR_TYPE(square)
static const draw_ops square_ops = { .draw = square_draw };

int main(void)
{
    TR_AUTO_VALUE(drawable_vec) scene = drawable_vec_new();
    drawable_vec_push(&scene, (drawable){ &circle_ops, tr_box(circle, .radius = 10.0) });
    drawable_vec_push(&scene, (drawable){ &square_ops, tr_box(square, .side = 3, .colour = "red") });
    drawable_vec_push(&scene, (drawable){ &circle_ops, tr_box(circle, .radius = 0.5) });

    TR_VEC_EACH(d, &scene)
        d->ops->draw(d->object);
    printf("the first one is a %s of %zu bytes\n", tr_owned_type(scene.data[0].object)->name,
           tr_owned_type(scene.data[0].object)->size);
}
