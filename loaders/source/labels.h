/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.h: a column of labels of which only the last row tells whether they are numbers or names.
 * Each different text is kept once; a sample costs 4 bytes until the column is finished.
 */
#ifndef MR_SOURCE_LABELS_H
#define MR_SOURCE_LABELS_H

#include "base/index.h"

#include <stdbool.h>

struct mr_labels;

int mr__labels_new(struct mr_labels **l, struct mr_errbuf *e);
void mr__labels_free(struct mr_labels *l); /* safe on NULL */
/* The next sample's label: n > 0 bytes without NUL, copied. MR_E_MEMORY, MR_E_LIMIT (over 2^31
 * different ones). */
int mr__labels_add(struct mr_labels *l, const char *text, size_t n, struct mr_errbuf *e);
/* Fills the i64 column of `b` with a number per sample. When every label is a whole number and
 * `by_name` is false, these are the numbers; else the labels are names of classes, numbered in byte
 * order, which become the index's. */
int mr__labels_finish(struct mr_labels *l, bool by_name, struct mr_index_builder *b, int column,
                      struct mr_errbuf *e);

#endif
