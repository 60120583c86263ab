// SPDX-License-Identifier: Apache-2.0
//
// Bad lists as text: written and read back exactly, whatever a path holds, and mistakes named.
#include <gtest/gtest.h>

#include "temp_tree.hpp"

extern "C" {
#include "base/whole_file.h"
#include "pipe/badlist.h"
}

#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace
{

const char *const kHeader = "sample,path,stage,reason,cause,epoch,position,attempt,forced\n";

class List
{
  public:
    mr_badlist list = {};
    mr_errbuf e = {};
    int rc = MR_OK;

    List() = default;
    explicit List(const std::string &text)
    {
        rc = mr__badlist_parse(&list, "l.csv", (const uint8_t *)text.data(), text.size(), &e);
    }
    ~List()
    {
        mr__badlist_free(&list);
    }
    List(const List &) = delete;
    List &operator=(const List &) = delete;

    bool add(uint64_t epoch, uint64_t position, uint32_t attempt, uint64_t sample,
             const std::string &path = "", const std::string &text = "broken")
    {
        mr_bad bad = {};
        bad.v.epoch = epoch;
        bad.v.position = position;
        bad.v.attempt = attempt;
        bad.v.sample = sample;
        bad.v.cause = MR_CAUSE_DATA;
        bad.v.stage = MR_DOING_DECODE;
        bad.text = strdup(text.c_str());
        bad.path = path.empty() ? nullptr : strdup(path.c_str());
        return mr__badlist_add(&list, &bad);
    }
    std::string text(bool anywhere = false) const
    {
        mr_text t = {};
        mr_index none = {};
        mr__badlist_write(&t, &list, &none, -1, anywhere);
        std::string s(t.data, t.n);
        mr__text_free(&t);
        return s;
    }
};

const std::vector<std::string> kHostile = {
    "/plain.jpg",
    "/with,comma.jpg",
    "/with \"quotes\".jpg",
    "/\"",
    "/new\nline.jpg",
    "/cr\rlf\r\n.jpg",
    "/=HYPERLINK(\"x\")",
    "/\xff\xfe not utf-8 \x80",
    "/tab\tand ; | '",
    "/ends with blank ",
    "/\x1b[31mred\x07",
    "/k\xc3\xa4se/\xe6\x97\xa5\xe6\x9c\xac.png",
    "/" + std::string(5000, 'x'),
};

} // namespace

TEST(Badlist, HostilePathsAreReadBackExactly)
{
    List out;
    for (size_t i = 0; i < kHostile.size(); i++)
        ASSERT_TRUE(out.add(0, i, 0, i, kHostile[i]));
    List in(out.text());
    ASSERT_EQ(in.rc, MR_OK) << in.e.text;
    ASSERT_EQ(in.list.n, kHostile.size());
    for (size_t i = 0; i < kHostile.size(); i++)
        EXPECT_EQ(in.list.v[i].path, kHostile[i]);
    EXPECT_EQ(in.text(), out.text());
}

TEST(Badlist, EveryColumnComesBack)
{
    List out;
    mr_bad bad = {};
    bad.v = {3, 77, 12, 5, MR_E_SLOW, MR_CAUSE_TIMEOUT, 30000, MR_DOING_READ, 1, 0};
    bad.text = strdup("was not done within 30 s");
    ASSERT_TRUE(mr__badlist_add(&out.list, &bad));
    EXPECT_EQ(out.text(),
              std::string(kHeader) + "12,,read,\"was not done within 30 s\",timeout,3,77,5,1\n");
    List in(out.text());
    ASSERT_EQ(in.list.n, 1u) << in.e.text;
    const mr_verdict &v = in.list.v[0].v;
    EXPECT_EQ(v.epoch, 3u);
    EXPECT_EQ(v.position, 77u);
    EXPECT_EQ(v.sample, 12u);
    EXPECT_EQ(v.attempt, 5u);
    EXPECT_EQ(v.reason, MR_E_SLOW);
    EXPECT_EQ(v.cause, (uint32_t)MR_CAUSE_TIMEOUT);
    EXPECT_EQ(v.stage, (uint32_t)MR_DOING_READ);
    EXPECT_EQ(v.forced, 1u);
    EXPECT_EQ(in.list.v[0].line, 2);
    EXPECT_STREQ(in.list.v[0].text, "was not done within 30 s");
    List anywhere(out.text(true));
    ASSERT_EQ(anywhere.list.n, 1u) << anywhere.e.text;
    EXPECT_EQ(anywhere.list.v[0].v.position, MR_ANYWHERE);
}

TEST(Badlist, ReasonsAreOneLineAndNoFormula)
{
    List out;
    out.add(0, 0, 0, 0, "/a", "=1+1");
    out.add(0, 1, 0, 1, "/b", "@x\nsecond \"line\"");
    out.add(0, 2, 0, 2, "/c", "");
    EXPECT_EQ(out.text(), std::string(kHeader) + "0,\"/a\",decode,\" =1+1\",data,0,0,0,0\n"
                                                 "1,\"/b\",decode,\" @x\\nsecond \"\"line\"\"\","
                                                 "data,0,1,0,0\n"
                                                 "2,\"/c\",decode,\"\",data,0,2,0,0\n");
}

TEST(Badlist, EntriesStandByPlaceAndOnce)
{
    List out;
    const uint64_t places[][3] = {{1, 5, 0}, {0, 9, 0}, {1, 5, 1}, {1, 5, 0}, {0, 2, 3}, {0, 9, 0}};
    for (const auto &p : places)
        EXPECT_TRUE(out.add(p[0], p[1], (uint32_t)p[2], 4));
    ASSERT_EQ(out.list.n, 4u);
    for (size_t i = 1; i < out.list.n; i++) {
        const mr_verdict &a = out.list.v[i - 1].v, &b = out.list.v[i].v;
        EXPECT_LT(std::tie(a.epoch, a.position, a.attempt),
                  std::tie(b.epoch, b.position, b.attempt));
    }
}

TEST(Badlist, ListsThatPeopleWrite)
{
    List paths("path\n/a.jpg\nb.jpg\n");
    ASSERT_EQ(paths.rc, MR_OK) << paths.e.text;
    ASSERT_EQ(paths.list.n, 2u);
    EXPECT_EQ(paths.list.v[0].v.sample, UINT64_MAX);
    EXPECT_EQ(paths.list.v[0].v.position, MR_ANYWHERE);
    EXPECT_EQ(paths.list.v[0].v.cause, (uint32_t)MR_CAUSE_LISTED);
    EXPECT_STREQ(paths.list.v[1].path, "b.jpg");
    List samples("note,sample\r\n\"why, indeed\",7\r\n,18446744073709551614\r\n");
    ASSERT_EQ(samples.list.n, 2u) << samples.e.text;
    EXPECT_EQ(samples.list.v[0].v.sample, 7u);
    EXPECT_EQ(samples.list.v[1].v.sample, UINT64_MAX - 1);
    List empty("sample\n");
    EXPECT_EQ(empty.rc, MR_OK) << empty.e.text;
    EXPECT_EQ(empty.list.n, 0u);
    List bom("\xef\xbb\xbfpath\nx\n");
    EXPECT_EQ(bom.list.n, 1u) << bom.e.text;
}

TEST(Badlist, MistakesAreNamedByPlace)
{
    const struct {
        std::string text, says;
    } cases[] = {
        {"", "l.csv:1:1"},
        {"foo,bar\n1,2\n", "neither a column"},
        {"sample,sample\n", "l.csv:1:8: error: the column 'sample' is there twice"},
        {"sample\nx\n", "l.csv:2:1: error: 'sample' is a whole number"},
        {"sample\n-1\n", "not '-1'"},
        {"sample\n1e3\n", "not '1e3'"},
        {"sample\n18446744073709551616\n", "not '18446744073709551616'"},
        {"sample,position\n1,281474976710656\n", "l.csv:2:3"},
        {"sample,attempt\n1,65535\n", "0 to 65534"},
        {"sample,forced\n1,2\n", "0 to 1"},
        {"sample,cause\n1,weather\n", "not 'weather'"},
        {"sample,path\n1\n", "l.csv:2:1: error: the row has 1 cells, the header 2"},
        {"sample,path\n1,a\n,\n", "l.csv:3:1: error: the row names neither"},
        {"path\n\"a\n", "never closed"},
        {std::string("path\na\0b\n", 9), "NUL"},
        {"\xff\xfep\0", "UTF-16"},
    };
    for (const auto &c : cases) {
        List in(c.text);
        EXPECT_EQ(in.rc, MR_E_CONFIG) << c.text;
        EXPECT_NE(std::string(in.e.text).find(c.says), std::string::npos)
            << c.text << " gave " << in.e.text;
        EXPECT_EQ(in.list.n, 0u);
    }
}

// ---- files that are there whole or not at all ----

static std::string slurp(const fs::path &path)
{
    std::ifstream f(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(f), {});
}

static size_t count_files(const fs::path &folder)
{
    size_t n = 0;
    for (const auto &entry : fs::directory_iterator(folder))
        n += entry.exists() || entry.is_symlink();
    return n;
}

TEST(OutFile, NewOldAndBehindALink)
{
    TempTree tree;
    fs::path path = tree.root / "list.csv";
    fs::path link = tree.root / "link.csv";
    mr_errbuf e = {};
    for (const std::string &text :
         {std::string("one"), std::string(""), std::string(100000, 'x')}) {
        ASSERT_EQ(mr__out_file(path.c_str(), text.data(), text.size(), "it", &e), MR_OK) << e.text;
        EXPECT_EQ(slurp(path), text);
    }
    fs::create_symlink("list.csv", link);
    ASSERT_EQ(mr__out_file(link.c_str(), "two", 3, "it", &e), MR_OK) << e.text;
    EXPECT_TRUE(fs::is_symlink(link));
    EXPECT_EQ(slurp(path), "two");
    EXPECT_EQ(count_files(tree.root), 2u);
}

TEST(OutFile, WhatCannotBeWrittenSaysWhy)
{
    TempTree tree;
    fs::path root = tree.root;
    mr_errbuf e = {};
    EXPECT_EQ(mr__out_file((root / "no/where").c_str(), "x", 1, "the bad list", &e), MR_E_IO);
    EXPECT_NE(std::string(e.text).find("cannot write the bad list"), std::string::npos) << e.text;
    EXPECT_EQ(mr__out_file_check((root / "no/where").c_str(), "it", &e), MR_E_IO);
    EXPECT_EQ(mr__out_file_check(root.c_str(), "it", &e), MR_E_IO) << "a folder";
    EXPECT_EQ(mr__out_file_check((root / "a").c_str(), "it", &e), MR_OK) << e.text;
    EXPECT_EQ(mr__out_file(std::string(5000, 'x').c_str(), "x", 1, "it", &e), MR_E_IO);
    EXPECT_EQ(mr__out_file("/dev/full", "x", 1, "it", &e), MR_E_IO);
    EXPECT_NE(std::string(e.text).find("No space"), std::string::npos) << e.text;
    EXPECT_EQ(mr__out_file("/dev/null", "x", 1, "it", &e), MR_OK) << e.text;
    EXPECT_EQ(count_files(root), 0u);
}

// Killed at any moment, the writer leaves the old file, none, or the new one.
TEST(OutFile, KilledWritersLeaveNothingHalfWritten)
{
    TempTree tree;
    fs::path path = tree.root / "list.csv";
    const std::string text(3 << 20, 'y');
    const int rounds = 60;
    for (int round = 0; round < rounds; round++) {
        pid_t pid = fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            mr_errbuf e;
            for (;;)
                mr__out_file(path.c_str(), text.data(), text.size(), "it", &e);
        }
        usleep((useconds_t)(round * 211 % 9000));
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
        ASSERT_LE(count_files(tree.root), 1u) << "round " << round;
        if (fs::exists(path)) {
            ASSERT_EQ(fs::file_size(path), text.size()) << "round " << round;
        }
    }
}
