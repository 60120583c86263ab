/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MR_SHARD_HTTP_URL_H
#define MR_SHARD_HTTP_URL_H

#include "base/error.h"

#include <sys/socket.h>

struct mr_http_url { /* "http://HOST[:PORT]/TARGET" */
    char host[256], port[8];
    const char *target; /* from the slash on; in the URL, or "/" */
};

/* MR_E_DATA: it is none. */
int mr__http_url_parse(struct mr_http_url *u, const char *url, struct mr_errbuf *e);
/* The host's address and its length. MR_E_IO: it cannot be found. */
int mr__http_find(const struct mr_http_url *u, struct sockaddr_storage *address, socklen_t *n,
                  struct mr_errbuf *e);

#endif
