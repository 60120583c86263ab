/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_copy_rows: what tensors are held against that need nothing but to be moved. As many
 * processes as there are workers map the same file, take its rows in random order, and memcpy each
 * to the next place of a memory that all of them share and that is as large as some slots, and do
 * nothing else. Prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crew.h"

struct options {
    const char *data;
    int processes;
    double seconds;
    size_t row, to; /* bytes */
};

struct job {
    const struct options *options;
    int fd;
    size_t rows; /* in the file; what is left over, a header, is not copied */
    size_t places;
    char *to;
};

struct share {
    long rows;
    double seconds, cpu_seconds;
};

/* Any row, whatever the modulus leaves uneven. */
static size_t draw_row(uint64_t *state, size_t rows)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (size_t)(*state % rows);
}

static void copy(const struct job *job, int me, const char *from, struct share *share)
{
    const struct options *o = job->options;
    size_t step = (size_t)o->processes, place = (size_t)me;
    uint64_t state = 0x9E3779B97F4A7C15u * (uint64_t)(me + 1);
    double start = crew_now(), cpu_start = crew_cpu_now();

    do {
        memcpy(job->to + place * o->row, from + draw_row(&state, job->rows) * o->row, o->row);
        place = place + step < job->places ? place + step : (size_t)me;
        share->rows++;
        share->seconds = crew_now() - start;
    } while (share->seconds < o->seconds);
    share->cpu_seconds = crew_cpu_now() - cpu_start;
}

/* The pages are mapped before the clock starts, those of the other processes' places, too. */
static int work(struct crew *crew, int me, void *ctx)
{
    const struct job *job = ctx;
    size_t bytes = job->rows * job->options->row;
    char *from = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, job->fd, 0);

    if (from == MAP_FAILED)
        perror("cannot map the file");
    else
        memset(job->to, me, job->places * job->options->row);
    crew_start(crew);
    if (from == MAP_FAILED)
        return 1;
    copy(job, me, from, crew_share(crew, me));
    return 0;
}

static void print(const struct job *job, struct crew *crew)
{
    double rate = 0, cpu = 0, seconds = 0;
    long rows = 0;

    for (int i = 0; i < crew_size(crew); i++) {
        const struct share *share = crew_share(crew, i);

        rate += (double)share->rows / share->seconds;
        rows += share->rows;
        cpu += share->cpu_seconds;
        seconds = share->seconds > seconds ? share->seconds : seconds;
    }
    printf("{\"images_per_s\": %.2f, \"mb_per_s\": %.2f, \"seconds\": %.3f, "
           "\"cpu_s_per_1000\": %.4f, \"processes\": %d, \"files\": 1, \"rows\": %zu}\n",
           rate, rate * (double)job->options->row / 1e6, seconds, 1000 * cpu / (double)rows,
           crew_size(crew), job->rows);
}

static int usage(void)
{
    fputs("usage: bench_copy_rows --data FILE [--processes N] [--seconds S] [--row BYTES] "
          "[--to BYTES]\n"
          "  --data FILE     of rows; best far larger than the caches\n"
          "  --processes N   how many copy at once, 1 to 256 (2)\n"
          "  --seconds S     for so long (2)\n"
          "  --row BYTES     a row's (1048576)\n"
          "  --to BYTES      of the memory that they are copied to, in turns (268435456)\n",
          stderr);
    return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"data", required_argument, NULL, 'd'},    {"processes", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 's'}, {"row", required_argument, NULL, 'r'},
        {"to", required_argument, NULL, 't'},      {0}};
    int letter;

    *options = (struct options){.processes = 2, .seconds = 2, .row = 1 << 20, .to = 1 << 28};
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (letter) {
        case 'd': options->data = optarg; break;
        case 'n': options->processes = atoi(optarg); break;
        case 's': options->seconds = atof(optarg); break;
        case 'r': options->row = strtoul(optarg, NULL, 10); break;
        case 't': options->to = strtoul(optarg, NULL, 10); break;
        default: return -1;
        }
    }
    return options->data && optind == argc && options->processes >= 1 &&
                   options->processes <= CREW_MOST && options->row > 0 &&
                   options->to / options->row >= (size_t)options->processes
               ? 0
               : -1;
}

static int open_rows(struct job *job)
{
    const struct options *o = job->options;
    struct stat st;

    job->fd = open(o->data, O_RDONLY | O_CLOEXEC);
    if (job->fd < 0 || fstat(job->fd, &st) < 0) {
        fprintf(stderr, "cannot open '%s': %s\n", o->data, strerror(errno));
        return -1;
    }
    job->rows = (size_t)st.st_size / o->row;
    if (!job->rows) {
        fprintf(stderr, "'%s' has no row of %zu bytes: it has %lld bytes\n", o->data, o->row,
                (long long)st.st_size);
        return -1;
    }
    job->places = o->to / o->row;
    job->to =
        mmap(NULL, job->places * o->row, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job->to == MAP_FAILED) {
        perror("cannot map memory to copy to");
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct job job = {.options = &options, .fd = -1};
    struct crew *crew;
    int rc = 1;

    if (parse(argc, argv, &options) < 0)
        return usage();
    crew = crew_new(options.processes, sizeof(struct share));
    if (crew && open_rows(&job) == 0 && crew_run(crew, work, &job) == 0) {
        print(&job, crew);
        rc = 0;
    }
    if (job.fd >= 0)
        close(job.fd);
    crew_free(crew);
    return rc;
}
