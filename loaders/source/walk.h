/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.h: lists the files of a folder tree that have one of some endings, sorted, with few system
 * calls: one open per folder and none per plain file.
 */
#ifndef MR_SOURCE_WALK_H
#define MR_SOURCE_WALK_H

#include "base/buf.h"
#include "base/error.h"

#include <sys/types.h>

struct mr_walk_dir {
    uint64_t path, real;    /* in `text`: below the root, as walked; as read, links resolved */
    uint64_t first, nfiles; /* its files */
    uint64_t parent;        /* the folder it was found in; the root is its own */
    dev_t dev;
    ino_t ino;
};

struct mr_walk_file {
    uint64_t name;   /* in `text` */
    uint64_t target; /* in `text`: where a link leads; 0 = no link */
};

/* Zero it, set the first group, end with mr__walk_free(). */
struct mr_walk {
    int root_fd;
    const char *root;           /* real path */
    const char *const *endings; /* without the dot, NULL-terminated; the first "*": every file */

    struct mr_buf text, dirs, files; /* bytes, struct mr_walk_dir, struct mr_walk_file */
    struct mr_buf *origins;          /* what was listed (base/origin.h) */
    uint64_t skipped; /* chosen names that are no regular files, links that lead nowhere or in a
                         circle, folders that may not be read */
};

/* Begins with the root (folder 0), listed: its files are there, its folders are in `dirs`, not
 * listed. Names that begin with a dot are left out everywhere. MR_E_IO (the root or a disk cannot
 * be read), MR_E_MEMORY. */
int mr__walk_root(struct mr_walk *w, struct mr_errbuf *e);
/* Begins with the folder `path` (its real path `real`) of the root and lists everything below it.
 * Folder 0 is the root, unlisted. Circles of links are met once. Errors as above. */
int mr__walk_tree(struct mr_walk *w, const char *path, const char *real, struct mr_errbuf *e);
void mr__walk_free(struct mr_walk *w);

/* Calls `file` with each file's path as it is to be read (relative to the root, or absolute for
 * what a link outside of it leads to), in the order of Python's sorted(os.walk()): folders by their
 * path, then files by name, by bytes. Stops at the first negative code, which it returns. */
int mr__walk_each(struct mr_walk *w, int (*file)(void *user, const char *path, size_t n),
                  void *user, struct mr_errbuf *e);

/* The folders in that order: mr__walk_dir(w, i) for i < *n. Sorts `dirs` (parents then mean nothing
 * any more). */
void mr__walk_sort_dirs(struct mr_walk *w);
static inline uint64_t mr__walk_ndirs(const struct mr_walk *w)
{
    return w->dirs.n / sizeof(struct mr_walk_dir);
}
static inline struct mr_walk_dir *mr__walk_dir(const struct mr_walk *w, uint64_t i)
{
    return (struct mr_walk_dir *)(void *)w->dirs.data + i;
}
static inline uint64_t mr__walk_nfiles(const struct mr_walk *w)
{
    return w->files.n / sizeof(struct mr_walk_file);
}
static inline const char *mr__walk_text(const struct mr_walk *w, uint64_t at)
{
    return (const char *)w->text.data + at;
}

#endif
