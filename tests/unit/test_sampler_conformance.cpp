// SPDX-License-Identifier: Apache-2.0
//
// What every sampler of the registry promises (base/descriptor.h), asked of each. A sampler that is
// not in the table below fails: add a line with the least that it needs.
#include "sampler_testing.hpp"
#include "temp_tree.hpp"

#include <algorithm>
#include <dirent.h>
#include <malloc.h>
#include <map>
#include <memory>
#include <random>

namespace
{

// Classes 0 to 9, sizes, weights; and a file of numbers below 60 for who wants one.
const uint64_t all_samples = 500;

struct Case {
    std::string params; // behind `type: NAME`; LIST stands for the file
    bool random;        // another seed makes another stream
};
const std::map<std::string, Case> cases = {
    {"adaptive", {"", true}},
    {"bucket", {", by: aspect, buckets: 5", true}},
    {"class_balanced", {"", true}},
    {"patch", {", size: 200, per_image: 2", true}},
    {"pk", {", p: 2, k: 2", true}},
    {"repeat_augment", {", repeats: 2", true}},
    {"sequential", {"", false}},
    {"shuffle", {"", true}},
    {"stratified", {"", true}},
    {"subset", {", file: LIST", true}},
    {"weighted", {", by: weight", true}},
};

struct Named {
    const mr_sampler *desc;
    friend std::ostream &operator<<(std::ostream &out, const Named &n)
    {
        return out << n.desc->d.name;
    }
};

std::vector<Named> registered()
{
    std::vector<Named> all;
    for (int i = 0; mr_samplers[i]; i++)
        all.push_back({mr_samplers[i]});
    return all;
}

class SamplerConformance : public ::testing::TestWithParam<Named>
{
  protected:
    TempTree tree;
    std::unique_ptr<NumberIndex> index;
    std::string braces;
    bool random = false;

    void SetUp() override
    {
        std::string name = GetParam().desc->d.name, numbers;
        auto found = cases.find(name);
        ASSERT_NE(found, cases.end())
            << "sampler '" << name << "' is not in the table of this test: add it";
        for (uint64_t i = 0; i < 60; i++)
            numbers += std::to_string(i * 7 % 60) + "\n";
        tree.file("list.txt", numbers);
        index = std::make_unique<NumberIndex>(
            all_samples,
            std::vector<NumberIndex::Column>{{"label", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
                                             {"width", {640, 320, 500, 375, 1024, 333, 200}},
                                             {"height", {480, 240, 375, 500, 768, 500, 300}},
                                             {"weight", {1, 2, 0.5, 3, 1, 1.25}, false}});
        std::string params = found->second.params;
        size_t at = params.find("LIST");
        if (at != std::string::npos)
            params.replace(at, 4, tree.path("list.txt"));
        braces = "type: " + name + params;
        random = found->second.random;
    }
    std::unique_ptr<ConfiguredSampler>
    open(ConfiguredSampler::Over over = ConfiguredSampler::Over())
    {
        auto s = std::make_unique<ConfiguredSampler>(braces, index->index, over);
        EXPECT_EQ(s->rc, MR_OK) << s->e.text;
        return s;
    }
};

bool same(const mr_pick &a, const mr_pick &b)
{
    return a.sample == b.sample && a.window.x == b.window.x && a.window.y == b.window.y &&
           a.window.w == b.window.w && a.window.h == b.window.h;
}

std::vector<mr_pick> picks(ConfiguredSampler &s, uint64_t epoch)
{
    std::vector<mr_pick> v;
    for (uint64_t i = 0; i < s.length(); i++)
        v.push_back(s.pick(epoch, i));
    return v;
}

int open_files()
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    closedir(d);
    return n;
}

} // namespace

TEST_P(SamplerConformance, IsPureInAnyOrderOfCalls)
{
    auto s = open(), other = open();
    ASSERT_GE(s->length(), 1u);
    EXPECT_EQ(other->length(), s->length());
    std::vector<std::vector<mr_pick>> epochs;
    for (uint64_t epoch : {0, 1, 7})
        epochs.push_back(picks(*s, epoch));
    const uint64_t numbers[] = {0, 1, 7};
    std::mt19937_64 rng(5);
    for (int i = 0; i < 3000; i++) {
        size_t e = rng() % 3;
        uint64_t position = rng() % s->length();
        ASSERT_TRUE(same(other->pick(numbers[e], position), epochs[e][position]))
            << "epoch " << numbers[e] << ", position " << position;
    }
    for (size_t e = 0; e < 3; e++)
        for (uint64_t i = 0; i < s->length(); i++)
            ASSERT_TRUE(same(s->pick(numbers[e], i), epochs[e][i])) << "asked again";
}

TEST_P(SamplerConformance, StaysInItsPartOfTheIndex)
{
    ConfiguredSampler::Over over;
    over.first = 130;
    over.samples = 211;
    auto s = open(over);
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        for (uint64_t i = 0; i < s->length(); i++) {
            mr_pick p = s->pick(epoch, i);
            ASSERT_GE(p.sample, 130u);
            ASSERT_LT(p.sample, 341u);
            ASSERT_GE(p.window.w, 0);
        }
    }
}

TEST_P(SamplerConformance, SubstitutesArePureAndOfThePart)
{
    if (!GetParam().desc->substitute)
        GTEST_SKIP() << "any sample may stand in";
    ConfiguredSampler::Over over;
    over.first = 130;
    over.samples = 211;
    auto s = open(over), fresh = open(over);
    std::map<uint64_t, int> seen;
    for (uint64_t position = 0; position < std::min<uint64_t>(s->length(), 60); position++) {
        mr_pick choice = s->pick(2, position);
        for (uint32_t attempt = 1; attempt < 6; attempt++) {
            mr_pick a = choice, b = choice;
            s->desc->substitute(s->self, 2, position, attempt, &a);
            fresh->desc->substitute(fresh->self, 2, position, attempt, &b); // never called `at`
            ASSERT_TRUE(same(a, b)) << position << ", attempt " << attempt;
            ASSERT_GE(a.sample, 130u);
            ASSERT_LT(a.sample, 341u);
            seen[a.sample]++;
        }
    }
    EXPECT_GT(seen.size(), 5u) << "attempts lead to different samples";
}

TEST_P(SamplerConformance, TheSeedMattersWhereItIsRandom)
{
    ConfiguredSampler::Over over;
    auto one = open(over);
    over.seed = 43;
    auto two = open(over);
    auto differ = [](const std::vector<mr_pick> &a, const std::vector<mr_pick> &b) {
        bool differs = a.size() != b.size();
        for (size_t i = 0; i < a.size() && !differs; i++)
            differs = !same(a[i], b[i]);
        return differs;
    };
    EXPECT_EQ(differ(picks(*one, 0), picks(*two, 0)), random);
    EXPECT_EQ(differ(picks(*one, 0), picks(*one, 1)), random) << "epochs differ, too";
}

TEST_P(SamplerConformance, ATinyDataSetIsOne)
{
    for (uint64_t samples : {60, 61, 64}) {
        ConfiguredSampler::Over over;
        over.samples = samples;
        auto s = open(over);
        ASSERT_EQ(s->rc, MR_OK);
        EXPECT_GE(s->length(), 1u);
    }
}

// Under the address sanitizer a leak of any kind ends the test; here, what malloc has out.
TEST_P(SamplerConformance, LeavesNothingBehind)
{
    auto use = [&] {
        auto s = open();
        for (uint64_t i = 0; i < s->length(); i += 3)
            s->pick(i % 5, i);
    };
    const int uses = 20;
    use();
    int files = open_files();
    size_t grown = SIZE_MAX; // malloc's own caches fill for a while: a leak never stops
    for (int round = 0; round < 10 && grown >= 16 * uses; round++) {
        size_t before = mallinfo2().uordblks;
        for (int i = 0; i < uses; i++)
            use();
        size_t after = mallinfo2().uordblks;
        grown = after > before ? after - before : 0;
    }
    EXPECT_LT(grown, 16u * uses) << "the least that malloc gives is 32";
    EXPECT_EQ(open_files(), files);
}

TEST(SamplerConformanceTable, NamesOnlySamplersThatThereAre)
{
    for (auto &[name, params] : cases) {
        bool there = false;
        for (const Named &n : registered())
            there |= name == n.desc->d.name;
        EXPECT_TRUE(there) << name;
    }
}

INSTANTIATE_TEST_SUITE_P(All, SamplerConformance, ::testing::ValuesIn(registered()),
                         [](const auto &info) { return std::string(info.param.desc->d.name); });
