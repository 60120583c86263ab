// SPDX-License-Identifier: Apache-2.0
//
// The sources of arrays, npy and raw, as a config names them: what becomes a column, what a row is,
// and what is refused before anything is read.
#include "npy_testing.hpp"
#include "temp_tree.hpp"

#include <gtest/gtest.h>

extern "C" {
#include "base/config.h"
#include "loaders/array/array_set.h"
}

#include <functional>

namespace
{

struct Source {
    mr_config *config = nullptr;
    const mr_source *source = nullptr;
    mr_index index = {};
    void *self = nullptr;
    mr_errbuf e = {};
    int rc;

    explicit Source(const std::string &yaml)
    {
        std::string text = "version: 1\nsource: {" + yaml + "}\nfields: {x: {dtype: uint8}}\n";
        rc = mr__config_read(&config, "t.yaml", text.c_str(), nullptr, &e);
        if (rc < 0)
            return;
        source = static_cast<const mr_source *>(config->source.desc);
        mr_index_builder *b;
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        rc = source->index(config->source.params, b, &e);
        int fd = mr__index_memfd(&e);
        if (rc >= 0)
            rc = mr__index_finish(b, fd, &e);
        if (rc >= 0)
            rc = mr__index_map(&index, fd, &e);
        close(fd);
        mr__index_builder_free(b);
        if (rc >= 0)
            rc = open();
    }
    ~Source()
    {
        if (self)
            source->close(self);
        mr__index_unmap(&index);
        mr__config_free(config);
    }
    int open()
    {
        mr_limits limits = {};
        return source->open(config->source.params, &index, &limits, &self, &e);
    }
    int column(const char *name) const
    {
        return mr__index_column(&index, name);
    }
    std::string columns() const
    {
        char text[512];
        mr__index_list_columns(&index, text, sizeof text);
        return text;
    }
    // "" when it fails
    std::string row(const char *name, uint64_t sample)
    {
        const mr_column &c = index.head->column[column(name)];
        std::string bytes(c.width * mr_dtype_size((mr_dtype)c.dtype), 0);
        int r = source->tensor(self, sample, column(name), false, bytes.data(), bytes.size(), &e);
        return r < 0 ? "" : bytes;
    }
    double number(const char *name, uint64_t sample) const
    {
        return mr__index_number(&index, column(name), sample);
    }
};

std::string npy_at(const TempTree &t, const std::string &name, const std::string &more = "")
{
    return "type: npy, path: " + t.path(name) + more;
}

// What indexing says.
std::string refusal(const std::string &yaml)
{
    Source s(yaml);
    EXPECT_LT(s.rc, 0);
    return s.e.text;
}

const char *const f32_2x3 = "(4, 2, 3)";

} // namespace

TEST(SourceNpy, AFileIsAColumnByItsName)
{
    TempTree t;
    t.file("x.npy", npy("<f4", f32_2x3, counted<float>(24)));
    Source s(npy_at(t, "x.npy"));
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_EQ(s.columns(), "x");
    EXPECT_EQ(s.index.head->samples, 4u);
    for (size_t i = 0; i < 4; i++)
        EXPECT_EQ(s.row("x", i), counted<float>(6, 6 * i));
    mr_buf roots = {};
    ASSERT_EQ(s.source->roots(s.config->source.params, &roots, &s.e), MR_OK);
    EXPECT_EQ(std::string((const char *)roots.data, roots.n), t.path("x.npy") + '\0');
    mr__buf_free(&roots);
}

TEST(SourceNpy, AFolderAndAnArchiveAreColumnsToo)
{
    TempTree t;
    std::string x = npy("<f4", f32_2x3, counted<float>(24)),
                y = npy("<i4", "(4,)", counted<int32_t>(4, 7));
    t.file("set/y.npy", y);
    t.file("set/x.npy", x);
    t.file("set/.hidden.npy", "?");
    t.file("set/readme.txt", "?");
    t.file("set.npz", zip({{"y.npy", y}, {"x.npy", x}, {"notes.txt", "?"}}));
    for (const char *path : {"set", "set.npz"}) {
        Source s(npy_at(t, path));
        ASSERT_EQ(s.rc, MR_OK) << s.e.text;
        EXPECT_EQ(s.columns(), strcmp(path, "set") ? "y, x" : "x, y");
        EXPECT_EQ(s.row("x", 3), counted<float>(6, 18)) << path;
        EXPECT_EQ(s.number("y", 2), 9);
        EXPECT_EQ(s.index.head->column[s.column("y")].dtype, (uint32_t)MR_I32);
    }
    Source some(npy_at(t, "set.npz", ", columns: [label=y, \"image data=x\"]"));
    ASSERT_EQ(some.rc, MR_OK) << some.e.text;
    EXPECT_EQ(some.columns(), "label, image data");
    EXPECT_EQ(some.index.head->column[0].dtype, (uint32_t)MR_I64) << "labels are int64";
    EXPECT_EQ(some.number("label", 2), 9);
    EXPECT_EQ(some.row("image data", 1), counted<float>(6, 6));
}

// The same numbers whatever order their bytes have.
TEST(SourceNpy, OtherByteOrdersAreTurned)
{
    TempTree t;
    auto turned = [](std::string s, size_t size) {
        for (size_t i = 0; i < s.size(); i += size)
            for (size_t k = 0; k < size / 2; k++)
                std::swap(s[i + k], s[i + size - 1 - k]);
        return s;
    };
    std::string i2 = counted<int16_t>(40, 300), f4 = counted<float>(40, 70000),
                f8 = counted<double>(40, 1), label = counted<int32_t>(4, 1000000);
    t.file("big/i2.npy", npy(">i2", "(4, 10)", turned(i2, 2)));
    t.file("big/f4.npy", npy(">f4", "(4, 2, 5)", turned(f4, 4)));
    t.file("big/f8.npy", npy(">f8", "(4, 10)", turned(f8, 8)));
    t.file("big/label.npy", npy(">i4", "(4,)", turned(label, 4)));
    Source s(npy_at(t, "big"));
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    for (size_t i = 0; i < 4; i++) {
        EXPECT_EQ(s.row("i2", i), i2.substr(20 * i, 20));
        EXPECT_EQ(s.row("f4", i), f4.substr(40 * i, 40));
        EXPECT_EQ(s.row("f8", i), f8.substr(80 * i, 80));
        EXPECT_EQ(s.number("label", i), 1000000 + (double)i);
    }
}

TEST(SourceNpy, WhatIsWrongIsNamed)
{
    TempTree t;
    std::string x = npy("<f4", f32_2x3, counted<float>(24));
    t.file("short.npy", x.substr(0, x.size() - 1));
    t.file("long.npy", x + "!");
    t.file("none.npy", npy("<f4", "(0, 3)", ""));
    t.file("objects.npz", zip({{"x.npy", x}, {"meta.npy", npy("|O", "(4,)", "pickle")}}));
    t.file("lengths/a.npy", x);
    t.file("lengths/b.npy", npy("<i8", "(5,)", counted<int64_t>(5)));
    t.file("deflated.npz", zip({{"x.npy", x, 8}}));
    t.file("picture.png", "\x89PNG\r\n");
    t.folder("empty");
    EXPECT_EQ(refusal(npy_at(t, "short.npy")),
              "'" + t.path("short.npy") +
                  "': its header promises 4 samples of 24 bytes, 95 bytes "
                  "follow: it was cut, or is still being written");
    EXPECT_NE(refusal(npy_at(t, "long.npy")).find("1 bytes follow the 96"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "none.npy")).find("has no samples"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "objects.npz")).find("the array 'meta': it holds Python objects"),
              std::string::npos)
        << refusal(npy_at(t, "objects.npz"));
    EXPECT_EQ(Source(npy_at(t, "objects.npz", ", columns: [x]")).rc, MR_OK)
        << "what is not wanted is not looked at";
    EXPECT_NE(refusal(npy_at(t, "lengths")).find("'a' has 4, 'b' has 5"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "deflated.npz")).find("savez_compressed"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "picture.png")).find("too short for a .npy"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "empty")).find("no array in"), std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "lengths", ", columns: [c]")).find("no array 'c'; it has a, b"),
              std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "lengths", ", columns: ['=a']")).find("names no array"),
              std::string::npos);
    EXPECT_NE(refusal(npy_at(t, "lengths", ", columns: [c=a, c=b]")).find("there twice"),
              std::string::npos);
}

// A file that changes under the reader is a bad sample, by name and number; one that has changed
// before it is opened is another data set.
TEST(SourceNpy, AFileThatChangesIsFound)
{
    TempTree t;
    t.file("x.npy", npy("<f4", f32_2x3, counted<float>(24)));
    Source s(npy_at(t, "x.npy"));
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_NE(s.row("x", 2), "");
    std::filesystem::resize_file(t.path("x.npy"), 128 + 50);
    EXPECT_EQ(s.row("x", 2), "");
    EXPECT_EQ(s.e.code, MR_E_DATA);
    EXPECT_NE(std::string(s.e.text).find("'" + t.path("x.npy") + "', sample 2 of 'x'"),
              std::string::npos)
        << s.e.text;
    EXPECT_EQ(s.row("x", 0), "") << "what is left is of a file that is no longer the same";
    s.source->close(s.self);
    s.self = nullptr;
    t.file("x.npy", npy("<f4", "(4, 3, 2)", counted<float>(24)));
    EXPECT_EQ(s.open(), MR_E_IO);
    EXPECT_NE(std::string(s.e.text).find("has changed since the data set was listed"),
              std::string::npos);
}

TEST(SourceNpy, WhatIsAskedForIsChecked)
{
    TempTree t;
    t.file("set/x.npy", npy("<f4", f32_2x3, counted<float>(24)));
    t.file("set/y.npy", npy("<f4", "(4,)", counted<float>(4)));
    Source s(npy_at(t, "set"));
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    char to[64];
    mr_buf out = {};
    EXPECT_EQ(s.source->tensor(s.self, 4, 0, false, to, 24, &s.e), MR_E_USAGE);
    EXPECT_EQ(s.source->tensor(s.self, 0, 0, false, to, 23, &s.e), MR_E_USAGE);
    EXPECT_EQ(s.source->tensor(s.self, 0, 1, false, to, 4, &s.e), MR_E_USAGE) << "in the index";
    EXPECT_EQ(s.source->tensor(s.self, 0, -1, false, to, 24, &s.e), MR_E_USAGE);
    EXPECT_EQ(s.source->tensor(s.self, 0, 99, false, to, 24, &s.e), MR_E_USAGE);
    EXPECT_EQ(s.source->read(s.self, 0, 0, &out, &s.e), MR_E_USAGE);
    EXPECT_EQ(s.source->ahead(s.self, 99, 0, 100), MR_CACHED_UNKNOWN);
    EXPECT_NE(s.source->ahead(s.self, 3, 0, 100), MR_CACHED_NOT);
}

/* ---- raw ---- */

namespace
{

std::string raw_at(const TempTree &t, const std::string &more)
{
    return "type: raw, path: " + t.path("records.bin") + ", " + more;
}

} // namespace

// CIFAR's layout: a label and a picture, over and over.
TEST(SourceRaw, RecordsAreColumnsOneBehindTheOther)
{
    TempTree t;
    std::string file = "head!";
    for (int i = 0; i < 3; i++)
        file += std::string(1, (char)(7 + i)) + counted<uint8_t>(12, 20 * (size_t)i) +
                counted<float>(1, 5 + (size_t)i);
    t.file("records.bin", file);
    Source s(raw_at(t, "header: 5, columns: [\"label:u8\", \"x:uint8[3,2,2]\", \"w:f32\"]"));
    ASSERT_EQ(s.rc, MR_OK) << s.e.text;
    EXPECT_EQ(s.columns(), "label, x, w");
    EXPECT_EQ(s.index.head->samples, 3u);
    for (size_t i = 0; i < 3; i++) {
        EXPECT_EQ(s.number("label", i), 7 + (double)i);
        EXPECT_EQ(s.row("x", i), counted<uint8_t>(12, 20 * i));
        EXPECT_EQ(s.number("w", i), 5 + (double)i);
    }
    Source big(raw_at(t, "byte_order: big, header: 5, columns: [\"a:u8[13]\", \"w:i32[1]\"]"));
    ASSERT_EQ(big.rc, MR_OK) << big.e.text;
    std::string turned = big.row("w", 1), as_is = counted<float>(1, 6);
    EXPECT_EQ(turned, std::string(as_is.rbegin(), as_is.rend()));
}

TEST(SourceRaw, WhatCannotBeIsRefused)
{
    TempTree t;
    t.file("records.bin", std::string(100, 'x'));
    EXPECT_EQ(Source(raw_at(t, "columns: [\"x:u8[10]\"]")).rc, MR_OK);
    EXPECT_EQ(refusal(raw_at(t, "columns: [\"x:f32[7]\"]")),
              "'" + t.path("records.bin") +
                  "' has 100 bytes: behind a header of 0 that is no "
                  "whole number of records of 28 bytes; check 'columns' "
                  "and 'header'");
    EXPECT_NE(refusal(raw_at(t, "header: 101, columns: [\"x:u8[10]\"]")).find("header of 101"),
              std::string::npos);
    EXPECT_NE(refusal(raw_at(t, "header: 100, columns: [\"x:u8[10]\"]")).find("no samples"),
              std::string::npos);
    for (const char *columns :
         {"[]", "[x]", "[\"x:\"]", "[\":u8\"]", "[\"x:u7\"]", "[\"x:u8[\"]", "[\"x:u8[]\"]",
          "[\"x:u8[0]\"]", "[\"x:u8[-1]\"]", "[\"x:u8[3,]\"]", "[\"x:u8[3]4\"]", "[\"x:u8[3;4]\"]",
          "[\"x:u8[1,1,1,1,1,1,1,1]\"]", "[\"x:f64[4294967295,4294967295]\"]",
          "[\"x:u8[99999999999999999999]\"]", "[\"x:u8\", \"x:u8\"]"}) {
        Source s(raw_at(t, std::string("columns: ") + columns));
        EXPECT_EQ(s.rc, MR_E_CONFIG) << columns << ": " << s.e.text;
    }
}
