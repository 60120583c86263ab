/* SPDX-License-Identifier: Apache-2.0
 *
 * patch_index.c: in the index helper: what the sampler `patch` must know of images and masks.
 * Without a minimum coverage, sizes from headers; with one, every mask is decoded once.
 */
#include "image_sizes.h"
#include "patch.h"

#include "base/parallel.h"
#include "loaders/codec/find.h"
#include "loaders/shard/built_files.h"

#include <stdio.h>
#include <stdlib.h>

#define MASK_THREADS 8 /* each holds a whole mask */

struct scratch {
    struct mr_buf file, pixels;
};

struct masks {
    const struct mr_patch_params *p;
    struct mr_patch_grid grid;
    const struct mr_limits *limits;
    struct mr_built_files files;
    int mask;             /* column */
    struct mr_buf *found; /* [samples] int32_t each, for the index */
    struct scratch scratch[MASK_THREADS];
    struct mr_first_error failure;
};

void mr__patch_column(const struct mr_patch_params *p, char name[MR_INDEX_NAME])
{
    struct mr_patch_grid g = mr__patch_grid(p);
    if (p->mode == MR_PATCH_RANDOM)
        snprintf(name, MR_INDEX_NAME, "mask cells of %d", MR_PATCH_CELL);
    else
        snprintf(name, MR_INDEX_NAME, "windows %dx%d/%dx%d%s/%.9g", g.w, g.h, g.dx, g.dy,
                 g.shift ? "s" : "", p->min_coverage);
}

/* As the row pipeline decodes a mask: one channel of 8 bits. */
static int decode_mask(const struct masks *m, struct scratch *s, struct mr_view *view,
                       struct mr_errbuf *e)
{
    void *decoder;
    struct mr_image_info info;
    const struct mr_codec *codec = mr__codec_find(s->file.data, s->file.n, e);
    int rc = codec ? codec->open(&decoder, m->limits, e) : MR_E_DATA;
    if (rc < 0)
        return rc;
    rc = codec->header(decoder, s->file.data, s->file.n, &info, e);
    if (rc == MR_OK && (int64_t)info.w * info.h > INT32_MAX)
        rc = MR_E_LIMIT; /* beyond what the sums can hold */
    s->pixels.n = 0;
    if (rc == MR_OK && !mr__buf_reserve(&s->pixels, (size_t)info.w * (size_t)info.h))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for a mask of %d x %d pixels", info.w,
                      info.h);
    if (rc == MR_OK) {
        const struct mr_rect all = {0, 0, info.w, info.h};
        *view = (struct mr_view){s->pixels.data, info.w, info.h, 1, 8, info.w};
        rc = codec->decode(decoder, &all, view, e);
    }
    codec->close(decoder);
    return rc;
}

static int measure_mask(struct masks *m, struct scratch *s, struct mr_buf *found,
                        struct mr_errbuf *e)
{
    struct mr_view mask;
    int rc = decode_mask(m, s, &mask, e);
    if (rc < 0)
        return rc;
    bool good = m->p->mode == MR_PATCH_GRID
                    ? mr__patch_grid_covered(&m->grid, &mask, m->p->min_coverage, found)
                    : mr__patch_cells(&mask, found);
    return good ? MR_OK
                : mr__fail(e, MR_E_MEMORY, "not enough memory to measure a mask of %d x %d pixels",
                           mask.w, mask.h);
}

/* A mask that cannot be read covers nothing. */
static void measure_one(void *ctx, int worker, uint64_t sample)
{
    struct masks *m = ctx;
    struct scratch *s = &m->scratch[worker];
    struct mr_errbuf why;
    bool none = false;
    int rc = mr__built_files_read(&m->files, m->mask, sample, &none, &s->file, &why);
    if (rc == MR_OK && !none)
        rc = measure_mask(m, s, &m->found[sample], &why);
    if (rc < 0 && rc != MR_E_DATA && rc != MR_E_LIMIT) /* not the file's fault */
        mr__first_error(&m->failure, &why);
}

static int add_found(const struct masks *m, struct mr_index_builder *b, struct mr_errbuf *e)
{
    char name[MR_INDEX_NAME];
    uint32_t width = m->p->mode == MR_PATCH_GRID ? 2 : 1;
    mr__patch_column(m->p, name);
    int column = mr__index_add_column(b, name, MR_COL_RAGGED, MR_I32, width, e);
    int rc = column < 0 ? column : MR_OK;
    for (uint64_t i = 0; i < mr__index_samples(b) && rc >= 0; i++) {
        rc = mr__index_add_numbers(b, column, m->found[i].data,
                                   m->found[i].n / (width * sizeof(int32_t)), e);
        mr__buf_free(&m->found[i]);
    }
    return rc < 0 ? rc : MR_OK;
}

static int measure(struct masks *m, const struct mr_sampler_build *build,
                   struct mr_index_builder *b, struct mr_errbuf *e)
{
    uint64_t n = mr__index_samples(b);
    m->found = calloc(n + 1, sizeof *m->found);
    if (m->found)
        mr__parallel(n, build->threads < MASK_THREADS ? build->threads : MASK_THREADS, measure_one,
                     m);
    int rc = m->failure.e.code;
    if (!m->found)
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory to measure %llu masks",
                      (unsigned long long)n);
    else if (rc < 0)
        *e = m->failure.e;
    else
        rc = add_found(m, b, e);
    for (uint64_t i = 0; m->found && i < n; i++)
        mr__buf_free(&m->found[i]);
    free(m->found);
    for (int i = 0; i < MASK_THREADS; i++) {
        mr__buf_free(&m->scratch[i].file);
        mr__buf_free(&m->scratch[i].pixels);
    }
    return rc;
}

int mr__patch_index(const void *params, const struct mr_sampler_build *build,
                    struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct mr_patch_params *p = params;
    char name[MR_INDEX_NAME];
    if (p->min_coverage <= 0)
        return mr__image_sizes_index(build, b, e);
    mr__patch_column(p, name);
    if (mr__index_built_column(b, name, MR_COL_RAGGED) >= 0)
        return MR_OK;
    struct masks m = {.p = p, .grid = mr__patch_grid(p), .limits = build->limits};
    m.mask = mr__index_built_column(b, "mask", MR_COL_PATH);
    if (m.mask < 0)
        return mr__fail(e, MR_E_CONFIG,
                        "'sampler.min_coverage' is a share of the mask, and the source has no "
                        "files in a column 'mask'");
    int rc = mr__built_files_begin(&m.files, b, build->limits, e);
    if (rc < 0)
        return rc;
    rc = measure(&m, build, b, e);
    mr__built_files_end(&m.files);
    return rc;
}
