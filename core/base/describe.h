/* SPDX-License-Identifier: Apache-2.0
 *
 * describe.h: the tables as pages, one per plug-in or config section, and the formats they can be
 * written in.
 */
#ifndef MR_BASE_DESCRIBE_H
#define MR_BASE_DESCRIBE_H

#include "base/config_tables.h"
#include "base/json_writer.h"
#include "base/kinds.h"

struct mr_page {
    const char *kind; /* "config", or a plug-in's kind */
    const char *name; /* plug-in or section; "config" for the top level */
    const char *help;
    const struct mr_opt *opts;        /* NULL: none */
    const struct mr_section *section; /* config sections, else NULL */
    const struct mr_desc *desc;       /* plug-ins, else NULL */
};

#define MR_MAX_PAGES 512

struct mr_pages {
    const struct mr_tables *tables;
    int n;
    bool detailed; /* text: options too, not only one line per page */
    struct mr_page page[MR_MAX_PAGES];
};

/* Each returns a malloc'ed text, NULL when memory is out. */
char *mr__describe_text(const struct mr_pages *pages);
char *mr__describe_json(const struct mr_pages *pages);
char *mr__describe_markdown(const struct mr_pages *pages);
/* JSON Schema draft-07 of a whole config, or of the options of the one plug-in in `pages`. */
char *mr__describe_schema(const struct mr_pages *pages);

/* A default as a person reads it: "required", "-" or the text of the row. */
const char *mr__describe_default(const struct mr_opt *o);
/* A default as a JSON value; nothing is written for required and absent ones, and false is
 * returned. */
bool mr__describe_default_json(struct mr_json *j, const struct mr_opt *o, const char *key);

#endif
