/* SPDX-License-Identifier: Apache-2.0
 *
 * unpack_files.h: from packed bodies to files that other programs read, and their names.
 */
#ifndef MR_PACK_UNPACK_FILES_H
#define MR_PACK_UNPACK_FILES_H

#include "pack/pack_data.h"
#include "pack/pack_pixels.h"

/* What a body is as a file. */
struct mr_unpacked {
    const struct mr_buf *file; /* the body itself or another buffer of the caller's */
    const char *ending;        /* what its name should end in; NULL: whatever it ends in */
};

/* body: as it was read; into: room for another. MR_E_DATA, MR_E_MEMORY. */
int mr__unpack_body(struct mr_pack_pixels *pixels, const struct mr_buf *body, struct mr_buf *into,
                    struct mr_unpacked *out, struct mr_errbuf *e);

/* The name, below the folder that is unpacked into, of a sample's file in a column: that of the
 * original, which cannot lead out of the folder ('..' becomes '_', a leading '/' goes), or, for one
 * without, its column and number; behind it `ending` where it is another. malloc'ed; NULL: memory
 * is out. */
char *mr__unpack_name(const struct mr_index *index, int column, uint64_t sample,
                      const char *ending);

/* later[sample]: it has a file of the name that a file of a lower sample, or another one of its
 * own, has. MR_E_MEMORY. */
int mr__unpack_later(const struct mr_pack_data *d, bool *later, struct mr_errbuf *e);

/* Writes out/name, with the folders that it needs. If there is another file of that name already,
 * the sample's number comes into *name, which is malloc'ed and may be replaced; nobody else may
 * write then. Else 1 with `among_others`: there is a file of that name, perhaps not whole yet.
 * MR_E_IO, MR_E_MEMORY. */
int mr__unpack_write(const char *out, char **name, uint64_t sample, bool among_others,
                     const struct mr_buf *file, struct mr_errbuf *e);

/* out/manifest.csv: a row per sample that is not left out, with names[sample * columns + column]
 * and all numbers. A name NULL: there is no such file. MR_E_IO, MR_E_MEMORY. */
int mr__unpack_manifest(const struct mr_index *index, char *const *names, const bool *left_out,
                        const char *out, struct mr_errbuf *e);

/* out/NAME.npy for each column of tensors and, with `numbers`, of numbers: all samples. MR_E_DATA,
 * MR_E_IO, MR_E_MEMORY. */
int mr__unpack_arrays(const struct mr_pack_data *d, bool numbers, const char *out,
                      struct mr_errbuf *e);

/* Pixels as a PNG, replacing what is in *png. MR_E_MEMORY. */
int mr__pack_png_write(const struct mr_view *image, struct mr_buf *png, struct mr_errbuf *e);

#endif
