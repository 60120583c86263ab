// SPDX-License-Identifier: Apache-2.0
//
// sample_set.hpp: a set of labels and weights as an index, a sampler over it as a config names it,
// and what all samplers by class or weight are held to.
#ifndef SAMPLE_SET_HPP
#define SAMPLE_SET_HPP

#include "sampler_testing.hpp"

#include <cmath>
#include <cstdint>
#include <random>

struct SampleSet {
    std::vector<int64_t> label;
    std::vector<double> weight = {}; // a column only if there are any
    std::vector<std::string> classes = {};
    mr_dtype label_type = MR_I64;
    uint64_t repeated = 0; // samples, over and over what is above; 0: as many as it is
    uint64_t samples() const
    {
        return repeated ? repeated : label.size();
    }
};

// Class c has sizes[c] samples, scattered over the set by a fixed shuffle, or class by class.
inline SampleSet sized(const std::vector<uint64_t> &sizes, bool scattered = true)
{
    SampleSet set;
    for (size_t c = 0; c < sizes.size(); c++)
        set.label.insert(set.label.end(), sizes[c], (int64_t)c);
    std::mt19937 random(5);
    for (size_t i = set.label.size(); scattered && i > 1; i--)
        std::swap(set.label[i - 1], set.label[random() % i]);
    return set;
}

class TestIndex
{
  public:
    mr_index index = {};
    explicit TestIndex(const SampleSet &set)
    {
        mr_errbuf e = {};
        mr_index_builder *b;
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        mr_column_kind kind = set.repeated ? MR_COL_MADE : MR_COL_PATH;
        int image = mr__index_add_column(b, "image", kind, MR_U8, 1, &e);
        int label = mr__index_add_column(b, "label", MR_COL_FIXED, set.label_type, 1, &e);
        int boxes = -1, weight = -1;
        if (!set.repeated)
            boxes = mr__index_add_column(b, "boxes", MR_COL_RAGGED, MR_F32, 4, &e);
        if (!set.weight.empty())
            weight = mr__index_add_column(b, "weight", MR_COL_FIXED, MR_F64, 1, &e);
        for (size_t i = 0; i < set.label.size(); i++) {
            std::string path = std::to_string(i) + ".jpg";
            if (!set.repeated)
                mr__index_add_path(b, image, path.data(), path.size(), &e);
            mr__index_add_numbers(b, label, &set.label[i], 1, &e); // little-endian: any width
            if (boxes >= 0)
                mr__index_add_numbers(b, boxes, nullptr, 0, &e);
            if (weight >= 0)
                mr__index_add_numbers(b, weight, &set.weight[i], 1, &e);
        }
        for (int column : {image, label, weight})
            if (set.repeated && column >= 0) {
                EXPECT_EQ(mr__index_repeat(b, column, set.repeated, &e), MR_OK) << e.text;
            }
        for (const std::string &name : set.classes)
            mr__index_add_class(b, name.data(), name.size(), &e);
        int fd = mr__index_memfd(&e);
        EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
        mr__index_builder_free(b);
        close(fd);
    }
    ~TestIndex()
    {
        mr__index_unmap(&index);
    }
    TestIndex(const TestIndex &) = delete;
    TestIndex &operator=(const TestIndex &) = delete;
};

struct OwnIndex {
    TestIndex data;
};

// A sampler over a set of its own.
class TestSampler : OwnIndex, public ConfiguredSampler
{
  public:
    std::string error; // of reading the config, or of open

    // `options` stands in the config's braces: "type: pk, p: 2, k: 2". Takes `samples` samples
    // from `first` on, all that follow for 0.
    TestSampler(const SampleSet &set, const std::string &options, uint64_t batch = 4,
                uint64_t first = 0, uint64_t samples = 0, uint64_t seed = 42)
        : OwnIndex{TestIndex(set)},
          ConfiguredSampler(options, data.index, {seed, batch, first, samples}),
          error(rc < 0 ? e.text : "")
    {
    }
    uint64_t hash()
    {
        return desc->hash(self);
    }
    // Of the first choice that is given.
    using ConfiguredSampler::substitute;
    uint64_t substitute(uint64_t number, uint64_t position, uint32_t attempt, uint64_t first_choice)
    {
        mr_pick pick = {};
        pick.sample = first_choice;
        desc->substitute(self, number, position, attempt, &pick);
        return pick.sample;
    }
};

// sum (seen - due)^2 / due. Seeds are fixed, so a test that holds it to a bound never flickers.
inline double chi_square(const std::vector<double> &seen, const std::vector<double> &due)
{
    double sum = 0;
    for (size_t i = 0; i < due.size(); i++)
        sum += (seen[i] - due[i]) * (seen[i] - due[i]) / due[i];
    return sum;
}

// The stream of one opened sampler, asked in any order, is that of another asked in order.
inline void expect_pure(const SampleSet &set, const std::string &options, uint64_t batch = 4)
{
    TestSampler ordered(set, options, batch), random(set, options, batch);
    ASSERT_EQ(ordered.rc, MR_OK) << ordered.error;
    ASSERT_EQ(random.rc, MR_OK) << random.error;
    std::vector<std::vector<uint64_t>> all;
    for (uint64_t epoch = 0; epoch < 4; epoch++)
        all.push_back(ordered.epoch(epoch));
    EXPECT_NE(all[0], all[1]);
    EXPECT_NE(all[1], all[2]);
    std::mt19937 draw(7);
    for (int i = 0; i < 400; i++) {
        uint64_t epoch = draw() % 4, position = draw() % ordered.length();
        ASSERT_EQ(random.at(epoch, position), all[epoch][position])
            << options << " epoch " << epoch << " position " << position;
    }
    TestSampler other(set, options, batch, 0, 0, 43);
    EXPECT_NE(other.epoch(0), all[0]) << "another seed, another order";
}

// A part of an index gives what it would give as the whole of one.
inline void expect_part(const SampleSet &set, const std::string &options, uint64_t batch = 4)
{
    const uint64_t before = 13, behind = 5;
    SampleSet larger = set;
    larger.label.insert(larger.label.begin(), before, 77);
    larger.label.insert(larger.label.end(), behind, 0);
    if (!set.weight.empty()) {
        larger.weight.insert(larger.weight.begin(), before, NAN); // nobody's business
        larger.weight.insert(larger.weight.end(), behind, 3);
    }
    TestSampler whole(set, options, batch), part(larger, options, batch, before, set.label.size());
    ASSERT_EQ(whole.rc, MR_OK) << whole.error;
    ASSERT_EQ(part.rc, MR_OK) << part.error;
    ASSERT_EQ(part.length(), whole.length());
    for (uint64_t i = 0; i < whole.length(); i++) {
        uint64_t sample = whole.at(3, i);
        ASSERT_EQ(part.at(3, i), sample + before);
        ASSERT_EQ(part.substitute(3, i, 1, sample + before),
                  whole.substitute(3, i, 1, sample) + before);
    }
}

#endif
