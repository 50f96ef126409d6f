/*
 * format - numbers for people
 *
 * Each gives its text by value: format_count(n).text is good until the end of
 * the full expression.
 */
#ifndef TOOLS_TROUPE_FORMAT_H
#define TOOLS_TROUPE_FORMAT_H

#include <stdint.h>

typedef struct formatted {
    char text[24];
} formatted;

/* "9999", "12.3 k", "1.23 M", "456 G". */
formatted format_count(uint64_t n);

/* The same of a second, one decimal below 10: "0.5/s", "12.3 M/s". */
formatted format_rate(double per_second);

/* "512 B", "1.23 MiB". */
formatted format_bytes(uint64_t n);

/* "0.4 s", "59 s", "3 min 20 s", "2 h 05 min", "3 d 04 h". */
formatted format_duration(uint64_t ns);

/* "50.1%"; "-" when the whole is 0. */
formatted format_share(uint64_t part, uint64_t whole);

#endif
