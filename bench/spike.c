/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_spike: what one producer's work costs next to merely decoding. For every JPEG below DIR:
 *   full decode     libjpeg-turbo, the whole image to RGB, nothing else (full_decode.c)
 *   job             random_resized_crop 224: decode the crop, then resample, flip, normalise and
 *                   store as float32 NCHW; its two parts are listed before it
 *   job, uint8      the same to uint8 NHWC, not normalised
 *   row by row      the same, the rows going on as they are decoded
 *   by the codec    the same through Millrace's JPEG codec into an image, then the store
 *   codec, rows     the same, the codec's rows going on as they are decoded, as producers do it
 * The least processor time of each over all repetitions is kept per image and summed, so that other
 * load on the machine weighs little. Destination: 300 MB of shared memory, used in turn, so that no
 * row is in the cache when it is written.
 *
 * usage: bench_spike DIR [REPETITIONS]
 */
#include "augment/kernel/resample.h"
#include "base/descriptor.h"
#include "crop_decode.h"
#include "draw_box.h"
#include "full_decode.h"
#include "jpeg_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define SIDE 224
#define RING_BYTES (300L << 20)
#define ROW_BYTES (3L * SIDE * SIDE * 4)
#define BAND 32 /* rows at a time */

enum { FULL, DECODE, KERNEL, JOB, KERNEL8, JOB8, STREAM, CODEC, ROWS, PARTS };
static const char *const part_name[PARTS] = {
    "full decode (L)", "  crop decode", "  resample, store", "job",
    "  to uint8 NHWC", "job, uint8", "job, row by row", "job by the codec", "job, codec's rows"};

static struct bench {
    struct crop_decoder *crop;
    struct full_decoder *full;
    void *codec;
    struct mr_resampler *resampler;
    uint8_t *pixels; /* room for a decoded crop */
    size_t pixels_cap;
    char *ring;
    double (*best)[PARTS]; /* seconds, per file */
} bench;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct mr_geometry geometry_of(int w, int h, struct mr_rect box)
{
    return (struct mr_geometry){.in_w = w,
                                .in_h = h,
                                .box = box,
                                .resized = true,
                                .rw = SIDE,
                                .rh = SIDE,
                                .filter = MR_BILINEAR,
                                .antialias = true,
                                .win = {0, 0, SIDE, SIDE},
                                .hflip = drand48() < 0.5,
                                .out_w = SIDE,
                                .out_h = SIDE};
}

static const struct mr_store store = {
    .dtype = MR_F32,
    .affine = true,
    .chw = true,
    .scale = {1 / (255 * 0.229f), 1 / (255 * 0.224f), 1 / (255 * 0.225f)},
    .bias = {-0.485f / 0.229f, -0.456f / 0.224f, -0.406f / 0.225f},
};

static const struct mr_store bytes = {.dtype = MR_U8};

static void stop(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static uint8_t *room(size_t n)
{
    if (n > bench.pixels_cap) {
        free(bench.pixels);
        bench.pixels_cap = n;
        bench.pixels = malloc(n);
        if (!bench.pixels)
            stop("out of memory");
    }
    return bench.pixels;
}

static struct mr_geometry open_job(const struct jpeg_file *f, struct mr_rect *at)
{
    int w, h;

    crop_start(bench.crop, f->data, f->bytes, &w, &h);
    struct mr_geometry g = geometry_of(w, h, draw_box(w, h));
    struct mr_rect need = mr__resample_needs(&g);
    crop_go(bench.crop, &need, at);
    return g;
}

static void keep_store(const uint8_t *pixels, const struct mr_rect *at, const struct mr_geometry *g,
                       const struct mr_store *as, void *dst)
{
    struct mr_view view = {(void *)(uintptr_t)pixels, at->w, at->h, 3, 8, 3 * (int64_t)at->w};
    struct mr_errbuf e;

    if (mr__resample_store(bench.resampler, &view, at, g, as, dst, &e) < 0)
        stop(e.text);
}

static void *next_row(void)
{
    static long at;
    char *row = bench.ring + at;

    at = at + 2 * ROW_BYTES > RING_BYTES ? 0 : at + ROW_BYTES;
    return row;
}

static void job(const struct jpeg_file *f, void *dst, double part[PARTS])
{
    double start = now();
    struct mr_rect at;
    struct mr_geometry g = open_job(f, &at);
    size_t stride = 3 * (size_t)at.w;
    uint8_t *pixels = room(stride * (size_t)at.h);

    crop_rows(bench.crop, pixels, stride, at.h);
    crop_stop(bench.crop);
    double decoded = now();
    keep_store(pixels, &at, &g, &store, dst);
    double end = now();
    keep_store(pixels, &at, &g, &bytes, next_row());
    part[KERNEL8] = now() - end;
    part[JOB8] = decoded - start + part[KERNEL8];
    part[DECODE] = decoded - start;
    part[KERNEL] = end - decoded;
    part[JOB] = end - start;
}

static void stream(const struct jpeg_file *f, void *dst, double part[PARTS])
{
    double start = now();
    struct mr_rect at;
    struct mr_errbuf e;
    struct mr_geometry g = open_job(f, &at);
    size_t stride = 3 * (size_t)at.w;
    uint8_t *pixels = room(stride * BAND);

    if (mr__resample_begin(bench.resampler, 3, 8, &at, &g, &store, dst, &e) < 0)
        stop(e.text);
    for (int y = 0; y < at.h; y += BAND) {
        int n = at.h - y < BAND ? at.h - y : BAND;
        crop_rows(bench.crop, pixels, stride, n);
        mr__resample_rows(bench.resampler, pixels, (int64_t)stride, n);
    }
    crop_stop(bench.crop);
    if (mr__resample_end(bench.resampler, &e) < 0)
        stop(e.text);
    part[STREAM] = now() - start;
}

extern const struct mr_codec mr__codec_jpeg;

static void by_codec(const struct jpeg_file *f, void *dst, double part[PARTS])
{
    double start = now();
    struct mr_image_info info;
    struct mr_errbuf e;

    if (mr__codec_jpeg.header(bench.codec, f->data, f->bytes, &info, &e) < 0)
        stop(e.text);
    struct mr_geometry g = geometry_of(info.w, info.h, draw_box(info.w, info.h));
    struct mr_rect need = mr__resample_needs(&g);
    uint8_t *pixels = room(3 * (size_t)need.w * (size_t)need.h);
    struct mr_view view = {pixels, need.w, need.h, 3, 8, 3 * (int64_t)need.w};
    if (mr__codec_jpeg.decode(bench.codec, &need, &view, &e) < 0)
        stop(e.text);
    keep_store(pixels, &need, &g, &store, dst);
    part[CODEC] = now() - start;
}

struct going_on {
    struct mr_rect at;
    const struct mr_geometry *g;
    void *dst;
};

static int begin_rows(void *ctx, struct mr_errbuf *e)
{
    struct going_on *on = ctx;

    return mr__resample_begin(bench.resampler, 3, 8, &on->at, on->g, &store, on->dst, e);
}

static void take_rows(void *ctx, const void *data, int64_t stride, int32_t n)
{
    (void)ctx;
    mr__resample_rows(bench.resampler, data, stride, n);
}

static void codec_rows(const struct jpeg_file *f, void *dst, double part[PARTS])
{
    double start = now();
    struct mr_image_info info;
    struct mr_errbuf e;

    if (mr__codec_jpeg.header(bench.codec, f->data, f->bytes, &info, &e) < 0)
        stop(e.text);
    if (info.orientation != 1) { /* it goes through an image */
        part[ROWS] = part[CODEC];
        return;
    }
    struct mr_geometry g = geometry_of(info.w, info.h, draw_box(info.w, info.h));
    struct going_on on = {mr__resample_needs(&g), &g, dst};
    struct mr_row_taker to = {
        .begin = begin_rows, .rows = take_rows, .ctx = &on, .most = mr__resample_most(&g)};
    if (mr__codec_jpeg.rows(bench.codec, &on.at, 3, 8, &to, &e) < 0 ||
        mr__resample_end(bench.resampler, &e) < 0)
        stop(e.text);
    part[ROWS] = now() - start;
}

static void measure(const struct jpeg_file *f, int index)
{
    double part[PARTS] = {0}, start = now();

    if (full_decode(bench.full, f->data, f->bytes, f->path) < 0)
        stop("a file cannot be decoded");
    part[FULL] = now() - start;
    srand48(index); /* the same crop in every repetition and for every job */
    job(f, next_row(), part);
    srand48(index);
    stream(f, next_row(), part);
    srand48(index);
    by_codec(f, next_row(), part);
    srand48(index);
    codec_rows(f, next_row(), part);
    double *best = bench.best[index];
    for (int p = 0; p < PARTS; p++)
        best[p] = best[p] > 0 && best[p] < part[p] ? best[p] : part[p];
}

static void report(size_t n)
{
    double sum[PARTS] = {0};

    for (size_t i = 0; i < n; i++)
        for (int p = 0; p < PARTS; p++)
            sum[p] += bench.best[i][p];
    for (int p = 0; p < PARTS; p++)
        printf("%-18s %8.1f us/image  %.4f of L\n", part_name[p], sum[p] / (double)n * 1e6,
               sum[p] / sum[FULL]);
}

static void set_up(size_t n)
{
    static const struct mr_limits none = {INT64_MAX, INT32_MAX, 1000, 0, INT64_MAX, MR_DECODE_AUTO};
    struct mr_errbuf e;

    bench.ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench.full = full_decoder_open();
    bench.crop = crop_decoder_open();
    bench.best = calloc(n, sizeof *bench.best);
    if (bench.ring == MAP_FAILED || !bench.full || !bench.crop || !bench.best)
        stop("out of memory");
    if (mr__resampler_new(&bench.resampler, &e) < 0 ||
        mr__codec_jpeg.open(&bench.codec, &none, &e) < 0)
        stop(e.text);
    memset(bench.ring, 1, RING_BYTES);
}

int main(int argc, char **argv)
{
    struct jpeg_files files;

    if (argc < 2 || jpeg_files_list(&files, argv[1]) < 0 || jpeg_files_load(&files, 0, 1) < 0)
        stop("usage: bench_spike DIR [REPETITIONS]");
    set_up(files.n);
    for (int rep = 0; rep < (argc > 2 ? atoi(argv[2]) : 5); rep++)
        for (size_t i = 0; i < files.n; i++)
            measure(&files.file[i], (int)i);
    report(files.n);
    crop_decoder_close(bench.crop);
    mr__codec_jpeg.close(bench.codec);
    mr__resampler_free(bench.resampler);
    full_decoder_close(bench.full);
    jpeg_files_free(&files);
    return 0;
}
