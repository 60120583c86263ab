/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest_header.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WIDTH 65536

static const struct {
    const char *name;
    enum mr_dtype dtype;
} types[] = {
    {"u8", MR_U8},   {"i16", MR_I16}, {"u16", MR_U16}, {"i32", MR_I32},
    {"i64", MR_I64}, {"f32", MR_F32}, {"f64", MR_F64},
};
#define NTYPES (sizeof types / sizeof types[0])

/* Columns that need no type, and what they are. */
static const struct {
    const char *name;
    enum mr_cell_kind kind;
} known[] = {{"image", MR_CELL_PATH}, {"mask", MR_CELL_PATH}, {"label", MR_CELL_LABEL}};
#define NKNOWN (sizeof known / sizeof known[0])

static int unknown_type(const struct mr_csv *c, int i, const char *type, struct mr_errbuf *e)
{
    const char *names[NTYPES + 2] = {"class", "ignore"};
    for (size_t k = 0; k < NTYPES; k++)
        names[2 + k] = types[k].name;
    const char *near = mr__nearest(type, names, NTYPES + 2);
    return mr__csv_error(c, i, e,
                         "unknown type '%.40s' in column '%.80s'%s%s%s (types are u8, i16, u16, "
                         "i32, i64, f32, f64, with [N] behind for N numbers or [*][N] for any "
                         "number of N; and ignore)",
                         type, mr__csv_text(c, i), near ? "; did you mean '" : "", near ? near : "",
                         near ? "'?" : "");
}

static int find_dtype(const char *name, size_t n)
{
    for (size_t i = 0; i < NTYPES; i++) {
        const char *longer = mr_dtype_name(types[i].dtype);
        if ((strlen(types[i].name) == n && !memcmp(types[i].name, name, n)) ||
            (strlen(longer) == n && !memcmp(longer, name, n)))
            return (int)types[i].dtype;
    }
    return -1;
}

/* "[N]" at *text: N from 1; "[*]": 0; -1: neither. Moves *text behind it. */
static long read_dimension(const char **text)
{
    char *end = NULL;
    const char *at = *text + 1;
    long n = 0;
    if (**text != '[')
        return -1;
    if (*at == '*')
        end = (char *)(uintptr_t)(at + 1);
    else if (isdigit((unsigned char)*at) && (n = strtol(at, &end, 10)) < 1)
        return -1;
    if (!end || *end != ']' || n > MAX_WIDTH)
        return -1;
    *text = end + 1;
    return n;
}

/* dtype, dtype[N], dtype[*] or dtype[*][N]; false: none of them. */
static bool read_numbers_type(const char *type, struct mr_manifest_column *column)
{
    const char *dims = type + strcspn(type, "[");
    int dtype = find_dtype(type, (size_t)(dims - type));
    if (dtype < 0)
        return false;
    column->dtype = (enum mr_dtype)dtype;
    column->kind = MR_CELL_FIXED;
    long n = *dims ? read_dimension(&dims) : 1;
    if (n == 0) {
        column->kind = MR_CELL_RAGGED;
        n = *dims ? read_dimension(&dims) : 1;
    }
    column->width = (uint32_t)n;
    return n > 0 && !*dims;
}

/* boxes:f32[4] has a number of boxes per cell: a cell with exactly one would have to be called
 * `box`. */
static int check_boxes(const struct mr_csv *c, int i, struct mr_manifest_column *column,
                       struct mr_errbuf *e)
{
    if (strcmp(column->name, "boxes"))
        return MR_OK;
    if (column->dtype != MR_F32 || column->width != 4)
        return mr__csv_error(c, i, e, "column 'boxes' holds boxes:f32[4]: x0 y0 x1 y1 of each box");
    column->kind = MR_CELL_BOXES;
    return MR_OK;
}

static int read_type(const struct mr_csv *c, int i, const char *type,
                     struct mr_manifest_column *column, struct mr_errbuf *e)
{
    if (!strcmp(type, "ignore")) {
        column->kind = MR_CELL_IGNORED;
        return MR_OK;
    }
    if (!strcmp(column->name, "image") || !strcmp(column->name, "mask"))
        return mr__csv_error(c, i, e, "column '%s' holds paths and takes no type", column->name);
    if (!strcmp(type, "class")) {
        column->kind = MR_CELL_CLASS;
        if (strcmp(column->name, "label"))
            return mr__csv_error(c, i, e, "only the column 'label' can be a class");
        return MR_OK;
    }
    if (!read_numbers_type(type, column))
        return unknown_type(c, i, type, e);
    return check_boxes(c, i, column, e);
}

static int without_type(const struct mr_csv *c, int i, struct mr_manifest_column *column,
                        struct mr_errbuf *e)
{
    for (size_t k = 0; k < NKNOWN; k++)
        if (!strcmp(known[k].name, column->name)) {
            column->kind = known[k].kind;
            return MR_OK;
        }
    return mr__csv_error(
        c, i, e, "column '%s' has no type: write '%s:f32', '%s:i64' or another, or '%s:ignore'",
        column->name, column->name, column->name, column->name);
}

static int read_name(const struct mr_csv *c, int i, struct mr_manifest_column *columns,
                     struct mr_errbuf *e)
{
    const char *text = mr__csv_text(c, i);
    size_t n = strcspn(text, ":");
    if (n == 0)
        return mr__csv_error(c, i, e, "column %d has no name", i + 1);
    if (n >= MR_INDEX_NAME)
        return mr__csv_error(c, i, e, "column '%.60s...' has a name of over %d bytes", text,
                             MR_INDEX_NAME - 1);
    columns[i] = (struct mr_manifest_column){.width = 1, .column = -1};
    memcpy(columns[i].name, text, n);
    for (int k = 0; k < i; k++)
        if (!strcmp(columns[k].name, columns[i].name))
            return mr__csv_error(c, i, e, "column '%s' is there twice", columns[i].name);
    return MR_OK;
}

/* Checked first: a file without a header would otherwise be blamed for the type of its first path.
 * */
static int need_image(const struct mr_csv *c, struct mr_errbuf *e)
{
    for (int i = 0; i < c->ncells; i++)
        if (!strcmp(mr__csv_text(c, i), "image"))
            return MR_OK;
    return mr__csv_error(
        c, 0, e,
        "no column 'image': the first line names the columns and their types, such as "
        "image,label:i64");
}

int mr__manifest_header(const struct mr_csv *c, struct mr_manifest_column *columns,
                        struct mr_errbuf *e)
{
    int rc = need_image(c, e);
    for (int i = 0; i < c->ncells && rc == MR_OK; i++) {
        rc = read_name(c, i, columns, e);
        if (rc < 0)
            return rc;
        const char *colon = strchr(mr__csv_text(c, i), ':');
        rc =
            colon ? read_type(c, i, colon + 1, &columns[i], e) : without_type(c, i, &columns[i], e);
    }
    return rc;
}
