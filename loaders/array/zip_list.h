/* SPDX-License-Identifier: Apache-2.0
 *
 * zip_list.h: what is in a .zip archive (a .npz is one), by its directory; ZIP64 included. Names
 * are keys, never paths: nothing is written anywhere. Nothing is inflated.
 */
#ifndef MR_ARRAY_ZIP_LIST_H
#define MR_ARRAY_ZIP_LIST_H

#include "base/buf.h"
#include "base/error.h"

struct mr_zip_member {
    const char *name; /* name_bytes, without NUL; into the list's own memory */
    size_t name_bytes;
    uint64_t bytes;  /* of its content */
    uint64_t header; /* where its local header begins */
    uint16_t method; /* 0: stored as it is; 8: deflated */
    bool encrypted;
};

struct mr_zip {
    struct mr_buf directory; /* as it stands in the file */
    uint64_t directory_at, members, file_bytes;
    size_t next; /* of mr__zip_next, in the directory */
};

/* Reads the directory of the archive in `fd`, a file of `bytes` bytes. MR_E_DATA: it is none, is
 * cut, or has parts in other files. MR_E_MEMORY, MR_E_IO. mr__zip_close ends it in any case. */
int mr__zip_open(struct mr_zip *zip, int fd, uint64_t bytes, struct mr_errbuf *e);
void mr__zip_close(struct mr_zip *zip);
/* The members, one after the other. MR_END behind the last; MR_E_DATA. */
int mr__zip_next(struct mr_zip *zip, struct mr_zip_member *member, struct mr_errbuf *e);
/* Where the content of a stored member begins in the file, all of which lies before the directory.
 * MR_E_DATA: it does not, or the member is compressed or encrypted. */
int mr__zip_locate(const struct mr_zip *zip, int fd, const struct mr_zip_member *member,
                   uint64_t *at, struct mr_errbuf *e);

#endif
