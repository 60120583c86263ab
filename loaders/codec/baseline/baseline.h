/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline.h: our own decoder of plain JPEG: 8 bits, one sequential Huffman scan of all components,
 * gray or YCbCr. It gives the pixels of libjpeg-turbo's defaults, of a crop only, and it gives them
 * or nothing: whatever is not as it should be, in the header or in the data, is "not mine", and the
 * caller has libjpeg-turbo decode the image from its beginning. So the one thing that has to hold
 * is: where this decoder gives all rows, libjpeg-turbo would give the same ones without a word.
 */
#ifndef MR_BASELINE_BASELINE_H
#define MR_BASELINE_BASELINE_H

#include "base/cpu.h"
#include "base/descriptor.h"

#include <stddef.h>

struct mr_plain_codes {   /* a Huffman table as the file has it */
    const uint8_t *bits;  /* [17]; NULL: there is none */
    const uint8_t *value; /* [256] */
};

struct mr_plain_component {
    int32_t h, v;          /* sampling factors */
    const uint16_t *quant; /* [64] in natural order; NULL: there is none */
    struct mr_plain_codes dc, ac;
};

/* A header, as somebody else has read it. */
struct mr_plain_jpeg {
    int32_t w, h;       /* pixels */
    int32_t components; /* 1: gray; 3: YCbCr */
    struct mr_plain_component component[3];
    int64_t restart;     /* MCUs between restart markers; 0: none */
    const uint8_t *data; /* the scan's coded bytes, and all that follows them */
    size_t n;
};

struct mr_baseline;
struct mr_feed;

/* Whether the decoder is worth its while: its plain C takes 1.2 to 1.8 times as long as
 * libjpeg-turbo with SSE2, so there it is only for who asks for that level. */
bool mr__baseline_pays(const struct mr_cpu *cpu, const char *asked_for);
/* A decoder, or NULL where it does not pay; its memory grows with the widest crop so far and stays.
 * MR_E_MEMORY; MR_E_USAGE and MR_E_UNSUPPORTED for what MILLRACE_CPU says. */
int mr__baseline_new(struct mr_baseline **b, struct mr_errbuf *e);
/* The same, but where it does not pay, too: for what nobody else decodes. */
int mr__baseline_new_anyhow(struct mr_baseline **b, struct mr_errbuf *e);
void mr__baseline_free(struct mr_baseline *b);

/* Begins an image: `crop` of it, inside it, as pixels of c channels: 1 (gray from gray), 3 or 4.
 * Everything that `jpeg` points to must stay. False: not mine. */
bool mr__baseline_begin(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg,
                        const struct mr_rect *crop, int32_t c);
/* The same for an image whose coefficients come from `feed` (feed.h), which must stay; `jpeg` needs
 * no codes and no data. */
bool mr__baseline_begin_fed(struct mr_baseline *b, const struct mr_plain_jpeg *jpeg,
                            const struct mr_rect *crop, int32_t c, const struct mr_feed *feed);
/* Which MCUs an image that was begun needs: columns x to x + w, rows y to y + h. */
struct mr_rect mr__baseline_needs(const struct mr_baseline *b);
/* The next rows of the crop, from its top: at *rows, `stride` bytes apart, good until the next
 * call. How many, 1 to `most` (1 to 17 if that is 0); 0 behind the last one; -1: not mine, and what
 * was given before is void. */
int mr__baseline_rows(struct mr_baseline *b, int32_t most, const uint8_t **rows, int64_t *stride);
/* What an image that was decoded has cost; `file` is its first byte. Fed: `bytes` stays 0. */
void mr__baseline_cost(const struct mr_baseline *b, const uint8_t *file,
                       struct mr_decode_cost *cost);

#endif
