/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_values: what Millrace delivers, looked at as the peers' batches are (peers/common.py):
 * shape, type, labels, and the values' mean and deviation per channel over a few batches. Prints
 * one JSON object.
 *
 * usage: bench_values CONFIG [key.path=value]...
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <millrace/millrace.h>

enum { BATCHES = 12, CHANNELS = 3, PATIENCE_MS = 60000 };

struct seen {
    double sum[CHANNELS], squares[CHANNELS], n;
    int64_t shape[4];
    const char *dtype;
    int64_t classes;
    bool known; /* every label is one of the classes */
};

static double value_at(const mr_tensor *t, const int64_t at[4])
{
    const char *element = t->data;

    for (int i = 0; i < 4; i++)
        element += at[i] * t->strides[i];
    if (t->dtype == MR_U8)
        return *(const uint8_t *)element;
    float value;
    memcpy(&value, element, sizeof value);
    return value;
}

/* The channels are the second dimension, or the last. */
static void add_image(struct seen *seen, const mr_tensor *t, int64_t row)
{
    int channel = t->shape[1] == CHANNELS ? 1 : 3, high = channel == 1 ? 2 : 1;
    int64_t at[4] = {row};

    for (at[1] = 0; at[1] < t->shape[1]; at[1]++)
        for (at[2] = 0; at[2] < t->shape[2]; at[2]++)
            for (at[3] = 0; at[3] < t->shape[3]; at[3]++) {
                double value = value_at(t, at);

                seen->sum[at[channel]] += value;
                seen->squares[at[channel]] += value * value;
            }
    seen->n += (double)(t->shape[high] * t->shape[high + 1]);
}

static int add_batch(struct seen *seen, const mr_batch *batch)
{
    const mr_tensor *image = mr_field(batch, "image"), *label = mr_field(batch, "label");

    if (!image || !label || image->ndim != 4 || label->dtype != MR_I64 ||
        (image->dtype != MR_U8 && image->dtype != MR_F32)) {
        fputs("the config has to have 'image' (uint8 or float32, one shape) and 'label' (int64)\n",
              stderr);
        return -1;
    }
    memcpy(seen->shape, image->shape, sizeof seen->shape);
    seen->dtype = mr_dtype_name(image->dtype);
    for (int64_t row = 0; row < image->shape[0]; row++) {
        int64_t value = ((const int64_t *)label->data)[row];

        add_image(seen, image, row);
        seen->known = seen->known && value >= 0 && value < seen->classes;
    }
    return 0;
}

static int look(mr_loader *loader, struct seen *seen)
{
    for (int i = 0; i < BATCHES;) {
        mr_batch *batch;
        int rc = mr_next(loader, &batch, PATIENCE_MS);

        if (rc == MR_END_EPOCH)
            continue;
        if (rc != MR_OK) {
            fprintf(stderr, "%s\n", rc < 0 ? mr_error(loader) : "the run ended too early");
            return -1;
        }
        rc = add_batch(seen, batch);
        mr_release(batch);
        if (rc < 0)
            return -1;
        i++;
    }
    return 0;
}

static void print(const struct seen *seen)
{
    printf("{\"dtype\": \"%s\", \"labels_known\": %s, \"shape\": [", seen->dtype,
           seen->known ? "true" : "false");
    for (int i = 0; i < 4; i++)
        printf("%lld%s", (long long)seen->shape[i], i < 3 ? ", " : "], \"mean\": [");
    for (int c = 0; c < CHANNELS; c++)
        printf("%.6f%s", seen->sum[c] / seen->n, c < CHANNELS - 1 ? ", " : "], \"std\": [");
    for (int c = 0; c < CHANNELS; c++) {
        double mean = seen->sum[c] / seen->n;

        printf("%.6f%s", sqrt(seen->squares[c] / seen->n - mean * mean),
               c < CHANNELS - 1 ? ", " : "]}\n");
    }
}

int main(int argc, char **argv)
{
    mr_options options = {.size = sizeof options};
    struct seen seen = {.known = true};
    mr_loader *loader;
    int rc;

    if (argc < 2) {
        fputs("usage: bench_values CONFIG [key.path=value]...\n", stderr);
        return 2;
    }
    options.set = (const char *const *)argv + 2; /* argv ends in NULL */
    if (mr_open(&loader, argv[1], &options) < 0) {
        fprintf(stderr, "%s\n", mr_error(NULL));
        return 1;
    }
    while (mr_class_name(loader, seen.classes))
        seen.classes++;
    rc = look(loader, &seen);
    mr_close(&loader);
    if (rc == 0)
        print(&seen);
    return rc == 0 ? 0 : 1;
}
