/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h: writes one JSON object, key by key; a value may be an array of flat objects.
 */
#ifndef MR_CLI_JSON_H
#define MR_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool any;     /* a key was written */
    bool entries; /* the open array has one */
};

void json_begin(struct json *j, FILE *out);
/* Not a number (nan, inf) becomes null. */
void json_real(struct json *j, const char *key, double value);
void json_count(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* NULL becomes null; what is no valid UTF-8 becomes U+FFFD. */
void json_text(struct json *j, const char *key, const char *value);
/* An array of objects under a key: json_list, then per entry json_item .. json_item_end, then
 * json_list_end. */
void json_list(struct json *j, const char *key);
void json_item(struct json *j);
void json_item_end(struct json *j);
void json_list_end(struct json *j);
/* Closes the object and the line. */
void json_end(struct json *j);

#endif
