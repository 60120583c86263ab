/* SPDX-License-Identifier: Apache-2.0
 *
 * image_write.h: pixels become a JPEG or PNG, in memory.
 */
#ifndef MR_CLI_IMAGE_WRITE_H
#define MR_CLI_IMAGE_WRITE_H

#include <stddef.h>
#include <stdint.h>

struct pixels {
    const uint8_t *data; /* h rows of w * c bytes */
    int w, h;
    int c; /* 1 gray, 3 RGB */
};

/* Encoded bytes; zero it to begin, free(data) to end. */
struct encoded {
    uint8_t *data;
    size_t n;
};

/* JPEG of quality 1 to 100 with 4:2:0 chroma; 0, or -1 when memory is out or the image is too
 * large. */
int encode_jpeg(const struct pixels *image, int quality, struct encoded *out);
/* PNG, 8 bits; 0 or -1 as above. */
int encode_png(const struct pixels *image, struct encoded *out);

#endif
