/* SPDX-License-Identifier: Apache-2.0
 *
 * shard_file.h: where a shard's bytes come from. One kind of place per row of a table
 * (shard_file.c): what is told by how a path begins.
 */
#ifndef MR_SHARD_SHARD_FILE_H
#define MR_SHARD_SHARD_FILE_H

#include "base/descriptor.h"
#include "base/mapped_bytes.h"

#include <sys/stat.h>

struct mr_shard_file;

struct mr_shard_transport {
    const char *prefix;   /* of the paths that it opens: "http://"; "": all others */
    uint32_t first_bytes; /* of a body, to be read with its sums */
    uint32_t at_once;     /* to be read by one call at most */
    /* Opens `path` and tells its size. file->transport and file->path are set. */
    int (*open)(struct mr_shard_file *file, struct mr_errbuf *e);
    /* Exactly `n` bytes from `at` on into `to`. They lie in the file, which may have been cut
     * since: MR_E_DATA. */
    int (*read)(struct mr_shard_file *file, uint64_t at, void *to, uint64_t n, struct mr_errbuf *e);
    /* Looks at many bytes that are in memory, as mr__mapped_bytes() does. NULL: it cannot. */
    bool (*look)(struct mr_shard_file *file, uint64_t at, uint64_t n, mr_mapped_use *use,
                 void *ctx);
    /* Asks for bytes that `read` will be asked for soon and does not wait. NULL: it cannot. */
    enum mr_cached (*ahead)(struct mr_shard_file *file, uint64_t at, uint64_t n);
    void (*close)(struct mr_shard_file *file);
};

struct mr_shard_file { /* one thread at a time, but for `read`, `look` and `ahead` */
    const struct mr_shard_transport *transport;
    const char *path;
    uint64_t bytes;
    int fd;
    struct stat st; /* of a local file, when it was opened */
    void *own;      /* the transport's */
};

/* The path is a URL: the file system has nothing to do with it. */
bool mr__shard_is_url(const char *path);
/* MR_E_DATA: there is no such file, or it is something else; MR_E_IO, MR_E_MEMORY. The sentence
 * names it. *file is malloc'ed. */
int mr__shard_file_open(struct mr_shard_file **file, const char *path, struct mr_errbuf *e);
int mr__shard_file_read(struct mr_shard_file *file, uint64_t at, void *to, uint64_t n,
                        struct mr_errbuf *e);
bool mr__shard_file_look(struct mr_shard_file *file, uint64_t at, uint64_t n, mr_mapped_use *use,
                         void *ctx);
enum mr_cached mr__shard_file_ahead(struct mr_shard_file *file, uint64_t at, uint64_t n);
/* Safe on NULL. */
void mr__shard_file_close(struct mr_shard_file *file);

extern const struct mr_shard_transport mr__shard_http, mr__shard_https, mr__shard_local;

#endif
