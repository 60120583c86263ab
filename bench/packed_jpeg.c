/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_packed: packed JPEGs next to the files they were made of. For every JPEG below DIR that can
 * be packed, in parts of libjpeg-turbo's full decode:
 *   packing         the file to a body
 *   crop            the box of a random_resized_crop (scale 0.08-1), or a square of SIDE pixels, of
 *                   the file and of the body, by either engine
 *   whole           all of the body, by either engine
 * and the bodies' size in parts of the files'. The least time of each over all repetitions is kept
 * per image and summed, so that other load on the machine weighs little. Pixels are compared.
 *
 * usage: bench_packed DIR [REPETITIONS [jpeg|coef [SEGMENT [SIDE]]]]
 */
#include "draw_box.h"
#include "full_decode.h"
#include "jpeg_files.h"
#include "loaders/codec/packed/packed.h"
#include "one_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct mr_codec mr__codec_jpeg, mr__codec_packed;

enum { FILE_TURBO, FILE_OWN, BODY_TURBO, BODY_OWN, DECODERS };
enum { FULL, MAKE, CROPS, WHOLES = CROPS + DECODERS, PARTS = WHOLES + DECODERS };
static const char *const part_name[PARTS] = {
    "libjpeg-turbo, full decode",   "packing",
    "crop, file, libjpeg-turbo",    "crop, file, own",
    "crop, packed, libjpeg-turbo",  "crop, packed, own",
    "whole, file, libjpeg-turbo",   "whole, file, own",
    "whole, packed, libjpeg-turbo", "whole, packed, own",
};

static struct bench {
    struct full_decoder *full;
    const struct mr_codec *codec[DECODERS];
    void *decoder[DECODERS];
    enum mr_packed_coding coding;
    int segment, side;
    struct mr_buf body;
    uint8_t *pixels, *wanted;
    size_t room;
    double (*best)[PARTS]; /* seconds, per file */
    uint64_t files, bodies;
    size_t packed;
} bench;

static void make_room(size_t bytes)
{
    if (bytes <= bench.room)
        return;
    free(bench.pixels);
    free(bench.wanted);
    bench.pixels = malloc(bytes);
    bench.wanted = malloc(bytes);
    bench.room = bytes;
    if (!bench.pixels || !bench.wanted)
        stop("out of memory", "");
}

static double decode(int which, const uint8_t *data, size_t n, const struct mr_rect *box)
{
    struct mr_errbuf e = {0};
    struct mr_image_info info;
    struct mr_view view = {bench.pixels, box->w, box->h, 3, 8, 3 * (int64_t)box->w};
    double start = cpu_now();

    if (bench.codec[which]->header(bench.decoder[which], data, n, &info, &e) < 0 ||
        bench.codec[which]->decode(bench.decoder[which], box, &view, &e) < 0)
        stop(e.text, "");
    return cpu_now() - start;
}

/* The same box by all of them. */
static void measure_box(const struct jpeg_file *f, const struct mr_rect *box, double part[DECODERS])
{
    size_t bytes = 3 * (size_t)box->w * (size_t)box->h;

    make_room(bytes);
    for (int i = 0; i < DECODERS; i++) {
        bool packed = i >= BODY_TURBO;
        part[i] = decode(i, packed ? bench.body.data : f->data, packed ? bench.body.n : f->bytes,
                         box);
        if (i == 0)
            memcpy(bench.wanted, bench.pixels, bytes);
        else if (memcmp(bench.wanted, bench.pixels, bytes) != 0)
            stop("other pixels: ", f->path);
    }
}

static void measure(const struct jpeg_file *f, int index, bool first)
{
    static const struct mr_limits none;
    struct mr_errbuf e = {0};
    struct mr_packed_facts facts;
    double part[PARTS], *best = bench.best[index], start = cpu_now();

    if (full_decode(bench.full, f->data, f->bytes, f->path) < 0)
        stop("cannot be decoded: ", f->path);
    part[FULL] = cpu_now() - start;
    start = cpu_now();
    int rc = mr__packed_make(f->data, f->bytes, bench.coding, bench.segment, &none, &bench.body,
                             &e);
    part[MAKE] = cpu_now() - start;
    if (rc != MR_OK || mr__packed_facts(bench.body.data, bench.body.n, &facts, &e) < 0) {
        if (first)
            fprintf(stderr, "%s: %s\n", f->path, e.text);
        return;
    }
    srand48(index); /* the same box in every repetition */
    struct mr_rect box = bench.side ? draw_square(facts.w, facts.h, bench.side)
                                    : draw_box(facts.w, facts.h);
    measure_box(f, &box, &part[CROPS]);
    measure_box(f, &(struct mr_rect){0, 0, facts.w, facts.h}, &part[WHOLES]);
    bench.files += first ? f->bytes : 0;
    bench.bodies += first ? bench.body.n : 0;
    bench.packed += first;
    for (int p = 0; p < PARTS; p++)
        best[p] = !first && best[p] < part[p] ? best[p] : part[p];
}

static void report(const struct jpeg_files *files)
{
    double sum[PARTS] = {0};

    for (size_t i = 0; i < files->n; i++)
        for (int p = 0; p < PARTS; p++)
            sum[p] += bench.best[i][p];
    printf("%zu of %zu files can be packed; %.4f of their size\n", bench.packed, files->n,
           (double)bench.bodies / (double)bench.files);
    for (int p = 0; p < PARTS; p++)
        printf("%-28s %8.1f us/image  %.4f of the full decode\n", part_name[p],
               sum[p] / (double)bench.packed * 1e6, sum[p] / sum[FULL]);
}

static void open_decoders(void)
{
    struct mr_limits limits = {0};
    struct mr_errbuf e = {0};

    for (int i = 0; i < DECODERS; i++) {
        bool turbo = i == FILE_TURBO || i == BODY_TURBO;
        limits.engine = turbo ? MR_DECODE_LIBJPEG : MR_DECODE_AUTO;
        bench.codec[i] = i >= BODY_TURBO ? &mr__codec_packed : &mr__codec_jpeg;
        if (bench.codec[i]->open(&bench.decoder[i], &limits, &e) < 0)
            stop(e.text, "");
    }
}

int main(int argc, char **argv)
{
    struct jpeg_files files;
    int reps = argc > 2 ? atoi(argv[2]) : 5;

    if (argc < 2 || jpeg_files_list(&files, argv[1]) < 0 || jpeg_files_load(&files, 0, 1) < 0)
        stop("usage: bench_packed DIR [REPETITIONS [jpeg|coef [SEGMENT [SIDE]]]]", "");
    bench.coding = argc > 3 && !strcmp(argv[3], "coef") ? MR_PACKED_STREAMS : MR_PACKED_HUFFMAN;
    bench.segment = argc > 4 ? atoi(argv[4]) : 64;
    bench.side = argc > 5 ? atoi(argv[5]) : 0;
    bench.full = full_decoder_open();
    bench.best = calloc(files.n, sizeof *bench.best);
    if (!bench.full || !bench.best)
        stop("out of memory", "");
    open_decoders();
    for (int rep = 0; rep < reps; rep++)
        for (size_t i = 0; i < files.n; i++)
            measure(&files.file[i], (int)i, rep == 0);
    report(&files);
    for (int i = 0; i < DECODERS; i++)
        bench.codec[i]->close(bench.decoder[i]);
    full_decoder_close(bench.full);
    mr__buf_free(&bench.body);
    free(bench.pixels);
    free(bench.wanted);
    free(bench.best);
    jpeg_files_free(&files);
    return 0;
}
