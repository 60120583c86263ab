// SPDX-License-Identifier: Apache-2.0
// The golden values here are a contract: saved states and published hashes depend on them. A change
// of one is a change of the stream's version, not of a test.
#include <gtest/gtest.h>

extern "C" {
#include "base/rng.h"
}

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <vector>

using Block = std::array<uint32_t, 4>;

static Block philox(Block counter, std::array<uint32_t, 2> key)
{
    Block out;
    mr__philox4x32_10(counter.data(), key.data(), out.data());
    return out;
}

// Known answers that Random123 publishes (kat_vectors).
TEST(Philox, KnownAnswers)
{
    EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
              (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
              (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

static const mr_row_key row = {42, 3, 0x123456789a, 1};

TEST(Rng, GoldenStreams)
{
    mr_rng r = mr__rng_open(&row, "random_resized_crop", 2);
    EXPECT_EQ(r.key[0], 0xb716ff07u);
    EXPECT_EQ(r.key[1], 0x9013bfb5u);
    for (uint32_t want :
         {0x249d74f7u, 0xe9277c22u, 0xa5d6703eu, 0x6ced2d41u, 0x3e9970bfu, 0x4d124d46u})
        EXPECT_EQ(mr_rng_u32(&r), want);
    mr_row_key zero = {};
    r = mr__rng_open(&zero, "", 0);
    for (uint32_t want :
         {0x3f18512bu, 0x218a1108u, 0x66aafd6au, 0x5108768au, 0xf39a71eau, 0x0426f621u})
        EXPECT_EQ(mr_rng_u32(&r), want);
}

TEST(Rng, GoldenDraws)
{
    mr_rng r = mr__rng_open(&row, "g", 0);
    for (uint64_t want : {2u, 3u, 4u, 9u})
        EXPECT_EQ(mr_rng_below(&r, 10), want);
    EXPECT_EQ(mr_rng_below(&r, (3ull << 61) + 5), 0x2cd94010786cc13eull);
    EXPECT_EQ(mr_rng_below(&r, (3ull << 61) + 5), 0x420cce9d29c8def0ull);
    EXPECT_EQ(mr_rng_uniform(&r, 0, 1), 0x1.5555bep-1);
    EXPECT_EQ(mr_rng_uniform(&r, 0, 1), 0x1.d2d8p-3);
    EXPECT_EQ(mr_rng_uniform(&r, 0, 1), 0x1.00f95p-1);
    EXPECT_NEAR(mr_rng_normal(&r), 2.0964428517104055, 1e-14); // libm's last bit is its own
    EXPECT_NEAR(mr_rng_normal(&r), -1.8437848524908236, 1e-14);
    EXPECT_NEAR(mr_rng_normal(&r), -0.61872391142568428, 1e-14);
}

TEST(Rng, EveryPartOfTheKeyMatters)
{
    std::set<std::pair<uint32_t, uint32_t>> seen;
    auto add = [&](mr_row_key k, const char *name, uint32_t ordinal) {
        mr_rng r = mr__rng_open(&k, name, ordinal);
        uint32_t a = mr_rng_u32(&r);
        EXPECT_TRUE(seen.insert({a, mr_rng_u32(&r)}).second);
    };
    add(row, "flip", 0);
    add({43, 3, 0x123456789a, 1}, "flip", 0);
    add({42, 4, 0x123456789a, 1}, "flip", 0);
    add({42, 3, 0x123456789b, 1}, "flip", 0);
    add({42, 3, 0x023456789a, 1}, "flip", 0); // the position's high half
    add({42, 3, 0x123456789a, 2}, "flip", 0);
    add(row, "flop", 0);
    add(row, "flip", 1);
    add({42ull << 32, 3, 0x123456789a, 1}, "flip", 0);
}

TEST(Rng, ACopyGoesOnAlike)
{
    mr_rng a = mr__rng_open(&row, "copy", 0);
    mr_rng_u32(&a);
    mr_rng b = a;
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(mr_rng_u32(&a), mr_rng_u32(&b));
}

TEST(Rng, BelowStaysBelowAndIsFair)
{
    mr_rng r = mr__rng_open(&row, "below", 0);
    EXPECT_EQ(mr_rng_below(&r, 0), 0u);
    EXPECT_EQ(mr_rng_below(&r, 1), 0u);
    for (uint64_t bound :
         {2ull, 3ull, 1000ull, 0xffffffffull, 0x100000000ull, 0x100000001ull, ~0ull})
        for (int i = 0; i < 1000; i++)
            ASSERT_LT(mr_rng_below(&r, bound), bound);
    // 3 * 2^30: a plain modulo would give the first third twice the share of the others.
    std::array<int, 3> third{};
    for (int i = 0; i < 90000; i++)
        third[mr_rng_below(&r, 3u << 30) >> 30]++;
    for (int n : third)
        EXPECT_NEAR(n, 30000, 5 * std::sqrt(20000.0));
}

TEST(Rng, UniformHas24BitStepsAndNeverReachesTheEnd)
{
    mr_rng r = mr__rng_open(&row, "uniform", 0);
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double u = mr_rng_uniform(&r, 0, 1);
        ASSERT_TRUE(u >= 0 && u < 1);
        ASSERT_EQ(u, (double)(float)u); // a float32 holds it
        ASSERT_EQ(std::ldexp(u, 24), std::floor(std::ldexp(u, 24)));
        sum += u;
    }
    EXPECT_NEAR(sum / 100000, 0.5, 5 * std::sqrt(1 / 12.0 / 100000));
    EXPECT_EQ(mr_rng_uniform(&r, 3, 3), 3);
    double lo = 0x1p52, hi = lo + 1; // two neighbours: half of all sums round up
    for (int i = 0; i < 100; i++)
        ASSERT_EQ(mr_rng_uniform(&r, lo, hi), lo);
}

TEST(Rng, NormalHasTheMomentsOfANormal)
{
    mr_rng r = mr__rng_open(&row, "normal", 0);
    const int n = 200000;
    double m1 = 0, m2 = 0, m4 = 0;
    for (int i = 0; i < n; i++) {
        double x = mr_rng_normal(&r);
        m1 += x, m2 += x * x, m4 += x * x * x * x;
    }
    EXPECT_NEAR(m1 / n, 0, 5 / std::sqrt(n));
    EXPECT_NEAR(m2 / n, 1, 5 * std::sqrt(2.0 / n));
    EXPECT_NEAR(m4 / n, 3, 5 * std::sqrt(96.0 / n));
}

TEST(Permute, Golden)
{
    const uint64_t key[2] = {42, 7};
    const uint64_t ten[] = {0, 8, 2, 3, 1, 9, 5, 4, 6, 7};
    for (uint64_t i = 0; i < 10; i++)
        EXPECT_EQ(mr__permute(i, 10, key), ten[i]);
    const uint64_t imagenet[] = {1000024, 1043719, 262224, 972817};
    const uint64_t huge[] = {3110954931925949635u, 2127908937760012431u, 5671630873170788289u,
                             6571409740788015884u};
    for (uint64_t i = 0; i < 4; i++) {
        EXPECT_EQ(mr__permute(i, 1281167, key), imagenet[i]);
        EXPECT_EQ(mr__permute(i, 0x8000000000000001u, key), huge[i]);
    }
}

TEST(Permute, IsABijectionForEverySize)
{
    const uint64_t keys[][2] = {{0, 0}, {1, 0}, {0, 1}, {0x9e3779b97f4a7c15u, 12345}};
    std::vector<uint8_t> seen;
    for (uint64_t n = 1; n <= 2000; n++)
        for (auto &key : keys) {
            seen.assign(n, 0);
            for (uint64_t i = 0; i < n; i++) {
                uint64_t at = mr__permute(i, n, key);
                ASSERT_LT(at, n);
                ASSERT_EQ(seen[at]++, 0) << "n = " << n << ", index " << i;
            }
        }
    for (uint64_t n : {65535u, 65536u, 65537u, 100003u}) {
        seen.assign(n, 0);
        for (uint64_t i = 0; i < n; i++)
            ASSERT_EQ(seen[mr__permute(i, n, keys[3])]++, 0);
    }
}

static double chi_square(const std::vector<int> &counts, double expected)
{
    double sum = 0;
    for (int n : counts)
        sum += (n - expected) * (n - expected) / expected;
    return sum;
}

// Chi-square of `freedom` degrees lies within 5 deviations of its mean.
static void expect_fair(const std::vector<int> &counts, double expected, double freedom)
{
    EXPECT_NEAR(chi_square(counts, expected), freedom, 5 * std::sqrt(2 * freedom));
}

TEST(Permute, EverySampleMeetsEveryPosition)
{
    for (int n : {7, 16, 50}) {
        const int epochs = 20000;
        std::vector<int> counts(n * n);
        for (int epoch = 0; epoch < epochs; epoch++) {
            const uint64_t key[2] = {1, (uint64_t)epoch};
            for (int i = 0; i < n; i++)
                counts[i * n + mr__permute(i, n, key)]++;
        }
        expect_fair(counts, (double)epochs / n, (n - 1.0) * (n - 1.0));
    }
}

TEST(Permute, EveryOrderOfASmallSetIsAsLikely)
{
    const int n = 5, orders = 120, epochs = 120000;
    std::map<std::vector<uint64_t>, int> seen;
    for (int epoch = 0; epoch < epochs; epoch++) {
        const uint64_t key[2] = {7, (uint64_t)epoch};
        std::vector<uint64_t> order;
        for (int i = 0; i < n; i++)
            order.push_back(mr__permute(i, n, key));
        seen[order]++;
    }
    ASSERT_EQ(seen.size(), (size_t)orders);
    std::vector<int> counts;
    for (auto &entry : seen)
        counts.push_back(entry.second);
    expect_fair(counts, (double)epochs / orders, orders - 1);
}

TEST(Permute, NeighboursDoNotStayTogether)
{
    const int n = 1000, epochs = 200;
    int together = 0;
    for (int epoch = 0; epoch < epochs; epoch++) {
        const uint64_t key[2] = {3, (uint64_t)epoch};
        for (int i = 0; i + 1 < n; i++) {
            int64_t a = mr__permute(i, n, key), b = mr__permute(i + 1, n, key);
            together += std::abs(a - b) == 1;
        }
    }
    double want = epochs * (n - 1) * 2.0 / n; // each pair with chance 2/n
    EXPECT_NEAR(together, want, 5 * std::sqrt(want));
}
