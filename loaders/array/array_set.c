/* SPDX-License-Identifier: Apache-2.0 */
#include "array_set.h"

#include "base/open_file.h"
#include "base/printable.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct mr_printable show(const char *path)
{
    return mr__printable(path, strlen(path));
}

int mr__array_set_file(struct mr_array_set *set, const char *path, struct mr_errbuf *e)
{
    if (set->nfiles == MR_INDEX_MAX_COLUMNS)
        return mr__fail(e, MR_E_LIMIT, "more than %d files of arrays", MR_INDEX_MAX_COLUMNS);
    struct mr_array_file *f = &set->file[set->nfiles];
    f->fd = mr__open_file(path);
    if (f->fd < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot open '%s'", show(path).text);
    f->path = strdup(path);
    bool file = f->path && fstat(f->fd, &f->seen) == 0 && S_ISREG(f->seen.st_mode);
    if (file)
        return set->nfiles++;
    int rc = f->path ? mr__fail(e, MR_E_IO, "'%s' is not a file", show(path).text)
                     : mr__fail(e, MR_E_MEMORY, "not enough memory to open '%s'", show(path).text);
    close(f->fd);
    free(f->path);
    *f = (struct mr_array_file){0};
    return rc;
}

struct mr_array *mr__array_set_add(struct mr_array_set *set, const char *name, size_t n,
                                   struct mr_errbuf *e)
{
    struct mr_printable shown = mr__printable(name, n);
    if (set->n == MR_INDEX_MAX_COLUMNS) {
        mr__fail(e, MR_E_LIMIT, "more than %d arrays: choose some by 'columns'",
                 MR_INDEX_MAX_COLUMNS);
        return NULL;
    }
    if (n < 1 || n >= MR_INDEX_NAME || memchr(name, 0, n)) {
        mr__fail(e, MR_E_CONFIG,
                 "'%s' is no name for a column, which has 1 to %d bytes: give it "
                 "another by 'columns: [\"name=array\"]'",
                 shown.text, MR_INDEX_NAME - 1);
        return NULL;
    }
    struct mr_array *a = &set->array[set->n];
    *a = (struct mr_array){0};
    memcpy(a->name, name, n);
    for (int i = 0; i < set->n; i++)
        if (!strcmp(set->array[i].name, a->name)) {
            mr__fail(e, MR_E_CONFIG, "the column '%s' is there twice", shown.text);
            return NULL;
        }
    set->n++;
    return a;
}

int mr__array_set_check(const struct mr_array_set *set, struct mr_errbuf *e)
{
    const struct mr_array *first = &set->array[0];
    for (int i = 0; i < set->n; i++) {
        const struct mr_array *a = &set->array[i];
        if (!a->rows)
            return mr__fail(e, MR_E_DATA, "the array '%s' of '%s' has no samples", a->name,
                            show(set->file[a->file].path).text);
        if (a->rows != first->rows)
            return mr__fail(e, MR_E_DATA,
                            "the arrays differ in their samples: '%s' has %llu, '%s' has %llu; "
                            "choose those that belong together by 'columns'",
                            first->name, (unsigned long long)first->rows, a->name,
                            (unsigned long long)a->rows);
    }
    return MR_OK;
}

void mr__array_set_close(struct mr_array_set *set)
{
    for (int i = 0; i < set->nfiles; i++) {
        close(set->file[i].fd);
        free(set->file[i].path);
    }
    *set = (struct mr_array_set){0};
}
