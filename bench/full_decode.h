/* SPDX-License-Identifier: Apache-2.0
 *
 * full_decode.h: a JPEG in memory to all of its RGB pixels, as plainly as libjpeg-turbo can.
 */
#ifndef BENCH_FULL_DECODE_H
#define BENCH_FULL_DECODE_H

#include <stddef.h>

/* One process's decoder: the codec object and the pixel buffer are used again for every image. */
struct full_decoder;

/* NULL when memory is out. Freed with full_decoder_close(). */
struct full_decoder *full_decoder_open(void);
void full_decoder_close(struct full_decoder *decoder);

/* Decodes to 8-bit RGB with the accurate integer IDCT (ISLOW) and fancy upsampling, libjpeg-turbo's
 * defaults. Returns the number of pixels, or -1 with a sentence on stderr: not a JPEG, damaged
 * beyond decoding, or four-channel (RGB cannot be asked for then). */
long full_decode(struct full_decoder *decoder, const unsigned char *data, size_t bytes,
                 const char *name);

#endif
