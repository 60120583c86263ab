// SPDX-License-Identifier: Apache-2.0
// Several data sets in one index: what belongs together is one, what differs is refused.
#include <gtest/gtest.h>

extern "C" {
#include "base/index.h"
#include "base/index_format.h"
}

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace
{

using Classes = std::vector<std::string>;

struct Whole {
    mr_index_builder *b = nullptr;
    mr_index index = {};
    mr_errbuf e = {};
    int fd = -1;

    Whole()
    {
        EXPECT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    }
    ~Whole()
    {
        mr__index_unmap(&index);
        mr__index_builder_free(b);
        if (fd >= 0)
            close(fd);
    }
    mr_index_builder *part(const char *name, const char *root)
    {
        mr_index_builder *p = nullptr;
        EXPECT_EQ(mr__index_add_part(b, name, &p, &e), MR_OK) << e.text;
        EXPECT_EQ(mr__index_set_root(p, root, &e), MR_OK);
        return p;
    }
    // Images with a label, one after the other.
    mr_index_builder *images(const char *name, const char *root, const Classes &classes,
                             const std::vector<std::pair<std::string, int64_t>> &samples)
    {
        mr_index_builder *p = part(name, root);
        int image = mr__index_add_column(p, "image", MR_COL_PATH, MR_U8, 1, &e);
        int label = mr__index_add_column(p, "label", MR_COL_FIXED, MR_I64, 1, &e);
        for (auto &[path, number] : samples) {
            mr__index_add_path(p, image, path.data(), path.size(), &e);
            mr__index_add_numbers(p, label, &number, 1, &e);
        }
        for (auto &c : classes)
            mr__index_add_class(p, c.data(), c.size(), &e);
        return p;
    }
    int finish()
    {
        fd = mr__index_memfd(&e);
        int rc = mr__index_finish(b, fd, &e);
        return rc < 0 ? rc : mr__index_map(&index, fd, &e);
    }
    std::string path(uint64_t sample)
    {
        char *p = mr__index_full_path(&index, mr__index_column(&index, "image"), sample);
        std::string s = p;
        free(p);
        return s;
    }
    int64_t label(uint64_t sample)
    {
        uint64_t n;
        int64_t value;
        const void *at = mr__index_numbers(&index, mr__index_column(&index, "label"), sample, &n);
        EXPECT_EQ(n, 1u);
        memcpy(&value, at, sizeof value);
        return value;
    }
    Classes classes()
    {
        Classes all;
        size_t n;
        for (uint64_t i = 0; i < index.head->classes; i++) {
            const char *text = mr__index_class(&index, i, &n);
            all.emplace_back(text, n);
        }
        return all;
    }
};

} // namespace

TEST(IndexParts, EachHasItsRootAndEqualClassesAreOne)
{
    Whole w;
    w.images("photos", "/a", {"cat", "dog"}, {{"cat/1", 0}, {"dog/1", 1}, {"/elsewhere", 1}});
    w.images("drawings", "/b", {"ant", "cat", "zebra"}, {{"x", 1}, {"y", 2}, {"z", 0}});
    ASSERT_EQ(w.finish(), MR_OK) << w.e.text;
    EXPECT_EQ(w.index.head->samples, 6u);
    EXPECT_EQ(w.classes(), (Classes{"ant", "cat", "dog", "zebra"}));
    const char *paths[] = {"/a/cat/1", "/a/dog/1", "/elsewhere", "/b/x", "/b/y", "/b/z"};
    int64_t labels[] = {1, 2, 2, 1, 3, 0};
    for (uint64_t i = 0; i < 6; i++) {
        EXPECT_EQ(w.path(i), paths[i]);
        EXPECT_EQ(w.label(i), labels[i]);
        EXPECT_STREQ(mr__index_part(&w.index, i)->name, i < 3 ? "photos" : "drawings");
    }
    mr_index own = mr__index_of_part(&w.index, mr__index_parts(&w.index)); // knows them all
    size_t n;
    EXPECT_EQ(own.head->classes, 4u);
    EXPECT_EQ(std::string(mr__index_class(&own, 3, &n), 5), "zebra");
}

TEST(IndexParts, AColumnThatAPartLacksIsEmptyThere)
{
    Whole w;
    w.images("plain", "/a", {}, {{"1", 5}});
    mr_index_builder *p = w.part("rich", "/b");
    ASSERT_EQ(mr__index_add_column(p, "weight", MR_COL_FIXED, MR_F64, 3, &w.e), 0);
    ASSERT_EQ(mr__index_add_column(p, "boxes", MR_COL_RAGGED, MR_F32, 4, &w.e), 1);
    ASSERT_EQ(mr__index_add_column(p, "image", MR_COL_PATH, MR_U8, 1, &w.e), 2);
    double weights[] = {1, 2, 3};
    float boxes[] = {1, 2, 3, 4, 5, 6, 7, 8};
    mr__index_add_numbers(p, 0, weights, 1, &w.e);
    mr__index_add_numbers(p, 1, boxes, 2, &w.e);
    mr__index_add_path(p, 2, "i", 1, &w.e);
    ASSERT_EQ(w.finish(), MR_OK) << w.e.text;
    int weight = mr__index_column(&w.index, "weight"), box = mr__index_column(&w.index, "boxes");
    uint64_t n;
    const double zeros[3] = {};
    EXPECT_EQ(memcmp(mr__index_numbers(&w.index, weight, 0, &n), zeros, sizeof zeros), 0);
    EXPECT_EQ(n, 1u);
    mr__index_numbers(&w.index, box, 0, &n);
    EXPECT_EQ(n, 0u);
    EXPECT_EQ(memcmp(mr__index_numbers(&w.index, weight, 1, &n), weights, sizeof weights), 0);
    EXPECT_EQ(memcmp(mr__index_numbers(&w.index, box, 1, &n), boxes, sizeof boxes), 0);
    EXPECT_EQ(n, 2u);
    EXPECT_EQ(w.index.head->column[box].max_entries, 2u);
    EXPECT_EQ(w.path(1), "/b/i");
    EXPECT_EQ(w.label(1), 0);
}

TEST(IndexParts, ColumnsThatDifferAreRefusedByName)
{
    Whole w;
    w.images("a", "/a", {}, {{"1", 5}});
    mr_index_builder *p = w.part("b", "/b");
    int label = mr__index_add_column(p, "label", MR_COL_FIXED, MR_F32, 2, &w.e);
    float two[2] = {};
    mr__index_add_numbers(p, label, two, 1, &w.e);
    EXPECT_EQ(w.finish(), MR_E_CONFIG);
    EXPECT_STREQ(w.e.text, "the column 'label' is 1 x int64 in part 'a' and 2 x float32 in part "
                           "'b': give them one type, or the columns two names");
}

TEST(IndexParts, PlainNumbersStandBesideNamesThatKeepTheirs)
{
    Whole good;
    good.images("named", "/a", {"cat", "dog"}, {{"1", 1}});
    good.images("numbers", "/b", {}, {{"2", 1}});
    EXPECT_EQ(good.finish(), MR_OK) << good.e.text;
    EXPECT_EQ(good.label(0), 1);
    EXPECT_EQ(good.label(1), 1);
    Whole bad;
    bad.images("named", "/a", {"cat", "dog"}, {{"1", 1}});
    bad.images("other", "/c", {"ant"}, {{"1", 0}});
    bad.images("numbers", "/b", {}, {{"2", 1}});
    EXPECT_EQ(bad.finish(), MR_E_CONFIG);
    EXPECT_STREQ(bad.e.text, "class 'cat' of part 'named' is number 0 there and 1 in the mixture, "
                             "and the labels of part 'numbers' are plain numbers: make them names "
                             "('label:class' in the manifest)");
}

TEST(IndexParts, TheHashIsOfTheDataNotOfRootsOrNames)
{
    auto hash = [](const char *root, const char *name, const char *path, bool swap = false) {
        Whole w;
        if (swap)
            w.images("b", "/b", {"x"}, {{"2", 0}});
        w.images(name, root, {"x"}, {{path, 0}});
        if (!swap)
            w.images("b", "/b", {"x"}, {{"2", 0}});
        EXPECT_EQ(w.finish(), MR_OK) << w.e.text;
        return w.index.head->hash;
    };
    uint64_t h = hash("/a", "a", "1");
    EXPECT_EQ(hash("/moved", "renamed", "1"), h);
    EXPECT_NE(hash("/a", "a", "3"), h);
    EXPECT_NE(hash("/a", "a", "1", true), h);
}

TEST(IndexParts, DamageIsFound)
{
    Whole w;
    w.images("a", "/a", {"x", "y"}, {{"1", 0}, {"2", 1}});
    w.images("b", "/b", {"x"}, {{"3", 0}});
    ASSERT_EQ(w.finish(), MR_OK) << w.e.text;
    using Bytes = std::vector<uint8_t>;
    const Bytes whole(w.index.base, w.index.base + w.index.bytes);
    auto head = [](Bytes &b) { return (mr_index_head *)b.data(); };
    auto part = [&](Bytes &b, int i) { return (mr_index_part *)&b[head(b)->part_table] + i; };
    auto own = [&](Bytes &b, int i) { return (mr_index_head *)&b[part(b, i)->at]; };
    const std::vector<std::function<void(Bytes &)>> damages = {
        [&](Bytes &b) { head(b)->parts = 1; },
        [&](Bytes &b) { head(b)->parts = 65; },
        [&](Bytes &b) { head(b)->part_table += 8; },
        [&](Bytes &b) { head(b)->part_table = b.size(); },
        [&](Bytes &b) { head(b)->samples++; },
        [&](Bytes &b) { head(b)->zeros = b.size(); },
        [&](Bytes &b) { part(b, 1)->first++; },
        [&](Bytes &b) { part(b, 1)->samples++; },
        [&](Bytes &b) { part(b, 0)->bytes = b.size(); },
        [&](Bytes &b) { part(b, 0)->at = UINT64_MAX - 63; },
        [&](Bytes &b) { part(b, 0)->column[0] = 2; },
        [&](Bytes &b) { part(b, 0)->column[0] = 1; },
        [&](Bytes &b) { memset(part(b, 0)->name, 'x', MR_INDEX_NAME); },
        [&](Bytes &b) { own(b, 1)->magic = 0; },
        [&](Bytes &b) { own(b, 1)->parts = 1; },
        [&](Bytes &b) { own(b, 0)->column[0].data = b.size(); },
    };
    for (size_t i = 0; i <= damages.size(); i++) {
        Bytes bytes = whole;
        if (i < damages.size())
            damages[i](bytes);
        mr_errbuf e = {};
        mr_index index;
        int fd = mr__index_memfd(&e);
        ASSERT_EQ(write(fd, bytes.data(), bytes.size()), (ssize_t)bytes.size());
        fcntl(fd, F_ADD_SEALS, MR_INDEX_SEALS);
        EXPECT_EQ(mr__index_map(&index, fd, &e), i < damages.size() ? MR_E_CORRUPT : MR_OK) << i;
        mr__index_unmap(&index);
        close(fd);
    }
}
