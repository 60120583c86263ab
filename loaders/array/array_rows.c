/* SPDX-License-Identifier: Apache-2.0
 *
 * array_rows.c: rows straight to where they are wanted: large ones that are in memory out of a
 * mapping, if a file cut short under it is taken care of; all others by pread().
 */
#include "array_set.h"

#include "file_bytes.h"

#include "base/printable.h"
#include "loaders/source/ask_file.h"

#include <string.h>

/* ---- byte order ---- */

#define SWAP(bits)                                                   \
    static void swap##bits(void *data, uint64_t bytes)               \
    {                                                                \
        uint8_t *p = data;                                           \
        for (uint64_t i = 0; i + bits / 8 <= bytes; i += bits / 8) { \
            uint##bits##_t v;                                        \
            memcpy(&v, p + i, sizeof v);                             \
            v = __builtin_bswap##bits(v);                            \
            memcpy(p + i, &v, sizeof v);                             \
        }                                                            \
    }
SWAP(16)
SWAP(32)
SWAP(64)

static void swap(const struct mr_array *a, void *data, uint64_t bytes)
{
    size_t size = mr_dtype_size(a->dtype);
    if (!a->swapped)
        return;
    if (size == 2)
        swap16(data, bytes);
    else if (size == 4)
        swap32(data, bytes);
    else if (size == 8)
        swap64(data, bytes);
}

/* ---- rows ---- */

static int about_row(const struct mr_array_set *set, const struct mr_array *a, uint64_t row,
                     struct mr_errbuf *e)
{
    const char *path = set->file[a->file].path;
    return mr__context(e, "'%s', sample %llu of '%s'", mr__printable(path, strlen(path)).text,
                       (unsigned long long)row, a->name);
}

/* What is there now is what was there when the file was opened, as far as its times tell. */
static int check_same(const struct mr_array_file *f, struct mr_errbuf *e)
{
    struct stat now;
    if (fstat(f->fd, &now) < 0)
        return mr__fail_errno(e, MR_E_DATA, "cannot look at it");
    if (now.st_size == f->seen.st_size && now.st_mtim.tv_sec == f->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == f->seen.st_mtim.tv_nsec)
        return MR_OK;
    return mr__fail(e, MR_E_DATA, "the file was changed while it was in use");
}

static int finish(const struct mr_array_set *set, const struct mr_array *a, uint64_t first,
                  uint64_t n, void *to, struct mr_errbuf *e)
{
    if (check_same(&set->file[a->file], e) < 0)
        return about_row(set, a, first, e);
    swap(a, to, n * a->row_bytes);
    return MR_OK;
}

int mr__array_rows(const struct mr_array_set *set, const struct mr_array *a, uint64_t first,
                   uint64_t n, void *to, struct mr_errbuf *e)
{
    int fd = set->file[a->file].fd;
    bool together = a->step == a->row_bytes;
    uint64_t pieces = together ? 1 : n, bytes = together ? n * a->row_bytes : a->row_bytes;
    uint8_t *next = to;
    for (uint64_t i = 0; i < pieces; i++, next += bytes)
        if (mr__file_bytes(fd, a->at + (first + i) * a->step, next, bytes, e) < 0)
            return about_row(set, a, first + i, e);
    return finish(set, a, first, n, to, e);
}

int mr__array_row(const struct mr_array_set *set, const struct mr_array *a, uint64_t row,
                  bool at_once, void *to, struct mr_errbuf *e)
{
    struct mr_mapped_copy copy = {to, a->row_bytes};
    bool seen_next = at_once || a->swapped;
    if (!seen_next && mr__cached_bytes(set->file[a->file].fd, a->at + row * a->step, a->row_bytes,
                                       mr__mapped_copy, &copy))
        return finish(set, a, row, 1, to, e);
    return mr__array_rows(set, a, row, 1, to, e);
}

enum mr_cached mr__array_ahead(const struct mr_array_set *set, const struct mr_array *a,
                               uint64_t row, uint64_t most)
{
    int fd = set->file[a->file].fd;
    return mr__ask_range(fd, a->at + row * a->step, a->row_bytes < most ? a->row_bytes : most);
}
