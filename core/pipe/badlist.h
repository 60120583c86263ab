/* SPDX-License-Identifier: Apache-2.0
 *
 * badlist.h: a list of bad samples, as a run keeps it and as a file: CSV (RFC 4180) with a header
 *
 *     sample,path,stage,reason,cause,epoch,position,attempt,forced
 *
 * Columns are found by their names; `sample` or `path` must be there, the others may be absent, and
 * columns of other names are passed over. Paths are bytes: quoted, read back exactly.
 */
#ifndef MR_PIPE_BADLIST_H
#define MR_PIPE_BADLIST_H

#include "base/index.h"
#include "base/text.h"
#include "shm/verdict.h"

struct mr_bad {          /* one attempt that was bad */
    struct mr_verdict v; /* position MR_ANYWHERE: the sample is, wherever it is met; sample
                            UINT64_MAX: only its path is known */
    char *text;          /* why; NULL: not known */
    char *path;          /* as the file has it; NULL: the index knows, or nobody does */
    int64_t line;        /* of the file, 0: of this run */
};

struct mr_badlist { /* zero it to begin */
    struct mr_bad *v;
    size_t n, cap;
};
#define MR_BADLIST_MAX 1000000

/* Puts it in its place, by (epoch, position, attempt), and takes over text and path. What is there
 * already is there once. False: memory is out, or MR_BADLIST_MAX are there; text and path are
 * freed.
 */
bool mr__badlist_add(struct mr_badlist *list, const struct mr_bad *bad);
void mr__badlist_free(struct mr_badlist *list);

/* Reads a file's bytes, entries in the order of the lines. MR_E_CONFIG with name:line:col;
 * MR_E_LIMIT, MR_E_MEMORY. On failure the list is empty. */
int mr__badlist_parse(struct mr_badlist *list, const char *name, const uint8_t *data, size_t n,
                      struct mr_errbuf *e);
/* The same from a file; *hash is of its bytes. MR_E_IO. */
int mr__badlist_read(struct mr_badlist *list, const char *path, uint64_t *hash,
                     struct mr_errbuf *e);

/* The file's text. `index` (its head may be NULL) has the paths of entries without one. `anywhere`:
 * without places. */
void mr__badlist_write(struct mr_text *t, const struct mr_badlist *list,
                       const struct mr_index *index, int column, bool anywhere);

/* "read", "decode", "fill" of an enum mr_activity, "" for others. */
const char *mr__stage_name(uint32_t stage);
/* The path of a sample as the list has it (malloc'ed); NULL: there is none, or no memory. */
char *mr__bad_path(const struct mr_bad *bad, const struct mr_index *index, int column);

#endif
