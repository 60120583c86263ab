/* SPDX-License-Identifier: Apache-2.0
 *
 * row_tensor.h: fields that are tensors of the source, which reads them straight into the row.
 * Where field and source differ in type the numbers go through memory of the thread's own.
 */
#ifndef MR_PIPE_ROW_TENSOR_H
#define MR_PIPE_ROW_TENSOR_H

#include "pipe/session.h"

/* Makes `to`, the row's place in field number `field`, the sample's tensor; the field is bound to a
 * TENSOR column. `source`: this thread's. *scratch grows as it has to. Adds to *bytes what was
 * read. Errors of the source's `tensor`, MR_E_MEMORY; there may be anything at `to` then. */
int mr__row_tensor(const struct mr_session *s, void *source, int field, uint64_t sample, void *to,
                   struct mr_buf *scratch, uint64_t *bytes, struct mr_errbuf *e);

#endif
