/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h: pieces of a JSON Schema, written into a mr_json.
 */
#ifndef MR_BASE_SCHEMA_H
#define MR_BASE_SCHEMA_H

#include "describe.h"

/* "key": "value" and "key": n */
void mr__schema_keyword(struct mr_json *j, const char *key, const char *value);
void mr__schema_count(struct mr_json *j, const char *key, uint64_t n);
/* The schema of one option's value. */
void mr__schema_option(struct mr_json *j, const struct mr_opt *o);
/* An object of these options. `type`: what its key `type` must be, NULL: no such key. `params`: the
 * key `params` may hold any mapping. */
void mr__schema_object(struct mr_json *j, const struct mr_opt *opts, const char *type, bool params);
/* True when no option is required. */
bool mr__schema_needs_nothing(const struct mr_opt *opts);

#endif
