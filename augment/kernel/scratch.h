/* SPDX-License-Identifier: Apache-2.0
 *
 * scratch.h: a buffer that only grows, kept between images. Zero it to begin.
 */
#ifndef MR_KERNEL_SCRATCH_H
#define MR_KERNEL_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

struct mr_scratch {
    void *p; /* 64-byte aligned */
    size_t cap;
};

/* At least n bytes at s->p, contents undefined. false: memory is out, the buffer is empty then. */
static inline bool mr__scratch(struct mr_scratch *s, size_t n)
{
    if (n <= s->cap)
        return true;
    free(s->p);
    s->cap = 0;
    n = (n + n / 4 + 63) & ~(size_t)63;
    s->p = aligned_alloc(64, n);
    if (s->p)
        s->cap = n;
    return s->p != NULL;
}

static inline void mr__scratch_free(struct mr_scratch *s)
{
    free(s->p);
    s->p = NULL;
    s->cap = 0;
}

#endif
