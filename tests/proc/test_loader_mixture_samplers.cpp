// SPDX-License-Identifier: Apache-2.0
//
// Samplers that look at classes, weights and sizes, as parts of a mixture and over ranks: what they
// promise of their rows holds there, too, and no rank sees another stream.
#include "loader_testing.hpp"

#include "../unit/temp_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace
{

const int sizes[] = {24, 12, 9};
const uint64_t own = 45;

std::vector<std::string> sample_files()
{
    std::vector<std::string> files;
    for (const auto &f : std::filesystem::recursive_directory_iterator(MR_SAMPLE "/images"))
        if (f.is_regular_file())
            files.push_back(f.path());
    std::sort(files.begin(), files.end());
    return files;
}

// A manifest of three classes of unequal size over the sample set's files.
struct Data {
    TempTree tree;
    std::vector<int> label;
    Data()
    {
        std::vector<std::string> files = sample_files();
        std::string text = "image,label,weight:f32\n";
        for (size_t i = 0; i < own; i++) {
            int c = i % 5 < 2 && i < 30 ? 1 : i % 5 == 4 ? 2 : 0; // 12, 9 and the other 24
            label.push_back(c);
            text += files.at(i) + "," + std::vector<std::string>{"ant", "bee", "cow"}[(size_t)c] +
                    "," + std::to_string(c) + "\n";
        }
        tree.file("m.csv", text);
    }
    std::string source() const
    {
        return "source: {type: manifest, path: " + tree.path("m.csv") + "}";
    }
    std::map<int, int> classes(const Delivered &d) const
    {
        std::map<int, int> counts;
        for (uint64_t id : d.ids)
            if (id < own)
                counts[label.at(id)]++;
        return counts;
    }
};

struct Case {
    std::string sampler;
    int rows;   // of the sampler's in a batch
    bool whole; // it makes whole batches
};
const Case cases[] = {{"class_balanced", 6, false},
                      {"pk, p: 2, k: 4", 8, true},
                      {"stratified", 15, true},
                      {"weighted, by: weight", 8, false},
                      {"weighted, balance: label, replacement: false", 8, false}};

std::string head(int batch)
{
    return "seed: 3\nepochs: 2\nproducers: 1\nbatch: {size: " + std::to_string(batch) +
           ", last: pad}\nops: [{random_resized_crop: {size: 16}}]\n"
           "fields: {image: {dtype: uint8}, label: {dtype: int64}}\n";
}

std::string alone(const Data &data, const Case &c)
{
    return head(c.rows) + data.source() + "\nsampler: {type: " + c.sampler + "}\n";
}

// Half of the rows, or every other batch, are of the sampler's part.
std::string mixed(const Data &data, const Case &c)
{
    return head(c.whole ? c.rows : 2 * c.rows) +
           "mixture:\n  unit: " + (c.whole ? "batch" : "row") + "\n  of:\n    - {share: 0.5, " +
           data.source() + ", sampler: {type: " + c.sampler +
           "}}\n    - {share: 0.5, source: {type: folder, path: " MR_SAMPLE "/images}}\n";
}

void expect_classes(const Data &data, const Case &c, const Delivered &d)
{
    std::map<int, int> counts = data.classes(d);
    int rows = 0;
    for (auto &one : counts)
        rows += one.second;
    if (d.valid != d.rows || (c.whole && !rows))
        return; // the last of an epoch; of the other part
    EXPECT_EQ(rows, c.rows) << c.sampler << d;
    for (int k = 0; k < 3 && c.sampler == "class_balanced"; k++)
        EXPECT_EQ(counts[k], 2) << d;
    if (c.sampler[0] == 'p') {
        EXPECT_EQ(counts.size(), 2u) << d;
        EXPECT_EQ(counts.begin()->second, 4) << d;
    }
    for (int k = 0; k < 3 && c.sampler == "stratified"; k++)
        EXPECT_EQ(counts[k], sizes[k] / 3) << d;
    if (c.sampler == "weighted, by: weight") {
        EXPECT_EQ(counts.count(0), 0u) << "class 0 has the weight 0: " << d;
    }
}

// What one process gets, and that several get the same together, in equally many steps.
std::vector<Delivered> over_ranks(const std::string &config)
{
    Loader whole(config);
    std::vector<Delivered> all = whole.read();
    EXPECT_EQ(whole.rc, MR_END) << whole.error << config;
    for (int world : {2, 3, 7}) {
        std::map<std::pair<uint64_t, uint64_t>, Delivered> got;
        std::set<size_t> steps;
        for (int rank = 0; rank < world; rank++) {
            Loader l(config, {"rank=" + std::to_string(rank), "world=" + std::to_string(world)});
            std::vector<Delivered> some = l.read();
            EXPECT_EQ(l.rc, MR_END) << l.error;
            steps.insert(some.size());
            for (const Delivered &d : some)
                EXPECT_TRUE(got.emplace(std::make_pair(d.epoch, d.batch), d).second) << d;
        }
        EXPECT_EQ(steps.size(), 1u) << "equal steps";
        for (const Delivered &d : all) {
            auto found = got.find({d.epoch, d.batch});
            if (found == got.end()) {
                ADD_FAILURE() << "no rank of " << world << " got " << d;
                continue;
            }
            EXPECT_EQ(found->second, d) << world << " ranks\n" << config;
            got.erase(found);
        }
        for (auto &rest : got)
            EXPECT_EQ(rest.second.valid, 0) << "only to fill the last round: " << rest.second;
    }
    return all;
}

} // namespace

TEST(MixtureSamplers, EachIsTheSameOverAnyNumberOfRanks)
{
    Data data;
    for (const Case &c : cases)
        for (const Delivered &d : over_ranks(alone(data, c)))
            expect_classes(data, c, d);
}

TEST(MixtureSamplers, AsAPartOfAMixtureEachKeepsItsPromise)
{
    Data data;
    for (const Case &c : cases) {
        int with = 0;
        std::vector<Delivered> all = over_ranks(mixed(data, c));
        for (const Delivered &d : all) {
            expect_classes(data, c, d);
            with += !data.classes(d).empty();
        }
        EXPECT_GT(with, 4) << c.sampler;
        if (c.whole) {
            EXPECT_NEAR(with, (double)all.size() / 2, 1) << c.sampler;
        }
    }
}

// The copies of a sample stay in one batch, or none of this is promised.
TEST(MixtureSamplers, CopiesAreNotParted)
{
    auto config = [](const char *unit, const char *within) {
        return head(6) + "mixture:\n  unit: " + unit +
               "\n  of:\n    - {share: 0.3, source: {type: folder, path: " MR_SAMPLE
               "/images}}\n    - {share: 0.7, source: {type: folder, path: " MR_SAMPLE
               "/images}, sampler: {type: repeat_augment, repeats: 3, within: " +
               within + "}}\n";
    };
    for (const char *within : {"batch", "epoch"}) {
        Loader rows(config("row", within));
        EXPECT_EQ(rows.rc, MR_E_CONFIG);
        EXPECT_NE(rows.error.find("'repeat_augment' makes whole batches, and a part has only some "
                                  "rows of each: set 'mixture.unit: batch'"),
                  std::string::npos)
            << rows.error;
    }
    Loader l(config("batch", "batch"));
    std::vector<Delivered> all = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    int with = 0;
    for (const Delivered &d : all) {
        std::map<uint64_t, int> copies;
        for (uint64_t id : d.ids)
            copies[id]++;
        if (d.ids[0] < 60 || d.valid < d.rows)
            continue;
        with++;
        EXPECT_EQ(copies.size(), 2u) << d;
        EXPECT_EQ(copies.begin()->second, 3) << d;
    }
    EXPECT_GT(with, 20);
}

// One part says how large its images are, the other's are asked: all of both are there.
TEST(MixtureSamplers, SizesOfOnePartAreGivenAndOfAnotherRead)
{
    TempTree tree;
    std::string text = "image,width:i64,height:i64\n", sizeless = "image,width:f32\n";
    for (const std::string &file : sample_files()) {
        text += file + ",32,24\n";
        sizeless += file + ",1\n"; // half a size is none
    }
    tree.file("given.csv", text);
    tree.file("half.csv", sizeless);
    std::string mix = "seed: 1\nbatch: {size: 10}\nmixture:\n  by: all\n  of:\n"
                      "    - {name: given, source: {type: manifest, path: " +
                      tree.path("given.csv") +
                      "}}\n    - {name: read, source: {type: folder, path: " MR_SAMPLE
                      "/images}}\nfields: {image: {dtype: uint8}}\n";
    for (const char *sampler : {"sampler: {type: patch, size: 16, per_image: 1}\n",
                                "sampler: {type: patch, size: 16, mode: grid, stride: 1000, edge: "
                                "drop}\n",
                                "sampler: {type: bucket, by: aspect, buckets: 4}\nops: [{resize: "
                                "{size: [16, 16]}}]\n"}) {
        Loader l(mix + sampler);
        std::set<uint64_t> seen;
        for (const Delivered &d : l.read())
            seen.insert(d.ids.begin(), d.ids.end());
        EXPECT_EQ(l.rc, MR_END) << l.error;
        EXPECT_EQ(seen.size(), 120u) << sampler;
        for (const std::string &line : l.log)
            EXPECT_EQ(line.find("left out"), std::string::npos) << line;
    }
    Loader none(mix + "sampler: {type: patch, size: 16, min_coverage: 0.5}\n");
    EXPECT_EQ(none.rc, MR_E_CONFIG);
    EXPECT_NE(none.error.find("part 'given' of the mixture: 'sampler.min_coverage' is a share of "
                              "the mask"),
              std::string::npos)
        << none.error;
}

// `from_epoch` counts passes over the mixture: with `epoch_batches` there are more of them than
// epochs.
TEST(MixtureSamplers, PartsComeAndGoByPasses)
{
    const std::string folder = "source: {type: folder, path: " MR_SAMPLE "/images}";
    auto config = [&](const std::string &a, const std::string &b) {
        return "epochs: 2\nepoch_batches: 12\nbatch: {size: 10}\nmixture:\n  length: 40\n  of:\n"
               "    - {share: 0.5, " +
               folder + a + "}\n    - {share: 0.5, " + folder + b +
               "}\nops: [{resize: {size: [8, 8]}}]\nfields: {image: {dtype: uint8}}\n";
    };
    Loader l(config("", ", from_epoch: 3"));
    std::vector<Delivered> all = l.read();
    ASSERT_EQ(all.size(), 24u) << l.error;
    for (const Delivered &d : all) {
        auto of_b = std::count_if(d.ids.begin(), d.ids.end(), [](uint64_t id) { return id >= 60; });
        EXPECT_EQ(of_b, d.epoch * 12 + d.batch < 12 ? 0 : 5) << d;
    }
    Loader gap(config(", until_epoch: 5", ", until_epoch: 5"));
    EXPECT_EQ(gap.rc, MR_E_CONFIG);
    EXPECT_NE(gap.error.find("epoch 5 has no part of the mixture"), std::string::npos) << gap.error;
}

TEST(MixtureSamplers, AMadeSampleIsNamedWithItsPart)
{
    Loader l(
        "on_error: fail\nbatch: {size: 2}\nlimits: {max_file_bytes: 4000}\nmixture:\n  by: all\n"
        "  of:\n    - {name: small, source: {type: synthetic, samples: 2, size: 8}}\n"
        "    - {name: large, source: {type: synthetic, samples: 2, size: 800}}\n"
        "sampler: sequential\nops: [{resize: {size: [8, 8]}}]\n");
    EXPECT_EQ(l.read().size(), 1u);
    EXPECT_NE(l.error.find("part 'large' of the mixture: sample 0: a PNG of"), std::string::npos)
        << l.error;
}
