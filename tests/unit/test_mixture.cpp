// SPDX-License-Identifier: Apache-2.0
// The sampler of a mixture: what comes of each part, in which order, from any place on.
#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
}

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace
{

// An index that has parts of these sizes, and nothing in them.
struct Parts {
    std::vector<uint64_t> bytes;
    mr_index index = {};
    explicit Parts(const std::vector<uint64_t> &sizes)
    {
        size_t table = sizeof(mr_index_head), heads = table + sizes.size() * sizeof(mr_index_part);
        bytes.resize((heads + sizes.size() * sizeof(mr_index_head)) / 8 + 1);
        auto *base = (uint8_t *)bytes.data();
        auto *head = (mr_index_head *)base;
        head->part_table = table;
        for (uint64_t n : sizes) {
            auto *part = (mr_index_part *)(base + table) + head->parts;
            part->at = heads + head->parts++ * sizeof(mr_index_head);
            part->first = head->samples;
            part->samples = n;
            ((mr_index_head *)(base + part->at))->samples = n;
            head->samples += n;
        }
        index.head = head;
        index.base = base;
    }
};

struct Mixture {
    Parts parts;
    mr_config *config = nullptr;
    void *self = nullptr;
    mr_errbuf e = {};
    int rc;
    uint64_t batch;

    Mixture(const std::string &text, const std::vector<uint64_t> &sizes) : parts(sizes)
    {
        rc = mr__config_read(&config, "t.yaml", text.c_str(), nullptr, &e);
        EXPECT_EQ(rc, MR_OK) << e.text;
        if (rc < 0)
            return;
        mr_sampler_env env = {};
        env.index = &parts.index;
        env.samples = parts.index.head->samples;
        env.seed = (uint64_t)config->seed;
        env.batch = batch = (uint64_t)config->batch.size;
        EXPECT_STREQ(((const mr_desc *)config->sampler.desc)->name, "mixture");
        rc = mr__sampler_mixture.open(config->sampler.params, &env, &self, &e);
    }
    ~Mixture()
    {
        if (self)
            mr__sampler_mixture.close(self);
        mr__config_free(config);
    }
    uint64_t length() const
    {
        return mr__sampler_mixture.length(self);
    }
    uint64_t at(uint64_t epoch, uint64_t position)
    {
        mr_pick pick = {};
        EXPECT_EQ(mr__sampler_mixture.at(self, epoch, position, &pick, &e), MR_OK);
        return pick.sample;
    }
    std::vector<uint64_t> epoch(uint64_t number)
    {
        std::vector<uint64_t> all;
        for (uint64_t i = 0; i < length(); i++)
            all.push_back(at(number, i));
        return all;
    }
    size_t part_of(uint64_t sample) const
    {
        return (size_t)(mr__index_part(&parts.index, sample) - mr__index_parts(&parts.index));
    }
    // Samples of one part, in the order in which they come in `epochs` epochs.
    std::vector<uint64_t> of(size_t part, uint64_t epochs)
    {
        std::vector<uint64_t> all;
        for (uint64_t e = 0; e < epochs; e++)
            for (uint64_t s : epoch(e))
                if (part_of(s) == part)
                    all.push_back(s);
        return all;
    }
};

std::string part(const std::string &more)
{
    return "    - {source: {type: folder, path: /}, " + more + "}\n";
}

std::string config(const std::string &more, const std::vector<std::string> &parts,
                   const std::string &of = "")
{
    std::string text = "version: 1\nseed: 5\n" + more + "mixture:\n" + of + "  of:\n";
    for (auto &p : parts)
        text += part(p);
    return text;
}

// Each run of `n` of a shuffled or sequential part has every sample once.
void expect_epochs(const std::vector<uint64_t> &all, uint64_t first, uint64_t n)
{
    ASSERT_GE(all.size(), n);
    for (size_t from = 0; from + n <= all.size(); from += n) {
        std::set<uint64_t> seen(all.begin() + (long)from, all.begin() + (long)(from + n));
        EXPECT_EQ(seen.size(), n) << "from " << from;
        EXPECT_EQ(*seen.begin(), first);
        EXPECT_EQ(*seen.rbegin(), first + n - 1);
    }
}

} // namespace

TEST(Mixture, EveryPartGoesThroughItsOwnEpochs)
{
    Mixture m(config("batch: {size: 10}\n",
                     {"share: 0.7, sampler: shuffle", "share: 0.3, sampler: sequential"}),
              {50, 7});
    ASSERT_EQ(m.rc, MR_OK) << m.e.text;
    EXPECT_EQ(m.length(), 60u) << "57 samples, in whole batches of 10";
    std::vector<uint64_t> one = m.of(0, 6), two = m.of(1, 6);
    EXPECT_EQ(one.size(), 252u);
    EXPECT_EQ(two.size(), 108u);
    expect_epochs(one, 0, 50);
    expect_epochs(two, 50, 7);
    for (size_t i = 0; i < two.size(); i++)
        EXPECT_EQ(two[i], 50 + i % 7);
    EXPECT_NE(std::vector<uint64_t>(one.begin(), one.begin() + 50),
              std::vector<uint64_t>(one.begin() + 50, one.begin() + 100));
}

TEST(Mixture, EveryBatchOfTenHasSevenAndThree)
{
    Mixture m(config("batch: {size: 10}\n", {"share: 0.7", "share: 0.3"}), {50, 7});
    for (uint64_t e = 0; e < 3; e++)
        for (uint64_t g = 0; g < m.length() / 10; g++) {
            int n = 0;
            for (uint64_t i = 0; i < 10; i++)
                n += m.part_of(m.at(e, 10 * g + i)) == 0;
            EXPECT_EQ(n, 7);
        }
}

// 1 / 0.2 = 5 batches, across the ends of epochs too, though an epoch here ends anywhere.
TEST(Mixture, WindowsGoOnOverTheEndsOfEpochs)
{
    Mixture m(config("batch: {size: 4}\n", {"share: 0.33", "share: 0.2", "share: 0.47"},
                     "  length: 132\n"),
              {30, 30, 30});
    std::vector<int> in_batch;
    for (uint64_t e = 0; e < 4; e++) {
        std::vector<uint64_t> all = m.epoch(e);
        for (size_t g = 0; g < 33; g++)
            in_batch.push_back((int)std::count_if(all.begin() + 4 * (long)g,
                                                  all.begin() + 4 * (long)g + 4,
                                                  [&](uint64_t s) { return m.part_of(s) == 1; }));
    }
    for (size_t g = 0; g + 5 <= in_batch.size(); g++)
        EXPECT_EQ(
            in_batch[g] + in_batch[g + 1] + in_batch[g + 2] + in_batch[g + 3] + in_batch[g + 4], 4)
            << g;
}

TEST(Mixture, AnyOrderOfCallsGivesTheSame)
{
    for (const char *of : {"", "  unit: batch\n"}) {
        std::string text = config("epochs: 9\nbatch: {size: 6}\n",
                                  {"share: 0.5", "share: 0.3, from_epoch: 2, until_epoch: 5",
                                   "share: 0.2, until_epoch: 4"},
                                  of);
        Mixture a(text, {40, 11, 5}), b(text, {40, 11, 5});
        ASSERT_EQ(a.rc, MR_OK) << a.e.text;
        std::vector<std::vector<uint64_t>> forwards;
        for (uint64_t e = 0; e < 9; e++)
            forwards.push_back(a.epoch(e));
        for (uint64_t e = 9; e-- > 0;)
            for (uint64_t i = b.length(); i-- > 0;)
                ASSERT_EQ(b.at(e, i), forwards[e][i]) << e << " " << i;
    }
}

TEST(Mixture, StagesShareWhatIsLeft)
{
    Mixture m(config("epochs: 9\nbatch: {size: 10}\n",
                     {"share: 0.5, sampler: sequential",
                      "share: 0.3, sampler: sequential, from_epoch: 2, until_epoch: 5",
                      "share: 0.2, sampler: sequential, until_epoch: 4"},
                     "  length: 70\n"),
              {101, 13, 17});
    ASSERT_EQ(m.rc, MR_OK) << m.e.text;
    const uint64_t expected[9][3] = {{50, 0, 20},  {50, 0, 20}, {35, 21, 14},
                                     {35, 21, 14}, {44, 26, 0}, {70, 0, 0},
                                     {70, 0, 0},   {70, 0, 0},  {70, 0, 0}};
    for (uint64_t e = 0; e < 9; e++) {
        uint64_t n[3] = {0, 0, 0};
        for (uint64_t s : m.epoch(e))
            n[m.part_of(s)]++;
        for (int k = 0; k < 3; k++)
            EXPECT_EQ(n[k], expected[e][k]) << "epoch " << e << " part " << k;
    }
    // Where a part went on, it did so behind what it had before.
    const uint64_t first[3] = {0, 101, 114}, size[3] = {101, 13, 17};
    for (size_t k = 0; k < 3; k++) {
        std::vector<uint64_t> all = m.of(k, 9);
        for (size_t i = 0; i < all.size(); i++)
            ASSERT_EQ(all[i], first[k] + i % size[k]) << k;
    }
}

TEST(Mixture, ByRepetition)
{
    Mixture m(config("batch: {size: 8}\n",
                     {"repeat: 2, sampler: shuffle", "repeat: 0.5, sampler: sequential", ""},
                     "  by: repeat\n"),
              {30, 21, 40});
    ASSERT_EQ(m.rc, MR_OK) << m.e.text;
    EXPECT_EQ(m.length(), 60u + 11 + 40);
    for (uint64_t e = 0; e < 3; e++) {
        std::map<uint64_t, int> times;
        std::vector<uint64_t> all = m.epoch(e);
        for (uint64_t s : all)
            times[s]++;
        for (uint64_t s = 0; s < 30; s++)
            EXPECT_EQ(times[s], 2);
        for (uint64_t s = 51; s < 91; s++)
            EXPECT_EQ(times[s], 1);
        // Evenly: any 37 rows have a third of an epoch of each.
        for (size_t from = 0; from + 37 <= all.size(); from += 37) {
            auto n = std::count_if(all.begin() + (long)from, all.begin() + (long)from + 37,
                                   [](uint64_t s) { return s < 30; });
            EXPECT_NEAR((double)n, 20, 1);
        }
    }
    std::vector<uint64_t> two = m.of(1, 4);
    for (size_t i = 0; i < two.size(); i++)
        EXPECT_EQ(two[i], 30 + i % 21);
}

TEST(Mixture, WholeBatches)
{
    Mixture m(config("batch: {size: 8}\n", {"share: 0.75", "share: 0.25, sampler: sequential"},
                     "  unit: batch\n"),
              {50, 20});
    ASSERT_EQ(m.rc, MR_OK) << m.e.text;
    EXPECT_EQ(m.length() % 8, 0u);
    std::vector<int> batches;
    for (uint64_t e = 0; e < 4; e++)
        for (uint64_t g = 0; g < m.length() / 8; g++) {
            size_t k = m.part_of(m.at(e, 8 * g));
            for (uint64_t i = 1; i < 8; i++)
                EXPECT_EQ(m.part_of(m.at(e, 8 * g + i)), k);
            batches.push_back((int)k);
        }
    for (size_t g = 0; g + 4 <= batches.size(); g++)
        EXPECT_EQ(batches[g] + batches[g + 1] + batches[g + 2] + batches[g + 3], 1) << g;
    std::vector<uint64_t> two = m.of(1, 4);
    for (size_t i = 0; i < two.size(); i++)
        EXPECT_EQ(two[i], 50 + i % 20);
}

TEST(Mixture, ASubstituteIsOfTheSamePart)
{
    Mixture m(config("batch: {size: 10}\n", {"share: 0.7", "share: 0.3"}), {50, 7});
    std::set<uint64_t> seen;
    for (uint64_t e = 0; e < 12; e++)
        for (uint64_t i = 0; i < m.length(); i++)
            for (uint32_t attempt : {1, 2}) {
                mr_pick pick = {}, again = {};
                pick.sample = again.sample = m.at(e, i);
                size_t k = m.part_of(pick.sample);
                mr__sampler_mixture.substitute(m.self, e, i, attempt, &pick);
                mr__sampler_mixture.substitute(m.self, e, i, attempt, &again);
                EXPECT_EQ(pick.sample, again.sample);
                ASSERT_LT(pick.sample, 57u);
                EXPECT_EQ(m.part_of(pick.sample), k);
                seen.insert(pick.sample);
            }
    EXPECT_EQ(seen.size(), 57u);
}

TEST(Mixture, TwoPartsOfOneSizeAreShuffledApart)
{
    Mixture m(config("batch: {size: 10}\n", {"share: 0.5", "share: 0.5"}), {40, 40});
    std::vector<uint64_t> one = m.of(0, 1), two = m.of(1, 1);
    for (uint64_t &s : two)
        s -= 40;
    EXPECT_NE(one, two);
}

// A billion samples in each part, and the end of epoch 1000: no work for what came before.
TEST(Mixture, TheFarEndCostsNothing)
{
    const uint64_t billion = 1000000000;
    for (const char *shares : {"0.7 0.3", "0.123456789 0.876543211"}) {
        std::string one(shares, strchr(shares, ' ')), two(strchr(shares, ' ') + 1);
        Mixture m(config("epochs: 0\nbatch: {size: 64}\n",
                         {"share: " + one, "share: " + two + ", sampler: sequential"}),
                  {billion, billion});
        ASSERT_EQ(m.rc, MR_OK) << m.e.text;
        EXPECT_EQ(m.length(), 2 * billion);
        std::vector<uint64_t> last;
        for (uint64_t i = 0; i < 1000; i++) {
            uint64_t s = m.at(1000, m.length() - 1000 + i);
            if (m.part_of(s) == 1)
                last.push_back(s);
        }
        double due = std::stod(two) * 1001 * (double)m.length();
        EXPECT_NEAR((double)last.back() - (double)billion, std::fmod(due, 1e9) - 1, 2);
        for (size_t i = 1; i < last.size(); i++)
            EXPECT_EQ(last[i], last[i - 1] + 1);
    }
}
