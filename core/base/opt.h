/* SPDX-License-Identifier: Apache-2.0
 *
 * opt.h: what the option rows of base/descriptor.h say, done: reading a value, its default, its
 * canonical text.
 */
#ifndef MR_BASE_OPT_H
#define MR_BASE_OPT_H

#include "base/descriptor.h"
#include "base/text.h"
#include "base/yaml.h"

/* What reading options needs beside the rows. */
struct mr_opt_reader {
    struct mr_pool *pool; /* texts and lists of the values live here */
    const struct mr_place *place;
    const char *folder; /* absolute: paths in the file start here */
    const char *cwd;    /* absolute: paths in a --set start here */
    struct mr_errbuf *e;
};

/* Reads one value into base + o->off. `where` is put before the name in messages ("batch."), "" for
 * none. */
int mr__opt_read(const struct mr_opt_reader *r, const struct mr_opt *o, const struct mr_yaml *node,
                 const char *where, void *base);
/* Stores the default. MR_E_CONFIG at `mark` when the option is required. */
int mr__opt_default(const struct mr_opt_reader *r, const struct mr_opt *o, struct mr_mark mark,
                    const char *where, void *base);
/* Reads a mapping: every key must be a row's (or be in `also`, NULL-terminated, NULL: none), absent
 * ones get their defaults. `map` NULL: all defaults, and `mark` is the place of what is missing. */
int mr__opts_read(const struct mr_opt_reader *r, const struct mr_opt *opts,
                  const struct mr_yaml *map, struct mr_mark mark, const char *where,
                  const char *const *also, void *base);
/* "unknown key ..." with the nearest name or all names. */
int mr__opts_unknown(const struct mr_opt_reader *r, const struct mr_opt *opts,
                     const char *const *also, const struct mr_yaml *node, const char *where);

/* Appends "name=value;" of every row with MR_OPT_STREAM, in table order, the same text for the same
 * value however it was written. */
void mr__opts_canonical(struct mr_text *t, const struct mr_opt *opts, const void *base);
/* The same of every row. */
void mr__opts_all(struct mr_text *t, const struct mr_opt *opts, const void *base);

/* What a value of the row looks like, for people: "whole number", "[height, width]", "short, drop,
 * pad or wrap". */
const char *mr__opt_type_text(const struct mr_opt *o, struct mr_text *scratch);
/* "1 to 65536", "at least 0", or "" when the row has no bounds. */
const char *mr__opt_bounds_text(const struct mr_opt *o, char text[80]);

#endif
