// SPDX-License-Identifier: Apache-2.0
//
// The samplers that make lists: subset, repeat_augment, bucket.
#include "sampler_testing.hpp"
#include "temp_tree.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace
{

using Samples = std::vector<uint64_t>;

Samples sorted(Samples v)
{
    std::sort(v.begin(), v.end());
    return v;
}

// What opening a subset of 60 samples says about a file's text.
std::string subset_error(const std::string &text, int expected = MR_E_CONFIG)
{
    TempTree t;
    NumberIndex index(60, {});
    t.file("list.txt", text);
    ConfiguredSampler s("type: subset, file: " + t.path("list.txt"), index.index);
    EXPECT_EQ(s.rc, expected);
    std::string error = s.e.text;
    size_t at = error.find(t.root.string() + "/");
    return at == std::string::npos ? error : error.erase(at, t.root.string().size() + 1);
}

} // namespace

// ---- subset -------------------------------------------------------------------------------------

TEST(Subset, GivesTheFilesSamplesInItsOrder)
{
    TempTree t;
    NumberIndex index(60, {});
    t.file("list.txt", "# a fold\n7\n\n  3  # the third\r\n59\r\n7\n0");
    std::string file = "type: subset, file: " + t.path("list.txt");
    ConfiguredSampler s(file + ", shuffle: false", index.index);
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_EQ(s.epoch(0), (Samples{7, 3, 59, 7, 0}));
    EXPECT_EQ(s.epoch(5), s.epoch(0));
    ConfiguredSampler shuffled(file, index.index);
    EXPECT_EQ(sorted(shuffled.epoch(0)), (Samples{0, 3, 7, 7, 59}));
    std::set<Samples> orders;
    for (uint64_t epoch = 0; epoch < 10; epoch++)
        orders.insert(shuffled.epoch(epoch));
    EXPECT_GT(orders.size(), 5u);
    for (uint64_t position = 0; position < 200; position++)
        EXPECT_TRUE(
            std::set<uint64_t>({0, 3, 7, 59}).count(shuffled.substitute(0, position % 5, 1)))
            << "a substitute is of the subset";
}

TEST(Subset, NumbersCountFromThePartThatItHas)
{
    TempTree t;
    NumberIndex index(100, {});
    t.file("list.txt", "0\n9\n");
    ConfiguredSampler s("type: subset, shuffle: false, file: " + t.path("list.txt"), index.index,
                        {42, 4, 50, 10});
    EXPECT_EQ(s.epoch(0), (Samples{50, 59}));
    t.file("list.txt", "10\n");
    ConfiguredSampler out("type: subset, file: " + t.path("list.txt"), index.index,
                          {42, 4, 50, 10});
    EXPECT_EQ(out.rc, MR_E_CONFIG);
}

// Golden: saved states depend on it.
TEST(Subset, IsFrozen)
{
    TempTree t;
    NumberIndex index(60, {});
    t.file("list.txt", "10\n11\n12\n13\n14\n15\n16\n17\n");
    ConfiguredSampler s("type: subset, file: " + t.path("list.txt"), index.index);
    EXPECT_EQ(s.epoch(3), (Samples{17, 16, 13, 14, 15, 11, 10, 12}));
}

TEST(Subset, ItsHashIsOfTheNumbers)
{
    TempTree t;
    NumberIndex index(60, {});
    auto hash = [&](const std::string &text) {
        t.file("list.txt", text);
        ConfiguredSampler s("type: subset, file: " + t.path("list.txt"), index.index);
        return s.desc->hash(s.self);
    };
    uint64_t h = hash("1\n2\n");
    EXPECT_EQ(hash("# other words\n1\n\n2"), h);
    EXPECT_NE(hash("2\n1\n"), h);
    EXPECT_NE(hash("1\n"), h);
    EXPECT_NE(h, 0u);
}

TEST(Subset, ErrorsNameFileAndLine)
{
    EXPECT_EQ(subset_error("1\n2x\n"),
              "list.txt:2: error: '2x' is no sample number: a line holds one number from 0, and "
              "what is behind a '#' is a comment");
    EXPECT_EQ(subset_error("\n\n-1\n").substr(0, 25), "list.txt:3: error: '-1' i");
    EXPECT_EQ(subset_error("1 2\n").substr(0, 26), "list.txt:1: error: '1 2' i");
    EXPECT_EQ(subset_error("0x10\n").substr(0, 27), "list.txt:1: error: '0x10' i");
    EXPECT_EQ(subset_error("59\n60\n"),
              "list.txt:2: error: there is no sample 60: the data set's are 0 to 59");
    EXPECT_EQ(subset_error("99999999999999999999999999\n"),
              "list.txt:1: error: there is no sample 99999999999999999999999999: the data set's "
              "are 0 to 59");
    EXPECT_EQ(subset_error("18446744073709551616\n").substr(0, 30),
              "list.txt:1: error: there is no")
        << "2^64 is not 0";
    EXPECT_EQ(subset_error("# nothing\n\n"),
              "list.txt:2: error: the list has no sample in it: write one number per line");
    EXPECT_EQ(subset_error(""),
              "list.txt:1: error: the list has no sample in it: write one number per line");
    EXPECT_EQ(subset_error(std::string("1\n2\0\n", 5)).substr(0, 20), "list.txt:2: error: '");
    NumberIndex index(60, {});
    ConfiguredSampler folder("type: subset, file: /tmp", index.index);
    EXPECT_EQ(folder.rc, MR_E_IO);
    EXPECT_STREQ(folder.e.text, "the list of samples '/tmp' is not a file");
}

// ---- repeat_augment -----------------------------------------------------------------------------

TEST(RepeatAugment, CopiesStandBesideEachOtherInABatch)
{
    NumberIndex index(100, {});
    ConfiguredSampler s("type: repeat_augment, repeats: 4", index.index, {42, 12});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_EQ(s.length(), 400u);
    Samples order = s.epoch(0);
    std::set<uint64_t> seen;
    for (size_t i = 0; i < order.size(); i += 4) {
        for (size_t k = 1; k < 4; k++)
            EXPECT_EQ(order[i + k], order[i]);
        EXPECT_TRUE(seen.insert(order[i]).second);
    }
    EXPECT_EQ(seen.size(), 100u);
    EXPECT_NE(s.epoch(1), order);
}

// World = repeats: the ranks of one step have the same samples, each its own copy.
TEST(RepeatAugment, CopiesAreSpreadOverNeighbouringBatches)
{
    for (uint64_t samples : {96, 100, 7}) {
        NumberIndex index(samples, {});
        ConfiguredSampler s("type: repeat_augment, repeats: 3, within: epoch", index.index,
                            {42, 8});
        ASSERT_EQ(s.rc, MR_OK) << s.e.text;
        Samples order = s.epoch(2);
        ASSERT_EQ(order.size(), 3 * samples);
        std::map<uint64_t, int> times;
        for (uint64_t sample : order)
            times[sample]++;
        EXPECT_EQ(times.size(), samples);
        for (auto [sample, n] : times)
            EXPECT_EQ(n, 3) << sample;
        for (size_t round = 0; round < samples / 8; round++)
            for (size_t i = 0; i < 8; i++)
                for (size_t copy = 1; copy < 3; copy++)
                    EXPECT_EQ(order[24 * round + 8 * copy + i], order[24 * round + i]);
    }
}

TEST(RepeatAugment, ALengthLikeDeitsSeesAnotherPartEachEpoch)
{
    NumberIndex index(99, {});
    ConfiguredSampler s("type: repeat_augment, repeats: 3, within: epoch, length: 99", index.index,
                        {42, 11});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    Samples first = s.epoch(0), second = s.epoch(1);
    EXPECT_EQ(first.size(), 99u);
    std::set<uint64_t> a(first.begin(), first.end()), b(second.begin(), second.end());
    EXPECT_EQ(a.size(), 33u);
    EXPECT_EQ(b.size(), 33u);
    EXPECT_NE(a, b);
}

TEST(RepeatAugment, RefusesWhatDoesNotFit)
{
    NumberIndex index(100, {});
    ConfiguredSampler split("type: repeat_augment, repeats: 3", index.index, {42, 64});
    EXPECT_EQ(split.rc, MR_E_CONFIG);
    EXPECT_STREQ(split.e.text,
                 "'batch.size: 64' is no multiple of 'sampler.repeats: 3', so that the copies of a "
                 "sample would lie in two batches: change one of them, or choose 'within: epoch'");
    ConfiguredSampler once("type: repeat_augment, repeats: 1", index.index, {42, 64});
    EXPECT_EQ(once.rc, MR_OK);
    EXPECT_EQ(once.length(), 100u);
    ConfiguredSampler longer("type: repeat_augment, repeats: 2, length: 201", index.index, {42, 4});
    EXPECT_EQ(longer.rc, MR_E_CONFIG);
    EXPECT_STREQ(longer.e.text, "'sampler.length: 201' is more than there is in an epoch: 100 "
                                "samples, each 2 times, are 200");
    ConfiguredSampler none("type: repeat_augment, repeats: 0", index.index, {42, 4});
    EXPECT_EQ(none.rc, MR_E_CONFIG);
    EXPECT_NE(std::string(none.e.text).find("'sampler.repeats' is 0; allowed is"),
              std::string::npos)
        << none.e.text;
}

// ---- bucket -------------------------------------------------------------------------------------

namespace
{

const std::vector<double> widths = {640, 320, 1024, 500, 333, 640, 240, 800, 640, 375};
const std::vector<double> heights = {480, 240, 768, 375, 500, 640, 320, 600, 427, 500};

NumberIndex sized(uint64_t samples)
{
    return NumberIndex(samples, {{"width", widths}, {"height", heights}});
}

// Every whole batch of one bucket, every sample once.
void expect_batches_of_one_bucket(ConfiguredSampler &s, size_t batch, size_t whole,
                                  const std::function<int(uint64_t)> &bucket)
{
    Samples order = s.epoch(0), all;
    std::set<int> buckets;
    for (size_t i = 0; i < whole * batch; i++) {
        EXPECT_EQ(bucket(order[i]), bucket(order[i / batch * batch])) << "position " << i;
        buckets.insert(bucket(order[i]));
    }
    for (size_t i = whole * batch + 1; i < order.size(); i++)
        EXPECT_LE(bucket(order[i - 1]), bucket(order[i])) << "what is left comes bucket by bucket";
    for (uint64_t i = 0; i < order.size(); i++)
        all.push_back(i);
    EXPECT_EQ(sorted(order), all);
    EXPECT_GT(buckets.size(), 1u);
}

} // namespace

TEST(Bucket, BatchesAreOfOneBucketOfAColumn)
{
    NumberIndex index = sized(1003);
    ConfiguredSampler s("type: bucket, by: width, edges: [330, 640]", index.index, {42, 16});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    auto bucket = [&](uint64_t sample) {
        int64_t w = index.whole("width", sample);
        return (w >= 330) + (w >= 640);
    };
    size_t whole = 0;
    for (int k = 0; k < 3; k++) {
        size_t n = 0;
        for (uint64_t i = 0; i < 1003; i++)
            n += bucket(i) == k;
        whole += n / 16;
    }
    expect_batches_of_one_bucket(s, 16, whole, bucket);
    EXPECT_NE(s.epoch(1), s.epoch(0));
    auto kinds = [&](const Samples &order) {
        std::vector<int> v;
        for (size_t g = 0; g < whole; g++)
            v.push_back(bucket(order[16 * g]));
        return v;
    };
    EXPECT_NE(kinds(s.epoch(1)), kinds(s.epoch(0))) << "batches are shuffled";
    for (uint64_t position = 0; position < 200; position++)
        EXPECT_EQ(bucket(s.substitute(1, position, 2)), bucket(s.at(1, position)));
}

TEST(Bucket, AspectIsWidthByHeight)
{
    NumberIndex index = sized(400);
    ConfiguredSampler s("type: bucket, by: aspect, edges: [1, 1.4]", index.index, {42, 8});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    auto bucket = [&](uint64_t sample) {
        double a = double(index.whole("width", sample)) / double(index.whole("height", sample));
        return (a >= 1) + (a >= 1.4);
    };
    expect_batches_of_one_bucket(s, 8, (120 / 8) + (240 / 8) + (40 / 8), bucket);
}

// Ten sizes, ten equal shares: each is a bucket of its own.
TEST(Bucket, EdgesAreFoundFromTheSamples)
{
    NumberIndex index(1000, {{"size", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}}});
    ConfiguredSampler s("type: bucket, by: size, buckets: 10", index.index, {42, 10});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    expect_batches_of_one_bucket(s, 10, 100,
                                 [&](uint64_t i) { return int(index.whole("size", i)); });
    ConfiguredSampler two("type: bucket, by: size, buckets: 2", index.index, {42, 10});
    expect_batches_of_one_bucket(two, 10, 100,
                                 [&](uint64_t i) { return int(index.whole("size", i) >= 6); });
}

// 10 samples of one size make a batch of their own, however many buckets the others would fill.
TEST(Bucket, EqualSamplesAreNotParted)
{
    std::vector<double> most(100, 500);
    most[0] = 100;
    NumberIndex index(1000, {{"width", most}, {"height", {300}}});
    for (const char *by : {"width", "[width, height]", "aspect"}) {
        ConfiguredSampler s(std::string("type: bucket, buckets: 50, by: ") + by, index.index,
                            {42, 10});
        ASSERT_EQ(s.rc, MR_OK) << s.e.text;
        Samples order = s.epoch(0);
        for (size_t i = 0; i < order.size(); i++)
            EXPECT_EQ(index.whole("width", order[i]), index.whole("width", order[i / 10 * 10]))
                << by << ", position " << i;
    }
}

TEST(Bucket, TwoColumnsMakeBucketsOfLikeSizes)
{
    NumberIndex index = sized(2000);
    ConfiguredSampler s("type: bucket, buckets: 9", index.index, {42, 20});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    ConfiguredSampler none("type: shuffle", index.index, {42, 20});
    auto padding =
        [&](ConfiguredSampler &sampler) { // pixels of the smallest frame round each batch
            Samples order = sampler.epoch(0);
            double framed = 0, own = 0;
            for (size_t i = 0; i < order.size(); i += 20) {
                int64_t w = 0, h = 0;
                for (size_t k = 0; k < 20; k++) {
                    w = std::max(w, index.whole("width", order[i + k]));
                    h = std::max(h, index.whole("height", order[i + k]));
                    own += double(index.whole("width", order[i + k])) *
                           double(index.whole("height", order[i + k]));
                }
                framed += 20.0 * double(w) * double(h);
            }
            return framed / own;
        };
    EXPECT_LT(padding(s), 1.4);
    EXPECT_GT(padding(none), 2.0);
    EXPECT_EQ(sorted(s.epoch(0)), sorted(none.epoch(0)));
}

TEST(Bucket, FewerSamplesThanABatchAreOnePiece)
{
    NumberIndex index = sized(7);
    ConfiguredSampler s("type: bucket, by: width, buckets: 3", index.index, {42, 16});
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_EQ(sorted(s.epoch(0)), (Samples{0, 1, 2, 3, 4, 5, 6}));
}

// Golden: saved states depend on it.
TEST(Bucket, IsFrozen)
{
    NumberIndex index = sized(20);
    ConfiguredSampler s("type: bucket, by: width, buckets: 3", index.index, {42, 4});
    EXPECT_EQ(s.epoch(3),
              (Samples{16, 11, 1, 6, 2, 15, 0, 7, 8, 17, 10, 18, 13, 19, 3, 9, 14, 4, 12, 5}));
}

TEST(Bucket, RefusesWhatIsNoSize)
{
    auto error = [](const std::string &braces, const NumberIndex &index) {
        ConfiguredSampler s("type: bucket, " + braces, index.index);
        EXPECT_EQ(s.rc, MR_E_CONFIG) << braces;
        return std::string(s.e.text);
    };
    NumberIndex index = sized(10), bare(10, {});
    EXPECT_EQ(error("by: depth", index),
              "'sampler.by' is 'depth', and the data set has no such column; it has image, width, "
              "height");
    EXPECT_NE(error("by: aspect", bare).find("'width'"), std::string::npos);
    EXPECT_NE(error("by: image", index).find("one number per sample"), std::string::npos);
    EXPECT_NE(error("by: [width, height], edges: [3]", index).find("'edges' cut one number"),
              std::string::npos);
    EXPECT_NE(error("by: width, edges: [3, 3]", index).find("must rise: 3 comes behind 3"),
              std::string::npos);
    EXPECT_NE(error("by: [width, height, width]", index).find("one column or two"),
              std::string::npos);
    EXPECT_NE(error("by: [aspect, width]", index).find("stands alone"), std::string::npos);
    NumberIndex flat(10, {{"width", {640, 640, 640, 100}}, {"height", {480, 480, 480, 0}}});
    EXPECT_EQ(error("by: aspect", flat), "sample 3, '3.jpg' belongs to no bucket: its 'width' is "
                                         "100, its 'height' 0");
    NumberIndex nan(10, {{"width", {1, 2, NAN}, false}});
    EXPECT_EQ(error("by: width", nan), "sample 2, '2.jpg' belongs to no bucket: its 'width' is "
                                       "nan");
}
