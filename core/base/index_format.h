/* SPDX-License-Identifier: Apache-2.0
 *
 * index_format.h: what the parts of the index's code share: constants of the format, and the
 * builder between its filling (index_build.c) and its writing (index_write.c).
 */
#ifndef MR_BASE_INDEX_FORMAT_H
#define MR_BASE_INDEX_FORMAT_H

#include "base/buf.h"
#include "base/index.h"

#include <stdbool.h>

#define MR_INDEX_MAGIC 0x315845444e49524dull /* "MRINDEX1" on a little-endian machine */
#define MR_INDEX_ALIGN 64
#define MR_INDEX_MAX_WIDTH (1u << 20)
#define MR_INDEX_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

/* Values of differing length, one behind the other. offsets: u64, one per value so far and one more
 * (empty before the first value). */
struct mr_ragged {
    struct mr_buf offsets, data;
};

struct mr_index_builder {
    struct mr_ragged column[MR_INDEX_MAX_COLUMNS], classes;
    uint64_t samples[MR_INDEX_MAX_COLUMNS]; /* per column; equal in the end */
    struct mr_buf root, origins;
    struct mr_index_head head; /* columns' descriptions; offsets are filled in when written */
    struct mr_index_builder *part[MR_INDEX_MAX_PARTS]; /* head.parts of them */
    struct mr_index_part *table;                       /* of the parts; NULL: there are none */
};

/* ---- a copy that is read as it is asked for (index_pages.c) ---- */

/* Of `bytes` bytes that begin at `from` of a file; takes `fd` over. NULL: memory is out. */
struct mr_index_pages *mr__index_pages_new(int fd, uint64_t from, uint64_t bytes, void **base);
void mr__index_pages_free(struct mr_index_pages *pages);
/* Has the n bytes at `at` in memory. */
void mr__index_fetch(const struct mr_index_pages *pages, const void *at, uint64_t n);
static inline void mr__index_need(const struct mr_index *index, const void *at, uint64_t n)
{
    if (index->pages)
        mr__index_fetch(index->pages, at, n);
}

/* The index of `bytes` bytes in a file (index_file.h), as mr__index_copy; takes `fd` over. */
int mr__index_copy_file(struct mr_index *index, int fd, uint64_t bytes, struct mr_errbuf *e);

/* ---- the file that a memfd may name in place of an index (index_ticket.c) ---- */

#define MR_INDEX_TICKET_MAGIC 0x31544b434954524dull /* "MRTICKT1" */
/* Opens it. A descriptor, MR_E_IO when it has gone or is another one, MR_E_CORRUPT. *bytes: of the
 * index in it. */
int mr__index_ticket_open(int memfd, uint64_t *bytes, struct mr_errbuf *e);

/* A path as a whole: the root before it unless it begins with '/'; "" for n = 0. malloc'ed and
 * NUL-terminated; NULL: memory is out. */
char *mr__index_join(const void *root, size_t root_bytes, const char *path, size_t n);

/* May columns of these kinds be one column of several parts? */
static inline bool mr__index_same_kind(uint32_t a, uint32_t b)
{
    bool files = (a == MR_COL_PATH || a == MR_COL_MADE) && (b == MR_COL_PATH || b == MR_COL_MADE);
    return a == b || files;
}

/* From a whole to the part that has the sample: *index becomes *part, which is filled in, sample
 * and column those of the part. False: the part has no such column, and nothing has changed. */
bool mr__index_enter(const struct mr_index **index, int *column, uint64_t *sample,
                     struct mr_index *part);

/* Makes one table of the parts' columns and one list of their classes: b->head and b->table but for
 * what is known when they are written. MR_E_CONFIG, MR_E_LIMIT, MR_E_MEMORY. */
int mr__index_unite(struct mr_index_builder *b, struct mr_errbuf *e);

#endif
