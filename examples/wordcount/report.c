/*
 * report - the result on standard output, as text or as JSON
 *
 * What stdio still holds is written before the answer, so that a full disk or a
 * closed pipe is noticed.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include <json-c/json.h>

static bool flushed(void)
{
    return fflush(stdout) == 0 && !ferror(stdout);
}

bool report_text(const struct top *result)
{
    const struct ranking *ranking = &result->ranking;
    for (size_t i = 0; i < ranking->count; i++) {
        const struct word *word = ranking->words[i];
        if (printf("%" PRIu64 " ", word->count) < 0 ||
            fwrite(word->text, 1, word->length, stdout) < word->length || putchar('\n') == EOF)
            return false;
    }
    return flushed();
}

/* -- JSON ---------------------------------------------------------------------- */

static void put_object(struct json_object **object)
{
    json_object_put(*object);
}
#define AUTO_JSON __attribute__((cleanup(put_object))) struct json_object *

/* object[key] = value, which is consumed. false: no memory. */
static bool set(struct json_object *object, const char *key, struct json_object *value)
{
    if (value != NULL && json_object_object_add(object, key, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static bool set_number(struct json_object *object, const char *key, uint64_t number)
{
    return set(object, key, json_object_new_uint64(number));
}

static bool append_word(struct json_object *array, const struct word *word)
{
    if (word->length > INT_MAX) /* json-c counts so far */
        return false;
    AUTO_JSON entry = json_object_new_object();
    if (entry == NULL ||
        !set(entry, "word", json_object_new_string_len(word->text, (int)word->length)) ||
        !set_number(entry, "count", word->count) || json_object_array_add(array, entry) != 0)
        return false;
    entry = NULL; /* the array's now */
    return true;
}

static bool fill_top(struct json_object *array, const struct ranking *ranking)
{
    for (size_t i = 0; i < ranking->count; i++)
        if (!append_word(array, ranking->words[i]))
            return false;
    return true;
}

static bool fill(struct json_object *object, const struct top *result, const struct tally *tally)
{
    /* relaxed: see tally.h */
    if (!set_number(object, "files", tr_load_relaxed(&tally->files)) ||
        !set_number(object, "bytes", tr_load_relaxed(&tally->bytes)) ||
        !set_number(object, "words", tr_load_relaxed(&tally->words)) ||
        !set_number(object, "distinct", result->distinct))
        return false;
    /* relaxed: see tally.h */
    if (!set_number(object, "complaints", tr_load_relaxed(&tally->complaints)))
        return false;
    struct json_object *top = json_object_new_array();
    return set(object, "top", top) && fill_top(top, &result->ranking);
}

bool report_json(const struct top *result, const struct tally *tally)
{
    AUTO_JSON object = json_object_new_object();
    errno = ENOMEM; /* what makes json-c fail */
    if (object == NULL || !fill(object, result, tally))
        return false;
    size_t length;
    const char *text = json_object_to_json_string_length(object, JSON_C_TO_STRING_PLAIN, &length);
    if (text == NULL)
        return false;
    return fwrite(text, 1, length, stdout) == length && putchar('\n') != EOF && flushed();
}
