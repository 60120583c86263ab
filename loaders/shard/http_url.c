/* SPDX-License-Identifier: Apache-2.0
 *
 * http_url.c: URLs, and the addresses of hosts. getaddrinfo() with a number as the host's name
 * opens no file and no socket, so what is known can be used in the sandbox.
 */
#include "loaders/shard/http_url.h"

#include "base/printable.h"
#include "loaders/shard/http_file.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define HTTP "http://"
#define KNOWN 16

bool mr__http_is(const char *path)
{
    return !strncmp(path, HTTP, sizeof HTTP - 1);
}

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

/* Both bounded; false: it does not fit, or there is nothing. */
static bool take(char *to, size_t cap, const char *from, size_t n)
{
    if (n < 1 || n >= cap)
        return false;
    memcpy(to, from, n);
    to[n] = 0;
    return true;
}

int mr__http_url_parse(struct mr_http_url *u, const char *url, struct mr_errbuf *e)
{
    const char *host = url + (mr__http_is(url) ? sizeof HTTP - 1 : 0);
    size_t all = strcspn(host, "/?#"), n = all;
    if (*host == '[') /* an IPv6 address */
        n = strcspn(host, "]") + 1 <= all ? strcspn(host, "]") + 1 : 0;
    else
        n = strcspn(host, ":") < all ? strcspn(host, ":") : all;
    bool bracket = n > 2 && *host == '[';
    const char *port = n < all && host[n] == ':' ? host + n + 1 : "80";
    size_t digits = n < all ? all - n - 1 : 2;
    u->target = host[all] == '/' ? host + all : "/";
    if (mr__http_is(url) && is_plain(url) && !strpbrk(host, "?#@") &&
        take(u->host, sizeof u->host, host + bracket, n - (bracket ? 2 : 0)) &&
        take(u->port, sizeof u->port, port, digits) && strspn(u->port, "0123456789") == digits)
        return MR_OK;
    return mr__fail(e, MR_E_DATA, "'%s' is no URL such as http://host:port/folder",
                    mr__printable(url, strlen(url)).text);
}

/* ---- addresses ---- */

static struct {
    char host[256], address[MR_HTTP_ADDRESS];
} known[KNOWN];
static int nknown;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool recall(const char *host, char address[MR_HTTP_ADDRESS])
{
    bool found = false;
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < KNOWN && !found; i++)
        if (*known[i].host && !strcmp(known[i].host, host)) {
            memcpy(address, known[i].address, MR_HTTP_ADDRESS);
            found = true;
        }
    pthread_mutex_unlock(&mutex);
    return found;
}

static void remember(const char *host, const char *address)
{
    pthread_mutex_lock(&mutex);
    int i = 0;
    while (i < KNOWN && *known[i].host && strcmp(known[i].host, host) != 0)
        i++;
    if (i == KNOWN)
        i = nknown++ % KNOWN; /* the oldest */
    snprintf(known[i].host, sizeof known[i].host, "%s", host);
    snprintf(known[i].address, sizeof known[i].address, "%s", address);
    pthread_mutex_unlock(&mutex);
}

void mr__http_know(const char *url, const char *address)
{
    struct mr_http_url u;
    if (mr__http_url_parse(&u, url, NULL) == MR_OK)
        remember(u.host, address);
}

static int look_up(const struct mr_http_url *u, const char *name, int flags,
                   struct sockaddr_storage *address, socklen_t *n, struct mr_errbuf *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(name, u->port, &hints, &list);
    if (rc || !list)
        return mr__fail(e, MR_E_IO, "cannot find the host '%s': %s", u->host, gai_strerror(rc));
    memcpy(address, list->ai_addr, list->ai_addrlen);
    *n = list->ai_addrlen;
    freeaddrinfo(list);
    return MR_OK;
}

int mr__http_find(const struct mr_http_url *u, struct sockaddr_storage *address, socklen_t *n,
                  struct mr_errbuf *e)
{
    char text[MR_HTTP_ADDRESS];
    const int numeric = AI_NUMERICHOST | AI_NUMERICSERV;
    if (recall(u->host, text))
        return look_up(u, text, numeric, address, n, e);
    int rc = look_up(u, u->host, 0, address, n, e);
    if (rc == MR_OK &&
        !getnameinfo((struct sockaddr *)address, *n, text, sizeof text, NULL, 0, NI_NUMERICHOST))
        remember(u->host, text);
    return rc;
}

int mr__http_resolve(const char *url, char text[MR_HTTP_ADDRESS], struct mr_errbuf *e)
{
    struct mr_http_url u;
    struct sockaddr_storage address;
    socklen_t n;
    int rc = mr__http_url_parse(&u, url, e);
    if (rc == MR_OK)
        rc = mr__http_find(&u, &address, &n, e);
    if (rc == MR_OK && !recall(u.host, text))
        rc = mr__fail(e, MR_E_IO, "the address of '%s' cannot be written as text", u.host);
    return rc;
}
