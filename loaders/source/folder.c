/* SPDX-License-Identifier: Apache-2.0
 *
 * folder.c: a folder of images, one sub-folder per class, as torchvision's ImageFolder reads it:
 * the classes are the sub-folders in byte order, the samples the files below them in the order of
 * sorted(os.walk()). What differs: a folder without class folders is one class (ImageFolder refuses
 * it), names that begin with a dot are left out (thumbnail and checkpoint folders became classes),
 * and a class without images keeps its number.
 */
#include "path_source.h"
#include "walk.h"

#include "base/origin.h"
#include "base/printable.h"
#include "loaders/shard/shard_format.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENDINGS 64
#define ARRAYS "; there are .npy files: use a config with 'source: {type: npy, path: ...}'"

struct folder_params {
    const char *path;
    struct mr_strs extensions;
};

struct folder {
    struct mr_index_builder *b;
    struct mr_walk top, tree; /* the root alone; a class at a time */
    const char *endings[MAX_ENDINGS + 1];
    int nendings, image, label;
    int64_t number; /* of the class whose files are added */
    struct mr_errbuf *e;
};

static void add_ending(struct folder *f, const char *ending)
{
    if (!strcmp(ending, "*")) { /* first, where the walk looks for it */
        f->endings[0] = ending;
        f->nendings += !f->nendings;
    } else if (f->nendings < MAX_ENDINGS) {
        f->endings[f->nendings++] = ending + (ending[0] == '.');
    }
}

/* What the codecs take, and what the config adds. */
static void choose_endings(struct folder *f, const struct mr_strs *more)
{
    for (const struct mr_codec *const *codec = mr_codecs; *codec; codec++)
        for (const char *const *ending = (*codec)->extensions; *ending; ending++)
            add_ending(f, *ending);
    for (int i = 0; i < more->n; i++)
        add_ending(f, more->v[i]);
    f->top.endings = f->tree.endings = f->endings;
}

static int add_sample(void *user, const char *path, size_t n)
{
    struct folder *f = user;
    int rc = mr__index_add_path(f->b, f->image, path, n, f->e);
    return rc < 0 ? rc : mr__index_add_numbers(f->b, f->label, &f->number, 1, f->e);
}

/* Folder 0 is the root, which sorts first: its path is empty. */
static int add_classes(struct folder *f)
{
    mr__walk_sort_dirs(&f->top);
    for (uint64_t i = 1; i < mr__walk_ndirs(&f->top); i++) {
        const struct mr_walk_dir *class = mr__walk_dir(&f->top, i);
        f->number = (int64_t)i - 1;
        int rc = mr__walk_tree(&f->tree, mr__walk_text(&f->top, class->path),
                               mr__walk_text(&f->top, class->real), f->e);
        if (rc == MR_OK)
            rc = mr__walk_each(&f->tree, add_sample, f, f->e);
        if (rc < 0)
            return rc;
    }
    return MR_OK;
}

static int name_classes(struct folder *f)
{
    for (uint64_t i = 1; i < mr__walk_ndirs(&f->top); i++) {
        const char *name = mr__walk_text(&f->top, mr__walk_dir(&f->top, i)->path);
        int rc = mr__index_add_class(f->b, name, strlen(name), f->e);
        if (rc < 0)
            return rc;
    }
    mr__index_skip(f->b,
                   mr__walk_nfiles(&f->top)); /* images beside the class folders have no class */
    return MR_OK;
}

/* No image in any sub-folder: those in the folder itself are one class that has its name. */
static int add_flat(struct folder *f)
{
    const char *slash = strrchr(f->top.root, '/');
    f->number = 0;
    int rc = mr__walk_each(&f->top, add_sample, f, f->e);
    return rc < 0 ? rc : mr__index_add_class(f->b, slash + 1, strlen(slash + 1), f->e);
}

/* ---- a folder of something else ---- */

static bool has(const struct folder *f, const char *name)
{
    struct stat st;
    return fstatat(f->top.root_fd, name, &st, 0) == 0;
}

static bool has_arrays(const struct folder *f)
{
    int fd = openat(f->top.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    bool found = false;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!found && (entry = readdir(dir))) {
        size_t n = strlen(entry->d_name);
        found = n > 4 && !strcmp(entry->d_name + n - 4, ".npy");
    }
    closedir(dir);
    return found;
}

static int no_image(const struct folder *f)
{
    char endings[256] = "", left_out[80] = "";
    unsigned long long skipped = f->top.skipped + f->tree.skipped;
    for (int i = 0; i < f->nendings; i++) {
        size_t n = strlen(endings);
        snprintf(endings + n, sizeof endings - n, "%s.%s", i ? ", " : "", f->endings[i]);
    }
    if (skipped)
        snprintf(left_out, sizeof left_out, " (%llu with such names are no files or unreadable)",
                 skipped);
    return mr__fail(f->e, MR_E_IO,
                    "no image in '%s' or its folders: looked for names that end in %s%s%s; check "
                    "the source's 'path', or add to its 'extensions'%s",
                    mr__printable(f->top.root, strlen(f->top.root)).text, endings,
                    strlen(endings) > 250 ? "..." : "", left_out, has_arrays(f) ? ARRAYS : "");
}

static int nothing_found(const struct folder *f)
{
    struct mr_printable root = mr__printable(f->top.root, strlen(f->top.root));
    if (has(f, MR_SHARD_SET_FILE))
        return mr__fail(f->e, MR_E_IO,
                        "'%s' holds packed shards: use 'source: {type: shards, path: ...}'",
                        root.text);
    if (has(f, MR_SHARD_ORIGIN_FILE))
        return mr__fail(f->e, MR_E_IO,
                        "'%s' holds a packing that was interrupted: give the same 'millrace pack' "
                        "again",
                        root.text);
    return no_image(f);
}

static int fill(struct folder *f)
{
    int rc = f->image = mr__index_add_column(f->b, "image", MR_COL_PATH, MR_U8, 1, f->e);
    if (rc >= 0)
        rc = f->label = mr__index_add_column(f->b, "label", MR_COL_FIXED, MR_I64, 1, f->e);
    if (rc >= 0)
        rc = mr__index_set_root(f->b, f->top.root, f->e);
    if (rc >= 0)
        rc = mr__walk_root(&f->top, f->e);
    if (rc >= 0)
        rc = add_classes(f);
    if (rc >= 0)
        rc = mr__index_samples(f->b)    ? name_classes(f)
             : mr__walk_nfiles(&f->top) ? add_flat(f)
                                        : nothing_found(f);
    mr__index_skip(f->b, f->top.skipped + f->tree.skipped);
    return rc < 0 ? rc : MR_OK;
}

static int folder_index(const void *params, struct mr_index_builder *b, struct mr_errbuf *e)
{
    const struct folder_params *p = params;
    struct folder f = {.b = b, .e = e};
    char *root = realpath(p->path, NULL);
    int fd = root ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        mr__fail_errno(e, MR_E_IO, "cannot open folder '%s'",
                       mr__printable(p->path, strlen(p->path)).text);
        free(root);
        return MR_E_IO;
    }
    f.top.root = f.tree.root = root;
    f.top.origins = f.tree.origins = mr__index_origins(b);
    f.top.root_fd = f.tree.root_fd = fd;
    choose_endings(&f, &p->extensions);
    int rc = mr__origin_add_real(f.top.origins, p->path, root)
                 ? fill(&f)
                 : mr__fail(e, MR_E_MEMORY, "not enough memory to list the data set");
    mr__walk_free(&f.top);
    mr__walk_free(&f.tree);
    close(fd);
    free(root);
    return rc;
}

static int folder_check(const void *params, struct mr_errbuf *e)
{
    const struct folder_params *p = params;
    if (p->extensions.n > MAX_ENDINGS / 2)
        return mr__fail(e, MR_E_CONFIG, "extensions: at most %d", MAX_ENDINGS / 2);
    for (int i = 0; i < p->extensions.n; i++)
        if (!p->extensions.v[i][0] || strchr(p->extensions.v[i], '/') ||
            (strchr(p->extensions.v[i], '*') && strcmp(p->extensions.v[i], "*")))
            return mr__fail(
                e, MR_E_CONFIG,
                "extensions: '%s' is not the ending of a name, such as 'bmp' (or '*' for all)",
                p->extensions.v[i]);
    return MR_OK;
}

static const struct mr_opt folder_opts[] = {
    {.name = "path",
     .type = MR_OPT_PATH,
     .off = offsetof(struct folder_params, path),
     .help = "the folder; its sub-folders are the classes, in byte order"},
    {.name = "extensions",
     .type = MR_OPT_STRS,
     .flags = MR_OPT_STREAM,
     .off = offsetof(struct folder_params, extensions),
     .def = "[]",
     .help =
         "endings of file names to take beside those that the codecs know; '*' takes every file"},
    MR_OPTS_END,
};

const struct mr_source mr__source_folder = {
    .d = {.name = "folder",
          .help = "images in one sub-folder per class; a folder without sub-folders is one class",
          .params_size = sizeof(struct folder_params),
          .opts = folder_opts,
          .check = folder_check},
    .resolved = true,
    .index = folder_index,
    .open = mr__path_source_open,
    .read = mr__path_source_read,
    .close = mr__path_source_close,
    .ahead = mr__path_source_ahead,
};
