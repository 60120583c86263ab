/* SPDX-License-Identifier: Apache-2.0
 *
 * index.h: the index of a data set: a table with a row per sample and named, typed columns, in one
 * sealed memfd that all processes map read-only. A helper process builds it; nobody else touches
 * files' names.
 *
 * Layout of the memfd: struct mr_index_head with its table of columns, the root's text, the
 * classes, then the columns' arrays; each part 64-byte aligned, offsets relative to the start,
 * native byte order. Only this machine reads it.
 *
 * Several data sets may lie one behind the other (a mixture): the index of the whole then has
 * parts, each with a whole index of its own inside, and columns that are the union of theirs.
 */
#ifndef MR_BASE_INDEX_H
#define MR_BASE_INDEX_H

#include "base/buf.h"
#include "base/error.h"
#include "millrace/types.h"

#include <stdbool.h>

#define MR_INDEX_MAX_COLUMNS 32
#define MR_INDEX_NAME 64
#define MR_INDEX_MAX_PARTS 64
#define MR_INDEX_NO_COLUMN 255

enum mr_column_kind {
    MR_COL_PATH,   /* a file, relative to the root (absolute when it begins with '/'); "": none */
    MR_COL_FIXED,  /* `width` numbers of `dtype` per sample */
    MR_COL_RAGGED, /* 0 .. many entries of `width` numbers of `dtype` per sample */
    MR_COL_MADE,   /* a file's bytes that the source makes from the sample's number: not stored */
    MR_COL_TENSOR, /* `width` numbers of `dtype` per sample, of one shape, which the source reads
                      when they are wanted: not stored */
};

struct mr_column {
    char name[MR_INDEX_NAME];
    uint32_t kind, dtype; /* enum mr_column_kind, mr_dtype */
    uint32_t width;       /* numbers per entry; 1 for paths */
    uint32_t max_entries; /* RAGGED: the largest number of entries any sample has; TENSOR: its
                             dimensions, 1 to MR_MAX_DIMS - 1 */
    union {
        uint64_t offsets; /* PATH, RAGGED: where u64[samples + 1] offsets (bytes, entries) start */
        uint64_t period;  /* FIXED: sample s has entry s mod period; 0: each sample has its own */
    };
    uint64_t data; /* where the numbers or the path bytes start; TENSOR: i64[max_entries], the
                      shape */
};

struct mr_index_head {
    uint64_t magic, bytes; /* "MRINDEX1", size of the whole */
    uint64_t samples, columns;
    uint64_t root, root_bytes;          /* text: the folder that relative paths start from */
    uint64_t classes;                   /* number of class names */
    uint64_t class_offsets, class_data; /* u64[classes + 1], text */
    uint64_t hash; /* XXH3 over columns, samples and classes: "the data" of a saved state. The root
                      is left out, so that a data set may be moved */
    uint64_t skipped; /* directory entries left out: not regular files, unreadable folders */
    uint64_t parts, part_table; /* struct mr_index_part[parts]; parts = 0: one data set. With parts
                                   the columns below have no data: it is in theirs */
    uint64_t zeros;             /* with parts: as many zero bytes as the largest FIXED entry has */
    struct mr_column column[MR_INDEX_MAX_COLUMNS];
};

/* One data set of several. */
struct mr_index_part {
    char name[MR_INDEX_NAME];
    uint64_t first, samples;              /* of the whole: [first, first + samples) are its own */
    uint64_t at, bytes;                   /* its index, whole, with samples from 0 */
    uint8_t column[MR_INDEX_MAX_COLUMNS]; /* of the whole -> its own, or MR_INDEX_NO_COLUMN */
};

/* A mapped index. The pointers are into the mapping. */
struct mr_index {
    const struct mr_index_head *head;
    const uint8_t *base;
    uint64_t bytes;
    struct mr_index_pages *pages; /* of a copy, which is read when it is asked for; else NULL */
    void *map;                    /* what is unmapped; NULL: a part's, which is not */
    uint64_t map_bytes;
};

/* An empty memfd for mr__index_finish(), or a negative code (MR_E_SYSTEM). The caller closes it. */
int mr__index_memfd(struct mr_errbuf *e);

/* Maps the index of a sealed memfd read-only after checking every offset in it, or that of the file
 * which the memfd names (index_file.h) after checking its shape (MR_E_CORRUPT, MR_E_SYSTEM,
 * MR_E_IO; *index is then zero). The caller may close `fd`. Any thread may call the functions
 * below; no offset leads them out of the mapping. A file that is cut while it is mapped is SIGBUS
 * to who looks there: proc/mapped.h. */
int mr__index_map(struct mr_index *index, int fd, struct mr_errbuf *e);
/* The same for a process in which there must be no such signal, since it is not ours: of a file,
 * only what is asked for is read, once, into memory of its own. What cannot be read is zeros: paths
 * and entries are empty then. */
int mr__index_copy(struct mr_index *index, int fd, struct mr_errbuf *e);
/* The pages are those of a file, and are gone when it is cut. */
static inline bool mr__index_is_file(const struct mr_index *index)
{
    return index->map && index->base != (const uint8_t *)index->map;
}
/* Safe on a zero struct. */
void mr__index_unmap(struct mr_index *index);

/* Column number by name, -1 when there is none. */
int mr__index_column(const struct mr_index *index, const char *name);
/* A path as text with its length (not NUL-terminated); sample < samples, a PATH column or one that
 * is not stored, where it is "". */
const char *mr__index_path(const struct mr_index *index, int column, uint64_t sample, size_t *n);
/* The whole path, root included, malloc'ed and NUL-terminated; NULL when memory is out. "" when the
 * sample has none. */
char *mr__index_full_path(const struct mr_index *index, int column, uint64_t sample);
/* What people are told of a sample: its whole path in quotes, or "sample 17" when it has none.
 * malloc'ed; NULL when memory is out. Columns as mr__index_path. */
char *mr__index_name(const struct mr_index *index, int column, uint64_t sample);
/* The numbers of a sample: *entries (1 for FIXED) entries of `width` numbers; a FIXED or RAGGED
 * column. */
const void *mr__index_numbers(const struct mr_index *index, int column, uint64_t sample,
                              uint64_t *entries);
/* The shape of a TENSOR column's sample, into shape[MR_MAX_DIMS - 1]; returns its dimensions. */
int mr__index_shape(const struct mr_index *index, int column, int64_t *shape);
/* Whether a column holds one whole number per sample, which mr__index_whole then gives. */
bool mr__index_is_whole(const struct mr_column *column);
int64_t mr__index_whole(const struct mr_index *index, int column, uint64_t sample);
/* The number of any FIXED column of width 1; whole ones beyond 2^53 are rounded. NaN: a dtype of 16
 * bits. */
double mr__index_number(const struct mr_index *index, int column, uint64_t sample);
/* The columns' names, for an error: "image, label"; what has no room is cut. */
void mr__index_list_columns(const struct mr_index *index, char *text, size_t bytes);
/* A class's name (not NUL-terminated), NULL past the end. */
const char *mr__index_class(const struct mr_index *index, uint64_t number, size_t *n);

/* ---- parts ---- */

/* The part that a sample lies in, NULL when the index has none; sample < samples. */
const struct mr_index_part *mr__index_part(const struct mr_index *index, uint64_t sample);
static inline const struct mr_index_part *mr__index_parts(const struct mr_index *index)
{
    return (const struct mr_index_part *)(index->base + index->head->part_table);
}
/* A part as the index that it is; good as long as the whole is mapped. Do not unmap it. */
struct mr_index mr__index_of_part(const struct mr_index *index, const struct mr_index_part *part);

/* Building. Column values are appended sample by sample, every column once per sample, in any order
 * of columns; then mr__index_finish writes, hashes and seals. One thread at a time. Errors of all:
 * MR_E_MEMORY; MR_E_USAGE for a call that does not fit the columns. */
struct mr_index_builder;
int mr__index_builder_new(struct mr_index_builder **b, struct mr_errbuf *e);
void mr__index_builder_free(struct mr_index_builder *b); /* safe on NULL */
/* The folder that relative paths start from: an absolute path. Copied. */
int mr__index_set_root(struct mr_index_builder *b, const char *root, struct mr_errbuf *e);
/* Returns the column's number or a negative code. `width` numbers per entry, 1 for paths. A column
 * that comes after samples gets the values of all of them before mr__index_finish. */
int mr__index_add_column(struct mr_index_builder *b, const char *name, enum mr_column_kind kind,
                         enum mr_dtype dtype, uint32_t width, struct mr_errbuf *e);
/* The same for a TENSOR column: a sample has this shape, of 1 to MR_MAX_DIMS - 1 dimensions and no
 * more than 2^32 - 1 numbers. It has no values here: mr__index_repeat gives it its samples. */
int mr__index_add_tensor(struct mr_index_builder *b, const char *name, enum mr_dtype dtype,
                         const int64_t *shape, int ndim, struct mr_errbuf *e);
/* n bytes without NUL (MR_E_DATA otherwise), copied; n = 0: the sample has no file here. */
int mr__index_add_path(struct mr_index_builder *b, int column, const char *path, size_t n,
                       struct mr_errbuf *e);
/* entries x width numbers of the column's dtype, copied; entries = 1 for FIXED. */
int mr__index_add_numbers(struct mr_index_builder *b, int column, const void *data,
                          uint64_t entries, struct mr_errbuf *e);
/* Makes the values of a FIXED column so far (one at least) those of `samples` samples, over and
 * over; a MADE or TENSOR column has none and only gets its `samples` this way. The column is
 * complete then. */
int mr__index_repeat(struct mr_index_builder *b, int column, uint64_t samples, struct mr_errbuf *e);
/* The name of the next class number, from 0. Copied. */
int mr__index_add_class(struct mr_index_builder *b, const char *name, size_t n,
                        struct mr_errbuf *e);
/* Adds a data set to an index of several: *part is an empty builder of its own, freed with `b`,
 * which gets no column, sample or class otherwise. `name` must be another than those before, and
 * shorter than MR_INDEX_NAME. mr__index_finish(b) then unites them: columns by name (MR_E_CONFIG
 * with both parts' names when kind, type or width differ), classes by name, sorted by bytes, which
 * changes the numbers in the columns 'label' and is every part's list then. */
int mr__index_add_part(struct mr_index_builder *b, const char *name, struct mr_index_builder **part,
                       struct mr_errbuf *e);
/* The i-th of the parts, NULL past the end. */
struct mr_index_builder *mr__index_built_part(const struct mr_index_builder *b, uint64_t i);
/* Counts what was left out of the data set. */
void mr__index_skip(struct mr_index_builder *b, uint64_t count);
/* Samples so far, by the first column. */
uint64_t mr__index_samples(const struct mr_index_builder *b);
/* For those who add a column to what a source has built: a column's number by name, -1 when there
 * is none of this kind; and a file's path as mr__index_full_path() gives it, of a PATH column and a
 * sample < mr__index_samples(). Any number of threads may ask for paths while nobody adds. */
int mr__index_built_column(const struct mr_index_builder *b, const char *name,
                           enum mr_column_kind kind);
uint64_t mr__index_built_columns(const struct mr_index_builder *b); /* of all parts together */
char *mr__index_built_path(const struct mr_index_builder *b, int column, uint64_t sample);
/* What the index was made from (origin.h): a source appends what it reads. One that says nothing of
 * it cannot be asked later whether it is still the same. */
struct mr_buf *mr__index_origins(struct mr_index_builder *b);
/* All of them, those of parts included, appended to *list. MR_E_DATA: the data set, or a part, says
 * nothing. MR_E_MEMORY. */
int mr__index_gather_origins(const struct mr_index_builder *b, struct mr_buf *list,
                             struct mr_errbuf *e);
/* Writes the index into the empty memfd `fd` (from mr__index_memfd) and seals it. Takes the
 * builder's memory apart as it goes: afterwards, success or not, it can only be freed. MR_E_USAGE:
 * a column lacks a sample. MR_E_SYSTEM. */
int mr__index_finish(struct mr_index_builder *b, int fd, struct mr_errbuf *e);

#endif
