// SPDX-License-Identifier: Apache-2.0
//
// How far ahead files are asked for, what the config says of it, and the asking itself.
#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "loaders/source/ask_file.h"
#include "pipe/read_ahead.h"
#include "pipe/read_clock.h"
}

#include "temp_tree.hpp"

#include <chrono>
#include <thread>

#include <sys/stat.h>

namespace
{

struct Config {
    mr_config *c = nullptr;
    mr_errbuf e = {};
    int rc;
    explicit Config(const std::string &more, const char *source = "{type: folder, path: .}")
    {
        std::string text = "version: 1\nsource: " + std::string(source) + "\n" + more;
        rc = mr__config_read(&c, nullptr, text.c_str(), nullptr, &e);
    }
    ~Config()
    {
        mr__config_free(c);
    }
};

size_t open_files()
{
    size_t n = 0;
    for (auto &entry : std::filesystem::directory_iterator("/proc/self/fd"))
        n += !entry.path().empty();
    return n;
}

} // namespace

TEST(ReadAhead, IsAutoOffOrANumberOfRows)
{
    const struct {
        const char *text;
        uint32_t rows;
    } wants[] = {{"", MR_AHEAD_ROWS},
                 {"read_ahead: auto\n", MR_AHEAD_ROWS},
                 {"read_ahead: off\n", 0},
                 {"read_ahead: 7\n", 7}};
    Config plain("");
    for (auto &want : wants) {
        Config c(want.text);
        ASSERT_EQ(c.rc, MR_OK) << c.e.text;
        EXPECT_EQ(mr__read_ahead_rows(c.c), want.rows) << want.text;
        EXPECT_EQ(c.c->stream_hash, plain.c->stream_hash); // it is nothing that one can see
    }
    Config made("read_ahead: 7\n", "{type: synthetic, samples: 10}"); // no files
    ASSERT_EQ(made.rc, MR_OK) << made.e.text;
    EXPECT_EQ(mr__read_ahead_rows(made.c), 0u);
    for (const char *text : {"read_ahead: 0\n", "read_ahead: 4097\n", "read_ahead: on\n"})
        EXPECT_EQ(Config(text).rc, MR_E_CONFIG) << text;
    Config wrong("read_ahead: no\n");
    EXPECT_NE(std::string(wrong.e.text).find("must be a whole number, auto or off, not 'no'"),
              std::string::npos)
        << wrong.e.text;
}

TEST(ReadAhead, GoesNoFurtherThanMemoryAndTimeAllow)
{
    mr_session s = {};
    s.arena.shape.producers = 4;
    s.arena.shape.hands = 1;
    mr_read_ahead r = {};
    r.s = &s;
    r.rows = 32;
    EXPECT_EQ(mr__read_ahead_window(&r), 32u);
    r.row_bytes = 100e3, r.row_ns = 1e6;
    EXPECT_EQ(mr__read_ahead_window(&r), 32u);
    r.row_bytes = double(MR_AHEAD_ROW_BYTES) * 8;
    EXPECT_EQ(mr__read_ahead_window(&r), 4u);
    r.row_bytes = 1e12;
    EXPECT_EQ(mr__read_ahead_window(&r), 1u);
    r.row_bytes = 100e3, r.row_ns = 0.5e9; // 8 rows a second
    EXPECT_EQ(mr__read_ahead_window(&r), 16u);
    r.row_ns = 100e9;
    EXPECT_EQ(mr__read_ahead_window(&r), 1u);
}

TEST(ReadAhead, AsksForAFileThatIsNotCached)
{
    TempTree t;
    std::string content(300000, 'x');
    t.file("a", content);
    std::string path = t.path("a");
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(fsync(fd), 0);
    EXPECT_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    close(fd);
    mr_cached before = mr__ask_file(path.c_str(), 1 << 20, 1 << 20);
    if (before != MR_CACHED_NOT)
        GTEST_SKIP() << "this file system keeps or does not tell what is cached: " << before;
    // 60 s: a busy disk.
    mr_cached after = before;
    for (int i = 0; i < 6000 && after != MR_CACHED; i++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        after = mr__ask_file(path.c_str(), 1 << 20, 1 << 20);
    }
    EXPECT_EQ(after, MR_CACHED);
}

TEST(ReadAhead, LeavesAloneWhatIsNoUsableFile)
{
    TempTree t;
    t.file("empty", "");
    t.file("large", std::string(1001, 'x'));
    t.folder("folder");
    t.link("loop", "loop");
    ASSERT_EQ(mkfifo(t.path("fifo").c_str(), 0600), 0); // nobody writes: a plain open would hang
    size_t files = open_files();
    for (const char *name : {"gone", "empty", "large", "folder", "fifo", "loop", "large/below"})
        EXPECT_EQ(mr__ask_file(t.path(name).c_str(), 1000, 1 << 20), MR_CACHED_UNKNOWN) << name;
    EXPECT_EQ(mr__ask_file("/dev/zero", 1000, 1 << 20), MR_CACHED_UNKNOWN);
    t.file("good", "x");
    for (int i = 0; i < 100; i++)
        mr__ask_file(t.path("good").c_str(), 1000, 1 << 20);
    EXPECT_EQ(open_files(), files);
}

// A processor that another process took is no wait for a disk, so the clock alone says nothing.
TEST(ReadClock, TellsWaitingFromWorking)
{
    mr_lane lane = {};
    mr_read_clock clock;
    mr__read_begin(&clock);
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
    while (std::chrono::steady_clock::now() < end)
        ;
    EXPECT_FALSE(mr__read_end(&clock, &lane));
    EXPECT_GE(lane.count[MR_COUNT_READ_NS], 30000000u);
    EXPECT_EQ(lane.count[MR_COUNT_READ_WAIT_NS], 0u);
    mr__read_begin(&clock);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_TRUE(mr__read_end(&clock, &lane));
    EXPECT_GE(lane.count[MR_COUNT_READ_WAIT_NS], 5000000u);
}
