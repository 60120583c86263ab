/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack_arrays.c: columns as .npy files, which NumPy and the source `npy` read: tensors, and for a
 * data set without files its numbers, too.
 */
#include "base/whole_file.h"
#include "pack/unpack_files.h"

#include "base/printable.h"
#include "base/shape.h"
#include "loaders/shard/shard_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As NumPy calls them; it has no bfloat16, whose bits these are. */
static const char *const types[MR_DTYPE_COUNT] = {
    [MR_U8] = "|u1",  [MR_I16] = "<i2",  [MR_U16] = "<u2", [MR_I32] = "<i4", [MR_I64] = "<i8",
    [MR_F16] = "<f2", [MR_BF16] = "<u2", [MR_F32] = "<f4", [MR_F64] = "<f8",
};

enum { ALIGN = 64, LEAD = 10, MAX_HEADER = 512 };

struct array {
    const struct mr_pack_data *data;
    void *reader;
    const struct mr_column *c;
    int column, fd;
    struct mr_errbuf *e;
};

/* "(100, 3, 32, 32, )" */
static size_t header_text(const struct array *a, char text[MAX_HEADER])
{
    int64_t shape[MR_MAX_DIMS] = {(int64_t)a->data->index.head->samples, a->c->width};
    int ndim = a->c->width > 1 ? 2 : 1;
    char sides[256];
    if (a->c->kind == MR_COL_TENSOR)
        ndim = 1 + mr__index_shape(&a->data->index, a->column, shape + 1);
    mr__shape_text(NULL, shape, ndim, sides, sizeof sides);
    sides[0] = '(';
    sides[strlen(sides) - 1] = 0;
    return (size_t)snprintf(text, MAX_HEADER,
                            "{'descr': '%s', 'fortran_order': False, 'shape': %s, ), }",
                            types[a->c->dtype], sides);
}

static bool add_header(const struct array *a, struct mr_buf *to)
{
    uint8_t file[LEAD + MAX_HEADER] = "\x93NUMPY\x01";
    char *text = (char *)file + LEAD;
    size_t n = header_text(a, text), all = (LEAD + n + ALIGN) / ALIGN * ALIGN;
    memset(text + n, ' ', all - LEAD - n);
    file[all - 1] = '\n';
    mr__le_put(file + 8, all - LEAD, 2);
    return mr__buf_append(to, file, all);
}

static int write_all(const struct array *a, const struct mr_buf *b)
{
    size_t at = 0;
    while (at < b->n) {
        ssize_t n = write(a->fd, b->data + at, b->n - at);
        if (n < 0 && errno != EINTR)
            return mr__fail_errno(a->e, MR_E_IO, "cannot write the array '%s'", a->c->name);
        at += n > 0 ? (size_t)n : 0;
    }
    return MR_OK;
}

/* Appends a sample's numbers. */
static int add_row(const struct array *a, uint64_t sample, struct mr_buf *to)
{
    uint64_t size = mr_dtype_size((mr_dtype)a->c->dtype), bytes = a->c->width * size, entries;
    if (!mr__buf_reserve(to, bytes))
        return mr__fail(a->e, MR_E_MEMORY, "not enough memory for a row of '%s'", a->c->name);
    uint8_t *row = to->data + to->n;
    int rc = MR_OK;
    if (a->c->kind == MR_COL_TENSOR)
        rc = a->data->source->tensor(a->reader, sample, a->column, true, row, bytes, a->e);
    else
        memcpy(row, mr__index_numbers(&a->data->index, a->column, sample, &entries), bytes);
    mr__le_turn(row, a->c->width, size);
    to->n += bytes;
    return rc;
}

static int write_array(const struct array *a)
{
    struct mr_buf block = {0};
    int rc = add_header(a, &block) ? MR_OK : mr__fail(a->e, MR_E_MEMORY, "not enough memory");
    for (uint64_t i = 0; i < a->data->index.head->samples && rc >= 0; i++) {
        rc = add_row(a, i, &block);
        if (rc >= 0 && block.n >= 1 << 20) {
            rc = write_all(a, &block);
            block.n = 0;
        }
    }
    if (rc >= 0)
        rc = write_all(a, &block);
    mr__buf_free(&block);
    return rc;
}

/* Whole or not at all. */
static int make_file(struct array *a, const char *out)
{
    struct mr_out file;
    char *path;
    if (asprintf(&path, "%s/%s.npy", out, a->c->name) < 0)
        return mr__fail(a->e, MR_E_MEMORY, "not enough memory for a name");
    int rc = MR_OK;
    if (strchr(a->c->name, '/') || a->c->name[0] == '.')
        rc = mr__fail(a->e, MR_E_DATA, "the column '%s' cannot be the name of a file",
                      mr__printable(a->c->name, strlen(a->c->name)).text);
    else if (mr__out_begin(&file, path) < 0)
        rc = mr__fail_errno(a->e, MR_E_IO, "cannot write '%s'",
                            mr__printable(path, strlen(path)).text);
    if (rc >= 0) {
        a->fd = file.fd;
        rc = write_array(a);
        if (rc >= 0 && mr__out_publish(&file, path) < 0)
            rc = mr__fail_errno(a->e, MR_E_IO, "cannot write '%s'",
                                mr__printable(path, strlen(path)).text);
        mr__out_drop(&file);
    }
    free(path);
    return rc;
}

int mr__unpack_arrays(const struct mr_pack_data *d, bool numbers, const char *out,
                      struct mr_errbuf *e)
{
    struct array a = {.data = d, .e = e};
    int rc = MR_OK;
    for (int i = 0; i < (int)d->index.head->columns && rc >= 0; i++) {
        a.c = &d->index.head->column[i];
        a.column = i;
        bool wanted = a.c->kind == MR_COL_TENSOR || (numbers && a.c->kind == MR_COL_FIXED);
        if (!wanted || strchr(a.c->name, '@')) /* that is what a source keeps for itself */
            continue;
        if (!a.reader)
            rc = mr__pack_data_reader(d, &a.reader, e);
        if (rc >= 0)
            rc = make_file(&a, out);
    }
    mr__pack_data_reader_close(d, a.reader);
    return rc;
}
