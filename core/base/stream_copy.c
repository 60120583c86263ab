/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_copy.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/* Four pages in step, which keeps four streams of the prefetcher busy: one after the other is a
 * quarter slower (docs/arrays.md). */
enum { STREAMS = 4, APART = 4096, BLOCK = STREAMS * APART, LINE = 64, VECTOR = 16 };

static inline void copy_line(char *to, const char *from)
{
    __m128i a = _mm_loadu_si128((const void *)from);
    __m128i b = _mm_loadu_si128((const void *)(from + VECTOR));
    __m128i c = _mm_loadu_si128((const void *)(from + 2 * VECTOR));
    __m128i d = _mm_loadu_si128((const void *)(from + 3 * VECTOR));
    _mm_stream_si128((void *)to, a);
    _mm_stream_si128((void *)(to + VECTOR), b);
    _mm_stream_si128((void *)(to + 2 * VECTOR), c);
    _mm_stream_si128((void *)(to + 3 * VECTOR), d);
}

/* `to` is aligned to a line. */
static void copy_block(char *to, const char *from)
{
    for (size_t at = 0; at < APART; at += LINE)
        for (size_t stream = 0; stream < STREAMS; stream++)
            copy_line(to + stream * APART + at, from + stream * APART + at);
}

void mr__stream_copy(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;
    size_t head = -(uintptr_t)t % LINE;

    if (n < head + BLOCK) {
        memcpy(t, f, n);
        return;
    }
    memcpy(t, f, head);
    for (t += head, f += head, n -= head; n >= BLOCK; t += BLOCK, f += BLOCK, n -= BLOCK)
        copy_block(t, f);
    memcpy(t, f, n);
    _mm_sfence();
}

#else
void mr__stream_copy(void *to, const void *from, size_t n)
{
    memcpy(to, from, n);
}
#endif
