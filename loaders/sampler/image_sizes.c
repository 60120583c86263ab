/* SPDX-License-Identifier: Apache-2.0 */
#include "image_sizes.h"
#include "part_column.h"

#include "base/parallel.h"
#include "loaders/codec/image_size.h"

#include <stdlib.h>

static const char *const given_names[2] = {"width", "height"};
static const char *const probed_names[2] = {"image_width", "image_height"};

/* ---- in the index helper ---- */

struct probe {
    const struct mr_index_builder *b;
    const struct mr_limits *limits;
    int image;
    int32_t *sizes; /* [samples][2] */
    struct mr_buf scratch[MR_PARALLEL_MAX];
    struct mr_first_error failure;
};

static void probe_one(void *ctx, int worker, uint64_t sample)
{
    struct probe *p = ctx;
    struct mr_image_info info;
    struct mr_errbuf why;
    char *path = mr__index_built_path(p->b, p->image, sample);
    int rc = !path    ? mr__fail(&why, MR_E_MEMORY, "not enough memory for a path")
             : !*path ? MR_E_DATA
                      : MR_OK;
    if (rc == MR_OK)
        rc = mr__image_size(path, p->limits, &p->scratch[worker], &info, &why);
    if (rc == MR_OK) {
        p->sizes[2 * sample] = info.w;
        p->sizes[2 * sample + 1] = info.h;
    }
    if (rc < 0 && rc != MR_E_DATA && rc != MR_E_LIMIT) /* not the file's fault */
        mr__first_error(&p->failure, &why);
    free(path);
}

static int add_columns(struct mr_index_builder *b, const int32_t *sizes, struct mr_errbuf *e)
{
    for (int side = 0; side < 2; side++) {
        int column = mr__index_add_column(b, probed_names[side], MR_COL_FIXED, MR_I32, 1, e);
        int rc = column < 0 ? column : MR_OK;
        for (uint64_t i = 0; i < mr__index_samples(b) && rc >= 0; i++)
            rc = mr__index_add_numbers(b, column, &sizes[2 * i + (uint64_t)side], 1, e);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

static bool has(const struct mr_index_builder *b, const char *const names[2])
{
    return mr__index_built_column(b, names[0], MR_COL_FIXED) >= 0 &&
           mr__index_built_column(b, names[1], MR_COL_FIXED) >= 0;
}

int mr__image_sizes_index(const struct mr_sampler_build *build, struct mr_index_builder *b,
                          struct mr_errbuf *e)
{
    uint64_t n = mr__index_samples(b);
    if (has(b, given_names) || has(b, probed_names))
        return MR_OK;
    struct probe *p = calloc(1, sizeof *p);
    int32_t *sizes = calloc(n + 1, 2 * sizeof *sizes);
    int rc = MR_OK;
    if (!p || !sizes) {
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for the sizes of %llu images",
                      (unsigned long long)n);
    } else {
        *p = (struct probe){.b = b, .limits = build->limits, .sizes = sizes};
        p->image = mr__index_built_column(b, "image", MR_COL_PATH);
        if (p->image < 0)
            rc = mr__fail(e, MR_E_CONFIG,
                          "the sampler needs the images' sizes, and the source has neither files "
                          "in a column 'image' nor numbers in columns 'width' and 'height'");
    }
    if (rc == MR_OK) {
        mr__parallel(n, build->threads, probe_one, p);
        rc = p->failure.e.code;
        if (rc < 0)
            *e = p->failure.e;
        else
            rc = add_columns(b, sizes, e);
    }
    for (int i = 0; p && i < MR_PARALLEL_MAX; i++)
        mr__buf_free(&p->scratch[i]);
    free(p);
    free(sizes);
    return rc;
}

/* ---- in every process ---- */

enum { GIVEN, PROBED };

static int check_column(const struct mr_index *index, int column, int side, struct mr_errbuf *e)
{
    const struct mr_column *c = &index->head->column[column];
    if (c->kind == MR_COL_FIXED && c->width == 1)
        return MR_OK;
    return mr__fail(e, MR_E_CONFIG,
                    "column '%s' of the source is not one number per image, so it cannot be the "
                    "images' %s in pixels",
                    c->name, given_names[side]);
}

/* Both columns of a pair, or neither. */
static int find_pair(const struct mr_index *index, const char *const names[2], int column[2],
                     struct mr_errbuf *e)
{
    column[0] = mr__index_column(index, names[0]);
    column[1] = mr__index_column(index, names[1]);
    if (column[0] < 0 || column[1] < 0) {
        column[0] = column[1] = -1;
        return MR_OK;
    }
    int rc = check_column(index, column[0], 0, e);
    return rc < 0 ? rc : check_column(index, column[1], 1, e);
}

int mr__image_sizes_open(struct mr_image_sizes *s, const struct mr_index *index,
                         struct mr_errbuf *e)
{
    *s = (struct mr_image_sizes){.index = index, .column[PROBED] = {-1, -1}};
    int rc = find_pair(index, given_names, s->column[GIVEN], e);
    if (rc >= 0 && (s->column[GIVEN][0] < 0 || index->head->parts))
        rc = find_pair(index, probed_names, s->column[PROBED], e);
    if (rc >= 0 && s->column[GIVEN][0] < 0 && s->column[PROBED][0] < 0)
        rc = mr__fail(e, MR_E_CONFIG, "the index does not say how large the images are");
    return rc;
}

/* What is no size (negative, NaN, beyond what an image can be) is not known. */
static int32_t side_at(const struct mr_index *index, int column, uint64_t sample)
{
    double side = mr__index_number(index, column, sample);
    return side >= 1 && side <= INT32_MAX ? (int32_t)side : 0;
}

/* Of several data sets one may give them, and another not. */
static const int *columns_of(const struct mr_image_sizes *s, uint64_t sample)
{
    const int *given = s->column[GIVEN], *probed = s->column[PROBED];
    if (given[0] < 0 || probed[0] < 0)
        return given[0] < 0 ? probed : given;
    bool lacks = mr__column_lacks(s->index, given[0], sample) ||
                 mr__column_lacks(s->index, given[1], sample);
    return lacks ? probed : given;
}

void mr__image_size_at(const struct mr_image_sizes *s, uint64_t sample, int32_t *w, int32_t *h)
{
    const int *column = columns_of(s, sample);
    *w = side_at(s->index, column[0], sample);
    *h = side_at(s->index, column[1], sample);
    if (!*w || !*h)
        *w = *h = 0;
}
