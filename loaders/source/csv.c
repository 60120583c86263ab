/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include "base/printable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (256u << 10)

struct place {
    int64_t line, col;
};

static int fail_at(const struct mr_csv *c, struct place at, int code, struct mr_errbuf *e,
                   const char *fmt, va_list ap)
{
    char sentence[MR_ERR_TEXT];
    vsnprintf(sentence, sizeof sentence, fmt, ap);
    return mr__fail_at(e, code, mr__printable(c->name, strlen(c->name)).text, (uint64_t)at.line,
                       (uint64_t)at.col, "%s", sentence);
}

static int __attribute__((format(printf, 5, 6)))
fail(const struct mr_csv *c, struct place at, int code, struct mr_errbuf *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fail_at(c, at, code, e, fmt, ap);
    va_end(ap);
    return code;
}

int mr__csv_error(const struct mr_csv *c, int i, struct mr_errbuf *e, const char *fmt, ...)
{
    struct place at = {c->cell[i].line, c->cell[i].col};
    va_list ap;
    va_start(ap, fmt);
    fail_at(c, at, MR_E_CONFIG, e, fmt, ap);
    va_end(ap);
    return MR_E_CONFIG;
}

const char *mr__csv_text(const struct mr_csv *c, int i)
{
    return (const char *)c->text.data + c->cell[i].at;
}

static struct place here(const struct mr_csv *c)
{
    return (struct place){c->line, (int64_t)(c->before + c->at - c->line_start) + 1};
}

/* The next chunk, when this one is used up. MR_OK, also at the file's end; then at == end. */
static int refill(struct mr_csv *c, struct mr_errbuf *e)
{
    ssize_t got;
    if (c->at < c->end || c->ended)
        return MR_OK;
    c->before += c->end;
    c->at = c->end = 0;
    do
        got = read(c->fd, c->own, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot read '%s'",
                              mr__printable(c->name, strlen(c->name)).text);
    c->ended = got == 0;
    c->end = (size_t)got;
    return MR_OK;
}

/* The byte to come, -1 at the end. */
static int peek(struct mr_csv *c, int *byte, struct mr_errbuf *e)
{
    int rc = refill(c, e);
    *byte = c->at < c->end ? c->chunk[c->at] : -1;
    return rc;
}

static int append(struct mr_csv *c, const void *data, size_t n, struct mr_errbuf *e)
{
    if (c->text.n + n > MR_CSV_MAX_RECORD)
        return fail(c, here(c), MR_E_LIMIT, e, "a record of over %u MB; is a quote not closed?",
                    MR_CSV_MAX_RECORD >> 20);
    if (!mr__buf_append(&c->text, data, n))
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read '%s'",
                        mr__printable(c->name, strlen(c->name)).text);
    return MR_OK;
}

/* Steps over a line end, CRLF being one. */
static int end_line(struct mr_csv *c, struct mr_errbuf *e)
{
    bool cr = c->chunk[c->at++] == '\r';
    int byte, rc = peek(c, &byte, e);
    if (cr && byte == '\n')
        c->at++;
    c->line++;
    c->line_start = c->before + c->at;
    return rc;
}

static bool stops(const struct mr_csv *c, uint8_t byte)
{
    return byte == (uint8_t)c->separator || byte == '\n' || byte == '\r' || byte == 0;
}

/* Text up to a separator or a line end; quotes inside are text. */
static int read_plain(struct mr_csv *c, struct mr_errbuf *e)
{
    for (;;) {
        int byte, rc = peek(c, &byte, e);
        if (rc < 0 || byte < 0 || stops(c, (uint8_t)byte))
            return rc;
        size_t from = c->at;
        while (c->at < c->end && !stops(c, c->chunk[c->at]))
            c->at++;
        rc = append(c, c->chunk + from, c->at - from, e);
        if (rc < 0)
            return rc;
    }
}

/* A line end inside quotes is text as it stands, and still begins a line for messages. */
static int read_quoted_line_end(struct mr_csv *c, struct mr_errbuf *e)
{
    bool cr = c->chunk[c->at] == '\r';
    int rc = append(c, c->chunk + c->at++, 1, e), byte;
    if (rc == MR_OK)
        rc = peek(c, &byte, e);
    if (rc == MR_OK && !(cr && byte == '\n')) { /* the LF of a CRLF will count */
        c->line++;
        c->line_start = c->before + c->at;
    }
    return rc;
}

/* What follows a quote inside quotes: another one is a quote, anything else is the end. */
static int read_quote(struct mr_csv *c, bool *closed, struct mr_errbuf *e)
{
    int byte;
    c->at++;
    int rc = peek(c, &byte, e);
    *closed = byte != '"';
    if (rc < 0 || *closed)
        return rc;
    c->at++;
    return append(c, "\"", 1, e);
}

static int read_quoted(struct mr_csv *c, struct mr_errbuf *e)
{
    struct place open = here(c);
    bool closed = false;
    c->at++;
    while (!closed) {
        int byte, rc = peek(c, &byte, e);
        if (rc == MR_OK && byte < 0)
            return fail(c, open, MR_E_CONFIG, e, "this quote is never closed");
        if (rc < 0 || byte == 0) /* the caller meets the NUL */
            return rc;
        size_t from = c->at;
        while (c->at < c->end && !strchr("\"\n\r", c->chunk[c->at]))
            c->at++;
        rc = append(c, c->chunk + from, c->at - from, e);
        if (rc == MR_OK && c->at < c->end && c->chunk[c->at] == '"')
            rc = read_quote(c, &closed, e);
        else if (rc == MR_OK && c->at < c->end && c->chunk[c->at])
            rc = read_quoted_line_end(c, e);
        if (rc < 0)
            return rc;
    }
    int byte, rc = peek(c, &byte, e);
    if (rc == MR_OK && byte > 0 && !stops(c, (uint8_t)byte))
        return fail(c, here(c), MR_E_CONFIG, e,
                    "text behind a closing quote; a quote inside quotes is written twice");
    return rc;
}

static int read_cell(struct mr_csv *c, struct mr_errbuf *e)
{
    struct place at = here(c);
    int byte, rc = peek(c, &byte, e);
    if (rc < 0)
        return rc;
    if (c->ncells == MR_CSV_MAX_CELLS)
        return fail(c, at, MR_E_LIMIT, e, "more than %d cells in a record", MR_CSV_MAX_CELLS);
    struct mr_csv_cell *cell = &c->cell[c->ncells++];
    *cell = (struct mr_csv_cell){.at = c->text.n, .line = at.line, .col = at.col};
    rc = byte == '"' ? read_quoted(c, e) : read_plain(c, e);
    cell->n = c->text.n - cell->at;
    return rc < 0 ? rc : append(c, "", 1, e);
}

/* Empty lines; at the end of the file *byte is -1. */
static int skip_empty_lines(struct mr_csv *c, int *byte, struct mr_errbuf *e)
{
    int rc = peek(c, byte, e);
    while (rc == MR_OK && (*byte == '\n' || *byte == '\r')) {
        rc = end_line(c, e);
        if (rc == MR_OK)
            rc = peek(c, byte, e);
    }
    return rc;
}

int mr__csv_next(struct mr_csv *c, struct mr_errbuf *e)
{
    c->ncells = 0;
    c->text.n = 0;
    int byte, rc = skip_empty_lines(c, &byte, e);
    if (rc == MR_OK && byte < 0)
        return MR_END;
    for (;;) {
        if (rc == MR_OK)
            rc = read_cell(c, e);
        if (rc == MR_OK)
            rc = peek(c, &byte, e);
        if (rc < 0 || byte < 0)
            return rc;
        if (byte == 0)
            return fail(c, here(c), MR_E_CONFIG, e, "a NUL byte: this is no text file");
        if (byte != (uint8_t)c->separator)
            return end_line(c, e);
        c->at++;
    }
}

static int begin(struct mr_csv *c, struct mr_errbuf *e)
{
    if (c->end >= 3 && !memcmp(c->chunk, "\xef\xbb\xbf", 3))
        c->line_start = c->at = 3;
    else if (c->end >= 2 && (!memcmp(c->chunk, "\xff\xfe", 2) || !memcmp(c->chunk, "\xfe\xff", 2)))
        return fail(c, (struct place){1, 1}, MR_E_CONFIG, e,
                    "this is UTF-16 text; save it as UTF-8");
    return MR_OK;
}

int mr__csv_open_memory(struct mr_csv *c, const uint8_t *data, size_t n, const char *name,
                        char separator, struct mr_errbuf *e)
{
    *c = (struct mr_csv){.fd = -1,
                         .name = name,
                         .separator = separator,
                         .line = 1,
                         .chunk = data,
                         .end = n,
                         .ended = true};
    return begin(c, e);
}

int mr__csv_open(struct mr_csv *c, int fd, const char *name, char separator, struct mr_errbuf *e)
{
    *c = (struct mr_csv){.fd = fd, .name = name, .separator = separator, .line = 1};
    c->chunk = c->own = malloc(CHUNK);
    if (!c->own)
        return mr__fail(e, MR_E_MEMORY, "not enough memory to read '%s'", name);
    int rc = refill(c, e);
    return rc < 0 ? rc : begin(c, e);
}

void mr__csv_close(struct mr_csv *c)
{
    free(c->own);
    mr__buf_free(&c->text);
    c->chunk = c->own = NULL;
}
