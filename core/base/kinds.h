/* SPDX-License-Identifier: Apache-2.0
 *
 * kinds.h: the four kinds of plug-in seen alike, through the head that their descriptors share.
 */
#ifndef MR_BASE_KINDS_H
#define MR_BASE_KINDS_H

#include "base/config.h"

enum mr_kind { MR_KIND_OP, MR_KIND_SOURCE, MR_KIND_CODEC, MR_KIND_SAMPLER, MR_KIND_COUNT };

/* "op", "source", "codec", "sampler". */
const char *mr__kind_name(enum mr_kind kind);
/* The i-th descriptor of a kind, NULL past the end. The descriptor's address is that of the whole
 * struct. */
const struct mr_desc *mr__kind_at(const struct mr_tables *t, enum mr_kind kind, size_t i);
/* By name; NULL when there is none. */
const struct mr_desc *mr__kind_find(const struct mr_tables *t, enum mr_kind kind, const char *name);
/* The nearest name of the kind, NULL when none is near. */
const char *mr__kind_nearest(const struct mr_tables *t, enum mr_kind kind, const char *name);

#endif
