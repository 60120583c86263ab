/* SPDX-License-Identifier: Apache-2.0 */
#include "npy_open.h"

#include "file_bytes.h"
#include "npy_header.h"
#include "zip_list.h"

#include "base/origin.h"
#include "base/printable.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define ENDING ".npy"

static struct mr_printable show(const char *path)
{
    return mr__printable(path, strlen(path));
}

static int no_memory(struct mr_errbuf *e)
{
    return mr__fail(e, MR_E_MEMORY, "not enough memory to list the arrays");
}

/* "x" of "x.npy", or of any other name all of it. */
static size_t stem_bytes(const char *name, size_t n)
{
    size_t end = strlen(ENDING);
    return n > end && !memcmp(name + n - end, ENDING, end) ? n - end : n;
}

/* ---- one array ---- */

/* The header of the array at `at`, which takes `bytes` bytes of the file. */
static int read_header(int fd, uint64_t at, uint64_t bytes, struct mr_npy *npy, struct mr_errbuf *e)
{
    uint8_t lead[MR_NPY_LEAD];
    struct mr_buf text = {0};
    size_t n;
    if (bytes < sizeof lead)
        return mr__fail(e, MR_E_DATA, "it is too short for a .npy file");
    int rc = mr__file_bytes(fd, at, lead, sizeof lead, e);
    if (rc >= 0)
        rc = mr__npy_measure(lead, sizeof lead, &n, e);
    if (rc >= 0 && n > bytes)
        rc = mr__fail(e, MR_E_DATA, "it ends within its header");
    if (rc >= 0 && !mr__buf_reserve(&text, n))
        rc = no_memory(e);
    if (rc >= 0)
        rc = mr__file_bytes(fd, at, text.data, n, e);
    if (rc >= 0)
        rc = mr__npy_header(text.data, n, npy, e);
    mr__buf_free(&text);
    return rc;
}

/* What follows the header is the numbers: all of them, nothing else. */
static int check_bytes(const struct mr_npy *npy, uint64_t bytes, struct mr_errbuf *e)
{
    uint64_t rows = (uint64_t)npy->shape[0], wanted, there = bytes - npy->header_bytes;
    if (__builtin_mul_overflow(rows, npy->row_bytes, &wanted) || wanted > there)
        return mr__fail(e, MR_E_DATA,
                        "its header promises %llu samples of %llu bytes, %llu bytes follow: it was "
                        "cut, or is still being written",
                        (unsigned long long)rows, (unsigned long long)npy->row_bytes,
                        (unsigned long long)there);
    if (wanted < there)
        return mr__fail(e, MR_E_DATA,
                        "%llu bytes follow the %llu that its header promises: it is not what it "
                        "says",
                        (unsigned long long)(there - wanted), (unsigned long long)wanted);
    return MR_OK;
}

static int add_array(struct mr_array_set *set, int file, uint64_t at, uint64_t bytes,
                     const char *name, size_t n, struct mr_errbuf *e)
{
    struct mr_npy npy;
    int rc = read_header(set->file[file].fd, at, bytes, &npy, e);
    if (rc >= 0)
        rc = check_bytes(&npy, bytes, e);
    struct mr_array *a = rc < 0 ? NULL : mr__array_set_add(set, name, n, e);
    if (!a)
        return e->code;
    a->file = file;
    a->dtype = npy.dtype;
    a->swapped = npy.swapped;
    a->ndim = npy.ndim - 1;
    memcpy(a->shape, npy.shape + 1, (size_t)a->ndim * sizeof *a->shape);
    a->rows = (uint64_t)npy.shape[0];
    a->row_bytes = a->step = npy.row_bytes;
    a->at = at + npy.header_bytes;
    return MR_OK;
}

/* ---- files ---- */

static int add_member(struct mr_array_set *set, int file, const struct mr_zip *zip,
                      const struct mr_zip_member *m, struct mr_array_names *names,
                      struct mr_errbuf *e)
{
    size_t stem = stem_bytes(m->name, m->name_bytes), n;
    if (stem == m->name_bytes)
        return MR_OK; /* no array */
    const char *name = mr__array_names_pick(names, m->name, stem, &n);
    uint64_t at;
    if (!name)
        return MR_OK;
    int rc = mr__zip_locate(zip, set->file[file].fd, m, &at, e);
    if (rc >= 0)
        rc = add_array(set, file, at, m->bytes, name, n, e);
    return rc < 0 ? mr__context(e, "the array '%s'", mr__printable(m->name, stem).text) : rc;
}

static int add_archive(struct mr_array_set *set, int file, struct mr_array_names *names,
                       struct mr_errbuf *e)
{
    struct mr_zip zip;
    struct mr_zip_member member;
    const struct mr_array_file *f = &set->file[file];
    int rc = mr__zip_open(&zip, f->fd, (uint64_t)f->seen.st_size, e);
    while (rc >= 0 && (rc = mr__zip_next(&zip, &member, e)) == MR_OK)
        rc = add_member(set, file, &zip, &member, names, e);
    mr__zip_close(&zip);
    return rc == MR_END ? MR_OK : rc;
}

int mr__npy_add_file(struct mr_array_set *set, int file, const char *stem, size_t n,
                     struct mr_array_names *names, struct mr_errbuf *e)
{
    const struct mr_array_file *f = &set->file[file];
    uint64_t bytes = (uint64_t)f->seen.st_size;
    uint8_t lead[4] = {0};
    size_t picked;
    int rc = mr__file_bytes(f->fd, 0, lead, bytes < 4 ? bytes : 4, e);
    if (rc >= 0 && !memcmp(lead, "PK", 2)) {
        rc = add_archive(set, file, names, e);
    } else if (rc >= 0) {
        const char *name = mr__array_names_pick(names, stem, n, &picked);
        rc = name ? add_array(set, file, 0, bytes, name, picked, e) : MR_OK;
    }
    return rc < 0 ? mr__context(e, "'%s'", show(f->path).text) : rc;
}

/* ---- folders ---- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's names that end in .npy and do not begin with a dot, sorted: char * in *list. */
static int list_folder(const char *path, struct mr_buf *list, struct mr_errbuf *e)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    int rc = MR_OK;
    if (!stream)
        return mr__fail_errno(e, MR_E_IO, "cannot list folder '%s'", show(path).text);
    while (rc == MR_OK && (entry = readdir(stream))) {
        size_t n = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || stem_bytes(entry->d_name, n) == n)
            continue;
        char *copy = strdup(entry->d_name);
        if (copy && mr__buf_append(list, &copy, sizeof copy))
            continue;
        free(copy);
        rc = no_memory(e);
    }
    closedir(stream);
    if (list->n)
        qsort(list->data, list->n / sizeof(char *), sizeof(char *), by_bytes);
    return rc;
}

/* The same where a folder cannot be listed: the columns of the index, or what they were made of. */
static int list_known(const struct mr_array_names *names, struct mr_buf *list, struct mr_errbuf *e)
{
    const struct mr_strs *choices = names->columns;
    const struct mr_index_head *head = names->index->head;
    int n = choices->n ? choices->n : (int)head->columns;
    for (int i = 0; i < n; i++) {
        const char *array =
            choices->n ? mr__array_names_array(choices->v[i]) : head->column[i].name;
        struct mr_text name = {0};
        mr__text_addf(&name, "%s" ENDING, array);
        char *copy = mr__text_take(&name);
        if (copy && mr__buf_append(list, &copy, sizeof copy))
            continue;
        free(copy);
        return no_memory(e);
    }
    return MR_OK;
}

/* A file is opened only when its array is wanted. */
static int add_named(struct mr_array_set *set, const char *folder, const char *name,
                     struct mr_array_names *names, struct mr_errbuf *e)
{
    struct mr_text path = {0};
    size_t n;
    const char *column = mr__array_names_pick(names, name, stem_bytes(name, strlen(name)), &n);
    if (!column)
        return MR_OK;
    mr__text_addf(&path, "%s/%s", folder, name);
    int rc = path.failed ? no_memory(e) : mr__array_set_file(set, path.data, e);
    if (rc >= 0) {
        int file = rc;
        rc = add_array(set, file, 0, (uint64_t)set->file[file].seen.st_size, column, n, e);
        if (rc < 0)
            mr__context(e, "'%s'", show(path.data).text);
    }
    mr__text_free(&path);
    return rc < 0 ? rc : MR_OK;
}

static int add_folder(const char *path, struct mr_array_names *names, struct mr_array_set *set,
                      struct mr_errbuf *e)
{
    struct mr_buf list = {0};
    int rc = names->index ? list_known(names, &list, e) : list_folder(path, &list, e);
    char **name = (char **)(void *)list.data;
    size_t n = list.n / sizeof *name;
    for (size_t i = 0; i < n; i++) {
        if (rc >= 0)
            rc = add_named(set, path, name[i], names, e);
        free(name[i]);
    }
    mr__buf_free(&list);
    return rc;
}

int mr__npy_open(const char *path, struct mr_array_names *names, struct mr_array_set *set,
                 struct mr_buf *origins, struct mr_errbuf *e)
{
    struct stat st;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    int rc;
    if (stat(path, &st) < 0)
        return mr__fail_errno(e, MR_E_IO, "cannot open '%s'", show(path).text);
    if (S_ISDIR(st.st_mode)) {
        rc = !origins || mr__origin_add(origins, path, &st) ? MR_OK : no_memory(e);
        if (rc >= 0)
            rc = add_folder(path, names, set, e);
    } else {
        rc = mr__array_set_file(set, path, e);
        if (rc >= 0)
            rc = mr__npy_add_file(set, rc, base, stem_bytes(base, strlen(base)), names, e);
    }
    if (rc >= 0)
        rc = mr__array_names_end(names, path, e);
    if (rc >= 0 && !set->n && !names->index)
        return mr__fail(e, MR_E_IO,
                        "no array in '%s': it has to be a .npy file, a .npz archive, or a folder "
                        "with .npy files",
                        show(path).text);
    return rc;
}
