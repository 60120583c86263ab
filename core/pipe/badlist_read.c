/* SPDX-License-Identifier: Apache-2.0
 *
 * badlist_read.c: a bad list from a file. People edit it, so every cell is held against what it may
 * be, and a mistake is named by line and column.
 */
#include "loaders/source/csv.h"
#include "pipe/badlist.h"

#include "base/open_file.h"
#include "base/printable.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define FILE_MAX (1ll << 30)
#define NUMBER_END (1ull << 48) /* of epochs and positions, as in a saved state */

enum column { SAMPLE, PATH, STAGE, REASON, CAUSE, EPOCH, POSITION, ATTEMPT, FORCED, COLUMNS };
static const char *const column_names[COLUMNS] = {
    "sample", "path", "stage", "reason", "cause", "epoch", "position", "attempt", "forced"};

struct reader {
    struct mr_csv csv;
    int cell[COLUMNS]; /* where the column is; -1: absent */
    int cells;         /* of the header */
    struct mr_errbuf *e;
};

static int read_header(struct reader *r)
{
    int rc = mr__csv_next(&r->csv, r->e);
    if (rc < 0)
        return rc;
    for (int c = 0; c < COLUMNS; c++)
        r->cell[c] = -1;
    r->cells = rc == MR_END ? 0 : r->csv.ncells;
    for (int i = 0; i < r->cells; i++)
        for (int c = 0; c < COLUMNS; c++) {
            if (strcmp(mr__csv_text(&r->csv, i), column_names[c]))
                continue;
            if (r->cell[c] >= 0)
                return mr__csv_error(&r->csv, i, r->e, "the column '%s' is there twice",
                                     column_names[c]);
            r->cell[c] = i;
        }
    if (r->cell[SAMPLE] >= 0 || r->cell[PATH] >= 0)
        return MR_OK;
    return mr__fail(r->e, MR_E_CONFIG,
                    "%s:1:1: error: this is no bad list: its first line has neither a column "
                    "'sample' nor 'path' ('sample,path,stage,reason,cause,...')",
                    r->csv.name);
}

/* The cell's text; "" when the column is absent. */
static const char *text_of(const struct reader *r, enum column c)
{
    return r->cell[c] < 0 ? "" : mr__csv_text(&r->csv, r->cell[c]);
}

/* Digits alone. */
static bool number_of(const char *text, uint64_t *value)
{
    *value = 0;
    for (const char *s = text; *s; s++)
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(*s - '0'), value))
            return false;
    return true;
}

/* A number below `end`, or `absent` when the cell or the column is. */
static int read_number(const struct reader *r, enum column c, uint64_t absent, uint64_t end,
                       uint64_t *value)
{
    const char *text = text_of(r, c);
    if (!*text)
        *value = absent;
    else if (!number_of(text, value) || *value >= end)
        return mr__csv_error(&r->csv, r->cell[c], r->e,
                             "'%s' is a whole number from 0 to %" PRIu64 ", not '%s'",
                             column_names[c], end - 1, mr__printable(text, strlen(text)).text);
    return MR_OK;
}

static int read_cause(const struct reader *r, struct mr_verdict *v)
{
    const char *text = text_of(r, CAUSE);
    int cause = *text ? mr__cause_of(text) : MR_CAUSE_LISTED;
    if (cause < 0)
        return mr__csv_error(&r->csv, r->cell[CAUSE], r->e,
                             "'cause' is data, signal, timeout, cpu, memory or listed, not '%s'",
                             mr__printable(text, strlen(text)).text);
    v->cause = (uint32_t)cause;
    v->reason = mr__cause_reason(v->cause);
    for (uint32_t stage = 0; stage < MR_ACTIVITIES; stage++)
        if (*mr__stage_name(stage) && !strcmp(mr__stage_name(stage), text_of(r, STAGE)))
            v->stage = stage;
    return MR_OK;
}

static int read_place(const struct reader *r, struct mr_verdict *v)
{
    uint64_t attempt = 0, forced = 0;
    int rc = read_number(r, SAMPLE, UINT64_MAX, UINT64_MAX, &v->sample);
    if (rc >= 0)
        rc = read_number(r, EPOCH, 0, NUMBER_END, &v->epoch);
    if (rc >= 0)
        rc = read_number(r, POSITION, MR_ANYWHERE, NUMBER_END, &v->position);
    if (rc >= 0)
        rc = read_number(r, ATTEMPT, 0, UINT16_MAX, &attempt);
    if (rc >= 0)
        rc = read_number(r, FORCED, 0, 2, &forced);
    if (rc < 0)
        return rc;
    v->attempt = (uint32_t)attempt;
    v->forced = (uint32_t)forced;
    return MR_OK;
}

static char *copy_of(const char *text)
{
    return *text ? strdup(text) : NULL;
}

static int read_record(const struct reader *r, struct mr_badlist *list)
{
    struct mr_bad bad = {.line = r->csv.cell[0].line};
    if (r->csv.ncells != r->cells)
        return mr__csv_error(&r->csv, 0, r->e, "the row has %d cells, the header %d", r->csv.ncells,
                             r->cells);
    int rc = read_place(r, &bad.v);
    if (rc >= 0)
        rc = read_cause(r, &bad.v);
    if (rc < 0)
        return rc;
    if (bad.v.sample == UINT64_MAX && !*text_of(r, PATH))
        return mr__csv_error(&r->csv, 0, r->e, "the row names neither a sample nor a path");
    if (list->n == MR_BADLIST_MAX)
        return mr__csv_error(&r->csv, 0, r->e, "a bad list has %d rows at most", MR_BADLIST_MAX);
    bad.text = copy_of(text_of(r, REASON));
    bad.path = copy_of(text_of(r, PATH));
    bool complete = (bad.text || !*text_of(r, REASON)) && (bad.path || !*text_of(r, PATH));
    if (mr__badlist_add(list, &bad) && complete)
        return MR_OK;
    return mr__fail(r->e, MR_E_MEMORY, "not enough memory for the bad list '%s'", r->csv.name);
}

int mr__badlist_parse(struct mr_badlist *list, const char *name, const uint8_t *data, size_t n,
                      struct mr_errbuf *e)
{
    struct reader *r = calloc(1, sizeof *r);
    *list = (struct mr_badlist){0};
    if (!r)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the bad list '%s'", name);
    r->e = e;
    int rc = mr__csv_open_memory(&r->csv, data, n, name, ',', e);
    if (rc >= 0)
        rc = read_header(r);
    while (rc >= 0 && (rc = mr__csv_next(&r->csv, e)) == MR_OK)
        rc = read_record(r, list);
    mr__csv_close(&r->csv);
    free(r);
    if (rc < 0)
        mr__badlist_free(list);
    return rc < 0 ? rc : MR_OK;
}

/* ---- the file ---- */

static int read_bytes(int fd, const char *path, uint8_t **data, size_t *n, struct mr_errbuf *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot read the bad list '%s'", path);
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        return mr__fail(e, MR_E_IO, "the bad list '%s' is %s", path,
                        S_ISREG(st.st_mode) ? "larger than 1 GiB" : "not a file");
    *data = malloc((size_t)st.st_size + 1);
    if (!*data)
        return mr__fail(e, MR_E_MEMORY, "not enough memory for the bad list '%s'", path);
    for (*n = 0; *n < (size_t)st.st_size;) {
        ssize_t got = read(fd, *data + *n, (size_t)st.st_size - *n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mr__fail_errno(e, MR_E_IO, "cannot read the bad list '%s'", path);
        if (got == 0)
            break;
        *n += (size_t)got;
    }
    return MR_OK;
}

int mr__badlist_read(struct mr_badlist *list, const char *path, uint64_t *hash, struct mr_errbuf *e)
{
    uint8_t *data = NULL;
    size_t n = 0;
    const struct mr_printable name = mr__printable(path, strlen(path));
    *list = (struct mr_badlist){0};
    int fd = mr__open_file(path);
    if (fd < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot open the bad list '%s'", name.text);
    int rc = read_bytes(fd, name.text, &data, &n, e);
    close(fd);
    if (rc >= 0) {
        *hash = XXH3_64bits(data, n);
        rc = mr__badlist_parse(list, name.text, data, n, e);
    }
    free(data);
    return rc;
}
