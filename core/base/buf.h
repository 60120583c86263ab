/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.h: a byte buffer that grows. Zero it to begin; mr__buf_free() or free(data) ends it. One
 * thread at a time.
 */
#ifndef MR_BASE_BUF_H
#define MR_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mr_buf {
    uint8_t *data;
    size_t n, cap; /* bytes in use, bytes there */
};

/* Makes room for `more` bytes behind the n in use. False: memory is out or the sum overflows;
 * nothing changed. */
bool mr__buf_reserve(struct mr_buf *b, size_t more);
/* Copies `n` bytes to the end (data may be NULL when n is 0). False as above. */
bool mr__buf_append(struct mr_buf *b, const void *data, size_t n);
/* Frees the bytes and zeroes the struct. */
void mr__buf_free(struct mr_buf *b);

#endif
