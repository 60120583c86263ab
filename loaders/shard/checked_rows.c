/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/checked_rows.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLED_S 2 /* whole seconds may be all that a file system keeps */

bool mr__checked_begin(struct mr_checked *c, uint64_t samples, uint64_t shards)
{
    *c = (struct mr_checked){.samples = samples, .shards = shards};
    c->stamp = calloc(shards + 1, sizeof *c->stamp);
    return c->stamp != NULL;
}

void mr__checked_free(struct mr_checked *c)
{
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++)
        free(c->bits[i]);
    free(c->stamp);
    *c = (struct mr_checked){0};
}

static void forget(struct mr_checked *c)
{
    for (int i = 0; i < MR_INDEX_MAX_COLUMNS; i++)
        if (c->bits[i])
            memset(c->bits[i], 0, c->samples / 8 + 1);
}

/* A file that was changed a moment ago may be changed again and keep its times. */
static bool is_settled(const struct mr_checked_stamp *s)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t last = s->changed_s > s->status_s ? s->changed_s : s->status_s;
    return now.tv_sec - last >= SETTLED_S;
}

bool mr__checked_same(struct mr_checked *c, const struct mr_shard_file *file, uint64_t shard)
{
    static const struct mr_checked_stamp none;
    struct mr_checked_stamp *was = &c->stamp[shard];
    struct stat st;
    if (file->transport != &mr__shard_local || fstat(file->fd, &st) < 0)
        return false;
    const struct mr_checked_stamp is = {st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                                        st.st_ctim.tv_sec, st.st_ctim.tv_nsec};
    if (!memcmp(was, &is, sizeof is))
        return true;
    bool first = !memcmp(was, &none, sizeof none), settled = is_settled(&is);
    *was = settled ? is : none;
    if (!first)
        forget(c);
    return first && settled;
}

bool mr__checked_has(const struct mr_checked *c, int column, uint64_t sample)
{
    const uint8_t *bits = c->bits[column];
    return bits && sample < c->samples && (bits[sample / 8] >> sample % 8 & 1);
}

void mr__checked_add(struct mr_checked *c, int column, uint64_t sample)
{
    if (!c->bits[column])
        c->bits[column] = calloc(1, c->samples / 8 + 1);
    if (c->bits[column] && sample < c->samples)
        c->bits[column][sample / 8] |= (uint8_t)(1u << sample % 8);
}
