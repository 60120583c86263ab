/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_kernels: microseconds per image of every version of the kernels that this CPU has, for the
 * jobs that matter. The source is in the cache, as after decoding; the destination is 300 MB of
 * memory used in turn, as a batch's slots are. Least of all repetitions.
 *
 * usage: bench_kernels [REPETITIONS]
 */
#include "augment/kernel/passes.h"
#include "augment/kernel/resample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define RING_BYTES (300L << 20)

static const struct job {
    const char *name;
    int w, h, c, to;
    enum mr_filter filter;
    enum mr_dtype dtype;
    bool chw, affine, hflip;
} jobs[] = {
    {"350x300 -> 224, float32 CHW", 350, 300, 3, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"  the same, flipped", 350, 300, 3, 224, MR_BILINEAR, MR_F32, true, true, true},
    {"  float32 HWC", 350, 300, 3, 224, MR_BILINEAR, MR_F32, false, true, false},
    {"  float16 CHW", 350, 300, 3, 224, MR_BILINEAR, MR_F16, true, true, false},
    {"  bfloat16 CHW", 350, 300, 3, 224, MR_BILINEAR, MR_BF16, true, true, false},
    {"  uint8 CHW", 350, 300, 3, 224, MR_BILINEAR, MR_U8, true, false, false},
    {"  uint8 HWC", 350, 300, 3, 224, MR_BILINEAR, MR_U8, false, false, false},
    {"  int64 CHW", 350, 300, 3, 224, MR_BILINEAR, MR_I64, true, false, false},
    {"  bicubic", 350, 300, 3, 224, MR_BICUBIC, MR_F32, true, true, false},
    {"  lanczos", 350, 300, 3, 224, MR_LANCZOS, MR_F32, true, true, false},
    {"  four channels", 350, 300, 4, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"  one channel", 350, 300, 1, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"  one channel, nearest, uint8", 350, 300, 1, 224, MR_NEAREST, MR_U8, false, false, false},
    {"130x110 -> 224", 130, 110, 3, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"1600x1200 -> 224", 1600, 1200, 3, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"224x224, no resize", 224, 224, 3, 224, MR_BILINEAR, MR_F32, true, true, false},
    {"  the same, flipped", 224, 224, 3, 224, MR_BILINEAR, MR_F32, true, true, true},
    {"  uint8 HWC", 224, 224, 3, 224, MR_BILINEAR, MR_U8, false, false, false},
    {"  uint8 HWC, flipped", 224, 224, 3, 224, MR_BILINEAR, MR_U8, false, false, true},
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void stop(const char *text)
{
    fprintf(stderr, "%s\n", text);
    exit(1);
}

static struct mr_geometry geometry_of(const struct job *j)
{
    return (struct mr_geometry){.in_w = j->w,
                                .in_h = j->h,
                                .box = {0, 0, j->w, j->h},
                                .resized = true,
                                .rw = j->to,
                                .rh = j->to,
                                .filter = j->filter,
                                .antialias = true,
                                .win = {0, 0, j->to, j->to},
                                .hflip = j->hflip,
                                .out_w = j->to,
                                .out_h = j->to};
}

static void *next_place(char *ring, size_t bytes)
{
    static size_t at;

    bytes = (bytes + 63) / 64 * 64;
    if (at + bytes > RING_BYTES)
        at = 0;
    at += bytes;
    return ring + at - bytes;
}

/* Seconds for one image, the least of `reps`. */
static double measure(struct mr_resampler *r, const struct job *j, void *pixels, char *ring,
                      int reps)
{
    struct mr_store store = {.dtype = j->dtype,
                             .affine = j->affine,
                             .chw = j->chw,
                             .scale = {0.017f, 0.0175f, 0.0174f, 0.02f},
                             .bias = {-2.1f, -2.0f, -1.8f, -1.9f}};
    struct mr_view src = {pixels, j->w, j->h, j->c, 8, (int64_t)j->w * j->c};
    struct mr_rect at = {0, 0, j->w, j->h};
    struct mr_geometry g = geometry_of(j);
    size_t bytes = (size_t)(j->to * j->to * j->c) * mr_dtype_size(j->dtype);
    double best = 1e9;
    struct mr_errbuf e;

    for (int i = 0; i < reps; i++) {
        void *dst = next_place(ring, bytes);
        double start = now();
        if (mr__resample_store(r, &src, &at, &g, &store, dst, &e) < 0)
            stop(e.text);
        double time = now() - start;
        best = time < best ? time : best;
    }
    return best;
}

static bool usable(const struct mr_kernel *k)
{
    struct mr_cpu cpu;

    return mr__cpu_by_name(&cpu, mr__cpu_name(k->level), NULL) == MR_OK &&
           mr__cpu_runs(&cpu, k->level, k->flags);
}

static struct mr_resampler *open_version(const struct mr_kernel *k)
{
    struct mr_resampler *r;
    struct mr_errbuf e;

    setenv("MILLRACE_CPU", mr__cpu_name(k->level), 1);
    if (mr__resampler_new(&r, &e) < 0)
        stop(e.text);
    return r;
}

int main(int argc, char **argv)
{
    char *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    size_t most = 1600 * 1200 * 3;
    uint8_t *pixels = malloc(most);

    if (ring == MAP_FAILED || !pixels)
        stop("out of memory");
    memset(ring, 1, RING_BYTES);
    for (size_t i = 0; i < most; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    printf("%-30s", "microseconds per image");
    for (const struct mr_kernel *const *k = mr__kernels; *k; k++)
        printf("%10s", usable(*k) ? (*k)->name : "-");
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        printf("\n%-30s", jobs[i].name);
        for (const struct mr_kernel *const *k = mr__kernels; *k; k++) {
            if (!usable(*k))
                continue;
            struct mr_resampler *r = open_version(*k);
            printf("%10.1f",
                   measure(r, &jobs[i], pixels, ring, argc > 1 ? atoi(argv[1]) : 200) * 1e6);
            mr__resampler_free(r);
        }
    }
    printf("\n");
    return 0;
}
