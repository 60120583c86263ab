/* SPDX-License-Identifier: Apache-2.0
 *
 * http_file.c: a shard's bytes by range requests over a connection that stays open. Threads that
 * share a file take turns. A request that fails in a way that may pass (the connection breaks, the
 * server is busy) is made again, twice.
 */
#include "loaders/shard/http_file.h"

#include "base/printable.h"
#include "loaders/shard/http_url.h"
#include "loaders/shard/shard_file.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 30000, ATTEMPTS = 3, HEAD_BYTES = 16384 };

struct http {
    pthread_mutex_t mutex; /* of one request at a time: the file's fd, and what follows the URL */
    struct mr_http_url url;
    char head[HEAD_BYTES]; /* of a response, and what came with it of its body */
    size_t got, used;      /* bytes in it; of these the head's */
};

struct answer {
    int status;
    uint64_t from, total, length; /* of Content-Range and Content-Length */
    bool ranged, sized, closes;
};

static struct mr_printable show(const struct mr_shard_file *f)
{
    return mr__printable(f->path, strlen(f->path));
}

static int broken(const struct mr_shard_file *f, const char *what, struct mr_errbuf *e)
{
    return mr__fail_errno(e, MR_E_IO, "cannot %s '%s'", what, show(f).text);
}

/* ---- the connection ---- */

static void disconnect(struct mr_shard_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

/* 0, or -1 with errno. */
static int wait_for(const struct mr_shard_file *f, short events)
{
    struct pollfd p = {.fd = f->fd, .events = events};
    int rc;
    do
        rc = poll(&p, 1, WAIT_MS);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        errno = ETIMEDOUT;
    return rc > 0 ? 0 : -1;
}

static int finish_connecting(const struct mr_shard_file *f)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (wait_for(f, POLLOUT) < 0 || getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        return -1;
    errno = error;
    return error ? -1 : 0;
}

static int connect_to(struct mr_shard_file *f, struct mr_errbuf *e)
{
    const struct http *h = f->own;
    struct sockaddr_storage address;
    socklen_t n;
    int one = 1, rc = mr__http_find(&h->url, &address, &n, e);
    if (rc < 0)
        return rc;
    f->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool good = f->fd >= 0 && (connect(f->fd, (struct sockaddr *)&address, n) == 0 ||
                               (errno == EINPROGRESS && finish_connecting(f) == 0));
    if (!good)
        return broken(f, "reach", e);
    (void)setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return MR_OK;
}

static int send_all(const struct mr_shard_file *f, const char *text, size_t n)
{
    while (n) {
        ssize_t done = send(f->fd, text, n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        if (done < 0 && wait_for(f, POLLOUT) < 0)
            return -1;
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* At least one byte, or -1 with errno. */
static ssize_t receive(const struct mr_shard_file *f, void *to, size_t n)
{
    for (;;) {
        ssize_t got = recv(f->fd, to, n, 0);
        if (got > 0)
            return got;
        if (got == 0)
            errno = ECONNRESET;
        if (got == 0 || (errno != EAGAIN && errno != EINTR) || wait_for(f, POLLIN) < 0)
            return -1;
    }
}

/* ---- an answer ---- */

static bool has(const char *line, const char *key)
{
    return !strncasecmp(line, key, strlen(key));
}

static void read_line(struct answer *a, const char *line)
{
    unsigned long long from, to, total;
    if (has(line, "content-length:")) {
        a->length = strtoull(line + 15, NULL, 10);
        a->sized = true;
    } else if (has(line, "content-range:")) {
        const char *unit = strcasestr(line, "bytes");
        a->ranged = unit && sscanf(unit + 5, " %llu-%llu/%llu", &from, &to, &total) == 3;
        a->from = a->ranged ? from : 0;
        a->total = a->ranged ? total : 0;
    } else if (has(line, "connection:")) {
        a->closes = strcasestr(line, "close") != NULL;
    }
}

static int read_answer(struct mr_shard_file *f, struct answer *a, struct mr_errbuf *e)
{
    struct http *h = f->own;
    char *end = NULL;
    *a = (struct answer){0};
    h->got = h->used = 0;
    while (!end && h->got < sizeof h->head - 1) {
        ssize_t got = receive(f, h->head + h->got, sizeof h->head - 1 - h->got);
        if (got < 0)
            return broken(f, "read", e);
        h->got += (size_t)got;
        h->head[h->got] = 0;
        end = strstr(h->head, "\r\n\r\n");
    }
    if (!end || sscanf(h->head, "HTTP/1.%*1d %3d", &a->status) != 1)
        return mr__fail(e, MR_E_DATA, "'%s': what answers is no HTTP server", show(f).text);
    h->used = (size_t)(end - h->head) + 4;
    for (char *line = strstr(h->head, "\r\n"); line && line < end; line = strstr(line, "\r\n"))
        read_line(a, line += 2);
    return MR_OK;
}

/* Its body, of n bytes. */
static int read_body(struct mr_shard_file *f, uint8_t *to, uint64_t n, struct mr_errbuf *e)
{
    const struct http *h = f->own;
    uint64_t there = h->got - h->used < n ? h->got - h->used : n;
    memcpy(to, h->head + h->used, there);
    while (there < n) {
        ssize_t got = receive(f, to + there, n - there < 1 << 30 ? n - there : 1 << 30);
        if (got < 0)
            return broken(f, "read", e);
        there += (uint64_t)got;
    }
    return MR_OK;
}

/* ---- a request ---- */

static int judge(const struct mr_shard_file *f, const struct answer *a, uint64_t at, uint64_t n,
                 struct mr_errbuf *e)
{
    if (a->status == 404 || a->status == 410)
        return mr__fail(e, MR_E_DATA, "there is no '%s' (HTTP status %d)", show(f).text, a->status);
    if (a->status == 200)
        return mr__fail(e, MR_E_DATA,
                        "the server of '%s' does not send ranges of a file: use one that answers "
                        "Range requests, such as nginx",
                        show(f).text);
    if (a->status != 206)
        return mr__fail(e, a->status >= 500 || a->status == 429 ? MR_E_IO : MR_E_DATA,
                        "cannot read '%s': HTTP status %d", show(f).text, a->status);
    if (!a->ranged || !a->sized || a->from != at || a->length != n)
        return mr__fail(e, MR_E_DATA, "the server of '%s' sends another range than was asked for",
                        show(f).text);
    return MR_OK;
}

static int request_once(struct mr_shard_file *f, uint64_t at, uint64_t n, uint8_t *to,
                        struct answer *a, struct mr_errbuf *e)
{
    const struct http *h = f->own;
    char text[1536 + 512];
    bool six = strchr(h->url.host, ':') != NULL;
    int bytes = snprintf(text, sizeof text,
                         "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nRange: bytes=%llu-%llu\r\n"
                         "Accept-Encoding: identity\r\n\r\n",
                         h->url.target, six ? "[" : "", h->url.host, six ? "]" : "", h->url.port,
                         (unsigned long long)at, (unsigned long long)(at + n - 1));
    if (bytes < 0 || bytes >= (int)sizeof text)
        return mr__fail(e, MR_E_DATA, "the URL '%s' is too long", show(f).text);
    int rc = f->fd < 0 ? connect_to(f, e) : MR_OK;
    if (rc == MR_OK && send_all(f, text, (size_t)bytes) < 0)
        rc = broken(f, "ask for", e);
    if (rc == MR_OK)
        rc = read_answer(f, a, e);
    if (rc == MR_OK)
        rc = judge(f, a, at, n, e);
    if (rc == MR_OK)
        rc = read_body(f, to, n, e);
    if (rc < 0 || a->closes)
        disconnect(f); /* what else it sends is not known */
    return rc;
}

/* The mutex is held, or no other thread knows of the file yet. */
static int request(struct mr_shard_file *f, uint64_t at, uint64_t n, uint8_t *to, struct answer *a,
                   struct mr_errbuf *e)
{
    int rc = MR_E_IO;
    for (int attempt = 0; attempt < ATTEMPTS && rc == MR_E_IO; attempt++) {
        bool kept = f->fd >= 0; /* a server may close what was idle: that is no failure */
        const struct timespec pause = {0, 200000000L * attempt};
        if (attempt > 0)
            (void)nanosleep(&pause, NULL);
        rc = request_once(f, at, n, to, a, e);
        attempt -= kept && rc == MR_E_IO && !attempt;
    }
    if (rc == MR_E_IO)
        rc = e->code = MR_E_DATA; /* that is how it is now */
    return rc;
}

/* ---- the transport ---- */

static void http_close(struct mr_shard_file *f)
{
    struct http *h = f->own;
    disconnect(f);
    pthread_mutex_destroy(&h->mutex);
    free(h);
}

static int http_open(struct mr_shard_file *f, struct mr_errbuf *e)
{
    struct http *h = f->own = calloc(1, sizeof *h);
    struct mr_errbuf own; /* a sentence is kept between attempts */
    struct answer a;
    uint8_t byte;
    if (!h)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to open '%s'", show(f).text);
    e = e ? e : &own;
    pthread_mutex_init(&h->mutex, NULL);
    int rc = mr__http_url_parse(&h->url, f->path, e);
    if (rc == MR_OK)
        rc = request(f, 0, 1, &byte, &a, e);
    if (rc == MR_OK)
        f->bytes = a.total;
    else
        http_close(f);
    return rc;
}

static int http_read(struct mr_shard_file *f, uint64_t at, void *to, uint64_t n,
                     struct mr_errbuf *e)
{
    struct http *h = f->own;
    struct mr_errbuf own;
    struct answer a;
    pthread_mutex_lock(&h->mutex);
    int rc = request(f, at, n, to, &a, e ? e : &own);
    pthread_mutex_unlock(&h->mutex);
    return rc;
}

const struct mr_shard_transport mr__shard_http = {
    .prefix = "http://",
    .first_bytes = 256 << 10,
    .at_once = 16 << 20,
    .open = http_open,
    .read = http_read,
    .close = http_close,
};

/* ---- what is not there ---- */

static int https_open(struct mr_shard_file *f, struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_UNSUPPORTED,
                    "'%s': there is no TLS in this build; let a proxy beside it serve http://",
                    show(f).text);
}

const struct mr_shard_transport mr__shard_https = {.prefix = "https://", .open = https_open};
