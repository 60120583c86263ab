/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <string.h>

#define MAX_NAMES 256

static const struct mr_desc *op_at(const struct mr_tables *t, size_t i)
{
    return t->ops[i] ? &t->ops[i]->d : NULL;
}

static const struct mr_desc *source_at(const struct mr_tables *t, size_t i)
{
    return t->sources[i] ? &t->sources[i]->d : NULL;
}

static const struct mr_desc *codec_at(const struct mr_tables *t, size_t i)
{
    return t->codecs[i] ? &t->codecs[i]->d : NULL;
}

static const struct mr_desc *sampler_at(const struct mr_tables *t, size_t i)
{
    return t->samplers[i] ? &t->samplers[i]->d : NULL;
}

static const struct {
    const char *name;
    const struct mr_desc *(*at)(const struct mr_tables *t, size_t i);
} kinds[MR_KIND_COUNT] = {
    [MR_KIND_OP] = {"op", op_at},
    [MR_KIND_SOURCE] = {"source", source_at},
    [MR_KIND_CODEC] = {"codec", codec_at},
    [MR_KIND_SAMPLER] = {"sampler", sampler_at},
};

const char *mr__kind_name(enum mr_kind kind)
{
    return kinds[kind].name;
}

const struct mr_desc *mr__kind_at(const struct mr_tables *t, enum mr_kind kind, size_t i)
{
    return kinds[kind].at(t, i);
}

const struct mr_desc *mr__kind_find(const struct mr_tables *t, enum mr_kind kind, const char *name)
{
    const struct mr_desc *d;
    for (size_t i = 0; (d = mr__kind_at(t, kind, i)); i++)
        if (!strcmp(d->name, name))
            return d;
    return NULL;
}

const char *mr__kind_nearest(const struct mr_tables *t, enum mr_kind kind, const char *name)
{
    const char *names[MAX_NAMES];
    const struct mr_desc *d;
    size_t n = 0;
    while (n < MAX_NAMES && (d = mr__kind_at(t, kind, n)))
        names[n++] = d->name;
    return mr__nearest(name, names, n);
}
