/* SPDX-License-Identifier: Apache-2.0
 *
 * http_file.h: shards on a web server that sends ranges (HTTP/1.1, no TLS): a client small enough
 * to live in the sandbox, which lets a process open sockets and little else. Names are looked up
 * where that can be done, in the process that makes the index; it leaves the address for those that
 * read.
 */
#ifndef MR_SHARD_HTTP_FILE_H
#define MR_SHARD_HTTP_FILE_H

#include "base/error.h"

#include <stdbool.h>

#define MR_HTTP_ADDRESS 64 /* bytes of an address as text, with its NUL */

/* Whether a path is one of this kind. */
bool mr__http_is(const char *path);
/* Looks the host of `url` up, unless it is known: its first address, as text. MR_E_IO, MR_E_DATA
 * (no URL). */
int mr__http_resolve(const char *url, char address[MR_HTTP_ADDRESS], struct mr_errbuf *e);
/* From now on the host of `url` has this address in this process. */
void mr__http_know(const char *url, const char *address);

#endif
