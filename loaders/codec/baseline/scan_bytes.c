/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/baseline/scan_bytes.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Up to the next marker, or until the window is full. */
static void take(struct mr_scan_bytes *s)
{
    uint8_t *to = s->end, *full = s->clean + MR_CLEAN_BEFORE + MR_CLEAN_BYTES;
    while (to < full && !s->ended) {
        size_t n = least((size_t)(s->raw_end - s->raw), (size_t)(full - to));
        const uint8_t *stuffed = n ? memchr(s->raw, 0xff, n) : NULL;
        size_t run = stuffed ? (size_t)(stuffed - s->raw) : n;
        if (run)
            memcpy(to, s->raw, run);
        to += run;
        s->raw += run;
        if (stuffed && s->raw_end - s->raw >= 2 && s->raw[1] == 0) {
            *to++ = 0xff;
            s->raw += 2;
        } else {
            s->ended = stuffed || s->raw == s->raw_end;
        }
    }
    s->end = to;
    s->limit = s->ended ? to : to - MR_MCU_BYTES - 16;
    if (s->ended)
        memset(to, 0, MR_MCU_BYTES + 64);
}

void mr__scan_begin(struct mr_scan_bytes *s, struct mr_bits *at)
{
    s->end = s->clean + MR_CLEAN_BEFORE;
    s->ended = false;
    *at = (struct mr_bits){.at = s->end};
    take(s);
}

bool mr__scan_good(const struct mr_scan_bytes *s, const struct mr_bits *at)
{
    return (at->at - s->end) * 8 <= (ptrdiff_t)at->left;
}

bool mr__scan_more(struct mr_scan_bytes *s, struct mr_bits *at)
{
    if (s->ended)
        return mr__scan_good(s, at);
    const uint8_t *from = at->at - MR_CLEAN_BEFORE;
    size_t n = (size_t)(s->end - from);
    memmove(s->clean, from, n);
    s->end = s->clean + n;
    at->at = s->clean + MR_CLEAN_BEFORE;
    take(s);
    return true;
}

bool mr__scan_restart(struct mr_scan_bytes *s, struct mr_bits *at, uint32_t number)
{
    ptrdiff_t untaken = (s->end - at->at) * 8 + (ptrdiff_t)at->left;
    if (!s->ended || untaken < 0 || untaken >= 8 || s->raw_end - s->raw < 2 || s->raw[0] != 0xff ||
        s->raw[1] != 0xd0 + number)
        return false;
    s->raw += 2;
    mr__scan_begin(s, at);
    return true;
}
