/*
 * aligned - a type that asks for more alignment than its members need
 */
#include <stdint.h>
#include <stdio.h>
#include <troupe/mem/box.h>

typedef struct flagged {
    uint32_t value;
    bool flag;
} __attribute__((aligned(8))) flagged;

/* Alone on its cache line, so that no neighbour disturbs it. */
typedef struct lonely {
    TR_CACHE_ALIGNED char byte;
} lonely;

TR_TYPE(lonely)

static const char *aligned(const void *p, size_t to)
{
    return (uintptr_t)p % to == 0 ? "yes" : "no";
}

int main(void)
{
    const flagged f = { .value = 10, .flag = true };
    printf("flagged: size %zu, alignment %zu\n", sizeof f, _Alignof(flagged));
    printf("members at %zu and %zu\n", offsetof(flagged, value), offsetof(flagged, flag));

    TR_AUTO(lonely) on_the_heap = tr_box(lonely, .byte = 'x');
    printf("lonely: size %zu, alignment %zu\n", sizeof(lonely), _Alignof(lonely));
    printf("a box respects it: %s\n", aligned(on_the_heap, _Alignof(lonely)));

    TR_AUTO(lonely) several = tr_box_array(lonely, 3);
    if (several == NULL)
        return 1;
    printf("so does each of %zu: %s, %s, %s\n", tr_array_len(several),
           aligned(&several[0], TR_CACHE_LINE), aligned(&several[1], TR_CACHE_LINE),
           aligned(&several[2], TR_CACHE_LINE));
}
