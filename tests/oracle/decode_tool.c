/* SPDX-License-Identifier: Apache-2.0
 *
 * decode_tool FILE CHANNELS BITS [X Y W H]: decodes a file (or a crop of it, in displayed
 * coordinates) as the loader would and writes "W H\n" and the raw pixels to stdout.
 *
 * decode_tool --serve [ENGINE]: many in one process, one decoder of each kind for all, as in a
 * producer. ENGINE is that of a config's `decode`: auto (the default) or libjpeg.
 * Each request on stdin is a line "bytes N C BITS X Y W H\n" with N bytes behind it, or "file N C
 * BITS X Y W H\n" with a path of N bytes; W = 0 is the whole image. The answer is a line "CODE N W
 * H\n" and N bytes: pixels when CODE is 0, else a sentence. "plain ..." is "bytes ..." answered by
 * plain_decode.h instead of Millrace; CODE is then less than 0 where there are no pixels, or some
 * of them are made up.
 */
#include "loaders/codec/find.h"
#include "loaders/source/read_file.h"
#include "plain_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mr_limits limits = {.max_pixels = 178956970,
                                  .max_side = 100000,
                                  .max_scans = 100,
                                  .max_decode_bytes = (int64_t)1 << 30,
                                  .max_file_bytes = 1 << 28};

struct request {
    int32_t c, bits;
    struct mr_rect roi; /* w = 0: all */
};

struct pixels {
    uint8_t *data;
    size_t n;
};

/* The decoder for `data`, from those that are open already. */
static const struct mr_codec *decoder_for(const uint8_t *data, size_t n, void **decoder,
                                          struct mr_errbuf *e)
{
    static void *open[16];
    const struct mr_codec *codec = mr__codec_find(data, n, e);
    size_t i = 0;
    while (codec && mr_codecs[i] != codec)
        i++;
    if (codec && !open[i] && codec->open(&open[i], &limits, e) < 0)
        return NULL;
    *decoder = open[i];
    return codec;
}

static int decode(const uint8_t *data, size_t n, struct request *r, struct pixels *out,
                  struct mr_errbuf *e)
{
    struct mr_image_info info;
    void *decoder;
    const struct mr_codec *codec = decoder_for(data, n, &decoder, e);
    if (!codec || codec->header(decoder, data, n, &info, e) < 0)
        return e->code;
    if (r->roi.w == 0)
        r->roi = (struct mr_rect){0, 0, info.w, info.h};
    struct mr_view dst = {.w = r->roi.w, .h = r->roi.h, .c = r->c, .bits = r->bits};
    dst.stride = (int64_t)r->roi.w * dst.c * (dst.bits / 8);
    out->n = (size_t)dst.stride * (size_t)r->roi.h;
    out->data = dst.data = malloc(out->n);
    if (!out->data)
        return mr__fail(e, MR_E_MEMORY, "no memory");
    return codec->decode(decoder, &r->roi, &dst, e);
}

static int one(char **argv, int argc)
{
    struct mr_errbuf e = {0};
    struct mr_buf file = {0};
    struct pixels out = {0};
    struct request r = {.c = atoi(argv[2]), .bits = atoi(argv[3])};
    if (argc == 8)
        r.roi = (struct mr_rect){atoi(argv[4]), atoi(argv[5]), atoi(argv[6]), atoi(argv[7])};
    int rc = mr__read_file(argv[1], limits.max_file_bytes, &file, &e);
    if (rc == MR_OK)
        rc = decode(file.data, file.n, &r, &out, &e);
    if (rc == MR_OK) {
        printf("%d %d\n", r.roi.w, r.roi.h);
        fwrite(out.data, 1, out.n, stdout);
    } else {
        fprintf(stderr, "%s\n", e.text);
    }
    free(out.data);
    mr__buf_free(&file);
    return rc < 0;
}

/* Exactly as many bytes as there are: a sanitizer sees every read beyond them. */
static uint8_t *read_payload(size_t n, size_t extra)
{
    uint8_t *data = malloc(n + extra ? n + extra : 1);
    if (!data || fread(data, 1, n, stdin) != n)
        exit(2);
    if (extra)
        memset(data + n, 0, extra);
    return data;
}

static void serve_one(const char *kind, size_t n, struct request *r)
{
    struct mr_errbuf e = {0};
    struct mr_buf file = {0};
    struct pixels out = {0};
    bool named = !strcmp(kind, "file");
    uint8_t *data = read_payload(n, named);
    int rc = named ? mr__read_file((char *)data, limits.max_file_bytes, &file, &e) : MR_OK;
    if (rc == MR_OK)
        rc = decode(named ? file.data : data, named ? file.n : n, r, &out, &e);
    size_t bytes = rc == MR_OK ? out.n : strlen(e.text);
    printf("%d %zu %d %d\n", rc, bytes, r->roi.w, r->roi.h);
    fwrite(rc == MR_OK ? (char *)out.data : e.text, 1, bytes, stdout);
    fflush(stdout);
    free(out.data);
    free(data);
    mr__buf_free(&file);
}

static void serve_plain(size_t n)
{
    struct plain p;
    uint8_t *data = read_payload(n, 0);
    plain_decode(data, n, 1 << 22, &p);
    bool good = p.verdict == PLAIN_GOOD || p.verdict == PLAIN_ODD;
    size_t bytes = good ? (size_t)p.w * (size_t)p.h * 3 : strlen(p.text);
    printf("%d %zu %d %d\n", good ? 0 : -(int)p.verdict, bytes, p.w, p.h);
    fwrite(good ? (char *)p.rgb : p.text, 1, bytes, stdout);
    fflush(stdout);
    free(p.rgb);
    free(data);
}

static int serve(const char *engine)
{
    char line[128], kind[8];
    size_t n;
    struct request r;
    if (strcmp(engine, "auto") && strcmp(engine, "libjpeg"))
        return 2;
    limits.engine = strcmp(engine, "auto") ? MR_DECODE_LIBJPEG : MR_DECODE_AUTO;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%7s %zu %d %d %d %d %d %d", kind, &n, &r.c, &r.bits, &r.roi.x, &r.roi.y,
                   &r.roi.w, &r.roi.h) != 8)
            return 2;
        if (!strcmp(kind, "plain"))
            serve_plain(n);
        else
            serve_one(kind, n, &r);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if ((argc == 2 || argc == 3) && !strcmp(argv[1], "--serve"))
        return serve(argc == 3 ? argv[2] : "auto");
    if (argc == 4 || argc == 8)
        return one(argv, argc);
    fprintf(stderr, "usage: decode_tool FILE CHANNELS BITS [X Y W H], or decode_tool --serve "
                    "[auto|libjpeg]\n");
    return 2;
}
