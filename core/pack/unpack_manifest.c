/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack_manifest.c: an index as a CSV file that the source `manifest` reads: the same samples, in
 * the same order, with the same numbers.
 */
#include "base/number.h"
#include "base/text.h"
#include "base/whole_file.h"
#include "pack/unpack_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* As manifests name them; those that it has no word for stay where they are. */
static const char *const types[MR_DTYPE_COUNT] = {
    [MR_U8] = "u8",   [MR_I16] = "i16", [MR_U16] = "u16", [MR_I32] = "i32",
    [MR_I64] = "i64", [MR_F32] = "f32", [MR_F64] = "f64",
};

static bool is_file(const struct mr_column *c)
{
    return c->kind == MR_COL_PATH || c->kind == MR_COL_MADE;
}

/* Columns with an '@' are what a source keeps for itself. */
static bool is_told(const struct mr_column *c)
{
    bool told = is_file(c) || (c->kind != MR_COL_TENSOR && types[c->dtype]);
    return told && !strchr(c->name, '@');
}

static void add_cell(struct mr_text *t, const char *text, size_t n)
{
    mr__text_add(t, "\"", 1);
    for (size_t i = 0; i < n; i++)
        mr__text_add(t, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
    mr__text_add(t, "\"", 1);
}

static void add_header(struct mr_text *t, const struct mr_index *index)
{
    const struct mr_index_head *head = index->head;
    bool any = false;
    for (uint64_t i = 0; i < head->columns; i++) {
        const struct mr_column *c = &head->column[i];
        if (!is_told(c))
            continue;
        mr__text_addf(t, "%s%s", any ? "," : "", c->name);
        any = true;
        if (is_file(c)) {
            bool known = !strcmp(c->name, "image") || !strcmp(c->name, "mask");
            mr__text_addf(t, "%s", known ? "" : ":ignore");
            continue;
        }
        mr__text_addf(t, ":%s", types[c->dtype]);
        if (c->kind == MR_COL_RAGGED && strcmp(c->name, "boxes"))
            mr__text_addf(t, "[*]");
        if (c->width > 1)
            mr__text_addf(t, "[%u]", c->width);
    }
    mr__text_addf(t, "%s\n", head->classes ? ",class:ignore" : "");
}

static void add_real(struct mr_text *t, double value)
{
    char text[MR_NUMBER_TEXT];
    mr__text_addf(t, "%s", mr__number_text(value, text));
}

static void add_number(struct mr_text *t, const void *from, enum mr_dtype type, uint64_t k)
{
    switch (type) {
    case MR_U8: mr__text_addf(t, "%u", ((const uint8_t *)from)[k]); break;
    case MR_I16: mr__text_addf(t, "%d", ((const int16_t *)from)[k]); break;
    case MR_U16: mr__text_addf(t, "%u", ((const uint16_t *)from)[k]); break;
    case MR_I32: mr__text_addf(t, "%" PRId32, ((const int32_t *)from)[k]); break;
    case MR_I64: mr__text_addf(t, "%" PRId64, ((const int64_t *)from)[k]); break;
    case MR_F32: add_real(t, (double)((const float *)from)[k]); break;
    default: add_real(t, ((const double *)from)[k]); break;
    }
}

static void add_numbers(struct mr_text *t, const struct mr_index *index, int column,
                        uint64_t sample)
{
    uint64_t entries;
    const struct mr_column *c = &index->head->column[column];
    const void *from = mr__index_numbers(index, column, sample, &entries);
    for (uint64_t k = 0; k < entries * c->width; k++) {
        mr__text_add(t, " ", k > 0);
        add_number(t, from, (enum mr_dtype)c->dtype, k);
    }
}

static void add_class(struct mr_text *t, const struct mr_index *index, uint64_t sample)
{
    size_t n;
    int label = mr__index_column(index, "label");
    if (!index->head->classes)
        return;
    mr__text_add(t, ",", 1);
    if (label < 0 || !mr__index_is_whole(&index->head->column[label]))
        return;
    const char *name = mr__index_class(index, (uint64_t)mr__index_whole(index, label, sample), &n);
    if (name)
        add_cell(t, name, n);
}

static void add_row(struct mr_text *t, const struct mr_index *index, char *const *names,
                    uint64_t sample)
{
    bool any = false;
    for (int i = 0; i < (int)index->head->columns; i++) {
        const struct mr_column *c = &index->head->column[i];
        if (!is_told(c))
            continue;
        mr__text_add(t, ",", any);
        any = true;
        if (!is_file(c))
            add_numbers(t, index, i, sample);
        else if (names[i])
            add_cell(t, names[i], strlen(names[i]));
    }
    add_class(t, index, sample);
    mr__text_add(t, "\n", 1);
}

int mr__unpack_manifest(const struct mr_index *index, char *const *names, const bool *left_out,
                        const char *out, struct mr_errbuf *e)
{
    struct mr_text t = {0};
    char *path;
    add_header(&t, index);
    for (uint64_t sample = 0; sample < index->head->samples && !t.failed; sample++)
        if (!left_out[sample])
            add_row(&t, index, names + sample * index->head->columns, sample);
    int n = t.failed ? -1 : asprintf(&path, "%s/manifest.csv", out);
    int rc = n < 0 ? mr__fail(e, MR_E_MEMORY, "not enough memory for the manifest")
                   : mr__out_file(path, t.data, t.n, "the manifest", e);
    if (n >= 0)
        free(path);
    mr__text_free(&t);
    return rc;
}
