/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_writer.c: a shard grows under a temporary name, which a process that dies leaves behind
 * and the next packing may remove, and is renamed when all of it is on the disk.
 */
#include "loaders/shard/shard_writer.h"

#include "base/printable.h"
#include "loaders/shard/shard_columns.h"
#include "loaders/shard/shard_sums.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUFFER_BYTES (1u << 20)

_Static_assert(sizeof MR_SHARD_TOOL <= MR_SHARD_TOOL_BYTES, "it is a text with its NUL");

struct mr_shard_writer {
    struct mr_growing_columns columns;
    int fd;
    char path[PATH_MAX], temporary[PATH_MAX];
    struct mr_buf buffer; /* written when it is full */
    uint64_t at;          /* bytes so far, those in the buffer included */
    uint64_t begun;       /* bytes that are on their way to the disk */
    uint64_t first;
    uint8_t head[MR_SHARD_HEAD_BYTES];
    struct mr_buf sums; /* of a body that came without */
};

static int cannot(const struct mr_shard_writer *w, const char *what, struct mr_errbuf *e)
{
    return mr__fail_errno(e, MR_E_IO, "cannot %s the shard '%s'", what,
                          mr__printable(w->path, strlen(w->path)).text);
}

/* ---- bytes ---- */

/* The disk works while the next bytes are made, so that the sync at the end finds little to do. It
 * is a wish: what comes of it shows there. */
static void begin_sync(struct mr_shard_writer *w)
{
    enum { PORTION = 8 << 20 };
    if (w->at - w->begun < PORTION)
        return;
    (void)sync_file_range(w->fd, (off_t)w->begun, (off_t)(w->at - w->begun), SYNC_FILE_RANGE_WRITE);
    w->begun = w->at;
}

static int flush(struct mr_shard_writer *w, const void *more, uint64_t n, struct mr_errbuf *e)
{
    struct iovec v[2] = {{w->buffer.data, w->buffer.n}, {(void *)(uintptr_t)more, n}};
    while (v[0].iov_len + v[1].iov_len) {
        ssize_t done = writev(w->fd, v, 2);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return cannot(w, "write", e);
        for (int i = 0; i < 2; i++) {
            size_t of = (size_t)done < v[i].iov_len ? (size_t)done : v[i].iov_len;
            v[i].iov_base = (uint8_t *)v[i].iov_base + of;
            v[i].iov_len -= of;
            done -= (ssize_t)of;
        }
    }
    w->buffer.n = 0;
    begin_sync(w);
    return MR_OK;
}

static int put(struct mr_shard_writer *w, const void *data, uint64_t n, struct mr_errbuf *e)
{
    w->at += n;
    if (w->buffer.n + n > BUFFER_BYTES)
        return flush(w, data, n, e);
    (void)mr__buf_append(&w->buffer, data, n); /* there is room */
    return MR_OK;
}

/* ---- its life ---- */

static void free_writer(struct mr_shard_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    mr__growing_free(&w->columns);
    mr__buf_free(&w->buffer);
    mr__buf_free(&w->sums);
    free(w);
}

void mr__shard_writer_drop(struct mr_shard_writer *w)
{
    int error = errno;
    if (w && w->fd >= 0)
        unlink(w->temporary);
    if (w)
        free_writer(w);
    errno = error;
}

static int create(struct mr_shard_writer *w, const char *path, struct mr_errbuf *e)
{
    int n = snprintf(w->temporary, sizeof w->temporary, "%s%s", path, MR_SHARD_TEMPORARY);
    const char *slash = strrchr(path, '/');
    if (n < 0 || n >= (int)sizeof w->temporary ||
        strlen(slash ? slash + 1 : path) >= sizeof((struct mr_shard_line *)0)->file)
        return mr__fail(e, MR_E_IO, "the path of the shard '%.200s...' is too long", path);
    memcpy(w->path, path, strlen(path) + 1);
    if (access(path, F_OK) == 0)
        return mr__fail(e, MR_E_IO, "there is a file '%s' already",
                        mr__printable(path, strlen(path)).text);
    (void)unlink(w->temporary); /* of a packing that was interrupted */
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return w->fd < 0 ? cannot(w, "make", e) : MR_OK;
}

static void fill_head(struct mr_shard_writer *w, uint32_t number)
{
    uint8_t *head = w->head;
    memcpy(head, MR_SHARD_MAGIC, 8);
    mr__le_put(head + MR_SHARD_HEAD_MAJOR, MR_SHARD_MAJOR, 2);
    mr__le_put(head + MR_SHARD_HEAD_MINOR, MR_SHARD_MINOR, 2);
    mr__le_put(head + MR_SHARD_HEAD_NUMBER, number, 4);
    mr__le_put(head + MR_SHARD_HEAD_FINGERPRINT, w->columns.plan->fingerprint, 8);
    mr__le_put(head + MR_SHARD_HEAD_FIRST, w->first, 8);
    memcpy(head + MR_SHARD_HEAD_TOOL, MR_SHARD_TOOL, sizeof MR_SHARD_TOOL);
    mr__le_put(head + MR_SHARD_HEAD_CHECK, mr__shard_hash(head, MR_SHARD_HEAD_CHECK), 8);
}

int mr__shard_writer_begin(struct mr_shard_writer **out, const struct mr_shard_plan *plan,
                           const char *path, uint32_t number, uint64_t first, struct mr_errbuf *e)
{
    struct mr_shard_writer *w = calloc(1, sizeof *w);
    *out = NULL;
    if (!w)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to write a shard");
    w->fd = -1;
    w->first = first;
    int rc = mr__growing_begin(&w->columns, plan, e);
    if (rc == MR_OK && !mr__buf_reserve(&w->buffer, BUFFER_BYTES))
        rc = mr__fail(e, MR_E_MEMORY, "not enough memory to write a shard");
    if (rc == MR_OK)
        rc = create(w, path, e);
    if (rc == MR_OK) {
        fill_head(w, number);
        rc = put(w, w->head, sizeof w->head, e);
    }
    if (rc == MR_OK)
        *out = w;
    else
        mr__shard_writer_drop(w);
    return rc;
}

/* ---- samples ---- */

static int put_item(struct mr_shard_writer *w, const struct mr_shard_bytes *bytes,
                    struct mr_shard_place *place, struct mr_errbuf *e)
{
    const uint8_t *sums = bytes->sums;
    uint64_t nsums = mr__shard_sums_bytes(bytes->n);
    *place = (struct mr_shard_place){0};
    if (!bytes->n)
        return MR_OK;
    if (!sums) {
        w->sums.n = 0;
        if (!mr__shard_sums(bytes->data, bytes->n, &w->sums))
            return mr__fail(e, MR_E_MEMORY, "not enough memory to write a shard");
        sums = w->sums.data;
    }
    *place = (struct mr_shard_place){w->at, bytes->n, mr__shard_hash(sums, nsums)};
    int rc = put(w, sums, nsums, e);
    return rc == MR_OK ? put(w, bytes->data, bytes->n, e) : rc;
}

static bool fits_tensor(const struct mr_growing_column *c, uint64_t n)
{
    uint64_t bytes = mr_dtype_size(c->dtype);
    for (uint32_t i = 0; i < c->tensor.ndim; i++)
        bytes *= c->tensor.shape[i];
    return !n || bytes == n;
}

int mr__shard_writer_add(struct mr_shard_writer *w, const struct mr_shard_sample *sample,
                         struct mr_errbuf *e)
{
    struct mr_shard_place place[MR_SHARD_MAX_COLUMNS] = {{0}};
    int rc = MR_OK;
    for (int i = 0; rc == MR_OK && i < w->columns.n; i++) {
        const struct mr_growing_column *c = &w->columns.column[i];
        if (c->kind != MR_SHARD_FILES && c->kind != MR_SHARD_TENSORS)
            continue;
        const struct mr_shard_bytes *bytes = &sample->bytes[c->source];
        if (c->tensor.ndim && !fits_tensor(c, bytes->n))
            rc = mr__fail(e, MR_E_USAGE, "%llu bytes are no tensor of column '%s'",
                          (unsigned long long)bytes->n, c->name);
        else
            rc = put_item(w, bytes, &place[i], e);
    }
    return rc == MR_OK ? mr__growing_add(&w->columns, sample, place, e) : rc;
}

uint64_t mr__shard_writer_bytes(const struct mr_shard_writer *w)
{
    return w->at + mr__growing_bytes(&w->columns) + MR_SHARD_FOOT_BYTES;
}

uint64_t mr__shard_writer_adds(const struct mr_shard_writer *w,
                               const struct mr_shard_sample *sample)
{
    uint64_t bytes = mr__growing_adds(&w->columns, sample);
    for (int i = 0; i < w->columns.n; i++) {
        const struct mr_growing_column *c = &w->columns.column[i];
        if (c->kind == MR_SHARD_FILES || c->kind == MR_SHARD_TENSORS)
            bytes += sample->bytes[c->source].n + mr__shard_sums_bytes(sample->bytes[c->source].n);
    }
    return bytes;
}

/* ---- its end ---- */

static int put_end(struct mr_shard_writer *w, struct mr_shard_line *line, struct mr_errbuf *e)
{
    uint8_t foot[MR_SHARD_FOOT_BYTES] = {0};
    struct mr_buf index = {0};
    uint64_t at = w->at;
    int rc = mr__growing_write(&w->columns, &index, e);
    if (rc == MR_OK)
        rc = put(w, index.data, index.n, e);
    memcpy(foot, MR_SHARD_FOOT_MAGIC, 8);
    mr__le_put(foot + MR_SHARD_FOOT_INDEX, at, 8);
    mr__le_put(foot + MR_SHARD_FOOT_INDEX_BYTES, index.n, 8);
    mr__le_put(foot + MR_SHARD_FOOT_INDEX_CHECK, mr__shard_hash(index.data, index.n), 8);
    mr__le_put(foot + MR_SHARD_FOOT_SAMPLES, w->columns.samples, 8);
    mr__le_put(foot + MR_SHARD_FOOT_FILE_BYTES, w->at + sizeof foot, 8);
    mr__le_put(foot + MR_SHARD_FOOT_HEAD_CHECK, mr__shard_hash(w->head, sizeof w->head), 8);
    line->check = mr__shard_hash(foot, MR_SHARD_FOOT_CHECK);
    mr__le_put(foot + MR_SHARD_FOOT_CHECK, line->check, 8);
    mr__buf_free(&index);
    if (rc == MR_OK)
        rc = put(w, foot, sizeof foot, e);
    return rc == MR_OK ? flush(w, NULL, 0, e) : rc;
}

/* A file system without such a thing has nothing that could be lost. */
static bool synced(int rc)
{
    return rc == 0 || errno == EINVAL || errno == EROFS;
}

int mr__shard_folder_sync(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = !slash || slash == path ? 1 : (size_t)(slash - path);
    memcpy(folder, slash ? path : ".", n);
    folder[n] = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && synced(fsync(fd)) ? 0 : -1, error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return rc;
}

static int name_it(struct mr_shard_writer *w, struct mr_errbuf *e)
{
    if (!synced(fdatasync(w->fd)))
        return cannot(w, "write to the disk", e);
    if (rename(w->temporary, w->path) < 0)
        return cannot(w, "name", e);
    return mr__shard_folder_sync(w->path) < 0 ? cannot(w, "write to the disk the name of", e)
                                              : MR_OK;
}

int mr__shard_writer_finish(struct mr_shard_writer *w, struct mr_shard_line *line,
                            struct mr_errbuf *e)
{
    const char *slash = strrchr(w->path, '/'), *name = slash ? slash + 1 : w->path;
    *line = (struct mr_shard_line){.first = w->first, .samples = w->columns.samples};
    memcpy(line->file, name, strlen(name) + 1); /* what it was made under is no longer */
    int rc = put_end(w, line, e);
    line->bytes = w->at;
    if (rc == MR_OK)
        rc = name_it(w, e);
    if (rc < 0)
        mr__shard_writer_drop(w);
    else
        free_writer(w);
    return rc;
}
