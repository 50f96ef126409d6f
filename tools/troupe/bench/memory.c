/*
 * memory - what this process occupies, as the kernel counts it
 */
#include "bench.h"

#include <stdio.h>
#include <string.h>

#include <troupe/mem/panic.h>

/* The field of /proc/self/status, which is in KiB. */
static uint64_t read_status(const char *field)
{
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL)
        tr_panic("/proc/self/status cannot be read");
    const size_t length = strlen(field);
    unsigned long long kib = 0;
    bool found = false;
    for (char line[256]; !found && fgets(line, sizeof line, file) != NULL;)
        found = strncmp(line, field, length) == 0 && sscanf(line + length, ": %llu kB", &kib) == 1;
    (void)fclose(file);
    if (!found)
        tr_panic("/proc/self/status does not tell %s", field);
    return (uint64_t)kib * 1024;
}

uint64_t bench_rss(void)
{
    return read_status("VmRSS");
}

uint64_t bench_peak_rss(void)
{
    return read_status("VmHWM");
}
