/*
 * clock - CLOCK_MONOTONIC as one number
 *
 * 64 bits of nanoseconds last 584 years from the start of the machine, so the
 * sum cannot overflow and TR_FOREVER stays later than every real time.
 *
 * clock_gettime on this clock fails only for a bad address, so there is no
 * status to give back.
 */
#include <troupe/mem/clock.h>

#include <time.h>

uint64_t tr_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
