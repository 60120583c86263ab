/* SPDX-License-Identifier: Apache-2.0
 *
 * index_tool: what the readers of data sets find, for the oracle tests.
 *     index_tool csv FILE       every record: its cells as "LENGTH:BYTES,", a line end behind each
 * record
 *     index_tool folder PATH    every sample: "LABEL PATH" and a NUL; before them, the classes,
 * each "NAME" and a NUL,
 *                               and an empty one
 * An error goes to standard error, exit status 1.
 */
#include "base/descriptor.h"
#include "loaders/source/csv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int fail(const struct mr_errbuf *e)
{
    fprintf(stderr, "%s\n", e->text);
    return 1;
}

static int show_csv(const char *path)
{
    struct mr_errbuf e = {0};
    struct mr_csv c;
    int rc = mr__csv_open(&c, open(path, O_RDONLY | O_CLOEXEC), path, ',', &e);
    while (rc == MR_OK && (rc = mr__csv_next(&c, &e)) == MR_OK) {
        for (int i = 0; i < c.ncells; i++) {
            printf("%zu:", c.cell[i].n);
            fwrite(mr__csv_text(&c, i), 1, c.cell[i].n, stdout);
            putchar(',');
        }
        putchar('\n');
    }
    mr__csv_close(&c);
    return rc < 0 ? fail(&e) : 0;
}

static void show_index(const struct mr_index *index)
{
    size_t n;
    uint64_t one;
    for (uint64_t i = 0; i < index->head->classes; i++) {
        const char *name = mr__index_class(index, i, &n);
        fwrite(name, 1, n, stdout);
        putchar(0);
    }
    putchar(0);
    for (uint64_t i = 0; i < index->head->samples; i++) {
        int64_t label;
        memcpy(&label, mr__index_numbers(index, 1, i, &one), sizeof label);
        printf("%" PRId64 " ", label);
        const char *path = mr__index_path(index, 0, i, &n);
        fwrite(path, 1, n, stdout);
        putchar(0);
    }
}

static int show_folder(const char *path)
{
    extern const struct mr_source mr__source_folder;
    struct {
        const char *path;
        struct mr_strs extensions;
    } params = {.path = path}; /* as struct folder_params in folder.c */
    struct mr_errbuf e = {0};
    struct mr_index_builder *b;
    struct mr_index index;
    int rc = mr__index_builder_new(&b, &e), fd = mr__index_memfd(&e);
    if (rc == MR_OK)
        rc = mr__source_folder.index(&params, b, &e);
    if (rc == MR_OK)
        rc = mr__index_finish(b, fd, &e);
    if (rc == MR_OK)
        rc = mr__index_map(&index, fd, &e);
    if (rc == MR_OK)
        show_index(&index);
    mr__index_builder_free(b);
    return rc < 0 ? fail(&e) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "csv"))
        return show_csv(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "folder"))
        return show_folder(argv[2]);
    fputs("usage: index_tool csv FILE | folder PATH\n", stderr);
    return 2;
}
