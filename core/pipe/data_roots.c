/* SPDX-License-Identifier: Apache-2.0
 *
 * data_roots.c: a million samples lie in some hundred folders. Each of those is resolved once; a
 * folder that holds many of them is listed, which tells links from files without a system call for
 * each, and only links are then looked at one by one. What a link leads to is opened by itself, not
 * with all that lies beside it; and "/" is never opened, which would be everything.
 */
#include "pipe/data_roots.h"

#include "base/origin.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ROOTS 4096
#define NARROW_FROM (4 * MAX_ROOTS) /* a million links are not kept all at once */
#define LIST_FROM \
    256 /* samples in a folder, from which listing it is cheaper than asking for each */

struct folder {
    const char *text; /* as in the index, up to and with the last slash; n bytes */
    size_t n;
    uint64_t samples;
    bool links; /* there may be links among its files */
    bool whole; /* it is opened itself; else its files, one by one */
};

struct finder {
    const struct mr_index *index;
    struct folder *table; /* open addressing; text NULL: free */
    size_t cap, used;
    struct mr_buf roots;    /* char *, malloc'ed */
    struct mr_buf *origins; /* NULL: nobody asks */
    size_t narrow_at;       /* so many are narrowed down before there are more */
    bool one_by_one;     /* files of some folder have to be looked at */
    struct mr_errbuf *e;
};

static int no_memory(const struct finder *f)
{
    return mr__fail(f->e, MR_E_MEMORY, "not enough memory to find the data set's folders");
}

/* ---- the folders that the index names ---- */

static uint64_t hash_text(const char *text, size_t n)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)text[i]) * 1099511628211u;
    return h;
}

static struct folder *find(const struct finder *f, const char *text, size_t n)
{
    size_t at = hash_text(text, n) & (f->cap - 1);
    while (f->table[at].text && (f->table[at].n != n || memcmp(f->table[at].text, text, n)))
        at = (at + 1) & (f->cap - 1);
    return &f->table[at];
}

static bool grow(struct finder *f)
{
    struct finder larger = *f;
    larger.cap = f->cap ? 2 * f->cap : 64;
    larger.table = calloc(larger.cap, sizeof *larger.table);
    if (!larger.table)
        return false;
    for (size_t i = 0; i < f->cap; i++)
        if (f->table[i].text)
            *find(&larger, f->table[i].text, f->table[i].n) = f->table[i];
    free(f->table);
    *f = larger;
    return true;
}

static size_t folder_bytes(const char *path, size_t n)
{
    const char *slash = n ? memrchr(path, '/', n) : NULL;
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static struct folder *folder_of(struct finder *f, const char *path, size_t n)
{
    if (2 * f->used >= f->cap && !grow(f))
        return NULL;
    struct folder *at = find(f, path, folder_bytes(path, n));
    if (!at->text) {
        *at = (struct folder){.text = path, .n = folder_bytes(path, n)};
        f->used++;
    }
    return at;
}

/* Calls `visit` for every path of the index. */
static int each_path(struct finder *f, int (*visit)(struct finder *, const char *, size_t))
{
    const struct mr_index_head *head = f->index->head;
    int rc = MR_OK;
    for (int c = 0; c < (int)head->columns; c++) {
        if (head->column[c].kind != MR_COL_PATH)
            continue;
        for (uint64_t i = 0; rc == MR_OK && i < head->samples; i++) {
            size_t n;
            const char *path = mr__index_path(f->index, c, i, &n);
            rc = n ? visit(f, path, n) : MR_OK;
        }
    }
    return rc;
}

static int count_path(struct finder *f, const char *path, size_t n)
{
    struct folder *folder = folder_of(f, path, n);
    if (!folder)
        return no_memory(f);
    folder->samples++;
    return MR_OK;
}

/* ---- few of them ---- */

/* A slash sorts before all else, so that what lies below a folder comes right behind it. */
static int by_text(const void *a, const void *b)
{
    const uint8_t *x = *(const uint8_t *const *)a, *y = *(const uint8_t *const *)b;
    while (*x && *x == *y)
        x++, y++;
    int cx = *x == '/' ? 1 : *x, cy = *y == '/' ? 1 : *y; /* 1 stands for itself then: rare, and
                                                             costs a rule at most */
    return cx - cy;
}

static bool lies_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return !strncmp(path, folder, n) && (n == 1 || path[n] == 0 || path[n] == '/');
}

static void drop_nested(struct finder *f)
{
    char **roots = (char **)(void *)f->roots.data;
    size_t n = f->roots.n / sizeof *roots, kept = 0;
    if (n)
        qsort(roots, n, sizeof *roots, by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept && lies_below(roots[i], roots[kept - 1]))
            free(roots[i]);
        else
            roots[kept++] = roots[i];
    }
    f->roots.n = kept * sizeof *roots;
}

static int depth(const char *path)
{
    int n = 0;
    while ((path = strchr(path, '/')) && path[1]) {
        path++;
        n++;
    }
    return n;
}

/* Takes the folders around the deepest ones instead, until they are few. */
static void widen(struct finder *f)
{
    char **roots = (char **)(void *)f->roots.data;
    for (;;) {
        size_t n = f->roots.n / sizeof *roots;
        int deepest = 0;
        for (size_t i = 0; i < n; i++)
            deepest = depth(roots[i]) > deepest ? depth(roots[i]) : deepest;
        if (n <= MAX_ROOTS || deepest < 2)
            return;
        for (size_t i = 0; i < n; i++)
            if (depth(roots[i]) == deepest)
                *strrchr(roots[i], '/') = 0;
        drop_nested(f);
    }
}

static void without_last_slash(struct finder *f)
{
    char **roots = (char **)(void *)f->roots.data;
    for (size_t i = 0; i < f->roots.n / sizeof *roots; i++) {
        size_t n = strlen(roots[i]);
        while (n > 1 && roots[i][n - 1] == '/')
            roots[i][--n] = 0;
    }
}

static void narrow(struct finder *f)
{
    without_last_slash(f);
    drop_nested(f);
    widen(f);
}

/* ---- where they really are ---- */

/* Root and path joined; false: too long to be a path. */
static bool join(const struct finder *f, const char *path, size_t n, char full[PATH_MAX])
{
    const struct mr_index_head *head = f->index->head;
    size_t root = n && path[0] == '/' ? 0 : head->root_bytes;
    if (root + 1 + n + 1 > PATH_MAX)
        return false;
    memcpy(full, f->index->base + head->root, root);
    if (root)
        full[root++] = '/';
    memcpy(full + root, path, n);
    full[root + n] = 0;
    return true;
}

static int add_root(struct finder *f, const char *path)
{
    size_t n = f->roots.n / sizeof(char *);
    if (n >= NARROW_FROM && n >= f->narrow_at) {
        narrow(f);
        f->narrow_at = 2 * f->roots.n / sizeof(char *);
    }
    char *copy = strdup(path);
    if (copy && mr__buf_append(&f->roots, &copy, sizeof copy))
        return MR_OK;
    free(copy);
    return no_memory(f);
}

static bool has_links(const char *path)
{
    DIR *stream = opendir(path);
    const struct dirent *entry;
    bool found = !stream; /* it cannot be listed: its files may be asked for */
    while (stream && !found && (entry = readdir(stream)))
        found = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
    if (stream)
        closedir(stream);
    return found;
}

static bool is_everything(const char *path)
{
    return strspn(path, "/") == strlen(path);
}

/* What the folder looks like before anything is looked for in it. */
static bool note(const struct finder *f, const char *path)
{
    struct stat st;
    return !f->origins || mr__origin_add(f->origins, path, stat(path, &st) < 0 ? NULL : &st);
}

static int resolve_folder(struct finder *f, struct folder *folder, bool resolved)
{
    char full[PATH_MAX], real[PATH_MAX];
    const char *root = real;
    bool inside = folder->n == 0 || folder->text[0] != '/'; /* below the root: that is one rule */
    if (!join(f, folder->text, resolved && inside ? 0 : folder->n, full))
        return MR_OK;
    if (resolved && !is_everything(full))
        root = full;
    else if (!join(f, folder->text, folder->n, full))
        return MR_OK;
    else if (!note(f, full))
        return no_memory(f);
    else if (!realpath(full, real))
        return MR_OK;
    folder->whole = !is_everything(root);
    folder->links = !resolved && (folder->samples < LIST_FROM || has_links(root));
    f->one_by_one |= folder->links || !folder->whole;
    return folder->whole ? add_root(f, root) : MR_OK;
}

/* A link among the files, or a file whose folder is not opened: itself. */
static int resolve_file(struct finder *f, const char *path, size_t n)
{
    char full[PATH_MAX], real[PATH_MAX];
    struct stat st;
    const struct folder *folder = find(f, path, folder_bytes(path, n));
    if ((folder->whole && !folder->links) || !join(f, path, n, full) || lstat(full, &st) < 0 ||
        (folder->whole && !S_ISLNK(st.st_mode)) || !realpath(full, real) || stat(real, &st) < 0 ||
        S_ISDIR(st.st_mode))
        return MR_OK;
    return add_root(f, real);
}

static int write_roots(struct finder *f, struct mr_buf *text)
{
    char **roots = (char **)(void *)f->roots.data;
    for (size_t i = 0; i < f->roots.n / sizeof *roots; i++)
        if (!mr__buf_append(text, roots[i], strlen(roots[i]) + 1))
            return no_memory(f);
    return MR_OK;
}

/* The roots of one data set: its folders are its own, since its paths start at its own root. */
static int find_roots(struct finder *f, const struct mr_index *index, bool resolved)
{
    f->index = index;
    f->one_by_one = false;
    int rc = each_path(f, count_path);
    for (size_t i = 0; rc == MR_OK && i < f->cap; i++)
        if (f->table[i].text)
            rc = resolve_folder(f, &f->table[i], resolved);
    if (rc == MR_OK && f->one_by_one)
        rc = each_path(f, resolve_file);
    free(f->table);
    f->table = NULL;
    f->cap = f->used = 0;
    return rc;
}

/* What the source names itself. */
static int add_more(struct finder *f, const struct mr_buf *more)
{
    char real[PATH_MAX];
    int rc = MR_OK;
    for (size_t at = 0; more && at < more->n && rc == MR_OK;) {
        const char *path = (const char *)more->data + at;
        at += strlen(path) + 1;
        if (!note(f, path))
            return no_memory(f);
        if (realpath(path, real) && !is_everything(real))
            rc = add_root(f, real);
    }
    return rc;
}

int mr__data_roots(const struct mr_index *index, bool resolved, const struct mr_buf *more,
                   struct mr_buf *text, struct mr_buf *origins, struct mr_errbuf *e)
{
    struct finder f = {.origins = origins, .e = e};
    int rc = index->head->parts ? MR_OK : find_roots(&f, index, resolved);
    for (uint64_t p = 0; p < index->head->parts && rc == MR_OK; p++) {
        struct mr_index part = mr__index_of_part(index, &mr__index_parts(index)[p]);
        rc = find_roots(&f, &part, resolved);
    }
    if (rc == MR_OK)
        rc = add_more(&f, more);
    if (rc == MR_OK) {
        narrow(&f);
        rc = write_roots(&f, text);
    }
    char **roots = (char **)(void *)f.roots.data;
    for (size_t i = 0; i < f.roots.n / sizeof *roots; i++)
        free(roots[i]);
    mr__buf_free(&f.roots);
    return rc;
}
