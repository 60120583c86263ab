/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole of the manifest source: CSV, header, cells, labels, and the checks of the index that
 * comes of it.
 */
#include "base/descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern const struct mr_source mr__source_manifest;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void finish(struct mr_index_builder *b, struct mr_errbuf *e)
{
    struct mr_index index;
    int fd = mr__index_memfd(e);
    if (mr__index_finish(b, fd, e) < 0 || mr__index_map(&index, fd, e) < 0)
        abort(); /* what the source accepts must be an index */
    if (index.head->samples == 0 || mr__index_column(&index, "image") < 0)
        abort();
    mr__index_unmap(&index);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static char path[64];
    if (fd < 0) {
        fd = memfd_create("manifest", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    struct {
        const char *path, *root;
        int separator;
    } params = {path, "/", n && data[n - 1] == '\t'}; /* as struct manifest_params */
    struct mr_errbuf e = {0};
    struct mr_index_builder *b;
    if (ftruncate(fd, 0) < 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
        abort();
    if (mr__index_builder_new(&b, &e) < 0)
        abort();
    int rc = mr__source_manifest.index(&params, b, &e);
    if (rc == MR_OK)
        finish(b, &e);
    else if (!e.text[0])
        abort(); /* an error without a sentence */
    mr__index_builder_free(b);
    return 0;
}
