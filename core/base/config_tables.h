/* SPDX-License-Identifier: Apache-2.0
 *
 * config_tables.h: every key that a config can hold, as rows. The reader, the JSON Schema and the
 * reference page are all made from them.
 */
#ifndef MR_BASE_CONFIG_TABLES_H
#define MR_BASE_CONFIG_TABLES_H

#include "base/config.h"
#include "base/kinds.h"
#include "base/opt.h"

struct mr_config_reader {
    struct mr_opt_reader opt;
    struct mr_config *c;
    const struct mr_tables *tables;
    const struct mr_yaml *root;
};

enum mr_section_kind {
    MR_SECTION_OPTS,    /* a mapping of `opts` */
    MR_SECTION_USER,    /* the same, and a free mapping `params` */
    MR_SECTION_SOURCE,  /* `type` and the options of that source */
    MR_SECTION_SAMPLER, /* `type` and the options of that sampler */
    MR_SECTION_OPS,     /* a list: `- name` or `- name: {options}` */
    MR_SECTION_FIELDS,  /* a mapping: name: {`opts`} */
    MR_SECTION_MIXTURE, /* a mapping of `opts`, and a list `of` of mr__part_opts */
};

struct mr_section {
    const char *name;
    enum mr_section_kind kind;
    const char
        *shorthand; /* a bare value stands for {shorthand: value}; NULL: it must be a mapping */
    const struct mr_opt
        *opts; /* offsets into struct mr_config, or struct mr_field_config for FIELDS */
    /* Reads the section; node NULL: it is absent. */
    int (*read)(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
    const char *help;
};

extern const struct mr_opt mr__config_opts[];         /* the scalars of the top level */
extern const struct mr_section mr__config_sections[]; /* ends with a row without name */
extern const struct mr_opt mr__part_opts[]; /* of a part of a mixture, beside source and sampler */

int mr__read_opts(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_decode(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_batch(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_commander(struct mr_config_reader *r, const struct mr_section *s,
                       struct mr_yaml *node);
int mr__read_producer(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_source(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_sampler(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_ops(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_fields(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);
int mr__read_mixture(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node);

/* The mapping of a section: a bare value becomes {shorthand: value}, an empty one {}. */
int mr__section_map(struct mr_config_reader *r, const struct mr_section *s, struct mr_yaml *node,
                    struct mr_yaml **map);

/* Reads a node that chooses a source or a sampler by its `type`. `where`: what to call it. */
int mr__read_typed(struct mr_config_reader *r, const char *where, struct mr_yaml *node,
                   enum mr_kind kind, struct mr_choice *choice);
/* The choice when nothing is said of a sampler: shuffle. */
int mr__choose_shuffle(struct mr_config_reader *r, struct mr_choice *choice);
/* Makes a mixture the source and the sampler of the config, or refuses it: what needs more than its
 * own section. */
int mr__config_mixture(struct mr_config_reader *r);

/* Picks the default sampler when nobody else decides what comes next. */
int mr__config_default_sampler(struct mr_config_reader *r);
/* Default fields and dtypes, then what each kind of field may have. */
int mr__config_fields(struct mr_config_reader *r);
/* Who this process is among its ranks. MR_E_CONFIG: the environment makes no sense. */
int mr__config_ranks(struct mr_config_reader *r);
/* What no single section can know. */
int mr__config_check(struct mr_config_reader *r);
/* A mapping as a message, in the config's pool. */
int mr__config_params(struct mr_config_reader *r, const struct mr_yaml *map, const char *where,
                      mr_message **params, uint64_t *bytes);
/* Sets c->stream_hash; MR_E_MEMORY. */
int mr__config_hash(struct mr_config *c, struct mr_errbuf *e);

#endif
