/* SPDX-License-Identifier: Apache-2.0
 *
 * find.h: which codec reads a file, by its first bytes and never by its name.
 */
#ifndef MR_CODEC_FIND_H
#define MR_CODEC_FIND_H

#include "base/descriptor.h"

/* The codec whose probe knows `data`; NULL with MR_E_DATA and a sentence that says what the
 * bytes look like (an HTML page, a WebP image, nothing but zeros ...). */
const struct mr_codec *mr__codec_find(const uint8_t *data, size_t n, struct mr_errbuf *e);

#endif
