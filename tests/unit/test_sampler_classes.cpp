// SPDX-License-Identifier: Apache-2.0
// class_balanced, pk and stratified, and the lists of classes that they share.
#include "sample_set.hpp"

extern "C" {
#include "loaders/sampler/class_lists.h"
}

#include <algorithm>
#include <map>
#include <set>

namespace
{

using Order = std::vector<uint64_t>;

std::map<int64_t, int> count_classes(const SampleSet &set, const Order &order, size_t from,
                                     size_t to)
{
    std::map<int64_t, int> counts;
    for (size_t i = from; i < to; i++)
        counts[set.label.at(order.at(i))]++;
    return counts;
}

std::string refused(const SampleSet &set, const std::string &options, uint64_t batch = 4)
{
    TestSampler s(set, options, batch);
    EXPECT_LT(s.rc, 0) << options;
    return s.error;
}

// A few shapes of data sets: equal, skewed, many small classes, one class, single samples.
std::vector<SampleSet> shapes()
{
    std::vector<uint64_t> many;
    for (uint64_t c = 0; c < 97; c++)
        many.push_back(1 + c * 31 % 23);
    return {sized({20, 20, 20}), sized({100, 37, 5, 1}), sized(many),     sized({50}),
            sized({1, 1, 1, 1}), sized({1000, 1, 1}),    sized({64, 64}), sized({7, 5, 3}, false)};
}

} // namespace

// ---- class lists ----

struct Lists {
    TestIndex data;
    mr_class_lists l = {};
    mr_errbuf e = {};
    int rc;
    explicit Lists(SampleSet set, uint64_t first = 0, uint64_t samples = 0)
        : data((set.repeated = samples ? first + samples : 0, set))
    {
        mr_sampler_env env = {&data.index, first, samples ? samples : set.label.size() - first, 42,
                              4};
        rc = mr__class_lists_open(&l, &env, "by", "label", &e);
    }
    ~Lists()
    {
        mr__class_lists_close(&l);
    }
};

TEST(ClassLists, EverySampleIsInTheListOfItsClass)
{
    SampleSet odd = sized({5, 9, 2, 4});
    const int64_t values[] = {-7, INT64_MAX, INT64_MIN, 1000000007};
    for (int64_t &label : odd.label)
        label = values[label];
    std::vector<SampleSet> sets = shapes();
    sets.push_back(odd);
    for (const SampleSet &set : sets) {
        Lists lists(set);
        ASSERT_EQ(lists.rc, MR_OK) << lists.e.text;
        std::set<uint64_t> seen;
        EXPECT_TRUE(std::is_sorted(lists.l.label, lists.l.label + lists.l.classes));
        for (uint64_t c = 0; c < lists.l.classes; c++) {
            EXPECT_GE(lists.l.size[c], 1u);
            for (uint64_t i = 0; i < lists.l.size[c]; i++) {
                uint64_t sample = mr__class_sample(&lists.l, c, i);
                EXPECT_EQ(set.label.at(sample), lists.l.label[c]);
                EXPECT_EQ(mr__class_of(&lists.l, sample), c);
                seen.insert(sample);
            }
        }
        EXPECT_EQ(seen.size(), set.label.size());
    }
}

TEST(ClassLists, SamplesThatStandClassByClassNeedNoList)
{
    EXPECT_EQ(Lists(sized({5, 9, 2}, false)).l.member, nullptr);
    EXPECT_NE(Lists(sized({5, 9, 2}, true)).l.member, nullptr);
    SampleSet again = sized({3, 3}, false);
    again.label.push_back(0);
    EXPECT_NE(Lists(again).l.member, nullptr) << "class 0 comes twice";
}

TEST(ClassLists, AnyTypeOfWholeNumberWillDo)
{
    SampleSet set = sized({3, 4, 5});
    for (mr_dtype type : {MR_U8, MR_I16, MR_U16, MR_I32, MR_I64}) {
        set.label_type = type;
        Lists lists(set);
        ASSERT_EQ(lists.rc, MR_OK) << lists.e.text;
        EXPECT_EQ(lists.l.classes, 3u);
        EXPECT_EQ(lists.l.size[2], 5u);
    }
}

TEST(ClassLists, ErrorsCallAClassByItsName)
{
    SampleSet set = sized({3, 1, 2});
    set.classes = {"cat", "do\ng"};
    Lists lists(set);
    EXPECT_STREQ(mr__class_name(&lists.l, 0).text, "'cat' (label 0)");
    EXPECT_STREQ(mr__class_name(&lists.l, 1).text, "'do\\ng' (label 1)");
    EXPECT_STREQ(mr__class_name(&lists.l, 2).text, "2 of the column 'label'")
        << "there is no such name";
}

// ---- class_balanced ----

TEST(ClassBalanced, EveryRoundHasEveryClassOnce)
{
    for (const SampleSet &set : shapes()) {
        TestSampler s(set, "type: class_balanced");
        ASSERT_EQ(s.rc, MR_OK) << s.error;
        size_t classes = std::set<int64_t>(set.label.begin(), set.label.end()).size();
        Order order = s.epoch(1);
        EXPECT_GE(order.size(), set.label.size());
        EXPECT_LT(order.size(), set.label.size() + classes);
        ASSERT_EQ(order.size() % classes, 0u);
        for (size_t from = 0; from < order.size(); from += classes)
            ASSERT_EQ(count_classes(set, order, from, from + classes).size(), classes);
    }
}

TEST(ClassBalanced, BatchesAndEpochsOfAnyLengthHaveTheClassesAlike)
{
    SampleSet set = sized({100, 37, 5, 1, 60});
    TestSampler s(set, "type: class_balanced, length: 113");
    ASSERT_EQ(s.length(), 113u);
    Order order = s.epoch(2);
    for (auto [label, n] : count_classes(set, order, 0, 113))
        EXPECT_TRUE(n == 22 || n == 23) << "class " << label << ": " << n;
    for (size_t from = 0; from + 10 <= 113; from += 10) // a multiple of the classes
        for (auto [label, n] : count_classes(set, order, from, from + 10))
            EXPECT_EQ(n, 2) << "class " << label;
    for (size_t from = 0; from + 7 <= 113; from += 7)
        for (auto [label, n] : count_classes(set, order, from, from + 7))
            EXPECT_LE(n, 3) << "class " << label;
}

// Over epochs, too: class 0 has 100 samples and 60 visits an epoch.
TEST(ClassBalanced, NoSampleComesAgainBeforeTheOthersOfItsClass)
{
    SampleSet set = sized({100, 37, 5});
    TestSampler s(set, "type: class_balanced, length: 180");
    std::map<int64_t, std::vector<uint64_t>> visits;
    for (uint64_t epoch = 0; epoch < 10; epoch++)
        for (uint64_t sample : s.epoch(epoch))
            visits[set.label[sample]].push_back(sample);
    const size_t sizes[] = {100, 37, 5};
    for (auto &[label, order] : visits) {
        size_t n = sizes[label];
        EXPECT_EQ(order.size(), 600u);
        for (size_t from = 0; from + n <= order.size(); from += n)
            EXPECT_EQ(std::set<uint64_t>(&order[from], &order[from] + n).size(), n);
        EXPECT_NE(Order(&order[0], &order[n]), Order(&order[n], &order[n] + n));
    }
}

TEST(ClassBalanced, ClassesAndSamplesComeInRandomOrder)
{
    SampleSet set = sized({4, 4, 4, 4});
    TestSampler s(set, "type: class_balanced");
    std::vector<double> first_class(4), first_sample(16);
    for (uint64_t epoch = 0; epoch < 8000; epoch++) {
        first_class[(size_t)set.label[s.at(epoch, 0)]]++;
        first_sample[s.at(epoch, 5)]++;
    }
    EXPECT_LT(chi_square(first_class, std::vector<double>(4, 2000)), 21.1) << "3 degrees";
    EXPECT_LT(chi_square(first_sample, std::vector<double>(16, 500)), 44.3) << "15 degrees";
}

// ---- pk ----

TEST(PK, EveryBatchHasPClassesOfKDifferentSamples)
{
    SampleSet set = sized({30, 12, 9, 4, 17, 4, 21}); // 7 classes do not come out even
    TestSampler s(set, "type: pk, p: 3, k: 4", 12);
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    EXPECT_EQ(s.length(), 96u) << "97 samples, down to a multiple of 12";
    std::map<int64_t, int> visits;
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
        Order order = s.epoch(epoch);
        for (size_t from = 0; from < order.size(); from += 12) {
            auto classes = count_classes(set, order, from, from + 12);
            ASSERT_EQ(classes.size(), 3u);
            for (auto [label, n] : classes) {
                ASSERT_EQ(n, 4);
                visits[label]++;
            }
            ASSERT_EQ(std::set<uint64_t>(&order[from], &order[from] + 12).size(), 12u);
            for (size_t i = 0; i < 12; i++) // K of a class stand together
                ASSERT_EQ(set.label[order[from + i]], set.label[order[from + i / 4 * 4]]);
        }
    }
    std::vector<double> seen;
    for (auto [label, n] : visits)
        seen.push_back(n);
    EXPECT_LT(chi_square(seen, std::vector<double>(7, 200.0 * 8 * 3 / 7)), 27.9) << "6 degrees";
}

TEST(PK, ARoundHasEveryClassAndAClassUsesUpItsSamples)
{
    SampleSet set = sized({8, 8, 12, 16, 9, 9});
    TestSampler s(set, "type: pk, p: 2, k: 4, length: 240", 8);
    Order order;
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        Order more = s.epoch(epoch);
        order.insert(order.end(), more.begin(), more.end());
    }
    std::map<int64_t, Order> visits;
    for (size_t from = 0; from < order.size(); from += 24) {
        EXPECT_EQ(count_classes(set, order, from, from + 24).size(), 6u);
        for (size_t i = from; i < from + 24; i++)
            visits[set.label[order[i]]].push_back(order[i]);
    }
    const size_t turn[] = {8, 8, 12, 16, 8, 8}; // samples of whole visits
    for (auto &[label, samples] : visits)
        for (size_t from = 0; from + turn[label] <= samples.size(); from += turn[label])
            EXPECT_EQ(std::set<uint64_t>(&samples[from], &samples[from] + turn[label]).size(),
                      turn[label])
                << "class " << label;
}

TEST(PK, SmallClassesAreLeftOutOrRepeatedAsAsked)
{
    SampleSet set = sized({10, 3, 8, 1});
    TestSampler skip(set, "type: pk, p: 2, k: 4, small: skip", 8);
    ASSERT_EQ(skip.rc, MR_OK) << skip.error;
    EXPECT_EQ(skip.length(), 16u);
    for (uint64_t sample : skip.epoch(0))
        EXPECT_TRUE(set.label[sample] == 0 || set.label[sample] == 2);
    TestSampler repeat(set, "type: pk, p: 4, k: 4, small: repeat", 16);
    ASSERT_EQ(repeat.rc, MR_OK) << repeat.error;
    Order order = repeat.epoch(0);
    ASSERT_EQ(order.size(), 16u);
    std::map<int64_t, std::set<uint64_t>> of;
    for (uint64_t sample : order)
        of[set.label[sample]].insert(sample);
    EXPECT_EQ(of[0].size(), 4u);
    EXPECT_EQ(of[1].size(), 3u) << "each as often as the others, or once more";
    EXPECT_EQ(of[3].size(), 1u);
}

TEST(PKRefuses, WhatDoesNotFit)
{
    SampleSet set = sized({10, 3, 8});
    set.classes = {"cat", "dog", "owl"};
    EXPECT_EQ(refused(set, "type: pk, p: 2, k: 4", 32),
              "'batch.size' is 32, but 2 classes ('sampler.p') of 4 samples ('sampler.k') are 8 "
              "rows: make them the same");
    EXPECT_EQ(refused(set, "type: pk, p: 2, k: 4", 8),
              "class 'dog' (label 1) has 3 samples, less than 'sampler.k', 4: make it smaller, or "
              "say 'small: skip' to leave such classes out or 'small: repeat' to take their "
              "samples more than once");
    EXPECT_EQ(refused(set, "type: pk, p: 2, k: 9, small: skip", 18),
              "'sampler.p' is 2, but 1 class is large enough for 'sampler.k' in the column "
              "'label': a batch needs as many different ones");
    EXPECT_EQ(refused(set, "type: pk, p: 4, k: 2", 8),
              "'sampler.p' is 4, but 3 classes are in the column 'label': a batch needs as many "
              "different ones");
    EXPECT_EQ(refused(set, "type: pk, p: 2, k: 2, length: 1001", 4),
              "'sampler.length' is 1001, which is no multiple of a batch of 4 rows ('sampler.p' "
              "times 'sampler.k')");
    EXPECT_EQ(refused(set, "type: pk, p: 2"),
              "t.yaml:3:17: error: 'sampler.k' is missing: samples of each; `batch.size` must "
              "be p times k");
}

// ---- stratified ----

static void expect_stratified(const SampleSet &set, uint64_t batch, uint64_t epoch)
{
    TestSampler s(set, "type: stratified", batch);
    ASSERT_EQ(s.rc, MR_OK) << s.error;
    Order order = s.epoch(epoch);
    size_t n = set.label.size();
    ASSERT_EQ(order.size(), n);
    ASSERT_EQ(std::set<uint64_t>(order.begin(), order.end()).size(), n) << "each once";
    auto sizes = count_classes(set, order, 0, n);
    for (size_t from = 0; from < n; from += batch) {
        size_t to = std::min(n, from + batch);
        auto counts = count_classes(set, order, from, to);
        for (auto [label, size] : sizes) {
            uint64_t share = (to - from) * (uint64_t)size, low = share / n;
            uint64_t high = low + (share % n != 0);
            ASSERT_TRUE((uint64_t)counts[label] == low || (uint64_t)counts[label] == high)
                << "batch " << from / batch << " of " << batch << ", class " << label << " of "
                << size << " in " << n << ": " << counts[label];
        }
    }
}

TEST(Stratified, EverySampleOnceAndEveryBatchHasEachClassRoundedDownOrUp)
{
    for (const SampleSet &set : shapes())
        for (uint64_t batch : {1, 2, 3, 7, 16, 60, 64, 1000, 65536})
            for (uint64_t epoch : {0, 1000})
                expect_stratified(set, batch, epoch);
}

TEST(Stratified, HoldsForRandomSets)
{
    std::mt19937 random(11);
    for (int i = 0; i < 80; i++) {
        std::vector<uint64_t> sizes(1 + random() % 40);
        for (uint64_t &size : sizes)
            size = 1 + random() % (random() % 4 ? 12 : 400);
        expect_stratified(sized(sizes), 1 + random() % 70, random());
    }
}

TEST(Stratified, SamplesAndRowsAreShuffled)
{
    SampleSet set = sized({6, 3, 3});
    TestSampler s(set, "type: stratified", 4);
    std::vector<double> first(12);
    for (uint64_t epoch = 0; epoch < 6000; epoch++)
        first[s.at(epoch, 5)]++;
    EXPECT_LT(chi_square(first, std::vector<double>(12, 500)), 37.4) << "11 degrees";
}

// 60 classes of one size in batches of 6: any two must meet.
TEST(Stratified, ClassesMeetOthersFromEpochToEpoch)
{
    SampleSet set = sized(std::vector<uint64_t>(60, 2));
    TestSampler s(set, "type: stratified", 6);
    std::set<std::pair<int64_t, int64_t>> met;
    for (uint64_t epoch = 0; epoch < 150; epoch++) {
        Order order = s.epoch(epoch);
        for (size_t i = 0; i < order.size(); i++)
            for (size_t k = i / 6 * 6; k < i; k++)
                met.insert(std::minmax(set.label[order[i]], set.label[order[k]]));
    }
    EXPECT_EQ(met.size(), 60u * 59 / 2);
}

// ---- all of them ----

struct Case {
    const char *options;
    uint64_t batch;
};
static const Case cases[] = {
    {"type: class_balanced", 4}, {"type: class_balanced, length: 77", 4},
    {"type: pk, p: 2, k: 3", 6}, {"type: pk, p: 3, k: 12, small: repeat", 36},
    {"type: stratified", 8},
};

// A column of one period: a billion samples take no more than 10.
TEST(ClassSamplers, TakeAColumnThatRepeatsItselfAsIfItWereWrittenOut)
{
    SampleSet period = sized({5, 2, 3});
    const uint64_t n = 104; // ten times and a part
    SampleSet whole = period;
    for (size_t i = 10; i < n + 3; i++)
        whole.label.push_back(whole.label[i - 10]);
    Lists lists(period, 3, n), written(whole, 3);
    ASSERT_EQ(lists.rc, MR_OK) << lists.e.text;
    ASSERT_EQ(lists.l.classes, written.l.classes);
    EXPECT_EQ(lists.l.by.n, 10u);
    for (uint64_t c = 0; c < 3; c++) {
        ASSERT_EQ(lists.l.size[c], written.l.size[c]);
        std::set<uint64_t> a, b;
        for (uint64_t i = 0; i < lists.l.size[c]; i++) {
            a.insert(mr__class_sample(&lists.l, c, i));
            b.insert(mr__class_sample(&written.l, c, i));
            EXPECT_EQ(mr__class_of(&lists.l, mr__class_sample(&lists.l, c, i)), c);
        }
        EXPECT_EQ(a, b);
    }
}

TEST(ClassSamplers, ABillionSamplesOfTenLabels)
{
    SampleSet set = sized({1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, false);
    set.repeated = 1000000007;
    for (const Case &one : cases) {
        TestSampler s(set, one.options, one.batch);
        ASSERT_EQ(s.rc, MR_OK) << s.error;
        std::set<uint64_t> seen;
        std::map<uint64_t, int> classes;
        for (uint64_t i = 0; i < 720; i++) {
            uint64_t sample = s.at(1000, s.length() < 1000 ? i % s.length() : s.length() - 1 - i);
            ASSERT_LT(sample, 1000000007u);
            seen.insert(sample);
            classes[sample % 10]++;
        }
        EXPECT_GT(seen.size(), 70u);
        EXPECT_EQ(classes.size(), 10u);
    }
}

TEST(ClassSamplers, ArePureAndLookAtTheirPartAlone)
{
    for (const Case &one : cases) {
        expect_pure(sized({20, 30, 11, 6}), one.options, one.batch);
        expect_part(sized({20, 30, 11, 6}), one.options, one.batch);
    }
}

TEST(ClassSamplers, SubstitutesAreOfTheFirstChoicesClass)
{
    SampleSet set = sized({20, 30, 11, 5});
    for (const Case &one : cases) {
        TestSampler s(set, one.options, one.batch); // `at` is never called: a producer's view
        std::vector<double> seen(set.label.size());
        for (uint64_t position = 0; position < 3000; position++) {
            uint64_t first = position % set.label.size();
            for (uint32_t attempt = 1; attempt < 4; attempt++) {
                uint64_t sample = s.substitute(2, position, attempt, first);
                ASSERT_EQ(set.label.at(sample), set.label[first]);
                ASSERT_EQ(sample, s.substitute(2, position, attempt, first));
                seen[sample]++;
            }
        }
        EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0) << "any of the class may come";
    }
}

TEST(ClassSamplers, RefuseAColumnThatIsNotThere)
{
    SampleSet set = sized({20, 30});
    set.weight.assign(50, 1.5);
    for (const Case &one : cases) {
        EXPECT_EQ(
            refused(set, std::string(one.options) + ", by: site", one.batch),
            "'sampler.by' is 'site', and the data set has no such column; it has image, label, "
            "boxes, weight");
        EXPECT_EQ(
            refused(set, std::string(one.options) + ", by: weight", one.batch),
            "'sampler.by' is 'weight', a column that does not hold one whole number per sample");
    }
}

// Golden: saved states depend on it.
TEST(ClassSamplers, AreFrozen)
{
    const struct {
        const char *options;
        Order first, second;
    } golden[] = {
        {"type: class_balanced",
         {0, 1, 11, 9, 10, 8, 6, 2, 4, 7, 2, 3},
         {5, 4, 11, 0, 1, 10, 7, 6, 11, 2, 9, 8}},
        {"type: pk, p: 2, k: 2",
         {2, 10, 0, 7, 3, 8, 11, 2, 11, 2, 6, 1},
         {5, 3, 9, 7, 10, 2, 9, 7, 8, 5, 0, 4}},
        {"type: stratified",
         {1, 8, 10, 9, 7, 11, 6, 0, 2, 3, 5, 4},
         {7, 10, 5, 0, 8, 6, 2, 4, 3, 1, 11, 9}},
    };
    SampleSet set = sized({5, 4, 3});
    for (const auto &one : golden) {
        TestSampler s(set, one.options);
        EXPECT_EQ(s.epoch(0), one.first) << one.options;
        EXPECT_EQ(s.epoch(1), one.second) << one.options;
    }
}
