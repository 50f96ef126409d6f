/*
 * packed - members without padding between them
 *
 *     plain   | a . . . | b b b b |     8 bytes
 *     packed  | a | b b b b |           5 bytes, b is not aligned
 *
 * A pointer to such a member must not be used as a uint32_t *: not every processor
 * reads there, and the compiler assumes that nobody does. Members are copied.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <troupe/mem/layout.h>

typedef struct plain {
    uint8_t a;
    uint32_t b;
} plain;

typedef struct packed {
    uint8_t a;
    uint32_t b;
} __attribute__((packed)) packed;

int main(void)
{
    printf("plain: size %zu, alignment %zu, b at %zu\n", sizeof(plain), _Alignof(plain),
           offsetof(plain, b));
    printf("packed: size %zu, alignment %zu, b at %zu\n", sizeof(packed), _Alignof(packed),
           offsetof(packed, b));

    packed p = { .a = 1, .b = 2 };
    p.b += 40; /* by name: the compiler knows and copies */
    uint32_t b;
    memcpy(&b, (const char *)&p + offsetof(packed, b), sizeof b); /* by address: so do we */
    printf("a = %d, b = %u\n", p.a, b);

    /* What the compiler does for `plain`, step by step. */
    tr_layout record = tr_layout_of(uint8_t);
    size_t at = 0;
    if (tr_layout_extend(record, tr_layout_of(uint32_t), &record, &at) != TR_OK)
        return 1;
    record = tr_layout_pad_to_align(record);
    printf("by hand: size %zu, alignment %zu, b at %zu\n", record.size, record.align, at);
}
