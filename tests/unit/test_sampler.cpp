// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/descriptor.h"
}

#include <cmath>
#include <cstring>
#include <vector>

namespace
{

const mr_sampler *sampler(const char *name)
{
    for (int i = 0; mr_samplers[i]; i++)
        if (!strcmp(mr_samplers[i]->d.name, name))
            return mr_samplers[i];
    return nullptr;
}

// A sampler over n samples; samplers look at nothing but the index's head.
struct Open {
    const mr_sampler *s;
    mr_index_head head = {};
    mr_index index = {};
    mr_sampler_env env = {};
    void *self = nullptr;
    Open(const char *name, uint64_t n, uint64_t seed, uint64_t first = 0) : s(sampler(name))
    {
        mr_errbuf e = {};
        head.samples = first + n;
        index.head = &head;
        env.index = &index;
        env.first = first;
        env.samples = n;
        env.seed = seed;
        env.batch = 4;
        EXPECT_EQ(s->open(nullptr, &env, &self, &e), MR_OK);
    }
    ~Open()
    {
        s->close(self);
    }
    std::vector<uint64_t> epoch(uint64_t number)
    {
        std::vector<uint64_t> order;
        mr_errbuf e = {};
        for (uint64_t i = 0; i < s->length(self); i++) {
            mr_pick pick = {};
            EXPECT_EQ(s->at(self, number, i, &pick, &e), MR_OK);
            EXPECT_EQ(pick.window.w, 0);
            order.push_back(pick.sample);
        }
        return order;
    }
    uint64_t substitute(uint64_t number, uint64_t position, uint32_t attempt)
    {
        mr_pick pick = {};
        s->substitute(self, number, position, attempt, &pick);
        return pick.sample;
    }
};

} // namespace

TEST(Sampler, TheRegistryIsSorted)
{
    for (int i = 0; mr_samplers[i] && mr_samplers[i + 1]; i++)
        EXPECT_LT(strcmp(mr_samplers[i]->d.name, mr_samplers[i + 1]->d.name), 0);
    for (int i = 0; mr_sources[i] && mr_sources[i + 1]; i++)
        EXPECT_LT(strcmp(mr_sources[i]->d.name, mr_sources[i + 1]->d.name), 0);
}

TEST(Sampler, SequentialIsTheIndexsOrder)
{
    Open s("sequential", 5, 42);
    EXPECT_EQ(s.epoch(0), (std::vector<uint64_t>{0, 1, 2, 3, 4}));
    EXPECT_EQ(s.epoch(9), s.epoch(0));
}

// Golden: saved states depend on it.
TEST(Sampler, ShuffleIsFrozen)
{
    Open s("shuffle", 10, 42);
    EXPECT_EQ(s.epoch(0), (std::vector<uint64_t>{2, 3, 5, 4, 7, 8, 9, 6, 1, 0}));
    EXPECT_EQ(s.epoch(1), (std::vector<uint64_t>{8, 5, 7, 1, 4, 9, 2, 3, 6, 0}));
}

TEST(Sampler, ShuffleGivesEverySampleOnceAndEveryEpochItsOrder)
{
    Open s("shuffle", 1000, 42), other("shuffle", 1000, 43);
    std::vector<int> seen(1000);
    auto first = s.epoch(0);
    for (uint64_t sample : first)
        seen.at(sample)++;
    EXPECT_EQ(seen, std::vector<int>(1000, 1));
    EXPECT_NE(s.epoch(1), first);
    EXPECT_NE(other.epoch(0), first);
    EXPECT_EQ(Open("shuffle", 1000, 42).epoch(0), first);
}

TEST(Sampler, APartOfTheIndexIsTakenForTheWhole)
{
    for (const char *name : {"sequential", "shuffle"}) {
        Open whole(name, 10, 42), part(name, 10, 42, 100);
        auto expected = whole.epoch(1);
        for (uint64_t &sample : expected)
            sample += 100;
        EXPECT_EQ(part.epoch(1), expected);
        EXPECT_EQ(part.substitute(1, 2, 1), whole.substitute(1, 2, 1) + 100);
    }
}

TEST(Sampler, SubstitutesArePureUniformAndDifferByAttempt)
{
    for (const char *name : {"sequential", "shuffle"}) {
        Open s(name, 10, 42);
        std::vector<int> counts(10);
        int repeats = 0;
        for (uint64_t position = 0; position < 10000; position++) {
            uint64_t one = s.substitute(3, position, 1);
            ASSERT_LT(one, 10u);
            ASSERT_EQ(one, s.substitute(3, position, 1));
            counts[one]++;
            repeats += one == s.substitute(3, position, 2);
        }
        for (int n : counts)
            EXPECT_NEAR(n, 1000, 5 * std::sqrt(900.0));
        EXPECT_NEAR(repeats, 1000, 5 * std::sqrt(900.0));
    }
}
