/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct mr_text *t, size_t more)
{
    if (t->failed || more > SIZE_MAX / 4 - t->n) {
        t->failed = true;
        return false;
    }
    if (t->n + more + 1 <= t->cap)
        return true;
    size_t cap = 2 * (t->n + more) + 128;
    char *data = realloc(t->data, cap);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->cap = cap;
    return true;
}

void mr__text_add(struct mr_text *t, const char *bytes, size_t n)
{
    if (!reserve(t, n))
        return;
    if (n)
        memcpy(t->data + t->n, bytes, n);
    t->n += n;
    t->data[t->n] = 0;
}

void mr__text_addf(struct mr_text *t, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        t->failed = true;
    else if (reserve(t, (size_t)n)) {
        vsnprintf(t->data + t->n, (size_t)n + 1, fmt, again);
        t->n += (size_t)n;
    }
    va_end(again);
    va_end(ap);
}

char *mr__text_take(struct mr_text *t)
{
    mr__text_add(t, "", 0);
    char *data = t->failed ? NULL : t->data;
    if (t->failed)
        free(t->data);
    *t = (struct mr_text){0};
    return data;
}

void mr__text_free(struct mr_text *t)
{
    free(t->data);
    *t = (struct mr_text){0};
}

char *mr__stream_text(FILE *f, char **text)
{
    if (!f)
        return NULL;
    bool cut = ferror(f);
    cut |= fclose(f) != 0;
    if (!cut)
        return *text;
    free(*text);
    return *text = NULL;
}
