/* SPDX-License-Identifier: Apache-2.0
 *
 * packed_recode.h: segments of the coding `streams` as segments of the coding `Huffman`, for
 * libjpeg-turbo, which reads no others.
 */
#ifndef MR_PACKED_RECODE_H
#define MR_PACKED_RECODE_H

#include "loaders/codec/packed/packed_bits.h"
#include "loaders/codec/packed/packed_coder.h"

/* Zero it to begin; mr__packed_recode_free ends it. */
struct mr_packed_recode {
    struct mr_packed_coder coder;
    struct mr_packed_symbols symbols;
    struct mr_packed_write_codes write[MR_PACKED_KINDS];
    struct mr_slot *slots; /* of one row of MCUs */
    int16_t (*blocks)[64]; /* of one segment */
};

/* All segments of the part, in its order: segment i is what mr__packed_symbols_write(&r->symbols,
 * i, r->write, ...) then writes, padded to as many MCUs as all have; their codes come into *body,
 * which may be a copy of the part's. MR_E_DATA: a segment is damaged, or has values that no JPEG
 * can; MR_E_MEMORY. */
int mr__packed_recode(struct mr_packed_recode *r, struct mr_packed_part *part,
                      struct mr_packed_body *body, struct mr_errbuf *e);
void mr__packed_recode_free(struct mr_packed_recode *r);

#endif
