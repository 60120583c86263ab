/* SPDX-License-Identifier: Apache-2.0 */
#include "part_column.h"

static int no_column(const struct mr_index *index, const char *key, const char *name,
                     struct mr_errbuf *e)
{
    char names[512];
    mr__index_list_columns(index, names, sizeof names);
    return mr__fail(e, MR_E_CONFIG,
                    "'%s' is '%.80s', and the data set has no such column; it has %s", key, name,
                    names);
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
    bool real = found->kind == MR_COL_FIXED && found->width == 1 && is_float(dtype);
    if (!mr__index_is_whole(found) && (whole || !real))
        return mr__fail(e, MR_E_CONFIG,
                        "'%s' is '%s', a column that does not hold one %snumber per sample", key,
                        name, whole ? "whole " : "");
    bool repeats = found->period && found->period < env->samples;
    *c = (struct mr_part_column){.index = env->index,
                                 .column = column,
                                 .instead = -1,
                                 .first = env->first,
                                 .samples = env->samples,
                                 .n = repeats ? found->period : env->samples};
    return MR_OK;
}

static int column_at(const struct mr_part_column *c, uint64_t sample)
{
    return c->instead >= 0 && mr__column_lacks(c->index, c->column, sample) ? c->instead
                                                                            : c->column;
}

int64_t mr__part_column_whole(const struct mr_part_column *c, uint64_t i)
{
    uint64_t sample = c->first + i;
    return mr__index_whole(c->index, column_at(c, sample), sample);
}

double mr__part_column_float(const struct mr_part_column *c, uint64_t i)
{
    uint64_t sample = c->first + i;
    return mr__index_number(c->index, column_at(c, sample), sample);
}
