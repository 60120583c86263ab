// SPDX-License-Identifier: Apache-2.0
//
// Files that kill or hang the built-in decoder: this program has its own jpeg_read_header, which
// does what a comment in the file says. (context: fork, so that producers are copies of this
// program.)
#include "loader_testing.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <dlfcn.h>
#include <unistd.h>

#include <jpeglib.h>

namespace fs = std::filesystem;

extern "C" int jpeg_read_header(j_decompress_ptr info, boolean require_image)
{
    using Real = int (*)(j_decompress_ptr, boolean);
    static Real real = (Real)dlsym(RTLD_NEXT, "jpeg_read_header");
    const char *bytes = (const char *)info->src->next_input_byte;
    std::string head(bytes, std::min<size_t>(info->src->bytes_in_buffer, 24));
    if (head.find("MR:ABRT") != std::string::npos)
        abort();
    if (head.find("MR:SEGV") != std::string::npos)
        *(volatile int *)nullptr = 1;
    while (head.find("MR:HANG") != std::string::npos)
        usleep(10000);
    return real(info, require_image);
}

namespace
{

class Crash : public ::testing::Test
{
  protected:
    fs::path root, images, list;
    std::vector<fs::path> files;

    void SetUp() override
    {
        char name[] = "/tmp/millrace-crash-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root = name;
        images = root / "images";
        list = root / "bad.csv";
        fs::copy(MR_SAMPLE "/images", images, fs::copy_options::recursive);
        for (const auto &entry : fs::recursive_directory_iterator(images))
            if (entry.is_regular_file())
                files.push_back(entry.path());
        std::sort(files.begin(), files.end());
    }
    void TearDown() override
    {
        fs::remove_all(root);
    }
    static std::string slurp(const fs::path &path)
    {
        std::ifstream f(path, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(f), {});
    }
    // Puts the order into a comment behind the file's first marker; returns the sample's number.
    uint64_t poison(size_t from, const std::string &what)
    {
        for (size_t i = from; i < files.size(); i++) {
            std::string bytes = slurp(files[i]);
            if (bytes.compare(0, 2, "\xff\xd8") != 0)
                continue;
            std::string text = "MR:" + what, comment = "\xff\xfe";
            comment += '\0';
            comment += (char)(text.size() + 2);
            std::ofstream(files[i], std::ios::binary) << bytes.insert(2, comment + text);
            return i;
        }
        ADD_FAILURE() << "no JPEG in the sample";
        return 0;
    }
    std::string config(const std::string &more) const
    {
        return main_config("context: fork\nsandbox: off\n" + more,
                           "source: {type: folder, path: " + images.string() + "}\n");
    }
    std::string out() const
    {
        return "bad_list=" + list.string();
    }
    static uint64_t respawns(const Loader &l)
    {
        mr_stats s = {};
        s.size = sizeof s;
        mr_get_stats(l.handle, &s);
        return s.respawns;
    }
    static bool lists(const std::string &text, uint64_t sample, const char *what)
    {
        return text.find("\n" + std::to_string(sample) + ",\"/") != std::string::npos &&
               text.find(what) != std::string::npos;
    }
};

struct Cause {
    const char *what, *listed, *says;
};

const Cause kCauses[] = {{"ABRT", ",signal,", "died of signal 6 (SIGABRT)"},
#ifndef __SANITIZE_ADDRESS__ // which has its own way with a SIGSEGV
                         {"SEGV", ",signal,", "died of signal 11 (SIGSEGV)"},
#endif
                         {"HANG", ",timeout,", "not done within the 1 s of 'sample_timeout'"}};

} // namespace

TEST_F(Crash, ReplacedTheSameForAnyNumberOfProducersAndReplayed)
{
    for (const Cause &c : kCauses) {
        uint64_t sample = poison(c.what[0] == 'A' ? 3 : c.what[0] == 'S' ? 23 : 43, c.what);
        std::string text = config("epochs: 1\nsample_timeout: 1\n"), listed;
        std::vector<Delivered> want;
        for (int producers : {1, 2, 4}) {
            Loader l(text, {out(), "producers=" + std::to_string(producers)});
            std::vector<Delivered> got = l.read();
            ASSERT_EQ(l.rc, MR_END) << c.what << ": " << l.error;
            EXPECT_GE(respawns(l), 2u);
            if (want.empty()) {
                want = got;
                listed = slurp(list);
            }
            EXPECT_EQ(got, want) << c.what << " with " << producers;
            EXPECT_EQ(slurp(list), listed);
            for (const Delivered &d : got)
                EXPECT_EQ(d.valid, d.rows);
        }
        EXPECT_TRUE(lists(listed, sample, c.listed)) << listed;
        EXPECT_TRUE(lists(listed, sample, c.says)) << listed;
        Loader replay(text, {"bad_list_in=" + list.string(), "producers=3"});
        EXPECT_EQ(replay.read(), want) << c.what;
        EXPECT_EQ(respawns(replay), 0u) << "nobody had to die again";
    }
}

TEST_F(Crash, SkipLeavesTheRowOutAndFailNamesTheSample)
{
    for (const Cause &c : {kCauses[0], kCauses[std::size(kCauses) - 1]}) {
        uint64_t sample = poison(c.what[0] == 'A' ? 10 : 30, c.what);
        Loader skip(config("epochs: 1\non_error: skip\nsample_timeout: 1\n"));
        int valid = 0;
        std::vector<Delivered> all = skip.read();
        for (const Delivered &d : all)
            valid += d.valid;
        EXPECT_EQ(skip.rc, MR_END) << skip.error;
        EXPECT_EQ(valid, c.what[0] == 'A' ? 59 : 58);
        Loader fail(config("epochs: 1\non_error: fail\nsample_timeout: 1\n"),
                    {"sampler={type: sequential}"});
        std::vector<Delivered> before = fail.read();
        EXPECT_EQ(fail.rc, MR_E_DATA);
        uint64_t first = 10;
        while (slurp(files[first]).find("MR:") == std::string::npos)
            first++;
        EXPECT_EQ(before.size(), first / 8) << "all batches before it";
        for (const std::string &word : {files[first].string(), kCauses[0].says + std::string(),
                                        "(sample " + std::to_string(first) + ")"})
            EXPECT_NE(fail.error.find(word), std::string::npos) << fail.error;
        EXPECT_LE(first, sample);
    }
}

TEST_F(Crash, CrashesCountAgainstTheBudget)
{
    for (size_t i = 0; i < 3; i++)
        poison(20 * i, "ABRT");
    for (int producers : {1, 3}) {
        Loader l(config("epochs: 1\non_error: skip\nmax_bad: 2\n"),
                 {"producers=" + std::to_string(producers), "sampler={type: sequential}"});
        EXPECT_EQ(l.read().size(), 5u) << l.error; // the third lies in rows 40 to 47
        EXPECT_EQ(l.rc, MR_E_DATA);
        EXPECT_NE(l.error.find("3 bad samples in this epoch are more than the 2 of 'max_bad: 2'"),
                  std::string::npos)
            << l.error;
        EXPECT_NE(l.error.find("SIGABRT"), std::string::npos) << l.error;
    }
}

// A time-out in a batch that was made ahead travels in the state: the resumed run repeats it even
// when the file would be good now.
TEST_F(Crash, AForcedVerdictIsRepeatedByAResumedRun)
{
    std::string text = config("epochs: 1\nsample_timeout: 1\nslots: 8\n");
    std::string kept;
    Loader sequence(text);
    std::vector<Delivered> clean = sequence.read();
    uint64_t sample = UINT64_MAX; // a JPEG of batch 3, which is made long before it is delivered
    for (uint64_t id : clean.at(3).ids) {
        kept = slurp(files[id]);
        if (kept.compare(0, 2, "\xff\xd8") == 0)
            sample = id;
    }
    ASSERT_NE(sample, UINT64_MAX);
    kept = slurp(files[sample]);
    EXPECT_EQ(poison(sample, "HANG"), sample);
    Loader l(text, {"producers=2"});
    std::vector<Delivered> got = l.read(1);
    ASSERT_TRUE(
        eventually([&] { return l.state().find("\"forced\":[[") != std::string::npos; }, 60000));
    std::string state = l.state();
    for (const Delivered &d : l.read())
        got.push_back(d);
    EXPECT_FALSE(got.at(3) == clean.at(3));
    std::ofstream(files[sample], std::ios::binary) << kept;
    Loader resumed(text, {}, state.c_str());
    EXPECT_EQ(resumed.read(), std::vector<Delivered>(got.begin() + 1, got.end()));
    EXPECT_EQ(resumed.rc, MR_END) << resumed.error;
}

// ---- user code ----

namespace
{

int next_message(void *, mr_message *m)
{
    uint64_t position = mr_message_position(m);
    return position == 16 ? MR_END : mr_message_set_i64(m, "index", (int64_t)position);
}

int fill_or_die(void *, mr_rows *rows)
{
    int64_t index = 0;
    for (int32_t i = 0; i < mr_rows_count(rows); i++) {
        mr_message_get_i64(mr_rows_message(rows, i), "index", &index);
        if (index == 6)
            abort();
    }
    return MR_OK;
}

} // namespace

TEST_F(Crash, AUsersProducerThatDiesLosesTheRowOrTheBatch)
{
    mr_commander commander = {};
    commander.size = sizeof commander;
    commander.abi = MR_PLUGIN_ABI;
    commander.next = next_message;
    const mr_producer producer = {sizeof producer, MR_PLUGIN_ABI, nullptr,
                                  nullptr,         fill_or_die,   nullptr};
    for (const char *unit : {"row", "batch"}) {
        std::vector<Delivered> first;
        for (int producers : {1, 3}) {
            std::string text =
                "context: fork\nbatch: {size: 4}\nproducer: {unit: " + std::string(unit) +
                "}\nfields: {x: {dtype: uint8, shape: [3]}}\n";
            Loader l(text, {out(), "producers=" + std::to_string(producers)}, nullptr, &commander,
                     &producer);
            ASSERT_EQ(l.rc, MR_OK) << l.error;
            std::vector<Delivered> got = l.read();
            ASSERT_EQ(got.size(), 4u) << l.error;
            EXPECT_EQ(got[1].valid, unit[0] == 'r' ? 3 : 0);
            EXPECT_EQ(got[0].valid + got[2].valid + got[3].valid, 12);
            if (first.empty())
                first = got;
            EXPECT_EQ(got, first);
            EXPECT_NE(slurp(list).find(",fill,\"twice, the producer that worked on it died of "
                                       "signal 6 (SIGABRT)\",signal,"),
                      std::string::npos)
                << slurp(list);
        }
    }
}
