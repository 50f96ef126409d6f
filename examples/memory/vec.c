/*
 * vec - values side by side, in a block that grows
 */
#include <stdio.h>
#include <troupe/mem/vec.h>

TR_VEC(int)

static void show(const int_vec *v)
{
    printf("[");
    for (size_t i = 0; i < v->len; i++)
        printf("%s%d", i > 0 ? ", " : "", v->data[i]);
    printf("] length %zu, room for %zu\n", v->len, int_vec_cap(v));
}

int main(void)
{
    TR_AUTO_VALUE(int_vec) v = int_vec_new();
    show(&v); /* owns no memory yet: the first push asks for some */
    int_vec_push(&v, 1);
    int_vec_push(&v, 2);
    int_vec_push(&v, 3);
    show(&v);

    TR_VEC_EACH(item, &v)
        *item *= 10;
    int_vec_push(&v, 40);
    int_vec_push(&v, 50); /* outgrows its block: twice as large a one */
    show(&v);

    int last = 0;
    if (int_vec_pop(&v, &last) == TR_OK)
        printf("popped %d\n", last);
    printf("index 7 is %s\n", int_vec_get(&v, 7) == NULL ? "out of bounds" : "there");
    int_vec_shrink_to_fit(&v);
    show(&v);
}
