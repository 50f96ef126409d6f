/*
 * stress - what tests may ask of the seeded yields; private to the library
 *
 * The yields themselves are behind the atomics door (troupe/mem/atomic.h), and
 * only in a build with -Dstress=true.
 */
#ifndef TROUPE_MEM_STRESS_H
#define TROUPE_MEM_STRESS_H

#include <troupe/mem/atomic.h>

#ifdef TR_STRESS
/* The state of this thread's stream: equal for equal seed, number of the
 * thread and number of accesses so far. */
uint64_t tri_stress_position(void);
#endif

#endif
