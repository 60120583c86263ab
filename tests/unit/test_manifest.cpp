// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/descriptor.h"
}

#include "temp_tree.hpp"

#include <cmath>
#include <cstring>
#include <sys/stat.h>
#include <vector>

extern "C" const struct mr_source mr__source_manifest;

namespace
{

struct Params { // as struct manifest_params in manifest.c
    const char *path, *root;
    int separator;
};

using Strings = std::vector<std::string>;

// The index of a manifest, or why there is none.
struct Manifest {
    TempTree tree;
    int rc;
    std::string error;
    mr_index index = {};

    explicit Manifest(const std::string &text, const char *root = nullptr, int separator = 0)
    {
        mr_errbuf e = {};
        mr_index_builder *b;
        tree.file("m.csv", text);
        std::string path = tree.path("m.csv");
        Params params = {path.c_str(), root, separator};
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
        rc = mr__source_manifest.index(&params, b, &e);
        error = e.text;
        if (error.rfind(path, 0) == 0)
            error.erase(0, path.size() + 1);
        if (rc == MR_OK) {
            int fd = mr__index_memfd(&e);
            EXPECT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
            EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
            close(fd);
        }
        mr__index_builder_free(b);
    }
    ~Manifest()
    {
        mr__index_unmap(&index);
    }
    uint64_t samples() const
    {
        return index.head->samples;
    }
    int column(const char *name) const
    {
        return mr__index_column(&index, name);
    }
    Strings paths(const char *name) const
    {
        Strings all;
        for (uint64_t i = 0; i < samples(); i++) {
            size_t n;
            const char *text = mr__index_path(&index, column(name), i, &n);
            all.emplace_back(text, n);
        }
        return all;
    }
    template <class T> std::vector<T> numbers(const char *name, uint64_t sample) const
    {
        const mr_column &c = index.head->column[column(name)];
        EXPECT_EQ(mr_dtype_size((mr_dtype)c.dtype), sizeof(T));
        uint64_t entries;
        const T *from = (const T *)mr__index_numbers(&index, column(name), sample, &entries);
        return std::vector<T>(from, from + entries * c.width);
    }
    std::vector<int64_t> labels() const
    {
        std::vector<int64_t> all;
        for (uint64_t i = 0; i < samples(); i++)
            all.push_back(numbers<int64_t>("label", i).at(0));
        return all;
    }
    Strings classes() const
    {
        Strings all;
        for (uint64_t i = 0; i < index.head->classes; i++) {
            size_t n;
            const char *text = mr__index_class(&index, i, &n);
            all.emplace_back(text, n);
        }
        return all;
    }
};

using Floats = std::vector<float>;
using Labels = std::vector<int64_t>;

} // namespace

TEST(Manifest, EveryKindOfColumn)
{
    Manifest m("image,mask,label:i64,boxes:f32[4],weight:f64,vec:i32[3],tags:u16[*],pts:f32[*][2],"
               "note:ignore\n"
               "b.jpg,m/b.png,7,1 2 3 4;5.5 6 7 8,0.25,-1 2 +3,1 2 3,1 2 3 4,anything at all\n"
               "\"a,1.jpg\",,-1,,1e-3,1;2;3,,,\n"
               "/abs/c.jpg,x,9223372036854775807,\" 0 0 1 1 ; \",nan,007 0 -0,65535,1 2,\"\"\n");
    ASSERT_EQ(m.rc, MR_OK) << m.error;
    ASSERT_EQ(m.samples(), 3u);
    EXPECT_EQ(m.paths("image"), (Strings{"b.jpg", "a,1.jpg", "/abs/c.jpg"})); // the file's order
    EXPECT_EQ(m.paths("mask"), (Strings{"m/b.png", "", "x"}));
    EXPECT_EQ(m.labels(), (Labels{7, -1, INT64_MAX}));
    EXPECT_TRUE(m.classes().empty());
    EXPECT_EQ(m.numbers<float>("boxes", 0), (Floats{1, 2, 3, 4, 5.5, 6, 7, 8}));
    EXPECT_TRUE(m.numbers<float>("boxes", 1).empty());
    EXPECT_EQ(m.numbers<float>("boxes", 2), (Floats{0, 0, 1, 1}));
    EXPECT_EQ(m.index.head->column[m.column("boxes")].max_entries, 2u);
    EXPECT_EQ(m.numbers<double>("weight", 1), (std::vector<double>{1e-3}));
    EXPECT_TRUE(std::isnan(m.numbers<double>("weight", 2)[0]));
    EXPECT_EQ(m.numbers<int32_t>("vec", 0), (std::vector<int32_t>{-1, 2, 3}));
    EXPECT_EQ(m.numbers<int32_t>("vec", 2), (std::vector<int32_t>{7, 0, 0}));
    EXPECT_EQ(m.numbers<uint16_t>("tags", 0), (std::vector<uint16_t>{1, 2, 3}));
    EXPECT_EQ(m.numbers<float>("pts", 0), (Floats{1, 2, 3, 4}));
    EXPECT_EQ(m.column("note"), -1);
    char *full = mr__index_full_path(&m.index, m.column("image"), 0);
    EXPECT_EQ(full, m.tree.path("b.jpg"));
    free(full);
}

TEST(Manifest, LabelsAreNumbersOrNames)
{
    Manifest numbers("image,label\na,3\nb,-1\nc,3\n");
    EXPECT_EQ(numbers.labels(), (Labels{3, -1, 3}));
    EXPECT_TRUE(numbers.classes().empty());

    Manifest names("image,label\na,dog\nb,cat\nc,golden retriever\nd,dog\n");
    EXPECT_EQ(names.labels(), (Labels{1, 0, 2, 1}));
    EXPECT_EQ(names.classes(), (Strings{"cat", "dog", "golden retriever"}));

    Manifest mixed("image,label\na,10\nb,9\nc,x\n"); // one name makes all of them names
    EXPECT_EQ(mixed.classes(), (Strings{"10", "9", "x"}));

    Manifest forced("image,label:class\na,10\nb,9\n");
    EXPECT_EQ(forced.labels(), (Labels{0, 1}));
    EXPECT_EQ(forced.classes(), (Strings{"10", "9"}));

    std::string many = "image,label\n"; // more than the hash table begins with
    for (int i = 0; i < 5000; i++)
        many += "a,n" + std::to_string(10000 + (i * 7) % 5000) + "\n";
    Manifest m(many);
    ASSERT_EQ(m.classes().size(), 5000u);
    for (int i = 0; i < 5000; i++)
        ASSERT_EQ(m.numbers<int64_t>("label", i)[0], (i * 7) % 5000);
}

TEST(Manifest, RelativePathsStartAtTheRootIfThereIsOne)
{
    TempTree other;
    Manifest m("image\na.jpg\n", other.root.c_str());
    ASSERT_EQ(m.rc, MR_OK) << m.error;
    char *full = mr__index_full_path(&m.index, 0, 0);
    EXPECT_EQ(full, other.path("a.jpg"));
    free(full);
}

TEST(Manifest, TabsMayStandBetweenCells)
{
    Manifest m("image\tlabel:i64\na,b.jpg\t1\n", nullptr, 1);
    ASSERT_EQ(m.rc, MR_OK) << m.error;
    EXPECT_EQ(m.paths("image"), (Strings{"a,b.jpg"}));
}

TEST(Manifest, ErrorsNameThePlaceAndWhatToDo)
{
    const struct {
        const char *text, *error;
    } wants[] = {
        {"", "1:1: error: the manifest has no line"},
        {"image,label\n", "2:1: error: the manifest has no row behind its header"},
        {"a.jpg,1\nb.jpg,2\n",
         "1:1: error: no column 'image': the first line names the columns and "
         "their types, such as image,label:i64"},
        {"image,label:f3\na,1\n", "1:7: error: unknown type 'f3' in column 'label:f3'; did you "
                                  "mean 'f32'?"},
        {"image,w:f32[0]\na,1\n", "1:7: error: unknown type 'f32[0]'"},
        {"image,w:f32[3\na,1\n", "1:7: error: unknown type 'f32[3'"},
        {"image,w:f32[3]x\na,1\n", "1:7: error: unknown type 'f32[3]x'"},
        {"image,w:f32[*][*]\na,1\n", "1:7: error: unknown type"},
        {"image,w:f32[99999999999999999999]\na,1\n", "1:7: error: unknown type"},
        {"image,weight\na,1\n", "1:7: error: column 'weight' has no type: write 'weight:f32', "
                                "'weight:i64' or another, or 'weight:ignore'"},
        {"image,w:class\na,1\n", "1:7: error: only the column 'label' can be a class"},
        {"image,image\na,1\n", "1:7: error: column 'image' is there twice"},
        {"image,mask:f32\na,1\n", "1:7: error: column 'mask' holds paths and takes no type"},
        {"image,:f32\na,1\n", "1:7: error: column 2 has no name"},
        {"image,boxes:f32[5]\na,1\n", "1:7: error: column 'boxes' holds boxes:f32[4]"},
        {"image,label\na,1\nb\n", "3:1: error: the row has 1 cells, the header 2"},
        {"image,label\n,1\n", "2:1: error: the image's path is missing"},
        {"image,label\na,\n", "2:3: error: the label is missing"},
        {"image,label:i64\na,\n", "2:3: error: column 'label' takes 1 number, the cell has 0"},
        {"image,label:i64\na,1.5\n",
         "2:3: error: column 'label' (int64): '1.5' is not a whole number"},
        {"image,label:u8\na,256\n", "2:3: error: column 'label' (uint8): '256' is beyond what its "
                                    "type can hold"},
        {"image,label:i64\na,9223372036854775808\n", "2:3: error: column 'label' (int64): "
                                                     "'9223372036854775808' is beyond"},
        {"image,w:f32\na,0x10\n", "2:3: error: column 'w' (float32): '0x10' is not a number"},
        {"image,w:f32\na,1e39\n", "2:3: error: column 'w' (float32): '1e39' is beyond"},
        {"image,w:f32[2]\na,1 2 3\n", "2:3: error: column 'w' takes 2 numbers, the cell has 3"},
        {"image,boxes:f32[4]\na,1 2 3\n",
         "2:3: error: column 'boxes' takes numbers in groups of 4, "
         "the cell has 3"},
        {"image,boxes:f32[4]\na,0 0 1 1;50 60 20 20\n",
         "2:3: error: box 2 (50 60 20 20) is not x0 y0 x1 y1 with x0 <= x1 and y0 <= y1"},
        {"image,boxes:f32[4]\na,0 0 nan 1\n", "2:3: error: box 1"},
        {"image,label\na,1\n\"b\n", "3:1: error: this quote is never closed"},
    };
    for (auto &want : wants) {
        Manifest m(want.text);
        EXPECT_EQ(m.rc, MR_E_CONFIG) << want.text;
        EXPECT_EQ(m.error.substr(0, strlen(want.error)), want.error);
    }
}

TEST(Manifest, WhatIsNoFileIsRefused)
{
    TempTree t;
    mr_errbuf e = {};
    mr_index_builder *b;
    ASSERT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    ASSERT_EQ(mkfifo(t.path("fifo").c_str(), 0600), 0);
    for (std::string path : {t.path("gone"), t.root.string(), t.path("fifo")}) {
        Params params = {path.c_str(), nullptr, 0};
        EXPECT_EQ(mr__source_manifest.index(&params, b, &e), MR_E_IO);
        EXPECT_NE(std::string(e.text).find(path), std::string::npos) << e.text;
    }
    mr__index_builder_free(b);
}
