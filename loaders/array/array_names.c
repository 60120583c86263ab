/* SPDX-License-Identifier: Apache-2.0 */
#include "array_names.h"

#include "base/printable.h"

#include <string.h>

/* What stands behind "column=", else all of it. */
const char *mr__array_names_array(const char *choice)
{
    const char *equals = strchr(choice, '=');
    return equals ? equals + 1 : choice;
}

int mr__array_names_check(const struct mr_strs *columns, struct mr_errbuf *e)
{
    if (columns->n > MR_INDEX_MAX_COLUMNS)
        return mr__fail(e, MR_E_CONFIG, "columns: at most %d", MR_INDEX_MAX_COLUMNS);
    for (int i = 0; i < columns->n; i++) {
        const char *choice = columns->v[i], *array = mr__array_names_array(choice);
        if (!*array || *choice == '=')
            return mr__fail(e, MR_E_CONFIG,
                            "columns: '%s' names no array: write \"array\", or \"column=array\"",
                            choice);
    }
    return MR_OK;
}

/* Its rows are read; all others have their numbers in the index. */
static bool is_read(const struct mr_index *index, const char *name, size_t n)
{
    for (uint64_t i = 0; i < index->head->columns; i++) {
        const struct mr_column *c = &index->head->column[i];
        if (strlen(c->name) == n && !memcmp(c->name, name, n))
            return c->kind == MR_COL_TENSOR;
    }
    return false;
}

static const char *choose(struct mr_array_names *names, const char *array, size_t bytes, size_t *n)
{
    const struct mr_strs *columns = names->columns;
    *n = bytes;
    for (int i = 0; i < columns->n; i++) {
        const char *choice = columns->v[i], *wanted = mr__array_names_array(choice);
        if ((names->found >> i & 1) || strlen(wanted) != bytes || memcmp(wanted, array, bytes) != 0)
            continue;
        names->found |= 1u << i;
        *n = wanted == choice ? bytes : (size_t)(wanted - 1 - choice);
        return choice;
    }
    return columns->n ? NULL : array;
}

const char *mr__array_names_pick(struct mr_array_names *names, const char *array, size_t bytes,
                                 size_t *n)
{
    if (names->there.n < 512)
        mr__text_addf(&names->there, "%s%s", names->there.n ? ", " : "",
                      mr__printable(array, bytes).text);
    const char *name = choose(names, array, bytes, n);
    return name && names->index && !is_read(names->index, name, *n) ? NULL : name;
}

int mr__array_names_end(struct mr_array_names *names, const char *path, struct mr_errbuf *e)
{
    const struct mr_strs *columns = names->columns;
    for (int i = 0; i < columns->n; i++) {
        const char *wanted = mr__array_names_array(columns->v[i]);
        if (names->found >> i & 1)
            continue;
        return mr__fail(e, MR_E_CONFIG, "'%s' has no array '%s'; it has %.512s",
                        mr__printable(path, strlen(path)).text, wanted,
                        names->there.n ? names->there.data : "none");
    }
    return MR_OK;
}

void mr__array_names_free(struct mr_array_names *names)
{
    mr__text_free(&names->there);
}
