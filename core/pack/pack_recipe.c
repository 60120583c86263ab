/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack_recipe.h"

#include <string.h>
#include <xxhash.h>

enum { ZSTD_LEVEL = 3, SEGMENT = 64, QUALITY = 90 };
enum { RECIPE_VERSION = 1 }; /* grows when the same options come to give other bytes */

static const char *const modes[] = {
    [MR_PACK_JPEG] = "jpeg", [MR_PACK_COEF] = "coef",   [MR_PACK_RAW] = "raw",
    [MR_PACK_KEEP] = "keep", [MR_PACK_ARRAY] = "array",
};
static const char *const on_errors[] = {
    [MR_PACK_FAIL] = "fail",
    [MR_PACK_SKIP] = "skip",
    [MR_PACK_KEEP_BAD] = "keep",
};

/* The word's number; the first for NULL. */
static int choose(const char *what, const char *word, const char *const *words, int n, int *number,
                  struct mr_errbuf *e)
{
    char list[80] = "";
    *number = 0;
    for (int i = 0; i < n; i++) {
        if (word && !strcmp(word, words[i]))
            *number = i;
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", words[i]);
    }
    if (!word || !strcmp(word, words[*number]))
        return MR_OK;
    return mr__fail(e, MR_E_USAGE, "the %s '%s' is not one of %s", what, word, list);
}

static int check_numbers(const mr_pack_options *o, struct mr_errbuf *e)
{
    if (o->segment && o->segment != 32 && o->segment != 64)
        return mr__fail(e, MR_E_USAGE, "segments are 32 or 64 pixels wide, not %d", o->segment);
    if (o->quality < 0 || o->quality > 100)
        return mr__fail(e, MR_E_USAGE, "the quality of JPEGs is 1 to 100, not %d", o->quality);
    if (o->max_side < 0)
        return mr__fail(e, MR_E_USAGE, "no image is smaller than 'max_side' %d", o->max_side);
    if (o->compress && strcmp(o->compress, "zstd"))
        return mr__fail(e, MR_E_USAGE, "pixels are compressed by zstd, not by '%s'", o->compress);
    return MR_OK;
}

static int check_together(const struct mr_pack_recipe *r, const mr_pack_options *o,
                          struct mr_errbuf *e)
{
    if (o->compress && r->mode != MR_PACK_RAW)
        return mr__fail(e, MR_E_USAGE, "only the mode 'raw' has pixels to compress, '%s' has none",
                        r->mode_name);
    if (o->max_side && (r->mode == MR_PACK_KEEP || r->mode == MR_PACK_ARRAY))
        return mr__fail(e, MR_E_USAGE,
                        "the mode '%s' leaves files as they are, and 'max_side' makes images "
                        "smaller; choose jpeg, coef or raw",
                        r->mode_name);
    if (o->quality && (!o->max_side || r->mode == MR_PACK_RAW))
        return mr__fail(e, MR_E_USAGE,
                        "'quality' is that of the smaller JPEGs that 'max_side' "
                        "makes with the modes jpeg and coef");
    return MR_OK;
}

/* A column of images; -1: there is none. */
static int find_images(const struct mr_pack_data *d, const char *name)
{
    int i = mr__index_column(&d->index, name);
    return i >= 0 && !mr__pack_data_is_tensor(d, i) ? i : -1;
}

/* The mode that is for tensors needs some. */
static int check_tensors(const struct mr_pack_recipe *r, const struct mr_pack_data *d,
                         struct mr_errbuf *e)
{
    bool any = false;
    for (int i = 0; i < d->nfiles; i++)
        any |= mr__pack_data_is_tensor(d, d->files[i]);
    if (any || r->mode != MR_PACK_ARRAY)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE,
                    "the mode 'array' is for tensors, and the data set has none; choose jpeg, "
                    "coef, raw or keep for images");
}

/* A column that has to follow when its image becomes smaller; -1: there is none like that. */
static int find_numbers(const struct mr_pack_data *d, const char *name, enum mr_column_kind kind,
                        enum mr_dtype dtype, uint32_t width)
{
    int i = mr__index_column(&d->index, name);
    const struct mr_column *c = &d->index.head->column[i < 0 ? 0 : i];
    bool fits = i >= 0 && c->kind == kind && c->dtype == dtype && c->width == width;
    return fits ? i : -1;
}

/* That of packed data sets. */
static int find_side(const struct mr_pack_data *d, const char *name)
{
    return find_numbers(d, name, MR_COL_FIXED, MR_I32, 1);
}

int mr__pack_recipe(struct mr_pack_recipe *r, const mr_pack_options *o,
                    const struct mr_pack_data *d, struct mr_errbuf *e)
{
    int mode = 0, on_error = 0;
    int rc = choose("mode", o->mode, modes, MR_PACK_MODES, &mode, e);
    if (rc == MR_OK)
        rc = choose("choice for bad samples", o->on_error, on_errors, 3, &on_error, e);
    if (rc == MR_OK)
        rc = check_numbers(o, e);
    if (rc < 0)
        return rc;
    *r = (struct mr_pack_recipe){.mode = (enum mr_pack_mode)mode,
                                 .mode_name = modes[mode],
                                 .on_error = (enum mr_pack_on_error)on_error,
                                 .segment = o->segment ? o->segment : SEGMENT,
                                 .level = o->compress ? ZSTD_LEVEL : 0,
                                 .max_side = o->max_side,
                                 .quality = o->quality ? o->quality : QUALITY,
                                 .limits = d->config->limits,
                                 .image = find_images(d, "image"),
                                 .mask = find_images(d, "mask"),
                                 .boxes = find_numbers(d, "boxes", MR_COL_RAGGED, MR_F32, 4),
                                 .image_width = find_side(d, "image_width"),
                                 .image_height = find_side(d, "image_height")};
    rc = check_together(r, o, e);
    return rc < 0 ? rc : check_tensors(r, d, e);
}

uint64_t mr__pack_fingerprint(const struct mr_pack_recipe *r, const struct mr_pack_data *d,
                              uint64_t shard_bytes)
{
    const uint64_t all[] = {RECIPE_VERSION,
                            d->index.head->hash,
                            shard_bytes,
                            (uint64_t)r->mode,
                            r->on_error == MR_PACK_KEEP_BAD, /* `skip` goes on from `fail` */
                            (uint64_t)r->segment,
                            (uint64_t)r->level,
                            (uint64_t)r->max_side,
                            (uint64_t)r->quality,
                            (uint64_t)r->limits.max_pixels,
                            (uint64_t)r->limits.max_side,
                            (uint64_t)r->limits.max_scans,
                            (uint64_t)r->limits.max_decode_bytes,
                            (uint64_t)r->limits.max_file_bytes};
    return XXH3_64bits(all, sizeof all);
}
