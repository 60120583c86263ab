/* SPDX-License-Identifier: Apache-2.0
 *
 * index_file.h: an index kept in a file, so that the next one who needs it does not build it:
 *
 *     head      one page: what follows, and a checksum of the head itself
 *     index     as in the memfd (index.h)
 *     blocks    u64 per MR_INDEX_BLOCK bytes of the index: their XXH3
 *     origins   what it was made from (origin.h)
 *     roots     the folders that its files lie in, as text, and what those were found by
 *
 * A file is written once, gets its name when it is whole, and is never changed. Whoever opens one
 * believes nothing: owner, mode, sizes and all checksums are looked at before a byte of it counts.
 * Of this machine's byte order; another's begins with another magic number.
 */
#ifndef MR_BASE_INDEX_FILE_H
#define MR_BASE_INDEX_FILE_H

#include "base/buf.h"
#include "base/index.h"

#define MR_INDEX_FILE_AT 4096 /* where the index begins */
#define MR_INDEX_BLOCK (1u << 20)

struct mr_index_file_head {
    uint64_t magic, version;
    uint64_t sum;    /* XXH3 of this head with sum = 0 */
    uint64_t bytes;  /* of the file */
    uint64_t key[2]; /* of the options that it was made by */
    uint64_t index_bytes;
    uint64_t rest_sum; /* XXH3 of all behind the index, which begins at the next multiple of 64 */
    uint64_t blocks;   /* number of them */
    uint64_t contents; /* of the data set's files (pipe/file_stamps.h); 0: they do not matter */
    uint64_t origins_bytes, roots_bytes, roots_origins_bytes; /* multiples of 8 */
};

/* What stands behind the index. */
struct mr_index_rest {
    const uint8_t *origins, *roots, *roots_origins;
    size_t origins_bytes, roots_bytes, roots_origins_bytes;
    uint64_t contents;
};

struct mr_index_file { /* an open one; zero it to begin */
    int fd;
    struct mr_index_file_head head;
    struct mr_buf behind; /* of the index: the bytes that `rest` points into */
    struct mr_index_rest rest;
};

/* Writes a file into the empty `fd` and has it on the disk. MR_E_IO, MR_E_MEMORY. */
int mr__index_file_write(int fd, const uint64_t key[2], const struct mr_index *index,
                         const struct mr_index_rest *rest, struct mr_errbuf *e);
/* Whether `fd` holds a file that was written to its end by this key, as far as the head says. */
bool mr__index_file_complete(int fd, const uint64_t key[2]);

/* Opens a file and checks all but the index's own bytes. MR_OK: f is to be closed.
 * MR_INDEX_FILE_NONE: there is none. MR_E_VERSION: it was made by other options or another version.
 * MR_E_CORRUPT: it is none, not whole, of another machine, or somebody else's; e says which, after
 * "it ". MR_E_IO, MR_E_MEMORY. */
#define MR_INDEX_FILE_NONE 1
int mr__index_file_open(struct mr_index_file *f, const char *path, const uint64_t key[2],
                        struct mr_errbuf *e);
/* Reads all of the index on so many threads. MR_E_CORRUPT, MR_E_IO, MR_E_MEMORY. */
int mr__index_file_verify(const struct mr_index_file *f, int threads, struct mr_errbuf *e);
/* As mr__index_copy, of an open file. */
int mr__index_file_copy(const struct mr_index_file *f, struct mr_index *index, struct mr_errbuf *e);
void mr__index_file_close(struct mr_index_file *f);

/* Writes into the empty memfd, and seals it, that the index is in this file: mr__index_map and
 * mr__index_copy follow it. MR_E_SYSTEM. */
int mr__index_ticket_write(int memfd, const char *path, const struct mr_index_file_head *head,
                           struct mr_errbuf *e);

#endif
