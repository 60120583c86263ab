// SPDX-License-Identifier: Apache-2.0
//
// The alias table: the chances that are in it, to the last unit of 2^-32. No number of draws would
// show that what has no weight comes once in 2^32.
#include <gtest/gtest.h>

extern "C" {
#include "loaders/sampler/alias.h"
}

#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

namespace
{

void check(const std::vector<double> &weights)
{
    uint64_t n = weights.size(), all = 0;
    std::vector<double> worked_in = weights;
    std::vector<uint64_t> chance(n, ~0ull);
    mr_alias *a = mr__alias_new(worked_in.data(), n);
    ASSERT_NE(a, nullptr);
    mr__alias_chances(a, chance.data());
    free(a);
    double sum = 0;
    for (double w : weights)
        sum += w;
    for (uint64_t i = 0; i < n; i++) {
        double ideal = weights[i] / sum * (double)n * 0x1p32;
        all += chance[i];
        if (weights[i] == 0) {
            EXPECT_EQ(chance[i], 0u) << "of " << n << ", number " << i;
        } else {
            EXPECT_GE(chance[i], 1u) << "of " << n << ", number " << i;
            // a unit for each column that it fills up, and what doubles lose on the way
            EXPECT_NEAR((double)chance[i], ideal, (double)n + ideal * 1e-9 + 2) << i;
        }
    }
    EXPECT_EQ(all, n << 32);
}

} // namespace

TEST(Alias, WhatHasNoWeightHasNoChance)
{
    check({1});
    check({0, 1});
    check({1, 0});
    check({0, 0, 0, 1, 0, 0});
    check({0, 1e-300, 1, 0});
    check({1, 1, 1, 0});
    check({1. / 3, 1, 1. / 3, 0, 1. / 7, 0});
}

// Rounding leaves columns over at the end: of what has no weight, too.
TEST(Alias, RandomTables)
{
    std::mt19937_64 random(5);
    std::uniform_real_distribution<double> uniform(0, 1);
    for (int round = 0; round < 400; round++) {
        std::vector<double> w(1 + random() % (round % 10 ? 40 : 4000));
        for (double &x : w) {
            double u = uniform(random);
            x = random() % 3 == 0 ? 0 : round % 2 ? u : std::pow(u, 20);
        }
        w[random() % w.size()] = 1;
        check(w);
    }
}
