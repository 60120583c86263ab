/* SPDX-License-Identifier: Apache-2.0 */
#include "weight_file.h"

#include "base/number.h"
#include "base/open_file.h"
#include "base/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE 512 /* a double written out in full has 309 digits before its point */

struct weight_file {
    const char *path;
    FILE *f;
    uint64_t n, line; /* lines there must be, lines read */
    struct mr_errbuf *e;
};

static struct mr_printable shown_path(const struct weight_file *file)
{
    return mr__printable(file->path, strlen(file->path));
}

static int wrong_line(const struct weight_file *file, const char *text)
{
    return mr__fail_at(file->e, MR_E_CONFIG, shown_path(file).text, file->line, 0,
                       "a weight is a finite number of 0 or more, not '%.60s'",
                       mr__printable(text, strlen(text)).text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int read_weight(const struct weight_file *file, char *text, double *w)
{
    size_t bytes = strlen(text);
    bool whole = bytes && (text[bytes - 1] == '\n' || feof(file->f)); /* else too long, or a NUL */
    while (bytes && is_blank(text[bytes - 1]))
        text[--bytes] = 0;
    text += strspn(text, " \t");
    if (!whole || mr__number_float(text, w) != MR_NUMBER_OK || *w < 0)
        return wrong_line(file, text);
    return MR_OK;
}

static int wrong_count(const struct weight_file *file, const char *how)
{
    return mr__fail_at(file->e, MR_E_CONFIG, shown_path(file).text, file->line, 0,
                       "the file has %s lines than the data set has samples, %llu: it needs a "
                       "weight for each",
                       how, (unsigned long long)file->n);
}

/* What stands behind the last weight: nothing, or one empty line. */
static bool at_end(const struct weight_file *file, const char *text)
{
    return strspn(text, " \t\r\n") == strlen(text) && fgetc(file->f) == EOF;
}

static int read_lines(struct weight_file *file, double *w)
{
    char text[LINE];
    while (fgets(text, sizeof text, file->f)) {
        file->line++;
        if (file->line > file->n)
            return at_end(file, text) ? MR_OK : wrong_count(file, "more");
        int rc = read_weight(file, text, &w[file->line - 1]);
        if (rc < 0)
            return rc;
    }
    if (ferror(file->f))
        return mr__fail_errno(file->e, MR_E_IO, "cannot read the weights '%s'",
                              shown_path(file).text);
    return file->line < file->n ? wrong_count(file, "fewer") : MR_OK;
}

static FILE *open_file(const struct weight_file *file)
{
    struct stat st;
    int fd = mr__open_file(file->path);
    if (fd < 0) {
        mr__fail_errno(file->e, MR_E_IO, "cannot open the weights '%s'", shown_path(file).text);
        return NULL;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        mr__fail(file->e, MR_E_IO, "the weights '%s' are not a file", shown_path(file).text);
        close(fd);
        return NULL;
    }
    FILE *f = fdopen(fd, "r");
    if (!f) {
        mr__fail_errno(file->e, MR_E_IO, "cannot open the weights '%s'", shown_path(file).text);
        close(fd);
    }
    return f;
}

int mr__weight_file_read(const char *path, double *w, uint64_t n, struct mr_errbuf *e)
{
    struct weight_file file = {.path = path, .n = n, .e = e};
    file.f = open_file(&file);
    if (!file.f)
        return e->code;
    int rc = read_lines(&file, w);
    fclose(file.f);
    return rc;
}
