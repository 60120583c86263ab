/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_jpeg_engines: our own JPEG decoder next to libjpeg-turbo. For every JPEG below DIR that our
 * own decoder takes, in parts of libjpeg-turbo's full decode:
 *   full decode     the whole image to RGB, by either
 *   read alone      the coded data read to their end, nothing made of them
 *   crop decode     the box of a random_resized_crop (scale 0.08-1), by either
 * The least time of each over all repetitions is kept per image and summed, so that other load on
 * the machine weighs little. Pixels are compared: a difference ends the program.
 *
 * usage: bench_jpeg_engines DIR [REPETITIONS]
 */
#include "crop_decode.h"
#include "draw_box.h"
#include "full_decode.h"
#include "jpeg_files.h"
#include "loaders/codec/jpegplain.h"
#include "one_process.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FULL, OWN_FULL, OWN_READ, CROP, OWN_CROP, PARTS };
static const char *const part_name[PARTS] = {"libjpeg-turbo, full decode", "own, full decode",
                                             "own, read alone", "libjpeg-turbo, crop decode",
                                             "own, crop decode"};

static struct bench {
    struct full_decoder *full;
    struct crop_decoder *crop;
    struct mr_baseline *own;
    uint8_t *pixels, *other; /* room for a decoded image */
    size_t room;
    double (*best)[PARTS]; /* seconds, per file */
} bench;

static void make_room(size_t bytes)
{
    if (bytes <= bench.room)
        return;
    free(bench.pixels);
    free(bench.other);
    bench.pixels = malloc(bytes);
    bench.other = malloc(bytes);
    bench.room = bytes;
    if (!bench.pixels || !bench.other)
        stop("out of memory", "");
}

/* The box into bench.pixels by our own decoder: header by libjpeg, as the codec does it. `box` w =
 * 0: all. False: not ours. */
static bool decode_own(const struct jpeg_file *f, struct mr_rect *box, bool keep)
{
    struct jpeg_decompress_struct cinfo;
    struct jpeg_error_mgr errors;
    struct mr_plain_jpeg plain;
    const uint8_t *rows;
    int64_t stride;
    int n = -1;

    cinfo.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&cinfo);
    jpeg_mem_src(&cinfo, f->data, f->bytes);
    jpeg_read_header(&cinfo, TRUE);
    if (box->w == 0)
        *box = (struct mr_rect){0, 0, (int)cinfo.image_width, (int)cinfo.image_height};
    size_t row = 3 * (size_t)box->w;
    make_room(row * (size_t)box->h);
    uint8_t *to = bench.pixels;
    if (mr__jpegplain(&cinfo, &plain) && mr__baseline_begin(bench.own, &plain, box, 3)) {
        while ((n = mr__baseline_rows(bench.own, 0, &rows, &stride)) > 0) {
            for (int i = 0; i < n && keep; i++, to += row)
                memcpy(to, rows + i * stride, row);
        }
    }
    jpeg_destroy_decompress(&cinfo);
    return n == 0;
}

/* The same by libjpeg-turbo, into bench.other; the rows are wider than the box. */
static struct mr_rect decode_crop(const struct jpeg_file *f, const struct mr_rect *box)
{
    struct mr_rect at;
    int w, h;

    crop_start(bench.crop, f->data, f->bytes, &w, &h);
    crop_go(bench.crop, box, &at);
    make_room(3 * (size_t)at.w * (size_t)at.h);
    crop_rows(bench.crop, bench.other, 3 * (size_t)at.w, at.h);
    crop_stop(bench.crop);
    return at;
}

static void compare(const struct jpeg_file *f, const struct mr_rect *box, const struct mr_rect *at)
{
    for (int y = 0; y < box->h; y++) {
        const uint8_t *a = bench.pixels + (size_t)y * 3 * (size_t)box->w;
        const uint8_t *b = bench.other + 3 * ((size_t)y * (size_t)at->w + (size_t)(box->x - at->x));
        if (memcmp(a, b, 3 * (size_t)box->w) != 0)
            stop("other pixels: ", f->path);
    }
}

static void measure(const struct jpeg_file *f, int index)
{
    double part[PARTS], *best = bench.best[index], start = cpu_now();
    struct mr_rect all = {0}, below;

    if (full_decode(bench.full, f->data, f->bytes, f->path) < 0)
        stop("cannot be decoded: ", f->path);
    part[FULL] = cpu_now() - start;
    start = cpu_now();
    bool ours = decode_own(f, &all, true);
    part[OWN_FULL] = cpu_now() - start;
    if (!ours) {
        best[FULL] = -1;
        return;
    }
    below = (struct mr_rect){0, all.h - 1, 1, 1};
    start = cpu_now();
    decode_own(f, &below, true);
    part[OWN_READ] = cpu_now() - start;
    srand48(index); /* the same box in every repetition and for either */
    struct mr_rect box = draw_box(all.w, all.h);
    start = cpu_now();
    struct mr_rect at = decode_crop(f, &box);
    part[CROP] = cpu_now() - start;
    start = cpu_now();
    decode_own(f, &box, true);
    part[OWN_CROP] = cpu_now() - start;
    compare(f, &box, &at);
    for (int p = 0; p < PARTS; p++)
        best[p] = best[p] > 0 && best[p] < part[p] ? best[p] : part[p];
}

static void report(const struct jpeg_files *files)
{
    double sum[PARTS] = {0};
    size_t ours = 0;

    for (size_t i = 0; i < files->n; i++) {
        if (bench.best[i][FULL] < 0)
            continue;
        ours++;
        for (int p = 0; p < PARTS; p++)
            sum[p] += bench.best[i][p];
    }
    printf("%zu of %zu files are ours; libjpeg-turbo %d\n", ours, files->n,
           LIBJPEG_TURBO_VERSION_NUMBER);
    for (int p = 0; p < PARTS; p++)
        printf("%-28s %8.1f us/image  %.4f of the full decode\n", part_name[p],
               sum[p] / (double)ours * 1e6, sum[p] / sum[FULL]);
}

int main(int argc, char **argv)
{
    struct jpeg_files files;
    struct mr_errbuf e;

    if (argc < 2 || jpeg_files_list(&files, argv[1]) < 0 || jpeg_files_load(&files, 0, 1) < 0)
        stop("usage: bench_jpeg_engines DIR [REPETITIONS]", "");
    bench.full = full_decoder_open();
    bench.crop = crop_decoder_open();
    bench.best = calloc(files.n, sizeof *bench.best);
    if (!bench.full || !bench.crop || !bench.best)
        stop("out of memory", "");
    if (mr__baseline_new(&bench.own, &e) < 0)
        stop(e.text, "");
    if (!bench.own)
        stop("the decoder does not pay on this CPU: MILLRACE_CPU=scalar asks for it", "");
    for (int rep = 0; rep < (argc > 2 ? atoi(argv[2]) : 5); rep++)
        for (size_t i = 0; i < files.n; i++)
            measure(&files.file[i], (int)i);
    report(&files);
    mr__baseline_free(bench.own);
    crop_decoder_close(bench.crop);
    full_decoder_close(bench.full);
    free(bench.pixels);
    free(bench.other);
    free(bench.best);
    jpeg_files_free(&files);
    return 0;
}
