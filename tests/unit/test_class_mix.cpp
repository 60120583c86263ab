// SPDX-License-Identifier: Apache-2.0
//
// The entropies that `millrace stats --shuffle` tells, held against counting them out.
#include "sampler_testing.hpp"

extern "C" {
#include "base/rng.h"
#include "pipe/class_mix.h"
}

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace
{

double entropy(const std::vector<int64_t> &labels)
{
    std::map<int64_t, double> counts;
    for (int64_t label : labels)
        counts[label]++;
    double bits = 0;
    for (auto [label, n] : counts)
        bits -= n / double(labels.size()) * std::log2(n / double(labels.size()));
    return bits;
}

// The mean over all ways to draw `n` of the labels.
double mean_entropy(const std::vector<int64_t> &labels, size_t n)
{
    std::vector<bool> taken(labels.size());
    std::fill(taken.begin(), taken.begin() + long(n), true);
    double sum = 0, ways = 0;
    do {
        std::vector<int64_t> drawn;
        for (size_t i = 0; i < labels.size(); i++)
            if (taken[i])
                drawn.push_back(labels[i]);
        sum += entropy(drawn);
        ways++;
    } while (std::prev_permutation(taken.begin(), taken.end()));
    return sum / ways;
}

struct Mix {
    mr_class_mix m = {};
    explicit Mix(const NumberIndex &index)
    {
        mr_errbuf e = {};
        EXPECT_EQ(mr__class_mix_open(&m, &index.index, &e), MR_OK) << e.text;
    }
    ~Mix()
    {
        mr__class_mix_close(&m);
    }
};

} // namespace

TEST(ClassMix, EntropiesAreThoseOfTheCounts)
{
    const std::vector<double> numbers = {7, 7, -3, 1000000000000, 7, 0, 0, 5, 7, 7, -3, 2};
    std::vector<int64_t> labels(numbers.begin(), numbers.end());
    NumberIndex index(numbers.size(), {{"label", numbers}});
    Mix mix(index);
    EXPECT_EQ(mix.m.classes, 6u);
    EXPECT_NEAR(mr__class_mix_whole(&mix.m), entropy(labels), 1e-12);
    for (int again = 0; again < 2; again++) {
        const uint64_t batch[] = {0, 1, 2, 3, 11, 5};
        EXPECT_NEAR(mr__class_mix_batch(&mix.m, batch, 6), entropy({7, 7, -3, 1000000000000, 2, 0}),
                    1e-12);
    }
    const uint64_t same[] = {0, 1, 4, 4};
    EXPECT_NEAR(mr__class_mix_batch(&mix.m, same, 4), 0, 1e-12);
    for (size_t n : {1, 2, 3, 5, 11, 12})
        EXPECT_NEAR(mr__class_mix_ideal(&mix.m, n), mean_entropy(labels, n), 1e-9) << n;
    EXPECT_NEAR(mr__class_mix_ideal(&mix.m, 13), entropy(labels), 1e-9) << "no more than there are";
}

TEST(ClassMix, TheIdealIsWhatDrawsHave)
{
    std::vector<double> numbers;
    for (int k = 0; k < 20; k++)
        numbers.insert(numbers.end(), size_t(1 + k * k), k);
    NumberIndex index(numbers.size(), {{"label", numbers}});
    Mix mix(index);
    mr_row_key key = {3, 0, 0, 0};
    mr_rng rng = mr__rng_open(&key, "draws", 0);
    std::vector<uint64_t> all(numbers.size());
    std::iota(all.begin(), all.end(), 0);
    double sum = 0, squares = 0;
    const int draws = 2000;
    for (int d = 0; d < draws; d++) {
        for (size_t i = 0; i < 64; i++)
            std::swap(all[i], all[i + mr_rng_below(&rng, all.size() - i)]);
        double bits = mr__class_mix_batch(&mix.m, all.data(), 64);
        sum += bits;
        squares += bits * bits;
    }
    double mean = sum / draws, error = std::sqrt((squares / draws - mean * mean) / draws);
    EXPECT_NEAR(mr__class_mix_ideal(&mix.m, 64), mean, 4 * error);
}

TEST(ClassMix, ColumnsThatAreNoLabelsAreNone)
{
    NumberIndex none(5, {}), real(5, {{"label", {0.5}, false}});
    EXPECT_EQ(Mix(none).m.column, -1);
    EXPECT_EQ(Mix(real).m.column, -1);
}
