// SPDX-License-Identifier: Apache-2.0
// Whose turn it is in a mixture: shares of every beginning, of windows, and of the far end.
#include <gtest/gtest.h>

extern "C" {
#include "loaders/mixture/schedule.h"
}

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace
{

using Weights = std::vector<uint64_t>;

struct Schedule {
    mr_schedule *s = nullptr;
    Weights weights;
    uint64_t total, batch;

    Schedule(Weights w, uint64_t b) : weights(w), batch(b)
    {
        mr_errbuf e = {};
        uint64_t common = 0;
        for (uint64_t &one : weights)
            common = std::gcd(common, one);
        EXPECT_EQ(mr__schedule_new(&s, weights.data(), (int)weights.size(), batch, &e), MR_OK);
        for (uint64_t &one : weights)
            one /= common;
        total = std::accumulate(weights.begin(), weights.end(), uint64_t(0));
    }
    ~Schedule()
    {
        mr__schedule_free(s);
    }
    std::vector<int> turns(uint64_t n, uint64_t from = 0) const
    {
        std::vector<int> all;
        for (uint64_t t = from; t < from + n; t++) {
            int part;
            uint64_t before;
            mr__schedule_at(s, t, &part, &before);
            all.push_back(part);
        }
        return all;
    }
    std::vector<uint64_t> counts(uint64_t t) const
    {
        std::vector<uint64_t> c(weights.size());
        mr__schedule_counts(s, t, c.data());
        return c;
    }
    // The largest distance of any part from its share, over all beginnings of `n` turns from
    // `from`.
    double distance(uint64_t n, uint64_t from = 0) const
    {
        std::vector<uint64_t> c = counts(from);
        double most = 0;
        for (uint64_t t = from; t < from + n; t++) {
            int part;
            uint64_t before;
            mr__schedule_at(s, t, &part, &before);
            EXPECT_EQ(before, c[part]) << "turn " << t;
            c[part]++;
            for (size_t k = 0; k < c.size(); k++) {
                long double due = (long double)weights[k] / total * (t + 1);
                most = std::max(most, (double)std::fabs((long double)c[k] - due));
            }
        }
        EXPECT_EQ(counts(from + n), c);
        return most;
    }
    // Windows of whole batches in which a part's share is a whole number: how many are not just
    // that. Lengths up to `longest` batches, every beginning within a period.
    int uneven(int part, uint64_t longest, uint64_t *windows) const
    {
        uint64_t period = total / std::gcd(total, batch);
        std::vector<uint64_t> before;
        for (uint64_t g = 0; g <= period + longest; g++)
            before.push_back(counts(g * batch)[part]);
        int bad = 0;
        for (uint64_t n = 1; n <= longest; n++) {
            if (weights[part] * n * batch % total)
                continue;
            for (uint64_t g = 0; g < period; g++, ++*windows)
                bad += before[g + n] - before[g] != weights[part] * n * batch / total;
        }
        return bad;
    }
};

Weights weights_of(std::vector<double> shares)
{
    Weights w(shares.size());
    mr__schedule_weights(shares.data(), (int)shares.size(), w.data());
    uint64_t common = 0;
    for (uint64_t one : w)
        common = std::gcd(common, one);
    for (uint64_t &one : w)
        one /= common;
    return w;
}

} // namespace

TEST(Schedule, EveryBeginningHasItsSharesToLessThanOneTurn)
{
    for (uint64_t batch : {1, 7, 10, 32, 64})
        for (const Weights &w : std::vector<Weights>{{1},
                                                     {1, 1},
                                                     {7, 3},
                                                     {99, 1},
                                                     {1, 2, 3},
                                                     {5, 3, 2},
                                                     {1, 1, 1, 1},
                                                     {20, 33, 47},
                                                     {90, 2, 2, 2, 2, 1, 1},
                                                     {500, 250, 125, 63, 31, 16, 8, 4, 2, 1}}) {
            Schedule s(w, batch);
            EXPECT_LT(s.distance(2 * s.total * batch), 1) << w.size() << " parts of " << s.total;
        }
}

TEST(Schedule, AnyWindowOfAWholePeriodIsExact)
{
    for (const Weights &w : std::vector<Weights>{{7, 3}, {20, 33, 47}, {90, 2, 2, 2, 2, 1, 1}}) {
        Schedule s(w, 1);
        std::vector<int> turns = s.turns(3 * s.total);
        for (size_t from = 0; from < 2 * s.total; from++)
            for (size_t k = 0; k < w.size(); k++)
                ASSERT_EQ((uint64_t)std::count(turns.begin() + from, turns.begin() + from + s.total,
                                               (int)k),
                          w[k]);
    }
}

// With the share p of a part, 1 / p batches, wherever they begin, have just a batch of it, and so
// has every other window of batches in which its rows are a whole number.
TEST(Schedule, AnyWindowOfOneByPBatchesIsExact)
{
    struct Case {
        Weights w;
        uint64_t batch;
    };
    for (const Case &c : std::vector<Case>{{{7, 3}, 64},
                                           {{1, 9}, 7},
                                           {{2, 1, 1}, 7},
                                           {{5, 3, 2}, 7},
                                           {{3, 2, 1}, 7},
                                           {{20, 33, 47}, 64},
                                           {{20, 33, 47}, 10},
                                           {{25, 60, 15}, 10},
                                           {{50, 25, 13, 12}, 33},
                                           {{50, 20, 20, 10}, 64},
                                           {{1, 1}, 1},
                                           {{2, 1, 1}, 1},
                                           {{4, 2, 1, 1}, 1},
                                           {{10, 10, 5, 5, 5, 5, 5, 5}, 32},
                                           {{333, 333, 334}, 64}}) {
        Schedule s(c.w, c.batch);
        for (size_t k = 0; k < c.w.size(); k++) {
            uint64_t windows = 0;
            EXPECT_EQ(s.uneven((int)k, 110, &windows), 0)
                << "part " << k << " of " << s.total << ", batch " << c.batch;
            if (s.total % s.weights[k] == 0) {
                EXPECT_GT(windows, 0u);
            }
        }
    }
}

// Halves, thirds and sixths of single rows cannot all be even: what is due is at most one away.
TEST(Schedule, WhereThatCannotBeItIsOneOff)
{
    Schedule s({3, 2, 1}, 1);
    std::vector<int> turns = s.turns(12);
    for (int from = 0; from < 6; from++) {
        EXPECT_NEAR(std::count(turns.begin() + from, turns.begin() + from + 2, 0), 1, 1);
        EXPECT_NEAR(std::count(turns.begin() + from, turns.begin() + from + 3, 1), 1, 1);
        EXPECT_EQ(std::count(turns.begin() + from, turns.begin() + from + 6, 2), 1);
    }
}

TEST(Schedule, WithoutAShortPeriodToo)
{
    const uint64_t far[] = {0, 1000000007, (uint64_t)1 << 50};
    std::mt19937_64 random(5);
    for (int round = 0; round < 60; round++) {
        Weights w(2 + round % 3); // two to four parts
        for (uint64_t &one : w)
            one = 1 + random() % (round % 2 ? 1000000007 : (uint64_t)1 << 45);
        Schedule s(w, 64);
        for (uint64_t from : far)
            ASSERT_LT(s.distance(2000, from), 1.0001) << "long double has 64 bits";
    }
    for (int n : {5, 8, 16, 64}) {
        Weights w(n);
        for (uint64_t &one : w)
            one = 1 + random() % 1000000007;
        Schedule s(w, 64);
        EXPECT_LT(s.distance(20000), (1 + std::log2(n)) / 2 + 1e-6);
    }
}

// An epoch by repetition has its rows just so, whatever the numbers are.
TEST(Schedule, AWholeEpochIsExact)
{
    Weights w = {600011, 100003, 7};
    Schedule s(w, 64);
    for (uint64_t epochs : {1, 2, 1000}) {
        std::vector<uint64_t> c = s.counts(epochs * s.total);
        for (size_t k = 0; k < w.size(); k++)
            EXPECT_EQ(c[k], epochs * w[k]);
    }
}

TEST(Schedule, SharesBecomeTheFractionsThatTheyMean)
{
    EXPECT_EQ(weights_of({0.7, 0.3}), (Weights{7, 3}));
    EXPECT_EQ(weights_of({1}), (Weights{1}));
    EXPECT_EQ(weights_of({0.3333333333, 0.3333333333, 0.3333333334}), (Weights{1, 1, 1}));
    EXPECT_EQ(weights_of({0.333333333, 0.666666667}), (Weights{1, 2}));
    EXPECT_EQ(weights_of({0.1666666667, 0.3333333333, 0.5}), (Weights{1, 2, 3}));
    EXPECT_EQ(weights_of({0.33, 0.67}), (Weights{33, 67}));
    EXPECT_EQ(weights_of({0.7}), (Weights{1})); // alone in its epochs
    EXPECT_EQ(weights_of({0.2, 0.3}), (Weights{2, 3}));
    Weights odd = weights_of({0.123456789123, 0.876543210877});
    EXPECT_NEAR((double)odd[0] / (double)(odd[0] + odd[1]), 0.123456789123, 1e-14);
    Weights tiny = weights_of({1e-9, 1 - 1e-9});
    EXPECT_NEAR((double)tiny[0] / (double)(tiny[0] + tiny[1]), 1e-9, 1e-14);
}
