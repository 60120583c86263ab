// SPDX-License-Identifier: Apache-2.0
//
// Bad input is data, not death: what lies in the folder, what the policy says, and what the
// sentence names.
#include "loader_testing.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;

// A copy of the sample's images that a test may damage.
class BadInput : public ::testing::Test
{
  protected:
    fs::path root;
    void SetUp() override
    {
        char name[] = "/tmp/millrace-bad-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        root = name;
        fs::copy(MR_SAMPLE "/images", root, fs::copy_options::recursive);
    }
    void TearDown() override
    {
        fs::permissions(root, fs::perms::owner_all);
        fs::remove_all(root);
    }
    std::string source() const
    {
        return "source: {type: folder, path: " + root.string() + "}\n";
    }
    std::vector<fs::path> files() const
    {
        std::vector<fs::path> all;
        for (const auto &entry : fs::recursive_directory_iterator(root))
            if (entry.is_regular_file())
                all.push_back(entry.path());
        std::sort(all.begin(), all.end());
        return all;
    }
    static void write(const fs::path &path, const std::string &bytes)
    {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    static bool said(const Loader &l, const std::string &text)
    {
        return std::any_of(l.log.begin(), l.log.end(), [&](const std::string &line) {
            return line.find(text) != std::string::npos;
        });
    }
};

TEST_F(BadInput, EveryKindOfDamageIsReplacedAndNamed)
{
    std::vector<fs::path> f = files();
    fs::resize_file(f[0], fs::file_size(f[0]) / 2); // truncated
    write(f[1], "");                                // empty
    write(f[2], "<html><body>404 not found</body></html>");
    write(f[3], std::string(1000, '\0'));
    Loader l(main_config("epochs: 1\non_error: replace\n", source()));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    fs::remove(f[4]); // vanished after the index
    fs::remove(f[5]);
    ASSERT_EQ(mkfifo(f[5].c_str(), 0600), 0); // became a FIFO after the index
    std::vector<Delivered> all = l.read();
    ASSERT_EQ(l.rc, MR_END) << l.error;
    int valid = 0;
    for (const Delivered &d : all) {
        EXPECT_EQ(d.valid, d.rows) << "replace keeps batches full";
        valid += d.valid;
        for (uint64_t id : d.ids)
            EXPECT_GE(id, 6u) << "a bad sample was delivered";
    }
    EXPECT_EQ(valid, 60);
    for (int i = 0; i < 6; i++)
        EXPECT_TRUE(said(l, f[(size_t)i])) << "nothing was said of " << f[(size_t)i];
    mr_stats s = {};
    s.size = sizeof s;
    mr_get_stats(l.handle, &s);
    EXPECT_GE(s.bad_samples, 6u);
}

TEST_F(BadInput, ReplacementIsTheSameForAnyNumberOfProducers)
{
    for (const fs::path &f : files())
        if (std::hash<std::string>()(f.filename()) % 3 == 0)
            fs::resize_file(f, 100);
    Loader one(main_config("epochs: 2\nmax_bad: 100%\n", source()), {"producers=1"});
    Loader three(main_config("epochs: 2\nmax_bad: 100%\n", source()), {"producers=3"});
    EXPECT_EQ(one.read(), three.read());
    EXPECT_EQ(one.rc, MR_END) << one.error;
}

TEST_F(BadInput, SkipMarksTheRowAndClearsIt)
{
    std::vector<fs::path> f = files();
    write(f[7], "not an image");
    Loader l(main_config("epochs: 1\non_error: skip\nslots: 1\n", source()));
    int valid = 0, invalid = 0;
    for (const Delivered &d : l.read()) {
        valid += d.valid;
        for (size_t i = 0; i < d.flags.size(); i++)
            if (!d.flags[i]) {
                invalid++;
                EXPECT_EQ(d.ids[i], UINT64_MAX);
            }
    }
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(valid, 59);
    EXPECT_EQ(invalid, 1);
}

TEST_F(BadInput, FailEndsTheRunNamingThePathAfterTheBatchesBefore)
{
    Loader clean(main_config("epochs: 1\nsampler: {type: sequential}\n", source()));
    std::vector<fs::path> f = files();
    fs::resize_file(f[20], 200);
    std::string config = main_config("epochs: 1\non_error: fail\n", source());
    config.replace(config.find("shuffle"), 7, "sequential");
    Loader l(config, {"batch.size=8"});
    std::vector<Delivered> all = l.read();
    EXPECT_EQ(l.rc, MR_E_DATA);
    EXPECT_EQ(all.size(), 2u) << "samples 0 to 15 come before the bad one";
    EXPECT_NE(l.error.find(f[20]), std::string::npos) << l.error;
    EXPECT_NE(l.error.find("batch 2, row 4"), std::string::npos) << l.error;
    mr_batch *b;
    EXPECT_EQ(mr_next(l.handle, &b, 1000), MR_E_DATA) << "the run stays over";
}

TEST_F(BadInput, FailNamesTheFirstBadFileOfMany)
{
    std::vector<fs::path> f = files();
    for (size_t i : {2, 5, 6, 9})
        write(f[i], "nothing");
    std::string config = main_config("epochs: 1\non_error: fail\n", source());
    config.replace(config.find("shuffle"), 7, "sequential");
    for (int round = 0; round < 5; round++) {
        Loader l(config, {"batch.size=4", "producers=3"});
        l.read();
        EXPECT_EQ(l.rc, MR_E_DATA);
        EXPECT_NE(l.error.find(f[2]), std::string::npos) << l.error;
    }
}

TEST_F(BadInput, AllBadEndsTheRunInsteadOfSearchingForEver)
{
    for (const fs::path &f : files())
        write(f, "nothing");
    Loader l(main_config("epochs: 1\non_error: replace\n", source()));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    l.read();
    EXPECT_LT(l.rc, 0);
    EXPECT_NE(l.error.find("100 substitutes in a row were bad too"), std::string::npos) << l.error;
}

TEST_F(BadInput, WhatIsNoFileIsLeftOutOfTheIndex)
{
    fs::path folder = files()[0].parent_path();
    ASSERT_EQ(mkfifo((folder / "a.jpg").c_str(), 0600), 0);
    fs::create_directory(folder / "dir.jpg");
    fs::create_symlink("/dev/zero", folder / "zero.jpg");
    fs::create_symlink(folder / "nowhere.jpg", folder / "dangling.jpg");
    fs::create_symlink(files()[0], folder / "zz_link.jpg");
    Loader l(main_config("epochs: 1\n", source()));
    ASSERT_EQ(l.rc, MR_OK) << l.error;
    int valid = 0;
    for (const Delivered &d : l.read())
        valid += d.valid;
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_EQ(valid, 61) << "the 60 files and the link to one of them";
}

TEST_F(BadInput, EmptyFolderMissingFolderAndTooLargeABatch)
{
    fs::path empty = root / "void";
    fs::create_directory(empty);
    Loader none(main_config("", "source: {type: folder, path: " + empty.string() + "}\n"));
    EXPECT_LT(none.rc, 0);
    EXPECT_NE(none.error.find(empty), std::string::npos) << none.error;

    Loader missing(
        main_config("", "source: {type: folder, path: " + (root / "gone").string() + "}\n"));
    EXPECT_EQ(missing.rc, MR_E_CONFIG);
    EXPECT_NE(missing.error.find("test.yaml:"), std::string::npos) << missing.error;

    Loader large(main_config("batch: {size: 64, last: drop}\n", source()));
    EXPECT_EQ(large.rc, MR_E_CONFIG);
    EXPECT_NE(large.error.find("no batch would ever come: an epoch has 60 samples"),
              std::string::npos)
        << large.error;
}

TEST_F(BadInput, AnArenaLargerThanMemoryIsRefusedWithTheNumber)
{
    Loader l(main_config("slots: 1024\nbatch: {size: 65536}\n", source()),
             {"ops.0.random_resized_crop.size=4096"});
    EXPECT_EQ(l.rc, MR_E_MEMORY) << l.error;
    EXPECT_NE(l.error.find("the arena needs"), std::string::npos) << l.error;
    EXPECT_NE(l.error.find("'slots'"), std::string::npos) << l.error;
}

TEST_F(BadInput, ABombIsRefusedNamingTheLimit)
{
    // A PNG header that claims 60,000 x 60,000 pixels.
    static const unsigned char png[] = {
        0x89, 'P',  'N',  'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 'I',  'H',  'D',  'R', 0,
        0,    0xea, 0x60, 0,   0,    0xea, 0x60, 8,    2, 0, 0, 0,  0x0f, 0xb0, 0xe2, 0x15};
    std::vector<fs::path> f = files();
    write(f[3], std::string((const char *)png, sizeof png));
    Loader l(main_config("epochs: 1\non_error: replace\n", source()));
    l.read();
    EXPECT_EQ(l.rc, MR_END) << l.error;
    EXPECT_TRUE(said(l, f[3]));
    EXPECT_TRUE(said(l, "limits.max_pixels")) << l.log.at(0);
}

TEST(BadManifest, MissingFilesAreBadSamplesAndBadCellsAreErrorsWithPlaces)
{
    char name[] = "/tmp/millrace-manifest-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    fs::path root = name;
    std::ofstream(root / "a.csv") << "image,label:i64\n" MR_SAMPLE "/gone.jpg,1\n";
    std::ofstream(root / "b.csv") << "image,label:i64\nx.jpg,one\n";
    std::string config =
        main_config("epochs: 1\non_error: skip\n",
                    "source: {type: manifest, path: " + (root / "a.csv").string() + "}\n");
    Loader a(config);
    ASSERT_EQ(a.rc, MR_OK) << a.error;
    std::vector<Delivered> got = a.read();
    ASSERT_EQ(got.size(), 1u) << a.error;
    EXPECT_EQ(got[0].valid, 0);
    Loader b(config, {"source.path=" + (root / "b.csv").string()});
    EXPECT_LT(b.rc, 0);
    EXPECT_NE(b.error.find("b.csv:2:7"), std::string::npos) << b.error;
    fs::remove_all(root);
}
