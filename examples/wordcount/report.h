/*
 * report - the result on standard output
 */
#ifndef REPORT_H
#define REPORT_H

#include "tally.h"
#include "wordcount.h"

/* COUNT WORD a line. false: standard output did not take it all; errno says why. */
bool report_text(const struct top *result);

/*
 * One object, with totals; likewise.
 *     {"files":2,"bytes":31,"words":6,"distinct":5,"complaints":0,
 *      "top":[{"word":"the","count":2}, ...]}
 */
bool report_json(const struct top *result, const struct tally *tally);

#endif
