// SPDX-License-Identifier: Apache-2.0
//
// The tree of sums: what it draws, and that it is a function of its leaves.
#include <gtest/gtest.h>

extern "C" {
#include "base/weights.h"
}

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace
{

struct Tree {
    void *memory;
    uint64_t bytes;
    mr_weights w;
    Tree(uint64_t n, float value) : bytes(mr__weights_bytes(n))
    {
        memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
        memset(memory, 0x5a, bytes);
        mr__weights_place(&w, memory, n);
        mr__weights_fill(&w, value);
    }
    ~Tree()
    {
        free(memory);
    }
    Tree(const Tree &) = delete;
    Tree &operator=(const Tree &) = delete;
};

} // namespace

TEST(Weights, EverySizeHasARootOfAllLeaves)
{
    for (uint64_t n : {1, 2, 15, 16, 17, 255, 256, 257, 4096, 4097, 70000}) {
        Tree t(n, 0.5f);
        EXPECT_EQ(mr__weights_total(&t.w), 0.5 * (double)n) << n;
        EXPECT_EQ(mr__weights_draw(&t.w, 0), 0u) << n;
        EXPECT_EQ(mr__weights_draw(&t.w, std::nextafter(1.0, 0.0)), n - 1) << n;
        mr__weights_set(&t.w, n - 1, 3);
        EXPECT_EQ(mr__weights_total(&t.w), 0.5 * (double)(n - 1) + 3) << n;
    }
    EXPECT_EQ(mr__weights_bytes(UINT64_MAX), 0u);
    EXPECT_LT(mr__weights_bytes(100000000), 460000000u) << "of a hundred million samples";
}

// Whatever the way, the same leaves have the same sums: a commander that goes on behind a dead one
// must not round differently.
TEST(Weights, TheTreeFollowsFromItsLeavesAlone)
{
    const uint64_t n = 5000;
    std::mt19937 random(1);
    Tree wandered(n, 1), direct(n, 0);
    for (int i = 0; i < 50000; i++)
        mr__weights_set(&wandered.w, random() % n, std::ldexp((float)(random() % 1000), -5));
    for (uint64_t i = 0; i < n; i++)
        direct.w.leaf[i] = mr__weights_get(&wandered.w, i);
    mr__weights_sum_up(&direct.w);
    EXPECT_EQ(memcmp(wandered.memory, direct.memory, direct.bytes), 0);
}

// A process dies between a leaf and its sums; the same change again sets all of them right.
TEST(Weights, AChangeThatWasCutShortIsMadeAgain)
{
    Tree cut(5000, 1), whole(5000, 1);
    mr__weights_set(&whole.w, 4321, 7);
    cut.w.leaf[4321] = 7;
    mr__weights_set(&cut.w, 4321, 7);
    EXPECT_EQ(memcmp(cut.memory, whole.memory, whole.bytes), 0);
}

TEST(Weights, DrawsAreInProportionAndNeverOfNothing)
{
    const int n = 300, draws = 300000;
    Tree t(n, 0);
    std::vector<double> chance(n);
    for (int i = 0; i < n; i++) {
        chance[i] = i % 7 == 3 ? 0 : 1 + i % 5;
        mr__weights_set(&t.w, (uint64_t)i, (float)chance[i]);
    }
    std::mt19937_64 random(2);
    std::vector<int> count(n);
    for (int i = 0; i < draws; i++)
        count[mr__weights_draw(&t.w, (double)(random() >> 11) * 0x1p-53)]++;
    double chi2 = 0, total = mr__weights_total(&t.w);
    int free = -1;
    for (int i = 0; i < n; i++) {
        double expected = chance[i] / total * draws;
        if (expected == 0) {
            EXPECT_EQ(count[i], 0) << i;
            continue;
        }
        free++;
        chi2 += (count[i] - expected) * (count[i] - expected) / expected;
    }
    EXPECT_LT(chi2, free + 4 * std::sqrt(2.0 * free)) << "with this seed it is the same every time";
}

// One step of a walk as one would write it down: child after child, until the share lies in one.
static uint64_t step(const std::vector<double> &v, double *share)
{
    size_t last = 0;
    for (size_t i = 0; i < v.size(); i++) {
        if (v[i] <= 0)
            continue;
        if (*share < v[i])
            return i;
        *share -= v[i];
        last = i;
    }
    *share = v[last];
    return last;
}

static uint64_t walk(const mr_weights &w, double u)
{
    double share = u * mr__weights_total(&w);
    uint64_t node = 0;
    for (int level = w.levels - 2; level >= 0; level--) {
        const double *v = w.sum[level] + node * MR_WEIGHTS_WIDTH;
        node = node * MR_WEIGHTS_WIDTH + step({v, v + MR_WEIGHTS_WIDTH}, &share);
    }
    const float *v = w.leaf + node * MR_WEIGHTS_WIDTH;
    return node * MR_WEIGHTS_WIDTH + step({v, v + MR_WEIGHTS_WIDTH}, &share);
}

// Drawn side by side and without branches, the choices are those of the plain walk, bit for bit.
TEST(Weights, SideBySideTheChoicesAreTheSame)
{
    std::mt19937_64 random(3);
    for (uint64_t n : {1, 5, 16, 17, 300, 5000, 70000}) {
        Tree t(n, 0);
        for (uint64_t i = 0; i < n; i++) {
            int kind = (int)(random() % 4);
            t.w.leaf[i] = kind == 0 ? 0 : std::ldexp((float)(random() % 1000), kind == 1 ? -90 : 3);
        }
        t.w.leaf[random() % n] = 1;
        mr__weights_sum_up(&t.w);
        for (int round = 0; round < 500; round++) {
            double u[MR_WEIGHTS_TOGETHER];
            uint64_t leaf[MR_WEIGHTS_TOGETHER];
            int together = 1 + round % MR_WEIGHTS_TOGETHER;
            for (double &x : u)
                x = (double)(random() >> 11) * 0x1p-53;
            u[0] = round % 50 == 0 ? 0 : round % 50 == 1 ? std::nextafter(1.0, 0.0) : u[0];
            mr__weights_draw_some(&t.w, u, together, leaf);
            for (int k = 0; k < together; k++)
                ASSERT_EQ(leaf[k], walk(t.w, u[k])) << "of " << n;
        }
    }
}

TEST(Weights, NumbersOfAnySizeStandSideBySide)
{
    Tree t(1000, 1e-30f);
    mr__weights_set(&t.w, 500, 1e30f);
    EXPECT_EQ(mr__weights_draw(&t.w, 0.5), 500u);
    EXPECT_EQ(mr__weights_draw(&t.w, std::nextafter(1.0, 0.0)), 500u);
    mr__weights_set(&t.w, 500, 0);
    EXPECT_NEAR(mr__weights_total(&t.w), 999e-30, 1e-33) << "nothing of it is left";
    EXPECT_EQ(mr__weights_draw(&t.w, 0.5) / 10, 49u);
}
