/* SPDX-License-Identifier: Apache-2.0 */
#include "path_source.h"

#include "ask_file.h"
#include "read_file.h"

#include <stdlib.h>

struct path_source {
    const struct mr_index *index;
    int64_t max_file_bytes;
};

int mr__path_source_open(const void *params, const struct mr_index *index,
                         const struct mr_limits *limits, void **self, struct mr_errbuf *e)
{
    (void)params;
    struct path_source *s = malloc(sizeof *s);
    if (!s)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open the source");
    *s = (struct path_source){.index = index, .max_file_bytes = limits->max_file_bytes};
    *self = s;
    return MR_OK;
}

static bool names_file(const struct path_source *s, uint64_t sample, int column)
{
    const struct mr_index_head *head = s->index->head;
    return sample < head->samples && column >= 0 && (uint64_t)column < head->columns &&
           head->column[column].kind == MR_COL_PATH;
}

int mr__path_source_read(void *self, uint64_t sample, int column, struct mr_buf *out,
                         struct mr_errbuf *e)
{
    const struct path_source *s = self;
    const struct mr_index_head *head = s->index->head;
    if (!names_file(s, sample, column))
        return mr__fail(e, MR_E_USAGE, "sample %llu has no file in column %d",
                        (unsigned long long)sample, column);
    char *path = mr__index_full_path(s->index, column, sample);
    if (!path)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for a path");
    int rc = *path ? mr__read_file(path, s->max_file_bytes, out, e)
                   : mr__fail(e, MR_E_DATA, "sample %llu has no %s: its cell is empty",
                              (unsigned long long)sample, head->column[column].name);
    free(path);
    return rc;
}

enum mr_cached mr__path_source_ahead(void *self, uint64_t sample, int column, uint64_t most)
{
    const struct path_source *s = self;
    char *path =
        names_file(s, sample, column) ? mr__index_full_path(s->index, column, sample) : NULL;
    enum mr_cached cached =
        path && *path ? mr__ask_file(path, s->max_file_bytes, most) : MR_CACHED_UNKNOWN;
    free(path);
    return cached;
}

void mr__path_source_close(void *self)
{
    free(self);
}
