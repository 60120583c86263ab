// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
#include "base/index.h"
#include "base/index_format.h"
}

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace
{

// Three samples: paths, labels (i64), boxes (f32[4], 2 + 0 + 1 of them), two classes.
struct Sample {
    std::string path;
    int64_t label;
    std::vector<float> boxes;
};
const std::vector<Sample> three = {
    {"cat/1.jpg", 0, {1, 2, 3, 4, 5, 6, 7, 8}},
    {"/elsewhere/2.jpg", 1, {}},
    {"dog/\xff\n.jpg", 1, {9, 10, 11, 12}},
};

int build(const std::vector<Sample> &samples, mr_errbuf *e, const char *root = "/data")
{
    mr_index_builder *b;
    EXPECT_EQ(mr__index_builder_new(&b, e), MR_OK);
    EXPECT_EQ(mr__index_set_root(b, root, e), MR_OK);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, e), 0);
    EXPECT_EQ(mr__index_add_column(b, "label", MR_COL_FIXED, MR_I64, 1, e), 1);
    EXPECT_EQ(mr__index_add_column(b, "boxes", MR_COL_RAGGED, MR_F32, 4, e), 2);
    for (auto &s : samples) { // column by column within a sample, in no particular order
        EXPECT_EQ(mr__index_add_numbers(b, 2, s.boxes.data(), s.boxes.size() / 4, e), MR_OK);
        EXPECT_EQ(mr__index_add_path(b, 0, s.path.data(), s.path.size(), e), MR_OK);
        EXPECT_EQ(mr__index_add_numbers(b, 1, &s.label, 1, e), MR_OK);
    }
    EXPECT_EQ(mr__index_add_class(b, "cat", 3, e), MR_OK);
    EXPECT_EQ(mr__index_add_class(b, "dog", 3, e), MR_OK);
    mr__index_skip(b, 5);
    int fd = mr__index_memfd(e);
    EXPECT_EQ(mr__index_finish(b, fd, e), MR_OK) << e->text;
    mr__index_builder_free(b);
    return fd;
}

uint64_t hash_of(const std::vector<Sample> &samples, const char *root = "/data")
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build(samples, &e, root);
    EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    uint64_t hash = index.head->hash;
    mr__index_unmap(&index);
    close(fd);
    return hash;
}

std::vector<uint8_t> bytes_of(int fd)
{
    std::vector<uint8_t> bytes(lseek(fd, 0, SEEK_END));
    EXPECT_EQ(pread(fd, bytes.data(), bytes.size(), 0), (ssize_t)bytes.size());
    return bytes;
}

int map_bytes(const std::vector<uint8_t> &bytes, mr_index *index, mr_errbuf *e,
              int seals = MR_INDEX_SEALS)
{
    int fd = mr__index_memfd(e);
    EXPECT_EQ(write(fd, bytes.data(), bytes.size()), (ssize_t)bytes.size());
    EXPECT_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
    int rc = mr__index_map(index, fd, e);
    close(fd);
    return rc;
}

} // namespace

TEST(Index, WhatGoesInComesOut)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build(three, &e);
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    close(fd);
    EXPECT_EQ(index.head->samples, 3u);
    EXPECT_EQ(index.head->skipped, 5u);
    EXPECT_EQ(mr__index_column(&index, "boxes"), 2);
    EXPECT_EQ(mr__index_column(&index, "mask"), -1);
    for (uint64_t i = 0; i < 3; i++) {
        size_t n;
        const char *path = mr__index_path(&index, 0, i, &n);
        EXPECT_EQ(std::string(path, n), three[i].path);
        uint64_t entries;
        EXPECT_EQ(*(const int64_t *)mr__index_numbers(&index, 1, i, &entries), three[i].label);
        EXPECT_EQ(entries, 1u);
        const float *boxes = (const float *)mr__index_numbers(&index, 2, i, &entries);
        EXPECT_EQ(std::vector<float>(boxes, boxes + entries * 4), three[i].boxes);
    }
    EXPECT_EQ(index.head->column[2].max_entries, 2u);
    char *full = mr__index_full_path(&index, 0, 0);
    EXPECT_STREQ(full, "/data/cat/1.jpg");
    free(full);
    full = mr__index_full_path(&index, 0, 1);
    EXPECT_STREQ(full, "/elsewhere/2.jpg");
    free(full);
    size_t n;
    const char *dog = mr__index_class(&index, 1, &n);
    EXPECT_EQ(std::string(dog, n), "dog");
    EXPECT_EQ(mr__index_class(&index, 2, &n), nullptr);
    mr__index_unmap(&index);
    EXPECT_EQ(index.base, nullptr);
}

TEST(Index, IsSealed)
{
    mr_errbuf e = {};
    int fd = build(three, &e);
    EXPECT_LT(pwrite(fd, "x", 1, 0), 0);
    EXPECT_LT(ftruncate(fd, 10), 0);
    EXPECT_EQ(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    close(fd);
}

TEST(Index, TheHashIsOfTheDataAndNotOfItsPlace)
{
    uint64_t hash = hash_of(three);
    EXPECT_EQ(hash_of(three), hash);
    EXPECT_EQ(hash_of(three, "/moved/somewhere/else"), hash);
    for (int change = 0; change < 4; change++) {
        auto other = three;
        if (change == 0)
            other[0].path = "cat/2.jpg";
        else if (change == 1)
            other[2].label = 0;
        else if (change == 2)
            other[2].boxes[3] = 13;
        else
            other.pop_back();
        EXPECT_NE(hash_of(other), hash) << change;
    }
}

TEST(Index, AnEmptyOneIsAnIndex)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build({}, &e);
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    EXPECT_EQ(index.head->samples, 0u);
    mr__index_unmap(&index);
    close(fd);
}

namespace
{

// `samples` samples without a stored byte each: images that are made, labels that repeat.
int build_endless(uint64_t samples, const std::vector<int64_t> &labels, mr_errbuf *e)
{
    mr_index_builder *b;
    EXPECT_EQ(mr__index_builder_new(&b, e), MR_OK);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_MADE, MR_U8, 1, e), 0);
    EXPECT_EQ(mr__index_add_column(b, "label", MR_COL_FIXED, MR_I64, 1, e), 1);
    for (int64_t label : labels)
        EXPECT_EQ(mr__index_add_numbers(b, 1, &label, 1, e), MR_OK);
    EXPECT_EQ(mr__index_repeat(b, 0, samples, e), MR_OK) << e->text;
    EXPECT_EQ(mr__index_repeat(b, 1, samples, e), MR_OK) << e->text;
    int fd = mr__index_memfd(e);
    EXPECT_EQ(mr__index_finish(b, fd, e), MR_OK) << e->text;
    mr__index_builder_free(b);
    return fd;
}

uint64_t endless_hash(uint64_t samples, const std::vector<int64_t> &labels)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build_endless(samples, labels, &e);
    EXPECT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    uint64_t hash = index.head->hash;
    mr__index_unmap(&index);
    close(fd);
    return hash;
}

} // namespace

TEST(Index, ValuesThatRepeatAndImagesThatAreMadeTakeNoRoom)
{
    mr_errbuf e = {};
    mr_index index;
    const uint64_t many = 1000000000000;
    int fd = build_endless(many, {5, 6, 7}, &e);
    EXPECT_LT(lseek(fd, 0, SEEK_END), 1 << 16);
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    close(fd);
    EXPECT_EQ(index.head->samples, many);
    uint64_t entries;
    for (uint64_t s : {uint64_t(0), uint64_t(1), uint64_t(2), uint64_t(3), many - 1})
        EXPECT_EQ(*(const int64_t *)mr__index_numbers(&index, 1, s, &entries), int64_t(5 + s % 3));
    size_t n = 1;
    mr__index_path(&index, 0, many - 1, &n);
    EXPECT_EQ(n, 0u);
    char *text = mr__index_full_path(&index, 0, 3);
    EXPECT_STREQ(text, "");
    free(text);
    text = mr__index_name(&index, 0, 17);
    EXPECT_STREQ(text, "sample 17");
    free(text);
    mr__index_unmap(&index);

    uint64_t hash = endless_hash(many, {5, 6, 7});
    EXPECT_EQ(endless_hash(many, {5, 6, 7}), hash);
    EXPECT_NE(endless_hash(many + 1, {5, 6, 7}), hash) << "the count is of the data";
    EXPECT_NE(endless_hash(many, {5, 6, 8}), hash);
    EXPECT_NE(endless_hash(many, {5, 6, 7, 5, 6, 7}), hash) << "told by its form";
    EXPECT_NE(endless_hash(2, {5, 6, 7}), hash) << "fewer samples than values";
}

TEST(Index, ASampleIsNamedByItsPath)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build(three, &e);
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    close(fd);
    char *name = mr__index_name(&index, 0, 0);
    EXPECT_STREQ(name, "'/data/cat/1.jpg'");
    free(name);
    mr__index_unmap(&index);
}

TEST(Index, OnlyWhatCanRepeatDoes)
{
    mr_errbuf e = {};
    mr_index_builder *b;
    ASSERT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), 0);
    EXPECT_EQ(mr__index_add_column(b, "label", MR_COL_FIXED, MR_I64, 1, &e), 1);
    EXPECT_EQ(mr__index_add_column(b, "boxes", MR_COL_RAGGED, MR_F32, 4, &e), 2);
    EXPECT_EQ(mr__index_add_column(b, "made", MR_COL_MADE, MR_U8, 1, &e), 3);
    int64_t one = 1;
    EXPECT_EQ(mr__index_repeat(b, 0, 9, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_repeat(b, 1, 9, &e), MR_E_USAGE) << "no value yet";
    EXPECT_EQ(mr__index_repeat(b, 2, 9, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_repeat(b, 4, 9, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_numbers(b, 3, &one, 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_path(b, 3, "a", 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_numbers(b, 1, &one, 1, &e), MR_OK);
    EXPECT_EQ(mr__index_repeat(b, 1, 9, &e), MR_OK);
    EXPECT_EQ(mr__index_repeat(b, 1, 9, &e), MR_E_USAGE) << "complete";
    EXPECT_EQ(mr__index_add_numbers(b, 1, &one, 1, &e), MR_E_USAGE) << "complete";
    mr__index_builder_free(b);
}

TEST(Index, CallsThatDoNotFitAreRefused)
{
    mr_errbuf e = {};
    mr_index_builder *b;
    ASSERT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    EXPECT_EQ(mr__index_finish(b, -1, &e), MR_E_USAGE); // no column
    EXPECT_EQ(mr__index_add_column(b, "", MR_COL_PATH, MR_U8, 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), 0);
    EXPECT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_column(b, "x", MR_COL_FIXED, MR_F32, 0, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_column(b, "x", MR_COL_FIXED, MR_F32, 3, &e), 1);
    float x[6] = {};
    EXPECT_EQ(mr__index_add_numbers(b, 0, x, 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_numbers(b, 1, x, 2, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_numbers(b, 7, x, 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_path(b, 1, "a", 1, &e), MR_E_USAGE);
    EXPECT_EQ(mr__index_add_path(b, 0, "a\0b", 3, &e), MR_E_DATA);
    EXPECT_EQ(mr__index_add_path(b, 0, "a", 1, &e), MR_OK);
    int fd = mr__index_memfd(&e);
    EXPECT_EQ(mr__index_finish(b, fd, &e), MR_E_USAGE);
    EXPECT_STREQ(e.text, "column 'x' has 0 values for 1 samples");
    close(fd);
    mr__index_builder_free(b);
}

TEST(Index, AColumnMayComeBehindTheSamples)
{
    mr_errbuf e = {};
    mr_index_builder *b;
    ASSERT_EQ(mr__index_builder_new(&b, &e), MR_OK);
    ASSERT_EQ(mr__index_set_root(b, "/data", &e), MR_OK);
    ASSERT_EQ(mr__index_add_column(b, "image", MR_COL_PATH, MR_U8, 1, &e), 0);
    for (const char *path : {"a.jpg", "/elsewhere/b.jpg", ""})
        ASSERT_EQ(mr__index_add_path(b, 0, path, strlen(path), &e), MR_OK);
    EXPECT_EQ(mr__index_built_column(b, "image", MR_COL_PATH), 0);
    EXPECT_EQ(mr__index_built_column(b, "image", MR_COL_FIXED), -1);
    EXPECT_EQ(mr__index_built_column(b, "late", MR_COL_PATH), -1);
    const char *const full[] = {"/data/a.jpg", "/elsewhere/b.jpg", ""};
    for (uint64_t i = 0; i < 3; i++) {
        char *path = mr__index_built_path(b, 0, i);
        EXPECT_STREQ(path, full[i]);
        free(path);
    }
    ASSERT_EQ(mr__index_add_column(b, "late", MR_COL_FIXED, MR_I32, 1, &e), 1);
    for (int32_t i = 0; i < 3; i++)
        ASSERT_EQ(mr__index_add_numbers(b, 1, &i, 1, &e), MR_OK);
    int fd = mr__index_memfd(&e);
    mr_index index;
    ASSERT_EQ(mr__index_finish(b, fd, &e), MR_OK) << e.text;
    ASSERT_EQ(mr__index_map(&index, fd, &e), MR_OK) << e.text;
    uint64_t n;
    EXPECT_EQ(*(const int32_t *)mr__index_numbers(&index, 1, 2, &n), 2);
    mr__index_unmap(&index);
    close(fd);
    mr__index_builder_free(b);
}

// Every field of the head and every offset set to something that cannot be.
TEST(Index, DamageIsFoundWhenMapped)
{
    mr_errbuf e = {};
    mr_index index;
    int fd = build(three, &e);
    const auto good = bytes_of(fd);
    close(fd);
    ASSERT_EQ(map_bytes(good, &index, &e), MR_OK);
    mr__index_unmap(&index);

    auto head = [](std::vector<uint8_t> &b) { return (mr_index_head *)b.data(); };
    using Bytes = std::vector<uint8_t>;
    const std::vector<std::function<void(Bytes &)>> damages = {
        [&](Bytes &b) { head(b)->magic++; },
        [&](Bytes &b) { head(b)->bytes--; },
        [&](Bytes &b) { b.pop_back(); },
        [&](Bytes &b) { b.resize(100); },
        [&](Bytes &b) { head(b)->samples = ~0ull; },
        [&](Bytes &b) { head(b)->samples = 1ull << 61; },
        [&](Bytes &b) { head(b)->samples = 1000; },
        [&](Bytes &b) { head(b)->columns = 33; },
        [&](Bytes &b) { head(b)->columns = 0; },
        [&](Bytes &b) { head(b)->columns = 4; },
        [&](Bytes &b) { head(b)->root = b.size() + 64; },
        [&](Bytes &b) { head(b)->root_bytes = ~0ull; },
        [&](Bytes &b) { head(b)->classes = ~0ull; },
        [&](Bytes &b) { head(b)->classes = 1ull << 40; },
        [&](Bytes &b) { head(b)->class_offsets += 8; },
        [&](Bytes &b) { head(b)->class_data = 0; },
        [&](Bytes &b) { head(b)->column[0].kind = 5; },
        [&](Bytes &b) { head(b)->column[0].kind = MR_COL_TENSOR; },
        [&](Bytes &b) { head(b)->column[0].kind = MR_COL_MADE; },
        [&](Bytes &b) { head(b)->column[1].period = 1000; },
        [&](Bytes &b) { head(b)->column[1].period = ~0ull; },
        [&](Bytes &b) { head(b)->column[0].name[0] = 0; },
        [&](Bytes &b) { memset(head(b)->column[0].name, 'x', MR_INDEX_NAME); },
        [&](Bytes &b) { head(b)->column[1].dtype = MR_DTYPE_COUNT; },
        [&](Bytes &b) { head(b)->column[1].width = 0; },
        [&](Bytes &b) { head(b)->column[1].width = 1000; },
        [&](Bytes &b) { head(b)->column[1].data = ~63ull; },
        [&](Bytes &b) { head(b)->column[2].max_entries = 1; },
        [&](Bytes &b) { head(b)->column[2].offsets = 64; },
        [&](Bytes &b) { ((uint64_t *)(b.data() + head(b)->column[0].offsets))[0] = 1; },
        [&](Bytes &b) { ((uint64_t *)(b.data() + head(b)->column[0].offsets))[1] = 1000; },
        [&](Bytes &b) { ((uint64_t *)(b.data() + head(b)->column[0].offsets))[3] = 1 << 20; },
        [&](Bytes &b) { ((uint64_t *)(b.data() + head(b)->column[2].offsets))[3] = 1 << 20; },
        [&](Bytes &b) { b[head(b)->column[0].data + 3] = 0; },
    };
    for (size_t i = 0; i < damages.size(); i++) {
        auto bad = good;
        damages[i](bad);
        EXPECT_EQ(map_bytes(bad, &index, &e), MR_E_CORRUPT) << "damage " << i;
        EXPECT_EQ(index.base, nullptr);
    }
    EXPECT_EQ(map_bytes(good, &index, &e, F_SEAL_WRITE), MR_E_CORRUPT) << "not fully sealed";
}
