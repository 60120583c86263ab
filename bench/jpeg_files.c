/* SPDX-License-Identifier: Apache-2.0 */
#include "jpeg_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { DEEPEST = 16 }; /* folders below folders; also the end of a loop of links */

static int add(struct jpeg_files *files, const char *path)
{
    struct jpeg_file *grown;

    if ((files->n & (files->n + 1)) == 0) { /* full at 0, 1, 3, 7, ...: room for n + 1 files */
        grown = realloc(files->file, (files->n * 2 + 1) * sizeof *grown);
        if (!grown)
            return -1;
        files->file = grown;
    }
    files->file[files->n] = (struct jpeg_file){.path = strdup(path)};
    if (!files->file[files->n].path)
        return -1;
    files->n++;
    return 0;
}

static int is_jpeg(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0);
}

static int walk(struct jpeg_files *files, const char *folder, int depth);

static int visit(struct jpeg_files *files, const char *path, const char *name, int depth)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return depth < DEEPEST ? walk(files, path, depth + 1) : 0;
    return S_ISREG(st.st_mode) && is_jpeg(name) ? add(files, path) : 0;
}

static int walk(struct jpeg_files *files, const char *folder, int depth)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[PATH_MAX];
    int rc = 0;

    if (!dir) {
        fprintf(stderr, "cannot open the folder '%s': %s\n", folder, strerror(errno));
        return -1;
    }
    while (rc == 0 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) < (int)sizeof path)
            rc = visit(files, path, entry->d_name, depth);
    }
    closedir(dir);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct jpeg_file *)a)->path, ((const struct jpeg_file *)b)->path);
}

int jpeg_files_list(struct jpeg_files *files, const char *folder)
{
    *files = (struct jpeg_files){0};
    if (walk(files, folder, 0) < 0)
        return -1;
    if (files->n == 0) {
        fprintf(stderr, "no .jpg or .jpeg file under '%s'\n", folder);
        return -1;
    }
    qsort(files->file, files->n, sizeof *files->file, by_path);
    return 0;
}

static int read_whole(struct jpeg_file *file)
{
    FILE *in = fopen(file->path, "rb");
    struct stat st;

    if (in && fstat(fileno(in), &st) == 0 && (file->data = malloc((size_t)st.st_size + 1)))
        file->bytes = fread(file->data, 1, (size_t)st.st_size, in);
    if (in)
        fclose(in);
    if (file->bytes > 0)
        return 0;
    fprintf(stderr, "cannot read '%s': %s\n", file->path, errno ? strerror(errno) : "it is empty");
    return -1;
}

int jpeg_files_load(struct jpeg_files *files, size_t first, size_t step)
{
    for (size_t i = first; i < files->n; i += step)
        if (read_whole(&files->file[i]) < 0)
            return -1;
    return 0;
}

void jpeg_files_free(struct jpeg_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->file[i].path);
        free(files->file[i].data);
    }
    free(files->file);
    *files = (struct jpeg_files){0};
}
