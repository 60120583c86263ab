// SPDX-License-Identifier: Apache-2.0
//
// Several data sets in one stream, delivered: whose rows, which labels, whatever is killed or
// resumed; and what is refused.
#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

namespace fs = std::filesystem;

namespace
{

#define OPS                                 \
    "ops:\n"                                \
    "  - random_resized_crop: {size: 16}\n" \
    "  - random_horizontal_flip\n"

// Two folders of some of the sample's images: part a has the first two classes, part b the last
// two, of which one is shared.
class Mixture : public ::testing::Test
{
  protected:
    TempTree tree;
    fs::path root = tree.root;
    std::vector<std::string> classes; // of the sample, sorted

    void SetUp() override
    {
        for (const char *part : {"a", "b"})
            fs::create_directories(root / part);
        for (const auto &entry : fs::directory_iterator(MR_SAMPLE "/images"))
            classes.push_back(entry.path().filename());
        std::sort(classes.begin(), classes.end());
        ASSERT_EQ(classes.size(), 3u);
        for (int k = 0; k < 3; k++)
            for (const char *part : {"a", "b"})
                if (k == 1 || (k == 0) == (*part == 'a'))
                    fs::copy(MR_SAMPLE "/images/" + classes[k], root / part / classes[k],
                             fs::copy_options::recursive);
    }
    size_t files(const char *part) const
    {
        size_t n = 0;
        for (const auto &entry : fs::recursive_directory_iterator(root / part))
            n += entry.is_regular_file();
        return n;
    }
    std::string folder(const char *part) const
    {
        return "source: {type: folder, path: " + (root / part).string() + "}";
    }
    std::string config(const std::string &more = "epochs: 4\n") const
    {
        return "version: 1\nseed: 42\n" + more +
               "batch: {size: 10}\n"
               "mixture:\n  of:\n"
               "    - {name: a, share: 0.7, " +
               folder("a") +
               "}\n"
               "    - {name: b, share: 0.3, " +
               folder("b") +
               ", sampler: sequential, "
               "from_epoch: 1, until_epoch: 3}\n" OPS;
    }
};

} // namespace

TEST_F(Mixture, TheRowsOfEachPartAndTheirLabels)
{
    Loader l(config());
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    const uint64_t first_b = files("a");
    mr_batch *batch;
    std::map<uint64_t, std::pair<int, int>> rows; // of a and b, by epoch
    int rc;
    while ((rc = mr_next(l.handle, &batch, 30000)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        Delivered d = describe(batch);
        const mr_tensor *label = mr_field(batch, "label");
        for (int i = 0; i < d.rows; i++) {
            bool b = d.ids[i] >= first_b;
            char *path = mr_sample_path(l.handle, d.ids[i]);
            ASSERT_NE(path, nullptr);
            std::string text = path;
            mr_free(path);
            EXPECT_EQ(text.find((root / (b ? "b" : "a")).string() + "/"), 0u) << text;
            int64_t y = ((const int64_t *)label->data)[i];
            EXPECT_NE(text.find("/" + classes.at((size_t)y) + "/"), std::string::npos) << text;
            (b ? rows[d.epoch].second : rows[d.epoch].first)++;
        }
        if (d.epoch == 1 || d.epoch == 2) {
            EXPECT_EQ(std::count_if(d.ids.begin(), d.ids.end(),
                                    [&](uint64_t id) { return id >= first_b; }),
                      3);
        }
        mr_release(batch);
    }
    ASSERT_EQ(rc, MR_END) << mr_error(l.handle);
    int all = (int)(files("a") + files("b") + 9) / 10 * 10;
    for (uint64_t e : {0, 3})
        EXPECT_EQ(rows[e], std::make_pair(all, 0));
    for (uint64_t e : {1, 2})
        EXPECT_EQ(rows[e], std::make_pair(all * 7 / 10, all * 3 / 10));
    for (int64_t k = 0; k < 3; k++)
        EXPECT_STREQ(mr_class_name(l.handle, (uint64_t)k), classes[(size_t)k].c_str());
}

TEST_F(Mixture, TheSameBytesHoweverItIsMade)
{
    Loader one(config(), {"producers=1"});
    std::vector<Delivered> expected = one.read();
    ASSERT_EQ(one.rc, MR_END) << one.error;
    for (const char *set : {"producers=5", "context=fork", "sandbox=off"}) {
        Loader other(config(), {set});
        EXPECT_EQ(other.read(), expected) << set;
    }
    Loader confined(config(), {"sandbox=require"});
    if (confined.rc == MR_OK) {
        EXPECT_EQ(confined.read(), expected);
    }
}

TEST_F(Mixture, ResumesAnywhereAndRefusesOtherShares)
{
    Loader whole(config());
    std::vector<Delivered> expected = whole.read();
    ASSERT_GE(expected.size(), 20u);
    std::string state;
    for (size_t cut :
         {(size_t)1, expected.size() / 4, expected.size() / 2 + 1, expected.size() - 1}) {
        Loader first(config(), {"producers=2"});
        std::vector<Delivered> all = first.read(cut);
        state = first.state();
        EXPECT_LT(state.size(), 1024u);
        Loader second(config(), {"producers=1"}, state.c_str());
        ASSERT_EQ(second.rc, MR_OK) << second.error;
        std::vector<Delivered> rest = second.read();
        all.insert(all.end(), rest.begin(), rest.end());
        EXPECT_EQ(all, expected) << cut;
    }
    Loader shares(config(), {"mixture.of.0.share=0.6", "mixture.of.1.share=0.4"}, state.c_str());
    EXPECT_EQ(shares.rc, MR_E_CONFIG);
    Loader stages(config(), {"mixture.of.1.until_epoch=4"}, state.c_str());
    EXPECT_EQ(stages.rc, MR_E_CONFIG);
    Loader sampler(config(), {"mixture.of.1.sampler=shuffle"}, state.c_str());
    EXPECT_EQ(sampler.rc, MR_E_CONFIG);
    Loader renamed(config(), {"mixture.of.1.name=other"}, state.c_str());
    EXPECT_EQ(renamed.rc, MR_OK) << renamed.error;
    fs::remove((*fs::recursive_directory_iterator(root / "b" / classes[2])).path());
    Loader data(config(), {}, state.c_str());
    EXPECT_EQ(data.rc, MR_E_CONFIG);
    EXPECT_NE(data.error.find("of another data set"), std::string::npos) << data.error;
}

// The same file below two roots is two samples; a list names them by their paths.
TEST_F(Mixture, BadSamplesAreReplacedFromTheirPartAndListed)
{
    fs::path bad = (*fs::recursive_directory_iterator(root / "b" / classes[1])).path();
    fs::path good = root / "a" / classes[1] / bad.filename();
    ASSERT_TRUE(fs::exists(good));
    std::ofstream(bad, std::ios::trunc) << "no image";
    fs::path list = root / "bad.csv";
    std::string mix = "version: 1\nepochs: 3\nbatch: {size: 10}\nmixture:\n  of:\n"
                      "    - {name: a, share: 0.5, " +
                      folder("a") +
                      "}\n"
                      "    - {name: b, share: 0.5, " +
                      folder("b") + "}\n" OPS;
    const uint64_t first_b = files("a");
    Loader l(mix, {"bad_list=" + list.string()});
    std::vector<Delivered> expected = l.read();
    ASSERT_EQ(l.rc, MR_END) << l.error;
    for (const Delivered &d : expected)
        EXPECT_EQ(
            std::count_if(d.ids.begin(), d.ids.end(), [&](uint64_t id) { return id >= first_b; }),
            5);
    mr_bad_sample sample = {};
    sample.size = sizeof sample;
    ASSERT_EQ(mr_get_bad_sample(l.handle, 0, &sample), MR_OK);
    EXPECT_EQ(sample.path, bad.string());
    EXPECT_GE(sample.sample, first_b);
    mr_free(sample.path);
    mr_close(&l.handle);
    // Its path alone finds it, in its part and not in the other.
    std::ofstream(list, std::ios::trunc) << "path\n" << bad.string() << "\n";
    Loader again(mix, {"bad_list_in=" + list.string()});
    EXPECT_EQ(again.read(), expected) << again.error;
    for (const std::string &line : again.log)
        EXPECT_EQ(line.find("not in the data set"), std::string::npos) << line;
}

TEST_F(Mixture, ByRepetitionAndAsOneDataSet)
{
    std::string parts =
        "  of:\n    - {name: a, " + folder("a") + "}\n    - {name: b, " + folder("b") + "}\n";
    size_t n = files("a") + files("b");
    Loader all("version: 1\nbatch: {size: 10}\nsampler: sequential\nmixture:\n  by: all\n" + parts +
               OPS);
    std::vector<uint64_t> ids;
    for (const Delivered &d : all.read())
        ids.insert(ids.end(), d.ids.begin(), d.ids.end());
    ASSERT_EQ(ids.size(), n) << all.error;
    for (uint64_t i = 0; i < n; i++)
        EXPECT_EQ(ids[i], i);
    Loader repeat("version: 1\nbatch: {size: 10}\nmixture:\n  by: repeat\n" + parts + OPS,
                  {"mixture.of.0.repeat=2"});
    std::map<uint64_t, int> times;
    for (const Delivered &d : repeat.read())
        for (uint64_t id : d.ids)
            times[id]++;
    ASSERT_EQ(times.size(), n) << repeat.error;
    for (auto &[id, count] : times)
        EXPECT_EQ(count, id < files("a") ? 2 : 1) << id;
}

TEST_F(Mixture, AFolderAndAManifestAndWhatOneOfThemLacks)
{
    std::string mix =
        "version: 1\nepochs: 2\nbatch: {size: 10}\nmixture:\n  of:\n"
        "    - {name: folder, share: 0.5, source: {type: folder, path: " MR_SAMPLE "/images}}\n"
        "    - {name: manifest, share: 0.5, source: {type: manifest, path: " MR_SAMPLE
        "/manifest.csv}}\n" OPS;
    Loader l(mix);
    std::vector<Delivered> all = l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(all.size(), 24u);
    Loader mask(mix, {"fields={image: {}, mask: {}}"});
    EXPECT_EQ(mask.rc, MR_E_CONFIG);
    EXPECT_NE(mask.error.find("part 'folder' of the mixture has no column 'mask' for this field; "
                              "it has image, label"),
              std::string::npos)
        << mask.error;
    Loader empty(mix, {"mixture.of.0.source.path=/proc/self/fdinfo"});
    EXPECT_LT(empty.rc, 0);
    EXPECT_NE(empty.error.find("part 'folder' of the mixture: no image in"), std::string::npos)
        << empty.error;
}

// Samplers of whole batches, batch by batch.
TEST_F(Mixture, WholeBatchesOfAPk)
{
    Loader l("version: 1\nepochs: 2\nbatch: {size: 6}\nmixture:\n  unit: batch\n  of:\n"
             "    - {name: a, share: 0.5, sampler: {type: pk, p: 2, k: 3}, " +
             folder("a") + "}\n    - {name: b, share: 0.5, " + folder("b") + "}\n" OPS);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    const uint64_t first_b = files("a");
    mr_batch *batch;
    int rc, batches[2] = {0, 0};
    while ((rc = mr_next(l.handle, &batch, 30000)) >= 0 && rc != MR_END) {
        if (rc == MR_END_EPOCH)
            continue;
        Delivered d = describe(batch);
        auto b =
            std::count_if(d.ids.begin(), d.ids.end(), [&](uint64_t id) { return id >= first_b; });
        EXPECT_TRUE(b == 0 || b == 6) << d;
        batches[b > 0]++;
        std::map<int64_t, int> labels;
        for (int i = 0; i < 6; i++)
            labels[((const int64_t *)mr_field(batch, "label")->data)[i]]++;
        if (!b) {
            ASSERT_EQ(labels.size(), 2u);
            EXPECT_EQ(labels.begin()->second, 3);
        }
        mr_release(batch);
    }
    EXPECT_EQ(rc, MR_END) << mr_error(l.handle);
    EXPECT_EQ(batches[0], batches[1]);
    Loader rows("version: 1\nbatch: {size: 6}\nmixture:\n  of:\n    - {share: 1, sampler: {type: "
                "pk, p: 2, k: 3}, " +
                folder("a") + "}\n" OPS);
    EXPECT_NE(rows.error.find("'pk' makes whole batches"), std::string::npos) << rows.error;
    Loader odd("version: 1\nbatch: {size: 7}\nmixture:\n  unit: batch\n  of:\n    - {name: a, "
               "share: 1, sampler: {type: pk, p: 2, k: 3}, " +
               folder("a") + "}\n" OPS);
    EXPECT_NE(odd.error.find("part 'a' of the mixture: 'batch.size' is 7"), std::string::npos)
        << odd.error;
}

// A billion samples that are nowhere, beside files.
TEST_F(Mixture, MadeImagesBesideFiles)
{
    std::string mix = "version: 1\nepochs: 0\nbatch: {size: 10}\nmixture:\n  of:\n"
                      "    - {name: files, share: 0.5, " +
                      folder("a") +
                      "}\n    - {name: made, share: 0.5, source: {type: synthetic, samples: "
                      "1000000000, size: 20}}\n" OPS;
    Loader l(mix);
    std::vector<Delivered> all = l.read(3);
    ASSERT_EQ(all.size(), 3u) << l.error;
    uint64_t first_made = files("a");
    for (const Delivered &d : all) {
        EXPECT_EQ(d.valid, 10);
        EXPECT_EQ(std::count_if(d.ids.begin(), d.ids.end(),
                                [&](uint64_t id) { return id >= first_made; }),
                  5);
    }
    // The end of epoch 1000: nothing of what came before is done again.
    std::string state = l.state();
    size_t epoch = state.find("\"epoch\":0");
    ASSERT_NE(epoch, std::string::npos) << state;
    state.replace(epoch, 9, "\"epoch\":1000");
    Loader far(mix, {}, state.c_str());
    ASSERT_EQ(far.rc, MR_OK) << far.error;
    std::vector<Delivered> one = far.read(1);
    ASSERT_EQ(one.size(), 1u) << far.error;
    EXPECT_EQ(one[0].epoch, 1000u);
}
