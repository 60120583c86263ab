/* SPDX-License-Identifier: Apache-2.0
 *
 * jpegtarget.h: what is asked of a JPEG, whoever decodes it: held against the image, and named to
 * the sink that the rows go into.
 */
#ifndef MR_CODEC_JPEGTARGET_H
#define MR_CODEC_JPEGTARGET_H

#include "base/descriptor.h"
#include "loaders/codec/rowsink.h"

/* The rectangle `roi` of the image at the size `shown`, as displayed, into dst; *stored is that
 * rectangle of the stored image. MR_E_USAGE. */
int mr__jpegtarget_view(struct mr_rowsink *sink, const struct mr_image_info *info,
                        const struct mr_shrunk *shown, const struct mr_rect *roi,
                        const struct mr_view *dst, struct mr_rect *stored, struct mr_errbuf *e);
/* The same, row by row. MR_E_USAGE. */
int mr__jpegtarget_taker(struct mr_rowsink *sink, const struct mr_image_info *info,
                         const struct mr_shrunk *shown, const struct mr_rect *roi, int32_t c,
                         int32_t bits, const struct mr_row_taker *to, struct mr_errbuf *e);

#endif
