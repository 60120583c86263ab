/* SPDX-License-Identifier: Apache-2.0
 *
 * bucket.c: batches of samples of like size or shape, so that padding wastes little. The samples of
 * a bucket are shuffled, cut into whole batches, and all batches shuffled; what is left over of
 * each bucket comes at the end, bucket by bucket. Every sample comes once per epoch. The list of
 * samples by bucket is made when it is opened (4 bytes per sample, 8 beyond 2^32 of them); an epoch
 * needs no memory of its own, since all shuffles are keyed.
 */
#include "bucket_edges.h"
#include "image_sizes.h"
#include "keyed.h"
#include "sample_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bucket_params {
    struct mr_strs by;
    int64_t buckets;
    struct mr_floats edges;
};

struct bucket {
    uint64_t first, samples, seed, batch;
    struct mr_bucket_by by;
    struct mr_bucket_edges edges;
    uint32_t count;             /* buckets */
    struct mr_sample_list list; /* bucket by bucket, counted from `first` */
    uint64_t *start;            /* [count + 1]: in the list */
    uint64_t *full;             /* [count + 1]: whole batches before each bucket's */
    uint64_t *rest;             /* [count + 1]: samples left over before each bucket's */
};

/* ---- opening -------------------------------------------------------------------------------- */

static int no_memory(const struct bucket *b, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY,
                    "not enough memory for the sampler's list of samples by bucket (%llu samples)",
                    (unsigned long long)b->samples);
}

static const char *const sides[] = {"width", "height"};

static bool is_side(const char *name)
{
    return !strcmp(name, "width") || !strcmp(name, "height");
}

/* Files' headers tell what the source does not (image_sizes.h). One that cannot be read is a bad
 * sample when its turn comes, of the first bucket. */
static int bucket_index(const void *params, const struct mr_sampler_build *build,
                        struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct bucket_params *p = params;
    for (int i = 0; i < p->by.n; i++)
        if (is_side(p->by.v[i]) || !strcmp(p->by.v[i], "aspect"))
            return mr__image_sizes_index(build, b, e);
    return MR_OK;
}

/* A column, or what stands in for a side that the source, or one of several, does not tell. */
static int find_column(struct bucket *b, const char *name, const struct mr_sampler_env *env,
                       struct mr_part_column *column, struct mr_errbuf *e)
{
    const char *probed = strcmp(name, "width") ? "image_height" : "image_width";
    int instead = is_side(name) ? mr__index_column(env->index, probed) : -1;
    bool told = mr__index_column(env->index, name) >= 0;
    bool some = told && env->index->head->parts; /* of the parts, perhaps */
    int rc = mr__part_column_find(column, env, "sampler.by", !told && instead >= 0 ? probed : name,
                                  false, e);
    if (rc < 0 || instead < 0 || (told && !some))
        return rc;
    b->by.probed = true;
    column->instead = some ? instead : -1;
    return MR_OK;
}

static int find_columns(struct bucket *b, const struct bucket_params *p,
                        const struct mr_sampler_env *env, struct mr_errbuf *e)
{
    b->by.aspect = p->by.n == 1 && !strcmp(p->by.v[0], "aspect");
    b->by.numbers = b->by.aspect ? 1 : p->by.n;
    int columns = b->by.aspect ? 2 : p->by.n, rc = MR_OK;
    for (int i = 0; i < columns && rc >= 0; i++)
        rc = find_column(b, b->by.aspect ? sides[i] : p->by.v[i], env, &b->by.column[i], e);
    return rc;
}

static int no_number(const struct bucket *b, uint64_t i, struct mr_errbuf *e)
{
    const struct mr_part_column *c = b->by.column;
    const struct mr_index *index = c->index;
    int image = mr__index_column(index, "image");
    bool named = image >= 0 && index->head->column[image].kind == MR_COL_PATH;
    char *name = named ? mr__index_name(index, image, b->first + i) : NULL;
    mr__fail(e, MR_E_CONFIG, "sample %llu%s%s belongs to no bucket: its '%s' is %g",
             (unsigned long long)(b->first + i), name ? ", " : "", name ? name : "",
             index->head->column[c[0].column].name, mr__part_column_float(&c[0], i));
    if (b->by.aspect || b->by.numbers == 2) {
        size_t n = strlen(e->text);
        snprintf(e->text + n, sizeof e->text - n, ", its '%s' %g",
                 index->head->column[c[1].column].name, mr__part_column_float(&c[1], i));
    }
    free(name);
    return MR_E_CONFIG;
}

/* Notes every sample's bucket, and how many each has in start[bucket + 1]. */
static int count_samples(struct bucket *b, uint16_t *of, struct mr_errbuf *e)
{
    for (uint64_t i = 0; i < b->samples; i++) {
        double v[2];
        mr__bucket_numbers(&b->by, i, v);
        bool size = !b->by.aspect || b->by.probed || v[0] > 0;
        if (!isfinite(v[0]) || !isfinite(v[1]) || !size)
            return no_number(b, i, e);
        of[i] = (uint16_t)mr__bucket_of(&b->edges, v);
        b->start[of[i] + 1]++;
    }
    return MR_OK;
}

/* Counts become sums, and every sample goes where its bucket's next one belongs. */
static bool sort_samples(struct bucket *b, const uint16_t *of)
{
    if (!mr__sample_list_zeros(&b->list, b->samples))
        return false;
    for (uint32_t k = 0; k < b->count; k++) {
        uint64_t n = b->start[k + 1];
        b->start[k + 1] += b->start[k];
        b->full[k + 1] = b->full[k] + n / b->batch;
        b->rest[k + 1] = b->rest[k] + n % b->batch;
    }
    uint64_t *next = calloc(b->count, sizeof *next);
    if (!next)
        return false;
    memcpy(next, b->start, b->count * sizeof *next);
    for (uint64_t i = 0; i < b->samples; i++)
        mr__sample_list_set(&b->list, next[of[i]]++, i);
    free(next);
    return true;
}

static int fill_buckets(struct bucket *b, struct mr_errbuf *e)
{
    b->count = mr__bucket_count(&b->edges);
    b->start = calloc(b->count + 1, sizeof *b->start);
    b->full = calloc(b->count + 1, sizeof *b->full);
    b->rest = calloc(b->count + 1, sizeof *b->rest);
    uint16_t *of = malloc(b->samples * sizeof *of);
    int rc = b->start && b->full && b->rest && of ? count_samples(b, of, e) : no_memory(b, e);
    if (rc >= 0 && !sort_samples(b, of))
        rc = no_memory(b, e);
    free(of);
    return rc;
}

static void bucket_close(void *self)
{
    struct bucket *b = self;
    mr__bucket_edges_free(&b->edges);
    mr__sample_list_free(&b->list);
    free(b->start);
    free(b->full);
    free(b->rest);
    free(b);
}

static int bucket_open(const void *params, const struct mr_sampler_env *env, void **self,
                       struct mr_errbuf *e)
{
    const struct bucket_params *p = params;
    struct bucket *b = calloc(1, sizeof *b);
    if (!b)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the sampler");
    *b = (struct bucket){
        .first = env->first, .samples = env->samples, .seed = env->seed, .batch = env->batch};
    mr__sample_list_begin(&b->list, env->samples);
    int rc = find_columns(b, p, env, e);
    if (rc >= 0)
        rc = p->edges.n ? mr__bucket_edges_take(&b->edges, p->edges.v, (uint32_t)p->edges.n, e)
                        : mr__bucket_edges_find(&b->edges, &b->by, (uint32_t)p->buckets, e);
    if (rc >= 0)
        rc = fill_buckets(b, e);
    if (rc < 0)
        bucket_close(b);
    else
        *self = b;
    return rc;
}

/* ---- choosing ------------------------------------------------------------------------------- */

static uint64_t bucket_length(void *self)
{
    const struct bucket *b = self;
    return b->samples;
}

/* The part that `at` lies in, of `n` parts that begin at sums[0 .. n - 1] and end at sums[n]. */
static uint32_t part_of(const uint64_t *sums, uint32_t n, uint64_t at)
{
    uint32_t lo = 0, hi = n;
    while (hi - lo > 1) {
        uint32_t mid = (lo + hi) / 2;
        if (sums[mid] <= at)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static uint64_t sample_of(const struct bucket *b, uint64_t epoch, uint32_t k, uint64_t place)
{
    const struct mr_row_key key = {.seed = b->seed, .epoch = epoch, .position = k};
    uint64_t from = b->start[k], n = b->start[k + 1] - from;
    return b->first + mr__sample_list_at(&b->list, from + mr__keyed(place, n, &key, "bucket"));
}

static int bucket_at(void *self, uint64_t epoch, uint64_t position, struct mr_pick *pick,
                     struct mr_errbuf *e)
{
    const struct bucket *b = self;
    uint64_t batches = b->full[b->count], place;
    uint32_t k;
    (void)e;
    if (position / b->batch < batches) {
        const struct mr_row_key whole = {.seed = b->seed, .epoch = epoch};
        uint64_t g = mr__keyed(position / b->batch, batches, &whole, "bucket batches");
        k = part_of(b->full, b->count, g);
        place = (g - b->full[k]) * b->batch + position % b->batch;
    } else {
        uint64_t left = position - batches * b->batch;
        k = part_of(b->rest, b->count, left);
        place = (b->full[k + 1] - b->full[k]) * b->batch + left - b->rest[k];
    }
    *pick = (struct mr_pick){.sample = sample_of(b, epoch, k, place)};
    return MR_OK;
}

/* Of the same bucket: the batch keeps its shape. */
static void bucket_substitute(void *self, uint64_t epoch, uint64_t position, uint32_t attempt,
                              struct mr_pick *pick)
{
    const struct bucket *b = self;
    struct mr_row_key key = {b->seed, epoch, position, attempt};
    mr_rng rng = mr__rng_open(&key, "substitute", 0);
    double v[2];
    mr__bucket_numbers(&b->by, pick->sample - b->first, v);
    uint32_t k = mr__bucket_of(&b->edges, v);
    uint64_t from = b->start[k], place = mr_rng_below(&rng, b->start[k + 1] - from);
    *pick = (struct mr_pick){.sample = b->first + mr__sample_list_at(&b->list, from + place)};
}

/* ---- options -------------------------------------------------------------------------------- */

static int bucket_check(const void *params, struct mr_errbuf *e)
{
    const struct bucket_params *p = params;
    if (p->by.n != 1 && p->by.n != 2)
        return mr__fail(e, MR_E_CONFIG,
                        "'by' is 'aspect', one column or two, such as [width, "
                        "height]");
    for (int i = 0; i < p->by.n && p->by.n == 2; i++)
        if (!strcmp(p->by.v[i], "aspect"))
            return mr__fail(e, MR_E_CONFIG, "'by: aspect' stands alone: it is width / height");
    if (p->edges.n && p->by.n == 2)
        return mr__fail(e, MR_E_CONFIG,
                        "'edges' cut one number, and 'by' names two: leave one of them out, or "
                        "give 'buckets' in place of 'edges'");
    for (int i = 0; i < p->edges.n; i++)
        if (!isfinite(p->edges.v[i]) || (i && p->edges.v[i] <= p->edges.v[i - 1]))
            return mr__fail(e, MR_E_CONFIG, "'edges' must rise: %g comes behind %g", p->edges.v[i],
                            i ? p->edges.v[i - 1] : -INFINITY);
    return MR_OK;
}

static const struct mr_opt bucket_opts[] = {
    {.name = "by",
     .type = MR_OPT_STRS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct bucket_params, by),
     .def = "[width, height]",
     .help = "aspect (width / height), or one or two columns of numbers"},
    {.name = "buckets",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct bucket_params, buckets),
     .def = "16",
     .min = 1,
     .max = MR_BUCKETS_MAX,
     .help = "about how many, of equally many samples; equal samples are not parted"},
    {.name = "edges",
     .type = MR_OPT_FLOATS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct bucket_params, edges),
     .def = "",
     .help = "in place of 'buckets': rising numbers, each begins a bucket"},
    MR_OPTS_END,
};

const struct mr_sampler mr__sampler_bucket = {
    .d = {.name = "bucket",
          .help = "batches of samples of like size or shape, each sample once",
          .params_size = sizeof(struct bucket_params),
          .opts = bucket_opts,
          .check = bucket_check},
    .open = bucket_open,
    .close = bucket_close,
    .length = bucket_length,
    .at = bucket_at,
    .substitute = bucket_substitute,
    .index = bucket_index,
    .batchwise = true,
};
