/* SPDX-License-Identifier: Apache-2.0 */
#include "part_column.h"

#include <stdio.h>

static int no_column(const struct mr_index *index, const char *key, const char *name,
                     struct mr_errbuf *e)
{
    char names[512] = "";
    size_t n = 0;
    for (uint64_t i = 0; i < index->head->columns && n < sizeof names; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "",
                              index->head->column[i].name);
    return mr__fail(e, MR_E_CONFIG,
                    "'%s' is '%.80s', and the data set has no such column; it has "
                    "%s",
                    key, name, names);
}

static bool is_whole(enum mr_dtype dtype)
{
    return dtype == MR_U8 || dtype == MR_I16 || dtype == MR_U16 || dtype == MR_I32 ||
           dtype == MR_I64;
}

static bool is_float(enum mr_dtype dtype)
{
    return dtype == MR_F32 || dtype == MR_F64;
}

int mr__part_column_find(struct mr_part_column *c, const struct mr_sampler_env *env,
                         const char *key, const char *name, bool whole, struct mr_errbuf *e)
{
    int column = mr__index_column(env->index, name);
    if (column < 0)
        return no_column(env->index, key, name, e);
    const struct mr_column *found = &env->index->head->column[column];
    enum mr_dtype dtype = (enum mr_dtype)found->dtype;
    bool number = found->kind == MR_COL_FIXED && found->width == 1;
    if (!number || !(is_whole(dtype) || (is_float(dtype) && !whole)))
        return mr__fail(e, MR_E_CONFIG,
                        "'%s' is '%s', a column that does not hold one %snumber per sample", key,
                        name, whole ? "whole " : "");
    bool repeats = found->period && found->period < env->samples;
    *c = (struct mr_part_column){.index = env->index,
                                 .column = column,
                                 .dtype = dtype,
                                 .first = env->first,
                                 .samples = env->samples,
                                 .n = repeats ? found->period : env->samples};
    return MR_OK;
}

static const void *number_at(const struct mr_part_column *c, uint64_t i)
{
    uint64_t entries;
    return mr__index_numbers(c->index, c->column, c->first + i, &entries);
}

int64_t mr__part_column_whole(const struct mr_part_column *c, uint64_t i)
{
    const void *at = number_at(c, i);
    switch (c->dtype) {
    case MR_U8: return *(const uint8_t *)at;
    case MR_I16: return *(const int16_t *)at;
    case MR_U16: return *(const uint16_t *)at;
    case MR_I32: return *(const int32_t *)at;
    default: return *(const int64_t *)at;
    }
}

double mr__part_column_float(const struct mr_part_column *c, uint64_t i)
{
    if (c->dtype == MR_F32)
        return *(const float *)number_at(c, i);
    if (c->dtype == MR_F64)
        return *(const double *)number_at(c, i);
    return (double)mr__part_column_whole(c, i);
}
