/* SPDX-License-Identifier: Apache-2.0
 *
 * raw_source.c: a file of equal records without a header, or behind one that is passed over. The
 * config says what a record is; nothing in the file can be held against it but its length.
 */
#include "array_source.h"
#include "raw_columns.h"

#include "base/printable.h"

#include <string.h>

enum order { LITTLE, BIG };

struct raw_params {
    const char *path;
    struct mr_strs columns;
    int64_t header;
    int byte_order;
};

static bool other_order(const struct raw_params *p)
{
    bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return (p->byte_order == BIG) != big;
}

/* Columns one behind the other: *record bytes in all. */
static int add_columns(const struct raw_params *p, struct mr_array_set *set, int file,
                       uint64_t *record, struct mr_errbuf *e)
{
    *record = 0;
    for (int i = 0; i < p->columns.n; i++) {
        struct mr_array what = {0};
        size_t n;
        int rc = mr__raw_column(p->columns.v[i], &what, &n, e);
        struct mr_array *a = rc < 0 ? NULL : mr__array_set_add(set, p->columns.v[i], n, e);
        if (!a)
            return e->code;
        memcpy(what.name, a->name, sizeof what.name);
        what.file = file;
        what.swapped = mr_dtype_size(what.dtype) > 1 && other_order(p);
        what.at = *record;
        *a = what;
        *record += what.row_bytes; /* less than 2^63 of them together */
    }
    return MR_OK;
}

static int place_rows(const struct raw_params *p, struct mr_array_set *set, int file,
                      uint64_t record, struct mr_errbuf *e)
{
    uint64_t bytes = (uint64_t)set->file[file].seen.st_size, header = (uint64_t)p->header;
    const char *path = set->file[file].path;
    if (header > bytes || (bytes - header) % record)
        return mr__fail(e, MR_E_DATA,
                        "'%s' has %llu bytes: behind a header of %llu that is no whole number of "
                        "records of %llu bytes; check 'columns' and 'header'",
                        mr__printable(path, strlen(path)).text, (unsigned long long)bytes,
                        (unsigned long long)header, (unsigned long long)record);
    for (int i = 0; i < set->n; i++) {
        set->array[i].at += header;
        set->array[i].step = record;
        set->array[i].rows = (bytes - header) / record;
    }
    return MR_OK;
}

static int open_records(const void *params, const struct mr_index *index, struct mr_array_set *set,
                        struct mr_buf *origins, struct mr_errbuf *e)
{
    const struct raw_params *p = params;
    uint64_t record;
    (void)index, (void)origins; /* the file is all there is */
    int file = mr__array_set_file(set, p->path, e);
    int rc = file < 0 ? file : add_columns(p, set, file, &record, e);
    return rc < 0 ? rc : place_rows(p, set, file, record, e);
}

static int raw_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    return mr__array_index(open_records, params, b, e);
}

static int raw_open(const void *params, const struct mr_index *index,
                    const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    (void)limits; /* they are about images: a row has the size that the config says */
    return mr__array_open(open_records, params, index, self, e);
}

static int raw_roots(const void *params, struct mr_buf *paths, struct mr_errbuf *e)
{
    return mr__array_roots(open_records, params, paths, e);
}

static int raw_check(const void *params, struct mr_errbuf *e)
{
    const struct raw_params *p = params;
    struct mr_array_set set = {0};
    uint64_t record;
    if (!p->columns.n)
        return mr__fail(e, MR_E_CONFIG, "columns: name at least one, such as \"x:f32[3,32,32]\"");
    return add_columns(p, &set, 0, &record, e);
}

static const char *const byte_orders[] = {"little", "big", NULL};
static const struct mr_opt raw_opts[] = {
    {.name = "path",
     .type = MR_OPT_PATH,
     .off = offsetof(struct raw_params, path),
     .help = "a file of equal records"},
    {.name = "columns",
     .type = MR_OPT_STRS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct raw_params, columns),
     .help = "what a record is made of, in its order: \"label:u8\", \"x:f32[3,32,32]\""},
    {.name = "header",
     .type = MR_OPT_INT,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct raw_params, header),
     .def = "0",
     .max = 1e15,
     .unit = "bytes",
     .help = "what stands before the first record, and is passed over"},
    {.name = "byte_order",
     .type = MR_OPT_ENUM,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct raw_params, byte_order),
     .def = "little",
     .names = byte_orders,
     .help = "of the numbers in the file"},
    MR_OPTS_END,
};

const struct mr_source mr__source_raw = {
    .d = {.name = "raw",
          .help = "a file of equal records without a header: tensors and numbers, as the config "
                  "says",
          .params_size = sizeof(struct raw_params),
          .opts = raw_opts,
          .check = raw_check},
    .index = raw_index,
    .open = raw_open,
    .read = mr__array_read,
    .close = mr__array_close,
    .ahead = mr__array_read_ahead,
    .tensor = mr__array_tensor,
    .roots = raw_roots,
};
