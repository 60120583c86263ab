/* SPDX-License-Identifier: Apache-2.0
 *
 * plain_decode.h: what libjpeg-turbo and libpng themselves make of some bytes, asked in the
 * plainest way: the whole image, top to bottom, no crop, no skipping. The judge over Millrace's
 * decoders: it shares no code with them.
 */
#ifndef MR_TESTS_PLAIN_DECODE_H
#define MR_TESTS_PLAIN_DECODE_H

#include <stddef.h>
#include <stdint.h>

enum plain_verdict {
    PLAIN_GOOD,  /* pixels, and nothing that says they are not what was encoded */
    PLAIN_ODD,   /* pixels, and a warning about what lies beside them */
    PLAIN_LOSS,  /* pixels, and a warning that some of them are made up */
    PLAIN_ERROR, /* the library gave up */
    PLAIN_BIG,   /* more than max_pixels: not tried */
};

struct plain {
    enum plain_verdict verdict;
    int w, h;            /* as stored: no orientation is applied */
    int lost_from;       /* LOSS: rows above this one may be good; a little more than may be */
    uint8_t *rgb;        /* w * h * 3, free() it; NULL unless GOOD, ODD or LOSS */
    char text[256];      /* the library's last words */
};

/* CMYK comes out as libjpeg's CMYK run through Pillow's formula, alpha is dropped. */
void plain_decode(const uint8_t *data, size_t n, long max_pixels, struct plain *out);

#endif
