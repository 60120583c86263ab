// SPDX-License-Identifier: Apache-2.0
//
// Samplers that look at classes and weights, from a config to delivered batches: the same for any
// number of producers, behind a saved state, and with bad files among the good.
#include "loader_testing.hpp"

#include "../unit/temp_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace
{

const int sizes[] = {24, 12, 9};
const std::vector<std::string> names = {"ant", "bee", "cow"};

// A manifest of three classes of unequal size over the sample set's files.
struct Data {
    TempTree tree;
    std::vector<int> label;
    std::set<uint64_t> bad;

    // Every `every`-th line names a file that is not there; 0: none.
    explicit Data(size_t every = 0)
    {
        std::vector<std::string> files;
        for (const auto &f : std::filesystem::recursive_directory_iterator(MR_SAMPLE "/images"))
            if (f.is_regular_file())
                files.push_back(f.path());
        std::sort(files.begin(), files.end());
        std::string text = "image,label,weight:f32\n", weights;
        for (size_t i = 0; i < 45; i++) {
            int c = i % 5 < 2 && i < 30 ? 1 : i % 5 == 4 ? 2 : 0; // 12, 9 and the other 24
            label.push_back(c);
            if (every && i % every == 1)
                bad.insert(i);
            text += (bad.count(i) ? "nowhere.jpg" : files.at(i)) + "," + names[(size_t)c] + "," +
                    std::to_string(c) + "\n";
            weights += std::to_string(c) + "\n";
        }
        tree.file("m.csv", text);
        tree.file("weights.txt", weights);
    }
    std::string config(const std::string &sampler, int batch) const
    {
        return "seed: 3\nepochs: 3\non_error: replace\nbatch: {size: " + std::to_string(batch) +
               "}\n"
               "source: {type: manifest, path: " +
               tree.path("m.csv") + "}\nsampler: {type: " + sampler +
               "}\n"
               "ops: [{random_resized_crop: {size: 16}}]\n"
               "fields: {image: {dtype: uint8}, label: {dtype: int64}}\n";
    }
    std::map<int, int> classes(const Delivered &d) const
    {
        std::map<int, int> counts;
        for (uint64_t id : d.ids)
            counts[label.at(id)]++;
        return counts;
    }
};

struct Case {
    const char *sampler;
    int batch;
};
const Case cases[] = {
    {"class_balanced", 6},
    {"pk, p: 2, k: 4", 8},
    {"stratified", 15},
    {"weighted, by: weight", 8},
    {"weighted, balance: label, replacement: false", 8},
};

void expect_classes(const Data &data, const std::string &sampler, const Delivered &d)
{
    std::map<int, int> counts = data.classes(d);
    for (int c = 0; c < 3 && sampler == "class_balanced"; c++)
        EXPECT_EQ(counts[c], 2) << d;
    if (sampler[0] == 'p') {
        EXPECT_EQ(counts.size(), 2u) << d;
        EXPECT_EQ(counts.begin()->second, 4) << d;
    }
    for (int c = 0; c < 3 && sampler == "stratified"; c++)
        EXPECT_EQ(counts[c], sizes[c] / 3) << d;
    if (sampler == "weighted, by: weight") {
        EXPECT_EQ(counts.count(0), 0u) << "class 0 has the weight 0: " << d;
    }
}

} // namespace

TEST(LoaderSamplers, GiveTheSameStreamForAnyProducersAndBehindAState)
{
    Data data;
    for (const Case &one : cases) {
        std::string config = data.config(one.sampler, one.batch);
        Loader whole(config, {"producers=1"});
        std::vector<Delivered> all = whole.read();
        ASSERT_EQ(whole.rc, MR_END) << one.sampler << ": " << whole.error;
        for (const Delivered &d : all)
            if (d.rows == one.batch)
                expect_classes(data, one.sampler, d);
        Loader first(config, {"producers=3"});
        size_t stop = all.size() / 2;
        EXPECT_EQ(first.read(stop), std::vector<Delivered>(all.begin(), all.begin() + (long)stop));
        std::string state = first.state();
        Loader second(config, {"producers=2", "slots=2"}, state.c_str());
        EXPECT_EQ(second.read(), std::vector<Delivered>(all.begin() + (long)stop, all.end()))
            << one.sampler;
    }
}

TEST(LoaderSamplers, AnEpochHasEverySampleOnceWhereThatIsPromised)
{
    Data data;
    for (const Case &one : {cases[2], cases[4]}) {
        Loader l(data.config(one.sampler, one.batch));
        std::map<uint64_t, std::set<uint64_t>> seen;
        for (const Delivered &d : l.read())
            for (uint64_t id : d.ids)
                EXPECT_TRUE(seen[d.epoch].insert(id).second) << one.sampler;
        EXPECT_EQ(seen.size(), 3u);
        for (auto &[epoch, ids] : seen)
            EXPECT_EQ(ids.size(), 45u) << one.sampler;
    }
}

TEST(LoaderSamplers, WhatStandsInForABadFileIsOfItsClass)
{
    Data data(7);
    ASSERT_EQ(data.bad.size(), 7u);
    for (const Case &one : cases) {
        Loader l(data.config(one.sampler, one.batch), {"max_bad=100%"});
        std::vector<Delivered> all = l.read();
        ASSERT_EQ(l.rc, MR_END) << one.sampler << ": " << l.error;
        for (const Delivered &d : all) {
            EXPECT_EQ(d.valid, d.rows);
            for (uint64_t id : d.ids)
                EXPECT_EQ(data.bad.count(id), 0u) << d;
            if (d.rows == one.batch)
                expect_classes(data, one.sampler, d);
        }
    }
}

TEST(LoaderSamplers, AStateIsRefusedWhenTheFileOfWeightsHasChanged)
{
    Data data;
    std::string config = data.config("weighted, weights: " + data.tree.path("weights.txt"), 8);
    Loader a(config), b(data.config("weighted, by: weight", 8));
    std::vector<Delivered> rows = a.read(2);
    EXPECT_EQ(rows.at(1).ids, b.read(2).at(1).ids) << "the file and the column say the same";
    std::string state = a.state();
    EXPECT_EQ(Loader(config, {}, state.c_str()).rc, MR_OK);
    std::filesystem::copy_file(data.tree.path("weights.txt"), data.tree.path("old.txt"));
    std::string text = "7";
    for (int i = 1; i < 45; i++)
        text += "\n1";
    data.tree.file("weights.txt", text);
    Loader changed(config, {}, state.c_str());
    EXPECT_EQ(changed.rc, MR_E_CONFIG);
    EXPECT_NE(changed.error.find("the file that the sampler reads has changed"), std::string::npos)
        << changed.error;
    std::string moved = data.config("weighted, weights: " + data.tree.path("old.txt"), 8);
    EXPECT_EQ(Loader(moved, {}, state.c_str()).rc, MR_OK) << "its name does not matter";
}

TEST(LoaderSamplers, WhatDoesNotFitTheDataIsRefusedAtItsPlace)
{
    Data data;
    data.tree.file("bad.txt", "1\n2\nmany\n");
    const std::string place = "test.yaml:6:17: error: ", file = data.tree.path("bad.txt");
    const struct {
        std::string sampler, says;
        int batch;
    } wrong[] = {
        {"pk, p: 2, k: 3",
         place + "'batch.size' is 8, but 2 classes ('sampler.p') of 3 samples ('sampler.k') are 6 "
                 "rows: make them the same",
         8},
        {"pk, p: 1, k: 8, by: site",
         place + "'sampler.by' is 'site', and the data set has no such column; it has image, "
                 "label, weight",
         8},
        {"pk, p: 2, k: 12",
         place + "class 'cow' (label 2) has 9 samples, less than 'sampler.k', 12: make it smaller, "
                 "or say 'small: skip' to leave such classes out or 'small: repeat' to take their "
                 "samples more than once",
         24},
        {"weighted, by: weight, replacement: false, length: 45",
         place + "'sampler.length' is 45, but with 'replacement: false' only 21 of 45 samples can "
                 "come: those with a weight above 0",
         8},
        {"weighted, weights: " + file,
         file + ":3: error: a weight is a finite number of 0 or more, not 'many'", 8},
    };
    for (const auto &one : wrong) {
        Loader l(data.config(one.sampler, one.batch));
        EXPECT_EQ(l.rc, MR_E_CONFIG);
        EXPECT_EQ(l.error, one.says);
    }
}
