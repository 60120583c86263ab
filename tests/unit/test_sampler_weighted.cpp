// SPDX-License-Identifier: Apache-2.0
#include "sample_set.hpp"
#include "temp_tree.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <sys/stat.h>

namespace
{

SampleSet weighing(const std::vector<double> &weight)
{
    return {std::vector<int64_t>(weight.size(), 0), weight};
}

std::vector<double> count(TestSampler &s, uint64_t n, uint64_t epochs)
{
    std::vector<double> seen(n);
    for (uint64_t epoch = 0; epoch < epochs; epoch++)
        for (uint64_t sample : s.epoch(epoch))
            seen.at(sample)++;
    return seen;
}

// What each sample is due of `draws`, as chi_square() takes it: those due nothing must have had
// nothing, and are left out of both.
void drop_zeros(std::vector<double> *seen, std::vector<double> *due)
{
    std::vector<double> s, d;
    for (size_t i = 0; i < due->size(); i++) {
        if ((*due)[i] > 0) {
            s.push_back((*seen)[i]);
            d.push_back((*due)[i]);
        } else {
            EXPECT_EQ((*seen)[i], 0) << "sample " << i << " has the weight 0";
        }
    }
    *seen = s;
    *due = d;
}

std::vector<double> due(const std::vector<double> &weight, double draws)
{
    double sum = std::accumulate(weight.begin(), weight.end(), 0.0);
    std::vector<double> all;
    for (double w : weight)
        all.push_back(draws * w / sum);
    return all;
}

std::string refused(const std::vector<double> &weight, const std::string &options)
{
    TestSampler s(weighing(weight), options);
    EXPECT_LT(s.rc, 0) << options;
    return s.error;
}

} // namespace

TEST(Weighted, DrawsFollowTheWeights)
{
    std::vector<double> weight = {3, 0, 1, 0.5, 10, 1e-3, 7, 7, 0, 2.25};
    TestSampler s(weighing(weight), "type: weighted, by: weight, length: 200000");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    std::vector<double> seen = count(s, weight.size(), 1), want = due(weight, 200000);
    drop_zeros(&seen, &want);
    EXPECT_LT(chi_square(seen, want), 29.9) << "7 degrees: 1 in 10,000";
}

TEST(Weighted, DrawsFollowAThousandWeights)
{
    std::vector<double> weight;
    for (int i = 0; i < 1000; i++)
        weight.push_back(i % 10 == 3 ? 0 : 1 + (i * 7919) % 101);
    TestSampler s(weighing(weight), "type: weighted, by: weight, length: 200000");
    std::vector<double> seen = count(s, weight.size(), 2), want = due(weight, 4e5);
    drop_zeros(&seen, &want);
    EXPECT_LT(chi_square(seen, want), 1063) << "899 degrees: 1 in 10,000";
}

TEST(Weighted, WeightsMayLieFarApart)
{
    std::vector<double> weight = {1e-300, 1e300, 1e-320, 1e300, 0};
    TestSampler s(weighing(weight), "type: weighted, by: weight, length: 20000");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    std::vector<double> seen = count(s, 5, 1);
    EXPECT_NEAR(seen[1], 10000, 5 * std::sqrt(5000));
    EXPECT_EQ(seen[1] + seen[3], 20000);
    TestSampler once(weighing(weight), "type: weighted, by: weight, replacement: false");
    std::vector<uint64_t> order = once.epoch(0);
    EXPECT_EQ(std::set<uint64_t>(order.begin(), order.end()), (std::set<uint64_t>{0, 1, 2, 3}));
    TestSampler largest(weighing({1.7e308, 1.7e308, 1.7e308}), "type: weighted, by: weight");
    EXPECT_EQ(largest.rc, MR_OK) << largest.error << ": their sum overflows";
    TestSampler one(weighing({0.25}), "type: weighted, by: weight, length: 3");
    EXPECT_EQ(one.epoch(7), (std::vector<uint64_t>{0, 0, 0}));
}

TEST(Weighted, BalanceMakesEveryClassAsLikely)
{
    SampleSet set = sized({900, 90, 9, 1});
    TestSampler s(set, "type: weighted, balance: label, length: 40000");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    std::vector<double> seen(4);
    for (uint64_t sample : s.epoch(0))
        seen.at((size_t)set.label[sample])++;
    EXPECT_LT(chi_square(seen, {10000, 10000, 10000, 10000}), 21.1) << "3 degrees: 1 in 10,000";
}

TEST(Weighted, AFileAndAColumnOfTheSameWeightsGiveTheSameDraws)
{
    TempTree tree;
    tree.file("w", "0.5\n 2 \r\n0\n1e0\n+3.25"); // no newline at the end
    std::vector<double> weight = {0.5, 2, 0, 1, 3.25};
    for (const char *more : {"", ", replacement: false"}) {
        TestSampler column(weighing(weight), std::string("type: weighted, by: weight") + more);
        TestSampler file(weighing(weight), "type: weighted, weights: " + tree.path("w") + more);
        ASSERT_EQ(file.rc, MR_OK) << file.error;
        for (uint64_t epoch = 0; epoch < 5; epoch++)
            EXPECT_EQ(file.epoch(epoch), column.epoch(epoch));
    }
    tree.file("w", "1\n1\n1\n1\n1\n\n");
    TestSampler empty_line(weighing(weight), "type: weighted, weights: " + tree.path("w"));
    EXPECT_EQ(empty_line.rc, MR_OK) << empty_line.error;
}

TEST(Weighted, LengthIsTheSetsSizeOrWhatIsAsked)
{
    std::vector<double> weight = {1, 2, 0, 3};
    TestSampler usual(weighing(weight), "type: weighted, by: weight");
    EXPECT_EQ(usual.length(), 4u);
    TestSampler longer(weighing(weight), "type: weighted, by: weight, length: 1000000000000");
    EXPECT_EQ(longer.length(), 1000000000000u);
    for (uint64_t i : {uint64_t(0), uint64_t(3)})
        EXPECT_EQ(longer.at(0, i), usual.at(0, i));
    EXPECT_LT(longer.at(1u << 30, 999999999999u), 4u);
    TestSampler once(weighing(weight), "type: weighted, by: weight, replacement: false");
    EXPECT_EQ(once.length(), 3u) << "those that have a weight";
}

TEST(Weighted, WithoutReplacementEachComesOnceAndZerosNever)
{
    std::vector<double> weight;
    for (int i = 0; i < 3000; i++)
        weight.push_back(i % 3 ? 1 + i % 17 : 0);
    TestSampler s(weighing(weight), "type: weighted, by: weight, replacement: false");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    auto order = s.epoch(5);
    std::set<uint64_t> different(order.begin(), order.end());
    EXPECT_EQ(order.size(), 2000u);
    EXPECT_EQ(different.size(), 2000u);
    for (uint64_t sample : order)
        EXPECT_GT(weight.at(sample), 0);
    TestSampler shorter(weighing(weight),
                        "type: weighted, by: weight, replacement: false, length: 70");
    EXPECT_EQ(shorter.epoch(5), std::vector<uint64_t>(order.begin(), order.begin() + 70));
}

// At the first place a sample comes by its weight; at the second by its weight among the others.
TEST(Weighted, WithoutReplacementThePlacesFollowTheWeights)
{
    std::vector<double> weight = {1, 2, 3, 4, 10}, first(5), second(5), want_second(5);
    TestSampler s(weighing(weight), "type: weighted, by: weight, replacement: false");
    const double epochs = 20000;
    for (uint64_t epoch = 0; epoch < epochs; epoch++) {
        first[s.at(epoch, 0)]++;
        second[s.at(epoch, 1)]++;
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            if (i != j)
                want_second[j] += epochs * weight[i] / 20 * weight[j] / (20 - weight[i]);
    EXPECT_LT(chi_square(first, due(weight, epochs)), 23.5) << "4 degrees: 1 in 10,000";
    EXPECT_LT(chi_square(second, want_second), 23.5);
}

// Rounded to floats, the times of the light ones are all the same.
TEST(Weighted, WithoutReplacementTheOrderIsExactWhereRoundedTimesAreEqual)
{
    std::vector<double> weight(50, 1e-60), last(50);
    weight[7] = 1e5;
    TestSampler s(weighing(weight), "type: weighted, by: weight, replacement: false");
    for (uint64_t epoch = 0; epoch < 4900; epoch++) {
        EXPECT_EQ(s.at(epoch, 0), 7u);
        last[s.at(epoch, 49)]++;
    }
    std::vector<double> want(50, 100);
    want[7] = 0;
    drop_zeros(&last, &want);
    EXPECT_LT(chi_square(last, want), 93.3) << "48 degrees: 1 in 10,000";
}

TEST(Weighted, IsPureAndLooksAtItsPartAlone)
{
    SampleSet set = sized({20, 30, 11});
    for (size_t i = 0; i < set.label.size(); i++)
        set.weight.push_back((double)(1 + i % 5));
    for (const char *options :
         {"type: weighted, by: weight", "type: weighted, balance: label, length: 500",
          "type: weighted, by: weight, replacement: false",
          "type: weighted, balance: label, replacement: false, length: 40"}) {
        expect_pure(set, options);
        expect_part(set, options);
    }
}

// A column of one period: a billion samples take no more than 3.
TEST(Weighted, ABillionSamplesOfAFewWeights)
{
    SampleSet set = weighing({1, 0, 3});
    set.repeated = 1000000001; // weight 1 and 0 once more than 3
    TestSampler s(set, "type: weighted, by: weight");
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 1000000001u);
    std::vector<double> seen(3);
    double sum = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t sample = s.at(1000, s.length() - 1 - i);
        ASSERT_LT(sample, 1000000001u);
        seen[sample % 3]++;
        sum += (double)sample / 1e9;
    }
    EXPECT_EQ(seen[1], 0);
    EXPECT_NEAR(seen[0], 5000, 5 * std::sqrt(5000 * 0.75));
    EXPECT_NEAR(sum, 10000, 5 * std::sqrt(20000 / 12.0)) << "from everywhere";
    set.repeated = 7; // 0 0 0, 1 1, 2 2
    TestSampler few(set, "type: weighted, by: weight, length: 45000");
    EXPECT_LT(chi_square(count(few, 7, 1), {5000, 1e-9, 15000, 5000, 1e-9, 15000, 5000}), 23.5);
    TestSampler once(set, "type: weighted, by: weight, replacement: false");
    std::vector<uint64_t> order = once.epoch(0);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<uint64_t>{0, 2, 3, 5, 6}));
}

// Golden: saved states depend on it.
TEST(Weighted, IsFrozen)
{
    std::vector<double> weight = {3, 0, 1, 0.5, 10, 1e-3, 7, 7, 0, 2.25};
    TestSampler with(weighing(weight), "type: weighted, by: weight");
    EXPECT_EQ(with.epoch(0), (std::vector<uint64_t>{2, 9, 9, 4, 7, 9, 4, 4, 4, 7}));
    EXPECT_EQ(with.epoch(1), (std::vector<uint64_t>{4, 4, 6, 6, 6, 6, 7, 3, 7, 6}));
    TestSampler without(weighing(weight), "type: weighted, by: weight, replacement: false");
    EXPECT_EQ(without.epoch(0), (std::vector<uint64_t>{4, 3, 6, 7, 9, 2, 0, 5}));
    EXPECT_EQ(without.epoch(1), (std::vector<uint64_t>{9, 4, 0, 7, 6, 2, 3, 5}));
}

TEST(Weighted, SubstitutesFollowTheWeightsToo)
{
    std::vector<double> weight = {3, 0, 1, 6};
    for (const char *options :
         {"type: weighted, by: weight", "type: weighted, by: weight, replacement: false"}) {
        TestSampler s(weighing(weight), options);
        std::vector<double> seen(4), want = due(weight, 20000);
        int repeats = 0;
        for (uint64_t position = 0; position < 20000; position++) {
            uint64_t one = s.substitute(3, position, 1, 0);
            ASSERT_EQ(one, s.substitute(3, position, 1, 0));
            seen[one]++;
            repeats += one == s.substitute(3, position, 2, 0);
        }
        drop_zeros(&seen, &want);
        EXPECT_LT(chi_square(seen, want), 18.4) << "2 degrees: 1 in 10,000";
        EXPECT_NEAR(repeats, 20000 * 0.46, 500) << "each attempt draws anew";
    }
}

TEST(WeightedRefuses, WeightsThatAreNone)
{
    EXPECT_EQ(refused({1, 2, -0.5, 1}, "type: weighted, by: weight"),
              "in the column 'weight' of 'sampler.by' sample 2 ('2.jpg') has the weight -0.5: a "
              "weight is "
              "a finite number of 0 or more");
    EXPECT_NE(refused({1, NAN}, "type: weighted, by: weight")
                  .find("sample 1 ('1.jpg') has the "
                        "weight nan"),
              std::string::npos);
    EXPECT_NE(refused({INFINITY, 1}, "type: weighted, by: weight").find("has the weight inf"),
              std::string::npos);
    EXPECT_EQ(refused({0, 0, 0}, "type: weighted, by: weight"),
              "all 3 weights are 0, so there is nothing to choose; one must be above 0");
}

TEST(WeightedRefuses, ColumnsThatAreNotThereOrHoldNoNumber)
{
    EXPECT_EQ(refused({1, 2}, "type: weighted, by: wieght"),
              "'sampler.by' is 'wieght', and the data set has no such column; it has image, label, "
              "boxes, "
              "weight");
    EXPECT_EQ(refused({1, 2}, "type: weighted, by: image"),
              "'sampler.by' is 'image', a column that does not hold one number per sample");
    EXPECT_EQ(refused({1, 2}, "type: weighted, by: boxes"),
              "'sampler.by' is 'boxes', a column that does not hold one number per sample");
    EXPECT_EQ(
        refused({1, 2}, "type: weighted, balance: weight"),
        "'sampler.balance' is 'weight', a column that does not hold one whole number per sample");
}

TEST(WeightedRefuses, ConfigsWithoutOneSourceOfWeights)
{
    const std::string place = "t.yaml:3:17: error: 'weighted': say where the weights come from "
                              "by ";
    const std::string ways = " of 'by: COLUMN', 'weights: FILE' and 'balance: COLUMN'";
    EXPECT_EQ(refused({1}, "type: weighted"), place + "one" + ways);
    EXPECT_EQ(refused({1}, "type: weighted, by: weight, balance: label"),
              place + "just one" + ways);
    EXPECT_NE(refused({1}, "type: weighted, weights: nowhere")
                  .find("'sampler.weights': cannot "
                        "open '"),
              std::string::npos);
}

TEST(WeightedRefuses, LengthsThatCannotBeWithoutReplacement)
{
    EXPECT_EQ(refused({1, 0, 2}, "type: weighted, by: weight, replacement: false, length: 3"),
              "'sampler.length' is 3, but with 'replacement: false' only 2 of 3 samples can come: "
              "those with a "
              "weight above 0");
}

TEST(WeightedRefuses, FilesOfOtherThanAWeightPerSample)
{
    TempTree tree;
    std::string path = tree.path("w.txt"), options = "type: weighted, weights: " + path;
    const struct {
        std::string text, says;
    } cases[] = {
        {"1\n2\nx\n4\n", ":3: error: a weight is a finite number of 0 or more, not 'x'"},
        {"1\n-2\n3\n4\n", ":2: error: a weight is a finite number of 0 or more, not '-2'"},
        {"nan\n2\n3\n4\n", ":1: error: a weight is a finite number of 0 or more, not 'nan'"},
        {"1\n2\n3\n1e999\n", ":4: error: a weight is a finite number of 0 or more, not '1e999'"},
        {"1\n\n3\n4\n", ":2: error: a weight is a finite number of 0 or more, not ''"},
        {"1\n2 3\n4\n5\n", ":2: error: a weight is a finite number of 0 or more, not '2 3'"},
        {std::string("1\n2\0\n3\n4\n", 9),
         ":2: error: a weight is a finite number of 0 or more, not '2'"},
        {"1\n2\n3\n",
         ":3: error: the file has fewer lines than the data set has samples, 4: it needs a "
         "weight for each"},
        {"", ":0: error: the file has fewer lines than the data set has samples, 4: it needs a "
             "weight for "
             "each"},
        {"1\n2\n3\n4\n5\n",
         ":5: error: the file has more lines than the data set has samples, 4: it "
         "needs a weight for each"},
        {"1\n2\n3\n4\n\n5",
         ":5: error: the file has more lines than the data set has samples, 4: it "
         "needs a weight for each"},
    };
    for (const auto &one : cases) {
        tree.file("w.txt", one.text);
        EXPECT_EQ(refused({1, 1, 1, 1}, options), path + one.says);
    }
    tree.file("w.txt", std::string(100000, '7'));
    EXPECT_NE(refused({1}, options).find(":1: error: a weight is"), std::string::npos);
    EXPECT_EQ(refused({1}, "type: weighted, weights: " + tree.root.string()),
              "the weights '" + tree.root.string() + "' are not a file");
    ASSERT_EQ(mkfifo(tree.path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(refused({1}, "type: weighted, weights: " + tree.path("fifo")),
              "the weights '" + tree.path("fifo") + "' are not a file");
}

TEST(Weighted, TheWeightsOfAFileArePartOfTheDataAndNotHowTheyAreWritten)
{
    TempTree tree;
    tree.file("a", "1\n2\n");
    tree.file("b", "1.0\n  2");
    tree.file("c", "1\n3\n");
    auto hash = [&](const std::string &options) {
        TestSampler s(weighing({1, 2}), "type: weighted, " + options);
        EXPECT_EQ(s.rc, MR_OK) << s.error;
        return s.hash();
    };
    EXPECT_NE(hash("weights: " + tree.path("a")), 0u);
    EXPECT_EQ(hash("weights: " + tree.path("a")), hash("weights: " + tree.path("b")));
    EXPECT_NE(hash("weights: " + tree.path("a")), hash("weights: " + tree.path("c")));
    EXPECT_EQ(hash("by: weight"), 0u) << "the index has them";
}
