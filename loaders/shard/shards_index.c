/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shards_index.h"

#include "base/origin.h"
#include "base/printable.h"
#include "loaders/shard/http_file.h"
#include "loaders/shard/shard_sums.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct shards_index {
    struct mr_index_builder *b;
    const struct mr_shard_set *set;
    struct mr_shard shape; /* the columns and classes of the first shard, which all have */
    int column[MR_SHARD_MAX_COLUMNS], place[MR_SHARD_MAX_COLUMNS], identity;
    struct mr_buf scratch, prefix;
    struct mr_errbuf *e;
};

int64_t mr__shards_identity(const struct mr_shard_set *set)
{
    uint64_t hash = set->fingerprint;
    for (uint64_t i = 0; i < set->n; i++) {
        uint64_t of[] = {hash, set->line[i].check, set->line[i].bytes};
        hash = mr__shard_hash(of, sizeof of);
    }
    return (int64_t)(hash & INT64_MAX);
}

char *mr__shards_path(const struct mr_index *index)
{
    const struct mr_index_head *head = index->head;
    return strndup((const char *)index->base + head->root, head->root_bytes);
}

static int no_memory(struct shards_index *x)
{
    return mr__fail(x->e, MR_E_MEMORY, "not enough memory for the index of the shards");
}

/* ---- what the columns are ---- */

/* It has bodies, and the index says where. */
static bool is_placed(const struct mr_shard_column *c)
{
    return c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS;
}

static int add_tensor(struct shards_index *x, const struct mr_shard_column *c)
{
    int64_t shape[MR_SHARD_MAX_DIMS];
    for (uint32_t d = 0; d < c->ndim; d++)
        shape[d] = (int64_t)c->shape[d]; /* a body has as many bytes: they fit */
    int column = mr__index_add_tensor(x->b, c->name, c->dtype, shape, (int)c->ndim, x->e);
    int rc = column < 0 ? column : mr__index_repeat(x->b, column, x->set->samples, x->e);
    return rc < 0 ? rc : column;
}

static int add_column(struct shards_index *x, const struct mr_shard_column *c, int i)
{
    static const enum mr_column_kind kinds[] = {[MR_SHARD_NUMBERS] = MR_COL_FIXED,
                                                [MR_SHARD_LISTS] = MR_COL_RAGGED,
                                                [MR_SHARD_FILES] = MR_COL_PATH};
    char place[MR_SHARD_NAME_BYTES + sizeof MR_SHARDS_PLACE];
    int rc = x->column[i] =
        c->kind == MR_SHARD_TENSORS
            ? add_tensor(x, c)
            : mr__index_add_column(x->b, c->name, kinds[c->kind], c->dtype, c->width, x->e);
    if (rc < 0 || !is_placed(c))
        return rc;
    snprintf(place, sizeof place, "%s" MR_SHARDS_PLACE, c->name);
    return x->place[i] =
               mr__index_add_column(x->b, place, MR_COL_FIXED, MR_I64, MR_PLACE_NUMBERS, x->e);
}

static int add_columns(struct shards_index *x)
{
    int rc = MR_OK;
    for (uint32_t i = 0; i < x->shape.ncolumns && rc >= 0; i++)
        rc = add_column(x, &x->shape.column[i], (int)i);
    for (uint64_t i = 0; i < x->shape.classes && rc >= 0; i++) {
        size_t n;
        const char *name = mr__shard_class(&x->shape, i, &n);
        rc = mr__index_add_class(x->b, name, n, x->e);
    }
    if (rc >= 0)
        rc = x->identity =
            mr__index_add_column(x->b, MR_SHARDS_PLACE, MR_COL_FIXED, MR_I64, 1, x->e);
    return rc < 0 ? rc : MR_OK;
}

static bool same_classes(const struct mr_shard *a, const struct mr_shard *b)
{
    return a->classes == b->classes && a->class_text_bytes == b->class_text_bytes &&
           !memcmp(a->class_offsets, b->class_offsets, (a->classes + 1) * 8) &&
           !memcmp(a->class_text, b->class_text, a->class_text_bytes);
}

static bool same_column(const struct mr_shard_column *a, const struct mr_shard_column *b)
{
    return !strcmp(a->name, b->name) && a->kind == b->kind && a->dtype == b->dtype &&
           a->width == b->width && a->ndim == b->ndim &&
           !memcmp(a->shape, b->shape, sizeof a->shape);
}

static int check_shape(struct shards_index *x, const struct mr_shard *s)
{
    bool same = s->ncolumns == x->shape.ncolumns && same_classes(s, &x->shape);
    for (uint32_t i = 0; i < s->ncolumns && same; i++)
        same = same_column(&s->column[i], &x->shape.column[i]);
    if (same)
        return MR_OK;
    return mr__fail(x->e, MR_E_DATA,
                    "the shard '%s' has other columns or classes than the first of its set: they "
                    "were not packed together",
                    mr__printable(s->path, strlen(s->path)).text);
}

/* ---- values ---- */

/* What people are told of a file: its shard and its name. A confined process may open what such
 * names lead to, so a link is followed here. */
static int shard_prefix(struct shards_index *x, const struct mr_shard *s, uint64_t number)
{
    char real[PATH_MAX];
    bool link = realpath(s->path, real) && strcmp(real, s->path) != 0;
    const char *text = link ? real : x->set->alone ? "" : x->set->line[number].file;
    x->prefix.n = 0;
    if (!mr__buf_append(&x->prefix, text, strlen(text)) ||
        (*text && !mr__buf_append(&x->prefix, "/", 1)))
        return no_memory(x);
    return MR_OK;
}

static int add_name(struct shards_index *x, int column, const char *name, size_t n)
{
    x->scratch.n = 0;
    for (; n && *name == '/'; n--)
        name++;
    if (!mr__buf_append(&x->scratch, x->prefix.data, x->prefix.n) ||
        !mr__buf_append(&x->scratch, name, n))
        return no_memory(x);
    return mr__index_add_path(x->b, column, (const char *)x->scratch.data, x->scratch.n, x->e);
}

static int add_file(struct shards_index *x, const struct mr_shard_column *c, int column,
                    uint64_t sample, bool there)
{
    char unnamed[32];
    size_t n;
    const char *name = mr__shard_name(c, sample, &n);
    if (!there)
        return mr__index_add_path(x->b, column, "", 0, x->e);
    if (!n) {
        n = (size_t)snprintf(unnamed, sizeof unnamed, "%llu", (unsigned long long)sample);
        name = unnamed;
    }
    return add_name(x, column, name, n);
}

static int add_bodies(struct shards_index *x, const struct mr_shard *s, uint64_t number, int i)
{
    const struct mr_shard_column *c = &s->column[i];
    int rc = shard_prefix(x, s, number);
    for (uint64_t k = 0; k < s->samples && rc >= 0; k++) {
        struct mr_shard_place place = mr__shard_place(c, k);
        int64_t numbers[MR_PLACE_NUMBERS] = {(int64_t)number, (int64_t)place.at,
                                             (int64_t)place.bytes, (int64_t)place.check};
        if (c->kind == MR_SHARD_FILES)
            rc = add_file(x, c, x->column[i], k, place.bytes > 0);
        if (rc >= 0)
            rc = mr__index_add_numbers(x->b, x->place[i], numbers, 1, x->e);
    }
    return rc;
}

static int add_numbers(struct shards_index *x, const struct mr_shard *s, int i)
{
    const struct mr_shard_column *c = &s->column[i];
    size_t size = mr_dtype_size(c->dtype);
    int rc = MR_OK;
    for (uint64_t k = 0; k < s->samples && rc >= 0; k++) {
        uint64_t entries;
        const uint8_t *from = mr__shard_entries(c, k, &entries);
        x->scratch.n = 0;
        if (!mr__buf_reserve(&x->scratch, entries * c->width * size + 1))
            return no_memory(x);
        mr__le_copy(x->scratch.data, from, entries * c->width, size);
        rc = mr__index_add_numbers(x->b, x->column[i], x->scratch.data, entries, x->e);
    }
    return rc;
}

static int add_values(struct shards_index *x, const struct mr_shard *s, uint64_t number)
{
    int rc = MR_OK;
    for (int i = 0; i < (int)s->ncolumns && rc >= 0; i++)
        rc = is_placed(&s->column[i]) ? add_bodies(x, s, number, i) : add_numbers(x, s, i);
    return rc < 0 ? rc : MR_OK;
}

static int add_shard(struct shards_index *x, uint64_t number)
{
    struct mr_shard s;
    int rc = mr__shard_set_open(x->set, number, true, &s, x->e);
    if (rc < 0)
        return rc;
    bool first = number == 0;
    if (!mr__shard_is_url(s.path) && !mr__origin_add(mr__index_origins(x->b), s.path, &s.file->st))
        rc = no_memory(x);
    if (first) {
        x->shape = s;
        rc = rc < 0 ? rc : add_columns(x);
    } else if (rc >= 0) {
        rc = check_shape(x, &s);
    }
    if (rc >= 0)
        rc = add_values(x, &s, number);
    if (!first)
        mr__shard_close(&s);
    return rc;
}

/* ---- the whole ---- */

static int fill(struct shards_index *x, const char *root)
{
    int64_t identity = mr__shards_identity(x->set);
    int rc = mr__index_set_root(x->b, root, x->e);
    for (uint64_t i = 0; i < x->set->n && rc >= 0; i++)
        rc = add_shard(x, i);
    if (rc >= 0 && !x->set->samples)
        rc = mr__fail(x->e, MR_E_DATA, "the shards in '%s' have no sample",
                      mr__printable(root, strlen(root)).text);
    if (rc >= 0)
        rc = mr__index_add_numbers(x->b, x->identity, &identity, 1, x->e);
    if (rc >= 0)
        rc = mr__index_repeat(x->b, x->identity, x->set->samples, x->e);
    return rc < 0 ? rc : MR_OK;
}

/* The list of the shards is looked at before it is read. */
static int note_list(struct shards_index *x, const char *path, const char *real)
{
    struct mr_buf *origins = mr__index_origins(x->b);
    char list[PATH_MAX + 16];
    struct stat st;
    snprintf(list, sizeof list, "%s/%s", real, MR_SHARD_SET_FILE);
    if (!mr__origin_add_real(origins, path, real) ||
        (stat(list, &st) == 0 && !mr__origin_add(origins, list, &st)))
        return no_memory(x);
    return MR_OK;
}

/* For those who read, and cannot look the name up. */
static int add_address(struct shards_index *x, const char *url)
{
    char address[MR_HTTP_ADDRESS] = "";
    int rc = mr__http_resolve(url, address, x->e);
    int column = rc < 0 ? rc
                        : mr__index_add_column(x->b, MR_SHARDS_ADDRESS, MR_COL_FIXED, MR_U8,
                                               MR_HTTP_ADDRESS, x->e);
    rc = column < 0 ? column : mr__index_add_numbers(x->b, column, address, 1, x->e);
    return rc < 0 ? rc : mr__index_repeat(x->b, column, x->set->samples, x->e);
}

int mr__shards_index(const char *path, struct mr_index_builder *b, struct mr_errbuf *e)
{
    char real[PATH_MAX];
    struct mr_shard_set set = {0};
    struct shards_index x = {.b = b, .set = &set, .e = e};
    bool url = mr__shard_is_url(path);
    if (!url && !realpath(path, real))
        return mr__fail_errno(e, MR_E_IO, "cannot open '%s'",
                              mr__printable(path, strlen(path)).text);
    int rc = url ? MR_OK : note_list(&x, path, real);
    if (rc >= 0)
        rc = mr__shard_set_read(&set, url ? path : real, e);
    if (rc >= 0)
        rc = fill(&x, url ? path : real);
    if (rc >= 0 && url)
        rc = add_address(&x, path);
    mr__shard_close(&x.shape);
    mr__shard_set_free(&set);
    mr__buf_free(&x.scratch);
    mr__buf_free(&x.prefix);
    return rc;
}
