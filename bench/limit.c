/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_limit: the bare limit L that every loader is divided by. As many processes as there are
 * workers read their share of the JPEGs into memory, meet at a barrier, and decode them fully with
 * libjpeg-turbo, again and again, and nothing else; or, as asked for, another kind of bare decoding
 * (decoders.c). Prints one JSON object.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h> /* for its version number */

#include "crew.h"
#include "decoders.h"
#include "jpeg_files.h"

struct options {
    const char *data;
    int processes;
    double seconds; /* passes are repeated until this much time is over */
    int passes;     /* 0: by time */
    const struct decoder_kind *kind;
    int side; /* of a crop; 0: random_resized_crop's */
};

struct job {
    const struct options *options;
    struct jpeg_files *files;
};

/* What one process has done. A process only ever decodes whole passes over its share, so that the
 * mix of large and small images is the data set's own however long the run is. */
struct share {
    long images, passes, skipped;
    double pixels, bytes, seconds, cpu_seconds;
};

static void decode_pass(const struct options *options, void *decoder, struct jpeg_files *files,
                        int first, struct share *share)
{
    for (size_t i = (size_t)first; i < files->n; i += (size_t)options->processes) {
        struct jpeg_file *file = &files->file[i];
        long pixels;

        if (!file->data)
            continue;
        pixels = options->kind->decode(decoder, file);
        if (pixels < 0) { /* told once, then left out */
            free(file->data);
            file->data = NULL;
            share->skipped++;
            continue;
        }
        share->images++;
        share->pixels += (double)pixels;
        share->bytes += (double)file->bytes;
    }
}

static int work(struct crew *crew, int me, void *ctx)
{
    const struct job *job = ctx;
    const struct options *options = job->options;
    struct share warm = {0}, *share = crew_share(crew, me);
    void *decoder = options->kind->open(options->side);
    int loaded = decoder ? jpeg_files_load(job->files, (size_t)me, (size_t)options->processes) : -1;
    double start, cpu_start;

    srand48(me + 1); /* the crops' */
    if (loaded == 0)
        decode_pass(options, decoder, job->files, me, &warm); /* faults the pages in */
    crew_start(crew);
    start = crew_now();
    cpu_start = crew_cpu_now();
    for (int pass = 0; loaded == 0 && warm.images > 0; pass++) {
        decode_pass(options, decoder, job->files, me, share);
        share->passes++;
        share->seconds = crew_now() - start;
        if (options->passes ? pass + 1 >= options->passes : share->seconds >= options->seconds)
            break;
    }
    share->cpu_seconds = crew_cpu_now() - cpu_start;
    share->skipped = warm.skipped;
    options->kind->close(decoder);
    return loaded == 0 && warm.images > 0 ? 0 : 1;
}

/* The processes end their last pass at slightly different times, so each is taken by its own clock
 * and the rates are added. */
static void print(const struct jpeg_files *files, const struct options *options, struct crew *crew)
{
    double images = 0, pixels = 0, bytes = 0, seconds = 0, cpu = 0;
    long passes = 0, skipped = 0, decoded = 0;

    for (int i = 0; i < options->processes; i++) {
        const struct share *share = crew_share(crew, i);

        images += (double)share->images / share->seconds;
        pixels += share->pixels / share->seconds;
        bytes += share->bytes / share->seconds;
        seconds = share->seconds > seconds ? share->seconds : seconds;
        cpu += share->cpu_seconds;
        decoded += share->images;
        passes += share->passes;
        skipped += share->skipped;
    }
    printf("{\"images_per_s\": %.2f, \"megapixels_per_s\": %.2f, \"mb_per_s\": %.2f, "
           "\"seconds\": %.3f, \"cpu_s_per_1000\": %.4f, ",
           images, pixels / 1e6, bytes / 1e6, seconds, 1000 * cpu / (double)decoded);
    printf("\"decode\": \"%s\", \"processes\": %d, \"files\": %zu, \"skipped\": %ld, "
           "\"passes\": %.1f, \"libjpeg_turbo\": %d}\n",
           options->kind->name, options->processes, files->n, skipped,
           (double)passes / options->processes, LIBJPEG_TURBO_VERSION_NUMBER);
}

static int usage(void)
{
    fputs("usage: bench_limit --data DIR [--processes N] [--seconds S | --passes P]\n"
          "  --data DIR      a folder with JPEG files in it or below it\n"
          "  --processes N   how many decode at once, 1 to 256 (2)\n"
          "  --seconds S     whole passes are repeated until S seconds are over (2)\n"
          "  --passes P      this many passes instead\n"
          "  --decode KIND   full: the whole image with libjpeg-turbo (L, and the default);\n"
          "                  crop: a random_resized_crop of it; codec: that with Millrace's codec\n"
          "  --side N        a square crop of N pixels instead\n",
          stderr);
    return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"data", required_argument, NULL, 'd'},
                                          {"processes", required_argument, NULL, 'n'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"passes", required_argument, NULL, 'p'},
                                          {"decode", required_argument, NULL, 'k'},
                                          {"side", required_argument, NULL, 'c'},
                                          {0}};
    int letter;

    *options = (struct options){.processes = 2, .seconds = 2, .kind = decoder_find("full")};
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (letter) {
        case 'd': options->data = optarg; break;
        case 'n': options->processes = atoi(optarg); break;
        case 's': options->seconds = atof(optarg); break;
        case 'p': options->passes = atoi(optarg); break;
        case 'k': options->kind = decoder_find(optarg); break;
        case 'c': options->side = atoi(optarg); break;
        default: return -1;
        }
    }
    return options->data && options->kind && optind == argc && options->processes >= 1 &&
                   options->processes <= CREW_MOST && options->passes >= 0 && options->side >= 0
               ? 0
               : -1;
}

int main(int argc, char **argv)
{
    struct jpeg_files files = {0};
    struct options options;
    struct job job = {&options, &files};
    struct crew *crew;
    int rc = 1;

    if (parse(argc, argv, &options) < 0)
        return usage();
    crew = crew_new(options.processes, sizeof(struct share));
    if (!crew)
        return 1;
    if (jpeg_files_list(&files, options.data) == 0) {
        if (files.n < (size_t)options.processes)
            fprintf(stderr, "fewer files under '%s' than processes\n", options.data);
        else if (crew_run(crew, work, &job) == 0)
            rc = 0;
    }
    if (rc == 0)
        print(&files, &options, crew);
    jpeg_files_free(&files);
    crew_free(crew);
    return rc;
}
