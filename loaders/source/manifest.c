/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest.c: a CSV file with a row per sample; its header names and types the columns
 * (manifest_header.h). The order of the rows is the order of the samples. Files are not looked for
 * here: one that is missing is a bad sample when it is read, and a million of them would be a
 * million system calls.
 */
#include "manifest_cells.h"
#include "path_source.h"

#include "base/open_file.h"
#include "base/origin.h"
#include "base/printable.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum separator { COMMA, TAB };

struct manifest_params {
    const char *path, *root;
    int separator;
};

/* ---- rows ----------------------------------------------------------------------------------- */

static const struct {
    enum mr_column_kind kind;
    bool labels;
} columns_of[] = {
    [MR_CELL_PATH] = {MR_COL_PATH, false},     [MR_CELL_LABEL] = {MR_COL_FIXED, true},
    [MR_CELL_CLASS] = {MR_COL_FIXED, true},    [MR_CELL_FIXED] = {MR_COL_FIXED, false},
    [MR_CELL_RAGGED] = {MR_COL_RAGGED, false}, [MR_CELL_BOXES] = {MR_COL_RAGGED, false},
};

static int make_columns(struct mr_manifest *m)
{
    for (int i = 0; i < m->ncolumns; i++) {
        struct mr_manifest_column *column = &m->column[i];
        if (column->kind == MR_CELL_IGNORED)
            continue;
        bool labels = columns_of[column->kind].labels;
        column->column = mr__index_add_column(m->b, column->name, columns_of[column->kind].kind,
                                              labels ? MR_I64 : column->dtype, column->width, m->e);
        if (column->column < 0)
            return mr__csv_error(&m->csv, i, m->e, "%.400s", m->e->text);
        if (!labels)
            continue;
        m->label = i;
        int rc = mr__labels_new(&m->labels, m->e);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

static int add_row(struct mr_manifest *m)
{
    if (m->csv.ncells != m->ncolumns)
        return mr__csv_error(&m->csv, 0, m->e, "the row has %d cells, the header %d", m->csv.ncells,
                             m->ncolumns);
    int rc = MR_OK;
    for (int i = 0; i < m->ncolumns && rc == MR_OK; i++)
        rc = mr__manifest_cell(m, i);
    return rc;
}

static int read_rows(struct mr_manifest *m)
{
    int rc = mr__csv_next(&m->csv, m->e);
    if (rc == MR_OK) {
        m->ncolumns = m->csv.ncells;
        rc = mr__manifest_header(&m->csv, m->column, m->e);
    }
    if (rc == MR_OK)
        rc = make_columns(m);
    bool any = false;
    while (rc == MR_OK && (rc = mr__csv_next(&m->csv, m->e)) == MR_OK) {
        rc = add_row(m);
        any = true;
    }
    if (rc == MR_END && !any)
        return mr__fail_at(m->e, MR_E_CONFIG, m->csv.name, (uint64_t)m->csv.line, 1,
                           "the manifest has no %s",
                           m->ncolumns ? "row behind its header" : "line");
    if (rc == MR_END && m->labels)
        rc = mr__labels_finish(m->labels, m->column[m->label].kind == MR_CELL_CLASS, m->b,
                               m->column[m->label].column, m->e);
    return rc == MR_END ? MR_OK : rc;
}

/* ---- the source ----------------------------------------------------------------------------- */

/* Where relative paths start: `root`, or the folder that the manifest lies in. */
static int set_root(struct mr_manifest *m, const struct manifest_params *p)
{
    char folder[PATH_MAX], real[PATH_MAX];
    const char *slash = strrchr(p->path, '/'), *from = p->root;
    if (!from) {
        size_t n = slash ? (size_t)(slash - p->path) + 1 : 1;
        if (n >= sizeof folder)
            return mr__fail(m->e, MR_E_IO, "the manifest's path is too long");
        memcpy(folder, slash ? p->path : ".", n);
        folder[n] = 0;
        from = folder;
    }
    if (!realpath(from, real))
        return mr__fail_errno(m->e, MR_E_IO, "cannot open folder '%s'", from);
    if (!mr__origin_add_real(mr__index_origins(m->b), from, real))
        return mr__fail(m->e, MR_E_MEMORY, "not enough memory to read the manifest");
    return mr__index_set_root(m->b, real, m->e);
}

static int open_manifest(const char *path, struct mr_buf *origins, struct mr_errbuf *e)
{
    struct stat st;
    int fd = mr__open_file(path);
    if (fd < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot open manifest '%s'",
                              mr__printable(path, strlen(path)).text);
    bool file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (file && mr__origin_add(origins, path, &st))
        return fd;
    close(fd);
    if (file)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read the manifest");
    return mr__fail(e, MR_E_IO, "manifest '%s' is not a file",
                    mr__printable(path, strlen(path)).text);
}

static int read_manifest(struct mr_manifest *m, const struct manifest_params *p, int fd)
{
    int rc = mr__csv_open(&m->csv, fd, p->path, p->separator == TAB ? '\t' : ',', m->e);
    if (rc == MR_OK)
        rc = set_root(m, p);
    if (rc == MR_OK)
        rc = read_rows(m);
    mr__csv_close(&m->csv);
    return rc;
}

static int manifest_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct manifest_params *p = params;
    int fd = open_manifest(p->path, mr__index_origins(b), e);
    if (fd < 0)
        return fd;
    int rc = MR_E_MEMORY;
    struct mr_manifest *m = calloc(1, sizeof *m);
    if (m) {
        m->b = b;
        m->e = e;
        rc = read_manifest(m, p, fd);
        mr__labels_free(m->labels);
        mr__buf_free(&m->numbers);
        free(m);
    } else {
        mr__fail(e, rc, "not enough memory to read the manifest");
    }
    close(fd);
    return rc;
}

static const char *const separators[] = {"comma", "tab", NULL};
static const struct mr_opt manifest_opts[] = {
    {.name = "path",
     .type = MR_OPT_PATH,
     .off = offsetof(struct manifest_params, path),
     .help =
         "CSV file; its first line names and types the columns: image, mask, label, boxes:f32[4], "
         "name:f32, name:i64[3] ..."},
    {.name = "root",
     .type = MR_OPT_PATH,
     .off = offsetof(struct manifest_params, root),
     .def = "",
     .help = "folder that relative paths start from; default: the manifest's"},
    {.name = "separator",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct manifest_params, separator),
     .def = "comma",
     .names = separators,
     .help = "what stands between cells"},
    MR_OPTS_END,
};

const struct mr_source mr__source_manifest = {
    .d = {.name = "manifest",
          .help = "a CSV file with a row per sample: files, labels, boxes and other numbers",
          .params_size = sizeof(struct manifest_params),
          .opts = manifest_opts},
    .index = manifest_index,
    .open = mr__path_source_open,
    .read = mr__path_source_read,
    .close = mr__path_source_close,
    .ahead = mr__path_source_ahead,
};
