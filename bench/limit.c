/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_limit: the bare limit L that every loader is divided by. As many processes as there are
 * workers read their share of the JPEGs into memory, meet at a barrier, and decode them fully with
 * libjpeg-turbo, again and again, and nothing else; or, as asked for, another kind of bare decoding
 * (decoders.c). Prints one JSON object.
 */
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jpeglib.h> /* for its version number */

#include "decoders.h"
#include "jpeg_files.h"

enum { MOST_PROCESSES = 256 };

struct options {
    const char *data;
    int processes;
    double seconds; /* passes are repeated until this much time is over */
    int passes;     /* 0: by time */
    const struct decoder_kind *kind;
    int side; /* of a crop; 0: random_resized_crop's */
};

/* What one process has done. A process only ever decodes whole passes over its share, so that the
 * mix of large and small images is the data set's own however long the run is. */
struct share {
    long images, passes, skipped;
    double pixels, bytes, seconds, cpu_seconds;
};

struct shared {
    pthread_barrier_t start;
    struct share share[MOST_PROCESSES];
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

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

static int work(struct jpeg_files *files, const struct options *options, int me,
                struct shared *shared)
{
    struct share warm = {0}, *share = &shared->share[me];
    void *decoder = options->kind->open(options->side);
    int loaded = decoder ? jpeg_files_load(files, (size_t)me, (size_t)options->processes) : -1;
    double start, cpu_start;

    srand48(me + 1); /* the crops' */
    if (loaded == 0)
        decode_pass(options, decoder, files, me, &warm); /* faults the pages in */
    pthread_barrier_wait(&shared->start);
    start = now();
    cpu_start = cpu_now();
    for (int pass = 0; loaded == 0 && warm.images > 0; pass++) {
        decode_pass(options, decoder, files, me, share);
        share->passes++;
        share->seconds = now() - start;
        if (options->passes ? pass + 1 >= options->passes : share->seconds >= options->seconds)
            break;
    }
    share->cpu_seconds = cpu_now() - cpu_start;
    share->skipped = warm.skipped;
    options->kind->close(decoder);
    return loaded == 0 && warm.images > 0 ? 0 : 1;
}

static struct shared *make_shared(int processes)
{
    pthread_barrierattr_t attribute;
    struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return NULL;
    pthread_barrierattr_init(&attribute);
    pthread_barrierattr_setpshared(&attribute, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->start, &attribute, (unsigned)processes);
    pthread_barrierattr_destroy(&attribute);
    return shared;
}

/* Starts the processes and waits for them; 0 when all of them did their work. */
static int run(struct jpeg_files *files, const struct options *options, struct shared *shared)
{
    pid_t pid[MOST_PROCESSES];
    int started = 0, failed = 0, status;

    for (; started < options->processes; started++) {
        pid[started] = fork();
        if (pid[started] == 0)
            _exit(work(files, options, started, shared));
        if (pid[started] < 0)
            break;
    }
    if (started < options->processes) {
        perror("cannot start a process");
        for (int i = 0; i < started; i++) /* they would wait at the barrier for ever */
            kill(pid[i], SIGKILL);
    }
    for (int i = 0; i < started; i++)
        failed |= waitpid(pid[i], &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    return failed || started < options->processes ? -1 : 0;
}

/* The processes end their last pass at slightly different times, so each is taken by its own clock
 * and the rates are added. */
static void print(const struct jpeg_files *files, const struct options *options,
                  const struct shared *shared)
{
    double images = 0, pixels = 0, bytes = 0, seconds = 0, cpu = 0;
    long passes = 0, skipped = 0, decoded = 0;

    for (int i = 0; i < options->processes; i++) {
        const struct share *share = &shared->share[i];

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
          "  --side N        a square crop of N pixels instead\n", stderr);
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
                   options->processes <= MOST_PROCESSES && options->passes >= 0 &&
                   options->side >= 0
               ? 0
               : -1;
}

int main(int argc, char **argv)
{
    struct jpeg_files files = {0};
    struct options options;
    struct shared *shared;
    int rc = 1;

    if (parse(argc, argv, &options) < 0)
        return usage();
    shared = make_shared(options.processes);
    if (!shared) {
        perror("cannot map shared memory");
        return 1;
    }
    if (jpeg_files_list(&files, options.data) == 0) {
        if (files.n < (size_t)options.processes)
            fprintf(stderr, "fewer files under '%s' than processes\n", options.data);
        else if (run(&files, &options, shared) == 0)
            rc = 0;
    }
    if (rc == 0)
        print(&files, &options, shared);
    jpeg_files_free(&files);
    return rc;
}
