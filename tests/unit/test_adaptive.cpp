// SPDX-License-Identifier: Apache-2.0
//
// The adaptive sampler without processes: its rules' chances, and what a value does.
#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "base/weights.h"
}

#include "temp_tree.hpp"

#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <vector>

namespace
{

// The sampler of a config, over an index of n samples: `labels`, one each, if it has classes.
struct Open {
    mr_config *config = nullptr;
    int fd;
    mr_index index = {};
    const mr_sampler *s = nullptr;
    const mr_learner *l = nullptr;
    void *self = nullptr, *memory = nullptr;
    mr_weights w = {};
    mr_errbuf e = {};
    Open(const std::string &options, const std::vector<int64_t> &labels, uint64_t first = 0)
    {
        TempTree tree;
        std::string text = "version: 1\nsource: {type: folder, path: " + tree.root.string() +
                           "}\nsampler: {type: adaptive" + options + "}\n";
        EXPECT_EQ(mr__config_read(&config, nullptr, text.c_str(), nullptr, &e), MR_OK) << e.text;
        make_index(labels);
        s = (const mr_sampler *)config->sampler.desc;
        l = s->learner;
        mr_sampler_env env = {};
        env.index = &index;
        env.first = first;
        env.samples = labels.size() - first;
        env.seed = 42;
        env.batch = 4;
        if (s->open(config->sampler.params, &env, &self, &e) < 0)
            return;
        uint64_t n = l->weights(self);
        memory = aligned_alloc(64, (mr__weights_bytes(n) + 63) / 64 * 64);
        mr__weights_place(&w, memory, n);
        mr__weights_fill(&w, l->initial(self));
    }
    ~Open()
    {
        if (self)
            s->close(self);
        free(memory);
        mr__index_unmap(&index);
        close(fd);
        mr__config_free(config);
    }
    Open(const Open &) = delete;
    Open &operator=(const Open &) = delete;

    std::vector<double> shares(int draws)
    {
        std::vector<double> n(index.head->samples);
        for (int i = 0; i < draws; i++) {
            mr_pick pick = {};
            EXPECT_EQ(l->choose(self, &w, 1, (uint64_t)i, &pick, &e), MR_OK);
            EXPECT_LT(pick.sample, n.size());
            n[pick.sample] += 1.0 / draws;
        }
        return n;
    }

  private:
    void make_index(const std::vector<int64_t> &labels)
    {
        mr_index_builder *b;
        fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        int column = mr__index_add_column(b, "label", MR_COL_FIXED, MR_I64, 1, &e);
        for (int64_t label : labels)
            EXPECT_EQ(mr__index_add_numbers(b, column, &label, 1, &e), MR_OK);
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        mr__index_builder_free(b);
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    }
};

void expect_shares(const std::vector<double> &got, const std::vector<double> &expected, int draws)
{
    double chi2 = 0;
    int free = -1;
    for (size_t i = 0; i < got.size(); i++) {
        if (expected[i] == 0) {
            EXPECT_EQ(got[i], 0) << i;
            continue;
        }
        free++;
        chi2 += draws * (got[i] - expected[i]) * (got[i] - expected[i]) / expected[i];
    }
    EXPECT_LT(chi2, free + 4 * std::sqrt(2.0 * free)) << "the same with every run";
}

} // namespace

TEST(Adaptive, LossesAreDrawnInProportionAboveTheFloor)
{
    const int n = 40, draws = 200000;
    for (double floor : {0.0, 0.25}) {
        Open a(", floor: " + std::to_string(floor), std::vector<int64_t>(n, 0));
        double total = 0;
        for (int i = 0; i < n; i++) {
            mr__weights_set(&a.w, (uint64_t)i, (float)(i % 4));
            total += i % 4;
        }
        std::vector<double> expected;
        for (int i = 0; i < n; i++)
            expected.push_back(floor / n + (1 - floor) * (i % 4) / total);
        expect_shares(a.shares(draws), expected, draws);
    }
}

TEST(Adaptive, AllOnNothingIsUniform)
{
    Open a(", initial: 0, floor: 0", std::vector<int64_t>(20, 0));
    expect_shares(a.shares(50000), std::vector<double>(20, 0.05), 50000);
}

// The k-th heaviest of n wins a tournament of r with the chance ((n-k+1)^r - (n-k)^r) / n^r.
TEST(Adaptive, RanksCountAndNotTheSizes)
{
    const int n = 30, draws = 200000, rounds = 3;
    Open a(", rule: rank, floor: 0, tournament: 3", std::vector<int64_t>(n, 0));
    std::vector<double> expected;
    for (int i = 0; i < n; i++) { /* the heaviest is the last, by far */
        mr__weights_set(&a.w, (uint64_t)i, std::ldexp(1.0f, i));
        expected.push_back((std::pow(i + 1, rounds) - std::pow(i, rounds)) / std::pow(n, rounds));
    }
    expect_shares(a.shares(draws), expected, draws);
}

TEST(Adaptive, ClassesHaveOneWeightEachAndTheirSamplesEqualChances)
{
    std::vector<int64_t> labels = {7, 7, 7, 7, -2, -2, 9, 7};
    const int draws = 100000;
    Open a(", rule: class, floor: 0", labels);
    ASSERT_EQ(a.l->weights(a.self), 3u);
    std::vector<double> balanced;
    for (int64_t label : labels)
        balanced.push_back(1.0 / 3 / (label == 7 ? 5 : label == -2 ? 2 : 1));
    expect_shares(a.shares(draws), balanced, draws);
    uint64_t leaf = a.l->weight_of(a.self, 5); /* of the class -2 */
    mr__weights_set(&a.w, leaf, a.l->learn(a.self, 1, 0));
    for (size_t i = 0; i < labels.size(); i++)
        balanced[i] = labels[i] == -2 ? 0 : 0.5 / (labels[i] == 7 ? 5 : 1);
    expect_shares(a.shares(draws), balanced, draws);
}

TEST(Adaptive, WhatAValueDoesToAWeight)
{
    std::vector<int64_t> one = {0};
    Open replace("", one), ema(", update: ema, alpha: 0.25", one), most(", update: max", one);
    EXPECT_EQ(replace.l->learn(replace.self, 8, 4), 4);
    EXPECT_EQ(ema.l->learn(ema.self, 8, 4), 7);
    EXPECT_EQ(most.l->learn(most.self, 8, 4), 8);
    EXPECT_EQ(most.l->learn(most.self, 4, 8), 8);
    float top = std::numeric_limits<float>::max();
    EXPECT_EQ(ema.l->learn(ema.self, top, top), top) << "and never infinite";
}

TEST(Adaptive, APartOfTheIndexHasItsOwnWeights)
{
    std::vector<int64_t> labels(30, 0);
    Open part("", labels, 10);
    EXPECT_EQ(part.l->weights(part.self), 20u);
    EXPECT_EQ(part.l->weight_of(part.self, 10), 0u);
    EXPECT_EQ(part.l->weight_of(part.self, 29), 19u);
    EXPECT_EQ(part.l->weight_of(part.self, 30), UINT64_MAX);
    EXPECT_EQ(part.l->weight_of(part.self, 9), UINT64_MAX);
    for (uint64_t i = 0; i < 1000; i++) {
        mr_pick pick = {};
        part.s->at(part.self, 0, i, &pick, &part.e);
        EXPECT_TRUE(pick.sample >= 10 && pick.sample < 30);
    }
}

TEST(Adaptive, BeforeThereIsFeedbackEqualWeightsDecide)
{
    Open a("", std::vector<int64_t>(50, 0));
    std::vector<int> seen(50);
    for (uint64_t i = 0; i < 5000; i++) {
        mr_pick pick = {};
        ASSERT_EQ(a.s->at(a.self, 3, i, &pick, &a.e), MR_OK);
        seen[pick.sample]++;
    }
    for (int n : seen)
        EXPECT_NEAR(n, 100, 50);
}

TEST(Adaptive, ClassesNeedAColumn)
{
    Open a(", rule: class, by: colour", {0, 1});
    EXPECT_EQ(a.self, nullptr);
    EXPECT_NE(strstr(a.e.text, "sampler.by"), nullptr) << a.e.text;
    EXPECT_NE(strstr(a.e.text, "colour"), nullptr) << a.e.text;
}

// Several positions are drawn at a time: one that is asked for is that of the weights as they are,
// whatever was asked for before.
TEST(Adaptive, WhatWasDrawnBeforeAChangeIsForgotten)
{
    const uint64_t n = 500;
    Open a("", std::vector<int64_t>(n, 0)), b("", std::vector<int64_t>(n, 0));
    std::mt19937 random(4);
    for (uint64_t round = 0; round < 200; round++) {
        uint64_t from = round * 3, asked = 1 + random() % 12;
        std::vector<uint64_t> chosen(asked);
        for (uint64_t i = 0; i < asked; i++) {
            mr_pick pick = {};
            ASSERT_EQ(a.l->choose(a.self, &a.w, round / 50, from + i, &pick, &a.e), MR_OK);
            chosen[i] = pick.sample;
        }
        for (uint64_t i = asked; i-- > 0;) { // the other way round nothing is there already
            mr_pick pick = {};
            ASSERT_EQ(b.l->choose(b.self, &b.w, round / 50, from + i, &pick, &b.e), MR_OK);
            ASSERT_EQ(pick.sample, chosen[i]) << "round " << round << ", position " << from + i;
        }
        for (int changes = (int)(random() % 3); changes > 0; changes--) {
            uint64_t i = random() % n;
            float weight = (float)(random() % 100);
            mr__weights_set(&a.w, i, weight);
            mr__weights_set(&b.w, i, weight);
        }
    }
}
