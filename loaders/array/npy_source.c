/* SPDX-License-Identifier: Apache-2.0
 *
 * npy_source.c: arrays that NumPy has saved. The first dimension of each counts the samples; each
 * is a column.
 */
#include "array_source.h"
#include "npy_open.h"

struct npy_params {
    const char *path;
    struct mr_strs columns;
};

static int open_arrays(const void *params, const struct mr_index *index, struct mr_array_set *set,
                       struct mr_buf *origins, struct mr_errbuf *e)
{
    const struct npy_params *p = params;
    struct mr_array_names names = {.columns = &p->columns, .index = index};
    int rc = mr__npy_open(p->path, &names, set, origins, e);
    mr__array_names_free(&names);
    return rc;
}

static int npy_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    return mr__array_index(open_arrays, params, b, e);
}

static int npy_open(const void *params, const struct mr_index *index,
                    const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    (void)limits; /* they are about images: a row has the size that the config says */
    return mr__array_open(open_arrays, params, index, self, e);
}

static int npy_roots(const void *params, struct mr_buf *paths, struct mr_errbuf *e)
{
    return mr__array_roots(open_arrays, params, paths, e);
}

static int npy_check(const void *params, struct mr_errbuf *e)
{
    return mr__array_names_check(&((const struct npy_params *)params)->columns, e);
}

static const struct mr_opt npy_opts[] = {
    {.name = "path",
     .type = MR_OPT_PATH,
     .off = offsetof(struct npy_params, path),
     .help = "a .npy file, an uncompressed .npz archive, or a folder of .npy files: an array is a "
             "column, its first dimension counts the samples"},
    {.name = "columns",
     .type = MR_OPT_STRS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct npy_params, columns),
     .def = "[]",
     .help = "arrays to take, each as \"array\" or \"column=array\"; default: all"},
    MR_OPTS_END,
};

const struct mr_source mr__source_npy = {
    .d = {.name = "npy",
          .help = "arrays that NumPy has saved: tensors of one shape, and numbers such as labels",
          .params_size = sizeof(struct npy_params),
          .opts = npy_opts,
          .check = npy_check},
    .index = npy_index,
    .open = npy_open,
    .read = mr__array_read,
    .close = mr__array_close,
    .ahead = mr__array_read_ahead,
    .tensor = mr__array_tensor,
    .roots = npy_roots,
};
