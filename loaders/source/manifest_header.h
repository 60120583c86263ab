/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest_header.h: the first line of a manifest: a name and, behind a colon, a type per column.
 */
#ifndef MR_SOURCE_MANIFEST_HEADER_H
#define MR_SOURCE_MANIFEST_HEADER_H

#include "csv.h"

#include "base/index.h"

enum mr_cell_kind {
    MR_CELL_PATH,    /* image, mask: a file */
    MR_CELL_LABEL,   /* label without a type: whole numbers or names, told by the cells */
    MR_CELL_CLASS,   /* label:class: names */
    MR_CELL_FIXED,   /* name:f32, name:f32[3]: so many numbers */
    MR_CELL_RAGGED,  /* name:f32[*], name:f32[*][2]: any number of entries of so many numbers */
    MR_CELL_BOXES,   /* boxes:f32[4] = boxes:f32[*][4]: entries of x0 y0 x1 y1 */
    MR_CELL_IGNORED, /* name:ignore */
};

struct mr_manifest_column {
    char name[MR_INDEX_NAME];
    enum mr_cell_kind kind;
    enum mr_dtype dtype;
    uint32_t width; /* numbers per entry */
    int column;     /* in the index; set by who makes it */
};

/* Reads the record that `c` holds as a header into columns[c->ncells]. MR_E_CONFIG with the place:
 * a name that is empty, too long or there twice; a type that is missing or unknown (the nearest is
 * named); no column `image`. */
int mr__manifest_header(const struct mr_csv *c, struct mr_manifest_column *columns,
                        struct mr_errbuf *e);

#endif
