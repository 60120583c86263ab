/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_csv.c: any bytes as CSV. Every error tells its place; what is read and written again by the
 * rules of RFC 4180 is read as the same cells, and so is what arrives in pieces.
 */
#include "loaders/source/csv.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

/* A pipe that gives one piece for each read. */
static int pipe_with(const uint8_t *data, size_t n, size_t piece)
{
    int end[2];
    require(pipe2(end, O_DIRECT | O_CLOEXEC) == 0, "a pipe");
    for (size_t at = 0; at < n; at += piece) {
        size_t now = n - at < piece ? n - at : piece;
        require(write(end[1], data + at, now) == (ssize_t)now, "a piece");
    }
    close(end[1]);
    return end[0];
}

static bool append(struct mr_buf *b, const char *text, size_t n)
{
    return n == 0 || mr__buf_append(b, text, n);
}

/* A cell in quotes, with its own quotes doubled. */
static void write_cell(struct mr_buf *b, const char *text, bool last)
{
    bool good = append(b, "\"", 1);
    for (; *text; text++)
        good &= append(b, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    require(good && append(b, last ? "\"\n" : "\",", 2), "memory");
}

struct input { /* a file when fd >= 0, else memory */
    int fd;
    const uint8_t *data;
    size_t n;
    char separator;
};

/* Reads all records; writes them, and their cells one behind the other, each with its NUL. */
static int read_all(const struct input *in, struct mr_buf *csv, struct mr_buf *cells)
{
    static struct mr_csv c;
    struct mr_errbuf e = {0};
    int64_t line = 0;
    int rc = in->fd < 0 ? mr__csv_open_memory(&c, in->data, in->n, "f", in->separator, &e)
                        : mr__csv_open(&c, in->fd, "f", in->separator, &e);
    while (rc == MR_OK && (rc = mr__csv_next(&c, &e)) == MR_OK) {
        require(c.ncells > 0 && c.ncells <= MR_CSV_MAX_CELLS, "a record without cells");
        for (int i = 0; i < c.ncells; i++) {
            const char *text = mr__csv_text(&c, i);
            require(strlen(text) == c.cell[i].n, "a cell with a NUL");
            require(c.cell[i].line >= line && c.cell[i].col > 0, "a cell before the last one");
            line = c.cell[i].line;
            write_cell(csv, text, i == c.ncells - 1);
            require(append(cells, text, c.cell[i].n + 1), "memory");
        }
        require(append(cells, "\n", 2), "memory");
    }
    mr__csv_close(&c);
    require(rc == MR_END || (rc < 0 && e.text[0]), "how a file ends");
    require(rc != MR_E_CONFIG || !strncmp(e.text, "f", 1), "an error without its place");
    return rc;
}

static void require_same(const struct mr_buf *a, const struct mr_buf *b, const char *what)
{
    require(a->n == b->n && (!a->n || !memcmp(a->data, b->data, a->n)), what);
}

static void check_again(const struct input *in, int result, const struct mr_buf *cells,
                        const char *what)
{
    struct mr_buf csv = {0}, again = {0};
    require(read_all(in, &csv, &again) == result, what);
    require_same(cells, &again, what);
    mr__buf_free(&csv);
    mr__buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mr_buf csv = {0}, cells = {0};
    struct input in = {-1, data, n, n && data[n - 1] == '\t' ? '\t' : ','};
    int rc = read_all(&in, &csv, &cells);
    if (rc == MR_END) {
        struct input written = {-1, csv.data, csv.n, ','};
        check_again(&written, rc, &cells, "written and read: other cells");
    }
    if (n > 0 && n <= 4096 && data[0] % 8 == 0) { /* system calls are slow */
        in.fd = pipe_with(data, n, n / 8 + 1 + data[n / 2] % 8);
        check_again(&in, rc, &cells, "read in pieces: other cells");
        close(in.fd);
    }
    mr__buf_free(&csv);
    mr__buf_free(&cells);
    return 0;
}
