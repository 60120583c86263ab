// SPDX-License-Identifier: Apache-2.0
//
// A data set without files: more samples than any index could list, and what is said of a sample
// that has no path.
#include "../unit/temp_tree.hpp"
#include "loader_testing.hpp"

#include <fstream>
#include <set>
#include <sstream>

namespace
{

const char billion[] = "source: {type: synthetic, samples: 1000000000, size: [24, 32]}\n";

} // namespace

TEST(LoaderSynthetic, ABillionSamplesAreAnOrdinaryDataSet)
{
    Loader one(main_config("epochs: 0\n", billion), {"producers=1"});
    ASSERT_EQ(one.rc, MR_OK) << one.error;
    mr_stats stats = {};
    stats.size = sizeof stats;
    ASSERT_EQ(mr_get_stats(one.handle, &stats), MR_OK);
    EXPECT_EQ(stats.samples, 1000000000u);
    EXPECT_EQ(mr_sample_path(one.handle, 0), nullptr);
    EXPECT_STREQ(mr_class_name(one.handle, 9), "class 9");
    std::vector<Delivered> first = one.read(6);
    ASSERT_EQ(first.size(), 6u) << one.error;
    for (const Delivered &d : first)
        EXPECT_EQ(d.valid, 8);
    Loader three(main_config("epochs: 0\n", billion), {"producers=3"});
    EXPECT_EQ(three.read(6), first);
    char *dump = mr_dump(three.handle);
    ASSERT_NE(dump, nullptr);
    EXPECT_EQ(std::string(dump).find("''"), std::string::npos) << "an empty path: " << dump;
    mr_free(dump);
}

TEST(LoaderSynthetic, GoesOnInTheThousandthEpoch)
{
    Loader one(main_config("epochs: 0\n", billion));
    ASSERT_EQ(one.rc, MR_OK) << one.error;
    std::string state = one.state();
    auto set = [&](const std::string &key, const std::string &value) {
        size_t at = state.find("\"" + key + "\":");
        ASSERT_NE(at, std::string::npos) << state;
        at += key.size() + 3;
        state.replace(at, state.find(',', at) - at, value);
    };
    set("epoch", "1000");
    set("batch", "124999999");
    Loader far(main_config("epochs: 0\n", billion), {}, state.c_str());
    ASSERT_EQ(far.rc, MR_OK) << far.error;
    std::vector<Delivered> d = far.read(2);
    ASSERT_EQ(d.size(), 2u) << far.error;
    EXPECT_EQ(d[0].epoch, 1000u);
    EXPECT_EQ(d[0].batch, 124999999u) << "the last";
    EXPECT_EQ(d[1].epoch, 1001u);
    EXPECT_EQ(d[1].batch, 0u);
    Loader less(main_config("epochs: 0\n", billion), {"source.samples=999999999"}, state.c_str());
    EXPECT_EQ(less.rc, MR_E_CONFIG);
    EXPECT_NE(less.error.find("another data set"), std::string::npos) << less.error;
}

TEST(LoaderSynthetic, ABadSampleIsNamedByItsNumber)
{
    Loader fails(main_config("epochs: 1\n", billion),
                 {"limits.max_file_bytes=1000", "on_error=fail"});
    ASSERT_EQ(fails.rc, MR_OK) << fails.error;
    fails.read();
    EXPECT_EQ(fails.rc, MR_E_DATA);
    EXPECT_NE(fails.error.find("sample "), std::string::npos) << fails.error;
    EXPECT_NE(fails.error.find("limits.max_file_bytes"), std::string::npos) << fails.error;
    EXPECT_EQ(fails.error.find("''"), std::string::npos) << fails.error;

    Loader decode(main_config("epochs: 1\n", billion), {"limits.max_side=8", "on_error=fail"});
    ASSERT_EQ(decode.rc, MR_OK) << decode.error;
    decode.read();
    EXPECT_EQ(decode.rc, MR_E_DATA);
    EXPECT_NE(decode.error.find("sample "), std::string::npos) << decode.error;
    EXPECT_EQ(decode.error.find("''"), std::string::npos) << decode.error;
}

TEST(LoaderSynthetic, ABadListOfItGoesByNumbers)
{
    TempTree tree;
    std::string list = tree.path("list"), out = tree.path("out");
    std::vector<std::string> small = {"source.samples=40", "epochs=1"};
    std::ofstream(list) << "sample,path,stage,reason,cause,epoch,position,attempt,forced\n"
                           "3,,decode,\"said so\",data,,,,0\n"
                           "11,,decode,\"said so\",data,,,,0\n";
    std::vector<std::string> with = small;
    with.push_back("bad_list_in=" + list);
    with.push_back("on_error=skip");
    Loader l(main_config("", billion), with);
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    std::set<uint64_t> ids;
    for (const Delivered &d : l.read())
        ids.insert(d.ids.begin(), d.ids.end());
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(ids.count(3) + ids.count(11), 0u);
    EXPECT_EQ(ids.size(), 39u) << "38 samples and what stands for none";

    EXPECT_EQ(mr_save_bad_list(l.handle, out.c_str(), MR_BAD_ANYWHERE), MR_OK);
    std::stringstream written;
    written << std::ifstream(out).rdbuf();
    std::string text = written.str();
    EXPECT_NE(text.find("\n3,,"), std::string::npos) << text;
    EXPECT_NE(text.find("\n11,,"), std::string::npos) << text;
    with[2] = "bad_list_in=" + out;
    Loader again(main_config("", billion), with);
    ASSERT_EQ(again.rc, MR_OK) << again.error;
    std::set<uint64_t> same;
    for (const Delivered &d : again.read())
        same.insert(d.ids.begin(), d.ids.end());
    EXPECT_EQ(same, ids);
    for (const std::string &line : again.log)
        EXPECT_EQ(line.find("not in the data set"), std::string::npos) << line;
}
