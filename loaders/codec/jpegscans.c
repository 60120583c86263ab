/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/codec/jpegscans.h"

#include <string.h>

enum { SOS = 0xda, EOI = 0xd9, RST0 = 0xd0, RST7 = 0xd7, TEM = 0x01 };

/* Whether a length follows the marker, and that many bytes. */
static int has_segment(uint8_t marker)
{
    return marker != 0 && marker != 0xff && marker != TEM && (marker < RST0 || marker > RST7);
}

int64_t mr__jpegscans_count(const uint8_t *data, size_t n, int64_t enough)
{
    int64_t scans = 0;
    size_t at = 0;
    while (scans < enough && at + 1 < n) {
        const uint8_t *mark = memchr(data + at, 0xff, n - at - 1);
        if (!mark || mark[1] == EOI)
            break;
        at = (size_t)(mark - data) + 1;
        if (mark[1] == 0xff)
            continue; /* fill bytes: the last of them begins the marker */
        at++;
        scans += mark[1] == SOS;
        if (has_segment(mark[1]) && n - at >= 2) {
            size_t length = (size_t)data[at] << 8 | data[at + 1];
            at += length < n - at ? length : n - at;
        }
    }
    return scans;
}
