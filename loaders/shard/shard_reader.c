/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_reader.c: a shard's head and foot. They say where the index lies and what it is; what is in
 * it is for shard_index_read.c.
 */
#include "loaders/shard/shard_reader.h"

#include "base/printable.h"
#include "loaders/shard/body_reader.h"
#include "loaders/shard/shard_index.h"
#include "loaders/shard/shard_sums.h"
#include "loaders/shard/shard_writer.h"

#include <stdlib.h>
#include <string.h>

static struct mr_printable show(const struct mr_shard *s)
{
    return mr__printable(s->path, strlen(s->path));
}

int mr__shard_damaged(const struct mr_shard *s, const char *what, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_DATA,
                    "the shard '%s' is damaged: %s; copy it again, or remove it and pack again",
                    show(s).text, what);
}

static int check_version(const struct mr_shard *s, struct mr_errbuf *e)
{
    if (s->major == MR_SHARD_MAJOR)
        return MR_OK;
    return mr__fail(e, MR_E_VERSION,
                    "the shard '%s' has version %d.%d of the format, written by '%s', and this is "
                    "%s, which reads version %d: read it with the other one, or pack the data "
                    "again",
                    show(s).text, s->major, s->minor,
                    mr__printable(s->written_by, strlen(s->written_by)).text, MR_SHARD_TOOL,
                    MR_SHARD_MAJOR);
}

static int read_head(struct mr_shard *s, uint8_t head[MR_SHARD_HEAD_BYTES], struct mr_errbuf *e)
{
    int rc;
    if (s->bytes < MR_SHARD_HEAD_BYTES + MR_SHARD_FOOT_BYTES)
        return mr__fail(e, MR_E_DATA,
                        "'%s' has %llu bytes and is no shard, or was cut: copy it again, or remove "
                        "it and pack again",
                        show(s).text, (unsigned long long)s->bytes);
    rc = mr__shard_file_read(s->file, 0, head, MR_SHARD_HEAD_BYTES, e);
    if (rc < 0)
        return rc;
    if (memcmp(head, MR_SHARD_MAGIC, 8) != 0)
        return mr__fail(e, MR_E_DATA, "'%s' is no shard: it does not begin like one", show(s).text);
    s->major = (uint16_t)mr__le_get(head + MR_SHARD_HEAD_MAJOR, 2);
    s->minor = (uint16_t)mr__le_get(head + MR_SHARD_HEAD_MINOR, 2);
    if (mr__le_u64(head + MR_SHARD_HEAD_CHECK) != mr__shard_hash(head, MR_SHARD_HEAD_CHECK))
        return mr__shard_damaged(s, "its head does not have its checksum", e);
    s->number = mr__le_u32(head + MR_SHARD_HEAD_NUMBER);
    s->fingerprint = mr__le_u64(head + MR_SHARD_HEAD_FINGERPRINT);
    s->first = mr__le_u64(head + MR_SHARD_HEAD_FIRST);
    memcpy(s->written_by, head + MR_SHARD_HEAD_TOOL, MR_SHARD_TOOL_BYTES);
    return check_version(s, e);
}

static int read_foot(struct mr_shard *s, const uint8_t head[MR_SHARD_HEAD_BYTES],
                     uint8_t foot[MR_SHARD_FOOT_BYTES], struct mr_errbuf *e)
{
    uint64_t at = s->bytes - MR_SHARD_FOOT_BYTES;
    int rc = mr__shard_file_read(s->file, at, foot, MR_SHARD_FOOT_BYTES, e);
    if (rc < 0)
        return rc;
    if (memcmp(foot, MR_SHARD_FOOT_MAGIC, 8) != 0)
        return mr__shard_damaged(s, "it was cut, for it does not end like one", e);
    s->check = mr__le_u64(foot + MR_SHARD_FOOT_CHECK);
    if (s->check != mr__shard_hash(foot, MR_SHARD_FOOT_CHECK))
        return mr__shard_damaged(s, "its foot does not have its checksum", e);
    if (mr__le_u64(foot + MR_SHARD_FOOT_FILE_BYTES) != s->bytes ||
        mr__le_u64(foot + MR_SHARD_FOOT_HEAD_CHECK) != mr__shard_hash(head, MR_SHARD_HEAD_BYTES))
        return mr__shard_damaged(s, "head and foot are not of one file", e);
    s->samples = mr__le_u64(foot + MR_SHARD_FOOT_SAMPLES);
    s->index_at = mr__le_u64(foot + MR_SHARD_FOOT_INDEX);
    uint64_t index_bytes = mr__le_u64(foot + MR_SHARD_FOOT_INDEX_BYTES);
    if (s->index_at < MR_SHARD_HEAD_BYTES || s->index_at > at || index_bytes != at - s->index_at)
        return mr__shard_damaged(s, "its index cannot lie where the foot says", e);
    return MR_OK;
}

static int read_index(struct mr_shard *s, const uint8_t foot[MR_SHARD_FOOT_BYTES],
                      struct mr_errbuf *e)
{
    uint64_t n = s->bytes - MR_SHARD_FOOT_BYTES - s->index_at;
    if (!mr__buf_reserve(&s->index, n + 1))
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the index of '%s' (%llu bytes)",
                        show(s).text, (unsigned long long)n);
    s->index.n = n;
    int rc = mr__shard_file_read(s->file, s->index_at, s->index.data, n, e);
    if (rc < 0)
        return rc;
    if (mr__shard_hash(s->index.data, n) != mr__le_u64(foot + MR_SHARD_FOOT_INDEX_CHECK))
        return mr__shard_damaged(s, "its index does not have its checksum", e);
    return mr__shard_index_read(s, e);
}

int mr__shard_open(struct mr_shard *shard, const char *path, bool whole, struct mr_errbuf *e)
{
    uint8_t head[MR_SHARD_HEAD_BYTES], foot[MR_SHARD_FOOT_BYTES];
    *shard = (struct mr_shard){.path = strdup(path)};
    int rc = shard->path ? mr__shard_file_open(&shard->file, path, e)
                         : mr__fail(e, MR_E_MEMORY, "not enough memory to open a shard");
    if (rc == MR_OK) {
        shard->bytes = shard->file->bytes;
        rc = read_head(shard, head, e);
    }
    if (rc == MR_OK)
        rc = read_foot(shard, head, foot, e);
    if (rc == MR_OK && whole)
        rc = read_index(shard, foot, e);
    if (rc < 0)
        mr__shard_close(shard);
    return rc;
}

void mr__shard_close(struct mr_shard *shard)
{
    mr__shard_file_close(shard->file);
    mr__buf_free(&shard->index);
    free(shard->path);
    *shard = (struct mr_shard){0};
}

int mr__shard_read(const struct mr_shard *shard, const struct mr_shard_column *c, uint64_t sample,
                   struct mr_buf *out, struct mr_errbuf *e)
{
    struct mr_shard_place place = mr__shard_place(c, sample);
    struct mr_body b = {0};
    out->n = 0;
    if (!place.bytes)
        return mr__fail(e, MR_E_DATA, "sample %llu has no %s", (unsigned long long)sample, c->name);
    int rc = mr__body_begin(&b, shard->file, &place, e);
    if (rc == MR_OK && !mr__buf_reserve(out, place.bytes + 64))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory for %llu bytes",
                      (unsigned long long)place.bytes);
    if (rc == MR_OK)
        rc = mr__body_into(&b, out->data, e);
    if (rc == MR_OK) {
        memset(out->data + place.bytes, 0, 64);
        out->n = place.bytes;
    }
    mr__body_free(&b);
    return rc < 0 ? mr__context(e, "'%s'", show(shard).text) : MR_OK;
}
