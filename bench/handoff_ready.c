/* SPDX-License-Identifier: Apache-2.0 */
#include "handoff.h"

#include <stdio.h>
#include <stdlib.h>

#include <millrace/millrace.h>

enum { WARM_UP = 50, PATIENCE_MS = 20000 };

/* User code at its cheapest: the commander says nothing, the producer writes the row's position
 * into its first element. So batches are ready early, whatever their size. */
static int say_nothing(void *self, mr_message *message)
{
    (void)self;
    (void)message;
    return MR_OK;
}

static int write_position(void *self, mr_rows *rows)
{
    const mr_tensor *image = mr_rows_field(rows, "image");

    (void)self;
    for (int32_t row = 0; image && row < mr_rows_count(rows); row++) {
        float *first = (float *)(void *)((char *)image->data + row * image->strides[0]);

        *first = (float)(mr_message_position(mr_rows_message(rows, row)) & 0xffff);
    }
    return image ? MR_OK : MR_E_CODE;
}

static const mr_commander commander = {
    .size = sizeof commander, .abi = MR_PLUGIN_ABI, .next = say_nothing};
static const mr_producer producer = {
    .size = sizeof producer, .abi = MR_PLUGIN_ABI, .fill = write_position};

static mr_loader *open_loader(int rows)
{
    char config[512];
    mr_loader *loader = NULL;
    mr_options options = {.size = sizeof options,
                          .config_text = config,
                          .commander = &commander,
                          .producer = &producer};

    snprintf(config, sizeof config,
             "version: 1\nepochs: 0\ncontext: fork\nbatch: {size: %d}\nslots: 4\nproducers: 1\n"
             "fields: {image: {dtype: float32, shape: [3, 224, 224]}}\n", rows);
    if (mr_open(&loader, "handoff", &options) < 0)
        fprintf(stderr, "%s\n", mr_error(NULL));
    return loader;
}

static void compute(int microseconds)
{
    double end = handoff_now() + 1e-6 * microseconds;

    while (handoff_now() < end)
        ;
}

/* Both halves of one hand-off. 1: timed; 0: no batch was ready, which is not what is measured; -1:
 * failed, or the batch is not the one that was made. */
static int hand_off(mr_loader *loader, uint64_t position, double *next, double *release)
{
    double start = handoff_now(), middle;
    const mr_tensor *image;
    mr_batch *batch;
    int rc = mr_next(loader, &batch, 0);

    middle = handoff_now();
    if (rc == MR_E_TIMEOUT)
        return 0;
    if (rc != MR_OK) {
        fprintf(stderr, "%s\n", mr_error(loader));
        return -1;
    }
    image = mr_field(batch, "image");
    if (!image || *(const float *)image->data != (float)(position & 0xffff)) {
        fprintf(stderr, "batch at position %llu holds another row\n", (unsigned long long)position);
        return -1;
    }
    *next = middle - start;
    start = handoff_now();
    rc = mr_release(batch);
    *release = handoff_now() - start;
    return rc == MR_OK ? 1 : -1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int n, double share)
{
    return sorted[(int)(share * (n - 1) + 0.5)];
}

static void print(int rows, int rounds, int late, double *next, double *release, double *both)
{
    qsort(next, (size_t)rounds, sizeof *next, by_size);
    qsort(release, (size_t)rounds, sizeof *release, by_size);
    qsort(both, (size_t)rounds, sizeof *both, by_size);
    printf("{\"batch\": %d, \"mb\": %.1f, \"rounds\": %d, \"not_ready\": %d, \"median_us\": %.3f, "
           "\"p99_us\": %.3f, \"min_us\": %.3f, \"max_us\": %.3f, \"next_median_us\": %.3f, "
           "\"release_median_us\": %.3f}\n",
           rows, rows * 3 * 224 * 224 * 4 / 1e6, rounds, late, 1e6 * quantile(both, rounds, 0.5),
           1e6 * quantile(both, rounds, 0.99), 1e6 * both[0], 1e6 * both[rounds - 1],
           1e6 * quantile(next, rounds, 0.5), 1e6 * quantile(release, rounds, 0.5));
}

/* The first batches are waited for and not timed: processes start, pages are touched. */
static int warm_up(mr_loader *loader)
{
    mr_batch *batch;

    for (int i = 0; i < WARM_UP; i++) {
        if (mr_next(loader, &batch, PATIENCE_MS) != MR_OK || mr_release(batch) != MR_OK) {
            fprintf(stderr, "%s\n", mr_error(loader));
            return -1;
        }
    }
    return 0;
}

int handoff_ready(int rows, int rounds, int pause)
{
    double *next = calloc(3 * (size_t)rounds, sizeof *next);
    double *release = next + rounds, *both = release + rounds;
    mr_loader *loader = next ? open_loader(rows) : NULL;
    double patience = handoff_now() + PATIENCE_MS / 1e3 + 0.1 * rounds;
    int done = 0, late = 0, rc = loader ? warm_up(loader) : -1;

    while (rc >= 0 && done < rounds && handoff_now() < patience) {
        compute(pause);
        rc = hand_off(loader, (uint64_t)rows * (uint64_t)(WARM_UP + done), &next[done],
                      &release[done]);
        both[done] = next[done] + release[done];
        done += rc == 1;
        late += rc == 0;
    }
    if (rc >= 0 && done < rounds)
        fputs("batches come too slowly to measure\n", stderr);
    if (rc >= 0 && done == rounds)
        print(rows, rounds, late, next, release, both);
    mr_close(&loader);
    free(next);
    return rc >= 0 && done == rounds ? 0 : 1;
}
