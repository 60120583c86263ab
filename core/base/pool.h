/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.h: memory that is taken in many small pieces and given back all at once. Not thread-safe per
 * pool.
 */
#ifndef MR_BASE_POOL_H
#define MR_BASE_POOL_H

#include <stddef.h>

struct mr_pool;

/* NULL when memory is out. */
struct mr_pool *mr__pool_new(void);
/* Frees every piece. Safe on NULL. */
void mr__pool_free(struct mr_pool *pool);
/* `bytes` zero bytes, 16-byte aligned, good until mr__pool_free(). NULL when memory is out. */
void *mr__pool_take(struct mr_pool *pool, size_t bytes);
/* A copy of n bytes of text with a NUL behind it. NULL when memory is out. */
char *mr__pool_text(struct mr_pool *pool, const char *text, size_t n);
/* printf into the pool. NULL when memory is out. */
char *mr__pool_format(struct mr_pool *pool, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
