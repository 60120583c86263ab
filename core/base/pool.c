/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)16384)

struct chunk {
    struct chunk *next;
    size_t used, size; /* bytes behind this head */
    uint64_t align;
};

struct mr_pool {
    struct chunk *first;
};

struct mr_pool *mr__pool_new(void)
{
    return calloc(1, sizeof(struct mr_pool));
}

void mr__pool_free(struct mr_pool *pool)
{
    while (pool && pool->first) {
        struct chunk *next = pool->first->next;
        free(pool->first);
        pool->first = next;
    }
    free(pool);
}

void *mr__pool_take(struct mr_pool *pool, size_t bytes)
{
    _Static_assert(sizeof(struct chunk) % 16 == 0, "pieces are 16-byte aligned");
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    struct chunk *c = pool->first;
    if (!c || c->size - c->used < bytes) {
        size_t size = bytes > CHUNK ? bytes : CHUNK;
        c = calloc(1, sizeof *c + size);
        if (!c)
            return NULL;
        c->size = size;
        c->next = pool->first;
        pool->first = c;
    }
    void *p = (uint8_t *)(c + 1) + c->used;
    c->used += bytes;
    return p;
}

char *mr__pool_text(struct mr_pool *pool, const char *text, size_t n)
{
    char *copy = mr__pool_take(pool, n + 1);
    if (copy && n)
        memcpy(copy, text, n);
    return copy;
}

char *mr__pool_format(struct mr_pool *pool, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    char *text = n < 0 ? NULL : mr__pool_take(pool, (size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    va_end(ap);
    return text;
}
