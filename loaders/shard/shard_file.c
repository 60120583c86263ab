/* SPDX-License-Identifier: Apache-2.0 */
#include "loaders/shard/shard_file.h"

#include "base/printable.h"

#include <stdlib.h>
#include <string.h>

/* The first whose prefix fits. */
static const struct mr_shard_transport *const transports[] = {&mr__shard_http, &mr__shard_https,
                                                              &mr__shard_local};

bool mr__shard_is_url(const char *path)
{
    return !strncmp(path, "http://", 7) || !strncmp(path, "https://", 8);
}

int mr__shard_file_open(struct mr_shard_file **file, const char *path, struct mr_errbuf *e)
{
    size_t n = strlen(path), i = 0;
    struct mr_shard_file *f = calloc(1, sizeof *f + n + 1);
    *file = NULL;
    if (!f)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open '%s'",
                        mr__printable(path, n).text);
    while (strncmp(path, transports[i]->prefix, strlen(transports[i]->prefix)) != 0)
        i++;
    f->path = memcpy(f + 1, path, n + 1);
    f->transport = transports[i];
    f->fd = -1;
    int rc = f->transport->open(f, e);
    if (rc < 0)
        free(f);
    else
        *file = f;
    return rc;
}

int mr__shard_file_read(struct mr_shard_file *file, uint64_t at, void *to, uint64_t n,
                        struct mr_errbuf *e)
{
    if (at > file->bytes || n > file->bytes - at)
        return mr__fail(e, MR_E_DATA, "'%s' ends at byte %llu, before byte %llu",
                        mr__printable(file->path, strlen(file->path)).text,
                        (unsigned long long)file->bytes, (unsigned long long)(at + n));
    return n ? file->transport->read(file, at, to, n, e) : MR_OK;
}

bool mr__shard_file_look(struct mr_shard_file *file, uint64_t at, uint64_t n, mr_mapped_use *use,
                         void *ctx)
{
    return file->transport->look && at <= file->bytes && n <= file->bytes - at &&
           file->transport->look(file, at, n, use, ctx);
}

enum mr_cached mr__shard_file_ahead(struct mr_shard_file *file, uint64_t at, uint64_t n)
{
    if (!file->transport->ahead || at > file->bytes || n > file->bytes - at || !n)
        return MR_CACHED_UNKNOWN;
    return file->transport->ahead(file, at, n);
}

void mr__shard_file_close(struct mr_shard_file *file)
{
    if (file)
        file->transport->close(file);
    free(file);
}
