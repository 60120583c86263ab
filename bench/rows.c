/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_rows: what a row costs a producer, part by part, next to merely decoding its file. For
 * every JPEG below DIR, in one process, through the very pipeline that producers run:
 *   L               the whole image by libjpeg-turbo, nothing else (full_decode.c)
 *   f32 NCHW        random_resized_crop SIDE + flip + normalise, float32 NCHW
 *   u8 NHWC         random_resized_crop SIDE + flip, uint8 NHWC
 *   f32 NCHW fast   the first with `decode: fast`
 * "outside" is what is not decoding: reading the file, drawing, and the last stage, which
 * resamples, flips, normalises and stores. The least of each part over all repetitions is kept per
 * image and summed, so that other load on the machine weighs little. Rows go into 300 MB of shared
 * memory, used in turn, so that none is in the cache when it is written.
 *
 * usage: bench_rows DIR [REPETITIONS [SIDE]]
 */
#include "base/config.h"
#include "full_decode.h"
#include "jpeg_files.h"
#include "loaders/source/read_file.h"
#include "pipe/rowpipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define RING_BYTES (300L << 20)

enum { READ, HEADER, DECODE, DRAW, STORE, ROW, PARTS };
static const char *const part_name[PARTS] = {"read",
                                             "header",
                                             "decode the crop",
                                             "draw",
                                             "resample, flip, store",
                                             "row, all of it"};

struct kind {
    const char *name, *decode, *ops, *field;
    struct mr_config *config;
    struct mr_rowpipe *pipe;
    struct mr_rowwork *work;
    struct mr_field_plan plans[MR_MAX_FIELDS];
    int nplans;
    double (*best)[PARTS]; /* seconds, per file */
    long scaled;           /* images decoded at a reduced size, in the last repetition */
};

#define NORMALIZE "  - normalize: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n"
static struct kind kinds[] = {
    {.name = "f32 NCHW", .decode = "exact", .ops = NORMALIZE, .field = "float32"},
    {.name = "u8 NHWC", .decode = "exact", .ops = "", .field = "uint8, layout: NHWC"},
    {.name = "f32 NCHW fast", .decode = "fast", .ops = NORMALIZE, .field = "float32"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static char *ring;

static void stop(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void open_kind(struct kind *k, int side, size_t files)
{
    struct mr_errbuf e = {0};
    char text[1024];

    snprintf(text, sizeof text,
             "version: 1\ndecode: %s\nsource: {type: folder, path: .}\nops:\n"
             "  - random_resized_crop: {size: %d}\n  - random_horizontal_flip\n%s"
             "fields: {image: {dtype: %s}}\n",
             k->decode, side, k->ops, k->field);
    if (mr__config_read(&k->config, "bench_rows", text, NULL, &e) < 0 ||
        mr__rowpipe_compile(&k->pipe, k->config, k->plans, &k->nplans, &e) < 0 ||
        mr__rowwork_open(&k->work, k->pipe, &e) < 0)
        stop(e.text);
    k->best = calloc(files, sizeof *k->best);
    if (!k->best)
        stop("out of memory");
}

static void *next_row(size_t bytes)
{
    static size_t at;

    at = at + 2 * bytes > (size_t)RING_BYTES ? 0 : at + (bytes + 63) / 64 * 64;
    return ring + at;
}

static void run(struct kind *k, const struct jpeg_file *f, size_t i, struct mr_buf *file)
{
    struct mr_row_output out = {.image.data = next_row(k->plans[0].row_bytes)};
    struct mr_errbuf e = {0};
    double start = now(), part[PARTS];

    if (mr__read_file(f->path, INT64_MAX, file, &e) < 0)
        stop(e.text);
    double read = now();
    struct mr_row_input in = {
        .key = {1, 0, i, 0}, .image = file->data, .image_bytes = file->n};
    if (mr__rowpipe_run(k->pipe, k->work, &in, &out, &e) < 0)
        stop(e.text);
    part[ROW] = now() - start;
    const struct mr_row_cost *c = mr__rowwork_cost(k->work);
    part[READ] = read - start;
    part[HEADER] = (double)c->header_ns * 1e-9;
    part[DECODE] = (double)c->decode_ns * 1e-9;
    part[DRAW] = (double)c->draw_ns * 1e-9;
    part[STORE] = (double)c->store_ns * 1e-9;
    k->scaled += c->scale > 1;
    for (int p = 0; p < PARTS; p++)
        k->best[i][p] = k->best[i][p] > 0 && k->best[i][p] < part[p] ? k->best[i][p] : part[p];
}

static void report(const struct kind *k, size_t n, double limit)
{
    double sum[PARTS] = {0};

    for (size_t i = 0; i < n; i++)
        for (int p = 0; p < PARTS; p++)
            sum[p] += k->best[i][p];
    printf("%s (%ld of %zu at a reduced size)\n", k->name, k->scaled, n);
    for (int p = 0; p < PARTS; p++)
        printf("  %-22s %9.1f us/image  %.4f of L\n", part_name[p], sum[p] / (double)n * 1e6,
               sum[p] / limit);
    double outside = sum[READ] + sum[DRAW] + sum[STORE];
    printf("  %-22s %9.1f us/image  %.4f of L\n", "outside", outside / (double)n * 1e6,
           outside / limit);
}

static void measure(const struct jpeg_files *files, int reps, double *limit)
{
    struct full_decoder *full = full_decoder_open();
    double *best = calloc(files->n, sizeof *best);
    struct mr_buf file = {0};

    if (!full || !best)
        stop("out of memory");
    for (int rep = 0; rep < reps; rep++) {
        for (int k = 0; k < KINDS; k++)
            kinds[k].scaled = 0;
        for (size_t i = 0; i < files->n; i++) {
            const struct jpeg_file *f = &files->file[i];
            double start = now();
            if (full_decode(full, f->data, f->bytes, f->path) < 0)
                stop("a file cannot be decoded");
            double took = now() - start;
            best[i] = rep > 0 && best[i] < took ? best[i] : took;
            for (int k = 0; k < KINDS; k++) /* who comes first finds the file out of the cache */
                run(&kinds[(k + rep) % KINDS], f, i, &file);
        }
    }
    for (size_t i = 0; i < files->n; i++)
        *limit += best[i];
    mr__buf_free(&file);
    free(best);
    full_decoder_close(full);
}

int main(int argc, char **argv)
{
    struct jpeg_files files;
    double limit = 0;

    if (argc < 2 || jpeg_files_list(&files, argv[1]) < 0 || jpeg_files_load(&files, 0, 1) < 0)
        stop("usage: bench_rows DIR [REPETITIONS [SIDE]]");
    ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        stop("out of memory");
    memset(ring, 1, RING_BYTES);
    for (int k = 0; k < KINDS; k++)
        open_kind(&kinds[k], argc > 3 ? atoi(argv[3]) : 224, files.n);
    measure(&files, argc > 2 ? atoi(argv[2]) : 5, &limit);
    printf("L  %.1f us/image, %zu images\n", limit / (double)files.n * 1e6, files.n);
    for (int k = 0; k < KINDS; k++) {
        report(&kinds[k], files.n, limit);
        mr__rowwork_close(kinds[k].work);
        mr__rowpipe_free(kinds[k].pipe);
        mr__config_free(kinds[k].config);
        free(kinds[k].best);
    }
    jpeg_files_free(&files);
    return 0;
}
