/* SPDX-License-Identifier: Apache-2.0
 *
 * json_writer.h: writing JSON. Commas, quotes and line breaks are kept by the writer; numbers are
 * the same in every locale; what JSON has no word for (nan, infinity) becomes null; bytes that are
 * no UTF-8 become U+FFFD.
 *
 *     struct mr_json j = {.indent = 2};
 *     mr__json_begin_object(&j);
 *     mr__json_key(&j, "rows");
 *     mr__json_u64(&j, 64);
 *     mr__json_end_object(&j);
 *     char *text = mr__json_take(&j);
 */
#ifndef MR_BASE_JSON_WRITER_H
#define MR_BASE_JSON_WRITER_H

#include "base/text.h"

#include <stdint.h>

#define MR_JSON_DEPTH \
    32 /* nesting; deeper is the caller's mistake and makes mr__json_take() fail */

struct mr_json { /* zero it to begin */
    struct mr_text text;
    int indent; /* spaces per level; 0: all on one line */
    int depth;
    bool keyed; /* a key was written, its value comes next */
    bool filled[MR_JSON_DEPTH + 1], array[MR_JSON_DEPTH + 1];
};

void mr__json_begin_object(struct mr_json *j);
void mr__json_end_object(struct mr_json *j);
void mr__json_begin_array(struct mr_json *j);
void mr__json_end_array(struct mr_json *j);
/* The name of the next value; inside an object. */
void mr__json_key(struct mr_json *j, const char *key);
/* NULL is written as null. */
void mr__json_str(struct mr_json *j, const char *text);
void mr__json_u64(struct mr_json *j, uint64_t value);
void mr__json_i64(struct mr_json *j, int64_t value);
/* The shortest text that reads back as the same double. */
void mr__json_f64(struct mr_json *j, double value);
void mr__json_bool(struct mr_json *j, bool value);
void mr__json_null(struct mr_json *j);
/* The text, malloc'ed, the caller's to free(); NULL when memory was out or a bracket is missing. */
char *mr__json_take(struct mr_json *j);

#endif
