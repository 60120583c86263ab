/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_npy.c: any bytes as a .npy file or a .npz archive: what the source takes is an index, and
 * every row that the index promises can be read; everything else is refused by a sentence.
 */
#include "base/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern const struct mr_source mr__source_npy;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void read_rows(void *source, const struct mr_index *index)
{
    for (int i = 0; i < (int)index->head->columns; i++) {
        const struct mr_column *c = &index->head->column[i];
        uint64_t bytes = c->width * mr_dtype_size((mr_dtype)c->dtype), last;
        struct mr_errbuf e = {0};
        if (c->kind != MR_COL_TENSOR)
            continue;
        require(bytes <= 1 << 20, "a row that is longer than the file");
        uint8_t *row = malloc(bytes); /* exactly: a sanitizer sees a byte more */
        require(row != NULL, "memory");
        last = index->head->samples - 1;
        require(mr__source_npy.tensor(source, 0, i, false, row, bytes, &e) == MR_OK,
                "the first row");
        require(mr__source_npy.tensor(source, last, i, false, row, bytes, &e) == MR_OK,
                "the last row");
        require(mr__source_npy.tensor(source, last + 1, i, false, row, bytes, &e) < 0,
                "one too many");
        mr__source_npy.ahead(source, last, i, 100);
        free(row);
    }
}

static void check(const void *params, struct mr_index_builder *b)
{
    struct mr_index index;
    struct mr_errbuf e = {0};
    struct mr_limits limits = {0};
    void *source;
    int fd = mr__index_memfd(&e);
    require(mr__index_finish(b, fd, &e) == MR_OK && mr__index_map(&index, fd, &e) == MR_OK,
            "what the source takes must be an index");
    require(index.head->samples > 0, "a data set without samples");
    require(mr__source_npy.open(params, &index, &limits, &source, &e) == MR_OK,
            "what was listed must open");
    read_rows(source, &index);
    mr__source_npy.close(source);
    mr__index_unmap(&index);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("npy", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    struct {
        const char *path;
        struct mr_strs columns;
    } params = {path, {0}}; /* as struct npy_params */
    struct mr_errbuf e = {0};
    struct mr_index_builder *b;
    require(ftruncate(fd, 0) == 0 && pwrite(fd, data, n, 0) == (ssize_t)n, "a file");
    require(mr__index_builder_new(&b, &e) == MR_OK, "memory");
    int rc = mr__source_npy.index(&params, b, &e);
    if (rc == MR_OK)
        check(&params, b);
    else
        require(e.text[0] != 0, "an error without a sentence");
    mr__index_builder_free(b);
    return 0;
}
