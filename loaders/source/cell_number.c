/* SPDX-License-Identifier: Apache-2.0 */
#include "cell_number.h"

#include "base/number.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define TOKEN 400 /* a double written out in full has 309 digits before its point */

static const struct {
    int64_t min, max;
} ranges[MR_DTYPE_COUNT] = {
    [MR_U8] = {0, UINT8_MAX},          [MR_I16] = {INT16_MIN, INT16_MAX},
    [MR_U16] = {0, UINT16_MAX},        [MR_I32] = {INT32_MIN, INT32_MAX},
    [MR_I64] = {INT64_MIN, INT64_MAX},
};

static const char beyond[] = "is beyond what its type can hold";

static void store_whole(int64_t value, mr_dtype dtype, void *out)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    const void *from[] = {[1] = &u8, [2] = &u16, [4] = &u32, [8] = &value};
    memcpy(out, from[mr_dtype_size(dtype)], mr_dtype_size(dtype));
}

/* "007" is 7 in a table, if not in a config. */
static void drop_zeros(char *token)
{
    char *digits = token + (token[0] == '-' || token[0] == '+');
    size_t zeros = strspn(digits, "0");
    if (zeros && !digits[zeros])
        zeros--;
    memmove(digits, digits + zeros, strlen(digits + zeros) + 1);
}

static const char *read_whole(char *token, mr_dtype dtype, void *out)
{
    int64_t value;
    drop_zeros(token);
    enum mr_number_error error = mr__number_int(token, &value);
    if (error == MR_NUMBER_NOT)
        return "is not a whole number";
    if (error || value < ranges[dtype].min || value > ranges[dtype].max)
        return beyond;
    store_whole(value, dtype, out);
    return NULL;
}

static bool read_special(const char *token, double *value)
{
    bool minus = token[0] == '-';
    token += minus || token[0] == '+';
    if (strcasecmp(token, "nan") && strcasecmp(token, "inf"))
        return false;
    *value = strcasecmp(token, "nan") ? (double)INFINITY : (double)NAN;
    *value = minus ? -*value : *value;
    return true;
}

static const char *read_float(const char *token, mr_dtype dtype, void *out)
{
    double value;
    bool special = read_special(token, &value);
    enum mr_number_error error = special ? MR_NUMBER_OK : mr__number_float(token, &value);
    if (error)
        return error == MR_NUMBER_NOT ? "is not a number" : beyond;
    float single = (float)value;
    if (dtype == MR_F32 && !special && isinf(single))
        return beyond;
    if (dtype == MR_F32)
        memcpy(out, &single, sizeof single);
    else
        memcpy(out, &value, sizeof value);
    return NULL;
}

const char *mr__cell_number(const char **text, mr_dtype dtype, void *out)
{
    char token[TOKEN];
    size_t n = 0;
    while ((*text)[n] && !mr__cell_separates((*text)[n]))
        n++;
    if (n >= sizeof token)
        return "is too long for a number";
    memcpy(token, *text, n);
    token[n] = 0;
    const char *wrong = dtype == MR_F32 || dtype == MR_F64 ? read_float(token, dtype, out)
                                                           : read_whole(token, dtype, out);
    if (!wrong)
        *text += n;
    return wrong;
}
