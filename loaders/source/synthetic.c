/* SPDX-License-Identifier: Apache-2.0
 *
 * synthetic.c: a data set of any number of samples that takes no room: the bytes of a sample are
 * made from its number when they are read. For trying what a billion samples cost, and for tests
 * and examples without files. Sample s is of class s mod `classes`, which shows in its colour; a
 * slanted gradient of its own tells it from the others. Frozen by golden values.
 */
#include "plain_png.h"
#include "read_file.h"

#include "base/descriptor.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct synthetic_params {
    int64_t samples, classes;
    struct mr_size size;
};

struct synthetic {
    const struct synthetic_params *params;
    uint64_t samples;
    int image; /* the column */
    size_t bytes, max_bytes;
};

/* ---- the index ------------------------------------------------------------------------------ */

static int add_labels(struct mr_index_builder *b, int column, int64_t classes, struct mr_errbuf *e)
{
    int rc = MR_OK;
    for (int64_t k = 0; k < classes && rc >= 0; k++) {
        char name[32];
        int n = snprintf(name, sizeof name, "class %lld", (long long)k);
        rc = mr__index_add_numbers(b, column, &k, 1, e);
        if (rc >= 0)
            rc = mr__index_add_class(b, name, (size_t)n, e);
    }
    return rc;
}

static int synthetic_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct synthetic_params *p = params;
    static const char *const names[] = {"image", "label", "width", "height"};
    int column[4], rc = MR_OK;
    for (int i = 0; i < 4 && rc >= 0; i++)
        rc = column[i] = mr__index_add_column(b, names[i], i ? MR_COL_FIXED : MR_COL_MADE,
                                              i ? MR_I64 : MR_U8, 1, e);
    if (rc >= 0)
        rc = add_labels(b, column[1], p->classes, e);
    if (rc >= 0)
        rc = mr__index_add_numbers(b, column[2], &p->size.w, 1, e);
    if (rc >= 0)
        rc = mr__index_add_numbers(b, column[3], &p->size.h, 1, e);
    for (int i = 0; i < 4 && rc >= 0; i++)
        rc = mr__index_repeat(b, column[i], (uint64_t)p->samples, e);
    return rc;
}

/* ---- samples -------------------------------------------------------------------------------- */

struct picture {
    uint32_t w;
    uint8_t colour[3], across[3], down[3]; /* at the corner; steps in 16ths per pixel */
};

static void three_bytes(uint64_t number, const char *what, uint32_t ordinal, uint8_t out[3])
{
    struct mr_row_key key = {.position = number};
    mr_rng rng = mr__rng_open(&key, what, ordinal);
    uint32_t draw = mr_rng_u32(&rng);
    for (int c = 0; c < 3; c++)
        out[c] = (uint8_t)(draw >> 8 * c);
}

static void make_row(const void *ctx, uint32_t y, uint8_t *rgb)
{
    const struct picture *p = ctx;
    for (uint32_t x = 0; x < p->w; x++)
        for (int c = 0; c < 3; c++)
            *rgb++ = (uint8_t)(p->colour[c] + ((x * p->across[c] + y * p->down[c]) >> 4));
}

static int synthetic_open(const void *params, const struct mr_index *index,
                          const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    const struct synthetic_params *p = params;
    struct synthetic *s = malloc(sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the source");
    *s = (struct synthetic){.params = p,
                            .samples = index->head->samples,
                            .image = mr__index_column(index, "image"),
                            .bytes = mr__plain_png_bytes((uint32_t)p->size.w, (uint32_t)p->size.h),
                            .max_bytes = (size_t)limits->max_file_bytes};
    *self = s;
    return MR_OK;
}

static int synthetic_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                          struct mr_errbuf *e)
{
    const struct synthetic *s = self;
    struct picture picture = {.w = (uint32_t)s->params->size.w};
    out->n = 0;
    if (sample >= s->samples || column != s->image)
        return mr__fail(e, MR_E_USAGE, "sample %llu has no image in column %d",
                        (unsigned long long)sample, column);
    if (s->bytes > s->max_bytes)
        return mr__fail(e, MR_E_DATA,
                        "sample %llu: a PNG of %zu bytes, more than limits.max_file_bytes (%zu) "
                        "allows",
                        (unsigned long long)sample, s->bytes, s->max_bytes);
    if (!mr__buf_reserve(out, s->bytes + MR_READ_PADDING))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to make sample %llu (%zu bytes)",
                        (unsigned long long)sample, s->bytes);
    three_bytes(sample % (uint64_t)s->params->classes, "synthetic class", 0, picture.colour);
    three_bytes(sample, "synthetic", 0, picture.across);
    three_bytes(sample, "synthetic", 1, picture.down);
    mr__plain_png_write(out->data, picture.w, (uint32_t)s->params->size.h, make_row, &picture);
    memset(out->data + s->bytes, 0, MR_READ_PADDING);
    out->n = s->bytes;
    return MR_OK;
}

static const struct mr_opt synthetic_opts[] = {
    {.name = "samples",
     .type = MR_OPT_INT,
     .off = offsetof(struct synthetic_params, samples),
     .min = 1,
     .max = 1e15,
     .help = "how many"},
    {.name = "size",
     .type = MR_OPT_SIZE,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct synthetic_params, size),
     .def = "64",
     .min = 1,
     .max = MR_PLAIN_PNG_SIDE,
     .unit = "pixels",
     .help = "height and width of the images"},
    {.name = "classes",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct synthetic_params, classes),
     .def = "10",
     .min = 1,
     .max = 65536,
     .help = "labels: sample s is of class s mod classes"},
    MR_OPTS_END,
};

const struct mr_source mr__source_synthetic = {
    .d = {.name = "synthetic",
          .help = "any number of made-up images, without files: for tests and trials",
          .params_size = sizeof(struct synthetic_params),
          .opts = synthetic_opts},
    .resolved = true,
    .index = synthetic_index,
    .open = synthetic_open,
    .read = synthetic_read,
    .close = free,
};
