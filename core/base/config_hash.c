/* SPDX-License-Identifier: Apache-2.0
 *
 * config_hash.c: one number for everything that shapes the stream. Two configs with the same number
 * deliver the same batches from the same data, so a saved state of one is good for the other.
 */
#include "config_tables.h"
#include "message.h"

#include <xxhash.h>

/* Raise it when the same config begins to give other batches. */
#define STREAM_VERSION 1

static void add_choice(struct mr_text *t, const struct mr_choice *choice)
{
    const struct mr_desc *d = choice->desc;
    if (!d)
        return;
    mr__text_addf(t, "%s{", d->name);
    mr__opts_canonical(t, d->opts, choice->params);
    mr__text_addf(t, "}");
}

static void add_user(struct mr_text *t, const struct mr_user_code *code)
{
    if (!code->params)
        return;
    /* The entries, not the header: it holds how much room there was. */
    size_t n = mr__message_bytes(code->params) - MR_MESSAGE_HEADER;
    mr__text_addf(t, "params %zu:", n);
    mr__text_add(t, (const char *)code->params + MR_MESSAGE_HEADER, n);
}

static void add_mixture(struct mr_text *t, const struct mr_config *c, const struct mr_section *s)
{
    mr__opts_canonical(t, s->opts, c);
    for (int i = 0; i < c->mixture.nparts; i++) {
        mr__text_addf(t, "{");
        mr__opts_canonical(t, mr__part_opts, &c->mixture.parts[i]);
        add_choice(t, &c->mixture.parts[i].source);
        add_choice(t, &c->mixture.parts[i].sampler);
        mr__text_addf(t, "}");
    }
}

static void add_section(struct mr_text *t, const struct mr_config *c, const struct mr_section *s)
{
    if (s->kind == MR_SECTION_MIXTURE && !c->mixture.nparts)
        return; /* as before there were any */
    if (s->read == mr__read_decode) { /* as when it was one word */
        mr__text_addf(t, "decode=%s;", s->opts->names[c->decode]);
        return;
    }
    mr__text_addf(t, "\n%s:", s->name);
    switch (s->kind) {
    case MR_SECTION_OPTS:
        mr__opts_canonical(t, s->opts, c);
        break;
    case MR_SECTION_USER:
        mr__opts_canonical(t, s->opts, c);
        add_user(t, s->read == mr__read_commander ? &c->commander : &c->producer);
        break;
    case MR_SECTION_SOURCE:
        add_choice(t, &c->source);
        break;
    case MR_SECTION_SAMPLER:
        add_choice(t, &c->sampler);
        break;
    case MR_SECTION_MIXTURE:
        add_mixture(t, c, s);
        break;
    case MR_SECTION_OPS:
        for (int i = 0; i < c->nops; i++)
            add_choice(t, &c->ops[i]);
        break;
    case MR_SECTION_FIELDS:
        for (int i = 0; i < c->nfields; i++) {
            mr__text_addf(t, "%s{", c->fields[i].name);
            mr__opts_canonical(t, s->opts, &c->fields[i]);
            mr__text_addf(t, "}");
        }
        break;
    }
}

int mr__config_hash(struct mr_config *c, struct mr_errbuf *e)
{
    struct mr_text t = {0};
    mr__text_addf(&t, "millrace stream %d\n", STREAM_VERSION);
    mr__opts_canonical(&t, mr__config_opts, c);
    for (const struct mr_section *s = mr__config_sections; s->name; s++)
        add_section(&t, c, s);
    if (!t.failed)
        c->stream_hash = XXH3_64bits(t.data, t.n);
    int rc = t.failed ? mr__fail(e, MR_E_MEMORY, "not enough memory to read the config") : MR_OK;
    mr__text_free(&t);
    return rc;
}
