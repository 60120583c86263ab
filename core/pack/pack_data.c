/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack_data.h"

#include <string.h>
#include <unistd.h>
#include <xxhash.h>

/* What lies in files that have no column of their names: arrays, other shards. A source that says
 * nothing of where it reads (it makes its data) cannot change. */
static int stamp_origins(struct mr_pack_data *d, const struct mr_index_builder *b,
                         struct mr_errbuf *e)
{
    struct mr_buf list = {0};
    int rc = mr__index_gather_origins(b, &list, e);
    if (rc == MR_OK)
        d->origins = XXH3_64bits(list.data, list.n);
    mr__buf_free(&list);
    return rc == MR_E_DATA ? MR_OK : rc;
}

static int list(struct mr_pack_data *d, struct mr_errbuf *e)
{
    struct mr_index_builder *b;
    int fd = -1, rc = mr__index_builder_new(&b, e);
    if (rc < 0)
        return rc;
    rc = d->source->index(d->config->source.params, b, e);
    if (rc >= 0)
        rc = stamp_origins(d, b, e);
    if (rc >= 0)
        rc = fd = mr__index_memfd(e);
    if (rc >= 0)
        rc = mr__index_finish(b, fd, e);
    if (rc >= 0)
        rc = mr__index_map(&d->index, fd, e);
    if (fd >= 0)
        close(fd);
    mr__index_builder_free(b);
    return rc < 0 ? rc : MR_OK;
}

static int find_files(struct mr_pack_data *d, struct mr_errbuf *e)
{
    const struct mr_index_head *head = d->index.head;
    for (int i = 0; i < (int)head->columns; i++)
        if (head->column[i].kind != MR_COL_FIXED && head->column[i].kind != MR_COL_RAGGED)
            d->files[d->nfiles++] = i;
    if (d->nfiles && head->samples)
        return MR_OK;
    return mr__fail(e, MR_E_USAGE, "the data set has no %s",
                    d->nfiles ? "sample" : "files and no tensors");
}

int mr__pack_data_open(struct mr_pack_data *d, const char *path, const char *config_text,
                       const char *const *set, struct mr_errbuf *e)
{
    *d = (struct mr_pack_data){0};
    int rc = mr__config_read(&d->config, path, config_text, set, e);
    if (rc < 0)
        return rc;
    d->source = d->config->source.desc;
    if (!d->source)
        rc = mr__config_error(d->config, d->config->mark, e,
                              "the config has no 'source' and no 'mixture': there is no data set");
    if (rc >= 0)
        rc = list(d, e);
    if (rc >= 0)
        rc = find_files(d, e);
    if (rc < 0)
        mr__pack_data_close(d);
    return rc;
}

void mr__pack_data_close(struct mr_pack_data *d)
{
    mr__index_unmap(&d->index);
    mr__config_free(d->config);
    *d = (struct mr_pack_data){0};
}

int mr__pack_data_reader(const struct mr_pack_data *d, void **reader, struct mr_errbuf *e)
{
    *reader = NULL;
    return d->source->open(d->config->source.params, &d->index, &d->config->limits, reader, e);
}

void mr__pack_data_reader_close(const struct mr_pack_data *d, void *reader)
{
    if (reader)
        d->source->close(reader);
}

uint64_t mr__pack_data_origins(const struct mr_pack_data *d)
{
    const struct mr_index_head *head = d->index.head;
    for (int i = 0; i < d->nfiles; i++)
        if (head->column[d->files[i]].kind != MR_COL_PATH)
            return d->origins;
    return 0;
}

bool mr__pack_data_has(const struct mr_pack_data *d, int i, uint64_t sample)
{
    size_t n;
    int column = d->files[i];
    if (d->index.head->column[column].kind != MR_COL_PATH)
        return true;
    mr__index_path(&d->index, column, sample, &n);
    return n > 0;
}
