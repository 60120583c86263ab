/* SPDX-License-Identifier: Apache-2.0
 *
 * manifest_cells.h: a manifest while it is read, and what each kind of cell adds to the index.
 */
#ifndef MR_SOURCE_MANIFEST_CELLS_H
#define MR_SOURCE_MANIFEST_CELLS_H

#include "labels.h"
#include "manifest_header.h"

struct mr_manifest {
    struct mr_index_builder *b;
    struct mr_csv csv;
    struct mr_manifest_column column[MR_CSV_MAX_CELLS];
    int ncolumns;
    struct mr_labels *labels; /* NULL: labels are numbers, or there are none */
    int label;                /* the column that `labels` fills */
    struct mr_buf numbers;    /* of one cell */
    struct mr_errbuf *e;
};

/* Adds cell i of the record in m->csv to its column of the index. Numbers of a cell are separated
 * by spaces, tabs or semicolons, as many as one likes. MR_E_CONFIG with the cell's place;
 * MR_E_MEMORY. */
int mr__manifest_cell(struct mr_manifest *m, int i);

#endif
