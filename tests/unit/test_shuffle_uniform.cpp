// SPDX-License-Identifier: Apache-2.0
//
// Is a shuffle one? Over 10,000 epochs of small sets every sample must come at every position
// equally often, every pair of neighbours too, and of four samples every order. Pearson's
// chi-square says how likely the counts are; seeds are fixed, so that what passes once passes
// always.
#include "sampler_testing.hpp"

extern "C" {
#include "base/rng.h"
}

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace
{

const uint64_t epochs = 10000;
using Order = std::vector<uint64_t>;
using Shuffle = std::function<Order(uint64_t epoch)>;

// How many standard deviations a chi-square of so many degrees of freedom lies above its mean, by
// the normal approximation of E. Wilson and M. Hilferty, 1931. Counts that are too even are as
// unlikely as counts that are too uneven.
double deviations(double chi_square, double freedom)
{
    double v = 2 / (9 * freedom);
    return (std::cbrt(chi_square / freedom) - (1 - v)) / std::sqrt(v);
}

double chi_square(const std::vector<uint64_t> &counts, double expected)
{
    double sum = 0;
    for (uint64_t n : counts)
        sum += (double(n) - expected) * (double(n) - expected) / expected;
    return sum;
}

// Counts of (sample, position). Rows and columns have fixed sums, and each epoch is a permutation
// matrix, whose counts have a variance of p (1 - p) and covariances that make n / (n - 1) of
// Pearson's sum: (n - 1) / n of it has a chi-square distribution of (n - 1)^2 degrees of freedom.
double of_positions(const Shuffle &shuffle, uint64_t n)
{
    std::vector<uint64_t> counts(n * n);
    for (uint64_t epoch = 0; epoch < epochs; epoch++) {
        Order order = shuffle(epoch);
        for (uint64_t i = 0; i < n; i++)
            counts[order[i] * n + i]++;
    }
    double x = chi_square(counts, double(epochs) / double(n)) * double(n - 1) / double(n);
    return deviations(x, double((n - 1) * (n - 1)));
}

double of_orders(const Shuffle &shuffle, uint64_t n)
{
    std::map<Order, uint64_t> times;
    Order all(n);
    for (uint64_t i = 0; i < n; i++)
        all[i] = i;
    do
        times[all] = 0;
    while (std::next_permutation(all.begin(), all.end()));
    for (uint64_t epoch = 0; epoch < epochs; epoch++)
        times[shuffle(epoch)]++;
    std::vector<uint64_t> counts;
    for (auto &[order, n_times] : times)
        counts.push_back(n_times);
    double orders = double(counts.size());
    return deviations(chi_square(counts, double(epochs) / orders), orders - 1);
}

// One pair of neighbours per epoch, at a place that moves on, so that they are independent.
double of_neighbours(const Shuffle &shuffle, uint64_t n)
{
    std::vector<uint64_t> counts(n * n), real;
    for (uint64_t epoch = 0; epoch < epochs; epoch++) {
        Order order = shuffle(epoch);
        uint64_t i = epoch % (n - 1);
        counts[order[i] * n + order[i + 1]]++;
    }
    for (uint64_t i = 0; i < n * n; i++)
        if (i / n != i % n)
            real.push_back(counts[i]);
    double pairs = double(n * (n - 1));
    return deviations(chi_square(real, double(epochs) / pairs), pairs - 1);
}

// A sampler over n samples of an index that lists none.
class Registered
{
  public:
    Registered(const char *name, uint64_t n, uint64_t seed) : n_(n)
    {
        for (int i = 0; mr_samplers[i]; i++)
            if (!strcmp(mr_samplers[i]->d.name, name))
                desc_ = mr_samplers[i];
        head_.samples = n;
        index_.head = &head_;
        mr_sampler_env env = {};
        env.index = &index_;
        env.samples = n;
        env.seed = seed;
        env.batch = 1;
        mr_errbuf e = {};
        EXPECT_EQ(desc_->open(nullptr, &env, &self_, &e), MR_OK) << e.text;
    }
    ~Registered()
    {
        desc_->close(self_);
    }
    Order operator()(uint64_t epoch)
    {
        Order order(n_);
        mr_errbuf e = {};
        for (uint64_t i = 0; i < n_; i++) {
            mr_pick pick = {};
            desc_->at(self_, epoch, i, &pick, &e);
            order[i] = pick.sample;
        }
        return order;
    }

  private:
    const mr_sampler *desc_ = nullptr;
    mr_index_head head_ = {};
    mr_index index_ = {};
    void *self_ = nullptr;
    uint64_t n_;
};

} // namespace

TEST(ShuffleUniform, EverySampleComesAtEveryPositionAlike)
{
    for (uint64_t n : {2, 3, 5, 12, 20}) {
        for (uint64_t seed : {1, 42}) {
            Registered shuffle("shuffle", n, seed);
            EXPECT_LT(std::fabs(of_positions(std::ref(shuffle), n)), 3.5)
                << n << " samples, seed " << seed;
        }
    }
}

TEST(ShuffleUniform, EveryOrderComesAlike)
{
    for (uint64_t n : {3, 4, 5}) {
        for (uint64_t seed : {0, 1, 42}) {
            Registered shuffle("shuffle", n, seed);
            EXPECT_LT(std::fabs(of_orders(std::ref(shuffle), n)), 3.5)
                << n << " samples, seed " << seed;
        }
    }
}

TEST(ShuffleUniform, EveryPairOfNeighboursComesAlike)
{
    for (uint64_t n : {4, 12, 20}) {
        Registered shuffle("shuffle", n, 42);
        EXPECT_LT(std::fabs(of_neighbours(std::ref(shuffle), n)), 3.5) << n << " samples";
    }
}

// The mistake that everybody makes once: swapping each place with any place gives n^n equally
// likely ways to n! orders.
TEST(ShuffleUniform, TheTestFindsANaiveShuffle)
{
    auto naive = [](uint64_t n) {
        return [n](uint64_t epoch) {
            mr_row_key key = {7, epoch, 0, 0};
            mr_rng rng = mr__rng_open(&key, "naive", 0);
            Order order(n);
            for (uint64_t i = 0; i < n; i++)
                order[i] = i;
            for (uint64_t i = 0; i < n; i++)
                std::swap(order[i], order[mr_rng_below(&rng, n)]);
            return order;
        };
    };
    EXPECT_GT(of_positions(naive(12), 12), 10);
    EXPECT_GT(of_orders(naive(4), 4), 10);
    auto rotated = [](uint64_t epoch) { // every position is perfectly even, and no shuffle at all
        Order order(12);
        for (uint64_t i = 0; i < 12; i++)
            order[i] = (i + epoch) % 12;
        return order;
    };
    EXPECT_LT(of_positions(rotated, 12), -10) << "too even";
    EXPECT_GT(of_neighbours(rotated, 12), 10);
}
