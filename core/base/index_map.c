/* SPDX-License-Identifier: Apache-2.0
 *
 * index_map.c: mapping an index, with the numbers in it checked first. The seals of a memfd are
 * part of the check: without them the bytes could change, or go, afterwards. A file has none; why
 * it may be mapped all the same is told in core/README.md.
 */
#include "index.h"
#include "index_file.h"
#include "index_format.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int damaged(struct mr_errbuf *e, const char *what)
{
    return mr__fail(e, MR_E_CORRUPT, "the index of the data set is damaged: %s", what);
}

/* `count` elements of `size` bytes lie at `offset`, inside the mapping and behind the head. */
static bool array_fits(const struct mr_index *index, uint64_t offset, uint64_t count, uint64_t size)
{
    uint64_t bytes, end;
    return offset >= sizeof *index->head && offset % MR_INDEX_ALIGN == 0 &&
           !__builtin_mul_overflow(count, size, &bytes) &&
           !__builtin_add_overflow(offset, bytes, &end) && end <= index->bytes;
}

/* u64[n + 1] at `at`: from 0, never falling, no step above `step`, and data for all of it at
 * `data`. Of a file, whose bytes have a checksum, the offsets are looked at when they are used. */
static bool ragged_fits(const struct mr_index *index, bool deep, uint64_t at, uint64_t n,
                        uint64_t data, uint64_t entry, uint64_t step)
{
    if (n == UINT64_MAX || !array_fits(index, at, n + 1, sizeof(uint64_t)))
        return false;
    if (!deep)
        return array_fits(index, data, 0, entry);
    const uint64_t *offsets = (const uint64_t *)(index->base + at);
    if (offsets[0] != 0)
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (offsets[i + 1] < offsets[i] || offsets[i + 1] - offsets[i] > step)
            return false;
    return array_fits(index, data, offsets[n], entry);
}

/* Text without a NUL: a path would end early at one. */
static bool text_fits(const struct mr_index *index, bool deep, uint64_t at, uint64_t n,
                      uint64_t data)
{
    if (!ragged_fits(index, deep, at, n, data, 1, UINT64_MAX))
        return false;
    uint64_t bytes = deep ? ((const uint64_t *)(index->base + at))[n] : 0;
    return !bytes || !memchr(index->base + data, 0, bytes);
}

/* The shape lies inside, and has as many numbers as the column says. */
static bool tensor_fits(const struct mr_index *index, const struct mr_column *c)
{
    uint64_t n = 1;
    if (c->offsets || c->max_entries < 1 || c->max_entries > MR_MAX_DIMS - 1 ||
        !array_fits(index, c->data, c->max_entries, sizeof(int64_t)))
        return false;
    const int64_t *shape = (const int64_t *)(index->base + c->data);
    mr__index_need(index, shape, c->max_entries * sizeof *shape);
    for (uint32_t d = 0; d < c->max_entries; d++)
        if (shape[d] < 1 || __builtin_mul_overflow(n, (uint64_t)shape[d], &n))
            return false;
    return n == c->width;
}

static bool column_fits(const struct mr_index *index, bool deep, const struct mr_column *c)
{
    uint64_t n = index->head->samples;
    if (c->name[0] == 0 || !memchr(c->name, 0, sizeof c->name))
        return false;
    bool stored = c->kind != MR_COL_TENSOR;
    if (c->width < 1 || (stored && c->width > MR_INDEX_MAX_WIDTH) || c->dtype >= MR_DTYPE_COUNT)
        return false;
    uint64_t entry = c->width * mr_dtype_size(c->dtype);
    if (index->head->parts && !stored)
        return true;
    if (index->head->parts)
        return array_fits(index, index->head->zeros, 1, entry);
    uint64_t step = c->max_entries;
    switch (c->kind) {
    case MR_COL_PATH: return text_fits(index, deep, c->offsets, n, c->data);
    case MR_COL_FIXED: return array_fits(index, c->data, c->period ? c->period : n, entry);
    case MR_COL_RAGGED: return ragged_fits(index, deep, c->offsets, n, c->data, entry, step);
    case MR_COL_MADE: return !c->offsets && !c->data && entry == 1;
    case MR_COL_TENSOR: return tensor_fits(index, c);
    }
    return false;
}

static int check(const struct mr_index *index, bool deep, struct mr_errbuf *e);

/* A column of the whole is that of the part, or the part has none. */
static bool same_column(const struct mr_column *whole, const struct mr_index_head *part, uint8_t i)
{
    if (i == MR_INDEX_NO_COLUMN)
        return true;
    const struct mr_column *c = &part->column[i];
    return i < part->columns && c->dtype == whole->dtype && c->width == whole->width &&
           mr__index_same_kind(c->kind, whole->kind) && !strcmp(c->name, whole->name);
}

static int check_part(const struct mr_index *index, bool deep, uint64_t i, uint64_t first,
                      struct mr_errbuf *e)
{
    const struct mr_index_part *part = &mr__index_parts(index)[i];
    if (!memchr(part->name, 0, sizeof part->name) || part->first != first ||
        part->bytes < sizeof(struct mr_index_head) || !array_fits(index, part->at, part->bytes, 1))
        return damaged(e, "a part lies outside");
    struct mr_index own = mr__index_of_part(index, part);
    mr__index_need(&own, own.head, sizeof *own.head);
    if (own.head->parts || own.head->samples != part->samples)
        return damaged(e, "a part is not what it is said to be");
    int rc = check(&own, deep, e);
    for (uint64_t c = 0; rc == MR_OK && c < index->head->columns; c++)
        if (!same_column(&index->head->column[c], own.head, part->column[c]))
            return damaged(e, "the columns of a part are others");
    return rc;
}

static int check_parts(const struct mr_index *index, bool deep, struct mr_errbuf *e)
{
    const struct mr_index_head *head = index->head;
    uint64_t first = 0;
    int rc = MR_OK;
    if (head->parts > MR_INDEX_MAX_PARTS ||
        !array_fits(index, head->part_table, head->parts, sizeof(struct mr_index_part)))
        return damaged(e, "the table of parts lies outside");
    mr__index_need(index, mr__index_parts(index), head->parts * sizeof(struct mr_index_part));
    for (uint64_t i = 0; i < head->parts && rc == MR_OK; i++) {
        rc = check_part(index, deep, i, first, e);
        if (__builtin_add_overflow(first, mr__index_parts(index)[i].samples, &first))
            return damaged(e, "impossible number of samples");
    }
    return rc == MR_OK && first != head->samples ? damaged(e, "the parts are not the whole") : rc;
}

static int check(const struct mr_index *index, bool deep, struct mr_errbuf *e)
{
    const struct mr_index_head *head = index->head;
    if (head->magic != MR_INDEX_MAGIC || head->bytes != index->bytes)
        return damaged(e, "it does not begin like one or is cut");
    if (head->columns < 1 || head->columns > MR_INDEX_MAX_COLUMNS)
        return damaged(e, "impossible number of columns");
    if (!array_fits(index, head->root, head->root_bytes, 1))
        return damaged(e, "the root lies outside");
    mr__index_need(index, index->base + head->root, head->root_bytes);
    if (!text_fits(index, deep, head->class_offsets, head->classes, head->class_data))
        return damaged(e, "the classes lie outside");
    for (uint64_t i = 0; i < head->columns; i++)
        if (!column_fits(index, deep, &head->column[i]))
            return mr__fail(e, MR_E_CORRUPT,
                            "the index of the data set is damaged: column %d cannot be", (int)i);
    return head->parts ? check_parts(index, deep, e) : MR_OK;
}

static int no_map(struct mr_errbuf *e)
{
    return mr__fail_errno(e, MR_E_SYSTEM, "cannot map the index of the data set");
}

static int map_memfd(struct mr_index *index, int fd, uint64_t bytes, struct mr_errbuf *e)
{
    if (bytes < sizeof(struct mr_index_head))
        return damaged(e, "it is too short");
    /* MAP_PRIVATE: Linux before 6.7 refuses MAP_SHARED of a sealed memfd; unwritten pages are
     * shared just the same. */
    void *base = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (base == MAP_FAILED)
        return no_map(e);
    *index = (struct mr_index){
        .head = base, .base = base, .bytes = bytes, .map = base, .map_bytes = bytes};
    return MR_OK;
}

static int copy_pages(struct mr_index *index, int fd, uint64_t bytes, struct mr_errbuf *e)
{
    void *base;
    struct mr_index_pages *pages = mr__index_pages_new(fd, MR_INDEX_FILE_AT, bytes, &base);
    if (!pages)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the index of the data set");
    *index = (struct mr_index){.head = base, .base = base, .bytes = bytes, .pages = pages};
    index->map = base;
    index->map_bytes = bytes;
    mr__index_need(index, index->head, sizeof *index->head);
    return MR_OK;
}

static int map_file(struct mr_index *index, int memfd, bool copy, struct mr_errbuf *e)
{
    uint64_t bytes;
    int fd = mr__index_ticket_open(memfd, &bytes, e);
    if (fd < 0 || copy)
        return fd < 0 ? fd : copy_pages(index, fd, bytes, e);
    uint8_t *map = mmap(NULL, MR_INDEX_FILE_AT + bytes, PROT_READ, MAP_SHARED, fd, 0);
    int rc = map == MAP_FAILED ? no_map(e) : MR_OK;
    close(fd);
    if (rc < 0)
        return rc;
    *index = (struct mr_index){.base = map + MR_INDEX_FILE_AT,
                               .bytes = bytes,
                               .map = map,
                               .map_bytes = MR_INDEX_FILE_AT + bytes};
    index->head = (const struct mr_index_head *)index->base;
    return MR_OK;
}

static int map_any(struct mr_index *index, int fd, bool copy, struct mr_errbuf *e)
{
    *index = (struct mr_index){0};
    struct stat st;
    uint64_t magic = 0;
    if (fstat(fd, &st) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot look at the index of the data set");
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & MR_INDEX_SEALS) != MR_INDEX_SEALS)
        return damaged(e, "it is not sealed");
    if (pread(fd, &magic, sizeof magic, 0) < 0)
        return mr__fail_errno(e, MR_E_SYSTEM, "cannot look at the index of the data set");
    bool file = magic == MR_INDEX_TICKET_MAGIC;
    int rc = file ? map_file(index, fd, copy, e) : map_memfd(index, fd, (uint64_t)st.st_size, e);
    if (rc == MR_OK)
        rc = check(index, !file && !copy, e); /* of the trainer's memfd the warden has proved it */
    if (rc < 0)
        mr__index_unmap(index);
    return rc;
}

int mr__index_copy_file(struct mr_index *index, int fd, uint64_t bytes, struct mr_errbuf *e)
{
    int rc = copy_pages(index, fd, bytes, e);
    if (rc == MR_OK)
        rc = check(index, false, e);
    if (rc < 0)
        mr__index_unmap(index);
    return rc;
}

int mr__index_map(struct mr_index *index, int fd, struct mr_errbuf *e)
{
    return map_any(index, fd, false, e);
}

int mr__index_copy(struct mr_index *index, int fd, struct mr_errbuf *e)
{
    return map_any(index, fd, true, e);
}

void mr__index_unmap(struct mr_index *index)
{
    mr__index_pages_free(index->pages);
    if (index->map)
        munmap(index->map, index->map_bytes);
    *index = (struct mr_index){0};
}
