/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/exif.h"

#include <stdbool.h>

struct tiff {
    const uint8_t *data;
    size_t n;
    bool big; /* byte order */
};

/* 0 beyond the end: every value that matters is checked, and 0 is none of the good ones. */
static uint32_t get16(const struct tiff *t, size_t at)
{
    if (t->n < 2 || at > t->n - 2)
        return 0;
    const uint8_t *p = t->data + at;
    return t->big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t get32(const struct tiff *t, size_t at)
{
    if (t->n < 4 || at > t->n - 4)
        return 0;
    uint32_t a = get16(t, at), b = get16(t, at + 2);
    return t->big ? a << 16 | b : b << 16 | a;
}

enum { TAG_ORIENTATION = 0x0112, ENTRY_BYTES = 12 };
enum { TYPE_SHORT = 3, TYPE_LONG = 4, TYPE_SSHORT = 8, TYPE_SLONG = 9 };

/* The value of one directory entry, 0 when it is not one integer. */
static uint32_t entry_value(const struct tiff *t, size_t at)
{
    if (get32(t, at + 4) != 1)
        return 0;
    switch (get16(t, at + 2)) {
    case TYPE_SHORT:
    case TYPE_SSHORT:
        return get16(t, at + 8);
    case TYPE_LONG:
    case TYPE_SLONG:
        return get32(t, at + 8);
    }
    return 0;
}

int32_t mr__exif_orientation(const uint8_t *tiff, size_t n)
{
    struct tiff t = {tiff, n, false};
    if (n < 8 || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M'))
        return 1;
    t.big = tiff[0] == 'M';
    if (get16(&t, 2) != 42)
        return 1;
    size_t dir = get32(&t, 4);
    uint32_t entries = get16(&t, dir);
    for (uint32_t i = 0; i < entries; i++) {
        size_t at = dir + 2 + (size_t)i * ENTRY_BYTES;
        if (at > n || n - at < ENTRY_BYTES)
            break;
        if (get16(&t, at) != TAG_ORIENTATION)
            continue;
        uint32_t value = entry_value(&t, at);
        return value >= 1 && value <= 8 ? (int32_t)value : 1;
    }
    return 1;
}
