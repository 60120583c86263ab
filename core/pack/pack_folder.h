/* SPDX-License-Identifier: Apache-2.0
 *
 * pack_folder.h: the folder that is packed into: whose it is, and what an earlier call has left.
 *
 *     data-000000.mrs ..  shards, each whole from the moment it is there
 *     pack.origin         what is packed here, and which samples were left out
 *     pack.json           the list of the shards: there when everything is
 */
#ifndef MR_PACK_FOLDER_H
#define MR_PACK_FOLDER_H

#include "base/buf.h"
#include "base/text.h"
#include "loaders/shard/shard_writer.h"

enum { MR_PACK_MOST_SHARDS = 1000000 };

/* What is packed: both numbers must be what they were for an earlier call's shards to be kept. */
struct mr_pack_origin {
    uint64_t fingerprint; /* of options and index; it is in the shards, too */
    uint64_t stamps;      /* of the files' sizes and times */
};

struct mr_pack_folder {
    char *path;
    int fd; /* of the folder, locked for us alone */
    int origin_fd;
    bool complete;              /* pack.json is there */
    struct mr_shard_line *kept; /* by number; file "" where there is none */
    uint64_t nkept;
    struct mr_buf listed;     /* uint64_t, rising: samples that earlier calls have left out */
    struct mr_buf skips;      /* these and what was left out since */
    struct mr_text unwritten; /* what of that is not in the file yet */
    uint64_t fingerprint;
    void (*log)(void *user, const char *line);
    void *user;
};

/* Makes the folder, or goes on with one: finds the shards that are whole, removes what is half
 * done. *f holds `log` and `user` (or zeros) and is otherwise filled. MR_E_USAGE: somebody else's
 * folder, other data or options, or another call at work. MR_E_IO, MR_E_MEMORY. */
int mr__pack_folder_open(struct mr_pack_folder *f, const char *path,
                         const struct mr_pack_origin *origin, struct mr_errbuf *e);
/* Safe on a folder that could not be opened. */
void mr__pack_folder_close(struct mr_pack_folder *f);

/* Where a shard lies, malloc'ed; NULL: memory is out. */
char *mr__pack_folder_shard(const struct mr_pack_folder *f, uint64_t number);

/* Whether an earlier call has left a sample out; any thread. */
bool mr__pack_folder_skips(const struct mr_pack_folder *f, uint64_t sample);
/* Leaves one out. One thread at a time, as the following. MR_E_MEMORY. */
int mr__pack_folder_skip(struct mr_pack_folder *f, uint64_t sample, struct mr_errbuf *e);
/* Which were left out is on the disk, before a shard is that depends on it. MR_E_IO. */
int mr__pack_folder_sync(struct mr_pack_folder *f, struct mr_errbuf *e);
/* The data set's sample that is number `packed` of those that are not left out. */
uint64_t mr__pack_folder_source(const struct mr_pack_folder *f, uint64_t packed);

#endif
