// SPDX-License-Identifier: Apache-2.0
//
// Bad samples over a whole run: what is counted, listed, replayed and carried in a state, the same
// for any number of producers.
#include "loader_testing.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <unistd.h>

namespace fs = std::filesystem;

namespace
{

// The cells of a bad list that no test here has a comma in.
std::vector<std::vector<std::string>> rows_of(const std::string &text)
{
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row(1);
    bool quoted = false;
    for (char c : text) {
        if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            row.emplace_back();
        else if (c == '\n' && !quoted)
            rows.push_back(row), row.assign(1, "");
        else
            row.back() += c;
    }
    if (!rows.empty())
        rows.erase(rows.begin());
    return rows;
}

class BadList : public ::testing::Test
{
  protected:
    fs::path root, images, list;
    void SetUp() override
    {
        char name[] = "/tmp/millrace-badlist-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root = name;
        images = root / "images";
        list = root / "bad.csv";
        fs::copy(MR_SAMPLE "/images", images, fs::copy_options::recursive);
    }
    void TearDown() override
    {
        fs::remove_all(root);
    }
    std::vector<fs::path> files() const
    {
        std::vector<fs::path> all;
        for (const auto &entry : fs::recursive_directory_iterator(images))
            if (entry.is_regular_file())
                all.push_back(entry.path());
        std::sort(all.begin(), all.end());
        return all;
    }
    std::string config(const std::string &more = "") const
    {
        return main_config(more, "source: {type: folder, path: " + images.string() + "}\n");
    }
    // Every n-th file: cut in the middle, so that it is good where the crop lies above the cut.
    void damage(size_t every)
    {
        std::vector<fs::path> all = files();
        for (size_t i = 0; i < all.size(); i += every)
            fs::resize_file(all[i], fs::file_size(all[i]) / 2);
    }
    static std::string slurp(const fs::path &path)
    {
        std::ifstream f(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(f), {});
    }
    void write_list(const std::string &text) const
    {
        std::ofstream(list) << text;
    }
    std::string out() const
    {
        return "bad_list=" + list.string();
    }
    std::string in() const
    {
        return "bad_list_in=" + list.string();
    }
    static bool said(const Loader &l, const std::string &text)
    {
        return std::any_of(l.log.begin(), l.log.end(), [&](const std::string &line) {
            return line.find(text) != std::string::npos;
        });
    }
};

const char *const kPlaces = "sample,path,cause,epoch,position,attempt,forced\n";

std::string place(uint64_t sample, uint64_t epoch, uint64_t position, int forced = 1)
{
    return std::to_string(sample) + ",,timeout," + std::to_string(epoch) + "," +
           std::to_string(position) + ",0," + std::to_string(forced) + "\n";
}

} // namespace

TEST_F(BadList, HoldsEveryBadSampleForAnyNumberOfProducers)
{
    damage(4);
    std::ofstream(files()[1]) << "no image";
    fs::remove(files()[2]); // gone before the index: not in the data set
    std::string first;
    for (int producers : {1, 2, 4}) {
        Loader l(config("epochs: 2\nmax_bad: 100%\n"),
                 {out(), "producers=" + std::to_string(producers)});
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        fs::path gone = files()[3];
        std::string bytes = slurp(gone);
        fs::remove(gone);
        l.read();
        EXPECT_EQ(l.rc, MR_END) << l.error;
        std::ofstream(gone, std::ios::binary) << bytes;
        std::string text = slurp(list);
        if (first.empty())
            first = text;
        EXPECT_EQ(text, first) << producers;
    }
    std::vector<std::vector<std::string>> rows = rows_of(first);
    ASSERT_GE(rows.size(), 20u);
    std::set<std::string> stages, samples;
    for (const auto &row : rows) {
        ASSERT_EQ(row.size(), 9u);
        EXPECT_EQ(row[1].rfind(images.string(), 0), 0u) << row[1];
        EXPECT_FALSE(row[3].empty());
        EXPECT_EQ(row[4], "data");
        EXPECT_EQ(row[8], "0");
        if (row[7] < "4") // later attempts leave no note
            stages.insert(row[2]);
        samples.insert(row[0]);
    }
    EXPECT_EQ(stages, (std::set<std::string>{"read", "decode"}));
    EXPECT_GT(samples.size(), 10u);
}

TEST_F(BadList, AReplayIsTheRunThatWroteIt)
{
    damage(3);
    for (const char *policy : {"replace", "skip"}) {
        std::string text =
            config("epochs: 2\nmax_bad: 100%\non_error: " + std::string(policy) + "\n");
        Loader first(text, {out(), "producers=2"});
        std::vector<Delivered> want = first.read();
        ASSERT_EQ(first.rc, MR_END) << first.error;
        std::string written = slurp(list);
        ASSERT_GT(rows_of(written).size(), 10u);
        fs::path again = root / "again.csv";
        Loader replay(text, {in(), "max_bad=0", "producers=3", "bad_list=" + again.string()});
        EXPECT_EQ(replay.read(), want) << policy;
        EXPECT_EQ(replay.rc, MR_END) << replay.error;
        EXPECT_EQ(slurp(again), written) << "a replay writes what it was given";
    }
}

TEST_F(BadList, WhatTimeForcedIsRepeatedAtItsPlaceOnly)
{
    std::string text = config("epochs: 2\n");
    std::vector<Delivered> clean = Loader(text).read();
    ASSERT_EQ(clean.size(), 16u);
    write_list(kPlaces + place(clean[1].ids[3], 0, 11) + place(clean[10].ids[0], 1, 16));
    Loader l(text, {in()});
    std::vector<Delivered> got = l.read();
    ASSERT_EQ(l.rc, MR_END) << l.error;
    ASSERT_EQ(got.size(), 16u);
    for (size_t i = 0; i < 16; i++) {
        if (i != 1 && i != 10) {
            EXPECT_EQ(got[i], clean[i]) << i;
        }
    }
    for (size_t row = 0; row < 8; row++)
        EXPECT_EQ(got[1].ids[row] == clean[1].ids[row], row != 3) << row;
    EXPECT_NE(got[10].ids[0], clean[10].ids[0]);
    Loader other(text, {in(), "seed=43"});
    EXPECT_EQ(other.read(), Loader(text, {"seed=43"}).read()) << "another run's places";
    EXPECT_TRUE(said(other, "bad.csv:2:")) << other.log.size();
}

TEST_F(BadList, ALineWithoutAPlaceHoldsEverywhere)
{
    std::vector<fs::path> f = files();
    write_list("path\n" + f[5].string() + "\n\"" + f[30].string() + "\"\n");
    Loader l(config("epochs: 2\nmax_bad: 0\n"), {in()});
    size_t rows = 0;
    for (const Delivered &d : l.read()) {
        rows += (size_t)d.valid;
        for (uint64_t id : d.ids) {
            EXPECT_NE(id, 5u);
            EXPECT_NE(id, 30u);
        }
    }
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(rows, 120u) << "replaced, and not counted against max_bad";
    // A list of data errors from a run with another seed says the same.
    write_list("sample,cause,epoch,position,attempt,forced\n5,data,0,59,0,0\n");
    Loader seed(config("epochs: 1\nmax_bad: 0\non_error: skip\n"), {in(), "seed=99"});
    int valid = 0;
    for (const Delivered &d : seed.read())
        valid += d.valid;
    EXPECT_EQ(valid, 59);
}

TEST_F(BadList, ADataSetThatChangedIsMatchedByPath)
{
    std::vector<fs::path> f = files();
    write_list("sample,path\n10," + f[10].string() + "\n20," + f[20].string() + "\n30,/old/place/" +
               fs::relative(f[30], images).string() + "\n");
    fs::remove(f[0]); // every number moves by one
    fs::remove(f[20]);
    Loader l(config("epochs: 1\nmax_bad: 0\non_error: skip\n"), {in()});
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::vector<uint64_t> left(58, 0);
    for (const Delivered &d : l.read())
        for (uint64_t id : d.ids)
            if (id < left.size())
                left[id]++;
    ASSERT_EQ(l.rc, MR_END) << l.error;
    for (size_t id = 0; id < left.size(); id++)
        EXPECT_EQ(left[id], id != 9) << id; // 10 is 9 now
    EXPECT_TRUE(said(l, "bad.csv:3: this sample is not in the data set (2 such lines"));
}

TEST_F(BadList, ListsThatCannotBeReadAreRefusedWithThePlace)
{
    write_list("sample,path\n1,a\nx,b\n");
    for (const char *context : {"spawn", "fork"}) {
        Loader l(config(), {in(), std::string("context=") + context});
        EXPECT_EQ(l.rc, MR_E_CONFIG);
        EXPECT_NE(l.error.find("bad.csv:3:1: error: 'sample' is a whole number"), std::string::npos)
            << l.error;
    }
    Loader none(config(), {"bad_list_in=/no/where.csv"});
    EXPECT_EQ(none.rc, MR_E_CONFIG);
    Loader unwritable(config(), {"bad_list=/no/where.csv"});
    EXPECT_EQ(unwritable.rc, MR_E_IO);
    EXPECT_NE(unwritable.error.find("bad list"), std::string::npos) << unwritable.error;
}

// ---- the budget ----

TEST_F(BadList, TheBudgetEndsTheRunAtTheSameBatchForAnyNumberOfProducers)
{
    for (const fs::path &f : files())
        if (std::hash<std::string>()(f.filename()) % 4 == 0)
            std::ofstream(f) << "no image";
    std::vector<Delivered> first;
    std::string sentence, listed;
    for (int producers : {1, 2, 4}) {
        Loader l(config("epochs: 1\nmax_bad: 5\n"),
                 {out(), "producers=" + std::to_string(producers)});
        std::vector<Delivered> got = l.read();
        EXPECT_EQ(l.rc, MR_E_DATA);
        std::string error = l.error;
        mr_batch *batch;
        EXPECT_EQ(mr_next(l.handle, &batch, 1000), MR_E_DATA) << "the run stays over";
        if (producers == 1) {
            first = got;
            sentence = error;
            listed = slurp(list);
        }
        EXPECT_EQ(got, first);
        EXPECT_EQ(error, sentence);
        EXPECT_EQ(slurp(list), listed) << "written when the run ended, before it was closed";
    }
    EXPECT_LT(first.size(), 8u);
    for (const char *word : {"more than the 5", "'max_bad: 5'", "the last: '/tmp", "'bad_list'"})
        EXPECT_NE(sentence.find(word), std::string::npos) << sentence;
    EXPECT_GT(rows_of(listed).size(), 5u);
}

TEST_F(BadList, TheBudgetIsPerEpochAndCanBeAShare)
{
    std::vector<fs::path> f = files();
    for (size_t i : {7, 21, 50})
        std::ofstream(f[i]) << "no image";
    std::string text = config("epochs: 3\non_error: skip\n");
    const struct {
        const char *max_bad;
        int rc;
    } cases[] = {{"3", MR_END},     {"2", MR_E_DATA}, {"5%", MR_END},   {"4%", MR_END},
                 {"3%", MR_E_DATA}, {"auto", MR_END}, {"0", MR_E_DATA}, {"100%", MR_END}};
    for (const auto &c : cases) {
        Loader l(text, {std::string("max_bad=") + c.max_bad});
        l.read();
        EXPECT_EQ(l.rc, c.rc) << c.max_bad << ": " << l.error;
    }
    for (const char *wrong : {"-1", "1.5", "101%", "x%", "many", "1e3"}) {
        Loader l(text, {std::string("max_bad=") + wrong});
        EXPECT_EQ(l.rc, MR_E_CONFIG) << wrong;
        EXPECT_NE(l.error.find("'max_bad'"), std::string::npos) << l.error;
    }
}

TEST_F(BadList, FailListsTheRowThatEndedTheRun)
{
    std::vector<fs::path> f = files();
    std::ofstream(f[13]) << "no image";
    Loader l(config("epochs: 1\non_error: fail\n"), {out()});
    l.read();
    EXPECT_EQ(l.rc, MR_E_DATA);
    std::vector<std::vector<std::string>> rows = rows_of(slurp(list));
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0][0], "13");
    EXPECT_EQ(rows[0][1], f[13]);
    mr_bad_sample bad = {};
    bad.size = sizeof bad;
    ASSERT_EQ(mr_get_bad_sample(l.handle, 0, &bad), MR_OK);
    EXPECT_EQ(bad.sample, 13u);
    EXPECT_EQ(bad.code, MR_E_DATA);
    EXPECT_STREQ(bad.stage, "decode");
    EXPECT_STREQ(bad.cause, "data");
    EXPECT_EQ(bad.path, f[13]);
    mr_free(bad.path);
    EXPECT_EQ(mr_get_bad_sample(l.handle, 1, &bad), MR_END);
    // ... and a sample that a list names ends the run just so.
    Loader listed(config("epochs: 1\non_error: fail\n"), {in()});
    listed.read();
    EXPECT_EQ(listed.rc, MR_E_DATA);
    EXPECT_NE(listed.error.find(f[13]), std::string::npos) << listed.error;
}

// ---- states ----

TEST_F(BadList, AStateCarriesTheBudgetAndTheList)
{
    std::vector<fs::path> f = files();
    for (size_t i = 0; i < 12; i++)
        std::ofstream(f[5 * i]) << "no image";
    std::string text = config("epochs: 2\non_error: skip\nmax_bad: 9\n");
    Loader whole(text);
    std::vector<Delivered> all = whole.read();
    ASSERT_EQ(whole.rc, MR_E_DATA);
    ASSERT_GE(all.size(), 3u);
    Loader before(text);
    before.read(2);
    std::string state = before.state();
    Loader resumed(text, {"producers=3"}, state.c_str());
    std::vector<Delivered> rest = resumed.read();
    EXPECT_EQ(resumed.rc, MR_E_DATA);
    EXPECT_EQ(resumed.error, whole.error);
    EXPECT_EQ(rest, std::vector<Delivered>(all.begin() + 2, all.end()));

    write_list("sample\n5\n");
    Loader other(text, {in()}, state.c_str());
    EXPECT_EQ(other.rc, MR_E_CONFIG);
    EXPECT_NE(other.error.find("without 'bad_list_in'"), std::string::npos) << other.error;
    Loader with(text, {in()});
    with.read(2);
    std::string listed = with.state();
    std::vector<Delivered> later = with.read();
    Loader again(text, {in()}, listed.c_str());
    EXPECT_EQ(again.read(), later);
    Loader without(text, {}, listed.c_str());
    EXPECT_EQ(without.rc, MR_E_CONFIG);
    EXPECT_EQ(mr_load_state(with.handle, state.c_str()), MR_E_CONFIG);
}

// A time-out in a batch that was made and not yet delivered when the state was saved.
TEST_F(BadList, ForcedVerdictsOfAStateAreObeyedAndCarriedOn)
{
    std::string text = config("epochs: 2\n");
    std::vector<Delivered> clean = Loader(text).read();
    uint64_t sample = clean[5].ids[1];
    write_list(kPlaces + place(sample, 0, 41));
    std::vector<Delivered> want = Loader(text, {in()}).read();
    ASSERT_FALSE(want[5] == clean[5]);

    Loader before(text);
    before.read(3);
    std::string state = before.state();
    size_t at = state.find("\"forced\":[");
    ASSERT_NE(at, std::string::npos) << state;
    state.insert(at + 10, "[0,41,0," + std::to_string(sample) + ",2,30000,4]");
    for (int producers : {1, 2, 4}) {
        Loader l(text, {"producers=" + std::to_string(producers)}, state.c_str());
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        std::vector<Delivered> got = l.read(1);
        std::string next = l.state();
        EXPECT_NE(next.find("[[0,41,0,"), std::string::npos) << next;
        for (const Delivered &d : l.read(2))
            got.push_back(d);
        EXPECT_NE(l.state().find("\"forced\":[]"), std::string::npos) << "it is behind us";
        EXPECT_NE(l.state().find("\"bad\":1,"), std::string::npos) << l.state();
        for (const Delivered &d : l.read())
            got.push_back(d);
        EXPECT_EQ(got, std::vector<Delivered>(want.begin() + 3, want.end()));
        Loader resumed(text, {}, next.c_str());
        EXPECT_EQ(resumed.read(), std::vector<Delivered>(want.begin() + 4, want.end()));
        // A loader that is under way goes there, too.
        Loader loaded(text);
        loaded.read(7);
        ASSERT_EQ(mr_load_state(loaded.handle, state.c_str()), MR_OK) << mr_error(nullptr);
        EXPECT_EQ(loaded.read(), std::vector<Delivered>(want.begin() + 3, want.end()));
    }
}

// ---- user code ----

namespace
{

int next_message(void *, mr_message *m)
{
    uint64_t position = mr_message_position(m);
    return position == 16 ? MR_END : mr_message_set_i64(m, "index", (int64_t)position);
}

int fill_or_fail(void *, mr_rows *rows)
{
    int64_t index = 0;
    for (int32_t i = 0; i < mr_rows_count(rows); i++) {
        mr_message_get_i64(mr_rows_message(rows, i), "index", &index);
        if (index == 6)
            return mr_rows_fail(rows, MR_E_DATA, "=six is bad");
    }
    return MR_OK;
}

} // namespace

TEST_F(BadList, RowsOfAUsersProducerAreListed)
{
    mr_commander commander = {};
    commander.size = sizeof commander;
    commander.abi = MR_PLUGIN_ABI;
    commander.next = next_message;
    const mr_producer producer = {sizeof producer, MR_PLUGIN_ABI, nullptr,
                                  nullptr,         fill_or_fail,  nullptr};
    for (const char *unit : {"row", "batch"}) {
        std::string text =
            "context: fork\nbatch: {size: 4}\nproducer: {unit: " + std::string(unit) +
            "}\nfields: {x: {dtype: uint8, shape: [3]}}\n";
        Loader l(text, {out()}, nullptr, &commander, &producer);
        ASSERT_EQ(l.rc, MR_OK) << l.error;
        std::vector<Delivered> got = l.read();
        ASSERT_EQ(got.size(), 4u) << l.error;
        bool row = unit[0] == 'r';
        EXPECT_EQ(got[1].valid, row ? 3 : 0);
        std::vector<std::vector<std::string>> rows = rows_of(slurp(list));
        ASSERT_EQ(rows.size(), row ? 1u : 4u);
        EXPECT_EQ(rows.back()[0], row ? "6" : "7");
        EXPECT_EQ(rows[0][2], "fill");
        EXPECT_EQ(rows[0][3], " =six is bad");
        // The list is obeyed before fill is called.
        mr_producer good = producer;
        good.fill = [](void *, mr_rows *) { return (int)MR_OK; };
        Loader replay(text, {in()}, nullptr, &commander, &good);
        EXPECT_EQ(replay.read(), got) << unit;
    }
}
