/* SPDX-License-Identifier: Apache-2.0 */
#include "lua_element.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

/* IEEE 754 binary16: 5 bits of exponent, 10 of fraction; subnormals have the exponent of the
 * smallest normal. */
static float from_half(uint16_t half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    float value = exponent == 31  ? (fraction ? NAN : INFINITY)
                  : exponent == 0 ? ldexpf((float)fraction, -24)
                                  : ldexpf((float)(1024 + fraction), exponent - 25);
    return half & 0x8000 ? -value : value;
}

/* Round to nearest, ties to even: the fraction in units of the last place, by nearbyint. */
static uint16_t to_half(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double size = fabs(value);
    if (isnan(value))
        return sign | 0x7e00;
    if (size >= 65520)
        return sign | 0x7c00;
    int exponent = 0;
    frexp(size, &exponent); /* size = 0.5 .. 1 x 2^exponent */
    int unit = exponent - 11 < -24 ? -24 : exponent - 11;
    int fraction =
        (int)nearbyint(ldexp(size, -unit)); /* up to 2048: carries into the exponent as it should */
    return sign | (uint16_t)((unit + 24) * 1024 + fraction);
}

static uint16_t to_bfloat(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float from_bfloat(uint16_t bfloat)
{
    uint32_t bits = (uint32_t)bfloat << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define LOAD(type) ((type *)memcpy(&(type){0}, at, sizeof(type)))[0]

void mr__lua_push_element(lua_State *L, mr_dtype dtype, const void *at)
{
    switch (dtype) {
    case MR_U8:
        lua_pushinteger(L, LOAD(uint8_t));
        return;
    case MR_I16:
        lua_pushinteger(L, LOAD(int16_t));
        return;
    case MR_U16:
        lua_pushinteger(L, LOAD(uint16_t));
        return;
    case MR_I32:
        lua_pushinteger(L, LOAD(int32_t));
        return;
    case MR_I64:
        lua_pushinteger(L, LOAD(int64_t));
        return;
    case MR_F16:
        lua_pushnumber(L, (lua_Number)from_half(LOAD(uint16_t)));
        return;
    case MR_BF16:
        lua_pushnumber(L, (lua_Number)from_bfloat(LOAD(uint16_t)));
        return;
    case MR_F32:
        lua_pushnumber(L, (lua_Number)LOAD(float));
        return;
    case MR_F64:
        lua_pushnumber(L, LOAD(double));
        return;
    default:
        lua_pushnil(L);
    }
}

static const struct {
    lua_Integer min, max;
} ranges[MR_DTYPE_COUNT] = {
    [MR_U8] = {0, UINT8_MAX},          [MR_I16] = {INT16_MIN, INT16_MAX},
    [MR_U16] = {0, UINT16_MAX},        [MR_I32] = {INT32_MIN, INT32_MAX},
    [MR_I64] = {INT64_MIN, INT64_MAX},
};

static void store_whole(lua_State *L, mr_dtype dtype, void *at, int index)
{
    lua_Integer value = luaL_checkinteger(L, index);
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    const void *from[] = {[1] = &u8, [2] = &u16, [4] = &u32, [8] = &value};
    if (value < ranges[dtype].min || value > ranges[dtype].max)
        luaL_error(L, "%I is beyond what %s can hold", (LUAI_UACINT)value, mr_dtype_name(dtype));
    memcpy(at, from[mr_dtype_size(dtype)], mr_dtype_size(dtype));
}

void mr__lua_store_element(lua_State *L, mr_dtype dtype, void *at, int value)
{
    if (dtype != MR_F16 && dtype != MR_BF16 && dtype != MR_F32 && dtype != MR_F64) {
        store_whole(L, dtype, at, value);
        return;
    }
    double number = luaL_checknumber(L, value);
    float single = (float)number;
    uint16_t bits = dtype == MR_F16 ? to_half(number) : to_bfloat(single);
    if (dtype == MR_F32)
        memcpy(at, &single, sizeof single);
    else if (dtype == MR_F64)
        memcpy(at, &number, sizeof number);
    else
        memcpy(at, &bits, sizeof bits);
}
