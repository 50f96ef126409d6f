/*
 * scalars - the descriptors of C's own types that are one word
 *
 * So that tr_box(int, 5) and tr_arc(uint64_t, 7) work without a TR_TYPE. A type
 * of several words (unsigned long) needs a typedef and a TR_TYPE of its own.
 */
#ifndef TROUPE_MEM_SCALARS_H
#define TROUPE_MEM_SCALARS_H

#include <troupe/mem/type.h>

/*
 * <stdbool.h> makes bool a macro for _Bool, so a name is pasted from either: from
 * bool where tr_type_of stands alone, from _Bool where another macro hands its
 * argument down, as tr_box does. Both must name one descriptor.
 */
#define tr_type_of_bool tr_type_of__Bool

TR_TYPE(bool)
TR_TYPE(char)
TR_TYPE(short)
TR_TYPE(int)
TR_TYPE(unsigned)
TR_TYPE(long)
TR_TYPE(float)
TR_TYPE(double)
TR_TYPE(int8_t)
TR_TYPE(int16_t)
TR_TYPE(int32_t)
TR_TYPE(int64_t)
TR_TYPE(uint8_t)
TR_TYPE(uint16_t)
TR_TYPE(uint32_t)
TR_TYPE(uint64_t)
TR_TYPE(size_t)

#endif
