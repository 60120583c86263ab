/* SPDX-License-Identifier: Apache-2.0
 *
 * set_text.h: just as much of reading JSON as the list of a set's shards takes. What it holds
 * besides is passed over.
 */
#ifndef MR_SHARD_SET_TEXT_H
#define MR_SHARD_SET_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_set_text {
    const char *at, *end;
    bool wrong; /* it is no JSON, or another value was expected: what follows tells nothing */
    int depth;
};

/* Enters the object or list that comes next; `open` is its bracket. */
void mr__set_text_enter(struct mr_set_text *t, char open);
/* Whether it has another entry; if not, it has been left. */
bool mr__set_text_more(struct mr_set_text *t, char close, bool *first);
/* The key of an entry of an object, without its colon: cut when it is too long. */
void mr__set_text_key(struct mr_set_text *t, char *key, size_t cap);
/* A text that fits into `cap` with its NUL. Of escapes only those of a quote and of slashes. */
void mr__set_text_string(struct mr_set_text *t, char *to, size_t cap);
/* A whole number, not negative. */
uint64_t mr__set_text_number(struct mr_set_text *t);
/* 1 to 16 hexadecimal digits in quotes. */
uint64_t mr__set_text_hex(struct mr_set_text *t);
/* Any value. */
void mr__set_text_skip(struct mr_set_text *t);
/* Nothing but blanks is left. */
bool mr__set_text_ended(struct mr_set_text *t);

#endif
