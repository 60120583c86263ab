/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegscans.h: how many scans a JPEG has, from its markers alone: thousands of them can be stored
 * in next to nothing, and each costs a pass over all coefficients.
 */
#ifndef MR_CODEC_JPEGSCANS_H
#define MR_CODEC_JPEGSCANS_H

#include <stddef.h>
#include <stdint.h>

/* Scans that begin in data[0 .. n - 1], which starts in front of a marker or inside a scan's data;
 * counting ends at the image's end, or behind `enough` of them. */
int64_t mr__jpegscans_count(const uint8_t *data, size_t n, int64_t enough);

#endif
