// SPDX-License-Identifier: Apache-2.0
//
// Numbers of any type become those of any other: what C's own types say, and at the edges what the
// header does. Pairs with loops of their own give what the others would.
#include <gtest/gtest.h>

extern "C" {
#include "pipe/columns.h"
}

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace
{

template <typename T> constexpr mr_dtype dtype_of();
template <> constexpr mr_dtype dtype_of<uint8_t>()
{
    return MR_U8;
}
template <> constexpr mr_dtype dtype_of<int16_t>()
{
    return MR_I16;
}
template <> constexpr mr_dtype dtype_of<uint16_t>()
{
    return MR_U16;
}
template <> constexpr mr_dtype dtype_of<int32_t>()
{
    return MR_I32;
}
template <> constexpr mr_dtype dtype_of<int64_t>()
{
    return MR_I64;
}
template <> constexpr mr_dtype dtype_of<float>()
{
    return MR_F32;
}
template <> constexpr mr_dtype dtype_of<double>()
{
    return MR_F64;
}

// Extremes, small numbers of both signs, any bits.
template <typename T> std::vector<T> numbers()
{
    std::vector<T> v = {std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max(), 0, 1};
    std::mt19937_64 rng(1);
    for (int i = 0; i < 200; i++) {
        T any;
        uint64_t bits = rng();
        memcpy(&any, &bits, sizeof any);
        v.push_back(any);
        v.push_back((T)((int64_t)(bits % 2001) - 1000));
    }
    if (std::is_floating_point<T>::value)
        for (double x : {2.5, -2.5, 1e-40, (double)INFINITY, -(double)INFINITY, (double)NAN})
            v.push_back((T)x);
    return v;
}

template <typename To, typename From> To expected(From x)
{
    if (std::is_floating_point<To>::value)
        return (To)x;
    using Limits = std::numeric_limits<To>;
    if (std::isnan((double)x))
        return 0;
    if (std::is_floating_point<From>::value)
        return (double)x <= (double)Limits::min()   ? Limits::min()
               : (double)x >= (double)Limits::max() ? Limits::max()
                                                    : (To)x;
    int64_t i = (int64_t)x;
    return i < (int64_t)Limits::min()   ? Limits::min()
           : i > (int64_t)Limits::max() ? Limits::max()
                                        : (To)i;
}

template <typename From, typename To> void check()
{
    std::vector<From> from = numbers<From>();
    std::vector<To> to(from.size() + 1, (To)7);
    mr__convert_numbers(to.data(), dtype_of<To>(), from.data(), dtype_of<From>(), from.size());
    for (size_t i = 0; i < from.size(); i++) {
        To want = expected<To>(from[i]);
        if (std::isnan((double)want) && std::isnan((double)to[i]))
            continue;
        ASSERT_EQ(to[i], want) << mr_dtype_name(dtype_of<From>()) << " to "
                               << mr_dtype_name(dtype_of<To>()) << ", " << from[i];
    }
    EXPECT_EQ(to.back(), (To)7);
}

template <typename From> void check_all()
{
    check<From, uint8_t>();
    check<From, int16_t>();
    check<From, uint16_t>();
    check<From, int32_t>();
    check<From, int64_t>();
    check<From, float>();
    check<From, double>();
}

} // namespace

TEST(Columns, AnyNumberBecomesAnyOther)
{
    check_all<uint8_t>();
    check_all<int16_t>();
    check_all<uint16_t>();
    check_all<int32_t>();
    check_all<int64_t>();
    check_all<float>();
    check_all<double>();
}
