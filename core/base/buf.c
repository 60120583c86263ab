/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdlib.h>
#include <string.h>

bool mr__buf_reserve(struct mr_buf *b, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(b->n, more, &need))
        return false;
    if (need <= b->cap)
        return true;
    size_t cap =
        b->cap +
        b->cap / 2; /* large blocks are moved by mremap, so half as much again copies little */
    if (cap < need)
        cap = need < 256 ? 256 : need;
    uint8_t *data = realloc(b->data, cap);
    if (!data)
        return false;
    b->data = data;
    b->cap = cap;
    return true;
}

bool mr__buf_append(struct mr_buf *b, const void *data, size_t n)
{
    if (!mr__buf_reserve(b, n))
        return false;
    if (n)
        memcpy(b->data + b->n, data, n);
    b->n += n;
    return true;
}

void mr__buf_free(struct mr_buf *b)
{
    free(b->data);
    *b = (struct mr_buf){0};
}
