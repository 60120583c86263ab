/* SPDX-License-Identifier: Apache-2.0
 *
 * config_index.c: what of a config shapes the index: the sources with all their options, the
 * samplers that add columns to it, and the limits that these read files by.
 */
#include "config_tables.h"

static void add_choice(struct mr_text *t, const struct mr_choice *choice)
{
    const struct mr_desc *d = choice->desc;
    mr__text_addf(t, "%s{", d->name);
    mr__opts_all(t, d->opts, choice->params);
    mr__text_addf(t, "}");
}

static void add_sampler(struct mr_text *t, const struct mr_config *c,
                        const struct mr_choice *choice)
{
    const struct mr_sampler *sampler = choice->desc;
    if (!sampler || !sampler->index)
        return;
    const int64_t limits[] = {c->limits.max_pixels, c->limits.max_side, c->limits.max_scans,
                              c->limits.max_decode_bytes, c->limits.max_file_bytes};
    add_choice(t, choice);
    mr__text_add(t, (const char *)limits, sizeof limits);
}

void mr__config_index_text(struct mr_text *t, const struct mr_config *c)
{
    if (!c->mixture.nparts)
        add_choice(t, &c->source);
    for (int i = 0; i < c->mixture.nparts; i++) {
        mr__text_addf(t, "part %s{", c->mixture.parts[i].name);
        add_choice(t, &c->mixture.parts[i].source);
        add_sampler(t, c, &c->mixture.parts[i].sampler);
        mr__text_addf(t, "}");
    }
    if (!c->mixture.nparts || c->mixture.by == MR_MIX_ALL)
        add_sampler(t, c, &c->sampler);
}
