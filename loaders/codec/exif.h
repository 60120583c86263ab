/* SPDX-License-Identifier: Apache-2.0
 *
 * exif.h: the one thing training needs from EXIF: which way up the picture is.
 */
#ifndef MR_CODEC_EXIF_H
#define MR_CODEC_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The Orientation tag (0x0112) of the first directory of a TIFF block: 1 to 8; 1 when it is
 * absent, out of range or the block is damaged. `tiff` begins with the byte order ("II" or
 * "MM"), that is behind JPEG's "Exif\0\0". Reads only inside [tiff, tiff + n). */
int32_t mr__exif_orientation(const uint8_t *tiff, size_t n);

#endif
