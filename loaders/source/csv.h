/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.h: a CSV file record by record (RFC 4180): cells in double quotes may hold separators, line
 * ends and doubled quotes; lines end in LF, CRLF or CR; a UTF-8 byte order mark is passed over, and
 * so are empty lines. Every cell knows its place, for messages. Memory: one record and a chunk of
 * the file.
 */
#ifndef MR_SOURCE_CSV_H
#define MR_SOURCE_CSV_H

#include "base/buf.h"
#include "base/error.h"

#define MR_CSV_MAX_CELLS 256
#define MR_CSV_MAX_RECORD (16u << 20) /* bytes: a quote never closed must not eat all memory */

struct mr_csv_cell {
    size_t at, n;      /* in `text`; a NUL follows the n bytes, which have none */
    int64_t line, col; /* where it begins, from 1; columns are bytes */
};

struct mr_csv {
    int fd;           /* not owned */
    const char *name; /* of the file, for messages */
    char separator;

    struct mr_csv_cell cell[MR_CSV_MAX_CELLS]; /* the record */
    int ncells;
    struct mr_buf text;

    const uint8_t *chunk; /* the rest is the reader's own */
    uint8_t *own;         /* the memory that a file is read into */
    size_t at, end;
    uint64_t before; /* bytes of the file before the chunk */
    int64_t line;
    uint64_t line_start;
    bool ended;
};

/* Begins at the start of `fd`, which must stay open until mr__csv_close(). MR_E_IO, MR_E_MEMORY;
 * MR_E_CONFIG for UTF-16. */
int mr__csv_open(struct mr_csv *c, int fd, const char *name, char separator, struct mr_errbuf *e);
/* The same from n bytes of memory, which must stay. MR_E_CONFIG for UTF-16. */
int mr__csv_open_memory(struct mr_csv *c, const uint8_t *data, size_t n, const char *name,
                        char separator, struct mr_errbuf *e);
/* Reads the next record into cell[]. MR_OK; MR_END after the last; MR_E_CONFIG with its place when
 * the text is no CSV (text behind a closing quote, a quote that is never closed, a NUL);
 * MR_E_LIMIT; MR_E_IO; MR_E_MEMORY. */
int mr__csv_next(struct mr_csv *c, struct mr_errbuf *e);
void mr__csv_close(struct mr_csv *c);

/* The text of cell i of the record; NUL-terminated; good until the next record. */
const char *mr__csv_text(const struct mr_csv *c, int i);
/* "name:line:col: error: sentence" at a cell of the record. Returns MR_E_CONFIG. */
int mr__csv_error(const struct mr_csv *c, int i, struct mr_errbuf *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
