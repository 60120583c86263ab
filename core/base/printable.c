/* SPDX-License-Identifier: Apache-2.0 */
#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HEAD \
    180 /* of a text that is too long: bytes shown from its start, and taken from its end */
#define TAIL 250

/* Bytes of the well-formed UTF-8 character at `s`, 0 if there is none (the table of Unicode 15,
 * 3-7). */
static size_t utf8_length(const uint8_t *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
        return 0; /* overlong; a surrogate */
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0; /* overlong; past U+10FFFF */
    return length;
}

static bool is_control(const uint8_t *s, size_t length)
{
    return length == 1 ? s[0] < 0x20 || s[0] == 0x7f
                       : length == 2 && s[0] == 0xc2 && s[1] < 0xa0; /* C1: U+0080 to U+009F */
}

/* One character of `s` to `out` (room for 8 bytes); sets how many bytes of it were taken. */
static size_t show(char out[8], const uint8_t *s, size_t n, size_t *taken)
{
    size_t length = utf8_length(s, n);
    *taken = length ? length : 1;
    if (length && !is_control(s, length)) {
        memcpy(out, s, length);
        return length;
    }
    *taken = 1;
    if (s[0] == '\n' || s[0] == '\t')
        return (size_t)snprintf(out, 8, "\\%c", s[0] == '\n' ? 'n' : 't');
    return (size_t)snprintf(out, 8, "\\x%02x", s[0]);
}

/* Shows what fits of n bytes in `cap`; returns the bytes written. */
static size_t show_all(char *out, size_t cap, const uint8_t *s, size_t n)
{
    size_t at = 0, taken;
    for (size_t i = 0; i < n; i += taken) {
        char one[8];
        size_t length = show(one, s + i, n - i, &taken);
        if (at + length > cap)
            break;
        memcpy(out + at, one, length);
        at += length;
    }
    return at;
}

struct mr_printable mr__printable(const char *text, size_t n)
{
    struct mr_printable p;
    const uint8_t *s = (const uint8_t *)text;
    char one[8];
    size_t taken, shown = 0;
    for (size_t i = 0; i < n && shown < sizeof p.text; i += taken)
        shown += show(one, s + i, n - i, &taken);
    if (shown < sizeof p.text) {
        p.text[show_all(p.text, sizeof p.text - 1, s, n)] = 0;
        return p;
    }
    size_t at = show_all(p.text, HEAD, s, n), tail = n < TAIL ? 0 : n - TAIL;
    for (int i = 0; i < 3 && tail + 1 < n && (s[tail] & 0xc0) == 0x80; i++)
        tail++; /* to the start of a character */
    memcpy(p.text + at, "...", 3);
    at += 3;
    at += show_all(p.text + at, sizeof p.text - 1 - at, s + tail, n - tail);
    p.text[at] = 0;
    return p;
}
