/*
 * tally - what has been done so far, for the progress line and the totals
 *
 * One tally, shared in an Arc: every actor adds, main reads. The numbers order
 * nothing, so each is a relaxed atomic; main reads the final ones after the
 * message that says that all is done.
 */
#ifndef TALLY_H
#define TALLY_H

#include <troupe/troupe.h>

struct tally {
    TR_ATOMIC(uint64_t) files;      /* read to their end, or to an error */
    TR_ATOMIC(uint64_t) bytes;      /* read */
    TR_ATOMIC(uint64_t) words;      /* counted */
    TR_ATOMIC(uint64_t) complaints; /* what could not be read, or not wholly */
};
typedef struct tally wc_tally; /* one word, as TR_TYPE needs it */
TR_TYPE(wc_tally)

#endif
