// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/descriptor.h"
#include "base/printable.h"
#include "loaders/source/path_source.h"
#include "loaders/source/read_file.h"
}

#include "temp_tree.hpp"

#include <atomic>
#include <chrono>
#include <sys/stat.h>
#include <thread>

namespace
{

struct Read {
    int rc;
    std::string error;
    mr_buf out = {};
    explicit Read(const std::string &path, int64_t max = 1 << 20)
    {
        mr_errbuf e = {};
        mr__buf_append(&out, "left over", 9); // must not come out
        rc = mr__read_file(path.c_str(), max, &out, &e);
        error = e.text;
    }
    ~Read()
    {
        mr__buf_free(&out);
    }
    std::string text() const
    {
        return std::string((const char *)out.data, out.n);
    }
};

bool has(const std::string &text, const std::string &part)
{
    return text.find(part) != std::string::npos;
}

} // namespace

TEST(ReadFile, GivesTheBytesAndZerosBehindThem)
{
    TempTree t;
    std::string content(100000, '\xff');
    t.file("a", content);
    Read r(t.path("a"));
    ASSERT_EQ(r.rc, MR_OK) << r.error;
    EXPECT_EQ(r.text(), content);
    for (size_t i = 0; i < MR_READ_PADDING; i++)
        ASSERT_EQ(r.out.data[r.out.n + i], 0);
}

TEST(ReadFile, RefusesWhatIsNoUsableFile)
{
    TempTree t;
    t.file("empty", "");
    t.file("large", std::string(1001, 'x'));
    t.folder("folder");
    t.link("loop", "loop");
    ASSERT_EQ(mkfifo(t.path("fifo").c_str(), 0600), 0); // nobody writes: a plain open would hang
    const struct {
        const char *name, *part;
    } wants[] = {
        {"gone", "there is no file"},
        {"empty", "is empty"},
        {"large", "limits.max_file_bytes (1000)"},
        {"folder", "is a folder"},
        {"fifo", "is a FIFO"},
        {"loop", "cannot open"},
        {"large/below", "there is no file"},
    };
    for (auto &want : wants) {
        Read r(t.path(want.name), 1000);
        EXPECT_EQ(r.rc, MR_E_DATA) << want.name;
        EXPECT_TRUE(has(r.error, want.part)) << r.error;
        EXPECT_TRUE(has(r.error, t.path(want.name))) << r.error;
    }
    Read device("/dev/zero");
    EXPECT_EQ(device.rc, MR_E_DATA);
    EXPECT_TRUE(has(device.error, "is a device")) << device.error;
    EXPECT_EQ(Read(t.path("large"), 1001).rc, MR_OK);
    EXPECT_EQ(Read(t.path(std::string(5000, 'n'))).rc, MR_E_DATA);
}

TEST(ReadFile, NeverGivesAFileThatIsHalfOneAndHalfAnother)
{
    TempTree t;
    const size_t size = 1 << 20;
    std::string a(size, 'a'), b(size / 2, 'b');
    t.file("f", a);
    std::atomic<bool> stop{false};
    std::thread writer([&] { // at rest between changes, for longer than a tick of the file's clock
        int fd = open(t.path("f").c_str(), O_WRONLY);
        for (int i = 0; !stop; i++) {
            const std::string &text = i % 2 ? a : b;
            if (ftruncate(fd, 0) < 0 || pwrite(fd, text.data(), text.size(), 0) < 0)
                abort();
            std::this_thread::sleep_for(std::chrono::milliseconds(12));
        }
        close(fd);
    });
    int good = 0, bad = 0;
    auto now = [] { return std::chrono::steady_clock::now(); };
    auto end = now() + std::chrono::milliseconds(500);
    auto last = end + std::chrono::seconds(60); // a busy machine may let the two meet rarely
    while (now() < end || (bad == 0 && now() < last)) {
        Read r(t.path("f"), 2 * size);
        if (r.rc == MR_OK) {
            EXPECT_TRUE(r.text() == a.substr(0, r.out.n) || r.text() == b.substr(0, r.out.n));
            good++;
        } else {
            EXPECT_EQ(r.rc, MR_E_DATA) << r.error;
            EXPECT_TRUE(has(r.error, "changed while") || has(r.error, "is empty")) << r.error;
            bad++;
        }
    }
    stop = true;
    writer.join();
    EXPECT_GT(bad, 0) << "the writer was never met";
}

TEST(PathSource, ReadsTheIndexsFiles)
{
    TempTree t;
    t.file("a/1.jpg", "one");
    t.file("2.jpg", "two");
    mr_errbuf e = {};
    mr_index_builder *b;
    ASSERT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    mr__index_set_root(b, t.root.c_str(), &e);
    mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e);
    mr__index_add_column(b, "mask", MR_COL_PATH, MR_U8, 1, &e);
    for (std::string path : {std::string("a/1.jpg"), t.path("2.jpg"), std::string("gone.jpg")}) {
        mr__index_add_path(b, 0, path.data(), path.size(), &e);
        mr__index_add_path(b, 1, "", 0, &e);
    }
    int fd = mr__index_memfd(&e);
    mr_index index;
    ASSERT_EQ(mr__index_finish(b, fd, &e), MR_OK);
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK);
    mr__index_builder_free(b);
    close(fd);

    mr_limits limits = {};
    limits.max_file_bytes = 1000;
    void *self;
    mr_buf out = {};
    ASSERT_EQ(mr__path_source_open(nullptr, &index, &limits, &self, &e), MR_OK);
    ASSERT_EQ(mr__path_source_read(self, 0, 0, &out, &e), MR_OK) << e.text;
    EXPECT_EQ(std::string((char *)out.data, out.n), "one");
    ASSERT_EQ(mr__path_source_read(self, 1, 0, &out, &e), MR_OK) << e.text;
    EXPECT_EQ(std::string((char *)out.data, out.n), "two");
    EXPECT_EQ(mr__path_source_read(self, 2, 0, &out, &e), MR_E_DATA);
    EXPECT_EQ(mr__path_source_read(self, 0, 1, &out, &e), MR_E_DATA);
    EXPECT_STREQ(e.text, "sample 0 has no mask: its cell is empty");
    EXPECT_EQ(mr__path_source_read(self, 3, 0, &out, &e), MR_E_USAGE);
    EXPECT_EQ(mr__path_source_read(self, 0, 2, &out, &e), MR_E_USAGE);
    mr__path_source_close(self);
    mr__buf_free(&out);
    mr__index_unmap(&index);
}

static std::string printable(const std::string &text)
{
    return mr__printable(text.data(), text.size()).text;
}

TEST(Printable, IsOneLineOfUtf8)
{
    EXPECT_EQ(printable("plain \xe2\x82\xac \xf0\x9f\x98\x80"),
              "plain \xe2\x82\xac \xf0\x9f\x98\x80");
    EXPECT_EQ(printable("a\nb\tc\x1b[0m\x7f"), "a\\nb\\tc\\x1b[0m\\x7f");
    EXPECT_EQ(printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // a surrogate
    EXPECT_EQ(printable("\xc2\x85"), "\\xc2\\x85");          // a C1 control
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");          // cut
    EXPECT_EQ(printable(std::string("a\0b", 3)), "a\\x00b");
    std::string longest(511, 'x');
    EXPECT_EQ(printable(longest), longest);
    std::string shown = printable(std::string(5000, 'x') + "/the/end.jpg");
    EXPECT_LT(shown.size(), 512u);
    EXPECT_TRUE(has(shown, "...") && has(shown, "/the/end.jpg")) << shown;
    EXPECT_LT(printable(std::string(5000, '\xff')).size(), 512u);
}
