/*
 * format - three digits that matter, and a unit
 */
#include "format.h"

#include <stdio.h>

/* Three significant digits. What would round up to 1000 is the next unit's. */
static formatted scale(double n, double step, const char *const *units, const char *suffix)
{
    formatted f;
    while (n >= 999.5 && units[1] != NULL) {
        n /= step;
        units++;
    }
    const int decimals = n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
    (void)snprintf(f.text, sizeof(f.text), "%.*f %s%s", decimals, n, *units, suffix);
    return f;
}

formatted format_count(uint64_t n)
{
    static const char *const units[] = { "k", "M", "G", "T", "P", "E", NULL };
    formatted f;
    if (n >= 10000)
        return scale((double)n / 1000, 1000, units, "");
    (void)snprintf(f.text, sizeof(f.text), "%u", (unsigned)n);
    return f;
}

formatted format_rate(double per_second)
{
    static const char *const units[] = { "k", "M", "G", "T", "P", "E", NULL };
    formatted f;
    if (per_second >= 9999.5)
        return scale(per_second / 1000, 1000, units, "/s");
    const int decimals = per_second > 0 && per_second < 9.95 ? 1 : 0;
    (void)snprintf(f.text, sizeof(f.text), "%.*f/s", decimals, per_second);
    return f;
}

formatted format_bytes(uint64_t n)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", NULL };
    formatted f;
    if (n >= 1024)
        return scale((double)n / 1024, 1024, units, "");
    (void)snprintf(f.text, sizeof(f.text), "%u B", (unsigned)n);
    return f;
}

formatted format_duration(uint64_t ns)
{
    formatted f;
    const uint64_t seconds = ns / 1000000000u;
    const unsigned s = (unsigned)(seconds % 60), min = (unsigned)(seconds / 60 % 60);
    const unsigned h = (unsigned)(seconds / 3600 % 24);
    if (seconds < 10)
        (void)snprintf(f.text, sizeof(f.text), "%.1f s", (double)(ns / 100000000u) / 10);
    else if (seconds < 60)
        (void)snprintf(f.text, sizeof(f.text), "%u s", s);
    else if (seconds < 3600)
        (void)snprintf(f.text, sizeof(f.text), "%u min %02u s", min, s);
    else if (seconds < 86400)
        (void)snprintf(f.text, sizeof(f.text), "%u h %02u min", h, min);
    else
        (void)snprintf(f.text, sizeof(f.text), "%llu d %02u h",
                       (unsigned long long)(seconds / 86400), h);
    return f;
}

formatted format_share(uint64_t part, uint64_t whole)
{
    formatted f = { "-" };
    if (whole != 0)
        (void)snprintf(f.text, sizeof(f.text), "%.1f%%", 100 * (double)part / (double)whole);
    return f;
}
