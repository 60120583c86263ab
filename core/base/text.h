/* SPDX-License-Identifier: Apache-2.0
 *
 * text.h: a growing text. Running out of memory is remembered, not returned by each call: ask once,
 * at the end.
 */
#ifndef MR_BASE_TEXT_H
#define MR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct mr_text { /* zero it to begin */
    char *data;  /* NUL-terminated once something was added; NULL before */
    size_t n, cap;
    bool failed; /* memory was out; data is still a valid text */
};

void mr__text_add(struct mr_text *t, const char *bytes, size_t n);
void mr__text_addf(struct mr_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Hands the text over: malloc'ed, the caller's to free(); "" when nothing was added. NULL when
 * memory was out. `t` is empty again. */
char *mr__text_take(struct mr_text *t);
void mr__text_free(struct mr_text *t);

/* Ends an open_memstream(text, ..): the whole text, or NULL when memory was out on the way (a cut
 * text is freed). f == NULL: it could not be opened. */
char *mr__stream_text(FILE *f, char **text);

#endif
