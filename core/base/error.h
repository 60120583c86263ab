/* SPDX-License-Identifier: Apache-2.0
 *
 * error.h: an error is a code and a sentence. Functions that can fail take a `struct mr_errbuf *`
 * last, fill it through mr__fail() and return the code; callers add context on the way up with
 * mr__context(). No function of the library prints or exits.
 */
#ifndef MR_BASE_ERROR_H
#define MR_BASE_ERROR_H

#include "millrace/types.h"

#include <stdarg.h>
#include <stdbool.h>

#define MR_ERR_TEXT 1024

struct mr_errbuf {
    int code;
    bool placed; /* the sentence begins with where in a file the mistake stands */
    char text[MR_ERR_TEXT];
};

/* A place in a config, from 1. line 0: a --set (col = its number, from 1) or a default (col 0). */
struct mr_mark {
    int line, col;
};

/* Sets code and sentence (cut at MR_ERR_TEXT), returns the code. `e` may be NULL: only the code. */
int mr__fail(struct mr_errbuf *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As mr__fail, and appends ": strerror(errno)" of the errno at the call. */
int mr__fail_errno(struct mr_errbuf *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Where in a file a mistake stands: "FILE:LINE:COL: error: sentence"; col 0: without it. */
int mr__fail_at(struct mr_errbuf *e, int code, const char *file, uint64_t line, uint64_t col,
                const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* Puts "context: " before the sentence that is there; returns e->code. What had a place has it
 * still. */
int mr__context(struct mr_errbuf *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The candidate nearest to `word` by edit distance, NULL when none is near enough to be meant. */
const char *mr__nearest(const char *word, const char *const *candidates, size_t n);

#endif
