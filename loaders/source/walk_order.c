/* SPDX-License-Identifier: Apache-2.0
 *
 * walk_order.c: what a walk has found, in its order.
 */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

static int by_path(const void *a, const void *b, void *text)
{
    const struct mr_walk_dir *da = a, *db = b;
    return strcmp((const char *)text + da->path, (const char *)text + db->path);
}

void mr__walk_sort_dirs(struct mr_walk *w)
{
    qsort_r(w->dirs.data, mr__walk_ndirs(w), sizeof(struct mr_walk_dir), by_path, w->text.data);
}

static bool join(struct mr_buf *path, const char *dir, const char *name)
{
    path->n = 0;
    if (*dir && (!mr__buf_append(path, dir, strlen(dir)) || !mr__buf_append(path, "/", 1)))
        return false;
    return mr__buf_append(path, name, strlen(name));
}

static int each_of_dir(struct mr_walk *w, const struct mr_walk_dir *dir, struct mr_buf *path,
                       int (*file)(void *, const char *, size_t), void *user, struct mr_errbuf *e)
{
    const struct mr_walk_file *files = (const struct mr_walk_file *)(void *)w->files.data;
    for (uint64_t i = dir->first; i < dir->first + dir->nfiles; i++) {
        uint64_t target = files[i].target;
        if (!join(path, mr__walk_text(w, target ? 0 : dir->real),
                  mr__walk_text(w, target ? target : files[i].name)))
            return mr__fail(e, MR_E_MEMORY, "not enough memory to list the data set");
        int rc = file(user, (const char *)path->data, path->n);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

int mr__walk_each(struct mr_walk *w, int (*file)(void *user, const char *path, size_t n),
                  void *user, struct mr_errbuf *e)
{
    struct mr_buf path = {0};
    int rc = MR_OK;
    mr__walk_sort_dirs(w);
    for (uint64_t i = 0; rc == MR_OK && i < mr__walk_ndirs(w); i++)
        rc = each_of_dir(w, mr__walk_dir(w, i), &path, file, user, e);
    mr__buf_free(&path);
    return rc;
}
