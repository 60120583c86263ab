/* SPDX-License-Identifier: Apache-2.0
 *
 * coef_scalar.h: what is rare enough that all versions leave it to plain C.
 */
#ifndef MR_PACKED_COEF_SCALAR_H
#define MR_PACKED_COEF_SCALAR_H

struct coef_parts;
struct mr_coef_segment;

/* Takes the escapes of blocks whose maps say that there are some: bytes of -128 are replaced in the
 * tiles by what stands at the segment's end. *p as coef_begin() left it. */
void mr__coef_take_escapes(const struct mr_coef_segment *s, struct coef_parts *p);

#endif
