/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_columns.h"

#include <string.h>

/* As manifests call them; the names that configs have for a dtype are known, too. */
static const struct {
    const char *name;
    enum mr_dtype dtype;
} types[] = {
    {"u8", MR_U8},   {"i16", MR_I16},   {"u16", MR_U16}, {"i32", MR_I32}, {"i64", MR_I64},
    {"f16", MR_F16}, {"bf16", MR_BF16}, {"f32", MR_F32}, {"f64", MR_F64},
};
#define NTYPES (sizeof types / sizeof types[0])

static bool is_name(const char *name, const char *text, size_t n)
{
    return strlen(name) == n && !memcmp(name, text, n);
}

static int find_type(const char *text, size_t n)
{
    for (size_t i = 0; i < NTYPES; i++)
        if (is_name(types[i].name, text, n) || is_name(mr_dtype_name(types[i].dtype), text, n))
            return (int)types[i].dtype;
    return -1;
}

/* "[3,32,32]", all of the text. */
static bool read_shape(const char *at, struct mr_array *a)
{
    a->ndim = 0;
    if (*at++ != '[')
        return false;
    for (;;) {
        int64_t side = 0;
        const char *from = at += strspn(at, " ");
        for (; *at >= '0' && *at <= '9' && side <= UINT32_MAX; at++)
            side = 10 * side + (*at - '0');
        if (at == from || side < 1 || side > UINT32_MAX || a->ndim == MR_MAX_DIMS - 1)
            return false;
        a->shape[a->ndim++] = side;
        at += strspn(at, " ");
        if (*at == ']')
            return !at[1];
        if (*at++ != ',')
            return false;
    }
}

int mr__raw_column(const char *text, struct mr_array *a, size_t *n, struct mr_errbuf *e)
{
    const char *colon = strchr(text, ':');
    *n = colon ? (size_t)(colon - text) : 0;
    if (!*n)
        return mr__fail(e, MR_E_CONFIG,
                        "columns: '%s' has no name or no type: write \"x:f32[3,32,32]\", or "
                        "\"label:i64\" for one number",
                        text);
    const char *type = colon + 1, *sides = type + strcspn(type, "[");
    int dtype = find_type(type, (size_t)(sides - type));
    if (dtype < 0)
        return mr__fail(e, MR_E_CONFIG,
                        "columns: '%s' has no type that is known: u8, i16, u16, i32, i64, f16, "
                        "bf16, f32, f64, or their long names",
                        text);
    a->dtype = (enum mr_dtype)dtype;
    if (*sides && !read_shape(sides, a))
        return mr__fail(e, MR_E_CONFIG,
                        "columns: '%s' has no shape of 1 to %d sides, such as [3,32,32]", text,
                        MR_MAX_DIMS - 1);
    a->row_bytes = mr_dtype_size(a->dtype);
    for (int d = 0; d < a->ndim; d++)
        if (__builtin_mul_overflow(a->row_bytes, (uint64_t)a->shape[d], &a->row_bytes) ||
            a->row_bytes > INT64_MAX / MR_INDEX_MAX_COLUMNS)
            return mr__fail(e, MR_E_CONFIG, "columns: '%s' has more bytes than there can be", text);
    return MR_OK;
}
