/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegdecoder.h: what the files of the JPEG codec share.
 *
 *     jpeg.c          the codec: checks the call, names the target, asks one engine after the other
 *     jpegheader.c    the header, by libjpeg-turbo, whoever decodes then
 *     jpegbaseline.c  the engine for plain files: our own decoder
 *     jpegturbo.c     the engine that takes everything: libjpeg-turbo
 *
 * An engine of its own kind is one line in jpeg.c's table, before the last.
 */
#ifndef MR_CODEC_JPEGDECODER_H
#define MR_CODEC_JPEGDECODER_H

#include "base/descriptor.h"
#include "loaders/codec/jpegerr.h"
#include "loaders/codec/rowsink.h"

struct mr_jpeg {
    struct jpeg_decompress_struct cinfo; /* behind jpeg_read_header */
    struct mr_jpegerr err;
    struct mr_limits limits;
    struct mr_image_info info;
    struct mr_shrunk shown; /* the image at the size asked for */
    const uint8_t *data;    /* the file */
    size_t n;
    int32_t right;       /* the image ends at so many pixels of a stored row, and what the file has
                            beside them counts for nothing; 0: it is as wide as the file */
    int32_t orientation; /* met so far in this file, 0: none */
    bool created, ready; /* ready: header was called, decode may be */
    uint8_t *rows;       /* libjpeg-turbo's: some rows of the widest image so far */
    size_t rows_bytes;
    struct mr_rowsink sink; /* its target is named before an engine is asked */
    struct mr_decode_cost cost;
    struct mr_baseline *baseline; /* our own decoder, NULL: it may not be used */
};

enum { MR_JPEG_PASS = 1 }; /* an engine's answer, in place of MR_OK: not for me */

struct mr_jpeg_engine {
    enum mr_engine id;
    /* Decodes the rectangle `roi` of the stored image (before its orientation, at d->shown.scale)
     * into d->sink, by mr__rowsink_begin and _put, and fills the numbers of d->cost.
     * MR_JPEG_PASS: the file, the scale or the format wanted is nothing for this engine, or became
     * so on the way: what the sink has got is forgotten, and the next engine is asked. Or an
     * error, with a sentence in *d->err.e. */
    int (*decode)(struct mr_jpeg *d, const struct mr_rect *roi);
};

extern const struct mr_jpeg_engine mr__jpegbaseline, mr__jpegturbo;

/* Reads the header of data[n]: d->info, and d->cinfo as jpeg_read_header leaves it. MR_E_DATA,
 * MR_E_LIMIT. */
int mr__jpegheader_read(struct mr_jpeg *d, const uint8_t *data, size_t n, struct mr_errbuf *e);
/* Lets go of the image; a header has to be read before the next decode. */
void mr__jpegheader_reset(struct mr_jpeg *d);

#endif
