/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_tool FILE CHANNELS BITS [X Y W H]: decodes a file (or a crop of it, in displayed
 * coordinates) as the loader would and writes "W H\n" and the raw pixels to stdout.
 */
#include "loaders/codec/find.h"

#include <stdio.h>
#include <stdlib.h>

static int fail(const struct mr_errbuf *e)
{
    fprintf(stderr, "%s\n", e->text);
    return 1;
}

static uint8_t *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(1 << 28);
    if (!f || !data) {
        fprintf(stderr, "cannot read '%s'\n", path);
        exit(2);
    }
    *n = fread(data, 1, 1 << 28, f);
    fclose(f);
    return data;
}

static int decode(const struct mr_codec *codec, void *decoder, const uint8_t *data, size_t n,
                  char **argv, int argc)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    if (codec->header(decoder, data, n, &info, &e) < 0)
        return fail(&e);
    struct mr_rect roi = {0, 0, info.w, info.h};
    if (argc == 8)
        roi = (struct mr_rect){atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), atoi(argv[7])};
    struct mr_view dst = {.w = roi.w, .h = roi.h, .c = atoi(argv[2]), .bits = atoi(argv[3])};
    dst.stride = (int64_t)roi.w * dst.c * (dst.bits / 8);
    size_t bytes = (size_t)dst.stride * (size_t)roi.h;
    dst.data = malloc(bytes);
    int rc = dst.data ? codec->decode(decoder, &roi, &dst, &e) : MR_E_MEMORY;
    if (rc == MR_OK) {
        printf("%d %d\n", roi.w, roi.h);
        fwrite(dst.data, 1, bytes, stdout);
    }
    free(dst.data);
    return rc < 0 ? fail(&e) : 0;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 8) {
        fprintf(stderr, "usage: decode_tool FILE CHANNELS BITS [X Y W H]\n");
        return 2;
    }
    static const struct mr_limits limits = {.max_pixels = 178956970,
                                            .max_side = 100000,
                                            .max_scans = 100,
                                            .max_decode_bytes = (int64_t)1 << 30};
    struct mr_errbuf e = {0};
    size_t n;
    uint8_t *data = read_all(argv[1], &n);
    void *decoder = NULL;
    const struct mr_codec *codec = mr__codec_find(data, n, &e);
    if (!codec || codec->open(&decoder, &limits, &e) < 0)
        return fail(&e);
    int rc = decode(codec, decoder, data, n, argv, argc);
    codec->close(decoder);
    free(data);
    return rc;
}
