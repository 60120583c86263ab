/* SPDX-License-Identifier: Apache-2.0
 *
 * shards_list.c: mr_shards_list(): what is in packed data, as text and as JSON.
 */
#include "base/json_writer.h"
#include "base/printable.h"
#include "loaders/shard/shard_set.h"
#include "millrace/shards.h"
#include "pipe/last_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
    struct mr_shard_set set;
    struct mr_shard first; /* its columns and classes are those of all */
    uint64_t bytes;
    struct {
        uint64_t bodies, bytes; /* samples that have one; of these in all */
        uint32_t max_entries;
    } column[MR_SHARD_MAX_COLUMNS];
};

static const char *const kinds[] = {[MR_SHARD_NUMBERS] = "numbers",
                                    [MR_SHARD_LISTS] = "lists",
                                    [MR_SHARD_FILES] = "files",
                                    [MR_SHARD_TENSORS] = "tensors"};

/* ---- gathering ---- */

static void count(struct list *l, const struct mr_shard *s)
{
    for (uint32_t i = 0; i < s->ncolumns && i < l->first.ncolumns; i++) {
        const struct mr_shard_column *c = &s->column[i];
        if (c->max_entries > l->column[i].max_entries)
            l->column[i].max_entries = c->max_entries;
        for (uint64_t k = 0; c->places && k < s->samples; k++) {
            uint64_t bytes = mr__shard_place(c, k).bytes;
            l->column[i].bodies += bytes != 0;
            l->column[i].bytes += bytes;
        }
    }
}

static int gather(struct list *l, const char *path, struct mr_errbuf *e)
{
    int rc = mr__shard_set_read(&l->set, path, e);
    for (uint64_t i = 0; rc == MR_OK && i < l->set.n; i++) {
        struct mr_shard s;
        rc = mr__shard_set_open(&l->set, i, true, &s, e);
        if (rc < 0)
            break;
        l->bytes += s.bytes;
        if (!i)
            l->first = s;
        count(l, &s);
        if (i)
            mr__shard_close(&s);
    }
    return rc;
}

/* ---- text ---- */

static void put_size(struct mr_text *t, uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        size /= 1000;
    mr__text_addf(t, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

static void put_column(struct mr_text *t, const struct list *l, uint32_t i)
{
    const struct mr_shard_column *c = &l->first.column[i];
    mr__text_addf(t, "  %-16s %-8s", mr__printable(c->name, strlen(c->name)).text, kinds[c->kind]);
    if (c->kind != MR_SHARD_FILES)
        mr__text_addf(t, " %s", mr_dtype_name(c->dtype));
    if (c->width > 1 || c->kind == MR_SHARD_LISTS)
        mr__text_addf(t, " x %u", c->width);
    if (c->kind == MR_SHARD_LISTS)
        mr__text_addf(t, ", up to %u entries", l->column[i].max_entries);
    for (uint32_t k = 0; k < c->ndim; k++)
        mr__text_addf(t, "%s%llu", k ? ", " : " [", (unsigned long long)c->shape[k]);
    if (c->ndim)
        mr__text_addf(t, "]");
    if (c->places) {
        mr__text_addf(t, " %llu, ", (unsigned long long)l->column[i].bodies);
        put_size(t, l->column[i].bytes);
    }
    mr__text_addf(t, "\n");
}

static void put_text(struct mr_text *t, const struct list *l)
{
    const struct mr_shard_set *set = &l->set;
    mr__text_addf(t, "%llu samples in %llu shard%s, ", (unsigned long long)set->samples,
                  (unsigned long long)set->n, set->n == 1 ? "" : "s");
    put_size(t, l->bytes);
    mr__text_addf(t, ", mode %s, format %d.%d, written by %s\n",
                  mr__printable(set->mode, strlen(set->mode)).text, l->first.major, l->first.minor,
                  mr__printable(set->written_by, strlen(set->written_by)).text);
    mr__text_addf(t, "columns:\n");
    for (uint32_t i = 0; i < l->first.ncolumns; i++)
        put_column(t, l, i);
    mr__text_addf(t, "classes: %llu\n", (unsigned long long)l->first.classes);
    for (uint64_t i = 0; i < l->first.classes; i++) {
        size_t n;
        const char *name = mr__shard_class(&l->first, i, &n);
        mr__text_addf(t, "  %-6llu %s\n", (unsigned long long)i, mr__printable(name, n).text);
    }
    mr__text_addf(t, "shards:\n");
    for (uint64_t i = 0; i < set->n; i++) {
        const struct mr_shard_line *line = &set->line[i];
        mr__text_addf(t, "  %s  from %llu, %llu samples, %llu bytes, %016llx\n",
                      mr__printable(line->file, strlen(line->file)).text,
                      (unsigned long long)line->first, (unsigned long long)line->samples,
                      (unsigned long long)line->bytes, (unsigned long long)line->check);
    }
}

/* ---- JSON ---- */

static void json_text(struct mr_json *j, const char *key, const char *value)
{
    mr__json_key(j, key);
    mr__json_str(j, value);
}

static void json_number(struct mr_json *j, const char *key, uint64_t value)
{
    mr__json_key(j, key);
    mr__json_u64(j, value);
}

static void json_hex(struct mr_json *j, const char *key, uint64_t value)
{
    char text[20];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    json_text(j, key, text);
}

static void json_column(struct mr_json *j, const struct list *l, uint32_t i)
{
    const struct mr_shard_column *c = &l->first.column[i];
    mr__json_begin_object(j);
    json_text(j, "name", c->name);
    json_text(j, "kind", kinds[c->kind]);
    json_text(j, "dtype", mr_dtype_name(c->dtype));
    json_number(j, "width", c->width);
    if (c->kind == MR_SHARD_LISTS)
        json_number(j, "max_entries", l->column[i].max_entries);
    if (c->kind == MR_SHARD_TENSORS) {
        mr__json_key(j, "shape");
        mr__json_begin_array(j);
        for (uint32_t k = 0; k < c->ndim; k++)
            mr__json_u64(j, c->shape[k]);
        mr__json_end_array(j);
    }
    if (c->places) {
        json_number(j, "bodies", l->column[i].bodies);
        json_number(j, "bytes", l->column[i].bytes);
    }
    mr__json_end_object(j);
}

static void json_classes(struct mr_json *j, const struct list *l)
{
    mr__json_key(j, "classes");
    mr__json_begin_array(j);
    for (uint64_t i = 0; i < l->first.classes; i++) {
        size_t n;
        const char *name = mr__shard_class(&l->first, i, &n);
        char *text = strndup(name, n);
        mr__json_str(j, text);
        free(text);
    }
    mr__json_end_array(j);
}

static void json_shards(struct mr_json *j, const struct mr_shard_set *set)
{
    mr__json_key(j, "shards");
    mr__json_begin_array(j);
    for (uint64_t i = 0; i < set->n; i++) {
        mr__json_begin_object(j);
        json_text(j, "file", set->line[i].file);
        json_number(j, "first", set->line[i].first);
        json_number(j, "samples", set->line[i].samples);
        json_number(j, "bytes", set->line[i].bytes);
        json_hex(j, "check", set->line[i].check);
        mr__json_end_object(j);
    }
    mr__json_end_array(j);
}

static void put_json(struct mr_json *j, const struct list *l)
{
    char format[16];
    snprintf(format, sizeof format, "%d.%d", l->first.major, l->first.minor);
    mr__json_begin_object(j);
    json_text(j, "format", format);
    json_text(j, "written_by", l->set.written_by);
    json_text(j, "mode", l->set.mode);
    json_hex(j, "fingerprint", l->set.fingerprint);
    json_number(j, "samples", l->set.samples);
    json_number(j, "bytes", l->bytes);
    mr__json_key(j, "columns");
    mr__json_begin_array(j);
    for (uint32_t i = 0; i < l->first.ncolumns; i++)
        json_column(j, l, i);
    mr__json_end_array(j);
    json_classes(j, l);
    json_shards(j, &l->set);
    mr__json_end_object(j);
}

/* ---- the call ---- */

int mr_shards_list(const char *path, const char *format, char **text)
{
    struct mr_errbuf e = {0};
    struct list l = {0};
    bool json = format && !strcmp(format, "json");
    int rc = MR_OK;
    if (!path || !text || (format && !json && strcmp(format, "text") != 0))
        rc = mr__fail(&e, MR_E_USAGE,
                      "mr_shards_list needs a path, and \"text\" or \"json\" as format");
    else
        rc = gather(&l, path, &e);
    if (rc == MR_OK) {
        struct mr_text t = {0};
        struct mr_json j = {.indent = 2};
        if (json)
            put_json(&j, &l);
        else
            put_text(&t, &l);
        *text = json ? mr__json_take(&j) : mr__text_take(&t);
        if (!*text)
            rc = mr__fail(&e, MR_E_MEMORY, "not enough memory for the list of the shards");
    }
    mr__shard_close(&l.first);
    mr__shard_set_free(&l.set);
    return rc < 0 ? mr__keep_error(&e) : rc;
}
